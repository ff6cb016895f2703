// SPDX-License-Identifier: Apache-2.0
/*
 * readings - what was measured, as JSON or CSV, exact to the last bit.
 *
 * A page holds at most `limit` readings in the order of time. The next one begins at
 * `next.from` and leaves out `next.skip`, which the answer names.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"
#include "telemetry/channel.h"
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
    size_t order;  /* as history gave them */
};

/* One device's channel. */
struct source {
    char org[ID_SIZE];
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
    /* of the fetch under way */
    const struct api_stretch *fetch;
    int64_t last_ms; /* of the reading seen last, and how many had that time */
    size_t last_count;
    size_t seen;
    size_t want; /* rows */
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
    struct channel name;
    if (format != NULL && !page->is_csv && strcmp(format, "json") != 0)
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_CHOICE, "name", "format",
                          "choices", "json, csv", NULL);
    if (page->channel != NULL && channel_parse(&name, page->channel) != ERR_OK)
        return api_refuse(call, PROBLEM_PARAMETER_NOT_A_NAME, "name", "channel", NULL);
    return api_read_time(call, "from", PACK_TIME_MIN, &page->from_ms) &&
           api_read_time(call, "to", PACK_TIME_MAX + 1, &page->to_ms) &&
           api_read_number(call, "limit", 1, HISTORY_LIMIT_MAX, LIMIT_DEFAULT,
                           &page->limit) &&
           api_read_number(call, "skip", 0, HISTORY_LIMIT_MAX, 0, &page->skip);
}

static size_t source_of(struct page *page, const char *channel)
{
    const struct api_stretch *fetch = page->fetch;
    for (size_t i = 0; i < page->source_count; i++)
        if (strcmp(page->sources[i].channel, channel) == 0 &&
            strcmp(page->sources[i].device, fetch->device) == 0 &&
            strcmp(page->sources[i].org, fetch->org) == 0)
            return i;
    mem_grow(&page->sources, &page->source_capacity, page->source_count + 1,
             sizeof *page->sources);
    struct source *added = &page->sources[page->source_count];
    snprintf(added->org, sizeof added->org, "%s", fetch->org);
    snprintf(added->device, sizeof added->device, "%s", fetch->device);
    snprintf(added->channel, sizeof added->channel, "%s", channel);
    return page->source_count++;
}

static bool on_reading(void *context, const struct history_reading *reading)
{
    struct page *page = context;
    page->seen++;
    page->last_count = reading->time_ms == page->last_ms ? page->last_count + 1 : 1;
    page->last_ms = reading->time_ms;
    if (api_is_placed_apart(page->fetch, reading->channel, reading->time_ms))
        return true;
    mem_grow(&page->rows, &page->capacity, page->count + 1, sizeof *page->rows);
    page->rows[page->count] = (struct row){
        .time_ms = reading->time_ms,
        .arrival_ms = reading->arrival_ms,
        .value = reading->value,
        .raw = reading->raw,
        .epoch = reading->epoch,
        .seq = reading->seq,
        .quality = reading->quality,
        .source = source_of(page, reading->channel),
        .order = page->count,
    };
    return ++page->count < page->want;
}

/*
 * One more than is given, to know whether there is more; in several questions when the
 * history gives no more at once, or when much of what it gives is left out.
 */
static bool fetch_rows(struct api_call *call, void *context,
                       const struct api_stretch *fetch)
{
    struct page *page = context;
    struct history_range range = {.org = fetch->org,
                                  .device = fetch->device,
                                  .channel = fetch->channel,
                                  .from_ms = fetch->from_ms,
                                  .to_ms = fetch->to_ms};
    enum err err;
    page->fetch = fetch;
    page->want = page->count + (size_t)(page->limit + page->skip) + 1;
    page->last_ms = INT64_MIN;
    page->last_count = 0;
    do {
        size_t left = page->want - page->count;
        size_t most = fetch->apart_count == 0 && left < HISTORY_LIMIT_MAX
                          ? left
                          : HISTORY_LIMIT_MAX;
        page->seen = 0;
        err = history_query(call->stores->history, &range, most, page, on_reading);
        if (page->seen < most)
            break;
        range.from_ms = page->last_ms;
        range.skip = page->last_count;
    } while (err == ERR_OK && page->count < page->want);
    return api_history_answers(call, err);
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
static void put_csv(struct api_call *call, const struct page *page, size_t first,
                    size_t end)
{
    buf_text(&call->out,
             "\xef\xbb\xbftime,device,channel,value,raw,quality,arrival,epoch,"
             "seq\r\n");
    for (size_t i = first; i < end; i++)
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

/* RFC 8288: the address of the page that follows, beside this one. */
static void put_link(struct api_call *call, const struct page *page, size_t end)
{
    buf_format(&call->link,
               "<?from=%" PRId64 "&skip=%" PRIu64 "&to=%" PRId64 "&limit=%" PRIu64
               "&format=%s",
               page->rows[end - 1].time_ms, skip_of_next(page, end), page->to_ms,
               page->limit, page->is_csv ? "csv" : "json");
    if (page->channel != NULL)
        buf_format(&call->link, "&channel=%s", page->channel);
    buf_text(&call->link, ">; rel=\"next\"");
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
    if (has_more)
        put_link(call, page, end);
    if (page->is_csv)
        put_csv(call, page, first, end);
    else
        put_json(call, page, first, end, has_more);
}

void api_get_readings(struct api_call *call)
{
    struct page page = {0};
    if (read_query(call, &page)) {
        const struct api_stretch fetch = {.org = call->parts[0],
                                          .device = call->parts[1],
                                          .channel = page.channel,
                                          .from_ms = page.from_ms,
                                          .to_ms = page.to_ms};
        if (fetch_rows(call, &page, &fetch))
            answer(call, &page);
    }
    page_fini(&page);
}

/* The same in every page, whatever came first in it. */
static int compare_rows(const void *left, const void *right, void *context)
{
    const struct row *a = left;
    const struct row *b = right;
    const struct page *page = context;
    const struct source *of_a = &page->sources[a->source];
    const struct source *of_b = &page->sources[b->source];
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    int order = strcmp(of_a->org, of_b->org);
    if (order == 0)
        order = strcmp(of_a->device, of_b->device);
    if (order == 0)
        order = strcmp(of_a->channel, of_b->channel);
    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

void api_get_zone_readings(struct api_call *call)
{
    struct page page = {0};
    if (read_query(call, &page) &&
        api_each_stretch(call, call->parts[0],
                         (struct access_window){page.from_ms, page.to_ms}, page.channel,
                         &page, fetch_rows)) {
        if (page.count > 0)
            qsort_r(page.rows, page.count, sizeof *page.rows, compare_rows, &page);
        answer(call, &page);
    }
    page_fini(&page);
}
