// SPDX-License-Identifier: Apache-2.0
#include "alerts/cause.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check.h"

#define MIN INT64_C(60000)
#define T0  INT64_C(1657195200000)

/* An incident of zone z1 whose onset is `at` minutes from T0. */
static struct incident incident_at(const char *id, enum alert_kind kind, int64_t at)
{
    struct incident incident = {.kind = kind, .severity = ALERT_WARNING, .revision = 1};
    snprintf(incident.id, sizeof incident.id, "%s", id);
    snprintf(incident.zone, sizeof incident.zone, "z1");
    snprintf(incident.quantity, sizeof incident.quantity, "air_temperature");
    incident.onset_ms = T0 + at * MIN;
    incident.opened_ms = incident.onset_ms;
    return incident;
}

static void families_are_of_kinds_and_quantities(void)
{
    static const struct {
        enum alert_kind kind;
        const char *quantity;
        enum cause_family family;
    } rows[] = {
        {ALERT_ABOVE, "air_temperature", CAUSE_COOLING},
        {ALERT_BELOW, "product_temperature", CAUSE_FREEZING},
        {ALERT_DOSE_BELOW, "air_temperature", CAUSE_FREEZING},
        {ALERT_DOSE_ABOVE, "air_temperature", CAUSE_COOLING},
        {ALERT_DOOR_OPEN, "door", CAUSE_COOLING},
        {ALERT_ABOVE, "temperature", CAUSE_COOLING},
        {ALERT_ABOVE, "relative_humidity", CAUSE_ALONE},
        {ALERT_ABOVE, "temperature_gradient", CAUSE_ALONE},
        {ALERT_SILENT, "relative_humidity", CAUSE_SILENCE},
        {ALERT_SILENT_DEVICE, "", CAUSE_SILENCE},
        {ALERT_FORK, "", CAUSE_ALONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct incident incident = incident_at("a", rows[i].kind, 0);
        snprintf(incident.quantity, sizeof incident.quantity, "%s", rows[i].quantity);
        CHECK(cause_family_of(&incident) == rows[i].family);
    }
    for (int i = CAUSE_ALONE; i <= CAUSE_POWER; i++) {
        enum cause_family family;
        CHECK(cause_family_parse(&family, cause_family_name((enum cause_family)i)));
        CHECK(family == (enum cause_family)i);
    }
    enum cause_family family;
    CHECK(!cause_family_parse(&family, "weather"));
}

/* The cause began at 0 in z1 of site s1; `end` minutes, -1: it goes on. */
struct taking {
    const char *what;
    enum alert_kind leader;
    int64_t end;
    enum alert_kind kind;
    const char *zone;
    const char *site;
    int64_t onset;
    int64_t closed; /* -1: open */
    bool is_taken;
};

static const struct taking takings[] = {
    {"same zone", ALERT_ABOVE, -1, ALERT_RATE, "z1", "s1", 60, -1, true},
    {"too cold beside too warm", ALERT_ABOVE, -1, ALERT_BELOW, "z1", "s1", 60, -1, false},
    {"too cold beside a door", ALERT_DOOR_OPEN, -1, ALERT_BELOW, "z1", "s1", 60, -1,
     false},
    {"too cold again", ALERT_BELOW, -1, ALERT_CUMULATIVE_BELOW, "z1", "s1", 60, -1, true},
    {"too cold elsewhere", ALERT_BELOW, -1, ALERT_BELOW, "z2", "s1", 0, -1, false},
    {"other family", ALERT_ABOVE, -1, ALERT_SILENT, "z1", "s1", 60, -1, false},
    {"cooling elsewhere", ALERT_ABOVE, -1, ALERT_ABOVE, "z2", "s1", 0, -1, false},
    {"soon after the end", ALERT_ABOVE, 60, ALERT_ABOVE, "z1", "s1", 90, -1, true},
    {"later", ALERT_ABOVE, 60, ALERT_ABOVE, "z1", "s1", 91, -1, false},
    {"long after it grew", ALERT_ABOVE, -1, ALERT_ABOVE, "z1", "s1", 721, -1, false},
    {"just before that", ALERT_ABOVE, -1, ALERT_ABOVE, "z1", "s1", 720, -1, true},
    {"learned late, over before", ALERT_ABOVE, -1, ALERT_ABOVE, "z1", "s1", -90, -31,
     false},
    {"learned late, over just before", ALERT_ABOVE, -1, ALERT_ABOVE, "z1", "s1", -90, -30,
     true},
    {"silence of the site", ALERT_SILENT, -1, ALERT_SILENT, "z2", "s1", 10, -1, true},
    {"a device with it", ALERT_SILENT, -1, ALERT_SILENT_DEVICE, "z2", "s1", -10, -1,
     true},
    {"not together", ALERT_SILENT, -1, ALERT_SILENT, "z2", "s1", 11, -1, false},
    {"in the zone, together", ALERT_SILENT, -1, ALERT_SILENT, "z1", "s1", 10, -1, true},
    {"heard after the others", ALERT_SILENT, -1, ALERT_SILENT, "z1", "s1", 11, -1, false},
    {"a device likewise", ALERT_SILENT, -1, ALERT_SILENT_DEVICE, "z1", "s1", 200, -1,
     false},
    {"heard less often", ALERT_SILENT, -1, ALERT_SILENT, "z1", "s1", -200, -1, true},
    {"silent again", ALERT_SILENT, 60, ALERT_SILENT, "z1", "s1", 90, -1, true},
    {"silent again, later", ALERT_SILENT, 60, ALERT_SILENT, "z1", "s1", 91, -1, false},
    {"other site", ALERT_SILENT, -1, ALERT_SILENT, "z2", "s2", 0, -1, false},
    {"no site is no common one", ALERT_SILENT, -1, ALERT_SILENT, "z2", "", 0, -1, false},
    {"a sum holds no cause", ALERT_DOSE_ABOVE, -1, ALERT_ABOVE, "z1", "s1", 31, -1,
     false},
    {"with its sum", ALERT_DOSE_ABOVE, -1, ALERT_ABOVE, "z1", "s1", 30, -1, true},
    {"sums of one harm", ALERT_DOSE_ABOVE, -1, ALERT_DOSE_ABOVE, "z1", "s1", 200, -1,
     true},
    {"a sum joins what goes on", ALERT_ABOVE, -1, ALERT_DOSE_ABOVE, "z1", "s1", 200, -1,
     true},
    {"alone", ALERT_FORK, -1, ALERT_FORK, "z1", "s1", 0, -1, false},
};

static void what_belongs_to_a_cause(void)
{
    for (size_t i = 0; i < sizeof takings / sizeof takings[0]; i++) {
        const struct taking *row = &takings[i];
        struct incident leader = incident_at("a", row->leader, 0);
        struct incident next = incident_at("b", row->kind, row->onset);
        snprintf(next.zone, sizeof next.zone, "%s", row->zone);
        next.closed_ms = row->closed != -1 ? T0 + row->closed * MIN : 0;
        struct cause cause;
        cause_begin(&cause, &leader, strcmp(row->site, "") == 0 ? "" : "s1");
        cause.ended_ms = row->end != -1 ? T0 + row->end * MIN : 0;
        CHECK_ROW(row->what, cause_takes(&cause, &next, row->site) == row->is_taken);
    }
}

static void what_keeps_a_cause_going(void)
{
    struct incident member = incident_at("a", ALERT_ABOVE, 0);
    CHECK(cause_alive_ms(&member) == INT64_MAX);
    member.state = INCIDENT_RECOVERING;
    CHECK(cause_alive_ms(&member) == INT64_MAX);
    member.state = INCIDENT_UNKNOWN;
    member.changed_ms = T0 + 20 * MIN;
    CHECK(cause_alive_ms(&member) == T0 + 20 * MIN);
    struct cause cause;
    cause_begin(&cause, &member, "s1");
    struct incident next = incident_at("b", ALERT_ABOVE, 50);
    CHECK(cause_takes(&cause, &next, "s1"));
    next.onset_ms += MIN;
    CHECK(!cause_takes(&cause, &next, "s1"));
    member.state = INCIDENT_CLOSED;
    member.closed_ms = T0 + 30 * MIN;
    CHECK(cause_alive_ms(&member) == T0 + 30 * MIN);
}

/* A sum keeps it open; the compressor that died beside it is told when it is proven. */
static void what_lasts_stands_where_it_was_proven(void)
{
    static const enum alert_kind lasting[] = {ALERT_COOLING_FAILED, ALERT_DOOR_OPEN,
                                              ALERT_DEFROST_LONG, ALERT_NO_RECOVERY};
    struct incident above = incident_at("a", ALERT_ABOVE, 0);
    struct cause cause;
    cause_begin(&cause, &above, "s1");
    cause.alive_ms = T0 + 20 * MIN;
    for (size_t i = 0; i < sizeof lasting / sizeof lasting[0]; i++) {
        struct incident next = incident_at("b", lasting[i], 10);
        next.opened_ms = T0 + 51 * MIN;
        CHECK(!cause_takes(&cause, &next, "s1"));
        next.opened_ms = T0 + 50 * MIN;
        CHECK(cause_takes(&cause, &next, "s1"));
    }
}

static void a_sum_does_not_let_a_cause_grow(void)
{
    struct incident above = incident_at("a", ALERT_ABOVE, 0);
    struct incident sum = incident_at("b", ALERT_CUMULATIVE_ABOVE, 600);
    struct cause cause;
    cause_begin(&cause, &above, "s1");
    struct cause_event event = {
        .kind = ALERT_EFFECT_OPENED, .incident = &sum, .is_other_open = true};
    CHECK(cause_takes(&cause, &sum, "s1"));
    cause_note(&cause, &event);
    CHECK(cause.grown_ms == T0);
}

/* ---- who is told ------------------------------------------------------------------- */

/* Members a, b, c ... of one cause, as its owner would keep them. */
struct members {
    struct cause cause;
    struct incident all[4];
    bool is_told[4];
    size_t count;
};

static const char *const tellings[] = {
    [CAUSE_TELL_NOBODY] = "-",  [CAUSE_TELL] = "told",      [CAUSE_TELL_OVER] = "over",
    [CAUSE_TELL_PART] = "part", [CAUSE_TELL_NEXT] = "next",
};

static const char *note(struct members *members, enum alert_effect_kind kind, size_t i)
{
    struct cause_event event = {.kind = kind,
                                .incident = &members->all[i],
                                .was_told = members->is_told[i],
                                .now_ms = T0};
    for (size_t k = 0; k < members->count; k++) {
        bool is_open = k != i && members->all[k].state != INCIDENT_CLOSED;
        event.is_other_open |= is_open;
        event.is_other_told |= is_open && members->is_told[k];
        event.is_over_told |= k != i && !is_open && members->is_told[k] &&
                              members->all[k].severity >= members->all[i].severity;
    }
    enum cause_telling telling = cause_note(&members->cause, &event);
    members->is_told[i] |= telling != CAUSE_TELL_NOBODY;
    return tellings[telling];
}

static const char *open_one(struct members *members, enum alert_severity severity,
                            int64_t at)
{
    static const char *const ids[] = {"a", "b", "c", "d"};
    size_t i = members->count++;
    members->all[i] = incident_at(ids[i], ALERT_ABOVE, at);
    members->all[i].severity = severity;
    if (i == 0)
        cause_begin(&members->cause, &members->all[0], "s1");
    CHECK(i == 0 || cause_takes(&members->cause, &members->all[i], "s1"));
    return note(members, ALERT_EFFECT_OPENED, i);
}

static const char *close_one(struct members *members, size_t i, int64_t at)
{
    members->all[i].state = INCIDENT_CLOSED;
    members->all[i].closed_ms = T0 + at * MIN;
    return note(members, ALERT_EFFECT_CLOSED, i);
}

static void a_follower_is_told_only_when_it_is_graver(void)
{
    struct members m = {0};
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 0), "told");
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 1), "-");
    CHECK_TEXT(open_one(&m, ALERT_CRITICAL, 2), "told");
    CHECK_TEXT(open_one(&m, ALERT_CRITICAL, 3), "-");
    m.all[0].severity = ALERT_CRITICAL;
    CHECK_TEXT(note(&m, ALERT_EFFECT_ESCALATED, 0), "-");
    CHECK_TEXT(note(&m, ALERT_EFFECT_UPDATED, 0), "-");
}

