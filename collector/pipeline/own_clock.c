// SPDX-License-Identifier: Apache-2.0
/*
 * own_clock - the collector's own clock was ahead, and was set right.
 *
 * A board that keeps local time is hours ahead until a time service is reached, often
 * with the very network over which alarms go. What was to be done at a time that the
 * clock will show again in hours is done now. Looked for when a tick is a minute before
 * the last one, and with the first one of a run that a time service stands behind: it may
 * have been set while nobody was there.
 */
#include "base/clock.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/records.h"
#include "collector/store/state_escalation.h"

#define BACK_MS    INT64_C(60000)
#define ATTEMPT_MS INT64_C(900000)   /* no attempt is put off for longer */
#define SNOOZE_MS  INT64_C(28800000) /* nothing comes back later */

static void limit_grace(struct pipeline *pipeline, struct alerts *alerts)
{
    int64_t most_ms = pipeline->now_ms + pipeline->options.silence_grace_ms;
    if (alerts != NULL && alerts_grace(alerts) > most_ms)
        alerts_set_grace(alerts, most_ms);
}

static void turn_back(struct pipeline *pipeline)
{
    struct state *state = pipeline->options.state;
    int64_t now_ms = pipeline->now_ms;
    for (size_t i = 0; i < pipeline->options.channel_count; i++)
        pipeline_note(pipeline,
                      state_turn_messages_back(state, pipeline->options.channels[i],
                                               now_ms, now_ms + ATTEMPT_MS));
    pipeline_note(pipeline, state_turn_rounds_back(state, now_ms));
    pipeline_note(pipeline, state_turn_reminders_back(state, now_ms + SNOOZE_MS));
}

void pipeline_watch_own_clock(struct pipeline *pipeline,
                              const struct journal_record *tick)
{
    const uint8_t *data = tick->data;
    enum clock_state state = tick->len > 0 ? (enum clock_state)data[0] : CLOCK_UNSET;
    bool went_back = pipeline->now_ms <= pipeline->tick_ms - BACK_MS;
    bool is_right_now = state == CLOCK_SYNCED && !pipeline->was_synced;
    pipeline->tick_ms = pipeline->now_ms;
    pipeline->was_synced = state == CLOCK_SYNCED;
    if (state != CLOCK_UNSET && pipeline->placed_ms >= pipeline->now_ms + BACK_MS)
        pipeline->placed_ms = pipeline->now_ms; /* what goes by the minute and the hour */
    limit_grace(pipeline, pipeline->alerts);
    limit_grace(pipeline, pipeline->ahead);
    if (state != CLOCK_UNSET && (went_back || is_right_now) &&
        pipeline_begin_effects(pipeline))
        turn_back(pipeline);
}
