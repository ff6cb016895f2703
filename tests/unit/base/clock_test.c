// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <time.h>

#include "base/clock.h"
#include "tests/support/check.h"

static void instants_by_rows(void)
{
    static const struct {
        const char *text;
        bool want;
        int64_t want_ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"1970-01-01", true, 0},
        {"2026-11-23T08:00:00.000Z", true, INT64_C(1795420800000)},
        {"2026-11-23t08:00:00z", true, INT64_C(1795420800000)},
        {"2026-11-23 08:00:00Z", true, INT64_C(1795420800000)},
        {"2026-11-23T08:00Z", true, INT64_C(1795420800000)},
        {"2026-11-23T16:00:00+08:00", true, INT64_C(1795420800000)},
        {"2026-11-23T16:00:00+0800", true, INT64_C(1795420800000)},
        {"2026-11-23T03:30:00-04:30", true, INT64_C(1795420800000)},
        {"2026-11-23T08:00:00.5Z", true, INT64_C(1795420800500)},
        {"2026-11-23T08:00:00,25Z", true, INT64_C(1795420800250)},
        {"2026-11-23T08:00:00.1239999Z", true, INT64_C(1795420800123)},
        {"2000-02-29", true, INT64_C(951782400000)},
        {"2024-02-29", true, INT64_C(1709164800000)},
        {"1969-12-31T23:59:59.999Z", true, -1},
        {"0000-01-01", true, INT64_C(-62167219200000)},
        {"9999-12-31T23:59:59.999Z", true, INT64_C(253402300799999)},
        {"2016-12-31T23:59:60Z", true, INT64_C(1483228800000)}, /* a leap second */
        {"", false, 0},
        {"2026", false, 0},
        {"2026-11", false, 0},
        {"2026-13-01", false, 0},
        {"2026-00-01", false, 0},
        {"2026-11-00", false, 0},
        {"2026-11-31", false, 0},
        {"2025-02-29", false, 0},
        {"1900-02-29", false, 0},
        {"2026-11-23T", false, 0},
        {"2026-11-23T08", false, 0},
        {"2026-11-23T24:00:00Z", false, 0},
        {"2026-11-23T08:60:00Z", false, 0},
        {"2026-11-23T08:00:61Z", false, 0},
        {"2026-11-23T08:00:00", false, 0}, /* whose time? */
        {"2026-11-23T08:00:00.Z", false, 0},
        {"2026-11-23T08:00:00+24:00", false, 0},
        {"2026-11-23T08:00:00+08:60", false, 0},
        {"2026-11-23T08:00:00Zx", false, 0},
        {" 2026-11-23", false, 0},
        {"26-11-23", false, 0},
        {"2026-1-2", false, 0},
        {"-2026-11-23", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 0;
        CHECK_ROW(rows[i].text, clock_parse_iso(&ms, rows[i].text) == rows[i].want);
        CHECK_ROW(rows[i].text, ms == rows[i].want_ms);
    }
}

/* The C library is the twin: days of each month of 800 years, and random instants. */
static void instants_come_back(void)
{
    unsigned seed = 3;
    for (int i = 0; i < 20000; i++) {
        int64_t span = INT64_C(253402300799999) + INT64_C(62167219200000);
        uint64_t bits = (uint64_t)rand_r(&seed) << 31 ^ (uint64_t)rand_r(&seed) << 15 ^
                        (uint64_t)rand_r(&seed);
        int64_t ms = (int64_t)(bits % (uint64_t)span) - INT64_C(62167219200000);
        char text[CLOCK_ISO_MAX];
        int64_t again = -1;
        CHECK(clock_parse_iso(&again, clock_format_iso(text, ms)) && again == ms);
        CHECK(strlen(text) == 24);
    }
}

static void dates_match_the_c_library(void)
{
    for (int year = 1600; year < 2400; year++) {
        for (int month = 1; month <= 12; month++) {
            char text[CLOCK_ISO_MAX];
            int64_t ms = 0;
            struct tm parts = {
                .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 28};
            snprintf(text, sizeof text, "%04d-%02d-28", year % 10000, month % 100);
            CHECK(clock_parse_iso(&ms, text) && ms == (int64_t)timegm(&parts) * 1000);
        }
    }
}

