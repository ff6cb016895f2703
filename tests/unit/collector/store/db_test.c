// SPDX-License-Identifier: Apache-2.0
#include "collector/store/db.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "tests/support/check.h"
#include "tests/support/folder.h"

#define LONG_ROWS 20000

static size_t steps_known = 2;
static bool use_long_steps; /* the third one is good, and takes its time */

static const char *test_step(size_t version)
{
    if (use_long_steps && version == 2 && version < steps_known)
        return "CREATE TABLE u (x INTEGER) STRICT;"
               "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n"
               " WHERE x < 20000) INSERT INTO u SELECT x FROM n";
    static const char *const steps[] = {
        "CREATE TABLE t (k TEXT PRIMARY KEY, i INTEGER, r REAL, b BLOB) STRICT",
        ("ALTER TABLE t ADD COLUMN extra INTEGER NOT NULL DEFAULT 7;"
         "UPDATE t SET i = i * 10"),
        "CREATE TABLE u (x INTEGER) STRICT; INSERT INTO missing VALUES (1)",
    };
    return version < steps_known ? steps[version] : NULL;
}

static const struct db_schema schema = {
    .application_id = 0x74657374,
    .page_size = 4096,
    .takes_lock = true,
    .step = test_step,
};

static const struct db_schema other_schema = {
    .application_id = 0x6f746872,
    .page_size = 4096,
    .takes_lock = true,
    .step = test_step,
};

