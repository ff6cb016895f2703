// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/pipeline.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "collector/metrics.h"
#include "collector/notify/message.h"
#include "collector/pipeline/decode.h"
#include "collector/pipeline/internal.h"
#include "collector/record.h"
#include "collector/store/state_delivery.h"

#define DEVICE_KEY_SIZE   (2 * ID_SIZE + 2)
#define QUARANTINE_SAMPLE 4096

/* ---- devices ---------------------------------------------------------------------- */

static struct device *device_of(struct pipeline *pipeline, const char *org,
                                const char *id)
{
    char key[DEVICE_KEY_SIZE];
    snprintf(key, sizeof key, "%s/%s", org, id);
    void **at = map_at(&pipeline->devices, key);
    if (*at == NULL) {
        struct device *device = device_create(org, id);
        device->is_declared = pipeline->registry != NULL &&
                              registry_has_device(pipeline->registry, org, id);
        *at = device;
        metric_set(METRIC_DEVICES, (int64_t)pipeline->devices.count);
    }
    return *at;
}

static void declare_devices(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        struct device *device = pipeline->devices.entries[i].value;
        device->is_declared =
            registry_has_device(pipeline->registry, device->org, device->id);
    }
}

/* ---- effects ---------------------------------------------------------------------- */

/* False for what was committed before a crash and is only being read again. */
static bool wants_effects(const struct pipeline *pipeline)
{
    return pipeline->at > pipeline->effect_cursor;
}

static bool begin_effects(struct pipeline *pipeline)
{
    if (!wants_effects(pipeline) || pipeline->batch_err != ERR_OK)
        return false;
    if (!pipeline->has_transaction) {
        pipeline->batch_err = state_begin(pipeline->options.state);
        pipeline->has_transaction = pipeline->batch_err == ERR_OK;
    }
    return pipeline->has_transaction;
}

/* What a replay decides again is in already: EXISTS is as good as done. */
static void note(struct pipeline *pipeline, enum err err)
{
    if (pipeline->batch_err == ERR_OK && err != ERR_EXISTS)
        pipeline->batch_err = err;
}

static void tell(struct pipeline *pipeline, const struct incident *incident,
                 const char *body)
{
    char key[MESSAGE_KEY_SIZE];
    message_key(incident, key);
    for (size_t i = 0; i < pipeline->options.channel_count; i++) {
        const struct state_message message = {
            .incident = incident->id,
            .revision = incident->revision,
            .channel = pipeline->options.channels[i],
            .key = key,
            .body = body,
            .created_ms = pipeline->now_ms,
            .next_attempt_ms = pipeline->now_ms,
        };
        note(pipeline, state_add_message(pipeline->options.state, &message));
    }
}

static void count_effect(enum alert_effect_kind kind)
{
    if (kind == ALERT_EFFECT_OPENED)
        metric_add(METRIC_INCIDENTS_OPENED, 1);
    if (kind == ALERT_EFFECT_CLOSED)
        metric_add(METRIC_INCIDENTS_CLOSED, 1);
}

void pipeline_on_alert(void *context, enum alert_effect_kind kind,
                       const struct incident *incident)
{
    struct pipeline *pipeline = context;
    if (!begin_effects(pipeline))
        return;
    struct buf body = {0};
    message_format(incident, kind, pipeline->registry, pipeline->now_ms, &body);
    note(pipeline, state_add_incident(pipeline->options.state, kind, incident,
                                      pipeline->now_ms, body.data));
    if (kind != ALERT_EFFECT_UPDATED)
        tell(pipeline, incident, body.data);
    count_effect(kind);
    buf_fini(&body);
}

