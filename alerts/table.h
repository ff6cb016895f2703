// SPDX-License-Identifier: Apache-2.0
/*
 * table - finds entries by a hash and a comparison; the entries hold their own keys.
 *
 * Open addressing with linear probing, 12 bytes a slot, nothing allocated but the slots:
 * for millions of small entries. The order of table_next() depends on the history of the
 * table, so nothing that is decided may depend on it. Entries are the caller's.
 */
#ifndef COLDCHAIN_ALERTS_TABLE_H
#define COLDCHAIN_ALERTS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_slot {
    uint32_t hash;      /* its lower half: for 4 billion slots */
    uint32_t halves[2]; /* of a pointer, which needs no more alignment so */
};

/* A zeroed struct is an empty table. */
struct table {
    struct table_slot *slots; /* at most 5/6 of them in use */
    size_t capacity;
    size_t count;
};

void table_free(struct table *table);

typedef bool table_equal_fn(const void *entry, const void *key);
/* NULL when it is absent. */
void *table_find(const struct table *table, uint64_t hash, table_equal_fn *is_equal,
                 const void *key);
/* The entry must not be in yet. */
void table_add(struct table *table, uint64_t hash, void *entry);
/* The entry must be in. */
void table_remove(struct table *table, uint64_t hash, const void *entry);
/* Each entry once, *at from 0; NULL at the end. No adding or removing between. */
void *table_next(const struct table *table, size_t *at);

/* Continues from `seed` (0 to begin); ends mixed well enough for a table. */
uint64_t table_hash(uint64_t seed, const void *data, size_t len);
uint64_t table_hash_text(uint64_t seed, const char *text);

#endif
