// SPDX-License-Identifier: Apache-2.0
/*
 * uplink_core - when to send which pack, and what an ack means: delivery without I/O.
 *
 * (state, event) -> actions, exactly as docs/delivery.md says. The uplink carries the
 * actions out; a simulated world may do so as well. Every publish may be lost, doubled
 * or late without harm: what the collector has not named in an ack is sent again.
 *
 *   offline --connected--> asking --first ack--> flowing --no ack for the timeout--+
 *      ^                     |  hello; no old packs        credits, live first     |
 *      |                     |                                                     v
 *      +------- lost --------+------<--- any valid ack ---< probing: hello + one pack
 *
 * Pure: time (milliseconds that never step) and randomness (a seed) are inputs. Belongs
 * to one thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_UPLINK_CORE_H
#define COLDCHAIN_EDGE_AGENT_UPLINK_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/rng.h"
#include "telemetry/delivery.h"
#include "telemetry/seqset.h"

/* Packs in flight, whatever the collector grants: half of them live, half of a backlog.
 */
#define AGENT_WINDOW_MAX 512
/* Until the first ack of a session says otherwise (DESIGN 4.2); then of no backlog. */
#define AGENT_CREDITS_DEFAULT     8
#define AGENT_ACK_INTERVAL_MS     10000
#define AGENT_ACK_INTERVAL_MIN_MS 50
#define AGENT_ACK_INTERVAL_MAX_MS 600000
#define AGENT_TIMEOUT_MAX_MS      600000
/* A hello is answered at once: unanswered, it is said again after this, doubling. */
#define AGENT_HELLO_AGAIN_MS  2000
#define AGENT_HELLO_AGAIN_MAX 4 /* then probing goes on */
/* How long new packs wait for that answer, lest they overtake the old ones. */
#define AGENT_PATIENCE_MS 5000
#define AGENT_URGENT_MAX  32
#define AGENT_WANTED_MAX  64
#define AGENT_TOLD_MAX    32
#define AGENT_LEFT_MAX    8
/* Acks of one such generation, and no other, while probing: it is the one that lives. */
#define AGENT_LATE_MAX 3

/* One epoch of which packs are held. */
struct agent_epoch {
    uint64_t epoch;
    uint64_t first;      /* lowest seq still held */
    uint64_t last;       /* highest seq closed, 0 when none */
    struct seqset done;  /* on the collector's stable storage, or refused by it */
    struct seqset gone;  /* unreadable here; LOSS was ordered */
    struct seqset moved; /* other packs stand for these: thinned, or taken along */
    /* By their hash, the collector's packs of this life are ours. */
    struct seqset proved;
    uint64_t next;      /* backlog: all below were done or sent in this session */
    uint64_t live_from; /* closed since the session began */
    uint64_t live_next;
    bool is_heard; /* an ack of this session has named it */
    bool is_left;  /* it is forked, says this session: nothing goes under its names */
};

struct agent_flight {
    uint64_t epoch;
    uint64_t seq;
    int64_t sent_ms;
    int64_t due_ms;
    uint32_t attempts;
    bool is_live;
};

struct agent_range {
    uint64_t epoch;
    struct seq_range seqs;
};

struct agent_counts {
    uint64_t published; /* packs, with those sent again */
    uint64_t resent;
    uint64_t acks;
    uint64_t acks_ignored; /* retained, foreign, late */
    uint64_t rejected;     /* seqs that the collector keeps in quarantine */
    uint64_t rewinds;      /* the collector held less than it once had */
    uint64_t forks;        /* epochs that another device had a hand in */
};

struct agent_core {
    struct agent_epoch *epochs; /* ascending age: the last one is current */
    size_t epoch_count;
    size_t epoch_capacity;

    /* the session */
    bool is_connected;
    bool is_answered; /* an ack of this session has come */
    bool is_probing;
    char nonce[DELIVERY_NONCE_SIZE];
    uint32_t credits;         /* of what is live */
    uint32_t backlog_credits; /* of what was closed before, and is asked for */
    int64_t ack_interval_ms;
    int64_t patient_until_ms;
    int64_t silent_due_ms; /* when to doubt that anyone listens */
    uint32_t silent_count;
    int64_t hello_due_ms; /* 0: answered, or left to probing */
    uint32_t hello_count; /* said again in this session */
    int64_t timer_ms;     /* what the last SET_TIMER said; 0: none */
    struct agent_flight flights[AGENT_WINDOW_MAX];
    size_t flight_count;
    struct agent_range urgent[AGENT_URGENT_MAX];
    size_t urgent_count;
    struct agent_range wanted[AGENT_WANTED_MAX];
    size_t wanted_count;
    struct agent_range told[AGENT_TOLD_MAX]; /* LOSS, MOVED ordered, not gone since */
    size_t told_count;

