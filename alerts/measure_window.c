// SPDX-License-Identifier: Apache-2.0
/*
 * measure_window - what happened within a window: time and dose beyond a limit, counts,
 * the greatest change. (The rate of change, and where it leads: measure_fit.c.)
 *
 * A window is cut into slices that fall out one after the other, so that no sample need
 * be kept. The slice that is leaving counts in part: what it holds is taken to lie
 * evenly. The newest slice is the one that the reading before lies in.
 */
#include <assert.h>
#include <math.h>
#include <stdalign.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/measure.h"
#include "alerts/slices.h"

#define TALLY_SLICES  24
#define TALLY_PLACES  (TALLY_SLICES + 1) /* the leaving one included */
#define SPREAD_SLICES 12

/* ---- tally: sums over the window -------------------------------------------------- */

/*
 * A slice holds whole units in one byte. What is less than a unit is carried on into what
 * comes next, so that nothing is lost: only when it leaves the window is uncertain, by
 * one unit. Amounts are ms of time, ms times degrees, or times.
 */
#define UNITS_MOST  UINT8_MAX
#define UNITS_USUAL 250   /* of a slice that is beyond from its beginning to its end */
#define DOSE_FINE   64    /* parts of such a slice at one degree, at first */
#define BEYOND_MOST 1e9   /* degrees: beyond what is measured, within a float's sums */
#define LARGEST     1e21F /* above a year of BEYOND_MOST in ms */

struct tally {
    float unit;
    float rest;
    uint16_t sum;   /* of the slices, in units */
    bool is_on : 1; /* tally: the last reading was beyond; count: the state was there */
    bool is_started : 1;
    uint8_t slices[TALLY_PLACES];
    float beyond[]; /* dose: of the last reading: how far */
};

static_assert(sizeof(struct tally) <= 36, "a channel has one for each such rule");
static_assert(TALLY_PLACES * UNITS_MOST <= UINT16_MAX, "the sum fits");

static bool is_dose(const struct rule *rule)
{
    return rule->kind == ALERT_DOSE_ABOVE || rule->kind == ALERT_DOSE_BELOW;
}

static bool is_counted(const struct rule *rule)
{
    return rule->kind == ALERT_DEFROST_OFTEN || rule->kind == ALERT_CYCLING;
}

static int64_t tally_slice_ms(const struct rule *rule)
{
    int64_t slice_ms = rule->window_ms / TALLY_SLICES;
    return slice_ms > 0 ? slice_ms : 1;
}

static float first_unit(const struct rule *rule)
{
    if (is_counted(rule))
        return 1;
    /* Whole ms, so that sums of them are exact. */
    int64_t unit_ms = tally_slice_ms(rule) / UNITS_USUAL + 1;
    return is_dose(rule) ? (float)unit_ms / DOSE_FINE : (float)unit_ms;
}

static size_t tally_size(const struct rule *rule)
{
    return sizeof(struct tally) + (is_dose(rule) ? sizeof(float) : 0);
}

static void tally_clear(struct tally *tally)
{
    tally->sum = 0;
    for (size_t i = 0; i < TALLY_PLACES; i++)
        tally->slices[i] = 0;
}

/* Units become twice as large; halves are carried on from the oldest slice on. */
static void coarsen(struct tally *tally, int64_t newest)
{
    unsigned carried = 0;
    unsigned sum = 0;
    for (int64_t i = newest - TALLY_SLICES; i <= newest; i++) {
        uint8_t *slice = &tally->slices[slice_place(i, TALLY_PLACES)];
        unsigned units = *slice + carried;
        *slice = (uint8_t)(units / 2);
        carried = units % 2;
        sum += *slice;
    }
    tally->sum = (uint16_t)sum;
    tally->rest += (float)carried * tally->unit;
    tally->unit *= 2;
}

static void tally_put(struct tally *tally, int64_t newest, int64_t slice, double amount)
{
    size_t place = slice_place(slice, TALLY_PLACES);
    tally->rest += (float)amount;
    while (tally->rest >= tally->unit * (float)(UNITS_MOST + 1 - tally->slices[place]))
        coarsen(tally, newest);
    unsigned units = (unsigned)(tally->rest / tally->unit);
    tally->slices[place] = (uint8_t)(tally->slices[place] + units);
    tally->sum = (uint16_t)(tally->sum + units);
    tally->rest -= (float)units * tally->unit;
}

