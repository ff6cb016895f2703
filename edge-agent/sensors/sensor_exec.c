// SPDX-License-Identifier: Apache-2.0
/*
 * sensor_exec - any program that prints SenML (RFC 8428), JSON or CBOR.
 *
 * It is run for each reading and ends by itself. After a failure it is left alone for a
 * while, longer each time. The command comes from this machine's configuration file and
 * from nowhere else. Contract and examples: docs/sensors/exec.md.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/program.h"
#include "edge-agent/sensors/channel_unit.h"
#include "edge-agent/sensors/devfile.h"
#include "edge-agent/sensors/poller.h"
#include "telemetry/senml.h"

#define PAUSE_MAX_MS INT64_C(300000)
#define READINGS_MAX 10000 /* in one output */

struct exec_channel {
    char name[ID_SIZE];
    char *record; /* the name in the SenML */
    bool is_seen; /* in the output at hand */
    struct channel_note note;
};

/* Owned by the poller's thread, which may outlive the settings. */
struct exec_sensor {
    char *name;
    char **argv; /* NULL at the end */
    int64_t interval_ms;
    int64_t timeout_ms;
    size_t output_max;
    int64_t pause_ms;     /* after the next failure */
    int64_t resume_ms;    /* real; before that it is left alone */
    struct err_text last; /* failure */
    enum quality last_quality;
    size_t count;
    struct exec_channel channels[SENSOR_CHANNELS_MAX];
};

static void exec_fini(void *context)
{
    struct exec_sensor *sensor = context;
    for (size_t i = 0; sensor->argv != NULL && sensor->argv[i] != NULL; i++)
        free(sensor->argv[i]);
    for (size_t i = 0; i < sensor->count; i++)
        free(sensor->channels[i].record);
    free(sensor->argv);
    free(sensor->name);
    free(sensor);
}

/* ---- what it printed ---- */

struct taking {
    struct exec_sensor *sensor;
    struct samples *samples;
    int64_t now_ms;
};

static size_t find_channel(const struct exec_sensor *sensor, const char *name)
{
    size_t at = 0;
    while (at < sensor->count && strcmp(sensor->channels[at].record, name) != 0)
        at++;
    return at;
}

/* "open", "fault", ... as `vs` is a reading of that quality. */
static enum quality quality_of(const struct senml_record *record)
{
    char name[ID_SIZE] = "";
    enum quality quality = QUALITY_FAULT;
    if (record->kind == SENML_STRING && record->text_len < sizeof name) {
        memcpy(name, record->text, record->text_len);
        if (!quality_parse(&quality, name) || quality == QUALITY_GOOD)
            quality = QUALITY_FAULT;
    }
    return quality;
}

static enum err take_record(void *context, const struct senml_record *record,
                            struct err_text *why)
{
    const struct taking *taking = context;
    size_t at = find_channel(taking->sensor, record->name);
    if (at == taking->sensor->count || record->kind == SENML_NONE)
        return ERR_OK; /* it may print more than is wanted */
    struct exec_channel *channel = &taking->sensor->channels[at];
    double value = record->value;
    int64_t time_ms;
    bool is_value = record->kind == SENML_NUMBER || record->kind == SENML_BOOL;
    struct err_text reason = {.text = "the program says so"};
    enum quality quality = is_value ? QUALITY_GOOD : quality_of(record);
    if (taking->samples->count >= READINGS_MAX)
        return err_set(why, ERR_LIMIT, "more than %d readings", READINGS_MAX);
    if (!senml_time(&time_ms, record->time_s, taking->now_ms))
        return err_set(why, ERR_INVALID, "the time of '%s' is no date", record->name);
    if (is_value && channel_unit(&value, record->unit, channel->name, &reason) != ERR_OK)
        quality = QUALITY_FAULT;
    samples_add(taking->samples, time_ms, at, value, quality);
    channel->is_seen = true;
    channel_note(&channel->note, taking->sensor->name, channel->name, quality,
                 reason.text);
    return ERR_OK;
}

static enum err pass_label(void *context, const struct senml_label *label,
                           struct err_text *why)
{
    (void)context;
    (void)label;
    (void)why;
    return ERR_OK;
}

static void all_bad(struct exec_sensor *sensor, int64_t now_ms, enum quality quality,
                    const char *reason, bool only_unseen, struct samples *samples)
{
    for (size_t i = 0; i < sensor->count; i++) {
        struct exec_channel *channel = &sensor->channels[i];
        if (only_unseen && channel->is_seen)
            continue;
        channel_note(&channel->note, sensor->name, channel->name, quality, reason);
        samples_add(samples, now_ms, i, (double)NAN, quality);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct sample *x = a;
    const struct sample *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->channel > y->channel) - (x->channel < y->channel);
}

