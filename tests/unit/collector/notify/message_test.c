// SPDX-License-Identifier: Apache-2.0
/* What is said of an incident: whole without a link, in two languages. */
#include "collector/notify/message.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/support/check.h"

#define T0 INT64_C(1795420800000) /* 2026-11-23T08:00:00Z */

static const char config[] =
    "{\"zones\":[{\"id\":\"room-1\",\"org\":\"o\",\"site\":\"s\","
    "\"site_name\":\"奉节产地冷库\",\"name\":\"1号库\"}],\"devices\":[],\"placements\":[],"
    "\"rules\":[]}";

/* One collector, two sites, of which one puts its clocks forward and back; and one of
 * which nobody said where it lies. */
static const char two_sites[] =
    "{\"zones\":[{\"id\":\"room-1\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"S\","
    "\"name\":\"R\",\"site_tz\":\"Asia/Shanghai\"},{\"id\":\"kuehlraum\",\"org\":\"o\","
    "\"site\":\"hamburg\",\"site_name\":\"Hamburg\",\"name\":\"1\","
    "\"site_tz\":\"Europe/Berlin\"},{\"id\":\"van\",\"org\":\"o\",\"site\":\"v\","
    "\"site_name\":\"V\",\"name\":\"box\"}],\"devices\":[],\"placements\":[],\"rules\":[]}";

static struct incident make_incident(void)
{
    struct incident incident = {.kind = ALERT_ABOVE,
                                .severity = ALERT_WARNING,
                                .state = INCIDENT_OPEN,
                                .onset_ms = T0,
                                .opened_ms = T0 + 1200000,
                                .learned_ms = T0 + 1201000,
                                .changed_ms = T0 + 3900000,
                                .limit = 8,
                                .value = 9.46,
                                .worst = 10.04,
                                .revision = 3};
    snprintf(incident.id, sizeof incident.id, "%032x", 171);
    snprintf(incident.rule, sizeof incident.rule, "warm");
    snprintf(incident.zone, sizeof incident.zone, "room-1");
    snprintf(incident.device, sizeof incident.device, "agent-1");
    snprintf(incident.channel, sizeof incident.channel, "air_temperature");
    snprintf(incident.quantity, sizeof incident.quantity, "air_temperature");
    return incident;
}

static json_t *said(const struct incident *incident, enum alert_effect_kind kind,
                    const struct registry *registry)
{
    struct buf out = {0};
    message_format(incident, kind, NULL, registry, T0 + 3900000, &out);
    json_t *message = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    CHECK(message != NULL);
    buf_fini(&out);
    return message;
}

static const char *text_of(const json_t *message, const char *key)
{
    const char *text = json_string_value(json_object_get(message, key));
    return text != NULL ? text : "(none)";
}

static void an_opening_names_place_value_limit_and_what_to_do(void)
{
    struct err_text why = {0};
    struct registry *registry = NULL;
    struct incident incident = make_incident();
    CHECK(registry_parse(&registry, config, sizeof config - 1, &why) == ERR_OK);
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, registry);
    CHECK_TEXT(
        text_of(message, "text_en"),
        "[warning] 奉节产地冷库 1号库: air temperature 9.5 °C (worst 10.0 °C), limit "
        "8.0 °C (above), since 2026-11-23 08:00 UTC. Check first: door, compressor, evaporator "
        "fan");
    CHECK(strstr(text_of(message, "text_zh"), "【警告】奉节产地冷库 1号库：") != NULL);
    CHECK(strstr(text_of(message, "text_zh"),
                 "空气温度 9.5 °C（最差 10.0 °C），高于限值 8.0 °C") != NULL);
    CHECK_TEXT(text_of(message, "key"), "000000000000000000000000000000ab-3");
    CHECK_TEXT(text_of(message, "event"), "opened");
    CHECK_TEXT(text_of(message, "onset"), "2026-11-23T08:00:00.000Z");
    CHECK(json_is_null(json_object_get(message, "closed")));
    CHECK(json_is_false(json_object_get(message, "late")));
    CHECK(fabs(json_real_value(json_object_get(message, "value")) - 9.46) < 1e-12);
    json_decref(message);
    registry_destroy(registry);
}

