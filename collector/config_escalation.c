// SPDX-License-Identifier: Apache-2.0
#include "collector/config_escalation.h"

#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "telemetry/reading.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static const char *const severity_words[] = {
#define X(name, text) [ALERT_##name] = (text),
    ALERT_SEVERITY_LIST(X)
#undef X
        NULL};

#define ADDRESS(field) .offset = offsetof(struct config_address, field)
static const struct config_key address_keys[] = {
    {.name = "channel",
     .type = CONFIG_STRING,
     .is_required = true,
     ADDRESS(channel),
     .help = "name of a channel or webhook"},
    {.name = "to",
     .type = CONFIG_STRING,
     ADDRESS(to),
     .help = "address of the channel's kind: a number, a user's id, a mail address"},
    {.name = "sender",
     .type = CONFIG_STRING,
     ADDRESS(sender),
     .help = "who answers there as this contact, when that is not `to`: a user's id"},
    {.name = "quiet",
     .type = CONFIG_STRINGS,
     ADDRESS(quiet),
     .count_offset = offsetof(struct config_address, quiet_count),
     .help = "quiet hours of this address, in place of the contact's"},
    {.name = NULL},
};
static const struct config_schema address_schema = {
    .keys = address_keys, .size = sizeof(struct config_address)};

#define CONTACT(field) .offset = offsetof(struct config_contact, field)
static const struct config_key contact_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     CONTACT(id),
     .help = "identifier, unique; it is kept with what was told, so no name"},
    {.name = "person",
     .type = CONFIG_STRING,
     CONTACT(person),
     .help = "id of the person who signs in; who acknowledges by a link is this person"},
    {.name = "time_zone",
     .type = CONFIG_STRING,
     CONTACT(time_zone),
     .help = "of its quiet hours; the site's of the incident when absent"},
    {.name = "quiet",
     .type = CONFIG_STRINGS,
     CONTACT(quiet),
     .count_offset = offsetof(struct config_contact, quiet_count),
     .help = "warnings wait for the end of these hours: 22:00-07:00, sat,sun"},
    {.name = "addresses",
     .type = CONFIG_RECORDS,
     CONTACT(addresses),
     .count_offset = offsetof(struct config_contact, address_count),
     .record = &address_schema,
     .least = 1,
     .most = ESCALATION_CHANNELS_MAX,
     .help = "in the order of preference"},
    {.name = NULL},
};
const struct config_schema config_contact_schema = {
    .keys = contact_keys, .size = sizeof(struct config_contact)};

#define SHIFT(field) .offset = offsetof(struct config_shift, field)
static const struct config_key shift_keys[] = {
    {.name = "contact",
     .type = CONFIG_STRING,
     .is_required = true,
     SHIFT(contact),
     .help = "who has it"},
    {.name = "hours",
     .type = CONFIG_STRINGS,
     SHIFT(hours),
     .count_offset = offsetof(struct config_shift, hours_count),
     .help = "mon-fri 08:00-20:00, 20:00-08:00, sat,sun; always when absent"},
    {.name = "from",
     .type = CONFIG_STRING,
     SHIFT(from),
     .help = "RFC 3339: a dated shift, which goes before weekly ones"},
    {.name = "to", .type = CONFIG_STRING, SHIFT(to), .help = "its end"},
    {.name = NULL},
};
static const struct config_schema shift_schema = {.keys = shift_keys,
                                                  .size = sizeof(struct config_shift)};

#define DUTY(field) .offset = offsetof(struct config_duty, field)
static const struct config_key duty_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     DUTY(id),
     .help = "identifier, unique: on-call, manager"},
    {.name = "time_zone",
     .type = CONFIG_STRING,
     DUTY(time_zone),
     .help = "of its hours; the site's of the incident when absent"},
    {.name = "shifts",
     .type = CONFIG_RECORDS,
     DUTY(shifts),
     .count_offset = offsetof(struct config_duty, shift_count),
     .record = &shift_schema,
     .least = 1,
     .most = 1000,
     .help = "who has it when"},
    {.name = NULL},
};
const struct config_schema config_duty_schema = {.keys = duty_keys,
                                                 .size = sizeof(struct config_duty)};

