// SPDX-License-Identifier: Apache-2.0
/*
 * protocol_lives - lives of several agents and a collector with a bad network between.
 *
 * Both sides are the pure cores which the daemons run: agent_core_step() and
 * collector_core_step(). Around them a world by seed: a broker that drops, doubles,
 * delays, reorders and cuts; power cuts and kills of both sides, also while a journal is
 * being read again; an agent's disk that is full; a collector that comes back from an
 * older copy; clocks that are unset, set late, step and drift; a gap that is given up; a
 * clone of an agent's folder that goes on by itself. A life has at least three agents and
 * 1,000 packs. Then the world heals, and every reading that an agent had on its disk must
 * have had its turn in the collector, once and in order, or a LOSS must name it. What the
 * cores say is compared with plain arrays that share no code with them.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "collector/pipeline/collector_core.h"
#include "edge-agent/uplink_core.h"
#include "tests/sim/swarm.h"

#include "tests/sim/world.h"

/* A clock that was set and stepped before it said so is wrong by as much. */
#define DATED_WITHIN_MS 6000

static const char *const kinds[] = {
    [KIND_DROPPED] = "message dropped",
    [KIND_DOUBLED] = "message doubled",
    [KIND_REORDERED] = "message overtaken",
    [KIND_PARTITION] = "partition",
    [KIND_SESSION_CUT] = "session cut",
    [KIND_FOREIGN_ACK] = "ack of another session",
    [KIND_RETAINED_ACK] = "retained ack",
    [KIND_AGENT_KILLED] = "agent killed",
    [KIND_AGENT_POWER] = "agent's power cut",
    [KIND_COLLECTOR_KILLED] = "collector killed",
    [KIND_COLLECTOR_POWER] = "collector's power cut",
    [KIND_CRASH_WHILE_READING_AGAIN] = "crash while reading the journal again",
    [KIND_RESTORED] = "collector restored from an older copy",
    [KIND_DISK_FULL] = "agent's disk full",
    [KIND_CLOCK_STEP] = "collector's clock stepped",
    [KIND_CREDITS] = "credits changed",
    [KIND_SLOT_WAITED] = "slot waited for",
    [KIND_ASKED_FOR_A_GAP] = "gap asked for",
    [KIND_LOSS_TOLD] = "loss told",
    [KIND_RESENT] = "pack resent",
    [KIND_CLONED] = "agent's folder cloned",
    [KIND_FORK_TOLD] = "fork told, new epoch begun",
    [KIND_TAKEN_ALONG] = "pack taken along",
    [KIND_MARKS_LOST] = "agent's newest marks lost",
    [KIND_GIVEN_UP] = "gap given up",
    [KIND_CLOCK_UNSET] = "agent's clock unset at boot",
    [KIND_CLOCK_SET_LATE] = "agent's clock set late",
    [KIND_AGENT_CLOCK_STEP] = "agent's clock stepped",
    [KIND_CLOCK_DRIFTED] = "agent's clock drifted",
    [KIND_DATED_BY_FIX] = "reading dated by a clock fix",
};

/* ---- time -------------------------------------------------------------------------- */

static void arrive(struct world *world, struct flying *flying)
{
    if (flying->kind != TO_ACK) {
        if (world->collector.is_up)
            collector_takes(world, flying);
        else
            world_count(world, KIND_DROPPED);
    }
    for (size_t i = 0; i < AGENTS && flying->kind == TO_ACK; i++) {
        struct agent *agent = &world->agents[i];
        if (agent->exists && agent->device == flying->device && agent->is_connected)
            agent_take_ack(world, agent, flying);
    }
    message_destroy(flying);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return b != 0 && b < a ? b : a;
}

static int64_t next_time(const struct world *world)
{
    int64_t next = world->now_ms + 3600000;
    if (world->flying_count > 0)
        next = earlier(next, world->flying[0]->at_ms);
    for (size_t i = 0; i < AGENTS; i++) {
        const struct agent *agent = &world->agents[i];
        if (!agent->exists)
            continue;
        next = earlier(next, agent->timer_ms);
        next = earlier(next, agent->connect_ms);
        if (agent->packs < PACKS_EACH)
            next = earlier(next, agent->pack_ms);
    }
    const struct collector *collector = &world->collector;
    if (collector->is_up && collector_has_line(collector))
        next = earlier(next, collector_core_slot_ends_ms(&collector->core));
    next = earlier(next, collector->is_up ? collector->sync_ms : collector->start_ms);
    for (unsigned i = 0; i < DEVICES && collector->is_up; i++)
        next = earlier(next, collector->devices[i].ack_due_ms);
    if (!world->is_healed)
        next = earlier(next, world->mischief_ms);
    return next > world->now_ms ? next : world->now_ms;
}

static void turn_agent(struct world *world, struct agent *agent)
{
    if (!agent->exists)
        return;
    if (agent->connect_ms != 0 && agent->connect_ms <= world->now_ms)
        agent_connect(world, agent);
    if (agent->packs < PACKS_EACH && agent->pack_ms <= world->now_ms)
        agent_close_pack(world, agent);
    if (agent->timer_ms != 0 && agent->timer_ms <= world->now_ms) {
        agent->timer_ms = 0;
        agent_feed(world, agent, (struct agent_event){.kind = AGENT_TIMER});
        agent_sync(world, agent);
    }
}

