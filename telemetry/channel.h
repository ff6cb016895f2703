// SPDX-License-Identifier: Apache-2.0
/*
 * channel - one measured quantity of a device: "air_temperature" or "air_temperature-2".
 *
 * The part before the last '-' is a quantity of the registry (telemetry/quantity.h) or
 * an unregistered one, which is stored and listed all the same. Names of other makers'
 * SenML ("urn:dev:ow:10e2073a01080063:temp") are kept as they are: a name is that of RFC
 * 8428 section 4.5.1, [A-Za-z0-9][A-Za-z0-9_.:/-]*, of at most ID_MAX characters. Our own
 * channels use [a-z0-9_-] only. Pure; any thread.
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

/*
 * The probe is what follows the last '-', when anything does. INVALID when it is no name;
 * the channel is unchanged then.
 */
MUST_CHECK enum err channel_parse(struct channel *channel, const char *name);

#endif
