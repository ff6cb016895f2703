// SPDX-License-Identifier: Apache-2.0
/* The sources of these numbers stand in docs/alert-quality.md; "assumed" are guesses. */
#include "bench/alerts_plan.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

#define TWO_PI     6.283185307179586
#define YEAR_DAYS  365.0
#define WARMEST_D  205.0 /* late in July */
#define WARMEST_H  15.0
#define WEATHER_MS (3 * WORLD_HOUR_MS) /* between two knots of the weather's noise */
#define SLOT_DAYS  8
#define WORK_FROM  6
#define WORK_TO    20

enum { STREAM_WEATHER = 0x77, STREAM_PLAN = 0x91 };

/* What is planned with: where the draws come from and what the world is. */
struct planner {
    struct plan *plan;
    const struct world_options *options;
    const struct world_params *params;
    struct rng rng;
    int64_t empty_from_ms; /* the season in which a room is off; -1 in a van */
    int64_t empty_to_ms;
};

/* Failures a year, how long they last, and from which hour of the day on. */
struct failure {
    enum world_event event;
    int a_year;
    double least_h[WORLD_KINDS];
    double most_h[WORLD_KINDS];
};

static const struct failure failures[] = {
    {WORLD_COMPRESSOR_DEAD, 6, {2, 2, 1}, {36, 24, 8}},
    {WORLD_COMPRESSOR_SLOW, 4, {48, 48, 48}, {144, 144, 144}},
    {WORLD_DEFROST_ENDLESS, 5, {2, 1.5, 1}, {10, 6, 3}},
    {WORLD_DOOR_LEFT_OPEN, 6, {0.7, 0.5, 0.7}, {6, 2, 2}},
    {WORLD_POWER_CUT, 5, {1.5, 1.5, 1}, {10, 10, 4}},
    {WORLD_PROBE_FALLEN, 4, {6, 6, 2}, {48, 48, 8}},
    {WORLD_PROBE_STUCK, 4, {12, 12, 4}, {72, 72, 24}},
};

static double between(struct planner *planner, double low, double high)
{
    return low + (high - low) * rng_uniform(&planner->rng);
}

/* Short ones as often as long ones, by the logarithm. */
static double between_log(struct planner *planner, double low, double high)
{
    return low * pow(high / low, rng_uniform(&planner->rng));
}

static int64_t steps_of_h(double hours)
{
    return (int64_t)(hours * (double)WORLD_HOUR_MS) / WORLD_STEP_MS * WORLD_STEP_MS;
}

static int64_t end_of(const struct planner *planner)
{
    return planner->options->days * WORLD_DAY_MS;
}

static void add(struct planner *planner, struct planned event)
{
    struct plan *plan = planner->plan;
    assert(event.from_ms % WORLD_STEP_MS == 0 && event.to_ms > event.from_ms);
    if (event.from_ms < 0 || event.from_ms >= end_of(planner))
        return;
    mem_grow(&plan->events, &plan->capacity, plan->count + 1, sizeof plan->events[0]);
    plan->events[plan->count++] = event;
}

static void add_simple(struct planner *planner, enum world_event event, int64_t from_ms,
                       double hours)
{
    add(planner, (struct planned){.event = event,
                                  .from_ms = from_ms,
                                  .to_ms = from_ms + steps_of_h(hours) + WORLD_STEP_MS});
}

static bool is_empty_at(const struct planner *planner, int64_t time_ms)
{
    /* A day before, for what is still going on; three after, for filling it again. */
    return planner->empty_from_ms >= 0 &&
           time_ms >= planner->empty_from_ms - WORLD_DAY_MS &&
           time_ms < planner->empty_to_ms + 3 * WORLD_DAY_MS;
}

/* Vans drive six days of seven. */
static bool is_rest_day(int64_t time_ms)
{
    return time_ms / WORLD_DAY_MS % 7 == 6;
}

