// SPDX-License-Identifier: Apache-2.0
#include "telemetry/zone_rules.h"

#include <math.h>
#include <stdio.h>

#include <jansson.h>

#include "tests/support/check.h"

#define HEAD "{\"v\":1,\"version\":\"00000000000000ab\",\"zones\":["
#define ZONE "{\"zone\":\"room-1\",\"on_duty\":true,\"rules\":["
#define RULE "{\"id\":\"warm\",\"kind\":\"above\",\"quantity\":\"air_temperature\""
#define HANDLED \
    "{\"incident\":\"0123456789abcdef0123456789abcdef\",\"rule\":\"warm\"," \
    "\"channel\":\"air_temperature\",\"at\":1700000000000"
#define LEVEL \
    "{\"severity\":\"warning\",\"level\":8,\"delay\":600000,\"recovery_level\":7," \
    "\"recovery_delay\":0}"

static struct zone_rules a_set(void)
{
    struct zone_rules rules = {0};
    struct zone_config *zone = zone_rules_add_zone(&rules, "room-1");
    zone->low = 2;
    zone->high = 8.1;
    struct zone_rule *rule = zone_config_add_rule(zone);
    *rule = (struct zone_rule){
        .id = "warm",
        .kind = "above",
        .quantity = "air_temperature",
        .levels = {{"warning", 8, 600000, 7.5, 60000}, {"critical", 12, 0, 12, 0}},
        .level_count = 2,
        .limit = (double)NAN,
    };
    rule = zone_config_add_rule(zone);
    *rule = (struct zone_rule){.id = "quiet",
                               .kind = "silent",
                               .silent_ms = 900000,
                               .silent_severity = "warning",
                               .limit = (double)NAN};
    rule = zone_config_add_rule(zone);
    *rule = (struct zone_rule){.id = "tired",
                               .kind = "cumulative_above",
                               .quantity = "product_temperature",
                               .levels = {{"warning", 210, 0, 210, 0}},
                               .level_count = 1,
                               .limit = 8.5,
                               .window_ms = 86400000,
                               .unless = {"defrost", "planned_step"},
                               .unless_count = 2,
                               .is_safety = true};
    rule = zone_config_add_rule(zone);
    *rule = (struct zone_rule){.id = "rare",
                               .kind = "silent",
                               .silent_severity = "critical",
                               .limit = (double)NAN};
    zone->tau_ms = 7200000;
    zone->tau_most_ms = 9000000;
    zone->defrost_every_ms = 21600000;
    zone->defrost_first_ms = 1700000000000;
    zone->door_most_ms = 1560000;
    zone->recovery_most_ms = 720000;
    struct zone_span *span = zone_config_add_span(zone);
    *span = (struct zone_span){"planned_step", 1700000000000, 1700086400000, 12, 14};
    span = zone_config_add_span(zone);
    *span = (struct zone_span){"maintenance", 1700000000000, 1700000600000, (double)NAN,
                               (double)NAN};
    zone->loads[zone->load_count++] = (struct zone_load){1700000000000, 14.5};
    zone->loads[zone->load_count++] = (struct zone_load){1700000600000, -3};
    *zone_config_add_handled(zone) =
        (struct zone_handled){"0123456789abcdef0123456789abcdef", "warm",
                              "air_temperature", 1700000000000, 1700014400000};
    *zone_config_add_handled(zone) =
        (struct zone_handled){"00000000000000000000000000000001", "tired",
                              "product_temperature-est2", 1700000000001, 0};
    zone = zone_rules_add_zone(&rules, "room-2");
    zone->is_on_duty = false;
    zone_config_add_channel(zone, "air_temperature-2");
    return rules;
}

