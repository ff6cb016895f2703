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

#define MANY 20000

/* In an order that is not theirs, as a person writes them. */
static unsigned shuffled(unsigned i)
{
    return i * 7919u % MANY;
}

static void each_is_found_among_many(void)
{
    struct buf text = {0};
    struct registry *registry;
    buf_text(&text, "{\"zones\":[");
    for (unsigned i = 0; i < MANY; i++)
        buf_format(&text, "%s{\"id\":\"z%u\",\"name\":\"%u\"}", i > 0 ? "," : "",
                   shuffled(i), shuffled(i));
    buf_text(&text, "],\"devices\":[");
    for (unsigned i = 0; i < MANY; i++)
        buf_format(&text, "%s{\"org\":\"o%u\",\"id\":\"d%u\"}", i > 0 ? "," : "",
                   shuffled(i) % 3, shuffled(i));
    buf_text(&text, "]}");
    CHECK(registry_parse(&registry, text.data, text.len, NULL) == ERR_OK);
    unsigned wrong = 0;
    for (unsigned i = 0; i < MANY; i++) {
        char id[20];
        char org[20];
        snprintf(id, sizeof id, "z%u", i);
        const struct registry_zone *zone = registry_zone(registry, id);
        wrong += zone == NULL || strtoul(zone->name, NULL, 10) != i;
        snprintf(id, sizeof id, "d%u", i);
        snprintf(org, sizeof org, "o%u", i % 3);
        wrong += !registry_has_device(registry, org, id);
        snprintf(org, sizeof org, "o%u", (i + 1) % 3);
        wrong += registry_has_device(registry, org, id);
    }
    CHECK(wrong == 0);
    CHECK(registry_zone(registry, "z20000") == NULL &&
          registry_zone(registry, "") == NULL);
    CHECK(!registry_has_device(registry, "o0", "") &&
          !registry_has_device(registry, "", ""));
    registry_destroy(registry);
    buf_fini(&text);
}

static void what_begins_and_ends_is_in_order_of_time(void)
{
    static const struct {
        int64_t at_ms;
        uint32_t placement; /* ordered by channel and time */
        bool is_end;
    } want[] = {{0, 0, false}, {0, 2, false}, {AT_TEN, 0, true}, {AT_TEN, 1, false}};
    struct registry *registry;
    CHECK(registry_parse(&registry, json, strlen(json), NULL) == ERR_OK);
    CHECK(registry->change_count == sizeof want / sizeof want[0]);
    for (size_t i = 0; i < registry->change_count && i < 4; i++) {
        CHECK(registry->changes[i].at_ms == want[i].at_ms);
        CHECK(registry->changes[i].placement == want[i].placement);
        CHECK(registry->changes[i].is_end == want[i].is_end);
    }
    registry_destroy(registry);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a reading belongs where its time says", a_reading_belongs_where_its_time_says},
        {"what is written reads back the same", what_is_written_reads_back_the_same},
        {"damage is refused with a reason", damage_is_refused_with_a_reason},
        {"each is found among many", each_is_found_among_many},
        {"what begins and ends is in order of time",
         what_begins_and_ends_is_in_order_of_time},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("registry", tests);
}
