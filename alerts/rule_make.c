// SPDX-License-Identifier: Apache-2.0
/*
 * rule_make - rules in the compact form in which the engine keeps them, and as JSON.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "alerts/internal.h"
#include "base/mem.h"

static uint64_t print_number(uint64_t print, int64_t number)
{
    return table_hash(print, &number, sizeof number);
}

static uint64_t print_double(uint64_t print, double number)
{
    number += 0.0; /* -0 and 0 are one level */
    return table_hash(print, &number, sizeof number);
}

static uint64_t print_of(const struct rule *rule)
{
    uint64_t print = print_number(rule->kind, rule->silent_severity);
    print = print_number(print, rule->silent_ms);
    print = table_hash_text(print, rule->id);
    print = table_hash_text(print, rule->zone);
    print = table_hash_text(print, rule->quantity);
    for (size_t i = 0; i < rule->level_count; i++) {
        const struct alert_level *level = &rule->levels[i];
        print = print_number(print, level->severity);
        print = print_double(print, level->level);
        print = print_number(print, level->delay_ms);
        print = print_double(print, level->recovery_level);
        print = print_number(print, level->recovery_delay_ms);
    }
    /* Apart, so that rules without them keep the prints under which they were saved. */
    if (!isnan(rule->limit))
        print = print_double(print, rule->limit);
    if (rule->window_ms != 0 || rule->unless != 0 || rule->is_safety) {
        print = print_number(print, rule->window_ms);
        print = print_number(print, rule->unless);
        print = print_number(print, rule->is_safety);
    }
    return print;
}

uint64_t rule_gauge_print(const struct rule *rule)
{
    bool has_limit =
        alert_kind_is_sum((enum alert_kind)rule->kind) || rule->kind == ALERT_PREDICTED;
    bool has_window = rule->kind != ALERT_DEFROST_MISSING; /* the end of that alone */
    uint64_t print = print_double(rule->kind, has_limit ? rule->limit : 0);
    return print_number(print, has_window ? rule->window_ms : 0);
}

/* Writes the text with its NUL and goes on behind it. */
static const char *put_text(char **to, const char *text)
{
    size_t size = strlen(text) + 1;
    const char *at = memcpy(*to, text, size);
    *to += size;
    return at;
}

static struct rule *create(size_t level_count, const char *zone, const char *quantity,
                           const char *id)
{
    size_t levels = level_count * sizeof(struct alert_level);
    size_t texts = strlen(zone) + strlen(quantity) + strlen(id) + 3;
    struct rule *rule = mem_alloc(sizeof *rule + levels + texts);
    char *to = (char *)rule->levels + levels;
    rule->refs = 1;
    rule->level_count = (uint8_t)level_count;
    rule->zone = put_text(&to, zone);
    rule->quantity = put_text(&to, quantity);
    rule->id = put_text(&to, id);
    return rule;
}

struct rule *rule_create(const struct alert_rule *from)
{
    assert(alert_rule_check(from, NULL) == ERR_OK);
    struct rule *rule = create(from->level_count, from->zone, from->quantity, from->id);
    rule->kind = (uint8_t)from->kind;
    if (rule_is_silence(rule)) {
        rule->silent_severity = (uint8_t)from->silent_severity;
        rule->silent_ms = from->silent_ms;
    }
    rule->limit = alert_kind_has_limit(from->kind) && isfinite(from->limit) ? from->limit
                                                                            : (double)NAN;
    rule->window_ms = from->window_ms;
    rule->unless = (uint8_t)from->unless;
    rule->is_safety = from->is_safety || from->kind == ALERT_GOODS_LEFT;
    for (size_t i = 0; i < from->level_count; i++)
        rule->levels[i] = from->levels[i];
    rule->print = print_of(rule);
    return rule;
}

struct rule *rule_create_past(enum alert_kind kind, const char *id, const char *snapshot)
{
    struct rule *rule = create(0, "", "", id);
    rule->kind = (uint8_t)kind;
    rule->limit = NAN;
    rule->snapshot = mem_strdup(snapshot);
    return rule;
}

