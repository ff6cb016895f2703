// SPDX-License-Identifier: Apache-2.0
/*
 * sensor_null - a sensor that always reads 0: the template for the next driver.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "edge-agent/sensors/sensor.h"

struct null_sensor {
    size_t channel_count;
};

static enum err null_open(void **state, const struct sensor_settings *settings,
                          int64_t origin_ms, struct err_text *why)
{
    (void)origin_ms;
    (void)why; /* a real driver says here what to mend */
    struct null_sensor *sensor = mem_alloc(sizeof *sensor);
    sensor->channel_count = settings->channel_count;
    *state = sensor;
    return ERR_OK;
}

static enum err null_read(void *state, int64_t now_ms, struct samples *samples)
{
    const struct null_sensor *sensor = state;
    for (size_t i = 0; i < sensor->channel_count; i++)
        samples_add(samples, now_ms, i, 0, QUALITY_GOOD);
    return ERR_OK;
}

static void null_close(void *state)
{
    free(state);
}

const struct sensor_ops sensor_null_ops = {
    .name = "null",
    .help = "always reads 0",
    .open = null_open,
    .read = null_read,
    .close = null_close,
};
