// SPDX-License-Identifier: Apache-2.0
#include "freshness/life.h"

#include <assert.h>
#include <math.h>

#include "freshness/psychrometrics.h"

static const struct life_span unknown_span = {(double)NAN, (double)NAN, (double)NAN};

static struct rates rates_at(const struct load_model *model, double at_c)
{
    if (!model->has_kinetics)
        return (struct rates){1, 1, 1};
    return kinetics_rates(&model->kinetics, at_c, at_c, at_c);
}

static double left(double limit, double used, double rate)
{
    double rest = fmax(0, limit - used);
    return rate > 0 ? rest / rate : rest > 0 ? (double)INFINITY : 0;
}

static struct life_span ageing(const struct load *load, const struct load_model *model,
                               double at_c)
{
    if (!model->has_life)
        return unknown_span;
    struct rates rates = rates_at(model, at_c);
    return (struct life_span){
        .low = left(model->life_min_d, load->aged_d.fast, rates.fast),
        .mid = left(model->life_mid_d, load->aged_d.mid, rates.mid),
        .high = left(model->life_max_d, load->aged_d.slow, rates.slow),
    };
}

static double days_to(double limit, double used, double rate)
{
    return isnan(limit) ? (double)NAN : left(limit, used, rate) / 24;
}

/* An unknown earliest injury stays unknown; it is not zero and not never. */
static struct life_span chilling(const struct load *load, const struct load_model *model,
                                 double at_c)
{
    double fast = 0, slow = 0;
    if (model->chilling == PROFILE_CHILLING_THRESHOLD) {
        fast = fmax(0, model->chilling_high_c - at_c);
        slow = fmax(0, model->chilling_low_c - at_c);
    } else if (model->chilling == PROFILE_CHILLING_BAND) {
        fast = slow = at_c >= model->chilling_low_c && at_c <= model->chilling_high_c;
    }
    double low = days_to(model->injury_fast, load->chilled_fast, fast);
    double high = days_to(model->injury_slow, load->chilled_slow, slow);
    double mid = isnan(low) ? high : isnan(high) ? low : (low + high) / 2;
    /* Below the temperature of the published time the two ends of the threshold cross. */
    if (low > high)
        return (struct life_span){.low = high, .mid = mid, .high = low};
    return (struct life_span){.low = low, .mid = mid, .high = high};
}

double life_water_pct(const struct load *load, const struct load_model *model)
{
    double offset = isnan(model->water_offset_kpa) ? 0 : model->water_offset_kpa;
    double hours = (double)load->humid_ms / 3600000;
    return model->water_coefficient * (load->deficit_kpa_h + offset * hours) / 24;
}

static struct life_span water(const struct load *load, const struct load_model *model,
                              double at_c, double humidity_pct)
{
    double offset = isnan(model->water_offset_kpa) ? 0 : model->water_offset_kpa;
    double rate =
        model->water_coefficient * (vapour_deficit_kpa(at_c, humidity_pct) + offset);
    double limit = model->water_limit_pct;
    if (isnan(rate) || isnan(limit))
        return unknown_span;
    double days = left(limit, life_water_pct(load, model), rate);
    return (struct life_span){days, days, days};
}

/* What can be said at all, before any number. */
static enum life_verdict verdict_of(const struct load *load,
                                    const struct load_model *model, double at_c)
{
    if (!(at_c >= LOAD_COLDEST_C && at_c <= LOAD_HOTTEST_C))
        return LIFE_NOT_PLAUSIBLE;
    if (load->frozen_ms > 0)
        return LIFE_FROZEN;
    if (!model->has_life)
        return LIFE_NOT_PUBLISHED;
    if (at_c < model->freezing_c)
        return LIFE_WOULD_FREEZE;
    bool is_inside = at_c >= model->band_min_c && at_c <= model->band_max_c;
    if (!model->has_kinetics && (!is_inside || load->beyond_ms > 0))
        return LIFE_NO_KINETICS;
    return LIFE_STATED;
}

