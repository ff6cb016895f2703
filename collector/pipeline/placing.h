// SPDX-License-Identifier: Apache-2.0
/*
 * placing - what zones, placements and dates mean for the engines, as the registry has
 * them.
 *
 * Before a change is applied, behind it, and as time goes on. Loop thread. Only the files
 * of the pipeline include it.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_PLACING_H
#define COLDCHAIN_COLLECTOR_PIPELINE_PLACING_H

#include "collector/pipeline/internal.h"

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

#endif
