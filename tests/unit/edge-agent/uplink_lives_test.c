// SPDX-License-Identifier: Apache-2.0
/*
 * Lives of one agent and one model collector with a network between them that drops,
 * doubles, delays and reorders, forges and retains acks, cuts sessions; with restarts of
 * both, and a collector that comes back from an older copy. One seed is one life. In the
 * end the network heals, and every pack must be in the collector, or named as lost.
 */
#include "edge-agent/uplink_core.h"

#include <assert.h>

#include "base/mem.h"
#include "tests/support/check.h"

#define LIVES         2500
#define EPOCHS_MAX    12
#define MESSAGES_MAX  2048
#define PACK_EVERY_MS 10000
#define HEALED_MAX_MS ((int64_t)6 * 3600 * 1000)

enum message_kind { TO_PACK, TO_HELLO, TO_ACK };

struct message {
    enum message_kind kind;
    int64_t at_ms;
    uint64_t epoch;
    uint64_t seq;
    struct hello hello;
    struct ack ack; /* owns its epochs */
    bool is_retained;
};

struct taken {
    uint64_t epoch;
    struct seqset set;
    struct seqset lost; /* told by LOSS */
    int64_t moved_ms;
};

/* What a collector remembers, and what a backup of it holds. */
struct store {
    struct taken epochs[EPOCHS_MAX];
    size_t count;
    uint64_t generation;
};

/* What the agent has on its disk. */
struct disk {
    uint64_t epochs[EPOCHS_MAX];
    uint64_t last[EPOCHS_MAX];
    uint64_t first[EPOCHS_MAX];
    size_t count;
    struct buf marks;
    struct {
        uint64_t epoch;
        uint64_t seq;
        struct agent_range lost;
    } losses[64]; /* LOSS packs: which seq says what */
    size_t loss_count;
};

struct world {
    struct rng rng;
    int64_t now_ms;
    struct agent_core agent;
    struct agent_actions actions;
    struct disk disk;
    int64_t timer_ms;
    int64_t next_pack_ms;
    struct store store;
    struct store backup;
    struct store ever; /* taken at any time, whatever was restored since */
    bool is_up;        /* the collector */
    char nonce[DELIVERY_NONCE_SIZE];
    bool ack_due;
    int64_t ack_at_ms;
    struct message *messages;
    size_t message_count;
    uint64_t published;
    /* which faults this life knows */
    double drop;
    double duplicate;
    int64_t delay_ms;
    double mischief; /* chance of one of the below per pack interval */
    uint32_t credits;
};

static const int64_t INTERVAL_MS = 2000;

/* ---- the network ---- */

static struct message *put(struct world *world, enum message_kind kind, int64_t delay_ms)
{
    if (world->message_count == MESSAGES_MAX)
        return NULL; /* a queue that overflows drops */
    struct message *message = &world->messages[world->message_count++];
    *message = (struct message){.kind = kind, .at_ms = world->now_ms + delay_ms};
    return message;
}

static int64_t some_delay(struct world *world)
{
    return 1 + (int64_t)rng_below(&world->rng, (uint64_t)world->delay_ms);
}

static bool is_dropped(struct world *world)
{
    return rng_chance(&world->rng, world->drop);
}

static int copies(struct world *world)
{
    return rng_chance(&world->rng, world->duplicate) ? 2 : 1;
}

/* ---- the collector ---- */

static struct taken *taken_of(struct store *store, uint64_t epoch)
{
    for (size_t i = 0; i < store->count; i++)
        if (store->epochs[i].epoch == epoch)
            return &store->epochs[i];
    assert(store->count < EPOCHS_MAX);
    struct taken *added = &store->epochs[store->count++];
    *added = (struct taken){.epoch = epoch};
    return added;
}

static void copy_set(struct seqset *to, const struct seqset *from)
{
    struct buf bytes = {0};
    seqset_save(from, &bytes);
    struct buf_reader reader = buf_reader_of(bytes.data, bytes.len);
    seqset_fini(to);
    *to = (struct seqset){0};
    CHECK(seqset_load(to, &reader) == ERR_OK);
    buf_fini(&bytes);
}

static void store_fini(struct store *store)
{
    for (size_t i = 0; i < store->count; i++) {
        seqset_fini(&store->epochs[i].set);
        seqset_fini(&store->epochs[i].lost);
    }
    *store = (struct store){0};
}

