// SPDX-License-Identifier: Apache-2.0
/*
 * escalate - who is told of an incident, by the policy that is for it.
 *
 * The decision is alerts/escalation.c's. What it needs is in state.db: what was told is
 * the outbox, a round is a row of `escalation`, how channels do is `channel_health`. So a
 * replay decides nothing twice, and what is due by time alone is told by TICK records.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/notify/message.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"

#define ATTEMPTS_MAX 3 /* without a receipt: told over another channel, too */
#define LOOKS_MAX    200
#define FULL_MS      INT64_C(60000) /* a channel's rate is counted over so long */
#define LATER_MS     INT64_C(60000) /* how soon it is seen that a zone is on duty again */

static void add(struct pipeline *pipeline, const struct state_message *message)
{
    struct state *state = pipeline->options.state;
    if (message->times > 0)
        pipeline_note(pipeline, state_supersede_messages(state, message));
    pipeline_note(pipeline, state_add_message(state, message));
}

/* ---- without a policy: everything to all channels at once ------------------------- */

static void tell_all(struct pipeline *pipeline, const struct incident *incident,
                     const char *cause, const char *body)
{
    for (size_t i = 0; i < pipeline->options.channel_count; i++)
        pipeline_tell_channel(pipeline, incident, cause, pipeline->options.channels[i],
                              body);
}

/* With one: programs that no contact names are told as without. */
static void tell_programs(struct pipeline *pipeline, const struct incident *incident,
                          const char *cause, const char *body)
{
    for (size_t i = 0; i < pipeline->options.channel_count; i++)
        if (pipeline_is_program(pipeline, pipeline->options.channels[i]))
            pipeline_tell_channel(pipeline, incident, cause,
                                  pipeline->options.channels[i], body);
}

/* What such a program was told says nothing of the steps. */
static bool is_of_a_program(const struct pipeline *pipeline,
                            const struct state_telling *telling)
{
    return telling->contact[0] == '\0' && pipeline_is_program(pipeline, telling->channel);
}

/* ---- what was told ---------------------------------------------------------------- */

struct tellings {
    const struct pipeline *pipeline;
    const struct roster *roster;
    const struct escalation_plan *plan; /* the roster's, with the channels as they are */
    uint32_t round;
    int64_t heard_ms; /* when the first was told whom it reached, or may have; or now */
    struct escalation_tell *list;
    size_t count;
    size_t capacity;
};

/* It was refused, and will be for some time. */
static bool is_refused(const struct tellings *tellings,
                       const struct state_telling *telling)
{
    int64_t wait_ms = telling->next_attempt_ms - tellings->pipeline->now_ms;
    return telling->has_result &&
           (telling->attempts >= ATTEMPTS_MAX || wait_ms >= PIPELINE_SOON_MS);
}

static bool has_failed(const struct tellings *tellings,
                       const struct state_telling *telling, size_t channel)
{
    if (telling->state == STATE_OUTBOX_DEAD)
        return !telling->is_taken;
    return telling->state == STATE_OUTBOX_PENDING &&
           (tellings->plan->channels[channel].is_down || is_refused(tellings, telling));
}

/* Of contacts and channels that are no longer there, nothing more is expected. */
static void on_telling(void *context, const struct state_telling *telling)
{
    struct tellings *tellings = context;
    size_t channel = roster_channel(tellings->roster, telling->channel);
    size_t contact = roster_contact(tellings->roster, telling->contact);
    if (telling->round != tellings->round || telling->step >= STATE_STEP_END ||
        is_of_a_program(tellings->pipeline, telling) || channel == ESCALATION_NONE ||
        (contact == ESCALATION_NONE && telling->contact[0] != '\0'))
        return;
    if (telling->may_have_come && telling->created_ms < tellings->heard_ms)
        tellings->heard_ms = telling->created_ms;
    mem_grow(&tellings->list, &tellings->capacity, tellings->count + 1,
             sizeof *tellings->list);
    tellings->list[tellings->count++] = (struct escalation_tell){
        .step = telling->step,
        .contact = contact,
        .repeat = telling->times,
        .channel = channel,
        .way = telling->address,
        .at_ms = telling->created_ms,
        .has_failed = has_failed(tellings, telling, channel),
    };
}

