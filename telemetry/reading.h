// SPDX-License-Identifier: Apache-2.0
/*
 * reading - one measured value: channel, event time, value, quality.
 *
 * Units are those of the registry (telemetry/quantity.h): degree Celsius, %RH, %, V;
 * time in milliseconds since the Unix epoch, UTC. Plain data; pure.
 */
#ifndef COLDCHAIN_TELEMETRY_READING_H
#define COLDCHAIN_TELEMETRY_READING_H

#include <stdbool.h>
#include <stdint.h>

/* Identifiers on the wire are [A-Za-z0-9_-]{1,64}. */
#define ID_MAX  64
#define ID_SIZE (ID_MAX + 1)

/* True for [A-Za-z0-9_-]{1,64}. */
bool id_is_valid(const char *text);

/* Why a value is not to be trusted. GOOD is 0; the names travel on the wire. */
#define QUALITY_LIST(X) \
    X(GOOD, "good") \
    X(OPEN, "open")         /* probe broken or unplugged */ \
    X(SHORT, "short")       /* probe shorted */ \
    X(RANGE, "range")       /* outside what the sensor can measure */ \
    X(TIMEOUT, "timeout")   /* sensor did not answer */ \
    X(CHECKSUM, "checksum") /* answer damaged on the bus */ \
    X(STARTUP, "startup")   /* power-on value, not a measurement */ \
    X(FAULT, "fault")       /* any other failure of the sensor */

enum quality {
#define X(name, text) QUALITY_##name,
    QUALITY_LIST(X)
#undef X
};

const char *quality_name(enum quality quality);
/* False, and *quality unchanged, for a name that is not in the list. */
bool quality_parse(enum quality *quality, const char *name);

struct reading {
    int64_t time_ms;
    double value;     /* NaN when quality is not GOOD */
    double raw;       /* before calibration; NaN when there is none */
    uint16_t channel; /* index into the pack's channels */
    uint8_t quality;  /* enum quality */
};

#endif
