// SPDX-License-Identifier: Apache-2.0
/* One channel that is silent in a device that is heard, and the device as a whole. */
#include "alerts/zones.h"
#include "tests/unit/alerts/story.h"

#define PROBE_S  1800 /* a channel's own silence; a device pauses for half of that */
#define DEVICE_S 36000

static const char *const probes[] = {"air_temperature-1", "air_temperature-2",
                                     "air_temperature-3"};

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct story *story = context;
    story_effect(story, kind, incident);
    buf_format(&story->log, " [%s %s]", incident->rule, incident->channel);
}

/* "kept REASON from>to ended [CHANNEL]". */
static void on_suppressed(void *context, const struct suppression *told)
{
    struct story *story = context;
    buf_format(&story->log, "%skept %s %" PRId64 ">%" PRId64 " %s [%s]",
               story->log.len > 0 ? "; " : "", alert_reason_name(told->reason),
               story_s(told->from_ms), story_s(told->to_ms),
               suppression_end_name(told->ended), told->channel);
}

static struct alert_rule alone(void)
{
    struct alert_rule rule = rule_silent("probe", ALERT_SILENT, PROBE_S);
    rule.unless = 1u << ALERT_REASON_DEVICE_SILENT;
    return rule;
}

static const struct alert_rule *van_rules(size_t *count)
{
    static struct alert_rule rules[3];
    rules[0] = rule_silent("dead", ALERT_SILENT_DEVICE, DEVICE_S);
    rules[1] = alone();
    rules[2] = rule_above("warm", 8, 8, 0, 0);
    *count = 3;
    return rules;
}

static void begin_with(struct story *story, const struct alert_rule *rules, size_t count)
{
    story_begin(story);
    story->sink.effect = on_effect;
    story->sink.suppressed = on_suppressed;
    story_rules(story, rules, count);
}

static void begin(struct story *story)
{
    size_t count;
    const struct alert_rule *rules = van_rules(&count);
    begin_with(story, rules, count);
}

static void hear(struct story *story, size_t probe, int64_t at_s, int64_t arrival_s,
                 enum quality quality)
{
    struct alert_reading reading = story_reading(probes[probe], at_s, 4);
    reading.arrival_ms = T0 + arrival_s * 1000;
    reading.quality = quality;
    if (quality != QUALITY_GOOD)
        reading.value = (double)NAN;
    alerts_reading(story->alerts, &reading, &story->sink);
}

/* Those of which the bit is set, each minute in [from, to), with a tick behind. */
static void drive(struct story *story, unsigned which, int64_t from_s, int64_t to_s)
{
    for (int64_t at_s = from_s; at_s < to_s; at_s += 60) {
        for (size_t i = 0; i < 3; i++)
            if ((which & 1u << i) != 0)
                hear(story, i, at_s, at_s, QUALITY_GOOD);
        story_tick(story, at_s);
    }
}

/* What is saved, the last of each key. */
struct shelf {
    struct entity {
        char key[3 * ID_SIZE];
        struct buf data;
    } entities[8];
    size_t count;
};

static void put(void *context, const char *key, const void *data, size_t len)
{
    struct shelf *shelf = context;
    size_t i = 0;
    while (i < shelf->count && strcmp(shelf->entities[i].key, key) != 0)
        i++;
    CHECK(i < sizeof shelf->entities / sizeof shelf->entities[0]);
    struct entity *entity = &shelf->entities[i];
    if (i == shelf->count)
        shelf->count++;
    snprintf(entity->key, sizeof entity->key, "%s", key);
    buf_clear(&entity->data);
    buf_add(&entity->data, data, len);
}

static void shelf_fini(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        buf_fini(&shelf->entities[i].data);
}

/* Channels before their device, or behind it. */
static void restart(struct story *story, struct shelf *shelf, bool is_backwards)
{
    size_t rule_count;
    const struct alert_rule *rules = van_rules(&rule_count);
    alerts_save_changed(story->alerts, shelf, put);
    alerts_destroy(story->alerts);
    story->alerts = alerts_create();
    story_rules(story, rules, rule_count);
    for (size_t i = 0; i < shelf->count; i++) {
        const struct entity *entity =
            &shelf->entities[is_backwards ? shelf->count - 1 - i : i];
        if (entity->data.len > 0)
            CHECK_ROW(entity->key,
                      alerts_load(story->alerts, entity->key, entity->data.data,
                                  entity->data.len) == ERR_OK);
    }
}

