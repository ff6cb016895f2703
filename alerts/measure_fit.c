// SPDX-License-Identifier: Apache-2.0
/*
 * measure_fit - the rate of change, and where it leads: a line through the means of
 * slices of a window.
 */
#include <assert.h>
#include <math.h>
#include <stdalign.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/measure.h"
#include "alerts/slices.h"

#define FIT_SLICES    12
#define FIT_PAST      (FIT_SLICES - 1) /* all but the one under way */
#define FIT_LEAST     4 /* slices with readings without which there is no line */
#define AT_PARTS      65535
#define PAST_PARTS    240 /* of a slice of 5 min: 1.25 s */
#define PAST_COUNT    UINT8_MAX
#define PAST_MOST     INT16_MAX
#define COARSEST      100
#define FINEST        (-10) /* 1/1024: of a temperature, 32 K to either side */
#define HOME_SLOWER   4.0F
#define HOME_MOST_MIN 360.0F
#define ERRORS        2.0 /* standard errors either way: 19 of 20 */

/* A slice that is over, by its means. */
struct fit_slice {
    int16_t value; /* from the base on, in units */
    uint8_t at;    /* place in the slice, in PAST_PARTS */
    uint8_t count; /* of readings, or PAST_COUNT; 0: none */
};

struct fit {
    float base;
    float value;     /* of the slice under way: mean */
    uint16_t at;     /* mean place, in AT_PARTS */
    uint16_t count;  /* 0: no reading */
    int8_t exponent; /* of two: the unit */
    bool was_held;
    struct fit_slice past[FIT_PAST];
    float home_min[]; /* predicted: at home below the limit (+) or above it (-) */
};

static_assert(sizeof(struct fit) <= 60, "a channel has one for each such rule");

static size_t fit_size(const struct rule *rule)
{
    return sizeof(struct fit) + (rule->kind == ALERT_PREDICTED ? sizeof(float) : 0);
}

static int64_t fit_slice_ms(const struct rule *rule)
{
    return rule->window_ms / FIT_SLICES;
}

/* ---- slices that are over -----------------------------------------------------------
 */

static void fit_clear(struct fit *fit)
{
    memset(fit->past, 0, sizeof fit->past);
    fit->count = 0;
    fit->at = 0;
    fit->value = 0;
}

static double past_value(const struct fit *fit, const struct fit_slice *slice)
{
    return (double)fit->base + ldexp((double)slice->value, fit->exponent);
}

static bool encode(const struct fit *fit, double value, int16_t *units)
{
    double exact = ldexp(value - (double)fit->base, -fit->exponent);
    if (!(fabs(exact) <= PAST_MOST))
        return false;
    *units = (int16_t)lround(exact);
    return true;
}

/* All in the finest units that reach that far, and as multiples of them, so that what is
 * kept does not depend on what was before. */
static void rebase(struct fit *fit, float value)
{
    double values[FIT_PAST];
    double reach = 0;
    for (size_t i = 0; i < FIT_PAST; i++) {
        values[i] = past_value(fit, &fit->past[i]);
        if (fit->past[i].count > 0)
            reach = fmax(reach, fabs(values[i] - (double)value));
    }
    fit->exponent = FINEST;
    while (ldexp(reach, -fit->exponent) > PAST_MOST - 1)
        fit->exponent++;
    fit->base = (float)ldexp(round(ldexp((double)value, -fit->exponent)), fit->exponent);
    for (size_t i = 0; i < FIT_PAST; i++)
        if (fit->past[i].count == 0 || !encode(fit, values[i], &fit->past[i].value))
            fit->past[i] = (struct fit_slice){0};
}

static bool is_empty(const struct fit *fit)
{
    for (size_t i = 0; i < FIT_PAST; i++)
        if (fit->past[i].count > 0)
            return false;
    return true;
}

