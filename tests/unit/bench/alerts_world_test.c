// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_world.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tests/support/check.h"

#define CADENCE_MS WORLD_MINUTE_MS
#define YEAR_DAYS  365

/* A world kept in memory. */
struct story {
    struct world_options options;
    struct world_totals totals;
    struct world_sample *samples;
    size_t sample_count, sample_capacity;
    struct world_label *labels;
    size_t label_count, label_capacity;
};

static void keep_sample(void *context, const struct world_sample *sample)
{
    struct story *story = context;
    mem_grow(&story->samples, &story->sample_capacity, story->sample_count + 1,
             sizeof *sample);
    story->samples[story->sample_count++] = *sample;
}

static void keep_label(void *context, const struct world_label *label)
{
    struct story *story = context;
    mem_grow(&story->labels, &story->label_capacity, story->label_count + 1,
             sizeof *label);
    story->labels[story->label_count++] = *label;
}

static struct story tell_each(enum world_kind kind, uint64_t seed, int days,
                              int64_t cadence_ms)
{
    struct story story = {
        .options = {.kind = kind, .seed = seed, .days = days, .cadence_ms = cadence_ms}};
    struct world_sink sink = {&story, keep_sample, keep_label};
    world_run(&story.options, &sink, &story.totals);
    return story;
}

static struct story tell(enum world_kind kind, uint64_t seed, int days)
{
    return tell_each(kind, seed, days, CADENCE_MS);
}

static void forget(struct story *story)
{
    free(story->samples);
    free(story->labels);
    *story = (struct story){0};
}

static const struct world_sample *sample_at(const struct story *story, int64_t time_ms)
{
    size_t index = (size_t)(time_ms / story->options.cadence_ms);
    return index < story->sample_count ? &story->samples[index] : NULL;
}

static bool out_of_band(enum world_kind kind, double goods_C)
{
    const struct world_params *params = world_params_of(kind);
    return goods_C > params->high_C || goods_C < params->low_C;
}

struct bytes {
    struct buf csv;
    struct buf labels;
    struct world_options options;
};

static void write_sample(void *context, const struct world_sample *sample)
{
    struct bytes *bytes = context;
    world_csv(&bytes->csv, sample);
}

static void write_label(void *context, const struct world_label *label)
{
    struct bytes *bytes = context;
    world_label_json(&bytes->labels, &bytes->options, label);
}

static struct bytes bytes_of(enum world_kind kind, uint64_t seed)
{
    struct bytes bytes = {
        .options = {
            .kind = kind, .seed = seed, .days = 60, .cadence_ms = 5 * WORLD_MINUTE_MS}};
    struct world_sink sink = {&bytes, write_sample, write_label};
    struct world_totals totals;
    world_run(&bytes.options, &sink, &totals);
    return bytes;
}

static bool same(const struct buf *one, const struct buf *other)
{
    return one->len == other->len && memcmp(one->data, other->data, one->len) == 0;
}

static void free_bytes(struct bytes *bytes)
{
    buf_fini(&bytes->csv);
    buf_fini(&bytes->labels);
}

static void test_same_seed(void)
{
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        const char *row = world_kind_name((enum world_kind)kind);
        struct bytes one = bytes_of((enum world_kind)kind, 7);
        struct bytes again = bytes_of((enum world_kind)kind, 7);
        struct bytes other = bytes_of((enum world_kind)kind, 8);
        CHECK_ROW(row, same(&one.csv, &again.csv));
        CHECK_ROW(row, same(&one.labels, &again.labels));
        CHECK_ROW(row, !same(&one.csv, &other.csv));
        CHECK_ROW(row, !same(&one.labels, &other.labels));
        free_bytes(&one);
        free_bytes(&again);
        free_bytes(&other);
    }
}

struct truth_sums {
    uint64_t count;
    double sum;
};

static void sum_label(void *context, const struct world_label *label)
{
    struct truth_sums *sums = context;
    sums->count++;
    sums->sum += (double)label->envelope_ms + (double)label->harm_ms * 3 +
                 (double)label->settled_ms * 7;
}

static void test_cadence(void)
{
    static const int64_t cadences[] = {WORLD_STEP_MS, 10 * WORLD_MINUTE_MS};
    struct truth_sums sums[2] = {{0}};
    for (size_t i = 0; i < 2; i++) {
        struct world_options options = {
            .kind = WORLD_FREEZER, .seed = 3, .days = 60, .cadence_ms = cadences[i]};
        struct world_sink sink = {&sums[i], NULL, sum_label};
        struct world_totals totals;
        world_run(&options, &sink, &totals);
        CHECK(totals.samples == (uint64_t)(60 * WORLD_DAY_MS / cadences[i]));
    }
    CHECK(sums[0].count > 100 && sums[0].count == sums[1].count);
    CHECK(sums[0].sum == sums[1].sum);
}