/* `reason` is one of a few words, `detail` the sentence. */
static void quarantine(struct pipeline *pipeline, const struct topic *topic,
                       const struct record_message *message, const char *reason,
                       const char *detail)
{
    if (!begin_effects(pipeline))
        return;
    char topic_text[RECORD_TOPIC_MAX + 1];
    snprintf(topic_text, sizeof topic_text, "%.*s", (int)message->topic_len,
             message->topic != NULL ? message->topic : "");
    const struct state_quarantined entry = {
        .source = "",
        .position = pipeline->at,
        .org = topic->org,
        .device = topic->device,
        .topic = topic_text,
        .epoch = topic->epoch,
        .seq = topic->seq,
        .reason = reason,
        .detail = detail,
        .data = message->payload,
        .len = message->payload_len,
        .size = message->payload_len,
        .arrived_ms = pipeline->now_ms,
    };
    note(pipeline, state_add_quarantined(pipeline->options.state, &entry));
}

static void reject(struct pipeline *pipeline, const struct topic *topic,
                   const struct record_message *message, const char *detail)
{
    metric_add(METRIC_QUARANTINED, 1);
    quarantine(pipeline, topic, message, "unreadable", detail);
}

/* ---- readings --------------------------------------------------------------------- */

static const struct registry_placement *place(const struct pipeline *pipeline,
                                              const struct device *device,
                                              struct device_channel *channel,
                                              int64_t time_ms)
{
    const struct registry_placement *known = channel->placement;
    if (channel->placed_in == pipeline->registry && known != NULL &&
        time_ms >= known->from_ms && (known->to_ms == 0 || time_ms < known->to_ms))
        return known;
    if (pipeline->registry == NULL)
        return NULL;
    channel->placement = registry_place(pipeline->registry, device->org, device->id,
                                        channel->name.name, time_ms);
    channel->placed_in = pipeline->registry;
    return channel->placement;
}

static void judge(struct pipeline *pipeline, const struct device *device,
                  struct device_channel *channel, const struct reading *reading)
{
    const struct registry_placement *placement =
        place(pipeline, device, channel, reading->time_ms);
    if (placement == NULL) {
        metric_add(METRIC_READINGS_UNPLACED, 1);
        return;
    }
    const struct alert_reading given = {
        .zone = placement->zone,
        .device = device->id,
        .channel = channel->name.name,
        .quantity = channel->name.quantity,
        .time_ms = reading->time_ms,
        .arrival_ms = pipeline->now_ms,
        .value = reading->value,
        .quality = (enum quality)reading->quality,
    };
    alerts_reading(pipeline->alerts, &given, &pipeline->sink);
}

static void apply_reading(struct pipeline *pipeline, struct device *device,
                          struct device_channel *channel, const struct reading *reading)
{
    if (reading->quality != QUALITY_GOOD)
        metric_add(METRIC_READINGS_BAD, 1);
    if (!decode_time_is_plausible(reading->time_ms, pipeline->now_ms)) {
        metric_add(METRIC_READINGS_IMPLAUSIBLE, 1);
        pipeline->implausible++;
        return;
    }
    if (reading->time_ms >= channel->time_ms) {
        channel->value = reading->value;
        channel->quality = (enum quality)reading->quality;
        channel->time_ms = reading->time_ms;
        channel->arrival_ms = pipeline->now_ms;
    }
    judge(pipeline, device, channel, reading);
}

static void apply_readings(struct pipeline *pipeline, struct device *device,
                           const struct pack *pack)
{
    struct device_channel *channels[PACK_CHANNELS_MAX];
    assert(pack->channel_count <= PACK_CHANNELS_MAX);
    for (size_t i = 0; i < pack->channel_count; i++)
        device_channel_of(device, &pack->channels[i]);
    for (size_t i = 0; i < pack->channel_count; i++)
        channels[i] = device_channel_of(device, &pack->channels[i]);
    for (size_t i = 0; i < pack->reading_count; i++) {
        struct device_channel *channel = channels[pack->readings[i].channel];
        if (channel != NULL)
            apply_reading(pipeline, device, channel, &pack->readings[i]);
    }
    device->readings += pack->reading_count;
    metric_add(METRIC_READINGS, (int64_t)pack->reading_count);
}

