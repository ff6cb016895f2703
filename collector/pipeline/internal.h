// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of the pipeline share: its struct. Nobody else includes this.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_INTERNAL_H
#define COLDCHAIN_COLLECTOR_PIPELINE_INTERNAL_H

#include <stdatomic.h>

#include "alerts/standing.h"
#include "base/map.h"
#include "collector/command/command.h"
#include "collector/pipeline/decode.h"
#include "collector/pipeline/pipeline.h"
#include "collector/pipeline/rooms.h"
#include "collector/record.h"
#include "collector/store/state_causes.h"
#include "collector/store/state_escalation.h"

struct pipeline_incident_news {
    char id[ALERT_ID_SIZE];
    const char *event; /* constant */
    bool is_over;
};

/* What changed since it was told last; nothing while nobody follows. */
struct pipeline_news {
    struct device **devices; /* with new readings; marked by is_news */
    size_t device_count;
    size_t device_capacity;
    struct pipeline_incident_news *incidents;
    size_t incident_count;
    size_t incident_capacity;
    struct map statuses; /* "org/device" -> not NULL */
    struct map zones;    /* declared anew, or left by a channel; likewise */
    bool is_urgent;      /* more than readings */
};

/* Incidents of which devices are to be told what people did. */
struct pipeline_handled {
    char (*ids)[ALERT_ID_SIZE]; /* owned */
    size_t count;
    size_t capacity;
    bool is_loaded; /* those of before the start */
};

struct pipeline {
    /* fixed after open */
    struct pipeline_options options;
    struct journal_reader *reader;
    struct journal_reader *rereader; /* for packs that waited for their turn */
    struct collector_core *core;     /* of acks */
    struct decoder *decoder;
    struct decoder *redecoder; /* of the rereader */
    struct alert_sink sink;
    struct alert_sink ahead_sink;

    /* state of the evaluation: checkpointed */
    struct device_names names; /* of the channels of all devices */
    struct map devices;        /* "org/device" -> struct device */
    struct alerts *alerts;     /* in order */
    struct alerts *ahead;      /* ahead of gaps; NULL before the first */
    size_t ahead_count;        /* devices of which it has copies */
    struct late *late;         /* of any device; the others are behind it */
    int64_t backlog_due_ms;    /* the earliest `until_ms` of a device's `late`; 0: none */
    struct registry *registry; /* entities of state.db, as of `at`; see checkpoint.c */
    int64_t placed_ms;         /* placements are told to the rules up to here */
    int64_t moved_ms;          /* when something was placed last, as of this pack */
    struct corrections *corrections;

    uint64_t at;            /* position of the record being taken, or taken last */
    uint64_t checkpoint;    /* position of the last checkpoint */
    uint64_t effect_cursor; /* effects up to here are committed */

    /* the batch being taken */
    int64_t now_ms;  /* wall time of the record */
    int64_t real_ms; /* for acks */
    bool has_transaction;
    enum err batch_err;
    struct err_text batch_why;
    bool wants_dates;        /* what is due was changed */
    bool wants_goods;        /* what stands in zones was changed */
    bool wants_checkpoint;   /* in this batch's transaction */
    size_t implausible;      /* readings of the pack being taken */
    struct device *in_order; /* whose readings the first engine is judging, or NULL */
    struct pipeline_news news;
    struct pipeline_handled handled;
    struct pipeline_answer *answers; /* given once the batch is committed */
    size_t answer_count;
    size_t answer_capacity;

    /* shared */
    _Atomic uint64_t committed; /* evaluated and committed up to here */
};

/* What the caller of a command is told. */
struct pipeline_answer {
    char id[COMMAND_ID_MAX + 1];
    enum err err;
    struct err_text why;
    char *result; /* JSON object; owned; NULL: {} */
};

/* messages.c */
/* Made when it is new. */
struct device *pipeline_device(struct pipeline *pipeline, const char *org,
                               const char *id);
void pipeline_declare_devices(struct pipeline *pipeline);
void pipeline_take_message(struct pipeline *pipeline,
                           const struct journal_record *record);

/* checkpoint.c */
/* Within a transaction, which the caller commits. */
MUST_CHECK enum err pipeline_save(struct pipeline *pipeline);

/* clocks.c: of each pack that was taken; of each in order, before its readings are */
void pipeline_note_clock(struct pipeline *pipeline, struct device *device,
                         const struct pack *pack);
void pipeline_follow_clock(struct pipeline *pipeline, struct device *device,
                           uint64_t epoch, const struct pack *pack);

/* packs.c */
/* `pack` NULL: it cannot be read, `why` says why. */
void pipeline_take_pack(struct pipeline *pipeline, const struct record_message *message,
                        const struct topic *topic, const struct pack *pack,
                        const struct err_text *why);
