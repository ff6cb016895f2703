// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/registry.h"

#include <math.h>
#include <stdlib.h>

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

/* A site may be declared before its zones or after, and be changed; what is not known
 * here is as if nobody had said it. */
static void clocks_go_by_the_site(void)
{
    static const struct {
        const char *time_zone; /* NULL: nothing is said */
        int hours;
    } rows[] = {{"Asia/Shanghai", 8}, {NULL, 1},  {"Nowhere/Else", 1},
                {"Asia/Shanghai", 8}, {"UTC", 0}, {"Nowhere/Else", 1}};
    struct registry *registry = registry_create();
    json_t *zone = json_pack("{s:s, s:s}", "site", "s", "name", "A");
    CHECK(tz_parse(&registry->home, "CET-1") == ERR_OK);
    CHECK(registry_apply(registry, "zone", "room", "o", NULL, zone));
    CHECK(registry_tz(registry, "room") == &registry->home);
    CHECK(registry_tz(registry, "nowhere") == &registry->home);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *site = json_pack("{s:s}", "org", "o");
        if (rows[i].time_zone != NULL)
            json_object_set_new(site, "time_zone", json_string(rows[i].time_zone));
        CHECK(registry_apply(registry, "site", "s", "o", NULL, site));
        CHECK(tz_offset_s(registry_tz(registry, "room"), AT_TEN) == rows[i].hours * 3600);
        json_decref(site);
    }
    registry_take(registry, registry_create()); /* home stays */
    CHECK(tz_offset_s(registry_tz(registry, "room"), AT_TEN) == 3600);
    json_decref(zone);
    registry_destroy(registry);
}

static void a_seed_says_where_its_sites_lie(void)
{
    static const char with_tz[] =
        "{\"devices\":[],\"placements\":[],\"rules\":[],\"zones\":[{\"band_high\":null,"
        "\"band_low\":null,\"id\":\"a\",\"name\":\"A\",\"org\":\"o\",\"site\":\"s\","
        "\"site_name\":\"S\",\"site_tz\":\"Asia/Shanghai\"}]}";
    struct registry *registry;
    struct err_text why;
    struct buf out = {0};
    CHECK(registry_parse(&registry, with_tz, strlen(with_tz), &why) == ERR_OK);
    CHECK(tz_offset_s(registry_tz(registry, "a"), AT_TEN) == 8 * 3600);
    registry_format(registry, &out);
    CHECK_TEXT(out.data, with_tz);
    buf_fini(&out);
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

static void a_rule_keeps_its_limit_window_and_conditions(void)
{
    static const char *const bodies[] = {
        "{\"kind\":\"cumulative_above\",\"levels\":[{\"delay\":0,\"level\":210.0,"
        "\"recovery_delay\":0,\"recovery_level\":210.0,\"severity\":\"critical\"}],"
        "\"limit\":8.5,\"quantity\":\"product_temperature\",\"safety\":true,"
        "\"silent\":0,\"silent_severity\":\"warning\","
        "\"unless\":[\"defrost\",\"planned_step\"],\"window\":86400000,\"zone\":\"a\"}",
        /* a number that the zone's band gives keeps its name */
        "{\"kind\":\"above\",\"levels\":[{\"delay\":0,\"level\":\"band_high+0.5\","
        "\"recovery_delay\":0,\"recovery_level\":\"band_high\",\"severity\":"
        "\"warning\"}],\"limit\":\"band_low\",\"quantity\":\"air_temperature\","
        "\"silent\":0,\"silent_severity\":\"warning\",\"zone\":\"a\"}",
        /* what is not said stays unsaid */
        ("{\"kind\":\"silent\",\"levels\":[],\"quantity\":\"\",\"silent\":900000,"
         "\"silent_severity\":\"warning\",\"zone\":\"a\"}"),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct alert_rule rule = {0};
        json_t *body = json_loads(bodies[i], 0, NULL);
        CHECK(registry_parse_rule(&rule, "r", body));
        CHECK((i == 0) == rule.is_safety && (i == 0) == !isnan(rule.limit));
        json_t *again = registry_rule_json(&rule);
        json_object_del(again, "id");
        char *text = json_dumps(again, JSON_COMPACT | JSON_SORT_KEYS);
        CHECK_TEXT(text, bodies[i]);
        free(text);
        json_decref(again);
        json_decref(body);
    }
    struct alert_rule rule = {0};
    json_t *body = json_pack("{s:s, s:[s]}", "kind", "above", "unless", "tired");
    CHECK(!registry_parse_rule(&rule, "r", body));
    json_decref(body);
}

static void every_kind_of_rule_can_be_said(void)
{
    size_t count = 0;
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        const char *name = alert_kind_name((enum alert_kind)kind);
        bool is_listed = false;
        for (size_t i = 0; registry_rule_kinds[i] != NULL; i++)
            is_listed |= strcmp(registry_rule_kinds[i], name) == 0;
        CHECK_ROW(name, is_listed != alert_kind_is_trouble((enum alert_kind)kind));
        count += is_listed;
    }
    CHECK(registry_rule_kinds[count] == NULL);
    CHECK(registry_rule_reasons[ALERT_UNLESS_COUNT] == NULL);
}

