// SPDX-License-Identifier: Apache-2.0
/*
 * protocol_lives - lives of several agents and a collector with a bad network between.
 *
 * Both sides are the pure cores which the daemons run: agent_core_step() and
 * collector_core_step(). Around them a world by seed: a broker that drops, doubles,
 * delays, reorders and cuts; power cuts and kills of both sides, also while a journal is
 * being read again; an agent's disk that is full; a collector that comes back from an
 * older copy; clocks that step. With COLDCHAIN_SIM_CLONES=1 also a clone of an agent's
 * folder, of which about one life in 200 does not keep everything yet
 * (docs/delivery.md, section 6). A life has at least
 * three agents and 1,000 packs. Then the world heals, and every reading that an agent had
 * on its disk must have had its turn in the collector, once and in order, or a LOSS must
 * name it. What the cores say is compared with plain arrays that share no code with them.
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

#define DEVICES    3
#define AGENTS     (DEVICES + 1) /* the last one is the clone */
#define PACKS_EACH 340
#define PACKS_HEALED \
    4 /* of these: when all is well again; a quiet agent learns nothing */
#define EPOCHS_MAX    24
#define PACK_EVERY_MS 10000
#define INTERVAL_MS   2000
#define SYNC_MS       5
#define HEALED_MAX_MS ((int64_t)12 * 3600 * 1000)
#define FLYING_MAX    8192

enum kind {
    KIND_DROPPED,
    KIND_DOUBLED,
    KIND_REORDERED,
    KIND_PARTITION,
    KIND_SESSION_CUT,
    KIND_FOREIGN_ACK,
    KIND_RETAINED_ACK,
    KIND_AGENT_KILLED,
    KIND_AGENT_POWER,
    KIND_COLLECTOR_KILLED,
    KIND_COLLECTOR_POWER,
    KIND_CRASH_WHILE_READING_AGAIN,
    KIND_RESTORED,
    KIND_DISK_FULL,
    KIND_CLOCK_STEP,
    KIND_CREDITS,
    KIND_ASKED_FOR_A_GAP,
    KIND_LOSS_TOLD,
    KIND_RESENT,
    KIND_CLONED, /* these two with clones only */
    KIND_FORK_TOLD,
};

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
    [KIND_ASKED_FOR_A_GAP] = "gap asked for",
    [KIND_LOSS_TOLD] = "loss told",
    [KIND_RESENT] = "pack resent",
    [KIND_CLONED] = "agent's folder cloned",
    [KIND_FORK_TOLD] = "fork told, new epoch begun",
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* What stands under one name; of an agent's disk and of the collector's journal. */
struct body {
    uint64_t hash;
    uint64_t previous_hash;
    enum pack_kind kind;
    uint64_t ended;
    uint64_t from;
    uint64_t to;
    uint32_t reading; /* the one it holds, 0: none */
    bool is_rescued;
};

struct disk_epoch {
    uint64_t epoch;
    uint64_t first;
    uint64_t last;
    uint64_t synced;
    uint64_t rescued_from; /* under another epoch from there on; 0: not left by a fork */
    struct body *bodies;   /* by seq, [0] unused */
    size_t capacity;
};

struct agent {
    unsigned device;
    bool exists;
    struct agent_core core;
    struct disk_epoch epochs[EPOCHS_MAX];
    size_t epoch_count;
    struct buf marks;
    bool is_connected;
    int64_t timer_ms;
    int64_t connect_ms; /* when it connects again */
    int64_t pack_ms;    /* when the next one is closed */
    unsigned packs;
};

enum flying_kind { TO_PACK, TO_HELLO, TO_ACK };

struct flying {
    int64_t at_ms;
    uint64_t order;
    enum flying_kind kind;
    unsigned device;
    uint64_t epoch;
    uint64_t seq;
    struct body body;
    struct hello hello;
    struct ack ack; /* owned */
    bool is_retained;
};

struct record {
    enum flying_kind kind; /* TO_PACK or TO_HELLO */
    unsigned device;
    uint64_t epoch;
    uint64_t seq;
    struct body body;
    struct hello *hello; /* owned; NULL: a pack */
    int64_t wall_ms;
    bool had_turn;
};