/* Held packs, whose turn has come, of the epoch of that name. */
void pipeline_release(struct pipeline *pipeline, struct device *device, uint64_t name);

/* deliveries.c: what delivery says of a device as a whole */
/* Of the actions, those that need no message: RELEASE and the following. */
void pipeline_carry_out(struct pipeline *pipeline, struct device *device,
                        const struct collector_action *action);
void pipeline_take_give_up(struct pipeline *pipeline,
                           const struct journal_record *record);
void pipeline_take_hello(struct pipeline *pipeline, struct device *device,
                         const struct hello *hello);

/* commands.c */
void pipeline_take_seed(struct pipeline *pipeline, const struct journal_record *record);
void pipeline_give_answers(struct pipeline *pipeline);
void pipeline_drop_answers(struct pipeline *pipeline);
/* The rules in force are those of the registry, where zones are on duty. */
MUST_CHECK enum err pipeline_set_rules(struct pipeline *pipeline, struct err_text *why);
void pipeline_take_command(struct pipeline *pipeline,
                           const struct journal_record *record);
void pipeline_take_attempt(struct pipeline *pipeline,
                           const struct journal_record *record);
void pipeline_take_result(struct pipeline *pipeline, const struct journal_record *record);

/* handled.c: what people did, for the devices */
void pipeline_note_handled(struct pipeline *pipeline, const char *incident);
void pipeline_tell_handled(struct pipeline *pipeline);

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

/* beat.c */
void pipeline_take_beat(struct pipeline *pipeline, const struct journal_record *record);
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

/* rooms.c: what zones are like, and what is planned there, as the engines are told */
struct pipeline_room {
    struct registry_span spans[REGISTRY_SPANS_MAX];
    size_t span_count;
    int64_t off_since_ms;
    bool is_empty;
};
/* What is planned, before a change; and the change, which takes back what is no more. */
void pipeline_note_room(const struct pipeline *pipeline, const char *zone,
                        struct pipeline_room *was);
void pipeline_room_changed(struct pipeline *pipeline, const char *zone,
                           const struct pipeline_room *was);

/* rooms.c: with a tick, before placements are passed on */
/* What is recorded as standing in zones, to the rules that ask: once an hour, and after a
 * change. */
void pipeline_tell_goods(struct pipeline *pipeline);

/* dates.c: what falls due; before placements are passed on */
void pipeline_judge_dates(struct pipeline *pipeline);
/* Each day on which something is due by that rule, as a standing; false: none. */
bool pipeline_each_date(const struct pipeline *pipeline, const struct alert_rule *rule,
                        void *context, standing_fn *tell);

/* paths.c: how the channels do */
/* Within a transaction of effects. */
void pipeline_judge_path(struct pipeline *pipeline, const struct record_result *result);
void pipeline_watch_paths(struct pipeline *pipeline);
bool pipeline_is_down(const struct state_health *health);

/* trouble.c: what the journal says of itself and of us */
void pipeline_take_loss(struct pipeline *pipeline, const struct journal_record *record);
void pipeline_take_skipped(struct pipeline *pipeline,
                           const struct journal_record *record);
/* In place of taking a record that crashed the process so often. */
void pipeline_skip(struct pipeline *pipeline, const struct journal_record *record,
                   unsigned crashes);

/* placements.c */
/* What is placed in that zone is expected; NULL: in every zone. */
void pipeline_expect_placed(struct pipeline *pipeline, const char *zone);
/* That placement ends, or begins, by a command: before, and after, the registry changes.
 */
void pipeline_forget_placed(struct pipeline *pipeline,
                            const struct registry_placement *placement);
void pipeline_expect_one(struct pipeline *pipeline,
                         const struct registry_placement *placement);
/* Time went on. */
void pipeline_pass_placements(struct pipeline *pipeline);
/* When a placement of anything began or ended last; INT64_MIN: none did. */
int64_t pipeline_last_move_ms(const struct pipeline *pipeline);

/* ahead.c */
/* The second engine, made when it is first wanted. */
struct alerts *pipeline_ahead(struct pipeline *pipeline);
MUST_CHECK enum err pipeline_set_ahead_rules(struct pipeline *pipeline,
                                             struct err_text *why);
/* Where the two engines' effects go; context is the pipeline. */
void pipeline_on_alert(void *context, enum alert_effect_kind kind,
                       const struct incident *incident);
void pipeline_on_ahead(void *context, enum alert_effect_kind kind,
                       const struct incident *incident);
/* A reading of a pack that is ahead of a gap. */
void pipeline_judge_ahead(struct pipeline *pipeline, struct device *device,
                          const struct alert_reading *reading);
/* Behind such a pack: what was held when its channel was copied, and is seen to go on
 * now. `is_due`: also what no copy says anything of. */
void pipeline_tell_held(struct pipeline *pipeline, struct device *device, bool is_due);

