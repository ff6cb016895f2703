// SPDX-License-Identifier: Apache-2.0
/*
 * w1_parse - what Linux says of a 1-Wire thermometer, and whether to believe it.
 *
 * Two formats: the two lines of `w1_slave`, with the scratchpad, its CRC and the
 * kernel's verdict; and `temperature`, a whole number of milli-degrees. Pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_W1_PARSE_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_W1_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/reading.h"

#define W1_ID_LEN 15 /* "28-0316a2795dff" */

struct w1_answer {
    enum quality quality;
    double value_C;     /* GOOD; STARTUP: 85, which may yet be true */
    const char *reason; /* a constant; "" when GOOD */
};

/* Family, dash, 12 lower-case hex digits; of a family of thermometers. */
bool w1_is_thermometer(const char *id);

struct w1_answer w1_parse_slave(const char *text, size_t len);
struct w1_answer w1_parse_temperature(const char *text, size_t len);

/*
 * 85 degrees is what a DS18B20 answers that lost power before it measured. It is believed
 * only when the last good value is young and near it; `last_age_ms` < 0: there is none.
 */
bool w1_is_plausible_85(double last_C, int64_t last_age_ms);

#endif
