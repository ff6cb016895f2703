// SPDX-License-Identifier: Apache-2.0
/*
 * Two weeks of a freezer at one reading a minute, as it was recorded and as it is
 * generated, against intervals found by other code than the engine's.
 */
#include "base/clock.h"
#include "base/csv.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tests/unit/alerts/story.h"

#define LEVEL         (-9.9)
#define MINUTE_MS     60000
#define INTERVALS_MAX 200

struct series {
    int64_t *time_ms;
    double *value;
    size_t count;
    size_t capacity_time;
    size_t capacity_value;
};

struct intervals {
    struct {
        int64_t from_ms;
        int64_t to_ms;
        double peak;
    } items[INTERVALS_MAX];
    size_t count;
    size_t closed;
};

static void series_add(struct series *series, int64_t time_ms, double value)
{
    mem_grow(&series->time_ms, &series->capacity_time, series->count + 1,
             sizeof *series->time_ms);
    mem_grow(&series->value, &series->capacity_value, series->count + 1,
             sizeof *series->value);
    series->time_ms[series->count] = time_ms;
    series->value[series->count++] = value;
}

static void series_fini(struct series *series)
{
    free(series->time_ms);
    free(series->value);
}

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct intervals *got = context;
    if (kind == ALERT_EFFECT_OPENED) {
        CHECK(got->count < INTERVALS_MAX && got->count == got->closed);
        got->items[got->count++].from_ms = incident->onset_ms;
    } else if (kind == ALERT_EFFECT_CLOSED) {
        CHECK(got->count == got->closed + 1);
        got->items[got->closed].to_ms = incident->closed_ms;
        got->items[got->closed++].peak = incident->worst;
    }
}

static void evaluate(const struct series *series, struct alert_rule rule,
                     struct intervals *got)
{
    struct alerts *alerts = alerts_create();
    struct alert_sink sink = {.context = got, .effect = on_effect};
    CHECK(alerts_set_rules(alerts, &rule, 1, T0, NULL) == ERR_OK);
    for (size_t i = 0; i < series->count; i++) {
        struct alert_reading reading =
            story_reading("air_temperature", 0, series->value[i]);
        reading.time_ms = reading.arrival_ms = series->time_ms[i];
        alerts_reading(alerts, &reading, &sink);
        alerts_tick(alerts, series->time_ms[i], &sink);
    }
    alerts_destroy(alerts);
}

static char *read_all(const char *path)
{
    struct buf text = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    char chunk[65536];
    for (size_t len = fread(chunk, 1, sizeof chunk, file); len > 0;
         len = fread(chunk, 1, sizeof chunk, file))
        buf_add(&text, chunk, len);
    fclose(file);
    return buf_take(&text);
}

static void read_series(const char *path, struct series *series)
{
    struct csv csv;
    struct csv_map map;
    struct err_text why = {""};
    char *text = read_all(path);
    CHECK(text != NULL);
    csv_init(&csv, text, strlen(text));
    enum err err = csv_map_parse(&map, "time=ISOdateTime,value=Temperature", &why);
    if (err == ERR_OK)
        err = csv_map_bind(&map, &csv, &why);
    while (err == ERR_OK) {
        int64_t time_ms;
        double values[CSV_COLUMNS_MAX];
        err = csv_next(&csv, &why);
        if (err == ERR_OK)
            err = csv_map_row(&map, &csv, &time_ms, values, &why);
        if (err == ERR_OK)
            series_add(series, time_ms, values[1]);
    }
    CHECK_TEXT(why.text, "");
    CHECK(err == ERR_NOT_FOUND);
    free(text);
}

static void read_intervals(const char *path, struct intervals *want)
{
    static struct csv csv;
    char *text = read_all(path);
    CHECK(text != NULL);
    csv_init(&csv, text, strlen(text));
    CHECK(csv_next(&csv, NULL) == ERR_OK); /* the heading */
    while (csv_next(&csv, NULL) == ERR_OK) {
        char from[64], to[64];
        size_t i = want->count++;
        CHECK(clock_parse_iso(&want->items[i].from_ms,
                              csv_text(&csv.fields[0], from, sizeof from)));
        CHECK(clock_parse_iso(&want->items[i].to_ms,
                              csv_text(&csv.fields[1], to, sizeof to)));
        CHECK(csv_number(&csv.fields[3], false, &want->items[i].peak));
    }
    free(text);
}

static char shared[4000];

static void the_recorded_freezer_has_nine_incidents(void)
{
    char path[4200];
    struct series series = {0};
    struct intervals want = {0}, got = {0};
    snprintf(path, sizeof path, "%s/datasets/freezer_celsi/events_derived.csv", shared);
    read_intervals(path, &want);
    snprintf(path, sizeof path, "%s/datasets/freezer_celsi/CELSI-raw-data-reports.csv",
             shared);
    read_series(path, &series);
    evaluate(&series, rule_above("freezer", LEVEL, LEVEL, 0, 0), &got);
    CHECK(series.count == 20186 && want.count == 9);
    CHECK(got.count == want.count && got.closed == want.count);
    for (size_t i = 0; i < want.count; i++) {
        CHECK(got.items[i].from_ms == want.items[i].from_ms);
        CHECK(got.items[i].to_ms == want.items[i].to_ms);
        CHECK(got.items[i].peak == want.items[i].peak);
    }
    series_fini(&series);
}

