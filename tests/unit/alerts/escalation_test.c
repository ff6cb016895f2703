// SPDX-License-Identifier: Apache-2.0
#include "alerts/escalation.h"

#include "base/clock.h"
#include "tests/support/check.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { SMS, CHAT, VOICE, CHANNELS };
enum { LI, WANG, CHEN, CONTACTS };
enum { ON_CALL, MANAGER, DUTIES };

/* A house: li by day, wang by night, chen is the manager at all times. */
struct house {
    struct escalation_channel channels[CHANNELS];
    struct escalation_hours night;
    struct escalation_hours day_shift;
    struct escalation_hours night_shift;
    struct escalation_address addresses[CONTACTS][CHANNELS];
    struct escalation_contact contacts[CONTACTS];
    struct escalation_shift on_call[3];
    struct escalation_shift manager[1];
    struct escalation_duty duties[DUTIES];
    struct escalation_policy policy;
    struct escalation_plan plan;
    struct escalation_case incident;
    struct escalation_tell told[1000];
    size_t told_count;
    int64_t next_ms;
};

static int64_t at(const char *iso)
{
    int64_t ms = 0;
    CHECK(clock_parse_iso(&ms, iso));
    return ms;
}

static struct escalation_hours hours(const char *text)
{
    struct escalation_hours made;
    struct err_text why = {0};
    CHECK_ROW(text, escalation_hours_parse(&made, text, &why) == ERR_OK);
    return made;
}

static struct tz zone(const char *rule)
{
    struct tz tz;
    CHECK(tz_parse(&tz, rule) == ERR_OK);
    return tz;
}

static void set_up(struct house *house, const char *opened)
{
    *house = (struct house){
        .channels = {{.name = "sms"}, {.name = "chat"}, {.name = "voice", .rings = true}},
        .night = hours("22:00-07:00"),
        .day_shift = hours("08:00-20:00"),
        .night_shift = hours("20:00-08:00"),
        .incident = {.severity = ALERT_CRITICAL,
                     .round_ms = at(opened),
                     .tz = zone("CST-8")},
    };
    static const char *const names[] = {"li", "wang", "chen"};
    for (size_t i = 0; i < CONTACTS; i++) {
        for (size_t k = 0; k < CHANNELS; k++)
            house->addresses[i][k].channel = k;
        house->contacts[i] = (struct escalation_contact){
            .id = names[i],
            .addresses = house->addresses[i],
            .address_count = CHANNELS,
        };
    }
    house->on_call[0] = (struct escalation_shift){
        .contact = LI, .hours = &house->day_shift, .hours_count = 1};
    house->on_call[1] = (struct escalation_shift){
        .contact = WANG, .hours = &house->night_shift, .hours_count = 1};
    house->manager[0] = (struct escalation_shift){.contact = CHEN};
    house->duties[ON_CALL] = (struct escalation_duty){
        .id = "on-call", .shifts = house->on_call, .shift_count = 2};
    house->duties[MANAGER] = (struct escalation_duty){
        .id = "manager", .shifts = house->manager, .shift_count = 1};
    house->policy = (struct escalation_policy){
        .id = "rooms",
        .steps = {{.duty = ON_CALL, .repeat_ms = 10 * MINUTE, .most = 3},
                  {.after_ms = 15 * MINUTE, .duty = MANAGER, .most = 1}},
        .step_count = 2,
        .last_resort = ESCALATION_NONE,
    };
    house->plan = (struct escalation_plan){
        .channels = house->channels,
        .channel_count = CHANNELS,
        .contacts = house->contacts,
        .contact_count = CONTACTS,
        .duties = house->duties,
        .duty_count = DUTIES,
        .policies = &house->policy,
        .policy_count = 1,
    };
}

static void everyone_is_quiet(struct house *house)
{
    for (size_t i = 0; i < CONTACTS; i++) {
        for (size_t k = 0; k < CHANNELS; k++) {
            house->addresses[i][k].quiet = &house->night;
            house->addresses[i][k].quiet_count = 1;
        }
    }
}

/* As the collector does: what is told is remembered, a new round forgets it. */
static void step(struct house *house, int64_t now_ms)
{
    struct escalation_decision decision;
    escalation_next(&house->plan, &house->policy, &house->incident, house->told,
                    house->told_count, now_ms, &decision);
    for (size_t i = 0; i < decision.count; i++)
        house->told[house->told_count++] = decision.tells[i];
    house->next_ms = decision.next_ms;
}