static void copy_store(struct store *to, const struct store *from)
{
    store_fini(to);
    to->generation = from->generation;
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        to->epochs[i].epoch = from->epochs[i].epoch;
        to->epochs[i].moved_ms = from->epochs[i].moved_ms;
        copy_set(&to->epochs[i].set, &from->epochs[i].set);
        copy_set(&to->epochs[i].lost, &from->epochs[i].lost);
    }
}

static void add_range(struct seqset *set, uint64_t first, uint64_t last)
{
    enum err err = seqset_add_range(set, first, last);
    CHECK(err == ERR_OK || err == ERR_EXISTS);
}

static void collector_takes(struct world *world, uint64_t epoch, uint64_t seq)
{
    struct taken *taken = taken_of(&world->store, epoch);
    uint64_t before = taken->set.through;
    enum err err = seqset_add(&taken->set, seq);
    CHECK(err == ERR_OK || err == ERR_EXISTS);
    add_range(&taken_of(&world->ever, epoch)->set, seq, seq);
    for (size_t i = 0; i < world->disk.loss_count; i++) {
        if (world->disk.losses[i].epoch != epoch || world->disk.losses[i].seq != seq)
            continue;
        const struct agent_range *lost = &world->disk.losses[i].lost;
        struct taken *hurt = taken_of(&world->store, lost->epoch);
        add_range(&hurt->lost, lost->seqs.first, lost->seqs.last);
        add_range(&hurt->set, lost->seqs.first, lost->seqs.last);
        add_range(&taken_of(&world->ever, lost->epoch)->set, lost->seqs.first,
                  lost->seqs.last);
    }
    if (taken->set.through != before)
        taken->moved_ms = world->now_ms;
    int64_t due_ms = world->now_ms + (err == ERR_EXISTS ? 0 : INTERVAL_MS);
    if (!world->ack_due || due_ms < world->ack_at_ms)
        world->ack_at_ms = due_ms;
    world->ack_due = true;
}

static void say_epoch(struct world *world, struct ack *ack, const struct taken *taken)
{
    struct ack_epoch *said = &ack->epochs[ack->epoch_count++];
    *said = (struct ack_epoch){.epoch = taken->epoch, .through = taken->set.through};
    for (uint32_t i = 0; i < taken->set.count && i < DELIVERY_RANGES_MAX; i++)
        said->ranges[said->range_count++] = taken->set.ranges[i];
    bool waited = world->now_ms - taken->moved_ms > 5 * INTERVAL_MS;
    if (waited && seqset_first_gap(&taken->set, &said->wanted[0]))
        said->wanted_count = 1;
}

static struct ack build_ack(struct world *world)
{
    struct ack ack = {
        .generation = world->store.generation,
        .ack_interval_ms = INTERVAL_MS,
        .credits = world->credits,
        .backlog_credits = world->credits,
        .epochs = mem_array(EPOCHS_MAX, sizeof *ack.epochs),
    };
    snprintf(ack.store, sizeof ack.store, "model");
    memcpy(ack.nonce, world->nonce, sizeof ack.nonce);
    for (size_t i = 0; i < world->store.count; i++)
        say_epoch(world, &ack, &world->store.epochs[i]);
    return ack;
}

static void collector_acks(struct world *world)
{
    world->ack_due = false;
    if (world->nonce[0] == '\0')
        return;
    for (int i = copies(world); i > 0; i--) {
        if (is_dropped(world))
            continue;
        struct message *message = put(world, TO_ACK, some_delay(world));
        if (message != NULL)
            message->ack = build_ack(world);
    }
}

static void collector_greets(struct world *world, const struct hello *hello)
{
    memcpy(world->nonce, hello->nonce, sizeof world->nonce);
    for (size_t i = 0; i < hello->epoch_count; i++)
        taken_of(&world->store, hello->epochs[i].epoch);
    collector_acks(world);
}

/* ---- the agent ---- */

static void agent_step(struct world *world, struct agent_event event);

static void send_to_collector(struct world *world, enum message_kind kind,
                              const struct agent_action *action)
{
    for (int i = copies(world); i > 0; i--) {
        if (is_dropped(world))
            continue;
        struct message *message = put(world, kind, some_delay(world));
        if (message == NULL)
            return;
        message->epoch = action->epoch;
        message->seq = action->seq;
        if (kind == TO_HELLO)
            agent_core_hello(&world->agent, &message->hello);
    }
}

