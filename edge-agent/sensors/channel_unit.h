// SPDX-License-Identifier: Apache-2.0
/*
 * channel_unit - from the unit that a driver measures in to that of a channel. Pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_CHANNEL_UNIT_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_CHANNEL_UNIT_H

#include "base/err.h"

/*
 * Changes *value from the SenML unit `unit` to the one the channel's quantity has, or to
 * the primary unit when it is not registered; "" is taken for the channel's own.
 * INVALID when they measure different things.
 */
MUST_CHECK enum err channel_unit(double *value, const char *unit, const char *channel,
                                 struct err_text *why);

#endif
