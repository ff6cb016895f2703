// SPDX-License-Identifier: Apache-2.0
/*
 * How a frame of `coldchainctl top` looks.
 *
 *   coldchain  08:00:00Z  12 zones, 2 not well, 1 incident     http://127.0.0.1:8480
 *   critical  1号库 脐橙  above 8: 9.5, worst 9.8, for 20m, nobody has taken it
 *
 *   ZONE           STATE     TEMP  HUM        BAND    AGE  LAST 1h
 *   1号库 脐橙      ABOVE      9.5  91%        3..8     8s  ▁▂▂▃▅▆▇█
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "coldchainctl/incident_measure.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/spark.h"
#include "coldchainctl/top.h"
#include "coldchainctl/width.h"

#define STATE_COLUMNS    8
#define TEMP_COLUMNS     6
#define HUMIDITY_COLUMNS 4
#define BAND_COLUMNS     10
#define AGE_COLUMNS      6
#define NAME_LEAST       10
#define NAME_MOST        36
#define SPARK_LEAST      5
#define SPARK_MOST       120
#define CALM             2.0 /* degrees: less is noise of a room that is well */
#define AROUND           6   /* lines that are no zones: head, table's head, foot */
#define INCIDENTS_MOST   5
#define INCIDENTS_ALL    20

#define RED     "\033[31m"
#define YELLOW  "\033[33m"
#define BOLD    "\033[1m"
#define REVERSE "\033[7m"
#define PLAIN   "\033[0m"

/* What fits, from the widest to the narrowest screen. */
struct layout {
    size_t name;
    size_t spark;
    bool has_humidity;
    bool has_band;
};

/* Cut to the columns, and filled up to them; control characters do not reach a terminal.
 */
static void put_cell(struct buf *out, const char *text, size_t columns, bool is_right)
{
    size_t len = strlen(text);
    size_t fits = width_fit(text, len, columns);
    size_t pad = columns - width_of(text, fits);
    for (size_t i = 0; is_right && i < pad; i++)
        buf_u8(out, ' ');
    for (size_t i = 0; i < fits; i++)
        buf_u8(out,
               (unsigned char)text[i] < 0x20 || text[i] == 0x7F ? '?' : (uint8_t)text[i]);
    for (size_t i = 0; !is_right && i < pad; i++)
        buf_u8(out, ' ');
}

/* The same without filling up. */
static void put_line(struct buf *out, const char *text, size_t columns)
{
    size_t len = strlen(text);
    size_t width = width_of(text, len);
    put_cell(out, text, width < columns ? width : columns, false);
    buf_u8(out, '\n');
}

static void put_style(struct buf *out, const char *style, bool is_wanted)
{
    if (is_wanted)
        buf_text(out, style);
}

static const char *age_text(char text[SHOW_SIZE], int64_t age_ms)
{
    json_t *object = json_pack("{s:I}", "age", (json_int_t)(age_ms > 0 ? age_ms : 0));
    show_age(text, object, "age");
    json_decref(object);
    return text;
}

/* ---- the head ------------------------------------------------------------------------
 */

static void put_head(struct buf *out, const struct top *top, const struct top_view *view)
{
    char text[256];
    char now[CLOCK_ISO_MAX];
    size_t unwell = 0;
    for (size_t i = 0; i < top->count; i++)
        unwell += top->zones[i].urgency > 0;
    clock_format_iso(now, top->as_of_ms + view->elapsed_ms);
    snprintf(text, sizeof text, say("%.8sZ  zones %zu, not well %zu, incidents %zu  %s"),
             now + 11, top->count, unwell, json_array_size(top->incidents), view->where);
    put_style(out, BOLD, view->has_cursor);
    put_cell(out, text, view->columns, false);
    put_style(out, PLAIN, view->has_cursor);
    buf_u8(out, '\n');
    if (view->trouble == NULL)
        return;
    put_style(out, RED, view->has_color);
    snprintf(text, sizeof text, say("NOT FRESH: %.200s"), view->trouble);
    put_cell(out, text, view->columns, false);
    put_style(out, PLAIN, view->has_color);
    buf_u8(out, '\n');
}

/* ---- incidents -----------------------------------------------------------------------
 */

static const char *name_of(const struct top *top, const char *id)
{
    for (size_t i = 0; i < top->count; i++)
        if (strcmp(top->zones[i].id, id) == 0)
            return top->zones[i].name;
    return id;
}

