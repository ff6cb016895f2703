// SPDX-License-Identifier: Apache-2.0
#include "collector/store/db_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define SPARE_BYTES (1 << 20)

static char *copy_path(const char *path, int64_t version, const char *suffix)
{
    return mem_format("%s.version-%" PRId64 "%s", path, version, suffix);
}

uint64_t db_copy_needs(uint64_t store_bytes)
{
    return 2 * store_bytes + SPARE_BYTES;
}

uint64_t db_copy_free_bytes(const char *path)
{
    char *copy = mem_strdup(path);
    struct statvfs disk;
    uint64_t bytes = 0;
    if (statvfs(dirname(copy), &disk) == 0)
        bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    free(copy);
    return bytes;
}

static double mib(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

enum err db_copy_check_space(const char *path, uint64_t needed, uint64_t free_bytes,
                             struct err_text *why)
{
    if (free_bytes >= needed)
        return ERR_OK;
    return err_set(why, ERR_FULL,
                   "%s: its upgrade needs %.1f MiB, for a copy that is kept first, and "
                   "%.1f MiB are free; nothing was touched: make room, then start again",
                   path, mib(needed), mib(free_bytes));
}

/* The pages one by one into a new file; what is in the log of `from` is in it. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL)
        return sqlite3_errcode(to);
    int code = sqlite3_backup_step(backup, -1);
    int ended = sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? ended : code;
}

static int check_copy(sqlite3 *copy)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(copy, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt);
    bool is_sound = code == SQLITE_ROW &&
                    strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
    sqlite3_finalize(stmt);
    return is_sound ? SQLITE_OK : SQLITE_CORRUPT;
}

/*
 * No log beside the copy: it is one file, and synced by us. "main" is closed again
 * before anybody opens it.
 */
static enum err fill(sqlite3 *from, const char *path, struct err_text *why)
{
    sqlite3 *to = NULL;
    int code = sqlite3_open_v2(
        path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE,
        NULL);
    if (code == SQLITE_OK)
        code = copy_pages(from, to);
    if (code == SQLITE_OK) /* else looking at it would make a log of its own */
        code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = check_copy(to);
    enum err err = ERR_OK;
    if (code != SQLITE_OK)
        err = err_set(why, (code & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_IO,
                      "%s: no copy can be made: %s", path, sqlite3_errstr(code));
    sqlite3_close(to);
    return err;
}

static enum err sync_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_from_errno(errno);
    enum err err = fsync(fd) == 0 ? ERR_OK : err_from_errno(errno);
    if (close(fd) != 0 && err == ERR_OK)
        err = err_from_errno(errno);
    return err;
}

enum err db_copy_write(sqlite3 *from, const char *path, struct err_text *why)
{
    enum err err = fill(from, path, why);
    if (err == ERR_OK && sync_file(path) != ERR_OK)
        err = err_set(why, ERR_IO, "%s: the copy cannot be synced", path);
    if (err != ERR_OK)
        unlink(path);
    return err;
}

static enum err sync_folder_of(const char *path)
{
    char *copy = mem_strdup(path);
    enum err err = file_sync_dir(dirname(copy));
    free(copy);
    return err;
}

/* It has its name once it is whole. */
static enum err put_in_place(const char *part, const char *whole, struct err_text *why)
{
    enum err err = sync_file(part);
    if (err == ERR_OK && rename(part, whole) != 0)
        err = err_from_errno(errno);
    if (err == ERR_OK)
        err = sync_folder_of(whole);
    return err == ERR_OK ? err
                         : err_set(why, err, "%s: the copy before the upgrade: %s", whole,
                                   err_about(err));
}

enum err db_copy_make(sqlite3 *from, const char *path, int64_t version,
                      struct err_text *why)
{
    char *part = copy_path(path, version, ".part");
    char *whole = copy_path(path, version, "");
    unlink(part); /* of an upgrade that was interrupted */
    enum err err = fill(from, part, why);
    if (err == ERR_OK)
        err = put_in_place(part, whole, why);
    if (err == ERR_OK)
        log_info("upgrade: the store as it was is kept in %s", whole);
    else
        unlink(part);
    free(part);
    free(whole);
    return err;
}

void db_copy_remove_older(const char *path, int64_t version)
{
    while (--version > 0) {
        char *older = copy_path(path, version, "");
        if (unlink(older) == 0)
            log_info("upgrade: removed the copy of an earlier upgrade %s", older);
        free(older);
    }
}
