// SPDX-License-Identifier: Apache-2.0
/*
 * records - what the pipeline does with each kind of record, and with what they make due.
 *
 * messages.c reads a message and gives packs to packs.c, what delivery says of a device
 * to deliveries.c; commands.c takes what people want changed, trouble.c what the journal
 * says of itself and of us. Loop thread, within a batch. Only the files of the pipeline
 * include it.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_RECORDS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_RECORDS_H

#include "collector/pipeline/internal.h"

/* messages.c */
/* Made when it is new. */
struct device *pipeline_device(struct pipeline *pipeline, const char *org,
                               const char *id);
void pipeline_declare_devices(struct pipeline *pipeline);
void pipeline_take_message(struct pipeline *pipeline,
                           const struct journal_record *record);

/* clocks.c: of each pack that was taken; of each in order, before its readings are */
void pipeline_note_clock(struct pipeline *pipeline, struct device *device,
                         const struct pack *pack);
void pipeline_follow_clock(struct pipeline *pipeline, struct device *device,
                           uint64_t epoch, const struct pack *pack);

/* own_clock.c: with each tick, before what is due by time */
void pipeline_watch_own_clock(struct pipeline *pipeline,
                              const struct journal_record *tick);

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

/* trouble.c: what the journal says of itself and of us */
void pipeline_take_loss(struct pipeline *pipeline, const struct journal_record *record);
void pipeline_take_skipped(struct pipeline *pipeline,
                           const struct journal_record *record);
/* In place of taking a record that crashed the process so often. */
void pipeline_skip(struct pipeline *pipeline, const struct journal_record *record,
                   unsigned crashes);

/* beat.c */
void pipeline_take_beat(struct pipeline *pipeline, const struct journal_record *record);

#endif
