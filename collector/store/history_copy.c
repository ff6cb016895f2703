// SPDX-License-Identifier: Apache-2.0
/*
 * history_copy - all files of the history as of one moment, for a backup.
 *
 * No batch and no step of a move runs meanwhile, so that the files fit together: what a
 * move has put into a month and not yet dropped is left out by `through`, as after a
 * crash.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "collector/store/history.h"
#include "collector/store/history_tables.h"
#include "collector/store/month.h"

static enum err copy_file(struct db *db, const char *to, const char *name,
                          struct err_text *why)
{
    char *path = mem_format("%s/%s", to, name);
    enum err err = db_copy_to(db, path, why);
    free(path);
    return err;
}

static enum err copy_month(struct history *history, int month, const char *to,
                           struct err_text *why)
{
    char name[MONTH_NAME_SIZE];
    struct db *db = NULL;
    enum err err = history_month(history, month, false, &db);
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    if (err != ERR_OK)
        return err_set(why, err, "%s: %s", month_format(month, name),
                       history_why(history));
    return copy_file(db, to, month_format(month, name), why);
}

enum err history_copy(struct history *history, const char *to, struct err_text *why)
{
    struct months months = {0};
    enum err err = months_list(&months, history->dir);
    if (err != ERR_OK)
        err_set(why, err, "%s cannot be listed: %s", history->dir, err_about(err));
    if (err == ERR_OK)
        err = copy_file(history->db, to, HISTORY_FILE, why);
    for (size_t i = 0; err == ERR_OK && i < months.count; i++)
        err = copy_month(history, months.items[i], to, why);
    free(months.items);
    return err;
}
