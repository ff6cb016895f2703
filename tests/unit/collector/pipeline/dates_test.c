// SPDX-License-Identifier: Apache-2.0
/* What falls due on a day: told once per level, over when the day is another. */
#include "collector/pipeline/pipeline.h"

#include "collector/command/command.h"
#include "tests/unit/collector/pipeline_house.h"

#define DAY_MIN INT64_C(1440)

static void run(struct house *house, int64_t minute, const char *verb, const char *body)
{
    static int drawn;
    char id[24];
    struct buf text = {0};
    json_t *json = json_loads(body, 0, NULL);
    CHECK_ROW(body, json != NULL);
    snprintf(id, sizeof id, "c%d", drawn++);
    const struct command command = {.id = id,
                                    .verb = verb,
                                    .actor = "wang",
                                    .org = "",
                                    .reason = "",
                                    .if_version = COMMAND_ANY,
                                    .at_ms = START_MS + minute * 60000,
                                    .body = json};
    command_format(&command, &text);
    put(house, RECORD_COMMAND, START_MS + minute * 60000, text.data, text.len);
    buf_fini(&text);
    json_decref(json);
}

static void take_all(struct house *house)
{
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    if (house->pipeline == NULL)
        pipeline_start(house);
    advance(house, 100000);
    CHECK(house->command_err == ERR_OK);
}

/* A rule of 30, 7 and 0 days for everything that is due in the room. */
static void put_rules(struct house *house)
{
    static const char *const levels =
        "\"levels\":[{\"level\":30},{\"level\":7},{\"level\":0,\"severity\":\"critical\"}]}";
    char body[400];
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
    snprintf(body, sizeof body,
             "{\"id\":\"cal\",\"zone\":\"room\",\"kind\":\"calibration_due\",%s", levels);
    run(house, 1, "rule.put", body);
    snprintf(body, sizeof body,
             "{\"id\":\"dates\",\"zone\":\"room\",\"kind\":\"date_due\",%s", levels);
    run(house, 1, "rule.put", body);
}

/* Due so many days and a minute after START. */
static void calibrate(struct house *house, int64_t minute, int64_t due_days)
{
    char body[300];
    snprintf(body, sizeof body,
             "{\"device\":\"d\",\"channel\":\"air_temperature\",\"due\":%" PRId64 "}",
             START_MS + due_days * DAY_MIN * 60000 + 60000);
    run(house, minute, "channel.calibrate", body);
}

struct seen {
    size_t count;
    struct incident last;
};

static void on_incident(void *context, const struct incident *incident)
{
    struct seen *seen = context;
    if (!alert_kind_is_date(incident->kind))
        return;
    if (seen->count++ == 0)
        seen->last = *incident;
}

static struct seen look(struct house *house)
{
    struct seen seen = {0};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &seen, on_incident) == ERR_OK);
    return seen;
}

struct told {
    size_t count;
    char last[2048];
};

static void on_message(void *context, const struct state_message *message)
{
    struct told *told = context;
    if (strstr(message->body, "_due") == NULL)
        return;
    told->count++;
    snprintf(told->last, sizeof told->last, "%s", message->body);
}

static struct told told(struct house *house)
{
    struct told told = {0};
    CHECK(state_page_messages(house->state, NULL, 0, 1000, &told, on_message) == ERR_OK);
    return told;
}

