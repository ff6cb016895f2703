// SPDX-License-Identifier: Apache-2.0
#include "freshness/band.h"

#include <math.h>

struct band band_of_profile(const struct profile *profile)
{
    return (struct band){.low = profile->numbers[PROFILE_TEMPERATURE_MIN].value,
                         .high = profile->numbers[PROFILE_TEMPERATURE_MAX].value};
}

struct band band_intersect(struct band a, struct band b)
{
    /* fmax() and fmin() pass over what is open */
    return (struct band){.low = fmax(a.low, b.low), .high = fmin(a.high, b.high)};
}

bool band_is_empty(struct band band)
{
    return band.low > band.high;
}

bool band_is_open(struct band band)
{
    return isnan(band.low) && isnan(band.high);
}
