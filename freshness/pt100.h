// SPDX-License-Identifier: Apache-2.0
/*
 * pt100 - platinum resistance thermometers after IEC 60751 (ITS-90).
 *
 *   R = R0 (1 + A t + B t^2 + C (t - 100) t^3), the last term below 0 C only
 *
 * A = 3.9083e-3, B = -5.775e-7, C = -4.183e-12. Pure; any thread.
 */
#ifndef COLDCHAIN_FRESHNESS_PT100_H
#define COLDCHAIN_FRESHNESS_PT100_H

/* r0 is the resistance at 0 C: 100 for a Pt100, 1000 for a Pt1000. */
double pt100_ohm(double r0, double celsius);

/* The inverse within -200..850 C, to 1e-6 C; NaN outside: a broken or shorted wire. */
double pt100_celsius(double r0, double ohm);

#endif
