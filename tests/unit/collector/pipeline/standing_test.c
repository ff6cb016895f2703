// SPDX-License-Identifier: Apache-2.0
/* What a zone's rules can judge right now, as the API is told. */
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

static void begin(struct house *house)
{
    house_open(house);
    put(house, RECORD_CONFIG, START_MS, config, strlen(config));
}

/* The caller's; NULL: there is no such zone. */
static json_t *standing_at(struct house *house, const char *zone, int64_t minute)
{
    struct buf out = {0};
    pipeline_standing_json(house->pipeline, zone, START_MS + minute * 60000, &out);
    json_t *root = out.len > 0 ? json_loadb(out.data, out.len, 0, NULL) : NULL;
    CHECK(out.len == 0 || root != NULL);
    buf_fini(&out);
    return root;
}

static const json_t *rule_of(const json_t *root, const char *id)
{
    size_t i;
    json_t *rule;
    json_array_foreach(json_object_get(root, "rules"), i, rule)
    {
        if (strcmp(json_string_value(json_object_get(rule, "id")), id) == 0)
            return rule;
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

/* "state why since left measure" of the rule's only channel. */
static const char *summary(struct house *house, const char *id, int64_t minute)
{
    static char text[300];
    json_t *root = standing_at(house, "room", minute);
    const json_t *rule = rule_of(root, id);
    const json_t *channel = json_array_get(json_object_get(rule, "channels"), 0);
    CHECK(json_array_size(json_object_get(rule, "channels")) == 1);
    CHECK_TEXT(text_of(rule, "state"), text_of(channel, "state"));
    CHECK((json_object_get(channel, "text") == json_null()) ==
          (json_object_get(channel, "text_zh") == json_null()));
    snprintf(text, sizeof text, "%s %s %s %s %" JSON_INTEGER_FORMAT " %.4g",
             text_of(channel, "state"), text_of(channel, "why"),
             text_of(channel, "reason"), text_of(channel, "since"),
             json_integer_value(json_object_get(channel, "left_s")),
             json_number_value(json_object_get(channel, "measure")));
    json_decref(root);
    return text;
}

static void measure(struct house *house, uint64_t from, uint64_t to, uint64_t every,
                    double value)
{
    for (uint64_t minute = from; minute <= to; minute += every)
        put_pack(house, "d", minute, value, false);
}

static void a_rule_goes_from_one_state_to_the_next(void)
{
    struct house house;
    begin(&house);
    take_all(&house);
    CHECK_TEXT(summary(&house, "warm", 0), "unavailable not_measured - - 0 0");
    measure(&house, 1, 5, 1, 5);
    take_all(&house);
    CHECK_TEXT(summary(&house, "warm", 5), "judging - - - 0 5");
    measure(&house, 6, 6, 1, 9);
    take_all(&house);
    CHECK_TEXT(summary(&house, "warm", 6), "firing - - - 0 9");
    json_t *root = standing_at(&house, "room", 6);
    const json_t *channel =
        json_array_get(json_object_get(rule_of(root, "warm"), "channels"), 0);
    struct incident incident;
    CHECK(state_get_incident(house.state, text_of(channel, "incident"), &incident) ==
          ERR_OK);
    CHECK_TEXT(incident.rule, "warm");
    CHECK_TEXT(text_of(rule_of(root, "warm"), "unit"), "°C");
    json_decref(root);
    measure(&house, 7, 7, 1, 5);
    run(&house, 8, "zone.duty", "{\"id\":\"room\",\"on\":false,\"why\":\"empty\"}");
    take_all(&house);
    CHECK_TEXT(summary(&house, "warm", 9), "held_back - off_duty - 0 5");
    CHECK(standing_at(&house, "attic", 9) == NULL);
    house_close(&house);
}

static void rules_of_dates_have_their_days(void)
{
    struct house house;
    char body[300];
    begin(&house);
    run(&house, 1, "rule.put",
        "{\"id\":\"cal\",\"zone\":\"room\",\"kind\":\"calibration_due\","
        "\"levels\":[{\"level\":30}]}");
    measure(&house, 1, 3, 1, 5);
    take_all(&house);
    CHECK_TEXT(summary(&house, "cal", 3), "unavailable no_date - - 0 0");
    snprintf(body, sizeof body,
             "{\"device\":\"d\",\"channel\":\"air_temperature\",\"due\":%" PRId64 "}",
             START_MS + 40 * DAY_MIN * 60000);
    run(&house, 4, "channel.calibrate", body);
    take_all(&house);
    CHECK_TEXT(summary(&house, "cal", 5), "judging - - - 0 39");
    put_tick(&house, 15 * DAY_MIN);
    take_all(&house);
    CHECK_TEXT(summary(&house, "cal", 15 * DAY_MIN), "firing - - - 0 25");
    house_close(&house);
}

/* Half of an hour of readings five minutes apart is kept: no shapes in them. */
static void what_is_too_sparse_is_said_and_recorded(void)
{
    struct house house;
    begin(&house);
    run(&house, 0, "rule.put",
        "{\"id\":\"cold\",\"zone\":\"room\",\"kind\":\"cooling_failed\","
        "\"quantity\":\"air_temperature\",\"levels\":[{\"level\":10}]}");
    for (uint64_t seq = 1; seq <= 20; seq++) {
        struct pack pack = {.epoch = EPOCH, .seq = seq, .clock = PACK_CLOCK_SYNCED};
        struct reading reading = {
            .time_ms = START_MS + (int64_t)seq * 300000, .value = 5, .raw = (double)NAN};
        struct buf text = {0};
        char topic[TOPIC_MAX];
        snprintf(pack.device, sizeof pack.device, "d");
        pack.wall_ms = reading.time_ms;
        CHECK(pack_channel(&pack, "air_temperature", &reading.channel) == ERR_OK);
        CHECK(pack_add(&pack, &reading) == ERR_OK);
        pack_format(&pack, &text);
        readings_topic(topic, "d", seq);
        put_message(&house, reading.time_ms, topic, text.data, text.len);
        buf_fini(&text);
        pack_fini(&pack);
    }
    take_all(&house);
    CHECK_TEXT(summary(&house, "cold", 100),
               "unavailable sparse - 2026-09-21T14:23:20.000Z 0 0");
    json_t *root = standing_at(&house, "room", 100);
    const json_t *channel =
        json_array_get(json_object_get(rule_of(root, "cold"), "channels"), 0);
    CHECK_TEXT(text_of(channel, "text"),
               "its readings, 5 min apart, are too sparse for it");
    json_decref(root);
    house_close(&house);
}

static void goods_say_where_their_tau_is_from(void)
{
    static const struct {
        const char *zone; /* said of it */
        const char *from;
        double tau_h;
    } rows[] = {
        {"{\"id\":\"room\"}", "built_in", 10},
        {"{\"id\":\"room\",\"goods\":[\"apple\"]}", "goods", 0},
        {"{\"id\":\"room\",\"goods\":[\"apple\"],\"tau\":\"3h\"}", "zone", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct house house;
        begin(&house);
        run(&house, 0, "rule.put",
            "{\"id\":\"harm\",\"zone\":\"room\",\"kind\":\"above\","
            "\"quantity\":\"product_temperature\",\"levels\":[{\"level\":8}]}");
        run(&house, 0, "zone.put", rows[i].zone);
        measure(&house, 1, 5, 1, 5);
        take_all(&house);
        json_t *root = standing_at(&house, "room", 5);
        const json_t *goods = json_array_get(json_object_get(root, "goods"), 0);
        const json_t *tau = json_object_get(goods, "tau_h");
        double mid = json_number_value(json_object_get(tau, "mid"));
        CHECK_ROW(rows[i].from, strcmp(text_of(goods, "tau_from"), rows[i].from) == 0);
        CHECK_ROW(rows[i].from, rows[i].tau_h == 0 || mid == rows[i].tau_h);
        CHECK_ROW(rows[i].from, json_number_value(json_object_get(tau, "low")) < mid);
        CHECK_ROW(rows[i].from, json_number_value(json_object_get(tau, "high")) >= mid);
        CHECK_TEXT(text_of(goods, "channel"), "air_temperature");
        CHECK_TEXT(text_of(rule_of(root, "harm"), "state"), "judging");
        json_decref(root);
        house_close(&house);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a rule goes from one state to the next",
         a_rule_goes_from_one_state_to_the_next},
        {"rules of dates have their days", rules_of_dates_have_their_days},
        {"what is too sparse is said and recorded",
         what_is_too_sparse_is_said_and_recorded},
        {"goods say where their tau is from", goods_say_where_their_tau_is_from},
        CU_TEST_INFO_NULL,
    };
    return check_run("standing", tests);
}
