// SPDX-License-Identifier: Apache-2.0
#include "telemetry/zone_rules.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "telemetry/channel.h"
#include "telemetry/delivery.h"
#include "telemetry/topic.h"

#define BAND_QUANTITY "air_temperature"     /* what a zone's own band is about */
#define SPAN_MAX_MS   INT64_C(316224000000) /* ten years: longer is no delay */
#define NUMBER_MAX    1e9
#define TIME_MAX_MS   INT64_C(253402300800000) /* the year 10000 */

/* ---- making ------------------------------------------------------------------- */

void zone_rules_fini(struct zone_rules *rules)
{
    for (size_t i = 0; i < rules->zone_count; i++) {
        free(rules->zones[i].channels);
        free(rules->zones[i].rules);
        free(rules->zones[i].spans);
    }
    free(rules->zones);
    *rules = (struct zone_rules){0};
}

struct zone_config *zone_rules_add_zone(struct zone_rules *rules, const char *zone)
{
    assert(strlen(zone) < ID_SIZE);
    size_t count = rules->zone_count + 1;
    rules->zones = mem_realloc(rules->zones, count * sizeof *rules->zones);
    struct zone_config *added = &rules->zones[rules->zone_count++];
    *added =
        (struct zone_config){.is_on_duty = true, .low = (double)NAN, .high = (double)NAN};
    memcpy(added->zone, zone, strlen(zone) + 1);
    return added;
}

void zone_config_add_channel(struct zone_config *zone, const char *channel)
{
    assert(strlen(channel) < ID_SIZE);
    size_t count = zone->channel_count + 1;
    zone->channels = mem_realloc(zone->channels, count * sizeof *zone->channels);
    memcpy(zone->channels[zone->channel_count++], channel, strlen(channel) + 1);
}

struct zone_rule *zone_config_add_rule(struct zone_config *zone)
{
    size_t count = zone->rule_count + 1;
    zone->rules = mem_realloc(zone->rules, count * sizeof *zone->rules);
    struct zone_rule *added = &zone->rules[zone->rule_count++];
    *added = (struct zone_rule){.limit = (double)NAN};
    return added;
}

struct zone_span *zone_config_add_span(struct zone_config *zone)
{
    size_t count = zone->span_count + 1;
    zone->spans = mem_realloc(zone->spans, count * sizeof *zone->spans);
    struct zone_span *added = &zone->spans[zone->span_count++];
    *added = (struct zone_span){.low = (double)NAN, .high = (double)NAN};
    return added;
}

/* ---- writing ------------------------------------------------------------------ */

static void put_levels(struct buf *out, const struct zone_rule *rule)
{
    if (rule->level_count == 0)
        return;
    buf_text(out, ",\"levels\":[");
    for (size_t i = 0; i < rule->level_count; i++) {
        const struct zone_level *level = &rule->levels[i];
        buf_format(out,
                   "%s{\"severity\":\"%s\",\"level\":%.17g,\"delay\":%" PRId64
                   ",\"recovery_level\":%.17g,\"recovery_delay\":%" PRId64 "}",
                   i > 0 ? "," : "", level->severity, level->level, level->delay_ms,
                   level->recovery_level, level->recovery_delay_ms);
    }
    buf_text(out, "]");
}

/* What is as it is when nothing is said is not said: older devices read the rest. */
static void put_conditions(struct buf *out, const struct zone_rule *rule)
{
    if (isfinite(rule->limit))
        buf_format(out, ",\"limit\":%.17g", rule->limit);
    if (rule->window_ms != 0)
        buf_format(out, ",\"window\":%" PRId64, rule->window_ms);
    for (size_t i = 0; i < rule->unless_count; i++)
        buf_format(out, "%s\"%s\"", i > 0 ? "," : ",\"unless\":[", rule->unless[i]);
    if (rule->unless_count > 0)
        buf_text(out, "]");
    if (rule->is_safety)
        buf_text(out, ",\"safety\":true");
}