    /* the collector that acked last */
    char store[DELIVERY_STORE_SIZE];
    uint64_t generation;
    uint64_t left[AGENT_LEFT_MAX]; /* its generations before, of this session */
    size_t left_count;
    uint64_t late_generation; /* of the acks ignored since the last one that counted */
    uint32_t late_count;

    struct rng rng;
    struct agent_counts counts;
};

enum agent_event_kind {
    AGENT_PACK_SYNCED, /* epoch, seq, is_urgent: held here on stable storage */
    AGENT_PACK_GONE,   /* epoch, seq: cannot be read back */
    AGENT_THINNED,     /* epoch, seq, to: another pack stands for these */
    AGENT_TRIMMED,     /* epoch, seq: nothing below seq is held any more */
    AGENT_CONNECTED,   /* nonce: a new one for each session */
    AGENT_LOST,
    AGENT_ACK,   /* ack, is_retained */
    AGENT_TIMER, /* the time of SET_TIMER has come */
};

/* Hashes of our own packs that an ack speaks of; 0: not held. */
struct agent_own {
    uint64_t mark;                       /* `through` */
    uint64_t seams[DELIVERY_CLOSED_MAX]; /* as in the ack */
};

struct agent_event {
    enum agent_event_kind kind;
    int64_t now_ms;
    uint64_t epoch;
    uint64_t seq;
    uint64_t to;
    bool is_urgent; /* carries a breach: goes before everything else */
    bool is_retained;
    const char *nonce;
    const struct ack *ack;
    /* ACK: one for each epoch of the ack. NULL: none is held. */
    const struct agent_own *own;
};

enum agent_action_kind {
    AGENT_PUBLISH,       /* epoch, seq: the stored bytes, verbatim; is_live: first */
    AGENT_PUBLISH_HELLO, /* what agent_core_hello() says */
    AGENT_SET_TIMER,     /* at_ms; 0 cancels; replaces the one before */
    AGENT_WRITE_LOSS,    /* epoch, from, to: these seqs cannot be sent any more */
    AGENT_WRITE_MOVED,   /* epoch, from, to: other packs stand for these */
    AGENT_NEW_EPOCH,     /* end `epoch`, begin another */
    /* epoch, from, to: each goes along whole, under a new name; is_fork: as another
     * device has a hand in the old ones. AGENT_THINNED says when it is done. */
    AGENT_TAKE_ALONG,
    AGENT_SAVE_MARKS, /* store what agent_core_save() says; need not be synced */
};

struct agent_action {
    enum agent_action_kind kind;
    uint64_t epoch;
    uint64_t seq;
    bool is_live;
    bool is_fork;
    uint64_t from;
    uint64_t to;
    int64_t at_ms;
};

/* A zeroed struct is an empty list. */
struct agent_actions {
    struct agent_action *list;
    size_t count;
    size_t capacity;
};

void agent_actions_fini(struct agent_actions *actions);

void agent_core_init(struct agent_core *core, uint64_t seed);
void agent_core_fini(struct agent_core *core);

/* Restores an epoch of which [first, last] are held; oldest epoch first, before events.
 */
void agent_core_hold(struct agent_core *core, uint64_t epoch, uint64_t first,
                     uint64_t last);
/* Marks as saved; epochs that are not held are skipped. CORRUPT changes nothing. */
MUST_CHECK enum err agent_core_load(struct agent_core *core, const void *data,
                                    size_t len);
void agent_core_save(const struct agent_core *core, struct buf *out);

/* Empties `actions`, then fills it. Carry them out in order. */
void agent_core_step(struct agent_core *core, const struct agent_event *event,
                     struct agent_actions *actions);

void agent_core_hello(const struct agent_core *core, struct hello *hello);
/* Packs held that the collector has not acked. */
uint64_t agent_core_backlog(const struct agent_core *core);
/* True when the collector has it, or has refused it, or another pack stands for it. */
bool agent_core_is_done(const struct agent_core *core, uint64_t epoch, uint64_t seq);
/* True when the life of the collector that sent this ack is known to hold our own pack.
 */
bool agent_core_is_proved(const struct agent_core *core, const struct ack *ack,
                          uint64_t epoch, uint64_t seq);

#endif
