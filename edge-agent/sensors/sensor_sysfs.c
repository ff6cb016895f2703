// SPDX-License-Identifier: Apache-2.0
/*
 * sensor_sysfs - values that the Linux kernel measures: hwmon and IIO.
 *
 * A chip that vanished reads OPEN and is looked for again each time, by name. Wiring and
 * configuration: docs/sensors/sysfs.md.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge-agent/sensors/channel_unit.h"
#include "edge-agent/sensors/devfile.h"
#include "edge-agent/sensors/poller.h"
#include "edge-agent/sensors/sysfs_probe.h"

struct sysfs_channel {
    char name[ID_SIZE];
    struct sysfs_probe probe;
    struct channel_note note;
};

/* Owned by the poller's thread, which may outlive the settings. */
struct sysfs_sensor {
    char *name;
    char *root;
    int64_t timeout_ms;
    size_t count;
    struct sysfs_channel channels[SENSOR_CHANNELS_MAX];
};

static void sysfs_fini(void *context)
{
    struct sysfs_sensor *sensor = context;
    free(sensor->name);
    free(sensor->root);
    free(sensor);
}

static void poll_channel(struct sysfs_sensor *sensor, size_t at, int64_t now_ms,
                         int64_t end_ms, struct samples *samples)
{
    struct sysfs_channel *channel = &sensor->channels[at];
    struct sysfs_answer answer;
    sysfs_read(&channel->probe, sensor->root, end_ms, &answer);
    if (answer.quality == QUALITY_GOOD &&
        channel_unit(&answer.value, answer.unit, channel->name, &answer.reason) != ERR_OK)
        answer.quality = QUALITY_FAULT;
    channel_note(&channel->note, sensor->name, channel->name, answer.quality,
                 answer.reason.text);
    samples_add(samples, now_ms, at, answer.value, answer.quality);
}

static void sysfs_poll(void *context, int64_t now_ms, struct samples *samples)
{
    struct sysfs_sensor *sensor = context;
    int64_t end_ms = clock_real_ms() + sensor->timeout_ms;
    for (size_t i = 0; i < sensor->count; i++)
        poll_channel(sensor, i, now_ms, end_ms, samples);
}

/* A probe that is written by its input says its unit before it is ever read. */
static enum err take_channel(struct sysfs_channel *channel,
                             const struct sensor_channel *settings, struct err_text *why)
{
    double divide;
    double value = 0;
    struct err_text reason = {0};
    if (settings->probe == NULL)
        return err_set(why, ERR_INVALID,
                       "channel '%s' has no probe: give hwmon/CHIP/temp1 or "
                       "iio/CHIP/temp, see `coldchain-agent sensors`",
                       settings->name);
    enum err err = sysfs_parse(&channel->probe, settings->probe, why);
    if (err != ERR_OK)
        return err;
    const char *unit = sysfs_unit(channel->probe.is_iio, channel->probe.input, &divide);
    if (unit == NULL && channel->probe.is_iio)
        return err_set(why, ERR_INVALID, "channel '%s': no IIO channel '%s' is known",
                       settings->name, channel->probe.input);
    if (unit != NULL && channel_unit(&value, unit, settings->name, &reason) != ERR_OK)
        return err_set(why, ERR_INVALID, "channel '%s', probe %s: %s", settings->name,
                       settings->probe, reason.text);
    memcpy(channel->name, settings->name, strlen(settings->name) + 1);
    return ERR_OK;
}

static enum err sysfs_open(void **state, const struct sensor_settings *settings,
                           int64_t origin_ms, struct err_text *why)
{
    (void)origin_ms;
    struct sysfs_sensor *sensor = mem_alloc(sizeof *sensor);
    sensor->count = settings->channel_count;
    sensor->timeout_ms = settings->timeout_ms;
    sensor->name = mem_strdup(settings->name);
    sensor->root = mem_strdup(settings->root);
    for (size_t i = 0; i < sensor->count; i++) {
        enum err err = take_channel(&sensor->channels[i], &settings->channels[i], why);
        if (err != ERR_OK) {
            sysfs_fini(sensor);
            return err;
        }
    }
    *state = poller_create(&(struct poller_options){.interval_ms = settings->interval_ms,
                                                    .timeout_ms = settings->timeout_ms,
                                                    .context = sensor,
                                                    .poll = sysfs_poll,
                                                    .fini = sysfs_fini});
    return ERR_OK;
}

static enum err sysfs_read_all(void *state, int64_t now_ms, struct samples *samples)
{
    return poller_read(state, now_ms, samples);
}

static void sysfs_close(void *state)
{
    poller_destroy(state);
}

const struct sensor_ops sensor_sysfs_ops = {
    .name = "sysfs",
    .help = "what the Linux kernel measures: hwmon and IIO",
    .open = sysfs_open,
    .read = sysfs_read_all,
    .close = sysfs_close,
    .list = sysfs_list,
};