static void a_site_without_a_name_leaves_no_hole(void)
{
    static const char json[] =
        "{\"zones\":[{\"id\":\"room-1\",\"org\":\"o\",\"site\":\"s\",\"site_name\":\"\","
        "\"name\":\"R\"}],\"devices\":[],\"placements\":[],\"rules\":[]}";
    struct err_text why = {0};
    struct registry *registry = NULL;
    struct incident incident = make_incident();
    CHECK(registry_parse(&registry, json, sizeof json - 1, &why) == ERR_OK);
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, registry);
    CHECK(strncmp(text_of(message, "text_en"), "[warning] R: ", 13) == 0);
    CHECK(strstr(text_of(message, "text_zh"), "【警告】R：") != NULL);
    json_decref(message);
    registry_destroy(registry);
}

static struct registry *two_sites_made(void)
{
    struct err_text why = {0};
    struct registry *registry = NULL;
    CHECK(registry_parse(&registry, two_sites, sizeof two_sites - 1, &why) == ERR_OK);
    return registry;
}

/* People read the clock on their wall; programs read UTC in the same message. */
static void times_are_those_of_the_clocks_where_it_happens(void)
{
    static const struct {
        const char *zone;
        const char *onset;
        const char *want;
    } rows[] = {
        {"room-1", "2026-11-26T21:40:20.000Z", "2026-11-27 05:40 UTC+8"},
        {"kuehlraum", "2026-11-26T21:40:20.000Z", "2026-11-26 22:40 UTC+1"},
        {"kuehlraum", "2026-07-26T21:40:20.000Z", "2026-07-26 23:40 UTC+2"},
        {"van", "2026-11-26T21:40:20.000Z", "2026-11-26 18:10 UTC-3:30"},
        {"", "2026-11-26T21:40:20.000Z", "2026-11-26 18:10 UTC-3:30"},
    };
    struct registry *registry = two_sites_made();
    CHECK(tz_parse(&registry->home, "NST3:30") == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = make_incident();
        char en[80];
        char zh[80];
        CHECK(clock_parse_iso(&incident.onset_ms, rows[i].onset));
        snprintf(incident.zone, sizeof incident.zone, "%s", rows[i].zone);
        json_t *message = said(&incident, ALERT_EFFECT_OPENED, registry);
        snprintf(en, sizeof en, ", since %s. Check first", rows[i].want);
        snprintf(zh, sizeof zh, "，始于 %s。先查", rows[i].want);
        CHECK_ROW(rows[i].want, strstr(text_of(message, "text_en"), en) != NULL);
        CHECK_ROW(rows[i].want, strstr(text_of(message, "text_zh"), zh) != NULL);
        CHECK_TEXT(text_of(message, "onset_local"), rows[i].want);
        CHECK_TEXT(text_of(message, "onset"), rows[i].onset);
        json_decref(message);
    }
    registry_destroy(registry);
}

static char *cause_said(const struct incident *incident, const struct incident *leader,
                        const struct registry *registry, const char *key)
{
    struct buf out = {0};
    const struct message_cause cause = {.leader = leader, .is_over = leader == NULL};
    message_format(incident, ALERT_EFFECT_CLOSED, &cause, registry, T0, &out);
    json_t *message = json_loadb(out.data, out.len, 0, NULL);
    char *text = strdup(text_of(message, key));
    json_decref(message);
    buf_fini(&out);
    return text;
}

