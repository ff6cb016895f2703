// SPDX-License-Identifier: Apache-2.0
#include "alerts/standing.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/measure.h"
#include "alerts/shared.h"
#include "alerts/zones.h"
#include "base/crypto.h"

#define SIGNALS (1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_DEFROST)

/* A zone that is asked about. */
struct inquiry {
    const struct alerts *alerts;
    const struct zone *zone;
    const struct room *room; /* NULL: nothing is known of it */
    int64_t now_ms;
    struct pointers sources; /* of the zone, by device and channel */
};

/* One channel of it. */
struct channel_look {
    const struct source *source;
    struct air_signals signals;
    struct air_verdict air;
    bool has_air; /* its shapes are looked at, and there was a reading */
    bool is_silent;
    int64_t apart_ms;
};

static int by_name(const void *left, const void *right)
{
    const struct source *const *a = left;
    const struct source *const *b = right;
    return source_compare(*a, *b);
}

static void add_station(struct pointers *sources, const struct station *station)
{
    struct source *source = station->last;
    do {
        pointers_add(sources, source);
        source = source->next;
    } while (source != station->last);
}

static void inquiry_begin(struct inquiry *inquiry, const struct alerts *alerts,
                          const char *zone, int64_t now_ms)
{
    *inquiry = (struct inquiry){.alerts = alerts,
                                .zone = zone_find(&alerts->zones, zone),
                                .room = room_find(alerts, zone),
                                .now_ms = now_ms};
    if (inquiry->zone == NULL)
        return;
    for (const struct station *station = inquiry->zone->stations; station != NULL;
         station = station->next)
        add_station(&inquiry->sources, station);
    if (inquiry->sources.count > 0)
        qsort(inquiry->sources.items, inquiry->sources.count,
              sizeof inquiry->sources.items[0], by_name);
}

static void inquiry_end(struct inquiry *inquiry)
{
    free(inquiry->sources.items);
}

static struct channel_look look_at(const struct inquiry *inquiry,
                                   const struct source *source)
{
    struct channel_look look = {.source = source};
    bool is_record = source->station->device[0] == '\0';
    look.is_silent = !is_record && silence_unknown_at(source) <= inquiry->now_ms;
    if (inquiry->room != NULL)
        look.signals = room_signals(inquiry->room, source->last_ms);
    if (source->gauges != NULL)
        look.apart_ms = (int64_t)source->gauges->usual_ms;
    const struct air_state *air = gauge_shared_find(source, OF_AIR);
    if (air == NULL)
        return look;
    look.has_air = true;
    look.air = air_last(air, &look.signals);
    if (look.air.apart_min > 0)
        look.apart_ms = (int64_t)(look.air.apart_min * (double)MEASURE_MINUTE_MS);
    return look;
}

/* ---- why not -------------------------------------------------------------------------
 */

static enum standing_why why_of_air(const struct channel_look *look)
{
    if (!look->has_air)
        return STANDING_NO_SHAPE;
    switch (look->air.why) {
    case AIR_WHY_NONE:
        return STANDING_NONE;
    case AIR_WHY_LEARNING:
        return STANDING_LEARNING;
    case AIR_WHY_SPARSE:
        return STANDING_SPARSE;
    }
    return STANDING_NONE;
}

/* The SPARSE record says since when, where there is one. */
static int64_t air_since(const struct channel_look *look, const struct watch *watch)
{
    if (watch != NULL && watch->hold != NULL &&
        watch->hold->reason == ALERT_REASON_SPARSE)
        return watch->hold->from_ms;
    return look->has_air ? look->air.since_ms : 0;
}

static void say_air(const struct channel_look *look, const struct watch *watch,
                    struct standing *standing)
{
    standing->why = why_of_air(look);
    if (standing->why != STANDING_NONE)
        standing->since_ms = air_since(look, watch);
    if (standing->why != STANDING_LEARNING)
        return;
    const struct air_state *air = gauge_shared_find(look->source, OF_AIR);
    standing->left_ms = (int64_t)(air_lacks_min(air) * (double)MEASURE_MINUTE_MS);
}

/* Of a door or a defrost by its own signal nothing else is asked. */
static bool is_by_signal(const struct rule *rule, const struct channel_look *look)
{
    if (rule->kind == ALERT_COOLING_FAILED || rule->kind == ALERT_NO_RECOVERY)
        return false;
    enum room_role role = room_role_of(look->source->plan->quantity, false);
    bool is_door = rule->kind == ALERT_DOOR_OPEN;
    return role == ROLE_DOOR || role == ROLE_DEFROST ||
           (is_door ? look->signals.door : look->signals.defrost) != AIR_UNKNOWN;
}

