// SPDX-License-Identifier: Apache-2.0
/*
 * guard - remembers which record a follower of the journal was taking when the process
 * crashed, so that a poisonous record cannot stop the house for ever.
 *
 * A follower enters each record and leaves it. When a signal such as SIGSEGV or SIGABRT
 * ends the process in a thread that is inside, the next start knows follower and
 * position; after GUARD_CRASHES of them the record is to be skipped. A kill -9, a power
 * cut or a full memory are blamed on nobody. What is known stands in one small file that
 * is mapped: entering costs two stores and survives the process. It is a memory of bugs
 * and no data: when it is lost, the same is learned again.
 *
 * Each follower belongs to one thread. One guard per process.
 */
#ifndef COLDCHAIN_COLLECTOR_GUARD_H
#define COLDCHAIN_COLLECTOR_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GUARD_CRASHES 2

#define GUARD_LIST(X) \
    X(PIPELINE, "pipeline") \
    X(HISTORY, "history") \
    X(INFLUX, "influx")

enum guard_who {
#define X(name, text) GUARD_##name,
    GUARD_LIST(X)
#undef X
        GUARD_COUNT
};

struct guard;

/* Opens or makes the file, counts what it says of the last run, watches the signals. */
MUST_CHECK enum err guard_open(struct guard **guard, const char *path,
                               struct err_text *why);
/* Accepts NULL. Nobody is inside any more. */
void guard_close(struct guard *guard);

/*
 * Begins to take the record, also in place of the one before. Returns how often the
 * process crashed while this follower took it, or another with the same bytes (`data`
 * from its second byte on, since the first says how it came). 0 when guard is NULL.
 */
unsigned guard_enter(struct guard *guard, enum guard_who who, uint64_t position,
                     const void *data, size_t len);
/* Accepts NULL. */
void guard_leave(struct guard *guard, enum guard_who who);

/* True once for each record that is skipped: write it to the journal. */
bool guard_is_news(struct guard *guard, enum guard_who who, uint64_t position);

const char *guard_name(enum guard_who who);

#endif
