// SPDX-License-Identifier: Apache-2.0
/*
 * registry_plans - what is planned in zones, and the band of what stands in them.
 */
#include "collector/pipeline/registry_plans.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/zones.h"
#include "collector/pipeline/body.h"
#include "collector/pipeline/rows.h"
#include "freshness/thermal.h"

static bool names(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text != NULL && strcmp(text, name) == 0)
            return true;
    }
    return false;
}

/* ---- goods ------------------------------------------------------------------------ */

static const struct profile *profile_of(struct profile_set **profiles, const char *name)
{
    if (*profiles == NULL)
        *profiles = profile_set_create();
    return name != NULL ? profile_set_find(*profiles, name) : NULL;
}

struct band registry_goods_band(struct profile_set **profiles, struct band declared,
                                const json_t *goods)
{
    struct band all = declared;
    for (size_t i = 0; i < json_array_size(goods); i++) {
        const struct profile *profile =
            profile_of(profiles, json_string_value(json_array_get(goods, i)));
        if (profile != NULL)
            all = band_intersect(all, band_of_profile(profile));
    }
    return band_is_empty(all) ? declared : all;
}

#define TAU_WITHIN 1.5
#define HOUR_MS    3600000.0

/* How long a start holds: that of the vans in docs/alert-quality.md. */
#define START_USUAL_MS ((int64_t)2 * 3600 * 1000)

static int64_t hours_ms(double hours)
{
    return (int64_t)(hours * HOUR_MS);
}

static void take_tau_of_goods(struct registry *registry, struct registry_zone *zone,
                              const json_t *goods)
{
    double tau = (double)NAN;
    double least = (double)NAN;
    double most = (double)NAN;
    for (size_t i = 0; i < json_array_size(goods); i++) {
        const struct profile *profile =
            profile_of(&registry->profiles, json_string_value(json_array_get(goods, i)));
        if (profile == NULL)
            continue;
        const struct profile_number *numbers = profile->numbers;
        tau = fmin(tau, numbers[PROFILE_THERMAL_TAU].value);
        least = fmin(least, numbers[PROFILE_THERMAL_TAU_MIN].value);
        most = fmax(most, numbers[PROFILE_THERMAL_TAU_MAX].value);
    }
    zone->tau_from = isnan(tau) ? REGISTRY_TAU_BUILT_IN : REGISTRY_TAU_GOODS;
    if (isnan(tau))
        tau = THERMAL_PACKED_H;
    if (isnan(least))
        least = THERMAL_PACKED_LEAST_H;
    if (isnan(most))
        most = THERMAL_PACKED_MOST_H;
    zone->tau_ms = hours_ms(tau);
    zone->tau_least_ms = hours_ms(fmin(least, tau));
    zone->tau_most_ms = hours_ms(fmax(most, tau));
}

const char *registry_tau_name(enum registry_tau tau)
{
    static const char *const names[] = {
#define X(name, text) text,
        REGISTRY_TAU_LIST(X)
#undef X
    };
    assert((size_t)tau < sizeof names / sizeof names[0]);
    return names[tau];
}

static void take_loads(struct registry_zone *zone, const json_t *loads)
{
    size_t i;
    json_t *one;
    zone->load_count = 0;
    json_array_foreach(loads, i, one)
    {
        if (zone->load_count == ALERT_LOADS_MAX)
            return;
        zone->loads[zone->load_count++] = (struct alert_load){
            .from_ms = json_integer_value(json_object_get(one, "from")),
            .entry_C = json_number_value(json_object_get(one, "entry_c")),
        };
    }
}

/* Since when each of them stands there: noted by the command that said so. */
static void take_goods(struct registry *registry, struct registry_zone *zone,
                       const json_t *body)
{
    const json_t *goods = json_object_get(body, "goods");
    const json_t *since = json_object_get(body, "goods_since");
    int64_t on_duty_ms = json_integer_value(json_object_get(body, "on_duty_since"));
    zone->goods_count = 0;
    for (size_t i = 0; i < json_array_size(goods); i++) {
        const char *name = json_string_value(json_array_get(goods, i));
        const struct profile *profile = profile_of(&registry->profiles, name);
        if (profile == NULL || zone->goods_count == LIFE_GOODS_MAX)
            continue;
        int64_t from_ms = json_integer_value(json_object_get(since, name));
        zone->goods[zone->goods_count++] = (struct registry_goods){
            .profile = profile, .from_ms = from_ms > on_duty_ms ? from_ms : on_duty_ms};
    }
    zone->has_goods = json_array_size(goods) > 0;
}

