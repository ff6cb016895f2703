// SPDX-License-Identifier: Apache-2.0
/* An agent: its disk, its core, and the process around it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tests/sim/world.h"

#define YEARS_MS  INT64_C(1790000000000)
#define OFF_BY_MS 5000 /* a clock that is wrong but set */

/* ---- an agent's disk --------------------------------------------------------------- */

struct disk_epoch *disk_epoch_of(struct agent *agent, uint64_t epoch)
{
    for (size_t i = 0; i < agent->epoch_count; i++)
        if (agent->epochs[i].epoch == epoch)
            return &agent->epochs[i];
    return NULL;
}

static struct disk_epoch *current_epoch(struct agent *agent)
{
    assert(agent->epoch_count > 0);
    return &agent->epochs[agent->epoch_count - 1];
}

struct disk_epoch *disk_begin_epoch(struct world *world, struct agent *agent)
{
    assert(agent->epoch_count < EPOCHS_MAX);
    struct disk_epoch *made = &agent->epochs[agent->epoch_count++];
    *made = (struct disk_epoch){.epoch = rng_next(&world->rng) | 1, .first = 1};
    return made;
}

static uint64_t write_pack(struct world *world, struct agent *agent, struct body body)
{
    struct disk_epoch *epoch = current_epoch(agent);
    uint64_t seq = ++epoch->last;
    mem_grow(&epoch->bodies, &epoch->capacity, seq + 1, sizeof *epoch->bodies);
    body.hash = rng_next(&world->rng) | 1;
    body.previous_hash = seq > 1 ? epoch->bodies[seq - 1].hash : 0;
    epoch->bodies[seq] = body;
    return seq;
}

static uint32_t new_reading(struct world *world)
{
    if (world->reading_count == 0)
        world->reading_count = 1; /* 0 is none */
    mem_grow(&world->readings, &world->reading_capacity, world->reading_count + 1,
             sizeof *world->readings);
    world->readings[world->reading_count] = (struct truth){0};
    return (uint32_t)world->reading_count++;
}

/* From here on it is one. */
static void promise(struct world *world, const struct disk_epoch *epoch, uint64_t seq)
{
    uint32_t reading = epoch->bodies[seq].reading;
    if (reading != 0)
        world->readings[reading].is_promised = true;
}

void agent_sync(struct world *world, struct agent *agent)
{
    for (size_t i = 0; i < agent->epoch_count; i++) {
        struct disk_epoch *epoch = &agent->epochs[i];
        while (epoch->synced < epoch->last) {
            uint64_t seq = ++epoch->synced;
            promise(world, epoch, seq);
            agent_feed(world, agent,
                       (struct agent_event){.kind = AGENT_PACK_SYNCED,
                                            .epoch = epoch->epoch,
                                            .seq = seq,
                                            .is_urgent = rng_chance(&world->rng, 0.05)});
        }
    }
}

static void publish(struct world *world, const struct agent *agent,
                    const struct disk_epoch *epoch, uint64_t seq)
{
    if (seq < epoch->first || seq > epoch->synced) {
        swarm_broke(world->life, "only-what-is-synced-is-sent",
                    "seq %llu of [%llu, %llu]", (unsigned long long)seq,
                    (unsigned long long)epoch->first, (unsigned long long)epoch->synced);
        return;
    }
    for (int i = network_doubles(world) ? 2 : 1; i > 0; i--) {
        struct flying *flying = message_make(TO_PACK, agent->device);
        flying->epoch = epoch->epoch;
        flying->seq = seq;
        flying->body = epoch->bodies[seq];
        network_launch(world, flying);
    }
}

static void write_loss(struct world *world, struct agent *agent,
                       const struct agent_action *action)
{
    bool is_own = action->epoch == current_epoch(agent)->epoch;
    write_pack(world, agent,
               (struct body){.kind = PACK_LOSS,
                             .ended = is_own ? 0 : action->epoch,
                             .from = action->from,
                             .to = action->to});
    world_count(world, KIND_LOSS_TOLD);
}

