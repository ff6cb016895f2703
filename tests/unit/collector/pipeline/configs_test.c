// SPDX-License-Identifier: Apache-2.0
/* Devices are told the rules of their zones: what differs, to whom, and no more. */
#include "collector/pipeline/configs.h"

#include <stdlib.h>

#include "telemetry/topic.h"
#include "tests/support/check.h"

#define NOW   1000000
#define AGAIN 60000

#define WORLD(level) \
    "{\"zones\":[{\"id\":\"a\",\"org\":\"o\",\"site\":\"s\",\"band_low\":2," \
    "\"band_high\":8},{\"id\":\"b\",\"org\":\"o\",\"site\":\"s\"}]," \
    "\"devices\":[{\"org\":\"o\",\"id\":\"one\"},{\"org\":\"o\",\"id\":\"two\"}," \
    "{\"org\":\"o\",\"id\":\"bare\"},{\"org\":\"o\",\"id\":\"zones\"}]," \
    "\"placements\":[{\"org\":\"o\",\"device\":\"one\",\"zone\":\"a\",\"from\":1}," \
    "{\"org\":\"o\",\"device\":\"one\",\"channel\":\"air_temperature-2\"," \
    "\"zone\":\"b\",\"from\":1}," \
    "{\"org\":\"o\",\"device\":\"two\",\"zone\":\"b\",\"from\":1,\"to\":2000000}," \
    "{\"org\":\"o\",\"device\":\"zones\",\"zone\":\"b\",\"from\":1}," \
    "{\"org\":\"o\",\"device\":\"stranger\",\"zone\":\"b\",\"from\":1}]," \
    "\"rules\":[{\"id\":\"warm\",\"zone\":\"a\",\"kind\":\"above\"," \
    "\"quantity\":\"air_temperature\",\"levels\":[{\"severity\":\"warning\"," \
    "\"level\":" level ",\"delay\":600000,\"recovery_level\":7," \
    "\"recovery_delay\":0}]},{\"id\":\"quiet\",\"zone\":\"b\",\"kind\":\"silent\"," \
    "\"silent\":60000,\"silent_severity\":\"warning\"}]}"

struct house {
    struct configs *configs;
    struct registry *registry;
    struct map devices;
    struct device *one;
    bool is_offline;
    int64_t now_ms;
    int64_t real_ms;
    size_t sent;
    char said[200]; /* "one two" */
    struct buf last;
};

static bool on_send(void *context, const char *topic, const void *data, size_t len)
{
    struct house *house = context;
    struct topic parsed;
    CHECK(topic_parse(&parsed, topic, strlen(topic)) == ERR_OK);
    CHECK(parsed.kind == TOPIC_CONFIG);
    if (house->is_offline)
        return false;
    house->sent++;
    size_t used = strlen(house->said);
    snprintf(house->said + used, sizeof house->said - used, "%s%s%s", used > 0 ? " " : "",
             len == 0 ? "-" : "", parsed.device);
    buf_clear(&house->last);
    buf_add(&house->last, data, len);
    buf_text(&house->last, "");
    return true;
}

static struct registry *world(const char *json)
{
    struct registry *registry;
    struct err_text why = {""};
    CHECK(registry_parse(&registry, json, strlen(json), &why) == ERR_OK);
    return registry;
}

static void open(struct house *house)
{
    *house = (struct house){.now_ms = NOW, .real_ms = NOW};
    house->configs =
        configs_create(&(struct configs_options){.context = house, .send = on_send});
    house->registry = world(WORLD("8"));
    house->one = device_create("o", "one");
    *map_at(&house->devices, "o/one") = house->one;
}

static void finish(struct house *house)
{
    struct collector_core core = {0};
    configs_destroy(house->configs);
    registry_destroy(house->registry);
    device_destroy(house->one, &core);
    map_fini(&house->devices);
    buf_fini(&house->last);
}

