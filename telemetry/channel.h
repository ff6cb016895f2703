// SPDX-License-Identifier: Apache-2.0
/*
 * channel - one measured quantity of a device: "air_temperature" or "air_temperature-2".
 *
 * The part before the last '-' is a quantity of the registry (telemetry/quantity.h) or
 * an unregistered one, which is stored and listed all the same. Pure.
 */
#ifndef COLDCHAIN_TELEMETRY_CHANNEL_H
#define COLDCHAIN_TELEMETRY_CHANNEL_H

#include <stdint.h>

#include "base/err.h"
#include "telemetry/reading.h"

struct channel {
    char name[ID_SIZE];     /* as on the wire */
    char quantity[ID_SIZE]; /* without the probe */
    char probe[ID_SIZE];    /* "" when there is one probe only */
    int16_t registered;     /* index into the registry, -1 when unregistered */
};

/* The probe is what follows the last '-', when something precedes it. */
MUST_CHECK enum err channel_parse(struct channel *channel, const char *name);

#endif
