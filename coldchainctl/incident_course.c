// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/incident_course.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/rule.h"
#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/course.h"
#include "coldchainctl/say.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/show.h"
#include "coldchainctl/spark.h"

#define SECOND_MS    INT64_C(1000)
#define MINUTE_MS    INT64_C(60000)
#define BEFORE_LEAST (30 * MINUTE_MS)
#define AFTER_LEAST  (15 * MINUTE_MS)
#define AROUND_MOST  (12 * 60 * MINUTE_MS)
#define COLUMNS_MOST 160
#define COLUMNS_MIN  20
#define GAP_TIMES    3 /* as long as readings are apart, or it is a gap */

struct span {
    int64_t begin_ms;
    int64_t end_ms; /* 0: it goes on */
    int64_t from_ms;
    int64_t to_ms;
};

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t ms = 0;
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && clock_parse_iso(&ms, text) ? ms : 0;
}

static int64_t within(int64_t ms, int64_t least, int64_t most)
{
    return ms < least ? least : ms > most ? most : ms;
}

static bool find_span(const json_t *incident, int64_t now_ms, struct span *span)
{
    span->begin_ms = time_of(incident, "onset");
    span->end_ms = time_of(incident, "closed");
    int64_t end_ms = span->end_ms != 0 ? span->end_ms : now_ms;
    int64_t length_ms = end_ms - span->begin_ms;
    if (span->begin_ms == 0 || length_ms < 0)
        return false;
    span->from_ms = span->begin_ms - within(length_ms / 2, BEFORE_LEAST, AROUND_MOST);
    span->to_ms = end_ms + within(length_ms / 4, AFTER_LEAST, AROUND_MOST);
    if (span->to_ms > now_ms)
        span->to_ms = now_ms;
    return span->to_ms > span->from_ms;
}

/* Of its quantity, so that it can be drawn across the values; NaN otherwise. */
static double limit_of(const json_t *incident)
{
    enum alert_kind kind;
    const json_t *limit = json_object_get(incident, "limit");
    bool is_of_values = alert_kind_parse(&kind, show_text(incident, "kind")) &&
                        (kind == ALERT_ABOVE || kind == ALERT_BELOW);
    return is_of_values && json_is_number(limit) ? json_number_value(limit) : (double)NAN;
}

static json_t *ask(struct client *client, const json_t *incident, const struct span *span,
                   size_t columns)
{
    struct buf path = {0};
    struct err_text ignored;
    json_t *answer = NULL;
    char from[CLOCK_ISO_MAX];
    char to[CLOCK_ISO_MAX];
    char buckets[24];
    snprintf(buckets, sizeof buckets, "%zu", columns);
    buf_text(&path, "/api/v1/zones/");
    client_escape(&path, show_text(incident, "zone"));
    buf_text(&path, "/series");
    client_param(&path, "channel", show_text(incident, "channel"));
    client_param(&path, "from", clock_format_iso(from, span->from_ms));
    client_param(&path, "to", clock_format_iso(to, span->to_ms));
    client_param(&path, "buckets", buckets);
    if (client_get(client, path.data, &answer, &ignored) != ERR_OK)
        answer = NULL;
    buf_fini(&path);
    return answer;
}

static const json_t *line_of(const json_t *answer, const json_t *incident)
{
    size_t i;
    json_t *line;
    json_array_foreach(json_object_get(answer, "series"), i,
                       line) if (strcmp(show_text(line, "device"),
                                        show_text(incident, "device")) == 0) return line;
    return NULL;
}

