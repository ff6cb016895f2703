// SPDX-License-Identifier: Apache-2.0
/*
 * readings - what was measured, as JSON or CSV, exact to the last bit.
 *
 * A page holds at most `limit` readings in the order of time. The next one begins at
 * `next.from` and leaves out `next.skip`, which the answer names.
 */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "collector/api/internal.h"
#include "telemetry/topic.h"

#define LIMIT_DEFAULT 10000

struct row {
    int64_t time_ms;
    int64_t arrival_ms;
    double value;
    double raw;
    uint64_t epoch;
    uint64_t seq;
    enum quality quality;
    size_t source; /* index into the page's sources */
};

/* One device's channel within one placement. */
struct source {
    char device[ID_SIZE];
    char channel[ID_SIZE];
};

struct page {
    struct row *rows;
    size_t count;
    size_t capacity;
    struct source *sources;
    size_t source_count;
    size_t source_capacity;
    const char *device;
    /* asked for */
    int64_t from_ms;
    int64_t to_ms;
    const char *channel;
    uint64_t limit;
    uint64_t skip;
    bool is_csv;
};

static void page_fini(struct page *page)
{
    free(page->rows);
    free(page->sources);
}

static bool read_query(struct api_call *call, struct page *page)
{
    const char *format = api_param(call, "format");
    page->channel = api_param(call, "channel");
    page->is_csv = format != NULL && strcmp(format, "csv") == 0;
    const char *wrong = NULL;
    if (query_time(&page->from_ms, api_param(call, "from"), 0) != ERR_OK)
        wrong = "'from' is not a time: use 2026-11-23T08:00:00Z or milliseconds";
    else if (query_time(&page->to_ms, api_param(call, "to"), INT64_MAX) != ERR_OK)
        wrong = "'to' is not a time: use 2026-11-23T08:00:00Z or milliseconds";
    else if (query_number(&page->limit, api_param(call, "limit"), 1, HISTORY_LIMIT_MAX,
                          LIMIT_DEFAULT) != ERR_OK)
        wrong = "'limit' is a number from 1 to 100000";
    else if (query_number(&page->skip, api_param(call, "skip"), 0, HISTORY_LIMIT_MAX,
                          0) != ERR_OK)
        wrong = "'skip' is a number from 0 to 100000";
    else if (format != NULL && !page->is_csv && strcmp(format, "json") != 0)
        wrong = "'format' is json or csv";
    else if (page->channel != NULL && !id_is_valid(page->channel))
        wrong = "'channel' is not an identifier";
    if (wrong != NULL)
        api_problem(call, MHD_HTTP_BAD_REQUEST, "the question is not clear", wrong);
    return wrong == NULL;
}

static size_t source_of(struct page *page, const char *channel)
{
    for (size_t i = 0; i < page->source_count; i++)
        if (strcmp(page->sources[i].channel, channel) == 0 &&
            strcmp(page->sources[i].device, page->device) == 0)
            return i;
    mem_grow(&page->sources, &page->source_capacity, page->source_count + 1,
             sizeof *page->sources);
    struct source *added = &page->sources[page->source_count];
    snprintf(added->device, sizeof added->device, "%s", page->device);
    snprintf(added->channel, sizeof added->channel, "%s", channel);
    return page->source_count++;
}

static bool on_reading(void *context, const struct history_reading *reading)
{
    struct page *page = context;
    mem_grow(&page->rows, &page->capacity, page->count + 1, sizeof *page->rows);
    page->rows[page->count++] = (struct row){
        .time_ms = reading->time_ms,
        .arrival_ms = reading->arrival_ms,
        .value = reading->value,
        .raw = reading->raw,
        .epoch = reading->epoch,
        .seq = reading->seq,
        .quality = reading->quality,
        .source = source_of(page, reading->channel),
    };
    return true;
}