/* The clock was ahead by as many slices: what was added up then was so later. */
static void tally_turn_back(struct tally *tally, int64_t slices)
{
    uint8_t before[TALLY_PLACES];
    memcpy(before, tally->slices, sizeof before);
    for (int64_t i = 0; i < TALLY_PLACES; i++)
        tally->slices[slice_place(i - slices, TALLY_PLACES)] = before[i];
}

void tally_turn_to(void *gauge, const struct rule *rule, int64_t from_ms, int64_t to_ms)
{
    int64_t slice_ms = tally_slice_ms(rule);
    tally_turn_back(gauge, slice_of(from_ms, slice_ms) - slice_of(to_ms, slice_ms));
}

/* Returns the newest slice. */
static int64_t tally_move(struct tally *tally, const struct rule *rule,
                          const struct moment *moment)
{
    int64_t slice_ms = tally_slice_ms(rule);
    int64_t slice = slice_of(moment->time_ms, slice_ms);
    int64_t before = slice_before(slice, slice_ms, moment->before_ms);
    if (slice == before && tally->unit > 0)
        return slice;
    if (slice < before)
        tally_turn_back(tally, before - slice);
    else if (slice - before > TALLY_SLICES)
        tally_clear(tally); /* nothing of what is there counts any more */
    else
        for (int64_t i = before + 1; i <= slice; i++) {
            uint8_t *place = &tally->slices[slice_place(i, TALLY_PLACES)];
            tally->sum = (uint16_t)(tally->sum - *place);
            *place = 0;
        }
    if (tally->sum == 0) {
        tally->rest = 0;
        tally->unit = first_unit(rule);
    }
    return slice;
}

/* Adds `amount` that came evenly over from..to, which may begin before the window. */
static void tally_add(struct tally *tally, const struct rule *rule, int64_t newest,
                      int64_t from_ms, int64_t to_ms, double amount)
{
    int64_t slice_ms = tally_slice_ms(rule);
    int64_t first = slice_before(newest, slice_ms, from_ms);
    if (first < newest - TALLY_SLICES)
        first = newest - TALLY_SLICES;
    for (int64_t i = first; i <= newest; i++) {
        int64_t begin_ms = i * slice_ms > from_ms ? i * slice_ms : from_ms;
        int64_t end_ms = (i + 1) * slice_ms < to_ms ? (i + 1) * slice_ms : to_ms;
        double part = to_ms > from_ms
                          ? (double)(end_ms - begin_ms) / (double)(to_ms - from_ms)
                          : (double)(i == newest);
        if (part > 0)
            tally_put(tally, newest, i, amount * part);
    }
}

static double tally_sum(const struct tally *tally, const struct rule *rule,
                        int64_t newest, int64_t time_ms)
{
    double whole = (double)tally->sum * (double)tally->unit + (double)tally->rest;
    uint8_t leaving = tally->slices[slice_place(newest - TALLY_SLICES, TALLY_PLACES)];
    if (leaving == 0)
        return whole;
    int64_t slice_ms = tally_slice_ms(rule);
    double gone = (double)(time_ms - newest * slice_ms) / (double)slice_ms;
    return whole - gone * (double)leaving * (double)tally->unit;
}

/* How far beyond the limit the value is; negative: it is not, or does not count. */
static float look_beyond(const struct rule *rule, struct moment *moment)
{
    bool is_above =
        rule->kind == ALERT_CUMULATIVE_ABOVE || rule->kind == ALERT_DOSE_ABOVE;
    double beyond = is_above ? moment->value - rule->limit : rule->limit - moment->value;
    moment->is_kept = beyond >= 0;
    return moment->is_held || !(beyond >= 0) ? -1 : (float)fmin(beyond, BEYOND_MOST);
}

static void note_beyond(struct tally *tally, const struct rule *rule, float beyond)
{
    tally->is_on = beyond >= 0;
    if (is_dose(rule))
        tally->beyond[0] = beyond;
}

static double tally_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct tally *tally = gauge;
    int64_t newest = tally_move(tally, rule, moment);
    if (moment->stood_ms > 0 && tally->is_on) {
        double amount = (double)moment->stood_ms;
        tally_add(tally, rule, newest, moment->before_ms,
                  moment->before_ms + moment->stood_ms,
                  is_dose(rule) ? amount * (double)tally->beyond[0] : amount);
    }
    note_beyond(tally, rule, look_beyond(rule, moment));
    return tally_sum(tally, rule, newest, moment->time_ms) / (double)MEASURE_MINUTE_MS;
}