static void put_incident(struct buf *out, const struct top *top,
                         const struct top_view *view, const json_t *incident)
{
    char limit[SHOW_SIZE];
    char value[SHOW_SIZE];
    char age[SHOW_SIZE];
    char text[512];
    int64_t onset_ms;
    const char *severity = show_text(incident, "severity");
    bool is_critical = strcmp(severity, "critical") == 0;
    bool has_value = json_is_number(json_object_get(incident, "value"));
    bool is_dated = clock_parse_iso(&onset_ms, show_text(incident, "onset"));
    bool is_taken = json_is_true(json_object_get(incident, "acknowledged"));
    snprintf(text, sizeof text, "%s  %.100s  %s%s%s%s%s  %s  %s  %s", say_word(severity),
             name_of(top, show_text(incident, "zone")),
             say_word(show_text(incident, "kind")), has_value ? " " : "",
             has_value ? incident_measure(limit, incident, "limit") : "",
             has_value ? ": " : "",
             has_value ? incident_measure(value, incident, "value") : "",
             is_dated ? age_text(age, top->as_of_ms + view->elapsed_ms - onset_ms) : "-",
             is_taken ? say("taken") : say("NOT TAKEN"),
             say_word(show_text(incident, "state")));
    put_style(out, is_critical ? RED : YELLOW, view->has_color);
    put_cell(out, text, view->columns, false);
    put_style(out, PLAIN, view->has_color);
    buf_u8(out, '\n');
}

static size_t incidents_shown(const struct top *top, const struct top_view *view)
{
    size_t most = view->lines == 0 ? INCIDENTS_ALL : view->lines / 5;
    if (view->lines > 0 && most > INCIDENTS_MOST)
        most = INCIDENTS_MOST;
    size_t count = json_array_size(top->incidents);
    return count < most ? count : most;
}

static void put_incidents(struct buf *out, const struct top *top,
                          const struct top_view *view)
{
    char text[64];
    size_t shown = incidents_shown(top, view);
    size_t count = json_array_size(top->incidents);
    for (size_t i = 0; i < shown; i++)
        put_incident(out, top, view, json_array_get(top->incidents, i));
    if (shown == count)
        return;
    snprintf(text, sizeof text, say("and %zu more incidents"), count - shown);
    put_line(out, text, view->columns);
}

/* ---- zones ---------------------------------------------------------------------------
 */

static struct layout make_layout(const struct top *top, const struct top_view *view)
{
    struct layout layout = {
        .has_humidity = view->columns >= 56,
        .has_band = view->columns >= 70,
    };
    size_t fixed = STATE_COLUMNS + TEMP_COLUMNS + AGE_COLUMNS + 4 +
                   (layout.has_humidity ? HUMIDITY_COLUMNS + 1u : 0u) +
                   (layout.has_band ? BAND_COLUMNS + 1u : 0u);
    size_t left = view->columns > fixed ? view->columns - fixed : 0;
    size_t name = NAME_LEAST;
    for (size_t i = 0; i < top->count; i++) {
        size_t width = width_of(top->zones[i].name, strlen(top->zones[i].name));
        name = width > name ? width : name;
    }
    name = name > NAME_MOST ? NAME_MOST : name;
    if (name > left * 2 / 3)
        name = left * 2 / 3;
    layout.name = name > 0 ? name : 1;
    layout.spark = left > layout.name ? left - layout.name : 0;
    if (layout.spark > SPARK_MOST)
        layout.spark = SPARK_MOST;
    if (layout.spark < SPARK_LEAST) {
        layout.spark = 0;
        layout.name = left > 0 ? left : 1;
    }
    return layout;
}

/* Of each stretch of time the value that is farthest from the middle of the band: what
 * was wrong for a moment is seen. */
static void put_spark(struct buf *out, const struct top *top, const struct top_zone *zone,
                      const struct top_view *view, size_t columns)
{
    double values[SPARK_MOST];
    int64_t from_ms = top->as_of_ms - top->span_ms;
    double middle = (zone->low + zone->high) / 2;
    assert(columns > 0 && columns <= SPARK_MOST);
    for (size_t i = 0; i < SPARK_MOST; i++)
        values[i] = (double)NAN;
    for (size_t i = 0; i < zone->point_count; i++) {
        int64_t since_ms = zone->points[i].time_ms - from_ms;
        double value = zone->points[i].value;
        if (since_ms < 0)
            continue;
        size_t at = (size_t)(since_ms * (int64_t)columns / (top->span_ms + 1));
        if (at >= columns)
            at = columns - 1;
        bool is_worse = isnan(middle) ? value > values[at]
                                      : fabs(value - middle) > fabs(values[at] - middle);
        if (isnan(values[at]) || is_worse)
            values[at] = value;
    }
    spark_draw(out, values, columns, CALM, view->is_utf8);
}

static void number_cell(struct buf *out, double value, const char *fmt, size_t columns)
{
    char text[64] = "-";
    if (!isnan(value))
        snprintf(text, sizeof text, strcmp(fmt, "%") == 0 ? "%.0f%%" : "%.1f", value);
    put_cell(out, text, columns, true);
}

static void band_cell(struct buf *out, const struct top_zone *zone)
{
    char low[NUMBER_SIZE] = "";
    char high[NUMBER_SIZE] = "";
    char text[2 * NUMBER_SIZE + 4] = "-";
    if (!isnan(zone->low))
        number_format(zone->low, low);
    if (!isnan(zone->high))
        number_format(zone->high, high);
    if (low[0] != '\0' || high[0] != '\0')
        snprintf(text, sizeof text, "%s..%s", low, high);
    put_cell(out, text, BAND_COLUMNS, true);
}

