// SPDX-License-Identifier: Apache-2.0
#include "telemetry/cbor_in.h"

#include <math.h>

#include "tests/support/check.h"

#define BYTES(text) (text), sizeof(text) - 1

/* Mostly RFC 8949 appendix A. */
static void numbers_of_appendix_a(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        double want;
    } rows[] = {
        {"0", BYTES("\x00"), 0},
        {"23", BYTES("\x17"), 23},
        {"24", BYTES("\x18\x18"), 24},
        {"1000", BYTES("\x19\x03\xe8"), 1000},
        {"1000000", BYTES("\x1a\x00\x0f\x42\x40"), 1000000},
        {"1000000000000", BYTES("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00"), 1e12},
        {"2^64 - 1", BYTES("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
         18446744073709551616.0},
        {"-2^64", BYTES("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), -18446744073709551616.0},
        {"-1", BYTES("\x20"), -1},
        {"-1000", BYTES("\x39\x03\xe7"), -1000},
        {"half 0", BYTES("\xf9\x00\x00"), 0},
        {"half 1", BYTES("\xf9\x3c\x00"), 1},
        {"half 1.5", BYTES("\xf9\x3e\x00"), 1.5},
        {"half 65504", BYTES("\xf9\x7b\xff"), 65504},
        {"smallest half", BYTES("\xf9\x00\x01"), 5.960464477539063e-08},
        {"smallest normal half", BYTES("\xf9\x04\x00"), 0.00006103515625},
        {"half -4", BYTES("\xf9\xc4\x00"), -4},
        {"single 100000", BYTES("\xfa\x47\xc3\x50\x00"), 100000},
        {"largest single", BYTES("\xfa\x7f\x7f\xff\xff"), 3.4028234663852886e+38},
        {"double 1.1", BYTES("\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a"), 1.1},
        {"double -4.1", BYTES("\xfb\xc0\x10\x66\x66\x66\x66\x66\x66"), -4.1},
        {"decimal 273.15", BYTES("\xc4\x82\x21\x19\x6a\xb3"), 273.15},
        {"decimal -1.5", BYTES("\xc4\x82\x20\x2e"), -1.5},
        {"tagged 1", BYTES("\xc1\x01"), 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cbor_in in;
        struct token token = {0};
        cbor_in_init(&in, rows[i].bytes, rows[i].len);
        CHECK_ROW(rows[i].name, cbor_in_value(&in, &token) && in.at == in.end);
        CHECK_ROW(rows[i].name,
                  token.kind == TOKEN_NUMBER && token.number == rows[i].want);
    }
}

static void other_values(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        enum token_kind kind;
        const char *text;
    } rows[] = {
        {"false", BYTES("\xf4"), TOKEN_FALSE, NULL},
        {"true", BYTES("\xf5"), TOKEN_TRUE, NULL},
        {"null", BYTES("\xf6"), TOKEN_NULL, NULL},
        {"text", BYTES("\x64IETF"), TOKEN_TEXT, "IETF"},
        {"empty text", BYTES("\x60"), TOKEN_TEXT, ""},
        {"UTF-8", BYTES("\x63\xe6\xb0\xb4"), TOKEN_TEXT, "水"},
        {"bytes", BYTES("\x44\x01\x02\x03\x04"), TOKEN_BYTES, "\1\2\3\4"},
        {"[]", BYTES("\x80"), TOKEN_NESTED, NULL},
        {"[1, [2, 3]]", BYTES("\x82\x01\x82\x02\x03"), TOKEN_NESTED, NULL},
        {"{1: 2}", BYTES("\xa1\x01\x02"), TOKEN_NESTED, NULL},
        {"[_ 1, {_ }]", BYTES("\x9f\x01\xbf\xff\xff"), TOKEN_NESTED, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cbor_in in;
        struct token token = {0};
        cbor_in_init(&in, rows[i].bytes, rows[i].len);
        CHECK_ROW(rows[i].name, cbor_in_value(&in, &token) && in.at == in.end);
        CHECK_ROW(rows[i].name, token.kind == rows[i].kind);
        if (rows[i].text != NULL)
            CHECK_ROW(rows[i].name, token.len == strlen(rows[i].text) &&
                                        memcmp(token.text, rows[i].text, token.len) == 0);
    }
}

static void faults_say_what(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        const char *says;
    } rows[] = {
        {"nothing", BYTES(""), "end early"},
        {"half a head", BYTES("\x19\x03"), "end early"},
        {"text cut", BYTES("\x63\xe6\xb0"), "end early"},
        {"not UTF-8", BYTES("\x61\xff"), "UTF-8"},
        {"indefinite text", BYTES("\x7f\x61g\xff"), "indefinite"},
        {"reserved 28", BYTES("\x1c"), "reserved"},
        {"indefinite integer", BYTES("\x1f"), "reserved"},
        {"indefinite tag", BYTES("\xdf\x01"), "reserved"},
        {"undefined", BYTES("\xf7"), "simple"},
        {"a break alone", BYTES("\xff"), "simple"},
        {"NaN", BYTES("\xf9\x7e\x00"), "finite"},
        {"infinity", BYTES("\xfa\x7f\x80\x00\x00"), "finite"},
        {"-infinity", BYTES("\xfb\xff\xf0\x00\x00\x00\x00\x00\x00"), "finite"},
        {"a map of half a pair", BYTES("\xa1\x01"), "end early"},
        {"a decimal of one", BYTES("\xc4\x81\x01\x01"), "decimal"},
        {"a decimal cut", BYTES("\xc4\x82\x01"), "end early"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cbor_in in;
        struct token token;
        cbor_in_init(&in, rows[i].bytes, rows[i].len);
        CHECK_ROW(rows[i].name, !cbor_in_value(&in, &token));
        CHECK_ROW(rows[i].name,
                  in.fault != NULL && strstr(in.fault, rows[i].says) != NULL);
    }
}

/* [{0: "a"}, {_ "b": 1}] by hand, as a reader walks it. */
static void groups_are_walked(void)
{
    static const char bytes[] = "\x82\xa1\x00\x61"
                                "a\xbf\x61"
                                "b\x01\xff";
    struct cbor_in in;
    struct cbor_group array;
    struct cbor_group map;
    struct token key;
    struct token value;
    cbor_in_init(&in, BYTES(bytes));
    CHECK(cbor_in_array(&in, &array) && cbor_in_more(&in, &array));
    CHECK(cbor_in_map(&in, &map) && cbor_in_more(&in, &map));
    CHECK(cbor_in_key(&in, &key) && key.kind == TOKEN_NUMBER && key.number == 0);
    CHECK(cbor_in_value(&in, &value) && value.len == 1);
    CHECK(!cbor_in_more(&in, &map) && in.fault == NULL);
    CHECK(cbor_in_more(&in, &array) && cbor_in_map(&in, &map) && map.is_open);
    CHECK(cbor_in_more(&in, &map) && cbor_in_key(&in, &key) && key.kind == TOKEN_TEXT);
    CHECK(cbor_in_value(&in, &value) && !cbor_in_more(&in, &map));
    CHECK(!cbor_in_more(&in, &array) && in.fault == NULL && in.at == in.end);
    cbor_in_init(&in, BYTES("\x01"));
    CHECK(!cbor_in_array(&in, &array) && in.fault != NULL);
    CHECK(!cbor_in_more(&in, &array));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"numbers of appendix A", numbers_of_appendix_a},
        {"other values", other_values},
        {"faults say what", faults_say_what},
        {"groups are walked", groups_are_walked},
        CU_TEST_INFO_NULL,
    };
    return check_run("cbor_in", tests);
}
