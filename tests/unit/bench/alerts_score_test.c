// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_score.h"

#include <math.h>

#include "tests/support/check.h"

#define AT(minutes) ((minutes)*WORLD_MINUTE_MS)

static const struct world_totals a_month = {.on_duty_ms = 30 * WORLD_DAY_MS};

static struct world_label label_of(enum world_event event, int64_t envelope_ms,
                                   int64_t harm_ms)
{
    return (struct world_label){.event = event,
                                .onset_ms = AT(1000),
                                .end_ms = AT(1500),
                                .settled_ms = AT(1600),
                                .envelope_ms = envelope_ms,
                                .harm_ms = harm_ms,
                                .tell = world_is_failure(event) || harm_ms >= 0};
}

static struct notice at(int64_t event_ms, int64_t told_ms)
{
    return (struct notice){.event_ms = event_ms, .told_ms = told_ms};
}

/* One label, one notification. */
static void test_one(void)
{
    static const struct {
        const char *name;
        enum world_event event;
        int64_t envelope_min, harm_min, notice_min; /* -1: none */
        uint64_t false_notices, missed, not_visible, told_before;
    } rows[] = {
        {"told in time", WORLD_COMPRESSOR_DEAD, 1010, 1200, 1030, 0, 0, 0, 1},
        {"told after the harm", WORLD_COMPRESSOR_DEAD, 1010, 1200, 1300, 0, 0, 0, 0},
        {"told before it began", WORLD_COMPRESSOR_DEAD, 1010, 1200, 999, 1, 1, 0, 0},
        {"told after it settled", WORLD_COMPRESSOR_DEAD, 1010, 1200, 1601, 1, 1, 0, 0},
        {"not told", WORLD_COMPRESSOR_DEAD, 1010, 1200, -1, 0, 1, 0, 0},
        {"never showed, not told", WORLD_COMPRESSOR_DEAD, -1, -1, -1, 0, 0, 1, 0},
        {"a stuck probe shows by itself", WORLD_PROBE_STUCK, -1, -1, -1, 0, 1, 0, 0},
        {"a defrost", WORLD_DEFROST, 1001, -1, 1010, 1, 0, 0, 0},
        {"a defrost that harms", WORLD_DEFROST, 1001, 1100, 1010, 0, 0, 0, 1},
        {"slow, told by chance", WORLD_COMPRESSOR_SLOW, 1400, -1, 1100, 1, 1, 0, 0},
        {"slow, told before it shows", WORLD_COMPRESSOR_SLOW, 1400, -1, 1341, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world_label label = label_of(
            rows[i].event, rows[i].envelope_min < 0 ? -1 : AT(rows[i].envelope_min),
            rows[i].harm_min < 0 ? -1 : AT(rows[i].harm_min));
        struct notice notice = at(AT(rows[i].notice_min), AT(rows[i].notice_min));
        struct score score = {0};
        score_add(&score, &label, 1, &notice, rows[i].notice_min >= 0, &a_month);
        CHECK_ROW(rows[i].name, score.false_notices == rows[i].false_notices);
        CHECK_ROW(rows[i].name, score.missed == rows[i].missed);
        CHECK_ROW(rows[i].name, score.not_visible == rows[i].not_visible);
        CHECK_ROW(rows[i].name, score.harms_told_before == rows[i].told_before);
        CHECK_ROW(rows[i].name, score.to_tell == (uint64_t)label.tell);
        score_fini(&score);
    }
}

/* The reading belongs by its own time; a person is told when it arrives. */
static void test_late(void)
{
    struct world_label label = label_of(WORLD_COMPRESSOR_DEAD, AT(1010), AT(1200));
    struct notice notice = at(AT(1020), AT(5000));
    struct score score = {0};
    score_add(&score, &label, 1, &notice, 1, &a_month);
    CHECK(score.false_notices == 0 && score.missed == 0);
    CHECK(score.harms_told_before == 0);
    /* Where it was taken it was told at once. */
    CHECK(score.harms_told_before_there == 1 && score.dead_late_there == 0);
    CHECK(fabs(minutes_quantile(&score.dead_there, 0.5) - 10) < 1e-9);
    CHECK(fabs(minutes_quantile(&score.dead_after_envelope, 0.5) - 3990) < 1e-9);
    CHECK(fabs(minutes_quantile(&score.before_harm, 0.5) + 3800) < 1e-9);
    score_fini(&score);
}

/* What was over before it had to be told is counted apart from what is missed. */
static void test_brief(void)
{
    struct world_label label = label_of(WORLD_POWER_CUT, AT(1010), -1);
    struct score score = {0};
    label.apart_ms = AT(14);
    score_add(&score, &label, 1, NULL, 0, &a_month);
    CHECK(score.missed == 1 && score.brief == 1);
    label.apart_ms = AT(15);
    score_add(&score, &label, 1, NULL, 0, &a_month);
    CHECK(score.missed == 2 && score.brief == 1);
    label.apart_ms = AT(14);
    label.harm_ms = AT(1100);
    score_add(&score, &label, 1, NULL, 0, &a_month);
    CHECK(score.missed == 3 && score.brief == 1);
    struct world_label dead = label_of(WORLD_COMPRESSOR_DEAD, AT(1010), -1);
    const struct notice late = at(AT(1026), AT(1026));
    score_add(&score, &dead, 1, &late, 1, &a_month);
    CHECK(score.dead_late_there == 1);
    score_fini(&score);
}

static void test_sums(void)
{
    struct world_label label = label_of(WORLD_COMPRESSOR_DEAD, AT(1000), -1);
    struct score score = {0};
    for (int64_t i = 1; i <= 4; i++) {
        const struct notice notices[] = {
            at(AT(10), AT(10)), at(AT(1000 + i), AT(1000 + i)), at(AT(1100), AT(1100))};
        score_add(&score, &label, 1, notices, 3, &a_month);
    }
    CHECK(score.notices == 12 && score.false_notices == 4);
    CHECK(score.to_tell == 4 && score.dead == 4);
    CHECK(fabs(score.months - 4) < 1e-9);
    CHECK(fabs(minutes_quantile(&score.dead_after_envelope, 0.5) - 2) < 1e-9);
    CHECK(fabs(minutes_quantile(&score.dead_after_envelope, 1) - 4) < 1e-9);
    CHECK(isnan(minutes_quantile(&score.before_harm, 0.5)));
    score_fini(&score);
}

/* It belongs to no failure, and is true while nothing comes. */
static void test_silence(void)
{
    static const struct {
        const char *name;
        int64_t told_min;
        uint64_t without_outage;
    } rows[] = {
        {"before", 999, 1},
        {"as it begins", 1000, 0},
        {"as it ends", 1500, 0},
        {"after", 1501, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct world_label labels[] = {
            label_of(WORLD_LATE_DATA, -1, -1),
            label_of(WORLD_COMPRESSOR_DEAD, AT(1010), AT(1200)),
        };
        struct notice notice = at(AT(rows[i].told_min), AT(rows[i].told_min));
        struct score score = {0};
        notice.is_silence = true;
        score_add(&score, labels, 2, &notice, 1, &a_month);
        CHECK_ROW(rows[i].name, score.silences == 1);
        CHECK_ROW(rows[i].name, score.silences_false == rows[i].without_outage);
        CHECK_ROW(rows[i].name, score.notices == 0 && score.false_notices == 0);
        CHECK_ROW(rows[i].name, score.missed == 1 && score.harms_told_before == 0);
        score_fini(&score);
    }
}

/* Half an hour before harm, where physics leaves it. */
static void test_time_before_harm(void)
{
    static const struct {
        const char *name;
        int64_t harm_min, event_min, told_min; /* 0: not told */
        uint64_t with_time, is_short, is_short_there;
    } rows[] = {
        {"in time", 1040, 1010, 1010, 1, 0, 0},
        {"too late", 1040, 1011, 1011, 1, 1, 1},
        {"in time on the spot", 1040, 1010, 1030, 1, 1, 0},
        {"not at all", 1040, 0, 0, 1, 1, 1},
        {"no time for it", 1039, 1020, 1020, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world_label label =
            label_of(WORLD_COMPRESSOR_DEAD, AT(1010), AT(rows[i].harm_min));
        struct notice notice = at(AT(rows[i].event_min), AT(rows[i].told_min));
        struct score score = {0};
        score_add(&score, &label, 1, &notice, rows[i].told_min > 0, &a_month);
        CHECK_ROW(rows[i].name, score.harms_with_time == rows[i].with_time);
        CHECK_ROW(rows[i].name, score.harms_short == rows[i].is_short);
        CHECK_ROW(rows[i].name, score.harms_short_there == rows[i].is_short_there);
        score_fini(&score);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"false, missed and in time are told apart", test_one},
        {"a late reading belongs by its time and counts by its arrival", test_late},
        {"what was over in time is no harm missed", test_brief},
        {"silence is counted apart", test_silence},
        {"half an hour before harm, where physics leaves it", test_time_before_harm},
        {"worlds add up", test_sums},
        CU_TEST_INFO_NULL,
    };
    return check_run("alerts_score", tests);
}
