// SPDX-License-Identifier: Apache-2.0
/*
 * commands - what people, programs and the notifier want changed.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/command/change.h"
#include "collector/metrics.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/beat.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/placing.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/telling.h"
#include "collector/pipeline/view.h"
#include "collector/record.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"

/* ---- what a command changed, in memory ------------------------------------------------
 */

/* A beat is always judged. Dates are not the engine's. */
static struct alert_rule *rules_in_force(const struct registry *registry, size_t *count)
{
    struct alert_rule *rules = mem_array(registry->rule_count + 1, sizeof *rules);
    *count = 1;
    beat_rule(&rules[0]);
    for (size_t i = 0; i < registry->rule_count; i++)
        if (registry_in_force(registry, &registry->rules[i]) &&
            !alert_kind_is_date(registry->rules[i].kind) &&
            strcmp(registry->rules[i].id, BEAT_NAME) != 0)
            rules[(*count)++] = registry->rules[i];
    assert(*count <= registry->rule_count + 1);
    return rules;
}

enum err pipeline_set_rules(struct pipeline *pipeline, struct err_text *why)
{
    size_t count;
    struct alert_rule *rules = rules_in_force(pipeline->registry, &count);
    enum err err = alerts_change_rules(pipeline->alerts, rules, count, pipeline->now_ms,
                                       &pipeline->sink, why);
    free(rules);
    return err == ERR_OK ? pipeline_set_ahead_rules(pipeline, why) : err;
}

static void change_rules(struct pipeline *pipeline, const char *zone)
{
    struct err_text why;
    if (pipeline_set_rules(pipeline, &why) != ERR_OK)
        log_error("rules in force are refused: %s", why.text);
    if (zone == NULL)
        pipeline_tell_rooms(pipeline->alerts, pipeline->registry);
    else
        pipeline_tell_room(pipeline->alerts, pipeline->registry, zone);
    if (zone != NULL && pipeline->ahead != NULL)
        pipeline_tell_room(pipeline->ahead, pipeline->registry, zone);
    pipeline_expect_placed(pipeline, zone);
}

