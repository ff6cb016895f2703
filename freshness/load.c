// SPDX-License-Identifier: Apache-2.0
#include "freshness/load.h"

#include <math.h>

#include "freshness/psychrometrics.h"

#define MS_PER_HOUR 3600000.0

static double given(double own, double profile)
{
    return own > 0 ? own : profile;
}

static void init_body(struct load_model *model, const struct profile *profile,
                      const struct load_options *options)
{
    if (!options->is_air)
        return;
    double tau = given(options->tau_h, profile_value(profile, PROFILE_THERMAL_TAU));
    model->body = (struct thermal_body){.tau_h = tau, .fastest_h = tau, .slowest_h = tau};
    if (options->tau_h > 0)
        return;
    if (profile_knows(profile, PROFILE_THERMAL_TAU_MIN))
        model->body.fastest_h =
            fmin(tau, profile_value(profile, PROFILE_THERMAL_TAU_MIN));
    if (profile_knows(profile, PROFILE_THERMAL_TAU_MAX))
        model->body.slowest_h =
            fmax(tau, profile_value(profile, PROFILE_THERMAL_TAU_MAX));
}

/*
 * The dose at which injury was seen: (Tc - T) x time. Where Tc is a range the earliest
 * injury goes with its high end and the latest with its low end, unless that leaves no
 * dose at all at the temperature of the published time.
 */
static void init_threshold(struct load_model *model, const struct profile *profile)
{
    double low = profile_value(profile, PROFILE_CHILLING_THRESHOLD_MIN);
    double high = profile_value(profile, PROFILE_CHILLING_THRESHOLD_MAX);
    double at = profile_value(profile, PROFILE_INJURY_AT);
    model->chilling_low_c = low;
    model->chilling_high_c = high;
    if (!(high > at))
        return;
    model->injury_fast = (high - at) * 24 * profile_value(profile, PROFILE_INJURY_MIN);
    model->injury_slow =
        ((low > at ? low : high) - at) * 24 * profile_value(profile, PROFILE_INJURY_MAX);
    if (!(low > at))
        model->chilling_low_c = high;
}

static void init_chilling(struct load_model *model, const struct profile *profile)
{
    model->chilling = profile->chilling;
    model->chilling_low_c = model->chilling_high_c = (double)NAN;
    model->injury_fast = model->injury_slow = (double)NAN;
    switch (profile->chilling) {
    case PROFILE_CHILLING_UNKNOWN:
    case PROFILE_CHILLING_NONE:
        return;
    case PROFILE_CHILLING_THRESHOLD:
        init_threshold(model, profile);
        return;
    case PROFILE_CHILLING_BAND:
        model->chilling_low_c = profile_value(profile, PROFILE_CHILLING_ZONE_MIN);
        model->chilling_high_c = profile_value(profile, PROFILE_CHILLING_ZONE_MAX);
        model->injury_fast = 24 * profile_value(profile, PROFILE_INJURY_MIN);
        model->injury_slow = 24 * profile_value(profile, PROFILE_INJURY_MAX);
        return;
    }
}

static void init_life(struct load_model *model, const struct profile *profile,
                      const struct load_options *options)
{
    bool is_own = options->life_days > 0;
    model->ref_c = is_own ? options->life_at_c : profile_value(profile, PROFILE_LIFE_AT);
    model->life_min_d =
        is_own ? options->life_days : profile_value(profile, PROFILE_LIFE_MIN);
    model->life_max_d =
        is_own ? options->life_days : profile_value(profile, PROFILE_LIFE_MAX);
    model->has_kinetics = kinetics_init(&model->kinetics, profile, model->ref_c);
    model->has_life = !isnan(model->life_min_d) && !isnan(model->life_max_d);
    model->life_mid_d = (model->life_min_d + model->life_max_d) / 2;
    model->life_min_d /= model->kinetics.accuracy;
    model->life_max_d *= model->kinetics.accuracy;
}