static void they_survive(void)
{
    struct zone_rules rules = a_set();
    struct zone_rules got;
    struct err_text why = {""};
    struct buf text = {0};
    struct buf again = {0};
    CHECK(zone_rules_seal(&rules, &why) == ERR_OK && rules.version != 0);
    zone_rules_format(&rules, &text);
    CHECK(zone_rules_parse(&got, text.data, text.len, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    zone_rules_format(&got, &again);
    CHECK_TEXT(again.data, text.data);
    CHECK(got.version == rules.version && got.zone_count == 2);
    CHECK(got.zones[0].rules[0].levels[1].level == 12 && isnan(got.zones[1].low));
    const struct zone_config *zone = &got.zones[0];
    CHECK(isnan(zone->rules[0].limit) && !zone->rules[0].is_safety);
    CHECK(zone->rules[2].limit == 8.5 && zone->rules[2].window_ms == 86400000);
    CHECK(zone->rules[2].unless_count == 2 && zone->rules[2].is_safety);
    CHECK_TEXT(zone->rules[2].unless[1], "planned_step");
    CHECK(zone->rules[3].silent_ms == 0);
    CHECK_TEXT(zone->rules[3].silent_severity, "critical");
    CHECK(zone->tau_ms == 7200000 && zone->span_count == 2);
    CHECK(zone->tau_least_ms == 0 && zone->tau_most_ms == 9000000);
    CHECK(zone->defrost_every_ms == 21600000 && zone->defrost_most_ms == 0);
    CHECK(zone->defrost_first_ms == 1700000000000);
    CHECK(zone->door_most_ms == 1560000 && zone->recovery_most_ms == 720000);
    CHECK(got.zones[1].door_most_ms == 0 && got.zones[1].recovery_most_ms == 0);
    CHECK(zone->spans[0].low == 12 && isnan(zone->spans[1].high));
    CHECK(zone->load_count == 2 && zone->loads[0].entry_C == 14.5);
    CHECK(zone->loads[1].from_ms == 1700000600000 && zone->loads[1].entry_C == -3);
    CHECK(zone->handled_count == 2 && got.zones[1].handled_count == 0);
    CHECK(zone->handled[0].quiet_until_ms == 1700014400000);
    CHECK_TEXT(zone->handled[1].channel, "product_temperature-est2");
    CHECK(zone->handled[1].at_ms == 1700000000001 &&
          zone->handled[1].quiet_until_ms == 0);
    CHECK(got.notes.passed_over == 0);
    buf_fini(&text);
    buf_fini(&again);
    zone_rules_fini(&got);
    zone_rules_fini(&rules);
}

static void the_version_is_that_of_what_they_say(void)
{
    struct zone_rules one = a_set();
    struct zone_rules other = a_set();
    struct err_text why = {""};
    CHECK(zone_rules_seal(&one, &why) == ERR_OK);
    CHECK(zone_rules_seal(&other, &why) == ERR_OK);
    CHECK(one.version == other.version);
    other.zones[0].rules[0].levels[0].delay_ms++;
    CHECK(zone_rules_seal(&other, &why) == ERR_OK);
    CHECK(one.version != other.version);
    zone_rules_fini(&one);
    zone_rules_fini(&other);
}

static void too_much_is_not_sent(void)
{
    struct err_text why = {""};
    struct zone_rules rules = {0};
    for (int i = 0; i <= ZONE_RULES_ZONES_MAX; i++)
        zone_rules_add_zone(&rules, "z");
    CHECK(zone_rules_seal(&rules, &why) == ERR_LIMIT);
    CHECK_TEXT(why.text, "more than 64 zones");
    zone_rules_fini(&rules);
    struct zone_config *zone = zone_rules_add_zone(&rules, "z");
    for (int i = 0; i <= ZONE_RULES_RULES_MAX; i++)
        zone_config_add_rule(zone);
    CHECK(zone_rules_seal(&rules, &why) == ERR_LIMIT);
    CHECK_TEXT(why.text, "more than 64 rules in zone 'z'");
    zone_rules_fini(&rules);
    zone = zone_rules_add_zone(&rules, "z");
    for (int i = 0; i <= ZONE_RULES_SPANS_MAX; i++)
        zone_config_add_span(zone);
    CHECK(zone_rules_seal(&rules, &why) == ERR_LIMIT);
    CHECK_TEXT(why.text, "more than 64 spans in zone 'z'");
    zone_rules_fini(&rules);
}

static void what_is_no_rule_is_refused_whole(void)
{
    static const struct {
        const char *text;
        enum err err;
        const char *why;
    } rows[] = {
        {"", ERR_INVALID, "not JSON"},
        {"[]", ERR_INVALID, "a set is not an object"},
        {"{\"v\":1", ERR_INVALID, "not JSON"},
        {"{\"v\":2}", ERR_UNSUPPORTED, "rules of version 2; this one reads 1"},
        {"{\"v\":1,\"v\":1}", ERR_INVALID, "not JSON"},
        {"{\"v\":0,\"version\":\"00000000000000ab\",\"zones\":[]}", ERR_INVALID, "'v'"},
        {"{\"v\":1,\"version\":\"0000000000000000\",\"zones\":[]}", ERR_INVALID,
         "'version'"},
        {"{\"v\":1,\"version\":7,\"zones\":[]}", ERR_INVALID, "'version'"},
        {"{\"v\":1,\"version\":\"00000000000000ab\"}", ERR_INVALID, "'zones'"},
        {HEAD "7]}", ERR_INVALID, "a zone is not an object"},
        {HEAD "{\"zone\":\"a/b\",\"on_duty\":true}]}", ERR_INVALID, "'zone'"},
        {HEAD "{\"zone\":\"a\"}]}", ERR_INVALID, "'on_duty'"},
        {HEAD "{\"zone\":\"a\",\"on_duty\":true,\"low\":\"2\"}]}", ERR_INVALID, "'low'"},
        {HEAD "{\"zone\":\"a\",\"on_duty\":true,\"low\":3,\"high\":2}]}", ERR_INVALID,
         "'low'"},
        {HEAD "{\"zone\":\"a\",\"on_duty\":true,\"low\":1e99}]}", ERR_INVALID, "'low'"},
        {HEAD "{\"zone\":\"a\",\"on_duty\":true,\"channels\":[]}]}", ERR_INVALID,
         "'channels'"},
        {HEAD "{\"zone\":\"a\",\"on_duty\":true,\"channels\":[\"a b\"]}]}", ERR_INVALID,
         "'channels'"},
        {HEAD ZONE "{\"id\":\"x\",\"kind\":\"ABOVE\"}]}]}", ERR_INVALID, "'kind'"},
        {HEAD ZONE RULE ",\"levels\":7}]}]}", ERR_INVALID, "'levels'"},
        {HEAD ZONE RULE ",\"levels\":[{}]}]}]}", ERR_INVALID, "'severity'"},
        {HEAD ZONE RULE ",\"levels\":[" LEVEL "," LEVEL "," LEVEL "," LEVEL "," LEVEL
                        "]}]}]}",
         ERR_LIMIT, "more than 4 levels"},
        {HEAD ZONE RULE ",\"silent\":-1,\"silent_severity\":\"warning\"}]}]}",
         ERR_INVALID, "'silent'"},
        {HEAD ZONE RULE ",\"limit\":null}]}]}", ERR_INVALID, "'limit'"},
        {HEAD ZONE RULE ",\"window\":-1}]}]}", ERR_INVALID, "'window'"},
        {HEAD ZONE RULE ",\"unless\":[\"a b\"]}]}]}", ERR_INVALID, "'unless'"},
        {HEAD ZONE RULE ",\"unless\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\","
                        "\"i\"]}]}]}",
         ERR_LIMIT, "more than 8 unless"},
        {HEAD ZONE RULE ",\"safety\":1}]}]}", ERR_INVALID, "'safety'"},
        {HEAD ZONE "],\"tau\":\"2h\"}]}", ERR_INVALID, "'tau'"},
        {HEAD ZONE "],\"defrost_first\":-1}]}", ERR_INVALID, "'defrost_first'"},
        {HEAD ZONE "],\"spans\":{}}]}", ERR_INVALID, "'spans'"},
        {HEAD ZONE "],\"spans\":[{\"reason\":\"x\",\"from\":5,\"to\":5}]}]}", ERR_INVALID,
         "'to'"},
        {HEAD ZONE "],\"spans\":[{\"reason\":\"x\",\"from\":5,\"to\":9,\"low\":2,"
                   "\"high\":1}]}]}",
         ERR_INVALID, "'low'"},
        {HEAD ZONE "],\"loads\":[{\"from\":5}]}]}", ERR_INVALID, "'entry'"},
        {HEAD ZONE "],\"loads\":[{\"from\":-5,\"entry\":1}]}]}", ERR_INVALID, "'from'"},
        {HEAD ZONE "],\"loads\":[{},{},{},{},{}]}]}", ERR_LIMIT, "more than 4 loads"},
        {HEAD ZONE "],\"handled\":[{\"incident\":\"x\"}]}]}", ERR_INVALID, "'incident'"},
        {HEAD ZONE "],\"handled\":[" HANDLED ",\"closed\":false}]}]}", ERR_INVALID,
         "'closed'"},
        {HEAD ZONE "],\"handled\":[" HANDLED ",\"quiet_until\":0}]}]}", ERR_INVALID,
         "'quiet_until'"},
        {HEAD ZONE "],\"handled\":[" HANDLED ",\"quiet_until\":1,\"closed\":true}]}]}",
         ERR_INVALID, "'closed'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone_rules got;
        struct err_text why = {""};
        enum err err = zone_rules_parse(&got, rows[i].text, strlen(rows[i].text), &why);
        CHECK_ROW(rows[i].text, err == rows[i].err);
        CHECK_ROW(rows[i].why, strstr(why.text, rows[i].why) == why.text);
        CHECK_ROW(rows[i].text, got.zones == NULL && got.version == 0);
    }
}

/* A later collector's words, wherever they stand: `%s` is where. */
static const char *const places[] = {
    "{\"v\":1,\"version\":\"00000000000000ab\",\"zones\":[]%s}",
    HEAD "{\"zone\":\"a\",\"on_duty\":true%s}]}",
    HEAD ZONE RULE "%s}]}]}",
    HEAD ZONE RULE ",\"levels\":[{\"severity\":\"warning\",\"level\":8,\"delay\":1,"
                   "\"recovery_level\":7,\"recovery_delay\":0%s}]}]}]}",
    HEAD ZONE "],\"spans\":[{\"reason\":\"x\",\"from\":5,\"to\":9%s}]}]}",
    HEAD ZONE "],\"loads\":[{\"from\":5,\"entry\":12.5%s}]}]}",
    HEAD ZONE "],\"handled\":[" HANDLED ",\"closed\":true%s}]}]}",
};
static const char *const place_names[] = {"set",  "zone", "rule",   "level",
                                          "span", "load", "handled"};
#define PLACES (sizeof places / sizeof places[0])

static enum err parse_with(struct zone_rules *got, const char *place, const char *member,
                           struct err_text *why)
{
    struct buf text = {0};
    const char *at = strstr(place, "%s");
    buf_add(&text, place, (size_t)(at - place));
    buf_text(&text, member);
    buf_text(&text, at + 2);
    enum err err = zone_rules_parse(got, text.data, text.len, why);
    buf_fini(&text);
    return err;
}

/* Whatever else is right: what is set is what would be without it. */
static void nothing_but_rules_can_be_set_from_afar(void)
{
    static const char *const members[] = {
        ",\"exec\":\"/bin/sh\"",
        ",\"command\":[\"rm\",\"-rf\",\"/\"]",
        ",\"program\":\"x\"",
        ",\"path\":\"/etc/passwd\"",
        ",\"dir\":\"/tmp\"",
        ",\"uri\":\"mqtt://elsewhere\"",
        ",\"url\":\"http://x\"",
        ",\"mqtt\":{\"uri\":\"mqtt://elsewhere\"}",
        ",\"ca_file\":\"/tmp/ca\"",
        ",\"tls\":false",
        ",\"password\":\"x\"",
        ",\"sensors\":[{\"driver\":\"exec\"}]",
        ",\"calibration\":{\"gain\":2}",
        ",\"journal\":{\"max_bytes\":0}",
        ",\"\":0",
    };
    for (size_t i = 0; i < PLACES; i++) {
        struct zone_rules plain;
        struct err_text why = {""};
        struct buf want = {0};
        CHECK_ROW(place_names[i], parse_with(&plain, places[i], "", &why) == ERR_OK);
        zone_rules_format(&plain, &want);
        CHECK_ROW(place_names[i], plain.notes.passed_over == 0);
        for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
            struct zone_rules got;
            struct buf text = {0};
            CHECK_ROW(members[k],
                      parse_with(&got, places[i], members[k], &why) == ERR_OK);
            zone_rules_format(&got, &text);
            CHECK_ROW(members[k], text.len == want.len &&
                                      memcmp(text.data, want.data, want.len) == 0);
            CHECK_ROW(members[k], got.notes.passed_over == 1 && got.notes.left_out == 0);
            buf_fini(&text);
            zone_rules_fini(&got);
        }
        buf_fini(&want);
        zone_rules_fini(&plain);
    }
}

static void what_is_not_known_is_passed_over_and_noted(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct zone_rules got;
        struct err_text why = {""};
        char want[ZONE_NOTE_SIZE];
        snprintf(want, sizeof want, "%s.later", place_names[i]);
        CHECK(parse_with(&got, places[i], ",\"later\":{\"x\":[1,{}]}", &why) == ERR_OK);
        CHECK(got.notes.unknown_count == 1 && got.notes.passed_over == 1);
        CHECK_TEXT(got.notes.unknown[0], want);
        zone_rules_fini(&got);
    }
    /* named once, counted each time, and only so many; whatever its name */
    struct zone_rules got;
    struct err_text why = {""};
    struct buf text = {0};
    buf_text(&text, HEAD "{\"zone\":\"a\",\"on_duty\":true,\"\xc3\xa4 \\\"b\":1");
    for (int i = 0; i < 20; i++)
        buf_format(&text, ",\"later%d\":1", i);
    buf_text(&text, "},{\"zone\":\"b\",\"on_duty\":true,\"later0\":1}]}");
    CHECK(zone_rules_parse(&got, text.data, text.len, &why) == ERR_OK);
    CHECK(got.notes.passed_over == 22 && got.notes.unknown_count == ZONE_NOTES_MAX);
    CHECK_TEXT(got.notes.unknown[0], "zone.????b");
    CHECK_TEXT(got.notes.unknown[1], "zone.later0");
    struct zone_notes all = {.left_out = 1};
    zone_notes_add(&all, "zone", "later0");
    zone_notes_join(&all, &got.notes);
    CHECK(all.passed_over == 23 && all.left_out == 1);
    CHECK(all.unknown_count == ZONE_NOTES_MAX);
    CHECK_TEXT(all.unknown[1], "zone.????b");
    zone_rules_fini(&got);
    buf_fini(&text);
}

/* `must`: a rule goes alone; elsewhere nothing of the message is taken. */
static void what_must_be_understood_and_is_not_is_not_taken(void)
{
    for (size_t i = 0; i < PLACES; i++) {
        struct zone_rules got;
        struct err_text why = {""};
        bool is_rule =
            strcmp(place_names[i], "rule") == 0 || strcmp(place_names[i], "level") == 0;
        enum err err = parse_with(&got, places[i],
                                  ",\"later\":2,\"must\":[\"zone\",\"rules\",\"later\","
                                  "\"id\",\"level\"]",
                                  &why);
        CHECK_ROW(place_names[i], err == (is_rule ? ERR_OK : ERR_UNSUPPORTED));
        CHECK_ROW(place_names[i], (why.text[0] == '\0') == is_rule);
        if (is_rule) {
            CHECK(got.notes.left_out == 1 && got.zones[0].rule_count == 0);
            CHECK(got.notes.unknown_count == 1);
        }
        zone_rules_fini(&got);
        CHECK_ROW(place_names[i], parse_with(&got, places[i], ",\"must\":\"later\"",
                                             &why) == ERR_INVALID);
        CHECK_ROW(place_names[i],
                  parse_with(&got, places[i], ",\"must\":[7]", &why) == ERR_INVALID);
        CHECK_ROW(place_names[i],
                  parse_with(&got, places[i], ",\"must\":[]", &why) == ERR_OK);
        zone_rules_fini(&got);
    }
    struct zone_rules got;
    struct err_text why = {""};
    static const char text[] = HEAD ZONE RULE ",\"must\":[\"quantity\",\"x\"]}," RULE
                                              ",\"must\":[\"levels\",\"kind\"]}]}]}";
    CHECK(zone_rules_parse(&got, text, sizeof text - 1, &why) == ERR_OK);
    CHECK(got.zones[0].rule_count == 1 && got.notes.left_out == 1);
    zone_rules_fini(&got);
}

/* Each member that an agent of form 1 reads; all others make it refuse all. */
static void has_only(const json_t *object, const char *names)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char word[64];
        snprintf(word, sizeof word, " %s ", key);
        CHECK_ROW(key, strstr(names, word) != NULL);
    }
}

