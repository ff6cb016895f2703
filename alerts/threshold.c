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
 * The incident is over when every level that fired is back for its recovery delay and no
 * other one is being passed.
 */
#include <assert.h>
#include <math.h>

#include "alerts/internal.h"

static bool is_past(const struct rule *rule, size_t level, double value)
{
    double limit = rule->levels[level].level;
    return rule_is_above(rule) ? value >= limit : value <= limit;
}

static bool is_back(const struct rule *rule, size_t level, double value)
{
    double limit = rule->levels[level].recovery_level;
    return rule_is_above(rule) ? value < limit : value > limit;
}

/* Moves every level's clock; returns the levels that the sample fired, as bits. */
static unsigned advance(struct watch *watch, int64_t time_ms, double value)
{
    unsigned newly = 0;
    for (size_t i = 0; i < watch->rule->level_count; i++) {
        bool has_fired = (watch->fired & (1u << i)) != 0;
        bool runs =
            has_fired ? is_back(watch->rule, i, value) : is_past(watch->rule, i, value);
        if (!runs)
            watch->since[i] = TIME_NONE;
        else if (watch->since[i] == TIME_NONE)
            watch->since[i] = time_ms;
        if (runs && !has_fired &&
            time_ms - watch->since[i] >= watch->rule->levels[i].delay_ms)
            newly |= 1u << i;
    }
    return newly;
}

/* When the first of these levels was passed. */
static int64_t onset_of(const struct watch *watch, unsigned levels)
{
    int64_t onset = TIME_NEVER;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        if ((levels & (1u << i)) != 0 && watch->since[i] < onset)
            onset = watch->since[i];
    assert(onset != TIME_NEVER && onset != TIME_NONE);
    return onset;
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
                 const struct alert_reading *reading, const struct alert_sink *sink)
{
    int64_t onset_ms = onset_of(watch, newly);
    watch->fired |= newly;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        if ((newly & (1u << i)) != 0)
            watch->since[i] = TIME_NONE; /* from here on it is "back since" */
    const struct alert_level *level = gravest(watch);
    struct firing *firing = watch->firing;
    if (firing == NULL) {
        const struct firing opening = {
            .onset_ms = onset_ms,
            .opened_ms = reading->time_ms,
            .learned_ms = reading->arrival_ms,
            .limit = level->level,
            .severity = (uint8_t)level->severity,
        };
        incident_open(alerts, watch, &opening, sink);
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
                   const struct alert_reading *reading, const struct alert_sink *sink)
{
    enum incident_state state = state_of(watch, reading->time_ms);
    if (state == INCIDENT_CLOSED) {
        incident_close(alerts, watch, reading->time_ms, reading->arrival_ms, sink);
        watch_remove(alerts, watch);
    } else if (state != (enum incident_state)watch->firing->state) {
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

static void step(struct alerts *alerts, struct source *source, struct rule *rule,
                 const struct alert_reading *reading, const struct alert_sink *sink)
{
    double value = reading->value;
    struct watch *watch = watch_find(source, rule);
    if (watch == NULL) {
        if (!is_past(rule, 0, value)) /* nor any further level */
            return;
        watch = watch_make(alerts, source, rule);
        watch->worst = value;
    }
    watch->value = value;
    watch->worst =
        rule_is_above(rule) ? fmax(watch->worst, value) : fmin(watch->worst, value);
    assert(watch->source == source && watch->rule == rule);
    unsigned newly = advance(watch, reading->time_ms, value);
    if (newly != 0)
        fire(alerts, watch, newly, reading, sink);
    if (watch->firing != NULL)
        settle(alerts, watch, reading, sink);
    else if (!is_pending(watch))
        watch_remove(alerts, watch);
}

/* The clock was ahead and came back: no point in time may stay in the future. */
static void rewind_to(struct source *source, int64_t time_ms)
{
    for (struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
            if (watch->since[i] > time_ms)
                watch->since[i] = time_ms;
}

void threshold_reading(struct alerts *alerts, struct source *source,
                       const struct alert_reading *reading, const struct alert_sink *sink)
{
    if (reading->time_ms <= source->last_ms) {
        if (source->last_ms <= reading->arrival_ms + ALERT_CLOCK_SLACK_MS)
            return;
        rewind_to(source, reading->time_ms);
    }
    assert(!source->plan->is_device);
    source->last_ms = reading->time_ms;
    const struct plan *plan = source->plan;
    if (source->watches == NULL && reading->value < plan->above &&
        reading->value > plan->below)
        return;
    for (size_t i = 0; i < plan->count; i++)
        if (!rule_is_silence(plan->rules[i]))
            step(alerts, source, plan->rules[i], reading, sink);
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