static bool fetch(struct api_call *call, struct page *page, const char *org,
                  const char *device, const char *channel, int64_t from_ms, int64_t to_ms,
                  uint64_t limit)
{
    page->device = device;
    const struct history_range range = {.org = org,
                                        .device = device,
                                        .channel = channel,
                                        .from_ms = from_ms,
                                        .to_ms = to_ms};
    enum err err = history_query(call->stores->history, &range, limit, page, on_reading);
    if (err == ERR_TIMEOUT)
        api_problem(call, MHD_HTTP_SERVICE_UNAVAILABLE, "the answer takes too long",
                    "ask for a shorter time");
    else if (err != ERR_OK)
        api_problem(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the history cannot be read",
                    err_about(err));
    return err == ERR_OK;
}

/* ---- writing ---------------------------------------------------------------------- */

static void put_number(struct buf *out, double value, const char *none)
{
    char text[NUMBER_SIZE];
    if (isfinite(value))
        buf_add(out, text, number_format(value, text));
    else
        buf_text(out, none);
}

static void put_csv_row(const struct page *page, const struct row *row, struct buf *out)
{
    char text[CLOCK_ISO_MAX];
    char epoch[17];
    const struct source *source = &page->sources[row->source];
    buf_format(out, "%s,%s,%s,", clock_format_iso(text, row->time_ms), source->device,
               source->channel);
    put_number(out, row->value, "");
    buf_text(out, ",");
    put_number(out, row->raw, "");
    buf_format(out, ",%s,%s,%s,%" PRIu64 "\r\n", quality_name(row->quality),
               clock_format_iso(text, row->arrival_ms), epoch_format(row->epoch, epoch),
               row->seq);
}

/* With a byte order mark, without which spreadsheets take UTF-8 for something else. */
static void put_csv(struct api_call *call, const struct page *page, size_t count)
{
    buf_text(&call->out,
             "\xef\xbb\xbftime,device,channel,value,raw,quality,arrival,epoch,"
             "seq\r\n");
    for (size_t i = 0; i < count; i++)
        put_csv_row(page, &page->rows[i], &call->out);
    call->content_type = "text/csv; charset=utf-8";
    call->download_name = "readings.csv";
}

static void put_json_row(const struct page *page, const struct row *row, struct buf *out)
{
    char text[CLOCK_ISO_MAX];
    char epoch[17];
    const struct source *source = &page->sources[row->source];
    /* Names are identifiers: nothing in them needs escaping. */
    buf_format(out, "{\"time\":\"%s\",\"device\":\"%s\",\"channel\":\"%s\",\"value\":",
               clock_format_iso(text, row->time_ms), source->device, source->channel);
    put_number(out, row->value, "null");
    buf_text(out, ",\"raw\":");
    put_number(out, row->raw, "null");
    buf_format(out,
               ",\"quality\":\"%s\",\"arrival\":\"%s\",\"epoch\":\"%s\",\"seq\":%" PRIu64
               "}",
               quality_name(row->quality), clock_format_iso(text, row->arrival_ms),
               epoch_format(row->epoch, epoch), row->seq);
}

/* Rows at the last time of this page that the next one, beginning there, leaves out. */
static uint64_t skip_of_next(const struct page *page, size_t end)
{
    uint64_t skip = 0;
    int64_t last_ms = page->rows[end - 1].time_ms;
    for (size_t i = end; i > 0 && page->rows[i - 1].time_ms == last_ms; i--)
        skip++;
    return skip;
}

static void put_json(struct api_call *call, const struct page *page, size_t first,
                     size_t end, bool has_more)
{
    struct buf *out = &call->out;
    buf_text(out, "{\"readings\":[");
    for (size_t i = first; i < end; i++) {
        if (i > first)
            buf_text(out, ",");
        put_json_row(page, &page->rows[i], out);
    }
    if (has_more)
        buf_format(out, "],\"next\":{\"from\":%" PRId64 ",\"skip\":%" PRIu64 "}}",
                   page->rows[end - 1].time_ms, skip_of_next(page, end));
    else
        buf_text(out, "],\"next\":null}");
}

static void answer(struct api_call *call, struct page *page)
{
    size_t first = page->skip < page->count ? (size_t)page->skip : page->count;
    size_t end =
        page->count - first > page->limit ? first + (size_t)page->limit : page->count;
    bool has_more = end < page->count;
    if (page->is_csv) {
        memmove(page->rows, page->rows + first, (end - first) * sizeof *page->rows);
        put_csv(call, page, end - first);
    } else {
        put_json(call, page, first, end, has_more);
    }
}