/* The slice under way is over. */
static void close_slice(struct fit *fit, int64_t slice)
{
    struct fit_slice *past = &fit->past[slice_place(slice, FIT_PAST)];
    *past = (struct fit_slice){0};
    if (fit->count == 0)
        return;
    if (fit->exponent != FINEST || is_empty(fit))
        rebase(fit, fit->value);
    if (!encode(fit, (double)fit->value, &past->value)) {
        rebase(fit, fit->value);
        if (!encode(fit, (double)fit->value, &past->value))
            past->value = 0;
    }
    past->at = (uint8_t)((fit->at * PAST_PARTS + AT_PARTS / 2) / AT_PARTS);
    past->count = (uint8_t)(fit->count < PAST_COUNT ? fit->count : PAST_COUNT);
    fit->count = 0;
    fit->at = 0;
    fit->value = 0;
}

void fit_restart(void *gauge)
{
    fit_clear(gauge);
}

static void fit_move(struct fit *fit, int64_t before, int64_t slice)
{
    if (slice == before)
        return;
    if (slice < before || slice - before >= FIT_SLICES) {
        fit_clear(fit);
        return;
    }
    close_slice(fit, before);
    for (int64_t i = before + 1; i < slice; i++)
        fit->past[slice_place(i, FIT_PAST)] = (struct fit_slice){0};
}

static void fit_add(struct fit *fit, const struct moment *moment, int64_t into_ms,
                    int64_t slice_ms)
{
    int32_t at = (int32_t)(into_ms * AT_PARTS / slice_ms);
    if (fit->count < UINT16_MAX)
        fit->count++;
    fit->value += (measure_narrow(moment->value) - fit->value) / (float)fit->count;
    fit->at = (uint16_t)(fit->at + (at - fit->at) / (int32_t)fit->count);
}

/* ---- the line -----------------------------------------------------------------------
 */

struct line {
    double slope; /* per slice */
    double error; /* of the slope: one standard error */
    double now;   /* the line's value at the end */
    double x;     /* the middle of the readings, in slices before the end */
    double y;     /* and the line's value there */
    double doubt; /* of that: the square of one standard error */
};

struct sums {
    double n, w, x, y, xx, xy, yy;
};

static void sums_add(struct sums *sums, double weight, double x, double y)
{
    sums->n++;
    sums->w += weight;
    sums->x += weight * x;
    sums->y += weight * y;
    sums->xx += weight * x * x;
    sums->xy += weight * x * y;
    sums->yy += weight * y * y;
}

/* Weighted least squares; x in slices from the newest, which is the least negative. */
static bool line_of(struct line *line, const struct sums *sums, double x_now)
{
    double sxx = sums->xx - sums->x * sums->x / sums->w;
    double sxy = sums->xy - sums->x * sums->y / sums->w;
    double syy = sums->yy - sums->y * sums->y / sums->w;
    if (!(sxx > 0))
        return false;
    line->slope = sxy / sxx;
    double left = fmax(syy - line->slope * sxy, 0);
    double scatter = left / (sums->n - 2);
    line->error = sqrt(scatter / sxx);
    line->doubt = scatter / sums->w;
    line->x = sums->x / sums->w - x_now;
    line->y = sums->y / sums->w;
    line->now = line->y - line->slope * line->x;
    return true;
}

/* False: the readings do not fill half of the window, or are too far apart. */
static bool fit_line(struct line *line, const struct fit *fit, int64_t newest,
                     double x_now)
{
    /* Values are taken from the newest mean on: differences keep their digits. */
    double zero = (double)fit->value;
    double base = (double)fit->base - zero;
    double unit = ldexp(1, fit->exponent);
    struct sums sums = {0};
    sums_add(&sums, (double)fit->count, (double)fit->at / AT_PARTS, 0);
    int oldest = 0; /* slices back from the newest */
    size_t at = slice_place(newest, FIT_PAST);
    for (int back = 1; back <= FIT_PAST; back++) {
        at = at > 0 ? at - 1 : FIT_PAST - 1;
        const struct fit_slice *slice = &fit->past[at];
        if (slice->count == 0)
            continue;
        oldest = back;
        sums_add(&sums, (double)slice->count, (double)slice->at / PAST_PARTS - back,
                 base + (double)slice->value * unit);
    }
    if (sums.n < FIT_LEAST || oldest < FIT_SLICES / 2 || !line_of(line, &sums, x_now))
        return false;
    line->now += zero;
    line->y += zero;
    return true;
}

/* The upper (1) or lower (-1) end of what is in order, as far as the zone's band says
 * that; 0: it does not. */
