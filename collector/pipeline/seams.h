// SPDX-License-Identifier: Apache-2.0
/*
 * seams - packs just below what is closed, whose hashes no later pack speaks for.
 *
 * An agent that holds another pack of such a name learns by its hash that the collector
 * has a copy's (docs/delivery.md). Part of the pure core; one thread per device.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_SEAMS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_SEAMS_H

#include "collector/pipeline/collector_core.h"

/* Pack `seq` was taken; kept if what follows it is closed. hash 0: not known. */
void seams_add(struct collector_epoch *epoch, uint64_t seq, uint64_t hash);
/* After `closed` became too torn to be exact, and swallowed some. */
void seams_drop_closed(struct collector_epoch *epoch);
/* After the ack's `through` and `closed`. */
void seams_fill(struct ack_epoch *ack, const struct collector_epoch *epoch);

void seams_save(const struct collector_epoch *epoch, struct buf *out);
/* After `closed`. CORRUPT. */
MUST_CHECK enum err seams_load(struct collector_epoch *epoch, struct buf_reader *in);

#endif
