// SPDX-License-Identifier: Apache-2.0
/*
 * sensor_replay - a recorded series out of a CSV file, as if it were measured now.
 *
 * Rows keep their recorded event time. At the recorded rate the first row comes at once
 * and each later one after the time that lay between them; `fast` gives rows as quickly
 * as they are taken. The cursor is the count of rows behind us, so that a program that
 * was killed goes on where its journal ends. An empty cell is a reading of bad quality; a
 * row that cannot be read is told of and left out.
 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/log.h"
#include "base/mem.h"
#include "edge-agent/sensors/sensor.h"

#define FILE_MAX   ((size_t)256 << 20)
#define BATCH_ROWS 256
#define TOLD_MAX   3 /* rows left out that are told of one by one */

struct replay_sensor {
    const struct sensor_settings *settings;
    struct buf text;
    struct csv csv;
    struct csv_map map;
    size_t column_of[SENSOR_CHANNELS_MAX]; /* of each channel, in map->columns */
    uint64_t rows;                         /* taken or left out */
    uint64_t left_out;
    bool has_row; /* one that is not due yet */
    int64_t row_ms;
    double values[CSV_COLUMNS_MAX];
    bool has_begun;
    int64_t begun_ms; /* the clock when the first row came */
    int64_t first_ms; /* the time of that row */
};

static enum err load_file(struct buf *text, const char *path, struct err_text *why)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return err_set(why, err_from_errno(errno), "%s: %s", path, strerror(errno));
    size_t got;
    do {
        got = fread(buf_reserve(text, 65536), 1, 65536, file);
        text->len += got;
    } while (got > 0 && text->len <= FILE_MAX);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed)
        return err_set(why, ERR_IO, "%s cannot be read", path);
    if (text->len > FILE_MAX)
        return err_set(why, ERR_LIMIT, "%s is larger than %zu MiB", path, FILE_MAX >> 20);
    return ERR_OK;
}

static enum err bind_channels(struct replay_sensor *sensor, struct err_text *why)
{
    const struct sensor_settings *settings = sensor->settings;
    for (size_t i = 0; i < settings->channel_count; i++) {
        int column = csv_map_find(&sensor->map, settings->channels[i].name);
        if (column < 0)
            return err_set(why, ERR_INVALID, "no column is given for channel '%s'",
                           settings->channels[i].name);
        sensor->column_of[i] = (size_t)column;
    }
    return ERR_OK;
}

static void replay_close(void *state)
{
    struct replay_sensor *sensor = state;
    buf_fini(&sensor->text);
    free(sensor);
}

static enum err prepare(struct replay_sensor *sensor, struct err_text *why)
{
    const struct sensor_replay *settings = &sensor->settings->replay;
    if (settings->file == NULL || settings->columns == NULL)
        return err_set(why, ERR_INVALID, "replay needs a file and its columns");
    enum err err = csv_map_parse(&sensor->map, settings->columns, why);
    if (err == ERR_OK)
        err = bind_channels(sensor, why);
    if (err == ERR_OK)
        err = load_file(&sensor->text, settings->file, why);
    if (err != ERR_OK)
        return err;
    csv_init(&sensor->csv, sensor->text.data, sensor->text.len);
    return csv_map_bind(&sensor->map, &sensor->csv, why);
}

static enum err replay_open(void **state, const struct sensor_settings *settings,
                            int64_t origin_ms, struct err_text *why)
{
    (void)origin_ms;
    struct replay_sensor *sensor = mem_alloc(sizeof *sensor);
    sensor->settings = settings;
    enum err err = prepare(sensor, why);
    if (err != ERR_OK) {
        replay_close(sensor);
        return err;
    }
    *state = sensor;
    return ERR_OK;
}

static void leave_out(struct replay_sensor *sensor, const struct err_text *why)
{
    if (sensor->left_out++ < TOLD_MAX)
        log_warn("row left out file=%s reason=\"%s\"", sensor->settings->replay.file,
                 why->text);
}

/* The next row with a time; false at the end of the file. */
static bool fetch_row(struct replay_sensor *sensor)
{
    while (!sensor->has_row) {
        struct err_text why = {0};
        enum err err = csv_next(&sensor->csv, &why);
        if (err == ERR_NOT_FOUND)
            return false;
        sensor->rows++;
        if (err == ERR_OK)
            err = csv_map_row(&sensor->map, &sensor->csv, &sensor->row_ms, sensor->values,
                              &why);
        sensor->has_row = err == ERR_OK;
        if (err != ERR_OK)
            leave_out(sensor, &why);
    }
    return true;
}

static enum err replay_resume(void *state, uint64_t cursor)
{
    struct replay_sensor *sensor = state;
    while (sensor->rows < cursor) {
        sensor->has_row = false;
        enum err err = csv_next(&sensor->csv, NULL);
        if (err == ERR_NOT_FOUND)
            return ERR_INVALID; /* another, shorter file */
        sensor->rows++;
    }
    return ERR_OK;
}

static bool is_due(struct replay_sensor *sensor, int64_t now_ms)
{
    if (sensor->settings->replay.rate == REPLAY_FAST)
        return true;
    if (!sensor->has_begun) {
        sensor->has_begun = true;
        sensor->begun_ms = now_ms;
        sensor->first_ms = sensor->row_ms;
    }
    return sensor->row_ms - sensor->first_ms <= now_ms - sensor->begun_ms;
}

static void give_row(struct replay_sensor *sensor, struct samples *samples)
{
    assert(sensor->has_row);
    for (size_t i = 0; i < sensor->settings->channel_count; i++) {
        double value = sensor->values[sensor->column_of[i]];
        samples_add(samples, sensor->row_ms, i, value,
                    isnan(value) ? QUALITY_FAULT : QUALITY_GOOD);
        samples->list[samples->count - 1].cursor = sensor->rows;
    }
    sensor->has_row = false;
}

static enum err replay_read(void *state, int64_t now_ms, struct samples *samples)
{
    struct replay_sensor *sensor = state;
    for (int i = 0; i < BATCH_ROWS; i++) {
        if (!fetch_row(sensor)) {
            log_info("replay is through file=%s rows=%llu left_out=%llu",
                     sensor->settings->replay.file, (unsigned long long)sensor->rows,
                     (unsigned long long)sensor->left_out);
            return ERR_NOT_FOUND;
        }
        if (!is_due(sensor, now_ms))
            return ERR_OK;
        give_row(sensor, samples);
    }
    samples->has_more = true;
    return ERR_OK;
}

const struct sensor_ops sensor_replay_ops = {
    .name = "replay",
    .help = "a recorded series from a CSV file",
    .open = replay_open,
    .resume = replay_resume,
    .read = replay_read,
    .close = replay_close,
};
