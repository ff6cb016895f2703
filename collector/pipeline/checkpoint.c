// SPDX-License-Identifier: Apache-2.0
/*
 * checkpoint - opening the pipeline where the last checkpoint left it, and making one.
 *
 * All entities of a checkpoint are as of one position, so a restart reads the journal
 * from there. What is declared (the registry) is in state.db as of the last effect, which
 * may be later: the audit's rows in between lead back. Keys: "device:ORG/ID",
 * "late:ORG/ID", "alert:..." (the alert engine's own), "ahead:..." (the same of the one
 * that judges ahead of gaps).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/command/change.h"
#include "collector/metrics.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/view.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"

#define KEY_CONFIG "config" /* of version 1: the registry, as JSON */
#define KEY_DEVICE "device:"
#define KEY_ALERT  "alert:"
#define KEY_AHEAD  "ahead:"
#define KEY_LATE   "late:"
#define KEY_PLACED "placed"

struct restore {
    struct pipeline *pipeline;
    enum err err;
};

static bool has_prefix(const char *key, const char *prefix)
{
    return strncmp(key, prefix, strlen(prefix)) == 0;
}

static enum err restore_device(struct pipeline *pipeline, const char *key,
                               const void *data, size_t len)
{
    const char *slash = strchr(key, '/');
    size_t org_len = slash != NULL ? (size_t)(slash - key) : ID_SIZE;
    if (org_len >= ID_SIZE || strlen(slash + 1) >= ID_SIZE)
        return ERR_CORRUPT;
    char org[ID_SIZE] = "";
    memcpy(org, key, org_len);
    struct device *device = device_create(org, slash + 1);
    device->is_declared = registry_has_device(pipeline->registry, org, device->id);
    void **at = map_at(&pipeline->devices, key);
    assert(*at == NULL);
    *at = device;
    enum err err = device_load(device, &pipeline->names, pipeline->core, data, len);
    if (err == ERR_OK)
        acks_in_line(pipeline->options.acks, device);
    return err;
}

static enum err restore_placed(struct pipeline *pipeline, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    pipeline->placed_ms = buf_read_zigzag(&in);
    return in.failed ? ERR_CORRUPT : ERR_OK;
}

static enum err restore_late(struct pipeline *pipeline, const char *key, const void *data,
                             size_t len)
{
    struct device *device = map_get(&pipeline->devices, key);
    if (device == NULL || device->late != NULL)
        return ERR_CORRUPT;
    pipeline_be_late(pipeline, device);
    device->is_late_saved = true;
    enum err err = late_load(device->late, data, len);
    if (device->late->channel_count > 0) {
        pipeline_ahead(pipeline);
        pipeline->ahead_count++;
    }
    pipeline_resume_backlog(pipeline, device->late);
    return err;
}

static enum err restore_entity(struct pipeline *pipeline, const char *key,
                               const void *data, size_t len)
{
    if (strcmp(key, KEY_PLACED) == 0)
        return restore_placed(pipeline, data, len);
    if (has_prefix(key, KEY_DEVICE))
        return restore_device(pipeline, key + strlen(KEY_DEVICE), data, len);
    if (has_prefix(key, KEY_LATE))
        return restore_late(pipeline, key + strlen(KEY_LATE), data, len);
    if (has_prefix(key, KEY_AHEAD))
        return alerts_load(pipeline_ahead(pipeline), key + strlen(KEY_AHEAD), data, len);
    return alerts_load(pipeline->alerts, key + strlen(KEY_ALERT), data, len);
}

static void on_entity(void *context, const char *key, uint64_t position, const void *data,
                      size_t len)
{
    (void)position;
    struct restore *restore = context;
    if (restore->err != ERR_OK)
        return;
    restore->err = restore_entity(restore->pipeline, key, data, len);
    if (restore->err != ERR_OK)
        log_error("checkpoint: entity is damaged key=%s", key);
}

/* Those come in the order of their keys: "late:" behind "device:", which it refers to. */
static enum err restore_all(struct pipeline *pipeline, struct err_text *why)
{
    struct restore restore = {.pipeline = pipeline};
    enum err err = state_load_evaluations(pipeline->options.state, &restore, on_entity);
    if (err == ERR_OK)
        err = restore.err;
    if (err != ERR_OK)
        return err_set(
            why, err,
            "state.db: the checkpoint cannot be read (%s); restore a backup, or "
            "move state.db away to start anew",
            err_about(err));
    return ERR_OK;
}

/* ---- the registry ---------------------------------------------------------------------
 */

static void on_declared(void *context, const struct state_entity *row)
{
    struct pipeline *pipeline = context;
    json_t *body = json_loads(row->body, 0, NULL);
    if (body == NULL ||
        !registry_load(pipeline->registry, row->kind, row->id, row->org, body))
        log_error("state.db: an entity cannot be read kind=%s id=%s", row->kind, row->id);
    json_decref(body);
}

