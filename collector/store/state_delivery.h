// SPDX-License-Identifier: Apache-2.0
/*
 * state_delivery - tables of state.db: which packs were taken, forks, and quarantine.
 *
 * Threads, errors and borrowing as in state.h. Epochs, seqs and hashes use all 64 bits.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_DELIVERY_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collector/store/state.h"

#define STATE_QUARANTINE_BYTES 4096 /* of a payload are kept */

/* What was taken of one epoch. Key (org, device, epoch). */
struct state_dedup {
    const char *org;
    const char *device;
    uint64_t epoch;
    bool is_sealed;   /* EPOCH_END has come and nothing is missing */
    const void *data; /* the caller's, such as seqset_save() made it */
    size_t len;
};

MUST_CHECK enum err state_put_dedup(struct state *state, const struct state_dedup *dedup);
typedef void state_dedup_fn(void *context, const struct state_dedup *dedup);
/* In the order of the keys. */
MUST_CHECK enum err state_each_dedup(struct state *state, void *context,
                                     state_dedup_fn *row);

/* The same seq came with two bodies: a copied card. Key: `position` of the second. */
struct state_fork {
    uint64_t position;
    const char *org;
    const char *device;
    uint64_t epoch;
    uint64_t seq;
    uint64_t held_hash;
    uint64_t other_hash;
    int64_t arrived_ms;
};

/* EXISTS, changing nothing, when that position is in already. */
MUST_CHECK enum err state_add_fork(struct state *state, const struct state_fork *fork);
typedef void state_fork_fn(void *context, const struct state_fork *fork);
/* The oldest first, from behind `after` (0 at first). */
MUST_CHECK enum err state_page_forks(struct state *state, uint64_t after, size_t limit,
                                     void *context, state_fork_fn *row);

/* Something that could not be used, and why. Key (source, position, item). */
struct state_quarantined {
    const char *source; /* "" for messages; the name of the sink that refused a line */
    uint64_t position;
    uint32_t item; /* which of several at one position */
    const char *org;
    const char *device;
    const char *topic;
    uint64_t epoch;
    uint64_t seq;
    const char *reason; /* short and from a small set: it is a label in metrics */
    const char *detail; /* the whole sentence */
    const void *data;   /* cut to STATE_QUARANTINE_BYTES */
    size_t len;
    uint64_t size; /* of the whole payload */
    int64_t arrived_ms;
};

/* EXISTS, changing nothing, when that key is in already. */
MUST_CHECK enum err state_add_quarantined(struct state *state,
                                          const struct state_quarantined *entry);
typedef void state_quarantined_fn(void *context, const struct state_quarantined *entry);

/* Where a page ends and the next begins; a zeroed struct is the beginning. */
struct state_quarantine_cursor {
    uint64_t position;
    char source[64];
    uint32_t item;
};

/* The oldest first, behind the cursor, which is moved to the last row given. */
MUST_CHECK enum err state_page_quarantine(struct state *state,
                                          struct state_quarantine_cursor *cursor,
                                          size_t limit, void *context,
                                          state_quarantined_fn *row);
/* Keeps the newest `keep` rows; the journal has the payloads as long as it keeps them. */
MUST_CHECK enum err state_trim_quarantine(struct state *state, uint64_t keep,
                                          uint64_t *removed);
/* How many there ever were, by reason; trimming does not lower it. */
typedef void state_reason_fn(void *context, const char *reason, uint64_t count);
MUST_CHECK enum err state_count_quarantine(struct state *state, void *context,
                                           state_reason_fn *row);

#endif
