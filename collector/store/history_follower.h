// SPDX-License-Identifier: Apache-2.0
/*
 * history_follower - writes every reading of the journal into the history.
 *
 * Cursor, deduplication and readings are one transaction of history.db. The follower's
 * thread owns the history.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_HISTORY_FOLLOWER_H
#define COLDCHAIN_COLLECTOR_STORE_HISTORY_FOLLOWER_H

#include <stdint.h>

#include "base/err.h"
#include "collector/guard.h"
#include "collector/store/follower.h"

/*
 * Opens the history in folder `dir` and follows the journal. keep_ms: months that ended
 * longer ago are removed; 0 keeps all. guard may be NULL.
 */
MUST_CHECK enum err history_follower_open(struct follower **follower,
                                          struct journal *journal, const char *dir,
                                          int64_t keep_ms, struct guard *guard,
                                          struct err_text *why);

/*
 * Any thread: all files of the history into folder `to`, as of one moment; the follower
 * waits meanwhile. Blocks. OFFLINE when it has stopped.
 */
MUST_CHECK enum err history_follower_copy(struct follower *follower, const char *to,
                                          struct err_text *why);

#endif
