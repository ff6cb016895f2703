// SPDX-License-Identifier: Apache-2.0
/*
 * month - the names of history's files by month, and the rows in one of them.
 *
 * A reading lies in the file of the month of its event time (UTC); one whose time is not
 * plausible (before 2000, or more than 31 days behind its arrival) in history-odd.db, so
 * that broken clocks cannot make files without end. Of each series, a file holds chunks
 * that do not overlap in time, and behind them a tail.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_MONTH_H
#define COLDCHAIN_COLLECTOR_STORE_MONTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collector/store/chunk.h"
#include "collector/store/db.h"

/* Year * 12 + month from 0; 0 is the odd one. */
#define MONTH_ODD       0
#define MONTH_FIRST     (2000 * 12)
#define MONTH_LAST      (9999 * 12 + 11)
#define MONTH_NAME_SIZE 24

int month_of(int64_t time_ms, int64_t arrival_ms);
/* The month of a time, or the nearest there is. */
int month_near(int64_t time_ms);
/* The first millisecond behind the month. */
int64_t month_end_ms(int month);
/* "history-2026-11.db" */
const char *month_format(int month, char name[MONTH_NAME_SIZE]);
/* False for any other file name. */
bool month_parse(int *month, const char *name);

struct months {
    int *items;
    size_t count;
    size_t capacity;
};

/* The months that have a file in folder `dir`, ascending. The caller frees items. */
MUST_CHECK enum err months_list(struct months *months, const char *dir);

/* A chunk or tail as it is stored. */
struct stored_chunk {
    int64_t id; /* 0: the tail */
    int64_t first_ms;
    int64_t last_ms;
    int64_t readings;
};

/* What the tail of a series says; all zero, through 0 and floor INT64_MIN without one. */
struct month_tail {
    int64_t through;
    int64_t floor_ms;
    struct stored_chunk chunk;
};

/* Appends the tail's samples to `samples` (may be NULL). */
MUST_CHECK enum err month_load_tail(struct db *db, int64_t series,
                                    struct month_tail *tail, struct samples *samples);
/*
 * The first chunk that touches [from, to) and is behind (first_ms, id) of `chunk`, which
 * it replaces; its samples are appended to `samples` (may be NULL). NOT_FOUND.
 */
MUST_CHECK enum err month_next_chunk(struct db *db, int64_t series, int64_t from_ms,
                                     int64_t to_ms, struct stored_chunk *chunk,
                                     struct samples *samples);

/* A sample on its way into a file. */
struct moving {
    int64_t series;
    int64_t row; /* of recent */
    int month;
    struct sample sample;
};

/*
 * Puts samples of one series, ordered by time and then row, into the file, in a
 * transaction of the caller's; those that it holds already (row <= through of the series)
 * are left out. From then on it holds everything of the series up to row `through`.
 */
MUST_CHECK enum err month_add(struct db *db, const struct moving *const *moving,
                              size_t count, int64_t through);
/* Whether a reading with that time and value, bit for bit, is in the file. */
MUST_CHECK enum err month_has(struct db *db, int64_t series, int64_t time_ms,
                              uint64_t value_bits, bool *has);
/* Drops chunks and tails that arrived before then: for the odd file. */
MUST_CHECK enum err month_drop_arrived(struct db *db, int64_t oldest_ms);

#endif
