// SPDX-License-Identifier: Apache-2.0
#include "alerts/zones.h"
#include "tests/unit/alerts/story.h"

#define SAMPLES_MAX 12

struct row {
    const char *name;
    int64_t delay_s;
    double recovery;
    int64_t recovery_delay_s;
    int64_t step_s;
    double values[SAMPLES_MAX]; /* ended by NaN */
    const char *want;
};

/* Level 8, warning. */
static const struct row rows[] = {
    {"in range", 0, 8, 0, 60, {1, 7.9, NAN}, ""},
    {"exactly at the level", 0, 8, 0, 60, {8, NAN}, "opened warning open 0>0 8"},
    {"ends at the first sample back",
     0,
     8,
     0,
     60,
     {9, 8, 7.9, 1, NAN},
     "opened warning open 0>0 9; closed warning closed 120>120 7.9"},
    {"delay not reached", 120, 8, 0, 60, {9, 9, NAN}, ""},
    {"delay reached", 120, 8, 0, 60, {9, 9, 9, NAN}, "opened warning open 0>120 9"},
    {"a sample not past starts the delay anew",
     120,
     8,
     0,
     60,
     {9, 9, 7, 9, 9, 9, NAN},
     "opened warning open 180>300 9"},
    {"proven by a late sample, not by time",
     120,
     8,
     0,
     300,
     {9, 9, NAN},
     "opened warning open 0>300 9"},
    {"between recovery and level it stays open",
     0,
     6,
     0,
     60,
     {9, 7, 6, 5, NAN},
     "opened warning open 0>0 9; closed warning closed 180>180 5"},
    {"between them nothing opens", 0, 6, 0, 60, {7, 7.9, 5, NAN}, ""},
    {"recovery takes its delay",
     0,
     8,
     120,
     60,
     {9, 7, 7, 7, NAN},
     "opened warning open 0>0 9; updated warning recovering 0>0 7; "
     "closed warning closed 60>180 7"},
    {"recovery is interrupted",
     0,
     8,
     120,
     60,
     {9, 7, 9, 7, 7, 7, NAN},
     "opened warning open 0>0 9; updated warning recovering 0>0 7; "
     "updated warning open 0>0 9; updated warning recovering 0>0 7; "
     "closed warning closed 180>300 7"},
    {"recovery is interrupted by the band between",
     0,
     6,
     120,
     60,
     {9, 5, 7, 5, 5, 5, NAN},
     "opened warning open 0>0 9; updated warning recovering 0>0 5; "
     "updated warning open 0>0 7; updated warning recovering 0>0 5; "
     "closed warning closed 180>300 5"},
    {"flapping without delays is told each time",
     0,
     8,
     0,
     60,
     {9, 7, 9, 7, NAN},
     "opened warning open 0>0 9; closed warning closed 60>60 7; "
     "opened warning open 120>120 9; closed warning closed 180>180 7"},
    {"flapping within the delay is not told", 90, 8, 0, 60, {9, 7, 9, 7, 9, 7, NAN}, ""},
    {"flapping within the recovery delay is one incident",
     0,
     8,
     600,
     60,
     {9, 7, 9, NAN},
     "opened warning open 0>0 9; updated warning recovering 0>0 7; "
     "updated warning open 0>0 9"},
};

static void run_row(struct story *story, const struct row *row, double sign)
{
    for (size_t i = 0; i < SAMPLES_MAX && !isnan(row->values[i]); i++)
        story_read(story, (int64_t)i * row->step_s, sign * row->values[i]);
}

static void levels_delays_and_recoveries(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story story;
        story_begin(&story);
        struct alert_rule rule = rule_above("warm", 8, rows[i].recovery, rows[i].delay_s,
                                            rows[i].recovery_delay_s);
        story_rules(&story, &rule, 1);
        run_row(&story, &rows[i], 1);
        const char *told = story_told(&story);
        if (strcmp(told, rows[i].want) != 0)
            printf("\n  got: %s\n", told);
        CHECK_ROW(rows[i].name, strcmp(told, rows[i].want) == 0);
        story_end(&story);
    }
}

/* The same story told by both sides: only the sign of values differs. */
static void below_is_the_mirror_of_above(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story story[2];
        for (int side = 0; side < 2; side++) {
            struct alert_rule rule = rule_above("r", 8, rows[i].recovery, rows[i].delay_s,
                                                rows[i].recovery_delay_s);
            if (side == 1)
                rule = rule_mirrored(rule);
            story_begin(&story[side]);
            story_rules(&story[side], &rule, 1);
            run_row(&story[side], &rows[i], side == 0 ? 1 : -1);
        }
        CHECK_ROW(rows[i].name, story[0].count == story[1].count);
        CHECK_ROW(rows[i].name, story[0].last.opened_ms == story[1].last.opened_ms);
        CHECK_ROW(rows[i].name, story[0].last.closed_ms == story[1].last.closed_ms);
        CHECK_ROW(rows[i].name, story[0].last.worst == -story[1].last.worst);
        CHECK_ROW(rows[i].name, strcmp(story[0].last.id, story[1].last.id) == 0);
        story_end(&story[0]);
        story_end(&story[1]);
    }
}

