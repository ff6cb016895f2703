// SPDX-License-Identifier: Apache-2.0
#include "collector/store/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/store/db_copy.h"

#define STATEMENTS_MAX   512 /* per connection; a power of two, of which half are used */
#define BUSY_MS          1000
#define DEADLINE_OPS     1000 /* SQLite operations between looks at the clock */
#define VALUE_BYTES_MAX  (64 << 20)
#define SQL_BYTES_MAX    (64 << 10)
#define LOG_BYTES_KEPT   "16777216"
#define CACHE_KIB        "8192"
#define READER_CACHE_KIB "2048"

static_assert((STATEMENTS_MAX & (STATEMENTS_MAX - 1)) == 0, "a power of two");

struct statement {
    const char *sql; /* the key: its address */
    sqlite3_stmt *stmt;
};

struct db {
    sqlite3 *handle;
    int lock_fd; /* -1: none */
    int64_t read_ms;
    int64_t deadline_ms;
    struct statement statements[STATEMENTS_MAX];
    size_t statement_count;
    char why[300];
};

static enum err err_of(struct db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_NOMEM:
        log_fatal("out of memory in sqlite");
    case SQLITE_MISUSE:
        log_fatal("misuse of sqlite: %s", sqlite3_errmsg(db->handle));
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_INTERRUPT:
        return ERR_TIMEOUT;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_CORRUPT;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    case SQLITE_PERM:
    case SQLITE_READONLY:
        return ERR_DENIED;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    default:
        return sqlite3_system_errno(db->handle) == ENOSPC ? ERR_FULL : ERR_IO;
    }
}

/* Keeps SQLite's sentence, because the next call overwrites it. */
static enum err failed(struct db *db, int code)
{
    enum err err = err_of(db, code);
    if (err != ERR_OK)
        snprintf(db->why, sizeof db->why, "%s (sqlite %d)", sqlite3_errmsg(db->handle),
                 code);
    return err;
}

static enum err exec(struct db *db, const char *sql)
{
    return failed(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

static int past_deadline(void *context)
{
    const struct db *db = context;
    return clock_real_ms() >= db->deadline_ms;
}

/* A damaged or malicious file must not run code or ask for much memory. */
static void harden(sqlite3 *handle)
{
    static const struct {
        int verb;
        int value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},        {SQLITE_DBCONFIG_DQS_DML, 0},
    };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        int code = sqlite3_db_config(handle, switches[i].verb, switches[i].value, NULL);
        assert(code == SQLITE_OK);
    }
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX);
    sqlite3_busy_timeout(handle, BUSY_MS);
}

static enum err connect(struct db *db, const char *path, int flags)
{
    int code = sqlite3_open_v2(path, &db->handle,
                               flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                                   SQLITE_OPEN_EXRESCODE,
                               NULL);
    if (db->handle == NULL)
        log_fatal("out of memory in sqlite");
    if (code != SQLITE_OK) {
        enum err err = failed(db, code);
        return access(path, F_OK) != 0 ? ERR_NOT_FOUND : err;
    }
    harden(db->handle);
    return exec(db, "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
}

/*
 * A file of its own: closing any descriptor of the database itself would drop the locks
 * that SQLite holds on it.
 */
static enum err take_lock(struct db *db, const char *path, struct err_text *why)
{
    char *lock = mem_format("%s.lock", path);
    db->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    enum err err = ERR_OK;
    if (db->lock_fd < 0)
        err = err_set(why, err_from_errno(errno), "%s: %s", lock, strerror(errno));
    else if (flock(db->lock_fd, LOCK_EX | LOCK_NB) != 0)
        err = err_set(why, ERR_BUSY, "%s: another process has this store open", path);
    free(lock);
    return err;
}

/* The new file's name must survive a power cut too. */
static enum err sync_folder(const char *path)
{
    char *copy = mem_strdup(path);
    enum err err = file_sync_dir(dirname(copy));
    free(copy);
    return err;
}

static enum err pragma_int(struct db *db, const char *sql, int64_t *value)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    *value = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    enum err err = failed(db, code);
    sqlite3_finalize(stmt);
    return err;
}

/*
 * One transaction: a kill between two steps would leave a version that nobody has a copy
 * of, and the next start would take that for the store as it was.
 */