/* ---- packs ------------------------------------------------------------------------ */

static void evaluate_waiting(struct pipeline *pipeline, struct device *device,
                             struct device_epoch *epoch)
{
    struct device_ahead next;
    uint64_t epoch_id = epoch->epoch;
    while (device_epoch_next(epoch, &next)) {
        struct journal_record record;
        struct record_message message;
        struct topic topic;
        const struct pack *pack;
        if (journal_read_at(pipeline->rereader, next.position, &record) != ERR_OK ||
            record_message_parse(&message, record.data, record.len) != ERR_OK ||
            decoder_read(pipeline->decoder, &message, record.wall_ms, &topic, &pack,
                         NULL) != ERR_OK ||
            pack == NULL) {
            log_error("a pack cannot be read again device=%s seq=%llu", device->id,
                      (unsigned long long)next.seq);
            continue;
        }
        assert(topic.epoch == epoch_id);
        apply_readings(pipeline, device, pack);
    }
}

/* LOSS, THINNED and EPOCH_END close gaps at once: they may stand behind them. */
static void apply_control(struct pipeline *pipeline, struct device *device,
                          const struct pack *pack)
{
    if (pack->kind != PACK_LOSS && pack->kind != PACK_THINNED &&
        pack->kind != PACK_EPOCH_END)
        return;
    bool is_end = pack->kind == PACK_EPOCH_END;
    /* What is lost or thinned may belong to an epoch before. */
    struct device_epoch *epoch =
        device_epoch_of(device, pack->ended != 0 ? pack->ended : pack->epoch);
    if (epoch == NULL)
        return;
    epoch->is_ended = epoch->is_ended || is_end;
    if (is_end || pack->from == 0 || pack->to < pack->from)
        return;
    enum err err = seqset_add_range(&epoch->taken, pack->from, pack->to);
    if (err != ERR_OK && err != ERR_EXISTS)
        log_warn("a loss could not be noted device=%s", device->id);
    if (pack->kind == PACK_LOSS)
        metric_add(METRIC_LOST_PACKS, (int64_t)(pack->to - pack->from + 1));
    evaluate_waiting(pipeline, device, epoch);
}

static bool note_taken(struct pipeline *pipeline, struct device *device,
                       struct device_epoch *epoch, uint64_t seq)
{
    enum err err = seqset_add(&epoch->taken, seq);
    if (err == ERR_OK)
        return true;
    if (err == ERR_EXISTS) {
        metric_add(METRIC_DUPLICATES, 1);
        acks_urge(pipeline->options.acks, device, pipeline->real_ms);
    } else {
        log_warn("too many gaps, a pack is refused device=%s", device->id);
    }
    return false;
}

/* In order at once, ahead of a gap later. */
static void take_pack(struct pipeline *pipeline, struct device *device,
                      struct device_epoch *epoch, const struct topic *topic,
                      const struct pack *pack, bool is_live)
{
    device->is_dirty = true;
    metric_add(METRIC_PACKS, 1);
    apply_control(pipeline, device, pack);
    epoch = device_epoch_of(device, topic->epoch);
    assert(epoch != NULL);
    if (topic->seq > epoch->taken.through) {
        if (is_live)
            device_epoch_wait(epoch, topic->seq, pipeline->at);
        return;
    }
    if (topic->seq > epoch->evaluated)
        epoch->evaluated = topic->seq;
    if (is_live)
        apply_readings(pipeline, device, pack);
    evaluate_waiting(pipeline, device, epoch);
}

