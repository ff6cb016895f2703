// SPDX-License-Identifier: Apache-2.0
#include "freshness/kinetics.h"

#include <assert.h>
#include <math.h>

enum { LOW, MID, HIGH };

/* Q10 by steps of 10 C from 0: the low and high ends, and what Table 20.4 assumes. */
static const double q10_steps[3][KINETICS_Q10_LEN] = {
    [LOW] = {2.5, 2.0, 1.5, 1.0},
    [MID] = {3.0, 2.5, 2.0, 1.5},
    [HIGH] = {4.0, 2.5, 2.0, 1.5},
};

static void init_q10(struct kinetics *kinetics)
{
    for (int set = LOW; set <= HIGH; set++) {
        kinetics->knots[set][0] = 0;
        for (int i = 0; i < KINETICS_Q10_LEN; i++)
            kinetics->knots[set][i + 1] =
                kinetics->knots[set][i] + log(q10_steps[set][i]);
    }
}

/* ln r against 0 C; the first step goes on below 0 C. */
static double q10_ln(const double knots[KINETICS_Q10_LEN + 1], double celsius)
{
    int step = (int)floor(celsius / 10);
    step = step < 0 ? 0 : step > KINETICS_Q10_LEN - 1 ? KINETICS_Q10_LEN - 1 : step;
    return knots[step] + (knots[step + 1] - knots[step]) * (celsius / 10 - step);
}

static double ln_rate(const struct kinetics *kinetics, int set, double celsius)
{
    double t = fmin(celsius, KINETICS_CAP_C);
    double ref = kinetics->ref_c;
    switch (kinetics->model) {
    case PROFILE_KINETICS_NONE:
        break;
    case PROFILE_KINETICS_Q10:
        return q10_ln(kinetics->knots[set], t) - q10_ln(kinetics->knots[set], ref);
    case PROFILE_KINETICS_ARRHENIUS:
        return kinetics->a[set] * (1 / (ref + KELVIN_OFFSET) - 1 / (t + KELVIN_OFFSET));
    case PROFILE_KINETICS_SQRT:
        if (t <= kinetics->a[set])
            return -(double)INFINITY;
        return 2 * log((t - kinetics->a[set]) / (ref - kinetics->a[set]));
    case PROFILE_KINETICS_EXPONENTIAL:
        return kinetics->a[set] * (t - ref);
    }
    assert(false && "kinetics without a model");
    return (double)NAN;
}

static void fill(double a[3], double low, double mid, double high)
{
    a[LOW] = isnan(low) ? mid : low;
    a[MID] = mid;
    a[HIGH] = isnan(high) ? mid : high;
}

/* The numbers of the model into a[]; false when one is missing. */
static bool init_model(struct kinetics *kinetics, const struct profile *profile)
{
    double scale = 1000 / GAS_CONSTANT;
    double tmin = profile_value(profile, PROFILE_KINETICS_TMIN);
    double slope = profile_value(profile, PROFILE_KINETICS_SLOPE);
    switch (profile->kinetics) {
    case PROFILE_KINETICS_NONE:
        return false;
    case PROFILE_KINETICS_Q10:
        init_q10(kinetics);
        kinetics->valid_min_c = 0;
        kinetics->valid_max_c = KINETICS_CAP_C;
        return true;
    case PROFILE_KINETICS_ARRHENIUS:
        fill(kinetics->a, profile_value(profile, PROFILE_KINETICS_EA_MIN) * scale,
             profile_value(profile, PROFILE_KINETICS_EA) * scale,
             profile_value(profile, PROFILE_KINETICS_EA_MAX) * scale);
        return !isnan(kinetics->a[MID]);
    case PROFILE_KINETICS_SQRT:
        fill(kinetics->a, tmin, tmin, tmin);
        return kinetics->ref_c > tmin;
    case PROFILE_KINETICS_EXPONENTIAL:
        fill(kinetics->a, slope, slope, slope);
        return !isnan(slope);
    }
    assert(false && "unknown model");
    return false;
}

bool kinetics_init(struct kinetics *kinetics, const struct profile *profile, double ref_c)
{
    *kinetics = (struct kinetics){
        .model = profile->kinetics,
        .ref_c = ref_c,
        .valid_min_c = profile_value(profile, PROFILE_KINETICS_VALID_MIN),
        .valid_max_c = profile_value(profile, PROFILE_KINETICS_VALID_MAX),
        .accuracy = profile_knows(profile, PROFILE_KINETICS_ACCURACY)
                        ? profile_value(profile, PROFILE_KINETICS_ACCURACY)
                        : 1,
    };
    return !isnan(ref_c) && init_model(kinetics, profile);
}

double kinetics_rate(const struct kinetics *kinetics, double celsius)
{
    return exp(ln_rate(kinetics, MID, celsius));
}

/*
 * A steep curve is the faster one above the reference and the slower one below it, so the
 * edges are the smaller and the larger of the two.
 */
struct rates kinetics_rates(const struct kinetics *kinetics, double low, double mid,
                            double high)
{
    assert(low <= mid && mid <= high);
    double slow = fmin(ln_rate(kinetics, LOW, low), ln_rate(kinetics, HIGH, low));
    double fast = fmax(ln_rate(kinetics, LOW, high), ln_rate(kinetics, HIGH, high));
    double best = ln_rate(kinetics, MID, mid);
    return (struct rates){
        .slow = exp(fmin(slow, best)), .mid = exp(best), .fast = exp(fmax(fast, best))};
}

bool kinetics_is_valid(const struct kinetics *kinetics, double celsius)
{
    return !(celsius < kinetics->valid_min_c - KINETICS_MARGIN_C) &&
           !(celsius > kinetics->valid_max_c + KINETICS_MARGIN_C) &&
           celsius <= KINETICS_CAP_C;
}

bool kinetics_fit(const struct profile_respiration *table, double *ea_kj_mol,
                  double *error)
{
    double n = (double)table->count, mean_x = 0, mean_y = 0, sxx = 0, sxy = 0, sse = 0;
    for (size_t i = 0; i < table->count; i++) {
        mean_x += 1 / (table->rates[i].at_c + KELVIN_OFFSET) / n;
        mean_y += log((table->rates[i].low + table->rates[i].high) / 2) / n;
    }
    for (size_t i = 0; i < table->count; i++) {
        double x = 1 / (table->rates[i].at_c + KELVIN_OFFSET) - mean_x;
        double y = log((table->rates[i].low + table->rates[i].high) / 2) - mean_y;
        sxx += x * x;
        sxy += x * y;
    }
    if (table->count < 2 || !(sxx > 0))
        return false;
    double slope = sxy / sxx;
    for (size_t i = 0; i < table->count; i++) {
        double x = 1 / (table->rates[i].at_c + KELVIN_OFFSET) - mean_x;
        double y = log((table->rates[i].low + table->rates[i].high) / 2) - mean_y;
        sse += (y - slope * x) * (y - slope * x);
    }
    *ea_kj_mol = -slope * GAS_CONSTANT / 1000;
    *error =
        table->count > 2 ? sqrt(sse / (n - 2) / sxx) * GAS_CONSTANT / 1000 : (double)NAN;
    return true;
}
