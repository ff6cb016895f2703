// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sampler.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "edge-agent/sensors/sensors.h"

/* Points of the grid that are read before the loop gets its turn. */
#define READS_PER_TICK 500
#define CONGESTED_MS   20
#define TICK_MAX_MS    3600000

struct source {
    struct sensor *sensor;
    size_t first_channel; /* of the recorder */
    int64_t next_ms;      /* on the grid */
    uint64_t id;
    bool has_more;
};

struct sampler {
    struct sampler_options options;
    struct source *sources;
    size_t count;
    struct loop_timer *timer;
    struct samples samples;
    struct sampler_counts counts;
    bool is_stopped;
    bool has_ended;
};

/* ---- reading ---- */

static void take_sample(struct sampler *sampler, const struct source *source,
                        const struct sample *sample)
{
    assert(sample->channel < sensor_settings_of(source->sensor)->channel_count);
    const struct sensor_channel *channel =
        &sensor_settings_of(source->sensor)->channels[sample->channel];
    bool is_calibrated = sensor_is_calibrated(channel);
    struct reading reading = {
        .time_ms = sample->time_ms,
        .value = sensor_calibrate(channel, sample->value),
        .raw = is_calibrated ? sample->value : (double)NAN,
        .quality = (uint8_t)sample->quality,
    };
    recorder_take(sampler->options.recorder, source->first_channel + sample->channel,
                  &reading);
    sampler->counts.taken++;
    sampler->counts.bad += sample->quality != QUALITY_GOOD;
}

/* Samples of one time belong together: no pack ends between them. */
static enum err take_samples(struct sampler *sampler, const struct source *source)
{
    const struct samples *samples = &sampler->samples;
    enum err err = ERR_OK;
    for (size_t i = 0; i < samples->count && err == ERR_OK; i++) {
        const struct sample *sample = &samples->list[i];
        take_sample(sampler, source, sample);
        if (i + 1 < samples->count && sample[1].time_ms == sample->time_ms &&
            sample[1].cursor == sample->cursor)
            continue;
        if (sample->cursor > 0)
            recorder_set_cursor(sampler->options.recorder, source->id, sample->cursor);
        err = recorder_close_pack(sampler->options.recorder, false);
    }
    return err;
}

static enum err read_source(struct sampler *sampler, struct source *source,
                            int64_t wall_ms)
{
    if (sensor_read(source->sensor, wall_ms, &sampler->samples) == ERR_NOT_FOUND)
        log_info("sensor has ended name=%s", sensor_settings_of(source->sensor)->name);
    source->has_more = sampler->samples.has_more;
    if (sensor_is_resumable(source->sensor))
        sampler->counts.expected += sampler->samples.count;
    return take_samples(sampler, source);
}

/* Whether a point of the grid is to be read, or is past and gone. */
static bool is_missed(const struct sampler *sampler, const struct source *source,
                      int64_t boot_ms)
{
    return clock_may_step(sampler->options.clock) &&
           source->next_ms + sensor_settings_of(source->sensor)->interval_ms <= boot_ms;
}

static void expect(struct sampler *sampler, const struct source *source)
{
    /* A recorded series promises its rows, not a rate. */
    if (!sensor_is_resumable(source->sensor))
        sampler->counts.expected += sensor_settings_of(source->sensor)->channel_count;
}

static enum err read_due(struct sampler *sampler, struct source *source, int64_t boot_ms,
                         int64_t wall_ms, int *reads)
{
    const struct sensor_settings *settings = sensor_settings_of(source->sensor);
    enum err err = ERR_OK;
    while (err == ERR_OK && source->next_ms <= boot_ms && *reads > 0 &&
           !sensor_has_ended(source->sensor)) {
        expect(sampler, source);
        if (!is_missed(sampler, source, boot_ms)) {
            err = read_source(sampler, source, wall_ms - (boot_ms - source->next_ms));
            (*reads)--;
        }
        source->next_ms += settings->interval_ms;
    }
    return err;
}

/* Sensors that could go on at once, while the uplink keeps up. */
static enum err read_more(struct sampler *sampler, struct source *source, int64_t wall_ms,
                          int *reads)
{
    enum err err = ERR_OK;
    while (err == ERR_OK && source->has_more && *reads > 0 &&
           !sampler->options.is_congested(sampler->options.context)) {
        err = read_source(sampler, source, wall_ms);
        *reads -= READS_PER_TICK / 10;
    }
    return err;
}

/* ---- time ---- */

/* A clock that never steps is looked at once: two looks would not be of one moment. */
static int64_t grid_ms(const struct sampler *sampler)
{
    const struct clock *clock = sampler->options.clock;
    return clock_may_step(clock) ? clock_boot_ms(clock) : clock_wall_ms(clock);
}

static int64_t real_delay(const struct sampler *sampler, int64_t at_ms)
{
    const struct clock *clock = sampler->options.clock;
    int64_t delay_ms = at_ms - grid_ms(sampler);
    if (delay_ms <= 0)
        return 0;
    double rate = clock->is_virtual ? clock->rate : 1;
    assert(rate > 0);
    double real_ms = ceil((double)delay_ms / rate);
    return real_ms > TICK_MAX_MS ? TICK_MAX_MS : (int64_t)real_ms;
}

