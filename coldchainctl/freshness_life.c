// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "coldchainctl/command.h"
#include "coldchainctl/freshness_cmd.h"
#include "coldchainctl/plot.h"
#include "coldchainctl/table.h"
#include "freshness/psychrometrics.h"

#define CSV_MAX    (1u << 30)
#define ROWS_SHOWN 24

static json_t *life_json(const struct life *life)
{
    json_t *by = json_object();
    for (int i = 0; i < LIFE_PROCESSES; i++)
        json_object_set_new(by, life_process_name((enum life_process)i),
                            freshness_span(&life->by[i]));
    bool is_stated = life->verdict == LIFE_STATED;
    return json_pack(
        "{so ss ss so so* so sb sb}", "at_c", freshness_number(life->at_c), "verdict",
        life_verdict_name(life->verdict), "says", life_verdict_text(life->verdict),
        "days", freshness_span(&life->days), "limited_by",
        is_stated ? json_string(life_process_name(life->limit)) : NULL, "by", by,
        "extrapolated", life->is_extrapolated, "capped", life->is_capped);
}

static json_t *air_json(double air_c, double humidity)
{
    return json_pack("{so so so so so}", "temperature_c", freshness_number(air_c),
                     "humidity_pct", freshness_number(humidity), "dew_point_c",
                     freshness_number(dew_point_c(air_c, humidity)), "frost_point_c",
                     freshness_number(frost_point_c(air_c, humidity)),
                     "vapour_deficit_kpa",
                     freshness_number(vapour_deficit_kpa(air_c, humidity)));
}

static json_t *profile_json(const struct load_model *model)
{
    const struct profile *profile = model->profile;
    return json_pack(
        "{ss ss ss ss so so so}", "id", profile->id, "name", profile->name_en, "name_zh",
        profile->name_zh, "kinetics", profile_kinetics_name(profile->kinetics),
        "life_min_d", freshness_number(model->life_min_d), "life_max_d",
        freshness_number(model->life_max_d), "life_at_c", freshness_number(model->ref_c));
}

/* What a reader must know beside the number. */
static void print_cautions(const struct load_model *model, const struct life *life)
{
    const struct profile *profile = model->profile;
    if (profile->kinetics == PROFILE_KINETICS_ARRHENIUS)
        puts(
            "  caution         the energy is of respiration and stands in for shelf life");
    if (profile->kinetics == PROFILE_KINETICS_Q10)
        puts(
            "  caution         no kinetics are published for it: steps of USDA Handbook 66");
    if (life->is_extrapolated)
        puts("  caution         outside the temperatures the numbers were measured at");
    if (life->is_capped)
        puts("  caution         the rate is held at that of 40 C");
    if (profile->chilling == PROFILE_CHILLING_UNKNOWN)
        puts("  caution         whether cold injures it is not published");
}

static void print_life(const struct load_model *model, const struct life *life)
{
    char range[80], text[32];
    if (life->verdict != LIFE_STATED) {
        printf("  life            %s\n", life_verdict_text(life->verdict));
        return;
    }
    printf("  life            %s d at %g C (best %s), limited by %s\n",
           freshness_range(range, life->days.low, life->days.high, 1), life->at_c,
           freshness_text(text, life->days.mid, 1), life_process_name(life->limit));
    for (int i = 0; i < LIFE_PROCESSES; i++) {
        const struct life_span *span = &life->by[i];
        bool is_known = !isnan(span->low) || !isnan(span->high);
        printf("    %-13s %s%s\n", life_process_name((enum life_process)i),
               is_known ? freshness_range(range, span->low, span->high, 1)
                        : "not published or not stated",
               is_known && !isinf(span->low) ? " d" : "");
    }
    print_cautions(model, life);
}

