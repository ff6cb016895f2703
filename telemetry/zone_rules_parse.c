// SPDX-License-Identifier: Apache-2.0
/* The topic `config`, as it is read: what is not known is passed over and noted. */
#include "telemetry/zone_rules.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "telemetry/channel.h"
#include "telemetry/delivery.h"
#include "telemetry/topic.h"
#include "telemetry/zone_members.h"

#define SPAN_MAX_MS INT64_C(316224000000) /* ten years: longer is no delay */
#define NUMBER_MAX  1e9
#define TIME_MAX_MS INT64_C(253402300800000) /* the year 10000 */
#define MUST_MAX    32

static enum err bad(struct err_text *why, const char *member)
{
    return err_set(why, ERR_INVALID, "'%s' is missing or not what it should be", member);
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* UNSUPPORTED when it says that something must be understood which is not known here. */
static enum err check_must(const json_t *object, const char *const *names,
                           const char *what, struct err_text *why)
{
    const json_t *must = json_object_get(object, "must");
    if (must != NULL && (!json_is_array(must) || json_array_size(must) > MUST_MAX))
        return bad(why, "must");
    for (size_t i = 0; i < json_array_size(must); i++) {
        const char *name = json_string_value(json_array_get(must, i));
        if (name == NULL)
            return bad(why, "must");
        if (!is_among(names, name))
            return err_set(why, ERR_UNSUPPORTED,
                           "'%.40s' of a %s must be understood, and is not known here",
                           name, what);
    }
    return ERR_OK;
}

/* What is not known sets nothing; it is noted. */
static enum err look_through(struct zone_notes *notes, const json_t *object,
                             const char *const *names, const char *what,
                             struct err_text *why)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return err_set(why, ERR_INVALID, "a %s is not an object", what);
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!is_among(names, key) && strcmp(key, "must") != 0)
            zone_notes_add(notes, what, key);
    }
    return check_must(object, names, what, why);
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

