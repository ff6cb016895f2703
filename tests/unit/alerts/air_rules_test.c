// SPDX-License-Identifier: Apache-2.0
/*
 * Rules that ask what the air is doing: a room whose thermostat lets it go up and down
 * between 2 and 4 C in twenty minutes, read once a minute, and what happens to it.
 */
#include "alerts/zones.h"
#include "base/mem.h"
#include "tests/unit/alerts/story.h"

#define MIN   60
#define H     3600
#define BEGIN (10 * H) /* of what happens */

static double thermostat(int64_t at_s)
{
    double minute = (double)(at_s / MIN % 20);
    return minute < 12 ? 2 + minute / 6 : 4 - (minute - 12) / 4;
}

/* Up by `rise` K a minute for `up` minutes, and back at the same pace. */
static double bump(int64_t at_s, double rise, double up)
{
    double minute = (double)(at_s - BEGIN) / MIN;
    if (minute < up)
        return 4 + rise * minute;
    double back = 4 + rise * up - rise * (minute - up);
    return back > 4 ? back : thermostat(at_s);
}

static double door(int64_t at_s)
{
    return at_s < BEGIN ? thermostat(at_s) : bump(at_s, 2, 6);
}

static double dead_compressor(int64_t at_s)
{
    if (at_s < BEGIN)
        return thermostat(at_s);
    return 20 - 16 * exp(-(double)(at_s - BEGIN) / (4.0 * H));
}

static double well(int64_t at_s)
{
    return thermostat(at_s);
}

struct count {
    size_t opened;
    size_t kept;
    int64_t first_s;
    int64_t onset_s;
};

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct count *count = context;
    if (kind == ALERT_EFFECT_OPENED && count->opened++ == 0) {
        count->first_s = story_s(incident->opened_ms);
        count->onset_s = story_s(incident->onset_ms);
    }
}

static void on_suppressed(void *context, const struct suppression *told)
{
    struct count *count = context;
    count->kept++;
    CHECK(told->reason == ALERT_REASON_DOOR || told->reason == ALERT_REASON_DEFROST);
    CHECK(told->id[0] != '\0' && told->worst > told->limit);
}

struct saved {
    char *key;
    void *data;
    size_t len;
};

struct shelf {
    struct saved items[8];
    size_t count;
};

static void put(void *context, const char *key, const void *data, size_t len)
{
    struct shelf *shelf = context;
    size_t i = 0;
    while (i < shelf->count && strcmp(shelf->items[i].key, key) != 0)
        i++;
    if (i == shelf->count) {
        CHECK(i < 8);
        shelf->items[shelf->count++].key = mem_strdup(key);
    }
    free(shelf->items[i].data);
    shelf->items[i].data = mem_dup(data, len + 1);
    shelf->items[i].len = len;
}

static void restart(struct story *story, const struct alert_rule *rule,
                    struct shelf *shelf)
{
    alerts_save_changed(story->alerts, shelf, put);
    alerts_destroy(story->alerts);
    story->alerts = alerts_create();
    story_rules(story, rule, 1);
    for (size_t i = 0; i < shelf->count; i++) {
        enum err err = alerts_load(story->alerts, shelf->items[i].key,
                                   shelf->items[i].data, shelf->items[i].len);
        CHECK(err == ERR_OK);
    }
}

static struct count live(const struct alert_rule *rule, double (*air)(int64_t at_s),
                         bool restarts)
{
    struct count count = {0};
    struct shelf shelf = {0};
    struct story story;
    story_begin(&story);
    story_rules(&story, rule, 1);
    const struct alert_sink sink = {
        .context = &count, .effect = on_effect, .suppressed = on_suppressed};
    for (int64_t at_s = 0; at_s <= BEGIN + 3 * H; at_s += MIN) {
        struct alert_reading reading =
            story_reading("air_temperature", at_s, air(at_s) + 0.0);
        alerts_reading(story.alerts, &reading, &sink);
        if (restarts && at_s % (7 * MIN) == 0)
            restart(&story, rule, &shelf);
    }
    story_end(&story);
    for (size_t i = 0; i < shelf.count; i++) {
        free(shelf.items[i].key);
        free(shelf.items[i].data);
    }
    return count;
}

