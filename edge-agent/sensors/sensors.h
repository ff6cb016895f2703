// SPDX-License-Identifier: Apache-2.0
/*
 * sensors - the drivers there are, and one open sensor behind any of them.
 *
 * Applies each channel's calibration and keeps the raw value. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_SENSORS_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_SENSORS_H

#include "edge-agent/sensors/sensor.h"

/* NULL when there is none of that name. */
const struct sensor_ops *sensor_find(const char *driver);
/* NULL past the last: for lists. */
const struct sensor_ops *sensor_at(size_t index);

struct sensor;

/* The settings outlive the sensor. */
MUST_CHECK enum err sensor_open(struct sensor **sensor,
                                const struct sensor_settings *settings, int64_t origin_ms,
                                struct err_text *why);
/* Accepts NULL. */
void sensor_close(struct sensor *sensor);

/* INVALID when the driver cannot go on from there. */
MUST_CHECK enum err sensor_resume(struct sensor *sensor, uint64_t cursor);
/* True when sensor_read() moves a cursor that is worth keeping. */
bool sensor_is_resumable(const struct sensor *sensor);

/*
 * Replaces the contents of `samples`. ERR_NOT_FOUND: the sensor has ended, for good. Any
 * other failure of a driver has become samples of bad quality.
 */
MUST_CHECK enum err sensor_read(struct sensor *sensor, int64_t now_ms,
                                struct samples *samples);
/* What becomes of a driver's failure: each channel reads bad, with the reason. */
enum err sensor_failed(const struct sensor_settings *settings, enum err err,
                       int64_t now_ms, struct samples *samples);
bool sensor_has_ended(const struct sensor *sensor);
const struct sensor_settings *sensor_settings_of(const struct sensor *sensor);

/* value = raw * gain + offset; a bad sample stays NaN. */
double sensor_calibrate(const struct sensor_channel *channel, double raw);
bool sensor_is_calibrated(const struct sensor_channel *channel);

#endif