static json_t *zone_body(const char *rest)
{
    struct buf text = {0};
    buf_format(&text, "{\"site\":\"s\",%s}", rest);
    json_t *body = json_loads(text.data, 0, NULL);
    buf_fini(&text);
    CHECK_ROW(rest, body != NULL);
    return body;
}

static void put_zone(struct registry *registry, const char *id, const char *rest)
{
    json_t *body = zone_body(rest);
    CHECK_ROW(rest, registry_apply(registry, "zone", id, "o", NULL, body));
    json_decref(body);
}

static void a_zone_has_the_band_of_what_stands_in_it(void)
{
    static const struct {
        const char *rest;
        double low;
        double high;
    } rows[] = {
        {"\"band_low\":2,\"band_high\":8", 2, 8},
        {"\"goods\":[\"apple\"]", 0, 0},
        {"\"band_high\":20,\"goods\":[\"banana\"]", 13, 15},
        /* they bear nothing together: as if nothing was there */
        {"\"band_low\":2,\"band_high\":8,\"goods\":[\"apple\",\"banana\"]", 2, 8},
        {"\"band_low\":2,\"band_high\":8,\"goods\":[\"unheard_of\"]", 2, 8},
    };
    struct registry *registry = registry_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_zone(registry, "a", rows[i].rest);
        const struct registry_zone *zone = registry_zone(registry, "a");
        if (i == 1 || i == 2) /* the profile's own numbers */
            CHECK_ROW(rows[i].rest, isfinite(zone->band_low) && zone->band_high < 20);
        else
            CHECK_ROW(rows[i].rest,
                      zone->band_low == rows[i].low && zone->band_high == rows[i].high);
    }
    registry_destroy(registry);
}

#define STEP "{\"from\":20,\"to\":30,\"band_low\":12,\"band_high\":15"

static void what_is_planned_is_found_by_zone(void)
{
    struct registry *registry = registry_create();
    size_t count;
    CHECK(registry_spans(registry, "a", &count) == NULL && count == 0);
    put_zone(registry, "b", "\"maintenance\":[{\"from\":5,\"to\":6}]");
    put_zone(registry, "a",
             "\"maintenance\":[{\"from\":40,\"to\":50}],\"steps\":[" STEP "}]");
    const struct registry_span *spans = registry_spans(registry, "a", &count);
    CHECK(count == 2 && spans[0].reason == ALERT_REASON_PLANNED_STEP);
    CHECK(spans[0].from_ms == 20 && spans[0].to_ms == 30 && spans[0].low == 12);
    CHECK(spans[1].reason == ALERT_REASON_MAINTENANCE && isnan(spans[1].low));
    /* a step that the apples are not to share */
    put_zone(registry, "a",
             "\"goods\":[\"apple\"],\"steps\":[" STEP ",\"goods\":[\"banana\"]}]");
    CHECK(registry_spans(registry, "a", &count) == NULL);
    put_zone(registry, "a",
             "\"goods\":[\"apple\"],\"steps\":[" STEP ",\"goods\":[\"apple\"]}]");
    CHECK(registry_spans(registry, "a", &count) != NULL && count == 1);
    CHECK(registry_spans(registry, "b", &count) != NULL && count == 1);
    registry_destroy(registry);
}

