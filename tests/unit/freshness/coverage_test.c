// SPDX-License-Identifier: Apache-2.0
#include "freshness/coverage.h"

#include <math.h>

#include "freshness/excursion.h"
#include "tests/support/check.h"

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

#define START 1700000000123
#define SPAN  4000

/* The naive twin: one byte per millisecond. */
struct twin {
    unsigned char code[SPAN];
    int64_t end;
};

static void twin_apply(struct twin *twin, int64_t from, int64_t to, unsigned char code,
                       bool replaces)
{
    for (int64_t at = twin->end; at < to; at++)
        twin->code[at] = COVERAGE_NO_DATA;
    if (to > twin->end)
        twin->end = to;
    for (int64_t at = from < 0 ? 0 : from; at < to; at++)
        if (replaces || code > twin->code[at])
            twin->code[at] = code;
}

static bool same(const struct coverage *coverage, const struct twin *twin)
{
    int64_t totals[COVERAGE_CODE_COUNT] = {0};
    for (int64_t at = 0; at < twin->end; at++)
        totals[twin->code[at]]++;
    for (int i = 0; i < COVERAGE_CODE_COUNT; i++)
        if (totals[i] != coverage->totals[i])
            return false;
    for (size_t i = 0; i < coverage->count; i++) {
        int64_t from = coverage->segments[i].from_ms - START;
        int64_t to = i + 1 < coverage->count ? coverage->segments[i + 1].from_ms - START
                                             : twin->end;
        for (int64_t at = from; at < to; at++)
            if (twin->code[at] != coverage->segments[i].code)
                return false;
    }
    return coverage->end_ms - coverage->start_ms == twin->end;
}

/* Random pieces, gaps, overlaps, repeats and late ones: every millisecond in one class.
 */
static void random_series_agree_with_a_naive_twin(void)
{
    for (uint64_t run = 1; run <= 200; run++) {
        static struct twin twin;
        struct coverage coverage;
        seed = run * 0x9e3779b97f4a7c15u;
        memset(&twin, 0, sizeof twin);
        coverage_init(&coverage, START);
        for (int step = 0; step < 150; step++) {
            int64_t from = (int64_t)draw(SPAN) - 50;
            int64_t to = from + (int64_t)draw(step % 5 == 0 ? 1000 : 60);
            if (draw(4) == 0) { /* in order, as most data come */
                from = twin.end;
                to = from + (int64_t)draw(30);
            }
            to = to > SPAN ? SPAN : to;
            from = from > to ? to : from;
            enum coverage_code code = (enum coverage_code)draw(COVERAGE_CODE_COUNT);
            bool replaces = draw(8) == 0;
            enum err err = replaces
                               ? coverage_set(&coverage, START + from, START + to, code)
                               : coverage_add(&coverage, START + from, START + to, code);
            if (from < to && to > 0)
                twin_apply(&twin, from, to, (unsigned char)code, replaces);
            CHECK(err == ERR_OK);
            if (!coverage_is_exact(&coverage) || !same(&coverage, &twin)) {
                printf("\n  seed run %llu, step %d", (unsigned long long)run, step);
                CHECK(!"the accumulator differs from the twin");
                coverage_fini(&coverage);
                return;
            }
        }
        coverage_fini(&coverage);
    }
}

