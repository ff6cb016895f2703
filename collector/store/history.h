// SPDX-License-Identifier: Apache-2.0
/*
 * history - history.db and history-YYYY-MM.db: every reading, once, exactly.
 *
 * A follower appends one row per message to a recent table, in one transaction with its
 * journal cursor, and moves full lots of rows into compressed chunks per channel and
 * month (layout: docs/stores.md). What history_commit() returned ERR_OK for survives a
 * power cut; a crash at any point of a move neither loses nor doubles a reading. Values
 * and times come back bit for bit; order is by time, then channel, then arrival.
 *
 * `struct history` belongs to the thread of its follower, the only writer. Each other
 * thread reads through a `struct history_reader` of its own. Errors, when no others are
 * named: IO, FULL, CORRUPT, BUSY; readers also TIMEOUT after HISTORY_READ_MS.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_HISTORY_H
#define COLDCHAIN_COLLECTOR_STORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/pack.h"
#include "telemetry/reading.h"

#define HISTORY_READ_MS    2000
#define HISTORY_LIMIT_MAX  100000 /* readings of one query */
#define HISTORY_SERIES_MAX 256    /* series of one query */

struct history;
struct history_reader;

/* Opens or creates the files in folder `dir`. UNSUPPORTED: written by a newer version. */
MUST_CHECK enum err history_open(struct history **history, const char *dir,
                                 struct err_text *why);
/* Accepts NULL. Rolls back what was not committed. */
void history_close(struct history *history);
/* What SQLite said about the last failure; borrowed until the next call. */
const char *history_why(const struct history *history);

/* The journal position of the last commit; 0 in a new store. */
uint64_t history_cursor(const struct history *history);

/* One message as the topic names it. */
struct history_message {
    uint64_t position; /* in the journal */
    const char *org;
    const char *device;
    uint64_t epoch; /* epoch and seq are 0 when the sender knows none */
    uint64_t seq;
    int64_t arrival_ms;
};

/*
 * One batch: begin, appends, commit. When an append fails with IO, FULL, CORRUPT or BUSY,
 * roll back and do the batch again.
 */
MUST_CHECK enum err history_begin(struct history *history);
/*
 * Readings of a clock that was not set are there once a CLOCK_FIX of that boot came.
 * EXISTS: that (device, epoch, seq) was taken before; nothing is changed. LIMIT: too many
 * gaps in the epoch to remember it; nothing is changed, and the sender must not be acked.
 * Packs without readings are remembered too; the range of a LOSS or THINNED pack counts
 * as taken from then on. Readings of senders without seq
 * are dropped one by one when (channel, time, value) is in already; EXISTS when all were.
 */
MUST_CHECK enum err history_append(struct history *history,
                                   const struct history_message *message,
                                   const struct pack *pack);
/*
 * [from, to] of message's epoch hold nothing to keep: names that could not be read, or
 * that nobody waits for any more.
 */
MUST_CHECK enum err history_close_gap(struct history *history,
                                      const struct history_message *message,
                                      uint64_t from, uint64_t to);
/* Readings of clocks that were never set, and that waited a day: they stand at the times
 * they claim from now on. Within a batch. */
MUST_CHECK enum err history_settle(struct history *history, int64_t now_ms);
MUST_CHECK enum err history_commit(struct history *history, uint64_t cursor);
void history_rollback(struct history *history);

/* Whether enough rows wait to make compaction worth its while, or a run has begun. */
bool history_compact_due(const struct history *history);
/*
 * One bounded step (about max_rows messages of work) of moving recent rows into chunks;
 * outside of begin and commit. Call it while *more is true, appending in between. A row
 * takes about two such units until it is moved: to keep up, do twice what is appended.
 */
MUST_CHECK enum err history_compact(struct history *history, size_t max_rows, bool *more);
/* Removes the files of months that ended before `oldest_ms`; one that is being read stays
 * until another call. */
MUST_CHECK enum err history_retain(struct history *history, int64_t oldest_ms,
                                   size_t *removed);

/* The writer has opened the folder before. */
MUST_CHECK enum err history_reader_open(struct history_reader **reader, const char *dir,
                                        struct err_text *why);
void history_reader_close(struct history_reader *reader);
/* The journal position up to which it holds everything. */
MUST_CHECK enum err history_reader_cursor(struct history_reader *reader,
                                          uint64_t *cursor);

/*
 * Copies all files into folder `to`, which is there, as they are between two batches.
 * Writer's thread, outside of begin and commit.
 */
MUST_CHECK enum err history_copy(struct history *history, const char *to,
                                 struct err_text *why);

struct history_range {
    const char *org;
    const char *device;
    const char *channel; /* NULL: all channels of the device */
    int64_t from_ms;     /* inclusive */
    int64_t to_ms;       /* exclusive */
    size_t skip; /* leave out so many at the start: the next page begins at the last
                    time of the one before, without those of that time it has given */
};

/* Borrowed until the callback returns. */
struct history_reading {
    const char *channel;
    int64_t time_ms;
    int64_t arrival_ms;
    double value;
    double raw;
    enum quality quality;
    uint64_t epoch;
    uint64_t seq;
};

/* False ends the query early. Must not call the same reader. */
typedef bool history_reading_fn(void *context, const struct history_reading *reading);
/*
 * At most `limit` readings (1..HISTORY_LIMIT_MAX). An unknown series has none. LIMIT: the
 * device has more than HISTORY_SERIES_MAX channels; name one.
 */
MUST_CHECK enum err history_query(struct history_reader *reader,
                                  const struct history_range *range, size_t limit,
                                  void *context, history_reading_fn *row);
/* How many readings; `skip` is ignored. */
MUST_CHECK enum err history_count(struct history_reader *reader,
                                  const struct history_range *range, uint64_t *count);

typedef void history_series_fn(void *context, const char *org, const char *device,
                               const char *channel);
/* All series by age, or those of one organisation, or of one device of it. */
MUST_CHECK enum err history_series(struct history_reader *reader, const char *org,
                                   const char *device, void *context,
                                   history_series_fn *row);

struct history_stats {
    uint64_t series;
    uint64_t recent_rows; /* messages not yet in chunks */
    uint64_t recent_readings;
    uint64_t chunks;
    uint64_t chunk_readings;
    uint64_t tail_readings; /* in the months' files, not yet a chunk */
    uint64_t files;
    uint64_t bytes; /* of all files, with their logs */
    uint64_t cursor;
};

/* While a run of compaction is at work, what it has moved may count twice. */
MUST_CHECK enum err history_stats(struct history_reader *reader,
                                  struct history_stats *stats);

#endif
