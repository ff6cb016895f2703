// SPDX-License-Identifier: Apache-2.0
/*
 * measure_zone - what only the zone tells: that it does not recover, that probes differ,
 * that nothing cools any more, that it is not as empty as was said.
 */
#include <math.h>
#include <stdalign.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/measure.h"
#include "alerts/rule_kinds.h"
#include "alerts/zones.h"

/* ---- recovery: minutes since door or defrost ended, the value still beyond ----------
 */

struct recovery {
    int64_t lasted_ms;
    int64_t ended_ms; /* the end that was seen last; TIME_NONE */
    bool is_running;
};

static size_t recovery_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct recovery);
}

static void recovery_begin(void *gauge)
{
    ((struct recovery *)gauge)->ended_ms = TIME_NONE;
}

static double recovery_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct recovery *recovery = gauge;
    bool is_beyond = moment->value >= rule->limit;
    if (moment->is_explained || !is_beyond) {
        recovery->is_running = false;
        recovery->lasted_ms = 0;
        if (!moment->is_explained)
            recovery->ended_ms = moment->ended_ms; /* it recovered from that one */
        return 0;
    }
    moment->is_kept = recovery->is_running;
    if (recovery->is_running && !moment->is_held &&
        recovery->lasted_ms < ALERT_DELAY_MAX_MS)
        recovery->lasted_ms += moment->stood_ms;
    if (!recovery->is_running && moment->ended_ms != recovery->ended_ms &&
        moment->ended_ms != TIME_NONE) {
        recovery->is_running = true;
        recovery->lasted_ms = 0;
        recovery->ended_ms = moment->ended_ms;
    }
    moment_begun(moment, recovery->lasted_ms);
    return (double)recovery->lasted_ms / (double)MEASURE_MINUTE_MS;
}

double recovery_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    (void)rule;
    (void)last_ms;
    const struct recovery *recovery = gauge;
    return (double)recovery->lasted_ms / (double)MEASURE_MINUTE_MS;
}

static void recovery_archive(struct archive *archive, void *gauge,
                             const struct rule *rule)
{
    struct recovery *recovery = gauge;
    (void)rule;
    if (archive->version < GAUGES_VERSION)
        pace_archive_old(archive);
    archive_span(archive, &recovery->lasted_ms, 2 * ALERT_DELAY_MAX_MS);
    archive_time(archive, &recovery->ended_ms);
    archive_bool(archive, &recovery->is_running);
}

const struct gauge_kind gauge_recovery = {"recovery",    alignof(struct recovery),
                                          recovery_size, recovery_begin,
                                          recovery_step, recovery_archive};

/* ---- those that keep nothing themselves ----------------------------------------------
 */

static size_t nothing_size(const struct rule *rule)
{
    (void)rule;
    return 0;
}

static void nothing_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)archive;
    (void)gauge;
    (void)rule;
}

static double apart_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    (void)gauge;
    (void)rule;
    return fabs(moment->value - moment->others); /* NaN when there are no others */
}

const struct gauge_kind gauge_apart = {"apart", alignof(char), nothing_size,
                                       NULL,    apart_step,    nothing_archive};

static double cooling_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    (void)gauge;
    (void)rule;
    const struct air_verdict *air = moment->air;
    if (air == NULL || air->phase == AIR_UNAVAILABLE)
        return (double)NAN;
    moment->begun_ms = air->outside_ms;
    return air->unexplained_min;
}

const struct gauge_kind gauge_cooling = {"cooling", alignof(char), nothing_size,
                                         NULL,      cooling_step,  nothing_archive};

/* What the channel's rules share knows it: shared.h. */
static double life_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    (void)gauge;
    (void)rule;
    return moment->life_pct;
}

const struct gauge_kind gauge_life_left = {"life left", alignof(char), nothing_size,
                                           NULL,        life_step,     nothing_archive};

/* ---- left: minutes of signs of goods in a zone that is off duty as empty -------------
 */

struct left {
    int64_t empty_ms; /* the stretch that it counts in; TIME_NONE */
    int64_t seen_ms;
    bool is_seen;
};

static size_t left_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct left);
}

static void left_begin(void *gauge)
{
    ((struct left *)gauge)->empty_ms = TIME_NONE;
}

/* A signal that is on, goods that are kept cold, or something that goods give off. */
static bool is_sign(const struct rule *rule, const struct moment *moment)
{
    const struct quantity *quantity = moment->quantity;
    if (rule_is_of_signal(rule->quantity))
        return moment->value >= 0.5;
    bool is_cold = quantity != NULL && strcmp(quantity->unit, "°C") == 0;
    return is_cold ? moment->value <= rule->limit : moment->value >= rule->limit;
}

/* What is recorded holds until it is recorded otherwise; a reading, for its pace. */
static int64_t left_stood(const struct rule *rule, const struct moment *moment)
{
    bool is_record = strcmp(rule->quantity, ALERT_GOODS) == 0;
    if (!is_record || moment->before_ms > moment->time_ms)
        return moment->stood_ms;
    return moment->time_ms - moment->before_ms;
}

static void left_move(struct left *left, const struct rule *rule,
                      const struct moment *moment)
{
    if (left->empty_ms != moment->empty_ms) {
        left->empty_ms = moment->empty_ms;
        left->seen_ms = 0;
        left->is_seen = false;
    }
    bool was_seen = left->is_seen;
    left->is_seen = !moment->is_held && is_sign(rule, moment);
    if (left->is_seen && was_seen && left->seen_ms < ALERT_DELAY_MAX_MS)
        left->seen_ms += left_stood(rule, moment);
}

/* Once it was asked, nothing moves until the stretch is over, or what was recorded is
 * corrected. */
static double left_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct left *left = gauge;
    left_move(left, rule, moment);
    if (moment->empty_ms == TIME_NONE)
        return 0;
    bool is_record = strcmp(rule->quantity, ALERT_GOODS) == 0;
    if (moment->is_asked)
        return is_record && !left->is_seen && !moment->is_held ? 0 : (double)NAN;
    double minutes = (double)left->seen_ms / (double)MEASURE_MINUTE_MS;
    moment_begun(moment, left->seen_ms);
    moment->asks = !moment->is_held && minutes >= rule->levels[0].level;
    return minutes;
}

double left_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    (void)rule;
    (void)last_ms;
    return (double)((const struct left *)gauge)->seen_ms / (double)MEASURE_MINUTE_MS;
}

static void left_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct left *left = gauge;
    if (archive->version < GAUGES_VERSION)
        pace_archive_old(archive);
    archive_time(archive, &left->empty_ms);
    archive_span(archive, &left->seen_ms, 2 * ALERT_DELAY_MAX_MS);
    archive_bool(archive, &left->is_seen);
}

const struct gauge_kind gauge_left = {
    "left", alignof(struct left), left_size, left_begin, left_step, left_archive};