static void a_follower_that_escalates_is_told(void)
{
    struct members m = {0};
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 0), "told");
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 1), "-");
    m.all[1].severity = ALERT_CRITICAL;
    CHECK_TEXT(note(&m, ALERT_EFFECT_ESCALATED, 1), "told");
}

static void the_end_is_told_with_the_last_member(void)
{
    struct members m = {0};
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 0), "told");
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 1), "-");
    CHECK_TEXT(close_one(&m, 0, 20), "-");
    CHECK(m.cause.ended_ms == 0);
    CHECK_TEXT(close_one(&m, 1, 30), "told");
    CHECK(m.cause.ended_ms == T0 + 30 * MIN);
}

static void what_begins_again_soon_opens_the_cause_again(void)
{
    struct members m = {0};
    CHECK_TEXT(open_one(&m, ALERT_CRITICAL, 0), "told");
    CHECK_TEXT(close_one(&m, 0, 20), "told");
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 45), "told");
    CHECK(m.cause.ended_ms == 0);
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 46), "-");
    CHECK_TEXT(open_one(&m, ALERT_CRITICAL, 47), "told");
    CHECK_TEXT(close_one(&m, 3, 50), "-");
    CHECK_TEXT(close_one(&m, 2, 51), "-");
    CHECK_TEXT(close_one(&m, 1, 52), "told");
}

