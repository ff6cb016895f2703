// SPDX-License-Identifier: Apache-2.0
/*
 * sim_presets - a room and a van with plausible numbers, and what makes numbers usable.
 *
 * Sources: walls 0.25 W/m2K is 100 mm of polyurethane foam, vans 0.4 W/m2K is the limit
 * of ATP class "IR"; produce at 3.8 kJ/kgK is citrus with 87 % water (Siebel); navel
 * oranges breathe 2-4 ml CO2 per kg and hour at 5 C (UC Davis), which is 16 W/t; room
 * cooling takes 7 to 21 hours for 7/8 of the way (time constant near 10 h); defrosts and
 * doors have the shape of recorded series (a door adds up to 20 K/min to a freezer, a
 * defrost 2 K/min for half an hour). Everything else is assumed.
 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "edge-agent/sensors/sim.h"

/* A producing-area cold store: 300 m3, 20 t of navel oranges in crates. */
static const struct sim_params room = {
    .seed = 1,
    .volume_m3 = 300,
    .air_kJ_K = 1800, /* air five times over */
    .wall_W_K = 90,   /* 290 m2 with the floor */
    .door_m3_s = 0.6,
    .doors_per_h = 2,
    .door_min = 1.5,
    .product_kg = 20000,
    .product_C = 5.5,
    .product_kJ_kgK = 3.8,
    .product_tau_h = 10,
    .respiration_W_t = 16,
    .transpiration_m3_s_t = 0.04,
    .set_point_C = 5.5,
    .differential_K = 1.2,
    .cooling_W = 8000,
    .coil_W_K = 1000,
    .coil_kJ_K = 60,
    .fan_W = 400,
    .defrost_every_h = 8,
    .defrost_min = 20,
    .defrost_W = 5000,
    .outside_C = 18,
    .outside_swing_K = 5,
    .outside_noise_K = 1,
    .outside_dew_C = 13,
    .sun_K = 3,
    .utc_offset_min = 480,
    .noise_K = 0.04,
    .resolution_K = 0.1,
    .noise_rh = 0.4,
    .resolution_rh = 0.1,
};

/* A refrigerated van of 10 m3 with 800 kg, on the road from Wushan to Fengjie. */
static const struct sim_params van = {
    .seed = 1,
    .volume_m3 = 10,
    .air_kJ_K = 60,
    .wall_W_K = 13, /* 32 m2 */
    .door_m3_s = 0.25,
    .product_kg = 800,
    .product_C = 4,
    .product_kJ_kgK = 3.8,
    .product_tau_h = 6,
    .respiration_W_t = 16,
    .transpiration_m3_s_t = 0.04,
    .set_point_C = 4,
    .differential_K = 1.5,
    .cooling_W = 2200,
    .coil_W_K = 250,
    .coil_kJ_K = 10,
    .fan_W = 120,
    .defrost_every_h = 4,
    .defrost_min = 8,
    .defrost_W = 1500,
    .outside_C = 24,
    .outside_swing_K = 5,
    .outside_noise_K = 1,
    .outside_dew_C = 16,
    .sun_K = 10,
    .utc_offset_min = 480,
    .noise_K = 0.05,
    .resolution_K = 0.1,
    .noise_rh = 0.5,
    .resolution_rh = 0.1,
    .stops =
        {
            {.latitude = 31.0747,
             .longitude = 109.8790,
             .stand_min = 20,
             .door_min = 8,
             .drive_min = 100},
            {.latitude = 31.0500,
             .longitude = 109.6400,
             .stand_min = 6,
             .door_min = 2,
             .drive_min = 45},
            {.latitude = 31.0182,
             .longitude = 109.4640,
             .stand_min = 25,
             .door_min = 10,
             .drive_min = 40},
        },
    .stop_count = 3,
};

static const struct {
    const char *name;
    const struct sim_params *params;
} presets[] = {
    {"room", &room},
    {"van", &van},
};

enum err sim_preset(struct sim_params *params, const char *name, struct err_text *why)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (strcmp(presets[i].name, name) == 0) {
            *params = *presets[i].params;
            return ERR_OK;
        }
    }
    return err_set(why, ERR_NOT_FOUND, "no simulated zone '%s' (there are room and van)",
                   name);
}

static const struct {
    const char *name;
    size_t offset;
    double lowest;
    double highest;
} limits[] = {
#define LIMIT(field, lowest, highest) \
    { \
#field, offsetof(struct sim_params, field), lowest, highest \
    }
    LIMIT(volume_m3, 0.1, 1e6),      LIMIT(air_kJ_K, 0.1, 1e7),
    LIMIT(wall_W_K, 0, 1e6),         LIMIT(door_m3_s, 0, 100),
    LIMIT(doors_per_h, 0, 12),       LIMIT(door_min, 0, 5),
    LIMIT(product_kg, 0, 1e8),       LIMIT(product_C, -60, 60),
    LIMIT(product_kJ_kgK, 0.5, 10),  LIMIT(product_tau_h, 0.05, 500),
    LIMIT(respiration_W_t, 0, 500),  LIMIT(transpiration_m3_s_t, 0, 10),
    LIMIT(set_point_C, -40, 30),     LIMIT(differential_K, 0.1, 10),
    LIMIT(cooling_W, 0, 1e7),        LIMIT(coil_W_K, 1, 1e6),
    LIMIT(coil_kJ_K, 0.1, 1e6),      LIMIT(fan_W, 0, 1e6),
    LIMIT(defrost_every_h, 0, 1000), LIMIT(defrost_min, 0, 120),
    LIMIT(defrost_W, 0, 1e6),        LIMIT(outside_C, -60, 60),
    LIMIT(outside_swing_K, 0, 40),   LIMIT(outside_noise_K, 0, 10),
    LIMIT(outside_dew_C, -60, 40),   LIMIT(sun_K, 0, 60),
    LIMIT(noise_K, 0, 10),           LIMIT(resolution_K, 0, 5),
    LIMIT(noise_rh, 0, 20),          LIMIT(resolution_rh, 0, 10),
#undef LIMIT
};

