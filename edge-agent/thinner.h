// SPDX-License-Identifier: Apache-2.0
/*
 * thinner - fewer readings out of packs that must make room, and what says so.
 *
 * Keeps every reading that is out of band or bad, and one in THINNER_KEEP of the rest;
 * the result is a THINNED pack that names the seqs it stands for. THINNED packs are
 * thinned again like any other; packs that tell of other packs (LOSS, EPOCH_END,
 * CLOCK_FIX) are written again as they are, under new seqs. Pure; one thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_THINNER_H
#define COLDCHAIN_EDGE_AGENT_THINNER_H

#include "edge-agent/packer.h"
#include "edge-agent/spool.h"

#define THINNER_KEEP 10

struct thinner;

/* What is to be written in place of seqs [from, to] of `epoch`. */
struct thinned {
    struct pack pack;
    uint64_t epoch;
    uint64_t from;
    uint64_t to;
    uint64_t dropped;       /* readings */
    bool stands_for_source; /* the collector learns of [from, to] by it */
    bool has_breach;
};

/* Borrows the packer for its bands. */
struct thinner *thinner_create(const struct packer *packer);
/* One that thins nothing: each pack goes under a new name, for that static reason. */
struct thinner *thinner_create_rescue(const struct packer *packer, const char *reason);
/* Accepts NULL. */
void thinner_destroy(struct thinner *thinner);

/* Packs of one epoch come in ascending order of seq. False: it cannot be read. */
bool thinner_take(struct thinner *thinner, const struct spool_pack *pack, int64_t now_ms);
/* The share of the readings taken that the results keep; 0 of none. */
double thinner_kept(const struct thinner *thinner);
/* Forgets the thinned readings: nothing but packs about packs is left to write. */
void thinner_give_up(struct thinner *thinner);
/* The next result, borrowed until the next call; NULL after the last. */
struct thinned *thinner_next(struct thinner *thinner);

#endif