static void an_agent_of_form_1_reads_what_is_left(void)
{
    struct zone_rules rules = a_set();
    struct zone_notes notes = {0};
    struct err_text why = {""};
    struct buf text = {0};
    zone_rules_withhold(&rules, &notes);
    CHECK(zone_rules_seal(&rules, &why) == ERR_OK);
    zone_rules_format(&rules, &text);
    CHECK(notes.unknown_count == 4 && notes.left_out == 0);
    CHECK_TEXT(notes.unknown[0], "zone.door_most");
    CHECK_TEXT(notes.unknown[1], "zone.recovery_most");
    CHECK_TEXT(notes.unknown[2], "zone.loads");
    CHECK_TEXT(notes.unknown[3], "rule.silent_severity");
    json_t *root = json_loadb((const char *)text.data, text.len, 0, NULL);
    has_only(root, " v version zones ");
    size_t i;
    size_t k;
    json_t *zone;
    json_t *one;
    json_array_foreach(json_object_get(root, "zones"), i, zone)
    {
        has_only(zone, " zone on_duty channels low high rules tau tau_least tau_most "
                       "defrost_every defrost_first defrost_most spans ");
        json_array_foreach(json_object_get(zone, "rules"), k, one)
        {
            has_only(one, " id kind quantity levels silent silent_severity limit window "
                          "unless safety ");
            CHECK((json_object_get(one, "silent") == NULL) ==
                  (json_object_get(one, "silent_severity") == NULL));
        }
    }
    CHECK(i == 2);
    json_decref(root);
    buf_fini(&text);
    zone_rules_fini(&rules);
}