static void end_epoch(struct world *world, struct agent *agent)
{
    struct disk_epoch ended = *current_epoch(agent);
    disk_begin_epoch(world, agent);
    write_pack(
        world, agent,
        (struct body){.kind = PACK_EPOCH_END, .ended = ended.epoch, .to = ended.last});
}

static void write_moved(struct world *world, struct agent *agent,
                        const struct agent_action *action)
{
    write_pack(world, agent,
               (struct body){.kind = PACK_THINNED,
                             .ended = action->epoch,
                             .from = action->from,
                             .to = action->to});
}

static void fork_epoch(struct world *world, struct agent *agent,
                       const struct agent_action *action)
{
    if (action->epoch != current_epoch(agent)->epoch || agent->epoch_count == EPOCHS_MAX)
        return;
    world_count(world, KIND_FORK_TOLD);
    swarm_say(world->life, "%lld: agent %zu leaves epoch %llx, by a fork",
              (long long)world->now_ms, (size_t)(agent - world->agents),
              (unsigned long long)action->epoch);
    end_epoch(world, agent);
}

/* Whole, under new names; what tells of other packs is said again as it was. */
static void take_along(struct world *world, struct agent *agent,
                       const struct agent_action *action)
{
    if (action->is_fork && action->epoch == current_epoch(agent)->epoch)
        return;
    swarm_say(world->life, "%lld: agent %zu takes along %llu to %llu of epoch %llx%s",
              (long long)world->now_ms, (size_t)(agent - world->agents),
              (unsigned long long)action->from, (unsigned long long)action->to,
              (unsigned long long)action->epoch, action->is_fork ? ", by a fork" : "");
    for (uint64_t seq = action->from; seq <= action->to; seq++) {
        struct body old = disk_epoch_of(agent, action->epoch)->bodies[seq];
        if ((old.kind != PACK_DATA && old.kind != PACK_THINNED) || old.is_rescued) {
            if (old.ended == 0 && old.kind != PACK_CLOCK_FIX)
                old.ended = action->epoch;
            write_pack(world, agent, old);
            old.reading = 0;
        }
        world_count(world, KIND_TAKEN_ALONG);
        write_pack(world, agent,
                   (struct body){.kind = PACK_THINNED,
                                 .ended = action->epoch,
                                 .from = seq,
                                 .to = seq,
                                 .reading = old.reading,
                                 .is_unset = old.is_unset,
                                 .boot = old.boot,
                                 .claim_ms = old.claim_ms,
                                 .offset_ms = old.offset_ms,
                                 .is_rescued = true,
                                 .tells_fork = action->is_fork});
    }
    agent_sync(world, agent);
    agent_feed(world, agent,
               (struct agent_event){.kind = AGENT_THINNED,
                                    .epoch = action->epoch,
                                    .seq = action->from,
                                    .to = action->to});
}

static void say_hello(struct world *world, struct agent *agent)
{
    for (int i = network_doubles(world) ? 2 : 1; i > 0; i--) {
        struct flying *flying = message_make(TO_HELLO, agent->device);
        agent_core_hello(&agent->core, &flying->hello);
        network_launch(world, flying);
    }
}

static void carry_out(struct world *world, struct agent *agent,
                      const struct agent_action *action)
{
    switch (action->kind) {
    case AGENT_PUBLISH:
        publish(world, agent, disk_epoch_of(agent, action->epoch), action->seq);
        break;
    case AGENT_PUBLISH_HELLO:
        say_hello(world, agent);
        break;
    case AGENT_SET_TIMER:
        agent->timer_ms = action->at_ms;
        break;
    case AGENT_WRITE_LOSS:
        write_loss(world, agent, action);
        break;
    case AGENT_WRITE_MOVED:
        write_moved(world, agent, action);
        break;
    case AGENT_NEW_EPOCH:
        fork_epoch(world, agent, action);
        break;
    case AGENT_TAKE_ALONG:
        take_along(world, agent, action);
        break;
    case AGENT_SAVE_MARKS:
        buf_clear(&agent->old_marks);
        buf_add(&agent->old_marks, agent->marks.data, agent->marks.len);
        buf_clear(&agent->marks);
        agent_core_save(&agent->core, &agent->marks);
        break;
    }
}