static struct db *open_or_die(const char *path)
{
    struct db *db = NULL;
    struct err_text why = {0};
    if (db_open(&db, path, &schema, &why) != ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    return db;
}

static enum err put(struct db *db, const char *key, int64_t number)
{
    return db_run(db, "INSERT INTO t (k, i) VALUES (?, ?)",
                  DB_ARGS(db_text(key), db_int(number)));
}

static int64_t get(struct db *db, const char *key)
{
    int64_t number = -1;
    enum err err =
        db_get_one(db, "SELECT i FROM t WHERE k = ?", DB_ARGS(db_text(key)), &number);
    return err == ERR_OK ? number : -1;
}

static void an_old_file_is_upgraded_step_by_step(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    steps_known = 1;
    struct db *db = open_or_die(path);
    CHECK(put(db, "a", 5) == ERR_OK);
    db_close(db);

    steps_known = 2;
    db = open_or_die(path);
    CHECK(get(db, "a") == 50);
    db_close(db);
    db = open_or_die(path); /* not applied twice */
    CHECK(get(db, "a") == 50);
    db_close(db);
    folder_remove(&folder);
}

static void a_failing_upgrade_changes_nothing(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    struct db *db = open_or_die(path);
    CHECK(put(db, "a", 5) == ERR_OK);
    db_close(db);

    steps_known = 3;
    struct err_text why = {0};
    CHECK(db_open(&db, path, &schema, &why) != ERR_OK);
    CHECK(db == NULL);
    CHECK(strstr(why.text, "upgrade to version 3") != NULL);
    steps_known = 2;
    db = open_or_die(path);
    CHECK(get(db, "a") == 5);
    db_close(db);
    folder_remove(&folder);
}

static void newer_and_foreign_files_are_refused(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    struct db *db = open_or_die(path);
    db_close(db);
    struct err_text why = {0};

    steps_known = 1;
    CHECK(db_open(&db, path, &schema, &why) == ERR_UNSUPPORTED);
    CHECK(strstr(why.text, "newer than this program") != NULL);
    steps_known = 2;
    CHECK(db_open(&db, path, &other_schema, &why) == ERR_INVALID);

    FILE *file = fopen(path, "r+b");
    CHECK(file != NULL && fputs("this is no database", file) >= 0);
    if (file != NULL)
        fclose(file);
    CHECK(db_open(&db, path, &schema, &why) == ERR_CORRUPT);
    CHECK(db == NULL);
    CHECK(db_open_reader(&db, folder_file(&folder, "none.db"), 0, &why) == ERR_NOT_FOUND);
    folder_remove(&folder);
}

static const char *copy_of(struct folder *folder, int version)
{
    char name[64];
    snprintf(name, sizeof name, "t.db.version-%d", version);
    return folder_file(folder, name);
}

/* What number `key` has in the copy, opened by the program that wrote it; -1: no copy. */
static int64_t in_copy(struct folder *folder, int version, const char *key)
{
    struct db *db = NULL;
    struct db_schema older = schema;
    older.takes_lock = false;
    size_t known = steps_known;
    steps_known = (size_t)version;
    const char *path = copy_of(folder, version);
    int64_t number = -1;
    if (access(path, F_OK) == 0 && db_open(&db, path, &older, NULL) == ERR_OK)
        number = get(db, key);
    db_close(db);
    steps_known = known;
    return number;
}

/* A store of version 1 with a = 5, as an older program left it. */
static void make_old(struct folder *folder)
{
    steps_known = 1;
    struct db *db = open_or_die(folder_file(folder, "t.db"));
    CHECK(put(db, "a", 5) == ERR_OK);
    db_close(db);
    steps_known = 2;
}

static void a_copy_is_kept_before_the_first_step(void)
{
    struct folder folder;
    folder_make(&folder);
    make_old(&folder);
    struct db *db = open_or_die(folder_file(&folder, "t.db"));
    CHECK(get(db, "a") == 50);
    db_close(db);
    CHECK(in_copy(&folder, 1, "a") == 5);
    CHECK(access(folder_file(&folder, "t.db.version-1.part"), F_OK) != 0);

    /* No step, no copy. */
    CHECK(unlink(copy_of(&folder, 1)) == 0);
    db = open_or_die(folder_file(&folder, "t.db"));
    db_close(db);
    CHECK(access(copy_of(&folder, 1), F_OK) != 0);
    CHECK(access(copy_of(&folder, 2), F_OK) != 0);
    folder_remove(&folder);
}

static uint64_t little_room(const char *path)
{
    (void)path;
    return 4096;
}

static void without_room_for_the_copy_nothing_is_touched(void)
{
    struct folder folder;
    folder_make(&folder);
    make_old(&folder);
    struct db_schema tight = schema;
    tight.free_bytes = little_room;
    struct db *db = NULL;
    struct err_text why = {0};
    CHECK(db_open(&db, folder_file(&folder, "t.db"), &tight, &why) == ERR_FULL);
    CHECK(db == NULL && strstr(why.text, "nothing was touched") != NULL);
    CHECK(access(copy_of(&folder, 1), F_OK) != 0);
    steps_known = 1; /* the older program goes on */
    db = open_or_die(folder_file(&folder, "t.db"));
    CHECK(get(db, "a") == 5);
    db_close(db);
    steps_known = 2;
    folder_remove(&folder);
}

/* An older copy goes when a newer one is whole and the upgrade through. */
static void copies_do_not_pile_up(void)
{
    struct folder folder;
    folder_make(&folder);
    make_old(&folder);
    db_close(open_or_die(folder_file(&folder, "t.db")));
    CHECK(access(copy_of(&folder, 1), F_OK) == 0);
    use_long_steps = true;
    steps_known = 3;
    db_close(open_or_die(folder_file(&folder, "t.db")));
    CHECK(access(copy_of(&folder, 1), F_OK) != 0);
    CHECK(in_copy(&folder, 2, "a") == 50);
    use_long_steps = false;
    steps_known = 2;
    folder_remove(&folder);
}

static void is_killed_while_upgrading(const char *path, useconds_t after_us)
{
    pid_t child = fork();
    if (child == 0) {
        struct db *db = NULL;
        if (db_open(&db, path, &schema, NULL) == ERR_OK)
            db_close(db);
        _exit(0);
    }
    usleep(after_us); /* the moment is what varies */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Wherever it is killed: the next start goes on, and the copy is as the store was. */
static void a_killed_upgrade_is_resumed(void)
{
    use_long_steps = true;
    for (useconds_t life = 0; life < 40; life++) {
        struct folder folder;
        folder_make(&folder);
        make_old(&folder);
        steps_known = 3;
        for (int kills = 0; kills < 3; kills++)
            is_killed_while_upgrading(folder_file(&folder, "t.db"), life * 1500);
        struct db *db = open_or_die(folder_file(&folder, "t.db"));
        int64_t rows = 0;
        CHECK(get(db, "a") == 50);
        CHECK(db_get_one(db, "SELECT count(*) FROM u", DB_NONE, &rows) == ERR_OK);
        CHECK(rows == LONG_ROWS);
        db_close(db);
        bool has_second = in_copy(&folder, 2, "a") == 50; /* killed between the steps */
        CHECK(has_second || in_copy(&folder, 1, "a") == 5);
        CHECK(access(folder_file(&folder, "t.db.version-1.part"), F_OK) != 0 ||
              has_second);
        steps_known = 2;
        folder_remove(&folder);
    }
    use_long_steps = false;
}

static void one_process_writes(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    struct db *db = open_or_die(path);
    struct db *second = NULL;
    struct err_text why = {0};
    CHECK(db_open(&second, path, &schema, &why) == ERR_BUSY);
    CHECK(second == NULL);
    db_close(db);
    db = open_or_die(path);
    db_close(db);
    folder_remove(&folder);
}

static void values_come_back_as_they_were(void)
{
    struct folder folder;
    folder_make(&folder);
    struct db *db = open_or_die(folder_file(&folder, "t.db"));
    static const double reals[] = {0.0, 0.1, 1e-320, -273.15, INFINITY, NAN};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        char key[8];
        snprintf(key, sizeof key, "%zu", i);
        CHECK(db_run(db, "INSERT INTO t VALUES (?, ?, ?, ?, 0)",
                     DB_ARGS(db_text(key), db_u64(UINT64_MAX - i), db_real(reals[i]),
                             db_blob("ab\0c", i % 5))) == ERR_OK);
    }
    struct db_rows rows;
    db_select(&rows, db, "SELECT i, r, b, k FROM t ORDER BY k", DB_NONE);
    size_t count = 0;
    for (; db_next(&rows); count++) {
        double real = db_get_real(&rows, 1);
        size_t len = 99;
        const char *blob = db_get_blob(&rows, 2, &len);
        char small[1];
        CHECK(db_get_u64(&rows, 0) == UINT64_MAX - count);
        CHECK(isnan(reals[count]) ? isnan(real)
                                  : memcmp(&real, &reals[count], sizeof real) == 0);
        CHECK(len == count % 5 && (len == 0 || memcmp(blob, "ab\0c", len) == 0));
        CHECK(!db_copy_text(&rows, 3, small, sizeof small) && small[0] == '\0');
    }
    CHECK(db_end(&rows) == ERR_OK);
    CHECK(count == 6);
    db_close(db);
    folder_remove(&folder);
}

static void failures_are_told_apart(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    struct db *db = open_or_die(path);
    int64_t number = 0;
    CHECK(put(db, "a", 1) == ERR_OK);
    CHECK(put(db, "a", 2) == ERR_EXISTS);
    CHECK(strlen(db_why(db)) > 0);
    CHECK(db_get_one(db, "SELECT i FROM t WHERE k = 'z'", DB_NONE, &number) ==
          ERR_NOT_FOUND);
    struct db *reader = NULL;
    CHECK(db_open_reader(&reader, path, 0, NULL) == ERR_OK);
    if (reader != NULL)
        CHECK(put(reader, "b", 1) == ERR_DENIED);
    db_close(reader);
    db_close(db);
    folder_remove(&folder);
}

static void a_rolled_back_batch_leaves_nothing(void)
{
    struct folder folder;
    folder_make(&folder);
    struct db *db = open_or_die(folder_file(&folder, "t.db"));
    CHECK(db_begin(db) == ERR_OK);
    CHECK(put(db, "a", 1) == ERR_OK);
    CHECK(db_is_in_transaction(db));
    db_rollback(db);
    CHECK(!db_is_in_transaction(db));
    db_rollback(db);
    CHECK(get(db, "a") == -1);
    db_close(db);
    folder_remove(&folder);
}

static void a_reader_sees_committed_batches_while_the_writer_writes(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    struct db *db = open_or_die(path);
    struct db *reader = NULL;
    CHECK(db_open_reader(&reader, path, 2000, NULL) == ERR_OK);
    CHECK(db_begin(db) == ERR_OK);
    CHECK(put(db, "a", 1) == ERR_OK);
    CHECK(get(reader, "a") == -1);
    CHECK(db_commit(db) == ERR_OK);
    CHECK(get(reader, "a") == 1);

    CHECK(db_begin_read(reader) == ERR_OK);
    CHECK(get(reader, "a") == 1);
    CHECK(put(db, "b", 2) == ERR_OK);
    CHECK(get(reader, "b") == -1); /* as of its first statement */
    CHECK(db_checkpoint(db) == ERR_BUSY);
    db_rollback(reader);
    CHECK(get(reader, "b") == 2);
    CHECK(db_checkpoint(db) == ERR_OK);
    db_close(reader);
    db_close(db);
    folder_remove(&folder);
}

static void a_long_read_is_ended(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    struct db *db = open_or_die(path);
    struct db *reader = NULL;
    int64_t number = 0;
    CHECK(db_open_reader(&reader, path, 20, NULL) == ERR_OK);
    CHECK(db_get_one(reader,
                     "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
                     " SELECT count(*) FROM n",
                     DB_NONE, &number) == ERR_TIMEOUT);
    CHECK(db_get_one(reader, "SELECT 5", DB_NONE, &number) == ERR_OK);
    CHECK(number == 5);
    db_close(reader);
    db_close(db);
    folder_remove(&folder);
}

/* Writes pairs for ever; a pair half there would be a torn batch. */
static void write_pairs(const char *path, int told)
{
    struct db *db = open_or_die(path);
    for (int64_t i = get(db, "count") + 1;; i++) {
        char key[32];
        if (db_begin(db) != ERR_OK)
            _exit(1);
        for (int part = 0; part < 2; part++) {
            snprintf(key, sizeof key, "%lld-%d", (long long)i, part);
            if (put(db, key, i) != ERR_OK)
                _exit(1);
        }
        if (db_run(db, "INSERT OR REPLACE INTO t (k, i) VALUES ('count', ?)",
                   DB_ARGS(db_int(i))) != ERR_OK ||
            db_commit(db) != ERR_OK || write(told, &i, sizeof i) != sizeof i)
            _exit(1);
    }
}

static void a_killed_writer_loses_no_batch_and_tears_none(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "t.db");
    for (int life = 0; life < 15; life++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0)
            write_pairs(path, ends[1]);
        close(ends[1]);
        int64_t last = 0;
        for (int i = 0; i < 3 + life * 4; i++)
            CHECK(read(ends[0], &last, sizeof last) == sizeof last);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(ends[0], &last, sizeof last) == sizeof last)
            ; /* what it had told before it died */
        close(ends[0]);

        struct db *db = open_or_die(path);
        int64_t rows = 0;
        int64_t count = get(db, "count");
        CHECK(count == last || count == last + 1);
        CHECK(db_get_one(db, "SELECT count(*) FROM t", DB_NONE, &rows) == ERR_OK);
        CHECK(rows == 2 * (count + 1) + 1);
        db_close(db);
    }
    folder_remove(&folder);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"an old file is upgraded step by step", an_old_file_is_upgraded_step_by_step},
        {"a failing upgrade changes nothing", a_failing_upgrade_changes_nothing},
        {"newer and foreign files are refused", newer_and_foreign_files_are_refused},
        {"a copy is kept before the first step", a_copy_is_kept_before_the_first_step},
        {"without room for the copy nothing is touched",
         without_room_for_the_copy_nothing_is_touched},
        {"copies do not pile up", copies_do_not_pile_up},
        {"a killed upgrade is resumed", a_killed_upgrade_is_resumed},
        {"one process writes", one_process_writes},
        {"values come back as they were", values_come_back_as_they_were},
        {"failures are told apart", failures_are_told_apart},
        {"a rolled back batch leaves nothing", a_rolled_back_batch_leaves_nothing},
        {"a reader sees committed batches while the writer writes",
         a_reader_sees_committed_batches_while_the_writer_writes},
        {"a long read is ended", a_long_read_is_ended},
        {"a killed writer loses no batch and tears none",
         a_killed_writer_loses_no_batch_and_tears_none},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/db", tests);
}
