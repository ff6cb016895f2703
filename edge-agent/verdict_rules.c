// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/verdict_rules.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/zones.h"
#include "base/log.h"
#include "base/mem.h"

#define HOUR_MS     3600000.0
#define TAU_MOST_MS INT64_C(36000000000) /* 10,000 h: the engine takes no more */

static_assert(ZONE_RULES_LEVELS_MAX <= ALERT_LEVELS_MAX, "every level that is sent fits");
static_assert(ZONE_RULES_LOADS_MAX <= ALERT_LOADS_MAX, "every load that is sent fits");

static enum err unknown(struct zone_notes *notes, const char *what, const char *word,
                        struct err_text *why)
{
    zone_notes_add(notes, what, word);
    return err_set(why, ERR_UNSUPPORTED, "no %s '%s' is known here", what, word);
}

static enum err convert_level(struct alert_level *to, const struct zone_level *from,
                              struct zone_notes *notes, struct err_text *why)
{
    *to = (struct alert_level){
        .level = from->level,
        .delay_ms = from->delay_ms,
        .recovery_level = from->recovery_level,
        .recovery_delay_ms = from->recovery_delay_ms,
    };
    if (!alert_severity_parse(&to->severity, from->severity))
        return unknown(notes, "severity", from->severity, why);
    return ERR_OK;
}

static enum err convert(struct alert_rule *to, const struct zone_rule *from,
                        const char *zone, struct zone_notes *notes, struct err_text *why)
{
    *to = (struct alert_rule){
        .limit = from->limit,
        .window_ms = from->window_ms,
        .is_safety = from->is_safety,
        .silent_ms = from->silent_ms,
    };
    memcpy(to->id, from->id, sizeof to->id);
    memcpy(to->zone, zone, strlen(zone) + 1);
    memcpy(to->quantity, from->quantity, sizeof to->quantity);
    if (!alert_kind_parse(&to->kind, from->kind) || alert_kind_is_trouble(to->kind) ||
        alert_kind_is_date(to->kind))
        return unknown(notes, "kind", from->kind, why);
    for (size_t i = 0; i < from->level_count; i++) {
        enum err err =
            convert_level(&to->levels[to->level_count++], &from->levels[i], notes, why);
        if (err != ERR_OK)
            return err;
    }
    if (from->silent_severity[0] != '\0' &&
        !alert_severity_parse(&to->silent_severity, from->silent_severity))
        return unknown(notes, "severity", from->silent_severity, why);
    for (size_t i = 0; i < from->unless_count; i++) {
        enum alert_reason reason;
        if (!alert_reason_parse(&reason, from->unless[i]))
            return unknown(notes, "unless", from->unless[i], why);
        to->unless |= 1u << reason;
    }
    return alert_rule_check(to, why);
}

static bool is_ours(const struct zone_config *zone, const struct zone_rule *rule)
{
    return (zone->is_on_duty || rule->is_safety) &&
           strcmp(rule->kind, alert_kind_name(ALERT_SILENT_DEVICE)) != 0;
}

struct alert_rule *verdict_rules(const struct zone_rules *rules, struct zone_notes *notes,
                                 size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < rules->zone_count; i++)
        most += rules->zones[i].rule_count;
    struct alert_rule *made = mem_array(most + 1, sizeof *made);
    *count = 0;
    *notes = (struct zone_notes){0};
    for (size_t i = 0; i < rules->zone_count; i++) {
        const struct zone_config *zone = &rules->zones[i];
        for (size_t j = 0; j < zone->rule_count; j++) {
            struct err_text why = {""};
            if (!is_ours(zone, &zone->rules[j]))
                continue;
            if (convert(&made[*count], &zone->rules[j], zone->zone, notes, &why) ==
                ERR_OK) {
                (*count)++;
                continue;
            }
            notes->left_out++;
            log_warn("a rule is not judged here zone=%s rule=%s reason=\"%s\"",
                     zone->zone, zone->rules[j].id, why.text);
        }
    }
    return made;
}

/* ---- what the zones are like ---- */

void verdict_spans_fini(struct verdict_spans *spans)
{
    free(spans->list);
    *spans = (struct verdict_spans){0};
}

static bool is_planned(const struct verdict_spans *spans, const struct verdict_span *span)
{
    for (size_t i = 0; i < spans->count; i++)
        if (spans->list[i].reason == span->reason &&
            spans->list[i].from_ms == span->from_ms &&
            strcmp(spans->list[i].zone, span->zone) == 0)
            return true;
    return false;
}

