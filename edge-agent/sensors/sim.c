// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/sim.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "edge-agent/sensors/sim_world.h"

#define STEP_S      (SIM_STEP_MS / 1000.0)
#define MINUTE_MS   60000
#define HOUR_MS     3600000
#define CATCH_UP_MS (48 * (int64_t)HOUR_MS)
#define AIR_KG_M3   1.2
#define AIR_J_KGK   1005.0
/* A compressor that was switched off rests before it starts again (assumed). */
#define REST_MS (3 * MINUTE_MS)
/* The heater's thermostat: the coil is free of ice when it is this warm (assumed). */
#define COIL_CLEAR_C 10.0
/* Still air carries this share of what the fan does (assumed). */
#define STILL_SHARE 0.15
/* Compressors lose power with a colder coil and hotter outside air, per K (assumed). */
#define COIL_SLOPE      0.03
#define OUTSIDE_SLOPE   0.01
#define OUTSIDE_RATED   30.0
#define COIL_RATED      7.0
#define BATTERY_HOURS   8.0
#define RESPIRATION_Q10 3.0 /* 0-10 C, USDA Handbook 66 */

static double air_J_K(const struct sim_params *params)
{
    return params->air_kJ_K * 1000;
}

static double product_J_K(const struct sim_zone *zone)
{
    return zone->product_kg * zone->params.product_kJ_kgK * 1000;
}

static double product_W_K(const struct sim_zone *zone)
{
    return product_J_K(zone) / (zone->params.product_tau_h * 3600);
}

/* Fresh states at the time, with what was loaded up to it. */
static void settle(struct sim_zone *zone, int64_t time_ms)
{
    const struct sim_params *params = &zone->params;
    zone->time_ms = time_ms;
    zone->air_C = params->set_point_C;
    zone->coil_C = params->set_point_C;
    zone->product_kg = params->product_kg;
    zone->product_C = params->product_C;
    zone->vapour_kg_m3 = 0.9 * sim_saturation_kg_m3(params->set_point_C);
    zone->frost_kg = 0;
    zone->battery_pct = 100;
    zone->compressor_on = false;
    zone->compressor_since_ms = time_ms - REST_MS;
    zone->mains_on = true;
}

void sim_init(struct sim_zone *zone, const struct sim_params *params)
{
    assert(sim_check(params, NULL) == ERR_OK);
    memset(zone, 0, sizeof *zone);
    zone->params = *params;
    settle(zone, params->origin_ms);
}

static void take_load(struct sim_zone *zone, const struct sim_load *load)
{
    assert(zone->product_kg >= 0);
    double before_J = product_J_K(zone) * zone->product_C;
    if (load->mass_kg <= 0) {
        zone->product_kg = fmax(0, zone->product_kg + load->mass_kg);
    } else {
        double total_kg = zone->product_kg + load->mass_kg;
        zone->product_C =
            (zone->product_C * zone->product_kg + load->temperature_C * load->mass_kg) /
            total_kg;
        zone->product_kg = total_kg;
    }
    zone->received_J += product_J_K(zone) * zone->product_C - before_J;
}

static void take_loads(struct sim_zone *zone)
{
    const struct sim_params *params = &zone->params;
    while (zone->loads_done < params->load_count) {
        const struct sim_load *load = &params->loads[zone->loads_done];
        if (params->origin_ms + load->after_ms > zone->time_ms)
            return;
        take_load(zone, load);
        zone->loads_done++;
    }
}

static bool defrost_is_due(const struct sim_params *params, int64_t time_ms)
{
    if (params->defrost_every_h <= 0)
        return false;
    int64_t every_ms = (int64_t)(params->defrost_every_h * HOUR_MS);
    int64_t since_ms = time_ms - params->origin_ms;
    /* The first one comes after a whole interval. */
    return since_ms >= every_ms &&
           since_ms % every_ms < (int64_t)(params->defrost_min * MINUTE_MS);
}

static void control_defrost(struct sim_zone *zone)
{
    bool due = zone->mains_on && defrost_is_due(&zone->params, zone->time_ms);
    if (due && !zone->defrost_on) {
        zone->defrost_on = true;
        zone->heater_on = true;
    }
    if (zone->coil_C >= COIL_CLEAR_C)
        zone->heater_on = false;
    if (!due) {
        zone->defrost_on = false;
        zone->heater_on = false;
    }
}

static void switch_compressor(struct sim_zone *zone, bool on)
{
    if (zone->compressor_on == on)
        return;
    zone->compressor_on = on;
    zone->compressor_since_ms = zone->time_ms;
}

static void control_compressor(struct sim_zone *zone)
{
    const struct sim_params *params = &zone->params;
    bool can_run = zone->mains_on && !zone->defrost_on &&
                   sim_fault_at(params, SIM_COMPRESSOR_DEAD, NULL, zone->time_ms) == NULL;
    bool rested = zone->time_ms - zone->compressor_since_ms >= REST_MS;
    if (!can_run || zone->air_C <= params->set_point_C - params->differential_K / 2)
        switch_compressor(zone, false);
    else if (rested && zone->air_C >= params->set_point_C + params->differential_K / 2)
        switch_compressor(zone, true);
}

static double compressor_W(const struct sim_zone *zone)
{
    if (!zone->compressor_on)
        return 0;
    const struct sim_params *params = &zone->params;
    double coil = 1 + COIL_SLOPE * (zone->coil_C - (params->set_point_C - COIL_RATED));
    double outside =
        1 - OUTSIDE_SLOPE * (sim_outside_C(params, zone->time_ms) - OUTSIDE_RATED);
    const struct sim_fault *weak =
        sim_fault_at(params, SIM_COMPRESSOR_WEAK, NULL, zone->time_ms);
    double left = weak != NULL ? weak->factor : 1;
    return left * params->cooling_W * fmin(fmax(coil, 0.2), 1.4) *
           fmin(fmax(outside, 0.5), 1.2);
}

