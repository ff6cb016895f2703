// SPDX-License-Identifier: Apache-2.0
/*
 * kinetics - how much faster produce ages at one temperature than at another.
 *
 * A rate is relative: 1 at the reference temperature, the one of the published life.
 *
 *   Arrhenius    ln r = Ea/R (1/Tref - 1/T), R = 8.314 J/(mol K)   (Tijskens and
 *                Polderdijk 1996 for keeping quality: life = life_ref / r)
 *   q10          ln r = integral from Tref to T of ln Q10(s) / 10, Q10 by steps of 10 C:
 *                USDA Handbook 66 (Saltveit), as in Morris and Brady 2005,
 * Tables 20.3/20.4 square root  r = ((T - Tmin) / (Tref - Tmin))^2 (Ratkowsky; DTU SSSP)
 *   exponential  ln r = a (T - Tref)                              (Dalgaard; DTU FSSP)
 *
 * Effects of different temperatures add up (Charm 1972; McMeekin 1988). Rates do not grow
 * beyond 40 C, where nothing is published. Besides the best rate there are a slow and a
 * fast one, from the published spread of Q10 or the standard error of Ea. Pure.
 */
#ifndef COLDCHAIN_FRESHNESS_KINETICS_H
#define COLDCHAIN_FRESHNESS_KINETICS_H

#include <stdbool.h>

#include "freshness/profile.h"

#define KELVIN_OFFSET  273.15
#define GAS_CONSTANT   8.314 /* J/(mol K), as in the sources */
#define KINETICS_CAP_C 40.0
/* Bands begin at -1 C and measurements at 0 C; that much further is not called a guess.
 */
#define KINETICS_MARGIN_C 1.0
#define KINETICS_Q10_LEN  4

/* Slow, best, fast. */
struct rates {
    double slow;
    double mid;
    double fast;
};

struct kinetics {
    enum profile_kinetics model;
    double ref_c;
    double a[3]; /* by model: Ea/R of low, mid, high; slope; Tmin */
    double knots[3][KINETICS_Q10_LEN +
                    1]; /* ln r at 0, 10, ... 40 C for the three Q10 sets */
    double valid_min_c; /* NaN when the source states none */
    double valid_max_c;
    double
        accuracy; /* the life is good to this factor either way; 1 when not published */
};

/*
 * The kinetics of a profile, with its rates 1 at ref_c. False when it has none, or lacks
 * a number that they need.
 */
bool kinetics_init(struct kinetics *kinetics, const struct profile *profile,
                   double ref_c);

/* The best rate at a temperature; 0 at and below the Tmin of the square root model. */
double kinetics_rate(const struct kinetics *kinetics, double celsius);

/* The best at mid, the slow one at low, the fast one at high; slow <= mid <= fast. */
struct rates kinetics_rates(const struct kinetics *kinetics, double low, double mid,
                            double high);

/* Within the temperatures that the numbers were measured at. */
bool kinetics_is_valid(const struct kinetics *kinetics, double celsius);

/*
 * Least squares of ln(middle of low..high) on 1/T: the activation energy in kJ/mol and
 * its standard error (NaN with fewer than three points). False with fewer than two.
 */
bool kinetics_fit(const struct profile_respiration *table, double *ea_kj_mol,
                  double *error);

#endif