static const char *style_of(const struct top_zone *zone)
{
    if (zone->urgency == 0)
        return NULL;
    bool is_red = strcmp(zone->state, "ABOVE") == 0 || strcmp(zone->state, "BELOW") == 0;
    return is_red ? RED : YELLOW;
}

static void put_zone(struct buf *out, const struct top *top, const struct top_zone *zone,
                     const struct top_view *view, const struct layout *layout,
                     bool is_chosen)
{
    char age[SHOW_SIZE] = "-";
    const char *style = style_of(zone);
    if (zone->time_ms != 0)
        age_text(age, top->as_of_ms + view->elapsed_ms - zone->time_ms);
    put_style(out, REVERSE, is_chosen);
    put_style(out, style, view->has_color && style != NULL);
    put_cell(out, zone->name, layout->name, false);
    buf_u8(out, ' ');
    put_cell(out, say_of("top", zone->state), STATE_COLUMNS, false);
    buf_u8(out, ' ');
    number_cell(out, zone->temperature, "1", TEMP_COLUMNS);
    if (layout->has_humidity) {
        buf_u8(out, ' ');
        number_cell(out, zone->humidity, "%", HUMIDITY_COLUMNS);
    }
    if (layout->has_band) {
        buf_u8(out, ' ');
        band_cell(out, zone);
    }
    buf_u8(out, ' ');
    put_cell(out, age, AGE_COLUMNS, true);
    put_style(out, PLAIN, is_chosen || (view->has_color && style != NULL));
    if (layout->spark > 0) {
        buf_u8(out, ' ');
        put_spark(out, top, zone, view, layout->spark);
    }
    buf_u8(out, '\n');
}

static void put_headings(struct buf *out, const struct top *top,
                         const struct top_view *view, const struct layout *layout)
{
    char spark[32];
    put_style(out, BOLD, view->has_cursor);
    put_cell(out, say("ZONE"), layout->name, false);
    buf_u8(out, ' ');
    put_cell(out, say("STATE"), STATE_COLUMNS, false);
    buf_u8(out, ' ');
    put_cell(out, say("TEMP"), TEMP_COLUMNS, true);
    if (layout->has_humidity) {
        buf_u8(out, ' ');
        put_cell(out, say("HUM"), HUMIDITY_COLUMNS, true);
    }
    if (layout->has_band) {
        buf_u8(out, ' ');
        put_cell(out, say("BAND"), BAND_COLUMNS, true);
    }
    buf_u8(out, ' ');
    put_cell(out, say("AGE"), AGE_COLUMNS, true);
    if (layout->spark > 0) {
        snprintf(spark, sizeof spark, say("LAST %lldh"),
                 (long long)(top->span_ms / 3600000));
        buf_u8(out, ' ');
        put_cell(out, spark, layout->spark, false);
    }
    put_style(out, PLAIN, view->has_cursor);
    buf_u8(out, '\n');
}

/* How many zones there is room for; all without a height. */
static size_t zones_shown(const struct top *top, const struct top_view *view)
{
    if (view->lines == 0)
        return top->count;
    size_t taken = AROUND + incidents_shown(top, view) + (view->trouble != NULL);
    return view->lines > taken + 1 ? view->lines - taken : 1;
}

static void scroll(const struct top *top, struct top_view *view, size_t room)
{
    if (view->chosen >= top->count)
        view->chosen = top->count > 0 ? top->count - 1 : 0;
    if (view->chosen < view->first)
        view->first = view->chosen;
    if (view->chosen >= view->first + room)
        view->first = view->chosen - room + 1;
    if (view->first + room > top->count)
        view->first = top->count > room ? top->count - room : 0;
}

static void put_foot(struct buf *out, const struct top *top, const struct top_view *view,
                     size_t room)
{
    char text[512] = "";
    if (view->chosen < top->count) {
        const struct top_zone *zone = &top->zones[view->chosen];
        snprintf(text, sizeof text, "%.64s: %.100s %.100s", zone->id,
                 zone->device[0] != '\0' ? zone->device : say("nothing measures the air"),
                 zone->channel);
    }
    put_line(out, text, view->columns);
    snprintf(
        text, sizeof text, say("q quit  j/k move  s sort: %s  r refresh  %zu-%zu of %zu"),
        say_of("order", top_order_name(top->order)), top->count > 0 ? view->first + 1 : 0,
        view->first + room < top->count ? view->first + room : top->count, top->count);
    put_cell(out, text, view->columns, false);
}

void top_draw(struct buf *out, const struct top *top, struct top_view *view)
{
    size_t room = zones_shown(top, view);
    const struct layout layout = make_layout(top, view);
    scroll(top, view, room);
    put_head(out, top, view);
    put_incidents(out, top, view);
    buf_u8(out, '\n');
    put_headings(out, top, view, &layout);
    for (size_t i = 0; i < room && view->first + i < top->count; i++) {
        size_t at = view->first + i;
        put_zone(out, top, &top->zones[at], view, &layout,
                 view->has_cursor && at == view->chosen);
    }
    if (top->count == 0 && view->trouble == NULL)
        put_line(out, say("no zones are declared"), view->columns);
    if (view->has_cursor)
        put_foot(out, top, view, room);
}