/* Texts of collectors of before: what is not said is as it always was. */
static void an_older_message_is_read(void)
{
    static const char *const rows[] = {
        HEAD "]}",
        HEAD ZONE RULE ",\"levels\":[" LEVEL "]}]}]}",
        HEAD ZONE "],\"tau\":3600000,\"tau_least\":1800000,\"tau_most\":7200000,"
                  "\"defrost_every\":21600000,\"defrost_first\":1700000000000,"
                  "\"defrost_most\":1800000,\"spans\":[{\"reason\":\"maintenance\","
                  "\"from\":1,\"to\":2}]}]}",
        HEAD ZONE "],\"door_most\":1560000,\"recovery_most\":720000}]}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone_rules got;
        struct err_text why = {""};
        CHECK_ROW(rows[i],
                  zone_rules_parse(&got, rows[i], strlen(rows[i]), &why) == ERR_OK);
        CHECK_ROW(rows[i], got.notes.passed_over == 0 && got.notes.left_out == 0);
        for (size_t k = 0; k < got.zone_count; k++)
            CHECK_ROW(rows[i],
                      got.zones[k].load_count == 0 && got.zones[k].handled_count == 0);
        zone_rules_fini(&got);
    }
}

static void a_message_is_bounded(void)
{
    struct zone_rules got;
    struct err_text why = {""};
    struct buf text = {0};
    buf_text(&text, HEAD "]}");
    while (text.len < ZONE_RULES_BYTES_MAX)
        buf_text(&text, " ");
    CHECK(zone_rules_parse(&got, text.data, text.len, &why) == ERR_OK);
    zone_rules_fini(&got);
    buf_text(&text, " ");
    CHECK(zone_rules_parse(&got, text.data, text.len, &why) == ERR_LIMIT);
    buf_clear(&text);
    for (int i = 0; i < 60000; i++)
        buf_text(&text, "[");
    CHECK(zone_rules_parse(&got, text.data, text.len, &why) == ERR_INVALID);
    buf_fini(&text);
}

