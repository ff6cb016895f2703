// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/registry.h"

#include "base/crypto.h"
#include "tests/support/check.h"

#define AT_TEN INT64_C(1790000000000)

static const char *const json =
    "{\"zones\":[{\"id\":\"room-a\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"S\","
    "\"name\":\"A\",\"band_low\":3,\"band_high\":8},{\"id\":\"room-b\",\"org\":\"o\","
    "\"site\":\"s\",\"site_name\":\"S\",\"name\":\"B\"}],"
    "\"devices\":[{\"org\":\"o\",\"id\":\"d\"}],"
    "\"placements\":["
    "{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\",\"zone\":\"room-a\",\"from\":0,"
    "\"to\":1790000000000},"
    "{\"org\":\"o\",\"device\":\"d\",\"channel\":\"\",\"zone\":\"room-b\","
    "\"from\":1790000000000,\"to\":0},"
    "{\"org\":\"o\",\"device\":\"d\",\"channel\":\"humidity\",\"zone\":\"room-a\","
    "\"from\":0,\"to\":0}],"
    "\"rules\":[{\"id\":\"r\",\"zone\":\"room-a\",\"quantity\":\"air_temperature\","
    "\"kind\":\"above\",\"levels\":[{\"severity\":\"critical\",\"level\":8.5,"
    "\"delay\":60000,\"recovery_level\":8,\"recovery_delay\":0}]}]}";

static void a_reading_belongs_where_its_time_says(void)
{
    static const struct {
        const char *name;
        const char *channel;
        int64_t time_ms;
        const char *want; /* NULL: nowhere */
    } rows[] = {
        {"before the move", "air_temperature", AT_TEN - 1, "room-a"},
        {"at the move", "air_temperature", AT_TEN, "room-b"},
        {"long after", "air_temperature", AT_TEN * 2, "room-b"},
        {"a placement of its own wins", "humidity", AT_TEN * 2, "room-a"},
        {"before everything", "air_temperature", -1, NULL},
    };
    struct registry *registry;
    struct err_text why;
    CHECK(registry_parse(&registry, json, strlen(json), &why) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct registry_placement *placement =
            registry_place(registry, "o", "d", rows[i].channel, rows[i].time_ms);
        CHECK_ROW(rows[i].name, (placement == NULL) == (rows[i].want == NULL));
        if (placement != NULL && rows[i].want != NULL)
            CHECK_ROW(rows[i].name, strcmp(placement->zone, rows[i].want) == 0);
    }
    CHECK(registry_place(registry, "o", "other", "humidity", AT_TEN) == NULL);
    CHECK(registry_place(registry, "p", "d", "humidity", AT_TEN) == NULL);
    registry_destroy(registry);
}

static void what_is_written_reads_back_the_same(void)
{
    struct registry *first;
    struct registry *second;
    struct buf once = {0};
    struct buf twice = {0};
    CHECK(registry_parse(&first, json, strlen(json), NULL) == ERR_OK);
    registry_format(first, &once);
    CHECK(registry_parse(&second, once.data, once.len, NULL) == ERR_OK);
    registry_format(second, &twice);
    CHECK_TEXT(twice.data, once.data);
    CHECK(second->rules[0].levels[0].level == 8.5);
    CHECK(registry_has_device(second, "o", "d"));
    CHECK(!registry_has_device(second, "o", "e"));
    CHECK(registry_zone(second, "room-b") != NULL);
    CHECK(registry_zone(second, "room-c") == NULL);
    buf_fini(&once);
    buf_fini(&twice);
    registry_destroy(first);
    registry_destroy(second);
}

static void damage_is_refused_with_a_reason(void)
{
    static const char *const rows[] = {
        "",
        "[",
        "{\"zones\":[{\"id\":\"a b\"}]}",
        "{\"devices\":[{\"org\":\"o\"}]}",
        "{\"rules\":[{\"id\":\"r\",\"kind\":\"sideways\"}]}",
        "{\"rules\":[{\"id\":\"r\",\"kind\":\"above\",\"levels\":[{},{},{},{},{}]}]}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct registry *registry;
        struct err_text why = {0};
        CHECK_ROW(rows[i], registry_parse(&registry, rows[i], strlen(rows[i]), &why) ==
                               ERR_INVALID);
        CHECK_ROW(rows[i], registry == NULL && why.text[0] != '\0');
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a reading belongs where its time says", a_reading_belongs_where_its_time_says},
        {"what is written reads back the same", what_is_written_reads_back_the_same},
        {"damage is refused with a reason", damage_is_refused_with_a_reason},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("registry", tests);
}
