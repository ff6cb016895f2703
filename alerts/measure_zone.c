// SPDX-License-Identifier: Apache-2.0
/*
 * measure_zone - what only the zone tells: that it does not recover, that probes differ,
 * that nothing cools any more.
 */
#include <math.h>

#include "alerts/internal.h"
#include "alerts/measure.h"

/* ---- recovery: minutes since door or defrost ended, the value still beyond ----------
 */

struct recovery {
    struct gauge gauge;
    struct pace pace;
    int64_t lasted_ms;
    int64_t ended_ms; /* the end that was seen last; TIME_NONE */
    bool is_running;
};

static size_t recovery_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct recovery);
}

static void recovery_begin(struct gauge *gauge, int64_t time_ms)
{
    (void)time_ms;
    struct recovery *recovery = (struct recovery *)gauge;
    pace_begin(&recovery->pace);
    recovery->ended_ms = TIME_NONE;
}

static double recovery_step(struct gauge *gauge, struct moment *moment)
{
    struct recovery *recovery = (struct recovery *)gauge;
    int64_t stood_ms = pace_step(&recovery->pace, moment->time_ms);
    bool is_beyond = moment->value >= gauge->rule->limit;
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
        recovery->lasted_ms += stood_ms;
    if (!recovery->is_running && moment->ended_ms != recovery->ended_ms &&
        moment->ended_ms != TIME_NONE) {
        recovery->is_running = true;
        recovery->lasted_ms = 0;
        recovery->ended_ms = moment->ended_ms;
    }
    return (double)recovery->lasted_ms / (double)MEASURE_MINUTE_MS;
}

static void recovery_archive(struct archive *archive, struct gauge *gauge)
{
    struct recovery *recovery = (struct recovery *)gauge;
    pace_archive(archive, &recovery->pace);
    archive_span(archive, &recovery->lasted_ms, 2 * ALERT_DELAY_MAX_MS);
    archive_time(archive, &recovery->ended_ms);
    archive_bool(archive, &recovery->is_running);
}

const struct gauge_kind gauge_recovery = {"recovery", recovery_size, recovery_begin,
                                          recovery_step, recovery_archive};

/* ---- those that keep nothing themselves ----------------------------------------------
 */

static size_t nothing_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct gauge);
}

static void nothing_begin(struct gauge *gauge, int64_t time_ms)
{
    (void)gauge;
    (void)time_ms;
}

static void nothing_archive(struct archive *archive, struct gauge *gauge)
{
    (void)archive;
    (void)gauge;
}

static double apart_step(struct gauge *gauge, struct moment *moment)
{
    (void)gauge;
    return fabs(moment->value - moment->others); /* NaN when there are no others */
}

const struct gauge_kind gauge_apart = {"apart", nothing_size, nothing_begin, apart_step,
                                       nothing_archive};

static double cooling_step(struct gauge *gauge, struct moment *moment)
{
    (void)gauge;
    const struct air_verdict *air = moment->air;
    if (air == NULL || air->phase == AIR_UNAVAILABLE)
        return (double)NAN;
    return air->unexplained_min;
}

const struct gauge_kind gauge_cooling = {"cooling", nothing_size, nothing_begin,
                                         cooling_step, nothing_archive};