/* Looks whenever it is asked to, for so long. */
static void pass(struct house *house, int64_t from_ms, int64_t span_ms)
{
    house->next_ms = from_ms;
    while (house->next_ms <= from_ms + span_ms)
        step(house, house->next_ms);
}

/* "0m li sms, 10m li sms": what was told since the time given. */
static const char *story(const struct house *house, int64_t from_ms)
{
    static char text[2000];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < house->told_count; i++) {
        const struct escalation_tell *told = &house->told[i];
        const char *who =
            told->contact == ESCALATION_NONE ? "all" : house->contacts[told->contact].id;
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s%dm %s %s",
                             len > 0 ? ", " : "", (int)((told->at_ms - from_ms) / MINUTE),
                             who, house->channels[told->channel].name);
    }
    return text;
}

static struct house house;

static void steps_come_one_after_the_other(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    pass(&house, house.incident.round_ms, DAY / 4);
    CHECK_TEXT(story(&house, house.incident.round_ms),
               "0m li sms, 10m li sms, 15m chen sms, 20m li sms");
}

static void an_acknowledgement_ends_it_until_it_is_graver(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    step(&house, from_ms);
    house.incident.is_acknowledged = true;
    house.incident.acknowledged_ms = from_ms + 5 * MINUTE;
    pass(&house, from_ms + 5 * MINUTE, HOUR);
    CHECK_TEXT(story(&house, from_ms), "0m li sms");
    CHECK(house.next_ms == ESCALATION_NEVER);
    /* Graver than what was acknowledged: each is told once. */
    house.incident.round_ms = from_ms + HOUR;
    house.told_count = 0;
    pass(&house, house.incident.round_ms, HOUR);
    CHECK_TEXT(story(&house, from_ms), "60m li sms");
}

static void a_snooze_is_silence_until_it_ends(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    house.incident.snoozed_until_ms = from_ms + HOUR;
    pass(&house, from_ms, 59 * MINUTE);
    CHECK(house.told_count == 0);
    CHECK(house.next_ms == from_ms + HOUR);
    step(&house, house.next_ms);
    CHECK_TEXT(story(&house, from_ms), "60m li sms, 60m chen sms");
}

static void a_new_shift_is_told_of_what_nobody_answered(void)
{
    set_up(&house, "2026-11-26T19:55:00+08:00");
    house.policy.step_count = 1;
    pass(&house, house.incident.round_ms, HOUR);
    CHECK_TEXT(story(&house, house.incident.round_ms),
               "0m li sms, 5m wang sms, 15m wang sms, 25m wang sms");
}

static void a_warning_waits_for_the_end_of_quiet_hours(void)
{
    set_up(&house, "2026-11-26T23:50:00+08:00");
    everyone_is_quiet(&house);
    house.incident.severity = ALERT_WARNING;
    house.policy.steps[0].duty = MANAGER;
    house.policy.step_count = 1;
    pass(&house, house.incident.round_ms, 7 * HOUR);
    CHECK(house.told_count == 0);
    pass(&house, house.next_ms, HOUR / 2);
    CHECK_TEXT(story(&house, at("2026-11-27T07:00:00+08:00")),
               "0m chen sms, 10m chen sms, 20m chen sms");
}

static void what_is_critical_rings_in_quiet_hours(void)
{
    set_up(&house, "2026-11-26T23:50:00+08:00");
    everyone_is_quiet(&house);
    step(&house, house.incident.round_ms);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m wang voice");
    CHECK(house.told[0].is_in_quiet);
    /* By day the order of preference counts. */
    set_up(&house, "2026-11-26T12:00:00+08:00");
    everyone_is_quiet(&house);
    step(&house, house.incident.round_ms);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m li sms");
    CHECK(!house.told[0].is_in_quiet);
}

static void an_address_that_is_never_quiet_is_used_at_night(void)
{
    set_up(&house, "2026-11-26T23:50:00+08:00");
    everyone_is_quiet(&house);
    house.incident.severity = ALERT_WARNING;
    house.addresses[WANG][CHAT].quiet_count = 0;
    step(&house, house.incident.round_ms);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m wang chat");
}