static void one_of_three_is_told_while_the_others_are_heard(void)
{
    struct story story;
    begin(&story);
    drive(&story, 7, 0, 600);
    drive(&story, 5, 600, 540 + PROBE_S);
    CHECK_TEXT(story_told(&story), "");
    drive(&story, 5, 540 + PROBE_S, 20000);
    CHECK_TEXT(story_told(&story), "opened critical open 540>2340 1800 "
                                   "[probe air_temperature-2]");
    CHECK(story.last.limit == PROBE_S);
    drive(&story, 7, 20040, 20100);
    CHECK_TEXT(story_told(&story), "closed critical closed 20040>20040 19500 "
                                   "[probe air_temperature-2]");
    story_end(&story);
}

/* Who says that a probe is broken is there, were it the only one. */
static void a_failure_that_is_sent_is_a_device_that_is_heard(void)
{
    struct story story;
    begin(&story);
    for (int64_t at_s = 0; at_s <= 3000; at_s += 60) {
        hear(&story, 0, at_s, at_s, at_s < 600 ? QUALITY_GOOD : QUALITY_TIMEOUT);
        story_tick(&story, at_s);
    }
    CHECK_TEXT(story_told(&story), "opened critical open 540>2340 1800 "
                                   "[probe air_temperature-1]");
    story_end(&story);
}

static void a_whole_device_is_told_once_by_its_own_time(void)
{
    struct story story;
    begin(&story);
    drive(&story, 7, 0, 600);
    drive(&story, 0, 600, 540 + DEVICE_S);
    CHECK_TEXT(story_told(&story), "kept device_silent 2340>0  [air_temperature-1]; "
                                   "kept device_silent 2340>0  [air_temperature-2]; "
                                   "kept device_silent 2340>0  [air_temperature-3]");
    drive(&story, 0, 540 + DEVICE_S, 540 + 3 * DEVICE_S);
    CHECK_TEXT(story_told(&story), "opened critical open 540>36540 36000 [dead ]");
    story_end(&story);
}

static void what_comes_back_first_gives_the_others_their_time(void)
{
    for (int is_restarted = 0; is_restarted < 3; is_restarted++) {
        struct shelf shelf = {0};
        struct story story;
        begin(&story);
        drive(&story, 7, 0, 600);
        drive(&story, 0, 600, 20040);
        story_told(&story);
        if (is_restarted != 0)
            restart(&story, &shelf, is_restarted == 2);
        hear(&story, 0, 20040, 20040, QUALITY_GOOD);
        if (is_restarted != 0)
            restart(&story, &shelf, is_restarted == 2);
        story_tick(&story, 20040);
        CHECK_TEXT(story_told(&story),
                   "kept device_silent 2340>20040 heard [air_temperature-1]; "
                   "kept device_silent 2340>20040 over [air_temperature-2]; "
                   "kept device_silent 2340>20040 over [air_temperature-3]");
        if (is_restarted != 0)
            restart(&story, &shelf, is_restarted == 2);
        drive(&story, 1, 20100, 20940);
        drive(&story, 3, 20940, 20040 + PROBE_S);
        CHECK_TEXT(story_told(&story), "");
        if (is_restarted != 0)
            restart(&story, &shelf, is_restarted == 2);
        drive(&story, 3, 20040 + PROBE_S, 25020);
        CHECK_TEXT(story_told(&story), "opened critical open 540>21840 21300 "
                                       "[probe air_temperature-3]");
        shelf_fini(&shelf);
        story_end(&story);
    }
}

