// SPDX-License-Identifier: Apache-2.0
#include "alerts/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CAPACITY_FIRST 16

static_assert((CAPACITY_FIRST & (CAPACITY_FIRST - 1)) == 0, "a power of two");

void table_free(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

void *table_find(const struct table *table, uint64_t hash, table_equal_fn *is_equal,
                 const void *key)
{
    if (table->count == 0)
        return NULL;
    size_t mask = table->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        const struct table_slot *slot = &table->slots[i];
        if (slot->entry == NULL)
            return NULL;
        if (slot->hash == hash && is_equal(slot->entry, key))
            return slot->entry;
    }
}

static void place(struct table *table, uint64_t hash, void *entry)
{
    size_t mask = table->capacity - 1;
    size_t i = hash & mask;
    while (table->slots[i].entry != NULL)
        i = (i + 1) & mask;
    table->slots[i] = (struct table_slot){.hash = hash, .entry = entry};
}

static void grow(struct table *table)
{
    struct table old = *table;
    table->capacity = old.capacity > 0 ? old.capacity * 2 : CAPACITY_FIRST;
    table->slots = mem_array(table->capacity, sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].entry != NULL)
            place(table, old.slots[i].hash, old.slots[i].entry);
    free(old.slots);
}

void table_add(struct table *table, uint64_t hash, void *entry)
{
    assert(entry != NULL);
    if ((table->count + 1) * 4 > table->capacity * 3)
        grow(table);
    place(table, hash, entry);
    table->count++;
}

/*
 * Shifts back what stands behind the hole, so that no probe ends early: an entry may move
 * to the hole when its home is not between the hole and itself (Knuth, volume 3, 6.4,
 * algorithm R).
 */
static void close_hole(struct table *table, size_t hole)
{
    size_t mask = table->capacity - 1;
    for (size_t i = (hole + 1) & mask; table->slots[i].entry != NULL;
         i = (i + 1) & mask) {
        size_t home = table->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (struct table_slot){0};
}

void table_remove(struct table *table, uint64_t hash, const void *entry)
{
    assert(table->count > 0);
    size_t mask = table->capacity - 1;
    size_t i = hash & mask;
    while (table->slots[i].entry != entry) {
        assert(table->slots[i].entry != NULL);
        i = (i + 1) & mask;
    }
    close_hole(table, i);
    table->count--;
}

void *table_next(const struct table *table, size_t *at)
{
    while (*at < table->capacity) {
        void *entry = table->slots[(*at)++].entry;
        if (entry != NULL)
            return entry;
    }
    return NULL;
}

/* One multiplication and a shift per 8 bytes; the constant is 2^64 / golden ratio. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 29);
}

uint64_t table_hash(uint64_t seed, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    uint64_t hash = mix(seed, len);
    for (; len >= 8; len -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = mix(hash, word);
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < len; i++)
        rest |= (uint64_t)bytes[i] << (8 * i);
    hash = mix(hash, rest);
    return mix(hash, 0);
}

uint64_t table_hash_text(uint64_t seed, const char *text)
{
    return table_hash(seed, text, strlen(text));
}