static void severity_rises_within_one_incident(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 7, 0, 0);
    rule_add_critical(&rule, 12, 11, 120, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    char id[ALERT_ID_SIZE];
    memcpy(id, story.last.id, sizeof id);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 9");
    CHECK(story.last.limit == 8);
    story_read(&story, 60, 13);
    story_read(&story, 120, 14);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 180, 12.5);
    CHECK_TEXT(story_told(&story), "escalated critical open 0>0 12.5");
    CHECK(story.last.limit == 12 && story.last.worst == 14 && story.last.revision == 2);
    story_read(&story, 240, 9);
    story_read(&story, 300, 13);
    CHECK_TEXT(story_told(&story),
               ""); /* severity never falls, so it cannot rise again */
    story_read(&story, 360, 6.9);
    CHECK_TEXT(story_told(&story), "closed critical closed 360>360 6.9");
    CHECK_TEXT(story.last.id, id);
    CHECK(story.last.revision == 3);
    story_end(&story);
}

static void a_jump_past_all_levels_is_told_once(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    rule_add_critical(&rule, 12, 12, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 20);
    CHECK_TEXT(story_told(&story), "opened critical open 0>0 20");
    story_end(&story);
}

/* Critical at once, warning only after a while: one incident all the same. */
static void the_graver_level_may_fire_first(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 7, 1800, 0);
    rule_add_critical(&rule, 12, 11, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    story_read(&story, 60, 13);
    CHECK_TEXT(story_told(&story), "opened critical open 60>60 13");
    story_read(&story, 120, 9); /* back of 12, still past 8: not over */
    story_read(&story, 1800, 9);
    CHECK_TEXT(story_told(&story), "");
    CHECK(alerts_incident(story.alerts, story.last.id)->value == 9);
    story_read(&story, 1860, 7.5); /* 8 has fired meanwhile, and 7.5 is not back of it */
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 1920, 6);
    CHECK_TEXT(story_told(&story), "closed critical closed 1920>1920 6");
    story_end(&story);
}

static void all_recovery_delays_must_pass(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 60);
    rule_add_critical(&rule, 12, 12, 0, 300);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 13);
    story_read(&story, 60, 9); /* 12 is back from here */
    story_read(&story, 120, 5);
    CHECK_TEXT(story_told(&story), "opened critical open 0>0 13; "
                                   "updated critical recovering 0>0 5");
    CHECK(story.last.back_ms == T0 + 120000);
    story_read(&story, 240, 5); /* enough for 8, not for 12 */
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 360, 5);
    CHECK_TEXT(story_told(&story), "closed critical closed 120>360 5");
    story_end(&story);
}

static void bad_readings_decide_nothing(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 60, 60);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    story_bad(&story, 60);
    struct alert_reading reading = story_reading("air_temperature", 70, 99);
    reading.quality = QUALITY_SHORT;
    alerts_reading(story.alerts, &reading, &story.sink);
    reading.quality = QUALITY_GOOD;
    reading.value = INFINITY;
    alerts_reading(story.alerts, &reading, &story.sink);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 65, 9); /* they did not take the place of good ones either */
    CHECK_TEXT(story_told(&story), "opened warning open 0>65 9");
    story_bad(&story, 90);
    story_read(&story, 100, 5);
    story_bad(&story, 300);
    CHECK_TEXT(story_told(&story), "updated warning recovering 0>65 5");
    story_read(&story, 310, 5);
    CHECK_TEXT(story_told(&story), "closed warning closed 100>310 5");
    story_end(&story);
}

/* Of twelve hours between two readings nothing is known: not that it was warm, and not
 * that it was not. They count as long as silence is borne. */
