// SPDX-License-Identifier: Apache-2.0
/* What is kept back: silence, and rules that are replaced. Shapes: air_rules_test.c. */
#include "alerts/zones.h"
#include "base/mem.h"
#include "tests/unit/alerts/story.h"

#define OFF_DUTY 1u << ALERT_REASON_OFF_DUTY
#define REPAIR   1u << ALERT_REASON_MAINTENANCE

/* "kept SEVERITY REASON from>to ended limit worst". */
static void on_suppressed(void *context, const struct suppression *told)
{
    struct story *story = context;
    buf_format(&story->log, "%skept %s %s %" PRId64 ">%" PRId64 " %s %g %g",
               story->log.len > 0 ? "; " : "", alert_severity_name(told->severity),
               alert_reason_name(told->reason), story_s(told->from_ms),
               story_s(told->to_ms), suppression_end_name(told->ended), told->limit,
               told->worst);
}

static void begin(struct story *story, const struct alert_rule *rules, size_t count)
{
    story_begin(story);
    story->sink.suppressed = on_suppressed;
    story_rules(story, rules, count);
}

/* Seconds; `to` -1: until it is told otherwise. */
static void declare(struct story *story, enum alert_reason reason, int64_t from_s,
                    int64_t to_s)
{
    alerts_declare(story->alerts, "room-1", reason, T0 + from_s * 1000,
                   to_s < 0 ? INT64_MAX : T0 + to_s * 1000);
}

static void ticks(struct story *story, int64_t from_s, int64_t to_s)
{
    for (int64_t at_s = from_s; at_s <= to_s; at_s += 10)
        story_tick(story, at_s);
}

struct shelf {
    struct alerts *into;
};

static void put(void *context, const char *key, const void *data, size_t len)
{
    struct shelf *shelf = context;
    if (len > 0)
        CHECK_ROW(key, alerts_load(shelf->into, key, data, len) == ERR_OK);
}

/* Everything is written down and read into another engine. */
static void restart(struct story *story, const struct alert_rule *rules, size_t count)
{
    struct alerts *before = story->alerts;
    story->alerts = alerts_create();
    story_rules(story, rules, count);
    struct shelf shelf = {story->alerts};
    alerts_save_changed(before, &shelf, put);
    alerts_destroy(before);
}

static struct alert_rule quiet(unsigned unless)
{
    struct alert_rule rule = rule_silent("quiet", ALERT_SILENT, 600);
    rule.unless = unless;
    return rule;
}

static void silence_off_duty_is_kept_back_until_it_is_heard(void)
{
    struct story story;
    const struct alert_rule rule = quiet(0);
    begin(&story, &rule, 1);
    declare(&story, ALERT_REASON_OFF_DUTY, 0, -1);
    story_read(&story, 0, 4);
    ticks(&story, 10, 590);
    CHECK_TEXT(story_told(&story), "");
    ticks(&story, 600, 5000);
    CHECK_TEXT(story_told(&story), "kept critical off_duty 600>0  600 600");
    story_read(&story, 5003, 4);
    CHECK_TEXT(story_told(&story), "kept critical off_duty 600>5003 heard 600 5003");
    ticks(&story, 5010, 5600);
    CHECK_TEXT(story_told(&story), "");
    ticks(&story, 5610, 5610);
    CHECK_TEXT(story_told(&story), "kept critical off_duty 5610>0  600 607");
    story_end(&story);
}

/* The clock of the silence begins when somebody is there to hear of it. */
static void silence_counts_anew_when_the_reason_is_over(void)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        struct story story;
        const struct alert_rule rule = quiet(REPAIR);
        begin(&story, &rule, 1);
        story_read(&story, 0, 4);
        declare(&story, ALERT_REASON_MAINTENANCE, 100, 1000);
        ticks(&story, 10, 990);
        CHECK_TEXT(story_told(&story), "kept critical maintenance 600>0  600 600");
        if (restarts)
            restart(&story, &rule, 1);
        ticks(&story, 1000, 1000);
        CHECK_TEXT(story_told(&story),
                   "kept critical maintenance 600>1000 over 600 1000");
        if (restarts)
            restart(&story, &rule, 1);
        ticks(&story, 1010, 1590);
        CHECK_TEXT(story_told(&story), "");
        ticks(&story, 1600, 3000);
        CHECK_TEXT(story_told(&story), "opened critical open 0>1600 1600");
        story_read(&story, 3001, 4);
        CHECK_TEXT(story_told(&story), "closed critical closed 3001>3001 3001");
        story_end(&story);
    }
}