static void why_of_shapes(const struct rule *rule, const struct channel_look *look,
                          const struct watch *watch, struct standing *standing)
{
    bool sees_end =
        rule->kind == ALERT_NO_RECOVERY &&
        (look->signals.door != AIR_UNKNOWN || look->signals.defrost != AIR_UNKNOWN);
    if (!is_by_signal(rule, look) && !sees_end)
        say_air(look, watch, standing);
}

static void why_of_window(const struct rule *rule, const struct channel_look *look,
                          const void *gauge, struct standing *standing)
{
    enum measure_lack lack = measure_lacks(rule, gauge, look->apart_ms,
                                           look->source->last_ms, &standing->left_ms);
    if (lack == LACKS_TIME)
        standing->why = STANDING_FILLING;
    else if (lack == LACKS_CADENCE)
        standing->why = STANDING_SPARSE;
}

static void why_of_others(const struct inquiry *inquiry, const struct channel_look *look,
                          struct standing *standing)
{
    const struct source *source = look->source;
    const struct alert_reading at = {.device = source->station->device,
                                     .channel = source_channel(source),
                                     .quantity = source->plan->quantity,
                                     .time_ms = source->last_ms};
    int64_t last_ms = TIME_NONE;
    if (inquiry->room != NULL && room_has_others(inquiry->room, &at, &last_ms))
        return;
    standing->why = STANDING_ALONE;
    standing->since_ms = last_ms != TIME_NONE ? last_ms : 0;
}

/* Derived from air alone, or with the zone's humidity. */
static bool needs_humidity(const char *quantity)
{
    return derive_bit(quantity) != 0 && strcmp(quantity, "product_temperature") != 0;
}

static bool lacks_humidity(const struct inquiry *inquiry, const char *quantity)
{
    int64_t time_ms;
    return needs_humidity(quantity) &&
           (inquiry->room == NULL ||
            isnan(room_latest(inquiry->room, ROLE_HUMIDITY, inquiry->now_ms, &time_ms)));
}

static void why_blind(const struct watch *watch, int64_t last_ms,
                      struct standing *standing)
{
    if (watch->blind_ms == TIME_NONE)
        return;
    standing->why = STANDING_FILLING;
    standing->left_ms = watch->blind_ms < TIME_LIMIT_MS ? watch->blind_ms - last_ms : 0;
}

static void why_not(const struct inquiry *inquiry, const struct channel_look *look,
                    const struct rule *rule, const struct watch *watch, const void *gauge,
                    struct standing *standing)
{
    const struct source *source = look->source;
    if (rule_is_silence(rule))
        return;
    if (source->last_ms == TIME_NONE) {
        standing->why = STANDING_NOT_HEARD;
        standing->since_ms = source->heard_ms;
    } else if (source->is_derived && lacks_humidity(inquiry, source->plan->quantity)) {
        standing->why = STANDING_NO_HUMIDITY;
        standing->since_ms = source->last_ms;
    } else if (look->is_silent) {
        standing->why = STANDING_SILENT;
        standing->since_ms = source->heard_ms;
    } else if (rule->kind == ALERT_LIFE_LEFT) {
        if (isnan(shared_life_now(source).left_pct))
            standing->why = STANDING_NO_LIFE;
    } else if (rule->kind == ALERT_DIVERGE) {
        why_of_others(inquiry, look, standing);
    } else if (rule_is_of_shapes(rule)) {
        why_of_shapes(rule, look, watch, standing);
    } else {
        why_of_window(rule, look, gauge, standing);
    }
}

/* ---- one rule on one channel ---------------------------------------------------------
 */

/* Of the doors and defrosts that it names, those of which there is no signal. */
static enum standing_why unseen_by(const struct rule *rule,
                                   const struct channel_look *look)
{
    unsigned seen = 0;
    if (look->signals.door != AIR_UNKNOWN)
        seen |= 1u << ALERT_REASON_DOOR;
    if (look->signals.defrost != AIR_UNKNOWN)
        seen |= 1u << ALERT_REASON_DEFROST;
    if (rule_is_silence(rule) || (rule->unless & SIGNALS & ~seen) == 0)
        return STANDING_NONE;
    return why_of_air(look);
}

