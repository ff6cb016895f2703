// SPDX-License-Identifier: Apache-2.0
/*
 * state - state.db: what was decided and what must be known after a restart.
 *
 * Primary data: decided incidents are never decided again. The effects of one batch and
 * the effect cursor are committed in one transaction; what state_commit() returned
 * ERR_OK for survives a power cut. The schema is drawn in docs/stores.md; its other
 * tables are in state_registry.h, state_delivery.h and state_incidents.h.
 *
 * The connection of state_open() belongs to the loop thread: it alone writes and
 * checkpoints. Other threads read through a connection of their own from
 * state_open_reader(), whose calls end within STATE_READ_MS or return TIMEOUT.
 * Rows handed to callbacks are borrowed until the callback returns; a callback must not
 * call the same connection. Errors of the functions below, when no others are named:
 * IO, FULL, CORRUPT, BUSY, TIMEOUT.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STATE_STORE_ID_SIZE 33 /* 32 hex digits and NUL */
#define STATE_READ_MS       2000
#define STATE_PAGE_MAX      1000 /* rows of one page; a limit of 0 means that */

struct state;

/*
 * Opens state.db at `path`; creates it, with a random store id, or upgrades its schema,
 * when need be. UNSUPPORTED: written by a newer version. BUSY: another process has it.
 */
MUST_CHECK enum err state_open(struct state **state, const char *path,
                               struct err_text *why);
/* Read-only; state_open() came first. Never waits for the writer, never checkpoints. */
MUST_CHECK enum err state_open_reader(struct state **state, const char *path,
                                      struct err_text *why);
/* Accepts NULL. Rolls back what was not committed. */
void state_close(struct state *state);

/* What SQLite said about the last failure; borrowed until the next call. */
const char *state_why(const struct state *state);

/*
 * One batch. Every writing function belongs between begin and commit. When one fails,
 * roll back and do the whole batch again, or stop. No nesting.
 */
MUST_CHECK enum err state_begin(struct state *state);
MUST_CHECK enum err state_commit(struct state *state);
/* Does nothing outside of a transaction. */
void state_rollback(struct state *state);

/*
 * Empties the log of what people's data was until it was changed or erased; nothing to do
 * is OK. BUSY: a reader holds it, try later. Never waits; between batches.
 */
MUST_CHECK enum err state_forget(struct state *state);

struct state_meta {
    char store_id[STATE_STORE_ID_SIZE]; /* random, drawn when the file was made */
    uint64_t generation;                /* told to agents in acks; 1 at first */
    uint64_t effect_position;           /* effects up to here are in this file */
    uint64_t checkpoint_position;       /* evaluations up to here are in this file */
    uint64_t journal_generation;        /* last seen */
};

MUST_CHECK enum err state_load_meta(struct state *state, struct state_meta *meta);
MUST_CHECK enum err state_put_generation(struct state *state, uint64_t generation);
MUST_CHECK enum err state_put_effect_position(struct state *state, uint64_t position);
MUST_CHECK enum err state_put_checkpoint_position(struct state *state, uint64_t position);
MUST_CHECK enum err state_put_journal_generation(struct state *state,
                                                 uint64_t generation);
/* 1, 2, 3, ... of the sequence of that name; never twice, also across restarts. */
MUST_CHECK enum err state_next_id(struct state *state, const char *sequence,
                                  uint64_t *id);

/* One entity of evaluation state as alerts_save_changed() gave it; len 0 deletes it. */
MUST_CHECK enum err state_put_evaluation(struct state *state, const char *key,
                                         uint64_t position, const void *data, size_t len);

typedef void state_evaluation_fn(void *context, const char *key, uint64_t position,
                                 const void *data, size_t len);
/* In the order of the keys. */
MUST_CHECK enum err state_load_evaluations(struct state *state, void *context,
                                           state_evaluation_fn *row);

/* A bearer token is kept by its hash only. More of them is in state_people.h. */
struct state_token {
    const char *hash; /* hex */
    const char *id;   /* what the audit names; unique; "": made from the hash */
    const char *name; /* for people: "first start", "grafana" */
    const char *role;
    const char *org;    /* "": the whole installation */
    const char *sites;  /* joined by spaces; "": all of the organisation */
    const char *scopes; /* of an integrator, joined by spaces */
    const char *owner;  /* id of who made it, "" */
    int64_t created_ms;
    int64_t expires_ms; /* 0: never */
    int64_t revoked_ms; /* 0: not revoked */
};

/* Adds the token or replaces the one with the same hash. */
MUST_CHECK enum err state_put_token(struct state *state, const struct state_token *token);
typedef void state_token_fn(void *context, const struct state_token *token);
/* Calls `row` once, or returns NOT_FOUND. Whether it still counts is the caller's. */
MUST_CHECK enum err state_find_token(struct state *state, const char *hash, void *context,
                                     state_token_fn *row);
MUST_CHECK enum err state_count_tokens(struct state *state, uint64_t *count);

/* A follower that writes elsewhere, such as the one to InfluxDB. */
struct state_sink {
    const char *name;
    uint64_t cursor;        /* journal position; everything up to here was accepted */
    const char *state;      /* for people: "ok", "waiting", "rejecting" */
    const char *last_error; /* "" when there was none */
    int64_t changed_ms;
    uint64_t accepted; /* readings */
    uint64_t rejected;
    uint64_t retries;
};

MUST_CHECK enum err state_put_sink(struct state *state, const struct state_sink *sink);
typedef void state_sink_fn(void *context, const struct state_sink *sink);
MUST_CHECK enum err state_each_sink(struct state *state, void *context,
                                    state_sink_fn *row);

#endif
