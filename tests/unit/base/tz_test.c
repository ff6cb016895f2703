// SPDX-License-Identifier: Apache-2.0
#include "base/tz.h"

#include <string.h>

#include "base/clock.h"
#include "tests/support/check.h"

static int64_t at(const char *iso)
{
    int64_t ms = 0;
    CHECK(clock_parse_iso(&ms, iso));
    return ms;
}

static struct tz zone(const char *rule)
{
    struct tz tz;
    CHECK(ERR_OK == tz_parse(&tz, rule));
    return tz;
}

#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define SYDNEY "AEST-10AEDT,M10.1.0,M4.1.0/3"

static void offsets_are_those_of_the_clocks_on_the_wall(void)
{
    static const struct {
        const char *rule;
        const char *iso;
        int hours;
    } cases[] = {
        {"CST-8", "2026-07-01T00:00:00Z", 8},
        {"UTC0", "2026-07-01T00:00:00Z", 0},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", -5},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -4},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:59Z", -4},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", -5},
        {BERLIN, "2026-03-29T00:59:59Z", 1},
        {BERLIN, "2026-03-29T01:00:00Z", 2},
        {BERLIN, "2026-10-25T00:59:59Z", 2},
        {BERLIN, "2026-10-25T01:00:00Z", 1},
        {SYDNEY, "2026-01-01T00:00:00Z", 11},
        {SYDNEY, "2026-04-04T15:59:59Z", 11},
        {SYDNEY, "2026-04-04T16:00:00Z", 10},
        {SYDNEY, "2026-10-03T16:00:00Z", 11},
        {"<+0330>-3:30<+0430>,J79/24,J263/24", "2026-03-20T20:29:59Z", 3},
        {"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "2026-07-01T00:00:00Z", -2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tz tz = zone(cases[i].rule);
        CHECK(tz_offset_s(&tz, at(cases[i].iso)) / 3600 == (cases[i].hours));
    }
}

static void local_time_has_day_minute_and_weekday(void)
{
    struct tz shanghai = zone("CST-8");
    struct tz_local local = tz_local(&shanghai, at("2026-11-26T16:30:00Z"));
    CHECK(local.day == (at("2026-11-27T00:00:00Z") / 86400000));
    CHECK(local.minute == (30));
    CHECK((local.weekday) == (4)); /* a Friday */
    CHECK(tz_wall_ms(&shanghai, local.day, 30) == at("2026-11-26T16:30:00Z"));
}

static void an_hour_left_out_and_one_that_comes_twice(void)
{
    struct tz tz = zone(BERLIN);
    int64_t spring = at("2026-03-29T00:00:00Z") / 86400000;
    int64_t autumn = at("2026-10-25T00:00:00Z") / 86400000;
    CHECK(tz_wall_ms(&tz, spring, 119) == at("2026-03-29T00:59:00Z"));
    CHECK(tz_wall_ms(&tz, spring, 150) == at("2026-03-29T01:00:00Z"));
    CHECK(tz_wall_ms(&tz, spring, 180) == at("2026-03-29T01:00:00Z"));
    CHECK(tz_wall_ms(&tz, autumn, 150) == at("2026-10-25T00:30:00Z"));
    CHECK(tz_wall_ms(&tz, autumn, 180) == at("2026-10-25T02:00:00Z"));
    CHECK(tz_wall_ms(&tz, autumn, 119) == at("2026-10-24T23:59:00Z"));
}

/* What is local comes back as it was, for every quarter of an hour of a year. */
static void local_time_and_back(void)
{
    static const char *const rules[] = {"CST-8", BERLIN, SYDNEY,
                                        "EST5EDT,M3.2.0,M11.1.0"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct tz tz = zone(rules[i]);
        int64_t from = at("2028-01-01T00:00:00Z"); /* a leap year */
        size_t twice = 0;
        for (int64_t ms = from; ms < from + INT64_C(366) * 86400000; ms += 900000) {
            struct tz_local local = tz_local(&tz, ms);
            int64_t back = tz_wall_ms(&tz, local.day, local.minute);
            twice += back != ms;
            CHECK(back == ms || back == ms - 3600000);
        }
        CHECK(twice == (tz.has_summer ? 4 : 0));
    }
}