static void apply_pack(struct pipeline *pipeline, const struct record_message *message,
                       const struct topic *topic, const struct pack *pack,
                       const struct err_text *why)
{
    struct device *device = device_of(pipeline, topic->org, topic->device);
    device->last_arrival_ms = pipeline->now_ms;
    device->is_dirty = true;
    struct device_epoch *epoch = device_epoch_of(device, topic->epoch);
    if (epoch == NULL) {
        reject(pipeline, topic, message, "too many epochs of this device");
        return;
    }
    if (!note_taken(pipeline, device, epoch, topic->seq))
        return;
    acks_note(pipeline->options.acks, device, pipeline->real_ms);
    if (pack == NULL) {
        reject(pipeline, topic, message, why->text);
        if (seqset_add(&epoch->rejected, topic->seq) != ERR_OK)
            log_warn("a rejected pack is not listed device=%s", device->id);
        evaluate_waiting(pipeline, device, epoch);
        return;
    }
    pipeline->implausible = 0;
    take_pack(pipeline, device, epoch, topic, pack, !message->is_retained);
    if (pipeline->implausible > 0)
        quarantine(pipeline, topic, message, "implausible-time",
                   "kept, but readings dated in the far past or future raise no alarm");
    else if (!device->is_declared)
        quarantine(pipeline, topic, message, "undeclared-device",
                   "kept, but the device is not declared and measures no zone");
}

/* ---- other messages --------------------------------------------------------------- */

/* Seqs below the first one held exist nowhere any more: they are lost, not awaited. */
static void close_lost_head(struct pipeline *pipeline, struct device *device,
                            const struct hello_epoch *held)
{
    struct device_epoch *epoch = device_epoch_of(device, held->epoch);
    if (epoch == NULL || held->first <= epoch->taken.through + 1)
        return;
    uint64_t from = epoch->taken.through + 1;
    enum err err = seqset_add_range(&epoch->taken, from, held->first - 1);
    if (err != ERR_OK && err != ERR_EXISTS)
        return;
    log_warn("packs are lost device=%s from=%llu to=%llu", device->id,
             (unsigned long long)from, (unsigned long long)(held->first - 1));
    metric_add(METRIC_LOST_PACKS, (int64_t)(held->first - from));
    evaluate_waiting(pipeline, device, epoch);
}

static void apply_hello(struct pipeline *pipeline, const struct record_message *message,
                        const struct topic *topic)
{
    struct hello hello;
    struct err_text why;
    if (hello_parse(&hello, message->payload, message->payload_len, &why) != ERR_OK) {
        reject(pipeline, topic, message, why.text);
        return;
    }
    struct device *device = device_of(pipeline, topic->org, topic->device);
    device->is_dirty = true;
    device->last_arrival_ms = pipeline->now_ms;
    snprintf(device->nonce, sizeof device->nonce, "%s", hello.nonce);
    snprintf(device->version, sizeof device->version, "%s", hello.version);
    for (size_t i = 0; i < hello.epoch_count; i++)
        close_lost_head(pipeline, device, &hello.epochs[i]);
    acks_urge(pipeline->options.acks, device, pipeline->real_ms);
}

static void apply_status(struct pipeline *pipeline, const struct record_message *message,
                         const struct topic *topic)
{
    struct device *device = device_of(pipeline, topic->org, topic->device);
    json_t *status = json_loadb(message->payload, message->payload_len, 0, NULL);
    const char *state = json_string_value(json_object_get(status, "state"));
    device->is_online = state != NULL && strcmp(state, "online") == 0;
    device->is_dirty = true;
    json_decref(status);
}

static void apply_message(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_message message;
    struct topic topic = {0};
    const struct pack *pack;
    struct err_text why = {0};
    if (record_message_parse(&message, record->data, record->len) != ERR_OK) {
        reject(pipeline, &topic, &message, "journal record is not a message");
        return;
    }
    metric_add(METRIC_MESSAGES, 1);
    metric_add(METRIC_MESSAGE_BYTES, (int64_t)message.payload_len);
    enum err err =
        decoder_read(pipeline->decoder, &message, record->wall_ms, &topic, &pack, &why);
    if (topic.device[0] == '\0')
        reject(pipeline, &topic, &message, why.text);
    else if (topic.kind == TOPIC_READINGS)
        apply_pack(pipeline, &message, &topic, err == ERR_OK ? pack : NULL, &why);
    else if (topic.kind == TOPIC_HELLO)
        apply_hello(pipeline, &message, &topic);
    else if (topic.kind == TOPIC_STATUS)
        apply_status(pipeline, &message, &topic);
}