static enum err apply_all(struct db *db, const struct db_schema *schema, int64_t *version,
                          int64_t newest)
{
    char mark[100];
    snprintf(mark, sizeof mark,
             "PRAGMA application_id = %u; PRAGMA user_version = %lld; COMMIT",
             schema->application_id, (long long)newest);
    enum err err = exec(db, "BEGIN IMMEDIATE");
    for (; err == ERR_OK && *version < newest; ++*version)
        err = exec(db, schema->step((size_t)*version));
    if (err == ERR_OK)
        err = exec(db, mark);
    if (err != ERR_OK)
        db_rollback(db);
    return err;
}

static int64_t newest_version(const struct db_schema *schema)
{
    size_t count = 0;
    while (schema->step(count) != NULL)
        count++;
    return (int64_t)count;
}

static enum err store_bytes(struct db *db, uint64_t *bytes)
{
    int64_t pages = 0;
    int64_t size = 0;
    enum err err = pragma_int(db, "PRAGMA page_count", &pages);
    if (err == ERR_OK)
        err = pragma_int(db, "PRAGMA page_size", &size);
    *bytes = (uint64_t)pages * (uint64_t)size;
    return err;
}

/* The store as it is, whole, before the first step: what to go back to. */
static enum err keep_copy(struct db *db, const char *path, const struct db_schema *schema,
                          int64_t version, struct err_text *why)
{
    uint64_t bytes = 0;
    enum err err = store_bytes(db, &bytes);
    if (err != ERR_OK)
        return err_set(why, err, "%s: %s", path, db->why);
    uint64_t left =
        schema->free_bytes != NULL ? schema->free_bytes(path) : db_copy_free_bytes(path);
    err = db_copy_check_space(path, db_copy_needs(bytes), left, why);
    return err == ERR_OK ? db_copy_make(db->handle, path, version, why) : err;
}

static enum err apply_steps(struct db *db, const char *path,
                            const struct db_schema *schema, int64_t version,
                            int64_t newest, struct err_text *why)
{
    int64_t first = version;
    enum err err = first > 0 ? keep_copy(db, path, schema, first, why) : ERR_OK;
    if (err != ERR_OK)
        return err;
    err = apply_all(db, schema, &version, newest);
    if (err != ERR_OK)
        return err_set(why, err, "%s: upgrade to version %lld: %s", path,
                       (long long)version, db->why);
    if (first > 0)
        log_info("upgrade: %s from version %lld to %lld", path, (long long)first,
                 (long long)newest);
    db_copy_remove_older(path, first);
    return ERR_OK;
}

/* The version the file has; INVALID for a stranger's, UNSUPPORTED for a newer one. */
static enum err read_version(struct db *db, const char *path,
                             const struct db_schema *schema, int64_t *version,
                             struct err_text *why)
{
    int64_t application = 0;
    int64_t tables = 0;
    enum err err = pragma_int(db, "PRAGMA application_id", &application);
    if (err == ERR_OK)
        err = pragma_int(db, "PRAGMA user_version", version);
    if (err == ERR_OK)
        err = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (err != ERR_OK)
        return err_set(why, err, "%s: %s", path, db->why);
    if (application != schema->application_id && (tables > 0 || *version > 0))
        return err_set(why, ERR_INVALID, "%s: not a file of this store", path);
    int64_t newest = newest_version(schema);
    if (*version < 0 || *version > newest)
        return err_set(why, ERR_UNSUPPORTED,
                       "%s: schema version %lld is newer than this program's %lld; start "
                       "the newer coldchain again, or go back to the copy that was kept "
                       "before its upgrade (docs/upgrades.md)",
                       path, (long long)*version, (long long)newest);
    return ERR_OK;
}

static enum err upgrade(struct db *db, const char *path, const struct db_schema *schema,
                        struct err_text *why)
{
    int64_t version = 0;
    int64_t newest = newest_version(schema);
    enum err err = read_version(db, path, schema, &version, why);
    return err != ERR_OK || version == newest
               ? err
               : apply_steps(db, path, schema, version, newest, why);
}

enum err db_upgrade_bytes(struct db *db, const char *path, const struct db_schema *schema,
                          uint64_t *bytes, struct err_text *why)
{
    int64_t version = 0;
    *bytes = 0;
    enum err err = read_version(db, path, schema, &version, why);
    if (err == ERR_OK && version > 0 && version < newest_version(schema) &&
        store_bytes(db, bytes) != ERR_OK)
        err = err_set(why, ERR_IO, "%s: %s", path, db->why);
    return err;
}

static enum err set_up_writer(struct db *db, int page_size)
{
    char page[64];
    snprintf(page, sizeof page, "PRAGMA page_size = %d", page_size);
    enum err err = exec(db, page); /* matters in an empty file only */
    if (err == ERR_OK)
        err = exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "PRAGMA secure_delete = ON;"
                       "PRAGMA journal_size_limit = " LOG_BYTES_KEPT ";"
                       "PRAGMA cache_size = -" CACHE_KIB);
    return err;
}

