// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <time.h>

#include "tests/support/check.h"

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool round_trips(double value)
{
    char text[NUMBER_SIZE];
    double got = 42;
    size_t len = number_format(value, text);
    return strlen(text) == len && number_scan(&got, text, len) == len &&
           same_bits(got, value) && same_bits(strtod(text, NULL), value);
}

static void doubles_are_written_short(void)
{
    static const struct {
        double value;
        const char *want;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {2.3, "2.3"},
        {-18.0625, "-18.0625"},
        {0.1, "0.1"},
        {0.05, "0.05"},
        {0.000001, "0.000001"},
        {0.0000001, "1e-07"},
        {100, "100"},
        {1013.25, "1013.25"},
        {109.463123, "109.463123"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {999999999999999, "999999999999999"},
        {9007199254740992, "9007199254740992"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {5e-324, "5e-324"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[NUMBER_SIZE];
        CHECK_ROW(rows[i].want,
                  number_format(rows[i].value, text) == strlen(rows[i].want));
        CHECK_TEXT(text, rows[i].want);
        CHECK_ROW(rows[i].want, round_trips(rows[i].value));
    }
}

static void whole_numbers_are_written(void)
{
    char text[NUMBER_SIZE];
    CHECK(number_format_i64(INT64_MIN, text) == 20);
    CHECK_TEXT(text, "-9223372036854775808");
    CHECK(number_format_i64(INT64_MAX, text) == 19);
    CHECK_TEXT(text, "9223372036854775807");
    CHECK(number_format_u64(UINT64_MAX, text) == 20);
    CHECK_TEXT(text, "18446744073709551615");
    CHECK(number_format_i64(0, text) == 1);
    CHECK_TEXT(text, "0");
}

static void numbers_are_read_as_far_as_they_go(void)
{
    static const struct {
        const char *text;
        size_t want_len;
        double want;
    } rows[] = {
        {"0", 1, 0},
        {"-0", 2, -0.0},
        {"2.30", 4, 2.3},
        {"0.14e1", 6, 1.4},
        {"1.320078429e+09", 15, 1320078429},
        {"1E2", 3, 100},
        {"1e-2,", 4, 0.01},
        {"12]", 2, 12},
        {"1.5.2", 3, 1.5},
        {"01", 1, 0},
        {"1.", 1, 1},
        {"1.e5", 1, 1},
        {"1e", 1, 1},
        {"1e+", 1, 1},
        {"0x10", 1, 0},
        {"123456789012345678901234567890", 30, 123456789012345678901234567890.0},
        {"9007199254740993", 16, 9007199254740992.0},
        {"0.1000000000000000055511151231257827", 36, 0.1},
        {"1e-400", 6, 0},
        {"4.9e-324", 8, 5e-324},
        {"1.7976931348623157e308", 22, DBL_MAX},
        {"1e99999999999999999999", 0, 0},
        {"0e99999999999999999999", 22, 0},
        {"1e309", 0, 0},
        {"-1e309", 0, 0},
        {"+1", 0, 0},
        {".5", 0, 0},
        {"-", 0, 0},
        {"-.5", 0, 0},
        {"", 0, 0},
        {" 1", 0, 0},
        {"NaN", 0, 0},
        {"Infinity", 0, 0},
        {"nan", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double got = 42;
        CHECK_ROW(rows[i].text, number_scan(&got, rows[i].text, strlen(rows[i].text)) ==
                                    rows[i].want_len);
        double want = rows[i].want_len > 0 ? rows[i].want : 42;
        CHECK_ROW(rows[i].text, same_bits(got, want));
    }
}

static void a_number_ends_where_its_text_does(void)
{
    double got = 42;
    CHECK(number_scan(&got, "123", 2) == 2 && got == 12);
    CHECK(number_scan(&got, "1.5", 2) == 1 && got == 1);
    CHECK(number_scan(&got, "1e5", 2) == 1 && got == 1);
    CHECK(number_scan(&got, "-1", 1) == 0);
    char digits[NUMBER_TEXT_MAX + 1];
    memset(digits, '1', sizeof digits);
    digits[1] = '.';
    CHECK(number_scan(&got, digits, sizeof digits) == 0);
    CHECK(number_scan(&got, digits, sizeof digits - 1) == sizeof digits - 1);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

/* Of every size: random bits, and decimals as sensors send them. */
static void random_doubles_survive(void)
{
    const char *given = getenv("COLDCHAIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("COLDCHAIN_SEED=%" PRIu64 " ", seed);
    uint64_t random = seed | 1;
    for (unsigned i = 0; i < 50000; i++) {
        uint64_t bits = next_random(&random);
        double any;
        memcpy(&any, &bits, sizeof any);
        if (isfinite(any) && !round_trips(any))
            CHECK_ROW("random bits", false);
        int64_t whole = (int64_t)(next_random(&random) % 2000000) - 1000000;
        double decimal = (double)whole / pow(10, (double)(bits % 8));
        if (!round_trips(decimal))
            CHECK_ROW("a decimal", false);
        double near = nextafter(decimal, bits % 2 == 0 ? INFINITY : -INFINITY);
        if (!round_trips(near))
            CHECK_ROW("beside a decimal", false);
    }
    CHECK(round_trips(1));
}

static void the_locale_does_not_matter(void)
{
    if (setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL &&
        setlocale(LC_NUMERIC, "fr_FR.UTF-8") == NULL)
        printf("(no locale with a comma here) ");
    char text[NUMBER_SIZE];
    double got = 0;
    number_format(1.0 / 3, text);
    CHECK_TEXT(text, "0.3333333333333333");
    CHECK(number_scan(&got, "0.1000000000000000055511151231257827", 36) == 36);
    CHECK(got == 0.1);
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"doubles are written short", doubles_are_written_short},
        {"whole numbers are written", whole_numbers_are_written},
        {"numbers are read as far as they go", numbers_are_read_as_far_as_they_go},
        {"a number ends where its text does", a_number_ends_where_its_text_does},
        {"random doubles survive", random_doubles_survive},
        {"the locale does not matter", the_locale_does_not_matter},
        CU_TEST_INFO_NULL,
    };
    return check_run("number", tests);
}
