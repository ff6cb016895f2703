// SPDX-License-Identifier: Apache-2.0
/*
 * state_suppressions - table of state.db: what rules kept back, and why.
 *
 * Threads, errors, borrowing as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_SUPPRESSIONS_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_SUPPRESSIONS_H

#include <stddef.h>
#include <stdint.h>

#include "alerts/suppression.h"
#include "base/err.h"
#include "collector/store/state.h"

/* As it is now; what was told of that id before is replaced. */
MUST_CHECK enum err state_put_suppression(struct state *state,
                                          const struct suppression *told);

typedef void state_suppression_fn(void *context, const struct suppression *told);
/* Those of the zone that touch [from, to), the newest first, at most `limit`. */
MUST_CHECK enum err state_each_suppression(struct state *state, const char *zone,
                                           int64_t from_ms, int64_t to_ms, size_t limit,
                                           void *context, state_suppression_fn *row);

#endif