static struct count both(const struct alert_rule *rule, double (*air)(int64_t at_s))
{
    struct count steady = live(rule, air, false);
    struct count restarted = live(rule, air, true);
    CHECK(steady.opened == restarted.opened && steady.kept == restarted.kept &&
          steady.first_s == restarted.first_s && steady.onset_s == restarted.onset_s);
    return steady;
}

static struct alert_rule measured(enum alert_kind kind, double level)
{
    struct alert_rule rule = rule_above("r", level, level, 0, 0);
    rule.kind = kind;
    return rule;
}

static void a_dead_compressor_is_told_and_nothing_else(void)
{
    struct alert_rule rule = measured(ALERT_COOLING_FAILED, 10);
    CHECK(both(&rule, well).opened == 0);
    CHECK(both(&rule, door).opened == 0);
    struct count count = both(&rule, dead_compressor);
    printf("told after %d min ", (int)(count.first_s - BEGIN) / MIN);
    CHECK(count.opened == 1);
    CHECK(count.first_s - BEGIN >= 10 * MIN && count.first_s - BEGIN <= 30 * MIN);
    /* It began when the air left its envelope: before ten minutes of that were up. */
    CHECK(count.onset_s - BEGIN >= 0 && count.onset_s <= count.first_s - 10 * MIN);
}

/* A holiday is longer than what is learned anew takes; outside goes up and down by day.
 */
static double dead_for_days(int64_t at_s)
{
    double days = (double)(at_s - BEGIN) / (24.0 * H);
    return dead_compressor(at_s) + (at_s < BEGIN ? 0 : 3 * sin(days * 2 * 3.14159265));
}

static void what_somebody_is_told_of_does_not_become_usual(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = {
        .id = "cooling",
        .zone = "room-1",
        .quantity = "air_temperature",
        .kind = ALERT_COOLING_FAILED,
        .level_count = 1,
        .levels = {{.severity = ALERT_CRITICAL, .level = 12, .recovery_level = 1}}};
    story_rules(&story, &rule, 1);
    int64_t at_s = 0;
    for (; at_s <= BEGIN + 10 * 24 * H; at_s += MIN)
        story_read(&story, at_s, dead_for_days(at_s));
    CHECK(story.count == 1);
    CHECK(story.last.state == INCIDENT_OPEN);
    /* Until a person says that it is over: then this is what it learns. */
    CHECK(alerts_close(story.alerts, story.last.id, T0 + at_s * 1000, &story.sink) ==
          ERR_OK);
    for (int64_t from_s = at_s; at_s <= from_s + 3 * 24 * H; at_s += MIN)
        story_read(&story, at_s, thermostat(at_s) + 15);
    CHECK(story.count == 2);
    for (int64_t from_s = at_s; at_s <= from_s + H; at_s += MIN)
        story_read(&story, at_s, 19 + (double)(at_s - from_s) / (10.0 * MIN));
    CHECK(story.count == 3);
    story_end(&story);
}

