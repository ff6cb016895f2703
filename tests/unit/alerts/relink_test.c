// SPDX-License-Identifier: Apache-2.0
/* Rules that change, go and come back while something is open; and what people do. */
#include "tests/unit/alerts/story.h"

static void an_unchanged_rule_keeps_its_delay(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rules[] = {rule_above("warm", 8, 8, 120, 0),
                                 rule_above("hot", 30, 30, 0, 0)};
    story_rules(&story, rules, 2);
    story_read(&story, 0, 9);
    rules[1].levels[0].level = 25; /* another one changes */
    rules[1].levels[0].recovery_level = 25;
    story_rules(&story, rules, 2);
    story_read(&story, 120, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 0>120 9");
    story_end(&story);
}

static void a_changed_rule_starts_its_delay_anew(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 120, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    rule.levels[0].delay_ms = 60000;
    story_rules(&story, &rule, 1);
    story_read(&story, 119, 9);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 179, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 119>179 9");
    story_end(&story);
}

static void a_rule_replaced_while_firing_goes_on_by_the_new_one(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    struct incident first = story.last;
    rule.levels[0].level = rule.levels[0].recovery_level = 6;
    rule_add_critical(&rule, 10, 10, 0, 0);
    story_rules(&story, &rule, 1);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 9");
    story_read(&story, 60, 7); /* back of 8, not of 6 */
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 120, 11);
    CHECK_TEXT(story_told(&story), "escalated critical open 0>0 11");
    CHECK_TEXT(story.last.id, first.id);
    CHECK_TEXT(story.last.snapshot, first.snapshot); /* of its opening */
    story_read(&story, 180, 5);
    CHECK_TEXT(story_told(&story), "closed critical closed 180>180 5");
    story_read(&story, 240, 6);
    CHECK(strcmp(story.last.snapshot, first.snapshot) != 0);
    story_end(&story);
}

static void a_rule_replaced_by_a_milder_one_closes_at_the_next_sample(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    rule.levels[0].level = rule.levels[0].recovery_level = 10;
    story_rules(&story, &rule, 1);
    CHECK(story.count == 1); /* replacing tells nothing */
    story_read(&story, 60, 9);
    CHECK_TEXT(story_told(&story),
               "opened warning open 0>0 9; closed warning closed 60>60 9");
    story_end(&story);
}

static struct alert_rule rule_of(enum alert_kind kind, const char *quantity, double level)
{
    struct alert_rule rule = rule_above("measured", level, level, 0, 0);
    rule.kind = kind;
    rule.limit = 8;
    snprintf(rule.quantity, sizeof rule.quantity, "%s", quantity);
    return rule;
}

static void read_each_minute(struct story *story, const struct alert_rule *rule,
                             int64_t from_min, int64_t to_min, double value)
{
    for (int64_t minute = from_min; minute < to_min; minute++) {
        struct alert_reading reading = story_reading(rule->quantity, minute * 60, value);
        reading.quantity = rule->quantity;
        alerts_reading(story->alerts, &reading, &story->sink);
    }
}

static void put(void *context, const char *key, const void *data, size_t len)
{
    if (len > 0)
        CHECK_ROW(key, alerts_load(context, key, data, len) == ERR_OK);
}

/* Saved, and read by an engine that has that rule from the beginning. */
static void restart_with(struct story *story, const struct alert_rule *rule)
{
    struct alerts *old = story->alerts;
    story->alerts = alerts_create();
    story_rules(story, rule, 1);
    alerts_save_changed(old, story->alerts, put);
    alerts_destroy(old);
}