enum err db_open(struct db **out, const char *path, const struct db_schema *schema,
                 struct err_text *why)
{
    *out = NULL;
    struct db *db = mem_alloc(sizeof *db);
    db->lock_fd = -1;
    enum err err = schema->takes_lock ? take_lock(db, path, why) : ERR_OK;
    if (err != ERR_OK)
        goto fail;
    bool is_new = access(path, F_OK) != 0;
    err = connect(db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (err == ERR_OK)
        err = set_up_writer(db, schema->page_size);
    if (err != ERR_OK) {
        err_set(why, err, "%s: %s", path, db->why);
        goto fail;
    }
    err = upgrade(db, path, schema, why);
    if (err != ERR_OK)
        goto fail;
    if (is_new && (err = sync_folder(path)) != ERR_OK) {
        err_set(why, err, "%s: its folder cannot be synced", path);
        goto fail;
    }
    *out = db;
    return ERR_OK;
fail:
    db_close(db);
    return err;
}

enum err db_open_reader(struct db **out, const char *path, int64_t read_ms,
                        struct err_text *why)
{
    *out = NULL;
    struct db *db = mem_alloc(sizeof *db);
    db->lock_fd = -1;
    db->read_ms = read_ms;
    db->deadline_ms = INT64_MAX;
    enum err err = connect(db, path, SQLITE_OPEN_READONLY);
    if (err == ERR_OK)
        err = exec(db, "PRAGMA query_only = ON; PRAGMA cache_size = -" READER_CACHE_KIB);
    if (err != ERR_OK) {
        err_set(why, err, "%s: %s", path, db->why);
        db_close(db);
        return err;
    }
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_progress_handler(db->handle, DEADLINE_OPS, past_deadline, db);
    *out = db;
    return ERR_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(db->statements[i].stmt);
    int code = sqlite3_close(db->handle);
    assert(code == SQLITE_OK); /* else a statement of ours is still alive */
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db);
}

void db_set_deadline(struct db *db, int64_t deadline_ms)
{
    db->deadline_ms = deadline_ms;
}

