// SPDX-License-Identifier: Apache-2.0
/*
 * journal - the append-only log on disk which both daemons are built around.
 *
 * What journal_append() returned ERR_OK for survives a kill of the process; what
 * journal_sync() covered survives a power cut. Damage is never passed on and never
 * silent: it is skipped and reported. docs/journal-format.md draws the bytes.
 *
 * Any thread may append; one thread, the committer, calls journal_sync(); each follower
 * thread has a reader of its own; a helper thread may call journal_prepare() and
 * journal_trim(). crypto_init() comes first.
 *
 * A position is (segment number << 32 | offset in the segment). Positions grow with
 * every record, are never reused, and stay valid for the life of the record, also when
 * a failed disk forces records into another file. 0 is no record: "from the beginning".
 */
#ifndef COLDCHAIN_JOURNAL_JOURNAL_H
#define COLDCHAIN_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define JOURNAL_BODY_MAX      ((size_t)2 << 20)
#define JOURNAL_SEGMENT_BYTES ((size_t)64 << 20)
#define JOURNAL_SEGMENT_MIN   ((size_t)64 << 10)
#define JOURNAL_SEGMENT_MAX   ((size_t)1 << 30)
#define JOURNAL_ID_BYTES      16
#define JOURNAL_LOSSES_MAX    16

/* 1 to 15 are the journal's own; 16 to 255 are the user's and opaque here. */
enum journal_type {
    JOURNAL_TYPE_BEGIN = 1,  /* opens a segment; readers do not show it */
    JOURNAL_TYPE_COMMIT = 2, /* ends a group; readers do not show it */
    JOURNAL_TYPE_LOSS = 3,   /* a range that could not be kept; readers show it */
    JOURNAL_TYPE_USER = 16,
};

enum journal_loss_reason {
    JOURNAL_LOSS_NONE,
    JOURNAL_LOSS_ROT,        /* bytes changed after they were stored */
    JOURNAL_LOSS_UNREADABLE, /* the disk refused to read them */
    JOURNAL_LOSS_MISSING,    /* a segment's file or its header is gone */
    JOURNAL_LOSS_TRIMMED,    /* the reader came too late (never stored as a record) */
};
const char *journal_loss_name(enum journal_loss_reason reason);

/* [from, to) could not be kept. */
struct journal_loss {
    uint64_t from;
    uint64_t to;
    enum journal_loss_reason reason;
    uint32_t frames; /* how many frames of all types, 0 when unknown */
};

struct journal_io;
struct journal;
struct journal_reader;

/* Zeroed: the real disk, default sizes. */
struct journal_options {
    const struct journal_io *io; /* NULL: the real disk */
    size_t segment_bytes;        /* 0: JOURNAL_SEGMENT_BYTES */
    size_t spare_segments;       /* that journal_prepare() keeps ahead; may be 0 */
    bool read_only;              /* no lock, no recovery, nothing is written */
    bool raise_generation; /* it is a copy of before: peers are asked for what followed */
};

/* What opening found and did. */
struct journal_recovery {
    uint8_t id[JOURNAL_ID_BYTES];
    bool born;              /* no journal was there: a new id, a new epoch */
    bool generation_bumped; /* something may be gone: tell the peers what is held */
    uint64_t generation;
    uint64_t first;     /* where reading begins */
    uint64_t last;      /* end of what was found; everything before it is synced */
    uint64_t records;   /* user records in the segments that were checked */
    uint64_t unsynced;  /* of these, not yet known to be synced; they are now */
    uint64_t cut_bytes; /* of a torn tail */
    size_t segments;    /* found */
    size_t segments_checked;
    size_t quarantined; /* files copied to quarantine/ */
    size_t loss_count;  /* also counts those beyond the array */
    struct journal_loss losses[JOURNAL_LOSSES_MAX]; /* newly found; LOSS was appended */
};

/*
 * Opens the journal in folder `dir`, creating folder and journal when absent, recovers
 * what a crash left, and starts a new segment. On failure *journal is NULL and `why`
 * says what to mend; ERR_BUSY when another process has it open. `report` may be NULL.
 */
MUST_CHECK enum err journal_open(struct journal **journal, const char *dir,
                                 const struct journal_options *options,
                                 struct journal_recovery *report, struct err_text *why);

/* Syncs what is pending, and closes. Accepts NULL. Readers are closed first. */
enum err journal_close(struct journal *journal);

struct journal_piece {
    const void *data;
    size_t len;
};