/* ---- the other records ------------------------------------------------------------ */

enum err pipeline_take_config(struct pipeline *pipeline, const void *json, size_t len)
{
    struct registry *registry;
    struct err_text why;
    enum err err = registry_parse(&registry, json, len, &why);
    if (err == ERR_OK)
        err = alerts_set_rules(pipeline->alerts, registry->rules, registry->rule_count,
                               pipeline->now_ms, &why);
    if (err != ERR_OK) {
        log_error("configuration in the journal is refused: %s", why.text);
        registry_destroy(registry);
        return err;
    }
    registry_destroy(pipeline->registry);
    pipeline->registry = registry;
    buf_clear(&pipeline->config);
    buf_add(&pipeline->config, json, len);
    declare_devices(pipeline);
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        struct device *device = pipeline->devices.entries[i].value;
        for (size_t k = 0; k < device->channel_count; k++)
            device->channels[k].placement = NULL;
    }
    return ERR_OK;
}

static void apply_config(struct pipeline *pipeline, const struct journal_record *record)
{
    if (pipeline_take_config(pipeline, record->data, record->len) == ERR_OK)
        pipeline->config_is_dirty = true;
}

/* A closed incident has left the engine; it stays in the list until it is acknowledged.
 */
static enum err acknowledge_closed(struct pipeline *pipeline, const char *id,
                                   const char *actor)
{
    struct incident incident;
    enum err err = state_get_incident(pipeline->options.state, id, &incident);
    if (err != ERR_OK)
        return err;
    if (incident.is_acknowledged)
        return ERR_EXISTS;
    incident.is_acknowledged = true;
    snprintf(incident.acknowledged_by, sizeof incident.acknowledged_by, "%s", actor);
    incident.acknowledged_ms = pipeline->now_ms;
    incident.changed_ms = pipeline->now_ms;
    incident.revision++;
    pipeline_on_alert(pipeline, ALERT_EFFECT_UPDATED, &incident);
    return ERR_OK;
}

static enum err run_command(struct pipeline *pipeline, const json_t *command,
                            struct err_text *why)
{
    const char *verb = json_string_value(json_object_get(command, "verb"));
    const char *incident = json_string_value(json_object_get(command, "incident"));
    const char *actor = json_string_value(json_object_get(command, "actor"));
    if (verb == NULL || incident == NULL || actor == NULL ||
        strcmp(verb, "acknowledge") != 0)
        return err_set(why, ERR_INVALID, "the command is not known");
    enum err err = alerts_acknowledge(pipeline->alerts, incident, actor, pipeline->now_ms,
                                      &pipeline->sink);
    if (err == ERR_NOT_FOUND)
        err = acknowledge_closed(pipeline, incident, actor);
    if (err == ERR_NOT_FOUND)
        return err_set(why, err, "there is no incident '%s'", incident);
    if (err == ERR_EXISTS)
        return err_set(why, err, "somebody acknowledged it before");
    return err;
}

static void apply_command(struct pipeline *pipeline, const struct journal_record *record)
{
    struct err_text why = {0};
    json_t *command = json_loadb(record->data, record->len, JSON_REJECT_DUPLICATES, NULL);
    enum err err = run_command(pipeline, command, &why);
    const char *id = json_string_value(json_object_get(command, "id"));
    if (id != NULL)
        pipeline->options.on_command(pipeline->options.context, id, err, why.text);
    json_decref(command);
}