static void turn_collector(struct world *world)
{
    struct collector *collector = &world->collector;
    if (!collector->is_up) {
        if (collector->start_ms <= world->now_ms)
            collector_start(world);
        return;
    }
    if (collector->sync_ms != 0 && collector->sync_ms <= world->now_ms) {
        collector->synced = collector->count;
        collector->sync_ms = 0;
    }
    /* Sometimes it dies with records that are synced and not read yet. */
    if (world->is_healed || world_draw(world, 8) != 0)
        collector_advance(world);
    if (world_draw(world, 200) == 0)
        collector_checkpoint(collector);
    collector_give_slots(world);
    for (unsigned i = 0; i < DEVICES; i++)
        if (collector_ack_is_due(world, i))
            collector_send_ack(world, i);
}

static void step(struct world *world)
{
    world->now_ms = next_time(world);
    while (world->flying_count > 0 && world->flying[0]->at_ms <= world->now_ms)
        arrive(world, network_land(world));
    for (size_t i = 0; i < AGENTS; i++)
        turn_agent(world, &world->agents[i]);
    turn_collector(world);
    if (!world->is_healed && world->mischief_ms <= world->now_ms)
        mischief_do(world);
}

/* ---- what must hold ---------------------------------------------------------------- */

static bool has_gaps(const struct world *world)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct collector_device *device = &world->collector.devices[i];
        for (size_t k = 0; k < device->epoch_count; k++)
            if (device->epochs[k].window.taken.count > 0)
                return true;
    }
    return false;
}

static bool is_settled(const struct world *world)
{
    for (size_t i = 0; i < AGENTS; i++) {
        const struct agent *agent = &world->agents[i];
        if (agent->exists &&
            (agent->packs < PACKS_EACH || agent_core_backlog(&agent->core) > 0))
            return false;
    }
    const struct collector *collector = &world->collector;
    return collector->is_up && collector->fed == collector->count &&
           world->flying_count == 0 && !has_gaps(world);
}

static void check_settled(struct world *world)
{
    for (size_t i = 0; i < AGENTS; i++)
        if (world->agents[i].exists && agent_core_backlog(&world->agents[i].core) > 0)
            swarm_broke(world->life, "everything-arrives-in-the-end",
                        "agent %zu still has %llu packs after 12 h", i,
                        (unsigned long long)agent_core_backlog(&world->agents[i].core));
}

/* Where it is, for who looks into a life. */
static void tell_reading(const struct world *world, size_t reading)
{
    for (size_t i = 0; i < AGENTS; i++)
        for (size_t k = 0; k < world->agents[i].epoch_count; k++) {
            const struct disk_epoch *epoch = &world->agents[i].epochs[k];
            for (uint64_t seq = 1; seq <= epoch->last; seq++)
                if (epoch->bodies[seq].reading == reading)
                    swarm_say(
                        world->life,
                        "reading %zu: agent %zu, epoch %zu, seq %llu of [%llu, %llu]%s",
                        reading, i, k, (unsigned long long)seq,
                        (unsigned long long)epoch->first, (unsigned long long)epoch->last,
                        epoch->bodies[seq].is_rescued ? ", rescued" : "");
        }
    for (size_t i = 0; i < world->collector.count; i++)
        if (world->collector.journal[i].body.reading == reading)
            swarm_say(world->life, "reading %zu: record %zu, epoch %llx, seq %llu%s",
                      reading, i, (unsigned long long)world->collector.journal[i].epoch,
                      (unsigned long long)world->collector.journal[i].seq,
                      world->collector.journal[i].had_turn ? ", had its turn" : "");
}

static void note_held(struct world *world)
{
    for (size_t i = 0; i < AGENTS; i++)
        for (size_t k = 0; k < world->agents[i].epoch_count; k++) {
            const struct disk_epoch *epoch = &world->agents[i].epochs[k];
            for (uint64_t seq = epoch->first; seq <= epoch->last; seq++)
                world->readings[epoch->bodies[seq].reading].is_held = true;
        }
}

static void check_readings(struct world *world)
{
    struct swarm_tally *tally = &world->life->tally;
    note_held(world);
    for (size_t i = 1; i < world->reading_count; i++) {
        const struct truth *truth = &world->readings[i];
        bool is_excused = truth->is_trimmed && !truth->is_held;
        bool is_there = truth->stored > 0 && truth->heard > 0;
        if (truth->is_promised && !is_there && !is_excused) {
            tally->lost++;
            tell_reading(world, i);
            swarm_broke(world->life, "nothing-promised-is-lost", "reading %zu", i);
        }
        if (truth->turns > 1 || truth->stored > 1) {
            tally->doubled++;
            tell_reading(world, i);
            swarm_broke(world->life, "nothing-is-doubled", "reading %zu has had %u turns",
                        i, truth->turns);
        }
    }
}

