// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"
#include "tests/support/check.h"

static void durations_read_by_rows(void)
{
    static const struct {
        const char *text;
        enum err want_err;
        int64_t want_ms;
    } rows[] = {
        {"0", ERR_OK, 0},
        {"0s", ERR_OK, 0},
        {"250ms", ERR_OK, 250},
        {"10s", ERR_OK, 10000},
        {"90s", ERR_OK, 90000},
        {"5m", ERR_OK, 300000},
        {"1h30m", ERR_OK, 5400000},
        {"2d", ERR_OK, 172800000},
        {"1d2h3m4s5ms", ERR_OK, 93784005},
        {"-5s", ERR_OK, -5000},
        {"-0", ERR_OK, 0},
        {"106751991167d7h12m55s807ms", ERR_OK, INT64_MAX},
        {"106751991167d7h12m55s808ms", ERR_INVALID, -1},
        {"99999999999999999999s", ERR_INVALID, -1},
        {"18446744073709551615d", ERR_INVALID, -1},
        {"10", ERR_INVALID, -1},
        {"", ERR_INVALID, -1},
        {"-", ERR_INVALID, -1},
        {"s", ERR_INVALID, -1},
        {"10 s", ERR_INVALID, -1},
        {"10s ", ERR_INVALID, -1},
        {"1.5h", ERR_INVALID, -1},
        {"30m1h", ERR_INVALID, -1},
        {"1h1h", ERR_INVALID, -1},
        {"10sec", ERR_INVALID, -1},
        {"10S", ERR_INVALID, -1},
        {"1h-5m", ERR_INVALID, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        CHECK_ROW(rows[i].text,
                  units_parse_duration(&ms, rows[i].text) == rows[i].want_err);
        CHECK_ROW(rows[i].text, ms == rows[i].want_ms);
    }
}

static void sizes_read_by_rows(void)
{
    static const struct {
        const char *text;
        enum err want_err;
        int64_t want;
    } rows[] = {
        {"0", ERR_OK, 0},
        {"4096", ERR_OK, 4096},
        {"64K", ERR_OK, 65536},
        {"64M", ERR_OK, 67108864},
        {"64MiB", ERR_OK, 67108864},
        {"2G", ERR_OK, INT64_C(2147483648)},
        {"1T", ERR_OK, INT64_C(1099511627776)},
        {"9223372036854775807", ERR_OK, INT64_MAX},
        {"9223372036854775808", ERR_INVALID, -1},
        {"8388608T", ERR_INVALID, -1},
        {"99999999999T", ERR_INVALID, -1},
        {"", ERR_INVALID, -1},
        {"M", ERR_INVALID, -1},
        {"64MB", ERR_INVALID, -1},
        {"64m", ERR_INVALID, -1},
        {"64 M", ERR_INVALID, -1},
        {"64iB", ERR_INVALID, -1},
        {"-1", ERR_INVALID, -1},
        {"1.5G", ERR_INVALID, -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t bytes = -1;
        CHECK_ROW(rows[i].text,
                  units_parse_size(&bytes, rows[i].text) == rows[i].want_err);
        CHECK_ROW(rows[i].text, bytes == rows[i].want);
    }
}

static void texts_are_short(void)
{
    char text[UNITS_TEXT_MAX];
    CHECK_TEXT(units_format_duration(text, 0), "0");
    CHECK_TEXT(units_format_duration(text, 90000), "1m30s");
    CHECK_TEXT(units_format_duration(text, -86400001), "-1d1ms");
    CHECK_TEXT(units_format_duration(text, INT64_MIN), "-106751991167d7h12m55s808ms");
    CHECK_TEXT(units_format_size(text, 0), "0");
    CHECK_TEXT(units_format_size(text, 64 << 20), "64M");
    CHECK_TEXT(units_format_size(text, (64 << 20) + 1), "67108865");
    CHECK_TEXT(units_format_size(text, INT64_C(1536) << 30), "1536G");
}

/* Magnitudes of every size: random bits shifted down by a random amount. */
static void random_numbers_come_back(void)
{
    unsigned seed = 7;
    for (int i = 0; i < 20000; i++) {
        char text[UNITS_TEXT_MAX];
        uint64_t bits = (uint64_t)rand_r(&seed) << 33 ^ (uint64_t)rand_r(&seed) << 11 ^
                        (uint64_t)rand_r(&seed);
        int64_t number = (int64_t)(bits >> (1 + rand_r(&seed) % 63));
        int64_t again = -1;
        CHECK(units_parse_size(&again, units_format_size(text, number)) == ERR_OK &&
              again == number);
        number = i % 2 != 0 ? number : -number;
        CHECK(units_parse_duration(&again, units_format_duration(text, number)) ==
                  ERR_OK &&
              again == number);
    }
}

static CU_TestInfo tests[] = {
    {"durations read by rows", durations_read_by_rows},
    {"sizes read by rows", sizes_read_by_rows},
    {"texts are short", texts_are_short},
    {"random numbers come back", random_numbers_come_back},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("units", tests);
}
