// SPDX-License-Identifier: Apache-2.0
/* What goes wrong, and when. */
#include <string.h>

#include "base/mem.h"
#include "tests/sim/world.h"

static struct agent *some_agent(struct world *world)
{
    struct agent *agent = &world->agents[world_draw(world, AGENTS)];
    return agent->exists ? agent : &world->agents[0];
}

static void cut_network(struct world *world)
{
    world_count(world, KIND_PARTITION);
    world->partition_until_ms = world->now_ms + 1 + (int64_t)world_draw(world, 300000);
}

static void cut_session(struct world *world)
{
    world_count(world, KIND_SESSION_CUT);
    agent_disconnect(world, some_agent(world));
}

/* It claims more than anybody has, and must be believed in nothing. */
static void forge_ack(struct world *world)
{
    if (!world->collector.is_up)
        return;
    unsigned device = (unsigned)world_draw(world, DEVICES);
    struct flying *flying = message_make(TO_ACK, device);
    collector_core_ack(&world->collector.core, &world->collector.devices[device],
                       world->now_ms, &flying->ack);
    flying->is_retained = world_draw(world, 2) == 0;
    if (!flying->is_retained)
        flying->ack.nonce[0] = '?';
    for (size_t i = 0; i < flying->ack.epoch_count; i++)
        flying->ack.epochs[i].through += 1000;
    world_count(world, flying->is_retained ? KIND_RETAINED_ACK : KIND_FOREIGN_ACK);
    network_launch(world, flying);
}

static void agent_dies(struct world *world)
{
    struct agent *agent = some_agent(world);
    bool has_room = agent->epoch_count < EPOCHS_MAX - 8;
    agent_crash(world, agent, has_room && world_draw(world, 2) == 0);
}

static void collector_dies(struct world *world)
{
    bool is_power = world_draw(world, 2) == 0;
    if (!world->collector.is_up)
        return;
    world_count(world, is_power ? KIND_COLLECTOR_POWER : KIND_COLLECTOR_KILLED);
    collector_stop(world, is_power);
}

/* The oldest packs make room, acked or not. */
static void fill_disk(struct world *world)
{
    struct agent *agent = some_agent(world);
    struct disk_epoch *epoch = agent->epochs; /* the oldest one that holds any */
    const struct disk_epoch *current = epoch + agent->epoch_count - 1;
    while (epoch != current && epoch->synced < epoch->first)
        epoch++;
    if (epoch == current && epoch->synced < epoch->first + 8)
        return;
    world_count(world, KIND_DISK_FULL);
    for (uint64_t left = 1 + world_draw(world, 4);
         left > 0 && epoch->first <= epoch->synced; left--)
        world->readings[epoch->bodies[epoch->first++].reading].is_trimmed = true;
    agent_feed(world, agent,
               (struct agent_event){
                   .kind = AGENT_TRIMMED, .epoch = epoch->epoch, .seq = epoch->first});
    agent_sync(world, agent);
}

static void clone_agent(struct world *world)
{
    struct agent *from = some_agent(world); /* a clone is cloned as well */
    struct agent *clone = &world->agents[DEVICES];
    while (clone->exists && clone + 1 < world->agents + AGENTS)
        clone++;
    if (clone->exists || from->packs < 20)
        return;
    world_count(world, KIND_CLONED);
    *clone = (struct agent){.device = from->device,
                            .exists = true,
                            .epoch_count = from->epoch_count,
                            .packs = from->packs,
                            .pack_ms = world->now_ms + 1,
                            .boot = rng_next(&world->rng) | 1};
    for (size_t i = 0; i < from->epoch_count; i++) {
        struct disk_epoch *copy = &clone->epochs[i];
        *copy = from->epochs[i];
        copy->last = copy->synced; /* what was not synced is not in the copy */
        copy->capacity = copy->last + 1;
        copy->bodies = mem_array(copy->capacity, sizeof *copy->bodies);
        if (copy->last > 0)
            memcpy(copy->bodies, from->epochs[i].bodies,
                   copy->capacity * sizeof *copy->bodies);
    }
    buf_add(&clone->marks, from->marks.data, from->marks.len);
    swarm_say(world->life, "%lld: agent %u is cloned", (long long)world->now_ms,
              from->device);
    agent_start(world, clone, false);
}

static void step_clock(struct world *world)
{
    world_count(world, KIND_CLOCK_STEP);
    world->wall_offset_ms += (int64_t)world_draw(world, 7200000) - 3600000;
}

static void change_credits(struct world *world)
{
    world_count(world, KIND_CREDITS);
    world->collector.core.credits = 1 + (uint32_t)world_draw(world, 30);
    world->collector.core.slots_max = 1 + (size_t)world_draw(world, DEVICES);
}

static void back_up(struct world *world)
{
    if (world->collector.is_up && world_draw(world, 2) == 0)
        collector_checkpoint(&world->collector);
    collector_back_up(&world->collector);
}

static void give_up(struct world *world)
{
    unsigned device = (unsigned)world_draw(world, DEVICES);
    const struct collector_device *at = &world->collector.devices[device];
    struct seq_range gap;
    for (size_t i = 0; i < at->epoch_count && world->collector.is_up; i++) {
        if (!seqset_first_gap(&at->epochs[i].window.taken, &gap))
            continue;
        world_count(world, KIND_GIVEN_UP);
        collector_give_up(world, device, at->epochs[i].epoch);
        return;
    }
}

static void set_a_clock(struct world *world)
{
    agent_set_clock(world, some_agent(world));
}

static void (*const mischiefs[])(struct world *world) = {
    cut_network,       cut_session, forge_ack,   agent_dies,     collector_dies,
    fill_disk,         clone_agent, step_clock,  change_credits, back_up,
    collector_restore, give_up,     set_a_clock,
};
#define MISCHIEFS (sizeof mischiefs / sizeof mischiefs[0])

void mischief_draw(struct world *world)
{
    world->known = (unsigned)world_draw(world, 1u << MISCHIEFS);
}

void mischief_do(struct world *world)
{
    size_t which = (size_t)world_draw(world, MISCHIEFS);
    if ((world->known & (1u << which)) != 0)
        mischiefs[which](world);
    world->mischief_ms =
        world->now_ms + 1 +
        (int64_t)world_draw(world, (uint64_t)(2000 + 400000 * world->mischief));
}
