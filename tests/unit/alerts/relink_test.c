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
