// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/sensors/diagnose.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

#define MINUTE_MS 60000.0

/* NaN when it is not given; limits are checked before they are used. */
static double limit(const char *text)
{
    double value = (double)NAN;
    if (text != NULL && number_scan(&value, text, strlen(text)) != strlen(text))
        value = (double)NAN;
    return value;
}

enum err diagnose_check(const struct sensor_channel *channel, struct err_text *why)
{
    const char *const texts[] = {channel->min, channel->max, channel->open_at,
                                 channel->short_at, channel->max_per_minute};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i] != NULL && isnan(limit(texts[i])))
            return err_set(why, ERR_INVALID, "'%s' is no number", texts[i]);
    if (limit(channel->min) > limit(channel->max))
        return err_set(why, ERR_INVALID, "min %s is above max %s", channel->min,
                       channel->max);
    if ((channel->open_at == NULL) != (channel->short_at == NULL) ||
        (channel->open_at != NULL && limit(channel->open_at) == limit(channel->short_at)))
        return err_set(why, ERR_INVALID,
                       "open_at and short_at belong together and differ: which is the "
                       "higher one says which way the value runs");
    if (channel->max_per_minute != NULL && limit(channel->max_per_minute) <= 0)
        return err_set(why, ERR_INVALID, "max_per_minute is above 0");
    return ERR_OK;
}

/* At or beyond `end`, seen from `other`. */
static bool is_beyond(double value, double end, double other)
{
    return end > other ? value >= end : value <= end;
}

static bool jumps(const struct diagnose *diagnose, double per_minute, int64_t time_ms,
                  double value)
{
    double minutes = (double)(time_ms - diagnose->last_ms) / MINUTE_MS;
    return diagnose->has_last && minutes >= 0 &&
           fabs(value - diagnose->last) > per_minute * minutes;
}

enum quality diagnose_value(struct diagnose *diagnose,
                            const struct sensor_channel *channel, int64_t time_ms,
                            double value)
{
    if (channel->open_at != NULL) {
        double open_at = limit(channel->open_at);
        double short_at = limit(channel->short_at);
        if (is_beyond(value, open_at, short_at))
            return QUALITY_OPEN;
        if (is_beyond(value, short_at, open_at))
            return QUALITY_SHORT;
    }
    if (value < limit(channel->min) || value > limit(channel->max))
        return QUALITY_RANGE;
    if (channel->max_per_minute != NULL &&
        jumps(diagnose, limit(channel->max_per_minute), time_ms, value))
        return QUALITY_FAULT;
    *diagnose = (struct diagnose){.has_last = true, .last = value, .last_ms = time_ms};
    return QUALITY_GOOD;
}