void registry_describe_zone(struct registry *registry, struct registry_zone *zone,
                            const json_t *body)
{
    const json_t *goods = json_object_get(body, "goods");
    zone->tau_ms = json_integer_value(json_object_get(body, "tau"));
    take_loads(zone, json_object_get(body, "loads"));
    zone->is_described =
        zone->tau_ms != 0 || json_array_size(goods) > 0 || zone->load_count > 0;
    if (zone->tau_ms != 0) {
        zone->tau_from = REGISTRY_TAU_ZONE;
        zone->tau_least_ms = (int64_t)((double)zone->tau_ms / TAU_WITHIN);
        zone->tau_most_ms = (int64_t)((double)zone->tau_ms * TAU_WITHIN);
    } else {
        take_tau_of_goods(registry, zone, goods);
    }
    zone->defrost_every_ms = json_integer_value(json_object_get(body, "defrost_every"));
    zone->defrost_first_ms = json_integer_value(json_object_get(body, "defrost_at"));
    zone->defrost_most_ms = json_integer_value(json_object_get(body, "defrost_most"));
    zone->door_most_ms = json_integer_value(json_object_get(body, "door_most"));
    zone->recovery_most_ms = json_integer_value(json_object_get(body, "recovery_most"));
    zone->is_described |= zone->defrost_every_ms != 0 || zone->defrost_most_ms != 0 ||
                          zone->door_most_ms != 0 || zone->recovery_most_ms != 0;
    const char *off_duty = json_string_value(json_object_get(body, "off_duty"));
    take_goods(registry, zone, body);
    zone->is_empty = off_duty != NULL && strcmp(off_duty, "empty") == 0;
    if (off_duty != NULL)
        zone->off_since_ms = json_integer_value(json_object_get(body, "off_duty_since"));
}

/* ---- spans ------------------------------------------------------------------------ */

static int compare_spans(const void *left, const void *right)
{
    const struct registry_span *a = left;
    const struct registry_span *b = right;
    int order = strcmp(a->zone, b->zone);
    if (order == 0 && a->from_ms != b->from_ms)
        order = a->from_ms < b->from_ms ? -1 : 1;
    return order != 0 ? order : (a->reason > b->reason) - (a->reason < b->reason);
}

static struct rows spans_of(struct registry *registry)
{
    return (struct rows){.rows = (void **)&registry->spans,
                         .count = &registry->span_count,
                         .room = &registry->span_room,
                         .size = sizeof *registry->spans,
                         .compare = compare_spans};
}

static void drop_spans(struct registry *registry, const char *zone)
{
    size_t kept = 0;
    for (size_t i = 0; i < registry->span_count; i++)
        if (strcmp(registry->spans[i].zone, zone) != 0)
            registry->spans[kept++] = registry->spans[i];
    registry->span_count = kept;
}

/* Whether all that stands there is planned to share it. */
static bool is_shared(const json_t *goods, const json_t *sharing)
{
    for (size_t i = 0; sharing != NULL && i < json_array_size(goods); i++)
        if (!names(sharing, json_string_value(json_array_get(goods, i))))
            return false;
    return true;
}

static void put_spans(struct registry *registry, const char *zone, const json_t *body,
                      const char *list, enum alert_reason reason)
{
    const struct rows spans = spans_of(registry);
    const json_t *goods = json_object_get(body, "goods");
    size_t i;
    json_t *from;
    json_array_foreach(json_object_get(body, list), i, from)
    {
        const struct registry_span span = {
            .zone = registry_name(registry, zone),
            .from_ms = json_integer_value(json_object_get(from, "from")),
            .to_ms = json_integer_value(json_object_get(from, "to")),
            .reason = reason,
            .low = body_number(from, "band_low"),
            .high = body_number(from, "band_high"),
        };
        if (is_shared(goods, json_object_get(from, "goods")))
            rows_put(&spans, &span);
    }
}

/* A trip, or a load, begins when the zone goes on duty. */
static void put_start(struct registry *registry, const char *zone, const json_t *body)
{
    const struct rows spans = spans_of(registry);
    const json_t *most = json_object_get(body, "start_most");
    int64_t from_ms = json_integer_value(json_object_get(body, "on_duty_since"));
    int64_t lasts_ms = most != NULL ? json_integer_value(most) : START_USUAL_MS;
    if (from_ms == 0 || lasts_ms == 0)
        return;
    const struct registry_span start = {
        .zone = registry_name(registry, zone),
        .from_ms = from_ms,
        .to_ms = from_ms + lasts_ms,
        .reason = ALERT_REASON_START,
        .low = (double)NAN,
        .high = (double)NAN,
    };
    rows_put(&spans, &start);
}

void registry_put_plans(struct registry *registry, const char *zone, const json_t *body)
{
    drop_spans(registry, zone);
    put_spans(registry, zone, body, "steps", ALERT_REASON_PLANNED_STEP);
    put_spans(registry, zone, body, "maintenance", ALERT_REASON_MAINTENANCE);
    put_start(registry, zone, body);
}

const struct registry_span *registry_spans(const struct registry *registry,
                                           const char *zone, size_t *count)
{
    const struct registry_span key = {.zone = zone, .from_ms = INT64_MIN};
    const struct rows spans = spans_of((struct registry *)(uintptr_t)registry);
    size_t at = rows_find(&spans, &key);
    *count = 0;
    while (at + *count < registry->span_count &&
           strcmp(registry->spans[at + *count].zone, zone) == 0)
        ++*count;
    return *count > 0 ? &registry->spans[at] : NULL;
}
