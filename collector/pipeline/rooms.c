// SPDX-License-Identifier: Apache-2.0
/*
 * rooms - tells the engines what zones are like, and what is planned and declared there.
 *
 * Said again it changes nothing, so it is said whenever a zone or a rule changes. The
 * engines save it; what has been declared is of the past, too, and stays.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/zones.h"
#include "base/mem.h"
#include "collector/doubts.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/placing.h"

#define HOUR_MS 3600000.0

static void fill(struct alert_room *room, const struct registry_zone *zone)
{
    *room = (struct alert_room){
        .body = {.tau_h = (double)zone->tau_ms / HOUR_MS,
                 .fastest_h = (double)zone->tau_least_ms / HOUR_MS,
                 .slowest_h = (double)zone->tau_most_ms / HOUR_MS},
        .air = {.defrost_every_ms = zone->defrost_every_ms,
                .defrost_first_ms = zone->defrost_first_ms,
                .defrost_most_ms = zone->defrost_most_ms,
                .door_most_ms = zone->door_most_ms,
                .recovery_most_ms = zone->recovery_most_ms},
        .load_count = zone->load_count,
        .has_band = !isnan(zone->band_low) || !isnan(zone->band_high),
        .band_low_C = zone->band_low,
        .band_high_C = zone->band_high,
    };
    for (size_t i = 0; i < zone->load_count; i++)
        room->loads[i] = zone->loads[i];
}

static void declare(struct alerts *alerts, const struct registry *registry,
                    const struct registry_zone *zone)
{
    size_t count;
    const struct registry_span *spans = registry_spans(registry, zone->id, &count);
    for (size_t i = 0; i < count; i++)
        if (spans[i].reason == ALERT_REASON_PLANNED_STEP)
            alerts_declare_step(alerts, zone->id, spans[i].from_ms, spans[i].to_ms,
                                spans[i].low, spans[i].high);
        else
            alerts_declare(alerts, zone->id, spans[i].reason, spans[i].from_ms,
                           spans[i].to_ms);
    if (zone->off_since_ms != 0)
        alerts_declare_off_duty(alerts, zone->id, zone->off_since_ms, INT64_MAX,
                                zone->is_empty);
}

/* Whether rules ask what a zone is like of which nothing was said. */
enum asked {
    ASKED_NOTHING,
    ASKED_BAND,  /* how long until harm, which end of it a limit is */
    ASKED_GOODS, /* how warm they are */
};

static enum asked asked_by(const struct alert_rule *rule)
{
    if (doubt_is_derived(rule->quantity))
        return ASKED_GOODS;
    return alert_kind_asks_band(rule->kind, rule->unless) ? ASKED_BAND : ASKED_NOTHING;
}

/*
 * A zone of which nothing is said costs nothing, unless its rules look at its goods. Of
 * tau nothing is told there to who only asks for the band: nor are agents.
 */
static void tell(struct alerts *alerts, const struct registry_zone *zone,
                 enum asked asked)
{
    struct alert_room room;
    fill(&room, zone);
    if (!zone->is_described && asked != ASKED_GOODS)
        room.body = (struct thermal_body){0};
    if (zone->is_described || asked == ASKED_GOODS ||
        (asked == ASKED_BAND && room.has_band))
        alerts_set_room(alerts, zone->id, &room);
    else
        alerts_clear_room(alerts, zone->id);
}

/* In the middle of its band: as its goods should be. */
static double set_point(const struct registry_zone *zone)
{
    return (zone->band_low + zone->band_high) / 2;
}

static void tell_stock(struct alerts *alerts, const struct registry_zone *zone)
{
    static const struct load_options as_published = {0};
    struct life_stock stock = {.at_C = set_point(zone)};
    for (size_t i = 0; i < zone->goods_count; i++) {
        struct life_goods *goods = &stock.goods[stock.count];
        const struct profile *profile = zone->goods[i].profile;
        if (load_model_init(&goods->model, profile, &as_published, NULL) != ERR_OK)
            continue;                /* nothing is known of it */
        goods->model.profile = NULL; /* the engine may outlive it */
        goods->from_ms = zone->goods[i].from_ms;
        snprintf(goods->name, sizeof goods->name, "%s", profile->id);
        stock.count++;
    }
    alerts_set_goods(alerts, zone->id, &stock);
}

void pipeline_tell_room(struct alerts *alerts, const struct registry *registry,
                        const char *id)
{
    const struct registry_zone *zone = registry_zone(registry, id);
    enum asked most = ASKED_NOTHING;
    if (zone == NULL)
        return;
    for (size_t i = 0; i < registry->rule_count; i++) {
        const struct alert_rule *rule = &registry->rules[i];
        if (asked_by(rule) > most && strcmp(rule->zone, zone->id) == 0)
            most = asked_by(rule);
    }
    tell(alerts, zone, most);
    if (registry_asks_life(registry, zone->id))
        tell_stock(alerts, zone);
    declare(alerts, registry, zone);
}

