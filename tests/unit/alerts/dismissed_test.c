// SPDX-License-Identifier: Apache-2.0
/*
 * What a person closed while it lasts: it is not told again for what they knew, also by
 * an engine that was started anew, and is for what they did not know.
 */
#include "tests/unit/alerts/story.h"

#define MIN INT64_C(60)
#define DAY (24 * 60 * MIN)

/* Readings of `value` each minute, from minute `from` to before `to`. */
static void read_minutes(struct story *story, int64_t from, int64_t to, double value)
{
    for (int64_t i = from; i < to; i++)
        story_read(story, i * MIN, value);
}

static void close_last(struct story *story, int64_t at_s)
{
    CHECK(alerts_close(story->alerts, story->last.id, T0 + at_s * 1000, &story->sink) ==
          ERR_OK);
    story_told(story);
}

static void load_one(void *context, const char *key, const void *data, size_t len)
{
    CHECK(alerts_load(context, key, data, len) == ERR_OK);
}

/* All that is saved, into an engine that has the same rules. */
static void restart(struct story *story, const struct alert_rule *rules, size_t count)
{
    struct alerts *old = story->alerts;
    story->alerts = alerts_create();
    story_rules(story, rules, count);
    alerts_save_changed(old, story->alerts, load_one);
    alerts_destroy(old);
}

static void it_opens_anew_when_it_was_back_once(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 7, 60, 120);
    story_rules(&story, &rule, 1);
    read_minutes(&story, 0, 2, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 0>60 9");
    close_last(&story, 90);
    read_minutes(&story, 2, 30, 9);
    restart(&story, &rule, 1);
    read_minutes(&story, 30, 60, 9);
    read_minutes(&story, 60, 62, 6); /* back, for less than the recovery delay */
    read_minutes(&story, 62, 70, 9);
    CHECK_TEXT(story_told(&story), "");
    read_minutes(&story, 70, 73, 6);
    read_minutes(&story, 73, 75, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 4380>4440 9");
    story_end(&story);
}

static void the_next_level_opens_another(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    rule_add_critical(&rule, 12, 12, 60, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    struct incident first = story.last;
    close_last(&story, 30);
    read_minutes(&story, 1, 4, 13);
    CHECK_TEXT(story_told(&story), "opened critical open 60>120 13");
    CHECK(strcmp(story.last.id, first.id) != 0 && story.last.worst == 13);
    story_read(&story, 300, 5);
    CHECK_TEXT(story_told(&story), "closed critical closed 300>300 5");
    story_end(&story);
}

static void what_lasts_for_a_day_is_told_again(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_mirrored(rule_above("cold", 8, 8, 120, 0));
    story_rules(&story, &rule, 1);
    read_minutes(&story, 0, 3, -9);
    CHECK_TEXT(story_told(&story), "opened warning open 0>120 -9");
    close_last(&story, 150);
    for (int64_t at = 10; at * MIN < DAY + 150; at += 10)
        story_read(&story, at * MIN, -9);
    CHECK_TEXT(story_told(&story), "");
    restart(&story, &rule, 1);
    story_read(&story, DAY + 180, -9);
    story_read(&story, DAY + 300, -9);
    CHECK_TEXT(story_told(&story), "opened warning open 86580>86700 -9");
    story_end(&story);
}

static struct alert_rule sum_of(int64_t window_min, double level)
{
    struct alert_rule rule = rule_above("sum", level, level, 0, 0);
    rule.kind = ALERT_CUMULATIVE_ABOVE;
    rule.limit = 8;
    rule.window_ms = window_min * MIN * 1000;
    return rule;
}

/* It never recovers: another whole level of harm is news, a day that passes is none. */
static void a_total_opens_anew_when_it_grew_by_a_level(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = sum_of(0, 10);
    story_rules(&story, &rule, 1);
    read_minutes(&story, 0, 13, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 600>600 10");
    close_last(&story, 12 * MIN + 30); /* at 12 minutes */
    read_minutes(&story, 13, 20, 9);
    restart(&story, &rule, 1);
    for (int64_t i = 20; i < 3000; i++)
        story_read(&story, i * MIN, 5);
    CHECK_TEXT(story_told(&story), ""); /* two days later, at 20 */
    read_minutes(&story, 3000, 3002, 9);
    CHECK_TEXT(story_told(&story), "");
    read_minutes(&story, 3002, 3005, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 180120>180120 22");
    story_end(&story);
}

static void a_sum_within_a_window_ends_by_itself(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = sum_of(60, 20);
    story_rules(&story, &rule, 1);
    read_minutes(&story, 0, 22, 9);
    CHECK(story.count == 1);
    close_last(&story, 21 * MIN + 30);
    read_minutes(&story, 22, 120, 5);
    CHECK_TEXT(story_told(&story), "");
    read_minutes(&story, 120, 145, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 8400>8400 20");
    story_end(&story);
}

static void a_state_that_lasts_is_not_told_again(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("still", 30, 30, 0, 0);
    rule.kind = ALERT_STUCK;
    story_rules(&story, &rule, 1);
    read_minutes(&story, 0, 40, 5);
    CHECK(story.count == 1);
    close_last(&story, 40 * MIN);
    read_minutes(&story, 40, 200, 5);
    CHECK_TEXT(story_told(&story), "");
    read_minutes(&story, 200, 202, 6);
    read_minutes(&story, 202, 240, 7);
    CHECK(story.count == 3 && story.last.state == INCIDENT_OPEN);
    story_end(&story);
}

/* Whoever closed it said that the sensor was lost: what it reads again is news. */
static void what_was_unknown_is_judged_anew(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rules[] = {rule_above("warm", 8, 8, 0, 0),
                                 rule_silent("quiet", ALERT_SILENT, 600)};
    story_rules(&story, rules, 2);
    story_read(&story, 0, 9);
    struct incident warm = story.last;
    story_tick(&story, 700);
    story.last = warm;
    close_last(&story, 800);
    story_read(&story, 1000, 9);
    CHECK_TEXT(story_told(&story),
               "closed critical closed 1000>1000 1000; opened warning open 1000>1000 9");
    story_end(&story);
}

static void what_ends_otherwise_leaves_nothing(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    CHECK(alerts_end(story.alerts, story.last.id, T0 + 30000, &story.sink) == ERR_OK);
    CHECK(alerts_end(story.alerts, story.last.id, T0 + 30000, &story.sink) ==
          ERR_NOT_FOUND);
    story_told(&story);
    story_read(&story, 60, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 60>60 9");
    story_end(&story);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"it opens anew when it was back once", it_opens_anew_when_it_was_back_once},
        {"the next level opens another", the_next_level_opens_another},
        {"what lasts for a day is told again", what_lasts_for_a_day_is_told_again},
        {"a total opens anew when it grew by a level",
         a_total_opens_anew_when_it_grew_by_a_level},
        {"a sum within a window ends by itself", a_sum_within_a_window_ends_by_itself},
        {"a state that lasts is not told again", a_state_that_lasts_is_not_told_again},
        {"what was unknown is judged anew", what_was_unknown_is_judged_anew},
        {"what ends otherwise leaves nothing", what_ends_otherwise_leaves_nothing},
        CU_TEST_INFO_NULL,
    };
    return check_run("dismissed", tests);
}