#define LIMIT_COUNT (sizeof limits / sizeof limits[0])

static double field_of(const struct sim_params *params, size_t offset)
{
    double value;
    memcpy(&value, (const char *)params + offset, sizeof value);
    return value;
}

static enum err check_limit(size_t index, double value, struct err_text *why)
{
    if (value >= limits[index].lowest && value <= limits[index].highest)
        return ERR_OK;
    return err_set(why, ERR_INVALID, "%s = %g is not within %g and %g",
                   limits[index].name, value, limits[index].lowest,
                   limits[index].highest);
}

static enum err unknown_parameter(const char *name, struct err_text *why)
{
    struct buf known = {0};
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        buf_format(&known, "%s%s", i == 0 ? "" : ", ", limits[i].name);
    enum err err =
        err_set(why, ERR_NOT_FOUND, "no parameter '%s'; there are %s", name, known.data);
    buf_fini(&known);
    return err;
}

enum err sim_set(struct sim_params *params, const char *name, const char *text,
                 struct err_text *why)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        if (strcmp(limits[i].name, name) != 0)
            continue;
        char *end = NULL;
        double value = strtod(text, &end);
        if (end == text || *end != '\0')
            return err_set(why, ERR_INVALID, "%s: '%s' is no number", name, text);
        memcpy((char *)params + limits[i].offset, &value, sizeof value);
        return check_limit(i, value, why);
    }
    return unknown_parameter(name, why);
}

/* Explicit steps stay true while they are short beside every time constant. */
static enum err check_stability(const struct sim_params *params, struct err_text *why)
{
    double step_s = SIM_STEP_MS / 1000.0;
    double most_kg = params->product_kg;
    for (size_t i = 0; i < params->load_count; i++)
        most_kg += fmax(0, params->loads[i].mass_kg);
    double product_W_K =
        most_kg * params->product_kJ_kgK * 1000 / (params->product_tau_h * 3600);
    double air_W_K =
        params->wall_W_K + params->door_m3_s * 1206 + params->coil_W_K + product_W_K;
    double vapour_m3_s = params->coil_W_K / 1206 + params->door_m3_s +
                         params->transpiration_m3_s_t * most_kg / 1000;
    if (air_W_K * step_s > 0.5 * params->air_kJ_K * 1000)
        return err_set(why, ERR_INVALID,
                       "air_kJ_K is too small for walls, door, coil and product");
    if (params->coil_W_K * step_s > 0.5 * params->coil_kJ_K * 1000)
        return err_set(why, ERR_INVALID, "coil_kJ_K is too small for coil_W_K");
    if (vapour_m3_s * step_s > 0.5 * params->volume_m3)
        return err_set(why, ERR_INVALID,
                       "volume_m3 is too small for coil, door and product");
    return ERR_OK;
}

static enum err check_schedules(const struct sim_params *params, struct err_text *why)
{
    for (size_t i = 0; i < params->fault_count; i++) {
        const struct sim_fault *fault = &params->faults[i];
        if (fault->after_ms < 0 || fault->for_ms < 0 || fault->every_ms < 0)
            return err_set(why, ERR_INVALID, "fault %zu: times are not negative", i + 1);
        if (!(fault->factor >= 0 && fault->factor <= 1))
            return err_set(why, ERR_INVALID, "fault %zu: factor is 0 to 1", i + 1);
    }
    for (size_t i = 1; i < params->load_count; i++)
        if (params->loads[i].after_ms < params->loads[i - 1].after_ms)
            return err_set(why, ERR_INVALID, "load %zu comes before load %zu", i + 1, i);
    for (size_t i = 0; i < params->stop_count; i++)
        if (!(params->stops[i].drive_min >= 0 && params->stops[i].door_min >= 0 &&
              params->stops[i].stand_min >= params->stops[i].door_min))
            return err_set(why, ERR_INVALID,
                           "stop %zu: the door is open longer than the van stands",
                           i + 1);
    return ERR_OK;
}

enum err sim_check(const struct sim_params *params, struct err_text *why)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++) {
        enum err err = check_limit(i, field_of(params, limits[i].offset), why);
        if (err != ERR_OK)
            return err;
    }
    if (params->origin_ms < 0)
        return err_set(why, ERR_INVALID, "the simulation begins before 1970");
    enum err err = check_stability(params, why);
    return err == ERR_OK ? check_schedules(params, why) : err;
}

static const char *const fault_names[] = {
#define X(name, text) text,
    SIM_FAULT_LIST(X)
#undef X
};

bool sim_fault_parse(enum sim_fault_kind *kind, const char *name)
{
    for (size_t i = 0; i < sizeof fault_names / sizeof fault_names[0]; i++) {
        if (strcmp(fault_names[i], name) == 0) {
            *kind = (enum sim_fault_kind)i;
            return true;
        }
    }
    return false;
}

const char *sim_fault_name(enum sim_fault_kind kind)
{
    return fault_names[kind];
}