static enum err read_level(struct zone_notes *notes, struct zone_level *level,
                           const json_t *json, struct err_text *why)
{
    static const char *const names[] = {"severity",       "level",          "delay",
                                        "recovery_level", "recovery_delay", NULL};
    enum err err = look_through(notes, json, names, "level", why);
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

static enum err read_levels(struct zone_notes *notes, struct zone_rule *rule,
                            const json_t *json, struct err_text *why)
{
    const json_t *list;
    enum err err = list_of(&list, json, "levels", ZONE_RULES_LEVELS_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        err = read_level(notes, &rule->levels[rule->level_count++],
                         json_array_get(list, i), why);
    return err;
}

static enum err read_silence(struct zone_rule *rule, const json_t *json,
                             struct err_text *why)
{
    const json_t *silent = json_object_get(json, "silent");
    const json_t *severity = json_object_get(json, "silent_severity");
    if (silent == NULL && severity == NULL)
        return ERR_OK;
    if (silent != NULL && (!read_span(&rule->silent_ms, silent) || rule->silent_ms == 0))
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

static enum err read_rule(struct zone_notes *notes, struct zone_config *zone,
                          const json_t *json, struct err_text *why)
{
    static const char *const names[] = {
        "id",    "kind",   "quantity", "levels", "silent", "silent_severity",
        "limit", "window", "unless",   "safety", NULL};
    enum err err = look_through(notes, json, names, "rule", why);
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
    err = read_levels(notes, rule, json, why);
    if (err == ERR_OK)
        err = read_silence(rule, json, why);
    return err == ERR_OK ? read_conditions(rule, json, why) : err;
}

/* A rule of which something must be understood that is not is left out, alone. */
static enum err read_rules(struct zone_notes *notes, struct zone_config *zone,
                           const json_t *json, struct err_text *why)
{
    const json_t *list;
    enum err err = list_of(&list, json, "rules", ZONE_RULES_RULES_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++) {
        size_t count = zone->rule_count;
        err = read_rule(notes, zone, json_array_get(list, i), why);
        if (err != ERR_UNSUPPORTED)
            continue;
        zone->rule_count = count;
        notes->left_out++;
        *why = (struct err_text){""};
        err = ERR_OK;
    }
    return err;
}

static bool read_time(int64_t *to, const json_t *json)
{
    *to = json_integer_value(json);
    return json_is_integer(json) && *to >= 0 && *to <= TIME_MAX_MS;
}

static enum err read_stretch(struct zone_notes *notes, struct zone_config *zone,
                             const json_t *json, struct err_text *why)
{
    static const char *const names[] = {"reason", "from", "to", "low", "high", NULL};
    enum err err = look_through(notes, json, names, "span", why);
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

static enum err read_stretches(struct zone_notes *notes, struct zone_config *zone,
                               const json_t *json, struct err_text *why)
{
    const json_t *list;
    enum err err = list_of(&list, json, "spans", ZONE_RULES_SPANS_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        err = read_stretch(notes, zone, json_array_get(list, i), why);
    return err;
}

static enum err read_room(struct zone_config *zone, const json_t *json,
                          struct err_text *why)
{
    for (size_t i = 0; i < ZONE_MEMBERS; i++) {
        const struct zone_member *member = &zone_members[i];
        const json_t *value = json_object_get(json, member->name);
        int64_t *to = zone_member_of(zone, member);
        if (value != NULL &&
            !(member->is_date ? read_time(to, value) : read_span(to, value)))
            return bad(why, member->name);
    }
    return ERR_OK;
}

static enum err read_loads(struct zone_notes *notes, struct zone_config *zone,
                           const json_t *json, struct err_text *why)
{
    static const char *const names[] = {"from", "entry", NULL};
    const json_t *list;
    enum err err = list_of(&list, json, "loads", ZONE_RULES_LOADS_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct zone_load *load = &zone->loads[zone->load_count++];
        err = look_through(notes, one, names, "load", why);
        if (err == ERR_OK && !read_time(&load->from_ms, json_object_get(one, "from")))
            err = bad(why, "from");
        if (err == ERR_OK && !read_number(&load->entry_C, json_object_get(one, "entry")))
            err = bad(why, "entry");
    }
    return err;
}

static bool read_incident(char to[ZONE_RULES_INCIDENT_SIZE], const json_t *json)
{
    const char *text = json_string_value(json);
    if (text == NULL || strlen(text) != ZONE_RULES_INCIDENT_SIZE - 1 ||
        strspn(text, "0123456789abcdef") != ZONE_RULES_INCIDENT_SIZE - 1)
        return false;
    memcpy(to, text, ZONE_RULES_INCIDENT_SIZE);
    return true;
}

static enum err read_handled_one(struct zone_notes *notes, struct zone_config *zone,
                                 const json_t *json, struct err_text *why)
{
    static const char *const names[] = {"incident",    "rule",   "channel", "at",
                                        "quiet_until", "closed", NULL};
    enum err err = look_through(notes, json, names, "handled", why);
    if (err != ERR_OK)
        return err;
    struct zone_handled *handled = zone_config_add_handled(zone);
    const json_t *quiet_until = json_object_get(json, "quiet_until");
    const json_t *closed = json_object_get(json, "closed");
    if (!read_incident(handled->incident, json_object_get(json, "incident")))
        return bad(why, "incident");
    if (!read_id(handled->rule, json_object_get(json, "rule")))
        return bad(why, "rule");
    if (!read_channel(handled->channel, json_object_get(json, "channel")))
        return bad(why, "channel");
    if (!read_time(&handled->at_ms, json_object_get(json, "at")))
        return bad(why, "at");
    if (quiet_until != NULL && (!read_time(&handled->quiet_until_ms, quiet_until) ||
                                handled->quiet_until_ms == 0))
        return bad(why, "quiet_until");
    if (closed != NULL && (!json_is_true(closed) || quiet_until != NULL))
        return bad(why, "closed");
    if (closed == NULL && quiet_until == NULL) /* what was done is not known here */
        zone->handled_count--;
    return ERR_OK;
}

static enum err read_handled(struct zone_notes *notes, struct zone_config *zone,
                             const json_t *json, struct err_text *why)
{
    const json_t *list;
    enum err err = list_of(&list, json, "handled", ZONE_RULES_HANDLED_MAX, why);
    for (size_t i = 0; err == ERR_OK && i < json_array_size(list); i++)
        err = read_handled_one(notes, zone, json_array_get(list, i), why);
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

static enum err read_parts(struct zone_notes *notes, struct zone_config *zone,
                           const json_t *json, struct err_text *why)
{
    enum err err = read_channels(zone, json, why);
    if (err == ERR_OK)
        err = read_band(zone, json, why);
    if (err == ERR_OK)
        err = read_rules(notes, zone, json, why);
    if (err == ERR_OK)
        err = read_room(zone, json, why);
    if (err == ERR_OK)
        err = read_stretches(notes, zone, json, why);
    if (err == ERR_OK)
        err = read_loads(notes, zone, json, why);
    return err == ERR_OK ? read_handled(notes, zone, json, why) : err;
}

static enum err read_zone(struct zone_rules *rules, const json_t *json,
                          struct err_text *why)
{
    static const char *const names[] = {"zone",          "on_duty",       "channels",
                                        "low",           "high",          "rules",
                                        "tau",           "spans",         "tau_least",
                                        "tau_most",      "defrost_most",  "door_most",
                                        "defrost_every", "defrost_first", "recovery_most",
                                        "loads",         "handled",       NULL};
    char id[ID_SIZE];
    enum err err = look_through(&rules->notes, json, names, "zone", why);
    if (err != ERR_OK)
        return err;
    const json_t *on_duty = json_object_get(json, "on_duty");
    if (!read_id(id, json_object_get(json, "zone")))
        return bad(why, "zone");
    if (!json_is_boolean(on_duty))
        return bad(why, "on_duty");
    struct zone_config *zone = zone_rules_add_zone(rules, id);
    zone->is_on_duty = json_is_true(on_duty);
    return read_parts(&rules->notes, zone, json, why);
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
    enum err err = look_through(&rules->notes, root, names, "set", why);
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
