// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/alerts/story.h"

static void one_rule(struct story *story, struct alert_rule rule)
{
    story_begin(story);
    story_rules(story, &rule, 1);
}

static void silence_opens_by_ticks_and_ends_with_a_reading(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    story_read(&story, 0, 4);
    story_tick(&story, 599);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 600);
    CHECK_TEXT(story_told(&story), "opened critical open 0>600 600");
    CHECK(story.last.limit == 600 && story.last.kind == ALERT_SILENT);
    story_tick(&story, 601);
    story_tick(&story, 100000);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 100060, 4);
    CHECK_TEXT(story_told(&story), "closed critical closed 100060>100060 100060");
    story_tick(&story, 100659);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 100661);
    CHECK_TEXT(story_told(&story), "opened critical open 100060>100661 601");
    story_end(&story);
}

static void readings_put_silence_off(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    for (int64_t at = 0; at < 86400; at += 60) {
        story_read(&story, at, 4);
        story_tick(&story, at);
    }
    CHECK(story.count == 0);
    story_end(&story);
}

/* A failed probe that goes on sending its failure is a silent one. */
static void only_bad_readings_are_silence(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    story_bad(&story, 0); /* never good: counts from the first sign of life */
    story_bad(&story, 300);
    story_tick(&story, 600);
    CHECK_TEXT(story_told(&story), "opened critical open 0>600 600");
    story_bad(&story, 660);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 720, 4);
    CHECK_TEXT(story_told(&story), "closed critical closed 720>720 720");
    story_end(&story);
}

static void grace_holds_silence_back(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    story_read(&story, 0, 4);
    alerts_set_grace(story.alerts, T0 + 5000 * 1000);
    story_tick(&story, 4999);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 5000);
    CHECK_TEXT(story_told(&story), "opened critical open 0>5000 5000");
    story_end(&story);
}

static void heard_in_the_grace_is_heard(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    story_read(&story, 0, 4);
    alerts_set_grace(story.alerts, T0 + 5000 * 1000);
    story_read(&story, 4900, 4);
    story_tick(&story, 5000);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 5500);
    CHECK_TEXT(story_told(&story), "opened critical open 4900>5500 600");
    story_end(&story);
}

/* Old data that arrives now is a sign of life now. */
static void arrival_counts_not_event_time(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    struct alert_reading reading = story_reading("air_temperature", 0, 4);
    reading.arrival_ms = T0 + 20000 * 1000;
    alerts_reading(story.alerts, &reading, &story.sink);
    reading.time_ms -= 1000; /* even out of order */
    reading.arrival_ms += 100 * 1000;
    alerts_reading(story.alerts, &reading, &story.sink);
    story_tick(&story, 20600);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 20700);
    CHECK_TEXT(story_told(&story), "opened critical open 20100>20700 600");
    story_end(&story);
}

static void a_wall_clock_set_back_delays_silence_only(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    story_read(&story, 10000, 4);
    struct alert_reading reading = story_reading("air_temperature", 10060, 4);
    reading.arrival_ms = T0 + 5000 * 1000; /* the collector's clock went back */
    alerts_reading(story.alerts, &reading, &story.sink);
    story_tick(&story, 5599);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 5600);
    CHECK_TEXT(story_told(&story), "opened critical open 5000>5600 600");
    reading.arrival_ms = T0 + 4000 * 1000; /* and again: no negative span */
    alerts_reading(story.alerts, &reading, &story.sink);
    CHECK_TEXT(story_told(&story), "closed critical closed 5000>5000 0");
    story_end(&story);
}

static void silence_makes_an_incident_unknown(void)
{
    struct story story;
    struct alert_rule rules[] = {rule_above("warm", 8, 8, 0, 120),
                                 rule_silent("quiet", ALERT_SILENT, 600)};
    story_begin(&story);
    story_rules(&story, rules, 2);
    story_read(&story, 0, 9);
    story_read(&story, 60, 5);
    CHECK_TEXT(story_told(&story),
               "opened warning open 0>0 9; updated warning recovering 0>0 5");
    story_tick(&story, 700);
    CHECK_TEXT(story_told(&story), "opened critical open 60>700 640; "
                                   "updated warning unknown 0>0 5");
    CHECK(story.last.back_ms == 0);
    story_bad(&story, 750);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 800, 5); /* recovery starts anew: silence proved nothing */
    CHECK_TEXT(story_told(&story), "closed critical closed 800>800 740; "
                                   "updated warning recovering 0>0 5");
    story_read(&story, 910, 5);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 920, 5);
    CHECK_TEXT(story_told(&story), "closed warning closed 800>920 5");
    story_end(&story);
}