struct collector {
    bool is_up;
    struct collector_core core;
    struct collector_device devices[DEVICES];
    struct record *journal; /* position of a record: its place + 1 */
    size_t count, capacity;
    size_t synced;
    size_t fed;
    int64_t sync_ms; /* when the committer syncs; 0: nothing waits */
    struct buf saved[DEVICES];
    size_t checkpoint;
    /* an older copy of it all */
    struct buf backup[DEVICES];
    size_t backup_count;
    size_t backup_checkpoint;
    bool has_backup;
    int64_t start_ms; /* when it is started again */
    uint64_t starts;
};

/* What is known of a reading by those who judge. */
struct truth {
    bool is_promised; /* was on an agent's disk, synced */
    bool is_trimmed;  /* and made room there: then LOSS may stand for it */
    uint8_t turns;
};

struct world {
    struct swarm_life *life;
    struct rng rng;
    int64_t now_ms;
    int64_t wall_offset_ms;
    struct agent agents[AGENTS];
    struct collector collector;
    struct flying *flying[FLYING_MAX]; /* a heap */
    size_t flying_count;
    uint64_t order;
    int64_t newest_ms[DEVICES][2]; /* latest delivery promised, by direction */
    struct truth *readings;
    size_t reading_count, reading_capacity;
    /* what this life knows */
    double drop, duplicate;
    int64_t delay_ms;
    double mischief;
    unsigned known; /* bits of mischief */
    int64_t partition_until_ms;
    int64_t mischief_ms;
    bool is_healed;
};

static void count(struct world *world, enum kind kind)
{
    world->life->tally.kinds[kind]++;
}

static uint64_t draw(struct world *world, uint64_t bound)
{
    return rng_below(&world->rng, bound);
}

/* ---- the network --------------------------------------------------------------------
 */

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

static void flying_destroy(struct flying *flying)
{
    ack_fini(&flying->ack);
    free(flying);
}

static struct flying *land(struct world *world)
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
static void launch(struct world *world, struct flying *flying)
{
    bool is_cut = world->now_ms < world->partition_until_ms;
    if (is_cut || rng_chance(&world->rng, world->drop) ||
        world->flying_count == FLYING_MAX) {
        count(world, KIND_DROPPED);
        flying_destroy(flying);
        return;
    }
    flying->at_ms = world->now_ms + 1 + (int64_t)draw(world, (uint64_t)world->delay_ms);
    flying->order = world->order++;
    int64_t *newest = &world->newest_ms[flying->device][flying->kind == TO_ACK];
    if (flying->at_ms < *newest)
        count(world, KIND_REORDERED);
    else
        *newest = flying->at_ms;
    size_t i = world->flying_count++;
    world->flying[i] = flying;
    for (; i > 0 && comes_before(world->flying[i], world->flying[(i - 1) / 2]);
         i = (i - 1) / 2)
        heap_swap(world, i, (i - 1) / 2);
}

static struct flying *message(enum flying_kind kind, unsigned device)
{
    struct flying *flying = mem_alloc(sizeof *flying);
    flying->kind = kind;
    flying->device = device;
    return flying;
}

static bool is_doubled(struct world *world)
{
    if (!rng_chance(&world->rng, world->duplicate))
        return false;
    count(world, KIND_DOUBLED);
    return true;
}

/* ---- an agent's disk ----------------------------------------------------------------
 */

static struct disk_epoch *disk_epoch_of(struct agent *agent, uint64_t epoch)
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

static struct disk_epoch *begin_epoch(struct world *world, struct agent *agent)
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

/* ---- an agent -----------------------------------------------------------------------
 */

static void agent_feed(struct world *world, struct agent *agent,
                       struct agent_event event);

/* From here on it is one. */
static void promise(struct world *world, const struct disk_epoch *epoch, uint64_t seq)
{
    uint32_t reading = epoch->bodies[seq].reading;
    if (reading != 0)
        world->readings[reading].is_promised = true;
}

static void sync_disk(struct world *world, struct agent *agent)
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
    for (int i = is_doubled(world) ? 2 : 1; i > 0; i--) {
        struct flying *flying = message(TO_PACK, agent->device);
        flying->epoch = epoch->epoch;
        flying->seq = seq;
        flying->body = epoch->bodies[seq];
        launch(world, flying);
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
    count(world, KIND_LOSS_TOLD);
}

