// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_BYTES 8160 /* with malloc's head two pages */

struct pool_block {
    struct pool_block *next;
    uint64_t bytes[];
};

/* What is not taken may not be touched. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(thing, size)   ((void)(thing), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(thing, size) ((void)(thing), (void)(size))
#endif

static size_t rounded(size_t size)
{
    return (size + POOL_STEP - 1) / POOL_STEP * POOL_STEP;
}

static bool is_pooled(size_t size)
{
    return size > 0 && size <= POOL_LARGEST;
}

static void *carve(struct pool *pool, size_t size)
{
    if (pool->left < size) {
        struct pool_block *block = mem_alloc(BLOCK_BYTES);
        block->next = pool->blocks;
        pool->blocks = block;
        pool->at = (char *)block->bytes;
        pool->left = BLOCK_BYTES - sizeof *block;
        ASAN_POISON_MEMORY_REGION(pool->at, pool->left);
    }
    assert(pool->left >= size);
    void *thing = pool->at;
    pool->at += size;
    pool->left -= size;
    ASAN_UNPOISON_MEMORY_REGION(thing, size);
    return thing;
}

void *pool_take(struct pool *pool, size_t size)
{
    if (!is_pooled(size))
        return mem_alloc(size);
    size = rounded(size);
    void **spare = &pool->spare[size / POOL_STEP];
    if (*spare == NULL)
        return carve(pool, size);
    void *thing = *spare;
    ASAN_UNPOISON_MEMORY_REGION(thing, size);
    memcpy(spare, thing, sizeof *spare);
    memset(thing, 0, size);
    return thing;
}

void pool_give(struct pool *pool, void *thing, size_t size)
{
    if (thing == NULL)
        return;
    if (!is_pooled(size)) {
        free(thing);
        return;
    }
    void **spare = &pool->spare[rounded(size) / POOL_STEP];
    memcpy(thing, spare, sizeof *spare);
    *spare = thing;
    ASAN_POISON_MEMORY_REGION(thing, rounded(size));
}

void pool_fini(struct pool *pool)
{
    while (pool->blocks != NULL) {
        struct pool_block *block = pool->blocks;
        pool->blocks = block->next;
        free(block);
    }
    *pool = (struct pool){0};
}
