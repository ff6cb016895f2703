// SPDX-License-Identifier: Apache-2.0
/*
 * history_tables - what the files of the writer of history share.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_HISTORY_TABLES_H
#define COLDCHAIN_COLLECTOR_STORE_HISTORY_TABLES_H

#include "collector/store/db.h"
#include "collector/store/history.h"
#include "collector/store/history_devices.h"
#include "collector/store/month.h"

#define HISTORY_FILE      "history.db"
#define OPEN_MONTHS_MAX   4
#define RUN_READINGS_MAX  4000000 /* of one run */
#define PASS_READINGS_MAX 500000  /* in memory at once, about */

struct open_month {
    int month;
    struct db *db; /* NULL: free */
    uint64_t used; /* when: the count of uses */
};

/*
 * A run moves all rows of recent up to `through` into the files of their months. It goes
 * over the rows in passes, each for the series whose number leaves the rest `pass`.
 *
 *   idle -> load -> write -+-> save -> drop -> idle
 *            ^             |   what   rows up to
 *            +- next pass -+   was    `through`
 *                              taken
 *
 * Nothing of it needs to survive: each series knows in its file what it holds (see
 * month_add), so a run that a crash cut short is begun again.
 */
enum run_phase {
    RUN_IDLE,
    RUN_LOAD,
    RUN_LOAD_LOOSE,
    RUN_WRITE,
    RUN_SAVE,
    RUN_DROP,
};

struct run {
    enum run_phase phase;
    int64_t through;
    uint64_t most_readings; /* `through` is drawn in to them */
    uint64_t passes;
    uint64_t pass;
    int64_t at_row;    /* LOAD: rows up to here were looked at */
    int64_t loose[3];  /* LOAD_LOOSE: likewise: series, time, bits */
    uint64_t readings; /* LOAD, first pass: so many so far */
    struct moving *moving;
    size_t count;
    size_t capacity;
    const struct moving **sorted;
    size_t written;
    size_t unsaved; /* SAVE: changed devices still to be saved */
};

struct history {
    char *dir;
    struct db *db;
    struct devices devices;
    uint64_t cursor;
    int64_t last_row; /* given to a message, in this transaction too */
    uint64_t rows;    /* that wait to be moved, about */
    uint64_t readings;
    struct open_month months[OPEN_MONTHS_MAX];
    uint64_t month_uses;
    struct run run;
    struct buf blob;
    int64_t *series; /* of a pack's channels */
    size_t series_capacity;
    struct err_text why;
};

/* Remembers what SQLite said, whichever file it was; returns err. */
enum err history_note(struct history *history, struct db *db, enum err err);

MUST_CHECK enum err history_put_meta(struct history *history, const char *key,
                                     int64_t value);

/* The file of that month; NOT_FOUND when it is absent and not to be made. Borrowed until
 * the next call. */
MUST_CHECK enum err history_month(struct history *history, int month, bool make,
                                  struct db **db);
void history_close_months(struct history *history);

/* Ends the run without harm: a later one does it again. */
void history_abandon_run(struct history *history);

#endif