/* Shorter than what holds a silence back, and longer than a pause. */
static void a_pause_counts_for_no_channel(void)
{
    static const struct {
        const char *name;
        int64_t away_s;
        const char *told;
    } rows[] = {
        {"a pause is none", 540 + 840,
         "opened critical open 540>2340 1800 [probe air_temperature-2]"},
        {"it is one", 540 + 900,
         "opened critical open 540>3240 2700 [probe air_temperature-2]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story story;
        begin(&story);
        drive(&story, 5, 0, 60);
        drive(&story, 7, 60, 600);
        drive(&story, 5, rows[i].away_s, 4000);
        CHECK_ROW(rows[i].name, strcmp(story_told(&story), rows[i].told) == 0);
        story_end(&story);
    }
}

/* Six hours without network; then all of it within a second. */
static void a_backlog_in_a_burst_says_nothing_of_the_past(void)
{
    for (int is_restarted = 0; is_restarted < 3; is_restarted++) {
        struct shelf shelf = {0};
        struct story story;
        begin(&story);
        drive(&story, 7, 0, 600);
        drive(&story, 0, 600, 22200);
        story_told(&story);
        if (is_restarted != 0)
            restart(&story, &shelf, is_restarted == 2);
        for (int64_t at_s = 600; at_s < 22200; at_s += 60) {
            hear(&story, 0, at_s, 22200, QUALITY_GOOD);
            if (at_s < 9000) /* it broke on the way */
                hear(&story, 1, at_s, 22200, QUALITY_GOOD);
            hear(&story, 2, at_s, 22200, QUALITY_GOOD);
            if (at_s % 3600 == 0)
                story_tick(&story, 22200);
        }
        drive(&story, 5, 22200, 22200 + PROBE_S);
        const char *told = story_told(&story);
        CHECK(strstr(told, "opened") == NULL);
        CHECK(strstr(told, "kept device_silent 2340>22200 heard [air_temperature-2]") !=
              NULL);
        drive(&story, 5, 22200 + PROBE_S, 30000);
        CHECK_TEXT(story_told(&story), "opened critical open 22200>24000 1800 "
                                       "[probe air_temperature-2]");
        shelf_fini(&shelf);
        story_end(&story);
    }
}

/* Of a rule that does not ask both would be told after its time. */
static void without_asking_all_are_told(void)
{
    struct story story;
    struct alert_rule rule = rule_silent("probe", ALERT_SILENT, PROBE_S);
    begin_with(&story, &rule, 1);
    drive(&story, 7, 0, 600);
    drive(&story, 0, 600, 10000);
    CHECK(story.count == 3);
    story_end(&story);
}

/* No rule watches devices as a whole: the channels' own asks all the same. */
static void a_zone_without_a_rule_for_devices_asks_too(void)
{
    struct story story;
    struct alert_rule rule = alone();
    begin_with(&story, &rule, 1);
    drive(&story, 7, 0, 600);
    drive(&story, 0, 600, 20040);
    CHECK(story.count == 0);
    story_told(&story);
    rule.silent_severity = ALERT_WARNING; /* put again */
    story_rules(&story, &rule, 1);
    drive(&story, 3, 20040, 25020);
    CHECK(strstr(story_told(&story), "opened warning open 540>21840 21300 "
                                     "[probe air_temperature-3]") != NULL);
    rule.unless = 0;
    story_rules(&story, &rule, 1);
    alerts_forget(story.alerts, "room-1", "dev-1", probes[0], T0, &story.sink);
    drive(&story, 0, 25020, 30000);
    CHECK(strstr(story_told(&story), "[probe air_temperature-2]") != NULL);
    story_end(&story);
}

/* An incident waits for a channel as long as its silence is not told. */
static void an_incident_is_unknown_when_the_silence_is_told(void)
{
    struct story story;
    begin(&story);
    struct alert_reading reading = story_reading(probes[1], 0, 9);
    alerts_reading(story.alerts, &reading, &story.sink);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 9 [warm air_temperature-2]");
    drive(&story, 5, 0, PROBE_S);
    CHECK_TEXT(story_told(&story), "");
    drive(&story, 5, PROBE_S, 2 * PROBE_S);
    CHECK_TEXT(story_told(&story),
               "opened critical open 0>1800 1800 [probe air_temperature-2]; "
               "updated warning unknown 0>0 9 [warm air_temperature-2]");
    story_end(&story);

    begin(&story);
    alerts_reading(story.alerts, &reading, &story.sink);
    drive(&story, 0, 0, DEVICE_S);
    CHECK(strstr(story_told(&story), "unknown") == NULL);
    story_tick(&story, DEVICE_S);
    CHECK_TEXT(story_told(&story),
               "opened critical open 0>36000 36000 [dead ]; "
               "updated warning unknown 0>0 9 [warm air_temperature-2]");
    story_end(&story);
}

/* A night off duty without a network; in the morning one probe is missing. */
static void off_duty_comes_first(void)
{
    struct story story;
    begin(&story);
    drive(&story, 7, 0, 600);
    alerts_declare(story.alerts, "room-1", ALERT_REASON_OFF_DUTY, T0 + 600 * 1000,
                   T0 + 30000 * 1000);
    drive(&story, 0, 600, 30000);
    CHECK(strstr(story_told(&story), "device_silent") == NULL);
    drive(&story, 5, 30000, 30000 + PROBE_S);
    CHECK(strstr(story_told(&story), "opened") == NULL);
    drive(&story, 5, 30000 + PROBE_S, 33000);
    CHECK_TEXT(story_told(&story), "opened critical open 540>31800 31260 "
                                   "[probe air_temperature-2]");
    story_end(&story);
}

/* Nothing is looked at for longer than a channel may be silent; the device came back in
 * it. */
static void back_in_a_long_grace(void)
{
    struct story story;
    struct shelf shelf = {0};
    begin(&story);
    drive(&story, 7, 0, 600);
    drive(&story, 0, 600, 10020);
    story_told(&story);
    restart(&story, &shelf, false);
    alerts_set_grace(story.alerts, T0 + 16000 * 1000);
    drive(&story, 5, 10020, 15960);
    CHECK(strstr(story_told(&story), "opened") == NULL);
    drive(&story, 5, 15960, 16080);
    CHECK_TEXT(story_told(&story),
               "kept device_silent 2340>10020 over [air_temperature-2]; "
               "opened critical open 540>16020 15480 [probe air_temperature-2]");
    restart(&story, &shelf, true);
    alerts_set_grace(story.alerts, T0 + 16080 * 1000);
    drive(&story, 5, 16080, 20000);
    CHECK_TEXT(story_told(&story), "");
    shelf_fini(&shelf);
    story_end(&story);
}

/* While nobody hears the device: what it is waited for is told later, and is told. */
static void a_clock_set_back_delays_only(void)
{
    struct story story;
    struct shelf shelf = {0};
    begin(&story);
    drive(&story, 7, 0, 600);
    drive(&story, 0, 600, 10000);
    story_told(&story);
    drive(&story, 5, 300, 12000); /* it went back by nearly three hours */
    CHECK(strstr(story_told(&story), "opened") == NULL);
    restart(&story, &shelf, false);
    drive(&story, 5, 12000, 16000);
    CHECK(strstr(story_told(&story), "[probe air_temperature-2]") != NULL);
    shelf_fini(&shelf);
    story_end(&story);
}

/* Whatever comes when: who was restarted in between tells the same. */
static void restarts_change_nothing(void)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct story one;
        struct story two;
        struct shelf shelf = {0};
        unsigned random = seed * 2654435761u;
        begin(&one);
        begin(&two);
        for (int64_t at_s = 0; at_s < 100000;) {
            random = random * 1664525u + 1013904223u;
            unsigned which = random >> 29;
            int64_t span_s = (random >> 20 & 7) * (random >> 12 & 31) * 60 + 60;
            if ((random >> 17 & 3) == 0) {
                int64_t quiet_ms = T0 + (at_s + (random >> 5 & 127) * 60) * 1000;
                alerts_set_grace(one.alerts, quiet_ms);
                alerts_set_grace(two.alerts, quiet_ms);
            }
            if ((random >> 15 & 3) == 0) {
                int64_t from_ms = T0 + at_s * 1000;
                int64_t to_ms = from_ms + (random >> 7 & 255) * 60000 + 1000;
                alerts_declare(one.alerts, "room-1", ALERT_REASON_OFF_DUTY, from_ms,
                               to_ms);
                alerts_declare(two.alerts, "room-1", ALERT_REASON_OFF_DUTY, from_ms,
                               to_ms);
            }
            drive(&one, which, at_s, at_s + span_s);
            drive(&two, which, at_s, at_s + span_s);
            at_s += span_s;
            restart(&two, &shelf, (random >> 19 & 1) != 0);
        }
        CHECK(strstr(one.log.data, "opened") != NULL && one.log.len == two.log.len &&
              strcmp(one.log.data, two.log.data) == 0);
        story_end(&one);
        story_end(&two);
        shelf_fini(&shelf);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"one of three is told while the others are heard",
         one_of_three_is_told_while_the_others_are_heard},
        {"a failure that is sent is a device that is heard",
         a_failure_that_is_sent_is_a_device_that_is_heard},
        {"a whole device is told once, by its own time",
         a_whole_device_is_told_once_by_its_own_time},
        {"what comes back first gives the others their time",
         what_comes_back_first_gives_the_others_their_time},
        {"a pause counts for no channel", a_pause_counts_for_no_channel},
        {"a backlog in a burst says nothing of the past",
         a_backlog_in_a_burst_says_nothing_of_the_past},
        {"without asking all are told", without_asking_all_are_told},
        {"a zone without a rule for devices asks, too",
         a_zone_without_a_rule_for_devices_asks_too},
        {"an incident is unknown when the silence is told",
         an_incident_is_unknown_when_the_silence_is_told},
        {"off duty comes first", off_duty_comes_first},
        {"back in a long grace", back_in_a_long_grace},
        {"a clock set back delays only", a_clock_set_back_delays_only},
        {"restarts change nothing", restarts_change_nothing},
        CU_TEST_INFO_NULL,
    };
    return check_run("contact", tests);
}