static uint64_t close_pack(struct world *world)
{
    struct disk *disk = &world->disk;
    return ++disk->last[disk->count - 1];
}

static void tell_synced(struct world *world, uint64_t seq)
{
    struct disk *disk = &world->disk;
    agent_step(world, (struct agent_event){
                          .kind = AGENT_PACK_SYNCED,
                          .epoch = disk->epochs[disk->count - 1],
                          .seq = seq,
                          .is_urgent = rng_chance(&world->rng, 0.1),
                      });
}

static void write_loss(struct world *world, const struct agent_action *action)
{
    struct disk *disk = &world->disk;
    if (disk->loss_count == sizeof disk->losses / sizeof disk->losses[0])
        return;
    uint64_t seq = close_pack(world);
    disk->losses[disk->loss_count].epoch = disk->epochs[disk->count - 1];
    disk->losses[disk->loss_count].seq = seq;
    disk->losses[disk->loss_count++].lost =
        (struct agent_range){action->epoch, {action->from, action->to}};
    tell_synced(world, seq);
}

static void check_publish(struct world *world, const struct agent_action *action)
{
    const struct disk *disk = &world->disk;
    bool is_held = false;
    for (size_t i = 0; i < disk->count; i++)
        is_held |= disk->epochs[i] == action->epoch && action->seq >= disk->first[i] &&
                   action->seq <= disk->last[i];
    CHECK(is_held);
    world->published++;
}

static void carry_out(struct world *world, const struct agent_action *action)
{
    switch (action->kind) {
    case AGENT_PUBLISH:
        check_publish(world, action);
        send_to_collector(world, TO_PACK, action);
        break;
    case AGENT_PUBLISH_HELLO:
        send_to_collector(world, TO_HELLO, action);
        break;
    case AGENT_SET_TIMER:
        world->timer_ms = action->at_ms;
        break;
    case AGENT_WRITE_LOSS:
        write_loss(world, action);
        break;
    case AGENT_SAVE_MARKS:
        buf_clear(&world->disk.marks);
        agent_core_save(&world->agent, &world->disk.marks);
        break;
    case AGENT_NEW_EPOCH:
    case AGENT_TAKE_ALONG:
    case AGENT_WRITE_MOVED:
        break;
    }
}

static void agent_step(struct world *world, struct agent_event event)
{
    struct agent_actions actions = {0};
    event.now_ms = world->now_ms;
    agent_core_step(&world->agent, &event, &actions);
    CHECK(world->agent.flight_count <= AGENT_WINDOW_MAX);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(world, &actions.list[i]);
    agent_actions_fini(&actions);
}

static void agent_connects(struct world *world)
{
    char nonce[DELIVERY_NONCE_SIZE];
    snprintf(nonce, sizeof nonce, "%016llx%016llx",
             (unsigned long long)rng_next(&world->rng),
             (unsigned long long)world->now_ms);
    agent_step(world, (struct agent_event){.kind = AGENT_CONNECTED, .nonce = nonce});
}

static void agent_reconnects(struct world *world)
{
    agent_step(world, (struct agent_event){.kind = AGENT_LOST});
    agent_connects(world);
}

static void agent_restarts(struct world *world, bool new_epoch)
{
    struct disk *disk = &world->disk;
    agent_core_fini(&world->agent);
    agent_core_init(&world->agent, rng_next(&world->rng));
    for (size_t i = 0; i < disk->count; i++)
        agent_core_hold(&world->agent, disk->epochs[i], disk->first[i], disk->last[i]);
    if (disk->marks.len > 0)
        CHECK(agent_core_load(&world->agent, disk->marks.data, disk->marks.len) ==
              ERR_OK);
    world->timer_ms = 0;
    if (new_epoch && disk->count < EPOCHS_MAX) {
        disk->epochs[disk->count] = rng_next(&world->rng);
        disk->first[disk->count] = 1;
        disk->last[disk->count++] = 0;
    }
    agent_connects(world);
}

/* ---- mischief ---- */

