// SPDX-License-Identifier: Apache-2.0
#include "telemetry/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Of a saved one: as many as gaps can make. */
#define EDGES_MAX (2 * SEQSET_RANGES_MAX + 2)

static_assert(WINDOW_HASHES <= 8, "a saved mask has eight bits");

void window_fini(struct window *window)
{
    seqset_fini(&window->taken);
    free(window->edges);
    *window = (struct window){0};
}

static uint64_t edge_hash(const struct window *window, uint64_t seq, bool is_asked)
{
    for (uint32_t i = 0; i < window->edge_count; i++)
        if (window->edges[i].seq == seq && window->edges[i].is_asked == is_asked)
            return window->edges[i].hash;
    return 0;
}

static void add_edge(struct window *window, uint64_t seq, uint64_t hash, bool is_asked)
{
    if (hash == 0)
        return;
    size_t capacity = window->edge_capacity;
    mem_grow(&window->edges, &capacity, window->edge_count + 1, sizeof *window->edges);
    window->edge_capacity = (uint32_t)capacity;
    window->edges[window->edge_count++] =
        (struct window_edge){.seq = seq, .hash = hash, .is_asked = is_asked};
}

/* Those within a closed gap, and those that no gap is beside any more. */
static void drop_edges(struct window *window)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < window->edge_count; i++) {
        struct window_edge edge = window->edges[i];
        uint64_t missing = edge.is_asked ? edge.seq : edge.seq + 1;
        if (!seqset_has(&window->taken, missing) && edge.seq > window->taken.through)
            window->edges[kept++] = edge;
    }
    window->edge_count = kept;
}

static uint64_t *slot(struct window *window, uint64_t seq)
{
    return &window->hashes[seq % WINDOW_HASHES];
}

uint64_t window_hash(const struct window *window, uint64_t seq)
{
    if (seq == 0 || seq > window->newest)
        return 0;
    if (window->newest - seq < WINDOW_HASHES && window->hashes[seq % WINDOW_HASHES] != 0)
        return window->hashes[seq % WINDOW_HASHES];
    if (seq == window->taken.through && window->mark_hash != 0)
        return window->mark_hash;
    return edge_hash(window, seq, false);
}

/* Both known and different. */
static bool differ(uint64_t a, uint64_t b)
{
    return a != 0 && b != 0 && a != b;
}

enum window_verdict window_judge(const struct window *window, uint64_t seq, uint64_t hash,
                                 uint64_t previous_hash)
{
    assert(seq > 0);
    if (seqset_has(&window->taken, seq))
        return differ(window_hash(window, seq), hash) ? WINDOW_FORK : WINDOW_DUPLICATE;
    bool fits = !differ(window_hash(window, seq - 1), previous_hash) &&
                !differ(edge_hash(window, seq, true), hash);
    return fits ? WINDOW_NEW : WINDOW_FORK;
}

static void remember(struct window *window, uint64_t seq, uint64_t hash)
{
    if (seq > window->newest) {
        uint64_t step = seq - window->newest;
        for (uint64_t i = 1; i <= step && i <= WINDOW_HASHES; i++)
            *slot(window, window->newest + i) = 0;
        window->newest = seq;
    }
    if (window->newest - seq < WINDOW_HASHES)
        *slot(window, seq) = hash;
}

/* The mark went from `before` to where it is. */
static void move_mark(struct window *window, uint64_t before, uint64_t hash)
{
    uint64_t through = window->taken.through;
    if (through == before)
        return;
    window->mark_hash = 0;
    window->mark_hash = hash != 0 ? hash : window_hash(window, through);
}

enum window_verdict window_take(struct window *window, uint64_t seq, uint64_t hash,
                                uint64_t previous_hash)
{
    enum window_verdict verdict = window_judge(window, seq, hash, previous_hash);
    if (verdict != WINDOW_NEW)
        return verdict;
    uint64_t before = window->taken.through;
    if (seqset_add(&window->taken, seq) != ERR_OK)
        return WINDOW_FULL;
    remember(window, seq, hash);
    move_mark(window, before, window->taken.through == seq ? hash : 0);
    if (window->edge_count > 0)
        drop_edges(window);
    if (seq > window->taken.through) { /* a gap is before it, and perhaps behind it */
        if (!seqset_has(&window->taken, seq - 1))
            add_edge(window, seq - 1, previous_hash, true);
        if (!seqset_has(&window->taken, seq + 1))
            add_edge(window, seq, hash, false);
    }
    return WINDOW_NEW;
}

enum err window_close(struct window *window, uint64_t first, uint64_t last)
{
    uint64_t before = window->taken.through;
    enum err err = seqset_add_range(&window->taken, first, last);
    if (err == ERR_OK) {
        move_mark(window, before, 0);
        drop_edges(window);
    }
    return err;
}

void window_save(const struct window *window, struct buf *out)
{
    uint8_t mask = 0;
    for (int i = 0; i < WINDOW_HASHES; i++)
        mask |= (uint8_t)((window->hashes[i] != 0) << i);
    seqset_save(&window->taken, out);
    buf_u64(out, window->mark_hash);
    buf_varint(out, window->newest);
    buf_u8(out, mask);
    for (int i = 0; i < WINDOW_HASHES; i++)
        if (window->hashes[i] != 0)
            buf_u64(out, window->hashes[i]);
    buf_varint(out, window->edge_count);
    for (uint32_t i = 0; i < window->edge_count; i++) {
        buf_varint(out, window->edges[i].seq);
        buf_u64(out, window->edges[i].hash);
        buf_u8(out, window->edges[i].is_asked);
    }
}

static void load_edges(struct window *window, struct buf_reader *in)
{
    uint64_t count = buf_read_varint(in);
    if (count > EDGES_MAX)
        in->failed = true;
    for (uint64_t i = 0; i < count && !in->failed; i++) {
        uint64_t seq = buf_read_varint(in);
        uint64_t hash = buf_read_u64(in);
        add_edge(window, seq, hash, buf_read_u8(in) != 0);
    }
}

enum err window_load(struct window *window, struct buf_reader *in)
{
    window_fini(window);
    enum err err = seqset_load(&window->taken, in);
    if (err != ERR_OK)
        return err;
    window->mark_hash = buf_read_u64(in);
    window->newest = buf_read_varint(in);
    uint8_t mask = buf_read_u8(in);
    for (int i = 0; i < WINDOW_HASHES; i++)
        if ((mask >> i & 1) != 0)
            window->hashes[i] = buf_read_u64(in);
    load_edges(window, in);
    if (!in->failed)
        return ERR_OK;
    window_fini(window);
    return ERR_CORRUPT;
}
