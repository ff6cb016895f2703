// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/w1_parse.h"

#include <math.h>

#include "tests/support/check.h"

#define SLAVE(bytes, crc, verdict, t) \
    bytes " : crc=" crc " " verdict "\n" bytes " t=" t "\n"

static void w1_slave_rows(void)
{
    static const struct {
        const char *name;
        const char *text;
        enum quality want;
        double want_C;
    } rows[] = {
        {"a cold room", SLAVE("31 00 4b 46 7f ff 0f 10 22", "22", "YES", "3062"),
         QUALITY_GOOD, 3.062},
        {"a freezer", SLAVE("dc fe 4b 46 7f ff 04 10 35", "35", "YES", "-18250"),
         QUALITY_GOOD, -18.25},
        {"a true zero", SLAVE("00 00 4b 46 7f ff 10 10 69", "69", "YES", "0"),
         QUALITY_GOOD, 0},
        {"the lowest", SLAVE("90 fc 4b 46 7f ff 10 10 ee", "ee", "YES", "-55000"),
         QUALITY_GOOD, -55},
        {"the highest", SLAVE("d0 07 4b 46 7f ff 10 10 55", "55", "YES", "125000"),
         QUALITY_GOOD, 125},
        {"power-on", SLAVE("50 05 4b 46 7f ff 0c 10 1c", "1c", "YES", "85000"),
         QUALITY_STARTUP, 85},
        {"beyond 125", SLAVE("20 08 4b 46 7f ff 10 10 30", "30", "YES", "130000"),
         QUALITY_RANGE, 0},
        {"127.9375", SLAVE("ff 07 4b 46 7f ff 01 10 2f", "2f", "YES", "127937"),
         QUALITY_OPEN, 0},
        {"the kernel says NO", SLAVE("31 00 4b 46 7f ff 0f 10 22", "21", "NO", "3062"),
         QUALITY_CHECKSUM, 0},
        {"YES over a flipped bit",
         SLAVE("33 00 4b 46 7f ff 0f 10 22", "22", "YES", "3187"), QUALITY_CHECKSUM, 0},
        {"nothing answers", SLAVE("ff ff ff ff ff ff ff ff ff", "c9", "NO", "-62"),
         QUALITY_OPEN, 0},
        {"shorted: zeros have a right CRC",
         SLAVE("00 00 00 00 00 00 00 00 00", "00", "YES", "0"), QUALITY_SHORT, 0},
        {"one line", "31 00 4b 46 7f ff 0f 10 22 : crc=22 YES\n", QUALITY_FAULT, 0},
        {"no value", SLAVE("31 00 4b 46 7f ff 0f 10 22", "22", "YES", ""), QUALITY_FAULT,
         0},
        {"half a degree too fine",
         SLAVE("31 00 4b 46 7f ff 0f 10 22", "22", "YES", "3062.5"), QUALITY_FAULT, 0},
        {"words", "temperature is fine YES\nt=1000", QUALITY_FAULT, 0},
        {"nothing", "", QUALITY_FAULT, 0},
        {"cut in the bytes", "31 00 4b", QUALITY_FAULT, 0},
        {"no verdict", "31 00 4b 46 7f ff 0f 10 22 : crc=22\n t=3062\n", QUALITY_FAULT,
         0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct w1_answer got = w1_parse_slave(rows[i].text, strlen(rows[i].text));
        CHECK_ROW(rows[i].name, got.quality == rows[i].want);
        CHECK_ROW(rows[i].name, (got.reason[0] == '\0') == (got.quality == QUALITY_GOOD));
        if (rows[i].want == QUALITY_GOOD || rows[i].want == QUALITY_STARTUP)
            CHECK_ROW(rows[i].name, got.value_C == rows[i].want_C);
        else
            CHECK_ROW(rows[i].name, isnan(got.value_C));
    }
}

/* Each byte of a right answer damaged: never another value that is believed. */
static void a_damaged_byte_is_never_believed(void)
{
    static const char good[] = SLAVE("31 00 4b 46 7f ff 0f 10 22", "22", "YES", "3062");
    size_t line = strcspn(good, "\n");
    for (size_t i = 0; i < (size_t)27; i++) {
        for (int bit = 0; bit < 7; bit++) {
            char text[sizeof good];
            memcpy(text, good, sizeof good);
            text[i] = (char)(text[i] ^ 1 << bit);
            struct w1_answer got = w1_parse_slave(text, sizeof good - 1);
            CHECK_ROW(text, got.quality != QUALITY_GOOD);
        }
    }
    for (size_t cut = 0; cut <= line; cut++)
        CHECK(w1_parse_slave(good, cut).quality == QUALITY_FAULT);
}

static void temperature_rows(void)
{
    static const struct {
        const char *text;
        enum quality want;
        double want_C;
    } rows[] = {
        {"3062", QUALITY_GOOD, 3.062},  {"-18250\n", QUALITY_GOOD, -18.25},
        {"85000", QUALITY_STARTUP, 85}, {"-127000", QUALITY_OPEN, 0},
        {"127937", QUALITY_OPEN, 0},    {"126000", QUALITY_RANGE, 0},
        {"-55001", QUALITY_RANGE, 0},   {"", QUALITY_FAULT, 0},
        {"3.062", QUALITY_FAULT, 0},    {"0x10", QUALITY_FAULT, 0},
        {"3062 C", QUALITY_FAULT, 0},   {"1e99", QUALITY_RANGE, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct w1_answer got = w1_parse_temperature(rows[i].text, strlen(rows[i].text));
        CHECK_ROW(rows[i].text, got.quality == rows[i].want);
        if (rows[i].want == QUALITY_GOOD)
            CHECK_ROW(rows[i].text, got.value_C == rows[i].want_C);
    }
}

static void ids_are_those_of_thermometers(void)
{
    static const struct {
        const char *id;
        bool want;
    } rows[] = {
        {"28-0316a2795dff", true},
        {"10-000802824e58", true},
        {"3b-0123456789ab", true},
        {"28-0316A2795DFF", false},
        {"28-0316a2795df", false},
        {"28-0316a2795dff0", false},
        {"29-0316a2795dff", false},
        {"w1_bus_master1", false},
        {"", false},
        {"28-/../../../../", false},
        {"../28-0316a2795", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].id, w1_is_thermometer(rows[i].id) == rows[i].want);
}

static void eighty_five_is_believed_beside_neighbours_only(void)
{
    CHECK(!w1_is_plausible_85(4, -1));
    CHECK(!w1_is_plausible_85(4, 10000));
    CHECK(!w1_is_plausible_85(79.9, 10000));
    CHECK(w1_is_plausible_85(84.5, 10000));
    CHECK(w1_is_plausible_85(90, 600000));
    CHECK(!w1_is_plausible_85(84.5, 600001));
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"w1_slave, row by row", w1_slave_rows},
        {"a damaged byte is never believed", a_damaged_byte_is_never_believed},
        {"temperature, row by row", temperature_rows},
        {"ids are those of thermometers", ids_are_those_of_thermometers},
        {"85 degrees is believed beside neighbours only",
         eighty_five_is_believed_beside_neighbours_only},
        CU_TEST_INFO_NULL,
    };
    return check_run("w1_parse", tests);
}
