// SPDX-License-Identifier: Apache-2.0
#include "collector/store/influx_policy.h"

#include <string.h>

#define BACKOFF_FIRST_MS INT64_C(500)
#define BACKOFF_LAST_MS  INT64_C(60000)

enum influx_verdict influx_judge(int status, const char *body, size_t lines)
{
    switch (status) {
    case 200:
    case 204:
        return INFLUX_ACCEPTED;
    case 400:
        if (strstr(body, "database is required") != NULL)
            return INFLUX_MISCONFIGURED;
        return lines > 1 ? INFLUX_BISECT : INFLUX_REFUSED;
    case 422:
        return lines > 1 ? INFLUX_BISECT : INFLUX_REFUSED;
    case 413:
        /* A single line that is too large will never pass. */
        return lines > 1 ? INFLUX_HALVE : INFLUX_REFUSED;
    case 401:
    case 403:
    case 404:
        return INFLUX_MISCONFIGURED;
    case 500:
        /* InfluxDB 1.x answers so to an unknown retention policy. */
        return strstr(body, "retention policy not found") != NULL ? INFLUX_MISCONFIGURED
                                                                  : INFLUX_RETRY;
    default: /* none, 408, 429, 5xx, anything unheard of: nothing is lost by waiting */
        return INFLUX_RETRY;
    }
}

int64_t influx_backoff_ms(unsigned failures, int64_t retry_after_ms, uint64_t random)
{
    int64_t span = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < failures && span < BACKOFF_LAST_MS; i++)
        span *= 2;
    if (span > BACKOFF_LAST_MS)
        span = BACKOFF_LAST_MS;
    int64_t wait = span / 2 + (int64_t)(random % (uint64_t)(span / 2 + 1));
    return wait > retry_after_ms ? wait : retry_after_ms;
}
