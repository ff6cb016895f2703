// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_world.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/rng.h"
#include "bench/alerts_air.h"
#include "bench/alerts_plan.h"
#include "bench/alerts_truth.h"

#define ACTIVE_MAX 32
#define OUTSIDE_MS (5 * WORLD_MINUTE_MS) /* outside air is kept that long */
#define SLOW_LEAST 0.05                  /* what a dying compressor comes down to */
#define SLOW_UNTIL 0.8                   /* of the failure's time (both assumed) */
#define WAY_MS     2000                  /* of a reading to whoever judges it */

enum { STREAM_NOISE = 0x6e, STREAM_SHARE = 0x53 };

/* Sources: docs/alert-quality.md. */
static const struct world_params presets[WORLD_KINDS] = {
    [WORLD_ROOM] = {.air_kJ_K = 1800,
                    .wall_W_K = 90,
                    .door_W_K = 724,
                    .heat_W = 720,
                    .goods_kJ_K = 76000,
                    .goods_tau_h = 10,
                    .cooling_W = 8000,
                    .coil_K = 7,
                    .cooling_most = 1.6,
                    .set_C = 5.5,
                    .differential_K = 1.2,
                    .defrost_every_h = 8,
                    .defrost_min = 20,
                    .defrost_W = 5000,
                    .low_C = 3,
                    .high_C = 8,
                    .doors_per_h = 2,
                    .outside_C = 18,
                    .outside_year_K = 10,
                    .outside_day_K = 5,
                    .outside_noise_K = 2,
                    .noise_K = 0.04,
                    .resolution_K = 0.1,
                    .probe_tau_s = 60},
    [WORLD_FREEZER] = {.air_kJ_K = 180,
                       .wall_W_K = 18,
                       .door_W_K = 800,
                       .heat_W = 200,
                       .goods_kJ_K = 6000,
                       .goods_tau_h = 10,
                       .cooling_W = 4000,
                       .coil_K = 7,
                       .cooling_most = 1.6,
                       .set_C = -22,
                       .differential_K = 2,
                       .defrost_every_h = 12,
                       .defrost_min = 40,
                       .defrost_W = 3200,
                       .low_C = -40,
                       .high_C = -15,
                       .doors_per_h = 0.5,
                       .outside_C = 20,
                       .outside_year_K = 8,
                       .outside_day_K = 3,
                       .outside_noise_K = 1,
                       .noise_K = 0.05,
                       .resolution_K = 0.1,
                       .probe_tau_s = 30},
    [WORLD_VAN] = {.air_kJ_K = 60,
                   .wall_W_K = 13,
                   .door_W_K = 300,
                   .heat_W = 130,
                   .goods_kJ_K = 3040,
                   .goods_tau_h = 6,
                   .cooling_W = 2200,
                   .coil_K = 7,
                   .cooling_most = 1.6,
                   .set_C = 4,
                   .differential_K = 1.5,
                   .defrost_every_h = 4,
                   .defrost_min = 8,
                   .defrost_W = 1500,
                   .low_C = 0,
                   .high_C = 8,
                   .outside_C = 20,
                   .outside_year_K = 10,
                   .outside_day_K = 5,
                   .outside_noise_K = 2,
                   .noise_K = 0.05,
                   .resolution_K = 0.1,
                   .probe_tau_s = 60},
};

static const char *const kind_names[] = {
#define X(name, text) text,
    WORLD_KIND_LIST(X)
#undef X
};

static const struct {
    const char *name;
    bool failure;
} events[] = {
#define X(name, text, failure) {text, failure},
    WORLD_EVENT_LIST(X)
#undef X
};

_Static_assert(sizeof kind_names / sizeof kind_names[0] == WORLD_KINDS, "kinds");
_Static_assert(sizeof events / sizeof events[0] == WORLD_EVENTS, "events");

const char *world_kind_name(enum world_kind kind)
{
    return kind_names[kind];
}

bool world_kind_parse(enum world_kind *kind, const char *name)
{
    for (size_t i = 0; i < WORLD_KINDS; i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *kind = (enum world_kind)i;
            return true;
        }
    }
    return false;
}

const char *world_event_name(enum world_event event)
{
    return events[event].name;
}

bool world_is_failure(enum world_event event)
{
    return events[event].failure;
}

const struct world_params *world_params_of(enum world_kind kind)
{
    return &presets[kind];
}