/* A device that is still dead in the morning is not waited for until the tour is over. */
static void a_long_silence_counts_anew_for_an_hour(void)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        struct story story;
        struct alert_rule rule = quiet(0);
        rule.silent_ms = 36000000;
        begin(&story, &rule, 1);
        story_read(&story, 0, 4);
        declare(&story, ALERT_REASON_OFF_DUTY, 20000, 50000);
        ticks(&story, 10, 49990);
        CHECK_TEXT(story_told(&story), "kept critical off_duty 36000>0  36000 36000");
        ticks(&story, 50000, 50000);
        CHECK_TEXT(story_told(&story),
                   "kept critical off_duty 36000>50000 over 36000 50000");
        if (restarts)
            restart(&story, &rule, 1);
        ticks(&story, 50010, 53590);
        CHECK_TEXT(story_told(&story), "");
        ticks(&story, 53600, 90000);
        CHECK_TEXT(story_told(&story), "opened critical open 0>53600 53600");
        story_end(&story);
    }
}

/* Held, over, and held again before it was due: one record each, and it is read again. */
static void silence_is_kept_back_as_often_as_it_takes(void)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        struct story story;
        const struct alert_rule rule = quiet(REPAIR);
        begin(&story, &rule, 1);
        story_read(&story, 0, 4);
        declare(&story, ALERT_REASON_MAINTENANCE, 100, 1000);
        declare(&story, ALERT_REASON_MAINTENANCE, 1300, 9000);
        ticks(&story, 10, 1000);
        story_told(&story);
        ticks(&story, 1010, 2000);
        CHECK_TEXT(story_told(&story), "kept critical maintenance 1600>0  600 1600");
        if (restarts)
            restart(&story, &rule, 1);
        ticks(&story, 2010, 9590);
        CHECK_TEXT(story_told(&story),
                   "kept critical maintenance 1600>9000 over 600 9000");
        ticks(&story, 9600, 9600);
        CHECK_TEXT(story_told(&story), "opened critical open 0>9600 9600");
        story_end(&story);
    }
}

static void what_is_heard_in_between_is_not_silent(void)
{
    struct story story;
    const struct alert_rule rule = quiet(REPAIR);
    begin(&story, &rule, 1);
    story_read(&story, 0, 4);
    declare(&story, ALERT_REASON_MAINTENANCE, 100, 1000);
    ticks(&story, 10, 1000);
    story_told(&story);
    story_read(&story, 1400, 4);
    ticks(&story, 1410, 1990);
    CHECK_TEXT(story_told(&story), "");
    ticks(&story, 2000, 2000);
    CHECK_TEXT(story_told(&story), "opened critical open 1400>2000 600");
    story_end(&story);
}

static void only_reasons_that_are_named_hold_silence_back(void)
{
    static const struct {
        const char *name;
        unsigned unless;
        enum alert_reason reason;
        bool is_safety;
        bool is_kept;
    } rows[] = {
        {"off duty holds all back", 0, ALERT_REASON_OFF_DUTY, false, true},
        {"but safety", 0, ALERT_REASON_OFF_DUTY, true, false},
        {"maintenance is not named", 0, ALERT_REASON_MAINTENANCE, false, false},
        {"maintenance", REPAIR, ALERT_REASON_MAINTENANCE, false, true},
        {"safety that names it", REPAIR, ALERT_REASON_MAINTENANCE, true, true},
        {"a start is not named", REPAIR, ALERT_REASON_START, false, false},
    };
    static const enum alert_kind kinds[] = {ALERT_SILENT, ALERT_SILENT_DEVICE};
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        struct story story;
        struct alert_rule rule = rule_silent("quiet", kinds[i % 2], 600);
        rule.unless = rows[i / 2].unless;
        rule.is_safety = rows[i / 2].is_safety;
        begin(&story, &rule, 1);
        declare(&story, rows[i / 2].reason, 0, -1);
        story_read(&story, 0, 4);
        ticks(&story, 10, 2000);
        CHECK_ROW(rows[i / 2].name,
                  (strstr(story.log.data, "kept") != NULL) == rows[i / 2].is_kept);
        CHECK_ROW(rows[i / 2].name,
                  (strstr(story.log.data, "opened") != NULL) != rows[i / 2].is_kept);
        story_end(&story);
    }
}