static int end_of_band(const struct rule *rule, const struct moment *moment)
{
    if (rule->limit >= moment->band_high)
        return 1;
    if (rule->limit <= moment->band_low)
        return -1;
    double middle = (moment->band_low + moment->band_high) / 2; /* NaN: one is open */
    return (rule->limit > middle) - (rule->limit < middle);
}

/*
 * From which side the limit is reached: from within the band. A limit alone does not say
 * it: from the side on which the value was for longer: of the last HOME_MOST_MIN minutes,
 * and HOME_SLOWER times as long elsewhere. True: from below.
 */
static bool is_from_below(struct fit *fit, const struct rule *rule,
                          const struct moment *moment)
{
    bool is_below = moment->value < rule->limit;
    float minutes =
        moment->stood_ms > 0 ? (float)moment->stood_ms / (float)MEASURE_MINUTE_MS : 1;
    bool is_home = (fit->home_min[0] >= 0) == is_below;
    float way = is_home ? minutes : minutes / HOME_SLOWER;
    float home = fit->home_min[0] + (is_below ? way : -way);
    int end = end_of_band(rule, moment);
    if (end != 0)
        home = (float)end * HOME_MOST_MIN;
    fit->home_min[0] = fmaxf(fminf(home, HOME_MOST_MIN), -HOME_MOST_MIN);
    return fit->home_min[0] >= 0;
}

static double slices_to_minutes(const struct rule *rule, double slices)
{
    double slice_ms = (double)fit_slice_ms(rule);
    double minutes = slices * slice_ms / (double)MEASURE_MINUTE_MS;
    return fmin(fmax(minutes, 0), MEASURE_FAR_MIN);
}

/*
 * When the line may be at the limit: the two times at which that is ERRORS standard
 * errors of the line away from it (Fieller's bounds), for a slope of more than so many of
 * its own.
 */
static void bounds_to(const struct rule *rule, const struct line *line,
                      struct moment *moment)
{
    double way = rule->limit - line->y;
    double error = ERRORS * line->error;
    double a = line->slope * line->slope - error * error;
    double root = ERRORS * sqrt(line->error * line->error * way * way + a * line->doubt);
    double one = (line->slope * way - root) / a + line->x;
    double two = (line->slope * way + root) / a + line->x;
    moment->low = slices_to_minutes(rule, fmin(one, two));
    moment->high = slices_to_minutes(rule, fmax(one, two));
}

/*
 * Minutes until the line is at the limit; 0 behind it. A slope of less than three
 * standard errors is none, it leads nowhere.
 */
static double minutes_to(const struct rule *rule, const struct line *line,
                         bool is_from_below, struct moment *moment)
{
    double sign = is_from_below ? 1 : -1;
    double way = sign * (rule->limit - line->now);
    double slope = sign * line->slope;
    if (way <= 0)
        return 0;
    if (slope <= 0 || slope < 3 * line->error)
        return MEASURE_FAR_MIN;
    bounds_to(rule, line, moment);
    return slices_to_minutes(rule, way / slope);
}

static double lead_of(const struct rule *rule, const struct line *line, bool from_below,
                      struct moment *moment)
{
    if (rule->kind == ALERT_RATE)
        return line->slope * (double)MEASURE_HOUR_MS / (double)fit_slice_ms(rule);
    return minutes_to(rule, line, from_below, moment);
}

static double fit_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct fit *fit = gauge;
    int64_t slice_ms = fit_slice_ms(rule);
    bool from_below = rule->kind == ALERT_PREDICTED && is_from_below(fit, rule, moment);
    int64_t newest = slice_of(moment->time_ms, slice_ms);
    fit_move(fit, slice_before(newest, slice_ms, moment->before_ms), newest);
    if (fit->was_held && !moment->is_held)
        fit_clear(fit); /* what comes now is another line */
    fit->was_held = moment->is_held;
    int64_t into_ms = moment->time_ms - newest * slice_ms;
    fit_add(fit, moment, into_ms, slice_ms);
    struct line line;
    if (!fit_line(&line, fit, newest, (double)into_ms / (double)slice_ms))
        return (double)NAN;
    return lead_of(rule, &line, from_below, moment);
}