enum err load_model_init(struct load_model *model, const struct profile *profile,
                         const struct load_options *options, struct err_text *why)
{
    *model = (struct load_model){
        .profile = profile,
        .band_min_c = profile_value(profile, PROFILE_TEMPERATURE_MIN),
        .band_max_c = profile_value(profile, PROFILE_TEMPERATURE_MAX),
        .freezing_c = profile_value(profile, PROFILE_FREEZING_POINT),
        .water_coefficient = profile_value(profile, PROFILE_WATER_COEFFICIENT),
        .water_offset_kpa = profile_value(profile, PROFILE_WATER_OFFSET),
        .water_limit_pct = profile_value(profile, PROFILE_WATER_LIMIT),
        .hold_ms = options->hold_ms > 0 ? options->hold_ms : LOAD_HOLD_MS,
        .pulp_error = options->pulp_error,
    };
    if (options->is_air && !(options->tau_h > 0) &&
        !profile_knows(profile, PROFILE_THERMAL_TAU))
        return err_set(
            why, ERR_INVALID,
            "%s has no time constant; give one, or the temperature of the product",
            profile->id);
    init_life(model, profile, options);
    init_body(model, profile, options);
    init_chilling(model, profile);
    return ERR_OK;
}

void load_init(struct load *load)
{
    *load = (struct load){.held_c = (double)NAN,
                          .held_pct = (double)NAN,
                          .product = {(double)NAN, (double)NAN, (double)NAN},
                          .coldest_c = (double)INFINITY,
                          .warmest_c = -(double)INFINITY};
}

void load_enter(struct load *load, const struct load_model *model, double pulp_c)
{
    assert(load->readings == 0);
    load->product = thermal_known(pulp_c, model->pulp_error);
}

/*
 * The dose of one step. Threshold: degrees below it; the earliest injury takes the high
 * end of the threshold and the cold edge of the estimate. Band: hours inside; surely so
 * when the whole estimate lies inside, possibly when they overlap.
 */
static void chill(struct load *load, const struct load_model *model,
                  const struct thermal_means *at, double hours)
{
    if (model->chilling == PROFILE_CHILLING_THRESHOLD) {
        load->chilled_fast += fmax(0, model->chilling_high_c - at->low) * hours;
        load->chilled_slow += fmax(0, model->chilling_low_c - at->high) * hours;
    } else if (model->chilling == PROFILE_CHILLING_BAND) {
        bool overlaps =
            at->low <= model->chilling_high_c && at->high >= model->chilling_low_c;
        bool is_inside =
            at->low >= model->chilling_low_c && at->high <= model->chilling_high_c;
        load->chilled_fast += overlaps ? hours : 0;
        load->chilled_slow += is_inside ? hours : 0;
    }
}

static void age(struct load *load, const struct load_model *model,
                const struct thermal_means *at, double hours, int64_t ms)
{
    struct rates rates = {1, 1, 1};
    bool is_known;
    if (model->has_kinetics) {
        rates = kinetics_rates(&model->kinetics, at->low, at->mid, at->high);
        is_known = kinetics_is_valid(&model->kinetics, at->mid);
    } else {
        is_known = at->low >= model->band_min_c && at->high <= model->band_max_c;
    }
    load->aged_d.slow += rates.slow * hours / 24;
    load->aged_d.mid += rates.mid * hours / 24;
    load->aged_d.fast += rates.fast * hours / 24;
    load->beyond_ms += is_known ? 0 : ms;
}

static void freeze(struct load *load, const struct load_model *model,
                   const struct thermal_means *at, int64_t from_ms, int64_t ms)
{
    load->coldest_c = fmin(load->coldest_c, fmin(at->low, load->product.low));
    load->warmest_c = fmax(load->warmest_c, fmax(at->high, load->product.high));
    if (!(at->mid < model->freezing_c))
        return;
    if (load->frozen_ms == 0)
        load->frozen_at_ms = from_ms;
    load->frozen_ms += ms;
}

