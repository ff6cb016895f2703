// SPDX-License-Identifier: Apache-2.0
/*
 * sensor_w1 - thermometers on the 1-Wire bus (DS18B20), through the kernel's w1_therm.
 *
 * A probe takes 750 ms, one after the other, on a thread of its own. Wiring and
 * configuration: docs/sensors/w1.md.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "edge-agent/sensors/channel_unit.h"
#include "edge-agent/sensors/devfile.h"
#include "edge-agent/sensors/poller.h"
#include "edge-agent/sensors/w1_parse.h"

#define PROBE_MS 800 /* a conversion of 12 bits, and the bus */
#define LIST_MS  5000
#define PLACE    512

struct w1_probe {
    char channel[ID_SIZE];
    char id[W1_ID_LEN + 1];
    struct channel_note note;
    double last_C;
    int64_t last_ms; /* real; 0: none */
};

/* Owned by the poller's thread, which may outlive the settings. */
struct w1_sensor {
    char *name;
    char *root;
    int64_t timeout_ms;
    bool has_listed;
    size_t count;
    struct w1_probe probes[SENSOR_CHANNELS_MAX];
};

static void w1_fini(void *context)
{
    struct w1_sensor *sensor = context;
    free(sensor->name);
    free(sensor->root);
    free(sensor);
}

/* ---- the bus ---- */

static const char *base_of(const char *root)
{
    return strcmp(root, "/") == 0 ? "" : root;
}