static void undo_change(struct registry *registry, const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    const char *id = json_string_value(json_object_get(entry, "id"));
    const char *org = json_string_value(json_object_get(entry, "org"));
    if (!registry_apply(registry, kind, id, org, json_object_get(entry, "new"),
                        json_object_get(entry, "old")))
        log_error("state.db: a change cannot be read kind=%s id=%s", kind, id);
}

/* Later than the checkpoint: it is not so yet. */
static void on_later(void *context, const struct state_audit *row)
{
    struct pipeline *pipeline = context;
    json_t *changes = json_loads(row->changes, 0, NULL);
    for (size_t i = json_array_size(changes); i-- > 0;)
        undo_change(pipeline->registry, json_array_get(changes, i));
    json_decref(changes);
    if (strcmp(row->verb, SEED_VERB) == 0)
        registry_take(pipeline->registry, registry_create());
}

static void on_old_config(void *context, const char *key, uint64_t position,
                          const void *data, size_t len)
{
    struct registry **registry = context;
    (void)position;
    if (strcmp(key, KEY_CONFIG) == 0 &&
        registry_parse(registry, data, len, NULL) != ERR_OK)
        *registry = NULL;
}

/* Version 1 kept the registry in its checkpoint and nowhere else. */
static enum err adopt_old_config(struct pipeline *pipeline)
{
    struct state *state = pipeline->options.state;
    struct registry *registry = NULL;
    uint64_t count = 0;
    enum err err = state_count_entities(state, &count);
    if (err == ERR_OK && count == 0)
        err = state_load_evaluations(state, &registry, on_old_config);
    if (err != ERR_OK || registry == NULL)
        return err;
    err = state_begin(state);
    if (err == ERR_OK)
        err = seed_apply(state, registry, pipeline->checkpoint, 0);
    if (err == ERR_OK)
        err = state_put_evaluation(state, KEY_CONFIG, 0, "", 0);
    if (err == ERR_OK)
        err = state_commit(state);
    if (err != ERR_OK)
        state_rollback(state);
    registry_destroy(registry);
    return err;
}

static enum err load_registry(struct pipeline *pipeline)
{
    static const char *const kinds[] = {"site",    "zone",      "device",
                                        "channel", "placement", "rule"};
    struct state *state = pipeline->options.state;
    enum err err = adopt_old_config(pipeline);
    for (size_t i = 0; err == ERR_OK && i < sizeof kinds / sizeof kinds[0]; i++)
        err = state_each_entity(state, kinds[i], NULL, NULL, pipeline, on_declared);
    registry_load_end(pipeline->registry);
    if (err == ERR_OK)
        err =
            state_audit_back(state, pipeline->checkpoint, INT64_MAX, pipeline, on_later);
    return err;
}

static enum err restore_registry(struct pipeline *pipeline, struct err_text *why)
{
    enum err err = load_registry(pipeline);
    if (err != ERR_OK)
        return err_set(why, err, "state.db: %s", state_why(pipeline->options.state));
    return pipeline_set_rules(pipeline, why);
}

static enum err read_positions(struct pipeline *pipeline, struct err_text *why)
{
    struct state_meta meta;
    enum err err = state_load_meta(pipeline->options.state, &meta);
    if (err != ERR_OK)
        return err_set(why, err, "state.db: %s", state_why(pipeline->options.state));
    pipeline->at = meta.checkpoint_position;
    pipeline->checkpoint = meta.checkpoint_position;
    pipeline->effect_cursor = meta.effect_position;
    atomic_init(&pipeline->committed, meta.checkpoint_position);
    return ERR_OK;
}

static enum err open_readers(struct pipeline *pipeline, struct err_text *why)
{
    struct journal *journal = pipeline->options.journal;
    enum err err = journal_reader_open(&pipeline->reader, journal, pipeline->at);
    if (err == ERR_INVALID)
        return err_set(why, err,
                       "state.db is ahead of the journal: they do not belong "
                       "together; restore both from one backup");
    if (err == ERR_OK)
        err = journal_reader_open(&pipeline->rereader, journal, 0);
    if (err != ERR_OK)
        return err_set(why, err, "the journal cannot be read: %s", err_about(err));
    return ERR_OK;
}

enum err pipeline_open(struct pipeline **result, const struct pipeline_options *options,
                       struct err_text *why)
{
    assert(options->journal != NULL && options->state != NULL && options->acks != NULL);
    assert(options->on_effects != NULL && options->on_command != NULL);
    struct pipeline *pipeline = mem_alloc(sizeof *pipeline);
    pipeline->options = *options;
    pipeline->core = acks_core(options->acks);
    pipeline->decoder = decoder_create();
    pipeline->redecoder = decoder_create();
    pipeline->alerts = alerts_create();
    pipeline->sink = (struct alert_sink){.context = pipeline,
                                         .effect = pipeline_on_alert,
                                         .suppressed = pipeline_on_suppressed};
    pipeline->ahead_sink = (struct alert_sink){.context = pipeline,
                                               .effect = pipeline_on_ahead,
                                               .suppressed = pipeline_on_suppressed};
    pipeline->registry = registry_create();
    if (options->roster != NULL)
        pipeline->registry->home = options->roster->tz;
    pipeline->corrections = corrections_create();
    enum err err = read_positions(pipeline, why);
    if (err == ERR_OK)
        err = restore_registry(pipeline, why);
    if (err == ERR_OK)
        err = restore_all(pipeline, why);
    if (err == ERR_OK) /* a checkpoint of an older version knows no rooms */
        pipeline_tell_rooms(pipeline->alerts, pipeline->registry);
    if (err == ERR_OK)
        err = open_readers(pipeline, why);
    if (err != ERR_OK) {
        pipeline_close(pipeline);
        pipeline = NULL;
    }
    *result = pipeline;
    return err;
}

