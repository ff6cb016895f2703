// SPDX-License-Identifier: Apache-2.0
#include "telemetry/channel.h"

#include "telemetry/quantity.h"
#include "tests/support/check.h"

#define TEN   "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void names_split_into_quantity_and_probe(void)
{
    static const struct {
        const char *name;
        const char *quantity;
        const char *probe;
        bool is_registered;
    } rows[] = {
        {"air_temperature", "air_temperature", "", true},
        {"air_temperature-2", "air_temperature", "2", true},
        {"air_temperature-rear_left", "air_temperature", "rear_left", true},
        {"humidity-a-b", "humidity-a", "b", false},
        {"humidity-", "humidity-", "", false},
        {"ozone", "ozone", "", false},
        {"ozone-1", "ozone", "1", false},
        {"urn:dev:ow:10e2073a01080063:temp", "urn:dev:ow:10e2073a01080063:temp", "",
         false},
        {"2001:db8::2/temperature", "2001:db8::2/temperature", "", false},
        {SIXTY "-abc", SIXTY, "abc", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct channel channel = {0};
        CHECK_ROW(rows[i].name, channel_parse(&channel, rows[i].name) == ERR_OK);
        CHECK_TEXT(channel.name, rows[i].name);
        CHECK_TEXT(channel.quantity, rows[i].quantity);
        CHECK_TEXT(channel.probe, rows[i].probe);
        CHECK_ROW(rows[i].name, (channel.registered >= 0) == rows[i].is_registered);
        if (rows[i].is_registered)
            CHECK_TEXT(quantity_at((size_t)channel.registered)->name, rows[i].quantity);
    }
}

static void what_is_no_name_is_refused(void)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {
        {"empty", ""},
        {"starts with a dash", "-a"},
        {"starts with an underscore", "_a"},
        {"starts with a dot", ".a"},
        {"space", "air temperature"},
        {"plus", "a+"},
        {"quote", "a\"b"},
        {"UTF-8", "温度"},
        {"65 characters", SIXTY "abcde"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct channel channel = {.name = "kept"};
        CHECK_ROW(rows[i].name, channel_parse(&channel, rows[i].text) == ERR_INVALID);
        CHECK_TEXT(channel.name, "kept");
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"names split into quantity and probe", names_split_into_quantity_and_probe},
        {"what is no name is refused", what_is_no_name_is_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("channel", tests);
}