/* ---- the plan as it is now -------------------------------------------------------- */

void pipeline_look_at_channels(struct pipeline *pipeline, const struct incident *incident,
                               struct escalation_channel *channels)
{
    struct state *state = pipeline->options.state;
    const struct roster *roster = pipeline->options.roster;
    for (size_t i = 0; i < roster->plan.channel_count; i++) {
        struct state_health health;
        uint64_t count = 0;
        channels[i] = roster->plan.channels[i];
        pipeline_note(pipeline, state_get_health(state, channels[i].name, &health));
        channels[i].is_down = pipeline_is_down(&health);
        channels[i].is_subject = pipeline_is_about(incident, channels[i].name);
        if (roster->given[i].rate == 0)
            continue;
        pipeline_note(pipeline, state_count_channel(state, channels[i].name,
                                                    pipeline->now_ms - FULL_MS,
                                                    pipeline->now_ms, &count));
        if (count >= (uint64_t)roster->given[i].rate)
            channels[i].full_until = pipeline->now_ms + FULL_MS;
    }
}

static const struct escalation_policy *policy_of(const struct pipeline *pipeline,
                                                 const struct incident *incident)
{
    if (pipeline->options.roster == NULL)
        return NULL;
    const struct registry_zone *zone = registry_zone(pipeline->registry, incident->zone);
    return escalation_policy(&pipeline->options.roster->plan, incident->zone,
                             zone != NULL ? zone->site : "", incident->severity);
}

/* ---- one message ------------------------------------------------------------------ */

/* What is said, beyond the incident itself, to the one it is said to. */
static void add_words(json_t *body, const char *language, const char *unanswered)
{
    struct buf text = {0};
    bool is_zh = strcmp(language, "text_zh") == 0;
    buf_text(&text, json_string_value(json_object_get(body, language)));
    if (unanswered[0] != '\0')
        buf_format(&text,
                   is_zh ? "。已 %s 无人确认" : ". Nobody has acknowledged it for %s",
                   unanswered);
    json_object_set_new(body, language, json_stringn(text.data, text.len));
    buf_fini(&text);
}

struct saying {
    const struct incident *incident;
    const struct escalation_tell *tell;
    const char *contact; /* "" */
    const char *key;
    int64_t heard_ms; /* since then somebody could have answered */
};

static char *body_for(struct pipeline *pipeline, const struct saying *saying,
                      const char *plain)
{
    char unanswered[32] = "";
    struct buf link = {0};
    json_t *body = json_loads(plain, 0, NULL);
    int64_t minutes = (pipeline->now_ms - saying->heard_ms) / 60000;
    assert(body != NULL);
    buf_text(&link, "");
    if (minutes > 0)
        snprintf(unanswered, sizeof unanswered, "%d min", (int)minutes);
    if (pipeline->options.links != NULL)
        ack_link(pipeline->options.links, saying->incident->id, saying->contact,
                 pipeline->now_ms, &link);
    add_words(body, "text_zh", unanswered);
    add_words(body, "text_en", unanswered);
    json_object_set_new(body, "key", json_string(saying->key));
    json_object_set_new(body, "contact", json_string(saying->contact));
    json_object_set_new(body, "step", json_integer((json_int_t)saying->tell->step + 1));
    json_object_set_new(body, "times",
                        json_integer((json_int_t)saying->tell->repeat + 1));
    if (link.len > 0)
        json_object_set_new(body, "acknowledge_url", json_string(link.data));
    char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(body);
    buf_fini(&link);
    return text;
}

