// SPDX-License-Identifier: Apache-2.0
/*
 * endings - who is told that it is over: whom its beginning reached.
 *
 * What was delivered, and what may have been when a crash hides what became of an
 * attempt, has reached them. What still waits and cannot have come is withdrawn: who was
 * told nothing else is told once, as over, and nobody is woken for it. What was given up
 * is followed by nothing. Programs miss nothing: for them an end stands behind its
 * beginning.
 *
 * The rows of the outbox say all this, so a replay finds the same.
 *
 * Somebody took it: beginnings that still wait are not told any more. Programs hear them
 * all the same, and what says that something is over wakes nobody and is told.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/notify/message.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"

bool pipeline_is_about(const struct incident *incident, const char *channel)
{
    return incident->kind == ALERT_ALARM_PATH && strcmp(incident->channel, channel) == 0;
}

static void tell_channel(struct pipeline *pipeline, const struct incident *incident,
                         const char *cause, const char *channel, uint32_t step,
                         const char *body)
{
    char key[MESSAGE_KEY_SIZE];
    message_key(incident, key);
    const struct state_message message = {
        .incident = incident->id,
        .revision = incident->revision,
        .cause = cause,
        .channel = channel,
        .key = key,
        .body = body,
        .created_ms = pipeline->now_ms,
        .next_attempt_ms = pipeline->now_ms,
        .step = step,
    };
    if (!pipeline_is_about(incident, channel))
        pipeline_note(pipeline, state_add_message(pipeline->options.state, &message));
}

void pipeline_tell_channel(struct pipeline *pipeline, const struct incident *incident,
                           const char *cause, const char *channel, const char *body)
{
    assert(pipeline->has_transaction);
    tell_channel(pipeline, incident, cause, channel, 0, body);
}

bool pipeline_is_program(const struct pipeline *pipeline, const char *channel)
{
    const struct roster *roster = pipeline->options.roster;
    if (roster == NULL)
        return true;
    size_t index = roster_channel(roster, channel);
    return index != ESCALATION_NONE && roster->plan.channels[index].is_program;
}

/* ---- whom it reached -------------------------------------------------------------- */

/* A message that began it and has no end yet. */
struct beginning {
    uint64_t message;
    size_t contact;      /* NONE: the channel's own receivers */
    const char *channel; /* of the pipeline's options */
    size_t way;          /* of the contact's addresses over it */
    bool has_come;       /* or may have */
};

struct beginnings {
    const struct pipeline *pipeline;
    bool has_ended_too; /* who was told an end, is told this: it never was */
    struct beginning *list;
    size_t count;
    size_t capacity;
};

/* NULL: it is no longer there. */
static const char *channel_named(const struct pipeline *pipeline, const char *name)
{
    for (size_t i = 0; i < pipeline->options.channel_count; i++)
        if (strcmp(pipeline->options.channels[i], name) == 0)
            return pipeline->options.channels[i];
    return NULL;
}

/* False: a contact that is no longer there. Without policies channels speak for all. */
static bool find_contact(const struct pipeline *pipeline, const char *id, size_t *contact)
{
    const struct roster *roster = pipeline->options.roster;
    *contact = ESCALATION_NONE;
    if (id[0] == '\0' || roster == NULL || roster->plan.policy_count == 0)
        return true;
    *contact = roster_contact(roster, id);
    return *contact != ESCALATION_NONE;
}

/* They were told its end. */
static void forget(struct beginnings *beginnings, size_t contact, const char *channel)
{
    size_t kept = 0;
    for (size_t i = 0; i < beginnings->count; i++) {
        const struct beginning *one = &beginnings->list[i];
        if (one->contact != contact ||
            (contact == ESCALATION_NONE && one->channel != channel))
            beginnings->list[kept++] = *one;
    }
    beginnings->count = kept;
}

