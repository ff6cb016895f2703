// SPDX-License-Identifier: Apache-2.0
/*
 * hardware - a sensor of the tests, read until it has something to say.
 */
#ifndef COLDCHAIN_TESTS_UNIT_HARDWARE_H
#define COLDCHAIN_TESTS_UNIT_HARDWARE_H

#include "base/clock.h"
#include "edge-agent/sensors/sensors.h"
#include "tests/support/check.h"
#include "tests/support/tree.h"

#define WALL_MS     INT64_C(1793548800000)
#define PATIENCE_MS 20000

/* Reads until samples come; false, with a line, when none do in good time. */
static inline bool hardware_read(struct sensor *sensor, struct samples *samples)
{
    int64_t end_ms = clock_real_ms() + PATIENCE_MS;
    while (clock_real_ms() < end_ms) {
        if (sensor_read(sensor, WALL_MS, samples) != ERR_OK)
            return false;
        if (samples->count > 0)
            return true;
    }
    printf("\n  no samples\n");
    return false;
}

/* Reads until the first channel is of that quality. */
static inline bool hardware_until(struct sensor *sensor, struct samples *samples,
                                  enum quality quality)
{
    int64_t end_ms = clock_real_ms() + PATIENCE_MS;
    while (hardware_read(sensor, samples) && clock_real_ms() < end_ms)
        if (samples->list[0].quality == quality)
            return true;
    return false;
}

#endif
