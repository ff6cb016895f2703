// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/backtest_data.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "coldchainctl/logger_file.h"
#include "coldchainctl/logger_rows.h"
#include "coldchainctl/progress.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "telemetry/channel.h"

/* Of one request: an answer of these stays well below what a client takes (4 MiB). */
#define PAGE_ROWS 10000
#define DEVICE    "logger" /* whose readings a CSV file's are */

static_assert(BACKTEST_CHANNELS_MAX <= UINT16_MAX,
              "a reading holds its channel in 16 bits");

/* What explains the values of others: seen first, they can explain in time. */
static const char *const signals[] = {"door", "defrost", "compressor", "mains"};

int backtest_data_channel(struct backtest_data *data, const char *zone,
                          const char *device, const char *channel)
{
    for (size_t i = data->channel_count; i-- > 0;) {
        const struct backtest_channel *at = &data->channels[i];
        if (strcmp(at->channel, channel) == 0 && strcmp(at->device, device) == 0 &&
            strcmp(at->zone, zone) == 0)
            return (int)i;
    }
    struct channel name;
    if (data->channel_count == BACKTEST_CHANNELS_MAX ||
        channel_parse(&name, channel) != ERR_OK)
        return -1;
    mem_grow(&data->channels, &data->channel_capacity, data->channel_count + 1,
             sizeof *data->channels);
    struct backtest_channel *added = &data->channels[data->channel_count];
    *added = (struct backtest_channel){.count = 0};
    snprintf(added->zone, sizeof added->zone, "%s", zone);
    snprintf(added->device, sizeof added->device, "%s", device);
    snprintf(added->channel, sizeof added->channel, "%s", channel);
    snprintf(added->quantity, sizeof added->quantity, "%s", name.quantity);
    return (int)data->channel_count++;
}

enum err backtest_data_add(struct backtest_data *data,
                           const struct backtest_reading *reading, struct err_text *why)
{
    assert(reading->channel < data->channel_count);
    if (data->count == BACKTEST_READINGS_MAX)
        return err_set(why, ERR_LIMIT,
                       say("these are more than %d readings; take a shorter time"),
                       BACKTEST_READINGS_MAX);
    mem_grow(&data->readings, &data->capacity, data->count + 1, sizeof *data->readings);
    data->readings[data->count++] = *reading;
    data->channels[reading->channel].count++;
    return ERR_OK;
}

void backtest_data_fini(struct backtest_data *data)
{
    free(data->channels);
    free(data->readings);
    *data = (struct backtest_data){.count = 0};
}

/* ---- a CSV file -------------------------------------------------------------------- */

struct csv_taker {
    struct backtest_data *data;
    const struct logger_rows *rows;
    int channels[CSV_COLUMNS_MAX];
    enum err err;
    struct err_text why;
};

static void take_row(void *context, int64_t time_ms, const double *values)
{
    struct csv_taker *taker = context;
    const struct csv_map *map = &taker->rows->map;
    for (size_t i = 0; i < map->count && taker->err == ERR_OK; i++) {
        double value = values[i];
        if (i == map->time || !isfinite(value))
            continue;
        logger_unit(map->columns[i].unit, &value);
        const struct backtest_reading reading = {
            .time_ms = time_ms,
            .arrival_ms = time_ms,
            .value = value,
            .channel = (uint16_t)taker->channels[i],
        };
        taker->err = backtest_data_add(taker->data, &reading, &taker->why);
    }
}

/* "line 12: ..." as "PATH:12: ..." */
static enum err place(enum err err, const char *path, struct err_text *why)
{
    struct err_text said = *why;
    size_t line;
    int end = 0;
    if (sscanf(said.text, "line %zu%n", &line, &end) == 1 && end > 0) {
        const char *rest = said.text + end;
        rest += strspn(rest, ",: ");
        return err_set(why, err, "%.200s:%zu: %.250s", path, line, rest);
    }
    return err_set(why, err, "%.200s: %.250s", path, said.text);
}

static enum err begin_csv(struct csv_taker *taker, struct logger_rows *rows,
                          const struct backtest_csv *csv, struct err_text *why)
{
    enum err err = logger_rows_begin(rows, csv->columns, why);
    for (size_t i = 0; err == ERR_OK && i < rows->map.count; i++)
        if (i != rows->map.time)
            taker->channels[i] = backtest_data_channel(taker->data, csv->zone, DEVICE,
                                                       rows->map.columns[i].key);
    return err;
}

enum err backtest_data_parse(struct backtest_data *data, const void *bytes, size_t len,
                             const struct backtest_csv *csv, struct err_text *why)
{
    struct buf text = {0};
    struct logger_rows rows = {.is_partial = csv->is_partial, .take = take_row};
    struct csv_taker taker = {.data = data, .rows = &rows};
    rows.context = &taker;
    enum err err = begin_csv(&taker, &rows, csv, why);
    if (err != ERR_OK)
        return err;
    err = logger_text(&text, bytes, len, why);
    if (err == ERR_OK)
        err = logger_rows_read(&rows, &text, why);
    buf_fini(&text);
    if (err == ERR_OK && taker.err != ERR_OK)
        err = err_set(why, taker.err, "%s", taker.why.text);
    data->refused = rows.refused;
    data->first_refusal = rows.first_refusal;
    return err == ERR_OK ? ERR_OK : place(err, csv->name, why);
}

enum err backtest_data_csv(struct backtest_data *data, const struct backtest_csv *csv,
                           struct err_text *why)
{
    struct buf bytes = {0};
    const char *path = strcmp(csv->name, "-") == 0 ? "/dev/stdin" : csv->name;
    enum err err = file_read(&bytes, path, LOGGER_FILE_MAX, why);
    if (err == ERR_OK)
        err = backtest_data_parse(data, bytes.data, bytes.len, csv, why);
    buf_fini(&bytes);
    return err;
}