static void print_constant(const struct load_model *model, const struct life *life,
                           const struct freshness_args *args)
{
    const struct profile *profile = model->profile;
    char range[80];
    printf("%s  %s  %s\n", profile->id, profile->name_en, profile->name_zh);
    print_life(model, life);
    if (model->has_life)
        printf("  set by          %s d at %g C\n",
               freshness_range(range, model->life_min_d, model->life_max_d, 0),
               model->ref_c);
    if (!isnan(args->humidity))
        printf("  air             dew point %.2f C, vapour deficit %.4f kPa\n",
               dew_point_c(args->constant, args->humidity),
               vapour_deficit_kpa(args->constant, args->humidity));
}

static void compare_row(struct table *table, const struct load_model *model,
                        const struct life *life)
{
    char range[80], text[32];
    bool is_stated = life->verdict == LIFE_STATED;
    table_cell(table, "%s", model->profile->id);
    table_cell(table, "%s", model->profile->name_zh);
    table_cell(table, "%g", life->at_c);
    table_cell(table, "%s",
               is_stated ? freshness_range(range, life->days.low, life->days.high, 1)
                         : "-");
    table_cell(table, "%s", freshness_text(text, life->days.mid, 1));
    table_cell(table, "%s",
               is_stated ? life_process_name(life->limit)
                         : life_verdict_text(life->verdict));
}

/* Of one profile alone people have read it by now. */
static void print_all(const struct freshness_args *args, json_t *all,
                      const struct table *table)
{
    if (args->wants_json)
        freshness_print_json(
            json_incref(args->compare != NULL ? all : json_array_get(all, 0)));
    else if (args->compare != NULL)
        table_print(table, stdout);
}

int freshness_constant(const struct freshness_args *args)
{
    struct table table = {
        .headings = {"profile", "名称", ">at C", ">life d", ">best d", "limited by"}};
    json_t *all = json_array();
    struct load_options options;
    struct err_text why = {""};
    enum err err = freshness_load_options(args, &options, &why);
    int status = COMMAND_OK;
    for (size_t i = 0; err == ERR_OK && i < args->profile_count; i++) {
        struct load_model model;
        struct load load;
        load_init(&load);
        err = load_model_init(&model, args->profiles[i], &options, &why);
        if (err != ERR_OK)
            break;
        struct life life = life_of(&load, &model, args->constant, args->humidity);
        status = life.verdict == LIFE_STATED ? status : COMMAND_FAILED;
        json_array_append_new(all,
                              json_pack("{so so so}", "profile", profile_json(&model),
                                        "life", life_json(&life), "air",
                                        air_json(args->constant, args->humidity)));
        compare_row(&table, &model, &life);
        if (args->compare == NULL && !args->wants_json)
            print_constant(&model, &life, args);
    }
    if (err == ERR_OK)
        print_all(args, all, &table);
    json_decref(all);
    table_fini(&table);
    return err == ERR_OK ? status : command_fail("freshness", err, &why);
}

static json_t *coverage_json(const struct coverage *coverage)
{
    json_t *root = json_object(), *reasons = json_object();
    for (int i = 0; i < COVERAGE_KINDS; i++)
        json_object_set_new(
            root, coverage_kind_name((enum coverage_kind)i),
            json_integer(coverage_kind_ms(coverage, (enum coverage_kind)i)));
    for (int i = 0; i < COVERAGE_CODE_COUNT; i++)
        if (coverage->totals[i] > 0)
            json_object_set_new(reasons, coverage_code_name((enum coverage_code)i),
                                json_integer(coverage->totals[i]));
    json_object_set_new(root, "reasons", reasons);
    json_object_set_new(root, "total",
                        json_integer(coverage->end_ms - coverage->start_ms));
    json_object_set_new(root, "graded_share",
                        freshness_number(coverage_graded_share(coverage)));
    return root;
}

