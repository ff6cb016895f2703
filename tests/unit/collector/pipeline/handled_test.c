// SPDX-License-Identifier: Apache-2.0
/* What people do to an incident is told to the device that judges by itself: from the
 * command in the journal to the message, through a restart. */
#include "tests/unit/collector/pipeline_house.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   INT64_C(3600000)
#define STATUS \
    "{\"state\":\"online\",\"config\":{\"form\":2,\"unknown\":[\"zone.fog\",7,\"x\"]," \
    "\"left_out\":2,\"refused\":0,\"version\":\"00000000000000ab\"}}"
#define CLOSE_WORDS \
    "\"cause\":\"door\",\"action\":\"door_closed\",\"disposition\":\"unaffected\""

static bool on_config(void *context, const char *topic, const void *data, size_t len)
{
    struct house *house = context;
    CHECK_TEXT(topic, "coldchain/v1/o/d/config");
    buf_clear(&house->told);
    buf_add(&house->told, data, len);
    return true;
}

static void begin(struct house *house)
{
    house->configs =
        configs_create(&(struct configs_options){.context = house, .send = on_config});
    pipeline_start(house);
    advance(house, 1000);
}

static void end(struct house *house)
{
    checkpoint(house);
    pipeline_close(house->pipeline);
    house->pipeline = NULL;
    configs_destroy(house->configs);
    buf_clear(&house->told);
}