static void forge_ack(struct world *world)
{
    struct message *message = put(world, TO_ACK, some_delay(world));
    if (message == NULL)
        return;
    message->ack = build_ack(world);
    bool retained = rng_chance(&world->rng, 0.5);
    message->is_retained = retained;
    if (!retained)
        message->ack.nonce[0] = '?';
    for (size_t i = 0; i < message->ack.epoch_count; i++)
        message->ack.epochs[i].through += 1000000;
}

static void restore_collector(struct world *world)
{
    copy_store(&world->store, &world->backup);
    world->store.generation = rng_chance(&world->rng, 0.5) ? world->backup.generation
                                                           : rng_below(&world->rng, 100);
    /* The nonce lives in the journal as well: an older one, or none. */
    world->nonce[0] = '\0';
}

static void trim_agent(struct world *world)
{
    size_t at = (size_t)rng_below(&world->rng, world->disk.count);
    struct disk *disk = &world->disk;
    if (disk->last[at] <= disk->first[at] + 3 || disk->loss_count > 40)
        return;
    disk->first[at] += rng_below(&world->rng, 3);
    agent_step(world, (struct agent_event){.kind = AGENT_TRIMMED,
                                           .epoch = disk->epochs[at],
                                           .seq = disk->first[at]});
}

static void do_mischief(struct world *world)
{
    switch (rng_below(&world->rng, 9)) {
    case 0:
        agent_reconnects(world);
        break;
    case 1:
        agent_restarts(world, rng_chance(&world->rng, 0.3));
        break;
    case 2:
        forge_ack(world);
        break;
    case 3:
        world->is_up = false;
        break;
    case 4:
        world->is_up = true;
        break;
    case 5:
        copy_store(&world->backup, &world->store);
        break;
    case 6:
        restore_collector(world);
        break;
    case 7:
        world->credits = (uint32_t)rng_below(&world->rng, 30);
        break;
    case 8:
        trim_agent(world);
        break;
    }
}

/* ---- time ---- */

/* What the agent thinks is safe has been on the collector's disk. */
static void check_done(struct world *world)
{
    for (size_t i = 0; i < world->agent.epoch_count; i++) {
        const struct agent_epoch *held = &world->agent.epochs[i];
        const struct seqset *ever = &taken_of(&world->ever, held->epoch)->set;
        CHECK(held->done.through <= ever->through);
        for (uint32_t j = 0; j < held->done.count; j++)
            CHECK(seqset_has(ever, held->done.ranges[j].first) &&
                  seqset_has(ever, held->done.ranges[j].last));
    }
}

static void deliver(struct world *world, struct message *message)
{
    switch (message->kind) {
    case TO_PACK:
        if (world->is_up)
            collector_takes(world, message->epoch, message->seq);
        break;
    case TO_HELLO:
        if (world->is_up)
            collector_greets(world, &message->hello);
        break;
    case TO_ACK:
        agent_step(world, (struct agent_event){.kind = AGENT_ACK,
                                               .ack = &message->ack,
                                               .is_retained = message->is_retained});
        free(message->ack.epochs);
        check_done(world);
        break;
    }
}

static bool deliver_due(struct world *world)
{
    for (size_t i = 0; i < world->message_count; i++) {
        if (world->messages[i].at_ms > world->now_ms)
            continue;
        struct message message = world->messages[i];
        world->messages[i] = world->messages[--world->message_count];
        deliver(world, &message);
        return true;
    }
    return false;
}

static void tick(struct world *world, bool makes_packs)
{
    while (deliver_due(world)) {
    }
    if (world->is_up && world->ack_due && world->ack_at_ms <= world->now_ms)
        collector_acks(world);
    if (world->timer_ms != 0 && world->timer_ms <= world->now_ms) {
        world->timer_ms = 0;
        agent_step(world, (struct agent_event){.kind = AGENT_TIMER});
    }
    if (makes_packs && world->next_pack_ms <= world->now_ms) {
        world->next_pack_ms = world->now_ms + PACK_EVERY_MS;
        tell_synced(world, close_pack(world));
        if (rng_chance(&world->rng, world->mischief))
            do_mischief(world);
    }
}

/* The next moment at which anything happens. */
static void advance(struct world *world, bool makes_packs)
{
    int64_t next_ms = world->now_ms + PACK_EVERY_MS;
    for (size_t i = 0; i < world->message_count; i++)
        if (world->messages[i].at_ms < next_ms)
            next_ms = world->messages[i].at_ms;
    if (world->ack_due && world->is_up && world->ack_at_ms < next_ms)
        next_ms = world->ack_at_ms;
    if (world->timer_ms != 0 && world->timer_ms < next_ms)
        next_ms = world->timer_ms;
    if (makes_packs && world->next_pack_ms < next_ms)
        next_ms = world->next_pack_ms;
    world->now_ms = next_ms > world->now_ms ? next_ms : world->now_ms + 1;
}