static void on_telling(void *context, const struct state_telling *telling)
{
    struct beginnings *beginnings = context;
    size_t contact;
    const char *channel = channel_named(beginnings->pipeline, telling->channel);
    bool is_vain = telling->state == STATE_OUTBOX_DEAD && !telling->may_have_come;
    if (is_vain || channel == NULL || telling->step == STATE_STEP_PART ||
        !find_contact(beginnings->pipeline, telling->contact, &contact))
        return;
    if (telling->is_end) {
        if (!beginnings->has_ended_too)
            forget(beginnings, contact, channel);
        return;
    }
    mem_grow(&beginnings->list, &beginnings->capacity, beginnings->count + 1,
             sizeof *beginnings->list);
    beginnings->list[beginnings->count++] = (struct beginning){
        .message = telling->id,
        .contact = contact,
        .channel = channel,
        .way = telling->address,
        .has_come = telling->may_have_come,
    };
}

/* ---- the end ---------------------------------------------------------------------- */

struct ending {
    struct pipeline *pipeline;
    const struct incident *incident;
    const char *cause;
    const char *body; /* for whom its beginning reached */
    const char *over; /* for who hears of it now */
    uint32_t round;
    uint32_t step; /* END or PART */
    struct beginnings beginnings;
};

static void tell_contact_over(struct ending *ending, size_t contact,
                              const struct escalation_end *end, const char *body)
{
    const struct escalation_plan *plan = &ending->pipeline->options.roster->plan;
    char revision[MESSAGE_KEY_SIZE];
    message_key(ending->incident, revision);
    char *key = end->way == 0 ? mem_format("%s-%s", revision, plan->contacts[contact].id)
                              : mem_format("%s-%s-%zu", revision,
                                           plan->contacts[contact].id, end->way + 1);
    const struct state_message message = {
        .incident = ending->incident->id,
        .revision = ending->incident->revision,
        .cause = ending->cause,
        .channel = plan->channels[end->channel].name,
        .key = key,
        .body = body,
        .created_ms = end->at_ms, /* a message's age counts from when it may go */
        .next_attempt_ms = end->at_ms,
        .contact = plan->contacts[contact].id,
        .round = ending->round,
        .step = ending->step,
        .address = (uint32_t)end->way,
    };
    pipeline_note(ending->pipeline,
                  state_add_message(ending->pipeline->options.state, &message));
    free(key);
}

/* Of beginnings for the contact those that came, or those that did not. */
static bool mark_reached(const struct ending *ending, size_t contact, bool has_come,
                         bool reached[ESCALATION_CHANNELS_MAX])
{
    const struct roster *roster = ending->pipeline->options.roster;
    bool is_any = false;
    memset(reached, 0, ESCALATION_CHANNELS_MAX * sizeof *reached);
    for (size_t i = 0; i < ending->beginnings.count; i++) {
        const struct beginning *one = &ending->beginnings.list[i];
        if (one->contact != contact || one->has_come != has_come)
            continue;
        size_t address =
            escalation_address(&roster->plan.contacts[contact],
                               roster_channel(roster, one->channel), one->way);
        if (address == ESCALATION_NONE)
            continue;
        reached[address] = true;
        is_any = true;
    }
    return is_any;
}

static void tell_contact(struct ending *ending, size_t contact,
                         const struct escalation_plan *plan)
{
    struct pipeline *pipeline = ending->pipeline;
    bool reached[ESCALATION_CHANNELS_MAX];
    struct escalation_end ends[ESCALATION_CHANNELS_MAX];
    bool has_come = mark_reached(ending, contact, true, reached);
    if (!has_come && !mark_reached(ending, contact, false, reached))
        return;
    const struct escalation_case over = {
        .severity = has_come ? ending->incident->severity : ALERT_WARNING,
        .tz = *registry_tz(pipeline->registry, ending->incident->zone),
    };
    size_t count = escalation_ends(plan, contact, &over, reached, pipeline->now_ms, ends);
    for (size_t i = 0; i < count; i++)
        tell_contact_over(ending, contact, &ends[i],
                          has_come ? ending->body : ending->over);
}