/* What was added up, or has lasted, is the same whatever follows from it. */
static void a_rule_told_otherwise_goes_on_measuring(void)
{
    static const struct {
        const char *name;
        enum alert_kind kind;
        const char *quantity;
        int64_t window_min;
        double level;
        double bad;
        double good;
        int64_t over_min; /* from the end of what was bad on */
        int64_t window_after_min;
    } rows[] = {
        {"sum", ALERT_CUMULATIVE_ABOVE, "air_temperature", 180, 60, 9, 4, 181, 180},
        {"dose", ALERT_DOSE_ABOVE, "air_temperature", 180, 60, 9, 4, 181, 180},
        {"door", ALERT_DOOR_OPEN, "door", 0, 60, 1, 0, 1, 0},
        {"stuck", ALERT_STUCK, "air_temperature", 0, 60, 9, 4, 1, 0},
        {"defrost due", ALERT_DEFROST_MISSING, "defrost", 30, 60, 0, 1, 1, 20},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int restarts = 0; restarts < 2; restarts++) {
            struct story story;
            story_begin(&story);
            struct alert_rule rule =
                rule_of(rows[i].kind, rows[i].quantity, rows[i].level);
            rule.window_ms = rows[i].window_min * 60000;
            story_rules(&story, &rule, 1);
            read_each_minute(&story, &rule, 0, 120, rows[i].bad);
            CHECK_ROW(rows[i].name, story.count == 1);
            rule.levels[0].severity = ALERT_CRITICAL;
            rule.levels[0].level += 5;
            rule.levels[0].recovery_level += 5;
            rule.unless = 1u << ALERT_REASON_MAINTENANCE;
            rule.window_ms = rows[i].window_after_min * 60000;
            if (restarts)
                restart_with(&story, &rule);
            else
                story_rules(&story, &rule, 1);
            read_each_minute(&story, &rule, 120, 180, rows[i].bad);
            CHECK_ROW(rows[i].name, story.count == 1);
            read_each_minute(&story, &rule, 180, 180 + rows[i].over_min, rows[i].good);
            CHECK_ROW(rows[i].name, story.count == 2);
            CHECK_ROW(rows[i].name, story.last.state == INCIDENT_CLOSED);
            story_end(&story);
        }
    }
}

/* 9 C for two hours, then 4 C: told by `rule`, which `after` replaces when an hour is
 * over. In minutes, 0: it is not closed. */
static int64_t closed_after(const struct alert_rule *rule, const struct alert_rule *after,
                            bool restarts)
{
    struct story story;
    story_begin(&story);
    story_rules(&story, rule, 1);
    read_each_minute(&story, rule, 0, 61, 9);
    CHECK_TEXT(story_told(&story), "opened warning open 3600>3600 60");
    story_rules(&story, after, 1);
    read_each_minute(&story, rule, 61, 70, 9);
    if (restarts)
        restart_with(&story, after);
    read_each_minute(&story, rule, 70, 120, 9);
    read_each_minute(&story, rule, 120, 600, 4);
    CHECK(story.count <= 2);
    int64_t changed_ms = story.last.changed_ms;
    bool is_closed = story.last.state == INCIDENT_CLOSED;
    story_end(&story);
    return is_closed ? (changed_ms - T0) / 60000 : 0;
}

/* Of what it added up beyond another limit it knows nothing: not that it is over either.
 */
