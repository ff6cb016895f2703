// SPDX-License-Identifier: Apache-2.0
/*
 * ahead - what is judged ahead of a gap, held of a backlog, and corrected afterwards.
 *
 * late.h says what a device has then, docs/decisions/0004-judged-ahead-of-a-gap.md why.
 * Loop thread. Only the files of the pipeline include it.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_AHEAD_H
#define COLDCHAIN_COLLECTOR_PIPELINE_AHEAD_H

#include "collector/pipeline/internal.h"

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

#endif