static void what_no_year_holds_is_said(void)
{
    char text[CLOCK_ISO_MAX];
    CHECK_TEXT(clock_format_iso(text, INT64_MAX), "out of range");
    CHECK_TEXT(clock_format_iso(text, INT64_MIN), "out of range");
    CHECK_TEXT(clock_format_iso(text, INT64_C(253402300800000)), "out of range");
    CHECK_TEXT(clock_format_iso(text, -1), "1969-12-31T23:59:59.999Z");
}

static void virtual_time_runs_at_its_rate(void)
{
    struct clock clock;
    int64_t real_ms = clock_real_ms();
    clock_init_virtual(&clock, 1000000, real_ms, 1000.0);
    int64_t first = clock_wall_ms(&clock);
    while (clock_real_ms() - real_ms < 20)
        continue;
    int64_t second = clock_wall_ms(&clock);
    CHECK(first >= 1000000 && second - 1000000 >= 19000);
    CHECK(clock_boot_ms(&clock) - real_ms >= 19000);
    CHECK(clock_state_of(&clock) == CLOCK_SYNCED);
}

/* Processes that start at different times show the same virtual time. */
static void virtual_clocks_of_one_origin_agree(void)
{
    struct clock early;
    struct clock late;
    int64_t real_ms = clock_real_ms();
    clock_init_virtual(&early, INT64_C(1795420800000), real_ms - 3600000, 60.0);
    clock_init_virtual(&late, INT64_C(1795420800000), real_ms - 3600000, 60.0);
    int64_t before = clock_wall_ms(&early);
    int64_t between = clock_wall_ms(&late);
    int64_t after = clock_wall_ms(&early);
    CHECK(before <= between && between <= after);
    CHECK(before >= INT64_C(1795420800000) + 3600000 * INT64_C(60));
}

static void real_time_goes_forward(void)
{
    struct clock clock;
    clock_init(&clock);
    int64_t wall_ms = (int64_t)time(NULL) * 1000;
    CHECK(clock_wall_ms(&clock) >= wall_ms && clock_wall_ms(&clock) < wall_ms + 10000);
    int64_t last = clock_real_ns();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_real_ns();
        CHECK(now >= last);
        last = now;
    }
    CHECK(clock_boot_ms(&clock) / 1000 - clock_real_ms() / 1000 <= 1);
}

static void states_have_names(void)
{
    static const enum clock_state states[] = {CLOCK_UNSET, CLOCK_STEPPED, CLOCK_SYNCED};
    enum clock_state parsed;
    for (size_t i = 0; i < 3; i++) {
        CHECK(clock_state_parse(&parsed, clock_state_name(states[i])));
        CHECK(parsed == states[i]);
    }
    CHECK(!clock_state_parse(&parsed, "Synced") && !clock_state_parse(&parsed, ""));
}

static void a_boot_has_an_identity(void)
{
    char id[17];
    char again[17];
    clock_boot_id(id);
    clock_boot_id(again);
    CHECK(strlen(id) == 16);
    CHECK_TEXT(again, id);
    for (size_t i = 0; i < 16; i++)
        CHECK(isxdigit((unsigned char)id[i]));
}

static CU_TestInfo tests[] = {
    {"instants by rows", instants_by_rows},
    {"instants come back", instants_come_back},
    {"dates match the C library", dates_match_the_c_library},
    {"what no year holds is said", what_no_year_holds_is_said},
    {"virtual time runs at its rate", virtual_time_runs_at_its_rate},
    {"virtual clocks of one origin agree", virtual_clocks_of_one_origin_agree},
    {"real time goes forward", real_time_goes_forward},
    {"states have names", states_have_names},
    {"a boot has an identity", a_boot_has_an_identity},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("clock", tests);
}
