// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.h"

#include <assert.h>

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms, uint64_t seed)
{
    assert(min_ms > 0 && min_ms <= max_ms);
    *backoff = (struct backoff){
        .min_ms = min_ms, .max_ms = max_ms, .ceiling_ms = min_ms, .rng = {seed}};
}

int64_t backoff_next(struct backoff *backoff)
{
    int64_t ceiling = backoff->ceiling_ms;
    backoff->ceiling_ms = ceiling > backoff->max_ms / 2 ? backoff->max_ms : ceiling * 2;
    return (int64_t)rng_below(&backoff->rng, (uint64_t)ceiling + 1);
}

void backoff_reset(struct backoff *backoff)
{
    backoff->ceiling_ms = backoff->min_ms;
}
