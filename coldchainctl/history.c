// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/history.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HOUR_MS 3600000.0

/* One pass over the file. */
struct run {
    struct history *history;
    const struct history_options *options;
    struct csv csv;
    struct csv_map map;
    int temperature, humidity, pulp; /* places in the map; -1: not there */
    double scale, offset;            /* to degrees Celsius */
    struct load_reading before;      /* the last good one */
    bool has_before;
    bool had_bad; /* an implausible row since then */
    double sum_c_ms;
    int64_t next_point_ms;
    struct mkt_window window;
};

static enum err unit_of(struct run *run, int place, struct err_text *why)
{
    static const struct {
        const char *name;
        double scale;
        double offset;
    } units[] = {{"", 1, 0},
                 {"C", 1, 0},
                 {"Cel", 1, 0},
                 {"K", 1, -KELVIN_OFFSET},
                 {"F", 5.0 / 9, -32 * 5.0 / 9}};
    const char *unit = run->map.columns[place].unit;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        run->scale = units[i].scale;
        run->offset = units[i].offset;
        return ERR_OK;
    }
    return err_set(why, ERR_INVALID, "'%s' is no unit of temperature; use C, F or K",
                   unit);
}

static enum err bind(struct run *run, struct err_text *why)
{
    static const char *const known[] = {"time", "temperature", "humidity", "pulp"};
    enum err err = csv_map_parse(&run->map, run->options->columns, why);
    for (size_t i = 0; err == ERR_OK && i < run->map.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            is_known |= strcmp(run->map.columns[i].key, known[k]) == 0;
        if (!is_known)
            err =
                err_set(why, ERR_INVALID,
                        "'%s' is no quantity here; use time, temperature, humidity, pulp",
                        run->map.columns[i].key);
    }
    run->temperature = csv_map_find(&run->map, "temperature");
    run->humidity = csv_map_find(&run->map, "humidity");
    run->pulp = csv_map_find(&run->map, "pulp");
    if (err == ERR_OK && run->temperature < 0)
        err = err_set(why, ERR_INVALID, "no temperature=COLUMN among the columns");
    if (err == ERR_OK)
        err = unit_of(run, run->temperature, why);
    return err == ERR_OK ? csv_map_bind(&run->map, &run->csv, why) : err;
}

static void remember_excursion(struct history *history, const struct excursion *ended)
{
    if (history->worst_count < HISTORY_EXCURSIONS_MAX)
        history->worst[history->worst_count++] = *ended;
}

/* [from, to) at one value through everything but the load. NaN: a gap. */
static void account(struct run *run, int64_t from_ms, int64_t to_ms, double celsius,
                    enum coverage_code code)
{
    struct history *history = run->history;
    struct excursion ended;
    if (from_ms >= to_ms)
        return;
    if (coverage_add(&history->coverage, from_ms, to_ms, code) != ERR_OK) {
        /* sealed: cannot be, pieces come in order */
        assert(false && "a piece in order was refused");
    }
    if (excursions_step(&history->excursions, from_ms, to_ms, celsius, &ended))
        remember_excursion(history, &ended);
    mkt_add(&history->mkt, celsius, to_ms - from_ms);
    if (!isnan(celsius))
        run->sum_c_ms += celsius * (double)(to_ms - from_ms);
    if (run->window.count == 0)
        return;
    mkt_window_add(&run->window, from_ms, celsius, to_ms - from_ms);
    struct mkt sum = mkt_window_sum(&run->window);
    if (isnan(mkt_celsius(&history->mkt_worst)) ||
        mkt_celsius(&sum) > mkt_celsius(&history->mkt_worst))
        history->mkt_worst = sum;
}

static void close_piece(struct run *run, int64_t now_ms)
{
    const struct load_model *model = &run->history->model;
    int64_t from = run->before.time_ms, held = from + model->hold_ms;
    double celsius = run->before.temperature_c;
    enum coverage_code code =
        coverage_of_value(celsius, model->band_min_c, model->band_max_c);
    account(run, from, now_ms < held ? now_ms : held, celsius, code);
    account(run, held, now_ms, (double)NAN,
            run->had_bad ? COVERAGE_IMPLAUSIBLE : COVERAGE_GAP);
}

/* Drops every second point; from then on they come as far apart as those that stay. */
static void thin(struct history *history)
{
    for (size_t i = 0; 2 * i < history->point_count; i++)
        history->points[i] = history->points[2 * i];
    history->point_count = (history->point_count + 1) / 2;
    assert(history->point_count > 1);
    int64_t span =
        history->points[history->point_count - 1].time_ms - history->points[0].time_ms;
    history->every_ms = span / (int64_t)(history->point_count - 1);
}

static void add_point(struct run *run, const struct load_reading *reading)
{
    struct history *history = run->history;
    if (history->point_count == HISTORY_POINTS_MAX)
        thin(history);
    struct life life =
        life_of(&history->load, &history->model, history->at_c, run->options->humidity);
    history->points[history->point_count++] = (struct history_point){
        .time_ms = reading->time_ms,
        .reading_c = reading->temperature_c,
        .product = history->load.product,
        .used_mid = life_used(&history->load, &history->model).mid,
        .left = life.days,
        .chilled_fast = history->load.chilled_fast,
        .assumed_ms = history->load.assumed_ms,
    };
    run->next_point_ms = reading->time_ms + history->every_ms;
}

