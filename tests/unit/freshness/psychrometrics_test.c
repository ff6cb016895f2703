// SPDX-License-Identifier: Apache-2.0
#include "freshness/psychrometrics.h"

#include <math.h>

#include "tests/support/check.h"

static bool near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        printf("\n  got %.7g, want %.7g +- %g", got, want, tolerance);
    return fabs(got - want) <= tolerance;
}

/* Magnus 6.112 / 17.62 / 243.12 over water, computed once elsewhere to 4 decimals. */
static void dew_point_saturation_and_deficit_agree_with_the_table(void)
{
    static const struct {
        const char *name;
        double air, humidity, dew, es_hpa, vpd_kpa;
    } rows[] = {
        {"0 C 90 %", 0, 90, -1.4451, 6.1120, 0.0611},
        {"4 C 90 %", 4, 90, 2.5071, 8.1292, 0.0813},
        {"5 C 95 %", 5, 95, 4.2650, 8.7174, 0.0436},
        {"13 C 85 %", 13, 85, 10.5353, 14.9483, 0.2242},
        {"20 C 60 %", 20, 60, 11.9955, 23.3260, 0.9330},
        {"25 C 60 %", 25, 60, 16.6931, 31.6006, 1.2640},
        {"30 C 80 %", 30, 80, 26.1688, 42.3372, 0.8467},
        {"40 C 50 %", 40, 50, 27.5981, 73.6746, 3.6837},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double es_hpa = magnus_pressure(&magnus_water, rows[i].air) * 10;
        CHECK_ROW(rows[i].name,
                  near(dew_point_c(rows[i].air, rows[i].humidity), rows[i].dew, 1e-4));
        CHECK_ROW(rows[i].name, near(es_hpa, rows[i].es_hpa, 1e-4));
        CHECK_ROW(rows[i].name, near(vapour_deficit_kpa(rows[i].air, rows[i].humidity),
                                     rows[i].vpd_kpa, 5.1e-5));
    }
}

