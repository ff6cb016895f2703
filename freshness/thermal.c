// SPDX-License-Identifier: Apache-2.0
#include "freshness/thermal.h"

#include <assert.h>
#include <math.h>

struct thermal thermal_known(double celsius, double error)
{
    assert(error >= 0);
    return (struct thermal){
        .low = celsius - error, .mid = celsius, .high = celsius + error};
}

struct thermal thermal_unknown(double low, double mid, double high)
{
    assert(low <= high);
    return (struct thermal){.low = low, .mid = fmin(fmax(mid, low), high), .high = high};
}

/*
 * One body for one step. With x = dt / tau the mean is air + (T - air) (1 - e^-x) / x.
 * expm1 keeps the digits of short steps.
 */
static double relax(double *celsius, double air, double hours, double tau_h)
{
    if (!(tau_h > 0)) {
        *celsius = air;
        return air;
    }
    double x = hours / tau_h;
    double share = -expm1(-x); /* of the way to the air */
    double distance = *celsius - air;
    *celsius -= distance * share;
    return x > 0 ? air + distance * share / x : *celsius;
}

struct thermal_means thermal_step_between(struct thermal *state,
                                          const struct thermal_body *body, double low,
                                          double mid, double high, double hours)
{
    assert(hours >= 0 && low <= mid && mid <= high);
    assert(body->fastest_h <= body->tau_h && body->tau_h <= body->slowest_h);
    /* The high edge goes up with the fastest body and down with the slowest. */
    double high_tau = high > state->high ? body->fastest_h : body->slowest_h;
    double low_tau = low < state->low ? body->fastest_h : body->slowest_h;
    struct thermal_means means;
    means.low = relax(&state->low, low, hours, low_tau);
    means.mid = relax(&state->mid, mid, hours, body->tau_h);
    means.high = relax(&state->high, high, hours, high_tau);
    return means;
}

struct thermal_means thermal_step(struct thermal *state, const struct thermal_body *body,
                                  double air, double hours)
{
    return thermal_step_between(state, body, air, air, air, hours);
}

/* T(t) = air + (T - air) e^(-t / tau), solved for t; the air is beyond the limit. */
static double reach_h(double celsius, double air, double limit, bool is_above,
                      double tau_h)
{
    bool is_there = is_above ? celsius >= limit : celsius <= limit;
    if (is_there || !(tau_h > 0))
        return 0;
    return tau_h * log1p((limit - celsius) / (air - limit));
}

bool thermal_reach(const struct thermal *state, const struct thermal_body *body,
                   double air, double limit, bool is_above, struct thermal *hours)
{
    bool is_there = is_above ? state->mid >= limit : state->mid <= limit;
    bool is_beyond = is_above ? air > limit : air < limit;
    *hours = (struct thermal){0};
    if (is_there)
        return true;
    if (!is_beyond)
        return false;
    double nearest = is_above ? state->high : state->low;
    double farthest = is_above ? state->low : state->high;
    hours->low = reach_h(nearest, air, limit, is_above, body->fastest_h);
    hours->mid = reach_h(state->mid, air, limit, is_above, body->tau_h);
    hours->high = reach_h(farthest, air, limit, is_above, body->slowest_h);
    return true;
}

bool thermal_pulp(struct thermal *state, double celsius, double error)
{
    bool agrees = celsius + error >= state->low && celsius - error <= state->high;
    *state = thermal_known(celsius, error);
    return agrees;
}

double thermal_half_h(double tau_h)
{
    return tau_h * log(2);
}

double thermal_seven_eighths_h(double tau_h)
{
    return tau_h * log(8);
}