/* Of all zones; rules are looked through once, not once for each zone. */
void pipeline_tell_rooms(struct alerts *alerts, const struct registry *registry)
{
    enum asked *most = mem_array(registry->zone_count, sizeof *most);
    for (size_t i = 0; i < registry->rule_count; i++) {
        enum asked asked = asked_by(&registry->rules[i]);
        const struct registry_zone *zone =
            asked != ASKED_NOTHING || registry->rules[i].kind == ALERT_LIFE_LEFT
                ? registry_zone(registry, registry->rules[i].zone)
                : NULL;
        if (zone != NULL && registry->rules[i].kind == ALERT_LIFE_LEFT)
            tell_stock(alerts, zone);
        if (zone != NULL && most[zone - registry->zones] < asked)
            most[zone - registry->zones] = asked;
    }
    for (size_t i = 0; i < registry->zone_count; i++) {
        tell(alerts, &registry->zones[i], most[i]);
        declare(alerts, registry, &registry->zones[i]);
    }
    free(most);
}

static void end_off_duty(struct pipeline *pipeline, const char *zone,
                         const struct pipeline_room *was)
{
    alerts_declare_off_duty(pipeline->alerts, zone, was->off_since_ms, pipeline->now_ms,
                            was->is_empty);
    if (pipeline->ahead != NULL)
        alerts_declare_off_duty(pipeline->ahead, zone, was->off_since_ms,
                                pipeline->now_ms, was->is_empty);
}

static void end(struct pipeline *pipeline, const char *zone, enum alert_reason reason,
                int64_t from_ms, int64_t to_ms)
{
    alerts_declare(pipeline->alerts, zone, reason, from_ms, to_ms);
    if (pipeline->ahead != NULL)
        alerts_declare(pipeline->ahead, zone, reason, from_ms, to_ms);
}

static bool is_planned(const struct registry *registry, const char *zone,
                       const struct registry_span *span)
{
    size_t count;
    const struct registry_span *spans = registry_spans(registry, zone, &count);
    for (size_t i = 0; i < count; i++)
        if (spans[i].reason == span->reason && spans[i].from_ms == span->from_ms)
            return true;
    return false;
}

/* A plan that is taken back never was; a start ends with the duty that began it. */
static int64_t taken_back_ms(const struct pipeline *pipeline,
                             const struct registry_span *span)
{
    if (span->reason != ALERT_REASON_START)
        return span->from_ms;
    return span->to_ms < pipeline->now_ms ? span->to_ms : pipeline->now_ms;
}

void pipeline_room_changed(struct pipeline *pipeline, const char *zone,
                           const struct pipeline_room *was)
{
    const struct registry *registry = pipeline->registry;
    const struct registry_zone *now = registry_zone(registry, zone);
    for (size_t i = 0; i < was->span_count; i++)
        if (!is_planned(registry, zone, &was->spans[i]))
            end(pipeline, zone, was->spans[i].reason, was->spans[i].from_ms,
                taken_back_ms(pipeline, &was->spans[i]));
    if (was->off_since_ms != 0 && (now == NULL || now->off_since_ms != was->off_since_ms))
        end_off_duty(pipeline, zone, was);
    pipeline_tell_room(pipeline->alerts, registry, zone);
    if (pipeline->ahead != NULL)
        pipeline_tell_room(pipeline->ahead, registry, zone);
}

void pipeline_note_room(const struct pipeline *pipeline, const char *zone,
                        struct pipeline_room *was)
{
    size_t count;
    const struct registry_span *spans = registry_spans(pipeline->registry, zone, &count);
    const struct registry_zone *now = registry_zone(pipeline->registry, zone);
    *was = (struct pipeline_room){.off_since_ms = now != NULL ? now->off_since_ms : 0,
                                  .is_empty = now != NULL && now->is_empty};
    for (size_t i = 0; i < count && i < REGISTRY_SPANS_MAX; i++)
        was->spans[was->span_count++] = spans[i];
}

/* ---- what stands there ------------------------------------------------------------ */

static void tell_goods_of(struct pipeline *pipeline, const struct registry_zone *zone)
{
    const struct alert_reading reading = {.zone = zone->id,
                                          .device = "",
                                          .channel = ALERT_GOODS,
                                          .quantity = ALERT_GOODS,
                                          .time_ms = pipeline->now_ms,
                                          .arrival_ms = pipeline->now_ms,
                                          .value = zone->has_goods ? 1 : 0};
    alerts_reading(pipeline->alerts, &reading, &pipeline->sink);
}

void pipeline_tell_goods(struct pipeline *pipeline)
{
    const struct registry *registry = pipeline->registry;
    bool is_due =
        pipeline->now_ms / (int64_t)HOUR_MS != pipeline->placed_ms / (int64_t)HOUR_MS;
    if (!is_due && !pipeline->wants_goods)
        return;
    pipeline->wants_goods = false;
    for (size_t i = 0; i < registry->rule_count; i++) {
        const struct alert_rule *rule = &registry->rules[i];
        const struct registry_zone *zone = registry_zone(registry, rule->zone);
        if (rule->kind == ALERT_GOODS_LEFT && strcmp(rule->quantity, ALERT_GOODS) == 0 &&
            zone != NULL && registry_in_force(registry, rule))
            tell_goods_of(pipeline, zone);
    }
}
