// SPDX-License-Identifier: Apache-2.0
#include "freshness/psychrometrics.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

const struct magnus magnus_water = {.a_kpa = 0.6112, .b = 17.62, .c = 243.12};
const struct magnus magnus_ice = {.a_kpa = 0.6112, .b = 22.46, .c = 272.62};
const struct magnus magnus_fao56 = {.a_kpa = 0.6108, .b = 17.27, .c = 237.3};
const struct magnus magnus_bolton = {.a_kpa = 0.6112, .b = 17.67, .c = 243.5};
const struct magnus magnus_alduchov = {.a_kpa = 0.61094, .b = 17.625, .c = 243.04};

static bool is_air(double celsius, double humidity_pct)
{
    return celsius >= -80 && celsius <= 100 && humidity_pct >= 0 && humidity_pct <= 100;
}

double magnus_pressure(const struct magnus *set, double celsius)
{
    assert(set->c > 80);
    if (!is_air(celsius, 0))
        return (double)NAN;
    return set->a_kpa * exp(set->b * celsius / (set->c + celsius));
}

/* ln(p / a) = g = b t / (c + t), solved for t. */
double magnus_temperature(const struct magnus *set, double kpa)
{
    if (!(kpa > 0))
        return (double)NAN;
    double g = log(kpa / set->a_kpa);
    return g < set->b ? set->c * g / (set->b - g) : (double)NAN;
}

double air_vapour_kpa(double air_c, double humidity_pct)
{
    if (!is_air(air_c, humidity_pct))
        return (double)NAN;
    return magnus_pressure(&magnus_water, air_c) * humidity_pct / 100;
}

double dew_point_c(double air_c, double humidity_pct)
{
    return magnus_temperature(&magnus_water, air_vapour_kpa(air_c, humidity_pct));
}

double frost_point_c(double air_c, double humidity_pct)
{
    return magnus_temperature(&magnus_ice, air_vapour_kpa(air_c, humidity_pct));
}

double vapour_deficit_kpa(double air_c, double humidity_pct)
{
    if (!is_air(air_c, humidity_pct))
        return (double)NAN;
    return magnus_pressure(&magnus_water, air_c) * (1 - humidity_pct / 100);
}

double product_deficit_kpa(double product_c, double air_c, double humidity_pct)
{
    return magnus_pressure(&magnus_water, product_c) -
           air_vapour_kpa(air_c, humidity_pct);
}