static int compare_gaps(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* How many columns may be without a reading before it means that one is missing. */
static size_t columns_held(const json_t *buckets, int64_t width_ms)
{
    int64_t gaps[COLUMNS_MOST];
    size_t count = 0;
    size_t i;
    json_t *bucket;
    json_array_foreach((json_t *)(uintptr_t)buckets, i, bucket)
    {
        const json_t *gap = json_object_get(bucket, "gap_ms");
        if (json_is_integer(gap) && count < COLUMNS_MOST)
            gaps[count++] = json_integer_value(gap);
    }
    if (count == 0)
        return 0;
    qsort(gaps, count, sizeof gaps[0], compare_gaps);
    return (size_t)(GAP_TIMES * gaps[count / 2] / width_ms + 1);
}

/* Of each part of the time the value that is nearest to harm: a mean would hide it. */
static void take(const json_t *line, int64_t from_ms, int64_t width_ms, bool is_low,
                 struct course *course, double *values)
{
    size_t i;
    json_t *bucket;
    const json_t *buckets = json_object_get(line, "buckets");
    for (i = 0; i < course->count; i++)
        values[i] = (double)NAN;
    json_array_foreach((json_t *)(uintptr_t)buckets, i, bucket)
    {
        int64_t column = (time_of(bucket, "time") - from_ms) / width_ms;
        const json_t *value = json_object_get(bucket, is_low ? "min" : "max");
        if (column >= 0 && column < (int64_t)course->count && json_is_number(value))
            values[column] = json_number_value(value);
    }
    course_hold(values, course->count, columns_held(buckets, width_ms));
}

static size_t column_of(int64_t ms, int64_t from_ms, int64_t width_ms, size_t count)
{
    int64_t column = (ms - from_ms) / width_ms;
    return ms != 0 && column >= 0 && column < (int64_t)count ? (size_t)column
                                                             : COURSE_NONE;
}

static void print(const json_t *incident, const json_t *line, const struct course *course,
                  const json_t *answer)
{
    struct buf out = {0};
    char limit[SHOW_SIZE];
    char from[SHOW_SIZE];
    char to[SHOW_SIZE];
    bool is_utf8 = spark_is_utf8();
    course_draw(&out, course, is_utf8);
    if (out.len == 0)
        return;
    printf(say("\n%s in %s, %s its beginning"), show_text(incident, "channel"),
           show_text(line, "unit"), is_utf8 ? "▲" : "^");
    if (course->end != COURSE_NONE)
        printf(say(", %s its end"), is_utf8 ? "△" : "v");
    if (isfinite(course->limit))
        printf(say(", limit %s"), show_number(limit, incident, "limit"));
    show_time(from, answer, "from");
    show_time(to, answer, "to");
    printf("\n%s%*s%s%*s\n", out.data, COURSE_LABEL, "", from,
           (int)(course->count - strlen(from)), to);
    buf_fini(&out);
}

void incident_course(struct client *client, const json_t *incident)
{
    struct span span;
    double values[COLUMNS_MOST];
    size_t room = screen_room(stdout);
    int64_t now_ms = client_date_ms(client) + SECOND_MS; /* it was cut to seconds */
    if (room < COURSE_LABEL + 2 * COLUMNS_MIN + 1 || now_ms < SECOND_MS ||
        show_text(incident, "zone")[0] == '-' || !find_span(incident, now_ms, &span))
        return;
    struct course course = {
        .values = values, .count = room - COURSE_LABEL - 1, .limit = limit_of(incident)};
    if (course.count > COLUMNS_MOST)
        course.count = COLUMNS_MOST;
    json_t *answer = ask(client, incident, &span, course.count);
    const json_t *line = line_of(answer, incident);
    int64_t from_ms = time_of(answer, "from");
    int64_t width_ms = json_integer_value(json_object_get(answer, "bucket_ms"));
    const double worst = json_number_value(json_object_get(incident, "worst"));
    if (line != NULL && width_ms > 0) {
        take(line, from_ms, width_ms, worst < course.limit, &course, values);
        course.begin = column_of(span.begin_ms, from_ms, width_ms, course.count);
        course.end = column_of(span.end_ms, from_ms, width_ms, course.count);
        print(incident, line, &course, answer);
    }
    json_decref(answer);
}
