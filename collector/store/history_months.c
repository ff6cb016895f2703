// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "collector/store/history_tables.h"
#include "collector/store/schema.h"

static char *month_path(const struct history *history, int month)
{
    char name[MONTH_NAME_SIZE];
    return mem_format("%s/%s", history->dir, month_format(month, name));
}

static void close_month(struct open_month *slot)
{
    db_close(slot->db);
    *slot = (struct open_month){0};
}

void history_close_months(struct history *history)
{
    for (size_t i = 0; i < OPEN_MONTHS_MAX; i++)
        close_month(&history->months[i]);
}

/* A free slot, or the one whose last use is longest ago, closed. */
static struct open_month *slot_for(struct history *history)
{
    struct open_month *oldest = &history->months[0];
    for (size_t i = 0; i < OPEN_MONTHS_MAX; i++) {
        struct open_month *slot = &history->months[i];
        if (slot->db == NULL)
            return slot;
        if (slot->used < oldest->used)
            oldest = slot;
    }
    close_month(oldest);
    return oldest;
}

static struct open_month *find_open(struct history *history, int month)
{
    for (size_t i = 0; i < OPEN_MONTHS_MAX; i++)
        if (history->months[i].db != NULL && history->months[i].month == month)
            return &history->months[i];
    return NULL;
}

enum err history_month(struct history *history, int month, bool make, struct db **db)
{
    assert(month == MONTH_ODD || (month >= MONTH_FIRST && month <= MONTH_LAST));
    *db = NULL;
    struct open_month *slot = find_open(history, month);
    if (slot == NULL) {
        char *path = month_path(history, month);
        enum err err = make || access(path, F_OK) == 0 ? ERR_OK : ERR_NOT_FOUND;
        if (err == ERR_OK) {
            slot = slot_for(history);
            err = db_open(&slot->db, path, &month_schema, &history->why);
            slot->month = month;
        }
        free(path);
        if (err != ERR_OK)
            return err;
    }
    slot->used = ++history->month_uses;
    *db = slot->db;
    return ERR_OK;
}

static enum err unlink_if_there(const char *path, const char *suffix)
{
    char *file = mem_format("%s%s", path, suffix);
    enum err err = unlink(file) == 0 || errno == ENOENT ? ERR_OK : err_from_errno(errno);
    free(file);
    return err;
}

/*
 * The log goes first and is empty by then: a log that outlives its file would be taken
 * for the log of the next file of that name.
 */
static enum err remove_month(struct history *history, int month)
{
    struct db *db = NULL;
    enum err err = history_month(history, month, false, &db);
    if (err == ERR_OK)
        err = history_note(history, db, db_checkpoint(db));
    if (err != ERR_OK)
        return err;
    struct open_month *slot = find_open(history, month);
    assert(slot != NULL);
    close_month(slot);
    char *path = month_path(history, month);
    err = unlink_if_there(path, "-wal");
    if (err == ERR_OK)
        err = unlink_if_there(path, "-shm");
    if (err == ERR_OK)
        err = unlink_if_there(path, "");
    free(path);
    return err;
}

static enum err thin_odd(struct history *history, int64_t oldest_ms)
{
    struct db *db = NULL;
    enum err err = history_month(history, MONTH_ODD, false, &db);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err == ERR_OK)
        err = db_begin(db);
    if (err != ERR_OK)
        return err;
    err = month_drop_arrived(db, oldest_ms);
    if (err == ERR_OK)
        err = db_commit(db);
    if (err != ERR_OK)
        db_rollback(db);
    return history_note(history, db, err);
}

enum err history_retain(struct history *history, int64_t oldest_ms, size_t *removed)
{
    assert(!db_is_in_transaction(history->db));
    struct months months;
    *removed = 0;
    enum err err = months_list(&months, history->dir);
    for (size_t i = 0; err == ERR_OK && i < months.count; i++) {
        int month = months.items[i];
        if (month == MONTH_ODD || month_end_ms(month) > oldest_ms)
            continue;
        err = remove_month(history, month);
        *removed += err == ERR_OK;
        if (err == ERR_BUSY) /* somebody reads it: another time */
            err = ERR_OK;
    }
    free(months.items);
    if (err == ERR_OK && *removed > 0)
        err = file_sync_dir(history->dir);
    return err == ERR_OK ? thin_odd(history, oldest_ms) : err;
}
