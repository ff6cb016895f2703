// SPDX-License-Identifier: Apache-2.0
/* air_envelope - what undisturbed air did; a part of air. */
#ifndef COLDCHAIN_ALERTS_AIR_ENVELOPE_H
#define COLDCHAIN_ALERTS_AIR_ENVELOPE_H

#include "alerts/air.h"

#define AIR_PER_K 100.0 /* struct air_slot counts hundredths */

/* `gap_min` of undisturbed air, the reading at its end smoothed in the state. */
void air_learn(struct air_state *state, double gap_min, double rate);
/* What was learned in the last minutes led to something, and is forgotten. */
void air_unlearn(struct air_state *state);
/* Beyond the envelope, and still no excursion. */
double air_margin(const struct air_slot *envelope);

#endif