/* One reason after the other: a record each. */
static void another_reason_is_another_record(void)
{
    struct story story;
    const struct alert_rule rule = quiet(REPAIR);
    begin(&story, &rule, 1);
    story_read(&story, 0, 4);
    declare(&story, ALERT_REASON_MAINTENANCE, 0, 1000);
    declare(&story, ALERT_REASON_OFF_DUTY, 900, 2500);
    ticks(&story, 10, 1600);
    CHECK_TEXT(story_told(&story), "kept critical maintenance 600>0  600 600; "
                                   "kept critical maintenance 600>1000 over 600 1000; "
                                   "kept critical off_duty 1600>0  600 1600");
    ticks(&story, 1610, 3100);
    CHECK_TEXT(story_told(&story), "kept critical off_duty 1600>2500 over 600 2500; "
                                   "opened critical open 0>3100 3100");
    story_end(&story);
}

/* It is taken back before its end, or its end is told later. */
static void a_reason_may_end_sooner(void)
{
    struct story story;
    const struct alert_rule rule = quiet(REPAIR);
    begin(&story, &rule, 1);
    story_read(&story, 0, 4);
    declare(&story, ALERT_REASON_MAINTENANCE, 0, 90000);
    ticks(&story, 10, 1000);
    story_told(&story);
    declare(&story, ALERT_REASON_MAINTENANCE, 0, 0);
    ticks(&story, 1010, 1010);
    CHECK_TEXT(story_told(&story), "kept critical maintenance 600>1010 over 600 1010");
    declare(&story, ALERT_REASON_OFF_DUTY, 1020, -1);
    ticks(&story, 1020, 5000);
    CHECK_TEXT(story_told(&story), "kept critical off_duty 1610>0  600 1610");
    declare(&story, ALERT_REASON_OFF_DUTY, 1020, 5000);
    ticks(&story, 5010, 5010);
    CHECK_TEXT(story_told(&story), "kept critical off_duty 1610>5010 over 600 5010");
    story_end(&story);
}

static void a_silence_that_is_told_stays_told(void)
{
    struct story story;
    const struct alert_rule rule = quiet(0);
    begin(&story, &rule, 1);
    story_read(&story, 0, 4);
    ticks(&story, 10, 1000);
    CHECK_TEXT(story_told(&story), "opened critical open 0>600 600");
    declare(&story, ALERT_REASON_OFF_DUTY, 1000, -1);
    ticks(&story, 1010, 9000);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 9001, 4);
    CHECK_TEXT(story_told(&story), "closed critical closed 9001>9001 9001");
    story_end(&story);
}

static void change(struct story *story, const struct alert_rule *rules, size_t count,
                   int64_t at_s)
{
    struct err_text why;
    CHECK(alerts_change_rules(story->alerts, rules, count, T0 + at_s * 1000, &story->sink,
                              &why) == ERR_OK);
}

static void a_rule_that_changes_ends_what_it_kept_back(void)
{
    struct alert_rule rules[2] = {rule_above("warm", 8, 8, 0, 60), quiet(REPAIR)};
    rules[0].unless = REPAIR;
    for (size_t gone = 0; gone < 2; gone++) {
        struct story story;
        begin(&story, rules, 2);
        declare(&story, ALERT_REASON_MAINTENANCE, 0, -1);
        story_read(&story, 0, 9);
        ticks(&story, 10, 700);
        CHECK_TEXT(story_told(&story), "kept warning maintenance 0>0  8 9; "
                                       "kept critical maintenance 600>0  600 600");
        change(&story, rules, 2, 710); /* the same ones: nothing */
        CHECK_TEXT(story_told(&story), "");
        struct alert_rule others[2] = {rules[0], rules[1]};
        others[0].levels[0].level = 7.5;
        others[0].levels[0].recovery_level = 7.5;
        others[1].silent_ms += 1000;
        change(&story, others, gone ? 0 : 2, 720);
        CHECK_TEXT(story_told(&story),
                   "kept warning maintenance 0>720 rule_changed 8 9; "
                   "kept critical maintenance 600>720 rule_changed 600 720");
        ticks(&story, 730, 740);
        story_read(&story, 750, 9);
        CHECK_TEXT(story_told(&story),
                   gone ? ""
                        : "kept critical maintenance 730>0  601 730; "
                          "kept critical maintenance 730>750 heard 601 750; "
                          "kept warning maintenance 750>0  7.5 9");
        story_end(&story);
    }
}

