// SPDX-License-Identifier: Apache-2.0
/*
 * telling - from an incident to who is told of it: its cause, the policy, how it ends.
 *
 * What an engine or the collector itself finds becomes an effect (internal.h); these
 * decide what it means for people. Loop thread, within a transaction of effects where it
 * is said. Only the files of the pipeline include it.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_TELLING_H
#define COLDCHAIN_COLLECTOR_PIPELINE_TELLING_H

#include "collector/pipeline/internal.h"

/* causes.c: within effects */
struct pipeline_cause {
    struct cause cause; /* as it is with this effect */
    struct incident leader;
    bool has_leader; /* another incident leads */
    enum cause_telling telling;
    bool is_told; /* the incident, now or before */
    bool is_other_open;
    char next[ALERT_ID_SIZE];
};

/* What becomes of the cause by an effect that is not written yet. */
void pipeline_decide_cause(struct pipeline *pipeline, enum alert_effect_kind kind,
                           const struct incident *incident,
                           struct pipeline_cause *decided);
/* Once the effect is written. */
void pipeline_put_cause(struct pipeline *pipeline, const struct incident *incident,
                        const struct pipeline_cause *decided);
/* After a leader was withdrawn: the member, if any, that people are to be told of now. */
bool pipeline_next_of_cause(struct pipeline *pipeline, struct pipeline_cause *decided,
                            struct incident *next);

/* values.c: what an incident that is not closed comes to by now */
/* It is as state.db has it, and both get its present value; not within an effect. False:
 * nothing was written. */
bool pipeline_store_value(struct pipeline *pipeline, struct incident *incident);
/* With a tick, of all whose moment passed since the one before. */
void pipeline_store_values(struct pipeline *pipeline, int64_t since_ms);

/* Acknowledged, not over, and nobody said anything for so long: it was forgotten. */
#define PIPELINE_FORGOTTEN_MS INT64_C(14400000)
/* A refused message that waits for so long will not come soon; longer than an attempt may
 * be under way, which moves its next one. */
#define PIPELINE_SOON_MS INT64_C(180000)

/* escalate.c: who is told */
/* A transition was written; `body` is what it says. Within a transaction of effects. */
void pipeline_tell(struct pipeline *pipeline, enum alert_effect_kind kind,
                   const struct incident *incident, const struct pipeline_cause *decided,
                   const char *body);
/* What is due by now, told by nothing but the passing of time. */
void pipeline_escalate(struct pipeline *pipeline);
/* The plan's channels as they are now, for what is said of the incident. */
void pipeline_look_at_channels(struct pipeline *pipeline, const struct incident *incident,
                               struct escalation_channel *channels);

/* endings.c: who is told that it is over. Within a transaction of effects. */
/* What is wrong with a channel is not told over it. */
bool pipeline_is_about(const struct incident *incident, const char *channel);
/* To the channel's own receivers, at once. */
void pipeline_tell_channel(struct pipeline *pipeline, const struct incident *incident,
                           const char *cause, const char *channel, const char *body);
/* It is told of everything at once, whatever policies say. */
bool pipeline_is_program(const struct pipeline *pipeline, const char *channel);
/* `kind`: CLOSED or WITHDRAWN; `body` is what it says. */
void pipeline_tell_end(struct pipeline *pipeline, enum alert_effect_kind kind,
                       const struct incident *incident,
                       const struct pipeline_cause *decided, const char *body);
/* What goes on has a graver part that was over when it was learned: its round goes on as
 * it is, and nobody is woken. `policy` may be NULL. */
void pipeline_tell_part(struct pipeline *pipeline, const struct incident *incident,
                        const struct escalation_policy *policy,
                        const struct pipeline_cause *decided, const char *body);
/* Somebody acknowledged what people were told of the cause: what waits is not told. */
MUST_CHECK enum err pipeline_withdraw_taken(struct pipeline *pipeline, const char *cause,
                                            const char *by);

/* beat.c */
/* In place of pipeline_emit(), for an incident of beat_is(). */
void pipeline_emit_beat(struct pipeline *pipeline, enum alert_effect_kind kind);

/* raise.c: what is wrong with the data itself; `device` NULL: with the collector */
/* One incident for each device and cause while it is open; `count` is added to it. */
void pipeline_raise(struct pipeline *pipeline, enum alert_kind kind,
                    const struct device *device, uint64_t count);
/* A channel that people are told over fails; `id` is the incident's. */
void pipeline_raise_path(struct pipeline *pipeline, const char *channel,
                         char id[ALERT_ID_SIZE]);
/* By a person: as state.db has it, of trouble or of a date. EXISTS: it is closed. */
MUST_CHECK enum err pipeline_close_raised(struct pipeline *pipeline,
                                          struct incident *incident);

/* paths.c: how the channels do */
/* Within a transaction of effects. */
void pipeline_judge_path(struct pipeline *pipeline, const struct record_result *result);
void pipeline_watch_paths(struct pipeline *pipeline);
bool pipeline_is_down(const struct state_health *health);

/* incidents.c: what people do to incidents, through the journal */
struct change;
/*
 * One of the verbs of incidents; what it did to which incidents is added to the result.
 * EXISTS, with a sentence, when somebody was first.
 */
MUST_CHECK enum err pipeline_do_incident(struct pipeline *pipeline, struct change *change,
                                         struct err_text *why);
/* channel_test.c: of a verb that changes nothing; the row's id goes into the result */
MUST_CHECK enum err pipeline_test_channel(struct pipeline *pipeline,
                                          struct change *change, struct err_text *why);
/* What it did to the engines is done again; false: it is none of these verbs. */
bool pipeline_redo_incident(struct pipeline *pipeline, const struct command *command,
                            const char *result);

/* handled.c: what people did, for the devices */
void pipeline_note_handled(struct pipeline *pipeline, const char *incident);
void pipeline_tell_handled(struct pipeline *pipeline);

#endif