/* Late data change nothing: any order of the same pieces gives the same totals. */
static void the_order_of_arrival_does_not_matter(void)
{
    enum { PIECES = 60 };
    for (uint64_t run = 1; run <= 100; run++) {
        struct {
            int64_t from, to;
            enum coverage_code code;
        } pieces[PIECES];
        struct coverage once, again;
        seed = run * 0x2545f4914f6cdd1du;
        coverage_init(&once, START);
        coverage_init(&again, START);
        for (int i = 0; i < PIECES; i++) {
            pieces[i].from = START + (int64_t)draw(SPAN);
            pieces[i].to = pieces[i].from + (int64_t)draw(300);
            pieces[i].code = (enum coverage_code)draw(COVERAGE_CODE_COUNT);
            CHECK(coverage_add(&once, pieces[i].from, pieces[i].to, pieces[i].code) ==
                  ERR_OK);
        }
        for (int i = PIECES - 1; i > 0; i--) {
            int other = (int)draw((uint64_t)i + 1);
            int64_t from = pieces[i].from, to = pieces[i].to;
            enum coverage_code code = pieces[i].code;
            pieces[i] = pieces[other];
            pieces[other].from = from;
            pieces[other].to = to;
            pieces[other].code = code;
        }
        for (int i = 0; i < PIECES; i++)
            CHECK(coverage_add(&again, pieces[i].from, pieces[i].to, pieces[i].code) ==
                  ERR_OK);
        CHECK(memcmp(once.totals, again.totals, sizeof once.totals) == 0);
        CHECK(once.count == again.count && coverage_is_exact(&again));
        coverage_fini(&once);
        coverage_fini(&again);
    }
}

static void sealing_keeps_the_totals_and_refuses_late_pieces(void)
{
    struct coverage coverage;
    coverage_init(&coverage, 0);
    CHECK(coverage_add(&coverage, 0, 100, COVERAGE_INSIDE) == ERR_OK);
    CHECK(coverage_add(&coverage, 150, 250, COVERAGE_ABOVE) == ERR_OK);
    coverage_seal(&coverage, 200);
    CHECK(coverage_is_exact(&coverage));
    CHECK(coverage.totals[COVERAGE_INSIDE] == 100 &&
          coverage.totals[COVERAGE_ABOVE] == 100 &&
          coverage.totals[COVERAGE_NO_DATA] == 50);
    CHECK(coverage_add(&coverage, 100, 150, COVERAGE_INSIDE) == ERR_LIMIT);
    CHECK(coverage.totals[COVERAGE_NO_DATA] == 50);
    /* A piece that straddles the seal is taken behind it. */
    CHECK(coverage_add(&coverage, 100, 260, COVERAGE_OFF_EMPTY) == ERR_LIMIT);
    CHECK(coverage.totals[COVERAGE_OFF_EMPTY] == 60 && coverage_is_exact(&coverage));
    coverage_seal(&coverage, 1000);
    CHECK(coverage_is_exact(&coverage) && coverage.end_ms == 260);
    CHECK(coverage_add(&coverage, 260, 300, COVERAGE_INSIDE) == ERR_OK);
    CHECK(coverage_is_exact(&coverage) && coverage.totals[COVERAGE_INSIDE] == 140);
    coverage_fini(&coverage);
}

static void memory_stays_bounded_and_totals_exact(void)
{
    struct coverage coverage;
    coverage_init(&coverage, START);
    for (int64_t i = 0; i < 3 * COVERAGE_SEGMENTS_MAX; i++)
        CHECK(coverage_add(&coverage, START + 2 * i, START + 2 * i + 1,
                           COVERAGE_INSIDE) == ERR_OK);
    CHECK(coverage.count <= COVERAGE_SEGMENTS_MAX + 1 && coverage.sealed_ms > START);
    CHECK(coverage.totals[COVERAGE_INSIDE] == 3 * COVERAGE_SEGMENTS_MAX);
    CHECK(coverage_is_exact(&coverage));
    coverage_fini(&coverage);
}

static void kinds_and_the_graded_share(void)
{
    struct coverage coverage;
    coverage_init(&coverage, 0);
    CHECK(coverage_graded_share(&coverage) == 1);
    CHECK(coverage_add(&coverage, 0, 600, COVERAGE_INSIDE) == ERR_OK);
    CHECK(coverage_add(&coverage, 600, 700, COVERAGE_BELOW) == ERR_OK);
    CHECK(coverage_add(&coverage, 700, 800, COVERAGE_GAP) == ERR_OK);
    CHECK(coverage_add(&coverage, 800, 1800, COVERAGE_OFF_CURING) == ERR_OK);
    CHECK(coverage_kind_ms(&coverage, COVERAGE_IN_BAND) == 600);
    CHECK(coverage_kind_ms(&coverage, COVERAGE_OUT_OF_BAND) == 100);
    CHECK(coverage_kind_ms(&coverage, COVERAGE_UNGRADED) == 100);
    CHECK(coverage_kind_ms(&coverage, COVERAGE_OFF_DUTY) == 1000);
    CHECK(fabs(coverage_graded_share(&coverage) - 700 / 800.0) < 1e-12);
    coverage_fini(&coverage);
}