/* One reading of a clock that was eight hours ahead, just before it happens. */
static void a_clock_that_was_ahead_does_not_blind(void)
{
    static const struct {
        struct alert_rule rule;
        int64_t by_s; /* told, when no clock was ahead */
    } rows[] = {
        {{.kind = ALERT_COOLING_FAILED,
          .quantity = "air_temperature",
          .levels = {{.severity = ALERT_CRITICAL, .level = 12, .recovery_level = 1}}},
         BEGIN + 25 * MIN},
        {{.kind = ALERT_ABOVE,
          .quantity = "product_temperature",
          .levels = {{.severity = ALERT_CRITICAL, .level = 8, .recovery_level = 8}}},
         BEGIN + 5 * H},
        {{.kind = ALERT_CUMULATIVE_ABOVE,
          .quantity = "air_temperature",
          .limit = 3,
          .window_ms = INT64_C(24) * H * 1000, /* half of the time, for ten hours */
          .levels = {{.severity = ALERT_CRITICAL, .level = 360, .recovery_level = 0}}},
         BEGIN + 60 * MIN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alert_rule rule = rows[i].rule;
        snprintf(rule.id, sizeof rule.id, "row-%zu", i);
        snprintf(rule.zone, sizeof rule.zone, "room-1");
        rule.level_count = 1;
        struct story story;
        story_begin(&story);
        story_rules(&story, &rule, 1);
        for (int64_t at_s = 0; at_s < rows[i].by_s; at_s += MIN) {
            story_read(&story, at_s, dead_compressor(at_s));
            if (at_s != BEGIN - MIN)
                continue;
            CHECK_ROW(rule.id, story.count == 0);
            struct alert_reading ahead =
                story_reading("air_temperature", at_s + 8 * H, 4);
            ahead.arrival_ms = T0 + at_s * 1000;
            alerts_reading(story.alerts, &ahead, &story.sink);
        }
        CHECK_ROW(rule.id, story.count == 1);
        story_end(&story);
    }
}

/* Five hours too warm by a clock that is as far ahead, and set right then. */
static void a_sum_goes_back_with_its_clock(void)
{
    struct alert_rule rule = {
        .id = "sum",
        .zone = "room-1",
        .quantity = "air_temperature",
        .kind = ALERT_CUMULATIVE_ABOVE,
        .limit = 8,
        .window_ms = INT64_C(24) * H * 1000,
        .level_count = 1,
        .levels = {{.severity = ALERT_CRITICAL, .level = 390, .recovery_level = 0}}};
    for (int is_told = 0; is_told < 2; is_told++) {
        struct story story;
        story_begin(&story);
        story_rules(&story, &rule, 1);
        int64_t at_s = 0;
        for (; at_s < 5 * H; at_s += MIN) {
            struct alert_reading ahead =
                story_reading("air_temperature", at_s + 5 * H, 9);
            ahead.arrival_ms = T0 + at_s * 1000;
            alerts_reading(story.alerts, &ahead, &story.sink);
        }
        if (is_told != 0) /* by the order of its packs */
            alerts_turn_back(story.alerts, "room-1", "dev-1", "air_temperature",
                             T0 + at_s * 1000 - 1);
        for (; at_s < 6 * H; at_s += MIN)
            story_read(&story, at_s, 9);
        CHECK(story.count == 0);
        for (; at_s < 7 * H; at_s += MIN)
            story_read(&story, at_s, 9);
        CHECK(story.count == 1);
        story_end(&story);
    }
}

static void a_door_is_seen_in_the_air(void)
{
    struct alert_rule rule = measured(ALERT_DOOR_OPEN, 3);
    CHECK(both(&rule, well).opened == 0);
    CHECK(both(&rule, dead_compressor).opened == 0);
    CHECK(both(&rule, door).opened == 1);
}

/* When signals are on, in minutes after BEGIN. */
struct signalled {
    const char *name;
    int door_from, door_to;
    int defrost_from, defrost_to;
    double (*air)(int64_t at_s);
    int every_min;
    int begin_s;       /* of all that */
    int door_told_min; /* of a door that may be open for 26; 0: not told */
    int defrost_told_min;
};

static void tell(struct story *story, const char *signal, int64_t at_s, bool is_on,
                 const struct alert_sink *sink)
{
    struct alert_reading reading = story_reading(signal, at_s, is_on);
    reading.quantity = signal;
    alerts_reading(story->alerts, &reading, sink);
}

/* Minutes after the beginning when it was told; 0: never. */
static int told_min(const struct signalled *row, enum alert_kind kind)
{
    struct count count = {0};
    struct story story;
    struct alert_rule rule = measured(kind, 26);
    story_begin(&story);
    story_rules(&story, &rule, 1);
    const struct alert_sink sink = {
        .context = &count, .effect = on_effect, .suppressed = on_suppressed};
    for (int64_t at_s = 0; at_s <= row->begin_s + 3 * H;
         at_s += (int64_t)row->every_min * MIN) {
        int64_t minute = (at_s - row->begin_s) / MIN;
        tell(&story, "door", at_s, minute >= row->door_from && minute < row->door_to,
             &sink);
        tell(&story, "defrost", at_s,
             minute >= row->defrost_from && minute < row->defrost_to, &sink);
        struct alert_reading reading =
            story_reading("air_temperature", at_s, row->air(at_s) + 0.0);
        alerts_reading(story.alerts, &reading, &sink);
    }
    story_end(&story);
    CHECK_ROW(row->name, count.opened <= 1);
    return count.opened == 0 ? 0 : (int)(count.first_s - row->begin_s) / MIN;
}

/* The air is in one phase at a time; doors and defrosts are not. */
static void a_signal_goes_on_whatever_else_the_air_does(void)
{
    static const struct signalled rows[] = {
        {"a door alone", 1, 41, 0, 0, door, 1, BEGIN, 27, 0},
        {"a door, and no longer", 1, 26, 0, 0, door, 1, BEGIN, 0, 0},
        {"a defrost begins meanwhile", 1, 41, 10, 25, door, 1, BEGIN, 27, 0},
        {"a defrost ends meanwhile", 1, 41, -9, 10, door, 1, BEGIN, 27, 0},
        {"a defrost that does not end, and doors", 10, 15, 1, 60, door, 1, BEGIN, 0, 27},
        {"cooling has failed", 1, 41, 0, 0, dead_compressor, 1, BEGIN, 27, 0},
        {"readings far apart", 1, 41, 10, 25, door, 5, BEGIN, 35, 0},
        {"while the air is learned", 1, 41, 10, 25, well, 1, 1 * H, 27, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int door_min = told_min(&rows[i], ALERT_DOOR_OPEN);
        int defrost_min = told_min(&rows[i], ALERT_DEFROST_LONG);
        CHECK_ROW(rows[i].name, door_min == rows[i].door_told_min);
        CHECK_ROW(rows[i].name, defrost_min == rows[i].defrost_told_min);
    }
}

static void a_threshold_waits_for_doors_and_defrosts_and_says_so(void)
{
    struct alert_rule rule = rule_above("r", 7, 7, 4 * MIN, 0);
    CHECK(both(&rule, door).opened == 1); /* without reasons */
    rule.unless = 1u << ALERT_REASON_DOOR | 1u << ALERT_REASON_DEFROST;
    struct count count = both(&rule, door);
    CHECK(count.opened == 0);
    CHECK(count.kept == 2); /* its begin and its end */
    count = both(&rule, dead_compressor);
    CHECK(count.opened == 1 && count.kept == 0);
}

static void off_duty_holds_back_all_but_safety(void)
{
    struct alert_rule rule = rule_above("r", 7, 7, 4 * MIN, 0);
    for (int safety = 0; safety < 2; safety++) {
        rule.is_safety = safety == 1;
        struct count count = {0};
        struct story story;
        story_begin(&story);
        story_rules(&story, &rule, 1);
        alerts_declare(story.alerts, "room-1", ALERT_REASON_OFF_DUTY, T0, INT64_MAX);
        const struct alert_sink sink = {.context = &count, .effect = on_effect};
        for (int64_t at_s = 0; at_s <= H; at_s += MIN) {
            struct alert_reading reading = story_reading("air_temperature", at_s, 9);
            alerts_reading(story.alerts, &reading, &sink);
        }
        CHECK(count.opened == (rule.is_safety ? 1 : 0));
        alerts_declare(story.alerts, "room-1", ALERT_REASON_OFF_DUTY, T0,
                       T0 + H * INT64_C(1000) + 1);
        for (int64_t at_s = H + MIN; at_s <= H + 10 * MIN; at_s += MIN) {
            struct alert_reading reading = story_reading("air_temperature", at_s, 9);
            alerts_reading(story.alerts, &reading, &sink);
        }
        CHECK(count.opened == 1);
        story_end(&story);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a dead compressor is told and nothing else",
         a_dead_compressor_is_told_and_nothing_else},
        {"what somebody is told of does not become usual",
         what_somebody_is_told_of_does_not_become_usual},
        {"a clock that was ahead does not blind", a_clock_that_was_ahead_does_not_blind},
        {"a sum goes back with its clock", a_sum_goes_back_with_its_clock},
        {"a door is seen in the air", a_door_is_seen_in_the_air},
        {"a signal goes on whatever else the air does",
         a_signal_goes_on_whatever_else_the_air_does},
        {"a threshold waits for doors and defrosts and says so",
         a_threshold_waits_for_doors_and_defrosts_and_says_so},
        {"off duty holds back all but safety", off_duty_holds_back_all_but_safety},
        CU_TEST_INFO_NULL,
    };
    return check_run("air_rules", tests);
}
