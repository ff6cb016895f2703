// SPDX-License-Identifier: Apache-2.0
/*
 * measure_window - what happened within a window: time and dose beyond a limit, counts,
 * the rate of change and where it leads, the greatest change.
 *
 * A window is cut into slices that fall out one after the other, so that no sample need
 * be kept. The slice that is leaving counts in part: what it holds is taken to lie
 * evenly.
 */
#include <assert.h>
#include <math.h>

#include "alerts/internal.h"
#include "alerts/measure.h"
#include "telemetry/quantity.h"

#define TALLY_SLICES  24
#define FIT_SLICES    12
#define FIT_LEAST     4 /* slices with readings without which there is no line */
#define AT_PARTS      65535
#define HOME_SLOWER   4.0f
#define HOME_MOST_MIN 1440.0f
#define ERRORS        2.0 /* standard errors either way: 19 of 20 */

/* ---- slices ---------------------------------------------------------------------- */

/* The slice that time_ms lies in, counted from 1970. */
static int64_t slice_of(int64_t time_ms, int64_t slice_ms)
{
    int64_t slice = time_ms / slice_ms;
    return time_ms % slice_ms < 0 ? slice - 1 : slice;
}

static size_t place_of(int64_t slice, int64_t count)
{
    return (size_t)((slice % count + count) % count);
}

/* ---- tally: sums over the window -------------------------------------------------- */

struct tally {
    struct gauge gauge;
    struct pace pace;
    int64_t newest; /* slice */
    double total;   /* without a window: of all time */
    float beyond;   /* of the last reading: how far beyond the limit; negative: not */
    bool was_on;    /* count: the state at the last reading */
    bool is_started;
    float slices[]; /* TALLY_SLICES + 1, the leaving one included; none without window */
};

static int64_t tally_slice_ms(const struct rule *rule)
{
    int64_t slice_ms = rule->window_ms / TALLY_SLICES;
    return slice_ms > 0 ? slice_ms : 1;
}

static size_t tally_size(const struct rule *rule)
{
    size_t count = rule->window_ms > 0 ? TALLY_SLICES + 1 : 0;
    return sizeof(struct tally) + count * sizeof(float);
}

static void tally_begin(struct gauge *gauge, int64_t time_ms)
{
    struct tally *tally = (struct tally *)gauge;
    pace_begin(&tally->pace);
    tally->beyond = -1;
    if (gauge->rule->window_ms > 0)
        tally->newest = slice_of(time_ms, tally_slice_ms(gauge->rule));
}

static void tally_move(struct tally *tally, int64_t time_ms)
{
    const struct rule *rule = tally->gauge.rule;
    if (rule->window_ms == 0)
        return;
    int64_t slice = slice_of(time_ms, tally_slice_ms(rule));
    int64_t first = tally->newest + 1;
    if (slice < tally->newest || slice - tally->newest > TALLY_SLICES)
        first = slice - TALLY_SLICES; /* nothing of what is there counts any more */
    for (int64_t i = first; i <= slice; i++)
        tally->slices[place_of(i, TALLY_SLICES + 1)] = 0;
    tally->newest = slice;
}

/* Adds `amount` that came evenly over from..to, which may begin before the window. */
static void tally_add(struct tally *tally, int64_t from_ms, int64_t to_ms, double amount)
{
    const struct rule *rule = tally->gauge.rule;
    if (rule->window_ms == 0) {
        tally->total += amount;
        return;
    }
    int64_t slice_ms = tally_slice_ms(rule);
    int64_t first = slice_of(from_ms, slice_ms);
    if (first < tally->newest - TALLY_SLICES)
        first = tally->newest - TALLY_SLICES;
    for (int64_t i = first; i <= tally->newest; i++) {
        int64_t begin_ms = i * slice_ms > from_ms ? i * slice_ms : from_ms;
        int64_t end_ms = (i + 1) * slice_ms < to_ms ? (i + 1) * slice_ms : to_ms;
        double part = to_ms > from_ms
                          ? (double)(end_ms - begin_ms) / (double)(to_ms - from_ms)
                          : (double)(i == tally->newest);
        if (part > 0)
            tally->slices[place_of(i, TALLY_SLICES + 1)] += (float)(amount * part);
    }
}

static double tally_sum(const struct tally *tally, int64_t time_ms)
{
    const struct rule *rule = tally->gauge.rule;
    if (rule->window_ms == 0)
        return tally->total;
    int64_t slice_ms = tally_slice_ms(rule);
    double sum = 0;
    for (size_t i = 0; i <= TALLY_SLICES; i++)
        sum += (double)tally->slices[i];
    double gone = (double)(time_ms - tally->newest * slice_ms) / (double)slice_ms;
    size_t leaving = place_of(tally->newest - TALLY_SLICES, TALLY_SLICES + 1);
    return sum - gone * (double)tally->slices[leaving];
}