static void check_order(const char *row, const struct world_label *label)
{
    CHECK_ROW(row, label->onset_ms >= 0 && label->end_ms >= label->onset_ms);
    CHECK_ROW(row, label->settled_ms >= label->end_ms);
    CHECK_ROW(row, label->envelope_ms < 0 || (label->envelope_ms >= label->onset_ms &&
                                              label->envelope_ms <= label->settled_ms));
    CHECK_ROW(row, label->harm_ms < 0 || (label->harm_ms >= label->onset_ms &&
                                          label->harm_ms <= label->settled_ms));
    bool tell = world_is_failure(label->event) || label->harm_ms >= 0;
    CHECK_ROW(row, label->tell == tell);
}

static void check_year(enum world_kind kind, uint64_t seed)
{
    const char *row = world_kind_name(kind);
    int64_t began_ns = clock_real_ns();
    struct story story = tell(kind, seed, YEAR_DAYS);
    printf("\n  %s, seed %d: a year in %.1f s, %u harms", row, (int)seed,
           (double)(clock_real_ns() - began_ns) / 1e9, story.totals.harms);
    size_t harms = 0;
    for (size_t i = 0; i < story.label_count; i++) {
        check_order(row, &story.labels[i]);
        harms += story.labels[i].harm_ms >= 0;
    }
    CHECK_ROW(row, harms > 0);
    CHECK_ROW(row, harms <= story.totals.harms);
    CHECK_ROW(row, story.totals.unexplained_harms == 0);
    forget(&story);
}

static void test_years(void)
{
    for (int kind = 0; kind < WORLD_KINDS; kind++)
        check_year((enum world_kind)kind, 1);
    check_year(WORLD_ROOM, 2);
}

/* To the step: in the band ten seconds before, out of it at the labelled time. */
static void test_harm_is_exact(void)
{
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        const char *row = world_kind_name((enum world_kind)kind);
        struct story story = tell_each((enum world_kind)kind, 1, 100, WORLD_STEP_MS);
        size_t harms = 0;
        for (size_t i = 0; i < story.label_count; i++) {
            int64_t harm_ms = story.labels[i].harm_ms;
            if (harm_ms < 0)
                continue;
            harms++;
            const struct world_sample *before =
                sample_at(&story, harm_ms - WORLD_STEP_MS);
            const struct world_sample *at = sample_at(&story, harm_ms);
            CHECK_ROW(row, !out_of_band((enum world_kind)kind, before->goods_C));
            CHECK_ROW(row, out_of_band((enum world_kind)kind, at->goods_C));
        }
        CHECK_ROW(row, harms > 0);
        forget(&story);
    }
}

static void test_goods_outside_are_labelled(void)
{
    struct story story = tell(WORLD_FREEZER, 5, 200);
    bool was_out = false;
    size_t exits = 0;
    size_t explained = 0;
    for (size_t i = 0; i < story.sample_count; i++) {
        const struct world_sample *sample = &story.samples[i];
        bool is_out = out_of_band(WORLD_FREEZER, sample->goods_C);
        if (is_out && !was_out) {
            exits++;
            bool found = false;
            for (size_t j = 0; j < story.label_count && !found; j++)
                found = story.labels[j].harm_ms >= 0 &&
                        story.labels[j].harm_ms <= sample->time_ms &&
                        story.labels[j].harm_ms > sample->time_ms - 2 * WORLD_DAY_MS;
            explained += found;
        }
        was_out = is_out;
    }
    CHECK(exits > 0);
    CHECK(explained == exits);
    forget(&story);
}

static void test_quiet(void)
{
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        const char *row = world_kind_name((enum world_kind)kind);
        struct story story = tell((enum world_kind)kind, 11, YEAR_DAYS);
        size_t failures = 0;
        for (size_t i = 0; i < story.label_count; i++) {
            if (!world_is_failure(story.labels[i].event))
                continue;
            failures++;
            CHECK_ROW(row, story.labels[i].onset_ms >= WORLD_QUIET_DAYS * WORLD_DAY_MS);
        }
        CHECK_ROW(row, failures >= 25);
        forget(&story);
    }
}

static void fail_on_failure(void *context, const struct world_label *label)
{
    unsigned *count = context;
    *count += world_is_failure(label->event);
}

static void test_without_failures(void)
{
    for (int kind = 0; kind < WORLD_KINDS; kind++) {
        const char *row = world_kind_name((enum world_kind)kind);
        unsigned failures = 0;
        struct world_options options = {.kind = (enum world_kind)kind,
                                        .seed = 4,
                                        .days = YEAR_DAYS,
                                        .cadence_ms = CADENCE_MS,
                                        .without_failures = true};
        struct world_sink sink = {&failures, NULL, fail_on_failure};
        struct world_totals totals;
        world_run(&options, &sink, &totals);
        CHECK_ROW(row, failures == 0);
        CHECK_ROW(row, totals.harms == 0);
    }
}