static void handle(struct world *world, struct agent *agent, struct agent_event event)
{
    struct agent_actions actions = {0};
    event.now_ms = world->now_ms;
    uint64_t resent = agent->core.counts.resent;
    agent_core_step(&agent->core, &event, &actions);
    world->life->tally.kinds[KIND_RESENT] += agent->core.counts.resent - resent;
    for (size_t i = 0; i < actions.count; i++)
        carry_out(world, agent, &actions.list[i]);
    agent_actions_fini(&actions);
}

/* Events that carrying out one leads to are handled after it, as the uplink does. */
void agent_feed(struct world *world, struct agent *agent, struct agent_event event)
{
    mem_grow(&agent->queue, &agent->queue_capacity, agent->queue_count + 1,
             sizeof *agent->queue);
    agent->queue[agent->queue_count++] = event;
    if (agent->is_feeding)
        return;
    agent->is_feeding = true;
    for (size_t at = 0; at < agent->queue_count; at++)
        handle(world, agent, agent->queue[at]);
    agent->queue_count = 0;
    agent->is_feeding = false;
}

void agent_disconnect(struct world *world, struct agent *agent)
{
    if (!agent->is_connected)
        return;
    agent->is_connected = false;
    agent_feed(world, agent, (struct agent_event){.kind = AGENT_LOST});
    agent->connect_ms = world->now_ms + 1 + (int64_t)world_draw(world, 20000);
}

/* The broker lets one session of a name in: the one that comes last. */
void agent_connect(struct world *world, struct agent *agent)
{
    for (size_t i = 0; i < AGENTS; i++) {
        struct agent *other = &world->agents[i];
        if (other != agent && other->exists && other->device == agent->device)
            agent_disconnect(world, other);
    }
    char nonce[DELIVERY_NONCE_SIZE];
    snprintf(nonce, sizeof nonce, "%016llx%016llx",
             (unsigned long long)rng_next(&world->rng),
             (unsigned long long)rng_next(&world->rng));
    agent->is_connected = true;

    agent->connect_ms = 0;
    agent_feed(world, agent,
               (struct agent_event){.kind = AGENT_CONNECTED, .nonce = nonce});
}

/* An agent's process begins with what is on its disk. */
void agent_start(struct world *world, struct agent *agent, bool was_cut)
{
    agent_core_fini(&agent->core);
    agent_core_init(&agent->core, rng_next(&world->rng));
    for (size_t i = 0; i < agent->epoch_count; i++)
        agent_core_hold(&agent->core, agent->epochs[i].epoch, agent->epochs[i].first,
                        agent->epochs[i].last);
    if (agent->marks.len > 0 &&
        agent_core_load(&agent->core, agent->marks.data, agent->marks.len) != ERR_OK)
        swarm_broke(world->life, "marks-are-read-back", "they are not");
    agent->timer_ms = 0;
    agent->is_connected = false;
    agent->connect_ms = world->now_ms + 1 + (int64_t)world_draw(world, 3000);
    if (was_cut && agent->epoch_count < EPOCHS_MAX) {
        end_epoch(world, agent);
        agent_sync(world, agent);
    }
}

/* Recovery finds what was not synced, after a kill, and syncs it; or cuts it. */
static bool recover_disk(struct world *world, struct agent *agent, bool is_power)
{
    bool was_cut = false;
    for (size_t i = 0; i < agent->epoch_count; i++) {
        struct disk_epoch *epoch = &agent->epochs[i];
        was_cut = was_cut || (is_power && epoch->last > epoch->synced);
        if (is_power)
            epoch->last = epoch->synced;
        while (epoch->synced < epoch->last)
            promise(world, epoch, ++epoch->synced);
    }
    return was_cut;
}

/* Many have no battery for their clock: it begins in 1970. */
static void boot(struct world *world, struct agent *agent)
{
    agent->boot = rng_next(&world->rng) | 1;
    agent->owes_fix = false;
    agent->is_unset = world_draw(world, 2) == 0;
    agent->offset_ms = agent->is_unset ? -world->now_ms - YEARS_MS : 0;
    if (agent->is_unset)
        world_count(world, KIND_CLOCK_UNSET);
}

