// SPDX-License-Identifier: Apache-2.0
/*
 * skip - a follower of the journal passes a record over, and says so.
 *
 * In the log, in the metrics, and once as a SKIPPED record, from which the pipeline lists
 * the bytes in the quarantine. On the follower's own thread.
 */
#ifndef COLDCHAIN_COLLECTOR_SKIP_H
#define COLDCHAIN_COLLECTOR_SKIP_H

#include "collector/guard.h"
#include "journal/journal.h"

void skip_record(struct journal *journal, struct guard *guard, enum guard_who who,
                 const struct journal_record *record, unsigned crashes);

#endif