static void back_from_silence_still_past_is_open(void)
{
    struct story story;
    one_rule(&story, rule_above("warm", 8, 8, 0, 0));
    story_read(&story, 0, 9);
    story_tick(&story, ALERT_UNKNOWN_MS / 1000 - 1);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 9");
    story_tick(&story, ALERT_UNKNOWN_MS / 1000); /* no rule names a silence */
    CHECK_TEXT(story_told(&story), "updated warning unknown 0>0 9");
    story_tick(&story, 1000000);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 1000000, 9);
    CHECK_TEXT(story_told(&story), "updated warning open 0>0 9");
    story_tick(&story, 1000000 + ALERT_UNKNOWN_MS / 1000);
    CHECK_TEXT(story_told(&story), "updated warning unknown 0>0 9");
    story_end(&story);
}

static void a_dead_device_is_one_incident(void)
{
    struct story story;
    one_rule(&story, rule_silent("dead", ALERT_SILENT_DEVICE, 600));
    static const char *const channels[] = {"air_temperature-1", "air_temperature-2",
                                           "humidity"};
    for (int64_t at = 0; at < 3; at++) {
        struct alert_reading reading = story_reading(channels[at], at * 100, 4);
        reading.quantity = at == 2 ? "humidity" : "air_temperature";
        alerts_reading(story.alerts, &reading, &story.sink);
    }
    story_tick(&story, 799); /* two channels are silent by now, the device is not */
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 800);
    CHECK_TEXT(story_told(&story), "opened critical open 200>800 600");
    CHECK_TEXT(story.last.channel, "");
    CHECK_TEXT(story.last.device, "dev-1");
    struct alert_reading reading = story_reading(channels[0], 900, 4);
    reading.quality = QUALITY_TIMEOUT;
    alerts_reading(story.alerts, &reading, &story.sink);
    CHECK_TEXT(story_told(&story), ""); /* a failed probe is no sign either */
    reading = story_reading(channels[0], 960, 4);
    alerts_reading(story.alerts, &reading, &story.sink);
    CHECK_TEXT(story_told(&story), "closed critical closed 960>960 760");
    story_end(&story);
}

static void many_silent_channels_are_told_in_order_of_names(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    for (int i = 50; i-- > 0;) {
        char channel[ID_SIZE];
        snprintf(channel, sizeof channel, "air_temperature-%02d", i * 7 % 50);
        struct alert_reading reading = story_reading(channel, i % 3, 4);
        alerts_reading(story.alerts, &reading, &story.sink);
    }
    struct alert_sink sink = story.sink;
    story_tick(&story, 10);
    alerts_tick(story.alerts, T0 + 602 * 1000, &sink);
    CHECK(story.count == 50);
    CHECK_TEXT(story.last.channel, "air_temperature-49");
    story_end(&story);
}

static void a_forgotten_channel_cannot_fall_silent(void)
{
    struct story story;
    struct alert_rule rules[] = {rule_silent("quiet", ALERT_SILENT, 600),
                                 rule_silent("dead", ALERT_SILENT_DEVICE, 600),
                                 rule_above("warm", 8, 8, 0, 0)};
    story_begin(&story);
    story_rules(&story, rules, 3);
    story_read(&story, 0, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 9");
    char id[ALERT_ID_SIZE];
    memcpy(id, story.last.id, sizeof id);
    alerts_forget(story.alerts, "room-1", "dev-1", "air_temperature", T0, NULL);
    alerts_forget(story.alerts, "room-1", "dev-1", "air_temperature", T0, NULL);
    alerts_forget(story.alerts, "room-1", "dev-9", "air_temperature", T0, NULL);
    story_tick(&story, 599);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 600); /* no more than of any other that is not heard */
    CHECK_TEXT(story_told(&story), "updated warning unknown 0>0 9");
    story_tick(&story, 100000);
    CHECK_TEXT(story_told(&story), "");
    CHECK(alerts_incident(story.alerts, id) != NULL); /* it is a person's to close */
    story_read(&story, 200000, 9);
    story_tick(&story, 200600);
    CHECK_TEXT(story_told(&story), "updated warning open 0>0 9; "
                                   "opened critical open 200000>200600 600; "
                                   "opened critical open 200000>200600 600; "
                                   "updated warning unknown 0>0 9");
    story_end(&story);
}

/* A reading of before the move, which comes behind it; the delay is of 60 s. */
static void read_late(struct story *story, int64_t at_s, int64_t arrival_s, double value)
{
    struct alert_reading reading = story_reading("air_temperature", at_s, value);
    reading.arrival_ms = T0 + arrival_s * 1000;
    reading.is_elsewhere = true;
    alerts_reading(story->alerts, &reading, &story->sink);
}

