// SPDX-License-Identifier: Apache-2.0
#include "telemetry/json_in.h"

#include <inttypes.h>
#include <time.h>

#include <jansson.h>

#include "base/mem.h"
#include "tests/support/check.h"

static void values_are_read(void)
{
    static const struct {
        const char *text;
        enum token_kind kind;
        double number;
        const char *says;
    } rows[] = {
        {"null", TOKEN_NULL, 0, NULL},
        {" true ", TOKEN_TRUE, 0, NULL},
        {"\t\r\nfalse", TOKEN_FALSE, 0, NULL},
        {"-12.5e-1", TOKEN_NUMBER, -1.25, NULL},
        {"\"\"", TOKEN_TEXT, 0, ""},
        {"\"plain\"", TOKEN_TEXT, 0, "plain"},
        {"\"a\\nb\"", TOKEN_TEXT, 0, "a\nb"},
        {"\"\\u51b7\\u5e93\"", TOKEN_TEXT, 0, "冷库"},
        {"\"\\ud83d\\ude00\"", TOKEN_TEXT, 0, "😀"},
        {"[]", TOKEN_NESTED, 0, NULL},
        {"{}", TOKEN_NESTED, 0, NULL},
        {"[1,{\"a\":[null,true]},\"\\\"\"]", TOKEN_NESTED, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_in in;
        struct token token = {0};
        json_in_init(&in, rows[i].text, strlen(rows[i].text));
        CHECK_ROW(rows[i].text, json_in_value(&in, &token));
        CHECK_ROW(rows[i].text, json_in_at_end(&in) && in.fault == NULL);
        CHECK_ROW(rows[i].text, token.kind == rows[i].kind);
        if (rows[i].kind == TOKEN_NUMBER)
            CHECK_ROW(rows[i].text, token.number == rows[i].number);
        if (rows[i].kind == TOKEN_TEXT)
            CHECK_ROW(rows[i].text, token.len == strlen(rows[i].says) &&
                                        memcmp(token.text, rows[i].says, token.len) == 0);
        json_in_fini(&in);
    }
}

static void faults_say_what_and_stick(void)
{
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"", "text ends early"},
        {"nul", "a value is wanted"},
        {"\"abc", "text ends early"},
        {"\"\t\"", "control character"},
        {"\"\\q\"", "unknown escape"},
        {"\"\\u12", "four hex digits"},
        {"\"\\ud800\"", "surrogate"},
        {"\"\xff\"", "UTF-8"},
        {"[1", "text ends early"},
        {"[1 2]", "',' or ']'"},
        {"{1:2}", "a string is wanted"},
        {"{\"a\" 2}", "':' is wanted"},
        {"{\"a\":2 \"b\":3}", "',' or '}'"},
        {"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "nested too deep"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_in in;
        struct token token;
        json_in_init(&in, rows[i].text, strlen(rows[i].text));
        CHECK_ROW(rows[i].text, !json_in_value(&in, &token));
        CHECK_ROW(rows[i].text,
                  in.fault != NULL && strstr(in.fault, rows[i].says) != NULL);
        const char *first = in.fault;
        CHECK_ROW(rows[i].text, !json_in_want(&in, '?', "another") && in.fault == first);
        json_in_fini(&in);
    }
}

/* Tokens of one record stay valid while more of it is read, escapes or not. */
static void tokens_stay_valid_until_forgotten(void)
{
    static const char text[] = "\"a\\u0041\"\"plain\"\"b\\u0042\"\"c\\u0043\"";
    struct json_in in;
    struct token tokens[4];
    json_in_init(&in, text, sizeof text - 1);
    for (size_t i = 0; i < 4; i++)
        CHECK(json_in_string(&in, &tokens[i]));
    CHECK(tokens[0].len == 2 && memcmp(tokens[0].text, "aA", 2) == 0);
    CHECK(tokens[1].len == 5 && memcmp(tokens[1].text, "plain", 5) == 0);
    CHECK(tokens[2].len == 2 && memcmp(tokens[2].text, "bB", 2) == 0);
    CHECK(tokens[3].len == 2 && memcmp(tokens[3].text, "cC", 2) == 0);
    json_in_forget(&in);
    CHECK(in.unescaped.len == 0);
    json_in_fini(&in);
}

/* ---- against jansson ---------------------------------------------------------- */

static const char *const seeds[] = {
    "[{\"bn\":\"a\",\"t\":-1.5e3,\"v\":2.30},{\"vb\":true,\"x\":null}]",
    "{\"a\":[0,-0,0.0,1E+2,\"\\u4e2d\\ud83d\\ude00\\n\"],\"b\":{}}",
    "[\"冷库\\\"\\\\\\/\", [[[]]], [false]]",
    " [ 1 , 2.5 , \"x\" ] ",
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

/* One to three bytes changed, dropped or doubled, with those that JSON is made of. */
static size_t mutate(char *text, size_t len, uint64_t *random)
{
    static const char bytes[] = "[]{}\",:\\0123456789.eE+-tfnu \x01\x7f\xc3\xed";
    uint64_t count = 1 + next_random(random) % 3;
    for (uint64_t i = 0; i < count && len > 1; i++) {
        size_t at = next_random(random) % len;
        switch (next_random(random) % 3) {
        case 0:
            text[at] = bytes[next_random(random) % (sizeof bytes - 1)];
            break;
        case 1:
            memmove(text + at, text + at + 1, len - at - 1);
            len--;
            break;
        default:
            memmove(text + at + 1, text + at, len - at);
            len++;
        }
    }
    return len;
}

static bool we_accept(const char *text, size_t len)
{
    struct json_in in;
    struct token token;
    json_in_init(&in, text, len);
    bool is_json = json_in_value(&in, &token) && json_in_at_end(&in);
    json_in_fini(&in);
    return is_json;
}

static bool jansson_accepts(const char *text, size_t len)
{
    json_t *json = json_loadb(text, len, JSON_DECODE_ANY, NULL);
    json_decref(json);
    return json != NULL;
}

static void it_agrees_with_jansson(void)
{
    const char *given = getenv("COLDCHAIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("COLDCHAIN_SEED=%" PRIu64 " ", seed);
    uint64_t random = seed | 1;
    size_t accepted = 0;
    for (unsigned i = 0; i < 40000; i++) {
        const char *from = seeds[i % 4];
        char text[200];
        size_t len = strlen(from);
        memcpy(text, from, len);
        len = mutate(text, len, &random);
        bool ours = we_accept(text, len);
        accepted += ours;
        if (ours != jansson_accepts(text, len)) {
            printf("\n  %.*s\n", (int)len, text);
            CHECK_ROW("the same verdict", false);
        }
    }
    CHECK(accepted > 400);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"values are read", values_are_read},
        {"faults say what, and stick", faults_say_what_and_stick},
        {"tokens stay valid until forgotten", tokens_stay_valid_until_forgotten},
        {"it agrees with jansson", it_agrees_with_jansson},
        CU_TEST_INFO_NULL,
    };
    return check_run("json_in", tests);
}