static bool is_dose(const struct rule *rule)
{
    return rule->kind == ALERT_DOSE_ABOVE || rule->kind == ALERT_DOSE_BELOW;
}

static double tally_step(struct gauge *gauge, struct moment *moment)
{
    struct tally *tally = (struct tally *)gauge;
    const struct rule *rule = gauge->rule;
    int64_t begin_ms = tally->pace.last_ms;
    int64_t stood_ms = pace_step(&tally->pace, moment->time_ms);
    tally_move(tally, moment->time_ms);
    if (stood_ms > 0 && tally->beyond >= 0) {
        double minutes = (double)stood_ms / (double)MEASURE_MINUTE_MS;
        tally_add(tally, begin_ms, begin_ms + stood_ms,
                  is_dose(rule) ? minutes * (double)tally->beyond : minutes);
    }
    bool is_above =
        rule->kind == ALERT_CUMULATIVE_ABOVE || rule->kind == ALERT_DOSE_ABOVE;
    double beyond = is_above ? moment->value - rule->limit : rule->limit - moment->value;
    moment->is_kept = beyond >= 0;
    tally->beyond = moment->is_held || !(beyond >= 0) ? -1 : (float)fmin(beyond, 1e9);
    return tally_sum(tally, moment->time_ms);
}

static void tally_archive(struct archive *archive, struct gauge *gauge)
{
    struct tally *tally = (struct tally *)gauge;
    bool has_slices = gauge->rule->window_ms > 0;
    pace_archive(archive, &tally->pace);
    archive_f32(archive, &tally->beyond);
    archive_bool(archive, &tally->was_on);
    archive_bool(archive, &tally->is_started);
    if (!has_slices) {
        archive_f64(archive, &tally->total);
        return;
    }
    archive_time(archive, &tally->newest);
    for (size_t i = 0; i <= TALLY_SLICES; i++)
        archive_f32(archive, &tally->slices[i]);
}

const struct gauge_kind gauge_tally = {"tally", tally_size, tally_begin, tally_step,
                                       tally_archive};

/* ---- count: how often a state began within the window ------------------------------ */

static double count_step(struct gauge *gauge, struct moment *moment)
{
    struct tally *tally = (struct tally *)gauge;
    enum measure_sight sight = measure_sight(gauge->rule, moment);
    tally_move(tally, moment->time_ms);
    if (sight == SIGHT_NONE)
        return (double)NAN;
    /* A state that was there when the rule began did not begin then. */
    bool begins = sight == SIGHT_ON && !tally->was_on && tally->is_started;
    tally->was_on = sight == SIGHT_ON;
    tally->is_started = true;
    moment->is_kept = begins;
    if (begins && !moment->is_held)
        tally_add(tally, moment->time_ms, moment->time_ms, 1);
    double count = tally_sum(tally, moment->time_ms);
    if (gauge->rule->kind != ALERT_CYCLING)
        return count;
    return count / ((double)gauge->rule->window_ms / (double)MEASURE_HOUR_MS);
}

const struct gauge_kind gauge_count = {"count", tally_size, tally_begin, count_step,
                                       tally_archive};

/* ---- fit: a line through the means of the slices ----------------------------------- */

struct fit_slice {
    float value;    /* mean */
    uint16_t at;    /* mean place in the slice, in parts of AT_PARTS */
    uint16_t count; /* 0: no reading */
};

struct fit {
    struct gauge gauge;
    struct pace pace;
    bool was_held;
    float home_min; /* predicted: at home below the limit (+) or above it (-) */
    int64_t newest; /* slice */
    struct fit_slice slices[FIT_SLICES];
};

static size_t fit_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct fit);
}

static int64_t fit_slice_ms(const struct rule *rule)
{
    return rule->window_ms / FIT_SLICES;
}

static void fit_begin(struct gauge *gauge, int64_t time_ms)
{
    struct fit *fit = (struct fit *)gauge;
    pace_begin(&fit->pace);
    fit->newest = slice_of(time_ms, fit_slice_ms(gauge->rule));
}

static void fit_clear(struct fit *fit)
{
    for (size_t i = 0; i < FIT_SLICES; i++)
        fit->slices[i] = (struct fit_slice){0};
}

