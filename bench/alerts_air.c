// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_air.h"

#include <assert.h>
#include <math.h>

#define STEP_S        (WORLD_STEP_MS / 1000.0)
#define REST_MS       (3 * WORLD_MINUTE_MS) /* of a compressor (assumed) */
#define PRESENT_SHARE 0.001                 /* less than that of a store is nothing */
#define MERGE_K       1.0                   /* goods brought in have become stock */
#define FALLEN_SHARE  0.4                   /* of the way outside: by the door's gap */
#define FALLEN_TAU_S  600.0                 /* it lies on something heavy */
#define OUTSIDE_SLOPE 0.01                  /* cooling lost per K outside, above: */
#define OUTSIDE_RATED 30.0
#define HEATER_MOST_C 30.0 /* a heater's limiter, and how gently it comes (assumed) */
#define HEATER_BAND_K 10.0

void air_init(struct air *air, const struct world_params *params, double share)
{
    *air = (struct air){.C = params->set_C,
                        .stock = {share, params->set_C},
                        .probe_C = params->set_C,
                        .compressor_since_ms = -REST_MS};
}

static void mix(struct goods *goods, double share, double C)
{
    assert(share > 0);
    double total = goods->share + share;
    goods->C = (goods->C * goods->share + C * share) / total;
    goods->share = total;
}

void air_bring(struct air *air, double share, double C)
{
    mix(&air->stock, share, C);
}

void air_bring_warm(struct air *air, double share, double C)
{
    mix(&air->incoming, share, C);
}

void air_take_out(struct air *air, double share)
{
    air->stock.share = fmax(0, air->stock.share - share);
}

void air_empty(struct air *air)
{
    air->stock.share = air->incoming.share = 0;
}

double air_goods_C(const struct air *air)
{
    return air->stock.share < PRESENT_SHARE ? (double)NAN : air->stock.C;
}

void air_control(struct air *air, const struct world_params *params,
                 const struct forces *forces)
{
    bool can_run =
        forces->on_duty && forces->mains_on && !forces->defrost_on && forces->power > 0;
    bool rested = forces->time_ms - air->compressor_since_ms >= REST_MS;
    bool was_on = air->compressor_on;
    if (!can_run || air->C <= params->set_C - params->differential_K / 2)
        air->compressor_on = false;
    else if (rested && air->C >= params->set_C + params->differential_K / 2)
        air->compressor_on = true;
    if (was_on != air->compressor_on)
        air->compressor_since_ms = forces->time_ms;
}

static double cooling_W(const struct air *air, const struct world_params *params,
                        const struct forces *forces)
{
    if (!air->compressor_on)
        return 0;
    double over_coil_K = air->C - (params->set_C - params->coil_K);
    double share = fmin(fmax(over_coil_K / params->coil_K, 0), params->cooling_most);
    double outside = 1 - OUTSIDE_SLOPE * (forces->outside_C - OUTSIDE_RATED);
    return params->cooling_W * share * fmin(fmax(outside, 0.5), 1.2) * forces->power;
}

static double heater_W(const struct air *air, const struct world_params *params)
{
    double share = (HEATER_MOST_C - air->C) / HEATER_BAND_K;
    return params->defrost_W * fmin(fmax(share, 0), 1);
}

/* The lag as an exact step; returns the heat that the goods gave to the air. */
static double step_goods(const struct air *air, const struct world_params *params,
                         struct goods *goods)
{
    if (goods->share < PRESENT_SHARE)
        return 0;
    double part = -expm1(-STEP_S / (params->goods_tau_h * 3600));
    double change_K = (air->C - goods->C) * part;
    goods->C += change_K;
    return -change_K * goods->share * params->goods_kJ_K * 1000 / STEP_S;
}

static void merge_incoming(struct air *air, const struct world_params *params)
{
    struct goods *incoming = &air->incoming;
    if (incoming->share < PRESENT_SHARE || incoming->C > params->high_C ||
        incoming->C < params->low_C)
        return;
    if (air->stock.share >= PRESENT_SHARE && fabs(incoming->C - air->stock.C) > MERGE_K)
        return;
    mix(&air->stock, incoming->share, incoming->C);
    incoming->share = 0;
}

static void step_probe(struct air *air, const struct world_params *params,
                       const struct forces *forces)
{
    if (forces->probe_stuck)
        return;
    double target_C = air->C;
    if (forces->probe_fallen)
        target_C += FALLEN_SHARE * (forces->outside_C - air->C);
    double tau_s = forces->probe_fallen ? FALLEN_TAU_S : params->probe_tau_s;
    air->probe_C += (target_C - air->probe_C) * -expm1(-STEP_S / tau_s);
}

void air_step(struct air *air, const struct world_params *params,
              const struct forces *forces)
{
    double door_W_K = forces->door_open ? params->door_W_K : 0;
    double air_W = (params->wall_W_K + door_W_K) * (forces->outside_C - air->C);
    air_W += step_goods(air, params, &air->stock);
    air_W += step_goods(air, params, &air->incoming);
    if (forces->on_duty && forces->mains_on)
        air_W += params->heat_W;
    if (forces->defrost_on)
        air_W += heater_W(air, params);
    air_W -= cooling_W(air, params, forces);
    air->C += air_W * STEP_S / (params->air_kJ_K * 1000);
    merge_incoming(air, params);
    step_probe(air, params, forces);
}