/* The last one of that boot, which is what the history goes by; NULL: none came. */
static const struct record *fix_of(const struct world *world, uint64_t boot)
{
    const struct collector *collector = &world->collector;
    for (size_t i = collector->count; i > 0; i--) {
        const struct record *record = &collector->journal[i - 1];
        if (record->is_stored && record->body.kind == PACK_CLOCK_FIX &&
            record->body.boot == boot)
            return record;
    }
    return NULL;
}

/* Whoever holds a fix has delivered it, as it does readings. */
static void check_fixes(struct world *world)
{
    for (size_t i = 0; i < AGENTS; i++)
        for (size_t k = 0; k < world->agents[i].epoch_count; k++) {
            const struct disk_epoch *epoch = &world->agents[i].epochs[k];
            for (uint64_t seq = epoch->first; seq <= epoch->last; seq++)
                if (epoch->bodies[seq].kind == PACK_CLOCK_FIX &&
                    fix_of(world, epoch->bodies[seq].boot) == NULL)
                    swarm_broke(world->life, "every-fix-arrives", "agent %zu, seq %llu",
                                i, (unsigned long long)seq);
        }
}

/* What a fix makes of a reading's time is when it was taken. */
static void check_dates(struct world *world)
{
    for (size_t i = 0; i < world->collector.count; i++) {
        const struct record *record = &world->collector.journal[i];
        const struct body *body = &record->body;
        const struct record *fix =
            record->is_stored && body->is_unset ? fix_of(world, body->boot) : NULL;
        if (fix == NULL)
            continue;
        int64_t dated_ms = body->claim_ms - body->offset_ms + fix->body.offset_ms;
        int64_t wrong_ms = dated_ms - world->readings[body->reading].was_ms;
        world->life->tally.kinds[KIND_DATED_BY_FIX]++;
        if (wrong_ms > DATED_WITHIN_MS || wrong_ms < -DATED_WITHIN_MS)
            swarm_broke(world->life, "readings-are-dated-right", "reading %u by %lld ms",
                        body->reading, (long long)wrong_ms);
    }
}

/* No epoch has a gap left: each was closed by DATA or LOSS. */
static void check_gaps(struct world *world)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct collector_device *device = &world->collector.devices[i];
        for (size_t k = 0; k < device->epoch_count; k++) {
            const struct collector_epoch *epoch = &device->epochs[k];
            if (epoch->window.taken.count > 0)
                swarm_broke(world->life, "every-gap-closes", "device %u, epoch %zu", i,
                            k);
        }
    }
}

/* ---- a life ------------------------------------------------------------------------ */

static void begin(struct world *world)
{
    static const double drops[] = {0, 0.01, 0.1, 0.3};
    static const int64_t delays[] = {5, 200, 5000, 30000};
    world->now_ms = 1;
    world->drop = drops[world_draw(world, 4)];
    world->duplicate = drops[world_draw(world, 4)];
    world->delay_ms = delays[world_draw(world, 4)];
    world->mischief = rng_uniform(&world->rng);
    mischief_draw(world);
    world->mischief_ms = 1000;
    collector_start(world);
    for (unsigned i = 0; i < DEVICES; i++) {
        struct agent *agent = &world->agents[i];
        agent->device = i;
        agent->exists = true;
        agent->pack_ms = 1 + (int64_t)world_draw(world, PACK_EVERY_MS);
        disk_begin_epoch(world, agent);
        agent_start(world, agent, false);
    }
}

static void heal(struct world *world)
{
    world->is_healed = true;
    for (size_t i = 0; i < AGENTS; i++)
        world->agents[i].packs -= world->agents[i].exists ? PACKS_HEALED : 0;
    world->drop = world->duplicate = 0;
    world->delay_ms = 50;
    world->partition_until_ms = 0;
    int64_t end_ms = world->now_ms + HEALED_MAX_MS;
    while (world->now_ms < end_ms && !is_settled(world))
        step(world);
}

static bool has_packs_left(const struct world *world)
{
    for (size_t i = 0; i < AGENTS; i++)
        if (world->agents[i].exists && world->agents[i].packs < PACKS_EACH)
            return true;
    return false;
}

static void finish(struct world *world)
{
    for (size_t i = 0; i < AGENTS; i++)
        agent_fini(&world->agents[i]);
    while (world->flying_count > 0)
        message_destroy(network_land(world));
    collector_fini(&world->collector);
    free(world->readings);
}

static void live(struct swarm_life *life)
{
    struct world *world = mem_alloc(sizeof *world);
    world->life = life;
    world->rng.state = life->seed;
    begin(world);
    while (has_packs_left(world) && life->why[0] == '\0')
        step(world);
    heal(world);
    check_settled(world);
    check_readings(world);
    check_gaps(world);
    check_fixes(world);
    check_dates(world);
    finish(world);
    free(world);
}

int main(int argc, char **argv)
{
    const struct swarm swarm = {
        .name = "protocol_lives",
        .step_name = "packs",
        .kinds = kinds,
        .kind_count = sizeof kinds / sizeof kinds[0],
        .default_seeds = 20000,
        .live = live,
    };
    return swarm_main(&swarm, argc, argv);
}