/* Opened and closed by readings that came late: one message, when all is known. */
static const char *both(struct members *m, enum alert_severity severity, int64_t from,
                        int64_t to, const char *opening)
{
    size_t i = m->count++;
    m->all[i] = incident_at("late", ALERT_ABOVE, from);
    m->all[i].severity = severity;
    m->all[i].state = INCIDENT_CLOSED;
    m->all[i].closed_ms = T0 + to * MIN;
    if (i == 0)
        cause_begin(&m->cause, &m->all[i], "s1");
    CHECK(i == 0 || cause_takes(&m->cause, &m->all[i], "s1"));
    CHECK_TEXT(note(m, ALERT_EFFECT_OPENED, i), opening);
    return note(m, ALERT_EFFECT_CLOSED, i);
}

static void what_is_over_when_it_is_learned_is_told_once(void)
{
    struct members m = {0};
    CHECK_TEXT(both(&m, ALERT_WARNING, 0, 90, "-"), "over");
    CHECK_TEXT(both(&m, ALERT_WARNING, 20, 60, "-"), "-");
    CHECK(m.cause.ended_ms == T0 + 90 * MIN);
    CHECK_TEXT(both(&m, ALERT_CRITICAL, 30, 100, "-"), "over");
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 110), "told");
    struct members going = {0};
    CHECK_TEXT(open_one(&going, ALERT_WARNING, 0), "told");
    CHECK_TEXT(both(&going, ALERT_WARNING, -40, -20, "-"), "-");
    CHECK(going.cause.ended_ms == 0);
    CHECK(going.cause.onset_ms == T0 - 40 * MIN);
}