/* backlog.c: what comes late, and in order */
/* A pack whose turn it is, before and behind its readings. */
void pipeline_begin_backlog(struct pipeline *pipeline, struct device *device,
                            uint64_t epoch, uint64_t seq, const struct pack *pack);
void pipeline_end_backlog(struct pipeline *pipeline, struct device *device,
                          const struct pack *pack);
/* More of it is to come, and nothing was judged ahead of it. */
bool pipeline_waits_for_backlog(const struct device *device);
/* Something of it is held from now on, unless it is already. */
void pipeline_hold_backlog(struct pipeline *pipeline, struct late *late);
/* With a tick: what was held for long enough. */
void pipeline_settle_backlogs(struct pipeline *pipeline);
/* A device was restored with it. */
void pipeline_resume_backlog(struct pipeline *pipeline, const struct late *late);

/* A reading that the first engine has judged, for what the second one judges there. */
void pipeline_overhear(struct pipeline *pipeline, const struct source *source,
                       const struct alert_reading *reading);
/*
 * An incident of state.db, as the engine that tells of it has it now: what is ahead of a
 * gap by the second one. NULL: neither has it; borrowed until the next call.
 */
const struct incident *pipeline_judged(const struct pipeline *pipeline,
                                       const struct incident *incident);
/* It has a `late` from now on, unless it has one already. */
void pipeline_be_late(struct pipeline *pipeline, struct device *device);
/* Nothing waits any more: says what is still to be said. */
void pipeline_settle(struct pipeline *pipeline, struct device *device);
/* NOT_FOUND when it is told of by the first engine alone. */
MUST_CHECK enum err pipeline_acknowledge_late(struct pipeline *pipeline, const char *id,
                                              const char *actor);
/* Its acknowledgement is taken back. NOT_FOUND likewise. */
MUST_CHECK enum err pipeline_remind_late(struct pipeline *pipeline, const char *id);

/* One that was held back, and what was told of it (NULL: nothing): tells what is left. */
void pipeline_settle_one(struct pipeline *pipeline, struct late_incident *held,
                         struct late_incident *told);

/* corrections.c */
struct corrections *corrections_create(void);
/* Accepts NULL. */
void corrections_destroy(struct corrections *corrections);
/* Something was declared: what is under way is out of date. */
void corrections_begin_anew(struct corrections *corrections);
/* Likewise when it is of that device, of which more was decided. */
void corrections_heed(struct corrections *corrections, const struct device *device);
/* With each tick: goes on a little with the oldest correction that is pending. */
void pipeline_correct(struct pipeline *pipeline);

/* news.c: called where something changes; does nothing during a replay */
void pipeline_news_readings(struct pipeline *pipeline, struct device *device);
void pipeline_news_status(struct pipeline *pipeline, const char *org, const char *id);
void pipeline_news_zone(struct pipeline *pipeline, const char *zone);
void pipeline_news_incident(struct pipeline *pipeline, enum alert_effect_kind kind,
                            const struct incident *incident);
/* It is as it was, but for its value. */
void pipeline_news_value(struct pipeline *pipeline, const char *incident);
bool pipeline_has_news(const struct pipeline *pipeline);
void pipeline_news_fini(struct pipeline_news *news);

/* view.c */
#define PIPELINE_NO_AGE INT64_MIN /* instead of now: values without their age */
/* The zones in the set, all when it is NULL; the caller's. */
json_t *pipeline_zone_list(const struct pipeline *pipeline, int64_t now_ms,
                           const struct map *only);
/* Of "org/device", heard of or not; the caller's. */
json_t *pipeline_status_json(const struct pipeline *pipeline, const char *key);
/* The zone that the channel measured at its last reading; "": none. */
const char *pipeline_zone_of(const struct pipeline *pipeline, const struct device *device,
                             const struct device_channel *channel);

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
/* With a tick: asked before placements are passed on, which keeps when the last one was.
 */
bool pipeline_values_are_due(const struct pipeline *pipeline);
void pipeline_store_values(struct pipeline *pipeline);

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

/* effects.c */
/* False for what was committed before a crash and is only being read again. */
bool pipeline_begin_effects(struct pipeline *pipeline);
/* What a replay decides again is in already: EXISTS is as good as done. */
void pipeline_note(struct pipeline *pipeline, enum err err);
void pipeline_emit(struct pipeline *pipeline, enum alert_effect_kind kind,
                   const struct incident *incident);
/* What a rule kept back: of both engines alike, under one id. */
void pipeline_on_suppressed(void *context, const struct suppression *told);
/* `reason` is one of a few words, `detail` the sentence. */
void pipeline_quarantine(struct pipeline *pipeline, const struct topic *topic,
                         const struct record_message *message, const char *reason,
                         const char *detail);
void pipeline_reject(struct pipeline *pipeline, const struct topic *topic,
                     const struct record_message *message, const char *detail);

#endif