/* A little, now and then. */
static bool draw_drift(struct world *world, struct agent *agent)
{
    if (world_draw(world, 20) != 0)
        return false;
    agent->offset_ms += (int64_t)world_draw(world, 9) - 4;
    return true;
}

void agent_crash(struct world *world, struct agent *agent, bool is_power)
{
    world_count(world, is_power ? KIND_AGENT_POWER : KIND_AGENT_KILLED);
    if (is_power && agent->old_marks.len > 0 && world_draw(world, 2) == 0) {
        world_count(world, KIND_MARKS_LOST);
        buf_clear(&agent->marks);
        buf_add(&agent->marks, agent->old_marks.data, agent->old_marks.len);
    }
    agent_start(world, agent, recover_disk(world, agent, is_power));
    if (is_power)
        boot(world, agent);
}

/* Once it is set, it says what boot time was worth all the while. */
static void watch_clock(struct world *world, struct agent *agent)
{
    if (!agent->is_unset && draw_drift(world, agent))
        world_count(world, KIND_CLOCK_DRIFTED);
    if (agent->is_unset || !agent->owes_fix)
        return;
    agent->owes_fix = false;
    write_pack(world, agent,
               (struct body){.kind = PACK_CLOCK_FIX,
                             .boot = agent->boot,
                             .offset_ms = agent->offset_ms});
}

void agent_set_clock(struct world *world, struct agent *agent)
{
    if (agent->is_unset) {
        world_count(world, KIND_CLOCK_SET_LATE);
        agent->is_unset = false;
        agent->offset_ms = 0;
        return;
    }
    world_count(world, KIND_AGENT_CLOCK_STEP);
    agent->offset_ms = (int64_t)world_draw(world, 2 * OFF_BY_MS) - OFF_BY_MS;
}

/* Closes a pack; some wait in the cache until the next one. */
void agent_close_pack(struct world *world, struct agent *agent)
{
    watch_clock(world, agent);
    uint32_t reading = new_reading(world);
    world->readings[reading].was_ms = world->now_ms;
    agent->owes_fix |= agent->is_unset;
    write_pack(world, agent,
               (struct body){.reading = reading,
                             .is_unset = agent->is_unset,
                             .boot = agent->boot,
                             .claim_ms = world->now_ms + agent->offset_ms,
                             .offset_ms = agent->offset_ms});
    agent->packs++;
    world->life->tally.steps++;
    if (world_draw(world, 8) != 0 || agent->packs == PACKS_EACH)
        agent_sync(world, agent);
    agent->pack_ms =
        world->now_ms + PACK_EVERY_MS / 2 + (int64_t)world_draw(world, PACK_EVERY_MS);
}

static uint64_t disk_hash(const struct disk_epoch *held, uint64_t seq)
{
    bool is_held = held != NULL && seq >= held->first && seq <= held->last;
    return is_held ? held->bodies[seq].hash : 0;
}

void agent_take_ack(struct world *world, struct agent *agent, const struct flying *ack)
{
    struct agent_own own[DELIVERY_EPOCHS_MAX] = {0};
    for (size_t i = 0; i < ack->ack.epoch_count && i < DELIVERY_EPOCHS_MAX; i++) {
        const struct ack_epoch *said = &ack->ack.epochs[i];
        const struct disk_epoch *held = disk_epoch_of(agent, said->epoch);
        own[i].mark = disk_hash(held, said->through);
        for (size_t j = 0; j < said->seam_count; j++)
            own[i].seams[j] = disk_hash(held, said->seams[j].seq);
    }
    agent_feed(world, agent,
               (struct agent_event){.kind = AGENT_ACK,
                                    .ack = &ack->ack,
                                    .own = own,
                                    .is_retained = ack->is_retained});
    agent_sync(world, agent);
}

void agent_fini(struct agent *agent)
{
    agent_core_fini(&agent->core);
    free(agent->queue);
    buf_fini(&agent->marks);
    buf_fini(&agent->old_marks);
    for (size_t k = 0; k < agent->epoch_count; k++)
        free(agent->epochs[k].bodies);
}
