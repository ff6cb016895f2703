// SPDX-License-Identifier: Apache-2.0
/*
 * collector_device - what is known of one device's epochs: packs taken, held, closed, and
 * when to answer.
 *
 * collector_core.h moves it, releases it and saves it. Pure. Belongs to one thread.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_COLLECTOR_DEVICE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_COLLECTOR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/delivery.h"
#include "telemetry/seqset.h"
#include "telemetry/window.h"

#define COLLECTOR_EPOCHS_MAX 64 /* of one device */
#define COLLECTOR_RANGES_MAX (UINT64_C(1) << 20)
#define COLLECTOR_NONCES     4
#define COLLECTOR_RETURNS    2 /* hellos that went back to an epoch that was left */
/* A gap is asked for after two ack intervals, then doubling up to this. */
#define COLLECTOR_ASK_MAX_MS 600000

/* A pack that came ahead of a gap, or of another epoch's, and waits, in the journal, for
 * its turn. */
struct collector_held {
    uint64_t seq;
    uint64_t position;
};

/* A pack just below one that is closed. */
struct collector_seam {
    uint64_t seq;
    uint64_t hash;
};

struct collector_epoch {
    uint64_t epoch;
    struct window window;         /* in the journal, whatever they held */
    struct seqset rejected;       /* of those: in quarantine */
    struct seqset closed;         /* of those: without a pack; perhaps more, never less */
    struct collector_seam *seams; /* ascending; at most one for each range of `closed` */
    size_t seam_count;
    size_t seam_capacity;
    uint64_t evaluated;          /* all up to here have had their turn */
    struct collector_held *held; /* ascending by seq */
    size_t held_count;
    size_t held_capacity;
    int64_t held_since_ms; /* wall time of the first one held; 0: none */
    uint64_t last;         /* what EPOCH_END says; 0 before */
    uint64_t gone;         /* the device says it holds nothing up to here */
    uint64_t said;         /* the last one, said its last hello; 0: not named there */
    int64_t ask_due_ms;    /* when to ask for what is missing; 0: nothing is */
    uint8_t asked;
    bool is_ended;
    bool is_forked;
    bool is_left;  /* a later hello called another one current */
    bool is_named; /* in the device's last hello, or begun since */
};

/* What is known of one device. A zeroed struct is one never heard of. */
struct collector_device {
    char nonce[DELIVERY_NONCE_SIZE]; /* of its session; "" before its first hello */
    struct collector_epoch *epochs;  /* oldest first */
    size_t epoch_count;
    uint64_t current; /* epoch, says its last hello; 0 before */
    uint32_t nonces[COLLECTOR_NONCES];
    uint8_t nonce_at;
    uint8_t returns; /* hellos that went back to an epoch that was left */
    bool is_twin;
    /* acknowledgement; not saved */
    bool is_queued;
    bool wants_slot;    /* to send of its backlog; see slots.h */
    uint32_t slot_left; /* packs of its backlog that may still come in its slot */
    uint32_t unacked;   /* packs since the last ack */
    int64_t ack_due_ms;
    int64_t ack_queued_ms; /* while is_queued: where it stands in the queue */
};

/* The first seqs that are missing and known to exist; false when there are none. */
bool collector_first_gap(const struct collector_epoch *epoch, struct seq_range *gap);
/*
 * Whether the device holds what is still to come of it. Of an epoch that it has left it
 * holds no more than it said: a journal that lost its tail answers for nothing behind
 * that, and holds up nothing that follows.
 */
bool collector_is_held_there(const struct collector_epoch *epoch);

/* Borrowed until an epoch is added; NULL when it is not known. */
struct collector_epoch *collector_find_epoch(const struct collector_device *device,
                                             uint64_t epoch);

/* The same, added when it is new; NULL when there is no room for one more. */
struct collector_epoch *collector_epoch_of(struct collector_device *device,
                                           uint64_t epoch);
/* Remembers a pack that is ahead of its turn. */
void collector_epoch_hold(struct collector_epoch *epoch, struct collector_held held);

#endif
