// SPDX-License-Identifier: Apache-2.0
/*
 * escalation_end - how a contact is told that it is over: nobody is woken to hear it.
 */
#include "alerts/escalation.h"

struct ending {
    const struct escalation_plan *plan;
    const struct escalation_contact *contact;
    const struct escalation_case *incident;
    const bool *reached;
    int64_t now_ms;
    struct escalation_end *ends;
    size_t count;
};

static const struct escalation_channel *channel_of(const struct ending *ending,
                                                   size_t address)
{
    return &ending->plan->channels[ending->contact->addresses[address].channel];
}

static void tell(struct ending *ending, size_t address, int64_t at_ms)
{
    ending->ends[ending->count++] = (struct escalation_end){
        .channel = ending->contact->addresses[address].channel,
        .way = escalation_way(ending->contact, address),
        .at_ms = at_ms,
    };
}

/* Who was called at night for what is critical may be on the way: told at once, quietly.
 */
static void tell_in_time(struct ending *ending, size_t address)
{
    int64_t until_ms =
        escalation_quiet_until(ending->contact, &ending->contact->addresses[address],
                               &ending->incident->tz, ending->now_ms);
    bool may_be_heard = ending->incident->severity == ALERT_CRITICAL &&
                        !channel_of(ending, address)->rings;
    tell(ending, address, until_ms == 0 || may_be_heard ? ending->now_ms : until_ms);
}

/* The first address that does not ring, one that works before one that is down. */
static size_t find_quiet(const struct ending *ending)
{
    size_t found = ESCALATION_NONE;
    for (size_t i = 0; i < ending->contact->address_count; i++) {
        const struct escalation_channel *channel = channel_of(ending, i);
        if (channel->rings || channel->stops_at_end || channel->is_subject)
            continue;
        if (!channel->is_down)
            return i;
        if (found == ESCALATION_NONE)
            found = i;
    }
    return found;
}

/* It was rung only. */
static void tell_instead(struct ending *ending, size_t rang)
{
    size_t quiet = find_quiet(ending);
    tell_in_time(ending, quiet != ESCALATION_NONE ? quiet : rang);
}

size_t escalation_ends(const struct escalation_plan *plan, size_t contact,
                       const struct escalation_case *incident,
                       const bool reached[ESCALATION_CHANNELS_MAX], int64_t now_ms,
                       struct escalation_end ends[ESCALATION_CHANNELS_MAX])
{
    struct ending ending = {
        plan, &plan->contacts[contact], incident, reached, now_ms, ends, 0};
    size_t rang = ESCALATION_NONE;
    bool is_told = false;
    for (size_t i = 0; i < ending.contact->address_count; i++) {
        const struct escalation_channel *channel = channel_of(&ending, i);
        if (!reached[i])
            continue;
        if (channel->stops_at_end) {
            tell(&ending, i, now_ms);
        } else if (!channel->rings) {
            tell_in_time(&ending, i);
            is_told = true;
        } else if (rang == ESCALATION_NONE) {
            rang = i;
        }
    }
    if (!is_told && rang != ESCALATION_NONE)
        tell_instead(&ending, rang);
    return ending.count;
}