static size_t times_in(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

/* However many times there are: but when the clocks were put back between two of them. */
static void the_zone_of_time_is_said_once(void)
{
    struct registry *registry = two_sites_made();
    struct incident incident = make_incident();
    struct incident leader = make_incident();
    snprintf(leader.rule, sizeof leader.rule, "compressor");
    incident.closed_ms = T0 + 3600000;
    incident.learned_ms = T0 + 7200000;
    char *text = cause_said(&incident, NULL, registry, "text_en");
    CHECK_ROW(text, strstr(text, "happened 2026-11-23 16:00 to 2026-11-23 17:00, learned "
                                 "2026-11-23 18:00, when") != NULL);
    CHECK(times_in(text, "UTC") == 1);
    free(text);
    text = cause_said(&incident, &leader, registry, "text_zh");
    CHECK_ROW(text, strstr(text, "始于 2026-11-23 16:00；已恢复") == NULL);
    CHECK_ROW(text, strstr(text, "。最后结束的是：空气温度 9.5 °C") != NULL);
    CHECK(times_in(text, "UTC") == 1);
    free(text);
    incident.kind = ALERT_TWINS; /* whose text tells no time */
    text = cause_said(&incident, &leader, registry, "text_en");
    CHECK_ROW(text, strstr(text, "since 2026-11-23 16:00 UTC+8") != NULL);
    free(text);
    incident.kind = ALERT_ABOVE;
    snprintf(incident.zone, sizeof incident.zone, "kuehlraum");
    CHECK(clock_parse_iso(&incident.onset_ms, "2026-10-25T00:30:00Z"));
    incident.closed_ms = incident.onset_ms + 3600000;
    incident.learned_ms = incident.onset_ms + 7200000;
    text = cause_said(&incident, NULL, registry, "text_en");
    CHECK_ROW(text, strstr(text, "since 2026-10-25 02:30 UTC+2; ") != NULL);
    CHECK_ROW(text, strstr(text, "happened 2026-10-25 02:30 to 2026-10-25 02:30 UTC+1, "
                                 "learned 2026-10-25 03:30, when") != NULL);
    free(text);
    registry_destroy(registry);
}

/* What people knew it by, since when and how long in all; then what ended last. */
static void the_end_of_a_cause_is_told_by_what_began_it(void)
{
    struct err_text why = {0};
    struct registry *registry = NULL;
    CHECK(registry_parse(&registry, config, sizeof config - 1, &why) == ERR_OK);
    struct incident first = make_incident();
    first.state = INCIDENT_CLOSED;
    first.closed_ms = T0 + 3600000;
    struct incident last = make_incident();
    last.severity = ALERT_CRITICAL;
    last.limit = 12;
    last.worst = 13.2;
    last.onset_ms = T0 + 3898000;
    last.closed_ms = T0 + 3900000;
    snprintf(last.rule, sizeof last.rule, "hot");
    char *text = cause_said(&last, &first, registry, "text_en");
    CHECK_TEXT(text,
               "[critical] 奉节产地冷库 1号库: air temperature 9.5 °C (worst 10.0 °C), "
               "limit 8.0 °C (above), since 2026-11-23 08:00 UTC; over after 1 h 5 "
               "min. Ended last: air temperature 9.5 °C (worst 13.2 °C), limit 12.0 "
               "°C (above), since 2026-11-23 09:04");
    free(text);
    text = cause_said(&last, &first, registry, "text_zh");
    CHECK_TEXT(
        text, "【严重】奉节产地冷库 1号库：空气温度 9.5 °C（最差 10.0 °C），高于限值 8.0 "
              "°C，始于 2026-11-23 08:00 UTC；已恢复，持续 1 h 5 min。最后结束的是：空气"
              "温度 9.5 °C（最差 13.2 °C），高于限值 12.0 °C，始于 2026-11-23 09:04");
    free(text);
    first.withdrawn_ms = T0 + 3600000; /* nobody knows it by that any more */
    text = cause_said(&last, &first, registry, "text_en");
    CHECK_ROW(text,
              strstr(text, "limit 12.0 °C (above), since 2026-11-23 09:04 UTC; over "
                           "after 2 s. Same cause as: air temperature") != NULL);
    free(text);
    registry_destroy(registry);
}

/* Neither the zone's id nor the rule's: people may not know them. */
static void a_cause_is_named_in_words(void)
{
    struct registry *registry = two_sites_made();
    struct incident leader = make_incident();
    struct incident incident = make_incident();
    struct buf out = {0};
    snprintf(leader.zone, sizeof leader.zone, "kuehlraum");
    const struct message_cause cause = {.leader = &leader};
    message_format(&incident, ALERT_EFFECT_OPENED, &cause, registry, T0, &out);
    CHECK_ROW(out.data,
              strstr(out.data, ". Same cause as: Hamburg 1: air temperature 9.5 "
                               "°C (worst 10.0 °C), limit 8.0 °C (above), "
                               "since 2026-11-23 16:00") != NULL);
    CHECK_ROW(out.data,
              strstr(out.data, "。与此同因：Hamburg 1：空气温度 9.5 °C") != NULL);
    buf_fini(&out);
    registry_destroy(registry);
}

static void a_closing_says_how_long_it_was(void)
{
    static const struct {
        int64_t ms;
        const char *want;
    } rows[] = {
        {59000, "59 s"},        {60000, "1 min"},       {3540000, "59 min"},
        {3599000, "1 h 0 min"}, {3900000, "1 h 5 min"}, {90000000, "25 h 0 min"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = make_incident();
        char want[60];
        incident.state = INCIDENT_CLOSED;
        incident.closed_ms = incident.onset_ms + rows[i].ms;
        json_t *message = said(&incident, ALERT_EFFECT_CLOSED, NULL);
        snprintf(want, sizeof want, "; over after %s", rows[i].want);
        CHECK_ROW(rows[i].want, strstr(text_of(message, "text_en"), want) != NULL);
        CHECK_ROW(rows[i].want, strstr(text_of(message, "text_zh"), "已恢复") != NULL);
        CHECK_ROW(rows[i].want, strstr(text_of(message, "text_en"), "Check") == NULL);
        json_decref(message);
    }
}

static void silence_is_told_as_silence(void)
{
    struct incident incident = make_incident();
    incident.kind = ALERT_SILENT;
    incident.severity = ALERT_CRITICAL;
    incident.worst = (double)NAN;
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK_TEXT(
        text_of(message, "text_en"),
        "[critical] room-1: no reading from agent-1 air_temperature for 1 h 5 min, "
        "last at 2026-11-23 08:00 UTC. Check first: power and network of the "
        "sensor");
    CHECK(strstr(text_of(message, "text_zh"), "【严重】room-1：") != NULL);
    CHECK(json_is_null(json_object_get(message, "worst")));
    json_decref(message);
}

static void a_channel_alone_is_told_as_such(void)
{
    struct incident incident = make_incident();
    incident.kind = ALERT_SILENT;
    incident.onset_ms = T0 + 3900000 - 1920000;
    snprintf(incident.snapshot, sizeof incident.snapshot,
             "{\"id\":\"device_silent\",\"kind\":\"silent\",\"unless\":[\"off_duty\","
             "\"device_silent\"],\"silent_ms\":1800000}");
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK_TEXT(text_of(message, "text_en"),
               "[warning] room-1: no reading from agent-1 air_temperature for 32 min, "
               "last at 2026-11-23 08:33 UTC; the rest of the device was heard. Check "
               "first: plug, cable and probe");
    CHECK_TEXT(text_of(message, "text_zh"),
               "【警告】room-1：agent-1 air_temperature 已 32 min 无数据，最后 "
               "2026-11-23 08:33 UTC；设备其余部分有数据传来。先查：插头、线缆、探头");
    json_decref(message);
    snprintf(incident.snapshot, sizeof incident.snapshot,
             "{\"id\":\"device_silent\",\"kind\":\"silent\",\"silent_ms\":1800000}");
    message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK(strstr(text_of(message, "text_en"), "heard") == NULL);
    json_decref(message);
}

static void what_was_learned_late_is_marked(void)
{
    static const struct {
        int64_t lag_ms;
        bool want;
    } rows[] = {{0, false}, {300000, false}, {300001, true}, {21600000, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = make_incident();
        incident.learned_ms = incident.opened_ms + rows[i].lag_ms;
        json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
        CHECK(json_is_true(json_object_get(message, "late")) == rows[i].want);
        json_decref(message);
    }
}

static void a_key_differs_with_each_revision_only(void)
{
    struct incident incident = make_incident();
    char first[MESSAGE_KEY_SIZE];
    char again[MESSAGE_KEY_SIZE];
    message_key(&incident, first);
    incident.value = 99;
    message_key(&incident, again);
    CHECK_TEXT(again, first);
    incident.revision = UINT32_MAX;
    message_key(&incident, again);
    CHECK_TEXT(again, "000000000000000000000000000000ab-4294967295");
}

/* Every kind a rule may have: no name is left unfilled, and what to do is said. */
static void every_kind_is_told_whole_in_both_languages(void)
{
    for (int kind = 0; kind < ALERT_KIND_COUNT; kind++) {
        struct incident incident = make_incident();
        incident.kind = (enum alert_kind)kind;
        if (alert_kind_is_trouble(incident.kind) || alert_kind_is_date(incident.kind))
            continue;
        snprintf(incident.snapshot, sizeof incident.snapshot,
                 "{\"limit\":6.5,\"window_ms\":7200000}");
        incident.worst = 93;
        json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
        const char *en = text_of(message, "text_en");
        const char *zh = text_of(message, "text_zh");
        CHECK_ROW(en, strstr(en, "[warning] room-1: ") == en);
        CHECK_ROW(en, strstr(en, ". Check first: ") != NULL);
        CHECK_ROW(en, strchr(en, '$') == NULL && strchr(en, '?') == NULL);
        CHECK_ROW(zh, strstr(zh, "【警告】room-1：") == zh);
        CHECK_ROW(zh, strstr(zh, "。先查：") != NULL);
        CHECK_ROW(zh, strchr(zh, '$') == NULL && strchr(zh, '?') == NULL);
        /* since when, as the clock says it where it happens */
        CHECK_ROW(en, strstr(en, " 2026-11-23 08:00 UTC") != NULL);
        CHECK_ROW(zh, strstr(zh, " 2026-11-23 08:00 UTC") != NULL);
        json_decref(message);
    }
}

/* What it is now, unless that is the worst; and what it is at its end. */
static void a_value_is_told_as_it_is_and_as_it_was_at_worst(void)
{
    static const struct {
        enum alert_kind kind;
        double value, worst;
        const char *en, *zh;
    } rows[] = {
        {ALERT_ABOVE, 10.04, 10.04, ": air temperature 10.0 °C, limit",
         "：空气温度 10.0 °C，高于"},
        {ALERT_ABOVE, 5.2, 10.04, ": air temperature 5.2 °C (worst 10.0 °C), limit",
         "：空气温度 5.2 °C（最差 10.0 °C），高于"},
        {ALERT_BELOW, 1.1, -3.2, ": air temperature 1.1 °C (worst -3.2 °C), limit",
         "：空气温度 1.1 °C（最差 -3.2 °C），低于"},
        {ALERT_ABOVE, (double)NAN, 10.04, ": air temperature 10.0 °C, limit",
         "：空气温度 10.0 °C，高于"},
        {ALERT_DOOR_OPEN, 12, 31, "open for 31 min, allowed 8 min", "已开 31 min，允许"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = make_incident();
        incident.kind = rows[i].kind;
        incident.value = rows[i].value;
        incident.worst = rows[i].worst;
        json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
        CHECK_ROW(text_of(message, "text_en"),
                  strstr(text_of(message, "text_en"), rows[i].en) != NULL);
        CHECK_ROW(text_of(message, "text_zh"),
                  strstr(text_of(message, "text_zh"), rows[i].zh) != NULL);
        json_decref(message);
    }
}

static void a_prediction_says_how_long_until_harm(void)
{
    struct incident incident = make_incident();
    incident.kind = ALERT_PREDICTED;
    incident.worst = 95;
    snprintf(incident.snapshot, sizeof incident.snapshot, "{\"limit\":12}");
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK(strstr(text_of(message, "text_en"),
                 "will be at 12.0 °C in 1 h 35 min, as it goes since 2026") != NULL);
    CHECK(strstr(text_of(message, "text_zh"), "将在 1 h 35 min 后达到 12.0 °C") != NULL);
    CHECK(json_is_null(json_object_get(message, "worst_low")));
    json_decref(message);
}

static void a_prediction_says_how_sure_it_is(void)
{
    struct incident incident = make_incident();
    incident.kind = ALERT_PREDICTED;
    incident.worst = 55;
    incident.worst_low = 40.2;
    incident.worst_high = 70;
    snprintf(incident.snapshot, sizeof incident.snapshot, "{\"limit\":12}");
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK(strstr(text_of(message, "text_en"),
                 "will be at 12.0 °C in 55 min (40 min–1 h 10 min), as it goes") != NULL);
    CHECK(strstr(text_of(message, "text_zh"),
                 "将在 55 min (40 min–1 h 10 min) 后达到 12.0 °C") != NULL);
    CHECK(json_number_value(json_object_get(message, "worst_low")) == 40.2);
    CHECK(json_number_value(json_object_get(message, "worst_high")) == 70);
    json_decref(message);
}

/* In the names that the zone's goods have, with the days and what limits them. */
static void life_left_says_whose_and_for_how_long(void)
{
    static const struct {
        const char *life;
        const char *en;
        const char *zh;
    } rows[] = {
        {"{\"goods\":\"strawberry\",\"limited_by\":\"ageing\",\"at_c\":0.0,"
         "\"days\":[0.83,1.64]}",
         "life left 18 % (Strawberry: 0.8 to 1.6 days at 0.0 °C), limited by ageing; "
         "warned of at 20 %, since 2026",
         "剩余寿命 18 %（草莓：0.0 °C 下 0.8 至 1.6 天），主因衰老；提醒值 20 %，始于"},
        {"{\"goods\":\"cucumber\",\"limited_by\":\"chilling\",\"at_c\":11.2,"
         "\"days\":[2,null]}",
         "(cucumber: at least 2.0 days at 11.2 °C), limited by chilling;",
         "（cucumber：11.2 °C 下 至少 2.0 天），主因冷害；"},
        {"{\"goods\":\"cucumber\",\"limited_by\":\"water loss\",\"at_c\":11.2,"
         "\"days\":[null,null]}",
         "life left 18 % (cucumber), limited by water loss; warned",
         "（cucumber），主因失水；"},
        {"", "life left 18 %; warned of at 20 %", "剩余寿命 18 %；提醒值 20 %"},
    };
    struct registry *registry = registry_create();
    json_t *zone = json_pack("{s:s, s:[s]}", "site", "s", "goods", "strawberry");
    CHECK(registry_apply(registry, "zone", "room-1", "o", NULL, zone));
    json_decref(zone);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = make_incident();
        incident.kind = ALERT_LIFE_LEFT;
        incident.worst = incident.value = 18;
        incident.limit = 20;
        snprintf(incident.zone, sizeof incident.zone, "room-1");
        snprintf(incident.life, sizeof incident.life, "%s", rows[i].life);
        json_t *message = said(&incident, ALERT_EFFECT_OPENED, registry);
        CHECK_ROW(text_of(message, "text_en"),
                  strstr(text_of(message, "text_en"), rows[i].en) != NULL);
        CHECK_ROW(text_of(message, "text_zh"),
                  strstr(text_of(message, "text_zh"), rows[i].zh) != NULL);
        json_decref(message);
    }
    registry_destroy(registry);
}

/* ---- how long until harm ---------------------------------------------------------- */

/* Air at 9.4, goods at 5.1 of a band of 0 to 8, an hour and three quarters. */
static struct incident make_failure(void)
{
    struct incident incident = make_incident();
    incident.kind = ALERT_COOLING_FAILED;
    incident.severity = ALERT_CRITICAL;
    incident.changed_ms = T0 + 1200000;
    incident.limit = 12;
    incident.value = incident.worst = 20;
    incident.harm = (struct harm){.at_ms = T0 + 3840000,
                                  .air_C = 9.42,
                                  .band_low_C = 0,
                                  .band_high_C = 8,
                                  .has_goods = true,
                                  .goods_C = {4.81, 5.12, 5.57},
                                  .outlook = HARM_COMES,
                                  .minutes = {80, 110, 160},
                                  .basis = HARM_STATED,
                                  .tau_low_h = 4,
                                  .tau_high_h = 9};
    return incident;
}

static void a_failure_is_told_whole(void)
{
    struct incident incident = make_failure();
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK_TEXT(
        text_of(message, "text_en"),
        "[critical] room-1: the cooling has failed: the air has been outside of its "
        "usual cycles since 2026-11-23 08:00 UTC, and no door or defrost explains it. If the air stays at 9.4 °C, the goods reach 8.0 °C in "
        "1 h 50 min (1 h 20 min–2 h 40 min). Check first: compressor (breaker, pressure, "
        "overload), then evaporator fan, then refrigerant. Goods 5.1 °C (4.8 to 5.6), "
        "band 0.0 to 8.0 °C");
    CHECK_TEXT(
        text_of(message, "text_zh"),
        "【严重】room-1：制冷失效：空气温度自 2026-11-23 08:00 UTC 起偏离平常循环，且非开门或除霜所致。若空气保持 9.4 °C，货物将在 1 h "
        "50 min (1 h 20 min–2 h 40 min) 后达到 8.0 °C。先查：压缩机（空开、压力、"
        "过载），再查蒸发器风机、制冷剂。货温 5.1 °C (4.8 至 5.6)，温度带 0.0 至 "
        "8.0 °C");
    const json_t *harm = json_object_get(message, "harm");
    CHECK(json_number_value(json_object_get(harm, "air")) == 9.42);
    CHECK(json_number_value(json_object_get(harm, "goods")) == 5.12);
    CHECK(json_number_value(json_object_get(harm, "band_high")) == 8);
    CHECK(json_number_value(json_object_get(harm, "minutes")) == 110);
    CHECK(json_number_value(json_object_get(harm, "minutes_high")) == 160);
    CHECK_TEXT(text_of(harm, "outlook"), "comes");
    CHECK_TEXT(text_of(harm, "side"), "warm");
    CHECK_TEXT(text_of(harm, "tau_from"), "stated");
    CHECK_TEXT(text_of(harm, "at"), "2026-11-23T09:04:00.000Z");
    CHECK(json_object_get(harm, "at_ms") == NULL);
    json_decref(message);
}

static void each_outlook_has_its_sentence(void)
{
    static const struct {
        const char *name;
        enum harm_outlook outlook;
        enum harm_basis basis;
        bool is_cold;
        struct thermal minutes;
        const char *en, *zh;
    } rows[] = {
        {"a probe's",
         HARM_COMES,
         HARM_FITTED,
         false,
         {80, 110, 160},
         ". If the air stays at 9.4 °C, the goods reach 8.0 °C in 1 h 50 min (1 h 20 "
         "min–2 h 40 min). Check",
         "。若空气保持 9.4 °C，货物将在 1 h 50 min (1 h 20 min–2 h 40 min) 后达到 8.0 "
         "°C。先查"},
        {"assumed",
         HARM_COMES,
         HARM_ASSUMED,
         false,
         {40, NAN, 180},
         ". If the air stays at 9.4 °C, the goods reach 8.0 °C in 40 min to 3 h 0 min "
         "(tau 4–9 h assumed). Check",
         "。若空气保持 9.4 °C，货物将在 40 min 至 3 h 0 min 后达到 8.0 °C（时间常数按 "
         "4–9 h 估计）。先查"},
        {"some may be there",
         HARM_COMES,
         HARM_STATED,
         false,
         {0, 10, 25},
         "reach 8.0 °C in 10 min (now–25 min). Check",
         "将在 10 min (现在–25 min) 后达到 8.0 °C。先查"},
        {"no range",
         HARM_COMES,
         HARM_STATED,
         false,
         {20, 20, 20},
         "reach 8.0 °C in 20 min. Check",
         "将在 20 min 后达到 8.0 °C。先查"},
        {"frost",
         HARM_COMES,
         HARM_STATED,
         true,
         {20, 30, 40},
         "the goods reach 0.0 °C in 30 min (20 min–40 min). Check",
         "将在 30 min (20 min–40 min) 后达到 0.0 °C。先查"},
        {"never warm",
         HARM_STAYS,
         HARM_STATED,
         false,
         {0, 0, 0},
         ". While the air stays at 9.4 °C, the goods stay below 8.0 °C. Check",
         "。空气保持 9.4 °C 时，货物不会升到 8.0 °C。先查"},
        {"never cold",
         HARM_STAYS,
         HARM_STATED,
         true,
         {0, 0, 0},
         ". While the air stays at 9.4 °C, the goods stay above 0.0 °C. Check",
         "。空气保持 9.4 °C 时，货物不会降到 0.0 °C。先查"},
        {"there",
         HARM_THERE,
         HARM_STATED,
         false,
         {0, 0, 0},
         ". The goods are out of their band: 5.1 °C (4.8 to 5.6), limit 8.0 °C, air 9.4 "
         "°C. Check",
         "。货物已超出温度带：货温 5.1 °C (4.8 至 5.6)，限值 8.0 °C，空气 9.4 °C。先查"},
        {"unsaid",
         HARM_UNSAID,
         HARM_STATED,
         false,
         {0, 0, 0},
         ". The air is at 9.4 °C. Check",
         "。空气温度 9.4 °C。先查"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = make_failure();
        incident.harm.outlook = rows[i].outlook;
        incident.harm.basis = rows[i].basis;
        incident.harm.is_cold = rows[i].is_cold;
        incident.harm.minutes = rows[i].minutes;
        json_t *message = said(&incident, ALERT_EFFECT_ESCALATED, NULL);
        const char *en = text_of(message, "text_en");
        const char *zh = text_of(message, "text_zh");
        bool is_there = rows[i].outlook == HARM_THERE;
        CHECK_ROW(en, strstr(en, rows[i].en) != NULL);
        CHECK_ROW(zh, strstr(zh, rows[i].zh) != NULL);
        CHECK_ROW(en, (strstr(en, ". Goods 5.1") == NULL) == is_there);
        CHECK_ROW(zh, (strstr(zh, "。货温 5.1") == NULL) == is_there);
        CHECK_ROW(en, strchr(en, '$') == NULL && strstr(en, "nan") == NULL);
        CHECK_ROW(zh, strchr(zh, '$') == NULL && strstr(zh, "nan") == NULL);
        json_decref(message);
    }
}

static void a_band_may_be_open(void)
{
    static const struct {
        double low, high;
        const char *en, *zh;
    } rows[] = {
        {-20, -15, ", band -20.0 to -15.0 °C", "，温度带 -20.0 至 -15.0 °C"},
        {NAN, -15, ", band at most -15.0 °C", "，温度带 不高于 -15.0 °C"},
        {2, NAN, ", band at least 2.0 °C", "，温度带 不低于 2.0 °C"},
        {NAN, NAN, ". Goods 5.1 °C (4.8 to 5.6)", "。货温 5.1 °C (4.8 至 5.6)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = make_failure();
        incident.harm.outlook = HARM_UNSAID;
        incident.harm.band_low_C = rows[i].low;
        incident.harm.band_high_C = rows[i].high;
        json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
        const char *en = text_of(message, "text_en");
        const char *zh = text_of(message, "text_zh");
        CHECK_ROW(en, strcmp(en + strlen(en) - strlen(rows[i].en), rows[i].en) == 0);
        CHECK_ROW(zh, strcmp(zh + strlen(zh) - strlen(rows[i].zh), rows[i].zh) == 0);
        json_decref(message);
    }
}

/* Who is told an hour later is told of when that was so; what is over needs no such word,
 * nor does a prediction of the goods, which says it itself. */
static void harm_is_said_where_it_is_to_come(void)
{
    struct incident incident = make_failure();
    incident.harm.at_ms = T0;
    json_t *message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK(strstr(text_of(message, "text_en"),
                 "(1 h 20 min–2 h 40 min) (as of 2026-11-23 08:00). Check") != NULL);
    CHECK(strstr(text_of(message, "text_zh"),
                 "达到 8.0 °C（截至 2026-11-23 08:00）。先查") != NULL);
    json_decref(message);
    incident.harm.has_goods = false;
    incident.harm.outlook = HARM_UNSAID;
    message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK(strstr(text_of(message, "text_en"), "oods") == NULL);
    CHECK(strstr(text_of(message, "text_en"), "The air is at 9.4 °C") != NULL);
    CHECK(json_is_null(json_object_get(json_object_get(message, "harm"), "goods")));
    json_decref(message);
    incident = make_failure();
    incident.state = INCIDENT_CLOSED;
    incident.closed_ms = T0 + 3000000;
    message = said(&incident, ALERT_EFFECT_CLOSED, NULL);
    CHECK(strstr(text_of(message, "text_en"), "the goods reach") == NULL);
    json_decref(message);
    incident = make_failure();
    incident.kind = ALERT_PREDICTED;
    message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK(strstr(text_of(message, "text_en"), "the goods reach") != NULL);
    json_decref(message);
    snprintf(incident.quantity, sizeof incident.quantity, "product_temperature");
    message = said(&incident, ALERT_EFFECT_OPENED, NULL);
    CHECK(strstr(text_of(message, "text_en"), "the goods reach") == NULL);
    CHECK(json_is_object(json_object_get(message, "harm")));
    json_decref(message);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"life left says whose and for how long", life_left_says_whose_and_for_how_long},
        {"every kind is told whole in both languages",
         every_kind_is_told_whole_in_both_languages},
        {"a value is told as it is and as it was at worst",
         a_value_is_told_as_it_is_and_as_it_was_at_worst},
        {"a prediction says how long until harm", a_prediction_says_how_long_until_harm},
        {"a prediction says how sure it is", a_prediction_says_how_sure_it_is},
        {"a failure is told whole", a_failure_is_told_whole},
        {"each outlook has its sentence", each_outlook_has_its_sentence},
        {"a band may be open", a_band_may_be_open},
        {"harm is said where it is to come", harm_is_said_where_it_is_to_come},
        {"an opening names place, value, limit and what to do",
         an_opening_names_place_value_limit_and_what_to_do},
        {"a site without a name leaves no hole", a_site_without_a_name_leaves_no_hole},
        {"times are those of the clocks where it happens",
         times_are_those_of_the_clocks_where_it_happens},
        {"the zone of time is said once", the_zone_of_time_is_said_once},
        {"the end of a cause is told by what began it",
         the_end_of_a_cause_is_told_by_what_began_it},
        {"a cause is named in words", a_cause_is_named_in_words},
        {"a closing says how long it was", a_closing_says_how_long_it_was},
        {"silence is told as silence", silence_is_told_as_silence},
        {"a channel alone is told as such", a_channel_alone_is_told_as_such},
        {"what was learned late is marked", what_was_learned_late_is_marked},
        {"a key differs with each revision only", a_key_differs_with_each_revision_only},
        CU_TEST_INFO_NULL,
    };
    return check_run("message", tests);
}