double tally_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    int64_t newest = slice_of(last_ms, tally_slice_ms(rule));
    return tally_sum(gauge, rule, newest, last_ms) / (double)MEASURE_MINUTE_MS;
}

/* Until version 3: a float for each slice, in minutes. */
static void tally_load_old(struct archive *archive, struct tally *tally,
                           const struct rule *rule)
{
    float old[TALLY_PLACES];
    int64_t newest = 0;
    archive_time(archive, &newest);
    for (size_t i = 0; i < TALLY_PLACES; i++)
        archive_f32(archive, &old[i]);
    for (size_t i = 0; i < TALLY_PLACES; i++)
        archive->in->failed |= !(old[i] >= 0 && old[i] <= LARGEST);
    if (archive->in->failed)
        return;
    tally->unit = first_unit(rule);
    float scale = is_counted(rule) ? 1 : (float)MEASURE_MINUTE_MS;
    for (int64_t i = newest - TALLY_SLICES; i <= newest; i++)
        tally_put(tally, newest, i, (double)(old[slice_place(i, TALLY_PLACES)] * scale));
}

/* As tally_step() and tally_put() leave it: what is added is never below zero. */
static bool tally_is_right(const struct tally *tally, const struct rule *rule)
{
    if (is_dose(rule) && tally->is_on &&
        !(tally->beyond[0] >= 0 && (double)tally->beyond[0] <= BEYOND_MOST))
        return false;
    return tally->unit >= 0 && tally->unit <= LARGEST &&
           (tally->unit > 0 || tally->sum == 0) && tally->rest >= 0 &&
           tally->rest <= tally->unit;
}

static void tally_archive_slices(struct archive *archive, struct tally *tally)
{
    archive_f32(archive, &tally->unit);
    archive_f32(archive, &tally->rest);
    unsigned sum = 0;
    for (size_t i = 0; i < TALLY_PLACES; i++) {
        archive_u8(archive, &tally->slices[i]);
        sum += tally->slices[i];
    }
    tally->sum = (uint16_t)sum;
}

static void tally_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    struct tally *tally = gauge;
    if (archive->version < GAUGES_VERSION)
        pace_archive_old(archive);
    float beyond = is_dose(rule) ? tally->beyond[0] : -1;
    bool is_on = tally->is_on;
    bool is_started = tally->is_started;
    if (archive->version < GAUGES_VERSION || is_dose(rule))
        archive_f32(archive, &beyond);
    archive_bool(archive, &is_on);
    archive_bool(archive, &is_started);
    if (archive->version < GAUGES_VERSION && !is_counted(rule))
        note_beyond(tally, rule, beyond);
    else
        tally->is_on = is_on;
    if (is_dose(rule))
        tally->beyond[0] = beyond;
    tally->is_started = is_started;
    if (archive->version < GAUGES_VERSION)
        tally_load_old(archive, tally, rule);
    else
        tally_archive_slices(archive, tally);
    if (archive->out == NULL && !tally_is_right(tally, rule))
        archive->in->failed = true;
}

const struct gauge_kind gauge_tally = {
    "tally", alignof(struct tally), tally_size, NULL, tally_step, tally_archive};

/* ---- total: the same, of all time ---------------------------------------------------
 */

struct total {
    double amount; /* minutes */
    float beyond;
};

static size_t total_size(const struct rule *rule)
{
    (void)rule;
    return sizeof(struct total);
}

static void total_begin(void *gauge)
{
    ((struct total *)gauge)->beyond = -1;
}

static double total_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct total *total = gauge;
    if (moment->stood_ms > 0 && total->beyond >= 0) {
        double minutes = (double)moment->stood_ms / (double)MEASURE_MINUTE_MS;
        total->amount += is_dose(rule) ? minutes * (double)total->beyond : minutes;
    }
    total->beyond = look_beyond(rule, moment);
    return total->amount;
}

double total_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    (void)rule;
    (void)last_ms;
    return ((const struct total *)gauge)->amount;
}

void total_raise(void *gauge, const void *from)
{
    struct total *total = gauge;
    total->amount = fmax(total->amount, ((const struct total *)from)->amount);
}

static void total_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct total *total = gauge;
    bool unused = false;
    if (archive->version < GAUGES_VERSION)
        pace_archive_old(archive);
    archive_f32(archive, &total->beyond);
    if (archive->version < GAUGES_VERSION) {
        archive_bool(archive, &unused);
        archive_bool(archive, &unused);
    }
    archive_f64(archive, &total->amount);
}

