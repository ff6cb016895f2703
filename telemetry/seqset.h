// SPDX-License-Identifier: Apache-2.0
/*
 * seqset - which seqs of one epoch have been taken: all up to `through`, and ranges
 * beyond.
 *
 * The mark moves only contiguously, ranges are capped, and nothing is ever forgotten
 * while the epoch is open. Pure; owned by one thread.
 */
#ifndef COLDCHAIN_TELEMETRY_SEQSET_H
#define COLDCHAIN_TELEMETRY_SEQSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define SEQSET_RANGES_MAX 1024

struct seq_range {
    uint64_t first;
    uint64_t last; /* inclusive */
};

/* A zeroed struct is the empty set. */
struct seqset {
    uint64_t through;         /* 1..through are all in */
    struct seq_range *ranges; /* ascending, disjoint, not adjacent, all > through + 1 */
    uint32_t count;
    uint32_t capacity;
};

void seqset_fini(struct seqset *set);
bool seqset_has(const struct seqset *set, uint64_t seq);
/* The same, and up to which seq that stays so; seq > 0. */
bool seqset_run(const struct seqset *set, uint64_t seq, uint64_t *last);
/*
 * EXISTS when all of it was in already; LIMIT when it would need one range too many;
 * INVALID for seq 0 or last < first. The set is unchanged unless it says OK.
 */
MUST_CHECK enum err seqset_add(struct seqset *set, uint64_t seq);
MUST_CHECK enum err seqset_add_range(struct seqset *set, uint64_t first, uint64_t last);
/* The first gap: false when there is none below the highest seq. */
bool seqset_first_gap(const struct seqset *set, struct seq_range *gap);
/* The highest seq in the set, 0 when it is empty. */
uint64_t seqset_highest(const struct seqset *set);

/*
 * Varints: through, count, and per range the distance from the end before it and its
 * length less one. Loading replaces the set; CORRUPT leaves it empty.
 */
void seqset_save(const struct seqset *set, struct buf *out);
MUST_CHECK enum err seqset_load(struct seqset *set, struct buf_reader *in);

#endif