static unsigned reasons_that_hold(const struct inquiry *inquiry,
                                  const struct channel_look *look,
                                  const struct rule *rule)
{
    if (rule_is_silence(rule))
        return silence_reasons(inquiry->room, look->source, rule, inquiry->now_ms);
    unsigned reasons =
        inquiry->room != NULL ? room_reasons(inquiry->room, inquiry->now_ms) : 0;
    if (look->has_air && !look->is_silent)
        reasons |= reasons_of_air(&look->air);
    return reasons & rule_unless(rule);
}

/* Of goods that are not all as warm, those of the rule's side; NaN: it is no goods'. */
static double goods_C(const struct inquiry *inquiry, const struct rule *rule,
                      const struct source *source)
{
    char channel[ID_SIZE];
    for (size_t i = 0; source->is_derived && i < inquiry->sources.count; i++) {
        const struct source *air = inquiry->sources.items[i];
        const struct product_state *state = gauge_shared_find(air, OF_PRODUCT);
        if (state == NULL || air->station != source->station ||
            !derive_channel(channel, DERIVED_GOODS, source_channel(air)) ||
            strcmp(channel, source_channel(source)) != 0)
            continue;
        struct product now = shared_product_now(state, inquiry->room);
        const struct alert_reading goods = {.value = now.warmest_C,
                                            .spread_K = now.warmest_C - now.coldest_C};
        return rule_value(rule, &goods);
    }
    return (double)NAN;
}

static double measure_of(const struct inquiry *inquiry, const struct rule *rule,
                         const struct channel_look *look, const struct watch *watch,
                         const void *gauge)
{
    if (rule_is_silence(rule))
        return (double)NAN;
    if (rule->kind == ALERT_COOLING_FAILED && look->has_air)
        return look->air.phase == AIR_UNAVAILABLE ? (double)NAN
                                                  : look->air.unexplained_min;
    if (rule->kind == ALERT_LIFE_LEFT)
        return shared_life_now(look->source).left_pct;
    if (gauge != NULL)
        return measure_now(rule, gauge, look->source->last_ms);
    if (watch != NULL)
        return watch->value;
    return alert_kind_is_value((enum alert_kind)rule->kind)
               ? goods_C(inquiry, rule, look->source)
               : (double)NAN;
}

static const struct firing *firing_of(const struct watch *watch)
{
    return watch != NULL ? watch->firing : NULL;
}

/* What is open is firing, whatever else; what is held back would say nothing anyway. */
static void settle_state(const struct inquiry *inquiry, const struct channel_look *look,
                         const struct rule *rule, const struct firing *firing,
                         struct standing *standing)
{
    unsigned held = reasons_that_hold(inquiry, look, rule);
    if (firing != NULL) {
        standing->state = STANDING_FIRING;
        crypto_hex(standing->incident, firing->id, ID_BYTES);
    } else if (held != 0) {
        standing->state = STANDING_HELD_BACK;
        while ((held & 1u << standing->reason) == 0)
            standing->reason++;
    } else if (standing->why != STANDING_NONE) {
        standing->state = STANDING_UNAVAILABLE;
    }
}

static struct standing standing_of(const struct inquiry *inquiry,
                                   const struct source *source, size_t index)
{
    const struct rule *rule = source->plan->rules[index];
    const struct watch *watch = watch_find(source, rule);
    const void *gauge = gauge_find(source, index);
    struct channel_look look = look_at(inquiry, source);
    struct standing standing = {
        .rule = rule->id,
        .kind = (enum alert_kind)rule->kind,
        .device = source->station->device,
        .channel = source_channel(source),
        .quantity = source->plan->quantity,
        .apart_ms = look.apart_ms,
        .unseen = unseen_by(rule, &look),
        .measure = measure_of(inquiry, rule, &look, watch, gauge),
    };
    why_not(inquiry, &look, rule, watch, gauge, &standing);
    if (standing.why == STANDING_NONE && watch != NULL)
        why_blind(watch, source->last_ms, &standing);
    if (standing.why != STANDING_NONE && standing.why != STANDING_SILENT)
        standing.measure = (double)NAN;
    settle_state(inquiry, &look, rule, firing_of(watch), &standing);
    return standing;
}

/* ---- the zone ------------------------------------------------------------------------
 */

