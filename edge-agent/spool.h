// SPDX-License-Identifier: Apache-2.0
/*
 * spool - the agent's journal: packs by (epoch, seq), and the marks of what was acked.
 *
 * A pack's record carries its name, whether it holds a breach, and how far each
 * resumable sensor was when it was closed, before the very bytes that are published; so
 * one record is the whole truth about its pack, and a cut tail takes the cursors back
 * with it.
 *
 *   version u8 | flags u8 | cursors u16 | readings u32 | epoch u64 | seq u64 |
 *   { sensor u64, cursor u64 } x cursors | bytes
 *
 * The index of positions is rebuilt at open by reading the journal once. Belongs to the
 * loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SPOOL_H
#define COLDCHAIN_EDGE_AGENT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "journal/journal.h"

struct spool;

/* One epoch of which packs are held; plain data, borrowed. */
struct spool_epoch {
    uint64_t epoch;
    uint64_t first;      /* lowest seq held; last + 1 when none is */
    uint64_t last;       /* highest seq written */
    uint64_t *positions; /* of offset..last; 0: unreadable */
    uint16_t *readings;  /* of the same packs */
    size_t capacity;
    size_t readings_capacity;
    uint64_t offset; /* seq of positions[0]; at most `first` */
};

struct spool_cursor {
    uint64_t sensor; /* rng_seed_of() its name */
    uint64_t cursor;
};

struct spool_pack {
    uint64_t epoch;
    uint64_t seq;
    bool is_urgent;
    bool has_breach;
    uint32_t readings;
    const struct spool_cursor *cursors;
    size_t cursor_count;
    const void *bytes;
    size_t len;
};

/* What opening found. */
struct spool_recovery {
    bool is_born;        /* no journal was there */
    bool was_cut;        /* something is gone that may have been published */
    uint64_t packs;      /* held */
    uint64_t unreadable; /* ranges that could not be read */
};

#define SPOOL_CURSORS_MAX 64

/* `max_bytes` is the budget on disk. On failure *spool is NULL and `why` says why. */
MUST_CHECK enum err spool_open(struct spool **spool, const char *dir, uint64_t max_bytes,
                               const struct journal_io *io,
                               struct spool_recovery *recovery, struct err_text *why);
/* Accepts NULL. */
void spool_close(struct spool *spool);

size_t spool_epoch_count(const struct spool *spool);
/* Oldest first; the last one is current. Borrowed until the next pack is written. */
const struct spool_epoch *spool_epoch_at(const struct spool *spool, size_t index);
/* The marks saved last, borrowed; NULL when there are none. */
const struct buf *spool_marks(const struct spool *spool);
/* How far that sensor was with the last pack; false when no pack says so. */
bool spool_cursor(const struct spool *spool, uint64_t sensor, uint64_t *cursor);
/* Of the bytes of the last pack of the current epoch; 0 when it has none. */
uint64_t spool_last_hash(const struct spool *spool);

/*
 * Writes a pack whose seq follows the last one of its epoch; a new epoch begins with
 * seq 1. ERR_FULL, ERR_IO: nothing has changed. Not on stable storage before
 * spool_sync().
 */
MUST_CHECK enum err spool_write(struct spool *spool, const struct spool_pack *pack,
                                int64_t wall_ms, int64_t boot_ms);
MUST_CHECK enum err spool_write_marks(struct spool *spool, const void *marks, size_t len,
                                      int64_t wall_ms, int64_t boot_ms);
MUST_CHECK enum err spool_sync(struct spool *spool);

/*
 * A pack that was synced; bytes are borrowed until the next call. NOT_FOUND when it is
 * not held, CORRUPT when it cannot be read any more.
 */
MUST_CHECK enum err spool_read(struct spool *spool, uint64_t epoch, uint64_t seq,
                               struct spool_pack *pack);

/* How many readings those packs hold that are held, of [from, to]. */
uint64_t spool_readings(const struct spool *spool, uint64_t epoch, uint64_t from,
                        uint64_t to);

/* True when the next segment would go beyond the budget. */
bool spool_is_full(const struct spool *spool);
/*
 * Calls `each` for every pack of the oldest segment, in order, before it may be trimmed.
 * False when the oldest segment is the one being written.
 */
bool spool_oldest(struct spool *spool,
                  void (*each)(void *context, const struct spool_pack *pack),
                  void *context);
/* Removes the oldest segment; epochs' `first` move up. */
MUST_CHECK enum err spool_trim_oldest(struct spool *spool);

void spool_stats(const struct spool *spool, struct journal_stats *stats);

#endif
