// SPDX-License-Identifier: Apache-2.0
#include "alerts/handover.h"
#include "tests/unit/alerts/story.h"

static struct incident last;

static void keep(void *context, enum alert_effect_kind kind,
                 const struct incident *incident)
{
    (void)context;
    (void)kind;
    last = *incident;
}

static const struct alert_sink keeper = {.effect = keep};

struct two {
    struct alerts *first;
    struct alerts *second;
};

static void begin(struct two *two)
{
    const struct alert_rule rule = rule_above("warm", 8, 8, 0, 0);
    struct err_text why;
    two->first = alerts_create();
    two->second = alerts_create();
    CHECK(alerts_set_rules(two->first, &rule, 1, T0, &why) == ERR_OK);
    CHECK(alerts_set_rules(two->second, &rule, 1, T0, &why) == ERR_OK);
    last = (struct incident){0};
}

static void end(struct two *two)
{
    alerts_destroy(two->first);
    alerts_destroy(two->second);
}

static void read_in(struct alerts *alerts, int64_t at_s, double value)
{
    struct alert_reading reading = story_reading("air_temperature", at_s, value);
    alerts_reading(alerts, &reading, &keeper);
}

static void copy(struct alerts *to, const struct alerts *from)
{
    alerts_copy(to, from, "room-1", "dev-1", "air_temperature");
}

static void a_copy_goes_on_by_itself(void)
{
    struct two two;
    begin(&two);
    copy(two.second, two.first); /* nothing to copy yet */
    read_in(two.first, 60, 9);
    struct incident opened = last;
    copy(two.second, two.first);
    CHECK(alerts_incident(two.second, opened.id) != NULL);
    read_in(two.second, 120, 5);
    CHECK_TEXT(last.id, opened.id);
    CHECK(last.state == INCIDENT_CLOSED);
    CHECK(alerts_incident(two.second, opened.id) == NULL);
    CHECK(alerts_incident(two.first, opened.id) != NULL);
    copy(two.second, two.first); /* over what is there */
    CHECK(alerts_incident(two.second, opened.id) != NULL);
    end(&two);
}

static void what_is_dropped_is_told_to_nobody(void)
{
    struct two two;
    begin(&two);
    read_in(two.first, 60, 9);
    struct incident opened = last;
    last = (struct incident){0};
    alerts_drop(two.first, "room-1", "dev-1", "air_temperature");
    alerts_drop(two.first, "room-1", "dev-1", "humidity"); /* never there */
    CHECK(last.id[0] == '\0');
    CHECK(alerts_incident(two.first, opened.id) == NULL);
    read_in(two.first, 60, 9); /* as if for the first time */
    CHECK_TEXT(last.id, opened.id);
    CHECK(last.revision == 1);
    end(&two);
}

static void an_incident_goes_on_under_what_was_told(void)
{
    struct two two;
    begin(&two);
    read_in(two.second, 120, 9);
    struct incident told = last;
    told.revision = 7;
    told.severity = ALERT_CRITICAL;
    told.is_acknowledged = true;
    snprintf(told.acknowledged_by, sizeof told.acknowledged_by, "somebody");
    read_in(two.first, 60, 9);
    struct incident own = last;
    CHECK(strcmp(own.id, told.id) != 0);
    CHECK(alerts_adopt(two.first, own.id, &told) == ERR_OK);
    CHECK(alerts_adopt(two.first, own.id, &told) == ERR_NOT_FOUND);
    CHECK(alerts_adopt(two.first, told.id, &told) == ERR_OK); /* its own name */
    CHECK(alerts_adopt(two.first, "no id", &told) == ERR_NOT_FOUND);
    CHECK(alerts_incident(two.first, own.id) == NULL);
    read_in(two.first, 180, 5);
    CHECK_TEXT(last.id, told.id);
    CHECK(last.state == INCIDENT_CLOSED && last.revision == 8);
    CHECK(last.severity == ALERT_CRITICAL && last.onset_ms == own.onset_ms);
    CHECK_TEXT(last.acknowledged_by, "somebody");
    end(&two);
}

static void no_two_go_under_one_name(void)
{
    struct two two;
    begin(&two);
    read_in(two.first, 60, 9);
    struct incident one = last;
    struct alert_reading reading = story_reading("air_temperature-2", 60, 9);
    alerts_reading(two.first, &reading, &keeper);
    struct incident other = last;
    CHECK(alerts_adopt(two.first, one.id, &other) == ERR_EXISTS);
    CHECK(alerts_incident(two.first, one.id) != NULL);
    end(&two);
}

static void what_is_heard_is_not_silent_and_not_judged(void)
{
    struct two two;
    begin(&two);
    struct err_text why;
    const struct alert_rule rules[] = {
        rule_above("warm", 8, 8, 0, 0),
        {.id = "quiet", .zone = "room-1", .kind = ALERT_SILENT, .silent_ms = 60000},
        {.id = "gone", .zone = "room-1", .kind = ALERT_SILENT_DEVICE, .silent_ms = 60000},
    };
    CHECK(alerts_set_rules(two.first, rules, 3, T0, &why) == ERR_OK);
    read_in(two.first, 0, 5);
    struct alert_reading reading = story_reading("air_temperature", 50, 99);
    alerts_heard(two.first, &reading, &keeper);
    alerts_tick(two.first, T0 + 100000, &keeper);
    CHECK(last.id[0] == '\0');
    alerts_tick(two.first, T0 + 110000, &keeper);
    CHECK(last.kind == ALERT_SILENT || last.kind == ALERT_SILENT_DEVICE);
    CHECK(last.state == INCIDENT_OPEN);
    reading = story_reading("air_temperature", 120, 99);
    alerts_heard(two.first, &reading, &keeper);
    CHECK(last.state == INCIDENT_CLOSED && alert_kind_is_silence(last.kind));
    reading.quality = QUALITY_OPEN;
    reading.arrival_ms += 55000;
    alerts_heard(two.first, &reading, &keeper); /* a broken probe says nothing */
    alerts_tick(two.first, T0 + 180000, &keeper);
    CHECK(last.state == INCIDENT_OPEN && alert_kind_is_silence(last.kind));
    end(&two);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a copy goes on by itself", a_copy_goes_on_by_itself},
        {"what is dropped is told to nobody", what_is_dropped_is_told_to_nobody},
        {"an incident goes on under what was told",
         an_incident_goes_on_under_what_was_told},
        {"no two go under one name", no_two_go_under_one_name},
        {"what is heard is not silent and not judged",
         what_is_heard_is_not_silent_and_not_judged},
        CU_TEST_INFO_NULL,
    };
    return check_run("copy", tests);
}