static enum err take_output(struct exec_sensor *sensor, const struct buf *out,
                            int64_t now_ms, struct samples *samples, struct err_text *why)
{
    struct taking taking = {.sensor = sensor, .samples = samples, .now_ms = now_ms};
    struct senml_sink sink = {
        .context = &taking, .record = take_record, .label = pass_label};
    for (size_t i = 0; i < sensor->count; i++)
        sensor->channels[i].is_seen = false;
    if (out->len == 0)
        return err_set(why, ERR_INVALID, "it printed nothing");
    enum err err = senml_read(&sink, out->data, out->len, why);
    if (err != ERR_OK) {
        samples_clear(samples);
        return err;
    }
    all_bad(sensor, now_ms, QUALITY_FAULT, "the program does not print this record", true,
            samples);
    qsort(samples->list, samples->count, sizeof *samples->list, by_time);
    return ERR_OK;
}

/* ---- running ---- */

static enum err run_once(struct exec_sensor *sensor, int64_t now_ms,
                         struct samples *samples, struct err_text *why)
{
    struct buf out = {0};
    struct buf complaint = {0};
    struct program_options options = {.argv = sensor->argv,
                                      .timeout_ms = sensor->timeout_ms,
                                      .output_max = sensor->output_max};
    enum err err = program_run(&options, &out, &complaint, why);
    if (complaint.len > 0)
        log_warn("program says sensor=%s text=\"%.*s\"", sensor->name, (int)complaint.len,
                 complaint.data);
    if (err == ERR_OK)
        err = take_output(sensor, &out, now_ms, samples, why);
    buf_fini(&out);
    buf_fini(&complaint);
    return err;
}

static void failed(struct exec_sensor *sensor, enum err err)
{
    sensor->last_quality = err == ERR_TIMEOUT ? QUALITY_TIMEOUT : QUALITY_FAULT;
    sensor->resume_ms = clock_real_ms() + sensor->pause_ms;
    sensor->pause_ms *= 2;
    if (sensor->pause_ms > PAUSE_MAX_MS)
        sensor->pause_ms = PAUSE_MAX_MS;
}

static void exec_poll(void *context, int64_t now_ms, struct samples *samples)
{
    struct exec_sensor *sensor = context;
    enum err err = ERR_BUSY;
    if (clock_real_ms() >= sensor->resume_ms) {
        err = run_once(sensor, now_ms, samples, &sensor->last);
        if (err == ERR_OK)
            sensor->pause_ms = sensor->interval_ms;
        else
            failed(sensor, err);
    }
    if (err != ERR_OK)
        all_bad(sensor, now_ms, sensor->last_quality, sensor->last.text, false, samples);
}

/* ---- opening ---- */

static char **dup_argv(char *const *argv, size_t count)
{
    char **copy = mem_array(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = mem_strdup(argv[i]);
    return copy;
}

static enum err exec_open(void **state, const struct sensor_settings *settings,
                          int64_t origin_ms, struct err_text *why)
{
    (void)origin_ms;
    if (settings->exec.command_count == 0 || settings->exec.command[0][0] != '/')
        return err_set(why, ERR_INVALID,
                       "exec needs a command that begins with an absolute path: "
                       "exec: {command: [/usr/local/bin/read-probe, --once]}");
    struct exec_sensor *sensor = mem_alloc(sizeof *sensor);
    sensor->name = mem_strdup(settings->name);
    sensor->argv = dup_argv(settings->exec.command, settings->exec.command_count);
    sensor->interval_ms = settings->interval_ms;
    sensor->timeout_ms = settings->timeout_ms;
    sensor->pause_ms = settings->interval_ms;
    sensor->output_max = (size_t)settings->exec.max_output;
    for (size_t i = 0; i < settings->channel_count; i++) {
        const struct sensor_channel *channel = &settings->channels[i];
        struct exec_channel *own = &sensor->channels[sensor->count++];
        memcpy(own->name, channel->name, strlen(channel->name) + 1);
        own->record = mem_strdup(channel->probe != NULL ? channel->probe : channel->name);
    }
    /* program_run() ends by itself; what is beyond that is a machine that hangs. */
    *state =
        poller_create(&(struct poller_options){.interval_ms = settings->interval_ms,
                                               .timeout_ms = settings->timeout_ms + 2000,
                                               .context = sensor,
                                               .poll = exec_poll,
                                               .fini = exec_fini});
    return ERR_OK;
}

static enum err exec_read(void *state, int64_t now_ms, struct samples *samples)
{
    return poller_read(state, now_ms, samples);
}

static void exec_close(void *state)
{
    poller_destroy(state);
}

const struct sensor_ops sensor_exec_ops = {
    .name = "exec",
    .help = "any program that prints SenML",
    .open = exec_open,
    .read = exec_read,
    .close = exec_close,
};
