// SPDX-License-Identifier: Apache-2.0
/*
 * incident_measure - what a rule measured, with its unit, as people read it. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_INCIDENT_MEASURE_H
#define COLDCHAIN_COLDCHAINCTL_INCIDENT_MEASURE_H

#include <jansson.h>

#include "coldchainctl/show.h"

/*
 * "39.83 min", "8.4 °C", "7": a member of the API's incident by the unit of its kind and
 * quantity, rounded to four digits; "-" when there is none.
 */
const char *incident_measure(char text[SHOW_SIZE], const json_t *incident,
                             const char *key);

/* "air temperature", in the language of whoever reads; as it is when not registered. */
const char *incident_quantity(const json_t *incident);

#endif
