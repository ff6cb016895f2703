// SPDX-License-Identifier: Apache-2.0
/*
 * registry_rules - a rule as state.db, the seed and the commands have it: JSON.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collector/pipeline/body.h"
#include "collector/pipeline/registry.h"

const char *const registry_rule_kinds[] = {
    "above",
    "below",
    "silent",
    "silent_device",
    "cumulative_above",
    "cumulative_below",
    "dose_above",
    "dose_below",
    "rate",
    "predicted",
    "step",
    "stuck",
    "diverge",
    "implausible",
    "cooling_failed",
    "door_open",
    "defrost_long",
    "defrost_often",
    "defrost_missing",
    "no_recovery",
    "cycling",
    "mains_lost",
    "calibration_due",
    "date_due",
    "goods_left",
    "life_left",
    NULL,
};

const char *const registry_rule_reasons[] = {
#define X(name, text) text,
    ALERT_UNLESS_LIST(X)
#undef X
        NULL,
};

/* A number, or the end of the band that gives it, which is resolved later. */
static bool parse_number(double *number, struct alert_from_band *from_band,
                         const json_t *from, const char *key)
{
    const char *text = json_string_value(json_object_get(from, key));
    *number = body_number(from, key);
    return text == NULL || alert_from_band_parse(from_band, text);
}

static bool parse_level(struct alert_level *level, const json_t *from)
{
    const char *severity = json_string_value(json_object_get(from, "severity"));
    level->delay_ms = body_ms(from, "delay");
    level->recovery_delay_ms = body_ms(from, "recovery_delay");
    return parse_number(&level->level, &level->level_from, from, "level") &&
           parse_number(&level->recovery_level, &level->recovery_from, from,
                        "recovery_level") &&
           severity != NULL && alert_severity_parse(&level->severity, severity);
}

static bool parse_levels(struct alert_rule *rule, const json_t *from)
{
    const json_t *levels = json_object_get(from, "levels");
    size_t count = json_array_size(levels);
    if (count > ALERT_LEVELS_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!parse_level(&rule->levels[i], json_array_get(levels, i)))
            return false;
    rule->level_count = count;
    return true;
}

static bool parse_unless(struct alert_rule *rule, const json_t *from)
{
    const json_t *list = json_object_get(from, "unless");
    rule->unless = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        enum alert_reason reason;
        if (name == NULL || !alert_reason_parse(&reason, name))
            return false;
        rule->unless |= 1u << reason;
    }
    return true;
}

bool registry_parse_rule(struct alert_rule *rule, const char *id, const json_t *body)
{
    const char *kind = json_string_value(json_object_get(body, "kind"));
    const char *severity = json_string_value(json_object_get(body, "silent_severity"));
    if (id == NULL || strlen(id) >= sizeof rule->id || kind == NULL ||
        !alert_kind_parse(&rule->kind, kind))
        return false;
    memcpy(rule->id, id, strlen(id) + 1);
    rule->silent_ms = body_ms(body, "silent");
    rule->window_ms = body_ms(body, "window");
    rule->is_safety = json_is_true(json_object_get(body, "safety"));
    if (severity != NULL && !alert_severity_parse(&rule->silent_severity, severity))
        return false;
    return parse_number(&rule->limit, &rule->limit_from, body, "limit") &&
           parse_levels(rule, body) && parse_unless(rule, body) &&
           body_text(body, "zone", rule->zone, sizeof rule->zone) &&
           body_text(body, "quantity", rule->quantity, sizeof rule->quantity);
}

static json_t *number_json(double number, const struct alert_from_band *from)
{
    char text[ALERT_FROM_BAND_SIZE];
    return from->edge != ALERT_EDGE_NONE ? json_string(alert_from_band_format(from, text))
                                         : json_real(number);
}

static json_t *levels_json(const struct alert_rule *rule)
{
    json_t *levels = json_array();
    for (size_t i = 0; i < rule->level_count; i++) {
        const struct alert_level *level = &rule->levels[i];
        json_array_append_new(
            levels, json_pack("{s:s, s:o, s:I, s:o, s:I}", "severity",
                              alert_severity_name(level->severity), "level",
                              number_json(level->level, &level->level_from), "delay",
                              (json_int_t)level->delay_ms, "recovery_level",
                              number_json(level->recovery_level, &level->recovery_from),
                              "recovery_delay", (json_int_t)level->recovery_delay_ms));
    }
    return levels;
}

/* What is not said stays unsaid: a seed of an older version has the same hash. */
static void set_conditions(json_t *json, const struct alert_rule *rule)
{
    json_t *unless = json_array();
    for (unsigned i = 0; i < ALERT_REASON_COUNT; i++)
        if ((rule->unless & 1u << i) != 0)
            json_array_append_new(unless,
                                  json_string(alert_reason_name((enum alert_reason)i)));
    if (json_array_size(unless) > 0)
        json_object_set(json, "unless", unless);
    json_decref(unless);
    if (isfinite(rule->limit) || rule->limit_from.edge != ALERT_EDGE_NONE)
        json_object_set_new(json, "limit", number_json(rule->limit, &rule->limit_from));
    if (rule->window_ms != 0)
        json_object_set_new(json, "window", json_integer(rule->window_ms));
    if (rule->is_safety)
        json_object_set_new(json, "safety", json_true());
}

json_t *registry_rule_json(const struct alert_rule *rule)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o, s:I, s:s}", "id", rule->id,
                             "zone", rule->zone, "quantity", rule->quantity, "kind",
                             alert_kind_name(rule->kind), "levels", levels_json(rule),
                             "silent", (json_int_t)rule->silent_ms, "silent_severity",
                             alert_severity_name(rule->silent_severity));
    set_conditions(json, rule);
    return json;
}