struct rule *rule_ref(struct rule *rule)
{
    assert(rule->refs > 0 && rule->refs < UINT32_MAX);
    rule->refs++;
    return rule;
}

void rule_unref(struct rule *rule)
{
    if (rule == NULL)
        return;
    assert(rule->refs > 0);
    if (--rule->refs > 0)
        return;
    free(rule->snapshot);
    free(rule);
}

static bool survives(double number, int digits)
{
    char text[40];
    snprintf(text, sizeof text, "%.*g", digits, number);
    return strtod(text, NULL) == number;
}

/* As few digits as give back every level and the limit: -9.9, not -9.9000000000000004. */
static int digits_of(const struct rule *rule)
{
    int digits = 15;
    while (digits < 17 && !isnan(rule->limit) && !survives(rule->limit, digits))
        digits++;
    for (size_t i = 0; i < rule->level_count; i++)
        while (digits < 17 && (!survives(rule->levels[i].level, digits) ||
                               !survives(rule->levels[i].recovery_level, digits)))
            digits++;
    return digits;
}

static json_t *levels_json(const struct rule *rule)
{
    json_t *levels = json_array();
    for (size_t i = 0; i < rule->level_count; i++) {
        const struct alert_level *level = &rule->levels[i];
        json_t *row = json_pack(
            "{s:s, s:f, s:I, s:f, s:I}", "severity", alert_severity_name(level->severity),
            "level", level->level, "delay_ms", (json_int_t)level->delay_ms,
            "recovery_level", level->recovery_level, "recovery_delay_ms",
            (json_int_t)level->recovery_delay_ms);
        int failed = json_array_append_new(levels, row);
        assert(failed == 0);
    }
    return levels;
}

static json_t *reasons_json(unsigned reasons)
{
    json_t *names = json_array();
    int failed = 0;
    for (unsigned i = 0; i < ALERT_REASON_COUNT; i++)
        if ((reasons & 1u << i) != 0)
            failed |= json_array_append_new(
                names, json_string(alert_reason_name((enum alert_reason)i)));
    assert(failed == 0);
    return names;
}

/* What only some kinds have, and what is not the usual. */
static int add_measure(json_t *root, const struct rule *rule)
{
    int failed = 0;
    if (!isnan(rule->limit))
        failed |= json_object_set_new(root, "limit", json_real(rule->limit));
    if (rule->window_ms != 0)
        failed |= json_object_set_new(root, "window_ms", json_integer(rule->window_ms));
    if (rule->unless != 0)
        failed |= json_object_set_new(root, "unless", reasons_json(rule->unless));
    if (rule->is_safety)
        failed |= json_object_set_new(root, "is_safety", json_true());
    return failed;
}

static char *make_snapshot(const struct rule *rule)
{
    json_t *root = json_pack("{s:s, s:s, s:s}", "id", rule->id, "zone", rule->zone,
                             "kind", alert_kind_name((enum alert_kind)rule->kind));
    assert(root != NULL);
    int failed = 0;
    if (rule->quantity[0] != '\0')
        failed |= json_object_set_new(root, "quantity", json_string(rule->quantity));
    failed |= add_measure(root, rule);
    if (rule->level_count > 0)
        failed |= json_object_set_new(root, "levels", levels_json(rule));
    if (rule_is_silence(rule)) {
        const char *severity =
            alert_severity_name((enum alert_severity)rule->silent_severity);
        failed |= json_object_set_new(root, "silent_ms", json_integer(rule->silent_ms));
        failed |= json_object_set_new(root, "severity", json_string(severity));
    }
    assert(failed == 0);
    size_t digits = (size_t)digits_of(rule);
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(digits));
    json_decref(root);
    assert(text != NULL && strlen(text) < ALERT_SNAPSHOT_MAX);
    return text;
}

const char *rule_snapshot(struct rule *rule)
{
    if (rule->snapshot == NULL)
        rule->snapshot = make_snapshot(rule);
    return rule->snapshot;
}
