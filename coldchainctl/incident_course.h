// SPDX-License-Identifier: Apache-2.0
/*
 * incident_course - what was measured around an incident, drawn on a terminal.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_INCIDENT_COURSE_H
#define COLDCHAIN_COLDCHAINCTL_INCIDENT_COURSE_H

#include <jansson.h>

#include "coldchainctl/client.h"

/*
 * Asks for the course of the channel of an incident, as the API shows it, from some time
 * before it until some time after, and prints it with its limit. Prints nothing where
 * stdout is no terminal, nothing was measured, or it may not be seen: it is an extra.
 */
void incident_course(struct client *client, const json_t *incident);

#endif