static void arm(struct sampler *sampler)
{
    int64_t delay_ms = TICK_MAX_MS;
    for (size_t i = 0; i < sampler->count; i++) {
        const struct source *source = &sampler->sources[i];
        if (sensor_has_ended(source->sensor))
            continue;
        int64_t next_ms = real_delay(sampler, source->next_ms);
        if (source->has_more)
            next_ms = sampler->options.is_congested(sampler->options.context)
                          ? CONGESTED_MS
                          : 0;
        if (next_ms < delay_ms)
            delay_ms = next_ms;
    }
    int64_t due_ms = recorder_due_ms(sampler->options.recorder);
    if (due_ms != 0) {
        int64_t close_ms = due_ms - clock_real_ms();
        /* What the disk does not take is tried again, not spun on. */
        if (close_ms < CONGESTED_MS)
            close_ms = CONGESTED_MS;
        if (close_ms < delay_ms)
            delay_ms = close_ms;
    }
    loop_timer_arm(sampler->timer, delay_ms);
}

static bool all_ended(const struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->count; i++)
        if (!sensor_has_ended(sampler->sources[i].sensor))
            return false;
    return true;
}

static enum err read_all(struct sampler *sampler)
{
    int64_t boot_ms = grid_ms(sampler);
    int64_t wall_ms = clock_may_step(sampler->options.clock)
                          ? clock_wall_ms(sampler->options.clock)
                          : boot_ms;
    enum err err = ERR_OK;
    int reads = READS_PER_TICK;
    for (size_t i = 0; i < sampler->count && err == ERR_OK; i++) {
        err = read_due(sampler, &sampler->sources[i], boot_ms, wall_ms, &reads);
        if (err == ERR_OK)
            err = read_more(sampler, &sampler->sources[i], wall_ms, &reads);
    }
    return err;
}

static void on_tick(void *context)
{
    struct sampler *sampler = context;
    assert(!sampler->has_ended);
    if (sampler->is_stopped)
        return;
    enum err err = recorder_watch_clock(sampler->options.recorder);
    if (err == ERR_OK)
        err = read_all(sampler);
    bool ends = all_ended(sampler);
    if (err == ERR_OK)
        err = recorder_close_pack(sampler->options.recorder, ends);
    if (err == ERR_OK)
        err = recorder_commit(sampler->options.recorder);
    if (err != ERR_OK) {
        sampler->is_stopped = true;
        sampler->options.on_failed(sampler->options.context, err);
        return;
    }
    if (ends && recorder_waiting(sampler->options.recorder) == 0) {
        sampler->is_stopped = true;
        sampler->has_ended = true;
        sampler->options.on_ended(sampler->options.context);
        return;
    }
    arm(sampler);
}

/* ---- opening ---- */

static void resume(const struct sampler *sampler, struct source *source)
{
    uint64_t cursor;
    if (!sensor_is_resumable(source->sensor) ||
        !spool_cursor(sampler->options.spool, source->id, &cursor))
        return;
    const char *name = sensor_settings_of(source->sensor)->name;
    if (sensor_resume(source->sensor, cursor) == ERR_OK)
        log_info("sensor goes on name=%s behind=%llu", name, (unsigned long long)cursor);
    else
        log_warn("sensor cannot go on where it was name=%s behind=%llu", name,
                 (unsigned long long)cursor);
}

static enum err open_sources(struct sampler *sampler, struct err_text *why)
{
    const struct settings *settings = sampler->options.settings;
    const struct clock *clock = sampler->options.clock;
    int64_t boot_ms = grid_ms(sampler);
    int64_t wall_ms = clock->is_virtual ? boot_ms : clock_wall_ms(clock);
    int64_t origin_ms = clock->is_virtual ? clock->origin_wall_ms : wall_ms;
    size_t channel = 0;
    sampler->sources = mem_array(settings->sensor_count, sizeof *sampler->sources);
    for (size_t i = 0; i < settings->sensor_count; i++) {
        const struct sensor_settings *sensor = &settings->sensors[i];
        assert(sensor->interval_ms > 0);
        struct source *source = &sampler->sources[i];
        enum err err = sensor_open(&source->sensor, sensor, origin_ms, why);
        if (err != ERR_OK)
            return err;
        sampler->count++;
        source->id = rng_seed_of(sensor->name);
        source->first_channel = channel;
        channel += sensor->channel_count;
        /* The grid is that of the wall clock now, and of the boot clock from now on. */
        source->next_ms =
            boot_ms + sensor->interval_ms - 1 - (wall_ms - 1) % sensor->interval_ms;
        resume(sampler, source);
    }
    return ERR_OK;
}

enum err sampler_open(struct sampler **sampler, const struct sampler_options *options,
                      struct err_text *why)
{
    assert(options->is_congested != NULL && options->on_ended != NULL);
    assert(options->on_failed != NULL);
    *sampler = NULL;
    struct sampler *made = mem_alloc(sizeof *made);
    made->options = *options;
    made->timer = loop_timer_create(options->loop, on_tick, made);
    enum err err = open_sources(made, why);
    if (err != ERR_OK) {
        sampler_close(made);
        return err;
    }
    arm(made);
    *sampler = made;
    return ERR_OK;
}

void sampler_close(struct sampler *sampler)
{
    if (sampler == NULL)
        return;
    loop_timer_destroy(sampler->timer);
    for (size_t i = 0; i < sampler->count; i++)
        sensor_close(sampler->sources[i].sensor);
    free(sampler->sources);
    samples_fini(&sampler->samples);
    free(sampler);
}

void sampler_stop(struct sampler *sampler)
{
    sampler->is_stopped = true;
    loop_timer_cancel(sampler->timer);
}

bool sampler_has_ended(const struct sampler *sampler)
{
    return sampler->has_ended;
}

const struct sampler_counts *sampler_counts(const struct sampler *sampler)
{
    return &sampler->counts;
}