static void put_rules(struct buf *out, const struct zone_config *zone)
{
    for (size_t i = 0; i < zone->rule_count; i++) {
        const struct zone_rule *rule = &zone->rules[i];
        buf_format(out, "%s{\"id\":\"%s\",\"kind\":\"%s\"", i > 0 ? "," : "", rule->id,
                   rule->kind);
        if (rule->quantity[0] != '\0')
            buf_format(out, ",\"quantity\":\"%s\"", rule->quantity);
        put_levels(out, rule);
        if (rule->silent_ms != 0)
            buf_format(out, ",\"silent\":%" PRId64 ",\"silent_severity\":\"%s\"",
                       rule->silent_ms, rule->silent_severity);
        put_conditions(out, rule);
        buf_text(out, "}");
    }
}

static void put_spans(struct buf *out, const struct zone_config *zone)
{
    for (size_t i = 0; i < zone->span_count; i++) {
        const struct zone_span *span = &zone->spans[i];
        buf_format(out, "%s{\"reason\":\"%s\",\"from\":%" PRId64 ",\"to\":%" PRId64,
                   i > 0 ? "," : ",\"spans\":[", span->reason, span->from_ms,
                   span->to_ms);
        if (isfinite(span->low))
            buf_format(out, ",\"low\":%.17g", span->low);
        if (isfinite(span->high))
            buf_format(out, ",\"high\":%.17g", span->high);
        buf_text(out, "}");
    }
    if (zone->span_count > 0)
        buf_text(out, "]");
}

/* What a zone is like: times in ms, and nothing is said where they are 0. */
static const struct room_member {
    const char *name;
    size_t offset;
    bool is_date;
} room_members[] = {
    {"tau", offsetof(struct zone_config, tau_ms), false},
    {"tau_least", offsetof(struct zone_config, tau_least_ms), false},
    {"tau_most", offsetof(struct zone_config, tau_most_ms), false},
    {"defrost_every", offsetof(struct zone_config, defrost_every_ms), false},
    {"defrost_first", offsetof(struct zone_config, defrost_first_ms), true},
    {"defrost_most", offsetof(struct zone_config, defrost_most_ms), false},
    {"door_most", offsetof(struct zone_config, door_most_ms), false},
    {"recovery_most", offsetof(struct zone_config, recovery_most_ms), false},
};

static int64_t *room_member(struct zone_config *zone, size_t which)
{
    return (int64_t *)(void *)((char *)zone + room_members[which].offset);
}

static void put_zone(struct buf *out, const struct zone_config *zone)
{
    buf_format(out, "{\"zone\":\"%s\",\"on_duty\":%s", zone->zone,
               zone->is_on_duty ? "true" : "false");
    for (size_t i = 0; i < zone->channel_count; i++)
        buf_format(out, "%s\"%s\"", i > 0 ? "," : ",\"channels\":[", zone->channels[i]);
    if (zone->channel_count > 0)
        buf_text(out, "]");
    if (isfinite(zone->low))
        buf_format(out, ",\"low\":%.17g", zone->low);
    if (isfinite(zone->high))
        buf_format(out, ",\"high\":%.17g", zone->high);
    buf_text(out, ",\"rules\":[");
    put_rules(out, zone);
    buf_text(out, "]");
    for (size_t i = 0; i < sizeof room_members / sizeof room_members[0]; i++) {
        int64_t value_ms = *room_member((struct zone_config *)(uintptr_t)zone, i);
        if (value_ms != 0)
            buf_format(out, ",\"%s\":%" PRId64, room_members[i].name, value_ms);
    }
    put_spans(out, zone);
    buf_text(out, "}");
}

static void put_zones(struct buf *out, const struct zone_rules *rules)
{
    buf_text(out, "\"zones\":[");
    for (size_t i = 0; i < rules->zone_count; i++) {
        if (i > 0)
            buf_text(out, ",");
        put_zone(out, &rules->zones[i]);
    }
    buf_text(out, "]");
}