static void a_gap_proves_no_more_than_silence_is_borne(void)
{
    static const struct {
        const char *name;
        int64_t silent_s; /* 0: no rule of silence */
        int64_t delay_s;
        int64_t gap_s;
        int64_t opened_s; /* from the end of the gap on */
        int64_t onset_s;
    } gaps[] = {
        {"a reading on either side", 600, 1800, 12 * 3600, 1200, -600},
        {"a gap that is borne", 3600, 1800, 3000, 0, -3000},
        {"a longer delay than is borne", 3600, 7200, 12 * 3600, 3600, -3600},
        {"no rule of silence", 0, 10800, 12 * 3600, 3600, -7200},
        {"a channel that is read every six hours", 0, 1800, 6 * 3600, 0, -7200},
    };
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        struct story story;
        const struct alert_rule rules[] = {
            rule_above("warm", 8, 8, gaps[i].delay_s, gaps[i].delay_s),
            rule_silent("quiet", ALERT_SILENT, gaps[i].silent_s)};
        int64_t end_s = 60 + gaps[i].gap_s;
        char want[200];
        story_begin(&story);
        story_rules(&story, rules, gaps[i].silent_s > 0 ? 2 : 1);
        story_read(&story, 0, 4);
        story_read(&story, 60, 8.1);
        for (int64_t at_s = end_s; at_s <= end_s + 2 * 3600; at_s += 60)
            story_read(&story, at_s, 8.1);
        snprintf(want, sizeof want, "opened warning open %" PRId64 ">%" PRId64 " 8.1",
                 end_s + gaps[i].onset_s, end_s + gaps[i].opened_s);
        const char *told = story_told(&story);
        if (strcmp(told, want) != 0)
            printf("\n  got: %s\n", told);
        CHECK_ROW(gaps[i].name, strcmp(told, want) == 0);
        int64_t back_s = end_s + 2 * 3600 + 60;
        story_read(&story, back_s, 4);
        story_told(&story);
        for (int64_t at_s = back_s + gaps[i].gap_s; story.count < 3; at_s += 60)
            story_read(&story, at_s, 4);
        snprintf(want, sizeof want, "closed warning closed %" PRId64 ">%" PRId64 " 4",
                 back_s + gaps[i].gap_s + gaps[i].onset_s,
                 back_s + gaps[i].gap_s + gaps[i].opened_s);
        told = story_told(&story);
        if (strcmp(told, want) != 0)
            printf("\n  got: %s\n", told);
        CHECK_ROW(gaps[i].name, strcmp(told, want) == 0);
        story_end(&story);
    }
}

/* A van that stood for ten hours, and then begins a tour: the 170 min before count. */
static void a_gap_before_a_reason_is_left_out_once(void)
{
    struct story story;
    struct alert_rule rule = rule_above("warm", 8, 8, 3 * 3600, 0);
    const int64_t back_s = 170 * 60 + 10 * 3600;
    const int64_t over_s = back_s + 1800;
    rule.unless = 1u << ALERT_REASON_START;
    story_begin(&story);
    story_rules(&story, &rule, 1);
    for (int64_t at_s = 0; at_s <= 170 * 60; at_s += 60)
        story_read(&story, at_s, 9);
    alerts_declare(story.alerts, "room-1", ALERT_REASON_START, T0 + back_s * 1000,
                   T0 + over_s * 1000);
    for (int64_t at_s = back_s; at_s < over_s + 540; at_s += 60)
        story_read(&story, at_s, 9);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, over_s + 540, 9); /* ten minutes after the last of the start */
    CHECK(story.count == 1 && story.last.opened_ms == T0 + (over_s + 540) * 1000);
    story_end(&story);
}

/* A probe that is read twice an hour, in a device that is heard each minute. */
static void a_slow_channel_is_no_silent_device(void)
{
    struct story story;
    story_begin(&story);
    const struct alert_rule rules[] = {rule_above("warm", 8, 8, 3600, 3600),
                                       rule_silent("dead", ALERT_SILENT_DEVICE, 300)};
    story_rules(&story, rules, 2);
    for (int64_t minute = 0; minute <= 180; minute++) {
        struct alert_reading other = story_reading("humidity", minute * 60, 80);
        other.quantity = "humidity";
        alerts_reading(story.alerts, &other, &story.sink);
        if (minute % 30 == 0)
            story_read(&story, minute * 60, minute < 120 ? 9 : 4);
        story_tick(&story, minute * 60);
    }
    CHECK_TEXT(story_told(&story), "opened warning open 0>3600 9; "
                                   "updated warning recovering 0>3600 4; "
                                   "closed warning closed 7200>10800 4");
    story_end(&story);
}

static void time_that_goes_backwards_is_passed_over(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 120, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    story_read(&story, 60, 9);
    story_read(&story, 30, 1); /* would have started the delay anew */
    story_read(&story, 60, 1); /* as would this */
    story_read(&story, 120, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 0>120 9");
    story_read(&story, 119, 1); /* would have closed it */
    CHECK_TEXT(story_told(&story), "");
    story_end(&story);
}

/* A clock that was a day ahead must not make the channel blind for a day. */
static void a_clock_set_back_does_not_blind(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 120, 0);
    story_rules(&story, &rule, 1);
    struct alert_reading ahead = story_reading("air_temperature", 0, 9);
    ahead.time_ms += 86400000;
    alerts_reading(story.alerts, &ahead, &story.sink);
    story_read(&story, 60, 9);
    story_read(&story, 120, 9);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 180, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 60>180 9");
    story_end(&story);
}

