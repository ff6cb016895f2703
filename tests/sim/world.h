// SPDX-License-Identifier: Apache-2.0
/*
 * world - several agents, a collector and a bad network between, all in memory.
 *
 * Both ends are the pure cores which the daemons run; what is around them (disks, broker,
 * clocks, who dies when) is plain arrays that share no code with them. A world is a
 * function of its seed. Of one life; one thread.
 */
#ifndef COLDCHAIN_TESTS_SIM_WORLD_H
#define COLDCHAIN_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rng.h"
#include "collector/pipeline/collector_core.h"
#include "edge-agent/uplink_core.h"
#include "tests/sim/swarm.h"

#define DEVICES    3
#define AGENTS     (DEVICES + 2) /* the last ones are clones */
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
    KIND_SLOT_WAITED,
    KIND_ASKED_FOR_A_GAP,
    KIND_LOSS_TOLD,
    KIND_RESENT,
    KIND_CLONED,
    KIND_FORK_TOLD,
    KIND_TAKEN_ALONG,
    KIND_MARKS_LOST,
    KIND_GIVEN_UP,
    KIND_CLOCK_UNSET,
    KIND_CLOCK_SET_LATE,
    KIND_AGENT_CLOCK_STEP,
    KIND_CLOCK_DRIFTED,
    KIND_DATED_BY_FIX,
};

/* What stands under one name; of an agent's disk and of the collector's journal. */
struct body {
    uint64_t hash;
    uint64_t previous_hash;
    enum pack_kind kind;
    uint64_t ended;
    uint64_t from;
    uint64_t to;
    uint32_t reading; /* the one it holds, 0: none */
    bool is_rescued;  /* a whole pack under a new name */
    bool tells_fork;
    /* by the clock that dated it: */
    bool is_unset;
    uint64_t boot;     /* of the reading; of a CLOCK_FIX: that it fixes */
    int64_t claim_ms;  /* wall time of the reading */
    int64_t offset_ms; /* wall - boot time, when it was closed; or the fix's */
};

struct disk_epoch {
    uint64_t epoch;
    uint64_t first;
    uint64_t last;
    uint64_t synced;
    struct body *bodies; /* by seq, [0] unused */
    size_t capacity;
};

struct agent {
    unsigned device;
    bool exists;
    struct agent_core core;
    struct disk_epoch epochs[EPOCHS_MAX];
    size_t epoch_count;
    struct agent_event *queue; /* events that came while one was handled */
    size_t queue_count, queue_capacity;
    bool is_feeding;
    struct buf marks;
    struct buf old_marks; /* what a power cut may leave of them */
    bool is_connected;
    int64_t timer_ms;
    int64_t connect_ms; /* when it connects again */
    int64_t pack_ms;    /* when the next one is closed */
    /* its clock: wall time = boot time + offset, and boot time is the world's */
    uint64_t boot;
    bool is_unset;
    bool owes_fix; /* an unset clock has dated packs of this boot */
    int64_t offset_ms;
    unsigned packs;
};

/* The last one is a record of the journal only. */
enum flying_kind { TO_PACK, TO_HELLO, TO_ACK, GIVEN_UP };

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
    enum flying_kind kind; /* not TO_ACK */
    unsigned device;
    uint64_t epoch;
    uint64_t seq;
    struct body body;
    struct hello *hello; /* owned; of TO_HELLO */
    int64_t wall_ms;
    bool is_stored; /* taken: the history has it from here on */
    bool is_known;  /* it was there before, under another name */
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
    int64_t was_ms;   /* when it was taken */
    bool is_promised; /* was on an agent's disk, synced */
    bool is_trimmed; /* and made room there: LOSS may stand for it, once no disk has it */
    bool is_held;    /* by some agent in the end */
    uint8_t stored;  /* times in the history */
    uint8_t turns;   /* evaluated under its first name; */
    uint8_t heard;   /* and under any */
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

void world_count(struct world *world, enum kind kind);
/* Below `bound`. */
uint64_t world_draw(struct world *world, uint64_t bound);

/* world_network.c: messages are owned by whoever holds them. */
struct flying *message_make(enum flying_kind kind, unsigned device);
void message_destroy(struct flying *flying);
/* Takes the message; it may be lost, or late. */
void network_launch(struct world *world, struct flying *flying);
/* The next one to arrive, which the caller destroys. */
struct flying *network_land(struct world *world);
bool network_doubles(struct world *world);

/* world_agent.c */
struct disk_epoch *disk_epoch_of(struct agent *agent, uint64_t epoch);
struct disk_epoch *disk_begin_epoch(struct world *world, struct agent *agent);
void agent_feed(struct world *world, struct agent *agent, struct agent_event event);
void agent_sync(struct world *world, struct agent *agent);
/* Its process begins with what is on its disk; cut: with a new epoch. */
void agent_start(struct world *world, struct agent *agent, bool was_cut);
void agent_crash(struct world *world, struct agent *agent, bool is_power);
void agent_connect(struct world *world, struct agent *agent);
void agent_disconnect(struct world *world, struct agent *agent);
/* Right, wrong by a little, or in 1970. */
void agent_set_clock(struct world *world, struct agent *agent);
void agent_close_pack(struct world *world, struct agent *agent);
void agent_take_ack(struct world *world, struct agent *agent, const struct flying *ack);
void agent_fini(struct agent *agent);

/* world_collector.c */
void collector_start(struct world *world);
void collector_stop(struct world *world, bool is_power);
void collector_takes(struct world *world, const struct flying *flying);
void collector_advance(struct world *world);
void collector_send_ack(struct world *world, unsigned device);
/* Some device wants a slot. */
bool collector_has_line(const struct collector *collector);
void collector_give_slots(struct world *world);
bool collector_ack_is_due(const struct world *world, unsigned device);
void collector_checkpoint(struct collector *collector);
void collector_back_up(struct collector *collector);
void collector_restore(struct world *world);
/* The first gap of that epoch is waited for no longer. */
void collector_give_up(struct world *world, unsigned device, uint64_t epoch);
void collector_fini(struct collector *collector);

/* world_mischief.c */
void mischief_draw(struct world *world);
void mischief_do(struct world *world);

#endif