static void tell_one(struct pipeline *pipeline, const struct incident *incident,
                     const struct state_escalation *round,
                     const struct escalation_tell *tell, int64_t heard_ms,
                     const char *plain)
{
    const struct escalation_plan *plan = &pipeline->options.roster->plan;
    char revision[MESSAGE_KEY_SIZE];
    struct buf key = {0};
    const char *contact =
        tell->contact != ESCALATION_NONE ? plan->contacts[tell->contact].id : "";
    message_key(incident, revision);
    buf_format(&key, "%s-%u.%zu.%u-%s", revision, (unsigned)round->round, tell->step,
               (unsigned)tell->repeat, contact);
    if (tell->way > 0) /* the channel's service may compare keys */
        buf_format(&key, "-%zu", tell->way + 1);
    const struct saying saying = {incident, tell, contact, key.data, heard_ms};
    char *body = body_for(pipeline, &saying, plain);
    const struct state_message message = {
        .incident = incident->id,
        .revision = incident->revision,
        .cause = round->cause,
        .channel = plan->channels[tell->channel].name,
        .key = key.data,
        .body = body,
        .created_ms = pipeline->now_ms,
        .next_attempt_ms = pipeline->now_ms,
        .contact = contact,
        .round = round->round,
        .step = (uint32_t)tell->step,
        .times = tell->repeat,
        .address = (uint32_t)tell->way,
    };
    add(pipeline, &message);
    free(body);
    buf_fini(&key);
}

/* ---- one look --------------------------------------------------------------------- */