enum err world_check(const struct world_options *options, struct err_text *why)
{
    if (options->days < 1 || options->days > 3660)
        return err_set(why, ERR_INVALID, "%d days are not within 1 and 3660",
                       options->days);
    if (options->cadence_ms < WORLD_STEP_MS ||
        options->cadence_ms > 10 * WORLD_MINUTE_MS ||
        options->cadence_ms % WORLD_STEP_MS != 0)
        return err_set(why, ERR_INVALID,
                       "a reading each %lld ms: 10 to 600 s, in steps of 10 s",
                       (long long)options->cadence_ms);
    return ERR_OK;
}

struct world {
    const struct world_options *options;
    const struct world_params *params;
    const struct world_sink *sink;
    struct world_totals *totals;
    struct plan plan;
    size_t next; /* of the plan */
    struct planned active[ACTIVE_MAX];
    size_t active_count;
    int going[WORLD_EVENTS]; /* how many of each are active */
    struct truth truth;
    int64_t time_ms;
    double outside_C;
    struct air air;
    struct air twin; /* as if no failure had come; meaningful while one is felt */
    double reading_C;
};

static bool is_going(const struct world *world, enum world_event event)
{
    return world->going[event] > 0;
}

static const struct planned *active_of(const struct world *world, enum world_event event)
{
    for (size_t i = 0; i < world->active_count; i++)
        if (world->active[i].event == event)
            return &world->active[i];
    return NULL;
}

/* Falls in a straight line to SLOW_LEAST while the failure lasts. */
static double power_left(const struct world *world)
{
    if (is_going(world, WORLD_COMPRESSOR_DEAD))
        return 0;
    const struct planned *slow = active_of(world, WORLD_COMPRESSOR_SLOW);
    if (slow == NULL)
        return 1;
    double part =
        (double)(world->time_ms - slow->from_ms) / (double)(slow->to_ms - slow->from_ms);
    return 1 - (1 - SLOW_LEAST) * fmin(1, part / SLOW_UNTIL);
}

/* What happens also where nothing fails; an endless defrost begins as a usual one. */
static struct forces usual_forces(const struct world *world)
{
    const struct planned *endless = active_of(world, WORLD_DEFROST_ENDLESS);
    bool begins =
        endless != NULL && (double)(world->time_ms - endless->from_ms) <
                               world->params->defrost_min * (double)WORLD_MINUTE_MS;
    struct forces forces = {
        .time_ms = world->time_ms,
        .outside_C = world->outside_C,
        .power = 1,
        .on_duty = !is_going(world, WORLD_OFF_DUTY),
        .mains_on = !is_going(world, WORLD_POWER_DIP),
        .door_open =
            is_going(world, WORLD_DOOR_SHORT) || is_going(world, WORLD_DOOR_LONG),
    };
    forces.defrost_on =
        forces.on_duty && forces.mains_on && (begins || is_going(world, WORLD_DEFROST));
    return forces;
}

static struct forces forces_of(const struct world *world)
{
    struct forces forces = usual_forces(world);
    forces.power = power_left(world);
    forces.mains_on = forces.mains_on && !is_going(world, WORLD_POWER_CUT);
    forces.door_open = forces.door_open || is_going(world, WORLD_DOOR_LEFT_OPEN);
    forces.defrost_on = forces.on_duty && forces.mains_on &&
                        (forces.defrost_on || is_going(world, WORLD_DEFROST_ENDLESS));
    forces.probe_fallen = is_going(world, WORLD_PROBE_FALLEN);
    forces.probe_stuck = is_going(world, WORLD_PROBE_STUCK);
    return forces;
}

static void move_goods(struct air *air, const struct planned *event)
{
    if (event->event == WORLD_OFF_DUTY)
        air_empty(air);
    else if (event->event == WORLD_LOADING)
        air_bring_warm(air, event->amount, event->goods_C);
    else if (event->amount > 0)
        air_bring(air, event->amount, event->goods_C);
    else if (event->amount < 0)
        air_take_out(air, -event->amount);
}

static void begin_event(struct world *world, const struct planned *event)
{
    assert(world->active_count < ACTIVE_MAX);
    if (world_is_failure(event->event) && !truth_in_trouble(&world->truth))
        world->twin = world->air;
    world->active[world->active_count++] = *event;
    world->going[event->event]++;
    truth_begin(&world->truth, event->event, world->time_ms);
    move_goods(&world->air, event);
    move_goods(&world->twin, event);
}

static void end_event(struct world *world, size_t index)
{
    enum world_event event = world->active[index].event;
    world->going[event]--;
    truth_end(&world->truth, event, world->time_ms);
    world->active_count--;
    memmove(&world->active[index], &world->active[index + 1],
            (world->active_count - index) * sizeof world->active[0]);
}