static json_t *excursions_json(const struct history *history)
{
    json_t *all = json_array();
    for (size_t i = 0; i < history->worst_count; i++) {
        const struct excursion *one = &history->worst[i];
        json_array_append_new(
            all,
            json_pack("{ss sI sI so sI so sb sb}", "side", excursion_side_name(one->side),
                      "from_ms", (json_int_t)one->from_ms, "to_ms",
                      (json_int_t)one->to_ms, "peak_c", freshness_number(one->peak),
                      "peak_ms", (json_int_t)one->peak_ms, "degree_minutes",
                      freshness_number(one->degree_minutes), "begins_in_gap",
                      one->begins_in_gap, "ends_in_gap", one->ends_in_gap));
    }
    return all;
}

static json_t *totals_json(const struct history *history)
{
    const struct excursions *out = &history->excursions;
    return json_pack(
        "{sI sI so so}", "count_below", (json_int_t)out->count[EXCURSION_BELOW],
        "count_above", (json_int_t)out->count[EXCURSION_ABOVE], "degree_minutes_below",
        freshness_number(out->degree_minutes[EXCURSION_BELOW]), "degree_minutes_above",
        freshness_number(out->degree_minutes[EXCURSION_ABOVE]));
}

static json_t *load_json(const struct history *history)
{
    const struct load *load = &history->load;
    struct life_span used = life_used(load, &history->model);
    return json_pack(
        "{so s{so so so} s{so so} so so s{so so so} sI sI sI sI so}", "used",
        freshness_span(&used), "aged_days", "low", freshness_number(load->aged_d.slow),
        "mid", freshness_number(load->aged_d.mid), "high",
        freshness_number(load->aged_d.fast), "chilling_dose", "low",
        freshness_number(load->chilled_slow), "high",
        freshness_number(load->chilled_fast), "vapour_deficit_kpa_h",
        freshness_number(load->deficit_kpa_h), "water_loss_pct",
        freshness_number(life_water_pct(load, &history->model)), "product_c", "low",
        freshness_number(load->product.low), "mid", freshness_number(load->product.mid),
        "high", freshness_number(load->product.high), "graded_ms",
        (json_int_t)load->graded_ms, "assumed_ms", (json_int_t)load->assumed_ms,
        "humid_ms", (json_int_t)load->humid_ms, "frozen_ms", (json_int_t)load->frozen_ms,
        "frozen_at_ms",
        load->frozen_ms > 0 ? json_integer(load->frozen_at_ms) : json_null());
}

static json_t *mkt_json(const struct mkt *mkt)
{
    return json_pack("{so so sI sI}", "celsius", freshness_number(mkt_celsius(mkt)),
                     "delta_h_over_r_kelvin", freshness_number(MKT_USP_KELVIN),
                     "graded_ms", (json_int_t)mkt->graded_ms, "ungraded_ms",
                     (json_int_t)mkt->ungraded_ms);
}

static json_t *points_json(const struct history *history)
{
    json_t *all = json_array();
    for (size_t i = 0; i < history->point_count; i++) {
        const struct history_point *point = &history->points[i];
        json_array_append_new(
            all, json_pack("{sI so s{so so so} so so so}", "time_ms",
                           (json_int_t)point->time_ms, "reading_c",
                           freshness_number(point->reading_c), "product_c", "low",
                           freshness_number(point->product.low), "mid",
                           freshness_number(point->product.mid), "high",
                           freshness_number(point->product.high), "used",
                           freshness_number(point->used_mid), "days_left",
                           freshness_span(&point->left), "chilling_dose",
                           freshness_number(point->chilled_fast)));
    }
    return all;
}

static bool shows_mkt(const struct history *history, const struct freshness_args *args)
{
    return history->model.profile->uses_mkt || args->mkt_h > 0;
}

