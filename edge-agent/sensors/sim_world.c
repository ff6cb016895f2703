// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/sim_world.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"

#define TWO_PI     6.283185307179586
#define MINUTE_MS  60000
#define HOUR_MS    3600000
#define DAY_MS     86400000
#define WARMEST_H  15.0 /* local time; the air lags the sun */
#define WORK_FROM  6    /* working hours of a packing house, assumed */
#define WORK_TO    20
#define WEATHER_MS (3 * (int64_t)HOUR_MS) /* between two knots of the weather's noise */
#define DOOR_SLOT  (5 * (int64_t)MINUTE_MS)

/* Streams of the one seed. */
enum { STREAM_WEATHER = 0x77, STREAM_DOOR = 0xd0, STREAM_DOOR_START, STREAM_DOOR_LENGTH };

static bool fault_holds(const struct sim_fault *fault, int64_t since_ms)
{
    int64_t at_ms = since_ms - fault->after_ms;
    if (at_ms < 0)
        return false;
    if (fault->every_ms > 0)
        at_ms %= fault->every_ms;
    return fault->for_ms == 0 || at_ms < fault->for_ms;
}

const struct sim_fault *sim_fault_at(const struct sim_params *params,
                                     enum sim_fault_kind kind, const char *channel,
                                     int64_t time_ms)
{
    for (size_t i = 0; i < params->fault_count; i++) {
        const struct sim_fault *fault = &params->faults[i];
        bool concerns = channel == NULL || fault->channel[0] == '\0' ||
                        strcmp(fault->channel, channel) == 0;
        if (fault->kind == kind && concerns &&
            fault_holds(fault, time_ms - params->origin_ms))
            return fault;
    }
    return NULL;
}

static int64_t local_ms_of_day(const struct sim_params *params, int64_t time_ms)
{
    int64_t local_ms = time_ms + (int64_t)params->utc_offset_min * MINUTE_MS;
    int64_t of_day = local_ms % DAY_MS;
    return of_day < 0 ? of_day + DAY_MS : of_day;
}

/* Smooth noise: normal values every three hours, joined by cosines. */
static double weather_noise(const struct sim_params *params, int64_t time_ms)
{
    uint64_t seed = rng_hash(params->seed, STREAM_WEATHER);
    int64_t knot = time_ms / WEATHER_MS;
    double part = (double)(time_ms % WEATHER_MS) / (double)WEATHER_MS;
    double blend = (1 - cos(part * TWO_PI / 2)) / 2;
    return (1 - blend) * rng_hash_normal(seed, (uint64_t)knot) +
           blend * rng_hash_normal(seed, (uint64_t)knot + 1);
}

double sim_outside_C(const struct sim_params *params, int64_t time_ms)
{
    double hour = (double)local_ms_of_day(params, time_ms) / HOUR_MS;
    return params->outside_C +
           params->outside_swing_K * cos((hour - WARMEST_H) / 24 * TWO_PI) +
           params->outside_noise_K * weather_noise(params, time_ms);
}

double sim_skin_C(const struct sim_params *params, int64_t time_ms)
{
    double hour = (double)local_ms_of_day(params, time_ms) / HOUR_MS;
    double sun = cos((hour - 12) / 24 * TWO_PI);
    return sim_outside_C(params, time_ms) + params->sun_K * fmax(0, sun);
}

double sim_saturation_kg_m3(double temperature_C)
{
    double pascal = 611.2 * exp(17.62 * temperature_C / (243.12 + temperature_C));
    return pascal / (461.5 * (temperature_C + 273.15));
}

double sim_outside_vapour(const struct sim_params *params, int64_t time_ms)
{
    double dew = fmin(params->outside_dew_C, sim_outside_C(params, time_ms));
    return sim_saturation_kg_m3(dew);
}

/* At most one opening in each five minutes of the working day. */
static bool room_door_open(const struct sim_params *params, int64_t time_ms)
{
    int64_t hour = local_ms_of_day(params, time_ms) / HOUR_MS;
    if (hour < WORK_FROM || hour >= WORK_TO)
        return false;
    uint64_t slot = (uint64_t)(time_ms / DOOR_SLOT);
    double chance = params->doors_per_h * (double)DOOR_SLOT / HOUR_MS;
    if (rng_hash_uniform(rng_hash(params->seed, STREAM_DOOR), slot) >= chance)
        return false;
    double length_ms =
        params->door_min * MINUTE_MS *
        (0.5 + rng_hash_uniform(rng_hash(params->seed, STREAM_DOOR_LENGTH), slot));
    length_ms = fmin(length_ms, (double)DOOR_SLOT);
    double start_ms = ((double)DOOR_SLOT - length_ms) *
                      rng_hash_uniform(rng_hash(params->seed, STREAM_DOOR_START), slot);
    double at_ms = (double)(time_ms % DOOR_SLOT);
    return at_ms >= start_ms && at_ms < start_ms + length_ms;
}

static struct sim_place standing(const struct sim_stop *stop, double minute)
{
    /* The door opens in the middle of the standing time. */
    double from = (stop->stand_min - stop->door_min) / 2;
    return (struct sim_place){
        .latitude = stop->latitude,
        .longitude = stop->longitude,
        .is_standing = true,
        .door_open = minute >= from && minute < from + stop->door_min,
    };
}

static struct sim_place driving(const struct sim_stop *from, const struct sim_stop *to,
                                double part)
{
    return (struct sim_place){
        .latitude = from->latitude + part * (to->latitude - from->latitude),
        .longitude = from->longitude + part * (to->longitude - from->longitude),
    };
}

struct sim_place sim_place_at(const struct sim_params *params, int64_t time_ms)
{
    assert(params->stop_count <= SIM_STOPS_MAX);
    double round_min = 0;
    for (size_t i = 0; i < params->stop_count; i++)
        round_min += params->stops[i].drive_min + params->stops[i].stand_min;
    if (round_min <= 0)
        return (struct sim_place){0};
    double minute =
        fmod(fmax(0, (double)(time_ms - params->origin_ms)) / MINUTE_MS, round_min);
    for (size_t i = 0; i < params->stop_count; i++) {
        const struct sim_stop *stop = &params->stops[i];
        if (minute < stop->stand_min)
            return standing(stop, minute);
        minute -= stop->stand_min;
        const struct sim_stop *next = &params->stops[(i + 1) % params->stop_count];
        if (minute < next->drive_min)
            return driving(stop, next, minute / next->drive_min);
        minute -= next->drive_min;
    }
    return standing(&params->stops[0], 0);
}

bool sim_door_open(const struct sim_params *params, int64_t time_ms)
{
    if (sim_fault_at(params, SIM_DOOR_OPEN, NULL, time_ms) != NULL)
        return true;
    if (params->stop_count > 0)
        return sim_place_at(params, time_ms).door_open;
    return room_door_open(params, time_ms);
}