static void a_sum_that_begins_anew_ends_nothing_before_it_has_looked_back(void)
{
    static const struct {
        const char *name;
        double limit;
        int64_t window_min;
        double level;
        int64_t closed_min;
    } rows[] = {
        {"another limit", 8.5, 180, 3600, 61 + 180},
        {"and past again by that", 8.5, 180, 1800, 120 + 180 - 29},
        {"another window", 8, 240, 3600, 61 + 240},
        {"all of the past", 8, 0, 3600, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct alert_rule rule = rule_of(ALERT_CUMULATIVE_ABOVE, "air_temperature", 60);
        rule.window_ms = INT64_C(180) * 60000;
        struct alert_rule after = rule;
        after.limit = rows[i].limit;
        after.window_ms = rows[i].window_min * 60000;
        after.levels[0].level = after.levels[0].recovery_level = rows[i].level / 60;
        int64_t closed_min = closed_after(&rule, &after, false);
        CHECK_ROW(rows[i].name, closed_min == rows[i].closed_min);
        CHECK_ROW(rows[i].name, closed_after(&rule, &after, true) == closed_min);
    }
}

static void a_rule_removed_while_firing_leaves_its_incident_to_people(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rules[] = {rule_above("warm", 8, 8, 0, 0),
                                 rule_silent("quiet", ALERT_SILENT, 600)};
    story_rules(&story, rules, 2);
    story_read(&story, 0, 9);
    struct incident first = story.last;
    CHECK(alerts_set_rules(story.alerts, rules + 1, 1, T0 + 30000, NULL) == ERR_OK);
    story_read(&story, 60, 5);
    CHECK_TEXT(story_told(&story), "opened warning open 0>0 9");
    const struct incident *now = alerts_incident(story.alerts, first.id);
    CHECK(now != NULL && now->state == INCIDENT_OPEN);
    CHECK(now != NULL && now->changed_ms == T0 + 30000);
    CHECK(now != NULL && strcmp(now->snapshot, first.snapshot) == 0);
    CHECK(alerts_close(story.alerts, first.id, T0 + 90000, &story.sink) == ERR_OK);
    CHECK_TEXT(story_told(&story), "closed warning closed 0>90 9");
    CHECK(alerts_close(story.alerts, first.id, T0 + 90000, &story.sink) == ERR_NOT_FOUND);
    story_end(&story);
}

static void all_rules_removed_and_closed_leaves_nothing(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    CHECK(alerts_set_rules(story.alerts, NULL, 0, T0, NULL) == ERR_OK);
    story_read(&story, 60, 99);
    CHECK(alerts_close(story.alerts, story.last.id, T0, &story.sink) == ERR_OK);
    story_read(&story, 120, 99);
    CHECK(story.count == 2);
    story_end(&story);
}

static void a_rule_that_comes_back_takes_its_incident_over(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 60);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    char id[ALERT_ID_SIZE];
    memcpy(id, story.last.id, sizeof id);
    CHECK(alerts_set_rules(story.alerts, NULL, 0, T0, NULL) == ERR_OK);
    story_read(&story, 60, 5);
    story_rules(&story, &rule, 1);
    story_told(&story);
    story_read(&story, 120, 5);
    story_read(&story, 180, 5);
    CHECK_TEXT(story_told(&story), "updated warning recovering 0>0 5; "
                                   "closed warning closed 120>180 5");
    CHECK_TEXT(story.last.id, id);
    story_end(&story);
}

static void another_kind_is_another_rule(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("limit", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    char id[ALERT_ID_SIZE];
    memcpy(id, story.last.id, sizeof id);
    rule.kind = ALERT_BELOW;
    story_rules(&story, &rule, 1);
    story_told(&story);
    story_read(&story, 60, 5);
    CHECK_TEXT(story_told(&story), "opened warning open 60>60 5");
    CHECK(alerts_incident(story.alerts, id) != NULL);
    CHECK(strcmp(story.last.id, id) != 0);
    story_end(&story);
}

static void silence_rules_may_be_replaced_too(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_silent("quiet", ALERT_SILENT, 600);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 4);
    rule.silent_ms = 60000;
    story_rules(&story, &rule, 1);
    story_tick(&story, 60);
    CHECK_TEXT(story_told(&story), "opened critical open 0>60 60");
    rule.silent_ms = 3600000;
    story_rules(&story, &rule, 1);
    story_tick(&story, 3600); /* told already */
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 3660, 4);
    CHECK_TEXT(story_told(&story), "closed critical closed 3660>3660 3660");
    story_end(&story);
}