static void tell_contacts(struct ending *ending)
{
    struct escalation_channel channels[ESCALATION_CHANNELS_MAX];
    if (ending->pipeline->options.roster == NULL)
        return;
    struct escalation_plan plan = ending->pipeline->options.roster->plan;
    pipeline_look_at_channels(ending->pipeline, ending->incident, channels);
    plan.channels = channels;
    for (size_t i = 0; i < plan.contact_count; i++)
        tell_contact(ending, i, &plan);
}

/* The receivers that a channel has itself. */
static void tell_own_receivers(struct ending *ending, const char *channel)
{
    bool has_come = false;
    bool waits = false;
    for (size_t i = 0; i < ending->beginnings.count; i++) {
        const struct beginning *one = &ending->beginnings.list[i];
        if (one->contact != ESCALATION_NONE || one->channel != channel)
            continue;
        has_come |= one->has_come;
        waits |= !one->has_come;
    }
    if (has_come || waits)
        pipeline_tell_channel(ending->pipeline, ending->incident, ending->cause, channel,
                              has_come ? ending->body : ending->over);
}

/* False: it stays, and its end goes behind it. */
static bool is_withdrawn(const struct ending *ending, const struct beginning *one)
{
    return !one->has_come && (one->contact != ESCALATION_NONE ||
                              !pipeline_is_program(ending->pipeline, one->channel));
}

/* An incident that never was has others beside it, whose messages are not touched. */
static void withdraw_beginnings(struct ending *ending, bool keeps_all)
{
    for (size_t i = 0; i < ending->beginnings.count; i++) {
        struct beginning *one = &ending->beginnings.list[i];
        if (!keeps_all && is_withdrawn(ending, one))
            pipeline_note(ending->pipeline,
                          state_withdraw_message(ending->pipeline->options.state,
                                                 one->message, STATE_IS_OVER, ""));
        else
            one->has_come = true;
    }
}

static void format_over(const struct ending *ending, const struct pipeline_cause *decided,
                        struct buf *body)
{
    const struct message_cause cause = {
        .id = decided->cause.id,
        .leader = decided->has_leader ? &decided->leader : NULL,
        .is_over = true,
    };
    message_format(ending->incident, ALERT_EFFECT_CLOSED, &cause,
                   ending->pipeline->registry, ending->pipeline->now_ms, body);
}

