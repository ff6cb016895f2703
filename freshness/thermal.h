// SPDX-License-Identifier: Apache-2.0
/*
 * thermal - the temperature inside the goods, from the temperature of the air.
 *
 * First-order lag, exact for any spacing of readings:
 *
 *   T += (air - T) (1 - exp(-dt / tau))
 *
 * with tau = 1 / C, C the cooling coefficient of ln Y = -C t; half-cooling time ln 2 / C,
 * seven-eighths time ln 8 / C (Dincer). The estimate carries a band: entry temperature
 * unknown within low..high, and tau anywhere within fastest..slowest. The band moves so
 * that every such body stays inside it (the worst tau for each edge). A pulp probe resets
 * the estimate. Pure; one thread per struct.
 */
#ifndef COLDCHAIN_FRESHNESS_THERMAL_H
#define COLDCHAIN_FRESHNESS_THERMAL_H

#include <stdbool.h>

/* Hours. All 0: the air is the product. */
struct thermal_body {
    double tau_h;
    double fastest_h; /* <= tau_h */
    double slowest_h; /* >= tau_h */
};

/* Packed goods in a room, from forced air to a dense stack: the profiles' own source,
 * where nothing more is known of them. */
#define THERMAL_PACKED_H       10.0
#define THERMAL_PACKED_LEAST_H 2.5
#define THERMAL_PACKED_MOST_H  10.0

struct thermal {
    double low;
    double mid;
    double high;
};

/* Mean temperatures over a step, the edges of the band included. */
struct thermal_means {
    double low;
    double mid;
    double high;
};

/* Entry pulp temperature known within +-error. */
struct thermal thermal_known(double celsius, double error);

/* Entry unknown: anything within low..high, best guess mid. */
struct thermal thermal_unknown(double low, double mid, double high);

/* Air constant at `air` for `hours`; returns the means over that time. */
struct thermal_means thermal_step(struct thermal *state, const struct thermal_body *body,
                                  double air, double hours);

/*
 * The same where the air is only known to lie within low..high, as in a gap in the data:
 * each edge moves towards its own end.
 */
struct thermal_means thermal_step_between(struct thermal *state,
                                          const struct thermal_body *body, double low,
                                          double mid, double high, double hours);

/*
 * Hours until the goods are at `limit`, from the side on which they may be (below it when
 * `is_above`), if the air stays at `air`. `hours->low` is the soonest of all bodies that
 * the band and the taus allow, `high` the latest; 0: there already. False: at that air
 * they never get there.
 */
bool thermal_reach(const struct thermal *state, const struct thermal_body *body,
                   double air, double limit, bool is_above, struct thermal *hours);

/*
 * A probe in the pulp reads `celsius` within +-error. Returns false when that contradicts
 * the band by more than the error: wrong tau, wrong place, or wrong probe.
 */
bool thermal_pulp(struct thermal *state, double celsius, double error);

/* The time to half and to seven eighths of the way, for tau: tau ln 2 and tau ln 8. */
double thermal_half_h(double tau_h);
double thermal_seven_eighths_h(double tau_h);

#endif