void zone_rules_format(const struct zone_rules *rules, struct buf *out)
{
    char version[17];
    assert(rules->version != 0);
    buf_format(out, "{\"v\":%d,\"version\":\"%s\",", ZONE_RULES_V,
               epoch_format(rules->version, version));
    put_zones(out, rules);
    buf_text(out, "}");
}

static enum err check_counts(const struct zone_rules *rules, struct err_text *why)
{
    if (rules->zone_count > ZONE_RULES_ZONES_MAX)
        return err_set(why, ERR_LIMIT, "more than %d zones", ZONE_RULES_ZONES_MAX);
    for (size_t i = 0; i < rules->zone_count; i++) {
        const struct zone_config *zone = &rules->zones[i];
        if (zone->rule_count > ZONE_RULES_RULES_MAX)
            return err_set(why, ERR_LIMIT, "more than %d rules in zone '%s'",
                           ZONE_RULES_RULES_MAX, zone->zone);
        if (zone->channel_count > ZONE_RULES_CHANNELS_MAX)
            return err_set(why, ERR_LIMIT, "more than %d channels in zone '%s'",
                           ZONE_RULES_CHANNELS_MAX, zone->zone);
        if (zone->span_count > ZONE_RULES_SPANS_MAX)
            return err_set(why, ERR_LIMIT, "more than %d spans in zone '%s'",
                           ZONE_RULES_SPANS_MAX, zone->zone);
    }
    return ERR_OK;
}

enum err zone_rules_seal(struct zone_rules *rules, struct err_text *why)
{
    struct buf text = {0};
    enum err err = check_counts(rules, why);
    if (err != ERR_OK)
        return err;
    put_zones(&text, rules);
    rules->version = delivery_hash(text.data, text.len);
    if (text.len > ZONE_RULES_BYTES_MAX - 64)
        err = err_set(why, ERR_LIMIT, "the rules are longer than %d bytes",
                      ZONE_RULES_BYTES_MAX);
    buf_fini(&text);
    return err;
}

/* ---- reading ------------------------------------------------------------------ */

static enum err bad(struct err_text *why, const char *member)
{
    return err_set(why, ERR_INVALID, "'%s' is missing or not what it should be", member);
}

/* Whoever writes something else here wants something else of us. */
static enum err only(const json_t *object, const char *const *names, const char *what,
                     struct err_text *why)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return err_set(why, ERR_INVALID, "%s is not an object", what);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;
        while (names[i] != NULL && strcmp(names[i], key) != 0)
            i++;
        if (names[i] == NULL)
            return err_set(why, ERR_INVALID, "'%.40s' in %s cannot be set from afar", key,
                           what);
    }
    return ERR_OK;
}

static enum err list_of(const json_t **list, const json_t *object, const char *name,
                        size_t most, struct err_text *why)
{
    *list = json_object_get(object, name);
    if (*list != NULL && !json_is_array(*list))
        return bad(why, name);
    if (json_array_size(*list) > most)
        return err_set(why, ERR_LIMIT, "more than %zu %s", most, name);
    return ERR_OK;
}

