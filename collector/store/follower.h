// SPDX-License-Identifier: Apache-2.0
/*
 * follower - a thread that follows the journal with a cursor of its own.
 *
 * The smallest back end is history_follower.c. A follower sees synced records only, at
 * its own pace: a slow one delays nobody. The cursor is kept by whatever it writes to.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_FOLLOWER_H
#define COLDCHAIN_COLLECTOR_STORE_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/journal.h"

struct follower;

/* What a turn left behind. */
struct follower_turn {
    bool has_more;     /* call again at once */
    int64_t wait_ms;   /* otherwise: not before so long, whatever is new */
    bool ignores_news; /* and then at once: it waits for something else than records */
};

struct follower_ops {
    const char *name; /* of the thread, at most 15 bytes */
    /*
     * The follower's thread. Reads what it likes from the reader. CORRUPT stops it; after
     * any other error (no space, no descriptors) it is called again, later and later, and
     * goes on from where its store is: the turn puts the reader back there.
     */
    enum err (*turn)(void *context, struct journal_reader *reader,
                     struct follower_turn *turn, struct err_text *why);
    /* The follower's thread, last: nothing follows. */
    void (*finish)(void *context);
};

/* Starts behind position `from`. */
MUST_CHECK enum err follower_open(struct follower **follower, struct journal *journal,
                                  uint64_t from, const struct follower_ops *ops,
                                  void *context, struct err_text *why);
/* Any thread: there is something new to read. */
void follower_wake(struct follower *follower);
/* Runs one last turn after another until nothing is left, at most drain_ms, and joins. */
void follower_close(struct follower *follower, int64_t drain_ms);
/*
 * Any other thread: runs `call` on the follower's thread between two turns, and returns
 * when it has run. False when it has stopped, or is being closed: it was not run.
 */
bool follower_call(struct follower *follower, void (*call)(void *context, void *arg),
                   void *arg);
/* Any thread: whether its last turn failed, and why. */
bool follower_has_failed(struct follower *follower, struct err_text *why);

#endif
