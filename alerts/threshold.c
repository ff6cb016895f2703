// SPDX-License-Identifier: Apache-2.0
/*
 * threshold - the rules above and below: levels with delays, one step per good reading.
 *
 * Per level, in event time:
 *
 *           past                  past for `delay`
 *   quiet --------> past since ---------------------> fired <-------> back since
 *      ^--------------- not past                         not back | back
 *
 * What a person closed keeps its levels fired without an incident, until they are back or
 * something is news (alerts_close()).
 *
 * The incident is over when every level that fired is back for its recovery delay and no
 * other one is being passed.
 */
#include <assert.h>
#include <math.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/measure.h"
#include "alerts/room.h"
#include "alerts/shared.h"

bool level_is_past(const struct rule *rule, size_t level, double value)
{
    double limit = rule->levels[level].level;
    return rule_is_above(rule) ? value >= limit : value <= limit;
}

static bool is_back(const struct rule *rule, size_t level, double value)
{
    double limit = rule->levels[level].recovery_level;
    return rule_is_above(rule) ? value < limit : value > limit;
}

static int64_t gap_before(const struct sample *sample)
{
    bool is_gap = sample->before_ms != TIME_NONE && sample->time_ms > sample->before_ms;
    return is_gap ? sample->time_ms - sample->before_ms : 0;
}

/* A level's clock stands still for so long: what ran goes on later, nothing begins. */
static void stand_still(int64_t *since_ms, const struct sample *sample, int64_t span_ms)
{
    if (*since_ms == TIME_NONE)
        return;
    *since_ms += span_ms;
    if (*since_ms > sample->time_ms)
        *since_ms = sample->time_ms;
}

static void stand_all_still(struct watch *watch, const struct sample *sample,
                            int64_t span_ms)
{
    for (size_t i = 0; span_ms > 0 && i < ALERT_LEVELS_MAX; i++)
        stand_still(&watch->since[i], sample, span_ms);
}

/* A gap proves nothing beyond the silence that is borne. */
static int64_t proof_of_gap(const struct watch *watch, const struct sample *sample)
{
    int64_t gap_ms = gap_before(sample);
    int64_t borne_ms = watch->source->plan->borne_ms;
    return gap_ms < borne_ms ? gap_ms : borne_ms;
}

/* Moves every level's clock, of a gap by its proof only; returns the levels that the
 * sample fired, as bits. */
static unsigned advance(struct watch *watch, const struct sample *sample)
{
    assert(watch->rule->level_count <= ALERT_LEVELS_MAX);
    unsigned newly = 0;
    double value = sample->measure;
    int64_t time_ms = sample->time_ms;
    for (size_t i = 0; i < watch->rule->level_count; i++) {
        bool has_fired = (watch->fired & (1u << i)) != 0;
        bool runs = has_fired ? sample->is_in_step || is_back(watch->rule, i, value)
                              : level_is_past(watch->rule, i, value);
        if (!runs) {
            watch->since[i] = TIME_NONE;
        } else if (!has_fired && sample->reasons != 0) {
            stand_still(&watch->since[i], sample, proof_of_gap(watch, sample));
            continue;
        } else if (watch->since[i] == TIME_NONE) {
            watch->since[i] = time_ms;
        }
        if (runs && !has_fired &&
            time_ms - watch->since[i] >= watch->rule->levels[i].delay_ms)
            newly |= 1u << i;
    }
    return newly;
}

/* When the first of these levels was passed. */
static int64_t passed_at(const struct watch *watch, unsigned levels)
{
    int64_t passed_ms = TIME_NEVER;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        if ((levels & (1u << i)) != 0 && watch->since[i] < passed_ms)
            passed_ms = watch->since[i];
    assert(passed_ms != TIME_NEVER && passed_ms != TIME_NONE);
    return passed_ms;
}

/* What lasts began before it had lasted too long. */
static int64_t onset_of(const struct sample *sample, int64_t passed_ms)
{
    bool is_earlier = sample->begun_ms != TIME_NONE && sample->begun_ms < passed_ms;
    return is_earlier ? sample->begun_ms : passed_ms;
}

static const struct alert_level *gravest(const struct watch *watch)
{
    size_t i = watch->rule->level_count;
    while (i > 0 && (watch->fired & (1u << (i - 1))) == 0)
        i--;
    assert(i > 0);
    return &watch->rule->levels[i - 1];
}