static int64_t failure_onset(struct planner *planner, const struct failure *failure,
                             int64_t day)
{
    const struct world_params *params = planner->params;
    bool van = planner->options->kind == WORLD_VAN;
    if (van && is_rest_day(day * WORLD_DAY_MS))
        day++;
    double hour = van ? between(planner, 7.5, 11) : between(planner, 0, 24);
    if (failure->event == WORLD_DOOR_LEFT_OPEN && !van)
        hour = between(planner, WORK_FROM, WORK_TO);
    if (failure->event == WORLD_DEFROST_ENDLESS)
        hour = van ? 10 : floor(hour / params->defrost_every_h) * params->defrost_every_h;
    return day * WORLD_DAY_MS + steps_of_h(hour);
}

static bool slot_is_free(const struct planner *planner, int64_t slot)
{
    int64_t from_ms = slot * SLOT_DAYS * WORLD_DAY_MS;
    if (from_ms < WORLD_QUIET_DAYS * WORLD_DAY_MS)
        return false;
    for (int64_t day = 0; day <= SLOT_DAYS; day++)
        if (is_empty_at(planner, from_ms + day * WORLD_DAY_MS))
            return false;
    return true;
}

static void plan_failure(struct planner *planner, const struct failure *failure,
                         int64_t slot)
{
    enum world_kind kind = planner->options->kind;
    int64_t from_ms = failure_onset(planner, failure, slot * SLOT_DAYS);
    double hours = between_log(planner, failure->least_h[kind], failure->most_h[kind]);
    add_simple(planner, failure->event, from_ms, hours);
}

/* Each failure in a slot of its own; the slots in the order of a seeded shuffle. */
static void plan_failures(struct planner *planner)
{
    size_t slots = (size_t)(planner->options->days / SLOT_DAYS);
    size_t *order = mem_array(slots + 1, sizeof *order);
    size_t usable = 0;
    for (size_t slot = 0; slot < slots; slot++)
        if (slot_is_free(planner, (int64_t)slot))
            order[usable++] = slot;
    for (size_t i = usable; i > 1; i--) {
        size_t other = rng_below(&planner->rng, i);
        size_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    double years = planner->options->days / YEAR_DAYS;
    size_t next = 0;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        for (int n = 0; n < (int)lround(failures[i].a_year * years); n++)
            if (next < usable)
                plan_failure(planner, &failures[i], (int64_t)order[next++]);
    free(order);
}

static bool in_endless_defrost(const struct plan *plan, int64_t time_ms)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->events[i].event == WORLD_DEFROST_ENDLESS &&
            time_ms >= plan->events[i].from_ms && time_ms < plan->events[i].to_ms)
            return true;
    return false;
}

static void plan_defrosts(struct planner *planner, int64_t from_ms, int64_t to_ms)
{
    int64_t every_ms = steps_of_h(planner->params->defrost_every_h);
    for (int64_t at_ms = from_ms; at_ms < to_ms; at_ms += every_ms)
        if (!is_empty_at(planner, at_ms) && !in_endless_defrost(planner->plan, at_ms))
            add_simple(planner, WORLD_DEFROST, at_ms,
                       planner->params->defrost_min / 60 * between(planner, 0.6, 1));
}

static void plan_door(struct planner *planner, int64_t at_ms, double minutes,
                      double amount, double goods_C)
{
    add(planner,
        (struct planned){.event = minutes < 5 ? WORLD_DOOR_SHORT : WORLD_DOOR_LONG,
                         .from_ms = at_ms,
                         .to_ms = at_ms + steps_of_h(minutes / 60) + WORLD_STEP_MS,
                         .amount = amount,
                         .goods_C = goods_C});
}

/* Goods with the warmth of the field, or of a lorry that waited; out again days later. */
static void plan_loading(struct planner *planner, int64_t at_ms)
{
    bool freezer = planner->options->kind == WORLD_FREEZER;
    double share = freezer ? between(planner, 0.03, 0.1) : between(planner, 0.05, 0.2);
    double outside_C = plan_outside_C(planner->params, planner->options->seed, at_ms);
    double goods_C =
        freezer ? between(planner, -16, -10) : fmax(outside_C, planner->params->set_C);
    add(planner, (struct planned){.event = WORLD_LOADING,
                                  .from_ms = at_ms,
                                  .to_ms = at_ms + 30 * WORLD_MINUTE_MS,
                                  .amount = share,
                                  .goods_C = goods_C});
    plan_door(planner, at_ms, between(planner, 10, 25), 0, 0);
    int64_t out_ms = at_ms + (int64_t)(3 + rng_below(&planner->rng, 8)) * WORLD_DAY_MS;
    if (!is_empty_at(planner, out_ms))
        plan_door(planner, out_ms, between(planner, 8, 20), -share, 0);
}