/* The process whose best estimate ends first; unknown ones do not limit. */
static void choose_worst(struct life *life)
{
    life->limit = LIFE_AGEING;
    for (int i = LIFE_AGEING + 1; i < LIFE_PROCESSES; i++)
        if (life->by[i].mid < life->by[life->limit].mid)
            life->limit = (enum life_process)i;
    life->days = life->by[life->limit];
    for (int i = 0; i < LIFE_PROCESSES; i++) {
        life->days.low = fmin(life->days.low, life->by[i].low);
        life->days.high = fmin(life->days.high, life->by[i].high);
    }
}

struct life life_of(const struct load *load, const struct load_model *model, double at_c,
                    double humidity_pct)
{
    struct life life = {.verdict = verdict_of(load, model, at_c),
                        .at_c = at_c,
                        .days = unknown_span,
                        .by = {unknown_span, unknown_span, unknown_span}};
    if (life.verdict != LIFE_STATED)
        return life;
    life.by[LIFE_AGEING] = ageing(load, model, at_c);
    life.by[LIFE_CHILLING] = chilling(load, model, at_c);
    life.by[LIFE_WATER] = water(load, model, at_c, humidity_pct);
    life.is_capped = at_c > KINETICS_CAP_C;
    life.is_extrapolated =
        model->has_kinetics &&
        (load->beyond_ms > 0 || !kinetics_is_valid(&model->kinetics, at_c));
    choose_worst(&life);
    assert(!isnan(life.days.mid));
    return life;
}

struct life_span life_used(const struct load *load, const struct load_model *model)
{
    bool is_beyond = !model->has_kinetics && load->beyond_ms > 0;
    if (!model->has_life || is_beyond || load->frozen_ms > 0)
        return unknown_span;
    return (struct life_span){.low = load->aged_d.slow / model->life_max_d,
                              .mid = load->aged_d.mid / model->life_mid_d,
                              .high = load->aged_d.fast / model->life_min_d};
}

static double fraction_left(double used, double limit)
{
    double left = 1 - used / limit;
    return isnan(left) ? left : fmin(1, fmax(0, left));
}

/* Of what is published; an unknown end of chilling leaves the other. */
static struct life_span chilling_left(const struct load *load,
                                      const struct load_model *model)
{
    double low = fraction_left(load->chilled_fast, model->injury_fast);
    double high = fraction_left(load->chilled_slow, model->injury_slow);
    double mid = isnan(low) ? high : isnan(high) ? low : (low + high) / 2;
    return (struct life_span){low, mid, high};
}

struct life_left life_left_of(const struct load *load, const struct load_model *model)
{
    struct life_left left = {.limit = LIFE_AGEING, .share = unknown_span};
    bool is_beyond = !model->has_kinetics && load->beyond_ms > 0;
    if (!model->has_life || is_beyond)
        return left;
    left.share = (struct life_span){
        .low = fraction_left(load->aged_d.fast, model->life_min_d),
        .mid = fraction_left(load->aged_d.mid, model->life_mid_d),
        .high = fraction_left(load->aged_d.slow, model->life_max_d),
    };
    struct life_span chilled = chilling_left(load, model);
    if (chilled.mid < left.share.mid)
        left = (struct life_left){.limit = LIFE_CHILLING, .share = chilled};
    double dry = fraction_left(life_water_pct(load, model), model->water_limit_pct);
    if (dry < left.share.mid)
        left = (struct life_left){.limit = LIFE_WATER, .share = {dry, dry, dry}};
    return left;
}

const char *life_verdict_name(enum life_verdict verdict)
{
    static const char *const names[] = {"stated", "not_published", "no_kinetics",
                                        "frozen", "would_freeze",  "not_plausible"};
    assert((size_t)verdict < sizeof names / sizeof names[0]);
    return names[verdict];
}

const char *life_verdict_text(enum life_verdict verdict)
{
    static const char *const texts[] = {
        "stated",
        "no life can be stated: no storage life is published for it",
        "no life can be stated: it is published for the storage band only",
        "no life can be stated: the goods were below their freezing point",
        "no life can be stated: it would freeze",
        "no life can be stated: not a temperature of a cold chain",
    };
    assert((size_t)verdict < sizeof texts / sizeof texts[0]);
    return texts[verdict];
}

const char *life_process_name(enum life_process process)
{
    static const char *const names[] = {"ageing", "chilling", "water loss"};
    static_assert(sizeof names / sizeof names[0] == LIFE_PROCESSES,
                  "one name per process");
    assert(process < LIFE_PROCESSES);
    return names[process];
}
