// SPDX-License-Identifier: Apache-2.0
/*
 * series - what was measured, as few points as a drawing needs (buckets.h).
 *
 * Every reading of the time is looked at; nothing is left out, averaged or guessed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "collector/api/buckets.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"
#include "telemetry/channel.h"
#include "telemetry/pack.h"
#include "telemetry/quantity.h"

#define BUCKETS_DEFAULT 300
#define BUCKETS_MAX     2000
#define POINTS_MAX      40000 /* of one answer: channels times buckets */
#define RANGE_MS        (INT64_C(24) * 3600 * 1000)

/* One device's channel. */
struct line {
    char org[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];
    struct bucket *buckets; /* as many as the grid has */
};

struct series {
    const char *channel; /* that was asked for; NULL: all */
    struct bucket_grid grid;
    struct line *lines;
    size_t line_count;
    size_t line_capacity;
    int64_t deadline_ms;
    /* of the stretch under way */
    const struct api_stretch *stretch;
    size_t line;       /* of the last reading */
    size_t seen;       /* by one question */
    int64_t last_ms;   /* of the last reading, and how many had that time */
    size_t last_count; /* for the next question */
    bool is_too_wide;
};

static void series_fini(struct series *series)
{
    for (size_t i = 0; i < series->line_count; i++)
        free(series->lines[i].buckets);
    free(series->lines);
}

static bool read_query(struct api_call *call, struct series *series)
{
    struct channel name;
    int64_t from_ms;
    int64_t to_ms;
    uint64_t buckets;
    series->channel = api_param(call, "channel");
    if (series->channel != NULL && channel_parse(&name, series->channel) != ERR_OK)
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_NAME, "name", "channel", NULL);
    if (!api_read_time(call, "to", api_now_ms(call->api), &to_ms) ||
        !api_read_time(call, "from", to_ms - RANGE_MS, &from_ms) ||
        !api_read_number(call, "buckets", 1, BUCKETS_MAX, BUCKETS_DEFAULT, &buckets))
        return false;
    if (from_ms < PACK_TIME_MIN)
        from_ms = PACK_TIME_MIN;
    if (to_ms > PACK_TIME_MAX + 1)
        to_ms = PACK_TIME_MAX + 1;
    series->grid = bucket_grid_of(from_ms, to_ms, (size_t)buckets);
    series->deadline_ms = clock_real_ms() + HISTORY_READ_MS;
    return true;
}

/* ---- reading ---------------------------------------------------------------------- */

static bool is_line(const struct series *series, size_t i, const char *channel)
{
    const struct line *line = &series->lines[i];
    return strcmp(line->channel, channel) == 0 &&
           strcmp(line->device, series->stretch->device) == 0 &&
           strcmp(line->org, series->stretch->org) == 0;
}

/* NULL when the answer would be too large. */
static struct line *line_of(struct series *series, const char *channel)
{
    const struct api_stretch *stretch = series->stretch;
    if (series->line < series->line_count && is_line(series, series->line, channel))
        return &series->lines[series->line];
    for (size_t i = 0; i < series->line_count; i++)
        if (is_line(series, i, channel)) {
            series->line = i;
            return &series->lines[i];
        }
    if ((series->line_count + 1) * series->grid.count > POINTS_MAX)
        return NULL;
    mem_grow(&series->lines, &series->line_capacity, series->line_count + 1,
             sizeof *series->lines);
    series->line = series->line_count++;
    struct line *line = &series->lines[series->line];
    snprintf(line->org, sizeof line->org, "%s", stretch->org);
    snprintf(line->device, sizeof line->device, "%s", stretch->device);
    snprintf(line->channel, sizeof line->channel, "%s", channel);
    line->buckets = mem_array(series->grid.count, sizeof *line->buckets);
    return line;
}

static bool on_reading(void *context, const struct history_reading *reading)
{
    struct series *series = context;
    series->seen++;
    series->last_count = reading->time_ms == series->last_ms ? series->last_count + 1 : 1;
    series->last_ms = reading->time_ms;
    if (api_is_placed_apart(series->stretch, reading->channel, reading->time_ms))
        return true;
    struct line *line = line_of(series, reading->channel);
    series->is_too_wide = line == NULL;
    if (line != NULL)
        bucket_add(&line->buckets[bucket_index(&series->grid, reading->time_ms)],
                   reading->time_ms, reading->value, reading->quality);
    return line != NULL;
}

/* In several questions when the history gives no more at once. */
static bool add_stretch(struct api_call *call, void *context,
                        const struct api_stretch *stretch)
{
    struct series *series = context;
    struct history_range range = {.org = stretch->org,
                                  .device = stretch->device,
                                  .channel = stretch->channel,
                                  .from_ms = stretch->from_ms,
                                  .to_ms = stretch->to_ms};
    enum err err;
    series->stretch = stretch;
    series->last_ms = INT64_MIN;
    series->last_count = 0;
    do {
        series->seen = 0;
        err = history_query(call->stores->history, &range, HISTORY_LIMIT_MAX, series,
                            on_reading);
        range.from_ms = series->last_ms;
        range.skip = series->last_count;
        if (err == ERR_OK && series->seen == HISTORY_LIMIT_MAX &&
            clock_real_ms() > series->deadline_ms)
            err = ERR_TIMEOUT;
    } while (err == ERR_OK && series->seen == HISTORY_LIMIT_MAX && !series->is_too_wide);
    if (err == ERR_OK && series->is_too_wide)
        err = ERR_LIMIT;
    return api_history_answers(call, err);
}

