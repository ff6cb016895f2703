// SPDX-License-Identifier: Apache-2.0
#include "alerts/escalation.h"

#include <assert.h>
#include <string.h>

#define HANDOVER_MS INT64_C(60000) /* how soon it is seen that a shift has changed */

static bool is_listed(const char *const *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static bool concerns(const struct escalation_policy *policy, const char *zone,
                     const char *site, enum alert_severity severity)
{
    if (severity < policy->least)
        return false;
    if (policy->zone_count == 0 && policy->site_count == 0)
        return true;
    return is_listed(policy->zones, policy->zone_count, zone) ||
           is_listed(policy->sites, policy->site_count, site);
}

const struct escalation_policy *escalation_policy(const struct escalation_plan *plan,
                                                  const char *zone, const char *site,
                                                  enum alert_severity severity)
{
    for (size_t i = 0; i < plan->policy_count; i++)
        if (concerns(&plan->policies[i], zone, site, severity))
            return &plan->policies[i];
    return NULL;
}

size_t escalation_way(const struct escalation_contact *contact, size_t address)
{
    size_t way = 0;
    for (size_t i = 0; i < address; i++)
        way += contact->addresses[i].channel == contact->addresses[address].channel;
    return way;
}

size_t escalation_address(const struct escalation_contact *contact, size_t channel,
                          size_t way)
{
    size_t found = ESCALATION_NONE;
    for (size_t i = 0; i < contact->address_count; i++)
        if (contact->addresses[i].channel == channel &&
            (found == ESCALATION_NONE || escalation_way(contact, i) <= way))
            found = i;
    return found;
}

/* ---- one contact at one step ------------------------------------------------------- */

/* What is being decided. */
struct turn {
    const struct escalation_plan *plan;
    const struct escalation_policy *policy;
    const struct escalation_case *incident;
    const struct escalation_tell *told;
    size_t told_count;
    int64_t now_ms;
    struct escalation_decision *decision;
    size_t step;
    bool is_last_resort;
    bool is_reminder; /* each is told once */
    uint32_t most;    /* times */
    int64_t repeat_ms;
};

static void look_again(struct turn *turn, int64_t at_ms)
{
    if (at_ms < turn->decision->next_ms)
        turn->decision->next_ms = at_ms;
}

/* What that contact was told at this step. */
struct history {
    uint32_t times; /* repeats begun */
    int64_t last_ms;
    bool is_under_way; /* of the last repeat, something has not failed */
};

static bool is_of(const struct turn *turn, const struct escalation_tell *told,
                  size_t contact)
{
    return told->step == turn->step && told->contact == contact;
}

static struct history look_back(const struct turn *turn, size_t contact)
{
    struct history history = {0};
    for (size_t i = 0; i < turn->told_count; i++) {
        const struct escalation_tell *told = &turn->told[i];
        if (!is_of(turn, told, contact) || told->repeat + 1 < history.times)
            continue;
        if (told->repeat + 1 > history.times)
            history = (struct history){.times = told->repeat + 1};
        if (told->at_ms > history.last_ms)
            history.last_ms = told->at_ms;
        history.is_under_way |= !told->has_failed;
    }
    return history;
}

static bool was_tried(const struct turn *turn, size_t contact, uint32_t repeat,
                      size_t channel, size_t way)
{
    for (size_t i = 0; i < turn->told_count; i++)
        if (is_of(turn, &turn->told[i], contact) && turn->told[i].repeat == repeat &&
            turn->told[i].channel == channel && turn->told[i].way == way)
            return true;
    return false;
}

static void tell(struct turn *turn, struct escalation_tell given)
{
    struct escalation_decision *decision = turn->decision;
    if (decision->count == ESCALATION_TELLS_MAX) {
        look_again(turn, turn->now_ms); /* the rest at the next look */
        return;
    }
    given.step = turn->step;
    given.at_ms = turn->now_ms;
    given.is_last_resort = turn->is_last_resort;
    decision->tells[decision->count++] = given;
}

/* The smaller the better; what is equal keeps the contact's order. */
static unsigned badness(const struct turn *turn, const struct escalation_channel *channel,
                        bool is_quiet, bool someone_sleeps)
{
    unsigned bad = 0;
    if (channel->is_down)
        bad += 8;
    if (channel->full_until > turn->now_ms)
        bad += 4;
    if (turn->incident->is_over ? channel->rings : someone_sleeps && !channel->rings)
        bad += 2;
    if (is_quiet)
        bad += 1;
    return bad;
}

static bool may_ring(const struct turn *turn)
{
    return turn->incident->severity == ALERT_CRITICAL;
}

/* Picks the address for one repeat. NONE with *wait_ms: when to look again, or NEVER. */
static size_t pick(const struct turn *turn, size_t who, uint32_t repeat, bool *is_quiet,
                   int64_t *wait_ms)
{
    const struct escalation_contact *contact = &turn->plan->contacts[who];
    int64_t quiet[ESCALATION_CHANNELS_MAX];
    bool sleeps = false;
    size_t count = contact->address_count < ESCALATION_CHANNELS_MAX
                       ? contact->address_count
                       : ESCALATION_CHANNELS_MAX;
    for (size_t i = 0; i < count; i++) {
        quiet[i] = escalation_quiet_until(contact, &contact->addresses[i],
                                          &turn->incident->tz, turn->now_ms);
        sleeps |= quiet[i] != 0;
    }
    size_t best = ESCALATION_NONE;
    unsigned best_badness = UINT32_MAX;
    *wait_ms = ESCALATION_NEVER;
    for (size_t i = 0; i < count; i++) {
        size_t channel = contact->addresses[i].channel;
        if (was_tried(turn, who, repeat, channel, escalation_way(contact, i)) ||
            turn->plan->channels[channel].is_subject)
            continue;
        if (quiet[i] != 0 && !may_ring(turn)) {
            if (quiet[i] < *wait_ms)
                *wait_ms = quiet[i];
            continue;
        }
        unsigned bad =
            badness(turn, &turn->plan->channels[channel], quiet[i] != 0, sleeps);
        if (bad < best_badness) {
            best = i;
            best_badness = bad;
        }
    }
    if (best != ESCALATION_NONE)
        *is_quiet = quiet[best] != 0;
    return best;
}

static void tell_repeat(struct turn *turn, size_t who, uint32_t repeat)
{
    int64_t wait_ms;
    bool is_quiet = false;
    size_t address = pick(turn, who, repeat, &is_quiet, &wait_ms);
    if (address == ESCALATION_NONE) {
        look_again(turn, wait_ms);
        return;
    }
    const struct escalation_contact *contact = &turn->plan->contacts[who];
    tell(turn, (struct escalation_tell){
                   .contact = who,
                   .repeat = repeat,
                   .channel = contact->addresses[address].channel,
                   .way = escalation_way(contact, address),
                   .is_fallback = address > 0,
                   .is_in_quiet = is_quiet,
               });
}

/* Nobody is on duty: every channel, to its own receivers. */
static void tell_all(struct turn *turn, uint32_t repeat)
{
    for (size_t i = 0; i < turn->plan->channel_count; i++)
        if (!was_tried(turn, ESCALATION_NONE, repeat, i, 0) &&
            !turn->plan->channels[i].is_subject && !turn->plan->channels[i].is_program)
            tell(turn, (struct escalation_tell){
                           .contact = ESCALATION_NONE, .repeat = repeat, .channel = i});
}

static void tell_contact(struct turn *turn, size_t who, uint32_t repeat)
{
    if (who == ESCALATION_NONE)
        tell_all(turn, repeat);
    else
        tell_repeat(turn, who, repeat);
}

/* What the step says to one contact now. */
static void visit(struct turn *turn, size_t who)
{
    struct history history = look_back(turn, who);
    if (history.times > 0 && !history.is_under_way && who != ESCALATION_NONE) {
        size_t before = turn->decision->count;
        tell_contact(turn, who, history.times - 1); /* over the next address */
        if (turn->decision->count > before)
            history.last_ms = turn->now_ms;
    }
    if (history.times >= turn->most || (history.times > 0 && turn->repeat_ms == 0))
        return;
    int64_t due_ms =
        history.times == 0 ? turn->now_ms : history.last_ms + turn->repeat_ms;
    if (due_ms > turn->now_ms) {
        look_again(turn, due_ms);
        return;
    }
    tell_contact(turn, who, history.times);
    if (history.times + 1 < turn->most && turn->repeat_ms > 0)
        look_again(turn, turn->now_ms + turn->repeat_ms);
}

static bool is_told_now(const struct turn *turn, size_t who, bool by_what_works)
{
    const struct escalation_decision *decision = turn->decision;
    for (size_t i = 0; i < decision->count; i++)
        if (is_of(turn, &decision->tells[i], who) &&
            (!by_what_works || !turn->plan->channels[decision->tells[i].channel].is_down))
            return true;
    return false;
}

/* Whether it was, is or will be told over something that works. */
static bool is_reached(const struct turn *turn, size_t who)
{
    int64_t wait_ms;
    bool is_quiet = false;
    for (size_t i = 0; i < turn->told_count; i++)
        if (is_of(turn, &turn->told[i], who) && !turn->told[i].has_failed)
            return true;
    if (is_told_now(turn, who, true) || turn->decision->count == ESCALATION_TELLS_MAX)
        return true;
    uint32_t times = look_back(turn, who).times;
    size_t left = pick(turn, who, times > 0 ? times - 1 : 0, &is_quiet, &wait_ms);
    return left == ESCALATION_NONE && wait_ms != ESCALATION_NEVER;
}

/* ---- a step, a round --------------------------------------------------------------- */

/* False: none of them can be reached, or nobody is on that duty. */
static bool visit_duty(struct turn *turn, size_t duty)
{
    size_t who[ESCALATION_CONTACTS_MAX];
    bool is_any_reached = false;
    if (duty == ESCALATION_NONE)
        return false;
    size_t count = escalation_on_duty(&turn->plan->duties[duty], &turn->incident->tz,
                                      turn->now_ms, who);
    for (size_t i = 0; i < count; i++) {
        if (!is_told_now(turn, who[i], false))
            visit(turn, who[i]);
        is_any_reached |= is_reached(turn, who[i]);
    }
    return is_any_reached;
}

static void visit_last_resort(struct turn *turn)
{
    turn->is_last_resort = true;
    if (!visit_duty(turn, turn->policy->last_resort))
        visit(turn, ESCALATION_NONE);
}

/* False: it reached nobody, and the next step is due. */
static bool visit_step(struct turn *turn, size_t step)
{
    const struct escalation_step *given = &turn->policy->steps[step];
    size_t who[ESCALATION_CONTACTS_MAX];
    turn->step = step;
    turn->repeat_ms = turn->is_reminder ? 0 : given->repeat_ms;
    turn->most = turn->is_reminder ? 1 : given->most;
    turn->is_last_resort = false;
    bool is_nobody_there =
        escalation_on_duty(&turn->plan->duties[given->duty], &turn->incident->tz,
                           turn->now_ms, who) == 0;
    bool is_any_reached = !is_nobody_there && visit_duty(turn, given->duty);
    if (is_nobody_there || (!is_any_reached && step + 1 == turn->policy->step_count))
        visit_last_resort(turn);
    return is_any_reached || is_nobody_there;
}

void escalation_next(const struct escalation_plan *plan,
                     const struct escalation_policy *policy,
                     const struct escalation_case *incident,
                     const struct escalation_tell *told, size_t told_count,
                     int64_t now_ms, struct escalation_decision *decision)
{
    assert(plan->channel_count <= ESCALATION_CHANNELS_MAX);
    struct turn turn = {
        .plan = plan,
        .policy = policy,
        .incident = incident,
        .told = told,
        .told_count = told_count,
        .now_ms = now_ms,
        .decision = decision,
    };
    *decision = (struct escalation_decision){.next_ms = ESCALATION_NEVER};
    if (now_ms < incident->snoozed_until_ms) {
        decision->next_ms = incident->snoozed_until_ms;
        return;
    }
    if (incident->is_acknowledged && incident->acknowledged_ms >= incident->round_ms)
        return;
    turn.is_reminder = incident->is_acknowledged;
    bool is_reached_so_far = true;
    look_again(&turn, now_ms + HANDOVER_MS);
    for (size_t i = 0; i < policy->step_count; i++) {
        int64_t due_ms = incident->round_ms + policy->steps[i].after_ms;
        if (incident->is_acknowledged && i > 0 && is_reached_so_far)
            break;
        if (due_ms <= now_ms || !is_reached_so_far)
            is_reached_so_far = visit_step(&turn, i);
        else
            look_again(&turn, due_ms);
    }
}
