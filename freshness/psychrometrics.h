// SPDX-License-Identifier: Apache-2.0
/*
 * psychrometrics - saturation, dew and frost point, vapour pressure deficit.
 *
 * All forms are Magnus equations, es = a exp(b t / (c + t)); the published sets differ by
 * about 0.01 C in the dew point. Temperatures in degrees Celsius, pressures in kPa,
 * relative humidity in percent over WATER, as sensors state it, also below 0 C. Results
 * are NaN for arguments outside -80..100 C or 0..100 % (0 excluded for the dew point).
 * Capacitive sensors read 1-3 % too high above 90 %. Pure; any thread.
 */
#ifndef COLDCHAIN_FRESHNESS_PSYCHROMETRICS_H
#define COLDCHAIN_FRESHNESS_PSYCHROMETRICS_H

struct magnus {
    double a_kpa;
    double b;
    double c;
};

/* Sonntag 1990 as in WMO-No. 8 annex 4.B (Vaisala AWS330 manual, appendix B); ours. */
extern const struct magnus magnus_water;
/* Over ice, the same annex; for dew points below 0 C and for frozen rooms. */
extern const struct magnus magnus_ice;
/* FAO Irrigation and Drainage Paper 56, equation 11. */
extern const struct magnus magnus_fao56;
/* Bolton 1980, as in MetPy 1.4. */
extern const struct magnus magnus_bolton;
/* Alduchov and Eskridge 1996. */
extern const struct magnus magnus_alduchov;

double magnus_pressure(const struct magnus *set, double celsius);
/* The inverse: the temperature at which this pressure saturates. */
double magnus_temperature(const struct magnus *set, double kpa);

/* Partial pressure of the vapour in air. */
double air_vapour_kpa(double air_c, double humidity_pct);

/* Where dew forms. */
double dew_point_c(double air_c, double humidity_pct);

/* Where frost forms: meaningful below 0 C, where it lies above the dew point. */
double frost_point_c(double air_c, double humidity_pct);

/* es(t) (1 - RH / 100): what the air could still take up. */
double vapour_deficit_kpa(double air_c, double humidity_pct);

/*
 * es(product) - RH / 100 es(air): what drives water out of the product (Becker and Fricke
 * 1996). Negative when water condenses on it. Over ice where the product is below 0 C
 * would be lower still; produce does not freeze, so water it is.
 */
double product_deficit_kpa(double product_c, double air_c, double humidity_pct);

#endif