/* Once, and what goes on is told as ever when it becomes so grave. */
static void what_was_graver_and_is_over_ends_nothing(void)
{
    struct members m = {0};
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 0), "told");
    CHECK_TEXT(both(&m, ALERT_CRITICAL, -40, 20, "-"), "part");
    CHECK_TEXT(both(&m, ALERT_CRITICAL, 5, 25, "-"), "-");
    CHECK(m.cause.ended_ms == 0);
    m.all[0].severity = ALERT_CRITICAL;
    CHECK_TEXT(note(&m, ALERT_EFFECT_ESCALATED, 0), "told");
    CHECK_TEXT(close_one(&m, 0, 60), "told");
    CHECK(m.cause.ended_ms == T0 + 60 * MIN);
}

static void a_second_zone_is_told_once(void)
{
    struct members m = {.count = 1};
    m.all[0] = incident_at("a", ALERT_SILENT, 0);
    cause_begin(&m.cause, &m.all[0], "s1");
    CHECK_TEXT(note(&m, ALERT_EFFECT_OPENED, 0), "told");
    for (size_t i = 1; i < 4; i++) {
        m.count++;
        m.all[i] = incident_at("b", ALERT_SILENT, 1);
        snprintf(m.all[i].zone, sizeof m.all[i].zone, "z%zu", i + 1);
        CHECK(cause_takes(&m.cause, &m.all[i], "s1"));
        CHECK_TEXT(note(&m, ALERT_EFFECT_OPENED, i), i == 1 ? "told" : "-");
    }
}