static void a_channel_that_moves_ends_what_was_kept_back(void)
{
    struct story story;
    struct alert_rule rules[2] = {rule_above("warm", 8, 8, 0, 60), quiet(REPAIR)};
    rules[0].unless = REPAIR;
    begin(&story, rules, 2);
    declare(&story, ALERT_REASON_MAINTENANCE, 0, -1);
    story_read(&story, 0, 9);
    ticks(&story, 10, 700);
    story_told(&story);
    alerts_forget(story.alerts, "room-1", "dev-1", "air_temperature", T0 + 710 * 1000,
                  &story.sink);
    CHECK_TEXT(story_told(&story),
               "kept warning maintenance 0>710 not_measured 8 9; "
               "kept critical maintenance 600>710 not_measured 600 710");
    story_end(&story);
}

/* ---- readings that become too sparse for shapes -------------------------------------
 */

#define H 3600

/* A thermostat's air from..to, read so often. */
static void breathe(struct story *story, int64_t from_s, int64_t to_s, int64_t every_s)
{
    for (int64_t at_s = from_s; at_s <= to_s; at_s += every_s) {
        double minute = (double)(at_s / 60 % 20);
        story_read(story, at_s, minute < 12 ? 2 + minute / 6 : 4 - (minute - 12) / 4);
    }
}

static struct alert_rule of_shapes(enum alert_kind kind)
{
    struct alert_rule rule = rule_above("shape", 10, 10, 0, 0);
    rule.kind = kind;
    rule.window_ms = alert_kind_has_window(kind) ? (int64_t)6 * H * 1000 : 0;
    rule.limit = 8;
    return rule;
}

static void a_rule_of_shapes_tells_once_that_readings_became_too_sparse(void)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        struct story story;
        const struct alert_rule rule = of_shapes(ALERT_COOLING_FAILED);
        begin(&story, &rule, 1);
        breathe(&story, 0, 8 * H, 60);
        breathe(&story, 8 * H + 300, 9 * H, 300);
        CHECK_TEXT(story_told(&story), "");
        if (restarts)
            restart(&story, &rule, 1);
        breathe(&story, 9 * H + 300, 12 * H, 300);
        CHECK_TEXT(story_told(&story), "kept warning sparse 30300>0  2.5 4.33291");
        if (restarts)
            restart(&story, &rule, 1);
        breathe(&story, 12 * H + 300, 14 * H, 300);
        CHECK_TEXT(story_told(&story), "");
        breathe(&story, 14 * H + 60, 15 * H, 60);
        CHECK_TEXT(story_told(&story),
                   "kept warning sparse 30300>51000 over 2.5 4.99797");
        story_end(&story);
    }
}

static void a_gap_is_no_sparse_cadence(void)
{
    struct story story;
    const struct alert_rule rule = of_shapes(ALERT_COOLING_FAILED);
    begin(&story, &rule, 1);
    for (int i = 0; i < 8; i++) /* a quarter of an hour, half an hour, ... is missing */
        breathe(&story, i * 4 * H + i * 900, (i + 1) * 4 * H, 60);
    CHECK_TEXT(story_told(&story), "");
    story_end(&story);
}