/* A hold at 4 C in the plan of crisp plum: not out of band, whenever the plan is learned.
 */
static void a_planned_step_does_not_count_against_the_goods(void)
{
    for (int plan_first = 0; plan_first < 2; plan_first++) {
        struct coverage coverage;
        coverage_init(&coverage, 0);
        if (plan_first)
            CHECK(coverage_add(&coverage, 0, 200, COVERAGE_OFF_PLANNED) == ERR_OK);
        CHECK(coverage_add(&coverage, 0, 300, COVERAGE_ABOVE) == ERR_OK);
        if (!plan_first)
            CHECK(coverage_add(&coverage, 0, 200, COVERAGE_OFF_PLANNED) == ERR_OK);
        CHECK(coverage.totals[COVERAGE_OFF_PLANNED] == 200);
        CHECK(coverage_kind_ms(&coverage, COVERAGE_OUT_OF_BAND) == 100);
        /* The plan was wrong after all: what the readings said is set again. */
        CHECK(coverage_set(&coverage, 0, 200, COVERAGE_ABOVE) == ERR_OK);
        CHECK(coverage_kind_ms(&coverage, COVERAGE_OUT_OF_BAND) == 300);
        CHECK(coverage.count == 1 && coverage_is_exact(&coverage));
        coverage_fini(&coverage);
    }
}