static void what_comes_late_from_another_zone_is_judged_and_not_waited_for(void)
{
    static const struct {
        const char *name;
        double before;
        double late[3];
        const char *told;
    } rows[] = {
        {"fine", 4, {4, 4, 4}, ""},
        {"warm",
         4,
         {9, 9, 9},
         "opened warning open 60>120 9; "
         "updated warning unknown 60>120 9"},
        {"too short to tell", 4, {4, 4, 9}, ""},
        {"warm before",
         9,
         {9, 9, 9},
         "opened warning open -60>0 9; "
         "updated warning unknown -60>0 9"},
        {"warm before, fine at the end",
         9,
         {9, 4, 4},
         "opened warning open -60>0 9; updated warning recovering -60>0 4; "
         "closed warning closed 90>120 4"},
    };
    struct alert_rule rules[] = {rule_silent("quiet", ALERT_SILENT, 600),
                                 rule_silent("dead", ALERT_SILENT_DEVICE, 600),
                                 rule_above("warm", 8, 8, 60, 30)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story story;
        story_begin(&story);
        story_rules(&story, rules, 3);
        story_read(&story, -60, rows[i].before);
        story_read(&story, 0, rows[i].before);
        alerts_forget(story.alerts, "room-1", "dev-1", "air_temperature", T0 + 130000,
                      &story.sink);
        read_late(&story, 60, 140, rows[i].late[0]);
        story_tick(&story, 150);
        read_late(&story, 90, 160, rows[i].late[1]);
        read_late(&story, 120, 160, rows[i].late[2]);
        story_tick(&story, 100000);
        if (strcmp(story.log.len > 0 ? story.log.data : "", rows[i].told) != 0)
            printf("\n  %s: %s\n", rows[i].name, story.log.data);
        CHECK_ROW(rows[i].name, strcmp(story_told(&story), rows[i].told) == 0);
        story_end(&story);
    }
}

static void a_silence_closed_by_a_person_is_not_told_again(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 600));
    story_read(&story, 0, 4);
    story_tick(&story, 600);
    CHECK(alerts_close(story.alerts, story.last.id, T0 + 900000, &story.sink) == ERR_OK);
    CHECK_TEXT(story_told(&story),
               "opened critical open 0>600 600; closed critical closed 0>900 600");
    story_tick(&story, 5000);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 6000, 4);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 6600);
    CHECK_TEXT(story_told(&story), "opened critical open 6000>6600 600");
    story_end(&story);
}

/* Every five minutes, then not: 4 x 5 min. Packs of a backlog teach nothing. */
static void silence_is_learned(void)
{
    struct story story;
    one_rule(&story, rule_silent("quiet", ALERT_SILENT, 0));
    story_read(&story, 0, 5);
    story_tick(&story, 2 * 3600 - 1);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, 2 * 3600); /* nothing is known yet */
    CHECK_TEXT(story_told(&story), "opened critical open 0>7200 7200");
    int64_t at_s = 8000;
    for (int i = 0; i < 400; i++, at_s += 300) {
        story_read(&story, at_s, 5);
        story_tick(&story, at_s + 299);
    }
    story_told(&story);
    at_s -= 300;
    struct alert_reading late = story_reading("air_temperature", at_s, 5);
    for (int i = 1; i < 200; i++) {
        late.arrival_ms = T0 + at_s * 1000 + i * 10;
        alerts_reading(story.alerts, &late, &story.sink);
    }
    story_tick(&story, at_s + 19 * 60);
    CHECK_TEXT(story_told(&story), "");
    story_tick(&story, at_s + 26 * 60);
    CHECK(story.last.kind == ALERT_SILENT && story.last.state == INCIDENT_OPEN);
    CHECK(story.last.limit >= 20 * 60 && story.last.limit < 25 * 60);
    story_end(&story);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"silence opens by ticks and ends with a reading",
         silence_opens_by_ticks_and_ends_with_a_reading},
        {"readings put silence off", readings_put_silence_off},
        {"only bad readings are silence", only_bad_readings_are_silence},
        {"grace holds silence back", grace_holds_silence_back},
        {"heard in the grace is heard", heard_in_the_grace_is_heard},
        {"arrival counts, not event time", arrival_counts_not_event_time},
        {"a wall clock set back delays silence only",
         a_wall_clock_set_back_delays_silence_only},
        {"silence makes an incident unknown", silence_makes_an_incident_unknown},
        {"back from silence, still past, is open", back_from_silence_still_past_is_open},
        {"a dead device is one incident", a_dead_device_is_one_incident},
        {"many silent channels are told in order of names",
         many_silent_channels_are_told_in_order_of_names},
        {"a forgotten channel cannot fall silent",
         a_forgotten_channel_cannot_fall_silent},
        {"what comes late from another zone is judged and not waited for",
         what_comes_late_from_another_zone_is_judged_and_not_waited_for},
        {"a silence closed by a person is not told again",
         a_silence_closed_by_a_person_is_not_told_again},
        {"silence is learned", silence_is_learned},
        CU_TEST_INFO_NULL,
    };
    return check_run("silence", tests);
}
