// SPDX-License-Identifier: Apache-2.0
#include "telemetry/reading.h"

#include "tests/support/check.h"

#define TEN      "0123456789"
#define SIXTY    TEN TEN TEN TEN TEN TEN
#define FOUR     "abcd"
#define TOO_LONG SIXTY FOUR "e"

static void identifiers_are_checked(void)
{
    static const struct {
        const char *name;
        const char *text;
        bool want;
    } rows[] = {
        {"letters, digits, both dashes", "room-3_B", true},
        {"one character", "x", true},
        {"a dash alone", "-", true},
        {"64 characters", SIXTY FOUR, true},
        {"65 characters", TOO_LONG, false},
        {"empty", "", false},
        {"slash", "a/b", false},
        {"plus", "+", false},
        {"hash", "#", false},
        {"dollar", "$SYS", false},
        {"space", "a b", false},
        {"dot", "a.b", false},
        {"UTF-8", "冷库", false},
        {"control character", "a\n", false},
        {"last of ASCII", "\x7f", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name, id_is_valid(rows[i].text) == rows[i].want);
}

static void every_quality_has_a_name_that_reads_back(void)
{
    static const enum quality all[] = {
#define X(name, text) QUALITY_##name,
        QUALITY_LIST(X)
#undef X
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        enum quality got = QUALITY_FAULT;
        CHECK_ROW(quality_name(all[i]), quality_parse(&got, quality_name(all[i])));
        CHECK_ROW(quality_name(all[i]), got == all[i]);
    }
    CHECK(QUALITY_GOOD == 0);
    CHECK_TEXT(quality_name(QUALITY_GOOD), "good");
}

static void an_unknown_quality_changes_nothing(void)
{
    static const char *const rows[] = {"", "GOOD", "good ", "goo", "unknown"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum quality got = QUALITY_SHORT;
        CHECK_ROW(rows[i], !quality_parse(&got, rows[i]));
        CHECK_ROW(rows[i], got == QUALITY_SHORT);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"identifiers are checked", identifiers_are_checked},
        {"every quality has a name that reads back",
         every_quality_has_a_name_that_reads_back},
        {"an unknown quality changes nothing", an_unknown_quality_changes_nothing},
        CU_TEST_INFO_NULL,
    };
    return check_run("reading", tests);
}
