// SPDX-License-Identifier: Apache-2.0
#include "freshness/mkt.h"

#include <math.h>

#include "tests/support/check.h"

#define HOUR_MS 3600000

static bool near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        printf("\n  got %.7g, want %.7g +- %g", got, want, tolerance);
    return fabs(got - want) <= tolerance;
}

static void published_and_computed_values(void)
{
    static const struct {
        const char *name;
        double want;
        size_t count;
        struct {
            double celsius;
            int hours;
        } stays[5];
    } rows[] = {
        {"published 23.23", 23.2297, 4, {{24, 16}, {26, 5}, {28, 3}, {21, 24}}},
        {"2, 8", 5.5364, 2, {{2, 1}, {8, 1}}},
        {"20, 30", 26.2599, 2, {{20, 1}, {30, 1}}},
        {"4, 4, 4, 4, 16", 8.1089, 5, {{4, 1}, {4, 1}, {4, 1}, {4, 1}, {16, 1}}},
        {"5, 5, 5, 25", 15.1322, 4, {{5, 1}, {5, 1}, {5, 1}, {25, 1}}},
        {"5, 5, 5, 15", 8.7859, 4, {{5, 1}, {5, 1}, {5, 1}, {15, 1}}},
        {"constant", 5, 1, {{5, 24}}},
        {"constant, below zero", -20, 1, {{-20, 24}}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct mkt mkt = {0};
        for (size_t k = 0; k < rows[i].count; k++)
            mkt_add(&mkt, rows[i].stays[k].celsius, rows[i].stays[k].hours * HOUR_MS);
        CHECK_ROW(rows[i].name, near(mkt_celsius(&mkt), rows[i].want, 1e-4));
    }
}

/* The source's own page shows the unweighted 24.75 beside it; time is the weight. */
static void it_is_weighted_by_time_and_not_below_the_mean(void)
{
    struct mkt mkt = {0};
    mkt_add(&mkt, 24, 16 * HOUR_MS);
    mkt_add(&mkt, 26, 5 * HOUR_MS);
    mkt_add(&mkt, 28, 3 * HOUR_MS);
    mkt_add(&mkt, 21, 24 * HOUR_MS);
    double mean = (24 * 16 + 26 * 5 + 28 * 3 + 21 * 24) / 48.0;
    CHECK(near(mkt_celsius(&mkt), 23.23, 1e-3));
    CHECK(mkt_celsius(&mkt) > mean && mkt_celsius(&mkt) < 24.75);
    CHECK(mkt_celsius(&mkt) >=
          8.0); /* and the public test's lower bound holds a fortiori */
}

static void gaps_are_stated_and_not_bridged(void)
{
    struct mkt mkt = {0};
    CHECK(isnan(mkt_celsius(&mkt)));
    mkt_add(&mkt, (double)NAN, HOUR_MS);
    CHECK(isnan(mkt_celsius(&mkt)) && mkt.ungraded_ms == HOUR_MS && mkt.graded_ms == 0);
    mkt_add(&mkt, 5, HOUR_MS);
    mkt_add(&mkt, -300, HOUR_MS);
    CHECK(near(mkt_celsius(&mkt), 5, 1e-9));
    CHECK(mkt.ungraded_ms == 2 * HOUR_MS && mkt.graded_ms == HOUR_MS);
}

static void two_halves_merge_into_the_whole(void)
{
    struct mkt whole = {0}, first = {0}, second = {0};
    for (int i = 0; i < 100; i++) {
        double celsius = 5 + 10 * sin(i);
        mkt_add(&whole, celsius, 1000 + i);
        mkt_add(i < 37 ? &first : &second, celsius, 1000 + i);
    }
    mkt_merge(&first, &second);
    CHECK(near(mkt_celsius(&first), mkt_celsius(&whole), 1e-9));
    CHECK(first.graded_ms == whole.graded_ms);
}

static void a_window_holds_its_last_buckets_only(void)
{
    struct mkt buckets[24] = {{0}};
    struct mkt_window window = {.buckets = buckets, .count = 24, .bucket_ms = HOUR_MS};
    int64_t start = 1700000000000 / HOUR_MS * HOUR_MS;
    for (int hour = 0; hour < 48; hour++)
        mkt_window_add(&window, start + hour * (int64_t)HOUR_MS, hour < 24 ? 20 : 5,
                       HOUR_MS);
    struct mkt sum = mkt_window_sum(&window);
    CHECK(near(mkt_celsius(&sum), 5, 1e-9));
    CHECK(sum.graded_ms == 24 * HOUR_MS);
    /* One warm hour enters and stays in for 24 h. */
    mkt_window_add(&window, start + 48 * (int64_t)HOUR_MS, 25, HOUR_MS);
    sum = mkt_window_sum(&window);
    CHECK(mkt_celsius(&sum) > 5.9 && mkt_celsius(&sum) < 8);
    /* A step over a day forgets everything; a piece across buckets is divided. */
    mkt_window_add(&window, start + 100 * (int64_t)HOUR_MS + 1, 7, 2 * HOUR_MS);
    sum = mkt_window_sum(&window);
    CHECK(sum.graded_ms == 2 * HOUR_MS && near(mkt_celsius(&sum), 7, 1e-9));
    /* What is older than the window is ignored; a piece longer than it is cut. */
    mkt_window_add(&window, start, 40, HOUR_MS);
    CHECK(mkt_window_sum(&window).graded_ms == 2 * HOUR_MS);
    mkt_window_add(&window, start + 103 * (int64_t)HOUR_MS, 1, 1000 * (int64_t)HOUR_MS);
    CHECK(mkt_window_sum(&window).graded_ms <= 24 * HOUR_MS);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"published and computed values", published_and_computed_values},
        {"it is weighted by time and not below the mean",
         it_is_weighted_by_time_and_not_below_the_mean},
        {"gaps are stated and not bridged", gaps_are_stated_and_not_bridged},
        {"two halves merge into the whole", two_halves_merge_into_the_whole},
        {"a window holds its last buckets only", a_window_holds_its_last_buckets_only},
        CU_TEST_INFO_NULL,
    };
    return check_run("mkt", tests);
}