static void end_epoch(struct world *world, struct agent *agent)
{
    struct disk_epoch ended = *current_epoch(agent);
    begin_epoch(world, agent);
    write_pack(
        world, agent,
        (struct body){.kind = PACK_EPOCH_END, .ended = ended.epoch, .to = ended.last});
}

/* What is not proved goes along under the new epoch, reading by reading. */
static void rescue(struct world *world, struct agent *agent, size_t place)
{
    for (uint64_t seq = agent->epochs[place].rescued_from;
         seq <= agent->epochs[place].last; seq++) {
        const struct disk_epoch *left = &agent->epochs[place];
        if (seq < left->first)
            continue;
        const struct body old = left->bodies[seq];
        write_pack(world, agent,
                   (struct body){.kind = PACK_THINNED,
                                 .ended = left->epoch,
                                 .from = seq,
                                 .to = seq,
                                 .reading = old.reading,
                                 .is_rescued = true});
    }
}

static void fork_epoch(struct world *world, struct agent *agent,
                       const struct agent_action *action)
{
    struct disk_epoch *forked = current_epoch(agent);
    if (action->epoch != forked->epoch || agent->epoch_count == EPOCHS_MAX)
        return;
    count(world, KIND_FORK_TOLD);
    swarm_say(world->life,
              "%lld: agent %zu leaves epoch %llx by a fork, from %llu to %llu",
              (long long)world->now_ms, (size_t)(agent - world->agents),
              (unsigned long long)forked->epoch, (unsigned long long)action->from,
              (unsigned long long)forked->last);
    size_t place = agent->epoch_count - 1;
    forked->rescued_from = action->from;
    uint64_t last = forked->last;
    end_epoch(world, agent);
    rescue(world, agent, place);
    sync_disk(world, agent);
    if (action->from <= last)
        agent_feed(world, agent,
                   (struct agent_event){.kind = AGENT_THINNED,
                                        .epoch = action->epoch,
                                        .seq = action->from,
                                        .to = last});
}

static void say_hello(struct world *world, struct agent *agent)
{
    for (int i = is_doubled(world) ? 2 : 1; i > 0; i--) {
        struct flying *flying = message(TO_HELLO, agent->device);
        agent_core_hello(&agent->core, &flying->hello);
        launch(world, flying);
    }
}

static void agent_act(struct world *world, struct agent *agent,
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
    case AGENT_NEW_EPOCH:
        fork_epoch(world, agent, action);
        break;
    case AGENT_SAVE_MARKS:
        buf_clear(&agent->marks);
        agent_core_save(&agent->core, &agent->marks);
        break;
    }
}

static void agent_feed(struct world *world, struct agent *agent, struct agent_event event)
{
    struct agent_actions actions = {0};
    event.now_ms = world->now_ms;
    uint64_t resent = agent->core.counts.resent;
    agent_core_step(&agent->core, &event, &actions);
    world->life->tally.kinds[KIND_RESENT] += agent->core.counts.resent - resent;
    for (size_t i = 0; i < actions.count; i++)
        agent_act(world, agent, &actions.list[i]);
    agent_actions_fini(&actions);
}

static void disconnect(struct world *world, struct agent *agent)
{
    if (!agent->is_connected)
        return;
    agent->is_connected = false;
    agent_feed(world, agent, (struct agent_event){.kind = AGENT_LOST});
    agent->connect_ms = world->now_ms + 1 + (int64_t)draw(world, 20000);
}