static json_t *history_json(const struct history *history,
                            const struct freshness_args *args)
{
    json_t *root = json_pack(
        "{so so so so so so so sI sI so so so}", "profile", profile_json(&history->model),
        "life", life_json(&history->life), "load", load_json(history), "coverage_ms",
        coverage_json(&history->coverage), "out_of_band", totals_json(history),
        "excursions", excursions_json(history), "points", points_json(history), "rows",
        (json_int_t)history->rows, "bad_rows", (json_int_t)history->bad_rows, "coldest_c",
        freshness_number(history->coldest_c), "warmest_c",
        freshness_number(history->warmest_c), "mean_c",
        freshness_number(history->mean_c));
    if (history->bad_rows > 0)
        json_object_set_new(root, "first_bad", json_string(history->first_bad.text));
    if (shows_mkt(history, args))
        json_object_set_new(root, "mean_kinetic_temperature", mkt_json(&history->mkt));
    if (args->mkt_h > 0) {
        json_t *worst = mkt_json(&history->mkt_worst);
        json_object_set_new(worst, "window_hours", freshness_number(args->mkt_h));
        json_object_set_new(root, "mean_kinetic_temperature_worst_window", worst);
    }
    return root;
}

static void print_coverage(const struct history *history)
{
    const struct coverage *coverage = &history->coverage;
    char from[CLOCK_ISO_MAX], to[CLOCK_ISO_MAX];
    printf("  record          %s to %s, %zu rows, %zu not usable\n",
           clock_format_iso(from, coverage->start_ms),
           clock_format_iso(to, coverage->end_ms), history->rows, history->bad_rows);
    if (history->bad_rows > 0)
        printf("                  the first: %s\n", history->first_bad.text);
    printf("  time            in band %.2f h, out of band %.2f h, ungraded %.2f h, "
           "off duty %.2f h (graded %.1f %%)\n",
           (double)coverage_kind_ms(coverage, COVERAGE_IN_BAND) / 3600000,
           (double)coverage_kind_ms(coverage, COVERAGE_OUT_OF_BAND) / 3600000,
           (double)coverage_kind_ms(coverage, COVERAGE_UNGRADED) / 3600000,
           (double)coverage_kind_ms(coverage, COVERAGE_OFF_DUTY) / 3600000,
           100 * coverage_graded_share(coverage));
}

static void print_exposure(const struct history *history,
                           const struct freshness_args *args)
{
    const struct excursions *out = &history->excursions;
    const struct load *load = &history->load;
    printf("  readings        %.1f to %.1f C, mean by time %.2f C\n", history->coldest_c,
           history->warmest_c, history->mean_c);
    printf(
        "  excursions      above %u (%.0f degree-minutes), below %u (%.0f degree-minutes)\n",
        out->count[EXCURSION_ABOVE], out->degree_minutes[EXCURSION_ABOVE],
        out->count[EXCURSION_BELOW], out->degree_minutes[EXCURSION_BELOW]);
    if (shows_mkt(history, args))
        printf(
            "  MKT             %.2f C over %.1f h with a temperature, %.1f h without; never "
            "excuses cold\n",
            mkt_celsius(&history->mkt), (double)history->mkt.graded_ms / 3600000,
            (double)history->mkt.ungraded_ms / 3600000);
    if (args->mkt_h > 0)
        printf("  MKT, worst      %.2f C within %g h\n", mkt_celsius(&history->mkt_worst),
               args->mkt_h);
    if (shows_mkt(history, args) && !history->model.profile->uses_mkt)
        puts(
            "  caution         mean kinetic temperature says nothing about living produce");
    if (history->model.profile->chilling == PROFILE_CHILLING_THRESHOLD)
        printf("  chilling dose   %.1f to %.1f C.h below %g..%g C\n", load->chilled_slow,
               load->chilled_fast, history->model.chilling_low_c,
               history->model.chilling_high_c);
    if (history->model.profile->chilling == PROFILE_CHILLING_BAND)
        printf("  chilling dose   %.1f to %.1f h in the danger band %g..%g C\n",
               load->chilled_slow, load->chilled_fast, history->model.chilling_low_c,
               history->model.chilling_high_c);
    if (load->humid_ms > 0)
        printf("  drying          %.2f kPa.h over %.1f h with a humidity\n",
               load->deficit_kpa_h, (double)load->humid_ms / 3600000);
}

