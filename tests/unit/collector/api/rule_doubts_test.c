// SPDX-License-Identifier: Apache-2.0
/* What the answer to rule.put says of the last 30 days. */
#include "tests/unit/collector/api/world.h"

#include "collector/store/state_entities.h"

#define MINUTE INT64_C(60000)
#define DAY    (1440 * MINUTE)

static void put(struct world *world, const char *kind, const char *id, const char *parent,
                const char *body)
{
    const struct state_entity row = {
        .kind = kind, .id = id, .org = "o", .parent = parent, .version = 1, .body = body};
    world_must(state_put_entity(world->state, &row), id);
}

/* Two rooms; in one a device whose air was at 6 degrees for two days, then at 3. */
static void furnish(struct world *world)
{
    struct pack pack = {.kind = PACK_DATA};
    uint16_t index;
    world_must(state_begin(world->state), "begin");
    put(world, "org", "o", "", "{}");
    put(world, "site", "s", "o", "{\"org\":\"o\"}");
    put(world, "zone", "room-1", "s", "{\"site\":\"s\"}");
    put(world, "zone", "room-2", "s", "{\"site\":\"s\"}");
    put(world, "placement", "p-1", "d",
        "{\"device\":\"d\",\"from\":1,\"zone\":\"room-1\"}");
    world_must(state_commit(world->state), "commit");
    world_must(pack_channel(&pack, "air_temperature-2", &index), "channel");
    for (int i = 0; i < 3 * 1440; i++) {
        const struct reading reading = {.time_ms = WORLD_T0 - 3 * DAY + i * MINUTE,
                                        .value = i < 2 * 1440 ? 6 : 3,
                                        .raw = (double)NAN,
                                        .channel = index,
                                        .quality = QUALITY_GOOD};
        world_must(pack_add(&pack, &reading), "reading");
    }
    const struct history_message message = {.position = 1,
                                            .org = "o",
                                            .device = "d",
                                            .epoch = 1,
                                            .seq = 1,
                                            .arrival_ms = WORLD_T0};
    world_must(history_begin(world->history), "begin");
    world_must(history_append(world->history, &message, &pack), "append");
    world_must(history_commit(world->history, 1), "commit");
    pack_fini(&pack);
}

static void an_answer_says_what_the_rule_would_have_done(void)
{
    static const struct {
        const char *zone;
        const char *kind;
        const char *quantity;
        const char *level;
        const char *code; /* NULL: no warning */
        const char *says;
    } rows[] = {
        {"room-1", "above", "air_temperature", "8", NULL, ""},
        {"room-1", "above", "air_temperature", "5", "fires_mostly", "for 67 % of"},
        {"room-1", "below", "air_temperature", "7", "fires_always", "for 100 % of"},
        {"room-1", "below", "air_temperature", "4", NULL, ""},
        {"room-1", "above", "humidity", "95", "not_measured", "nothing in zone 'room-1'"},
        {"room-1", "above", "air_temprature", "8", "quantity_unknown", "did you mean"},
        {"room-1", "above", "product_temperature", "5", "fires_mostly",
         "open for 72 % of what"},
        {"room-1", "above", "product_temperature", "9", NULL, ""},
        {"room-1", "below", "vpd", "9", "never_judged", "derived from is missing"},
        {"room-1", "stuck", "air_temperature", "60", "fires_always", "look at its level"},
        {"room-1", "diverge", "air_temperature", "2", "never_judged", "no other probe"},
        {"room-2", "stuck", "air_temperature", "60", NULL, ""}, /* nothing is there yet */
        {"room-2", "above", "air_temperature", "5", NULL, ""},  /* nothing is there yet */
    };
    struct world world;
    world_open(&world);
    world.is_applying = true;
    furnish(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        char *body = mem_format(
            "{\"verb\":\"rule.put\",\"body\":{\"id\":\"r%zu\",\"zone\":\"%s\",\"kind\":\"%s\","
            "\"quantity\":\"%s\",\"levels\":[{\"level\":%s}]}}",
            i, rows[i].zone, rows[i].kind, rows[i].quantity, rows[i].level);
        world_ask(&world, "POST", "/api/v1/commands", world.token, body, &answer);
        CHECK_ROW(body, answer.status == 200);
        const json_t *warning =
            json_array_get(json_object_get(answer.json, "warnings"), 0);
        const char *code = json_string_value(json_object_get(warning, "code"));
        const char *text = json_string_value(json_object_get(warning, "text"));
        CHECK_ROW(body, (code != NULL) == (rows[i].code != NULL));
        CHECK_ROW(body, code == NULL || rows[i].code == NULL ||
                            strcmp(code, rows[i].code) == 0);
        CHECK_ROW(text != NULL ? text : body,
                  text == NULL || strstr(text, rows[i].says) != NULL);
        answer_fini(&answer);
        free(body);
    }
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"an answer says what the rule would have done",
         an_answer_says_what_the_rule_would_have_done},
        CU_TEST_INFO_NULL,
    };
    return check_run("rule_doubts", tests);
}
