// SPDX-License-Identifier: Apache-2.0
/*
 * window - which packs of one epoch were taken, and the hashes that prove whose they are.
 *
 * The deduplication window of the collector and of its stores. It is never pruned while
 * the epoch is open. Beside the seqs it remembers the hash of the pack at the mark, of
 * the newest few, and of those on both sides of a gap, so that another body under a taken
 * name, or a pack that does not fit the one before it or behind it, is seen as a fork,
 * in whatever order they come. Two windows that are given the same packs in the
 * same order say the same. Pure; owned by one thread.
 */
#ifndef COLDCHAIN_TELEMETRY_WINDOW_H
#define COLDCHAIN_TELEMETRY_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "telemetry/seqset.h"

#define WINDOW_HASHES 8

/* At a gap: the hash of the pack before it, or the one that the pack behind it asks for.
 */
struct window_edge {
    uint64_t seq;
    uint64_t hash;
    bool is_asked; /* `seq` is the last one missing: it must have this hash */
};

/* A zeroed struct is empty. */
struct window {
    struct seqset taken;
    uint64_t mark_hash; /* of the pack `taken.through`; 0: unknown */
    uint64_t newest;    /* highest seq with a body */
    /* of seqs (newest - WINDOW_HASHES, newest], by seq modulo; 0: unknown */
    uint64_t hashes[WINDOW_HASHES];
    struct window_edge *edges; /* two for each gap, at most */
    uint32_t edge_count;
    uint32_t edge_capacity;
};

enum window_verdict {
    WINDOW_NEW,       /* taken */
    WINDOW_DUPLICATE, /* taken before; the body is the same as far as is known */
    WINDOW_FORK,      /* another body, or it does not fit its neighbours; not taken */
    WINDOW_FULL,      /* one gap too many; not taken */
};

void window_fini(struct window *window);

/* `previous_hash` 0: the pack does not say. seq > 0. */
enum window_verdict window_judge(const struct window *window, uint64_t seq, uint64_t hash,
                                 uint64_t previous_hash);
/* Judges, and takes what is new. */
enum window_verdict window_take(struct window *window, uint64_t seq, uint64_t hash,
                                uint64_t previous_hash);
/* [first, last] will never come: taken without bodies. As seqset_add_range(). */
MUST_CHECK enum err window_close(struct window *window, uint64_t first, uint64_t last);

/* Of the pack with that seq; 0 when it is not known. */
uint64_t window_hash(const struct window *window, uint64_t seq);

/* Loading replaces; CORRUPT leaves it empty. A saved window begins as a saved seqset. */
void window_save(const struct window *window, struct buf *out);
MUST_CHECK enum err window_load(struct window *window, struct buf_reader *in);

#endif