static void print_points(const struct history *history)
{
    struct table table = {.headings = {"time", ">reading C", ">product C", ">used %",
                                       ">life left d", ">dose"}};
    size_t shown = history->point_count < ROWS_SHOWN ? history->point_count : ROWS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        size_t at = shown > 1 ? i * (history->point_count - 1) / (shown - 1) : 0;
        const struct history_point *point = &history->points[at];
        char iso[CLOCK_ISO_MAX], text[80];
        clock_format_iso(iso, point->time_ms);
        iso[16] = '\0';
        table_cell(&table, "%s", iso);
        table_cell(&table, "%.1f", point->reading_c);
        table_cell(&table, "%.1f (%.1f..%.1f)", point->product.mid, point->product.low,
                   point->product.high);
        table_cell(&table, "%s", freshness_text(text, 100 * point->used_mid, 1));
        table_cell(&table, "%s",
                   isnan(point->left.mid)
                       ? "-"
                       : freshness_range(text, point->left.low, point->left.high, 1));
        table_cell(&table, "%.1f", point->chilled_fast);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_history(const struct history *history,
                          const struct freshness_args *args)
{
    const struct profile *profile = history->model.profile;
    const struct load *load = &history->load;
    char range[80], iso[CLOCK_ISO_MAX];
    struct life_span used = life_used(load, &history->model);
    printf("%s  %s  %s\n", profile->id, profile->name_en, profile->name_zh);
    print_coverage(history);
    print_exposure(history, args);
    if (!isnan(used.mid))
        printf("  life used       %s %% (best %.1f)%s\n",
               freshness_range(range, 100 * used.low, 100 * used.high, 1), 100 * used.mid,
               load->assumed_ms > 0 ? ", gaps taken as between their ends" : "");
    if (load->frozen_ms > 0)
        printf("  frozen          since %s, %.1f h below %g C\n",
               clock_format_iso(iso, load->frozen_at_ms),
               (double)load->frozen_ms / 3600000, history->model.freezing_c);
    if (load->contradicted > 0)
        printf("  caution         %u pulp readings contradict the estimate: check tau\n",
               load->contradicted);
    print_life(&history->model, &history->life);
    print_points(history);
}

/* Columns of the points, one array after the other. */
enum series {
    READING,
    PRODUCT,
    PRODUCT_LOW,
    PRODUCT_HIGH,
    LEFT,
    LEFT_LOW,
    LEFT_HIGH,
    SERIES
};

/*
 * Row after row into values[SERIES][room]; returns how many. Before a point that comes
 * after a gap goes one without a reading: no line is drawn where nothing was measured.
 */
static size_t fill_series(double *values, int64_t *times, size_t room,
                          const struct history *history)
{
    size_t n = 0;
    for (size_t i = 0; i < history->point_count; i++) {
        const struct history_point *point = &history->points[i];
        bool has_gap = i > 0 && point->assumed_ms > history->points[i - 1].assumed_ms;
        for (int part = has_gap ? 0 : 1; part < 2; part++) {
            const double row[SERIES] = {
                [READING] = part == 0 ? (double)NAN : point->reading_c,
                [PRODUCT] = point->product.mid,
                [PRODUCT_LOW] = point->product.low,
                [PRODUCT_HIGH] = point->product.high,
                [LEFT] = point->left.mid,
                [LEFT_LOW] = point->left.low,
                [LEFT_HIGH] = point->left.high,
            };
            assert(n < room);
            times[n] = point->time_ms;
            for (int k = 0; k < SERIES; k++)
                values[(size_t)k * room + n] = row[k];
            n++;
        }
    }
    return n;
}

static enum err plot_history(const struct history *history, const char *path,
                             struct err_text *why)
{
    size_t n = 2 * history->point_count;
    double *v = mem_array(n * SERIES, sizeof *v);
    int64_t *times = mem_array(n, sizeof *times);
    size_t count = fill_series(v, times, n, history);
    char title[160], left_title[80], note[200];
    snprintf(title, sizeof title, "%s (%s)", history->model.profile->name_en,
             history->model.profile->id);
    snprintf(left_title, sizeof left_title, "life left at %g C, days", history->at_c);
    snprintf(note, sizeof note,
             "graded %.1f %% of the time; %s%s; shaded: range, storage band",
             100 * coverage_graded_share(&history->coverage),
             history->life.verdict == LIFE_STATED ? "limited by " : "",
             history->life.verdict == LIFE_STATED
                 ? life_process_name(history->life.limit)
                 : life_verdict_text(history->life.verdict));
    const struct plot_panel panels[] = {
        {.title = "temperature, C",
         .band_low = history->model.band_min_c,
         .band_high = history->model.band_max_c,
         .line_count = 2,
         .lines = {{.name = "reading", .values = v + READING * n},
                   {.name = "product",
                    .values = v + PRODUCT * n,
                    .low = v + PRODUCT_LOW * n,
                    .high = v + PRODUCT_HIGH * n}}},
        {.title = left_title,
         .band_low = (double)NAN,
         .band_high = (double)NAN,
         .starts_at_zero = true,
         .line_count = 1,
         .lines = {{.name = "best estimate",
                    .values = v + LEFT * n,
                    .low = v + LEFT_LOW * n,
                    .high = v + LEFT_HIGH * n}}},
    };
    const struct plot plot = {.title = title,
                              .footnote = note,
                              .count = count,
                              .times_ms = times,
                              .panel_count = 2,
                              .panels = panels};
    enum err err = plot_write(&plot, path, why);
    free(times);
    free(v);
    return err;
}

static enum err one_history(const struct freshness_args *args, const struct buf *text,
                            const struct history_options *options, size_t at, json_t *all,
                            struct table *table, int *status, struct err_text *why)
{
    struct history *history = mem_alloc(sizeof *history);
    enum err err =
        history_run(history, args->profiles[at], text->data, text->len, options, why);
    if (err == ERR_OK && args->plot != NULL && at == 0)
        err = plot_history(history, args->plot, why);
    if (err == ERR_OK) {
        if (history->life.verdict != LIFE_STATED)
            *status = COMMAND_FAILED;
        if (args->wants_json)
            json_array_append_new(all, history_json(history, args));
        compare_row(table, &history->model, &history->life);
        if (args->compare == NULL && !args->wants_json)
            print_history(history, args);
    }
    history_fini(history);
    free(history);
    return err;
}

int freshness_history(const struct freshness_args *args)
{
    struct table table = {.headings = {"profile", "名称", ">at C", ">life left d",
                                       ">best d", "limited by"}};
    struct history_options options = {.columns = args->columns,
                                      .at_c = args->at,
                                      .pulp_c = args->pulp,
                                      .humidity = args->humidity,
                                      .every_h = args->every_h,
                                      .mkt_hours = args->mkt_h};
    struct err_text why = {""};
    struct buf text = {0};
    json_t *all = json_array();
    int status = COMMAND_OK;
    enum err err = freshness_load_options(args, &options.load, &why);
    if (err == ERR_OK && strstr(args->columns, "pulp=") != NULL)
        options.load.is_air =
            true; /* beside a probe in the goods the other is in the air */
    if (err == ERR_OK)
        err = file_read(&text, args->csv, CSV_MAX, &why);
    for (size_t i = 0; err == ERR_OK && i < args->profile_count; i++)
        err = one_history(args, &text, &options, i, all, &table, &status, &why);
    if (err == ERR_OK)
        print_all(args, all, &table);
    json_decref(all);
    table_fini(&table);
    buf_fini(&text);
    return err == ERR_OK ? status : command_fail("freshness", err, &why);
}