/* What is over, and was told to nobody yet, is told once and wakes nobody. */
static struct escalation_case case_of(struct pipeline *pipeline,
                                      const struct incident *incident,
                                      const struct state_escalation *round)
{
    struct state_care care = {0};
    bool is_over = incident->state == INCIDENT_CLOSED;
    enum err err = state_get_care(pipeline->options.state, incident->id, &care);
    if (err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
    return (struct escalation_case){
        .severity = is_over ? ALERT_WARNING : incident->severity,
        .is_over = is_over,
        .round_ms = round->round_ms,
        .is_acknowledged = incident->is_acknowledged || is_over,
        .acknowledged_ms = is_over ? INT64_MIN : incident->acknowledged_ms,
        .snoozed_until_ms = is_over ? 0 : care.snoozed_until_ms,
        .tz = *registry_tz(pipeline->registry, incident->zone),
    };
}

/* What waits to say that it is over, says it no more, and holds nothing up. */
static void withdraw_ends(struct pipeline *pipeline, const char *cause)
{
    pipeline_note(pipeline,
                  state_withdraw_ends(pipeline->options.state, cause, pipeline->now_ms));
}

struct ringing {
    const struct pipeline *pipeline;
    bool is_any;
};

/* By the rule as it was when it opened. */
static void on_member(void *context, const struct incident *incident)
{
    struct ringing *ringing = context;
    const struct registry_zone *zone =
        registry_zone(ringing->pipeline->registry, incident->zone);
    bool is_judged =
        !alert_kind_is_trouble(incident->kind) && !alert_kind_is_date(incident->kind);
    bool is_quiet = is_judged && zone != NULL && zone->is_off_duty &&
                    strstr(incident->snapshot, "\"is_safety\":true") == NULL;
    ringing->is_any |= incident->state != INCIDENT_CLOSED && !is_quiet;
}

/* Nobody is told again of what goes on where nothing but safety rings. */
static bool is_off_duty(struct pipeline *pipeline, const struct incident *incident,
                        const char *cause)
{
    struct ringing ringing = {.pipeline = pipeline};
    on_member(&ringing, incident);
    if (ringing.is_any || incident->state == INCIDENT_CLOSED)
        return false;
    pipeline_note(pipeline, state_each_member(pipeline->options.state, cause,
                                              STATE_PAGE_MAX, &ringing, on_member));
    return !ringing.is_any;
}

static void look(struct pipeline *pipeline, const struct incident *incident,
                 const struct escalation_policy *policy, struct state_escalation *round,
                 const char *plain)
{
    static struct escalation_decision decision; /* large; the loop's alone */
    if (is_off_duty(pipeline, incident, round->cause)) {
        round->next_ms = pipeline->now_ms + LATER_MS;
        pipeline_note(pipeline, state_put_escalation(pipeline->options.state, round));
        return;
    }
    struct escalation_channel channels[ESCALATION_CHANNELS_MAX];
    struct escalation_plan plan = pipeline->options.roster->plan;
    pipeline_look_at_channels(pipeline, incident, channels);
    plan.channels = channels;
    struct tellings tellings = {.pipeline = pipeline,
                                .roster = pipeline->options.roster,
                                .plan = &plan,
                                .round = round->round,
                                .heard_ms = pipeline->now_ms};
    pipeline_note(pipeline, state_each_telling(pipeline->options.state, round->cause,
                                               &tellings, on_telling));
    const struct escalation_case now = case_of(pipeline, incident, round);
    escalation_next(&plan, policy, &now, tellings.list, tellings.count, pipeline->now_ms,
                    &decision);
    if (decision.count > 0 && incident->state != INCIDENT_CLOSED)
        withdraw_ends(pipeline, round->cause);
    for (size_t i = 0; i < decision.count; i++)
        tell_one(pipeline, incident, round, &decision.tells[i], tellings.heard_ms, plain);
    round->next_ms = decision.next_ms;
    pipeline_note(pipeline, state_put_escalation(pipeline->options.state, round));
    free(tellings.list);
}

/* ---- transitions ------------------------------------------------------------------ */

static void begin_round(struct pipeline *pipeline, const struct incident *incident,
                        const struct escalation_policy *policy, const char *cause,
                        const char *body)
{
    struct state_escalation round = {0};
    enum err err = state_get_escalation(pipeline->options.state, cause, &round);
    if (err == ERR_OK)
        round.round++;
    else if (err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
    snprintf(round.cause, sizeof round.cause, "%s", cause);
    round.round_ms = pipeline->now_ms;
    look(pipeline, incident, policy, &round, body);
}

/* Something changed; what follows from that is decided at the next tick. */
static void look_soon(struct pipeline *pipeline, const char *cause)
{
    struct state_escalation round;
    enum err err = state_get_escalation(pipeline->options.state, cause, &round);
    if (err == ERR_OK) {
        round.next_ms = pipeline->now_ms;
        err = state_put_escalation(pipeline->options.state, &round);
    }
    if (err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
}

void pipeline_tell(struct pipeline *pipeline, enum alert_effect_kind kind,
                   const struct incident *incident, const struct pipeline_cause *decided,
                   const char *body)
{
    assert(pipeline->has_transaction && body != NULL);
    const char *cause = decided->cause.id;
    const struct escalation_policy *policy = policy_of(pipeline, incident);
    bool is_end = kind == ALERT_EFFECT_CLOSED || kind == ALERT_EFFECT_WITHDRAWN;
    bool is_over = decided->telling == CAUSE_TELL_OVER;
    if (pipeline->batch_err != ERR_OK)
        return;
    if (decided->telling == CAUSE_TELL_PART) {
        pipeline_tell_part(pipeline, incident, policy, decided, body);
        look_soon(pipeline, cause);
        return;
    }
    if (kind == ALERT_EFFECT_ESCALATED && decided->telling == CAUSE_TELL)
        pipeline_note(pipeline, state_end_snooze(pipeline->options.state, incident->id));
    if (!is_over && decided->telling != CAUSE_TELL_NOBODY)
        withdraw_ends(pipeline, cause);
    if (decided->telling == CAUSE_TELL_NOBODY) {
        look_soon(pipeline, cause);
    } else if (is_end && !is_over) {
        pipeline_tell_end(pipeline, kind, incident, decided, body);
        look_soon(pipeline, cause);
    } else if (policy == NULL) {
        tell_all(pipeline, incident, cause, body);
    } else {
        tell_programs(pipeline, incident, cause, body);
        begin_round(pipeline, incident, policy, cause, body);
    }
}

/* ---- time ------------------------------------------------------------------------- */

struct said {
    const struct pipeline *pipeline;
    uint32_t round;
    bool is_any; /* of that round: a beginning, or that it is over */
};

static void on_said(void *context, const struct state_telling *telling)
{
    struct said *said = context;
    said->is_any |= telling->round == said->round && telling->step != STATE_STEP_PART &&
                    !is_of_a_program(said->pipeline, telling);
}

/* False: nobody speaks for it any more. */
static bool find_speaker(struct pipeline *pipeline, const struct state_escalation *round,
                         struct state_speaker *speaker, struct incident *incident)
{
    struct state *state = pipeline->options.state;
    int64_t since_ms = pipeline->now_ms - PIPELINE_FORGOTTEN_MS + 1;
    if (since_ms < round->round_ms)
        since_ms = round->round_ms;
    enum err err = state_find_speaker(state, round->cause, since_ms, speaker);
    if (err == ERR_OK)
        err = state_get_incident(state, speaker->id, incident);
    if (err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
    if (err == ERR_OK && speaker->covered_ms != 0) {
        incident->is_acknowledged = true;
        incident->acknowledged_ms = speaker->covered_ms;
    }
    return err == ERR_OK;
}

/* What was acknowledged with others does not come back by itself when they are over. */
static void look_when_forgotten(struct pipeline *pipeline, struct state_escalation *round,
                                const struct state_speaker *speaker)
{
    int64_t at_ms = speaker->covered_ms + PIPELINE_FORGOTTEN_MS;
    if (speaker->covered_ms == 0 || at_ms <= pipeline->now_ms || at_ms >= round->next_ms)
        return;
    round->next_ms = at_ms;
    pipeline_note(pipeline, state_put_escalation(pipeline->options.state, round));
}

static void look_again(struct pipeline *pipeline, struct state_escalation *round)
{
    struct state *state = pipeline->options.state;
    struct state_speaker speaker = {0};
    struct incident incident = {0};
    struct buf body = {0};
    struct said said = {.pipeline = pipeline, .round = round->round};
    bool has_speaker = find_speaker(pipeline, round, &speaker, &incident);
    pipeline_note(pipeline, state_each_telling(state, round->cause, &said, on_said));
    bool is_over = has_speaker && incident.state == INCIDENT_CLOSED;
    const struct escalation_policy *policy =
        has_speaker ? policy_of(pipeline, &incident) : NULL;
    if (has_speaker)
        pipeline_store_value(pipeline, &incident);
    if (policy == NULL || (is_over && said.is_any)) {
        round->next_ms = ESCALATION_NEVER; /* over, or the settings are others now */
        pipeline_note(pipeline, state_put_escalation(state, round));
        return;
    }
    const struct message_cause cause = {.id = round->cause, .is_over = is_over};
    message_format(&incident, is_over ? ALERT_EFFECT_CLOSED : ALERT_EFFECT_OPENED, &cause,
                   pipeline->registry, pipeline->now_ms, &body);
    look(pipeline, &incident, policy, round, body.data);
    look_when_forgotten(pipeline, round, &speaker);
    buf_fini(&body);
}

void pipeline_escalate(struct pipeline *pipeline)
{
    struct state_escalation round;
    if (pipeline->options.roster == NULL || pipeline->at <= pipeline->effect_cursor)
        return;
    for (size_t i = 0; i < LOOKS_MAX && pipeline->batch_err == ERR_OK; i++) {
        enum err err =
            state_due_escalation(pipeline->options.state, pipeline->now_ms, &round);
        if (err == ERR_NOT_FOUND)
            return;
        if (err != ERR_OK) {
            pipeline_note(pipeline, err);
            return;
        }
        if (!pipeline_begin_effects(pipeline))
            return;
        look_again(pipeline, &round);
    }
}
