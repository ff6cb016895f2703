// SPDX-License-Identifier: Apache-2.0
/*
 * sysfs_probe - one measured value of Linux hwmon or IIO, found by name.
 *
 * hwmonN and iio:deviceN are numbered in the order of start, so a probe is written
 * "hwmon/CHIP/INPUT" or "iio/CHIP/CHANNEL". CHIP is what the chip's file `name` says (or,
 * for IIO, `label` or of_node/name), and CHIP@DEVICE where there are several of a kind:
 * "sht3x@1-0044", the last part of where it is wired. INPUT is temp1 or humidity1, or the
 * text of its label; CHANNEL is temp or humidityrelative, as in in_temp_raw. Each reading
 * finds its file anew: a device that comes back is found, whatever number it has then.
 *
 * Reads files and may block; sysfs_parse() is pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_SYSFS_PROBE_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_SYSFS_PROBE_H

#include "edge-agent/sensors/sensor.h"

#define SYSFS_NAME_SIZE 64

struct sysfs_probe {
    bool is_iio;
    char chip[SYSFS_NAME_SIZE];
    char device[SYSFS_NAME_SIZE]; /* "" when any will do */
    char input[SYSFS_NAME_SIZE];
};

struct sysfs_answer {
    enum quality quality;
    double value;     /* in `unit` */
    const char *unit; /* of SenML; NULL when the probe was not found */
    struct err_text reason;
};

MUST_CHECK enum err sysfs_parse(struct sysfs_probe *probe, const char *text,
                                struct err_text *why);

/*
 * The unit of SenML in which "temp1" or "in_temp" is given, NULL for what no driver
 * reads; *divide makes it of the kernel's number.
 */
const char *sysfs_unit(bool is_iio, const char *input, double *divide);

void sysfs_read(const struct sysfs_probe *probe, const char *root, int64_t end_ms,
                struct sysfs_answer *answer);

/* Everything of both kinds below `root`, with its present value. */
void sysfs_list(const char *root, void *context, sensor_found_fn *found);

#endif
