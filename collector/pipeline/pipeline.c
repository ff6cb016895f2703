// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/pipeline.h"

#include <assert.h>

#include "base/clock.h"
#include "collector/metrics.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/placing.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/telling.h"
#include "collector/pipeline/view.h"
#include "collector/record.h"

#define BATCH_LOOK 16 /* at the clock, after as many records */

/* What was not heard of while we were away is not called silent at once. */
static void start(struct pipeline *pipeline, const struct journal_record *record)
{
    int64_t quiet_until_ms = record->wall_ms + pipeline->options.silence_grace_ms;
    alerts_set_grace(pipeline->alerts, quiet_until_ms);
    if (pipeline->ahead != NULL)
        alerts_set_grace(pipeline->ahead, quiet_until_ms);
}

static void tick(struct pipeline *pipeline, const struct journal_record *record)
{
    pipeline_watch_own_clock(pipeline, record);
    int64_t since_ms = pipeline->placed_ms;
    pipeline_tell_goods(pipeline);
    pipeline_judge_dates(pipeline);
    pipeline_pass_placements(pipeline);
    alerts_tick(pipeline->alerts, pipeline->now_ms, &pipeline->sink);
    if (pipeline->ahead != NULL)
        alerts_tick(pipeline->ahead, pipeline->now_ms, &pipeline->ahead_sink);
    pipeline_settle_backlogs(pipeline);
    pipeline_correct(pipeline);
    pipeline_watch_paths(pipeline);
    pipeline_store_values(pipeline, since_ms);
    pipeline_escalate(pipeline);
}

static void apply(struct pipeline *pipeline, const struct journal_record *record)
{
    switch (record->type) {
    case RECORD_MESSAGE:
        pipeline_take_message(pipeline, record);
        break;
    case RECORD_START:
        start(pipeline, record);
        break;
    case RECORD_TICK:
        tick(pipeline, record);
        break;
    case RECORD_CONFIG:
        pipeline_take_seed(pipeline, record);
        break;
    case RECORD_COMMAND:
        pipeline_take_command(pipeline, record);
        break;
    case RECORD_BEAT:
        pipeline_take_beat(pipeline, record);
        break;
    case RECORD_ATTEMPT:
        pipeline_take_attempt(pipeline, record);
        break;
    case RECORD_RESULT:
        pipeline_take_result(pipeline, record);
        break;
    case RECORD_SKIPPED:
        pipeline_take_skipped(pipeline, record);
        break;
    case RECORD_GIVE_UP:
        pipeline_take_give_up(pipeline, record);
        break;
    case JOURNAL_TYPE_LOSS:
        pipeline_take_loss(pipeline, record);
        break;
    default: /* a record of a newer version: kept in the journal, nothing to do */
        break;
    }
}

static void take(struct pipeline *pipeline, const struct journal_record *record)
{
    assert(record->position == pipeline->at);
    struct guard *guard = pipeline->options.guard;
    unsigned crashes =
        guard_enter(guard, GUARD_PIPELINE, record->position, record->data, record->len);
    if (pipeline->options.before_record != NULL)
        pipeline->options.before_record(pipeline->options.context, record);
    if (crashes < GUARD_CRASHES)
        apply(pipeline, record);
    else
        pipeline_skip(pipeline, record, crashes);
    guard_leave(guard, GUARD_PIPELINE);
}

/* ---- batches ---------------------------------------------------------------------- */

static enum err finish_batch(struct pipeline *pipeline, struct err_text *why)
{
    struct state *state = pipeline->options.state;
    enum err err = pipeline->batch_err;
    if (pipeline->has_transaction) {
        if (err == ERR_OK)
            err = state_put_effect_position(state, pipeline->at);
        if (err == ERR_OK && pipeline->wants_checkpoint)
            err = pipeline_save(pipeline);
        if (err == ERR_OK)
            err = state_commit(state);
        if (err != ERR_OK)
            state_rollback(state);
    }
    if (err != ERR_OK)
        return err_set(why, err, "state.db: %s", state_why(state));
    if (pipeline->has_transaction) {
        pipeline->has_transaction = false;
        pipeline->effect_cursor = pipeline->at;
        atomic_store(&pipeline->committed, pipeline->at);
        if (pipeline->wants_checkpoint)
            pipeline->checkpoint = pipeline->at;
        pipeline->wants_checkpoint = false;
        pipeline->options.on_effects(pipeline->options.context);
    }
    atomic_store(&pipeline->committed, pipeline->at);
    pipeline_give_answers(pipeline);
    if (pipeline_has_news(pipeline))
        pipeline->options.on_news(pipeline->options.context, pipeline->news.is_urgent);
    return ERR_OK;
}

static bool is_long_enough(const struct pipeline *pipeline, size_t taken)
{
    int64_t longest_ms = pipeline->options.batch_ms;
    return longest_ms > 0 && taken > 0 && taken % BATCH_LOOK == 0 &&
           clock_real_ms() - pipeline->real_ms >= longest_ms;
}

enum err pipeline_advance(struct pipeline *pipeline, size_t most, bool *more,
                          struct err_text *why)
{
    assert(most > 0);
    pipeline->batch_err = ERR_OK;
    pipeline->real_ms = clock_real_ms();
    *more = true;
    for (size_t i = 0; i < most && pipeline->batch_err == ERR_OK; i++) {
        if (is_long_enough(pipeline, i))
            break;
        struct journal_record record;
        enum err err = journal_reader_next(pipeline->reader, &record);
        if (err == ERR_NOT_FOUND) {
            *more = false;
            break;
        }
        if (err != ERR_OK)
            return err_set(why, err, "the journal cannot be read: %s", err_about(err));
        pipeline->at = record.position;
        if (record.wall_ms != 0) /* a loss seen in place has no time */
            pipeline->now_ms = record.wall_ms;
        take(pipeline, &record);
    }
    metric_set(METRIC_PIPELINE_POSITION, (int64_t)pipeline->at);
    return finish_batch(pipeline, why);
}

void pipeline_flush_configs(struct pipeline *pipeline, int64_t real_ms)
{
    pipeline_tell_handled(pipeline);
    configs_flush(pipeline->options.configs, pipeline->registry, &pipeline->devices,
                  pipeline->now_ms, real_ms);
}

uint64_t pipeline_position(const struct pipeline *pipeline)
{
    return pipeline->at;
}

const struct registry *pipeline_registry(const struct pipeline *pipeline)
{
    return pipeline->registry;
}

uint64_t pipeline_committed(const struct pipeline *pipeline)
{
    return atomic_load(&pipeline->committed);
}