/* A defrost rises for 20 to 40 minutes and falls back, a door in a minute or two. */
static double shape(int64_t minute, int64_t start, bool is_door)
{
    int64_t rise = is_door ? 2 : 25;
    int64_t fall = is_door ? 3 : 20;
    int64_t at = minute - start;
    if (at < 0 || at >= rise + fall)
        return 0;
    return at < rise ? (double)(at + 1) / (double)rise
                     : 1 - (double)(at - rise) / (double)fall;
}

/* One decimal, like the recorded one: -18 with noise and cycles, and what disturbs it. */
static void generate(struct series *series, uint64_t seed)
{
    struct rng rng = {seed};
    int64_t start = 600, height = 20;
    bool is_door = false;
    for (int64_t minute = 0; minute < 14 * 1440; minute++) {
        if (minute > start + 60) {
            start = minute + 1000 + (int64_t)rng_below(&rng, 1500);
            height = 5 + (int64_t)rng_below(&rng, 20);
            is_door = rng_chance(&rng, 0.15);
        }
        double value = -18.5 + sin((double)minute / 9) + rng_uniform(&rng) * 0.4 +
                       (double)height * shape(minute, start, is_door);
        series_add(series, T0 + minute * MINUTE_MS, round(value * 10) / 10);
    }
}

/*
 * Word for word out of the header, over the whole series at hand: out when all samples
 * of the last `delay` are past, in again when all of the last `recovery` are back.
 */
static void naive_intervals(const struct series *series, int64_t delay_ms,
                            double recovery, int64_t recovery_ms, struct intervals *want)
{
    bool is_open = false;
    for (size_t i = 0; i < series->count; i++) {
        size_t first = i; /* of the unbroken run that ends here */
        while (first > 0 && (is_open ? series->value[first - 1] < recovery
                                     : series->value[first - 1] >= LEVEL))
            first--;
        bool runs = is_open ? series->value[i] < recovery : series->value[i] >= LEVEL;
        if (!runs || series->time_ms[i] - series->time_ms[first] <
                         (is_open ? recovery_ms : delay_ms))
            continue;
        is_open = !is_open;
        if (is_open)
            want->items[want->count++].from_ms = series->time_ms[first];
        else
            want->items[want->closed++].to_ms = series->time_ms[i];
    }
}

static void generated_freezers_agree_with_a_naive_reading_of_the_rule(void)
{
    static const struct {
        const char *name;
        int64_t delay_min;
        double recovery;
        int64_t recovery_min;
    } rows[] = {{"no delays", 0, LEVEL, 0},
                {"delay", 10, LEVEL, 0},
                {"recovery level", 0, -15, 0},
                {"recovery delay", 0, LEVEL, 45},
                {"all of it", 7, -12, 20},
                {"delay longer than a door", 4, LEVEL, 0},
                {"delay longer than all", 60, -10, 0}};
    size_t seen = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct series series = {0};
        generate(&series, seed);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct intervals want = {0}, got = {0};
            naive_intervals(&series, rows[i].delay_min * MINUTE_MS, rows[i].recovery,
                            rows[i].recovery_min * MINUTE_MS, &want);
            evaluate(&series,
                     rule_above("freezer", LEVEL, rows[i].recovery,
                                rows[i].delay_min * 60, rows[i].recovery_min * 60),
                     &got);
            CHECK_ROW(rows[i].name, got.count == want.count && got.closed == want.closed);
            for (size_t n = 0; n < want.count; n++) {
                CHECK_ROW(rows[i].name, got.items[n].from_ms == want.items[n].from_ms);
                CHECK_ROW(rows[i].name, got.items[n].to_ms == want.items[n].to_ms);
            }
            seen += want.count;
        }
        series_fini(&series);
    }
    CHECK(seen > 500);
}

int main(void)
{
    CU_TestInfo always[] = {
        {"generated freezers agree with a naive reading of the rule",
         generated_freezers_agree_with_a_naive_reading_of_the_rule},
        CU_TEST_INFO_NULL,
    };
    CU_TestInfo all[] = {
        always[0],
        {"the recorded freezer has nine incidents",
         the_recorded_freezer_has_nine_incidents},
        CU_TEST_INFO_NULL,
    };
    bool has_data = check_shared_dir(shared, sizeof shared,
                                     "datasets/freezer_celsi/events_derived.csv") != NULL;
    int status = check_run("freezer", has_data ? all : always);
    return status == EXIT_SUCCESS && !has_data ? CHECK_SKIPPED : status;
}