/* ---- a life ---- */

static void begin(struct world *world, uint64_t seed)
{
    *world = (struct world){.rng = {.state = seed}, .now_ms = 1, .is_up = true};
    struct rng *rng = &world->rng;
    world->drop = rng_chance(rng, 0.5) ? rng_uniform(rng) * 0.5 : 0;
    world->duplicate = rng_chance(rng, 0.5) ? rng_uniform(rng) * 0.5 : 0;
    world->delay_ms = rng_chance(rng, 0.5) ? 20 : 20000;
    world->mischief = rng_chance(rng, 0.7) ? rng_uniform(rng) * 0.5 : 0;
    world->credits = 8;
    world->messages = mem_array(MESSAGES_MAX, sizeof *world->messages);
    agent_core_init(&world->agent, rng_next(rng));
    world->disk.epochs[0] = rng_next(rng);
    world->disk.first[0] = 1;
    world->disk.count = 1;
    copy_store(&world->backup, &world->store);
    agent_connects(world);
}

static void end(struct world *world)
{
    for (size_t i = 0; i < world->message_count; i++)
        free(world->messages[i].ack.epochs);
    free(world->messages);
    buf_fini(&world->disk.marks);
    store_fini(&world->store);
    store_fini(&world->backup);
    store_fini(&world->ever);
    agent_core_fini(&world->agent);
}

static bool has_everything(struct world *world)
{
    for (size_t i = 0; i < world->disk.count; i++) {
        const struct taken *taken = taken_of(&world->store, world->disk.epochs[i]);
        if (world->disk.last[i] > 0 && taken->set.through < world->disk.last[i])
            return false;
    }
    return true;
}

/* Lost is only what the agent trimmed before it was acked. */
static void check_losses(struct world *world)
{
    for (size_t i = 0; i < world->disk.count; i++) {
        const struct taken *taken = taken_of(&world->store, world->disk.epochs[i]);
        CHECK(seqset_highest(&taken->lost) < world->disk.first[i]);
    }
}

static bool live(uint64_t seed, uint64_t *sent_again)
{
    struct world world;
    begin(&world, seed);
    uint64_t packs = 40 + rng_below(&world.rng, 80);
    for (int64_t end_ms = (int64_t)packs * PACK_EVERY_MS; world.now_ms < end_ms;) {
        tick(&world, true);
        advance(&world, true);
    }
    bool was_calm = world.drop == 0 && world.duplicate == 0 && world.mischief == 0 &&
                    world.delay_ms < INTERVAL_MS;
    world.drop = 0;
    world.duplicate = 0;
    world.delay_ms = 20;
    world.is_up = true;
    world.credits = 8;
    if (!was_calm)
        agent_reconnects(&world);
    int64_t until_ms = world.now_ms + HEALED_MAX_MS;
    while (world.now_ms < until_ms &&
           !(has_everything(&world) && agent_core_backlog(&world.agent) == 0)) {
        tick(&world, false);
        advance(&world, false);
    }
    bool ok = has_everything(&world) && agent_core_backlog(&world.agent) == 0;
    check_losses(&world);
    *sent_again += world.agent.counts.resent;
    if (was_calm)
        CHECK(world.agent.counts.resent == 0);
    end(&world);
    return ok;
}

static void every_pack_arrives_in_every_life(void)
{
    size_t failed = 0;
    uint64_t sent_again = 0;
    for (uint64_t seed = 1; seed <= LIVES; seed++) {
        if (!live(seed, &sent_again) && failed++ < 5)
            printf("\n  seed %llu: packs are missing\n", (unsigned long long)seed);
    }
    CHECK(failed == 0);
    CHECK(sent_again > LIVES); /* or nothing was ever put to the test */
    printf(" %d lives, %llu packs sent again ", LIVES, (unsigned long long)sent_again);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"every pack arrives in every life", every_pack_arrives_in_every_life},
        CU_TEST_INFO_NULL,
    };
    return check_run("uplink_lives", tests);
}