#define STEP(field) .offset = offsetof(struct config_step, field)
static const struct config_key step_keys[] = {
    {.name = "duty",
     .type = CONFIG_STRING,
     .is_required = true,
     STEP(duty),
     .help = "who is told"},
    {.name = "after",
     .type = CONFIG_DURATION,
     STEP(after_ms),
     .fallback = "0",
     .least = 0,
     .most = 30 * DAY_MS,
     .help = "without acknowledgement for so long"},
    {.name = "repeat",
     .type = CONFIG_DURATION,
     STEP(repeat_ms),
     .fallback = "0",
     .least = 0,
     .most = 30 * DAY_MS,
     .help = "told again so often until it is acknowledged; 0: once"},
    {.name = "most",
     .type = CONFIG_INT,
     STEP(most),
     .fallback = "10",
     .least = 1,
     .most = 1000,
     .help = "times that each is told at most"},
    {.name = NULL},
};
static const struct config_schema step_schema = {.keys = step_keys,
                                                 .size = sizeof(struct config_step)};

#define POLICY(field) .offset = offsetof(struct config_policy, field)
static const struct config_key policy_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     POLICY(id),
     .help = "identifier, unique"},
    {.name = "severity",
     .type = CONFIG_ENUM,
     POLICY(severity),
     .words = severity_words,
     .fallback = "warning",
     .help = "and graver"},
    {.name = "zones",
     .type = CONFIG_STRINGS,
     POLICY(zones),
     .count_offset = offsetof(struct config_policy, zone_count),
     .help = "what it is for; neither zones nor sites: everything"},
    {.name = "sites",
     .type = CONFIG_STRINGS,
     POLICY(sites),
     .count_offset = offsetof(struct config_policy, site_count),
     .help = "all zones of these"},
    {.name = "steps",
     .type = CONFIG_RECORDS,
     POLICY(steps),
     .count_offset = offsetof(struct config_policy, step_count),
     .record = &step_schema,
     .least = 1,
     .most = ESCALATION_STEPS_MAX,
     .help = "in the order of `after`"},
    {.name = "last_resort",
     .type = CONFIG_STRING,
     POLICY(last_resort),
     .help = "duty that is told when nobody has the step's; every channel when absent"},
    {.name = NULL},
};
const struct config_schema config_policy_schema = {.keys = policy_keys,
                                                   .size = sizeof(struct config_policy)};

bool config_escalation_tells_over(const struct config_escalation *escalation,
                                  const char *channel)
{
    for (size_t i = 0; escalation->policy_count > 0 && i < escalation->contact_count; i++)
        for (size_t k = 0; k < escalation->contacts[i].address_count; k++)
            if (strcmp(escalation->contacts[i].addresses[k].channel, channel) == 0)
                return true;
    return false;
}

/* ---- what the tables cannot say --------------------------------------------------- */

static void check_id(struct config *config, char *const *id)
{
    if (!id_is_valid(*id))
        config_problem(config, id,
                       "'%s' is not an identifier: use 1 to 64 of A-Z a-z 0-9 _ -", *id);
}

void config_check_time_zone(struct config *config, char *const *name)
{
    struct tz tz;
    struct err_text why;
    if (*name != NULL && tz_load(&tz, *name, &why) != ERR_OK)
        config_problem(config, name, "%s", why.text);
}

static void check_hours(struct config *config, char **const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct escalation_hours hours;
        struct err_text why;
        if (escalation_hours_parse(&hours, (*list)[i], &why) != ERR_OK)
            config_problem(config, list, "%s", why.text);
    }
}

static bool has_contact(const struct config_escalation *escalation, const char *id)
{
    for (size_t i = 0; i < escalation->contact_count; i++)
        if (strcmp(escalation->contacts[i].id, id) == 0)
            return true;
    return false;
}

static bool has_duty(const struct config_escalation *escalation, const char *id)
{
    for (size_t i = 0; i < escalation->duty_count; i++)
        if (strcmp(escalation->duties[i].id, id) == 0)
            return true;
    return false;
}

static void check_duty_ref(struct config *config,
                           const struct config_escalation *escalation, char *const *duty)
{
    if (*duty != NULL && !has_duty(escalation, *duty))
        config_problem(config, duty, "duty '%s' is not among escalation.duties", *duty);
}

struct known_channels {
    const char *const *names;
    size_t count;
};

static void check_address(struct config *config, const struct config_address *address,
                          const struct known_channels *channels)
{
    bool is_known = false;
    for (size_t i = 0; i < channels->count; i++)
        is_known |= strcmp(channels->names[i], address->channel) == 0;
    if (!is_known)
        config_problem(config, &address->channel,
                       "'%s' is neither among channels nor webhooks", address->channel);
    check_hours(config, &address->quiet, address->quiet_count);
}