static void collect(const struct zone_config *zone, struct verdict_spans *spans)
{
    for (size_t i = 0; i < zone->span_count; i++) {
        enum alert_reason reason;
        if (!alert_reason_parse(&reason, zone->spans[i].reason))
            continue;
        mem_grow(&spans->list, &spans->capacity, spans->count + 1, sizeof *spans->list);
        struct verdict_span *added = &spans->list[spans->count++];
        *added = (struct verdict_span){.reason = reason,
                                       .from_ms = zone->spans[i].from_ms,
                                       .to_ms = zone->spans[i].to_ms,
                                       .low = zone->spans[i].low,
                                       .high = zone->spans[i].high};
        memcpy(added->zone, zone->zone, sizeof added->zone);
    }
}

/* What the engine derives has no channel of that name. */
static bool is_derived(const char *quantity)
{
    char channel[2 * ID_SIZE];
    snprintf(channel, sizeof channel, "%s-est", quantity);
    return alert_channel_is_derived(channel);
}

static bool has_band(const struct zone_config *zone)
{
    return !isnan(zone->low) || !isnan(zone->high);
}

static bool asks_band(const struct zone_rule *rule)
{
    enum alert_kind kind;
    unsigned unless = 0;
    for (size_t i = 0; i < rule->unless_count; i++) {
        enum alert_reason reason;
        if (alert_reason_parse(&reason, rule->unless[i]))
            unless |= 1u << reason;
    }
    return alert_kind_parse(&kind, rule->kind) && alert_kind_asks_band(kind, unless);
}

/* A zone of which nothing is said costs nothing, unless its rules look at its goods. */
static bool is_told_of(const struct zone_config *zone)
{
    bool is_described = zone->tau_ms != 0 || zone->load_count > 0 ||
                        zone->defrost_every_ms != 0 || zone->defrost_most_ms != 0 ||
                        zone->door_most_ms != 0 || zone->recovery_most_ms != 0;
    for (size_t i = 0; i < zone->rule_count; i++)
        is_described |= is_derived(zone->rules[i].quantity) ||
                        (has_band(zone) && asks_band(&zone->rules[i]));
    return is_described;
}

/* Of a collector that says tau alone, or in an order that cannot be. */
static struct thermal_body body_of(const struct zone_config *zone)
{
    int64_t tau_ms = zone->tau_ms < TAU_MOST_MS ? zone->tau_ms : TAU_MOST_MS;
    int64_t least_ms = zone->tau_least_ms;
    int64_t most_ms = zone->tau_most_ms < TAU_MOST_MS ? zone->tau_most_ms : TAU_MOST_MS;
    if (least_ms == 0 || least_ms > tau_ms)
        least_ms = tau_ms;
    if (most_ms < tau_ms || tau_ms == 0)
        most_ms = tau_ms;
    return (struct thermal_body){.tau_h = (double)tau_ms / HOUR_MS,
                                 .fastest_h = (double)least_ms / HOUR_MS,
                                 .slowest_h = (double)most_ms / HOUR_MS};
}

static struct alert_room room_of(const struct zone_config *zone)
{
    struct alert_room room = {
        .body = body_of(zone),
        .air = {.defrost_every_ms = zone->defrost_every_ms,
                .defrost_first_ms = zone->defrost_first_ms,
                .defrost_most_ms = zone->defrost_most_ms,
                .door_most_ms = zone->door_most_ms,
                .recovery_most_ms = zone->recovery_most_ms},
        .load_count = zone->load_count,
        .has_band = has_band(zone),
        .band_low_C = zone->low,
        .band_high_C = zone->high,
    };
    for (size_t i = 0; i < zone->load_count; i++)
        room.loads[i] = (struct alert_load){.from_ms = zone->loads[i].from_ms,
                                            .entry_C = zone->loads[i].entry_C};
    return room;
}

static void declare(struct alerts *engine, const struct verdict_span *span)
{
    if (span->reason == ALERT_REASON_PLANNED_STEP)
        alerts_declare_step(engine, span->zone, span->from_ms, span->to_ms, span->low,
                            span->high);
    else
        alerts_declare(engine, span->zone, span->reason, span->from_ms, span->to_ms);
}

void verdict_rooms(struct alerts *engine, const struct zone_rules *rules,
                   struct verdict_spans *told, int64_t now_ms)
{
    struct verdict_spans now = {0};
    for (size_t i = 0; i < rules->zone_count; i++) {
        const struct zone_config *zone = &rules->zones[i];
        const struct alert_room room = room_of(zone);
        if (is_told_of(zone))
            alerts_set_room(engine, zone->zone, &room);
        else
            alerts_clear_room(engine, zone->zone);
        collect(zone, &now);
    }
    for (size_t i = 0; i < told->count; i++) {
        const struct verdict_span *span = &told->list[i];
        if (span->to_ms > now_ms && !is_planned(&now, span))
            alerts_declare(engine, span->zone, span->reason, span->from_ms,
                           span->from_ms);
    }
    for (size_t i = 0; i < now.count; i++)
        declare(engine, &now.list[i]);
    verdict_spans_fini(told);
    *told = now;
}