/* ---- the API ----------------------------------------------------------------------- */

static enum err take_reading(struct backtest_data *data, const char *zone,
                             const json_t *row, struct err_text *why)
{
    struct backtest_reading reading = {.value = (double)NAN};
    enum quality quality = QUALITY_GOOD;
    const json_t *value = json_object_get(row, "value");
    int channel = backtest_data_channel(data, zone, show_text(row, "device"),
                                        show_text(row, "channel"));
    if (channel < 0)
        return err_set(why, ERR_LIMIT,
                       say("these are more than %d channels; take one zone"),
                       BACKTEST_CHANNELS_MAX);
    if (!clock_parse_iso(&reading.time_ms, show_text(row, "time")))
        return err_set(why, ERR_CORRUPT, say("the API gave a reading without a time"));
    if (!clock_parse_iso(&reading.arrival_ms, show_text(row, "arrival")))
        reading.arrival_ms = reading.time_ms;
    if (!quality_parse(&quality, show_text(row, "quality")))
        quality = QUALITY_FAULT;
    if (json_is_number(value))
        reading.value = json_number_value(value);
    reading.quality = (uint8_t)quality;
    reading.channel = (uint16_t)channel;
    return backtest_data_add(data, &reading, why);
}

static enum err take_page(struct backtest_data *data, struct client *client,
                          const char *zone, const struct buf *path, char **from,
                          uint64_t *skip, struct err_text *why)
{
    json_t *page = NULL;
    size_t i;
    json_t *row;
    enum err err = client_get(client, path->data, &page, why);
    json_array_foreach(json_object_get(page, "readings"), i, row)
    {
        if (err == ERR_OK)
            err = take_reading(data, zone, row, why);
    }
    const json_t *next = json_object_get(page, "next");
    free(*from);
    *from = NULL;
    if (json_is_object(next))
        *from = mem_format("%" PRId64,
                           (int64_t)json_integer_value(json_object_get(next, "from")));
    *skip = (uint64_t)json_integer_value(json_object_get(next, "skip"));
    json_decref(page);
    return err;
}

enum err backtest_data_fetch(struct backtest_data *data, struct client *client,
                             const char *zone, const char *from, const char *to,
                             struct err_text *why)
{
    struct progress progress;
    char *at = mem_strdup(from);
    uint64_t skip = 0;
    enum err err = ERR_OK;
    progress_begin(&progress, zone, say("readings"), 0);
    while (err == ERR_OK && at != NULL) {
        struct buf path = {0};
        buf_text(&path, "/api/v1/zones/");
        client_escape(&path, zone);
        buf_format(&path, "/readings?limit=%d&skip=%" PRIu64, PAGE_ROWS, skip);
        client_param(&path, "from", at);
        client_param(&path, "to", to);
        err = take_page(data, client, zone, &path, &at, &skip, why);
        progress_set(&progress, data->count);
        buf_fini(&path);
    }
    progress_end(&progress);
    free(at);
    return err;
}

/* ---- the order --------------------------------------------------------------------- */

static bool is_signal(const struct backtest_channel *channel)
{
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (strcmp(channel->quantity, signals[i]) == 0)
            return true;
    return false;
}

/* What is sorted: a reading's place, and what it is ordered by. */
struct place {
    int64_t first_ms;
    int64_t second_ms;
    size_t index;
    bool is_signal;
};

static int compare(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->first_ms != b->first_ms)
        return a->first_ms < b->first_ms ? -1 : 1;
    if (a->second_ms != b->second_ms)
        return a->second_ms < b->second_ms ? -1 : 1;
    if (a->is_signal != b->is_signal)
        return a->is_signal ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void sort(struct backtest_data *data)
{
    struct place *places = mem_array(data->count, sizeof *places);
    bool is_sorted = true;
    for (size_t i = 0; i < data->count; i++) {
        const struct backtest_reading *reading = &data->readings[i];
        places[i] =
            (struct place){.first_ms = reading->arrival_ms,
                           .second_ms = reading->time_ms,
                           .index = i,
                           .is_signal = is_signal(&data->channels[reading->channel])};
        is_sorted &= i == 0 || compare(&places[i - 1], &places[i]) < 0;
    }
    if (!is_sorted) {
        struct backtest_reading *sorted = mem_array(data->count, sizeof *sorted);
        qsort(places, data->count, sizeof *places, compare);
        for (size_t i = 0; i < data->count; i++)
            sorted[i] = data->readings[places[i].index];
        free(data->readings);
        data->readings = sorted;
        data->capacity = data->count;
    }
    free(places);
}

enum err backtest_data_order(struct backtest_data *data, bool as_arrived,
                             struct err_text *why)
{
    if (data->count == 0)
        return data->refused > 0
                   ? err_set(why, ERR_NOT_FOUND, say("no row can be used; the first: %s"),
                             data->first_refusal.text)
                   : err_set(why, ERR_NOT_FOUND, say("there is no reading in that time"));
    data->first_ms = INT64_MAX;
    data->last_ms = INT64_MIN;
    for (size_t i = 0; i < data->count; i++) {
        struct backtest_reading *reading = &data->readings[i];
        if (!as_arrived)
            reading->arrival_ms = reading->time_ms;
        if (reading->time_ms < data->first_ms)
            data->first_ms = reading->time_ms;
        if (reading->time_ms > data->last_ms)
            data->last_ms = reading->time_ms;
    }
    sort(data);
    return ERR_OK;
}