/* The broker lets one session of a name in: the one that comes last. */
static void connect_agent(struct world *world, struct agent *agent)
{
    for (size_t i = 0; i < AGENTS; i++) {
        struct agent *other = &world->agents[i];
        if (other != agent && other->exists && other->device == agent->device)
            disconnect(world, other);
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
static void start_agent(struct world *world, struct agent *agent, bool was_cut)
{
    agent_core_fini(&agent->core);
    agent_core_init(&agent->core, rng_next(&world->rng));
    for (size_t i = 0; i < agent->epoch_count; i++)
        agent_core_hold(&agent->core, agent->epochs[i].epoch, agent->epochs[i].first,
                        agent->epochs[i].last);
    if (agent->marks.len > 0 &&
        agent_core_load(&agent->core, agent->marks.data, agent->marks.len) != ERR_OK)
        swarm_broke(world->life, "marks-are-read-back", "they are not");
    for (size_t i = 0; i + 1 < agent->epoch_count; i++) {
        const struct disk_epoch *epoch = &agent->epochs[i];
        if (epoch->rescued_from != 0 && epoch->rescued_from <= epoch->last)
            agent_feed(world, agent,
                       (struct agent_event){.kind = AGENT_THINNED,
                                            .epoch = epoch->epoch,
                                            .seq = epoch->rescued_from,
                                            .to = epoch->last});
    }
    agent->timer_ms = 0;
    agent->is_connected = false;
    agent->connect_ms = world->now_ms + 1 + (int64_t)draw(world, 3000);
    if (was_cut && agent->epoch_count < EPOCHS_MAX) {
        end_epoch(world, agent);
        sync_disk(world, agent);
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

static void crash_agent(struct world *world, struct agent *agent, bool is_power)
{
    count(world, is_power ? KIND_AGENT_POWER : KIND_AGENT_KILLED);
    start_agent(world, agent, recover_disk(world, agent, is_power));
}

/* Closes a pack; some wait in the cache until the next one. */
static void close_pack(struct world *world, struct agent *agent)
{
    write_pack(world, agent, (struct body){.reading = new_reading(world)});
    agent->packs++;
    world->life->tally.steps++;
    if (draw(world, 8) != 0 || agent->packs == PACKS_EACH)
        sync_disk(world, agent);
    agent->pack_ms =
        world->now_ms + PACK_EVERY_MS / 2 + (int64_t)draw(world, PACK_EVERY_MS);
}

/* ---- the collector ------------------------------------------------------------------
 */

static void give_turn(struct world *world, size_t place)
{
    struct record *record = &world->collector.journal[place];
    if (record->had_turn)
        return; /* read again after a crash: effects are behind the cursor */
    record->had_turn = true;
    if (record->body.reading == 0)
        return;
    struct truth *truth = &world->readings[record->body.reading];
    /* The history looks up what is rescued by channel, time and value. */
    if (record->body.is_rescued && truth->turns > 0)
        return;
    if (!truth->is_promised)
        swarm_broke(world->life, "only-what-is-synced-is-sent", "reading %u",
                    record->body.reading);
    truth->turns++;
}

static void release(struct world *world, unsigned device, uint64_t name)
{
    struct collector_epoch *epoch =
        collector_find_epoch(&world->collector.devices[device], name);
    struct collector_held next;
    while (epoch != NULL && collector_core_next(epoch, &next))
        give_turn(world, next.position - 1);
}

static void collector_act(struct world *world, size_t place,
                          const struct collector_action *action)
{
    const struct record *record = &world->collector.journal[place];
    switch (action->kind) {
    case COLLECTOR_ACCEPT:
        give_turn(world, place);
        break;
    case COLLECTOR_RELEASE:
        release(world, record->device, action->epoch);
        break;
    case COLLECTOR_FORK:
        swarm_say(world->life, "%lld: fork of epoch %llx seen at seq %llu",
                  (long long)world->now_ms, (unsigned long long)action->epoch,
                  (unsigned long long)action->seq);
        break;
    case COLLECTOR_HOLD:
    case COLLECTOR_REJECT:
    case COLLECTOR_DROP:
    case COLLECTOR_REFUSE:
    case COLLECTOR_ORDER_NEW_EPOCH:
    case COLLECTOR_LOSS:
    case COLLECTOR_TWINS:
    case COLLECTOR_REGRESSED:
    case COLLECTOR_ACK_AT:
        break;
    }
}

static void feed_record(struct world *world, size_t place)
{
    struct collector *collector = &world->collector;
    const struct record *record = &collector->journal[place];
    const struct collector_pack pack = {
        .epoch = record->epoch,
        .seq = record->seq,
        .hash = record->body.hash,
        .position = place + 1,
        .is_readable = true,
        .is_live = true,
        .previous_hash = record->body.previous_hash,
        .kind = record->body.kind,
        .ended = record->body.ended,
        .from = record->body.from,
        .to = record->body.to,
        .is_rescued = record->body.is_rescued,
    };
    const struct collector_event event = {
        .kind = record->kind == TO_HELLO ? COLLECTOR_HELLO : COLLECTOR_PACK,
        .real_ms = world->now_ms,
        .wall_ms = record->wall_ms,
        .hello = record->hello,
        .pack = &pack,
    };
    struct collector_actions actions;
    collector_core_step(&collector->core, &collector->devices[record->device], &event,
                        &actions);
    for (size_t i = 0; i < actions.count; i++)
        collector_act(world, place, &actions.list[i]);
}

static void advance(struct world *world)
{
    struct collector *collector = &world->collector;
    while (collector->fed < collector->synced)
        feed_record(world, collector->fed++);
}

static void collector_takes(struct world *world, const struct flying *flying)
{
    struct collector *collector = &world->collector;
    mem_grow(&collector->journal, &collector->capacity, collector->count + 1,
             sizeof *collector->journal);
    collector->journal[collector->count++] = (struct record){
        .kind = flying->kind,
        .device = flying->device,
        .epoch = flying->epoch,
        .seq = flying->seq,
        .body = flying->body,
        .hello = flying->kind == TO_HELLO ? mem_dup(&flying->hello, sizeof flying->hello)
                                          : NULL,
        .wall_ms = world->now_ms + world->wall_offset_ms,
    };
    if (collector->sync_ms == 0)
        collector->sync_ms = world->now_ms + SYNC_MS;
}

static void note_asked(struct world *world, const struct ack *ack)
{
    for (size_t i = 0; i < ack->epoch_count; i++)
        if (ack->epochs[i].wanted_count > 0)
            count(world, KIND_ASKED_FOR_A_GAP);
}

static void send_ack(struct world *world, unsigned device)
{
    struct collector *collector = &world->collector;
    for (int i = is_doubled(world) ? 2 : 1; i > 0; i--) {
        struct flying *flying = message(TO_ACK, device);
        collector_core_ack(&collector->core, &collector->devices[device], world->now_ms,
                           &flying->ack);
        note_asked(world, &flying->ack);
        launch(world, flying);
    }
    const struct collector_event sent = {.kind = COLLECTOR_ACK_SENT,
                                         .real_ms = world->now_ms};
    struct collector_actions actions;
    collector_core_step(&collector->core, &collector->devices[device], &sent, &actions);
}

static bool is_ack_due(const struct world *world, unsigned device)
{
    const struct collector_device *at = &world->collector.devices[device];
    return at->ack_due_ms != 0 && at->ack_due_ms <= world->now_ms;
}

static void checkpoint(struct collector *collector)
{
    for (size_t i = 0; i < DEVICES; i++) {
        buf_clear(&collector->saved[i]);
        collector_device_save(&collector->devices[i], &collector->saved[i]);
    }
    collector->checkpoint = collector->fed;
}

static void forget_devices(struct collector *collector)
{
    for (size_t i = 0; i < DEVICES; i++) {
        collector_device_fini(&collector->core, &collector->devices[i]);
        collector->devices[i] = (struct collector_device){0};
    }
}

/* Another generation at every start. */
static void start_collector(struct world *world)
{
    struct collector *collector = &world->collector;
    collector_core_init(&collector->core, "store", rng_hash(7, ++collector->starts),
                        INTERVAL_MS, 8);
    for (size_t i = 0; i < DEVICES; i++) {
        if (collector->saved[i].len == 0)
            continue;
        struct buf_reader in =
            buf_reader_of(collector->saved[i].data, collector->saved[i].len);
        if (collector_device_load(&collector->core, &collector->devices[i], &in) !=
            ERR_OK)
            swarm_broke(world->life, "state-is-read-back", "it is not");
    }
    collector->fed = collector->checkpoint;
    collector->synced = collector->count; /* recovery syncs what it found */
    collector->sync_ms = 0;
    collector->is_up = true;
    collector->start_ms = 0;
}

static void drop_records(struct collector *collector, size_t kept)
{
    while (collector->count > kept)
        free(collector->journal[--collector->count].hello);
}

static void stop_collector(struct world *world, bool is_power)
{
    struct collector *collector = &world->collector;
    if (collector->is_up && collector->fed < collector->synced)
        count(world, KIND_CRASH_WHILE_READING_AGAIN);
    forget_devices(collector);
    if (is_power)
        drop_records(collector, collector->synced);
    collector->is_up = false;
    collector->start_ms = world->now_ms + 1 + (int64_t)draw(world, 60000);
}

static void copy_saved(struct buf to[DEVICES], const struct buf from[DEVICES])
{
    for (size_t i = 0; i < DEVICES; i++) {
        buf_clear(&to[i]);
        buf_add(&to[i], from[i].data, from[i].len);
    }
}

static void take_backup(struct collector *collector)
{
    copy_saved(collector->backup, collector->saved);
    collector->backup_checkpoint = collector->checkpoint;
    collector->backup_count = collector->synced;
    collector->has_backup = true;
}

/* What came after the copy never was, in this collector and in its stores. */
static void restore(struct world *world)
{
    struct collector *collector = &world->collector;
    if (!collector->has_backup)
        return;
    stop_collector(world, true);
    for (size_t i = collector->backup_count; i < collector->count; i++) {
        const struct record *record = &collector->journal[i];
        if (record->had_turn && record->body.reading != 0)
            world->readings[record->body.reading].turns = 0;
    }
    drop_records(collector, collector->backup_count);
    copy_saved(collector->saved, collector->backup);
    collector->checkpoint = collector->backup_checkpoint;
    for (size_t i = 0; i < collector->count; i++) {
        const struct record *record = &collector->journal[i];
        if (record->had_turn && record->body.reading != 0)
            world->readings[record->body.reading].turns = 1;
    }
    count(world, KIND_RESTORED);
}

/* ---- mischief -----------------------------------------------------------------------
 */

static struct agent *some_agent(struct world *world)
{
    struct agent *agent = &world->agents[draw(world, AGENTS)];
    return agent->exists ? agent : &world->agents[0];
}

static void cut_network(struct world *world)
{
    count(world, KIND_PARTITION);
    world->partition_until_ms = world->now_ms + 1 + (int64_t)draw(world, 300000);
}

static void cut_session(struct world *world)
{
    count(world, KIND_SESSION_CUT);
    disconnect(world, some_agent(world));
}

/* It claims more than anybody has, and must be believed in nothing. */
static void forge_ack(struct world *world)
{
    if (!world->collector.is_up)
        return;
    unsigned device = (unsigned)draw(world, DEVICES);
    struct flying *flying = message(TO_ACK, device);
    collector_core_ack(&world->collector.core, &world->collector.devices[device],
                       world->now_ms, &flying->ack);
    flying->is_retained = draw(world, 2) == 0;
    if (!flying->is_retained)
        flying->ack.nonce[0] = '?';
    for (size_t i = 0; i < flying->ack.epoch_count; i++)
        flying->ack.epochs[i].through += 1000;
    count(world, flying->is_retained ? KIND_RETAINED_ACK : KIND_FOREIGN_ACK);
    launch(world, flying);
}

static void agent_dies(struct world *world)
{
    struct agent *agent = some_agent(world);
    bool has_room = agent->epoch_count < EPOCHS_MAX - 8;
    crash_agent(world, agent, has_room && draw(world, 2) == 0);
}

static void collector_dies(struct world *world)
{
    bool is_power = draw(world, 2) == 0;
    if (!world->collector.is_up)
        return;
    count(world, is_power ? KIND_COLLECTOR_POWER : KIND_COLLECTOR_KILLED);
    stop_collector(world, is_power);
}

/* The oldest packs make room, acked or not. */
static void fill_disk(struct world *world)
{
    struct agent *agent = some_agent(world);
    struct disk_epoch *epoch = &agent->epochs[draw(world, agent->epoch_count)];
    if (epoch->synced < epoch->first + 8)
        return;
    count(world, KIND_DISK_FULL);
    for (uint64_t left = 1 + draw(world, 4); left > 0; left--)
        world->readings[epoch->bodies[epoch->first++].reading].is_trimmed = true;
    agent_feed(world, agent,
               (struct agent_event){
                   .kind = AGENT_TRIMMED, .epoch = epoch->epoch, .seq = epoch->first});
    sync_disk(world, agent);
}

static void clone_agent(struct world *world)
{
    struct agent *from = &world->agents[draw(world, DEVICES)];
    struct agent *clone = &world->agents[DEVICES];
    if (clone->exists || from->packs < 20)
        return;
    count(world, KIND_CLONED);
    *clone = (struct agent){.device = from->device,
                            .exists = true,
                            .epoch_count = from->epoch_count,
                            .packs = from->packs,
                            .pack_ms = world->now_ms + 1};
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
    start_agent(world, clone, false);
}

static void step_clock(struct world *world)
{
    count(world, KIND_CLOCK_STEP);
    world->wall_offset_ms += (int64_t)draw(world, 7200000) - 3600000;
}

static void change_credits(struct world *world)
{
    count(world, KIND_CREDITS);
    world->collector.core.credits = 1 + (uint32_t)draw(world, 30);
}

static void back_up(struct world *world)
{
    if (world->collector.is_up && draw(world, 2) == 0)
        checkpoint(&world->collector);
    take_backup(&world->collector);
}

static void (*const mischiefs[])(struct world *world) = {
    cut_network, cut_session, forge_ack,      agent_dies, collector_dies, fill_disk,
    clone_agent, step_clock,  change_credits, back_up,    restore,
};
#define MISCHIEFS        (sizeof mischiefs / sizeof mischiefs[0])
#define MISCHIEF_FULL    5
#define MISCHIEF_CLONE   6
#define MISCHIEF_RESTORE 10

static void do_mischief(struct world *world)
{
    size_t which = (size_t)draw(world, MISCHIEFS);
    if ((world->known & (1u << which)) != 0)
        mischiefs[which](world);
    world->mischief_ms =
        world->now_ms + 1 +
        (int64_t)draw(world, (uint64_t)(2000 + 400000 * world->mischief));
}

/* ---- time ---------------------------------------------------------------------------
 */

static void take_ack(struct world *world, struct agent *agent, const struct flying *ack)
{
    uint64_t hashes[DELIVERY_EPOCHS_MAX] = {0};

    for (size_t i = 0; i < ack->ack.epoch_count && i < DELIVERY_EPOCHS_MAX; i++) {
        const struct ack_epoch *said = &ack->ack.epochs[i];
        const struct disk_epoch *held = disk_epoch_of(agent, said->epoch);
        if (held != NULL && said->through >= held->first && said->through <= held->last)
            hashes[i] = held->bodies[said->through].hash;
    }
    agent_feed(world, agent,
               (struct agent_event){.kind = AGENT_ACK,
                                    .ack = &ack->ack,
                                    .held_hashes = hashes,
                                    .is_retained = ack->is_retained});
    sync_disk(world, agent);
}

static void arrive(struct world *world, struct flying *flying)
{
    if (flying->kind != TO_ACK) {
        if (world->collector.is_up)
            collector_takes(world, flying);
        else
            count(world, KIND_DROPPED);
    }
    for (size_t i = 0; i < AGENTS && flying->kind == TO_ACK; i++) {
        struct agent *agent = &world->agents[i];
        if (agent->exists && agent->device == flying->device && agent->is_connected)
            take_ack(world, agent, flying);
    }
    flying_destroy(flying);
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
        connect_agent(world, agent);
    if (agent->packs < PACKS_EACH && agent->pack_ms <= world->now_ms)
        close_pack(world, agent);
    if (agent->timer_ms != 0 && agent->timer_ms <= world->now_ms) {
        agent->timer_ms = 0;
        agent_feed(world, agent, (struct agent_event){.kind = AGENT_TIMER});
        sync_disk(world, agent);
    }
}

static void turn_collector(struct world *world)
{
    struct collector *collector = &world->collector;
    if (!collector->is_up) {
        if (collector->start_ms <= world->now_ms)
            start_collector(world);
        return;
    }
    if (collector->sync_ms != 0 && collector->sync_ms <= world->now_ms) {
        collector->synced = collector->count;
        collector->sync_ms = 0;
    }
    /* Sometimes it dies with records that are synced and not read yet. */
    if (world->is_healed || draw(world, 50) != 0)
        advance(world);
    if (draw(world, 200) == 0)
        checkpoint(collector);
    for (unsigned i = 0; i < DEVICES; i++)
        if (is_ack_due(world, i))
            send_ack(world, i);
}

static void step(struct world *world)
{
    world->now_ms = next_time(world);
    while (world->flying_count > 0 && world->flying[0]->at_ms <= world->now_ms)
        arrive(world, land(world));
    for (size_t i = 0; i < AGENTS; i++)
        turn_agent(world, &world->agents[i]);
    turn_collector(world);
    if (!world->is_healed && world->mischief_ms <= world->now_ms)
        do_mischief(world);
}

/* ---- what must hold ------------------------------------------------------------------
 */

static bool has_gaps(const struct world *world)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct collector_device *device = &world->collector.devices[i];
        for (size_t k = 0; k < device->epoch_count; k++)
            if (!device->epochs[k].is_forked && device->epochs[k].window.taken.count > 0)
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
            swarm_say(world->life, "reading %zu: record %zu, seq %llu%s", reading, i,
                      (unsigned long long)world->collector.journal[i].seq,
                      world->collector.journal[i].had_turn ? ", had its turn" : "");
}

static void check_readings(struct world *world)
{
    struct swarm_tally *tally = &world->life->tally;
    for (size_t i = 1; i < world->reading_count; i++) {
        const struct truth *truth = &world->readings[i];
        if (truth->is_promised && truth->turns == 0 && !truth->is_trimmed) {
            tally->lost++;
            tell_reading(world, i);
            swarm_broke(world->life, "nothing-promised-is-lost", "reading %zu", i);
        }
        if (truth->turns > 1) {
            tally->doubled++;
            swarm_broke(world->life, "nothing-is-doubled", "reading %zu has had %u turns",
                        i, truth->turns);
        }
    }
}

/* An epoch that nobody forked has no gap left: each was closed by DATA or LOSS. */
static void check_gaps(struct world *world)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        const struct collector_device *device = &world->collector.devices[i];
        for (size_t k = 0; k < device->epoch_count; k++) {
            const struct collector_epoch *epoch = &device->epochs[k];
            if (!epoch->is_forked && epoch->window.taken.count > 0)
                swarm_broke(world->life, "every-gap-closes", "device %u, epoch %zu", i,
                            k);
        }
    }
}

/* ---- a life -------------------------------------------------------------------------
 */

static void begin(struct world *world)
{
    static const double drops[] = {0, 0.01, 0.1, 0.3};
    static const int64_t delays[] = {5, 200, 5000, 30000};
    world->now_ms = 1;
    world->drop = drops[draw(world, 4)];
    world->duplicate = drops[draw(world, 4)];
    world->delay_ms = delays[draw(world, 4)];
    world->mischief = rng_uniform(&world->rng);
    world->known = (unsigned)draw(world, 1u << MISCHIEFS);
    /* A clone beside one of these makes names that nobody can tell apart. */
    const unsigned apart = 1u << MISCHIEF_RESTORE | 1u << MISCHIEF_FULL;
    if (getenv("COLDCHAIN_SIM_CLONES") == NULL ||
        ((world->known & apart) != 0 && draw(world, 2) == 0))
        world->known &= ~(1u << MISCHIEF_CLONE);
    if ((world->known & (1u << MISCHIEF_CLONE)) != 0)
        world->known &= ~apart;
    world->mischief_ms = 1000;
    start_collector(world);
    for (unsigned i = 0; i < DEVICES; i++) {
        struct agent *agent = &world->agents[i];
        agent->device = i;
        agent->exists = true;
        agent->pack_ms = 1 + (int64_t)draw(world, PACK_EVERY_MS);
        begin_epoch(world, agent);
        start_agent(world, agent, false);
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
    for (size_t i = 0; i < AGENTS; i++) {
        struct agent *agent = &world->agents[i];
        agent_core_fini(&agent->core);
        buf_fini(&agent->marks);
        for (size_t k = 0; k < agent->epoch_count; k++)
            free(agent->epochs[k].bodies);
    }
    while (world->flying_count > 0)
        flying_destroy(land(world));
    struct collector *collector = &world->collector;
    forget_devices(collector);
    drop_records(collector, 0);
    free(collector->journal);
    for (size_t i = 0; i < DEVICES; i++) {
        buf_fini(&collector->saved[i]);
        buf_fini(&collector->backup[i]);
    }
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
    finish(world);
    free(world);
}

int main(int argc, char **argv)
{
    const struct swarm swarm = {
        .name = "protocol_lives",
        .step_name = "packs",
        .kinds = kinds,
        .kind_count =
            getenv("COLDCHAIN_SIM_CLONES") != NULL ? KINDS : (size_t)KIND_CLONED,
        .default_seeds = 20000,
        .live = live,
    };
    return swarm_main(&swarm, argc, argv);
}
