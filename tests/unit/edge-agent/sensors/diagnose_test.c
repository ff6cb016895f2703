// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/diagnose.h"

#include <math.h>

#include "tests/support/check.h"

static char t_min[] = "-40";
static char t_max[] = "60";
static char t_low[] = "-50";
static char t_high[] = "150";
static char t_rate[] = "2";
static char t_word[] = "warm";
static char t_zero[] = "0";

static void values_row_by_row(void)
{
    const struct sensor_channel plain = {.gain = 1};
    const struct sensor_channel range = {.min = t_min, .max = t_max};
    const struct sensor_channel ntc = {.open_at = t_low, .short_at = t_high};
    const struct sensor_channel pt100 = {.open_at = t_high, .short_at = t_low};
    const struct {
        const char *name;
        const struct sensor_channel *channel;
        double value;
        enum quality want;
    } rows[] = {
        {"nothing is known", &plain, 1e9, QUALITY_GOOD},
        {"in range", &range, 60, QUALITY_GOOD},
        {"above", &range, 60.01, QUALITY_RANGE},
        {"below", &range, -40.01, QUALITY_RANGE},
        {"ntc: open is cold", &ntc, -50, QUALITY_OPEN},
        {"ntc: short is hot", &ntc, 150, QUALITY_SHORT},
        {"ntc: between", &ntc, 149, QUALITY_GOOD},
        {"pt100: open is hot", &pt100, 151, QUALITY_OPEN},
        {"pt100: short is cold", &pt100, -51, QUALITY_SHORT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct diagnose diagnose = {0};
        enum quality got = diagnose_value(&diagnose, rows[i].channel, 0, rows[i].value);
        CHECK_ROW(rows[i].name, got == rows[i].want);
    }
}

static void a_jump_is_believed_when_time_allows_it(void)
{
    const struct sensor_channel channel = {.max_per_minute = t_rate};
    static const struct {
        const char *name;
        int64_t minute;
        double value;
        enum quality want;
    } rows[] = {
        {"the first", 0, 4, QUALITY_GOOD},        {"slowly", 1, 5.9, QUALITY_GOOD},
        {"a jump", 2, 14, QUALITY_FAULT},         {"it stays", 3, 14, QUALITY_FAULT},
        {"and back", 4, 6, QUALITY_GOOD},         {"another", 5, 14, QUALITY_FAULT},
        {"four minutes on", 8, 14, QUALITY_GOOD}, {"time runs back", 7, 0, QUALITY_GOOD},
    };
    struct diagnose diagnose = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name,
                  diagnose_value(&diagnose, &channel, rows[i].minute * 60000,
                                 rows[i].value) == rows[i].want);
}

static void limits_that_cannot_be_are_refused(void)
{
    static const struct {
        const char *name;
        struct sensor_channel channel;
        enum err want;
    } rows[] = {
        {"none", {.gain = 1}, ERR_OK},
        {"all",
         {.min = t_min, .max = t_max, .open_at = t_low, .short_at = t_high},
         ERR_OK},
        {"a word", {.min = t_word}, ERR_INVALID},
        {"upside down", {.min = t_max, .max = t_min}, ERR_INVALID},
        {"open alone", {.open_at = t_low}, ERR_INVALID},
        {"short alone", {.short_at = t_low}, ERR_INVALID},
        {"both the same", {.open_at = t_low, .short_at = t_low}, ERR_INVALID},
        {"no change at all", {.max_per_minute = t_zero}, ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why = {0};
        CHECK_ROW(rows[i].name, diagnose_check(&rows[i].channel, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, (why.text[0] == '\0') == (rows[i].want == ERR_OK));
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"values, row by row", values_row_by_row},
        {"a jump is believed when time allows it",
         a_jump_is_believed_when_time_allows_it},
        {"limits that cannot be are refused", limits_that_cannot_be_are_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("diagnose", tests);
}