static enum err read_file(const char *root, const char *id, const char *name,
                          int64_t end_ms, struct devfile *file, struct err_text *why)
{
    char path[PLACE];
    int len = snprintf(path, sizeof path, "%s/sys/bus/w1/devices/%s/%s", base_of(root),
                       id, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return err_set(why, ERR_LIMIT, "%s is too long a path", root);
    return devfile_read(file, end_ms, path, why);
}

/* w1_slave shows the wire itself; kernels without it have `temperature` alone. */
static struct w1_answer read_probe(const char *root, const char *id, int64_t end_ms,
                                   struct err_text *why)
{
    struct devfile file = {.len = 0};
    enum err err = read_file(root, id, "w1_slave", end_ms, &file, why);
    if (err == ERR_OK)
        return w1_parse_slave(file.text, file.len);
    if (err == ERR_NOT_FOUND)
        err = read_file(root, id, "temperature", end_ms, &file, why);
    if (err == ERR_OK)
        return w1_parse_temperature(file.text, file.len);
    return (struct w1_answer){.quality = devfile_quality(err),
                              .value_C = (double)NAN,
                              .reason = why != NULL ? why->text : ""};
}

/* Calls `each` with every thermometer below every master; how many masters there are. */
static size_t walk(const char *root, void *context,
                   void (*each)(void *context, const char *id))
{
    char path[PLACE];
    size_t masters = 0;
    snprintf(path, sizeof path, "%s/sys/bus/w1/devices", base_of(root));
    DIR *bus = opendir(path);
    const struct dirent *master;
    while (bus != NULL && (master = readdir(bus)) != NULL) {
        if (strncmp(master->d_name, "w1_bus_master", 13) != 0)
            continue;
        masters++;
        char below[PLACE + 280];
        snprintf(below, sizeof below, "%s/%s", path, master->d_name);
        DIR *dir = opendir(below);
        const struct dirent *slave;
        while (dir != NULL && (slave = readdir(dir)) != NULL)
            if (w1_is_thermometer(slave->d_name))
                each(context, slave->d_name);
        if (dir != NULL)
            closedir(dir);
    }
    if (bus != NULL)
        closedir(bus);
    return masters;
}

/* ---- reading ---- */

static void tell_unknown(void *context, const char *id)
{
    const struct w1_sensor *sensor = context;
    for (size_t i = 0; i < sensor->count; i++)
        if (strcmp(sensor->probes[i].id, id) == 0)
            return;
    log_info("a probe on the bus belongs to no channel sensor=%s probe=%s", sensor->name,
             id);
}

static void look_around(struct w1_sensor *sensor)
{
    sensor->has_listed = true;
    if (walk(sensor->root, sensor, tell_unknown) == 0)
        log_warn("there is no 1-Wire bus sensor=%s remedy=\"load w1-gpio or the driver "
                 "of your adapter, and w1_therm (docs/sensors/w1.md)\"",
                 sensor->name);
}

/* 85 degrees is believed beside neighbours only. */
static void judge_85(const struct w1_probe *probe, struct w1_answer *answer)
{
    int64_t age_ms = probe->last_ms > 0 ? clock_real_ms() - probe->last_ms : -1;
    if (answer->quality == QUALITY_STARTUP && w1_is_plausible_85(probe->last_C, age_ms))
        answer->quality = QUALITY_GOOD;
}

static void poll_probe(struct w1_sensor *sensor, size_t at, int64_t now_ms,
                       int64_t end_ms, struct samples *samples)
{
    struct w1_probe *probe = &sensor->probes[at];
    struct err_text why = {0};
    int64_t begun_ms = clock_real_ms();
    struct w1_answer answer = read_probe(sensor->root, probe->id, end_ms, &why);
    judge_85(probe, &answer);
    double value = answer.value_C;
    if (answer.quality == QUALITY_GOOD) {
        probe->last_C = value;
        probe->last_ms = clock_real_ms();
        if (channel_unit(&value, "Cel", probe->channel, NULL) != ERR_OK)
            answer.quality = QUALITY_FAULT; /* refused when it was opened */
    }
    channel_note(&probe->note, sensor->name, probe->channel, answer.quality,
                 answer.reason);
    samples_add(samples, now_ms + (clock_real_ms() - begun_ms) / 2, at, value,
                answer.quality);
}

static void w1_poll(void *context, int64_t now_ms, struct samples *samples)
{
    struct w1_sensor *sensor = context;
    int64_t begun_ms = clock_real_ms();
    if (!sensor->has_listed)
        look_around(sensor);
    for (size_t i = 0; i < sensor->count; i++)
        poll_probe(sensor, i, now_ms + clock_real_ms() - begun_ms,
                   begun_ms + sensor->timeout_ms, samples);
}

/* ---- opening ---- */

static enum err take_probe(struct w1_probe *probe, const struct sensor_channel *channel,
                           struct err_text *why)
{
    double value = 0;
    struct err_text reason = {0};
    if (channel->probe == NULL || !w1_is_thermometer(channel->probe))
        return err_set(why, ERR_INVALID,
                       "channel '%s' needs a probe such as 28-0316a2795dff, not '%s'; "
                       "`coldchain-agent sensors` lists those on the bus",
                       channel->name, channel->probe != NULL ? channel->probe : "");
    if (channel_unit(&value, "Cel", channel->name, &reason) != ERR_OK)
        return err_set(why, ERR_INVALID, "channel '%s': %s", channel->name, reason.text);
    memcpy(probe->channel, channel->name, strlen(channel->name) + 1);
    memcpy(probe->id, channel->probe, sizeof probe->id);
    return ERR_OK;
}

static enum err take_all(struct w1_sensor *sensor, const struct sensor_settings *settings,
                         struct err_text *why)
{
    int64_t needs_ms = PROBE_MS * (int64_t)settings->channel_count;
    for (size_t i = 0; i < settings->channel_count; i++) {
        enum err err = take_probe(&sensor->probes[i], &settings->channels[i], why);
        if (err != ERR_OK)
            return err;
        sensor->count++;
    }
    if (settings->interval_ms < needs_ms || settings->timeout_ms < needs_ms)
        return err_set(why, ERR_INVALID,
                       "%zu probes on one bus take %lld ms: interval and timeout must be "
                       "longer",
                       sensor->count, (long long)needs_ms);
    return ERR_OK;
}

static enum err w1_open(void **state, const struct sensor_settings *settings,
                        int64_t origin_ms, struct err_text *why)
{
    (void)origin_ms;
    struct w1_sensor *sensor = mem_alloc(sizeof *sensor);
    sensor->timeout_ms = settings->timeout_ms;
    sensor->name = mem_strdup(settings->name);
    sensor->root = mem_strdup(settings->root);
    enum err err = take_all(sensor, settings, why);
    if (err != ERR_OK) {
        w1_fini(sensor);
        return err;
    }
    *state = poller_create(&(struct poller_options){.interval_ms = settings->interval_ms,
                                                    .timeout_ms = settings->timeout_ms,
                                                    .context = sensor,
                                                    .poll = w1_poll,
                                                    .fini = w1_fini});
    return ERR_OK;
}

static enum err w1_read(void *state, int64_t now_ms, struct samples *samples)
{
    return poller_read(state, now_ms, samples);
}

static void w1_close(void *state)
{
    poller_destroy(state);
}

/* ---- listing ---- */

struct w1_listing {
    const char *root;
    void *context;
    sensor_found_fn *found;
};

static void list_probe(void *context, const char *id)
{
    const struct w1_listing *listing = context;
    struct err_text why = {0};
    struct w1_answer answer =
        read_probe(listing->root, id, clock_real_ms() + LIST_MS, &why);
    struct sensor_found one = {.driver = "w1",
                               .probe = id,
                               .unit = "Cel",
                               .value = answer.value_C,
                               .quality = answer.quality,
                               .reason = answer.reason};
    listing->found(listing->context, &one);
}

static void w1_list(const char *root, void *context, sensor_found_fn *found)
{
    struct w1_listing listing = {.root = root, .context = context, .found = found};
    walk(root, &listing, list_probe);
}

const struct sensor_ops sensor_w1_ops = {
    .name = "w1",
    .help = "thermometers on the 1-Wire bus: DS18B20 and its kin",
    .open = w1_open,
    .read = w1_read,
    .close = w1_close,
    .list = w1_list,
};
