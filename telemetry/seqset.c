// SPDX-License-Identifier: Apache-2.0
#include "telemetry/seqset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static_assert(SEQSET_RANGES_MAX <= UINT32_MAX, "count is 32 bits");

void seqset_fini(struct seqset *set)
{
    free(set->ranges);
    memset(set, 0, sizeof *set);
}

/* Index of the first range that ends at or behind `seq`; count when there is none. */
static uint32_t first_ending_from(const struct seqset *set, uint64_t seq)
{
    uint32_t low = 0;
    uint32_t high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (set->ranges[middle].last < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool seqset_has(const struct seqset *set, uint64_t seq)
{
    if (seq <= set->through)
        return seq > 0;
    uint32_t at = first_ending_from(set, seq);
    return at < set->count && set->ranges[at].first <= seq;
}

bool seqset_run(const struct seqset *set, uint64_t seq, uint64_t *last)
{
    assert(seq > 0);
    *last = set->through;
    if (seq <= set->through)
        return true;
    uint32_t at = first_ending_from(set, seq);
    bool is_in = at < set->count && set->ranges[at].first <= seq;
    if (is_in)
        *last = set->ranges[at].last;
    else
        *last = at < set->count ? set->ranges[at].first - 1 : UINT64_MAX;
    return is_in;
}

enum err seqset_add(struct seqset *set, uint64_t seq)
{
    return seqset_add_range(set, seq, seq);
}

/* Puts `range` in place of ranges [from, to); from == to inserts. */
static void splice(struct seqset *set, uint32_t from, uint32_t to, struct seq_range range)
{
    if (from == to) {
        size_t capacity = set->capacity;
        mem_grow(&set->ranges, &capacity, (size_t)set->count + 1, sizeof *set->ranges);
        set->capacity = (uint32_t)capacity;
    }
    memmove(set->ranges + from + 1, set->ranges + to,
            (set->count - to) * sizeof *set->ranges);
    set->count = set->count - (to - from) + 1;
    set->ranges[from] = range;
}

/* Drops the first `gone` ranges, and the memory with the last: most sets have none. */
static void drop_front(struct seqset *set, uint32_t gone)
{
    assert(gone <= set->count);
    set->count -= gone;
    if (set->count == 0) {
        free(set->ranges);
        set->ranges = NULL;
        set->capacity = 0;
        return;
    }
    memmove(set->ranges, set->ranges + gone, set->count * sizeof *set->ranges);
}

enum err seqset_add_range(struct seqset *set, uint64_t first, uint64_t last)
{
    if (first == 0 || last < first)
        return ERR_INVALID;
    if (last <= set->through)
        return ERR_EXISTS;
    if (first <= set->through)
        first = set->through + 1;

    /* [from, to) are the ranges that touch or overlap it */
    uint32_t from = first_ending_from(set, first - 1);
    uint32_t to = from;
    while (to < set->count && set->ranges[to].first - 1 <= last)
        to++;
    struct seq_range merged = {.first = first, .last = last};
    if (to > from) {
        const struct seq_range *low = &set->ranges[from];
        const struct seq_range *high = &set->ranges[to - 1];
        if (to - from == 1 && low->first <= first && low->last >= last)
            return ERR_EXISTS;
        merged.first = low->first < first ? low->first : first;
        merged.last = high->last > last ? high->last : last;
    }

    if (merged.first == set->through + 1) {
        assert(from == 0);
        set->through = merged.last;
        drop_front(set, to);
        return ERR_OK;
    }
    if (from == to && set->count >= SEQSET_RANGES_MAX)
        return ERR_LIMIT;
    splice(set, from, to, merged);
    return ERR_OK;
}

bool seqset_first_gap(const struct seqset *set, struct seq_range *gap)
{
    if (set->count == 0)
        return false;
    *gap =
        (struct seq_range){.first = set->through + 1, .last = set->ranges[0].first - 1};
    assert(gap->first <= gap->last);
    return true;
}

uint64_t seqset_highest(const struct seqset *set)
{
    return set->count > 0 ? set->ranges[set->count - 1].last : set->through;
}

void seqset_save(const struct seqset *set, struct buf *out)
{
    uint64_t end = set->through;
    buf_varint(out, set->through);
    buf_varint(out, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        buf_varint(out, set->ranges[i].first - end);
        buf_varint(out, set->ranges[i].last - set->ranges[i].first);
        end = set->ranges[i].last;
    }
}

/* False when the distances are not those of a well-formed set. */
static bool load_range(struct seqset *set, struct buf_reader *in)
{
    uint64_t end = seqset_highest(set);
    uint64_t distance = buf_read_varint(in);
    uint64_t extent = buf_read_varint(in);
    /* 1 would have been merged; the sums must not wrap */
    if (in->failed || distance < 2 || distance > UINT64_MAX - end ||
        extent > UINT64_MAX - end - distance)
        return false;
    struct seq_range range = {.first = end + distance, .last = end + distance + extent};
    splice(set, set->count, set->count, range);
    return true;
}

enum err seqset_load(struct seqset *set, struct buf_reader *in)
{
    seqset_fini(set);
    set->through = buf_read_varint(in);
    uint64_t count = buf_read_varint(in);
    bool is_sound = !in->failed && count <= SEQSET_RANGES_MAX;
    for (uint64_t i = 0; is_sound && i < count; i++)
        is_sound = load_range(set, in);
    if (is_sound)
        return ERR_OK;
    seqset_fini(set);
    return ERR_CORRUPT;
}