/* Each published value with the constants of its own source. */
static void published_values_are_reproduced(void)
{
    double e12 = magnus_pressure(&magnus_bolton, 12),
           e25 = magnus_pressure(&magnus_bolton, 25);
    double ea18 = magnus_pressure(&magnus_fao56, 18) * 0.82;
    double ea25 = magnus_pressure(&magnus_fao56, 25) * 0.54;
    double es =
        (magnus_pressure(&magnus_fao56, 18) + magnus_pressure(&magnus_fao56, 25)) / 2;
    const struct {
        const char *name;
        double got, want, tolerance;
    } rows[] = {
        {"FAO-56 example 3, es(15)", magnus_pressure(&magnus_fao56, 15), 1.705, 5e-4},
        {"the same, more digits", magnus_pressure(&magnus_fao56, 15), 1.70535, 5e-6},
        {"FAO-56 example 3, es(24.5)", magnus_pressure(&magnus_fao56, 24.5), 3.075, 5e-4},
        {"the same, more digits", magnus_pressure(&magnus_fao56, 24.5), 3.07465, 5e-6},
        {"MetPy 1.4, RH at 25 C with dew point 12 C", 100 * e12 / e25, 44.2484765, 1e-6},
        {"FAO-56 examples 5 and 6, ea", (ea18 + ea25) / 2, 1.70, 5e-3},
        {"the same, more digits", (ea18 + ea25) / 2, 1.7015, 1e-4},
        {"FAO-56 example 6, es", es, 2.62, 5e-3},
        {"the same, more digits", es, 2.6159, 1e-4},
        {"FAO-56 example 6, deficit", es - (ea18 + ea25) / 2, 0.9143, 1e-4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name, near(rows[i].got, rows[i].want, rows[i].tolerance));
}

/* 10 C and 50 %: the formulas differ by 0.01 C, so 0.02 C is the promise. */
static void dew_point_is_within_0_02_of_every_published_formula(void)
{
    static const struct {
        const char *name;
        double want;
    } rows[] = {{"MetPy latest", 0.047900916},
                {"Magnus", 0.0409},
                {"Bolton", 0.0537},
                {"Alduchov and Eskridge", 0.0467}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name, near(dew_point_c(10, 50), rows[i].want, 0.02));
    double bolton =
        magnus_temperature(&magnus_bolton, magnus_pressure(&magnus_bolton, 10) / 2);
    double alduchov =
        magnus_temperature(&magnus_alduchov, magnus_pressure(&magnus_alduchov, 10) / 2);
    CHECK(near(bolton, 0.0537, 5e-5));
    CHECK(near(alduchov, 0.0467, 5e-5));
    CHECK(near(dew_point_c(10, 50), 0.0409, 5e-5));
}

/* Vaisala's set (hPa, log10): a max error of 0.083 % for -20..50 C; ours must be as near.
 */
static void saturation_is_near_an_independent_set(void)
{
    for (int t = -20; t <= 50; t += 5) {
        double vaisala = 0.6116441 * pow(10, 7.591386 * t / (t + 240.7263));
        CHECK(near(magnus_pressure(&magnus_water, t) / vaisala, 1, 0.004));
    }
}

static void over_ice_the_frost_point_is_above_the_dew_point(void)
{
    CHECK(
        near(magnus_pressure(&magnus_ice, 0), magnus_pressure(&magnus_water, 0), 1e-12));
    CHECK(magnus_pressure(&magnus_ice, -20) < magnus_pressure(&magnus_water, -20));
    CHECK(frost_point_c(-18, 50) > dew_point_c(-18, 50));
    /* Saturated over ice: frost forms at the air's own temperature. */
    double saturated =
        100 * magnus_pressure(&magnus_ice, -18) / magnus_pressure(&magnus_water, -18);
    CHECK(near(frost_point_c(-18, saturated), -18, 1e-9));
}

/* Navel orange at 20 C: loss ratio 4 between 45 and 95 % RH gives an offset near 0.27
 * kPa. */
static void the_water_loss_illustration_is_reproduced(void)
{
    double dry = vapour_deficit_kpa(20, 45), moist = vapour_deficit_kpa(20, 95);
    CHECK(near(dry, 1.283, 5e-4));
    CHECK(near(moist, 0.1166, 5e-5));
    CHECK(near(dry / moist, 11, 0.01));
    double offset = (dry - 4 * moist) / 3;
    CHECK(near(offset, 0.27, 5e-3));
    CHECK(near((dry + offset) / (moist + offset), 4, 1e-9));
}

static void the_product_drives_its_own_loss(void)
{
    CHECK(near(product_deficit_kpa(5, 5, 90), vapour_deficit_kpa(5, 90), 1e-12));
    CHECK(product_deficit_kpa(20, 2, 95) > 1); /* warm fruit in a cold room dries */
    CHECK(product_deficit_kpa(1, 20, 80) < 0); /* cold fruit in warm air sweats */
}

static void what_cannot_be_is_unknown(void)
{
    const double nan = (double)NAN, inf = (double)INFINITY;
    CHECK(isnan(dew_point_c(nan, 50)) && isnan(dew_point_c(5, nan)));
    CHECK(isnan(dew_point_c(1000, 50)) && isnan(dew_point_c(-300, 50)));
    CHECK(isnan(dew_point_c(5, 0)) && isnan(dew_point_c(5, 101)) &&
          isnan(dew_point_c(5, -1)));
    CHECK(isnan(vapour_deficit_kpa(inf, 50)) && isnan(product_deficit_kpa(nan, 5, 50)));
    CHECK(near(dew_point_c(5, 100), 5, 1e-9));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"dew point, saturation and deficit agree with the table",
         dew_point_saturation_and_deficit_agree_with_the_table},
        {"published values are reproduced", published_values_are_reproduced},
        {"the dew point is within 0.02 C of every published formula",
         dew_point_is_within_0_02_of_every_published_formula},
        {"saturation is near an independent set", saturation_is_near_an_independent_set},
        {"over ice the frost point is above the dew point",
         over_ice_the_frost_point_is_above_the_dew_point},
        {"the water loss illustration is reproduced",
         the_water_loss_illustration_is_reproduced},
        {"the product drives its own loss", the_product_drives_its_own_loss},
        {"what cannot be is unknown", what_cannot_be_is_unknown},
        CU_TEST_INFO_NULL,
    };
    return check_run("psychrometrics", tests);
}