static void a_channel_finds_its_zone(void)
{
    struct zone_rules rules = a_set();
    struct zone_rules none = {0};
    CHECK_TEXT(zone_rules_zone(&rules, "air_temperature")->zone, "room-1");
    CHECK_TEXT(zone_rules_zone(&rules, "air_temperature-2")->zone, "room-2");
    CHECK(zone_rules_zone(&none, "air_temperature") == NULL);
    zone_rules_fini(&rules);
}

static void what_is_in_order_is_where_no_rule_would_fire(void)
{
    struct zone_rules rules = a_set();
    struct zone_config *zone = &rules.zones[0];
    double low;
    double high;
    CHECK(zone_config_band(zone, "air_temperature", &low, &high));
    CHECK(low == 2 && high < 8 && high > 7.999999);
    CHECK(!zone_config_band(zone, "humidity", &low, &high));
    struct zone_rule *rule = zone_config_add_rule(zone);
    *rule = (struct zone_rule){.id = "dry",
                               .kind = "below",
                               .quantity = "humidity",
                               .levels = {{"warning", 80, 0, 80, 0}},
                               .level_count = 1};
    CHECK(zone_config_band(zone, "humidity", &low, &high));
    CHECK(low > 80 && low < 80.001 && isinf(high));
    zone_rules_fini(&rules);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"they survive", they_survive},
        {"the version is that of what they say", the_version_is_that_of_what_they_say},
        {"too much is not sent", too_much_is_not_sent},
        {"what is no rule is refused whole", what_is_no_rule_is_refused_whole},
        {"nothing but rules can be set from afar",
         nothing_but_rules_can_be_set_from_afar},
        {"what is not known is passed over and noted",
         what_is_not_known_is_passed_over_and_noted},
        {"what must be understood and is not is not taken",
         what_must_be_understood_and_is_not_is_not_taken},
        {"an agent of form 1 reads what is left", an_agent_of_form_1_reads_what_is_left},
        {"an older message is read", an_older_message_is_read},
        {"a message is bounded", a_message_is_bounded},
        {"a channel finds its zone", a_channel_finds_its_zone},
        {"what is in order is where no rule would fire",
         what_is_in_order_is_where_no_rule_would_fire},
        CU_TEST_INFO_NULL,
    };
    return check_run("zone_rules", tests);
}