/* Off duty the engine has them all: what it holds back it tells. */
static void archived_zones_have_no_rules(void)
{
    static const enum alert_kind kinds[] = {ALERT_ABOVE, ALERT_SILENT,
                                            ALERT_SILENT_DEVICE, ALERT_CALIBRATION_DUE};
    struct registry *registry = registry_create();
    put_zone(registry, "on", "\"name\":\"x\"");
    put_zone(registry, "off", "\"off_duty\":\"empty\"");
    put_zone(registry, "gone", "\"archived\":true");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct alert_rule rule = {.kind = kinds[i]};
        const char *name = alert_kind_name(rule.kind);
        snprintf(rule.zone, sizeof rule.zone, "on");
        CHECK_ROW(name, registry_in_force(registry, &rule));
        snprintf(rule.zone, sizeof rule.zone, "off");
        CHECK_ROW(name, registry_in_force(registry, &rule));
        snprintf(rule.zone, sizeof rule.zone, "gone");
        CHECK_ROW(name, !registry_in_force(registry, &rule));
    }
    registry_destroy(registry);
}

static void put_rule(struct registry *registry, const char *id, const char *level)
{
    char text[300];
    snprintf(text, sizeof text,
             "{\"zone\":\"a\",\"kind\":\"above\",\"quantity\":\"air_temperature\","
             "\"levels\":[{\"severity\":\"warning\",\"level\":%s,"
             "\"recovery_level\":%s}]}",
             level, level);
    json_t *body = json_loads(text, 0, NULL);
    CHECK(registry_apply(registry, "rule", id, "o", NULL, body));
    json_decref(body);
}

/* As goods come and go. */
static void rules_follow_the_band_of_their_zone(void)
{
    static const struct {
        const char *zone;
        double level; /* NaN: the rule is not in force */
    } rows[] = {
        {"\"band_low\":2,\"band_high\":8", 8.5},
        {"\"band_high\":8,\"goods\":[\"potato\"]", 8.3},
        {"\"band_high\":8,\"goods\":[\"potato\",\"apple\"]", 8.5}, /* as if empty */
        {"\"goods\":[\"apple\"]", 0.5},
        {"\"name\":\"x\"", NAN},
        {"\"band_high\":8", 8.5},
        {"\"band_high\":8,\"archived\":true", NAN},
    };
    struct registry *registry = registry_create();
    put_rule(registry, "before", "\"band_high+0.5\"");
    put_rule(registry, "number", "9");
    CHECK(!registry_in_force(registry, &registry->rules[0]));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        put_zone(registry, "a", rows[i].zone);
        put_rule(registry, "behind", "\"band_high+0.5\"");
        for (size_t k = 0; k < 2; k++) {
            const struct alert_rule *rule = &registry->rules[k];
            bool is_in_force = !isnan(rows[i].level);
            CHECK_ROW(rows[i].zone, registry_in_force(registry, rule) == is_in_force);
            CHECK_ROW(rows[i].zone,
                      !is_in_force || fabs(rule->levels[0].level - rows[i].level) < 1e-9);
        }
        CHECK_ROW(rows[i].zone, registry->rules[2].levels[0].level == 9);
        CHECK_ROW(rows[i].zone, registry_follows_band(registry, "a"));
        CHECK_ROW(rows[i].zone, !registry_follows_band(registry, "b"));
    }
    registry_destroy(registry);
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
        {"clocks go by the site", clocks_go_by_the_site},
        {"a seed says where its sites lie", a_seed_says_where_its_sites_lie},
        {"a reading belongs where its time says", a_reading_belongs_where_its_time_says},
        {"what is written reads back the same", what_is_written_reads_back_the_same},
        {"damage is refused with a reason", damage_is_refused_with_a_reason},
        {"a rule keeps its limit, window and conditions",
         a_rule_keeps_its_limit_window_and_conditions},
        {"every kind of rule can be said", every_kind_of_rule_can_be_said},
        {"a zone has the band of what stands in it",
         a_zone_has_the_band_of_what_stands_in_it},
        {"what is planned is found by zone", what_is_planned_is_found_by_zone},
        {"rules follow the band of their zone", rules_follow_the_band_of_their_zone},
        {"archived zones have no rules", archived_zones_have_no_rules},
        {"each is found among many", each_is_found_among_many},
        {"what begins and ends is in order of time",
         what_begins_and_ends_is_in_order_of_time},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("registry", tests);
}