static void values_are_classed_inclusively(void)
{
    const double nan = (double)NAN;
    const struct {
        const char *name;
        double value, low, high;
        enum coverage_code want;
    } rows[] = {
        {"inside", 1, 0, 2, COVERAGE_INSIDE},
        {"on the low limit", 0, 0, 2, COVERAGE_INSIDE},
        {"on the high limit", 2, 0, 2, COVERAGE_INSIDE},
        {"below", -0.1, 0, 2, COVERAGE_BELOW},
        {"above", 2.1, 0, 2, COVERAGE_ABOVE},
        {"no low limit", -30, nan, 2, COVERAGE_INSIDE},
        {"no high limit", 30, 0, nan, COVERAGE_INSIDE},
        {"no band", 1, nan, nan, COVERAGE_NO_BAND},
        {"no value", nan, 0, 2, COVERAGE_IMPLAUSIBLE},
        {"infinite", (double)INFINITY, 0, 2, COVERAGE_IMPLAUSIBLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name, coverage_of_value(rows[i].value, rows[i].low,
                                                  rows[i].high) == rows[i].want);
    CHECK_TEXT(coverage_code_name(COVERAGE_OFF_PLANNED), "planned step");
    CHECK_TEXT(coverage_kind_name(coverage_kind_of(COVERAGE_GAP)), "ungraded");
}

#define MIN 60000

static void excursions_are_found_measured_and_ended(void)
{
    struct excursions excursions;
    struct excursion ended;
    excursions_init(&excursions, 0, 2);
    CHECK(!excursions_step(&excursions, 0, 10 * MIN, 1, &ended));
    CHECK(!excursions_step(&excursions, 10 * MIN, 20 * MIN, 4, &ended));
    CHECK(!excursions_step(&excursions, 20 * MIN, 25 * MIN, 5, &ended));
    CHECK(excursions_step(&excursions, 25 * MIN, 30 * MIN, 2, &ended));
    CHECK(ended.side == EXCURSION_ABOVE && ended.from_ms == 10 * MIN &&
          ended.to_ms == 25 * MIN);
    CHECK(fabs(ended.degree_minutes - (2 * 10 + 3 * 5)) < 1e-9);
    CHECK(ended.peak == 5 && ended.peak_ms == 20 * MIN);
    CHECK(!ended.begins_in_gap && !ended.ends_in_gap);
    /* From one side to the other ends one and begins the next. */
    CHECK(!excursions_step(&excursions, 30 * MIN, 40 * MIN, -1, &ended));
    CHECK(excursions_step(&excursions, 40 * MIN, 41 * MIN, 9, &ended));
    CHECK(ended.side == EXCURSION_BELOW && ended.to_ms == 40 * MIN);
    /* An unknown value ends it, and so does a hole. */
    CHECK(excursions_step(&excursions, 41 * MIN, 50 * MIN, (double)NAN, &ended));
    CHECK(ended.side == EXCURSION_ABOVE && ended.ends_in_gap);
    CHECK(!excursions_step(&excursions, 50 * MIN, 51 * MIN, 9, &ended));
    CHECK(excursions.current.begins_in_gap);
    CHECK(excursions_step(&excursions, 60 * MIN, 61 * MIN, 9, &ended));
    CHECK(ended.ends_in_gap && ended.to_ms == 51 * MIN);
    CHECK(excursions.current.begins_in_gap);
    CHECK(excursions_finish(&excursions, &ended) &&
          !excursions_finish(&excursions, &ended));
    CHECK(excursions.count[EXCURSION_ABOVE] == 4 &&
          excursions.count[EXCURSION_BELOW] == 1);
    CHECK(excursions.ms[EXCURSION_ABOVE] == 18 * MIN);
    CHECK(excursions.longest_ms[EXCURSION_ABOVE] == 15 * MIN);
    CHECK(fabs(excursions.degree_minutes[EXCURSION_BELOW] - 10) < 1e-9);
    CHECK_TEXT(excursion_side_name(EXCURSION_BELOW), "below");
}

/* The same series through both: time out of band is the same to the millisecond. */
static void excursions_and_coverage_agree(void)
{
    for (uint64_t run = 1; run <= 100; run++) {
        struct coverage coverage;
        struct excursions excursions;
        struct excursion ended;
        int64_t now = START, sum[2] = {0, 0};
        seed = run * 0x9e3779b97f4a7c15u;
        coverage_init(&coverage, START);
        excursions_init(&excursions, 0, 4);
        for (int i = 0; i < 300; i++) {
            int64_t next = now + 1 + (int64_t)draw(100000);
            double value = draw(10) == 0 ? (double)NAN : (double)draw(80) / 10 - 2;
            CHECK(coverage_add(&coverage, now, next, coverage_of_value(value, 0, 4)) ==
                  ERR_OK);
            if (excursions_step(&excursions, now, next, value, &ended))
                sum[ended.side] += ended.to_ms - ended.from_ms;
            now = next + (draw(20) == 0 ? 500 : 0);
        }
        if (excursions_finish(&excursions, &ended))
            sum[ended.side] += ended.to_ms - ended.from_ms;
        CHECK(sum[EXCURSION_ABOVE] == coverage.totals[COVERAGE_ABOVE]);
        CHECK(sum[EXCURSION_BELOW] == coverage.totals[COVERAGE_BELOW]);
        CHECK(excursions.ms[EXCURSION_ABOVE] == coverage.totals[COVERAGE_ABOVE]);
        coverage_fini(&coverage);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"random series agree with a naive twin", random_series_agree_with_a_naive_twin},
        {"the order of arrival does not matter", the_order_of_arrival_does_not_matter},
        {"sealing keeps the totals and refuses late pieces",
         sealing_keeps_the_totals_and_refuses_late_pieces},
        {"memory stays bounded and totals exact", memory_stays_bounded_and_totals_exact},
        {"kinds and the graded share", kinds_and_the_graded_share},
        {"a planned step does not count against the goods",
         a_planned_step_does_not_count_against_the_goods},
        {"values are classed inclusively", values_are_classed_inclusively},
        {"excursions are found, measured and ended",
         excursions_are_found_measured_and_ended},
        {"excursions and coverage agree", excursions_and_coverage_agree},
        CU_TEST_INFO_NULL,
    };
    return check_run("coverage", tests);
}