static void fit_move(struct fit *fit, int64_t slice)
{
    if (slice < fit->newest || slice - fit->newest >= FIT_SLICES)
        fit_clear(fit);
    else
        for (int64_t i = fit->newest + 1; i <= slice; i++)
            fit->slices[place_of(i, FIT_SLICES)] = (struct fit_slice){0};
    fit->newest = slice;
}

static void fit_add(struct fit *fit, const struct moment *moment)
{
    int64_t slice_ms = fit_slice_ms(fit->gauge.rule);
    struct fit_slice *slice = &fit->slices[place_of(fit->newest, FIT_SLICES)];
    int32_t at =
        (int32_t)((moment->time_ms - fit->newest * slice_ms) * AT_PARTS / slice_ms);
    if (slice->count < UINT16_MAX)
        slice->count++;
    slice->value += (measure_narrow(moment->value) - slice->value) / (float)slice->count;
    slice->at = (uint16_t)(slice->at + (at - slice->at) / (int32_t)slice->count);
}

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
static bool fit_line(struct line *line, const struct fit *fit, int64_t time_ms)
{
    const struct fit_slice *newest = &fit->slices[place_of(fit->newest, FIT_SLICES)];
    /* Values are taken from the newest mean on: differences keep their digits. */
    double zero = (double)newest->value;
    struct sums sums = {0};
    int back = 0; /* slices back from the newest */
    int oldest = 0;
    for (size_t at = place_of(fit->newest, FIT_SLICES); back < FIT_SLICES; back++) {
        const struct fit_slice *slice = &fit->slices[at];
        at = at > 0 ? at - 1 : FIT_SLICES - 1;
        if (slice->count == 0)
            continue;
        oldest = back;
        sums_add(&sums, (double)slice->count, (double)slice->at / AT_PARTS - back,
                 (double)slice->value - zero);
    }
    if (sums.n < FIT_LEAST || oldest < FIT_SLICES / 2)
        return false;
    int64_t slice_ms = fit_slice_ms(fit->gauge.rule);
    double x_now = (double)(time_ms - fit->newest * slice_ms) / (double)slice_ms;
    if (!line_of(line, &sums, x_now))
        return false;
    line->now += zero;
    line->y += zero;
    return true;
}

/*
 * A limit alone does not say from which side it is reached: from the one on which the
 * value was for longer: of the last HOME_MOST_MIN minutes, and HOME_SLOWER times as long
 * elsewhere. True: from below.
 */
static bool is_from_below(struct fit *fit, const struct moment *moment)
{
    int64_t stood_ms = pace_step(&fit->pace, moment->time_ms);
    bool is_below = moment->value < fit->gauge.rule->limit;
    float minutes = stood_ms > 0 ? (float)stood_ms / (float)MEASURE_MINUTE_MS : 1;
    bool is_home = (fit->home_min >= 0) == is_below;
    float way = is_home ? minutes : minutes / HOME_SLOWER;
    float home = fit->home_min + (is_below ? way : -way);
    fit->home_min = fmaxf(fminf(home, HOME_MOST_MIN), -HOME_MOST_MIN);
    return fit->home_min >= 0;
}

static double slices_to_minutes(const struct fit *fit, double slices)
{
    double slice_ms = (double)fit_slice_ms(fit->gauge.rule);
    double minutes = slices * slice_ms / (double)MEASURE_MINUTE_MS;
    return fmin(fmax(minutes, 0), MEASURE_FAR_MIN);
}

/*
 * When the line may be at the limit: the two times at which that is ERRORS standard
 * errors of the line away from it (Fieller's bounds), for a slope of more than so many of
 * its own.
 */
static void bounds_to(const struct fit *fit, const struct line *line,
                      struct moment *moment)
{
    double way = fit->gauge.rule->limit - line->y;
    double error = ERRORS * line->error;
    double a = line->slope * line->slope - error * error;
    double root = ERRORS * sqrt(line->error * line->error * way * way + a * line->doubt);
    double one = (line->slope * way - root) / a + line->x;
    double two = (line->slope * way + root) / a + line->x;
    moment->low = slices_to_minutes(fit, fmin(one, two));
    moment->high = slices_to_minutes(fit, fmax(one, two));
}

/*
 * Minutes until the line is at the limit; 0 behind it. A slope of less than three
 * standard errors is none, it leads nowhere.
 */
static double minutes_to(const struct fit *fit, const struct line *line,
                         bool is_from_below, struct moment *moment)
{
    double sign = is_from_below ? 1 : -1;
    double way = sign * (fit->gauge.rule->limit - line->now);
    double slope = sign * line->slope;
    if (way <= 0)
        return 0;
    if (slope <= 0 || slope < 3 * line->error)
        return MEASURE_FAR_MIN;
    bounds_to(fit, line, moment);
    return slices_to_minutes(fit, way / slope);
}

