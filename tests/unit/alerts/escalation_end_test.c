// SPDX-License-Identifier: Apache-2.0
/* How a contact is told that it is over, by what reached it and what it has. */
#include "alerts/escalation.h"

#include "base/clock.h"
#include "tests/support/check.h"

enum { SMS, CHAT, VOICE, SIREN, CHANNELS };

#define DOWN  1u /* of the row's channels */
#define ABOUT 2u

/* Addresses are tried in the order of their letters: s, c, v, r; "22:00-07:00" is quiet.
 * "t" is the second of two numbers for messages.
 */
static const struct {
    const char *name;
    const char *addresses;
    const char *reached;
    const char *at;
    enum alert_severity severity;
    unsigned sms; /* what ails it */
    const char *want;
} rows[] = {
    {"nothing reached", "sv", "", "12:00", ALERT_CRITICAL, 0, ""},
    {"where it was told", "scv", "c", "12:00", ALERT_WARNING, 0, "c 12:00"},
    {"wherever it was told", "scv", "cs", "12:00", ALERT_WARNING, 0, "s 12:00, c 12:00"},
    {"no call beside a message", "vs", "vs", "12:00", ALERT_CRITICAL, 0, "s 12:00"},
    {"no call in place of a message", "vs", "v", "12:00", ALERT_CRITICAL, 0, "s 12:00"},
    {"a call when there is nothing else", "v", "v", "12:00", ALERT_WARNING, 0, "v 12:00"},
    {"a warning's end waits", "s", "s", "23:00", ALERT_WARNING, 0, "s 07:00"},
    {"whatever it was told over", "vs", "v", "23:00", ALERT_WARNING, 0, "s 07:00"},
    {"a critical one's does not", "s", "s", "23:00", ALERT_CRITICAL, 0, "s 23:00"},
    {"but calls wait", "v", "v", "23:00", ALERT_CRITICAL, 0, "v 07:00"},
    {"quiet hours are over at their end", "v", "v", "07:00", ALERT_WARNING, 0, "v 07:00"},
    {"a siren stops", "r", "r", "23:00", ALERT_WARNING, 0, "r 23:00"},
    {"a siren stops, and its keeper is told", "rs", "rs", "23:00", ALERT_WARNING, 0,
     "r 23:00, s 07:00"},
    {"a siren is no way to be told", "rv", "v", "12:00", ALERT_WARNING, 0, "v 12:00"},
    {"over what works", "vsc", "v", "12:00", ALERT_WARNING, DOWN, "c 12:00"},
    {"over what is down rather than by a call", "vs", "v", "12:00", ALERT_WARNING, DOWN,
     "s 12:00"},
    {"not over what it is about", "vs", "v", "12:00", ALERT_WARNING, ABOUT, "v 12:00"},
    {"two numbers, told at one", "ss", "s", "12:00", ALERT_WARNING, 0, "s 12:00"},
    {"two numbers, told at the other", "ss", "t", "12:00", ALERT_WARNING, 0, "t 12:00"},
    {"two numbers, told at both", "ss", "st", "12:00", ALERT_WARNING, 0,
     "s 12:00, t 12:00"},
};

static const char letters[] = "scvr";

static size_t channel_of(char letter)
{
    return (size_t)(strchr(letters, letter) - letters);
}

static int64_t at(const char *hour)
{
    char iso[40];
    int64_t ms = 0;
    bool is_next_day = strcmp(hour, "07:00") <= 0;
    snprintf(iso, sizeof iso, "2026-11-%dT%s:00+08:00", is_next_day ? 27 : 26, hour);
    CHECK(clock_parse_iso(&ms, iso));
    return ms;
}

static size_t find(const char *row, const char *addresses, const char *reached,
                   const struct escalation_channel channels[CHANNELS],
                   const struct escalation_case *over, int64_t now_ms,
                   struct escalation_end ends[ESCALATION_CHANNELS_MAX])
{
    struct escalation_hours night;
    struct err_text why;
    struct escalation_address list[8];
    bool is_reached[ESCALATION_CHANNELS_MAX] = {false};
    CHECK_ROW(row, escalation_hours_parse(&night, "22:00-07:00", &why) == ERR_OK);
    struct escalation_contact contact = {.id = "li", .addresses = list};
    for (const char *letter = addresses; *letter != '\0'; letter++)
        list[contact.address_count++] = (struct escalation_address){
            .channel = channel_of(*letter), .quiet = &night, .quiet_count = 1};
    for (const char *letter = reached; *letter != '\0'; letter++)
        is_reached[*letter == 't'
                       ? escalation_address(&contact, SMS, 1)
                       : escalation_address(&contact, channel_of(*letter), 0)] = true;
    const struct escalation_plan plan = {.channels = channels,
                                         .channel_count = CHANNELS,
                                         .contacts = &contact,
                                         .contact_count = 1};
    return escalation_ends(&plan, 0, over, is_reached, now_ms, ends);
}