static void each_level_is_told_once(void)
{
    struct house house;
    house_open(&house);
    put_rules(&house);
    calibrate(&house, 2, 40);
    for (int day = 0; day < 9; day++)
        put_tick(&house, 10 + day * DAY_MIN);
    take_all(&house);
    CHECK(look(&house).count == 0);
    for (int day = 9; day <= 41; day++)
        for (int tick = 0; tick < 3; tick++)
            put_tick(&house, 10 + day * DAY_MIN + tick * 100);
    take_all(&house);
    struct seen seen = look(&house);
    CHECK(seen.count == 1 && seen.last.state == INCIDENT_OPEN);
    CHECK(seen.last.severity == ALERT_CRITICAL && seen.last.limit == 0);
    CHECK(seen.last.value == -2 && seen.last.kind == ALERT_CALIBRATION_DUE);
    CHECK_TEXT(seen.last.channel, "air_temperature");
    CHECK(told(&house).count == 3);
    CHECK(strstr(told(&house).last, "is due in 0 d. To do: calibrate it") != NULL);
    /* calibrated: it is over, and told so */
    calibrate(&house, 42 * DAY_MIN, 400);
    put_tick(&house, 42 * DAY_MIN + 1);
    take_all(&house);
    seen = look(&house);
    CHECK(seen.count == 1 && seen.last.state == INCIDENT_CLOSED);
    CHECK(told(&house).count == 4);
    house_close(&house);
}

static void what_a_person_closed_comes_back_with_the_next_level(void)
{
    struct house house;
    struct state_care care;
    char body[200];
    house_open(&house);
    put_rules(&house);
    run(&house, 2, "device.put",
        "{\"id\":\"d\",\"dates\":[{\"name\":\"sim\",\"due\":1791728000000}]}"); /* 20 days
                                                                                 */
    put_tick(&house, 3);
    take_all(&house);
    struct seen seen = look(&house);
    CHECK(seen.count == 1 && seen.last.kind == ALERT_DATE_DUE && seen.last.value == 19);
    CHECK_TEXT(seen.last.channel, "sim");
    snprintf(body, sizeof body,
             "{\"id\":\"%s\",\"cause\":\"door\",\"action\":\"door_closed\","
             "\"disposition\":\"unaffected\"}",
             seen.last.id);
    run(&house, 4, "incident.close", body);
    for (int day = 1; day < 12; day++)
        put_tick(&house, 5 + day * DAY_MIN);
    take_all(&house);
    CHECK(look(&house).last.state == INCIDENT_CLOSED);
    for (int day = 12; day < 15; day++)
        put_tick(&house, 5 + day * DAY_MIN);
    take_all(&house);
    seen = look(&house);
    CHECK(seen.count == 1 && seen.last.state == INCIDENT_OPEN && seen.last.limit == 7);
    CHECK(state_get_care(house.state, seen.last.id, &care) == ERR_OK);
    CHECK_TEXT(care.closing.by, ""); /* it needs somebody again */
    CHECK_TEXT(care.closing.disposition, "");
    CHECK(told(&house).count == 3);
    run(&house, 15 * DAY_MIN, "rule.delete", "{\"id\":\"dates\"}");
    put_tick(&house, 15 * DAY_MIN + 1);
    take_all(&house);
    CHECK(look(&house).last.state == INCIDENT_CLOSED);
    CHECK(told(&house).count == 4); /* and that it is over */
    house_close(&house);
}

static void a_restart_tells_nothing_twice(void)
{
    struct house house;
    house_open(&house);
    put_rules(&house);
    calibrate(&house, 2, 20);
    put_tick(&house, 3);
    put_tick(&house, 100);
    take_all(&house);
    struct seen before = look(&house);
    size_t messages = told(&house).count;
    CHECK(before.count == 1 && messages > 0);
    pipeline_close(house.pipeline);
    house.pipeline = NULL;
    pipeline_start(&house);
    put_tick(&house, 101);
    put_tick(&house, 200);
    take_all(&house);
    struct seen after = look(&house);
    CHECK(after.count == 1 && after.last.revision == before.last.revision);
    CHECK(told(&house).count == messages);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each level is told once", each_level_is_told_once},
        {"what a person closed comes back with the next level",
         what_a_person_closed_comes_back_with_the_next_level},
        {"a restart tells nothing twice", a_restart_tells_nothing_twice},
        CU_TEST_INFO_NULL,
    };
    return check_run("dates", tests);
}
