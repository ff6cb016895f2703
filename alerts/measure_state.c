// SPDX-License-Identifier: Apache-2.0
/*
 * measure_state - what lasts: a value that does not move, one that no air can have, a
 * door, a defrost, mains away.
 */
#include <math.h>
#include <stdalign.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/measure.h"
#include "telemetry/quantity.h"

/*
 * What the air at a probe can do at most, ours: a probe taken from a freezer at -25 C
 * into a room at 25 C moves by 10 K in the first minute (time constant 5 min); the rest
 * is for the probe's own noise and for a hand on it.
 */
#define JUMP_K         5.0
#define JUMP_K_PER_MIN 10.0

static double minutes(int64_t span_ms)
{
    return (double)span_ms / (double)MEASURE_MINUTE_MS;
}

/* ---- stuck: minutes without any movement ------------------------------------------- */

struct stuck {
    double value;
    int64_t still_ms;
};

static size_t stuck_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct stuck);
}

static double stuck_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct stuck *stuck = gauge;
    (void)rule;
    if (moment->is_new || stuck->value != moment->value)
        stuck->still_ms = 0;
    else if (!moment->is_held && stuck->still_ms < ALERT_DELAY_MAX_MS)
        stuck->still_ms += moment->stood_ms;
    stuck->value = moment->value;
    moment_begun(moment, stuck->still_ms);
    return minutes(stuck->still_ms);
}

double stuck_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    (void)rule;
    (void)last_ms;
    return minutes(((const struct stuck *)gauge)->still_ms);
}

static void stuck_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    struct stuck *stuck = gauge;
    (void)rule;
    if (archive->version < GAUGES_VERSION)
        pace_archive_old(archive);
    archive_f64(archive, &stuck->value);
    archive_span(archive, &stuck->still_ms, 2 * ALERT_DELAY_MAX_MS);
}

const struct gauge_kind gauge_stuck = {
    "stuck", alignof(struct stuck), stuck_size, NULL, stuck_step, stuck_archive};

/* ---- jump: outside what the quantity can be, or moved as no air can -----------------
 */

struct jump {
    int64_t last_ms; /* TIME_NONE: no reading yet */
    double value;    /* of the last reading that was none */
};

static size_t jump_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct jump);
}

static void jump_begin(void *gauge)
{
    ((struct jump *)gauge)->last_ms = TIME_NONE;
}

static double outside(const struct quantity *quantity, double value)
{
    if (quantity == NULL)
        return 0;
    return fmax(fmax(quantity->lowest - value, value - quantity->highest), 0);
}

static bool is_temperature(const struct quantity *quantity)
{
    return quantity != NULL && strcmp(quantity->unit, "°C") == 0;
}

static double jumped(const struct jump *jump, const struct moment *moment)
{
    if (jump->last_ms == TIME_NONE || moment->time_ms <= jump->last_ms ||
        !is_temperature(moment->quantity))
        return 0;
    double possible = JUMP_K + JUMP_K_PER_MIN * minutes(moment->time_ms - jump->last_ms);
    return fmax(fabs(moment->value - jump->value) - possible, 0);
}

/* After a jump the value before it goes on being the one compared with, so that the way
 * back is none; the time that passes allows more and more, so that it ends by itself. */
static double jump_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    (void)rule;
    struct jump *jump = gauge;
    double measure = fmax(outside(moment->quantity, moment->value), jumped(jump, moment));
    if (measure > 0 && jump->last_ms != TIME_NONE && moment->time_ms > jump->last_ms)
        return measure;
    jump->last_ms = moment->time_ms;
    jump->value = moment->value;
    return measure;
}

static void jump_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct jump *jump = gauge;
    archive_time(archive, &jump->last_ms);
    archive_f64(archive, &jump->value);
}

const struct gauge_kind gauge_jump = {
    "jump", alignof(struct jump), jump_size, jump_begin, jump_step, jump_archive};

/* ---- stretch: minutes for which a state has lasted ----------------------------------
 */

struct stretch {
    int64_t lasted_ms;
    bool is_on;
};

static size_t stretch_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct stretch);
}

/* Of the state of which the rule complains: of mains, that they are away. */
static bool is_there(const struct rule *rule, enum measure_sight sight)
{
    return (sight == SIGHT_ON) != (rule->kind == ALERT_MAINS_LOST);
}

static double stretch_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct stretch *stretch = gauge;
    enum measure_sight sight = measure_sight(rule, moment);
    if (sight == SIGHT_NONE)
        return (double)NAN;
    bool was_on = stretch->is_on;
    stretch->is_on = is_there(rule, sight);
    moment->is_kept = stretch->is_on;
    if (!stretch->is_on || !was_on)
        stretch->lasted_ms = 0;
    else if (!moment->is_held && stretch->lasted_ms < ALERT_DELAY_MAX_MS)
        stretch->lasted_ms += moment->stood_ms;
    moment_begun(moment, stretch->lasted_ms);
    return minutes(stretch->lasted_ms);
}

double stretch_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    (void)rule;
    (void)last_ms;
    return minutes(((const struct stretch *)gauge)->lasted_ms);
}

static void stretch_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    struct stretch *stretch = gauge;
    (void)rule;
    if (archive->version < GAUGES_VERSION)
        pace_archive_old(archive);
    archive_span(archive, &stretch->lasted_ms, 2 * ALERT_DELAY_MAX_MS);
    archive_bool(archive, &stretch->is_on);
}

const struct gauge_kind gauge_stretch = {"stretch",    alignof(struct stretch),
                                         stretch_size, NULL,
                                         stretch_step, stretch_archive};

/* ---- missing: minutes since the last one, beyond its schedule -----------------------
 */

static double missing_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct stretch *since = gauge;
    enum measure_sight sight = measure_sight(rule, moment);
    if (sight == SIGHT_NONE)
        return (double)NAN;
    if (sight == SIGHT_ON)
        since->lasted_ms = 0;
    else if (!moment->is_held && since->lasted_ms < ALERT_DELAY_MAX_MS)
        since->lasted_ms += moment->stood_ms;
    moment_begun(moment, since->lasted_ms - rule->window_ms);
    return minutes(since->lasted_ms - rule->window_ms);
}

double missing_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    (void)last_ms;
    return minutes(((const struct stretch *)gauge)->lasted_ms - rule->window_ms);
}

const struct gauge_kind gauge_missing = {"missing",    alignof(struct stretch),
                                         stretch_size, NULL,
                                         missing_step, stretch_archive};
