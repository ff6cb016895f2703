// SPDX-License-Identifier: Apache-2.0
/*
 * plan - which rules watch a channel, found once per (zone, quantity) and not per
 * reading.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/measure.h"
#include "alerts/room.h"
#include "base/mem.h"

static bool zone_is(const void *entry, const void *key)
{
    const struct zone *zone = entry;
    return strcmp(zone->name, key) == 0;
}

struct zone *zone_find(const struct table *zones, const char *name)
{
    return table_find(zones, table_hash_text(0, name), zone_is, name);
}

struct zone *zone_make(struct table *zones, const char *name)
{
    struct zone *zone = zone_find(zones, name);
    if (zone != NULL)
        return zone;
    size_t size = strlen(name) + 1;
    zone = mem_alloc(sizeof *zone + size);
    memcpy(zone->name, name, size);
    table_add(zones, table_hash_text(0, name), zone);
    return zone;
}

bool rule_is_of_shapes(const struct rule *rule)
{
    return alert_kind_is_of_shapes((enum alert_kind)rule->kind);
}

static bool sees_shapes(const struct rule *rule)
{
    const unsigned shapes = 1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_DEFROST;
    return rule_is_of_shapes(rule) || (rule->unless & shapes) != 0;
}

/* Its verdict depends on more of the zone than the channel. */
static bool asks_room(const struct rule *rule)
{
    return sees_shapes(rule) || rule->kind == ALERT_DIVERGE ||
           rule->kind == ALERT_GOODS_LEFT || rule->kind == ALERT_PREDICTED;
}

void zone_add_rule(struct zone *zone, struct rule *rule)
{
    assert(zone->plans == NULL); /* they would lack it */
    mem_grow(&zone->rules, &zone->capacity, zone->count + 1, sizeof *zone->rules);
    zone->rules[zone->count++] = rule;
    zone->has_devices |= rule->kind == ALERT_SILENT_DEVICE || rule_heeds_device(rule);
    zone->derives |= (uint8_t)derive_bit(rule->quantity);
    zone->has_goods |= zone->derives != 0 ||
                       alert_kind_asks_goods((enum alert_kind)rule->kind, rule->unless);
    zone->has_room |= asks_room(rule) || zone->has_goods;
}

static void zone_destroy(struct zone *zone)
{
    while (zone->plans != NULL) {
        struct plan *plan = zone->plans;
        zone->plans = plan->next;
        free(plan->rules);
        free(plan->places);
        free(plan);
    }
    for (size_t i = 0; i < zone->count; i++)
        rule_unref(zone->rules[i]);
    free(zone->rules);
    free(zone);
}

void zones_fini(struct table *zones)
{
    size_t at = 0;
    for (struct zone *zone = table_next(zones, &at); zone != NULL;
         zone = table_next(zones, &at))
        zone_destroy(zone);
    table_free(zones);
}

static bool rule_watches(const struct rule *rule, const char *quantity, bool is_device)
{
    if (is_device || rule->kind == ALERT_SILENT_DEVICE)
        return is_device && rule->kind == ALERT_SILENT_DEVICE;
    return rule->quantity[0] == '\0' || strcmp(rule->quantity, quantity) == 0;
}