/* At most one opening in five minutes of the working day, as in the simulated sensors. */
static void plan_room_day(struct planner *planner, int64_t day_ms)
{
    bool freezer = planner->options->kind == WORLD_FREEZER;
    double chance = planner->params->doors_per_h / 12;
    for (int slot = WORK_FROM * 12; slot < WORK_TO * 12; slot++)
        if (rng_chance(&planner->rng, chance))
            plan_door(planner, day_ms + slot * 5 * WORLD_MINUTE_MS,
                      freezer ? between(planner, 0.3, 1.2) : between(planner, 0.5, 2.5),
                      0, 0);
    if (rng_chance(&planner->rng, 1.0 / 7))
        plan_door(planner, day_ms + steps_of_h(between(planner, 8, 18)),
                  between(planner, 6, 20), 0, 0);
    if (rng_chance(&planner->rng, 1.0 / 14))
        plan_loading(planner, day_ms + steps_of_h(between(planner, 9, 17)));
}

static void plan_dips(struct planner *planner)
{
    double years = planner->options->days / YEAR_DAYS;
    for (int n = 0; n < (int)lround(12 * years); n++) {
        double at_h = between(planner, 24, planner->options->days * 24.0);
        if (!is_empty_at(planner, steps_of_h(at_h)))
            add_simple(planner, WORLD_POWER_DIP, steps_of_h(at_h),
                       between(planner, 2, 20) / 60);
    }
    for (int n = 0; n < (int)lround(6 * years); n++)
        add_simple(planner, WORLD_LATE_DATA,
                   steps_of_h(between(planner, 24, planner->options->days * 24.0)),
                   between_log(planner, 1, 12));
}

static void plan_room(struct planner *planner)
{
    if (planner->empty_from_ms >= 0) {
        add(planner, (struct planned){.event = WORLD_OFF_DUTY,
                                      .from_ms = planner->empty_from_ms,
                                      .to_ms = planner->empty_to_ms});
        /* Filled with precooled goods a day after it was switched on again. */
        plan_door(planner, planner->empty_to_ms + WORLD_DAY_MS, 20,
                  between(planner, 0.3, 0.8), planner->params->set_C);
    }
    for (int day = 0; day < planner->options->days; day++)
        if (!is_empty_at(planner, day * WORLD_DAY_MS))
            plan_room_day(planner, day * WORLD_DAY_MS);
    plan_defrosts(planner, steps_of_h(planner->params->defrost_every_h), end_of(planner));
    plan_dips(planner);
}

/* Precooled for an hour, loaded, driven around; empty and off until the next tour. */
static int64_t plan_tour(struct planner *planner, int64_t begin_ms)
{
    const struct world_params *params = planner->params;
    double share = between(planner, 0.4, 1);
    int stops = 8 + (int)rng_below(&planner->rng, 7);
    int64_t at_ms = begin_ms + WORLD_HOUR_MS;
    plan_door(planner, at_ms, between(planner, 10, 25), share,
              params->set_C + between(planner, -0.5, 1));
    if (rng_chance(&planner->rng, 0.05))
        add(planner, (struct planned){.event = WORLD_LOADING,
                                      .from_ms = at_ms,
                                      .to_ms = at_ms + 20 * WORLD_MINUTE_MS,
                                      .amount = share * between(planner, 0.1, 0.4),
                                      .goods_C = between(planner, 9, 15)});
    for (int stop = 0; stop < stops; stop++) {
        at_ms += steps_of_h(between(planner, 25, 50) / 60);
        plan_door(planner, at_ms, between_log(planner, 1, 8), -share / (stops + 1), 0);
    }
    int64_t end_ms = at_ms + WORLD_HOUR_MS;
    plan_defrosts(planner, begin_ms + steps_of_h(params->defrost_every_h), end_ms);
    if (rng_chance(&planner->rng, 0.3))
        add(planner, (struct planned){.event = WORLD_LATE_DATA,
                                      .from_ms = begin_ms + 2 * WORLD_HOUR_MS,
                                      .to_ms = end_ms});
    return end_ms;
}

