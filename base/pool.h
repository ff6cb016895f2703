// SPDX-License-Identifier: Apache-2.0
/*
 * pool - memory for very many small things: no head before each, rounded up
 * to 8 bytes only, freed together.
 *
 * What is given back is used for things of the same size again. Not for threads.
 */
#ifndef COLDCHAIN_BASE_POOL_H
#define COLDCHAIN_BASE_POOL_H

#include <stddef.h>

#define POOL_LARGEST 512 /* larger things are malloc's */
#define POOL_STEP    8   /* and their alignment */

struct pool_block;

/* A zeroed struct is an empty pool. */
struct pool {
    struct pool_block *blocks;
    char *at; /* in the first block: from here on nothing was taken yet */
    size_t left;
    void *spare[POOL_LARGEST / POOL_STEP + 1]; /* by size: what was given back */
};

/* Zeroed; never NULL. */
void *pool_take(struct pool *pool, size_t size) __attribute__((malloc, returns_nonnull));
/* `size` as it was taken; NULL does nothing. */
void pool_give(struct pool *pool, void *thing, size_t size);
/* All but the larger things, which have to be given back before. */
void pool_fini(struct pool *pool);

#endif
