// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/logger_file.h"

#include "telemetry/pack.h"
#include "tests/support/check.h"

#define ROW "2026-11-20T00:00:00Z,4.1\n"

static void maps_that_no_collector_could_read_are_refused(void)
{
    static const struct {
        const char *name;
        const char *columns;
        enum err want;
    } rows[] = {
        {"a quantity", "time=t,air_temperature=v", ERR_OK},
        {"a probe of it", "time=t,air_temperature-2=v@C", ERR_OK},
        {"another maker's name", "time=t,urn:dev:ow:10e2073a01080063:temp=v", ERR_OK},
        {"a unit of SenML", "time=t,humidity=v@%RH", ERR_OK},
        {"no channel at all", "time=t", ERR_INVALID},
        {"a name that begins with a dash", "time=t,-x=v", ERR_INVALID},
        {"a name that begins with a dot", "time=t,.y=v", ERR_INVALID},
        {"a name in Chinese", "time=t,温度=v", ERR_INVALID},
        {"a unit with a quote", "time=t,humidity=v@\"", ERR_INVALID},
        {"a unit with a control character", "time=t,humidity=v@\x01", ERR_INVALID},
        {"a unit that is no UTF-8", "time=t,humidity=v@\xB0", ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct logger_options options = {
            .columns = rows[i].columns, .org = "o", .device = "d"};
        struct logger_file file;
        struct pack pack = {.epoch = 0};
        struct err_text why = {""};
        enum err err =
            logger_file_parse(&file, "t,v\n" ROW, strlen("t,v\n" ROW), &options, &why);
        CHECK_ROW(rows[i].name, err == rows[i].want);
        CHECK_ROW(rows[i].name, (err == ERR_OK) == (why.text[0] == '\0'));
        if (err == ERR_OK)
            CHECK_ROW(rows[i].name, pack_parse(&pack, file.packs[0].data,
                                               file.packs[0].len, 0, &why) == ERR_OK);
        pack_fini(&pack);
        logger_file_fini(&file);
    }
}

/* Four hundred readings with the longest names and numbers there are. */
static void a_pack_is_no_larger_than_the_api_takes(void)
{
    static const char columns[] =
        "time=t@s,a23456789012345678901234567890123456789012345678901234567890123=v"
        "@unit56789012345";
    struct buf text = {0};
    struct logger_file file;
    struct err_text why = {""};
    const struct logger_options options = {.columns = columns, .org = "o", .device = "d"};
    buf_text(&text, "t,v\n");
    for (int i = 0; i < 1000; i++)
        buf_format(&text, "%d,-1.23456789012345e-300\n", 1795104000 + i);
    CHECK(logger_file_parse(&file, text.data, text.len, &options, &why) == ERR_OK);
    CHECK(file.readings == 1000);
    for (size_t i = 0; i < file.count; i++)
        CHECK(file.packs[i].len <= 65536);
    logger_file_fini(&file);
    buf_fini(&text);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"maps that no collector could read are refused",
         maps_that_no_collector_could_read_are_refused},
        {"a pack is no larger than the API takes",
         a_pack_is_no_larger_than_the_api_takes},
        CU_TEST_INFO_NULL,
    };
    return check_run("logger_file", tests);
}
