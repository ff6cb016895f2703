// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/names.h"
#include "tests/support/check.h"

static void distances_by_rows(void)
{
    static const struct {
        const char *a;
        const char *b;
        size_t want;
    } rows[] = {
        {"", "", 0},        {"", "abc", 3},      {"uri", "uri", 0},
        {"urii", "uri", 1}, {"rui", "uri", 1},   {"kitten", "sitting", 3},
        {"ca", "abc", 3},   {"abcd", "badc", 2}, {"intervall", "interval", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t a_len = strlen(rows[i].a);
        size_t b_len = strlen(rows[i].b);
        CHECK_ROW(rows[i].a,
                  names_distance(rows[i].a, a_len, rows[i].b, b_len) == rows[i].want);
        CHECK_ROW(rows[i].a,
                  names_distance(rows[i].b, b_len, rows[i].a, a_len) == rows[i].want);
    }
}

static void long_names_are_only_compared(void)
{
    char name[NAMES_LEN_MAX + 1];
    memset(name, 'a', sizeof name);
    CHECK(names_distance(name, sizeof name, name, sizeof name) == 0);
    CHECK(names_distance(name, sizeof name, name, sizeof name - 1) == SIZE_MAX);
}

static void the_nearest_name_is_taken(void)
{
    static const char *const known[] = {"mqtt.uri", "mqtt.username", "spool.interval",
                                        "mqtt", "port"};
    static const struct {
        const char *wanted;
        const char *want; /* "": none is near */
    } rows[] = {
        {"mqtt.url", "mqtt.uri"},
        {"mqtt.user_name", "mqtt.username"},
        {"interval", "spool.interval"},
        {"mqtt.interval", "spool.interval"},
        {"prot", "port"},
        {"mqt", "mqtt"},
        {"xyz", ""},
        {"", ""},
        {"p", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct names_near near;
        names_near_init(&near, rows[i].wanted);
        for (size_t j = 0; j < sizeof known / sizeof known[0]; j++)
            names_near_offer(&near, known[j], strlen(known[j]));
        CHECK_ROW(rows[i].wanted,
                  strcmp(near.best != NULL ? near.best : "", rows[i].want) == 0);
    }
}

static CU_TestInfo tests[] = {
    {"distances by rows", distances_by_rows},
    {"long names are only compared", long_names_are_only_compared},
    {"the nearest name is taken", the_nearest_name_is_taken},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("names", tests);
}
