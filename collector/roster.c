// SPDX-License-Identifier: Apache-2.0
#include "collector/roster.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collector/notify/channel.h"

/* An array that lives as long as the roster. */
static void *own(struct roster *roster, size_t count, size_t size)
{
    mem_grow(&roster->owned, &roster->owned_capacity, roster->owned_count + 1,
             sizeof *roster->owned);
    void *array = mem_array(count, size);
    roster->owned[roster->owned_count++] = array;
    return array;
}

/* UTC when its file is gone since the settings were checked. */
static struct tz zone_of(const char *name)
{
    struct tz tz;
    struct err_text why;
    return tz_load(&tz, name, &why) == ERR_OK ? tz : (struct tz){0};
}

static const struct tz *own_zone(struct roster *roster, const char *name)
{
    if (name == NULL)
        return NULL;
    struct tz *tz = own(roster, 1, sizeof *tz);
    *tz = zone_of(name);
    return tz;
}

static const struct escalation_hours *hours_of(struct roster *roster, char *const *texts,
                                               size_t count)
{
    struct escalation_hours *hours = own(roster, count, sizeof *hours);
    for (size_t i = 0; i < count; i++) {
        struct err_text why;
        enum err err = escalation_hours_parse(&hours[i], texts[i], &why);
        assert(err == ERR_OK);
        (void)err;
    }
    return hours;
}

struct roster_channel roster_channel_of(const struct config_channel *config)
{
    return (struct roster_channel){
        .name = config->name,
        .rings = channel_rings(config),
        .rate = channel_rate(config),
        .is_machine = channel_is_machine(config),
        .stops_at_end = channel_knows_ends(config),
    };
}

static void take_channels(struct roster *roster, const struct roster_channel *given,
                          size_t count)
{
    roster->given = given;
    roster->channels = own(roster, count, sizeof *roster->channels);
    for (size_t i = 0; i < count; i++)
        roster->channels[i] = (struct escalation_channel){
            .name = given[i].name,
            .rings = given[i].rings,
            .is_program = given[i].is_machine &&
                          !config_escalation_tells_over(roster->config, given[i].name),
            .stops_at_end = given[i].stops_at_end,
        };
    roster->plan.channels = roster->channels;
    roster->plan.channel_count = count;
}

static void take_contact(struct roster *roster, struct escalation_contact *contact,
                         const struct config_contact *from)
{
    struct escalation_address *addresses =
        own(roster, from->address_count, sizeof *addresses);
    for (size_t i = 0; i < from->address_count; i++) {
        const struct config_address *address = &from->addresses[i];
        bool is_own = address->quiet_count > 0;
        addresses[i].channel = roster_channel(roster, address->channel);
        assert(addresses[i].channel < roster->plan.channel_count ||
               addresses[i].channel == ESCALATION_NONE);
        addresses[i].quiet_count = is_own ? address->quiet_count : from->quiet_count;
        addresses[i].quiet = hours_of(roster, is_own ? address->quiet : from->quiet,
                                      addresses[i].quiet_count);
    }
    *contact = (struct escalation_contact){
        .id = from->id,
        .tz = own_zone(roster, from->time_zone),
        .addresses = addresses,
        .address_count = from->address_count,
    };
}

static int64_t time_or_zero(const char *text)
{
    int64_t ms = 0;
    return text != NULL && clock_parse_iso(&ms, text) ? ms : 0;
}

static void take_duty(struct roster *roster, struct escalation_duty *duty,
                      const struct config_duty *from)
{
    struct escalation_shift *shifts = own(roster, from->shift_count, sizeof *shifts);
    for (size_t i = 0; i < from->shift_count; i++) {
        const struct config_shift *shift = &from->shifts[i];
        shifts[i] = (struct escalation_shift){
            .contact = roster_contact(roster, shift->contact),
            .hours = hours_of(roster, shift->hours, shift->hours_count),
            .hours_count = shift->hours_count,
            .from_ms = time_or_zero(shift->from),
            .to_ms = time_or_zero(shift->to),
        };
    }
    *duty = (struct escalation_duty){
        .id = from->id,
        .tz = own_zone(roster, from->time_zone),
        .shifts = shifts,
        .shift_count = from->shift_count,
    };
}

static size_t duty_of(const struct roster *roster, const char *id)
{
    for (size_t i = 0; id != NULL && i < roster->plan.duty_count; i++)
        if (strcmp(roster->duties[i].id, id) == 0)
            return i;
    return ESCALATION_NONE;
}

