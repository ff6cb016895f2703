// SPDX-License-Identifier: Apache-2.0
/*
 * delivery - the messages that make delivery certain: hello and ack (docs/wire.md).
 *
 * An agent says at each connect what it holds (hello); the collector answers with what
 * it has on stable storage (ack). Acks are cumulative with ranges, name the session by
 * its nonce and the collector by store id and generation. JSON: numbers that may pass
 * 2^53 are decimal text, epochs 16 hex digits. Members that are not known are passed
 * over; a version newer than DELIVERY_VERSION is UNSUPPORTED. Pure.
 */
#ifndef COLDCHAIN_TELEMETRY_DELIVERY_H
#define COLDCHAIN_TELEMETRY_DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "telemetry/reading.h"
#include "telemetry/seqset.h"

#define DELIVERY_VERSION    1
#define DELIVERY_NONCE_SIZE 33 /* 32 hex digits and NUL; [A-Za-z0-9_-] is accepted */
#define DELIVERY_STORE_SIZE 33 /* likewise */
#define DELIVERY_EPOCHS_MAX 16
#define DELIVERY_RANGES_MAX 64
#define DELIVERY_CLOSED_MAX 8 /* of one epoch: of these none is ever left out */
#define DELIVERY_BYTES_MAX  16384

/* One epoch that the agent still holds packs of. */
struct hello_epoch {
    uint64_t epoch;
    uint64_t first; /* lowest seq still held */
    uint64_t last;  /* highest seq closed so far, 0 when none; first <= last + 1 */
    bool is_current;
};

struct hello {
    char nonce[DELIVERY_NONCE_SIZE];
    char version[ID_SIZE]; /* of the agent's software: [A-Za-z0-9._+~-]*, may be empty */
    uint64_t backlog;      /* packs not acked when it connected */
    struct hello_epoch epochs[DELIVERY_EPOCHS_MAX];
    size_t epoch_count;
};

/* The collector's pack just below one that is closed. */
struct ack_seam {
    uint64_t seq;
    uint64_t hash; /* never 0 */
};

struct ack_epoch {
    uint64_t epoch;
    uint64_t through; /* all seqs up to here are on stable storage */
    /* Of the pack `through`, as it was taken; 0: not known. All behind the last closed
     * one up to it are of the same branch. */
    uint64_t hash;
    struct seq_range ranges[DELIVERY_RANGES_MAX];
    size_t range_count;
    struct seq_range rejected[DELIVERY_RANGES_MAX]; /* kept in quarantine; done with */
    size_t rejected_count;
    struct seq_range wanted[DELIVERY_RANGES_MAX]; /* send DATA or LOSS for these */
    size_t wanted_count;
    /* named by `through` and `ranges`, but without data: called lost, or moved. Perhaps
     * more than these, never less: a writer has at most DELIVERY_CLOSED_MAX. */
    struct seq_range closed[DELIVERY_RANGES_MAX];
    size_t closed_count;
    /* Where the chain of hashes that ends at `through` is broken by what is closed, it
     * begins anew below: one for each of `closed`, where it is known. */
    struct ack_seam seams[DELIVERY_CLOSED_MAX];
    size_t seam_count;
    bool end_epoch; /* a fork was seen: start a new epoch */
};

struct ack {
    char nonce[DELIVERY_NONCE_SIZE]; /* of the session it answers; "" answers none */
    char store[DELIVERY_STORE_SIZE];
    uint64_t generation;
    int64_t ack_interval_ms;
    uint32_t credits; /* packs in flight that the agent may have */
    /* And of those closed before its session, which leave in slots. Read from an ack that
     * does not say: as many as `credits`. */
    uint32_t backlog_credits;
    struct ack_epoch *epochs;
    size_t epoch_count;
};

/* What names a pack's bytes: the first 8 bytes of their BLAKE2b-256 hash, never 0. */
uint64_t delivery_hash(const void *bytes, size_t len);

void ack_fini(struct ack *ack);
/* Adds an empty epoch, borrowed until the next call; NULL past DELIVERY_EPOCHS_MAX. */
struct ack_epoch *ack_add_epoch(struct ack *ack, uint64_t epoch);

/* Appends the message; the texts in it are valid. */
void hello_format(const struct hello *hello, struct buf *out);
/* INVALID, LIMIT or UNSUPPORTED, and *hello zeroed. */
MUST_CHECK enum err hello_parse(struct hello *hello, const void *data, size_t len,
                                struct err_text *why);
/*
 * Appends the message, of at most DELIVERY_BYTES_MAX bytes: ranges that find no room are
 * left out, which costs a resend or a second question and loses nothing.
 */
void ack_format(const struct ack *ack, struct buf *out);
/*
 * INVALID, LIMIT or UNSUPPORTED, and *ack empty. Ranges may come in any order. The caller
 * runs ack_fini also after a failure.
 */
MUST_CHECK enum err ack_parse(struct ack *ack, const void *data, size_t len,
                              struct err_text *why);

#endif