static void follow_plan(struct world *world)
{
    for (size_t i = world->active_count; i > 0; i--)
        if (world->active[i - 1].to_ms <= world->time_ms)
            end_event(world, i - 1);
    while (world->next < world->plan.count &&
           world->plan.events[world->next].from_ms <= world->time_ms)
        begin_event(world, &world->plan.events[world->next++]);
}

static void count_step(struct world_totals *totals, const struct forces *forces)
{
    totals->ran_ms += WORLD_STEP_MS;
    totals->door_ms += forces->door_open ? WORLD_STEP_MS : 0;
    totals->defrost_ms += forces->defrost_on ? WORLD_STEP_MS : 0;
    totals->on_duty_ms += forces->on_duty ? WORLD_STEP_MS : 0;
}

static double read_probe(const struct world *world)
{
    const struct world_params *params = world->params;
    uint64_t stream = rng_hash(world->options->seed, STREAM_NOISE);
    double noise = rng_hash_normal(stream, (uint64_t)world->time_ms);
    double noisy_C = world->air.probe_C + params->noise_K * noise;
    return round(noisy_C / params->resolution_K) * params->resolution_K;
}

/* What was read without a network arrives in one burst when the network is back. */
static int64_t arrival_ms(const struct world *world)
{
    int64_t latest_ms = world->time_ms;
    for (size_t i = 0; i < world->active_count; i++)
        if (world->active[i].event == WORLD_LATE_DATA &&
            world->active[i].to_ms > latest_ms)
            latest_ms = world->active[i].to_ms;
    return latest_ms + WAY_MS;
}

static void take_sample(struct world *world, const struct forces *forces)
{
    if (!forces->probe_stuck || world->totals->samples == 0)
        world->reading_C = read_probe(world);
    world->totals->samples++;
    if (world->sink->on_sample == NULL)
        return;
    struct world_sample sample = {
        .time_ms = world->time_ms,
        .arrival_ms = arrival_ms(world),
        .reading_C = world->reading_C,
        .door_open = forces->door_open,
        .defrost_on = forces->defrost_on,
        .compressor_on = world->air.compressor_on,
        .mains_on = forces->mains_on,
        .on_duty = forces->on_duty,
        .air_C = world->air.C,
        .goods_C = air_goods_C(&world->air),
        .outside_C = world->outside_C,
    };
    world->sink->on_sample(world->sink->context, &sample);
}

static void step_truth(struct world *world, bool on_duty)
{
    struct truth_facts facts = {.time_ms = world->time_ms,
                                .probe_C = world->air.probe_C,
                                .twin_C = world->air.probe_C,
                                .goods_C = air_goods_C(&world->air),
                                .on_duty = on_duty};
    if (truth_in_trouble(&world->truth))
        facts.twin_C = world->twin.probe_C;
    truth_step(&world->truth, &facts);
}

static void step_once(struct world *world)
{
    const struct world_params *params = world->params;
    if (world->time_ms % OUTSIDE_MS == 0)
        world->outside_C = plan_outside_C(params, world->options->seed, world->time_ms);
    follow_plan(world);
    struct forces forces = forces_of(world);
    air_control(&world->air, params, &forces);
    if (world->time_ms % world->options->cadence_ms == 0)
        take_sample(world, &forces);
    count_step(world->totals, &forces);
    air_step(&world->air, params, &forces);
    if (truth_in_trouble(&world->truth)) {
        struct forces usual = usual_forces(world);
        air_control(&world->twin, params, &usual);
        air_step(&world->twin, params, &usual);
    }
    world->time_ms += WORLD_STEP_MS;
    step_truth(world, forces.on_duty);
}

void world_run(const struct world_options *options, const struct world_sink *sink,
               struct world_totals *totals)
{
    assert(world_check(options, NULL) == ERR_OK);
    const struct world_params *params = world_params_of(options->kind);
    *totals = (struct world_totals){0};
    struct world world = {
        .options = options, .params = params, .sink = sink, .totals = totals};
    air_init(&world.air, params,
             0.3 + 0.7 * rng_hash_uniform(options->seed, STREAM_SHARE));
    world.twin = world.air;
    truth_init(&world.truth, params, sink, totals);
    plan_make(&world.plan, options);
    while (world.time_ms < options->days * WORLD_DAY_MS)
        step_once(&world);
    truth_finish(&world.truth, world.time_ms);
    assert(isfinite(world.air.C) && isfinite(world.air.probe_C));
    plan_fini(&world.plan);
}
