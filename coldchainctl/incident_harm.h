// SPDX-License-Identifier: Apache-2.0
/* incident_harm - what an incident means for the goods, as facts of `incidents show`. */
#ifndef COLDCHAIN_COLDCHAINCTL_INCIDENT_HARM_H
#define COLDCHAIN_COLDCHAINCTL_INCIDENT_HARM_H

#include <jansson.h>

/* Nothing when the collector says nothing of it. */
void incident_harm(const json_t *incident, int columns);

#endif
