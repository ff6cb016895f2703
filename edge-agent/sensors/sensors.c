// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/sensors.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "edge-agent/sensors/devfile.h"
#include "edge-agent/sensors/diagnose.h"

/* The whole registry, in plain sight. */
static const struct sensor_ops *const all_sensors[] = {
    &sensor_null_ops,  &sensor_sim_ops, &sensor_replay_ops,
    &sensor_sysfs_ops, &sensor_w1_ops,  &sensor_exec_ops,
};
#define SENSOR_COUNT (sizeof all_sensors / sizeof all_sensors[0])

struct sensor {
    const struct sensor_ops *ops;
    const struct sensor_settings *settings;
    void *state;
    struct diagnose *diagnoses; /* of each channel */
    struct channel_note *notes;
    bool has_ended;
};

const struct sensor_ops *sensor_find(const char *driver)
{
    for (size_t i = 0; i < SENSOR_COUNT; i++)
        if (strcmp(all_sensors[i]->name, driver) == 0)
            return all_sensors[i];
    return NULL;
}

const struct sensor_ops *sensor_at(size_t index)
{
    return index < SENSOR_COUNT ? all_sensors[index] : NULL;
}

void samples_fini(struct samples *samples)
{
    free(samples->list);
    *samples = (struct samples){0};
}

void samples_clear(struct samples *samples)
{
    samples->count = 0;
    samples->has_more = false;
}

void samples_add(struct samples *samples, int64_t time_ms, size_t channel, double value,
                 enum quality quality)
{
    assert(channel < SENSOR_CHANNELS_MAX);
    mem_grow(&samples->list, &samples->capacity, samples->count + 1,
             sizeof *samples->list);
    samples->list[samples->count++] = (struct sample){
        .time_ms = time_ms,
        .value = quality == QUALITY_GOOD ? value : (double)NAN,
        .channel = (uint16_t)channel,
        .quality = quality,
    };
}

enum err sensor_open(struct sensor **sensor, const struct sensor_settings *settings,
                     int64_t origin_ms, struct err_text *why)
{
    assert(settings->channel_count <= SENSOR_CHANNELS_MAX);
    *sensor = NULL;
    const struct sensor_ops *ops = sensor_find(settings->driver);
    if (ops == NULL)
        return err_set(why, ERR_NOT_FOUND, "sensor %s: there is no driver '%s'",
                       settings->name, settings->driver);
    struct err_text reason = {0};
    void *state = NULL;
    enum err err = ops->open(&state, settings, origin_ms, &reason);
    if (err != ERR_OK)
        return err_set(why, err, "sensor %s: %s", settings->name, reason.text);
    *sensor = mem_alloc(sizeof **sensor);
    **sensor = (struct sensor){.ops = ops, .settings = settings, .state = state};
    size_t count = settings->channel_count;
    (*sensor)->diagnoses = mem_array(count, sizeof(struct diagnose));
    (*sensor)->notes = mem_array(count, sizeof(struct channel_note));
    return ERR_OK;
}

void sensor_close(struct sensor *sensor)
{
    if (sensor == NULL)
        return;
    sensor->ops->close(sensor->state);
    free(sensor->diagnoses);
    free(sensor->notes);
    free(sensor);
}

enum err sensor_resume(struct sensor *sensor, uint64_t cursor)
{
    if (sensor->ops->resume == NULL)
        return ERR_INVALID;
    return sensor->ops->resume(sensor->state, cursor);
}

bool sensor_is_resumable(const struct sensor *sensor)
{
    return sensor->ops->resume != NULL;
}

enum err sensor_failed(const struct sensor_settings *settings, enum err err,
                       int64_t now_ms, struct samples *samples)
{
    assert(err != ERR_OK);
    log_warn("sensor failed name=%s reason=\"%s\"", settings->name, err_about(err));
    samples_clear(samples);
    for (size_t i = 0; i < settings->channel_count; i++)
        samples_add(samples, now_ms, i, (double)NAN,
                    err == ERR_TIMEOUT ? QUALITY_TIMEOUT : QUALITY_FAULT);
    return ERR_OK;
}

static void diagnose_all(struct sensor *sensor, struct samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        struct sample *sample = &samples->list[i];
        size_t at = sample->channel;
        assert(at < sensor->settings->channel_count);
        const struct sensor_channel *channel = &sensor->settings->channels[at];
        if (sample->quality != QUALITY_GOOD)
            continue;
        sample->quality = diagnose_value(&sensor->diagnoses[at], channel, sample->time_ms,
                                         sample->value);
        char reason[80];
        snprintf(reason, sizeof reason, "it reads %g, beyond what is configured",
                 sample->value);
        channel_note(&sensor->notes[at], sensor->settings->name, channel->name,
                     sample->quality, reason);
        if (sample->quality != QUALITY_GOOD)
            sample->value = (double)NAN;
    }
}

enum err sensor_read(struct sensor *sensor, int64_t now_ms, struct samples *samples)
{
    assert(now_ms >= 0);
    samples_clear(samples);
    if (sensor->has_ended)
        return ERR_NOT_FOUND;
    enum err err = sensor->ops->read(sensor->state, now_ms, samples);
    if (err == ERR_NOT_FOUND)
        sensor->has_ended = true;
    diagnose_all(sensor, samples);
    if (err == ERR_OK || err == ERR_NOT_FOUND)
        return err;
    return sensor_failed(sensor->settings, err, now_ms, samples);
}

bool sensor_has_ended(const struct sensor *sensor)
{
    return sensor->has_ended;
}

const struct sensor_settings *sensor_settings_of(const struct sensor *sensor)
{
    return sensor->settings;
}

double sensor_calibrate(const struct sensor_channel *channel, double raw)
{
    return raw * channel->gain + channel->offset;
}

bool sensor_is_calibrated(const struct sensor_channel *channel)
{
    return channel->gain != 1 || channel->offset != 0;
}