/* What the device knows then of its room; the caller runs zone_rules_fini(). */
static const struct zone_config *told(struct house *house, struct zone_rules *rules)
{
    struct err_text why = {""};
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    advance(house, 1000);
    pipeline_flush_configs(house->pipeline, START_MS);
    CHECK(zone_rules_parse(rules, house->told.data, house->told.len, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    CHECK(rules->zone_count == 1);
    return &rules->zones[0];
}

static void on_incident(void *context, const struct incident *incident)
{
    struct incident *found = context;
    if (found->id[0] == '\0' && strcmp(incident->rule, "warm") == 0)
        *found = *incident;
}

static struct incident newest(struct house *house)
{
    struct incident found = {.id = ""};
    const struct state_incident_query query = {0};
    CHECK(state_page_incidents(house->state, &query, &found, on_incident) == ERR_OK);
    CHECK(found.id[0] != '\0');
    return found;
}

/* Two hours after the start and so many minutes. */
static int64_t act(struct house *house, int minute, const char *verb, const char *fields)
{
    char id[16];
    char body[300];
    const struct incident incident = newest(house);
    int64_t at_ms = START_MS + 2 * HOUR_MS + minute * MINUTE_MS;
    snprintf(id, sizeof id, "c%d", minute);
    snprintf(body, sizeof body, "{\"id\":\"%s\"%s}", incident.id, fields);
    put_command(house, at_ms, id, verb, body);
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
    advance(house, 1000);
    CHECK(house->command_err == ERR_OK);
    return at_ms;
}

static void check_quiet(struct house *house, int64_t until_ms)
{
    struct zone_rules rules;
    const struct zone_config *zone = told(house, &rules);
    const struct incident incident = newest(house);
    CHECK(zone->handled_count == (until_ms != 0));
    if (zone->handled_count == 1) {
        CHECK_TEXT(zone->handled[0].incident, incident.id);
        CHECK_TEXT(zone->handled[0].rule, "warm");
        CHECK_TEXT(zone->handled[0].channel, "air_temperature");
        CHECK(zone->handled[0].at_ms == incident.acknowledged_ms);
        CHECK(zone->handled[0].quiet_until_ms == until_ms);
    }
    zone_rules_fini(&rules);
}

static void check_closed(struct house *house, int64_t at_ms)
{
    struct zone_rules rules;
    const struct zone_config *zone = told(house, &rules);
    CHECK(zone->handled_count == 1);
    if (zone->handled_count == 1)
        CHECK(zone->handled[0].at_ms == at_ms && zone->handled[0].quiet_until_ms == 0);
    zone_rules_fini(&rules);
}

static void put_status(struct house *house, const char *text)
{
    put_message(house, START_MS, "coldchain/v1/o/d/status", text, strlen(text));
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
}

static void what_people_do_is_told(void)
{
    struct house house;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    put_status(&house, STATUS);
    put_pack(&house, "d", 1, 9, true);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    begin(&house);
    check_quiet(&house, 0);
    int64_t at_ms = act(&house, 0, "incident.acknowledge", "");
    check_quiet(&house, at_ms + 4 * HOUR_MS);
    at_ms = act(&house, 30, "incident.comment", ",\"text\":\"on my way\"");
    check_quiet(&house, at_ms + 4 * HOUR_MS);
    end(&house); /* nothing of it is kept but in state.db */
    begin(&house);
    check_quiet(&house, at_ms + 4 * HOUR_MS);
    act(&house, 40, "incident.remind", "");
    check_quiet(&house, 0);
    at_ms = act(&house, 50, "incident.snooze", ",\"for\":\"8h\"");
    check_quiet(&house, at_ms + 8 * HOUR_MS);
    at_ms = act(&house, 60, "incident.close", "," CLOSE_WORDS);
    check_closed(&house, at_ms);
    end(&house);
    begin(&house);
    check_closed(&house, at_ms);
    end(&house);
    buf_fini(&house.told);
    house_close(&house);
}

static void what_is_over_by_itself_leaves_its_acknowledgement(void)
{
    struct house house;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    put_status(&house, STATUS);
    put_pack(&house, "d", 1, 9, true);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    begin(&house);
    int64_t at_ms = act(&house, 0, "incident.acknowledge", "");
    check_quiet(&house, at_ms + 4 * HOUR_MS);
    put_pack(&house, "d", 2, 5, true);
    check_quiet(&house, at_ms + 4 * HOUR_MS); /* it may lag behind */
    CHECK(newest(&house).state == INCIDENT_CLOSED);
    end(&house);
    begin(&house);
    check_quiet(&house, 0);
    end(&house);
    buf_fini(&house.told);
    house_close(&house);
}

/* Nobody heard the device meanwhile: it rings on, for it knows more than they did. */
static void what_was_unknown_is_not_closed_there(void)
{
    struct house house;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    put_status(&house, STATUS);
    put_pack(&house, "d", 1, 9, true);
    put_tick(&house, 115);
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    begin(&house);
    CHECK(newest(&house).state == INCIDENT_UNKNOWN);
    act(&house, 1, "incident.close", "," CLOSE_WORDS);
    CHECK(newest(&house).state == INCIDENT_CLOSED);
    check_quiet(&house, 0);
    end(&house);
    buf_fini(&house.told);
    house_close(&house);
}

/* As the API shows it; a device may say anything. */
static void what_a_device_does_not_know_is_listed(void)
{
    static const struct {
        const char *status;
        const char *want;
    } rows[] = {
        {STATUS, "\"config_unknown\":[\"zone.fog\"],\"config_left_out\":2"},
        {"{\"state\":\"online\",\"config\":{\"form\":-1,\"left_out\":-2,"
         "\"unknown\":{\"a\":1}}}",
         "\"config_unknown\":[],\"config_left_out\":0"},
        {"{\"state\":\"online\",\"config\":{\"form\":\"x\",\"unknown\":[\"a.b,c\\u0001\","
         "\".\",\"\"],\"left_out\":99999999999}}",
         "\"config_unknown\":[\"a.b?c?\"],\"config_left_out\":0"},
        {"{\"state\":\"online\"}", "\"config_unknown\":[],\"config_left_out\":0"},
    };
    struct house house;
    house_open(&house);
    put(&house, RECORD_CONFIG, START_MS, config, strlen(config));
    CHECK(journal_sync(house.journal, NULL) == ERR_OK);
    begin(&house);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf list = {0};
        put_status(&house, rows[i].status);
        advance(&house, 1000);
        pipeline_devices_json(house.pipeline, START_MS, &list);
        CHECK_ROW(list.data, strstr(list.data, rows[i].want) != NULL);
        buf_fini(&list);
    }
    end(&house);
    buf_fini(&house.told);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what people do is told", what_people_do_is_told},
        {"what is over by itself leaves its acknowledgement",
         what_is_over_by_itself_leaves_its_acknowledgement},
        {"what was unknown is not closed there", what_was_unknown_is_not_closed_there},
        {"what a device does not know is listed", what_a_device_does_not_know_is_listed},
        CU_TEST_INFO_NULL,
    };
    return check_run("handled", tests);
}
