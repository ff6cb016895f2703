// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The parameters of FNV-1a for 64 bits. */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t map_hash(uint64_t seed, const char *text)
{
    uint64_t hash = seed != 0 ? seed : FNV_BASIS;
    for (const char *at = text; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * FNV_PRIME;
    return hash;
}

void map_fini(struct map *map)
{
    for (size_t i = 0; i < map->count; i++)
        free(map->entries[i].key);
    free(map->entries);
    free(map->slots);
    *map = (struct map){0};
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t find_slot(const struct map *map, const char *key, uint64_t hash)
{
    assert(map->slot_count > map->count);
    assert((map->slot_count & (map->slot_count - 1)) == 0);
    size_t mask = map->slot_count - 1;
    size_t slot = (size_t)(hash ^ (hash >> 32)) & mask;
    while (map->slots[slot] != 0) {
        const struct map_entry *entry = &map->entries[map->slots[slot] - 1];
        if (entry->hash == hash && strcmp(entry->key, key) == 0)
            break;
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void grow_slots(struct map *map)
{
    free(map->slots);
    map->slot_count = map->slot_count > 0 ? map->slot_count * 2 : 16;
    map->slots = mem_array(map->slot_count, sizeof *map->slots);
    for (size_t i = 0; i < map->count; i++) {
        const struct map_entry *entry = &map->entries[i];
        map->slots[find_slot(map, entry->key, entry->hash)] = (uint32_t)(i + 1);
    }
}

void *map_get(const struct map *map, const char *key)
{
    if (map->count == 0)
        return NULL;
    uint32_t found = map->slots[find_slot(map, key, map_hash(0, key))];
    return found != 0 ? map->entries[found - 1].value : NULL;
}

static struct map_entry *entry_of(struct map *map, const char *key)
{
    if (map->count * 2 >= map->slot_count)
        grow_slots(map);
    uint64_t hash = map_hash(0, key);
    size_t slot = find_slot(map, key, hash);
    if (map->slots[slot] == 0) {
        assert(map->count < UINT32_MAX);
        mem_grow(&map->entries, &map->capacity, map->count + 1, sizeof *map->entries);
        map->entries[map->count] =
            (struct map_entry){.key = mem_strdup(key), .hash = hash};
        map->slots[slot] = (uint32_t)++map->count;
    }
    return &map->entries[map->slots[slot] - 1];
}

void **map_at(struct map *map, const char *key)
{
    return &entry_of(map, key)->value;
}

const char *map_key(struct map *map, const char *key)
{
    return entry_of(map, key)->key;
}