/* Time is spent as it is in the field. */
static void test_shares(void)
{
    static const struct {
        enum world_kind kind;
        double door_least, door_most, defrost_least, defrost_most, duty_least, duty_most;
    } rows[] = {
        {WORLD_ROOM, 0.01, 0.06, 0.03, 0.06, 0.9, 0.99},
        {WORLD_FREEZER, 0.003, 0.03, 0.03, 0.07, 0.95, 0.99},
        {WORLD_VAN, 0.01, 0.06, 0.005, 0.03, 0.2, 0.45},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *row = world_kind_name(rows[i].kind);
        struct world_options options = {
            .kind = rows[i].kind, .seed = 6, .days = YEAR_DAYS, .cadence_ms = CADENCE_MS};
        struct world_sink sink = {0};
        struct world_totals totals;
        world_run(&options, &sink, &totals);
        double ran_ms = (double)totals.ran_ms;
        double door = (double)totals.door_ms / ran_ms;
        double defrost = (double)totals.defrost_ms / ran_ms;
        double duty = (double)totals.on_duty_ms / ran_ms;
        CHECK_ROW(row, door > rows[i].door_least && door < rows[i].door_most);
        CHECK_ROW(row, defrost > rows[i].defrost_least && defrost < rows[i].defrost_most);
        CHECK_ROW(row, duty > rows[i].duty_least && duty < rows[i].duty_most);
    }
}

static int by_value(const void *left, const void *right)
{
    double one = *(const double *)left, other = *(const double *)right;
    return (one > other) - (one < other);
}

/* The recorded freezer: peaks from -1.9 to 5.7 C, 27 to 42 minutes above -10 C. */
static void test_defrosts_have_the_recorded_shape(void)
{
    struct story story = tell(WORLD_FREEZER, 2, 100);
    double peaks[400], minutes[400];
    size_t count = 0;
    for (size_t i = 0; i < story.label_count && count < 400; i++) {
        const struct world_label *label = &story.labels[i];
        if (label->event != WORLD_DEFROST)
            continue;
        double peak_C = -99, above = 0;
        for (int minute = 0; minute < 70; minute++) {
            const struct world_sample *sample =
                sample_at(&story, label->onset_ms + minute * WORLD_MINUTE_MS);
            if (sample == NULL)
                break;
            peak_C = fmax(peak_C, sample->reading_C);
            above += sample->reading_C > -10;
        }
        peaks[count] = peak_C;
        minutes[count++] = above;
    }
    CHECK(count > 100);
    qsort(peaks, count, sizeof peaks[0], by_value);
    qsort(minutes, count, sizeof minutes[0], by_value);
    CHECK(peaks[count / 2] > -2 && peaks[count / 2] < 8);
    CHECK(minutes[count / 2] > 20 && minutes[count / 2] < 42);
    forget(&story);
}

static void test_stuck_and_late(void)
{
    struct story story = tell(WORLD_VAN, 9, 200);
    size_t stuck = 0, late = 0;
    for (size_t i = 0; i < story.label_count; i++) {
        const struct world_label *label = &story.labels[i];
        const struct world_sample *begun = sample_at(&story, label->onset_ms);
        const struct world_sample *middle =
            sample_at(&story, (label->onset_ms + label->end_ms) / 2);
        if (label->event == WORLD_PROBE_STUCK) {
            stuck++;
            CHECK(fabs(middle->reading_C - begun->reading_C) < 0.7);
        } else if (label->event == WORLD_LATE_DATA && label->end_ms > 0) {
            late++;
            CHECK(middle->arrival_ms >= label->end_ms);
        }
    }
    CHECK(stuck > 0 && late > 10);
    forget(&story);
}

static void test_options(void)
{
    static const struct {
        const char *name;
        int days;
        int64_t cadence_ms;
        enum err want;
    } rows[] = {
        {"ten seconds", 1, 10000, ERR_OK},
        {"ten minutes", 3660, 600000, ERR_OK},
        {"no day", 0, 60000, ERR_INVALID},
        {"too many days", 3661, 60000, ERR_INVALID},
        {"too often", 1, 5000, ERR_INVALID},
        {"too rarely", 1, 610000, ERR_INVALID},
        {"no whole step", 1, 15000, ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world_options options = {.days = rows[i].days,
                                        .cadence_ms = rows[i].cadence_ms};
        struct err_text why = {""};
        CHECK_ROW(rows[i].name, world_check(&options, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, (why.text[0] == '\0') == (rows[i].want == ERR_OK));
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the same seed gives the same bytes, another one others", test_same_seed},
        {"truth does not depend on the cadence", test_cadence},
        {"over a year labels agree with the series, and all harm is explained",
         test_years},
        {"goods are in their band until the labelled harm and out of it at that time",
         test_harm_is_exact},
        {"whenever goods leave their band a label says so",
         test_goods_outside_are_labelled},
        {"no failure in the first month, and enough after it", test_quiet},
        {"a world without failures has none, and harms nothing", test_without_failures},
        {"doors, defrosts and duty take the share of time that they take in the field",
         test_shares},
        {"a freezer's defrosts look like recorded ones",
         test_defrosts_have_the_recorded_shape},
        {"a stuck probe repeats itself and a van without network is late",
         test_stuck_and_late},
        {"options that mean nothing are refused", test_options},
        CU_TEST_INFO_NULL,
    };
    return check_run("alerts_world", tests);
}
