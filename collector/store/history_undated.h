// SPDX-License-Identifier: Apache-2.0
/*
 * history_undated - readings of a clock that was not set, until it is known when they
 * were.
 *
 * An agent whose clock is unset says the boot time at which it closed a pack, and once
 * the clock is set, what is to be added to boot time (CLOCK_FIX). What arrives after that
 * is dated as it comes; what came before waits here and is dated then. What nobody dates
 * for HISTORY_UNDATED_MS stands at the times it claims. Belongs to the history's thread,
 * within begin and commit.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_HISTORY_UNDATED_H
#define COLDCHAIN_COLLECTOR_STORE_HISTORY_UNDATED_H

#include "collector/store/history_tables.h"

#define HISTORY_UNDATED_MS INT64_C(86400000)

/* Whether its readings can be dated through boot time only. */
bool undated_is(const struct pack *pack);
/* What is to be added to the pack's times; NOT_FOUND: it is not known. */
MUST_CHECK enum err undated_shift(struct history *history, int64_t device,
                                  const struct pack *pack, int64_t *shift_ms);
/* Whether that message waits. */
MUST_CHECK enum err undated_has(struct history *history, int64_t device, uint64_t epoch,
                                uint64_t seq, bool *has);
/* Puts the row of history->blob aside. */
MUST_CHECK enum err undated_keep(struct history *history, int64_t device,
                                 const struct history_message *message,
                                 const struct pack *pack);
/* A CLOCK_FIX: dates what waits, and remembers it. */
MUST_CHECK enum err undated_fix(struct history *history, int64_t device,
                                const struct pack *pack);
/* Gives up waiting for what arrived before that. */
MUST_CHECK enum err undated_settle(struct history *history, int64_t before_ms);

#endif
