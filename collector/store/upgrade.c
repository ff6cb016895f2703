// SPDX-License-Identifier: Apache-2.0
#include "collector/store/upgrade.h"

#include <stdlib.h>

#include "base/mem.h"
#include "collector/store/db.h"
#include "collector/store/db_copy.h"
#include "collector/store/history_tables.h"
#include "collector/store/month.h"
#include "collector/store/schema.h"

/* One store: *needed grows by what its upgrade takes on the disk. */
static enum err look_at(const char *path, const struct db_schema *schema,
                        uint64_t *needed, struct err_text *why)
{
    struct db *db = NULL;
    struct err_text ignored;
    if (db_open_reader(&db, path, 0, &ignored) != ERR_OK)
        return ERR_OK; /* absent, or its opening says better what is wrong */
    uint64_t bytes = 0;
    enum err err = db_upgrade_bytes(db, path, schema, &bytes, why);
    if (err == ERR_OK && bytes > 0)
        *needed += db_copy_needs(bytes);
    db_close(db);
    return err;
}

static enum err look_at_months(const char *dir, uint64_t *needed, struct err_text *why)
{
    struct months months = {0};
    enum err err = ERR_OK;
    if (months_list(&months, dir) != ERR_OK)
        return ERR_OK; /* no history yet */
    for (size_t i = 0; err == ERR_OK && i < months.count; i++) {
        char name[MONTH_NAME_SIZE];
        char *path = mem_format("%s/%s", dir, month_format(months.items[i], name));
        err = look_at(path, &month_schema, needed, why);
        free(path);
    }
    free(months.items);
    return err;
}

enum err upgrade_check(const char *state_path, const char *history_dir,
                       struct err_text *why)
{
    uint64_t needed = 0;
    char *history_path = mem_format("%s/%s", history_dir, HISTORY_FILE);
    enum err err = look_at(state_path, &state_schema, &needed, why);
    if (err == ERR_OK)
        err = look_at(history_path, &history_schema, &needed, why);
    if (err == ERR_OK)
        err = look_at_months(history_dir, &needed, why);
    if (err == ERR_OK && needed > 0)
        err =
            db_copy_check_space(state_path, needed, db_copy_free_bytes(state_path), why);
    free(history_path);
    return err;
}