/* From the first reading on, and however rare they are. */
static void a_cadence_that_was_always_too_sparse_is_told_as_well(void)
{
    static const struct {
        const char *name;
        enum alert_kind kind;
        int64_t every_s;
        bool is_off_duty;
        bool is_told;
    } rows[] = {
        {"cooling every 5 min", ALERT_COOLING_FAILED, 300, false, true},
        {"cooling every 10 min", ALERT_COOLING_FAILED, 600, false, true},
        {"cooling every hour", ALERT_COOLING_FAILED, H, false, true},
        {"cooling every 2 min", ALERT_COOLING_FAILED, 120, false, false},
        {"doors every 5 min", ALERT_DOOR_OPEN, 300, false, true},
        {"defrosts every 5 min", ALERT_DEFROST_LONG, 300, false, true},
        {"too many of them every 5 min", ALERT_DEFROST_OFTEN, 300, false, true},
        {"missing ones every 5 min", ALERT_DEFROST_MISSING, 300, false, true},
        {"recoveries every 5 min", ALERT_NO_RECOVERY, 300, false, true},
        {"a window that is too short is no shape", ALERT_RATE, H, false, false},
        {"a value needs no shape", ALERT_CUMULATIVE_ABOVE, H, false, false},
        {"off duty it would say nothing anyway", ALERT_COOLING_FAILED, 300, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct story story;
        struct alert_rule rule = of_shapes(rows[i].kind);
        rule.limit = 30; /* nothing of it is beyond */
        if (rows[i].kind == ALERT_RATE)
            rule.unless = 1u << ALERT_REASON_DOOR; /* it asks for the air, too */
        begin(&story, &rule, 1);
        if (rows[i].is_off_duty)
            declare(&story, ALERT_REASON_OFF_DUTY, 0, -1);
        breathe(&story, 0, 12 * H, rows[i].every_s);
        bool is_told = strstr(story_told(&story), "kept warning sparse") != NULL;
        CHECK_ROW(rows[i].name, is_told == rows[i].is_told);
        story_end(&story);
    }
}

/* A door's signal says when to begin: then nothing is lacking. */
static void a_recovery_whose_door_is_heard_lacks_no_shape(void)
{
    struct story story;
    const struct alert_rule rule = of_shapes(ALERT_NO_RECOVERY);
    begin(&story, &rule, 1);
    for (int64_t at_s = 0; at_s <= 12 * H; at_s += 300) {
        struct alert_reading door = story_reading("door", at_s, at_s == 6 * H);
        door.quantity = "door";
        alerts_reading(story.alerts, &door, &story.sink);
        story_read(&story, at_s, at_s < 6 * H ? 4 : 9);
    }
    CHECK_TEXT(story_told(&story), "opened warning open 21900>22500 10");
    story_end(&story);
    begin(&story, &rule, 1); /* nothing is heard; it is warm, and it was never opened */
    breathe(&story, 0, 2 * H, 300);
    CHECK_TEXT(story_told(&story), "kept warning sparse 300>0  2.5 5");
    for (int64_t at_s = 2 * H + 300; at_s <= 4 * H; at_s += 300)
        story_read(&story, at_s, 9);
    CHECK_TEXT(story_told(&story), "");
    story_end(&story);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"silence off duty is kept back until it is heard",
         silence_off_duty_is_kept_back_until_it_is_heard},
        {"silence counts anew when the reason is over",
         silence_counts_anew_when_the_reason_is_over},
        {"a long silence counts anew for an hour",
         a_long_silence_counts_anew_for_an_hour},
        {"silence is kept back as often as it takes",
         silence_is_kept_back_as_often_as_it_takes},
        {"what is heard in between is not silent",
         what_is_heard_in_between_is_not_silent},
        {"only reasons that are named hold silence back",
         only_reasons_that_are_named_hold_silence_back},
        {"another reason is another record", another_reason_is_another_record},
        {"a reason may end sooner", a_reason_may_end_sooner},
        {"a silence that is told stays told", a_silence_that_is_told_stays_told},
        {"a rule that changes ends what it kept back",
         a_rule_that_changes_ends_what_it_kept_back},
        {"a channel that moves ends what was kept back",
         a_channel_that_moves_ends_what_was_kept_back},
        {"a rule of shapes tells once that readings became too sparse",
         a_rule_of_shapes_tells_once_that_readings_became_too_sparse},
        {"a gap is no sparse cadence", a_gap_is_no_sparse_cadence},
        {"a cadence that was always too sparse is told as well",
         a_cadence_that_was_always_too_sparse_is_told_as_well},
        {"a recovery whose door is heard lacks no shape",
         a_recovery_whose_door_is_heard_lacks_no_shape},
        CU_TEST_INFO_NULL,
    };
    return check_run("hold", tests);
}