/* An answer has one meaning. */
static void check_sender(struct config *config,
                         const struct config_escalation *escalation,
                         const struct config_contact *contact,
                         const struct config_address *address)
{
    for (size_t i = 0; address->sender != NULL && i < escalation->contact_count; i++) {
        const struct config_contact *other = &escalation->contacts[i];
        for (size_t k = 0; other != contact && k < other->address_count; k++) {
            const struct config_address *theirs = &other->addresses[k];
            if (theirs->sender != NULL && strcmp(theirs->sender, address->sender) == 0 &&
                strcmp(theirs->channel, address->channel) == 0)
                config_problem(config, &address->sender,
                               "'%s' answers as '%s' over '%s' already", address->sender,
                               other->id, address->channel);
        }
    }
}

static void check_contacts(struct config *config,
                           const struct config_escalation *escalation,
                           const struct known_channels *channels)
{
    for (size_t i = 0; i < escalation->contact_count; i++) {
        const struct config_contact *contact = &escalation->contacts[i];
        check_id(config, &contact->id);
        if (contact->person != NULL)
            check_id(config, &contact->person);
        for (size_t k = 0; k < i; k++)
            if (strcmp(escalation->contacts[k].id, contact->id) == 0)
                config_problem(config, &contact->id, "contact '%s' is there twice",
                               contact->id);
        config_check_time_zone(config, &contact->time_zone);
        check_hours(config, &contact->quiet, contact->quiet_count);
        for (size_t k = 0; k < contact->address_count; k++) {
            check_address(config, &contact->addresses[k], channels);
            check_sender(config, escalation, contact, &contact->addresses[k]);
        }
    }
}

static void check_shift(struct config *config, const struct config_escalation *escalation,
                        const struct config_shift *shift)
{
    int64_t from_ms = 0;
    int64_t to_ms = 0;
    if (!has_contact(escalation, shift->contact))
        config_problem(config, &shift->contact,
                       "contact '%s' is not among escalation.contacts", shift->contact);
    check_hours(config, &shift->hours, shift->hours_count);
    if ((shift->from == NULL) != (shift->to == NULL))
        config_problem(config, &shift->contact,
                       "a dated shift has both from and to; a weekly one neither");
    else if (shift->from != NULL && (!clock_parse_iso(&from_ms, shift->from) ||
                                     !clock_parse_iso(&to_ms, shift->to)))
        config_problem(config, &shift->from,
                       "from and to are times such as 2026-12-24T08:00:00+08:00");
    else if (shift->from != NULL && (to_ms <= from_ms || to_ms <= 0))
        config_problem(config, &shift->to, "the shift ends before it begins");
}

static void check_duties(struct config *config,
                         const struct config_escalation *escalation)
{
    for (size_t i = 0; i < escalation->duty_count; i++) {
        const struct config_duty *duty = &escalation->duties[i];
        check_id(config, &duty->id);
        for (size_t k = 0; k < i; k++)
            if (strcmp(escalation->duties[k].id, duty->id) == 0)
                config_problem(config, &duty->id, "duty '%s' is there twice", duty->id);
        config_check_time_zone(config, &duty->time_zone);
        for (size_t k = 0; k < duty->shift_count; k++)
            check_shift(config, escalation, &duty->shifts[k]);
    }
}

static void check_policy(struct config *config,
                         const struct config_escalation *escalation,
                         const struct config_policy *policy)
{
    check_id(config, &policy->id);
    check_duty_ref(config, escalation, &policy->last_resort);
    for (size_t i = 0; i < policy->step_count; i++) {
        const struct config_step *step = &policy->steps[i];
        check_duty_ref(config, escalation, &step->duty);
        if (i > 0 && step->after_ms < policy->steps[i - 1].after_ms)
            config_problem(config, &step->after_ms,
                           "steps stand in the order of their `after`");
        if (step->repeat_ms > 0 && step->repeat_ms < 60000)
            config_problem(config, &step->repeat_ms,
                           "nobody can answer that fast: repeat after a minute or more");
    }
}

void config_check_escalation(struct config *config,
                             const struct config_escalation *escalation,
                             const char *const *channels, size_t channel_count)
{
    const struct known_channels known = {channels, channel_count};
    config_check_time_zone(config, &escalation->time_zone);
    check_contacts(config, escalation, &known);
    check_duties(config, escalation);
    for (size_t i = 0; i < escalation->policy_count; i++) {
        const struct config_policy *policy = &escalation->policies[i];
        check_policy(config, escalation, policy);
        for (size_t k = 0; k < i; k++)
            if (strcmp(escalation->policies[k].id, policy->id) == 0)
                config_problem(config, &policy->id, "policy '%s' is there twice",
                               policy->id);
    }
}
