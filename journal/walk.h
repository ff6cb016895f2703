// SPDX-License-Identifier: Apache-2.0
/*
 * walk - steps from frame to frame through a range of one file, across damage.
 *
 * Reads blocks of at least 64 KiB, never beyond the limit. Belongs to one thread. A
 * zeroed struct is safe to walk_fini().
 */
#ifndef COLDCHAIN_JOURNAL_WALK_H
#define COLDCHAIN_JOURNAL_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/format.h"
#include "journal/journal_io.h"

struct walk {
    const struct journal_io *io;
    int fd; /* borrowed */
    uint64_t salt;
    uint32_t number;
    uint64_t offset; /* of the next step */
    uint64_t limit;
    uint8_t *data; /* window: bytes [start, start + len) of the file */
    size_t capacity;
    uint64_t start;
    size_t len;
    uint64_t unreadable_end; /* behind the last block that could not be read */
};

enum walk_step {
    WALK_FRAME,
    WALK_DAMAGE, /* no sound frame in [offset, next) */
    WALK_END,    /* the limit is reached */
};

struct walk_item {
    uint64_t offset;
    uint64_t next;
    struct frame frame;
    const uint8_t *bytes; /* the whole frame; borrowed until the next step */
    const uint8_t *body;
    uint64_t nonzero_end; /* of damage: behind the last byte that is not zero */
    bool unreadable;      /* of damage: the disk refused some of it */
};

/* A walk over the same file from another place; the window is dropped. */
void walk_begin(struct walk *walk, const struct journal_io *io, int fd, uint64_t salt,
                uint32_t number, uint64_t offset, uint64_t limit);
void walk_fini(struct walk *walk);

enum walk_step walk_next(struct walk *walk, struct walk_item *item);

/* True, and a step, when a sound frame begins exactly here. */
bool walk_here(struct walk *walk, struct walk_item *item);

#endif