const struct gauge_kind gauge_total = {
    "total", alignof(struct total), total_size, total_begin, total_step, total_archive};

/* ---- count: how often a state began within the window ------------------------------ */

static double per_hour(const struct rule *rule, double count)
{
    if (rule->kind != ALERT_CYCLING)
        return count;
    return count / ((double)rule->window_ms / (double)MEASURE_HOUR_MS);
}

double count_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    const struct tally *tally = gauge;
    if (!tally->is_started)
        return (double)NAN;
    int64_t newest = slice_of(last_ms, tally_slice_ms(rule));
    return per_hour(rule, tally_sum(tally, rule, newest, last_ms));
}

static double count_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct tally *tally = gauge;
    enum measure_sight sight = measure_sight(rule, moment);
    int64_t newest = tally_move(tally, rule, moment);
    if (sight == SIGHT_NONE)
        return (double)NAN;
    /* A state that was there when the rule began did not begin then. */
    bool begins = sight == SIGHT_ON && !tally->is_on && tally->is_started;
    tally->is_on = sight == SIGHT_ON;
    tally->is_started = true;
    moment->is_kept = begins;
    if (begins && !moment->is_held)
        tally_add(tally, rule, newest, moment->time_ms, moment->time_ms, 1);
    return per_hour(rule, tally_sum(tally, rule, newest, moment->time_ms));
}

const struct gauge_kind gauge_count = {
    "count", alignof(struct tally), tally_size, NULL, count_step, tally_archive};

/* ---- spread: between the least and the most of the window ---------------------------
 */

struct spread_slice {
    float least;
    float most; /* below least: no reading */
};

struct spread {
    struct spread_slice slices[SPREAD_SLICES];
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
    for (size_t i = 0; i < SPREAD_SLICES; i++)
        spread->slices[i] = spread_empty;
}

static void spread_begin(void *gauge)
{
    spread_clear(gauge);
}

void spread_restart(void *gauge)
{
    spread_clear(gauge);
}

/* Returns the newest slice. */
static struct spread_slice *spread_move(struct spread *spread, const struct rule *rule,
                                        const struct moment *moment)
{
    int64_t slice_ms = rule->window_ms / SPREAD_SLICES;
    int64_t slice = slice_of(moment->time_ms, slice_ms);
    int64_t before = slice_before(slice, slice_ms, moment->before_ms);
    if (slice < before || slice - before >= SPREAD_SLICES)
        spread_clear(spread);
    else
        for (int64_t i = before + 1; i <= slice; i++)
            spread->slices[slice_place(i, SPREAD_SLICES)] = spread_empty;
    return &spread->slices[slice_place(slice, SPREAD_SLICES)];
}

static double spread_of(const struct spread *spread)
{
    float least = HUGE_VALF;
    float most = -HUGE_VALF;
    for (size_t i = 0; i < SPREAD_SLICES; i++) {
        const struct spread_slice *slice = &spread->slices[i];
        if (slice->most < slice->least)
            continue;
        least = slice->least < least ? slice->least : least;
        most = slice->most > most ? slice->most : most;
    }
    return (double)most - (double)least;
}

double spread_now(const void *gauge, const struct rule *rule, int64_t last_ms)
{
    (void)rule;
    (void)last_ms;
    return spread_of(gauge);
}

static double spread_step(void *gauge, const struct rule *rule, struct moment *moment)
{
    struct spread *spread = gauge;
    struct spread_slice *newest = spread_move(spread, rule, moment);
    if (spread->was_held && !moment->is_held)
        spread_clear(spread);
    spread->was_held = moment->is_held;
    float value = measure_narrow(moment->value);
    bool is_first = newest->most < newest->least;
    newest->least = is_first || value < newest->least ? value : newest->least;
    newest->most = is_first || value > newest->most ? value : newest->most;
    return spread_of(spread);
}

static void spread_archive(struct archive *archive, void *gauge, const struct rule *rule)
{
    (void)rule;
    struct spread *spread = gauge;
    int64_t newest = 0; /* until version 3; the slice of the last reading */
    archive_bool(archive, &spread->was_held);
    if (archive->version < GAUGES_VERSION)
        archive_time(archive, &newest);
    for (size_t i = 0; i < SPREAD_SLICES; i++) {
        archive_f32(archive, &spread->slices[i].least);
        archive_f32(archive, &spread->slices[i].most);
    }
}

const struct gauge_kind gauge_spread = {"spread",    alignof(struct spread),
                                        spread_size, spread_begin,
                                        spread_step, spread_archive};
