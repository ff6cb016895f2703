// SPDX-License-Identifier: Apache-2.0
/*
 * paths - the channels that people are told over, by the results of their messages.
 *
 * A channel that has failed for long, or gave a message up, is an incident of its own,
 * told over the other ones, and closed by the first message that gets through.
 */
#include <assert.h>
#include <string.h>

#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"
#include "collector/store/state_escalation.h"

#define FAILURES_MAX 3 /* in a row: the channel is down */

static bool is_ours(const struct pipeline *pipeline, const char *channel)
{
    for (size_t i = 0; i < pipeline->options.channel_count; i++)
        if (strcmp(pipeline->options.channels[i], channel) == 0)
            return true;
    return false;
}

bool pipeline_is_down(const struct state_health *health)
{
    return health->failures >= FAILURES_MAX;
}

static void works_again(struct pipeline *pipeline, const char *channel,
                        struct state_health *health)
{
    struct state *state = pipeline->options.state;
    if (health->failures == 0 && health->incident[0] == '\0')
        return;
    if (health->incident[0] != '\0') {
        struct incident incident;
        enum err err = state_get_incident(state, health->incident, &incident);
        if (err == ERR_OK)
            err = pipeline_close_raised(pipeline, &incident);
        if (err != ERR_NOT_FOUND)
            pipeline_note(pipeline, err);
    }
    pipeline_note(pipeline, state_put_health(state, channel, &(struct state_health){0}));
}

static void fails(struct pipeline *pipeline, const char *channel,
                  struct state_health *health, const struct record_result *result)
{
    struct state *state = pipeline->options.state;
    bool is_dead = result->outcome == STATE_OUTBOX_DEAD;
    bool is_soon = result->next_attempt_ms - pipeline->now_ms < PIPELINE_SOON_MS;
    health->failures++;
    if (health->failing_ms == 0)
        health->failing_ms = pipeline->now_ms;
    if (is_dead && health->incident[0] == '\0')
        pipeline_raise_path(pipeline, channel, health->incident);
    pipeline_note(pipeline, state_put_health(state, channel, health));
    if (is_dead || !is_soon || health->failures >= FAILURES_MAX)
        pipeline_note(pipeline,
                      state_recall_escalations(state, channel, pipeline->now_ms));
}

void pipeline_judge_path(struct pipeline *pipeline, const struct record_result *result)
{
    assert(pipeline->has_transaction);
    struct state *state = pipeline->options.state;
    struct state_addressee to;
    struct state_health health;
    if (pipeline->options.path_ms == 0)
        return;
    enum err err = state_get_addressee(state, result->message, &to);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !is_ours(pipeline, to.channel)))
        return;
    if (err == ERR_OK)
        err = state_get_health(state, to.channel, &health);
    if (err != ERR_OK)
        pipeline_note(pipeline, err);
    else if (result->outcome == STATE_OUTBOX_DONE)
        works_again(pipeline, to.channel, &health);
    else
        fails(pipeline, to.channel, &health, result);
}

void pipeline_watch_paths(struct pipeline *pipeline)
{
    struct state *state = pipeline->options.state;
    char channel[STATE_CHANNEL_SIZE];
    struct state_health health;
    if (pipeline->options.path_ms == 0 || pipeline->at <= pipeline->effect_cursor)
        return;
    enum err err =
        state_find_failing(state, pipeline->now_ms - pipeline->options.path_ms, channel);
    while (err == ERR_OK && pipeline_begin_effects(pipeline)) {
        err = state_get_health(state, channel, &health);
        if (err != ERR_OK)
            break;
        if (is_ours(pipeline, channel))
            pipeline_raise_path(pipeline, channel, health.incident);
        else
            health = (struct state_health){0}; /* no longer configured */
        err = state_put_health(state, channel, &health);
        if (err == ERR_OK)
            err = state_find_failing(state, pipeline->now_ms - pipeline->options.path_ms,
                                     channel);
    }
    if (err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
}
