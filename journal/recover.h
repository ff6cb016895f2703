// SPDX-License-Identifier: Apache-2.0
/*
 * recover - what a crash or a bad disk left, and what is to be done about it.
 *
 * Three steps, each of which may be interrupted and is then simply done again:
 *
 *   plan    reads only: where the journal ends, what is torn, what is rot
 *   secure  makes the sound tail durable, copies rotten files to quarantine/
 *           ... the caller starts a new segment and syncs it: generation, LOSS, end
 *   finish  cuts the torn tail, moves unusable files away
 *
 * Only segments which no surviving synced_through vouches for are read.
 */
#ifndef COLDCHAIN_JOURNAL_RECOVER_H
#define COLDCHAIN_JOURNAL_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/folder.h"
#include "journal/journal.h"
#include "journal/journal_io.h"

/* Damage inside a segment that was read. */
struct damage {
    struct journal_loss loss;
    uint64_t nonzero_end; /* position */
    bool at_end;          /* nothing sound follows in the segment */
};

struct recovery {
    /* given */
    const struct journal_io *io;
    int dir;
    bool read_only;

    /* found */
    struct journal_recovery report;
    struct segment_table table; /* segments that hold or held frames */
    uint32_t *unused;           /* numbers of prepared files, rising */
    size_t unused_count;
    uint32_t next_number;
    uint64_t end;            /* of what is kept */
    uint64_t synced_through; /* the highest that survives */
    uint64_t base;           /* frames from here on are in no group yet */
    uint8_t chain[CRYPTO_DIGEST_BYTES];
    size_t checked_from;         /* index in the table */
    struct journal_loss *losses; /* new ones; LOSS is to be appended */
    size_t loss_count;

    /* working memory */
    size_t loss_capacity;
    size_t unused_capacity;
    struct damage *damages;
    size_t damage_count;
    size_t damage_capacity;
    struct journal_loss *known; /* stored LOSS records */
    size_t known_count;
    size_t known_capacity;
};

MUST_CHECK enum err recovery_plan(struct recovery *recovery);
MUST_CHECK enum err recovery_secure(struct recovery *recovery);
MUST_CHECK enum err recovery_finish(struct recovery *recovery);
void recovery_fini(struct recovery *recovery);

#endif