void load_stay(struct load *load, const struct load_model *model,
               const struct thermal_means *at, double deficit_kpa, int64_t ms)
{
    double hours = (double)ms / MS_PER_HOUR;
    age(load, model, at, hours, ms);
    chill(load, model, at, hours);
    freeze(load, model, at, load->last_ms, ms);
    if (!isnan(deficit_kpa)) {
        load->deficit_kpa_h += fmax(0, deficit_kpa) * hours;
        load->humid_ms += ms;
    }
    load->last_ms += ms;
}

/* The air within low..high for `ms`, from load->last_ms on. */
static void step(struct load *load, const struct load_model *model, double low,
                 double high, int64_t ms)
{
    assert(ms > 0 && low <= high);
    double hours = (double)ms / MS_PER_HOUR;
    double air = (low + high) / 2;
    struct thermal_means at =
        thermal_step_between(&load->product, &model->body, low, air, high, hours);
    double deficit = isnan(load->held_pct)
                         ? (double)NAN
                         : product_deficit_kpa(at.mid, air, load->held_pct);
    load_stay(load, model, &at, deficit, ms);
}

void load_hold(struct load *load, const struct load_model *model, int64_t now_ms)
{
    if (load->readings == 0)
        return;
    int64_t until = load->reading_ms + model->hold_ms;
    int64_t ms = (now_ms < until ? now_ms : until) - load->last_ms;
    if (ms <= 0)
        return;
    step(load, model, load->held_c, load->held_c, ms);
    load->graded_ms += ms;
}

/* From the end of the held reading to the next one. */
static void bridge(struct load *load, const struct load_model *model, double next_c,
                   int64_t next_ms)
{
    int64_t ms = next_ms - load->last_ms;
    if (ms <= 0)
        return;
    load->held_pct = (double)NAN; /* nothing is known of the air's vapour in a gap */
    step(load, model, fmin(load->held_c, next_c), fmax(load->held_c, next_c), ms);
    load->assumed_ms += ms;
}

/* Without a pulp probe goods may come in at anything from freezing to the hottest day. */
static void enter_unknown(struct load *load, const struct load_model *model, double air_c)
{
    double low = isnan(model->freezing_c) ? 0 : model->freezing_c;
    if (model->body.tau_h > 0)
        load->product =
            thermal_unknown(fmin(air_c, low), air_c, fmax(air_c, KINETICS_CAP_C));
    else
        load->product = thermal_known(air_c, 0);
}

static bool is_plausible(double celsius)
{
    return celsius >= LOAD_COLDEST_C && celsius <= LOAD_HOTTEST_C;
}

static void take_pulp(struct load *load, const struct load_model *model, double pulp_c)
{
    if (!is_plausible(pulp_c))
        return;
    if (!thermal_pulp(&load->product, pulp_c, model->pulp_error))
        load->contradicted++;
}

enum err load_reading(struct load *load, const struct load_model *model,
                      const struct load_reading *reading)
{
    bool has_air = is_plausible(reading->temperature_c);
    if (!has_air && !(load->readings > 0 && is_plausible(reading->pulp_c))) {
        load->rejected++;
        return ERR_INVALID;
    }
    if (load->readings > 0 && reading->time_ms <= load->reading_ms) {
        load->backwards++;
        return ERR_CONFLICT;
    }
    double next_c = has_air ? reading->temperature_c : load->held_c;
    if (load->readings == 0) {
        load->first_ms = load->last_ms = reading->time_ms;
        if (isnan(load->product.mid))
            enter_unknown(load, model, next_c);
    } else {
        load_hold(load, model, reading->time_ms);
        bridge(load, model, next_c, reading->time_ms);
    }
    load->readings++;
    load->reading_ms = reading->time_ms;
    load->held_c = next_c;
    bool has_pct = reading->humidity_pct >= 0 && reading->humidity_pct <= 100;
    load->held_pct = has_pct ? reading->humidity_pct : (double)NAN;
    take_pulp(load, model, reading->pulp_c);
    return ERR_OK;
}