static void fire(struct alerts *alerts, struct watch *watch, unsigned newly,
                 const struct sample *reading, const struct alert_sink *sink)
{
    int64_t passed_ms = passed_at(watch, newly);
    bool was_dismissed = watch_is_dismissed(watch);
    watch->fired |= newly;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        if ((newly & (1u << i)) != 0)
            watch->since[i] = TIME_NONE; /* from here on it is "back since" */
    const struct alert_level *level = gravest(watch);
    struct firing *firing = watch->firing;
    if (firing == NULL) {
        if (was_dismissed) {
            watch->worst = reading->measure;
            watch->worst_low = reading->low;
            watch->worst_high = reading->high;
        }
        const struct firing opening = {
            .onset_ms = onset_of(reading, passed_ms),
            .opened_ms = reading->time_ms,
            .learned_ms = reading->arrival_ms,
            .limit = level->level,
            .severity = (uint8_t)level->severity,
        };
        incident_open(alerts, watch, &opening, passed_ms, sink);
        return;
    }
    bool is_graver = level->severity > firing->severity;
    if (!is_graver && firing->limit == level->level)
        return;
    firing->limit = level->level;
    firing->state = INCIDENT_OPEN;
    if (is_graver)
        firing->severity = (uint8_t)level->severity;
    incident_tell(alerts, watch,
                  is_graver ? ALERT_EFFECT_ESCALATED : ALERT_EFFECT_UPDATED,
                  reading->arrival_ms, sink);
}

/* What the levels' clocks say of the incident, now that they stand at time_ms. */
static enum incident_state state_of(const struct watch *watch, int64_t time_ms)
{
    bool is_over = true;
    for (size_t i = 0; i < watch->rule->level_count; i++) {
        bool has_fired = (watch->fired & (1u << i)) != 0;
        bool runs = watch->since[i] != TIME_NONE;
        if (has_fired != runs)
            return INCIDENT_OPEN; /* not back, or another level is being passed */
        is_over &= !has_fired ||
                   time_ms - watch->since[i] >= watch->rule->levels[i].recovery_delay_ms;
    }
    return is_over ? INCIDENT_CLOSED : INCIDENT_RECOVERING;
}

static void settle(struct alerts *alerts, struct watch *watch,
                   const struct sample *reading, const struct alert_sink *sink)
{
    assert(watch->fired != 0);
    enum incident_state state = state_of(watch, reading->time_ms);
    bool is_open = watch->firing != NULL;
    if (state == INCIDENT_CLOSED) {
        if (is_open)
            incident_close(alerts, watch, reading->time_ms, reading->arrival_ms, sink);
        source_touch(alerts, watch->source);
        watch->fired = 0;
        for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
            watch->since[i] = TIME_NONE;
        if (watch->hold == NULL)
            watch_remove(alerts, watch);
    } else if (is_open && state != (enum incident_state)watch->firing->state) {
        watch->firing->state = (uint8_t)state;
        incident_tell(alerts, watch, ALERT_EFFECT_UPDATED, reading->arrival_ms, sink);
    }
}

static bool is_pending(const struct watch *watch)
{
    for (size_t i = 0; i < watch->rule->level_count; i++)
        if (watch->since[i] != TIME_NONE)
            return true;
    return false;
}

/* Nothing is worth a watch: not past, nothing kept back. */
static bool is_idle(const struct rule *rule, const struct sample *sample)
{
    bool is_kept = sample->reasons != 0 && sample->is_kept;
    return !is_kept && !level_is_past(rule, 0, sample->measure); /* nor further levels */
}

/* Whether what lasts says what the person who closed it did not know. */
static bool is_news(const struct watch *watch, const struct sample *sample)
{
    const struct rule *rule = watch->rule;
    if (!watch_is_dismissed(watch))
        return false;
    if (alert_kind_is_sum((enum alert_kind)rule->kind))
        return sample->measure >= watch->worst + rule->levels[0].level;
    return sample->time_ms >= watch->dismissed_ms + ALERT_STILL_MS;
}

static void judge_anew(struct watch *watch, const struct sample *sample)
{
    assert(watch->firing == NULL); /* a person closed it */
    watch->fired = 0;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        watch->since[i] = TIME_NONE;
    watch->worst = sample->measure;
}

static void note_worst(struct watch *watch, const struct sample *sample)
{
    double value = sample->measure;
    watch->value = value;
    if (watch_is_dismissed(watch)) {
        watch->worst = fmin(watch->worst, value);
        return;
    }
    watch->worst = rule_is_above(watch->rule) ? fmax(watch->worst, value)
                                              : fmin(watch->worst, value);
    if (watch->rule->kind != ALERT_PREDICTED || watch->worst < value)
        return;
    watch->worst_low = sample->low;
    watch->worst_high = sample->high;
}