static const char *withdraw(struct members *m, size_t i)
{
    m->all[i].state = INCIDENT_CLOSED;
    m->all[i].closed_ms = T0 + 99 * MIN;
    return note(m, ALERT_EFFECT_WITHDRAWN, i);
}

static void who_was_told_of_what_never_was_is_told(void)
{
    struct members alone = {0};
    CHECK_TEXT(open_one(&alone, ALERT_WARNING, 0), "told");
    CHECK_TEXT(withdraw(&alone, 0), "told");
    struct members led = {0};
    CHECK_TEXT(open_one(&led, ALERT_WARNING, 0), "told");
    CHECK_TEXT(open_one(&led, ALERT_WARNING, 1), "-");
    CHECK_TEXT(open_one(&led, ALERT_WARNING, 2), "-");
    CHECK_TEXT(withdraw(&led, 1), "-");
    CHECK_TEXT(withdraw(&led, 0), "next"); /* nobody knows of the third */
    CHECK(!led.cause.is_told);
    CHECK_TEXT(note(&led, ALERT_EFFECT_OPENED, 2), "told");
    CHECK_TEXT(close_one(&led, 2, 120), "told");
}

static void one_that_was_acknowledged_and_forgotten_comes_back_once(void)
{
    struct members m = {0};
    CHECK_TEXT(open_one(&m, ALERT_WARNING, 0), "told");
    CHECK_TEXT(open_one(&m, ALERT_CRITICAL, 1), "told");
    CHECK_TEXT(note(&m, ALERT_EFFECT_REMINDED, 0), "told");
    CHECK_TEXT(note(&m, ALERT_EFFECT_REMINDED, 1), "-");
    m.cause.reminded_ms = T0 + 8 * 3600000; /* by a clock that was ahead */
    CHECK_TEXT(note(&m, ALERT_EFFECT_REMINDED, 1), "told");
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"families are of kinds and quantities", families_are_of_kinds_and_quantities},
        {"what belongs to a cause", what_belongs_to_a_cause},
        {"what keeps a cause going", what_keeps_a_cause_going},
        {"what lasts stands where it was proven", what_lasts_stands_where_it_was_proven},
        {"a sum does not let a cause grow", a_sum_does_not_let_a_cause_grow},
        {"a follower is told only when it is graver",
         a_follower_is_told_only_when_it_is_graver},
        {"a follower that escalates is told", a_follower_that_escalates_is_told},
        {"the end is told with the last member", the_end_is_told_with_the_last_member},
        {"what begins again soon opens the cause again",
         what_begins_again_soon_opens_the_cause_again},
        {"what is over when it is learned is told once",
         what_is_over_when_it_is_learned_is_told_once},
        {"what was graver and is over ends nothing",
         what_was_graver_and_is_over_ends_nothing},
        {"a second zone is told once", a_second_zone_is_told_once},
        {"who was told of what never was is told",
         who_was_told_of_what_never_was_is_told},
        {"one that was acknowledged and forgotten comes back once",
         one_that_was_acknowledged_and_forgotten_comes_back_once},
        CU_TEST_INFO_NULL,
    };
    return check_run("cause", tests);
}