static double respiration_W(const struct sim_zone *zone)
{
    double warmth = pow(RESPIRATION_Q10, (fmin(zone->product_C, 40) - 5) / 10);
    return zone->product_kg / 1000 * zone->params.respiration_W_t * warmth;
}

/* Explicit Euler: sim_check() keeps every time constant well above the step. */
static void step_heat(struct sim_zone *zone, bool fan_on)
{
    const struct sim_params *params = &zone->params;
    double fan_share = fan_on ? 1 : STILL_SHARE;
    double door_W_K = zone->door_open ? params->door_m3_s * AIR_KG_M3 * AIR_J_KGK : 0;
    double outside_C = sim_outside_C(params, zone->time_ms);
    double wall_W = params->wall_W_K * (sim_skin_C(params, zone->time_ms) - zone->air_C);
    double door_W = door_W_K * (outside_C - zone->air_C);
    double fan_W = fan_on ? params->fan_W : 0;
    double to_coil_W = fan_share * params->coil_W_K * (zone->air_C - zone->coil_C);
    double from_product_W = product_W_K(zone) * (zone->product_C - zone->air_C);
    double heater_W = zone->heater_on ? params->defrost_W : 0;
    double cooling_W = compressor_W(zone);
    double life_W = respiration_W(zone);

    double air_W = wall_W + door_W + fan_W + from_product_W - to_coil_W;
    zone->air_C += air_W * STEP_S / air_J_K(params);
    zone->coil_C +=
        (to_coil_W + heater_W - cooling_W) * STEP_S / (params->coil_kJ_K * 1000);
    if (zone->product_kg > 0)
        zone->product_C += (life_W - from_product_W) * STEP_S / product_J_K(zone);
    zone->received_J +=
        (wall_W + door_W + fan_W + heater_W + life_W - cooling_W) * STEP_S;
}

/* Vapour passes skin, door and coil by its density; frost gives back what it took. */
static void step_vapour(struct sim_zone *zone, bool fan_on)
{
    const struct sim_params *params = &zone->params;
    double vapour = zone->vapour_kg_m3;
    double coil_m3_s =
        (fan_on ? 1 : STILL_SHARE) * params->coil_W_K / (AIR_KG_M3 * AIR_J_KGK);
    double to_coil = coil_m3_s * (vapour - sim_saturation_kg_m3(zone->coil_C)) * STEP_S;
    to_coil = fmax(to_coil, -zone->frost_kg);
    double skin_m3_s = params->transpiration_m3_s_t * zone->product_kg / 1000;
    double from_product =
        skin_m3_s * fmax(0, sim_saturation_kg_m3(zone->product_C) - vapour) * STEP_S;
    double door_m3_s = zone->door_open ? params->door_m3_s : 0;
    double from_door =
        door_m3_s * (sim_outside_vapour(params, zone->time_ms) - vapour) * STEP_S;
    zone->frost_kg += to_coil;
    vapour += (from_product + from_door - to_coil) / params->volume_m3;
    /* What the air cannot hold drips. */
    zone->vapour_kg_m3 = fmin(fmax(vapour, 0), sim_saturation_kg_m3(zone->air_C));
}

static void step_battery(struct sim_zone *zone)
{
    double change = 100 * STEP_S / (BATTERY_HOURS * 3600);
    zone->battery_pct += zone->mains_on ? change : -change;
    zone->battery_pct = fmin(fmax(zone->battery_pct, 0), 100);
}

static void step_once(struct sim_zone *zone)
{
    const struct sim_params *params = &zone->params;
    bool was_defrosting = zone->defrost_on;
    take_loads(zone);
    zone->mains_on = sim_fault_at(params, SIM_MAINS_LOST, NULL, zone->time_ms) == NULL;
    zone->door_open = sim_door_open(params, zone->time_ms);
    control_defrost(zone);
    control_compressor(zone);
    if (was_defrosting && !zone->defrost_on)
        zone->frost_kg = 0; /* it ran off through the drain */
    bool fan_on = zone->mains_on && !zone->defrost_on;
    step_heat(zone, fan_on);
    step_vapour(zone, fan_on);
    step_battery(zone);
    zone->time_ms += SIM_STEP_MS;
}

void sim_step(struct sim_zone *zone, int64_t now_ms)
{
    if (now_ms - zone->time_ms > CATCH_UP_MS) {
        int64_t since_ms = now_ms - CATCH_UP_MS - zone->params.origin_ms;
        settle(zone, zone->params.origin_ms + since_ms / SIM_STEP_MS * SIM_STEP_MS);
        zone->loads_done = 0;
        take_loads(zone);
    }
    while (now_ms - zone->time_ms >= SIM_STEP_MS)
        step_once(zone);
    assert(isfinite(zone->air_C) && isfinite(zone->product_C) && isfinite(zone->coil_C));
}

double sim_humidity(const struct sim_zone *zone)
{
    assert(zone->vapour_kg_m3 >= 0);
    return fmin(100, 100 * zone->vapour_kg_m3 / sim_saturation_kg_m3(zone->air_C));
}

double sim_stored_J(const struct sim_zone *zone)
{
    return air_J_K(&zone->params) * zone->air_C +
           zone->params.coil_kJ_K * 1000 * zone->coil_C +
           product_J_K(zone) * zone->product_C;
}
