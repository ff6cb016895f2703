// SPDX-License-Identifier: Apache-2.0
#include "alerts/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CAPACITY_FIRST 16

static_assert((CAPACITY_FIRST & (CAPACITY_FIRST - 1)) == 0, "see grown()");

static void *entry_of(const struct table_slot *slot)
{
    uint64_t bits = (uint64_t)slot->halves[1] << 32 | slot->halves[0];
    return (void *)(uintptr_t)bits;
}

static struct table_slot slot_of(uint32_t hash, const void *entry)
{
    uint64_t bits = (uintptr_t)entry;
    return (struct table_slot){.hash = hash,
                               .halves = {(uint32_t)bits, (uint32_t)(bits >> 32)}};
}

/* Where its search begins. */
static size_t home_of(const struct table *table, uint32_t hash)
{
    return (size_t)((uint64_t)hash * table->capacity >> 32);
}

static size_t after(const struct table *table, size_t i)
{
    return i + 1 < table->capacity ? i + 1 : 0;
}

/* Steps from one to the other. */
static size_t way(const struct table *table, size_t from, size_t to)
{
    return to >= from ? to - from : to + table->capacity - from;
}

/* By a half, by a third, and so on: powers of two and one and a half times those. */
static size_t grown(size_t capacity)
{
    if (capacity == 0)
        return CAPACITY_FIRST;
    bool is_power = (capacity & (capacity - 1)) == 0;
    return is_power ? capacity / 2 * 3 : capacity / 3 * 4;
}

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
    for (size_t i = home_of(table, (uint32_t)hash);; i = after(table, i)) {
        const struct table_slot *slot = &table->slots[i];
        void *entry = entry_of(slot);
        if (entry == NULL)
            return NULL;
        if (slot->hash == (uint32_t)hash && is_equal(entry, key))
            return entry;
    }
}

static void place(struct table *table, uint32_t hash, const void *entry)
{
    size_t i = home_of(table, hash);
    while (entry_of(&table->slots[i]) != NULL)
        i = after(table, i);
    table->slots[i] = slot_of(hash, entry);
}

static void grow(struct table *table)
{
    struct table old = *table;
    table->capacity = grown(old.capacity);
    table->slots = mem_array(table->capacity, sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++)
        if (entry_of(&old.slots[i]) != NULL)
            place(table, old.slots[i].hash, entry_of(&old.slots[i]));
    free(old.slots);
}

void table_add(struct table *table, uint64_t hash, void *entry)
{
    assert(entry != NULL);
    if ((table->count + 1) * 6 > table->capacity * 5)
        grow(table);
    place(table, (uint32_t)hash, entry);
    table->count++;
}

/*
 * Shifts back what stands behind the hole, so that no probe ends early: an entry may move
 * to the hole when its home is not between the hole and itself (Knuth, volume 3, 6.4,
 * algorithm R).
 */
static void close_hole(struct table *table, size_t hole)
{
    for (size_t i = after(table, hole); entry_of(&table->slots[i]) != NULL;
         i = after(table, i)) {
        size_t home = home_of(table, table->slots[i].hash);
        if (way(table, home, i) >= way(table, hole, i)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (struct table_slot){0};
}

void table_remove(struct table *table, uint64_t hash, const void *entry)
{
    assert(table->count > 0);
    size_t i = home_of(table, (uint32_t)hash);
    while (entry_of(&table->slots[i]) != entry) {
        assert(entry_of(&table->slots[i]) != NULL);
        i = after(table, i);
    }
    close_hole(table, i);
    table->count--;
}

void *table_next(const struct table *table, size_t *at)
{
    while (*at < table->capacity) {
        void *entry = entry_of(&table->slots[(*at)++]);
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