static void change_device(struct pipeline *pipeline, const char *org, const char *id)
{
    char key[DEVICE_KEY_SIZE];
    pipeline_news_status(pipeline, org, id);
    struct device *device = map_get(&pipeline->devices, device_key(key, org, id));
    if (device != NULL)
        device->is_declared = registry_has_device(pipeline->registry, org, id);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static bool is_quiet(const json_t *zone)
{
    return json_object_get(zone, "off_duty") != NULL ||
           json_is_true(json_object_get(zone, "archived"));
}

/* Devices are told anew of what they measure. */
static void touch_configs(struct pipeline *pipeline, const char *kind, const char *id,
                          const char *org, const json_t *body)
{
    struct configs *configs = pipeline->options.configs;
    if (!json_is_object(body))
        return;
    if (strcmp(kind, "device") == 0)
        configs_touch(configs, text_of(body, "org"), id);
    if (strcmp(kind, "placement") == 0)
        configs_touch(configs, org, text_of(body, "device"));
    if (strcmp(kind, "zone") == 0)
        configs_touch_zone(configs, pipeline->registry, id);
    if (strcmp(kind, "rule") == 0) {
        configs_rules_changed(configs);
        configs_touch_zone(configs, pipeline->registry, text_of(body, "zone"));
    }
}

static void apply_change(struct pipeline *pipeline, const json_t *entry)
{
    const char *kind = text_of(entry, "kind");
    const char *id = text_of(entry, "id");
    const char *org = text_of(entry, "org");
    const json_t *old = json_object_get(entry, "old");
    const json_t *new = json_object_get(entry, "new");
    bool is_placement = strcmp(kind, "placement") == 0;
    struct registry_placement placement = {0};
    if (is_placement && json_is_object(old) &&
        registry_parse_placement(pipeline->registry, &placement, org, old)) {
        pipeline_forget_placed(pipeline, &placement);
        pipeline_news_zone(pipeline, placement.zone);
    }
    bool is_zone = strcmp(kind, "zone") == 0;
    struct pipeline_room was;
    if (is_zone)
        pipeline_note_room(pipeline, id, &was);
    if (!registry_apply(pipeline->registry, kind, id, org, old, new))
        log_error("a change cannot be read kind=%s id=%s", kind, id);
    placement = (struct registry_placement){0};
    if (is_placement && json_is_object(new) &&
        registry_parse_placement(pipeline->registry, &placement, org, new)) {
        pipeline_expect_one(pipeline, &placement);
        pipeline_news_zone(pipeline, placement.zone);
    }
    touch_configs(pipeline, kind, id, org, old);
    touch_configs(pipeline, kind, id, org, new);
    if (is_zone)
        pipeline_news_zone(pipeline, id);
    if (is_zone)
        pipeline_room_changed(pipeline, id, &was);
    if (strcmp(kind, "device") == 0)
        change_device(pipeline, org, id);
    pipeline->wants_dates = true;
    pipeline->wants_goods |= is_zone || strcmp(kind, "rule") == 0;
    if (strcmp(kind, "rule") == 0)
        change_rules(pipeline, text_of(json_is_object(new) ? new : old, "zone"));
    if (is_zone &&
        (is_quiet(old) != is_quiet(new) || registry_follows_band(pipeline->registry, id)))
        change_rules(pipeline, id);
}

static void apply_changes(struct pipeline *pipeline, const char *changes)
{
    json_t *list = json_loads(changes, 0, NULL);
    if (json_array_size(list) > 0)
        corrections_begin_anew(pipeline->corrections);
    for (size_t i = 0; i < json_array_size(list); i++)
        apply_change(pipeline, json_array_get(list, i));
    json_decref(list);
}

/* ---- the seed -------------------------------------------------------------------------
 */

static void note_hash(void *context, const struct state_audit *row)
{
    json_t *body = json_loads(row->body, 0, NULL);
    snprintf(context, 17, "%s", text_of(body, "hash"));
    json_decref(body);
}

/* Whether the seed is to be taken, or was by this very record. */
static bool wants_seed(struct pipeline *pipeline, uint64_t position)
{
    struct state *state = pipeline->options.state;
    uint64_t count = 0;
    char hash[17];
    if (position <= pipeline->effect_cursor)
        return state_audit_at(state, position, hash, note_hash) == ERR_OK;
    if (!pipeline_begin_effects(pipeline))
        return false;
    pipeline_note(pipeline, state_count_entities(state, &count));
    return count == 0 && pipeline->batch_err == ERR_OK;
}

void pipeline_take_seed(struct pipeline *pipeline, const struct journal_record *record)
{
    struct registry *registry;
    struct err_text why;
    if (!wants_seed(pipeline, record->position))
        return;
    if (registry_parse(&registry, record->data, record->len, &why) != ERR_OK) {
        log_error("the seed in the journal is refused: %s", why.text);
        return;
    }
    registry_begin_duty(registry, pipeline->now_ms);
    if (record->position > pipeline->effect_cursor)
        pipeline_note(pipeline, seed_apply(pipeline->options.state, registry,
                                           record->position, pipeline->now_ms));
    registry_take(pipeline->registry, registry);
    pipeline_declare_devices(pipeline);
    change_rules(pipeline, NULL);
    configs_rules_changed(pipeline->options.configs);
    configs_touch_all(pipeline->options.configs);
    pipeline->placed_ms = pipeline->now_ms;
}

/* ---- commands -------------------------------------------------------------------------
 */

static void answer(struct pipeline *pipeline, const char *id, enum err err,
                   const struct err_text *why, const char *result)
{
    mem_grow(&pipeline->answers, &pipeline->answer_capacity, pipeline->answer_count + 1,
             sizeof *pipeline->answers);
    struct pipeline_answer *to = &pipeline->answers[pipeline->answer_count++];
    *to = (struct pipeline_answer){.err = err, .why = *why};
    snprintf(to->id, sizeof to->id, "%.*s", COMMAND_ID_MAX, id);
    to->result = result != NULL ? mem_strdup(result) : NULL;
}

void pipeline_drop_answers(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->answer_count; i++)
        free(pipeline->answers[i].result);
    pipeline->answer_count = 0;
}

void pipeline_give_answers(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->answer_count; i++) {
        const struct pipeline_answer *from = &pipeline->answers[i];
        pipeline->options.on_command(pipeline->options.context, from->id, from->err,
                                     from->err != ERR_OK ? from->why.text : "",
                                     from->result != NULL ? from->result : "{}");
    }
    pipeline_drop_answers(pipeline);
}