void pipeline_close(struct pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    journal_reader_close(pipeline->reader);
    journal_reader_close(pipeline->rereader);
    acks_forget(pipeline->options.acks);
    for (size_t i = 0; i < pipeline->devices.count; i++)
        device_destroy(pipeline->devices.entries[i].value, pipeline->core);
    map_fini(&pipeline->devices);
    device_names_fini(&pipeline->names);
    alerts_destroy(pipeline->alerts);
    alerts_destroy(pipeline->ahead);
    corrections_destroy(pipeline->corrections);
    registry_destroy(pipeline->registry);
    pipeline_drop_answers(pipeline);
    pipeline_news_fini(&pipeline->news);
    free(pipeline->answers);
    free(pipeline->handled.ids);
    decoder_destroy(pipeline->decoder);
    decoder_destroy(pipeline->redecoder);
    free(pipeline);
}

struct save {
    struct pipeline *pipeline;
    enum err err;
};

static void put(struct save *save, const char *prefix, const char *key, const void *data,
                size_t len)
{
    if (save->err != ERR_OK)
        return;
    struct pipeline *pipeline = save->pipeline;
    struct buf name = {0};
    buf_text(&name, prefix);
    buf_text(&name, key);
    save->err =
        state_put_evaluation(pipeline->options.state, name.data, pipeline->at, data, len);
    buf_fini(&name);
}

static void on_alert_entity(void *context, const char *key, const void *data, size_t len)
{
    put(context, KEY_ALERT, key, data, len);
}

static void on_ahead_entity(void *context, const char *key, const void *data, size_t len)
{
    put(context, KEY_AHEAD, key, data, len);
}

static void save_placed(struct save *save)
{
    struct buf data = {0};
    buf_zigzag(&data, save->pipeline->placed_ms);
    put(save, KEY_PLACED, "", data.data, data.len);
    buf_fini(&data);
}

static void save_late(struct save *save, struct device *device, const char *key)
{
    struct buf data = {0};
    if (device->late != NULL)
        late_save(device->late, &data);
    if (device->late != NULL || device->is_late_saved)
        put(save, KEY_LATE, key, data.data, data.len);
    device->is_late_saved = device->late != NULL;
    buf_fini(&data);
}

static void save_devices(struct save *save)
{
    struct pipeline *pipeline = save->pipeline;
    struct buf data = {0};
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        struct device *device = pipeline->devices.entries[i].value;
        if (!device->is_dirty)
            continue;
        buf_clear(&data);
        device_save(device, &data);
        put(save, KEY_DEVICE, pipeline->devices.entries[i].key, data.data, data.len);
        save_late(save, device, pipeline->devices.entries[i].key);
        device->is_dirty = false;
    }
    buf_fini(&data);
}

enum err pipeline_save(struct pipeline *pipeline)
{
    struct save save = {.pipeline = pipeline, .err = ERR_OK};
    save_placed(&save);
    save_devices(&save);
    alerts_save_changed(pipeline->alerts, &save, on_alert_entity);
    if (pipeline->ahead != NULL)
        alerts_save_changed(pipeline->ahead, &save, on_ahead_entity);
    return save.err == ERR_OK
               ? state_put_checkpoint_position(pipeline->options.state, pipeline->at)
               : save.err;
}

enum err pipeline_checkpoint(struct pipeline *pipeline, struct err_text *why)
{
    assert(!pipeline->has_transaction);
    struct state *state = pipeline->options.state;
    enum err err = state_begin(state);
    if (err == ERR_OK)
        err = pipeline_save(pipeline);
    if (err == ERR_OK)
        err = state_commit(state);
    if (err != ERR_OK) {
        state_rollback(state);
        return err_set(why, err, "state.db: %s", state_why(state));
    }
    pipeline->checkpoint = pipeline->at;
    return ERR_OK;
}

/* Packs that wait for their turn are read again from the journal. */
static uint64_t oldest_waiting(const struct pipeline *pipeline, uint64_t oldest)
{
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        const struct device *device = pipeline->devices.entries[i].value;
        for (size_t k = 0; k < device->delivery.epoch_count; k++) {
            const struct collector_epoch *epoch = &device->delivery.epochs[k];
            for (size_t n = 0; n < epoch->held_count; n++)
                if (epoch->held[n].position < oldest)
                    oldest = epoch->held[n].position;
        }
    }
    return oldest;
}

uint64_t pipeline_needs_from(const struct pipeline *pipeline)
{
    return oldest_waiting(pipeline, pipeline->checkpoint);
}
