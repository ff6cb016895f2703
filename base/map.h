// SPDX-License-Identifier: Apache-2.0
/*
 * map - from text keys to pointers; open addressing, deterministic order of insertion.
 *
 * Keys are copied, values belong to the caller. Entries are never removed: what is in a
 * map lives as long as the map. Not shared by threads.
 */
#ifndef COLDCHAIN_BASE_MAP_H
#define COLDCHAIN_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map {
    struct map_entry *entries; /* in order of insertion */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* index + 1 into entries, 0 when free; a power of two of them */
    size_t slot_count;
};

struct map_entry {
    char *key;
    void *value;
    uint64_t hash;
};

/* A zeroed struct is an empty map. Frees keys, not values. */
void map_fini(struct map *map);

/* NULL when it is absent. */
void *map_get(const struct map *map, const char *key);
/* Where the value of that key stands, added as NULL when absent; until the next call. */
void **map_at(struct map *map, const char *key);

/* The map's own copy of that key, which is added when absent; as long as the map. */
const char *map_key(struct map *map, const char *key);

/* FNV-1a, 64 bits; continues from `seed` (0 to begin). */
uint64_t map_hash(uint64_t seed, const char *text);

#endif
