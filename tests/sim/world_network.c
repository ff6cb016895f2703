// SPDX-License-Identifier: Apache-2.0
/* The broker: what is on its way may be lost, doubled, late and out of order. */
#include "tests/sim/world.h"

#include <stdlib.h>

#include "base/mem.h"

void world_count(struct world *world, enum kind kind)
{
    world->life->tally.kinds[kind]++;
}

uint64_t world_draw(struct world *world, uint64_t bound)
{
    return rng_below(&world->rng, bound);
}

static bool comes_before(const struct flying *a, const struct flying *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void heap_swap(struct world *world, size_t a, size_t b)
{
    struct flying *swap = world->flying[a];
    world->flying[a] = world->flying[b];
    world->flying[b] = swap;
}

void message_destroy(struct flying *flying)
{
    ack_fini(&flying->ack);
    free(flying);
}

struct flying *network_land(struct world *world)
{
    struct flying *first = world->flying[0];
    world->flying[0] = world->flying[--world->flying_count];
    for (size_t i = 0, child = 1; child < world->flying_count; child = 2 * i + 1) {
        if (child + 1 < world->flying_count &&
            comes_before(world->flying[child + 1], world->flying[child]))
            child++;
        if (!comes_before(world->flying[child], world->flying[i]))
            break;
        heap_swap(world, i, child);
        i = child;
    }
    return first;
}

/* Takes the message; it may be lost, or late. */
void network_launch(struct world *world, struct flying *flying)
{
    bool is_cut = world->now_ms < world->partition_until_ms;
    if (is_cut || rng_chance(&world->rng, world->drop) ||
        world->flying_count == FLYING_MAX) {
        world_count(world, KIND_DROPPED);
        message_destroy(flying);
        return;
    }
    flying->at_ms =
        world->now_ms + 1 + (int64_t)world_draw(world, (uint64_t)world->delay_ms);
    flying->order = world->order++;
    int64_t *newest = &world->newest_ms[flying->device][flying->kind == TO_ACK];
    if (flying->at_ms < *newest)
        world_count(world, KIND_REORDERED);
    else
        *newest = flying->at_ms;
    size_t i = world->flying_count++;
    world->flying[i] = flying;
    for (; i > 0 && comes_before(world->flying[i], world->flying[(i - 1) / 2]);
         i = (i - 1) / 2)
        heap_swap(world, i, (i - 1) / 2);
}

struct flying *message_make(enum flying_kind kind, unsigned device)
{
    struct flying *flying = mem_alloc(sizeof *flying);
    flying->kind = kind;
    flying->device = device;
    return flying;
}

bool network_doubles(struct world *world)
{
    if (!rng_chance(&world->rng, world->duplicate))
        return false;
    world_count(world, KIND_DOUBLED);
    return true;
}
