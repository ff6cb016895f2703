// SPDX-License-Identifier: Apache-2.0
/*
 * sim_probe - what a sensor shows of a simulated zone: noise, resolution, its failures.
 *
 * Noise is a hash of channel and time, so that a program that restarts reads the same.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "edge-agent/sensors/sim.h"
#include "edge-agent/sensors/sim_world.h"
#include "telemetry/channel.h"

/* Two probes of one model differ by this much, one sigma (assumed). */
#define PROBE_OFFSET_K 0.1
/* Small three-phase compressors, per watt of cooling: COP 2.5 at 230 V (assumed). */
#define AMPERE_PER_W (1 / (2.5 * 230))

enum signal_kind { TEMPERATURE, HUMIDITY, EXACT };

typedef double signal_fn(const struct sim_zone *zone);

static double air_C(const struct sim_zone *zone)
{
    return zone->air_C;
}

static double product_C(const struct sim_zone *zone)
{
    return zone->product_C;
}

static double set_point_C(const struct sim_zone *zone)
{
    return zone->params.set_point_C;
}

static double outside_C(const struct sim_zone *zone)
{
    return sim_outside_C(&zone->params, zone->time_ms);
}

static double coil_C(const struct sim_zone *zone)
{
    return zone->coil_C;
}

/* The coil gives the air most of its own temperature on the way through. */
static double supply_C(const struct sim_zone *zone)
{
    return zone->coil_C + 0.3 * (zone->air_C - zone->coil_C);
}

static double door(const struct sim_zone *zone)
{
    return zone->door_open;
}

static double defrost(const struct sim_zone *zone)
{
    return zone->defrost_on;
}

static double compressor(const struct sim_zone *zone)
{
    return zone->compressor_on;
}

static double mains(const struct sim_zone *zone)
{
    return zone->mains_on;
}

static double battery(const struct sim_zone *zone)
{
    return zone->battery_pct;
}

static double current_A(const struct sim_zone *zone)
{
    if (!zone->mains_on)
        return 0;
    const struct sim_params *params = &zone->params;
    return (zone->compressor_on ? params->cooling_W * AMPERE_PER_W : 0) +
           (zone->heater_on ? params->defrost_W / 230 : 0) +
           (zone->defrost_on ? 0 : params->fan_W / 230);
}

static double latitude(const struct sim_zone *zone)
{
    return sim_place_at(&zone->params, zone->time_ms).latitude;
}

static double longitude(const struct sim_zone *zone)
{
    return sim_place_at(&zone->params, zone->time_ms).longitude;
}

static const struct {
    const char *quantity;
    enum signal_kind kind;
    double resolution; /* EXACT; 0: as it is */
    signal_fn *of;
} signals[] = {
    {"air_temperature", TEMPERATURE, 0, air_C},
    {"product_temperature", TEMPERATURE, 0, product_C},
    {"supply_temperature", TEMPERATURE, 0, supply_C},
    {"return_temperature", TEMPERATURE, 0, air_C},
    {"ambient_temperature", TEMPERATURE, 0, outside_C},
    {"evaporator_temperature", TEMPERATURE, 0, coil_C},
    {"set_point", EXACT, 0.1, set_point_C},
    {"humidity", HUMIDITY, 0, sim_humidity},
    {"door", EXACT, 0, door},
    {"defrost", EXACT, 0, defrost},
    {"compressor", EXACT, 0, compressor},
    {"current", EXACT, 0.1, current_A},
    {"mains", EXACT, 0, mains},
    {"battery", EXACT, 1, battery},
    {"latitude", EXACT, 1e-5, latitude},
    {"longitude", EXACT, 1e-5, longitude},
};
#define SIGNAL_COUNT (sizeof signals / sizeof signals[0])

static enum err unknown(const char *channel, struct err_text *why)
{
    struct buf known = {0};
    for (size_t i = 0; i < SIGNAL_COUNT; i++)
        buf_format(&known, "%s%s", i == 0 ? "" : ", ", signals[i].quantity);
    enum err err = err_set(why, ERR_NOT_FOUND, "the simulator has no '%s'; it has %s",
                           channel, known.data);
    buf_fini(&known);
    return err;
}

enum err sim_probe_init(struct sim_probe *probe, const char *channel, uint64_t seed,
                        struct err_text *why)
{
    struct channel parsed = {0};
    if (channel_parse(&parsed, channel) != ERR_OK)
        return err_set(why, ERR_INVALID, "'%s' is no name of a channel", channel);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (strcmp(signals[i].quantity, parsed.quantity) != 0)
            continue;
        *probe = (struct sim_probe){
            .signal = (int)i,
            .seed = rng_hash(seed, rng_seed_of(channel)),
            .last = NAN,
        };
        memcpy(probe->channel, parsed.name, sizeof probe->channel);
        return ERR_OK;
    }
    return unknown(channel, why);
}

/* The double nearest to the decimal, so that it is short on the wire. */
static double rounded(double value, double resolution)
{
    if (resolution <= 0)
        return value;
    if (resolution >= 1)
        return round(value / resolution) * resolution;
    double steps = round(1 / resolution);
    return round(value * steps) / steps;
}

static double measured(const struct sim_probe *probe, const struct sim_zone *zone)
{
    const struct sim_params *params = &zone->params;
    double truth = signals[probe->signal].of(zone);
    double noise = rng_hash_normal(probe->seed, (uint64_t)zone->time_ms);
    switch (signals[probe->signal].kind) {
    case TEMPERATURE:
        truth += PROBE_OFFSET_K * rng_hash_normal(probe->seed, 0);
        return rounded(truth + params->noise_K * noise, params->resolution_K);
    case HUMIDITY:
        return rounded(fmin(100, fmax(0, truth + params->noise_rh * noise)),
                       params->resolution_rh);
    case EXACT:
        break;
    }
    return rounded(truth, signals[probe->signal].resolution);
}

enum quality sim_probe_read(struct sim_probe *probe, const struct sim_zone *zone,
                            double *value)
{
    assert((size_t)probe->signal < SIGNAL_COUNT);
    const struct sim_params *params = &zone->params;
    *value = NAN;
    if (sim_fault_at(params, SIM_PROBE_MISSING, probe->channel, zone->time_ms) != NULL)
        return QUALITY_OPEN;
    bool stuck =
        sim_fault_at(params, SIM_PROBE_STUCK, probe->channel, zone->time_ms) != NULL;
    if (!stuck || isnan(probe->last))
        probe->last = measured(probe, zone);
    *value = probe->last;
    return QUALITY_GOOD;
}