void threshold_step(struct alerts *alerts, struct source *source, struct rule *rule,
                    const struct sample *sample, const struct alert_sink *sink)
{
    struct watch *watch = watch_find(source, rule);
    if (watch == NULL) {
        if (is_idle(rule, sample))
            return;
        watch = watch_make(alerts, source, rule);
        watch->worst = sample->measure;
    }
    assert(watch->source == source && watch->rule == rule);
    if (is_news(watch, sample))
        judge_anew(watch, sample);
    note_worst(watch, sample);
    if (watch->hold != NULL)
        hold_end(alerts, watch, sample, sink);
    if (sample->reasons != 0)
        hold_sample(alerts, watch, sample, sink);
    stand_all_still(watch, sample, gap_before(sample) - proof_of_gap(watch, sample));
    unsigned newly = advance(watch, sample);
    if (newly != 0)
        fire(alerts, watch, newly, sample, sink);
    if (watch->fired != 0)
        settle(alerts, watch, sample, sink);
    else if (!is_pending(watch) && watch->hold == NULL)
        watch_remove(alerts, watch);
}

void threshold_skip(struct alerts *alerts, struct source *source, struct rule *rule,
                    const struct sample *sample, const struct alert_sink *sink)
{
    struct watch *watch = watch_find(source, rule);
    bool is_sparse = (sample->reasons & 1u << ALERT_REASON_SPARSE) != 0;
    if (watch == NULL && is_sparse)
        watch = watch_make(alerts, source, rule);
    if (watch == NULL)
        return;
    if (watch->hold != NULL)
        hold_end(alerts, watch, sample, sink);
    if (is_sparse)
        hold_sparse(alerts, watch, sample, sink);
    stand_all_still(watch, sample, gap_before(sample));
    if (watch->hold == NULL && watch->fired == 0 && !is_pending(watch))
        watch_remove(alerts, watch);
}

/* The clock was ahead and came back: no point in time may stay in the future. */
static void rewind_to(struct alerts *alerts, struct source *source, int64_t time_ms)
{
    shared_rewind(alerts, source, time_ms);
    for (struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
            if (watch->since[i] > time_ms)
                watch->since[i] = time_ms;
}

static void turn_gauges_back(struct alerts *alerts, struct source *source, int64_t to_ms)
{
    const struct plan *plan = source->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct rule *rule = plan->rules[i];
        bool is_new = false;
        if (gauge_find(source, i) != NULL)
            measure_turn_back(
                rule, gauge_of_rule(alerts, source, measure_kind(rule), i, &is_new),
                source->last_ms, to_ms);
    }
}

static void turn_back(struct alerts *alerts, struct source *source, int64_t to_ms)
{
    if (source == NULL || source->last_ms <= to_ms)
        return;
    rewind_to(alerts, source, to_ms);
    turn_gauges_back(alerts, source, to_ms);
    source->last_ms = to_ms;
    source_touch(alerts, source);
}

void alerts_turn_back(struct alerts *alerts, const char *zone, const char *device,
                      const char *channel, int64_t to_ms)
{
    turn_back(alerts, source_find(alerts, zone, device, channel), to_ms);
    char derived[ID_SIZE];
    for (size_t i = 0; i < DERIVED_COUNT; i++)
        if (derive_channel(derived, i, channel))
            turn_back(alerts, source_find(alerts, zone, device, derived), to_ms);
    room_turn_back(alerts, zone, device, channel, to_ms);
}

void threshold_reading(struct alerts *alerts, struct source *source,
                       const struct alert_reading *reading, const struct alert_sink *sink)
{
    if (reading->time_ms <= source->last_ms) {
        if (source->last_ms <= reading->arrival_ms + ALERT_CLOCK_SLACK_MS)
            return;
        rewind_to(alerts, source, reading->time_ms);
    }
    assert(!source->plan->is_device);
    int64_t before_ms = source->last_ms;
    source->last_ms = reading->time_ms;
    const struct plan *plan = source->plan;
    if (!plan->is_plain) {
        measured_reading(alerts, source, reading, before_ms, sink);
        return;
    }
    if (source->watches == NULL && reading->value < plan->above &&
        reading->value - reading->spread_K > plan->below)
        return;
    struct sample sample = {.time_ms = reading->time_ms,
                            .arrival_ms = reading->arrival_ms,
                            .before_ms = before_ms,
                            .begun_ms = TIME_NONE};
    for (size_t i = 0; i < plan->count; i++) {
        sample.measure = rule_value(plan->rules[i], reading);
        if (!rule_is_silence(plan->rules[i]))
            threshold_step(alerts, source, plan->rules[i], &sample, sink);
    }
}

void threshold_dismiss(struct watch *watch, int64_t now_ms)
{
    assert(watch->firing == NULL && watch->fired != 0);
    watch->dismissed_ms = now_ms;
    watch->worst = watch->value;
}

void threshold_restart(struct watch *watch)
{
    assert(watch->firing != NULL && watch->rule->level_count > 0);
    watch->fired = 1;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++) {
        watch->since[i] = TIME_NONE;
        if (i < watch->rule->level_count &&
            watch->rule->levels[i].severity <= watch->firing->severity)
            watch->fired |= 1u << i;
    }
    watch->firing->limit = gravest(watch)->level;
}
