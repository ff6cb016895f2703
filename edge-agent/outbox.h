// SPDX-License-Identifier: Apache-2.0
/*
 * outbox - packs that the connection has no room for yet, in the order they are to go.
 *
 * What is live goes before what is not. A name is in it once. Pure; one thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_OUTBOX_H
#define COLDCHAIN_EDGE_AGENT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox_entry {
    uint64_t epoch;
    uint64_t seq;
    bool is_live;
};

/* A zeroed struct is empty. */
struct outbox {
    struct outbox_entry *entries;
    size_t count;
    size_t capacity;
};

void outbox_fini(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);
void outbox_put(struct outbox *outbox, uint64_t epoch, uint64_t seq, bool is_live);
/* Takes the next one out; false when it is empty. */
bool outbox_take(struct outbox *outbox, struct outbox_entry *entry);

#endif
