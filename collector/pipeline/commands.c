// SPDX-License-Identifier: Apache-2.0
/*
 * commands - what people, programs and the notifier want changed.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/pipeline/internal.h"
#include "collector/record.h"

/* What was looked up in the registry before. */
static void forget_lookups(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        struct device *device = pipeline->devices.entries[i].value;
        for (size_t k = 0; k < device->channel_count; k++)
            device->channels[k].placement = NULL;
    }
}

/* *old is the registry that was in force; the caller destroys it. */
static enum err exchange_config(struct pipeline *pipeline, const void *json, size_t len,
                                struct registry **old)
{
    *old = NULL;
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
    *old = pipeline->registry;
    pipeline->registry = registry;
    if (pipeline_set_ahead_rules(pipeline, &why) != ERR_OK)
        log_error("rules ahead of gaps are refused: %s", why.text);
    buf_clear(&pipeline->config);
    buf_add(&pipeline->config, json, len);
    pipeline_declare_devices(pipeline);
    forget_lookups(pipeline);
    return ERR_OK;
}

enum err pipeline_take_config(struct pipeline *pipeline, const void *json, size_t len)
{
    struct registry *old;
    enum err err = exchange_config(pipeline, json, len, &old);
    registry_destroy(old);
    return err;
}

void pipeline_change_config(struct pipeline *pipeline, const void *json, size_t len)
{
    struct registry *old;
    if (exchange_config(pipeline, json, len, &old) != ERR_OK)
        return;
    pipeline_replace_placements(pipeline, old);
    pipeline->config_is_dirty = true;
    registry_destroy(old);
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
    pipeline_emit(pipeline, ALERT_EFFECT_UPDATED, &incident);
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
    enum err err = pipeline_acknowledge_late(pipeline, incident, actor);
    if (err == ERR_NOT_FOUND)
        err = alerts_acknowledge(pipeline->alerts, incident, actor, pipeline->now_ms,
                                 &pipeline->sink);
    if (err == ERR_NOT_FOUND)
        err = acknowledge_closed(pipeline, incident, actor);
    if (err == ERR_NOT_FOUND)
        return err_set(why, err, "there is no incident '%s'", incident);
    if (err == ERR_EXISTS)
        return err_set(why, err, "somebody acknowledged it before");
    return err;
}

void pipeline_take_command(struct pipeline *pipeline, const struct journal_record *record)
{
    struct err_text why = {0};
    json_t *command = json_loadb(record->data, record->len, JSON_REJECT_DUPLICATES, NULL);
    enum err err = run_command(pipeline, command, &why);
    const char *id = json_string_value(json_object_get(command, "id"));
    if (id != NULL)
        pipeline->options.on_command(pipeline->options.context, id, err, why.text);
    json_decref(command);
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
    if (err != ERR_NOT_FOUND) /* a second result of a repeated attempt */
        pipeline_note(pipeline, err);
}
