// SPDX-License-Identifier: Apache-2.0
#include "alerts/shared.h"

#include <assert.h>
#include <math.h>
#include <stdalign.h>

#include "alerts/internal.h"
#include "alerts/zones.h"

static size_t air_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct air_state);
}

static void air_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct air_state *state = gauge;
    if (archive->out != NULL)
        air_save(archive->out, state);
    else if (air_load(state, archive->in) != ERR_OK)
        archive->in->failed = true;
}

const struct gauge_kind gauge_air = {
    "air", alignof(struct air_state), air_size, NULL, NULL, air_archive};

/* Until it is over, or a person says that it is. */
static bool is_told_of_cooling(const struct source *source)
{
    for (const struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        if (watch->firing != NULL && watch->firing->rule->kind == ALERT_COOLING_FAILED)
            return true;
    return false;
}

struct air_verdict shared_air(struct alerts *alerts, struct source *source,
                              const struct room *room,
                              const struct alert_reading *reading)
{
    struct air_signals signals = {0};
    if (room != NULL)
        signals = room_signals(room, reading->time_ms);
    signals.is_told = is_told_of_cooling(source);
    return air_judge(gauge_shared(alerts, source, OF_AIR),
                     room != NULL ? &room->settings.air : NULL, reading->time_ms,
                     reading->value, &signals);
}

static size_t product_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct product_state);
}

static void product_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct product_state *state = gauge;
    if (archive->out != NULL)
        product_save(archive->out, state);
    else if (product_load(state, archive->in) != ERR_OK)
        archive->in->failed = true;
}

const struct gauge_kind gauge_product = {
    "product", alignof(struct product_state), product_size, NULL, NULL, product_archive};

static_assert(ALERT_LOADS_MAX == PRODUCT_LOADS_MAX, "all of a room's fit");

static struct product_settings settings_of(const struct room *room)
{
    struct product_settings settings = {
        .entry_low_C = (double)NAN, .entry_C = (double)NAN, .entry_high_C = (double)NAN};
    if (room != NULL) {
        settings.body = room->settings.body;
        settings.load_count = room->settings.load_count;
        for (size_t i = 0; i < settings.load_count; i++)
            settings.loads[i] = (struct product_entry){room->settings.loads[i].from_ms,
                                                       room->settings.loads[i].entry_C};
    }
    if (!(settings.body.tau_h > 0))
        settings.body = (struct thermal_body){.tau_h = DEFAULT_TAU_H,
                                              .fastest_h = DEFAULT_FASTEST_H,
                                              .slowest_h = DEFAULT_SLOWEST_H};
    return settings;
}

struct product shared_product_now(const struct product_state *state,
                                  const struct room *room)
{
    struct product_settings settings = settings_of(room);
    return product_now(state, &settings);
}

struct product shared_product(struct alerts *alerts, struct source *source,
                              const struct room *room,
                              const struct alert_reading *reading)
{
    struct product_state *state = gauge_shared(alerts, source, OF_PRODUCT);
    struct product_settings settings = settings_of(room);
    product_air(state, &settings, reading->time_ms, reading->value);
    int64_t pulp_ms = TIME_NONE;
    double pulp_C = room != NULL
                        ? room_latest(room, ROLE_PULP, reading->time_ms, &pulp_ms)
                        : (double)NAN;
    if (pulp_ms != TIME_NONE)
        product_pulp(state, &settings, pulp_ms, pulp_C);
    return product_now(state, &settings);
}

void shared_rewind(struct alerts *alerts, struct source *source, int64_t time_ms)
{
    if (gauge_shared_find(source, OF_AIR) != NULL)
        air_rewind(gauge_shared(alerts, source, OF_AIR), time_ms);
    if (gauge_shared_find(source, OF_PRODUCT) != NULL)
        product_rewind(gauge_shared(alerts, source, OF_PRODUCT), time_ms);
    if (gauge_shared_find(source, OF_LIFE) != NULL)
        goods_life_rewind(gauge_shared(alerts, source, OF_LIFE), time_ms);
}

static size_t life_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct life_state);
}

static void life_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct life_state *state = gauge;
    if (archive->out != NULL)
        goods_life_save(archive->out, state);
    else if (goods_life_load(state, archive->in) != ERR_OK)
        archive->in->failed = true;
}

const struct gauge_kind gauge_life = {
    "life", alignof(struct life_state), life_size, NULL, NULL, life_archive};

struct goods_life shared_life(struct alerts *alerts, struct source *source,
                              const struct room *room,
                              const struct alert_reading *reading)
{
    struct life_state *state = gauge_shared(alerts, source, OF_LIFE);
    const struct life_stock *stock = room != NULL ? room->stock : NULL;
    goods_life_step(state, stock, reading->time_ms, reading->value,
                    reading->value - reading->spread_K);
    return goods_life_now(state, stock);
}

struct goods_life shared_life_now(const struct source *source)
{
    const struct plan *plan = source->plan;
    const struct life_state *state =
        plan->wants_life ? gauge_shared_find(source, OF_LIFE) : NULL;
    if (state == NULL || plan->room == NULL)
        return (struct goods_life){.left_pct = (double)NAN};
    return goods_life_now(state, plan->room->stock);
}

bool shared_air_now(const struct source *source, struct room_air *air)
{
    if (!source->plan->has_goods)
        return false;
    const struct product_state *state = gauge_shared_find(source, OF_PRODUCT);
    if (state == NULL || state->last_ms == 0)
        return false;
    *air = (struct room_air){.time_ms = state->last_ms,
                             .C = state->air_C,
                             .product = shared_product_now(state, source->plan->room)};
    return true;
}