static bool read_id(char to[ID_SIZE], const json_t *json)
{
    const char *text = json_string_value(json);
    if (text == NULL || !id_is_valid(text))
        return false;
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static bool read_word(char to[ZONE_RULES_WORD_SIZE], const json_t *json)
{
    const char *text = json_string_value(json);
    size_t len = text != NULL ? strlen(text) : 0;
    if (len == 0 || len >= ZONE_RULES_WORD_SIZE ||
        text[strspn(text, "abcdefghijklmnopqrstuvwxyz_")] != '\0')
        return false;
    memcpy(to, text, len + 1);
    return true;
}

static bool read_channel(char to[ID_SIZE], const json_t *json)
{
    struct channel channel;
    const char *text = json_string_value(json);
    if (text == NULL || channel_parse(&channel, text) != ERR_OK)
        return false;
    memcpy(to, channel.name, sizeof channel.name);
    return true;
}

static bool read_number(double *to, const json_t *json)
{
    if (!json_is_number(json) || fabs(json_number_value(json)) > NUMBER_MAX)
        return false;
    *to = json_number_value(json);
    return true;
}

static bool read_span(int64_t *to, const json_t *json)
{
    *to = json_integer_value(json);
    return json_is_integer(json) && *to >= 0 && *to <= SPAN_MAX_MS;
}

static enum err read_level(struct zone_level *level, const json_t *json,
                           struct err_text *why)
{
    static const char *const names[] = {"severity",       "level",          "delay",
                                        "recovery_level", "recovery_delay", NULL};
    enum err err = only(json, names, "a level", why);
    if (err != ERR_OK)
        return err;
    if (!read_word(level->severity, json_object_get(json, "severity")))
        return bad(why, "severity");
    if (!read_number(&level->level, json_object_get(json, "level")))
        return bad(why, "level");
    if (!read_span(&level->delay_ms, json_object_get(json, "delay")))
        return bad(why, "delay");
    if (!read_number(&level->recovery_level, json_object_get(json, "recovery_level")))
        return bad(why, "recovery_level");
    if (!read_span(&level->recovery_delay_ms, json_object_get(json, "recovery_delay")))
        return bad(why, "recovery_delay");
    return ERR_OK;
}

static enum err read_levels(struct zone_rule *rule, const json_t *json,
                            struct err_text *why)
{
    const json_t *list;
    enum err err = list_of(&list, json, "levels", ZONE_RULES_LEVELS_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        err =
            read_level(&rule->levels[rule->level_count++], json_array_get(list, i), why);
    return err;
}

static enum err read_silence(struct zone_rule *rule, const json_t *json,
                             struct err_text *why)
{
    const json_t *silent = json_object_get(json, "silent");
    const json_t *severity = json_object_get(json, "silent_severity");
    if (silent == NULL && severity == NULL)
        return ERR_OK;
    if (!read_span(&rule->silent_ms, silent) || rule->silent_ms == 0)
        return bad(why, "silent");
    return read_word(rule->silent_severity, severity) ? ERR_OK
                                                      : bad(why, "silent_severity");
}

static enum err read_unless(struct zone_rule *rule, const json_t *json,
                            struct err_text *why)
{
    const json_t *list;
    enum err err = list_of(&list, json, "unless", ZONE_RULES_REASONS_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        if (!read_word(rule->unless[rule->unless_count++], json_array_get(list, i)))
            err = bad(why, "unless");
    return err;
}

static enum err read_conditions(struct zone_rule *rule, const json_t *json,
                                struct err_text *why)
{
    const json_t *limit = json_object_get(json, "limit");
    const json_t *window = json_object_get(json, "window");
    const json_t *safety = json_object_get(json, "safety");
    if (limit != NULL && !read_number(&rule->limit, limit))
        return bad(why, "limit");
    if (window != NULL && !read_span(&rule->window_ms, window))
        return bad(why, "window");
    if (safety != NULL && !json_is_boolean(safety))
        return bad(why, "safety");
    rule->is_safety = json_is_true(safety);
    return read_unless(rule, json, why);
}

static enum err read_rule(struct zone_config *zone, const json_t *json,
                          struct err_text *why)
{
    static const char *const names[] = {
        "id",    "kind",   "quantity", "levels", "silent", "silent_severity",
        "limit", "window", "unless",   "safety", NULL};
    enum err err = only(json, names, "a rule", why);
    if (err != ERR_OK)
        return err;
    struct zone_rule *rule = zone_config_add_rule(zone);
    const json_t *quantity = json_object_get(json, "quantity");
    if (!read_id(rule->id, json_object_get(json, "id")))
        return bad(why, "id");
    if (!read_word(rule->kind, json_object_get(json, "kind")))
        return bad(why, "kind");
    if (quantity != NULL && !read_channel(rule->quantity, quantity))
        return bad(why, "quantity");
    err = read_levels(rule, json, why);
    if (err == ERR_OK)
        err = read_silence(rule, json, why);
    return err == ERR_OK ? read_conditions(rule, json, why) : err;
}

static bool read_time(int64_t *to, const json_t *json)
{
    *to = json_integer_value(json);
    return json_is_integer(json) && *to >= 0 && *to <= TIME_MAX_MS;
}

static enum err read_stretch(struct zone_config *zone, const json_t *json,
                             struct err_text *why)
{
    static const char *const names[] = {"reason", "from", "to", "low", "high", NULL};
    enum err err = only(json, names, "a span", why);
    if (err != ERR_OK)
        return err;
    struct zone_span *span = zone_config_add_span(zone);
    const json_t *low = json_object_get(json, "low");
    const json_t *high = json_object_get(json, "high");
    if (!read_word(span->reason, json_object_get(json, "reason")))
        return bad(why, "reason");
    if (!read_time(&span->from_ms, json_object_get(json, "from")))
        return bad(why, "from");
    if (!read_time(&span->to_ms, json_object_get(json, "to")) ||
        span->to_ms <= span->from_ms)
        return bad(why, "to");
    if (low != NULL && !read_number(&span->low, low))
        return bad(why, "low");
    if (high != NULL && !read_number(&span->high, high))
        return bad(why, "high");
    return span->low > span->high ? bad(why, "low") : ERR_OK;
}

static enum err read_stretches(struct zone_config *zone, const json_t *json,
                               struct err_text *why)
{
    const json_t *list;
    for (size_t i = 0; i < sizeof room_members / sizeof room_members[0]; i++) {
        const json_t *value = json_object_get(json, room_members[i].name);
        int64_t *to = room_member(zone, i);
        if (value != NULL &&
            !(room_members[i].is_date ? read_time(to, value) : read_span(to, value)))
            return bad(why, room_members[i].name);
    }
    enum err err = list_of(&list, json, "spans", ZONE_RULES_SPANS_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        err = read_stretch(zone, json_array_get(list, i), why);
    return err;
}

static enum err read_band(struct zone_config *zone, const json_t *json,
                          struct err_text *why)
{
    const json_t *low = json_object_get(json, "low");
    const json_t *high = json_object_get(json, "high");
    if (low != NULL && !read_number(&zone->low, low))
        return bad(why, "low");
    if (high != NULL && !read_number(&zone->high, high))
        return bad(why, "high");
    return zone->low > zone->high ? bad(why, "low") : ERR_OK;
}

static enum err read_channels(struct zone_config *zone, const json_t *json,
                              struct err_text *why)
{
    const json_t *list;
    char name[ID_SIZE];
    enum err err = list_of(&list, json, "channels", ZONE_RULES_CHANNELS_MAX, why);
    if (err == ERR_OK && list != NULL && json_array_size(list) == 0)
        return bad(why, "channels");
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++) {
        if (!read_channel(name, json_array_get(list, i)))
            return bad(why, "channels");
        zone_config_add_channel(zone, name);
    }
    return err;
}

static enum err read_zone(struct zone_rules *rules, const json_t *json,
                          struct err_text *why)
{
    static const char *const names[] = {
        "zone",         "on_duty",   "channels",      "low",
        "high",         "rules",     "tau",           "spans",
        "tau_least",    "tau_most",  "defrost_every", "defrost_first",
        "defrost_most", "door_most", "recovery_most", NULL};
    char id[ID_SIZE];
    const json_t *list;
    enum err err = only(json, names, "a zone", why);
    if (err != ERR_OK)
        return err;
    const json_t *on_duty = json_object_get(json, "on_duty");
    if (!read_id(id, json_object_get(json, "zone")))
        return bad(why, "zone");
    if (!json_is_boolean(on_duty))
        return bad(why, "on_duty");
    struct zone_config *zone = zone_rules_add_zone(rules, id);
    zone->is_on_duty = json_is_true(on_duty);
    err = read_channels(zone, json, why);
    if (err == ERR_OK)
        err = read_band(zone, json, why);
    if (err == ERR_OK)
        err = list_of(&list, json, "rules", ZONE_RULES_RULES_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        err = read_rule(zone, json_array_get(list, i), why);
    return err == ERR_OK ? read_stretches(zone, json, why) : err;
}

static enum err read_root(struct zone_rules *rules, const json_t *root,
                          struct err_text *why)
{
    static const char *const names[] = {"v", "version", "zones", NULL};
    const json_t *v = json_object_get(root, "v");
    const char *version = json_string_value(json_object_get(root, "version"));
    const json_t *list;
    if (json_is_integer(v) && json_integer_value(v) > ZONE_RULES_V)
        return err_set(why, ERR_UNSUPPORTED, "rules of version %lld; this one reads %d",
                       (long long)json_integer_value(v), ZONE_RULES_V);
    enum err err = only(root, names, "the rules", why);
    if (err != ERR_OK)
        return err;
    if (json_integer_value(v) != ZONE_RULES_V)
        return bad(why, "v");
    if (version == NULL || epoch_parse(&rules->version, version) != ERR_OK)
        return bad(why, "version");
    err = list_of(&list, root, "zones", ZONE_RULES_ZONES_MAX, why);
    if (err == ERR_OK && list == NULL)
        return bad(why, "zones");
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        err = read_zone(rules, json_array_get(list, i), why);
    return err;
}

enum err zone_rules_parse(struct zone_rules *rules, const void *data, size_t len,
                          struct err_text *why)
{
    json_error_t error;
    *rules = (struct zone_rules){0};
    if (len > ZONE_RULES_BYTES_MAX)
        return err_set(why, ERR_LIMIT, "%zu bytes; at most %d are read", len,
                       ZONE_RULES_BYTES_MAX);
    json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return err_set(why, ERR_INVALID, "not JSON: %s", error.text);
    enum err err = read_root(rules, root, why);
    if (err != ERR_OK)
        zone_rules_fini(rules);
    json_decref(root);
    return err;
}

/* ---- asking ------------------------------------------------------------------- */

const struct zone_config *zone_rules_zone(const struct zone_rules *rules,
                                          const char *channel)
{
    const struct zone_config *rest = NULL;
    for (size_t i = 0; i < rules->zone_count; i++) {
        const struct zone_config *zone = &rules->zones[i];
        if (zone->channel_count == 0)
            rest = zone;
        for (size_t k = 0; k < zone->channel_count; k++)
            if (strcmp(zone->channels[k], channel) == 0)
                return zone;
    }
    return rest;
}

/* A rule fires at its level; what is in order ends just before it. */
static void narrow(const struct zone_rule *rule, double *low, double *high)
{
    double level = rule->levels[0].level;
    double below = nextafter(level, -(double)INFINITY);
    double above = nextafter(level, (double)INFINITY);
    if (strcmp(rule->kind, "above") == 0 && below < *high)
        *high = below;
    if (strcmp(rule->kind, "below") == 0 && above > *low)
        *low = above;
}

bool zone_config_band(const struct zone_config *zone, const char *quantity, double *low,
                      double *high)
{
    bool has_band = strcmp(quantity, BAND_QUANTITY) == 0;
    *low = has_band && isfinite(zone->low) ? zone->low : -(double)INFINITY;
    *high = has_band && isfinite(zone->high) ? zone->high : (double)INFINITY;
    for (size_t i = 0; i < zone->rule_count; i++)
        if (zone->rules[i].level_count > 0 &&
            strcmp(zone->rules[i].quantity, quantity) == 0)
            narrow(&zone->rules[i], low, high);
    return isfinite(*low) || isfinite(*high);
}
