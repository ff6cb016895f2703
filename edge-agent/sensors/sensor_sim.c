// SPDX-License-Identifier: Apache-2.0
/*
 * sensor_sim - reads a simulated zone: each channel by the quantity in its name.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "edge-agent/sensors/sensor.h"
#include "edge-agent/sensors/sim.h"

struct sim_sensor {
    struct sim_zone zone;
    struct sim_probe *probes;
    size_t count;
};

#define MINUTE_MS 60000.0

static enum err take_faults(struct sim_params *params, const struct sensor_sim *settings,
                            struct err_text *why)
{
    if (settings->fault_count > SIM_FAULTS_MAX)
        return err_set(why, ERR_LIMIT, "more than %d faults", SIM_FAULTS_MAX);
    for (size_t i = 0; i < settings->fault_count; i++) {
        const struct sensor_sim_fault *from = &settings->faults[i];
        struct sim_fault *to = &params->faults[params->fault_count++];
        *to = (struct sim_fault){
            .kind = (enum sim_fault_kind)from->kind,
            .after_ms = from->after_ms,
            .for_ms = from->for_ms,
            .every_ms = from->every_ms,
            .factor = from->factor,
        };
        if (from->channel != NULL && strlen(from->channel) < sizeof to->channel)
            memcpy(to->channel, from->channel, strlen(from->channel));
    }
    return ERR_OK;
}

static enum err take_loads(struct sim_params *params, const struct sensor_sim *settings,
                           struct err_text *why)
{
    if (settings->load_count > SIM_LOADS_MAX)
        return err_set(why, ERR_LIMIT, "more than %d loads", SIM_LOADS_MAX);
    for (size_t i = 0; i < settings->load_count; i++)
        params->loads[params->load_count++] = (struct sim_load){
            .after_ms = settings->loads[i].after_ms,
            .mass_kg = settings->loads[i].mass_kg,
            .temperature_C = settings->loads[i].temperature_C,
        };
    return ERR_OK;
}

static enum err take_stops(struct sim_params *params, const struct sensor_sim *settings,
                           struct err_text *why)
{
    if (settings->stop_count > SIM_STOPS_MAX)
        return err_set(why, ERR_LIMIT, "more than %d stops", SIM_STOPS_MAX);
    if (settings->stop_count > 0)
        params->stop_count = 0; /* instead of the preset's */
    for (size_t i = 0; i < settings->stop_count; i++)
        params->stops[params->stop_count++] = (struct sim_stop){
            .latitude = settings->stops[i].latitude,
            .longitude = settings->stops[i].longitude,
            .drive_min = (double)settings->stops[i].drive_ms / MINUTE_MS,
            .stand_min = (double)settings->stops[i].stand_ms / MINUTE_MS,
            .door_min = (double)settings->stops[i].door_ms / MINUTE_MS,
        };
    return ERR_OK;
}

static enum err take_settings(struct sim_params *params,
                              const struct sensor_sim *settings, int64_t origin_ms,
                              struct err_text *why)
{
    enum err err = sim_preset(params, settings->zone, why);
    params->seed = (uint64_t)settings->seed;
    params->origin_ms = origin_ms;
    for (size_t i = 0; i < settings->parameter_count && err == ERR_OK; i++)
        err = sim_set(params, settings->parameters[i].name, settings->parameters[i].value,
                      why);
    if (err == ERR_OK)
        err = take_faults(params, settings, why);
    if (err == ERR_OK)
        err = take_loads(params, settings, why);
    if (err == ERR_OK)
        err = take_stops(params, settings, why);
    return err == ERR_OK ? sim_check(params, why) : err;
}

static enum err make_probes(struct sim_sensor *sensor,
                            const struct sensor_settings *settings, struct err_text *why)
{
    sensor->count = settings->channel_count;
    sensor->probes = mem_array(sensor->count, sizeof *sensor->probes);
    for (size_t i = 0; i < sensor->count; i++) {
        enum err err = sim_probe_init(&sensor->probes[i], settings->channels[i].name,
                                      (uint64_t)settings->sim.seed, why);
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

static void sim_close(void *state)
{
    struct sim_sensor *sensor = state;
    free(sensor->probes);
    free(sensor);
}

static enum err sim_open(void **state, const struct sensor_settings *settings,
                         int64_t origin_ms, struct err_text *why)
{
    struct sim_params params = {0};
    enum err err = take_settings(&params, &settings->sim, origin_ms, why);
    if (err != ERR_OK)
        return err;
    struct sim_sensor *sensor = mem_alloc(sizeof *sensor);
    sim_init(&sensor->zone, &params);
    err = make_probes(sensor, settings, why);
    if (err != ERR_OK) {
        sim_close(sensor);
        return err;
    }
    *state = sensor;
    return ERR_OK;
}

static enum err sim_read(void *state, int64_t now_ms, struct samples *samples)
{
    struct sim_sensor *sensor = state;
    assert(sensor->count > 0);
    sim_step(&sensor->zone, now_ms);
    for (size_t i = 0; i < sensor->count; i++) {
        double value;
        enum quality quality = sim_probe_read(&sensor->probes[i], &sensor->zone, &value);
        samples_add(samples, now_ms, i, value, quality);
    }
    return ERR_OK;
}

const struct sensor_ops sensor_sim_ops = {
    .name = "sim",
    .help = "a simulated cold room or van, with failures on a schedule",
    .open = sim_open,
    .read = sim_read,
    .close = sim_close,
};