enum err db_checkpoint(struct db *db)
{
    assert(!db_is_in_transaction(db));
    return failed(db, sqlite3_wal_checkpoint_v2(db->handle, NULL,
                                                SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

enum err db_try_checkpoint(struct db *db)
{
    sqlite3_busy_timeout(db->handle, 0);
    enum err err = db_checkpoint(db);
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    return err;
}

enum err db_copy_to(struct db *db, const char *path, struct err_text *why)
{
    return db_copy_write(db->handle, path, why);
}

const char *db_why(const struct db *db)
{
    return db->why;
}

enum err db_begin(struct db *db)
{
    assert(!db_is_in_transaction(db));
    return db_run(db, "BEGIN IMMEDIATE", DB_NONE);
}

enum err db_begin_read(struct db *db)
{
    assert(!db_is_in_transaction(db));
    return db_run(db, "BEGIN", DB_NONE);
}

enum err db_commit(struct db *db)
{
    assert(db_is_in_transaction(db));
    return db_run(db, "COMMIT", DB_NONE);
}

void db_rollback(struct db *db)
{
    /* Failure leaves nothing to undo: SQLite has rolled back by itself. */
    if (db_is_in_transaction(db))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_is_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

struct db_value db_text(const char *text)
{
    return db_text_or_null(text != NULL ? text : "");
}

struct db_value db_text_or_null(const char *text)
{
    return (struct db_value){
        .type = DB_TEXT, .data = text, .len = text != NULL ? strlen(text) : 0};
}

struct db_value db_blob(const void *data, size_t len)
{
    return (struct db_value){.type = DB_BLOB, .data = data, .len = len};
}

/* Open addressing by the address of the SQL text. */
static struct statement *find_slot(struct db *db, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 3) * 0x9E3779B1u % STATEMENTS_MAX;
    while (db->statements[at].sql != NULL && db->statements[at].sql != sql)
        at = (at + 1) % STATEMENTS_MAX;
    return &db->statements[at];
}

static enum err prepare(struct db *db, const char *sql, sqlite3_stmt **stmt)
{
    struct statement *slot = find_slot(db, sql);
    if (slot->sql == NULL) {
        assert(db->statement_count < STATEMENTS_MAX / 2);
        int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &slot->stmt, NULL);
        if (code != SQLITE_OK)
            return failed(db, code);
        slot->sql = sql;
        db->statement_count++;
    }
    *stmt = slot->stmt;
    assert(!sqlite3_stmt_busy(*stmt)); /* a callback called its own connection */
    return ERR_OK;
}

static int bind(sqlite3_stmt *stmt, int at, const struct db_value *value)
{
    switch (value->type) {
    case DB_INT:
        return sqlite3_bind_int64(stmt, at, value->integer);
    case DB_REAL:
        return sqlite3_bind_double(stmt, at, value->real);
    case DB_TEXT:
        return sqlite3_bind_text64(stmt, at, value->data, value->len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case DB_BLOB:
        return value->len == 0 ? sqlite3_bind_zeroblob(stmt, at, 0)
                               : sqlite3_bind_blob64(stmt, at, value->data, value->len,
                                                     SQLITE_STATIC);
    }
    return SQLITE_MISUSE;
}

static enum err start(struct db *db, const char *sql, const struct db_value *args,
                      size_t count, sqlite3_stmt **stmt)
{
    if (db->read_ms > 0)
        db->deadline_ms = clock_real_ms() + db->read_ms;
    enum err err = prepare(db, sql, stmt);
    if (err != ERR_OK)
        return err;
    assert((size_t)sqlite3_bind_parameter_count(*stmt) == count);
    for (size_t i = 0; i < count; i++) {
        int code = bind(*stmt, (int)i + 1, &args[i]);
        if (code != SQLITE_OK)
            return failed(db, code);
    }
    return ERR_OK;
}

enum err db_run(struct db *db, const char *sql, const struct db_value *args, size_t count)
{
    sqlite3_stmt *stmt = NULL;
    enum err err = start(db, sql, args, count, &stmt);
    if (err != ERR_OK)
        return err;
    err = failed(db, sqlite3_step(stmt));
    sqlite3_reset(stmt); /* gives the step's code again */
    return err;
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_inserted(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

void db_select(struct db_rows *rows, struct db *db, const char *sql,
               const struct db_value *args, size_t count)
{
    sqlite3_stmt *stmt = NULL;
    *rows = (struct db_rows){.db = db};
    rows->err = start(db, sql, args, count, &stmt);
    rows->statement = rows->err == ERR_OK ? stmt : NULL;
}

bool db_next(struct db_rows *rows)
{
    assert(rows->db != NULL);
    if (rows->err != ERR_OK || rows->statement == NULL)
        return false;
    int code = sqlite3_step(rows->statement);
    rows->err = failed(rows->db, code);
    return code == SQLITE_ROW;
}

enum err db_end(struct db_rows *rows)
{
    assert(rows->db != NULL);
    if (rows->statement != NULL)
        sqlite3_reset(rows->statement);
    rows->statement = NULL;
    return rows->err;
}

int64_t db_get_int(const struct db_rows *rows, int column)
{
    assert(column < sqlite3_data_count(rows->statement));
    return sqlite3_column_int64(rows->statement, column);
}

uint64_t db_get_u64(const struct db_rows *rows, int column)
{
    return (uint64_t)db_get_int(rows, column);
}

double db_get_real(const struct db_rows *rows, int column)
{
    assert(column < sqlite3_data_count(rows->statement));
    if (sqlite3_column_type(rows->statement, column) == SQLITE_NULL)
        return NAN;
    return sqlite3_column_double(rows->statement, column);
}

const char *db_get_text(const struct db_rows *rows, int column)
{
    assert(column < sqlite3_data_count(rows->statement));
    const unsigned char *text = sqlite3_column_text(rows->statement, column);
    return text != NULL ? (const char *)text : "";
}

const void *db_get_blob(const struct db_rows *rows, int column, size_t *len)
{
    assert(column < sqlite3_data_count(rows->statement));
    const void *data = sqlite3_column_blob(rows->statement, column);
    *len = (size_t)sqlite3_column_bytes(rows->statement, column);
    return data;
}

bool db_copy_text(const struct db_rows *rows, int column, char *to, size_t size)
{
    assert(size > 0);
    const char *text = db_get_text(rows, column);
    size_t len = strlen(text);
    if (len >= size) {
        to[0] = '\0';
        return false;
    }
    memcpy(to, text, len + 1);
    return true;
}

enum err db_get_one(struct db *db, const char *sql, const struct db_value *args,
                    size_t count, int64_t *value)
{
    struct db_rows rows;
    db_select(&rows, db, sql, args, count);
    bool found = db_next(&rows);
    *value = found ? db_get_int(&rows, 0) : 0;
    enum err err = db_end(&rows);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}
