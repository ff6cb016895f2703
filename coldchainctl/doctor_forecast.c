// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/doctor_forecast.h"

#include <math.h>
#include <stddef.h>

#define DAY_MS ((int64_t)86400000)

static double per_day(const struct growth *growth, int64_t now_ms)
{
    if (growth == NULL || growth->since_ms > now_ms - DAY_MS)
        return 0;
    return (double)growth->bytes / (double)(now_ms - growth->since_ms) * (double)DAY_MS;
}

/* What the journal will still take until it is as large as it gets. */
static double journal_to_come(const struct forecast_disk *disk, int64_t now_ms)
{
    if (disk->journal == NULL)
        return 0;
    double a_day = per_day(disk->journal, now_ms);
    double most = disk->journal_most;
    if (a_day > 0)
        most = fmin(most, a_day * (double)disk->journal_keep_ms / (double)DAY_MS);
    return fmax(most - (double)disk->journal->bytes, 0);
}

struct forecast doctor_forecast(const struct forecast_disk *disk, int64_t now_ms)
{
    double room = disk->free_bytes - journal_to_come(disk, now_ms);
    struct forecast forecast = {.days = -1, .a_day = per_day(disk->history, now_ms)};
    if (forecast.a_day <= 0)
        return forecast;
    if (room <= 0)
        forecast.days = 0;
    else if (disk->history_keep_ms > 0 &&
             disk->history->since_ms < now_ms - disk->history_keep_ms)
        forecast.days = (double)INFINITY; /* as much goes as comes */
    else
        forecast.days = room / forecast.a_day;
    return forecast;
}
