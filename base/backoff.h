// SPDX-License-Identifier: Apache-2.0
/*
 * backoff - how long to wait before the next attempt: doubling, with full jitter.
 *
 * Full jitter, a wait drawn evenly from [0, ceiling], spreads a fleet that lost the same
 * broker in the same second better than any narrower draw (M. Brooker, "Exponential
 * backoff and jitter", 2015). Pure but for its own random numbers.
 */
#ifndef COLDCHAIN_BASE_BACKOFF_H
#define COLDCHAIN_BASE_BACKOFF_H

#include <stdint.h>

#include "base/rng.h"

struct backoff {
    int64_t min_ms; /* the first ceiling */
    int64_t max_ms;
    int64_t ceiling_ms; /* of the next wait */
    struct rng rng;
};

/* 0 < min_ms <= max_ms. Seeds that differ make waits that differ. */
void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms, uint64_t seed);
/* The wait before the next attempt; the one after it may be twice as long. */
int64_t backoff_next(struct backoff *backoff);
/* After a success. */
void backoff_reset(struct backoff *backoff);

#endif