static void what_failed_goes_over_the_next_address(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    house.policy.step_count = 1;
    step(&house, from_ms);
    house.told[0].has_failed = true;
    step(&house, from_ms + 2 * MINUTE);
    CHECK(house.told[1].is_fallback && house.told[1].repeat == 0);
    house.told[1].has_failed = true;
    step(&house, from_ms + 3 * MINUTE);
    house.told[2].has_failed = true;
    house.policy.last_resort = MANAGER;
    step(&house, from_ms + 4 * MINUTE); /* nothing is left to try: the last resort */
    CHECK_TEXT(story(&house, from_ms), "0m li sms, 2m li chat, 3m li voice, 4m chen sms");
    CHECK(house.told[3].is_last_resort);
    pass(&house, house.next_ms, 10 * MINUTE); /* the next repeat tries them anew */
    CHECK_TEXT(story(&house, from_ms),
               "0m li sms, 2m li chat, 3m li voice, 4m chen sms, 13m li sms");
}

/* All that was told so far comes to nothing. */
static void all_fails(void)
{
    for (size_t i = 0; i < house.told_count; i++)
        house.told[i].has_failed = true;
}

/* Who cannot be reached at all is no end: the next step is due, then everybody is. */
static void who_cannot_be_reached_is_passed_over(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    house.policy.steps[0].repeat_ms = 0;
    for (size_t i = 0; i < CONTACTS; i++)
        house.contacts[i].address_count = 1; /* sms alone */
    step(&house, from_ms);
    all_fails();
    step(&house, from_ms + 2 * MINUTE);
    CHECK_TEXT(story(&house, from_ms), "0m li sms, 2m chen sms");
    pass(&house, from_ms + 3 * MINUTE, HOUR); /* one message got through: as ever */
    CHECK_TEXT(story(&house, from_ms), "0m li sms, 2m chen sms");
    all_fails();
    step(&house, from_ms + 61 * MINUTE);
    CHECK_TEXT(story(&house, from_ms), "0m li sms, 2m chen sms, 61m all sms, 61m all "
                                       "chat, 61m all voice");
}

static void a_channel_that_is_down_is_not_waited_for(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    house.channels[SMS].is_down = true;
    house.contacts[LI].address_count = 1;
    step(&house, from_ms);
    CHECK_TEXT(story(&house, from_ms), "0m li sms, 0m chen chat");
    /* The last resort is whom the last step told: once. */
    set_up(&house, "2026-11-26T10:00:00+08:00");
    house.channels[SMS].is_down = true;
    house.contacts[CHEN].address_count = 1;
    house.policy.steps[0].duty = MANAGER;
    house.policy.step_count = 1;
    house.policy.last_resort = MANAGER;
    step(&house, from_ms);
    CHECK_TEXT(story(&house, from_ms),
               "0m chen sms, 0m all sms, 0m all chat, 0m all voice");
    /* Acknowledged and graver: likewise. */
    set_up(&house, "2026-11-26T10:00:00+08:00");
    house.channels[SMS].is_down = true;
    house.contacts[LI].address_count = 1;
    house.incident.is_acknowledged = true;
    house.incident.acknowledged_ms = from_ms - MINUTE;
    step(&house, from_ms);
    CHECK_TEXT(story(&house, from_ms), "0m li sms, 0m chen chat");
}

/* That sms is broken is told to nobody by sms. */
static void what_is_wrong_with_a_channel_goes_another_way(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    house.channels[SMS].is_down = true;
    house.channels[SMS].is_subject = true;
    for (size_t i = 0; i < CONTACTS; i++)
        house.contacts[i].address_count = 1;
    step(&house, from_ms);
    CHECK_TEXT(story(&house, from_ms), "0m all chat, 0m all voice");
    pass(&house, from_ms, 10 * MINUTE);
    CHECK_TEXT(story(&house, from_ms), "0m all chat, 0m all voice");
    set_up(&house, "2026-11-26T10:00:00+08:00");
    house.channels[SMS].is_subject = true;
    house.contacts[LI].address_count = 1;
    step(&house, from_ms);
    CHECK_TEXT(story(&house, from_ms), "0m chen chat");
}