/* The pipeline's own verbs run between the two halves. */
static enum err apply(struct pipeline *pipeline, const struct command *command,
                      uint64_t position, struct outcome *outcome)
{
    const struct verb *verb = verb_find(command->verb);
    struct state *state = pipeline->options.state;
    if (verb == NULL || verb->apply != NULL)
        return command_apply(state, command, position, pipeline->now_ms, outcome);
    struct change change = {
        .state = state, .command = command, .now_ms = pipeline->now_ms};
    bool goes_on;
    enum err err = command_begin(&change, position, outcome, &goes_on);
    if (err != ERR_OK || !goes_on)
        return err;
    json_object_set_new(change.result, "kind", json_string("incident"));
    json_object_set_new(change.result, "id", json_string(text_of(command->body, "id")));
    if (outcome->err == ERR_OK && strcmp(command->verb, "notify.test") == 0)
        outcome->err = pipeline_test_channel(pipeline, &change, &outcome->why);
    else if (outcome->err == ERR_OK)
        outcome->err = pipeline_do_incident(pipeline, &change, &outcome->why);
    return command_end(&change, position, outcome);
}

static void take_new(struct pipeline *pipeline, const struct command *command,
                     uint64_t position)
{
    assert(position > pipeline->effect_cursor);
    struct outcome outcome = {0};
    if (!pipeline_begin_effects(pipeline))
        return;
    enum err err = apply(pipeline, command, position, &outcome);
    if (pipeline->batch_err == ERR_OK)
        pipeline->batch_err = err;
    if (err == ERR_OK && outcome.err == ERR_OK && !outcome.is_repetition)
        apply_changes(pipeline, outcome.changes);
    if (err == ERR_OK)
        answer(pipeline, command->id, outcome.err, &outcome.why, outcome.result);
    outcome_fini(&outcome);
}

struct redo {
    char *changes;
    char *result;
    bool was_done;
};

static void on_redo(void *context, const struct state_audit *row)
{
    struct redo *redo = context;
    redo->was_done = strcmp(row->outcome, err_name(ERR_OK)) == 0;
    redo->changes = mem_strdup(row->changes);
    redo->result = mem_strdup(row->result);
}

/* Its effects are in state.db already: what it changed in memory is done again. */
static void take_again(struct pipeline *pipeline, const struct command *command,
                       uint64_t position)
{
    assert(position <= pipeline->effect_cursor);
    struct redo redo = {0};
    enum err err = state_audit_at(pipeline->options.state, position, &redo, on_redo);
    if (err == ERR_OK && redo.was_done &&
        !pipeline_redo_incident(pipeline, command, redo.result))
        apply_changes(pipeline, redo.changes);
    free(redo.changes);
    free(redo.result);
}

void pipeline_take_command(struct pipeline *pipeline, const struct journal_record *record)
{
    struct err_text why = {0};
    struct command command;
    enum err err = command_parse(&command, record->data, record->len, &why);
    if (err != ERR_OK && command.id != NULL)
        answer(pipeline, command.id, err, &why, NULL);
    else if (err == ERR_OK && record->position > pipeline->effect_cursor)
        take_new(pipeline, &command, record->position);
    else if (err == ERR_OK)
        take_again(pipeline, &command, record->position);
    command_fini(&command);
}

void pipeline_take_attempt(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_attempt attempt;
    if (record_attempt_parse(&attempt, record->data, record->len) != ERR_OK ||
        !pipeline_begin_effects(pipeline))
        return;
    enum err err = state_outbox_attempt(pipeline->options.state, attempt.message,
                                        pipeline->now_ms, attempt.retry_ms);
    if (err != ERR_NOT_FOUND) /* a result came in before it */
        pipeline_note(pipeline, err);
}

void pipeline_take_result(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_result result;
    if (record_result_parse(&result, record->data, record->len) != ERR_OK ||
        !pipeline_begin_effects(pipeline))
        return;
    metric_add(result.outcome == STATE_OUTBOX_DONE ? METRIC_NOTIFICATIONS_DELIVERED
                                                   : METRIC_NOTIFICATIONS_FAILED,
               1);
    enum err err =
        state_outbox_result(pipeline->options.state, result.message, pipeline->now_ms,
                            result.outcome, result.next_attempt_ms, result.text);
    if (err == ERR_OK)
        pipeline_judge_path(pipeline, &result);
    else if (err != ERR_NOT_FOUND) /* a second result of a repeated attempt */
        pipeline_note(pipeline, err);
}