/* The channel was known before any rule about whole devices was. */
static void a_new_rule_for_devices_knows_those_that_were_heard(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rules[] = {rule_above("warm", 8, 8, 0, 0),
                                 rule_silent("dead", ALERT_SILENT_DEVICE, 600)};
    story_rules(&story, rules, 1);
    story_read(&story, 0, 4);
    story_rules(&story, rules, 2);
    story_tick(&story, 600);
    CHECK_TEXT(story_told(&story), "opened critical open 0>600 600");
    story_rules(&story, rules, 1);
    story_read(&story, 700, 4);
    CHECK_TEXT(story_told(&story), ""); /* no rule says when it is over */
    CHECK(alerts_close(story.alerts, story.last.id, T0, &story.sink) == ERR_OK);
    story_end(&story);
}

static void the_first_to_acknowledge_wins(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    story_told(&story);
    char id[ALERT_ID_SIZE];
    memcpy(id, story.last.id, sizeof id);
    CHECK(alerts_acknowledge(story.alerts, id, "p-7", T0 + 5000, &story.sink) == ERR_OK);
    CHECK_TEXT(story_told(&story), "updated warning open 0>0 9");
    CHECK(story.last.is_acknowledged && story.last.acknowledged_ms == T0 + 5000);
    CHECK_TEXT(story.last.acknowledged_by, "p-7");
    CHECK(alerts_acknowledge(story.alerts, id, "p-8", T0, &story.sink) == ERR_EXISTS);
    CHECK_TEXT(story_told(&story), "");
    story_read(&story, 60, 5);
    CHECK(story.last.is_acknowledged && story.last.revision == 3);
    CHECK_TEXT(story_told(&story), "closed warning closed 60>60 5");
    CHECK(alerts_acknowledge(story.alerts, id, "p-8", T0, &story.sink) == ERR_NOT_FOUND);
    static const char *const ids[] = {"", "xyz", "00000000000000000000000000000000"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        CHECK_ROW(ids[i], alerts_acknowledge(story.alerts, ids[i], "p-8", T0,
                                             &story.sink) == ERR_NOT_FOUND);
    story_end(&story);
}

/* Ids are part of what is stored elsewhere: they may not change with a version. */
static void ids_are_the_hash_that_they_were(void)
{
    struct story story;
    story_begin(&story);
    struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    story_rules(&story, &rule, 1);
    story_read(&story, 0, 9);
    CHECK_TEXT(story.last.id, "81761108f5ce9a2767df1d9d391d1377");
    story_end(&story);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"an unchanged rule keeps its delay", an_unchanged_rule_keeps_its_delay},
        {"a changed rule starts its delay anew", a_changed_rule_starts_its_delay_anew},
        {"a rule replaced while firing goes on by the new one",
         a_rule_replaced_while_firing_goes_on_by_the_new_one},
        {"a rule replaced by a milder one closes at the next sample",
         a_rule_replaced_by_a_milder_one_closes_at_the_next_sample},
        {"a rule told otherwise goes on measuring",
         a_rule_told_otherwise_goes_on_measuring},
        {"a sum that begins anew ends nothing before it has looked back",
         a_sum_that_begins_anew_ends_nothing_before_it_has_looked_back},
        {"a rule removed while firing leaves its incident to people",
         a_rule_removed_while_firing_leaves_its_incident_to_people},
        {"all rules removed and closed leaves nothing",
         all_rules_removed_and_closed_leaves_nothing},
        {"a rule that comes back takes its incident over",
         a_rule_that_comes_back_takes_its_incident_over},
        {"another kind is another rule", another_kind_is_another_rule},
        {"silence rules may be replaced too", silence_rules_may_be_replaced_too},
        {"a new rule for devices knows those that were heard",
         a_new_rule_for_devices_knows_those_that_were_heard},
        {"the first to acknowledge wins", the_first_to_acknowledge_wins},
        {"ids are the hash that they were", ids_are_the_hash_that_they_were},
        CU_TEST_INFO_NULL,
    };
    return check_run("relink", tests);
}