static void late_data_is_judged_by_event_time(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    static const double values[] = {5, 9, 9, 5};
    for (int i = 0; i < 4; i++) {
        struct alert_reading reading =
            story_reading("air_temperature", i * 60, values[i]);
        reading.arrival_ms = T0 + 20000000;
        alerts_reading(story.alerts, &reading, &story.sink);
    }
    CHECK_TEXT(story_told(&story),
               "opened warning open 60>60 9; closed warning closed 180>180 5");
    CHECK(story.last.learned_ms == T0 + 20000000);
    story_end(&story);
}

static void two_probes_are_two_incidents(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rules[] = {rule_above("warm", 8, 8, 0, 0),
                                 rule_mirrored(rule_above("cold", 0, 0, 0, 0))};
    story_rules(&story, rules, 2);
    struct alert_reading one = story_reading("air_temperature-1", 0, 9);
    struct alert_reading two = story_reading("air_temperature-2", 0, 10);
    alerts_reading(story.alerts, &one, &story.sink);
    char id[ALERT_ID_SIZE];
    memcpy(id, story.last.id, sizeof id);
    alerts_reading(story.alerts, &two, &story.sink);
    CHECK_TEXT(story_told(&story),
               "opened warning open 0>0 9; opened warning open 0>0 10");
    CHECK(strcmp(id, story.last.id) != 0);
    CHECK_TEXT(story.last.channel, "air_temperature-2");
    one.time_ms = one.arrival_ms = T0 + 60000;
    one.value = -1;
    alerts_reading(story.alerts, &one, &story.sink);
    CHECK_TEXT(story_told(&story),
               "closed warning closed 60>60 -1; opened warning open 60>60 -1");
    CHECK_TEXT(story.last.rule, "cold");
    CHECK(alerts_incident(story.alerts, id) == NULL);
    story_end(&story);
}

static void rules_watch_their_zone_and_quantity_only(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    struct alert_reading reading = story_reading("humidity", 0, 90);
    reading.quantity = "humidity";
    alerts_reading(story.alerts, &reading, &story.sink);
    reading = story_reading("air_temperature", 0, 90);
    reading.zone = "room-2";
    alerts_reading(story.alerts, &reading, &story.sink);
    CHECK_TEXT(story_told(&story), "");
    story_end(&story);
}

static void nonsense_times_are_passed_over(void)
{
    static const int64_t times[] = {INT64_MIN, INT64_MAX, INT64_C(1000000000000001)};
    struct story story;
    story_begin(&story);
    struct alert_rule rules[] = {rule_above("warm", 8, 8, 0, 0),
                                 rule_silent("quiet", ALERT_SILENT, 60)};
    story_rules(&story, rules, 2);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        struct alert_reading reading = story_reading("air_temperature", 0, 9);
        reading.time_ms = times[i];
        alerts_reading(story.alerts, &reading, &story.sink);
        reading = story_reading("air_temperature", 0, 9);
        reading.arrival_ms = times[i];
        alerts_reading(story.alerts, &reading, &story.sink);
        alerts_tick(story.alerts, times[i], &story.sink);
        alerts_set_grace(story.alerts, times[i]);
    }
    CHECK_TEXT(story_told(&story), "");
    story_end(&story);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"levels, delays and recoveries", levels_delays_and_recoveries},
        {"below is the mirror of above", below_is_the_mirror_of_above},
        {"severity rises within one incident", severity_rises_within_one_incident},
        {"a jump past all levels is told once", a_jump_past_all_levels_is_told_once},
        {"the graver level may fire first", the_graver_level_may_fire_first},
        {"all recovery delays must pass", all_recovery_delays_must_pass},
        {"bad readings decide nothing", bad_readings_decide_nothing},
        {"a gap proves no more than silence is borne",
         a_gap_proves_no_more_than_silence_is_borne},
        {"a gap before a reason is left out once",
         a_gap_before_a_reason_is_left_out_once},
        {"a slow channel is no silent device", a_slow_channel_is_no_silent_device},
        {"time that goes backwards is passed over",
         time_that_goes_backwards_is_passed_over},
        {"a clock set back does not blind", a_clock_set_back_does_not_blind},
        {"late data is judged by event time", late_data_is_judged_by_event_time},
        {"two probes are two incidents", two_probes_are_two_incidents},
        {"rules watch their zone and quantity only",
         rules_watch_their_zone_and_quantity_only},
        {"nonsense times are passed over", nonsense_times_are_passed_over},
        CU_TEST_INFO_NULL,
    };
    return check_run("threshold", tests);
}