double fit_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    const struct fit *fit = gauge;
    int64_t slice_ms = fit_slice_ms(rule);
    int64_t newest = slice_of(last_ms, slice_ms);
    struct line line;
    struct moment moment = {0};
    if (!fit_line(&line, fit, newest,
                  (double)(last_ms - newest * slice_ms) / (double)slice_ms))
        return (double)NAN;
    bool from_below = rule->kind == ALERT_PREDICTED && fit->home_min[0] >= 0;
    return lead_of(rule, &line, from_below, &moment);
}

/* Slices that go back to the oldest one with a reading. */
static int fit_reach(const struct fit *fit, int64_t newest)
{
    for (int back = FIT_PAST; back >= 1; back--)
        if (fit->past[slice_place(newest - back, FIT_PAST)].count > 0)
            return back;
    return 0;
}

enum measure_lack fit_lacks(const void *gauge, const struct rule *rule, int64_t apart_ms,
                            int64_t last_ms, int64_t *left_ms)
{
    if (gauge != NULL && !isnan(fit_now(gauge, rule, last_ms)))
        return LACKS_NOTHING;
    if (apart_ms * FIT_LEAST > rule->window_ms)
        return LACKS_CADENCE;
    int64_t slice_ms = fit_slice_ms(rule);
    int reach = gauge != NULL ? fit_reach(gauge, slice_of(last_ms, slice_ms)) : 0;
    *left_ms = reach < FIT_SLICES / 2 ? (FIT_SLICES / 2 - reach) * slice_ms : 0;
    return LACKS_TIME;
}

/* ---- saved --------------------------------------------------------------------------
 */

struct old_slice {
    float value;
    uint16_t at;
    uint16_t count;
};

/* Until version 3: floats, in a ring that held the slice under way, too. */
static void fit_load_old(struct archive *archive, struct fit *fit,
                         const struct rule *rule)
{
    struct old_slice old[FIT_SLICES] = {0};
    int64_t newest = 0;
    if (rule->kind == ALERT_PREDICTED) {
        pace_archive_old(archive);
        archive_f32(archive, &fit->home_min[0]);
    }
    archive_bool(archive, &fit->was_held);
    archive_time(archive, &newest);
    for (size_t i = 0; i < FIT_SLICES; i++) {
        archive_u16(archive, &old[i].count);
        if (old[i].count == 0)
            continue;
        archive_f32(archive, &old[i].value);
        archive_u16(archive, &old[i].at);
    }
    if (archive->in->failed)
        return;
    for (int64_t i = newest - FIT_PAST; i <= newest; i++) {
        const struct old_slice *slice = &old[slice_place(i, FIT_SLICES)];
        fit->value = slice->value;
        fit->at = slice->at;
        fit->count = slice->count;
        if (i < newest)
            close_slice(fit, i);
    }
}

static void archive_i16(struct archive *archive, int16_t *value)
{
    uint16_t bits = (uint16_t)*value;
    archive_u16(archive, &bits);
    *value = (int16_t)bits;
}

static void fit_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    struct fit *fit = gauge;
    if (archive->version < GAUGES_VERSION) {
        fit_load_old(archive, fit, rule);
        return;
    }
    if (rule->kind == ALERT_PREDICTED)
        archive_f32(archive, &fit->home_min[0]);
    archive_bool(archive, &fit->was_held);
    archive_f32(archive, &fit->base);
    uint8_t exponent = (uint8_t)fit->exponent;
    archive_u8(archive, &exponent);
    fit->exponent = (int8_t)exponent;
    if (archive->out == NULL && (fit->exponent < FINEST || fit->exponent > COARSEST)) {
        archive->in->failed = true;
        fit->exponent = 0;
    }
    archive_f32(archive, &fit->value);
    archive_u16(archive, &fit->at);
    archive_u16(archive, &fit->count);
    for (size_t i = 0; i < FIT_PAST; i++) {
        struct fit_slice *slice = &fit->past[i];
        archive_u8(archive, &slice->count);
        if (slice->count == 0)
            continue;
        archive_i16(archive, &slice->value);
        archive_u8(archive, &slice->at);
    }
}

const struct gauge_kind gauge_fit = {"fit",    alignof(struct fit), fit_size, NULL,
                                     fit_step, fit_archive};
