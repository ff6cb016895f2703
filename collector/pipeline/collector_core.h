// SPDX-License-Identifier: Apache-2.0
/*
 * collector_core - what becomes of a pack, and what is answered: delivery without I/O.
 *
 * (state, event) -> actions, exactly as docs/delivery.md says. The pipeline feeds it with
 * what is synced in the journal and carries the actions out; a simulated world may do so
 * as well. Every ack may be lost, doubled or late without harm. For one epoch:
 *
 *   unknown --pack, hello--> open --EPOCH_END--> ended --all up to its last--> sealed
 *                             |  \                 |
 *              another body   |   gap: asked for again and again, closed by DATA or LOSS
 *                             v                    v
 *                           forked: what fits is taken, each device is told to begin
 *                                   another epoch and brings there what is not proved
 *
 * A name that was closed without a pack (LOSS, THINNED, given up) is said so in every
 * ack: whoever holds that pack all the same brings it under a new name.
 *
 * Pure: times and positions are inputs. What is saved follows from packs and hellos only,
 * so reading them again gives the same state; when to ack is not saved. Belongs to one
 * thread.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_COLLECTOR_CORE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_COLLECTOR_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collector/pipeline/collector_device.h"
#include "telemetry/delivery.h"
#include "telemetry/pack.h"

#define COLLECTOR_SLOTS 4 /* of backlogs, at a time */

struct collector_slot {
    struct collector_device *device; /* borrowed, until collector_device_fini() */
    int64_t until_ms;                /* INT64_MAX: it was not told yet */
};

/* The collector as a whole. */
struct collector_core {
    /* fixed after init */
    char store[DELIVERY_STORE_SIZE];
    uint64_t generation;
    int64_t interval_ms;
    uint32_t credits;     /* granted to each device while there is no backlog */
    uint64_t ranges_max;  /* beyond gaps, of all devices */
    uint64_t backlog_max; /* as `backlog`; 0: no limit */
    size_t slots_max;     /* of COLLECTOR_SLOTS */

    uint64_t ranges;  /* of all windows */
    uint64_t backlog; /* how much was taken in and is not evaluated; the shell's unit */
    bool is_behind;   /* what is synced by now is not evaluated: no slot is given */
    struct collector_slot slots[COLLECTOR_SLOTS];
    size_t slot_count;
};

/* A pack as the topic names it, and what it says of other packs. */
struct collector_pack {
    uint64_t epoch;
    uint64_t seq;
    uint64_t hash;     /* delivery_hash() of its bytes */
    uint64_t position; /* where it can be read again */
    bool is_readable;  /* what follows counts only then */
    bool is_live;      /* not one that the broker retained: has a turn */
    uint64_t previous_hash;
    enum pack_kind kind;
    uint64_t ended;
    uint64_t from;
    uint64_t to;
    bool tells_fork; /* of a forked epoch, under a new name */
};

enum collector_event_kind {
    COLLECTOR_HELLO,    /* hello */
    COLLECTOR_PACK,     /* pack, synced here */
    COLLECTOR_ACK_SENT, /* what collector_core_ack() said went out */
    COLLECTOR_GIVE_UP,  /* epoch: its first gap is waited for no longer */
};

struct collector_event {
    enum collector_event_kind kind;
    int64_t real_ms; /* never steps; for acks */
    int64_t wall_ms; /* of the record */
    const struct hello *hello;
    const struct collector_pack *pack;
    uint64_t epoch;
};

enum collector_action_kind {
    COLLECTOR_ACCEPT,  /* epoch, seq: its turn has come */
    COLLECTOR_HOLD,    /* epoch, seq: ahead of a gap; taken, its turn comes */
    COLLECTOR_RELEASE, /* epoch: that or another may have turns: collector_core_turns() */
    COLLECTOR_REJECT,  /* epoch, seq: cannot be read; keep it in quarantine; taken */
    COLLECTOR_DROP,    /* epoch, seq: taken before */
    COLLECTOR_REFUSE,  /* epoch, seq: no room to remember it; not taken, not acked */
    COLLECTOR_FORK,    /* epoch, seq: another body; keep it in quarantine; not taken */
    COLLECTOR_ORDER_NEW_EPOCH, /* epoch: it was forked; the ack says so */
    COLLECTOR_LOSS,            /* epoch, from, to: will never come */
    COLLECTOR_TWINS,           /* two devices use this name */
    COLLECTOR_REGRESSED,       /* epoch, from: the device ends below what is held, to */
    COLLECTOR_ACK_AT,          /* at_ms: ack not later */
};

struct collector_action {
    enum collector_action_kind kind;
    uint64_t epoch;
    uint64_t seq;
    uint64_t from;
    uint64_t to;
    int64_t at_ms;
};

/* No event makes more; nothing is allocated per pack. */
#define COLLECTOR_ACTIONS_MAX (2 * DELIVERY_EPOCHS_MAX + 8)

struct collector_actions {
    struct collector_action list[COLLECTOR_ACTIONS_MAX];
    size_t count;
};

void collector_core_init(struct collector_core *core, const char *store,
                         uint64_t generation, int64_t interval_ms, uint32_t credits);

/* Empties `actions`, then fills it. Carry them out in order, before the next event. */
void collector_core_step(struct collector_core *core, struct collector_device *device,
                         const struct collector_event *event,
                         struct collector_actions *actions);

/* What is to be said now; `ack` is empty before and the caller finishes it. */
void collector_core_ack(const struct collector_core *core,
                        const struct collector_device *device, int64_t real_ms,
                        struct ack *ack);
/* Packs in flight that a device may have, by the backlog of all. */
uint32_t collector_core_credits(const struct collector_core *core);
/*
 * Lets a device of which wants_slot is set send of its backlog, and makes its ack due,
 * which says so. False: not now, nor those behind it in the line. The shell offers it to
 * each in the order in which they came to want it.
 */
bool collector_core_give_slot(struct collector_core *core,
                              struct collector_device *device, int64_t real_ms);
/* When the next of the slots ends by itself; INT64_MAX when none does. */
int64_t collector_core_slot_ends_ms(const struct collector_core *core);
/*
 * The epochs of which a held pack has its turn, oldest first; how many. While one that
 * the device holds misses packs, the others wait: what is missing may be older than
 * theirs. Of several, the one whose next pack was measured first is to go on.
 */
size_t collector_core_turns(const struct collector_device *device,
                            struct collector_epoch *turns[COLLECTOR_EPOCHS_MAX]);
/*
 * The next held pack of it whose turn it is, or false. Seqs without a position (lost,
 * rejected) are passed over.
 */
bool collector_core_next(const struct collector_device *device,
                         struct collector_epoch *epoch, struct collector_held *next);

/* Removes the device from the core's sums, and its memory. */
void collector_device_fini(struct collector_core *core, struct collector_device *device);
void collector_device_save(const struct collector_device *device, struct buf *out);
/* Into a zeroed struct. CORRUPT: run collector_device_fini() all the same. */
MUST_CHECK enum err collector_device_load(struct collector_core *core,
                                          struct collector_device *device,
                                          struct buf_reader *in);

#endif
