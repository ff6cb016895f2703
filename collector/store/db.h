// SPDX-License-Identifier: Apache-2.0
/*
 * db - the one way in which stores use SQLite: hardened connections, schema upgrades,
 * statements that are prepared once, typed arguments and columns.
 *
 * A writer uses WAL with synchronous=FULL: what db_commit() returned ERR_OK for survives
 * a power cut. It is the only connection of its file that writes and checkpoints, because
 * SQLite before 3.51.3 can corrupt a file when another does so meanwhile (sqlite.org/
 * wal.html, "The WAL-Reset Bug"). A reader never checkpoints. A connection belongs to one
 * thread. SQLite's codes stop here; the sentence is db_why().
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_DB_H
#define COLDCHAIN_COLLECTOR_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;

/*
 * What a file must look like. step(i) is the SQL that leads from version i to i + 1
 * (user_version), NULL behind the last. A step that was released is never edited, only
 * followed by another.
 */
struct db_schema {
    uint32_t application_id; /* tells our files from others */
    int page_size;
    bool takes_lock; /* false: the lock of another file guards this one */
    const char *(*step)(size_t version);
    uint64_t (*free_bytes)(const char *path); /* NULL: what the disk says; for tests */
};

/*
 * Creates the file when absent, takes `path`.lock (BUSY: another process has it), and
 * brings the schema up to date, each step in one transaction, after a copy of the whole
 * was kept (db_copy.h). INVALID: a file of another program. UNSUPPORTED: a newer version
 * wrote it. FULL: no room for the copy, and nothing was changed.
 */
MUST_CHECK enum err db_open(struct db **db, const char *path,
                            const struct db_schema *schema, struct err_text *why);
/* NOT_FOUND when there is no such file. Statements end in TIMEOUT `read_ms` after
 * their start, or when db_set_deadline() says so; 0: never. */
MUST_CHECK enum err db_open_reader(struct db **db, const char *path, int64_t read_ms,
                                   struct err_text *why);
/*
 * How large the store is when opening it would upgrade it, else 0; INVALID and
 * UNSUPPORTED as db_open(). Changes nothing.
 */
MUST_CHECK enum err db_upgrade_bytes(struct db *db, const char *path,
                                     const struct db_schema *schema, uint64_t *bytes,
                                     struct err_text *why);
/* Accepts NULL. Rolls back. */
void db_close(struct db *db);
/* Running and later statements end in TIMEOUT at this clock_real_ms(). */
void db_set_deadline(struct db *db, int64_t deadline_ms);
/* Moves the log into the file and empties it. BUSY: readers hold it. */
MUST_CHECK enum err db_checkpoint(struct db *db);
/* The same, without waiting for the readers. */
MUST_CHECK enum err db_try_checkpoint(struct db *db);

/*
 * The file as it is at this moment, with its log, into a new file at `path`, synced and
 * checked. Of a reader too; neither waits for the writer nor delays it.
 */
MUST_CHECK enum err db_copy_to(struct db *db, const char *path, struct err_text *why);

/* Borrowed until the next failure. */
const char *db_why(const struct db *db);

MUST_CHECK enum err db_begin(struct db *db);
/* A transaction that only reads: what it sees is as of its first statement. */
MUST_CHECK enum err db_begin_read(struct db *db);
MUST_CHECK enum err db_commit(struct db *db);
/* Does nothing outside of a transaction. */
void db_rollback(struct db *db);
bool db_is_in_transaction(const struct db *db);

/* An argument of a statement; texts and blobs are borrowed while it runs. */
enum db_type {
    DB_INT,
    DB_REAL,
    DB_TEXT,
    DB_BLOB,
};

struct db_value {
    enum db_type type;
    int64_t integer;
    double real;
    const void *data;
    size_t len;
};

static inline struct db_value db_int(int64_t value)
{
    return (struct db_value){.type = DB_INT, .integer = value};
}

/* All 64 bits, as two's complement: order is kept below 2^63. */
static inline struct db_value db_u64(uint64_t value)
{
    return (struct db_value){.type = DB_INT, .integer = (int64_t)value};
}

/* NaN becomes NULL, and -0.0 comes back as 0.0. */
static inline struct db_value db_real(double value)
{
    return (struct db_value){.type = DB_REAL, .real = value};
}

/* NULL becomes "". */
struct db_value db_text(const char *text);
/* A NULL pointer becomes NULL, for "any" in filters. */
struct db_value db_text_or_null(const char *text);
struct db_value db_blob(const void *data, size_t len);

/* For literals in calls: db_run(db, SQL, DB_ARGS(db_int(1), db_text("x"))). */
#define DB_ARGS(...) \
    (const struct db_value[]){__VA_ARGS__}, \
        sizeof((struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)
#define DB_NONE NULL, 0

/* `sql` must live as long as the connection: statements are kept by its address. */
MUST_CHECK enum err db_run(struct db *db, const char *sql, const struct db_value *args,
                           size_t count);
/* Rows that the last db_run() inserted, updated or deleted. */
int64_t db_changes(const struct db *db);
/* The rowid that the last insert made. */
int64_t db_inserted(const struct db *db);

/* A running SELECT. Columns are borrowed until the next db_next() or db_end(). */
struct db_rows {
    struct db *db;
    void *statement;
    enum err err;
};

/*
 *     struct db_rows rows;
 *     db_select(&rows, db, "SELECT ...", DB_ARGS(...));
 *     while (db_next(&rows)) ...
 *     return db_end(&rows);
 */
void db_select(struct db_rows *rows, struct db *db, const char *sql,
               const struct db_value *args, size_t count);
bool db_next(struct db_rows *rows);
/* The failure of the select or of its steps, if there was one. */
MUST_CHECK enum err db_end(struct db_rows *rows);

int64_t db_get_int(const struct db_rows *rows, int column);
uint64_t db_get_u64(const struct db_rows *rows, int column);
/* NaN for NULL. */
double db_get_real(const struct db_rows *rows, int column);
/* "" for NULL. */
const char *db_get_text(const struct db_rows *rows, int column);
/* NULL and 0 for an empty one. */
const void *db_get_blob(const struct db_rows *rows, int column, size_t *len);
/* False, with "", when the text does not fit. */
bool db_copy_text(const struct db_rows *rows, int column, char *to, size_t size);

/* The one number that the SELECT gives; NOT_FOUND when it gives no row. */
MUST_CHECK enum err db_get_one(struct db *db, const char *sql,
                               const struct db_value *args, size_t count, int64_t *value);

#endif
