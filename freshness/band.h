// SPDX-License-Identifier: Apache-2.0
/*
 * band - the temperatures that several kinds of produce bear together.
 *
 * Pure; any thread.
 */
#ifndef COLDCHAIN_FRESHNESS_BAND_H
#define COLDCHAIN_FRESHNESS_BAND_H

#include <stdbool.h>

#include "freshness/profile.h"

/* In degree Celsius, both ends inclusive; NaN: open at that end. */
struct band {
    double low;
    double high;
};

/* Of its storage temperature: what it does not publish is open. */
struct band band_of_profile(const struct profile *profile);
/* What lies in both; its low is above its high when nothing does. */
struct band band_intersect(struct band a, struct band b);
/* Nothing lies in it. One of a single temperature holds that one. */
bool band_is_empty(struct band band);
bool band_is_open(struct band band);

#endif