static void apply_result(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_result result;
    if (record_result_parse(&result, record->data, record->len) != ERR_OK ||
        !begin_effects(pipeline))
        return;
    metric_add(result.outcome == STATE_OUTBOX_DONE ? METRIC_NOTIFICATIONS_DELIVERED
                                                   : METRIC_NOTIFICATIONS_FAILED,
               1);
    enum err err =
        state_outbox_result(pipeline->options.state, result.message, pipeline->now_ms,
                            result.outcome, result.next_attempt_ms, result.text);
    if (err != ERR_NOT_FOUND) /* a second result of a repeated attempt */
        note(pipeline, err);
}

static void apply_loss(const struct journal_record *record)
{
    metric_add(METRIC_JOURNAL_DAMAGE, 1);
    log_error("journal damaged from=%llu to=%llu reason=%s",
              (unsigned long long)record->loss.from, (unsigned long long)record->loss.to,
              journal_loss_name(record->loss.reason));
}

static void apply(struct pipeline *pipeline, const struct journal_record *record)
{
    switch (record->type) {
    case RECORD_MESSAGE:
        apply_message(pipeline, record);
        break;
    case RECORD_START:
        alerts_set_grace(pipeline->alerts,
                         record->wall_ms + pipeline->options.silence_grace_ms);
        break;
    case RECORD_TICK:
        alerts_tick(pipeline->alerts, record->wall_ms, &pipeline->sink);
        break;
    case RECORD_CONFIG:
        apply_config(pipeline, record);
        break;
    case RECORD_COMMAND:
        apply_command(pipeline, record);
        break;
    case RECORD_RESULT:
        apply_result(pipeline, record);
        break;
    case JOURNAL_TYPE_LOSS:
        apply_loss(record);
        break;
    default: /* a record of a newer version: kept in the journal, nothing to do */
        break;
    }
}

/* ---- batches ---------------------------------------------------------------------- */

static enum err finish_batch(struct pipeline *pipeline, struct err_text *why)
{
    struct state *state = pipeline->options.state;
    enum err err = pipeline->batch_err;
    if (pipeline->has_transaction) {
        if (err == ERR_OK)
            err = state_put_effect_position(state, pipeline->at);
        if (err == ERR_OK)
            err = state_commit(state);
        if (err != ERR_OK)
            state_rollback(state);
    }
    if (err != ERR_OK)
        return err_set(why, err, "state.db: %s", state_why(state));
    if (pipeline->has_transaction) {
        pipeline->has_transaction = false;
        pipeline->effect_cursor = pipeline->at;
        pipeline->options.on_effects(pipeline->options.context);
    }
    return ERR_OK;
}

enum err pipeline_advance(struct pipeline *pipeline, size_t most, bool *more,
                          struct err_text *why)
{
    pipeline->batch_err = ERR_OK;
    pipeline->real_ms = clock_real_ms();
    *more = true;
    for (size_t i = 0; i < most && pipeline->batch_err == ERR_OK; i++) {
        struct journal_record record;
        enum err err = journal_reader_next(pipeline->reader, &record);
        if (err == ERR_NOT_FOUND) {
            *more = false;
            break;
        }
        if (err != ERR_OK)
            return err_set(why, err, "the journal cannot be read: %s", err_about(err));
        pipeline->at = record.position;
        pipeline->now_ms = record.wall_ms;
        apply(pipeline, &record);
    }
    metric_set(METRIC_PIPELINE_POSITION, (int64_t)pipeline->at);
    return finish_batch(pipeline, why);
}

uint64_t pipeline_position(const struct pipeline *pipeline)
{
    return pipeline->at;
}

const struct registry *pipeline_registry(const struct pipeline *pipeline)
{
    return pipeline->registry;
}

const char *pipeline_config_hash(const struct pipeline *pipeline)
{
    return pipeline->registry != NULL ? pipeline->registry->hash : "";
}

const char *pipeline_config(const struct pipeline *pipeline, size_t *len)
{
    *len = pipeline->config.len;
    return pipeline->config.len > 0 ? pipeline->config.data : "";
}