/* SIZE_MAX: the channel is none of those that it watches. */
static size_t index_of(const struct source *source, const struct rule *rule)
{
    const struct plan *plan = source->plan;
    bool falls_silent = !source->is_derived || !rule_is_silence(rule);
    for (size_t i = 0; falls_silent && i < plan->count; i++)
        if (plan->rules[i] == rule)
            return i;
    return SIZE_MAX;
}

/* What a person moved elsewhere is looked at no longer, but for what is open. */
static bool is_here(const struct source *source, const struct rule *rule)
{
    return !source->is_forgotten || firing_of(watch_find(source, rule)) != NULL;
}

static bool has_air(const struct inquiry *inquiry)
{
    for (size_t i = 0; i < inquiry->sources.count; i++)
        if (derive_from(
                ((const struct source *)inquiry->sources.items[i])->plan->quantity))
            return true;
    return false;
}

static void tell_unmeasured(const struct inquiry *inquiry, const struct rule *rule,
                            void *context, standing_fn *tell)
{
    bool is_dry = has_air(inquiry) && lacks_humidity(inquiry, rule->quantity);
    const struct standing standing = {
        .rule = rule->id,
        .kind = (enum alert_kind)rule->kind,
        .device = "",
        .channel = "",
        .quantity = rule->quantity,
        .state = STANDING_UNAVAILABLE,
        .why = is_dry ? STANDING_NO_HUMIDITY : STANDING_NOT_MEASURED,
        .measure = (double)NAN,
    };
    tell(context, &standing);
}

static void tell_rule(const struct inquiry *inquiry, const struct rule *rule,
                      void *context, standing_fn *tell)
{
    bool is_told = false;
    for (size_t i = 0; i < inquiry->sources.count; i++) {
        const struct source *source = inquiry->sources.items[i];
        size_t index = index_of(source, rule);
        if (index == SIZE_MAX || !is_here(source, rule))
            continue;
        struct standing standing = standing_of(inquiry, source, index);
        tell(context, &standing);
        is_told = true;
    }
    if (!is_told)
        tell_unmeasured(inquiry, rule, context, tell);
}

void alerts_standing(const struct alerts *alerts, const char *zone, int64_t now_ms,
                     void *context, standing_fn *tell)
{
    struct inquiry inquiry;
    inquiry_begin(&inquiry, alerts, zone, now_ms);
    for (size_t i = 0; inquiry.zone != NULL && i < inquiry.zone->count; i++)
        tell_rule(&inquiry, inquiry.zone->rules[i], context, tell);
    inquiry_end(&inquiry);
}

static void add_loads(const struct product_state *state, struct standing_goods *goods)
{
    for (size_t i = 0; i < state->load_count; i++) {
        const struct product_load *load = &state->loads[i];
        if (load->is_joined)
            continue;
        size_t at = goods->load_count++;
        goods->loads[at].load =
            (struct alert_load){load->entry.from_ms, load->entry.entry_C};
        goods->loads[at].C = load->C;
    }
}

void alerts_standing_goods(const struct alerts *alerts, const char *zone, void *context,
                           standing_goods_fn *tell)
{
    struct inquiry inquiry;
    inquiry_begin(&inquiry, alerts, zone, 0);
    for (size_t i = 0; i < inquiry.sources.count; i++) {
        const struct source *source = inquiry.sources.items[i];
        const struct product_state *state = gauge_shared_find(source, OF_PRODUCT);
        if (state == NULL || source->is_forgotten)
            continue;
        struct product now = shared_product_now(state, inquiry.room);
        struct standing_goods goods = {
            .device = source->station->device,
            .channel = source_channel(source),
            .time_ms = source->last_ms,
            .C = now.C,
            .coldest_C = now.coldest_C,
            .warmest_C = now.warmest_C,
            .body = now.body,
            .is_described = inquiry.room != NULL && inquiry.room->settings.body.tau_h > 0,
            .is_fitted = now.is_fitted,
            .is_probed = now.is_probed,
        };
        add_loads(state, &goods);
        tell(context, &goods);
    }
    inquiry_end(&inquiry);
}

const char *standing_state_name(enum standing_state state)
{
    static const char *const names[] = {
#define X(name, text) text,
        STANDING_STATE_LIST(X)
#undef X
    };
    assert((size_t)state < sizeof names / sizeof names[0]);
    return names[state];
}

const char *standing_why_name(enum standing_why why)
{
    static const char *const names[] = {
#define X(name, text) text,
        STANDING_WHY_LIST(X)
#undef X
    };
    assert((size_t)why < STANDING_WHY_COUNT);
    return names[why];
}