void pipeline_tell_end(struct pipeline *pipeline, enum alert_effect_kind kind,
                       const struct incident *incident,
                       const struct pipeline_cause *decided, const char *body)
{
    assert(pipeline->has_transaction);
    struct buf over = {0};
    struct state_escalation round = {0};
    struct ending ending = {
        .pipeline = pipeline,
        .incident = incident,
        .cause = decided->cause.id,
        .body = body,
        .step = STATE_STEP_END,
        .beginnings = {.pipeline = pipeline,
                       .has_ended_too = kind == ALERT_EFFECT_WITHDRAWN},
    };
    struct state *state = pipeline->options.state;
    pipeline_note(pipeline, state_each_telling(state, ending.cause, &ending.beginnings,
                                               on_telling));
    enum err err = state_get_escalation(state, ending.cause, &round);
    if (err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
    ending.round = round.round;
    format_over(&ending, decided, &over);
    ending.over = over.data;
    withdraw_beginnings(&ending, kind == ALERT_EFFECT_WITHDRAWN);
    tell_contacts(&ending);
    for (size_t i = 0; i < pipeline->options.channel_count; i++)
        tell_own_receivers(&ending, pipeline->options.channels[i]);
    buf_fini(&over);
    free(ending.beginnings.list);
}

/* ---- a part that was over when it was learned ------------------------------------- */

/* A siren knows a beginning and an end, and this is neither. */
static bool stops_at_end(const struct pipeline *pipeline, const char *channel)
{
    const struct roster *roster = pipeline->options.roster;
    size_t index = roster != NULL ? roster_channel(roster, channel) : ESCALATION_NONE;
    return index != ESCALATION_NONE && roster->plan.channels[index].stops_at_end;
}

/* The first address that works; NONE: there are but sirens. */
static size_t first_way(const struct escalation_plan *plan, size_t contact)
{
    const struct escalation_contact *given = &plan->contacts[contact];
    size_t found = ESCALATION_NONE;
    for (size_t i = 0; i < given->address_count; i++) {
        const struct escalation_channel *channel =
            &plan->channels[given->addresses[i].channel];
        if (channel->stops_at_end || channel->is_subject)
            continue;
        if (!channel->is_down)
            return i;
        if (found == ESCALATION_NONE)
            found = i;
    }
    return found;
}

static size_t tell_contact_part(struct ending *part, size_t contact,
                                const struct escalation_plan *plan,
                                const struct escalation_case *over)
{
    bool reached[ESCALATION_CHANNELS_MAX] = {false};
    struct escalation_end ends[ESCALATION_CHANNELS_MAX];
    size_t way = first_way(plan, contact);
    if (way == ESCALATION_NONE)
        return 0;
    reached[way] = true;
    size_t count =
        escalation_ends(plan, contact, over, reached, part->pipeline->now_ms, ends);
    for (size_t i = 0; i < count; i++)
        tell_contact_over(part, contact, &ends[i], part->body);
    return count;
}

/* Who has the duty of the first step, when they do not sleep. False: nobody does. */
static bool tell_duty(struct ending *part, const struct escalation_policy *policy)
{
    struct escalation_channel channels[ESCALATION_CHANNELS_MAX];
    size_t who[ESCALATION_CONTACTS_MAX];
    struct pipeline *pipeline = part->pipeline;
    struct escalation_plan plan = pipeline->options.roster->plan;
    const struct escalation_case over = {
        .severity = ALERT_WARNING,
        .tz = *registry_tz(pipeline->registry, part->incident->zone),
    };
    size_t told = 0;
    pipeline_look_at_channels(pipeline, part->incident, channels);
    plan.channels = channels;
    size_t count = escalation_on_duty(&plan.duties[policy->steps[0].duty], &over.tz,
                                      pipeline->now_ms, who);
    for (size_t i = 0; i < count; i++)
        told += tell_contact_part(part, who[i], &plan, &over);
    return told > 0;
}

void pipeline_tell_part(struct pipeline *pipeline, const struct incident *incident,
                        const struct escalation_policy *policy,
                        const struct pipeline_cause *decided, const char *body)
{
    assert(pipeline->has_transaction);
    struct ending part = {
        .pipeline = pipeline,
        .incident = incident,
        .cause = decided->cause.id,
        .body = body,
        .step = STATE_STEP_PART,
    };
    bool is_told = policy != NULL && tell_duty(&part, policy);
    for (size_t i = 0; i < pipeline->options.channel_count; i++) {
        const char *channel = pipeline->options.channels[i];
        if (!stops_at_end(pipeline, channel) &&
            (!is_told || pipeline_is_program(pipeline, channel)))
            tell_channel(pipeline, incident, part.cause, channel, STATE_STEP_PART, body);
    }
}

/* ---- somebody has it --------------------------------------------------------------- */

struct waiting {
    const struct pipeline *pipeline;
    uint64_t *messages;
    size_t count;
    size_t capacity;
};

static void on_waiting(void *context, const struct state_telling *telling)
{
    struct waiting *waiting = context;
    if (telling->state != STATE_OUTBOX_PENDING || telling->is_end ||
        telling->step == STATE_STEP_PART ||
        (telling->contact[0] == '\0' &&
         pipeline_is_program(waiting->pipeline, telling->channel)))
        return;
    mem_grow(&waiting->messages, &waiting->capacity, waiting->count + 1,
             sizeof *waiting->messages);
    waiting->messages[waiting->count++] = telling->id;
}

enum err pipeline_withdraw_taken(struct pipeline *pipeline, const char *cause,
                                 const char *by)
{
    assert(pipeline->has_transaction);
    struct state *state = pipeline->options.state;
    struct waiting waiting = {.pipeline = pipeline};
    enum err err = state_each_telling(state, cause, &waiting, on_waiting);
    for (size_t i = 0; err == ERR_OK && i < waiting.count; i++)
        err = state_withdraw_message(state, waiting.messages[i], STATE_IS_TAKEN, by);
    free(waiting.messages);
    return err;
}