static void plan_van(struct planner *planner)
{
    int64_t back_ms = 0;
    for (int day = 0; day < planner->options->days; day++) {
        int64_t day_ms = day * WORLD_DAY_MS;
        if (is_rest_day(day_ms))
            continue;
        int64_t begin_ms = day_ms + steps_of_h(between(planner, 5, 6));
        add(planner, (struct planned){
                         .event = WORLD_OFF_DUTY, .from_ms = back_ms, .to_ms = begin_ms});
        back_ms = plan_tour(planner, begin_ms);
    }
    add(planner, (struct planned){
                     .event = WORLD_OFF_DUTY, .from_ms = back_ms, .to_ms = INT64_MAX});
}

static int by_onset(const void *left, const void *right)
{
    const struct planned *one = left, *other = right;
    if (one->from_ms != other->from_ms)
        return one->from_ms < other->from_ms ? -1 : 1;
    if (one->event != other->event)
        return one->event < other->event ? -1 : 1;
    return (one->to_ms > other->to_ms) - (one->to_ms < other->to_ms);
}

static void choose_season(struct planner *planner)
{
    planner->empty_from_ms = -1;
    double days = planner->options->kind == WORLD_FREEZER ? between(planner, 5, 8)
                                                          : between(planner, 14, 28);
    int64_t from_day = 120 + (int64_t)rng_below(&planner->rng, 120);
    if (planner->options->kind == WORLD_VAN || planner->options->days < from_day + 40)
        return;
    planner->empty_from_ms = from_day * WORLD_DAY_MS + 12 * WORLD_HOUR_MS;
    planner->empty_to_ms = planner->empty_from_ms + steps_of_h(days * 24);
}

void plan_make(struct plan *plan, const struct world_options *options)
{
    *plan = (struct plan){0};
    struct planner planner = {
        .plan = plan,
        .options = options,
        .params = world_params_of(options->kind),
        .rng = {rng_hash(rng_hash(options->seed, STREAM_PLAN), options->kind)},
    };
    choose_season(&planner);
    if (!options->without_failures)
        plan_failures(&planner);
    if (options->kind == WORLD_VAN)
        plan_van(&planner);
    else
        plan_room(&planner);
    qsort(plan->events, plan->count, sizeof plan->events[0], by_onset);
}

void plan_fini(struct plan *plan)
{
    free(plan->events);
    *plan = (struct plan){0};
}

/* Smooth: normal values every three hours, joined by cosines. */
static double weather(uint64_t seed, int64_t time_ms)
{
    uint64_t knot = (uint64_t)(time_ms / WEATHER_MS);
    double part = (double)(time_ms % WEATHER_MS) / (double)WEATHER_MS;
    double blend = (1 - cos(part * TWO_PI / 2)) / 2;
    uint64_t stream = rng_hash(seed, STREAM_WEATHER);
    return (1 - blend) * rng_hash_normal(stream, knot) +
           blend * rng_hash_normal(stream, knot + 1);
}

double plan_outside_C(const struct world_params *params, uint64_t seed, int64_t time_ms)
{
    double day = (double)time_ms / (double)WORLD_DAY_MS;
    double hour = (double)(time_ms % WORLD_DAY_MS) / (double)WORLD_HOUR_MS;
    return params->outside_C +
           params->outside_year_K * cos((day - WARMEST_D) / YEAR_DAYS * TWO_PI) +
           params->outside_day_K * cos((hour - WARMEST_H) / 24 * TWO_PI) +
           params->outside_noise_K * weather(seed, time_ms);
}
