// SPDX-License-Identifier: Apache-2.0
/*
 * office - contacts, channels and a few incidents that were told over them.
 *
 *   li    sms +86 138 0000 0000; person p-li, operator of fengjie
 *   wang  sms +86 139 0000 0000; person p-wang, operator of wushan
 *   zhao  sms 13700000000; person p-zhao, viewer of fengjie
 *   guard sms +8613600000000; no person
 *   all of them in the group -100 of the bot, as users 1 to 4; guard also alone, as 4
 *
 * room-1 is fengjie's, and so is incident 1; its message went to li and guard by sms, and
 * into the group. Incident 2 is told to li alone.
 */
#ifndef COLDCHAIN_TESTS_UNIT_COLLECTOR_REPLIES_OFFICE_H
#define COLDCHAIN_TESTS_UNIT_COLLECTOR_REPLIES_OFFICE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/replies/desk.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_incidents.h"
#include "collector/store/state_people.h"
#include "tests/support/check.h"

#define OFFICE_FIRST    "00000000000000000000000000000001"
#define OFFICE_SECOND   "00000000000000000000000000000002"
#define OFFICE_LI       "+8613800000000"
#define OFFICE_WANG     "+8613900000000"
#define OFFICE_ZHAO     "13700000000"
#define OFFICE_GUARD    "+8613600000000"
#define OFFICE_GROUP    "-100"
#define OFFICE_VALID_MS INT64_C(86400000)
#define OFFICE_SECRET   "a secret of the gateway"

static const uint8_t office_key[REPLY_KEY_BYTES] = {7};

struct office {
    struct config_channel sms;
    struct config_channel bot;
    const struct config_channel *channels[2];
    struct config_address addresses[4][3];
    struct config_contact contacts[4];
    struct config_escalation escalation;
    struct roster_channel names[2];
    struct roster *roster;
    struct reply_desk *desk;
};

static inline void office_open(struct office *office)
{
    static char sms[] = "sms";
    static char bot[] = "bot";
    static char secret[] = OFFICE_SECRET;
    static char zone[] = "Asia/Shanghai";
    static char group[] = OFFICE_GROUP;
    static char *groups[] = {group};
    static char ids[4][8] = {"li", "wang", "zhao", "guard"};
    static char people[3][8] = {"p-li", "p-wang", "p-zhao"};
    static char numbers[4][16] = {OFFICE_LI, OFFICE_WANG, OFFICE_ZHAO, OFFICE_GUARD};
    static char users[4][4] = {"1", "2", "3", "4"};
    *office = (struct office){
        .sms = {.name = sms,
                .kind = CHANNEL_SMS,
                .language = CHANNEL_EN,
                .reply_secret = secret},
        .bot = {.name = bot,
                .kind = CHANNEL_TELEGRAM,
                .language = CHANNEL_EN,
                .replies = true,
                .to = groups,
                .to_count = 1},
        .names = {{.name = sms}, {.name = bot}},
    };
    office->channels[0] = &office->sms;
    office->channels[1] = &office->bot;
    for (size_t i = 0; i < 4; i++) {
        office->addresses[i][0] =
            (struct config_address){.channel = sms, .to = numbers[i]};
        office->addresses[i][1] =
            (struct config_address){.channel = bot, .sender = users[i]};
        office->contacts[i] = (struct config_contact){.id = ids[i],
                                                      .person = i < 3 ? people[i] : NULL,
                                                      .addresses = office->addresses[i],
                                                      .address_count = 2};
    }
    office->escalation = (struct config_escalation){
        .time_zone = zone, .contacts = office->contacts, .contact_count = 4};
    office->roster = roster_create(&office->escalation, office->names, 2);
    office->desk = reply_desk_create(office->roster, office_key, OFFICE_VALID_MS);
}

static inline void office_close(struct office *office)
{
    reply_desk_destroy(office->desk);
    roster_destroy(office->roster);
}

static inline void office_tell(struct state *state, const char *incident,
                               const char *channel, const char *contact, int64_t at_ms)
{
    char key[100];
    snprintf(key, sizeof key, "%s-%s-%s", incident, channel, contact);
    const struct state_message message = {.incident = incident,
                                          .revision = 1,
                                          .channel = channel,
                                          .contact = contact,
                                          .key = key,
                                          .body = "{}",
                                          .created_ms = at_ms,
                                          .next_attempt_ms = at_ms};
    CHECK(state_add_message(state, &message) == ERR_OK);
}

static inline void office_add_incident(struct state *state, const char *id, int64_t at_ms)
{
    struct incident incident = {.kind = ALERT_ABOVE,
                                .severity = ALERT_WARNING,
                                .state = INCIDENT_OPEN,
                                .onset_ms = at_ms,
                                .opened_ms = at_ms,
                                .learned_ms = at_ms,
                                .changed_ms = at_ms,
                                .limit = 8,
                                .value = 9.5,
                                .worst = 9.5,
                                .revision = 1};
    snprintf(incident.id, sizeof incident.id, "%s", id);
    snprintf(incident.rule, sizeof incident.rule, "warm");
    snprintf(incident.zone, sizeof incident.zone, "room-1");
    CHECK(state_add_incident(state, ALERT_EFFECT_OPENED, &incident, at_ms, "{}") ==
          ERR_OK);
}

static inline void office_fill(struct state *state, int64_t at_ms)
{
    static const char *const people[][3] = {{"p-li", "operator", "fengjie"},
                                            {"p-wang", "operator", "wushan"},
                                            {"p-zhao", "viewer", "fengjie"}};
    CHECK(state_begin(state) == ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        const struct state_person person = {.id = people[i][0],
                                            .role = people[i][1],
                                            .org = people[i][2],
                                            .login = people[i][0],
                                            .created_ms = at_ms};
        CHECK(state_put_person(state, &person) == ERR_OK);
    }
    const struct state_entity zone = {.kind = "zone",
                                      .id = "room-1",
                                      .org = "fengjie",
                                      .parent = "store",
                                      .version = 1,
                                      .body = "{\"site\":\"store\"}"};
    CHECK(state_put_entity(state, &zone) == ERR_OK);
    office_add_incident(state, OFFICE_FIRST, at_ms);
    office_add_incident(state, OFFICE_SECOND, at_ms);
    office_tell(state, OFFICE_FIRST, "sms", "li", at_ms);
    office_tell(state, OFFICE_FIRST, "sms", "guard", at_ms);
    office_tell(state, OFFICE_FIRST, "sms", "wang", at_ms);
    office_tell(state, OFFICE_FIRST, "sms", "zhao", at_ms);
    office_tell(state, OFFICE_FIRST, "bot", "li", at_ms);
    office_tell(state, OFFICE_SECOND, "sms", "li", at_ms);
    CHECK(state_commit(state) == ERR_OK);
}

#endif