/*
 * Appends one record whose body is the pieces in a row. Copies and writes, never syncs
 * (an inline rotation, when journal_prepare() was late, makes a file). On failure
 * nothing has changed: ERR_FULL no space, ERR_LIMIT body beyond
 * journal_body_max(), ERR_IO the disk, or syncing has failed for good. `position` may
 * be NULL.
 */
MUST_CHECK enum err journal_append(struct journal *journal, uint8_t type, int64_t wall_ms,
                                   int64_t boot_ms, const struct journal_piece *pieces,
                                   size_t count, uint64_t *position);

/* JOURNAL_BODY_MAX, or less with small segments (a quarter of one). */
size_t journal_body_max(const struct journal *journal);

/*
 * Returns once everything appended before the call is on stable storage. Every record
 * whose position is below *synced_through (may be NULL) is. When the disk fails a sync,
 * the records are written to a new file; when that fails too, this and every later call
 * returns ERR_IO: stop acknowledging, say so, exit.
 */
MUST_CHECK enum err journal_sync(struct journal *journal, uint64_t *synced_through);

/* The same bound, any thread, no lock. */
uint64_t journal_synced(const struct journal *journal);

/* Records and bytes (may be NULL) that wait for a sync; any thread, no lock. */
size_t journal_pending(const struct journal *journal, uint64_t *bytes);

/*
 * Makes the spare segments that options asked for, so that appending does not have to.
 * Blocks on the disk; a helper thread's work. ERR_FULL: the reserve is being eaten.
 */
MUST_CHECK enum err journal_prepare(struct journal *journal);

/* Removes whole synced segments that end at or below `before`, never the newest. */
MUST_CHECK enum err journal_trim(struct journal *journal, uint64_t before);

struct journal_stats {
    uint8_t id[JOURNAL_ID_BYTES];
    uint64_t generation;
    size_t segments;     /* with records */
    size_t spares;       /* prepared ahead */
    uint64_t disk_bytes; /* of all segments and spares */
    uint64_t first;      /* start of the oldest segment */
    uint64_t end;        /* where the next record goes */
    uint64_t synced;
    uint64_t records;       /* appended since open */
    uint64_t bytes_written; /* since open, with frames and rewriting */
    uint64_t syncs;         /* fdatasync calls since open */
    uint64_t commits;       /* groups since open */
    uint64_t poisoned;      /* files given up after a failed sync */
};
void journal_stats(struct journal *journal, struct journal_stats *stats);

struct journal_record {
    uint64_t position;
    uint64_t next; /* a cursor behind this record: reading goes on from there */
    uint8_t type;
    bool in_place;   /* LOSS seen by this reader at this place, not a stored record */
    int64_t wall_ms; /* of LOSS in place: 0 */
    int64_t boot_ms;
    const void *data; /* borrowed until the next call on the reader */
    size_t len;
    struct journal_loss loss; /* of LOSS; reason is JOURNAL_LOSS_NONE otherwise */
};

/*
 * A reader sees synced records only, in order. `from` is 0, or a `position`, `next` or
 * journal_reader_position() of before. Below the first segment: an in-place LOSS
 * (trimmed) comes first. ERR_INVALID when `from` is ahead of the journal: the cursor
 * belongs to another one. A reader belongs to one thread and is closed before the
 * journal.
 */
MUST_CHECK enum err journal_reader_open(struct journal_reader **reader,
                                        struct journal *journal, uint64_t from);
/* Accepts NULL. */
void journal_reader_close(struct journal_reader *reader);
MUST_CHECK enum err journal_reader_seek(struct journal_reader *reader, uint64_t from);

/*
 * The next record. ERR_NOT_FOUND at the end of what is synced (more may come). Damage
 * does not stop it: an in-place LOSS stands for what was skipped. ERR_IO when a file
 * cannot be opened or read at all; the call may be repeated.
 */
MUST_CHECK enum err journal_reader_next(struct journal_reader *reader,
                                        struct journal_record *record);

/* Where the next call begins; past the journal's own frames. */
uint64_t journal_reader_position(const struct journal_reader *reader);

/*
 * The record at exactly this position; seeks the reader. ERR_NOT_FOUND when trimmed or
 * not synced, ERR_CORRUPT when it is damaged or no record begins there.
 */
MUST_CHECK enum err journal_read_at(struct journal_reader *reader, uint64_t position,
                                    struct journal_record *record);

#endif
