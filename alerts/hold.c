// SPDX-License-Identifier: Apache-2.0
/*
 * hold - what a rule keeps back while one of its reasons holds, and the telling of it.
 *
 * Beside the level's clocks, which stand still, a second set runs on. When one of these
 * proves its delay, the rule would have fired, and a suppression is told. What a measure
 * did not count (time beyond a limit during a defrost) is kept back, too.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerts/air.h"
#include "alerts/internal.h"
#include "alerts/judge.h"
#include "base/mem.h"

static void make_hold(struct watch *watch, const struct sample *sample)
{
    assert(watch->hold == NULL && sample->reasons != 0);
    struct hold *hold = mem_alloc(sizeof *hold);
    hold->from_ms = sample->time_ms;
    hold->worst = sample->is_kept ? sample->kept : sample->measure;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        hold->past_ms[i] = watch->fired == 0 ? watch->since[i] : TIME_NONE;
    while ((sample->reasons & 1u << hold->reason) == 0)
        hold->reason++;
    watch->hold = hold;
}

static void tell(struct alerts *alerts, const struct watch *watch,
                 enum suppression_end ended, int64_t to_ms, int64_t arrival_ms,
                 const struct alert_sink *sink)
{
    const struct hold *hold = watch->hold;
    source_touch(alerts, watch->source);
    if (sink == NULL || sink->suppressed == NULL)
        return;
    struct suppression told = {
        .kind = (enum alert_kind)watch->rule->kind,
        .severity = (enum alert_severity)hold->severity,
        .reason = (enum alert_reason)hold->reason,
        .ended = ended,
        .from_ms = hold->from_ms,
        .to_ms = to_ms,
        .told_ms = arrival_ms,
        .limit = hold->limit,
        .worst = hold->worst,
    };
    incident_id_of(told.id, watch, hold->from_ms);
    const struct source *source = watch->source;
    snprintf(told.rule, sizeof told.rule, "%s", watch->rule->id);
    snprintf(told.zone, sizeof told.zone, "%s", source->plan->zone);
    snprintf(told.device, sizeof told.device, "%s", source->station->device);
    snprintf(told.channel, sizeof told.channel, "%s", source_channel(source));
    snprintf(told.quantity, sizeof told.quantity, "%s", source->plan->quantity);
    sink->suppressed(sink->context, &told);
}

/* True when a level that has not fired would fire now, and is graver than any before. */
static bool would_fire(struct watch *watch, const struct sample *sample)
{
    struct hold *hold = watch->hold;
    const struct rule *rule = watch->rule;
    bool would = false;
    for (size_t i = 0; i < rule->level_count; i++) {
        const struct alert_level *level = &rule->levels[i];
        if ((watch->fired & 1u << i) != 0 || !level_is_past(rule, i, sample->measure)) {
            hold->past_ms[i] = TIME_NONE;
            continue;
        }
        if (hold->past_ms[i] == TIME_NONE)
            hold->past_ms[i] = sample->time_ms;
        if (sample->time_ms - hold->past_ms[i] < level->delay_ms)
            continue;
        would = true;
        hold->limit = level->level;
        hold->severity = (uint8_t)level->severity;
    }
    return would;
}

static void note_worst(struct watch *watch, const struct sample *sample)
{
    struct hold *hold = watch->hold;
    enum alert_kind kind = (enum alert_kind)watch->rule->kind;
    bool is_below = kind == ALERT_CUMULATIVE_BELOW || kind == ALERT_DOSE_BELOW ||
                    !rule_is_above(watch->rule);
    double value = sample->is_kept ? sample->kept : sample->measure;
    hold->worst = is_below ? fmin(hold->worst, value) : fmax(hold->worst, value);
}

void hold_sample(struct alerts *alerts, struct watch *watch, const struct sample *sample,
                 const struct alert_sink *sink)
{
    assert(sample->reasons != 0);
    if (watch->hold == NULL)
        make_hold(watch, sample);
    struct hold *hold = watch->hold;
    note_worst(watch, sample);
    bool would = would_fire(watch, sample);
    if (sample->is_kept && !hold->is_told) {
        hold->limit = watch->rule->limit;
        hold->severity = (uint8_t)watch->rule->levels[0].severity;
    }
    if (hold->is_told || !(would || sample->is_kept))
        return;
    hold->is_told = true;
    tell(alerts, watch, SUPPRESSION_GOES_ON, 0, sample->arrival_ms, sink);
}

/* A gap that is followed by readings as ever is none of it. */
#define SPARSE_TOLD_MS ((int64_t)3600 * 1000)

void hold_sparse(struct alerts *alerts, struct watch *watch, const struct sample *sample,
                 const struct alert_sink *sink)
{
    const unsigned sparse = 1u << ALERT_REASON_SPARSE;
    const struct rule *rule = watch->rule;
    if (watch->hold == NULL && sample->reasons == sparse) {
        make_hold(watch, sample);
        watch->hold->worst = 0;
        watch->hold->limit = (double)AIR_SPARSE_MS / (60.0 * 1000);
        watch->hold->severity = (uint8_t)rule->levels[rule->level_count - 1].severity;
        source_touch(alerts, watch->source);
    }
    struct hold *hold = watch->hold;
    if (hold == NULL || hold->reason != ALERT_REASON_SPARSE)
        return;
    hold->worst = fmax(hold->worst, sample->apart_min);
    if (hold->is_told || sample->time_ms - hold->from_ms < SPARSE_TOLD_MS)
        return;
    hold->is_told = true;
    tell(alerts, watch, SUPPRESSION_GOES_ON, 0, sample->arrival_ms, sink);
}

void hold_silence(struct alerts *alerts, struct watch *watch, unsigned reasons,
                  int64_t now_ms, double silent_s, const struct alert_sink *sink)
{
    const struct sample sample = {
        .time_ms = now_ms, .measure = silent_s, .reasons = reasons};
    assert(reasons != 0 && watch->hold == NULL && rule_is_silence(watch->rule));
    make_hold(watch, &sample);
    struct hold *hold = watch->hold;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        hold->past_ms[i] = TIME_NONE;
    watch->since[0] = TIME_NONE; /* it counts anew when this is over, too */
    hold->limit = (double)cadence_silent_ms(watch->source, watch->rule) / 1000;
    hold->severity = watch->rule->silent_severity;
    hold->is_told = true;
    tell(alerts, watch, SUPPRESSION_GOES_ON, 0, now_ms, sink);
}

void hold_stop(struct alerts *alerts, struct watch *watch, enum suppression_end ended,
               int64_t time_ms, int64_t now_ms, const struct alert_sink *sink)
{
    struct hold *hold = watch->hold;
    if (hold == NULL)
        return;
    int64_t to_ms = time_ms > hold->from_ms ? time_ms : hold->from_ms;
    if (rule_is_silence(watch->rule))
        hold->worst += (double)(to_ms - hold->from_ms) / 1000;
    if (hold->is_told)
        tell(alerts, watch, ended, to_ms, now_ms, sink);
    free(hold);
    watch->hold = NULL;
}

void hold_end(struct alerts *alerts, struct watch *watch, const struct sample *sample,
              const struct alert_sink *sink)
{
    assert(watch->hold != NULL);
    if ((sample->reasons & 1u << watch->hold->reason) == 0)
        hold_stop(alerts, watch, SUPPRESSION_OVER, sample->time_ms, sample->arrival_ms,
                  sink);
}
