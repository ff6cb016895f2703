// SPDX-License-Identifier: Apache-2.0
/*
 * diagnose - what an installer knows of a probe that its driver cannot know.
 *
 * Limits of what the instrument can show, where a broken or a shorted wire ends up, and
 * how fast the value can change. Of the raw value, before calibration. Pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_DIAGNOSE_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_DIAGNOSE_H

#include "edge-agent/sensors/sensor.h"

/* Of one channel. Zeroed: nothing good was seen yet. */
struct diagnose {
    bool has_last;
    double last;
    int64_t last_ms;
};

/* INVALID with a sentence when a limit is no number or they contradict each other. */
MUST_CHECK enum err diagnose_check(const struct sensor_channel *channel,
                                   struct err_text *why);

/*
 * The quality of a GOOD value. A jump is FAULT until the time passed since the last good
 * value allows it, so that a new level is believed in the end.
 */
enum quality diagnose_value(struct diagnose *diagnose,
                            const struct sensor_channel *channel, int64_t time_ms,
                            double value);

#endif
