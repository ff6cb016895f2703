// SPDX-License-Identifier: Apache-2.0
#include "telemetry/zone_rules.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "telemetry/delivery.h"
#include "telemetry/topic.h"
#include "telemetry/zone_members.h"

#define BAND_QUANTITY "air_temperature" /* what a zone's own band is about */

/* ---- making ------------------------------------------------------------------- */

void zone_rules_fini(struct zone_rules *rules)
{
    for (size_t i = 0; i < rules->zone_count; i++) {
        free(rules->zones[i].channels);
        free(rules->zones[i].rules);
        free(rules->zones[i].spans);
        free(rules->zones[i].handled);
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

struct zone_handled *zone_config_add_handled(struct zone_config *zone)
{
    size_t count = zone->handled_count + 1;
    zone->handled = mem_realloc(zone->handled, count * sizeof *zone->handled);
    struct zone_handled *added = &zone->handled[zone->handled_count++];
    *added = (struct zone_handled){.incident = ""};
    return added;
}

/* ---- what is not known ---------------------------------------------------------- */

void zone_notes_add(struct zone_notes *notes, const char *what, const char *name)
{
    char text[ZONE_NOTE_SIZE];
    notes->passed_over++;
    snprintf(text, sizeof text, "%s.%s", what, name);
    for (char *at = text; *at != '\0'; at++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.",
                   *at) == NULL)
            *at = '?';
    for (size_t i = 0; i < notes->unknown_count; i++)
        if (strcmp(notes->unknown[i], text) == 0)
            return;
    if (notes->unknown_count < ZONE_NOTES_MAX)
        memcpy(notes->unknown[notes->unknown_count++], text, sizeof text);
}

void zone_notes_take(struct zone_notes *notes, const char *text)
{
    char what[ZONE_NOTE_SIZE];
    size_t len = text != NULL ? strcspn(text, ".") : 0;
    if (len == 0 || len >= sizeof what || text[len] == '\0')
        return;
    memcpy(what, text, len);
    what[len] = '\0';
    zone_notes_add(notes, what, text + len + 1);
}

void zone_notes_format(const struct zone_notes *notes, struct buf *out)
{
    for (size_t i = 0; i < notes->unknown_count; i++)
        buf_format(out, "%s%s", i > 0 ? "," : "", notes->unknown[i]);
    buf_text(out, "");
}

void zone_notes_join(struct zone_notes *notes, const struct zone_notes *more)
{
    uint64_t passed_over = notes->passed_over + more->passed_over;
    for (size_t i = 0; i < more->unknown_count; i++)
        zone_notes_take(notes, more->unknown[i]);
    notes->passed_over = passed_over;
    notes->left_out += more->left_out;
}

const struct zone_member zone_members[ZONE_MEMBERS] = {
    {"tau", offsetof(struct zone_config, tau_ms), false, false},
    {"tau_least", offsetof(struct zone_config, tau_least_ms), false, false},
    {"tau_most", offsetof(struct zone_config, tau_most_ms), false, false},
    {"defrost_every", offsetof(struct zone_config, defrost_every_ms), false, false},
    {"defrost_first", offsetof(struct zone_config, defrost_first_ms), true, false},
    {"defrost_most", offsetof(struct zone_config, defrost_most_ms), false, false},
    {"door_most", offsetof(struct zone_config, door_most_ms), false, true},
    {"recovery_most", offsetof(struct zone_config, recovery_most_ms), false, true},
};

int64_t *zone_member_of(struct zone_config *zone, const struct zone_member *member)
{
    return (int64_t *)(void *)((char *)zone + member->offset);
}

/* Of a silence that is learned. */
static void withhold_severity(struct zone_rule *rule, struct zone_notes *notes)
{
    if (rule->silent_ms != 0 || rule->silent_severity[0] == '\0')
        return;
    zone_notes_add(notes, "rule", "silent_severity");
    rule->silent_severity[0] = '\0';
}

static void withhold(struct zone_config *zone, struct zone_notes *notes)
{
    for (size_t i = 0; i < ZONE_MEMBERS; i++) {
        int64_t *value_ms = zone_member_of(zone, &zone_members[i]);
        if (!zone_members[i].is_late || *value_ms == 0)
            continue;
        zone_notes_add(notes, "zone", zone_members[i].name);
        *value_ms = 0;
    }
    if (zone->load_count > 0)
        zone_notes_add(notes, "zone", "loads");
    zone->load_count = 0;
    for (size_t i = 0; i < zone->rule_count; i++)
        withhold_severity(&zone->rules[i], notes);
    zone->handled_count = 0; /* its siren is muted at the place, as before */
}

void zone_rules_withhold(struct zone_rules *rules, struct zone_notes *notes)
{
    for (size_t i = 0; i < rules->zone_count; i++)
        withhold(&rules->zones[i], notes);
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
            buf_format(out, ",\"silent\":%" PRId64, rule->silent_ms);
        if (rule->silent_severity[0] != '\0')
            buf_format(out, ",\"silent_severity\":\"%s\"", rule->silent_severity);
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

static void put_loads(struct buf *out, const struct zone_config *zone)
{
    for (size_t i = 0; i < zone->load_count; i++)
        buf_format(out, "%s{\"from\":%" PRId64 ",\"entry\":%.17g}",
                   i > 0 ? "," : ",\"loads\":[", zone->loads[i].from_ms,
                   zone->loads[i].entry_C);
    if (zone->load_count > 0)
        buf_text(out, "]");
}

static void put_handled(struct buf *out, const struct zone_config *zone)
{
    for (size_t i = 0; i < zone->handled_count; i++) {
        const struct zone_handled *handled = &zone->handled[i];
        buf_format(out,
                   "%s{\"incident\":\"%s\",\"rule\":\"%s\",\"channel\":\"%s\","
                   "\"at\":%" PRId64,
                   i > 0 ? "," : ",\"handled\":[", handled->incident, handled->rule,
                   handled->channel, handled->at_ms);
        if (handled->quiet_until_ms == 0)
            buf_text(out, ",\"closed\":true}");
        else
            buf_format(out, ",\"quiet_until\":%" PRId64 "}", handled->quiet_until_ms);
    }
    if (zone->handled_count > 0)
        buf_text(out, "]");
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
    for (size_t i = 0; i < ZONE_MEMBERS; i++) {
        int64_t value_ms =
            *zone_member_of((struct zone_config *)(uintptr_t)zone, &zone_members[i]);
        if (value_ms != 0)
            buf_format(out, ",\"%s\":%" PRId64, zone_members[i].name, value_ms);
    }
    put_spans(out, zone);
    put_loads(out, zone);
    put_handled(out, zone);
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
        if (zone->handled_count > ZONE_RULES_HANDLED_MAX)
            return err_set(why, ERR_LIMIT, "more than %d handled incidents in zone '%s'",
                           ZONE_RULES_HANDLED_MAX, zone->zone);
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