static double fit_step(struct gauge *gauge, struct moment *moment)
{
    struct fit *fit = (struct fit *)gauge;
    const struct rule *rule = gauge->rule;
    int64_t slice_ms = fit_slice_ms(rule);
    bool from_below = rule->kind == ALERT_PREDICTED && is_from_below(fit, moment);
    fit_move(fit, slice_of(moment->time_ms, slice_ms));
    if (fit->was_held && !moment->is_held)
        fit_clear(fit); /* what comes now is another line */
    fit->was_held = moment->is_held;
    fit_add(fit, moment);
    struct line line;
    if (!fit_line(&line, fit, moment->time_ms))
        return (double)NAN;
    if (rule->kind == ALERT_RATE)
        return line.slope * (double)MEASURE_HOUR_MS / (double)slice_ms;
    return minutes_to(fit, &line, from_below, moment);
}

static void fit_archive(struct archive *archive, struct gauge *gauge)
{
    struct fit *fit = (struct fit *)gauge;
    if (gauge->rule->kind == ALERT_PREDICTED) {
        pace_archive(archive, &fit->pace);
        archive_f32(archive, &fit->home_min);
    }
    archive_bool(archive, &fit->was_held);
    archive_time(archive, &fit->newest);
    for (size_t i = 0; i < FIT_SLICES; i++) {
        struct fit_slice *slice = &fit->slices[i];
        archive_u16(archive, &slice->count);
        if (slice->count == 0)
            continue;
        archive_f32(archive, &slice->value);
        archive_u16(archive, &slice->at);
    }
}

const struct gauge_kind gauge_fit = {"fit", fit_size, fit_begin, fit_step, fit_archive};

/* ---- spread: between the least and the most of the window ---------------------------
 */

struct spread_slice {
    float least;
    float most; /* below least: no reading */
};

struct spread {
    struct gauge gauge;
    int64_t newest; /* slice */
    struct spread_slice slices[FIT_SLICES];
    bool was_held;
};

static const struct spread_slice spread_empty = {1, -1};

static size_t spread_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct spread);
}

static void spread_clear(struct spread *spread)
{
    for (size_t i = 0; i < FIT_SLICES; i++)
        spread->slices[i] = spread_empty;
}

static void spread_begin(struct gauge *gauge, int64_t time_ms)
{
    struct spread *spread = (struct spread *)gauge;
    spread->newest = slice_of(time_ms, fit_slice_ms(gauge->rule));
    spread_clear(spread);
}

static void spread_move(struct spread *spread, int64_t slice)
{
    if (slice < spread->newest || slice - spread->newest >= FIT_SLICES)
        spread_clear(spread);
    else
        for (int64_t i = spread->newest + 1; i <= slice; i++)
            spread->slices[place_of(i, FIT_SLICES)] = spread_empty;
    spread->newest = slice;
}

static double spread_step(struct gauge *gauge, struct moment *moment)
{
    struct spread *spread = (struct spread *)gauge;
    spread_move(spread, slice_of(moment->time_ms, fit_slice_ms(gauge->rule)));
    if (spread->was_held && !moment->is_held)
        spread_clear(spread);
    spread->was_held = moment->is_held;
    float value = measure_narrow(moment->value);
    struct spread_slice *newest = &spread->slices[place_of(spread->newest, FIT_SLICES)];
    bool is_first = newest->most < newest->least;
    newest->least = is_first || value < newest->least ? value : newest->least;
    newest->most = is_first || value > newest->most ? value : newest->most;
    float least = value;
    float most = value;
    for (size_t i = 0; i < FIT_SLICES; i++) {
        const struct spread_slice *slice = &spread->slices[i];
        if (slice->most < slice->least)
            continue;
        least = slice->least < least ? slice->least : least;
        most = slice->most > most ? slice->most : most;
    }
    return (double)most - (double)least;
}

static void spread_archive(struct archive *archive, struct gauge *gauge)
{
    struct spread *spread = (struct spread *)gauge;
    archive_bool(archive, &spread->was_held);
    archive_time(archive, &spread->newest);
    for (size_t i = 0; i < FIT_SLICES; i++) {
        archive_f32(archive, &spread->slices[i].least);
        archive_f32(archive, &spread->slices[i].most);
    }
}

const struct gauge_kind gauge_spread = {"spread", spread_size, spread_begin, spread_step,
                                        spread_archive};