static void take_policy(struct roster *roster, struct escalation_policy *policy,
                        const struct config_policy *from)
{
    *policy = (struct escalation_policy){
        .id = from->id,
        .least = from->severity,
        .zones = (const char *const *)from->zones,
        .zone_count = from->zone_count,
        .sites = (const char *const *)from->sites,
        .site_count = from->site_count,
        .step_count = from->step_count,
        .last_resort = duty_of(roster, from->last_resort),
    };
    for (size_t i = 0; i < from->step_count; i++)
        policy->steps[i] = (struct escalation_step){
            .after_ms = from->steps[i].after_ms,
            .duty = duty_of(roster, from->steps[i].duty),
            .repeat_ms = from->steps[i].repeat_ms,
            .most = (uint32_t)from->steps[i].most,
        };
}

struct roster *roster_create(const struct config_escalation *config,
                             const struct roster_channel *channels, size_t count)
{
    struct roster *roster = mem_alloc(sizeof *roster);
    struct escalation_plan *plan = &roster->plan;
    roster->config = config;
    roster->tz = zone_of(config->time_zone);
    take_channels(roster, channels, count);
    roster->contacts = own(roster, config->contact_count, sizeof *roster->contacts);
    for (; plan->contact_count < config->contact_count; plan->contact_count++)
        take_contact(roster, &roster->contacts[plan->contact_count],
                     &config->contacts[plan->contact_count]);
    plan->contacts = roster->contacts;
    roster->duties = own(roster, config->duty_count, sizeof *roster->duties);
    for (; plan->duty_count < config->duty_count; plan->duty_count++)
        take_duty(roster, &roster->duties[plan->duty_count],
                  &config->duties[plan->duty_count]);
    plan->duties = roster->duties;
    roster->policies = own(roster, config->policy_count, sizeof *roster->policies);
    for (; plan->policy_count < config->policy_count; plan->policy_count++)
        take_policy(roster, &roster->policies[plan->policy_count],
                    &config->policies[plan->policy_count]);
    plan->policies = roster->policies;
    return roster;
}

void roster_destroy(struct roster *roster)
{
    if (roster == NULL)
        return;
    for (size_t i = 0; i < roster->owned_count; i++)
        free(roster->owned[i]);
    free(roster->owned);
    free(roster);
}

size_t roster_contact(const struct roster *roster, const char *id)
{
    for (size_t i = 0; i < roster->plan.contact_count; i++)
        if (strcmp(roster->contacts[i].id, id) == 0)
            return i;
    return ESCALATION_NONE;
}

size_t roster_channel(const struct roster *roster, const char *name)
{
    for (size_t i = 0; i < roster->plan.channel_count; i++)
        if (strcmp(roster->channels[i].name, name) == 0)
            return i;
    return ESCALATION_NONE;
}

const char *roster_address(const struct roster *roster, const char *contact,
                           const char *channel, size_t way)
{
    size_t index = roster_contact(roster, contact);
    if (index == ESCALATION_NONE)
        return NULL;
    size_t address = escalation_address(&roster->contacts[index],
                                        roster_channel(roster, channel), way);
    return address != ESCALATION_NONE
               ? roster->config->contacts[index].addresses[address].to
               : NULL;
}

const char *roster_person(const struct roster *roster, const char *contact)
{
    size_t index = roster_contact(roster, contact);
    return index != ESCALATION_NONE ? roster->config->contacts[index].person : NULL;
}

char *roster_addressed(const struct roster *roster, const char *contact,
                       const char *channel, size_t way, const char *body)
{
    const char *to =
        contact[0] != '\0' ? roster_address(roster, contact, channel, way) : NULL;
    json_t *root = to != NULL ? json_loads(body, 0, NULL) : NULL;
    if (root == NULL)
        return mem_strdup(body);
    json_object_set_new(root, "to", json_pack("[s]", to));
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(root);
    return text;
}

void roster_warnings(const struct roster *roster, int64_t now_ms, struct buf *lines)
{
    char when[TZ_TEXT_MAX];
    char offset[TZ_TEXT_MAX];
    for (size_t i = 0; i < roster->plan.duty_count; i++) {
        const struct tz *own = roster->duties[i].tz;
        const struct tz *tz = own != NULL ? own : &roster->tz;
        int64_t gap_ms = escalation_gap(&roster->duties[i], &roster->tz, now_ms);
        if (gap_ms != ESCALATION_NEVER)
            buf_format(
                lines,
                "nobody has the duty '%s' at %s %s: give that hour to somebody, or "
                "the policy's last_resort is told\n",
                roster->duties[i].id, tz_format(when, tz, gap_ms),
                tz_format_offset(offset, tz, gap_ms));
    }
}
