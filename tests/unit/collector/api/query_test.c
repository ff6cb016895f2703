// SPDX-License-Identifier: Apache-2.0
#include "collector/api/query.h"

#include "tests/support/check.h"

#define LONGEST "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void patterns_match_identifiers_only(void)
{
    static const struct {
        const char *name;
        const char *pattern;
        const char *path;
        bool want;
        const char *first;
        const char *second;
    } rows[] = {
        {"no part", "/healthz", "/healthz", true, "", ""},
        {"longer", "/healthz", "/healthzz", false, "", ""},
        {"shorter", "/healthz", "/health", false, "", ""},
        {"empty", "/healthz", "", false, "", ""},
        {"one", "/z/*/r", "/z/room-1/r", true, "room-1", ""},
        {"at the end", "/i/*", "/i/0_aZ", true, "0_aZ", ""},
        {"two", "/d/*/*/r", "/d/org/dev/r", true, "org", "dev"},
        {"the longest", "/i/*", "/i/" LONGEST, true, LONGEST, ""},
        {"too long", "/i/*", "/i/" LONGEST "a", false, "", ""},
        {"empty part", "/i/*", "/i/", false, "", ""},
        {"part missing", "/d/*/*/r", "/d/org/r", false, "", ""},
        {"a part more", "/i/*", "/i/a/b", false, "", ""},
        {"the pattern itself", "/i/*", "/i/*", false, "", ""},
        {"dots", "/i/*", "/i/..", false, "", ""},
        {"space", "/i/*", "/i/a b", false, "", ""},
        {"not ASCII", "/i/*", "/i/\xc3\xa9", false, "", ""},
        {"question mark", "/i/*", "/i/a?b", false, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char parts[QUERY_PARTS_MAX][ID_SIZE] = {{0}};
        bool got = query_match(rows[i].pattern, rows[i].path, parts);
        CHECK_ROW(rows[i].name, got == rows[i].want);
        CHECK_ROW(rows[i].name, !got || strcmp(parts[0], rows[i].first) == 0);
        CHECK_ROW(rows[i].name, !got || strcmp(parts[1], rows[i].second) == 0);
    }
}

static void times_are_text_or_milliseconds(void)
{
    static const struct {
        const char *text;
        enum err want;
        int64_t ms;
    } rows[] = {
        {NULL, ERR_OK, -7},
        {"0", ERR_OK, 0},
        {"1795420800000", ERR_OK, INT64_C(1795420800000)},
        {"999999999999999999", ERR_OK, INT64_C(999999999999999999)},
        {"1000000000000000000", ERR_INVALID, 0},
        {"2026-11-23T08:00:00Z", ERR_OK, INT64_C(1795420800000)},
        {"2026-11-23T16:00:00+08:00", ERR_OK, INT64_C(1795420800000)},
        {"2026-11-23", ERR_OK, INT64_C(1795392000000)},
        {"", ERR_INVALID, 0},
        {"-1", ERR_INVALID, 0},
        {"+1", ERR_INVALID, 0},
        {" 1", ERR_INVALID, 0},
        {"1 ", ERR_INVALID, 0},
        {"1.5", ERR_INVALID, 0},
        {"2026-02-30", ERR_INVALID, 0},
        {"now", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].text != NULL ? rows[i].text : "absent";
        int64_t ms = 0;
        CHECK_ROW(name, query_time(&ms, rows[i].text, -7) == rows[i].want);
        CHECK_ROW(name, rows[i].want != ERR_OK || ms == rows[i].ms);
    }
}

static void numbers_are_whole_and_in_bounds(void)
{
    static const struct {
        const char *text;
        enum err want;
        uint64_t number;
    } rows[] = {
        {NULL, ERR_OK, 100},
        {"1", ERR_OK, 1},
        {"1000", ERR_OK, 1000},
        {"007", ERR_OK, 7},
        {"0", ERR_INVALID, 0},
        {"1001", ERR_INVALID, 0},
        {"", ERR_INVALID, 0},
        {"-1", ERR_INVALID, 0},
        {"1x", ERR_INVALID, 0},
        {"0x10", ERR_INVALID, 0},
        {"18446744073709551617", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].text != NULL ? rows[i].text : "absent";
        uint64_t number = 0;
        CHECK_ROW(name,
                  query_number(&number, rows[i].text, 1, 1000, 100) == rows[i].want);
        CHECK_ROW(name, rows[i].want != ERR_OK || number == rows[i].number);
    }
}

static void tags_are_found_in_lists(void)
{
    static const struct {
        const char *name;
        const char *list;
        bool want;
    } rows[] = {
        {"itself", "\"ab\"", true},
        {"weakly", "W/\"ab\"", true},
        {"second", "\"x\", \"ab\"", true},
        {"without spaces", "\"x\",W/\"ab\",\"y\"", true},
        {"any", "*", true},
        {"any in a list", "\"x\", *", true},
        {"another", "\"abc\"", false},
        {"shorter", "\"a\"", false},
        {"no quotes", "ab", false},
        {"two stars", "**", false},
        {"nothing", "", false},
        {"commas", " ,\t,,", false},
        {"half a weak one", "W/", false},
        {"W alone", "W", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_ROW(rows[i].name,
                  query_tag_is_known(rows[i].list, "\"ab\"") == rows[i].want);
        CHECK_ROW(rows[i].name,
                  query_tag_is_known(rows[i].list, "W/\"ab\"") == rows[i].want);
    }
}

static void the_last_address_counts(void)
{
    static const struct {
        const char *list;
        const char *want; /* NULL: none */
    } rows[] = {
        {"10.0.0.9", "10.0.0.9"},
        {"10.0.0.8, 10.0.0.9", "10.0.0.9"},
        {"spoofed,10.0.0.9", "10.0.0.9"},
        {"10.0.0.9, 2001:db8::1", "2001:db8::1"},
        {"", NULL},
        {"10.0.0.9,", NULL},
        {"10.0.0.9, unknown", NULL},
        {"10.0.0", NULL},
        {"10.0.0.9 ", NULL},
        {"10.0.0.9:80", NULL},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char address[INET6_ADDRSTRLEN] = "untouched";
        CHECK_ROW(rows[i].list,
                  query_last_address(rows[i].list, address) == (rows[i].want != NULL));
        CHECK_ROW(rows[i].list, strcmp(address, rows[i].want != NULL ? rows[i].want
                                                                     : "untouched") == 0);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"patterns match identifiers only", patterns_match_identifiers_only},
        {"times are text or milliseconds", times_are_text_or_milliseconds},
        {"numbers are whole and in bounds", numbers_are_whole_and_in_bounds},
        {"tags are found in lists", tags_are_found_in_lists},
        {"the last address counts", the_last_address_counts},
        CU_TEST_INFO_NULL,
    };
    return check_run("query", tests);
}
