// SPDX-License-Identifier: Apache-2.0
/*
 * internal - the journal's own struct, shared by journal.c, commit.c, spares.c and
 * reader.c. Nobody outside this folder includes it.
 *
 * Order of locks: journal.lock before spares.lock.
 */
#ifndef COLDCHAIN_JOURNAL_INTERNAL_H
#define COLDCHAIN_JOURNAL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "journal/folder.h"
#include "journal/format.h"
#include "journal/journal.h"
#include "journal/journal_io.h"

/* Frames in memory until they are synced: [offset, offset + bytes.len) of a segment. */
struct run {
    uint32_t number;
    uint32_t offset;
    uint64_t salt; /* under which the frames were sealed */
    struct buf bytes;
};

struct runs {
    struct run *items;
    size_t count;
    size_t capacity;
};

/* A file which is written to. */
struct output {
    uint32_t number;
    uint32_t end; /* where the next frame goes */
    uint32_t serial;
    uint64_t salt;
    int fd; /* -1: none */
};

struct outputs {
    struct output *items;
    size_t count;
    size_t capacity;
};

/* A segment with a header and nothing else. */
struct spare {
    uint32_t number;
    uint64_t salt;
    int fd;
    bool synced; /* file and folder entry */
};

struct spares {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct spare *items; /* by rising number */
    size_t count;
    size_t capacity;
    size_t wanted;
    bool preparing;
    uint32_t next_number;
};

struct journal {
    /* fixed after open */
    const struct journal_io *io;
    int dir;
    int lock_fd;
    bool read_only;
    size_t segment_bytes;
    uint64_t generation;
    uint8_t id[JOURNAL_ID_BYTES];

    /* shared, under lock */
    pthread_mutex_t lock;
    enum err failed; /* for good */
    struct segment_table table;
    struct output active;
    struct outputs rotated; /* full, not synced yet */
    struct runs pending;    /* not taken by the committer yet */
    struct buf idle[2];     /* memory for the next runs */
    bool dir_dirty;
    int64_t last_wall_ms;
    int64_t last_boot_ms;
    uint64_t records;
    uint64_t bytes_written;

    /* the committer's */
    struct runs syncing;
    struct crypto_digest digest;
    uint8_t chain[CRYPTO_DIGEST_BYTES];
    uint64_t group_first;
    uint64_t group_last;
    uint64_t group_count;

    /* shared, without lock */
    _Atomic uint64_t synced;
    _Atomic uint64_t pending_records;
    _Atomic uint64_t pending_bytes;
    _Atomic uint64_t syncs;
    _Atomic uint64_t commits;
    _Atomic uint64_t poisoned;

    struct spares spares;
};

/* journal.c: with the lock held. Rotates when the frame does not fit. */
MUST_CHECK enum err journal_put(struct journal *journal, const struct frame *frame,
                                const struct journal_piece *pieces, size_t count,
                                uint64_t *position);
/* The same for a small body of the journal's own, without room for a COMMIT after it. */
MUST_CHECK enum err journal_put_own(struct journal *journal, uint8_t type,
                                    const void *body, size_t len, uint64_t *position);
/* A record that says what could not be kept. */
MUST_CHECK enum err journal_put_loss(struct journal *journal,
                                     const struct journal_loss *loss);
/* Goes on in another segment, whose BEGIN is of this kind. */
MUST_CHECK enum err journal_rotate(struct journal *journal, enum begin_kind kind,
                                   uint64_t previous_end);

/* commit.c */
void runs_fini(struct runs *runs);

/* spares.c */
void spares_init(struct spares *spares, size_t wanted);
/* Closes the files, which stay for the next time. */
void spares_close(struct journal *journal);
/*
 * Takes the lowest, or makes one without syncing when there is none. With the
 * journal's lock held.
 */
MUST_CHECK enum err spares_take(struct journal *journal, struct spare *spare);
void spares_put_back(struct journal *journal, const struct spare *spare);
/* Gives a file that was never used a new header, or removes it. At open. */
void spares_adopt(struct journal *journal, uint32_t number);

/* Makes as many synced ones as are wanted. */
MUST_CHECK enum err spares_prepare(struct journal *journal, size_t wanted);
/* Removes what was being made when the process ended. At open. */
void spares_clean(struct journal *journal);

/* A new file with its space reserved, without a header. On failure none is. */
MUST_CHECK enum err segment_create(struct journal *journal, const char *name,
                                   uint32_t from, int *fd);
/* Closes and removes; *fd is -1 afterwards. */
void segment_discard(struct journal *journal, const char *name, int *fd);
MUST_CHECK enum err segment_write_header(const struct journal *journal, int fd,
                                         uint32_t number, uint32_t part, uint32_t from,
                                         uint64_t salt);

#endif
