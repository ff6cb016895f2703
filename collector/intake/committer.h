// SPDX-License-Identifier: Apache-2.0
/*
 * committer - the thread that syncs the journal in groups and tells who waits for it.
 *
 * A group is closed after commit_interval or when it holds commit_bytes. A second thread
 * of low standing makes spare segments ahead.
 */
#ifndef COLDCHAIN_COLLECTOR_INTAKE_COMMITTER_H
#define COLDCHAIN_COLLECTOR_INTAKE_COMMITTER_H

#include <stdint.h>

#include "base/err.h"
#include "journal/journal.h"

struct committer;

struct committer_options {
    struct journal *journal;
    int64_t interval_ms; /* 5 */
    uint64_t bytes;      /* 256 KiB */
    void *context;
    /* The committer's thread, after each group. */
    void (*on_synced)(void *context);
    /* The committer's thread: syncing has failed for good. */
    void (*on_failed)(void *context);
    /* The helper's thread: whether spare segments can be made. */
    void (*on_room)(void *context, enum err err);
};

struct committer *committer_create(const struct committer_options *options);
/* Syncs what is pending; no callback runs afterwards. Accepts NULL. */
void committer_destroy(struct committer *committer);
/* Any thread: something was appended. Costs nothing while the committer is awake. */
void committer_wake(struct committer *committer);

#endif