/* ---- writing ---------------------------------------------------------------------- */

static void put_point(struct buf *out, const char *name, const struct bucket *bucket,
                      const struct bucket_point *point)
{
    char time[CLOCK_ISO_MAX];
    char value[NUMBER_SIZE];
    if (bucket->counts[QUALITY_GOOD] == 0) {
        buf_format(out, ",\"%s\":null,\"%s_at\":null", name, name);
        return;
    }
    number_format(point->value, value);
    buf_format(out, ",\"%s\":%s,\"%s_at\":\"%s\"", name, value, name,
               clock_format_iso(time, point->time_ms));
}

/* {"open":3}: how many of each quality that is not good. */
static void put_bad(struct buf *out, const struct bucket *bucket)
{
    const char *comma = "";
    buf_text(out, ",\"bad\":{");
    for (int quality = QUALITY_GOOD + 1; quality <= QUALITY_FAULT; quality++) {
        if (bucket->counts[quality] == 0)
            continue;
        buf_format(out, "%s\"%s\":%" PRIu32, comma, quality_name((enum quality)quality),
                   bucket->counts[quality]);
        comma = ",";
    }
    buf_text(out, "}");
}

/* The gap before it counts too: the longest time without a good reading that ended here.
 * `last` is the last bucket before with a good reading, or NULL. */
static void put_gap(struct buf *out, const struct bucket *bucket,
                    const struct bucket *last)
{
    int64_t gap_ms = bucket->gap_ms;
    if (last != NULL && bucket->first.time_ms - last->last.time_ms > gap_ms)
        gap_ms = bucket->first.time_ms - last->last.time_ms;
    bool is_known =
        bucket->counts[QUALITY_GOOD] > 1 || (bucket->counts[QUALITY_GOOD] == 1 && last);
    if (is_known)
        buf_format(out, ",\"gap_ms\":%" PRId64, gap_ms);
    else
        buf_text(out, ",\"gap_ms\":null");
}

static void put_bucket(struct buf *out, int64_t start_ms, const struct bucket *bucket,
                       const struct bucket *last)
{
    char time[CLOCK_ISO_MAX];
    buf_format(out, "{\"time\":\"%s\",\"good\":%" PRIu32,
               clock_format_iso(time, start_ms), bucket->counts[QUALITY_GOOD]);
    put_bad(out, bucket);
    put_point(out, "first", bucket, &bucket->first);
    put_point(out, "last", bucket, &bucket->last);
    put_point(out, "min", bucket, &bucket->least);
    put_point(out, "max", bucket, &bucket->most);
    put_gap(out, bucket, last);
    buf_text(out, "}");
}

static bool is_empty(const struct bucket *bucket)
{
    for (size_t i = 0; i < sizeof bucket->counts / sizeof bucket->counts[0]; i++)
        if (bucket->counts[i] > 0)
            return false;
    return true;
}

static void put_line(struct buf *out, const struct bucket_grid *grid,
                     const struct line *line)
{
    struct channel name = {.quantity = "", .registered = -1};
    const struct bucket *last = NULL;
    const char *comma = "";
    if (channel_parse(&name, line->channel) != ERR_OK) {
        /* What is in the history was a channel's name when it came. */
    }
    /* Names are identifiers: nothing in them needs escaping. */
    buf_format(out,
               "{\"org\":\"%s\",\"device\":\"%s\",\"channel\":\"%s\",\"quantity\":\"%s\","
               "\"unit\":\"%s\",\"buckets\":[",
               line->org, line->device, line->channel, name.quantity,
               name.registered >= 0 ? quantity_at((size_t)name.registered)->unit : "");
    for (size_t i = 0; i < grid->count; i++) {
        const struct bucket *bucket = &line->buckets[i];
        if (is_empty(bucket))
            continue;
        buf_text(out, comma);
        put_bucket(out, bucket_start_ms(grid, i), bucket, last);
        comma = ",";
        if (bucket->counts[QUALITY_GOOD] > 0)
            last = bucket;
    }
    buf_text(out, "]}");
}

static void answer(struct api_call *call, const struct series *series)
{
    char from[CLOCK_ISO_MAX];
    char to[CLOCK_ISO_MAX];
    const struct bucket_grid *grid = &series->grid;
    buf_format(&call->out,
               "{\"from\":\"%s\",\"to\":\"%s\",\"bucket_ms\":%" PRId64 ",\"series\":[",
               clock_format_iso(from, grid->from_ms), clock_format_iso(to, grid->to_ms),
               grid->width_ms);
    for (size_t i = 0; i < series->line_count; i++) {
        if (i > 0)
            buf_text(&call->out, ",");
        put_line(&call->out, grid, &series->lines[i]);
    }
    buf_text(&call->out, "]}");
}

void api_get_series(struct api_call *call)
{
    struct series series = {0};
    if (read_query(call, &series)) {
        const struct api_stretch whole = {.org = call->parts[0],
                                          .device = call->parts[1],
                                          .channel = series.channel,
                                          .from_ms = series.grid.from_ms,
                                          .to_ms = series.grid.to_ms};
        if (add_stretch(call, &series, &whole))
            answer(call, &series);
    }
    series_fini(&series);
}

void api_get_zone_series(struct api_call *call)
{
    struct series series = {0};
    if (read_query(call, &series) &&
        api_each_stretch(call, call->parts[0],
                         (struct access_window){series.grid.from_ms, series.grid.to_ms},
                         series.channel, &series, add_stretch))
        answer(call, &series);
    series_fini(&series);
}
