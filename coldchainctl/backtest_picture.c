// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_picture - the record with what was told of it: lines of text, or a chart.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/backtest_show.h"
#include "coldchainctl/plot.h"
#include "coldchainctl/say.h"
#include "coldchainctl/spark.h"
#include "coldchainctl/table.h"

#define LABEL_MOST  24
#define CALM        0.5 /* of values that lie within so much of each other */
#define PLOT_POINTS 4000
#define PANELS_MAX  12

/* Pieces of the record's time, of one channel each the value furthest from its middle: a
 * mean would hide the worst. */
struct course {
    size_t channel;
    size_t count;
    double *values;
};

static size_t place_of(const struct backtest *test, size_t count, int64_t time_ms)
{
    double share = (double)(time_ms - test->data->first_ms) /
                   (double)(test->span_ms > 0 ? test->span_ms : 1);
    double at = share * (double)count;
    return at < 0 ? 0 : at >= (double)count ? count - 1 : (size_t)at;
}

static double middle_of(const struct backtest *test, size_t channel)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < test->data->count; i++) {
        const struct backtest_reading *reading = &test->data->readings[i];
        if (reading->channel == channel && isfinite(reading->value)) {
            sum += reading->value;
            count++;
        }
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

static struct course course_of(const struct backtest *test, size_t channel, size_t count)
{
    struct course course = {.channel = channel,
                            .count = count,
                            .values = mem_array(count, sizeof *course.values)};
    double middle = middle_of(test, channel);
    for (size_t i = 0; i < count; i++)
        course.values[i] = (double)NAN;
    for (size_t i = 0; i < test->data->count; i++) {
        const struct backtest_reading *reading = &test->data->readings[i];
        if (reading->channel != channel || !isfinite(reading->value))
            continue;
        double *value = &course.values[place_of(test, count, reading->time_ms)];
        if (isnan(*value) || fabs(reading->value - middle) > fabs(*value - middle))
            *value = reading->value;
    }
    return course;
}

static bool is_of(const struct backtest *test, const struct backtest_firing *firing,
                  size_t rule, const struct backtest_channel *channel)
{
    char measured[ID_SIZE];
    backtest_measured_channel(measured, firing->channel);
    return firing->rule == rule && strcmp(measured, channel->channel) == 0 &&
           strcmp(firing->device, channel->device) == 0 &&
           strcmp(test->rules->rules[rule].zone, channel->zone) == 0;
}

/* Where a rule was open on that channel; false: nowhere. */
static bool mark_rule(const struct backtest *test, size_t rule, size_t channel,
                      bool *marks, size_t count)
{
    bool is_any = false;
    memset(marks, 0, count * sizeof *marks);
    for (size_t i = 0; i < test->firing_count; i++) {
        const struct backtest_firing *firing = &test->firings[i];
        if (!is_of(test, firing, rule, &test->data->channels[channel]))
            continue;
        size_t last = place_of(test, count, firing->end_ms);
        for (size_t k = place_of(test, count, firing->opened_ms); k <= last; k++)
            marks[k] = true;
        is_any = true;
    }
    return is_any;
}

static bool mark_harms(const struct backtest *test, size_t channel, bool *marks,
                       size_t count)
{
    bool is_any = false;
    memset(marks, 0, count * sizeof *marks);
    for (size_t i = 0; i < test->harm_count; i++) {
        const struct backtest_harm *harm = &test->harms[i];
        if (harm->channel != channel)
            continue;
        size_t last = place_of(test, count, harm->to_ms);
        for (size_t k = place_of(test, count, harm->from_ms); k <= last; k++)
            marks[k] = true;
        is_any = true;
    }
    return is_any;
}

/* ---- as text ----------------------------------------------------------------------- */

static void put_label(struct buf *out, const char *label)
{
    size_t width = table_width(label);
    buf_text(out, label);
    buf_format(out, "%*s", width < LABEL_MOST ? (int)(LABEL_MOST - width) : 1, "");
}

static void put_marks(struct buf *out, const char *label, const bool *marks, size_t count,
                      bool is_utf8, const char *mark)
{
    put_label(out, label);
    while (count > 0 && !marks[count - 1])
        count--;
    for (size_t i = 0; i < count; i++)
        buf_text(out, marks[i] ? mark : is_utf8 ? "·" : ".");
    buf_text(out, "\n");
}

/* Left out when nothing was told of it and nothing happened to it. */
static void put_channel(const struct backtest *test, size_t channel, size_t count,
                        bool is_utf8, struct buf *out)
{
    struct buf below = {0};
    bool *marks = mem_array(count, sizeof *marks);
    for (size_t i = 0; i < test->rules->count; i++)
        if (mark_rule(test, i, channel, marks, count))
            put_marks(&below, test->rules->rules[i].id, marks, count, is_utf8,
                      is_utf8 ? "█" : "#");
    if (mark_harms(test, channel, marks, count))
        put_marks(&below, say("harm"), marks, count, is_utf8, is_utf8 ? "▓" : "!");
    if (below.len > 0) {
        struct course course = course_of(test, channel, count);
        put_label(out, test->data->channels[channel].channel);
        spark_draw(out, course.values, count, CALM, is_utf8);
        buf_text(out, "\n");
        buf_add(out, below.data, below.len);
        free(course.values);
    }
    free(marks);
    buf_fini(&below);
}

void backtest_picture(const struct backtest *test, size_t columns, bool is_utf8,
                      struct buf *out)
{
    char first[CLOCK_ISO_MAX];
    char last[CLOCK_ISO_MAX];
    size_t count = columns > LABEL_MOST + 21 ? columns - LABEL_MOST - 1 : 20;
    for (size_t i = 0; i < test->data->channel_count; i++)
        put_channel(test, i, count, is_utf8, out);
    if (out->len == 0)
        return;
    put_label(out, "");
    buf_format(out, "%.10s%*.10s\n", clock_format_iso(first, test->data->first_ms),
               (int)count - 10, clock_format_iso(last, test->data->last_ms));
}

/* ---- as a chart -------------------------------------------------------------------- */

/* One panel per channel: the course, and over it what each rule had open. */
struct chart {
    struct plot plot;
    struct plot_panel panels[PANELS_MAX];
    int64_t *times_ms;
    double **values; /* of lines, to be freed */
    size_t value_count;
    size_t value_capacity;
};

static double *chart_keep(struct chart *chart, double *values)
{
    mem_grow(&chart->values, &chart->value_capacity, chart->value_count + 1,
             sizeof *chart->values);
    chart->values[chart->value_count++] = values;
    return values;
}

static void add_line(struct plot_panel *panel, const char *name, const double *values)
{
    if (panel->line_count < PLOT_LINES_MAX)
        panel->lines[panel->line_count++] =
            (struct plot_line){.name = name, .values = values};
}

static void add_marked(struct chart *chart, struct plot_panel *panel, const char *name,
                       const double *course, const bool *marks, size_t count)
{
    double *values = chart_keep(chart, mem_array(count, sizeof *values));
    for (size_t i = 0; i < count; i++)
        values[i] = marks[i] ? course[i] : (double)NAN;
    add_line(panel, name, values);
}

static void add_panel(struct chart *chart, const struct backtest *test, size_t channel,
                      size_t count)
{
    bool *marks = mem_array(count, sizeof *marks);
    struct plot_panel *panel = &chart->panels[chart->plot.panel_count];
    const struct backtest_channel *from = &test->data->channels[channel];
    *panel = (struct plot_panel){
        .title = from->channel, .band_low = (double)NAN, .band_high = (double)NAN};
    struct course course = course_of(test, channel, count);
    chart_keep(chart, course.values);
    add_line(panel, from->device, course.values);
    for (size_t i = 0; i < test->rules->count; i++)
        if (mark_rule(test, i, channel, marks, count))
            add_marked(chart, panel, test->rules->rules[i].id, course.values, marks,
                       count);
    if (mark_harms(test, channel, marks, count))
        add_marked(chart, panel, "harm", course.values, marks, count);
    chart->plot.panel_count++;
    free(marks);
}

/* Two readings a point, so that an uneven cadence leaves no holes. */
static size_t point_count(const struct backtest_data *data)
{
    size_t most = 4;
    for (size_t i = 0; i < data->channel_count; i++)
        if (data->channels[i].count > most)
            most = data->channels[i].count;
    return most / 2 < PLOT_POINTS ? most / 2 : PLOT_POINTS;
}

enum err backtest_plot(const struct backtest *test, const char *path,
                       struct err_text *why)
{
    const struct backtest_data *data = test->data;
    struct chart chart = {.value_count = 0};
    size_t count = point_count(data);
    chart.times_ms = mem_array(count, sizeof *chart.times_ms);
    for (size_t i = 0; i < count; i++)
        chart.times_ms[i] = data->first_ms + (int64_t)((double)test->span_ms *
                                                       ((double)i + 0.5) / (double)count);
    for (size_t i = 0; i < data->channel_count && i < PANELS_MAX; i++)
        if (data->channels[i].count > 0)
            add_panel(&chart, test, i, count);
    chart.plot.title = test->rules->name;
    chart.plot.count = count;
    chart.plot.times_ms = chart.times_ms;
    chart.plot.panels = chart.panels;
    enum err err = plot_write(&chart.plot, path, why);
    for (size_t i = 0; i < chart.value_count; i++)
        free(chart.values[i]);
    free(chart.values);
    free(chart.times_ms);
    return err;
}