static void what_is_no_rule_is_refused(void)
{
    static const char *const bad[] = {
        "",
        "C-8",
        "CST",
        "CST-25",
        "CST-8x",
        "CST-8CDT",
        "CST-8CDT,",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J5",
        "CET-1CEST,M3.5.0,M10.5.0/168",
        "<+03-3",
        "CET-1CEST,M3",
    };
    struct tz tz;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(tz_parse(&tz, bad[i]) == ERR_INVALID);
}

static void names_are_looked_up_and_no_paths(void)
{
    struct tz tz;
    struct err_text why;
    CHECK(ERR_OK == tz_load(&tz, "Asia/Shanghai", &why));
    CHECK(tz.standard_s == (28800));
    CHECK(ERR_OK == tz_load(&tz, "UTC", &why));
    static const char *const bad[] = {
        "", "../../etc/passwd", "/etc/passwd", "Nowhere/Else", "Asia/", "a b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(tz_load(&tz, bad[i], &why) == ERR_INVALID);
    CHECK(strstr(why.text, "Asia/Shanghai") != NULL);
    CHECK(ERR_OK == tz_parse_file(&tz, "TZif2....\nCST-8\n", 16));
    CHECK(tz_parse_file(&tz, "TZif2....\nCST-8", 15) == ERR_INVALID);
    CHECK(tz_parse_file(&tz, "TZif2...\n\n", 10) == ERR_INVALID);
}

static void times_are_told_as_people_read_them(void)
{
    static const struct {
        const char *rule;
        const char *iso;
        const char *want;
        const char *offset;
    } rows[] = {
        {"CST-8", "2026-11-26T21:40:20.999Z", "2026-11-27 05:40", "UTC+8"},
        {"CST-8", "2026-12-31T16:00:00Z", "2027-01-01 00:00", "UTC+8"},
        {"UTC0", "2026-11-26T21:40:59.999Z", "2026-11-26 21:40", "UTC"},
        {BERLIN, "2026-10-25T00:59:00Z", "2026-10-25 02:59", "UTC+2"},
        {BERLIN, "2026-10-25T01:00:00Z", "2026-10-25 02:00", "UTC+1"},
        {"<+0530>-5:30", "2026-11-26T18:30:00Z", "2026-11-27 00:00", "UTC+5:30"},
        {"NST3:30", "2026-11-26T03:29:00Z", "2026-11-25 23:59", "UTC-3:30"},
        {"<-03>3", "1969-12-31T23:59:59Z", "1969-12-31 20:59", "UTC-3"},
    };
    char text[TZ_TEXT_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tz tz = zone(rows[i].rule);
        CHECK_TEXT(tz_format(text, &tz, at(rows[i].iso)), rows[i].want);
        CHECK_TEXT(tz_format_offset(text, &tz, at(rows[i].iso)), rows[i].offset);
    }
    struct tz tz = zone("CST-8");
    CHECK_TEXT(tz_format(text, &tz, INT64_MAX), "out of range");
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"offsets are those of the clocks on the wall",
         offsets_are_those_of_the_clocks_on_the_wall},
        {"local time has day, minute and weekday", local_time_has_day_minute_and_weekday},
        {"an hour is left out, another comes twice",
         an_hour_left_out_and_one_that_comes_twice},
        {"local time and back, for a leap year", local_time_and_back},
        {"what is no rule is refused", what_is_no_rule_is_refused},
        {"names are looked up, and no paths", names_are_looked_up_and_no_paths},
        {"times are told as people read them", times_are_told_as_people_read_them},
        CU_TEST_INFO_NULL,
    };
    return check_run("tz", tests);
}