bool quantity_is_air(const char *quantity)
{
    return strcmp(quantity, "air_temperature") == 0 ||
           strcmp(quantity, "return_temperature") == 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void plan_add(struct plan *plan, struct rule *rule)
{
    assert(rule_is_silence(rule) || rule->level_count > 0);
    plan->rules[plan->count++] = rule;
    switch ((enum alert_kind)rule->kind) {
    case ALERT_ABOVE:
        plan->above = fmin(plan->above, rule->levels[0].level);
        break;
    case ALERT_BELOW:
        plan->below = fmax(plan->below, rule->levels[0].level);
        break;
    case ALERT_SILENT:
    case ALERT_SILENT_DEVICE:
        plan->learns |= rule->silent_ms == 0;
        plan->heeds_device |= rule_heeds_device(rule);
        plan->silent_ms = sooner(plan->silent_ms, rule->silent_ms > 0 ? rule->silent_ms
                                                                      : CADENCE_LEAST_MS);
        break;
    case ALERT_FORK:
    case ALERT_TWINS:
    case ALERT_REGRESSED:
    case ALERT_LOST_PACKS:
    case ALERT_JOURNAL_DAMAGE:
    case ALERT_POISON:
    case ALERT_ALARM_PATH:
    case ALERT_CLOCK_WRONG:
    case ALERT_CALIBRATION_DUE:
    case ALERT_DATE_DUE:
    case ALERT_KIND_COUNT:
        assert(!"no rule has that kind, see alert_rule_check()");
        break;
    default:
        assert(rule_is_measured(rule));
        plan->is_plain = false;
        plan->is_compared |= rule->kind == ALERT_DIVERGE;
        plan->wants_life |= rule->kind == ALERT_LIFE_LEFT;
        break;
    }
    plan->wants_air |= quantity_is_air(plan->quantity) && sees_shapes(rule);
}

/* The shortest of those rules of silence for which `is_one`; what is learned does not
 * count. TIME_NEVER: there is none. */
static int64_t shortest(struct rule *const *rules, size_t count,
                        bool (*is_one)(const struct rule *rule))
{
    int64_t after = TIME_NEVER;
    for (size_t i = 0; i < count; i++)
        if (rule_is_silence(rules[i]) && rules[i]->silent_ms > 0 && is_one(rules[i]))
            after = sooner(after, rules[i]->silent_ms);
    return after;
}

static bool is_any(const struct rule *rule)
{
    (void)rule;
    return true;
}

static bool is_of_device(const struct rule *rule)
{
    return rule->kind == ALERT_SILENT_DEVICE;
}

static bool heeds_none(const struct rule *rule)
{
    return !rule_heeds_device(rule);
}

/* While nobody hears the device, a rule that asks for that says nothing: then the
 * device's own time counts. */
static int64_t unknown_after(const struct zone *zone, const struct plan *plan)
{
    int64_t after = shortest(plan->rules, plan->count, heeds_none);
    if (after == TIME_NEVER && plan->heeds_device)
        after = shortest(zone->rules, zone->count, is_of_device);
    return after == TIME_NEVER ? ALERT_UNKNOWN_MS : after;
}

static int64_t borne_by(const struct plan *plan)
{
    int64_t span_ms = shortest(plan->rules, plan->count, is_any);
    return span_ms == TIME_NEVER ? ALERT_UNKNOWN_MS : span_ms;
}

/* It has no device any more that says whether that is heard. */
static int64_t gone_after(const struct zone *zone, const struct plan *plan)
{
    return sooner(plan->unknown_ms, shortest(zone->rules, zone->count, is_of_device));
}

/* Half of the time after which a channel is silent: so the other half is left for one
 * that is read seldom. */
static int64_t pause_of(const struct zone *zone)
{
    int64_t span_ms = shortest(zone->rules, zone->count, rule_heeds_device);
    return span_ms == TIME_NEVER ? 0 : (span_ms + 1) / 2;
}

static struct plan *plan_create(const struct zone *zone, const char *quantity,
                                bool is_device)
{
    size_t size = strlen(quantity) + 1;
    struct plan *plan = mem_alloc(sizeof *plan + size);
    memcpy(plan->quantity, quantity, size);
    plan->zone = zone->name;
    plan->is_device = is_device;
    plan->above = HUGE_VAL;
    plan->below = -HUGE_VAL;
    plan->silent_ms = TIME_NEVER;
    plan->needs_room = zone->has_room && !is_device;
    plan->is_plain = !plan->needs_room;
    plan->derives = derive_from(quantity) ? zone->derives : 0;
    plan->has_goods = derive_from(quantity) && zone->has_goods;
    int index = quantity_find(quantity);
    plan->registered = index >= 0 ? quantity_at((size_t)index) : NULL;
    size_t watching = 0;
    for (size_t i = 0; i < zone->count; i++)
        watching += rule_watches(zone->rules[i], quantity, is_device);
    plan->rules = mem_array(watching, sizeof(struct rule *));
    for (size_t i = 0; i < zone->count; i++)
        if (rule_watches(zone->rules[i], quantity, is_device))
            plan_add(plan, zone->rules[i]);
    plan->role = (uint8_t)room_role_of(quantity, plan->is_compared);
    plan->unknown_ms = unknown_after(zone, plan);
    plan->borne_ms = borne_by(plan);
    plan->pause_ms = is_device ? pause_of(zone) : 0;
    plan->gone_ms = gone_after(zone, plan);
    gauges_plan(plan);
    return plan;
}

struct plan *plan_get(struct zone *zone, const char *quantity, bool is_device)
{
    assert(!is_device || quantity[0] == '\0');
    for (struct plan *plan = zone->plans; plan != NULL; plan = plan->next)
        if (plan->is_device == is_device && strcmp(plan->quantity, quantity) == 0)
            return plan;
    struct plan *plan = plan_create(zone, quantity, is_device);
    plan->next = zone->plans;
    zone->plans = plan;
    return plan;
}

struct rule *plan_find_rule(const struct plan *plan, const char *id, unsigned kind)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->rules[i]->kind == kind && strcmp(plan->rules[i]->id, id) == 0)
            return plan->rules[i];
    return NULL;
}