/* One more than is given, to know whether there is more. */
static uint64_t wanted(const struct page *page)
{
    uint64_t want = page->limit + page->skip + 1;
    return want < HISTORY_LIMIT_MAX ? want : HISTORY_LIMIT_MAX;
}

void api_get_readings(struct api_call *call)
{
    struct page page = {0};
    if (read_query(call, &page) &&
        fetch(call, &page, call->parts[0], call->parts[1], page.channel, page.from_ms,
              page.to_ms, wanted(&page)))
        answer(call, &page);
    page_fini(&page);
}

/* ---- zones: the placements that touch the time asked for --------------------------- */

static int64_t time_member(const json_t *object, const char *key, int64_t fallback)
{
    int64_t ms = fallback;
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && clock_parse_iso(&ms, text) ? ms : fallback;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A channel that has a placement of its own at that time is not the device's. */
static bool is_placed_apart(const json_t *placements, const char *device,
                            const char *channel, int64_t time_ms)
{
    size_t i;
    json_t *placement;
    json_array_foreach((json_t *)(uintptr_t)placements, i, placement)
    {
        const char *of = json_string_value(json_object_get(placement, "device"));
        const char *which = json_string_value(json_object_get(placement, "channel"));
        if (strcmp(of, device) == 0 && strcmp(which, channel) == 0 &&
            time_ms >= time_member(placement, "from", INT64_MIN) &&
            time_ms < time_member(placement, "to", INT64_MAX))
            return true;
    }
    return false;
}

static void drop_placed_apart(struct page *page, size_t first, const json_t *placements)
{
    size_t kept = first;
    for (size_t i = first; i < page->count; i++) {
        const struct source *source = &page->sources[page->rows[i].source];
        if (!is_placed_apart(placements, source->device, source->channel,
                             page->rows[i].time_ms))
            page->rows[kept++] = page->rows[i];
    }
    page->count = kept;
}

static bool fetch_placement(struct api_call *call, struct page *page,
                            const json_t *placements, const json_t *placement)
{
    const char *channel = json_string_value(json_object_get(placement, "channel"));
    bool is_whole = channel[0] == '\0';
    if (!is_whole && page->channel != NULL && strcmp(channel, page->channel) != 0)
        return true;
    int64_t from_ms = later(page->from_ms, time_member(placement, "from", INT64_MIN));
    int64_t to_ms = sooner(page->to_ms, time_member(placement, "to", INT64_MAX));
    size_t first = page->count;
    if (from_ms >= to_ms)
        return true;
    if (!fetch(call, page, json_string_value(json_object_get(placement, "org")),
               json_string_value(json_object_get(placement, "device")),
               is_whole ? page->channel : channel, from_ms, to_ms, wanted(page)))
        return false;
    if (is_whole)
        drop_placed_apart(page, first, placements);
    return true;
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    return (a->seq > b->seq) - (a->seq < b->seq);
}

void api_get_zone_readings(struct api_call *call)
{
    struct page page = {0};
    struct buf text = {0};
    json_t *placements = NULL;
    bool is_known = false;
    if (!read_query(call, &page) || !api_ask_live(call, API_LIVE_PLACEMENTS, &text))
        goto out;
    placements = json_loadb(text.data, text.len, 0, NULL);
    assert(placements != NULL);
    size_t i;
    json_t *placement;
    json_array_foreach(placements, i, placement)
    {
        const char *zone = json_string_value(json_object_get(placement, "zone"));
        if (strcmp(zone, call->parts[0]) != 0)
            continue;
        is_known = true;
        if (!fetch_placement(call, &page, placements, placement))
            goto out;
    }
    if (!is_known) {
        api_problem(call, MHD_HTTP_NOT_FOUND, "not found",
                    "nothing measures a zone of that name; see /api/v1/zones");
        goto out;
    }
    if (page.count > 0)
        qsort(page.rows, page.count, sizeof *page.rows, compare_rows);
    answer(call, &page);
out:
    json_decref(placements);
    buf_fini(&text);
    page_fini(&page);
}
