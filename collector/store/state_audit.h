// SPDX-License-Identifier: Apache-2.0
/*
 * state_audit - the table of state.db that says who changed what, when and why.
 *
 * Each command has one row, applied or refused, written in the transaction of what it
 * did. A row's hash covers the row and the hash before it, so that a row that was
 * altered, added or taken out breaks the chain there; rows cut off at the end show only
 * to who noted the last hash. Threads, errors and borrowing as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_AUDIT_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"
#include "collector/store/state.h"

struct state_audit {
    uint64_t seq;      /* 1, 2, 3, ...: given by the store */
    uint64_t position; /* of the record; what a replay finds its way by */
    const char *command;
    int64_t at_ms; /* when it was applied */
    const char *actor;
    const char *verb;
    const char *reason;
    const char *body;    /* JSON, as it was asked for */
    const char *outcome; /* err_name(): "OK", "CONFLICT", ... */
    const char *detail;  /* the sentence of a refusal; "" */
    const char *result;  /* JSON object: what the caller was answered */
    const char *changes; /* JSON array of {kind, id, org, version, old, new} */
    uint8_t hash[CRYPTO_DIGEST_BYTES]; /* given by the store */
};

typedef void state_audit_fn(void *context, const struct state_audit *row);

/* Uses all but seq and hash. */
MUST_CHECK enum err state_add_audit(struct state *state, const struct state_audit *row);
/* Call `row` once, or return NOT_FOUND. */
MUST_CHECK enum err state_find_audit(struct state *state, const char *command,
                                     void *context, state_audit_fn *row);
MUST_CHECK enum err state_audit_at(struct state *state, uint64_t position, void *context,
                                   state_audit_fn *row);
/* The latest first: those behind position `from`, up to `to`. */
MUST_CHECK enum err state_audit_back(struct state *state, uint64_t from, uint64_t to,
                                     void *context, state_audit_fn *row);
/* From behind seq `after`, in order. */
MUST_CHECK enum err state_page_audit(struct state *state, uint64_t after, size_t limit,
                                     void *context, state_audit_fn *row);

/* The hash of a row whose predecessor has that one; 32 zeros before the first. Pure. */
void state_audit_hash(const struct state_audit *row,
                      const uint8_t previous[CRYPTO_DIGEST_BYTES],
                      uint8_t hash[CRYPTO_DIGEST_BYTES]);

/* Where a chain stands while it is verified, row by row. Zeroed at first. */
struct audit_chain {
    uint64_t count; /* rows that hold */
    uint8_t last[CRYPTO_DIGEST_BYTES];
    uint64_t broken_at; /* seq of the first that does not; 0: all hold */
    const char *why;    /* constant */
};

/* False from the first row on that does not hold. Pure. */
bool audit_chain_next(struct audit_chain *chain, const struct state_audit *row);

#endif