static void an_end_is_told_by_what_reached_whom(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct escalation_channel channels[CHANNELS] = {
            [SMS] = {.name = "sms",
                     .is_down = rows[i].sms == DOWN,
                     .is_subject = rows[i].sms == ABOUT},
            [CHAT] = {.name = "chat"},
            [VOICE] = {.name = "voice", .rings = true},
            [SIREN] = {.name = "siren", .rings = true, .stops_at_end = true}};
        struct escalation_case over = {.severity = rows[i].severity};
        struct escalation_end ends[ESCALATION_CHANNELS_MAX];
        char text[200] = "";
        size_t len = 0;
        CHECK_ROW(rows[i].name, tz_parse(&over.tz, "CST-8") == ERR_OK);
        int64_t now_ms = at(rows[i].at);
        size_t count = find(rows[i].name, rows[i].addresses, rows[i].reached, channels,
                            &over, now_ms, ends);
        for (size_t k = 0; k < count; k++)
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%c %s",
                                    k > 0 ? ", " : "",
                                    ends[k].way == 0 ? letters[ends[k].channel] : 't',
                                    ends[k].at_ms == at("07:00") ? "07:00" : rows[i].at);
        for (size_t k = 0; k < count; k++)
            CHECK_ROW(rows[i].name,
                      ends[k].at_ms == now_ms || ends[k].at_ms == at("07:00"));
        CHECK_ROW(rows[i].name, strcmp(text, rows[i].want) == 0);
    }
}

#define QUIET_MOST 3

/* 2026-11-28 is a Saturday. */
static void quiet_hours_that_follow_one_another_are_one(void)
{
    static const struct {
        const char *quiet[QUIET_MOST];
        const char *now;
        const char *want;
    } cases[] = {
        {{"sat,sun"}, "2026-11-28T12:00:00+08:00", "2026-11-30T00:00:00+08:00"},
        {{"22:00-24:00", "00:00-07:00"},
         "2026-11-26T23:00:00+08:00",
         "2026-11-27T07:00:00+08:00"},
        {{"00:00-07:00", "22:00-07:00", "sat,sun"},
         "2026-11-27T23:00:00+08:00",
         "2026-11-30T07:00:00+08:00"},
        {{"sat 08:00-12:00", "sat 11:00-13:00", "sat 13:00-14:00"},
         "2026-11-28T09:00:00+08:00",
         "2026-11-28T14:00:00+08:00"},
        {{"sat 08:00-12:00", "sat 13:00-14:00"},
         "2026-11-28T09:00:00+08:00",
         "2026-11-28T12:00:00+08:00"},
        {{"mon-sun"}, "2026-11-28T09:00:00+08:00", "2026-12-06T00:00:00+08:00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct escalation_hours quiet[QUIET_MOST];
        struct escalation_address address = {.channel = VOICE, .quiet = quiet};
        const struct escalation_contact contact = {
            .id = "li", .addresses = &address, .address_count = 1};
        struct err_text why;
        struct tz tz;
        int64_t now_ms = 0;
        int64_t want_ms = 0;
        CHECK(tz_parse(&tz, "CST-8") == ERR_OK);
        CHECK(clock_parse_iso(&now_ms, cases[i].now));
        CHECK(clock_parse_iso(&want_ms, cases[i].want));
        for (size_t k = 0; k < QUIET_MOST && cases[i].quiet[k] != NULL; k++)
            CHECK(escalation_hours_parse(&quiet[address.quiet_count++], cases[i].quiet[k],
                                         &why) == ERR_OK);
        CHECK_ROW(cases[i].quiet[0],
                  escalation_quiet_until(&contact, &address, &tz, now_ms) == want_ms);
    }
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"quiet hours that follow one another are one",
         quiet_hours_that_follow_one_another_are_one},
        {"an end is told by what reached whom", an_end_is_told_by_what_reached_whom},
        CU_TEST_INFO_NULL,
    };
    return check_run("escalation_end", tests);
}