static void note_bad(struct run *run, const struct err_text *why)
{
    if (run->history->bad_rows++ == 0)
        run->history->first_bad = *why;
    run->had_bad = true;
}

static void take(struct run *run, const struct load_reading *reading)
{
    struct history *history = run->history;
    struct err_text why = {""};
    enum err err = load_reading(&history->load, &history->model, reading);
    if (err == ERR_INVALID && !isnan(reading->temperature_c))
        err_set(&why, err, "line %zu: %g C is not plausible in a cold chain",
                run->csv.row_line, reading->temperature_c);
    else if (err == ERR_INVALID)
        err_set(&why, err, "line %zu: no temperature", run->csv.row_line);
    else if (err == ERR_CONFLICT)
        err_set(&why, err, "line %zu: its time is not after the row before",
                run->csv.row_line);
    if (err != ERR_OK) {
        note_bad(run, &why);
        return;
    }
    if (run->has_before)
        close_piece(run, reading->time_ms);
    else
        coverage_init(&history->coverage, reading->time_ms);
    history->coldest_c = fmin(history->coldest_c, reading->temperature_c);
    history->warmest_c = fmax(history->warmest_c, reading->temperature_c);
    run->before = *reading;
    run->has_before = true;
    run->had_bad = false;
    if (history->point_count == 0 || reading->time_ms >= run->next_point_ms)
        add_point(run, reading);
}

static double convert(const struct run *run, double value)
{
    return value * run->scale + run->offset;
}

static enum err read_rows(struct run *run)
{
    struct history *history = run->history;
    for (;;) {
        struct err_text why = {""};
        int64_t time_ms;
        double values[CSV_COLUMNS_MAX];
        enum err err = csv_next(&run->csv, &why);
        if (err == ERR_NOT_FOUND)
            return history->load.readings > 0 ? ERR_OK : ERR_NOT_FOUND;
        history->rows++;
        if (err == ERR_OK)
            err = csv_map_row(&run->map, &run->csv, &time_ms, values, &why);
        if (err != ERR_OK) {
            note_bad(run, &why);
            continue;
        }
        take(run,
             &(struct load_reading){
                 .time_ms = time_ms,
                 .temperature_c = convert(run, values[run->temperature]),
                 .humidity_pct = run->humidity >= 0 ? values[run->humidity] : (double)NAN,
                 .pulp_c = run->pulp >= 0 ? convert(run, values[run->pulp]) : (double)NAN,
             });
    }
}

/* Totals that need the end. The last reading holds for nothing: nobody saw what came. */
static void finish(struct run *run)
{
    struct history *history = run->history;
    struct excursion ended;
    if (excursions_finish(&history->excursions, &ended))
        remember_excursion(history, &ended);
    int64_t graded = history->mkt.graded_ms;
    history->mean_c =
        graded > 0 ? run->sum_c_ms / (double)graded : run->before.temperature_c;
    if (history->points[history->point_count - 1].time_ms != run->before.time_ms)
        add_point(run, &run->before);
    history->life =
        life_of(&history->load, &history->model, history->at_c, run->options->humidity);
    assert(coverage_is_exact(&history->coverage));
}

static void prepare(struct run *run)
{
    struct history *history = run->history;
    const struct history_options *options = run->options;
    load_init(&history->load);
    if (!isnan(options->pulp_c))
        load_enter(&history->load, &history->model, options->pulp_c);
    excursions_init(&history->excursions, history->model.band_min_c,
                    history->model.band_max_c);
    history->points = mem_array(HISTORY_POINTS_MAX, sizeof *history->points);
    history->every_ms =
        options->every_h > 0 ? llround(options->every_h * HOUR_MS) : 60000;
    history->coldest_c = (double)INFINITY;
    history->warmest_c = -(double)INFINITY;
    history->at_c = !isnan(options->at_c) ? options->at_c : history->model.ref_c;
    if (options->mkt_hours > 0) {
        run->window.count = 96;
        run->window.bucket_ms = llround(options->mkt_hours * HOUR_MS / 96);
        run->window.buckets = mem_array(run->window.count, sizeof *run->window.buckets);
    }
}

enum err history_run(struct history *history, const struct profile *profile,
                     const char *text, size_t len, const struct history_options *options,
                     struct err_text *why)
{
    *history = (struct history){.point_count = 0};
    struct run run = {.history = history, .options = options};
    enum err err = load_model_init(&history->model, profile, &options->load, why);
    if (err != ERR_OK)
        return err;
    csv_init(&run.csv, text, len);
    err = bind(&run, why);
    if (err != ERR_OK)
        return err;
    prepare(&run);
    err = read_rows(&run);
    if (err == ERR_OK)
        finish(&run);
    else
        err = err_set(why, err, "none of %zu rows could be used%s%s", history->rows,
                      history->bad_rows > 0 ? "; the first: " : "",
                      history->first_bad.text);
    free(run.window.buckets);
    return err;
}

void history_fini(struct history *history)
{
    coverage_fini(&history->coverage);
    free(history->points);
    history->points = NULL;
}