/* Who was told, in order: "one two"; "-one" was told that there is nothing. */
static const char *flush(struct house *house)
{
    house->said[0] = '\0';
    configs_flush(house->configs, house->registry, &house->devices, house->now_ms,
                  house->real_ms);
    return house->said;
}

static void replace_world(struct house *house, const char *json)
{
    registry_take(house->registry, world(json));
    configs_rules_changed(house->configs);
    configs_touch_all(house->configs);
}

static void report(struct house *house, uint64_t version, bool is_refusing)
{
    house->one->config_version = version;
    configs_reported(house->configs, house->one, is_refusing, house->real_ms);
}

static void who_is_placed_is_told(void)
{
    struct house house;
    struct zone_rules got;
    struct err_text why = {""};
    open(&house);
    CHECK_TEXT(flush(&house), "one two");
    CHECK_TEXT(flush(&house), "");
    configs_connected(house.configs, true);
    house.one->config_version = configs_wanted(house.configs, "o", "one");
    CHECK_TEXT(flush(&house), "two"); /* it has never said that it knows */
    report(&house, 0, false);
    CHECK_TEXT(flush(&house), "one");
    CHECK(zone_rules_parse(&got, house.last.data, house.last.len, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    CHECK(got.version == configs_wanted(house.configs, "o", "one"));
    CHECK(got.zone_count == 2 && got.zones[0].channel_count == 0);
    CHECK_TEXT(got.zones[0].zone, "a");
    CHECK_TEXT(got.zones[0].rules[0].id, "warm");
    CHECK(got.zones[0].high == 8 && got.zones[0].rules[0].levels[0].level == 8);
    CHECK_TEXT(got.zones[1].channels[0], "air_temperature-2");
    CHECK_TEXT(got.zones[1].rules[0].kind, "silent");
    zone_rules_fini(&got);
    finish(&house);
}

/* What a device needs to judge by itself; what is over it need not know. */
static void rules_come_with_their_conditions_and_plans(void)
{
    static const char *const zone =
        "{\"site\":\"s\",\"tau\":7200000,\"door_most\":1560000,"
        "\"loads\":[{\"from\":77,\"entry_c\":14.5}],"
        "\"recovery_most\":720000,\"steps\":["
        "{\"from\":1,\"to\":999999,\"band_high\":9},"
        "{\"from\":2,\"to\":3000000,\"band_low\":12}],"
        "\"maintenance\":[{\"from\":5000000,\"to\":6000000}]}";
    static const char *const rule =
        "{\"zone\":\"a\",\"kind\":\"above\",\"quantity\":\"air_temperature\","
        "\"limit\":4.5,\"window\":60000,\"safety\":true,\"unless\":[\"door\"],"
        "\"levels\":[{\"severity\":\"warning\",\"level\":8,\"recovery_level\":8}]}";
    struct house house;
    struct zone_rules got;
    struct err_text why = {""};
    open(&house);
    json_t *body = json_loads(zone, 0, NULL);
    CHECK(registry_apply(house.registry, "zone", "a", "o", NULL, body));
    json_decref(body);
    body = json_loads(rule, 0, NULL);
    CHECK(registry_apply(house.registry, "rule", "warm", "o", NULL, body));
    json_decref(body);
    house.one->config_form = ZONE_RULES_FORM;
    CHECK_TEXT(flush(&house), "one two");
    CHECK_TEXT(configs_withheld(house.configs, "o", "one"), "");
    house.real_ms += AGAIN;
    report(&house, 1, false);
    CHECK_TEXT(flush(&house), "one");
    enum err err = zone_rules_parse(&got, house.last.data, house.last.len, &why);
    CHECK_TEXT(why.text, "");
    CHECK(err == ERR_OK && got.zone_count == 2);
    const struct zone_config *told = &got.zones[0];
    CHECK(told->tau_ms == 7200000 && told->span_count == 2);
    CHECK(told->door_most_ms == 1560000 && told->recovery_most_ms == 720000);
    CHECK(told->load_count == 1 && told->loads[0].from_ms == 77);
    CHECK(told->loads[0].entry_C == 14.5);
    CHECK_TEXT(told->spans[0].reason, "planned_step");
    CHECK(told->spans[0].low == 12 && told->spans[0].from_ms == 2);
    CHECK_TEXT(told->spans[1].reason, "maintenance");
    CHECK(told->rules[0].limit == 4.5 && told->rules[0].window_ms == 60000);
    CHECK(told->rules[0].is_safety && told->rules[0].unless_count == 1);
    CHECK_TEXT(told->rules[0].unless[0], "door");
    zone_rules_fini(&got);
    finish(&house);
}

/* To itself a device is never silent. */
static void what_asks_for_the_device_goes_out_without_that(void)
{
    struct house house;
    struct zone_rules got;
    struct err_text why = {""};
    open(&house);
    json_t *body = json_loads("{\"zone\":\"a\",\"kind\":\"silent\",\"silent\":1800000,"
                              "\"unless\":[\"device_silent\",\"maintenance\"]}",
                              0, NULL);
    CHECK(registry_apply(house.registry, "rule", "warm", "o", NULL, body));
    json_decref(body);
    CHECK_TEXT(flush(&house), "one two");
    house.real_ms += AGAIN;
    report(&house, 1, false);
    CHECK_TEXT(flush(&house), "one");
    enum err err = zone_rules_parse(&got, house.last.data, house.last.len, &why);
    CHECK_TEXT(why.text, "");
    CHECK(err == ERR_OK && got.zone_count == 2);
    CHECK(got.zones[0].rules[0].silent_ms == 1800000);
    CHECK(got.zones[0].rules[0].unless_count == 1);
    CHECK_TEXT(got.zones[0].rules[0].unless[0], "maintenance");
    zone_rules_fini(&got);
    finish(&house);
}

/* Whoever reads it knows numbers. */
static void ends_of_the_band_go_out_as_numbers(void)
{
    static const char *const zones[] = {"{\"site\":\"s\",\"band_high\":6}",
                                        "{\"site\":\"s\"}"};
    static const char *const rule =
        "{\"zone\":\"a\",\"kind\":\"above\",\"quantity\":\"air_temperature\","
        "\"levels\":[{\"severity\":\"warning\",\"level\":\"band_high+1\","
        "\"recovery_level\":\"band_high\"}]}";
    static const char *const life =
        "{\"zone\":\"a\",\"kind\":\"life_left\",\"quantity\":\"product_temperature\","
        "\"levels\":[{\"severity\":\"warning\",\"level\":20,\"recovery_level\":20}]}";
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct house house;
        struct zone_rules got;
        struct err_text why = {""};
        open(&house);
        json_t *body = json_loads(rule, 0, NULL);
        CHECK(registry_apply(house.registry, "rule", "warm", "o", NULL, body));
        json_decref(body);
        body = json_loads(life, 0, NULL); /* which is not theirs to judge */
        CHECK(registry_apply(house.registry, "rule", "old", "o", NULL, body));
        json_decref(body);
        body = json_loads(zones[i], 0, NULL);
        CHECK(registry_apply(house.registry, "zone", "a", "o", NULL, body));
        json_decref(body);
        CHECK_TEXT(flush(&house), "one two");
        house.real_ms += AGAIN;
        report(&house, 1, false);
        CHECK_TEXT(flush(&house), "one");
        enum err err = zone_rules_parse(&got, house.last.data, house.last.len, &why);
        CHECK_TEXT(why.text, "");
        CHECK(err == ERR_OK && got.zone_count == 2);
        const struct zone_config *told = &got.zones[0];
        CHECK(told->rule_count == (i == 0 ? 1 : 0)); /* what has no number is not sent */
        CHECK(i != 0 || (told->rules[0].levels[0].level == 7 &&
                         told->rules[0].levels[0].recovery_level == 6));
        zone_rules_fini(&got);
        finish(&house);
    }
}

static void parse_last(const struct house *house, struct zone_rules *got)
{
    struct err_text why = {""};
    CHECK(zone_rules_parse(got, house->last.data, house->last.len, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
}

/* It would refuse all of it. Once it says that it reads more, it is told the rest. */
static void a_device_is_told_nothing_that_it_may_not_know(void)
{
    struct house house;
    struct zone_rules got;
    open(&house);
    json_t *body = json_loads("{\"site\":\"s\",\"door_most\":1560000,"
                              "\"loads\":[{\"from\":77,\"entry_c\":14.5}]}",
                              0, NULL);
    CHECK(registry_apply(house.registry, "zone", "a", "o", NULL, body));
    json_decref(body);
    body = json_loads("{\"zone\":\"a\",\"kind\":\"silent\",\"quantity\":\"\","
                      "\"silent_severity\":\"critical\"}",
                      0, NULL);
    CHECK(registry_apply(house.registry, "rule", "rare", "o", NULL, body));
    json_decref(body);
    struct zone_handled handled = {.incident = "i", .rule = "warm", .at_ms = NOW};
    configs_handled(house.configs, "o", "one", "a", "i", &handled);
    CHECK_TEXT(flush(&house), "one two");
    CHECK_TEXT(configs_withheld(house.configs, "o", "one"),
               "zone.door_most,zone.loads,rule.silent_severity");
    report(&house, configs_wanted(house.configs, "o", "one"), false);
    CHECK_TEXT(flush(&house), "");
    house.one->config_form = ZONE_RULES_FORM;
    report(&house, house.one->config_version, false);
    CHECK_TEXT(flush(&house), "one");
    CHECK_TEXT(configs_withheld(house.configs, "o", "one"), "");
    CHECK(strstr(house.last.data, "loads") != NULL);
    CHECK(strstr(house.last.data, "handled") != NULL);
    CHECK(strstr(house.last.data, "\"silent_severity\":\"critical\"") != NULL);
    /* and it may be an older one again */
    house.one->config_form = 0;
    report(&house, 0, true);
    CHECK_TEXT(flush(&house), "one");
    parse_last(&house, &got);
    CHECK(got.zones[0].door_most_ms == 0 && got.zones[0].load_count == 0);
    CHECK(got.zones[0].handled_count == 0 && got.zones[0].rule_count == 2);
    CHECK_TEXT(got.zones[0].rules[0].silent_severity, "");
    zone_rules_fini(&got);
    finish(&house);
}

static struct zone_handled done(int number, int64_t at_ms, int64_t quiet_until_ms)
{
    struct zone_handled handled = {.rule = "warm",
                                   .channel = "air_temperature",
                                   .at_ms = at_ms,
                                   .quiet_until_ms = quiet_until_ms};
    snprintf(handled.incident, sizeof handled.incident, "%032x", (unsigned)number);
    return handled;
}

static void handle(struct house *house, const struct zone_handled *handled)
{
    configs_handled(house->configs, "o", "one", "a", handled->incident, handled);
}

static void what_people_did_is_told_while_it_matters(void)
{
    struct house house;
    struct zone_rules got;
    open(&house);
    house.one->config_form = ZONE_RULES_FORM;
    CHECK_TEXT(flush(&house), "one two");
    struct zone_handled taken = done(1, NOW, NOW + 5000);
    struct zone_handled closed = done(2, NOW + 1, 0);
    handle(&house, &taken);
    handle(&house, &closed);
    CHECK_TEXT(flush(&house), "one");
    parse_last(&house, &got);
    CHECK(got.zones[0].handled_count == 2 && got.zones[1].handled_count == 0);
    CHECK_TEXT(got.zones[0].handled[0].incident, closed.incident);
    CHECK(got.zones[0].handled[1].quiet_until_ms == NOW + 5000);
    zone_rules_fini(&got);
    handle(&house, &taken); /* the same again */
    CHECK_TEXT(flush(&house), "");
    taken.quiet_until_ms += 5;
    handle(&house, &taken);
    CHECK_TEXT(flush(&house), "one");
    configs_handled(house.configs, "o", "one", "a", taken.incident, NULL);
    CHECK_TEXT(flush(&house), "one");
    parse_last(&house, &got);
    CHECK(got.zones[0].handled_count == 1);
    zone_rules_fini(&got);
    handle(&house, &taken);
    CHECK_TEXT(flush(&house), "one");
    house.now_ms = taken.quiet_until_ms; /* it knows that by itself */
    configs_touch(house.configs, "o", "one");
    CHECK_TEXT(flush(&house), "one");
    house.now_ms = closed.at_ms + CONFIGS_CLOSED_MS;
    configs_touch(house.configs, "o", "one");
    CHECK_TEXT(flush(&house), "one");
    CHECK(strstr(house.last.data, "handled") == NULL);
    finish(&house);
}

static void only_the_newest_that_people_did_is_told(void)
{
    struct house house;
    struct zone_rules got;
    open(&house);
    house.one->config_form = ZONE_RULES_FORM;
    for (int i = 0; i < 300; i++) {
        const struct zone_handled closed = done(i, NOW - 1000 + (i * 7) % 300, 0);
        handle(&house, &closed);
    }
    CHECK_TEXT(flush(&house), "one two");
    const struct zone_handled last = done(300, NOW, 0);
    handle(&house, &last);
    CHECK_TEXT(flush(&house), "one");
    parse_last(&house, &got);
    CHECK(got.zones[0].handled_count == ZONE_RULES_HANDLED_MAX);
    CHECK(got.zones[0].handled[0].at_ms == NOW);
    CHECK(got.zones[0].handled[31].at_ms == NOW - 1000 + 299 - 30);
    zone_rules_fini(&got);
    finish(&house);
}

static void only_what_differs_is_sent(void)
{
    struct house house;
    open(&house);
    CHECK_TEXT(flush(&house), "one two");
    configs_touch_zone(house.configs, house.registry, "a");
    configs_touch(house.configs, "o", "two");
    CHECK_TEXT(flush(&house), "");
    replace_world(&house, WORLD("9"));
    CHECK_TEXT(flush(&house), "one");
    finish(&house);
}

static void what_ends_is_cleared(void)
{
    struct house house;
    open(&house);
    CHECK_TEXT(flush(&house), "one two");
    house.now_ms = 2000000;
    configs_touch(house.configs, "o", "two");
    CHECK_TEXT(flush(&house), "-two");
    CHECK(configs_wanted(house.configs, "o", "two") == 0);
    CHECK_TEXT(flush(&house), "");
    finish(&house);
}

static void a_broker_that_is_away_is_waited_for(void)
{
    struct house house;
    open(&house);
    house.is_offline = true;
    CHECK_TEXT(flush(&house), "");
    house.is_offline = false;
    CHECK_TEXT(flush(&house), "one two");
    finish(&house);
}

static void a_broker_that_forgot_is_told_all(void)
{
    struct house house;
    open(&house);
    flush(&house);
    house.one->config_version = configs_wanted(house.configs, "o", "one");
    configs_connected(house.configs, false);
    CHECK_TEXT(flush(&house), "one two");
    configs_connected(house.configs, true);
    CHECK_TEXT(flush(&house), "two");
    finish(&house);
}

/* The collector starts, and the broker has lost its memory meanwhile. */
static void so_is_one_that_had_forgotten_before_we_began(void)
{
    struct house house;
    open(&house);
    flush(&house);
    uint64_t wanted = configs_wanted(house.configs, "o", "one");
    finish(&house);
    open(&house);
    house.one->config_version = wanted;
    configs_connected(house.configs, false);
    CHECK_TEXT(flush(&house), "one two");
    finish(&house);
    open(&house);
    house.one->config_version = wanted;
    configs_connected(house.configs, true);
    CHECK_TEXT(flush(&house), "two");
    finish(&house);
}

static void who_knows_something_else_is_told_again(void)
{
    struct house house;
    open(&house);
    CHECK_TEXT(flush(&house), "one two");
    report(&house, 7, false); /* it is on its way */
    CHECK_TEXT(flush(&house), "");
    house.real_ms += AGAIN;
    report(&house, 7, false);
    CHECK_TEXT(flush(&house), "one");
    report(&house, 7, false);
    CHECK_TEXT(flush(&house), "");
    house.real_ms += AGAIN;
    report(&house, configs_wanted(house.configs, "o", "one"), false);
    CHECK_TEXT(flush(&house), "");
    report(&house, configs_wanted(house.configs, "o", "one"), true);
    CHECK_TEXT(flush(&house), "one");
    finish(&house);
}

static void who_is_not_to_know_anything_is_told_so(void)
{
    struct house house;
    open(&house);
    struct device *bare = device_create("o", "bare");
    *map_at(&house.devices, "o/bare") = bare;
    CHECK_TEXT(flush(&house), "one two");
    bare->config_version = 9;
    configs_reported(house.configs, bare, false, house.real_ms);
    CHECK_TEXT(flush(&house), "-bare");
    struct collector_core core = {0};
    device_destroy(bare, &core);
    finish(&house);
}

static void many_are_told_in_turns(void)
{
    struct house house;
    struct buf json = {0};
    open(&house);
    buf_text(&json, "{\"zones\":[{\"id\":\"a\",\"org\":\"o\",\"site\":\"s\"}],"
                    "\"devices\":[{\"org\":\"o\",\"id\":\"x\"}");
    for (int i = 0; i < 1000; i++)
        buf_format(&json, ",{\"org\":\"o\",\"id\":\"d%d\"}", i);
    buf_text(&json, "],\"placements\":[{\"org\":\"o\",\"device\":\"x\",\"zone\":\"a\","
                    "\"from\":1}");
    for (int i = 0; i < 1000; i++)
        buf_format(&json, ",{\"org\":\"o\",\"device\":\"d%d\",\"zone\":\"a\",\"from\":1}",
                   i);
    buf_text(&json, "],\"rules\":[]}");
    replace_world(&house, json.data);
    size_t turns = 0;
    do {
        flush(&house);
        turns++;
    } while (house.said[0] != '\0');
    CHECK(house.sent == 1001 && turns >= 5 && turns <= 8);
    buf_fini(&json);
    finish(&house);
}

static void nobody_is_no_trouble(void)
{
    configs_touch(NULL, "o", "one");
    configs_touch_all(NULL);
    configs_rules_changed(NULL);
    configs_connected(NULL, true);
    configs_flush(NULL, NULL, NULL, 0, 0);
    CHECK(configs_wanted(NULL, "o", "one") == 0);
    configs_destroy(NULL);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"who is placed is told", who_is_placed_is_told},
        {"rules come with their conditions and plans",
         rules_come_with_their_conditions_and_plans},
        {"what asks for the device goes out without that",
         what_asks_for_the_device_goes_out_without_that},
        {"ends of the band go out as numbers", ends_of_the_band_go_out_as_numbers},
        {"a device is told nothing that it may not know",
         a_device_is_told_nothing_that_it_may_not_know},
        {"what people did is told while it matters",
         what_people_did_is_told_while_it_matters},
        {"only the newest that people did is told",
         only_the_newest_that_people_did_is_told},
        {"only what differs is sent", only_what_differs_is_sent},
        {"what ends is cleared", what_ends_is_cleared},
        {"a broker that is away is waited for", a_broker_that_is_away_is_waited_for},
        {"a broker that forgot is told all", a_broker_that_forgot_is_told_all},
        {"so is one that had forgotten before we began",
         so_is_one_that_had_forgotten_before_we_began},
        {"who knows something else is told again",
         who_knows_something_else_is_told_again},
        {"who is not to know anything is told so",
         who_is_not_to_know_anything_is_told_so},
        {"many are told in turns", many_are_told_in_turns},
        {"nobody is no trouble", nobody_is_no_trouble},
        CU_TEST_INFO_NULL,
    };
    return check_run("configs", tests);
}