static void channels_that_cannot_take_it_are_passed_over(void)
{
    set_up(&house, "2026-11-26T10:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    house.channels[SMS].is_down = true;
    house.channels[CHAT].full_until = from_ms + MINUTE;
    step(&house, from_ms);
    CHECK_TEXT(story(&house, from_ms), "0m li voice");
    /* When none can: better late over a full one than over one that is down. */
    set_up(&house, "2026-11-26T10:00:00+08:00");
    house.channels[SMS].is_down = true;
    house.channels[VOICE].is_down = true;
    house.channels[CHAT].full_until = from_ms + MINUTE;
    step(&house, from_ms);
    CHECK_TEXT(story(&house, from_ms), "0m li chat");
}

static void a_gap_in_the_roster_goes_to_the_last_resort(void)
{
    set_up(&house, "2026-11-26T21:00:00+08:00");
    house.duties[ON_CALL].shift_count = 1; /* nobody by night */
    house.policy.step_count = 1;
    house.policy.last_resort = MANAGER;
    step(&house, house.incident.round_ms);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m chen sms");
    CHECK(house.told[0].is_last_resort);
    CHECK(escalation_gap(&house.duties[ON_CALL], &house.incident.tz,
                         at("2026-11-26T10:00:00+08:00")) ==
          at("2026-11-26T20:00:00+08:00"));
    CHECK(escalation_gap(&house.duties[MANAGER], &house.incident.tz, 0) ==
          ESCALATION_NEVER);
    /* And without one to everybody. */
    house.told_count = 0;
    house.policy.last_resort = ESCALATION_NONE;
    step(&house, house.incident.round_ms);
    CHECK_TEXT(story(&house, house.incident.round_ms),
               "0m all sms, 0m all chat, 0m all voice");
}

static void a_dated_shift_takes_the_place_of_weekly_ones(void)
{
    set_up(&house, "2026-12-24T10:00:00+08:00");
    house.on_call[2] =
        (struct escalation_shift){.contact = CHEN,
                                  .from_ms = at("2026-12-24T00:00:00+08:00"),
                                  .to_ms = at("2026-12-26T00:00:00+08:00")};
    house.duties[ON_CALL].shift_count = 3;
    size_t who[ESCALATION_CONTACTS_MAX];
    CHECK(escalation_on_duty(&house.duties[ON_CALL], &house.incident.tz,
                             house.incident.round_ms, who) == 1 &&
          who[0] == CHEN);
    CHECK(escalation_on_duty(&house.duties[ON_CALL], &house.incident.tz,
                             at("2026-12-26T00:00:00+08:00"), who) == 1 &&
          who[0] == WANG);
}

/* One roster for sites that are hours apart: each by the clocks on its own wall. */
static void hours_are_those_of_the_site(void)
{
    static const char *const berlin = "CET-1CEST,M3.5.0,M10.5.0/3";
    static const struct {
        const char *rule;
        const char *opened;
        size_t on_call;
        const char *told; /* when a warning is, in minutes behind its opening */
    } rows[] = {
        {"CST-8", "2026-11-26T22:30:00Z", WANG, "30m wang sms, 90m li sms"}, /* 06:30 */
        {"CST-8", "2026-11-26T23:30:00Z", WANG, "0m wang sms, 30m li sms"},  /* 07:30 */
        {"CST-8", "2026-11-27T00:30:00Z", LI, "0m li sms"},                  /* 08:30 */
        {berlin, "2026-11-26T22:30:00Z", WANG, "450m wang sms"},             /* 23:30 */
        {berlin, "2026-11-26T18:30:00Z", LI, "0m li sms, 30m wang sms"},     /* 19:30 */
        {berlin, "2026-07-26T18:30:00Z", WANG, "0m wang sms"}, /* 20:30, summer */
        {berlin, "2026-03-28T22:00:00Z", WANG,
         "420m wang sms, 480m li sms"},                          /* an hour less */
        {berlin, "2026-10-24T22:00:00Z", WANG, "480m wang sms"}, /* an hour more */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_up(&house, rows[i].opened);
        everyone_is_quiet(&house);
        house.policy.step_count = 1;
        house.policy.steps[0].repeat_ms = 0;
        house.incident.severity = ALERT_WARNING;
        house.incident.tz = zone(rows[i].rule);
        size_t who[ESCALATION_CONTACTS_MAX];
        CHECK_ROW(rows[i].opened,
                  escalation_on_duty(&house.duties[ON_CALL], &house.incident.tz,
                                     house.incident.round_ms, who) == 1 &&
                      who[0] == rows[i].on_call);
        pass(&house, house.incident.round_ms, 8 * HOUR);
        CHECK_TEXT(story(&house, house.incident.round_ms), rows[i].told);
    }
}

static void a_second_number_is_tried_when_the_first_failed(void)
{
    set_up(&house, "2026-11-26T02:00:00Z"); /* 10:00: li has it */
    house.addresses[LI][CHAT].channel = SMS;
    house.incident.severity = ALERT_WARNING;
    step(&house, house.incident.round_ms);
    step(&house, house.incident.round_ms + MINUTE);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m li sms");
    house.told[0].has_failed = true;
    step(&house, house.incident.round_ms + 2 * MINUTE);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m li sms, 2m li sms");
    CHECK(house.told[0].way == 0 && house.told[1].way == 1 && house.told[1].is_fallback);
    house.told[1].has_failed = true;
    step(&house, house.incident.round_ms + 3 * MINUTE);
    CHECK_TEXT(story(&house, house.incident.round_ms),
               "0m li sms, 2m li sms, 3m li voice");
}

/* Who is far from the site sleeps by the own clock; a duty may have hours of its own. */
static void contact_and_duty_may_say_another_zone_of_time(void)
{
    struct tz shanghai = zone("CST-8");
    set_up(&house, "2026-11-26T15:00:00Z"); /* 23:00 there, 16:00 at the site */
    everyone_is_quiet(&house);
    house.incident.severity = ALERT_WARNING;
    house.incident.tz = zone("CET-1");
    house.policy.step_count = 1;
    house.policy.steps[0].repeat_ms = 0;
    step(&house, house.incident.round_ms);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m li sms");
    house.told_count = 0;
    house.contacts[LI].tz = &shanghai;
    pass(&house, house.incident.round_ms, 4 * HOUR - MINUTE);
    CHECK_TEXT(story(&house, house.incident.round_ms), ""); /* waits for 07:00 there */
    house.told_count = 0;
    house.contacts[LI].tz = NULL;
    house.duties[ON_CALL].tz = &shanghai;
    step(&house, house.incident.round_ms);
    CHECK_TEXT(story(&house, house.incident.round_ms), "0m wang sms");
}

static void hours_follow_the_clocks_of_the_zone(void)
{
    static const struct {
        const char *hours;
        const char *rule;
        const char *iso;
        const char *end; /* NULL: they do not run */
    } cases[] = {
        {"22:00-07:00", "CST-8", "2026-11-26T22:00:00+08:00",
         "2026-11-27T07:00:00+08:00"},
        {"22:00-07:00", "CST-8", "2026-11-27T06:59:00+08:00",
         "2026-11-27T07:00:00+08:00"},
        {"22:00-07:00", "CST-8", "2026-11-27T07:00:00+08:00", NULL},
        {"22:00-07:00", "CST-8", "2026-11-26T21:59:00+08:00", NULL},
        {"fri 22:00-07:00", "CST-8", "2026-11-28T06:00:00+08:00",
         "2026-11-28T07:00:00+08:00"},
        {"fri 22:00-07:00", "CST-8", "2026-11-27T06:00:00+08:00", NULL},
        {"sat,sun", "CST-8", "2026-11-28T00:00:00+08:00", "2026-11-29T00:00:00+08:00"},
        {"sat,sun", "CST-8", "2026-11-27T23:59:00+08:00", NULL},
        {"fri-mon 08:00-10:00", "CST-8", "2026-11-29T09:00:00+08:00",
         "2026-11-29T10:00:00+08:00"},
        /* The night of 28 March has an hour less, that of 24 October one more. */
        {"22:00-07:00", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T04:59:00Z",
         "2026-03-29T05:00:00Z"},
        {"22:00-07:00", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T05:00:00Z", NULL},
        {"22:00-07:00", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T05:59:00Z",
         "2026-10-25T06:00:00Z"},
        {"22:00-07:00", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-24T20:00:00Z",
         "2026-10-25T06:00:00Z"},
        {"22:00-07:00", "CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-24T19:59:00Z", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct escalation_hours made = hours(cases[i].hours);
        struct tz tz = zone(cases[i].rule);
        int64_t end_ms = 0;
        bool hold = escalation_hours_hold(&made, &tz, at(cases[i].iso), &end_ms);
        CHECK_ROW(cases[i].iso, hold == (cases[i].end != NULL));
        if (hold && cases[i].end != NULL)
            CHECK_ROW(cases[i].iso, end_ms == at(cases[i].end));
    }
}

static void hours_that_are_none_are_refused(void)
{
    static const char *const bad[] = {
        "",
        "8:00-20:00",
        "08:00",
        "08:00-08:00",
        "mon-",
        "monday",
        "25:00-26:00",
        "24:00-07:00",
        "mon  08:00",
        "mon-fri 08:00-20:0",
        "08:00-20:00 mon",
        "08:60-20:00",
        "mon,",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct escalation_hours made;
        struct err_text why = {0};
        CHECK_ROW(bad[i], escalation_hours_parse(&made, bad[i], &why) == ERR_INVALID);
        CHECK_ROW(bad[i], strstr(why.text, "mon-fri 08:00-20:00") != NULL);
    }
}

static void a_policy_is_for_its_places_and_severities(void)
{
    static const char *const zones[] = {"room-1"};
    static const char *const sites[] = {"store-2"};
    const struct escalation_policy policies[] = {
        {.id = "a", .least = ALERT_CRITICAL, .zones = zones, .zone_count = 1},
        {.id = "b", .sites = sites, .site_count = 1},
    };
    const struct escalation_plan plan = {.policies = policies, .policy_count = 2};
    CHECK(escalation_policy(&plan, "room-1", "store-1", ALERT_CRITICAL) == &policies[0]);
    CHECK(escalation_policy(&plan, "room-1", "store-1", ALERT_WARNING) == NULL);
    CHECK(escalation_policy(&plan, "room-1", "store-2", ALERT_WARNING) == &policies[1]);
    CHECK(escalation_policy(&plan, "room-9", "", ALERT_CRITICAL) == NULL);
}

/* What was told is all that is remembered: looks in between change nothing. */
static void looking_more_often_tells_nothing_twice(void)
{
    set_up(&house, "2026-11-26T18:00:00+08:00");
    int64_t from_ms = house.incident.round_ms;
    for (int64_t ms = from_ms; ms < from_ms + 3 * HOUR; ms += MINUTE / 2)
        step(&house, ms);
    char often[2000];
    snprintf(often, sizeof often, "%s", story(&house, from_ms));
    set_up(&house, "2026-11-26T18:00:00+08:00");
    pass(&house, from_ms, 3 * HOUR);
    CHECK_TEXT(often, story(&house, from_ms));
    CHECK(house.told_count == 7);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"steps come one after the other", steps_come_one_after_the_other},
        {"an acknowledgement ends it until it is graver",
         an_acknowledgement_ends_it_until_it_is_graver},
        {"a snooze is silence until it ends", a_snooze_is_silence_until_it_ends},
        {"a new shift is told of what nobody answered",
         a_new_shift_is_told_of_what_nobody_answered},
        {"a warning waits for the end of quiet hours",
         a_warning_waits_for_the_end_of_quiet_hours},
        {"what is critical rings in quiet hours", what_is_critical_rings_in_quiet_hours},
        {"an address that is never quiet is used at night",
         an_address_that_is_never_quiet_is_used_at_night},
        {"what failed goes over the next address",
         what_failed_goes_over_the_next_address},
        {"who cannot be reached is passed over", who_cannot_be_reached_is_passed_over},
        {"a channel that is down is not waited for",
         a_channel_that_is_down_is_not_waited_for},
        {"what is wrong with a channel goes another way",
         what_is_wrong_with_a_channel_goes_another_way},
        {"channels that cannot take it are passed over",
         channels_that_cannot_take_it_are_passed_over},
        {"a gap in the roster goes to the last resort",
         a_gap_in_the_roster_goes_to_the_last_resort},
        {"a dated shift takes the place of weekly ones",
         a_dated_shift_takes_the_place_of_weekly_ones},
        {"hours are those of the site", hours_are_those_of_the_site},
        {"contact and duty may say another zone of time",
         contact_and_duty_may_say_another_zone_of_time},
        {"hours follow the clocks of the zone", hours_follow_the_clocks_of_the_zone},
        {"hours that are none are refused", hours_that_are_none_are_refused},
        {"a policy is for its places and severities",
         a_policy_is_for_its_places_and_severities},
        {"a second number is tried when the first failed",
         a_second_number_is_tried_when_the_first_failed},
        {"looking more often tells nothing twice",
         looking_more_often_tells_nothing_twice},
        CU_TEST_INFO_NULL,
    };
    return check_run("escalation", tests);
}
