// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collector/store/history_query.h"

enum err history_series(struct history_reader *reader, const char *org,
                        const char *device, void *context, history_series_fn *row)
{
    struct db_rows rows;
    db_set_deadline(reader->db, clock_real_ms() + HISTORY_READ_MS);
    db_select(&rows, reader->db,
              "SELECT org, name, channel FROM series JOIN device"
              " ON device.id = series.device WHERE (?1 IS NULL OR org = ?1)"
              " AND (?2 IS NULL OR name = ?2) ORDER BY series.id",
              DB_ARGS(db_text_or_null(org), db_text_or_null(device)));
    while (db_next(&rows))
        row(context, db_get_text(&rows, 0), db_get_text(&rows, 1), db_get_text(&rows, 2));
    return db_end(&rows);
}

static enum err count_recent(struct history_reader *reader, struct history_stats *stats)
{
    struct db_rows rows;
    enum err err = ERR_OK;
    db_select(&rows, reader->db, "SELECT data FROM recent", DB_NONE);
    while (err == ERR_OK && db_next(&rows)) {
        struct recent_reader message;
        size_t len = 0;
        const void *data = db_get_blob(&rows, 0, &len);
        err = recent_read(&message, data, len, 0) ? ERR_OK : ERR_CORRUPT;
        stats->recent_rows++;
        stats->recent_readings += message.left;
    }
    enum err ended = db_end(&rows);
    return err != ERR_OK ? err : ended;
}

static enum err count_main(struct history_reader *reader, struct history_stats *stats)
{
    const struct {
        const char *sql;
        uint64_t *to;
    } numbers[] = {
        {"SELECT count(*) FROM series", &stats->series},
        {"SELECT count(*) FROM loose", &stats->recent_readings},
        {"SELECT value FROM meta WHERE key = 'cursor'", &stats->cursor},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t value = 0;
        enum err err = db_get_one(reader->db, numbers[i].sql, DB_NONE, &value);
        if (err != ERR_OK)
            return err;
        *numbers[i].to = (uint64_t)value;
    }
    return count_recent(reader, stats);
}

/*
 * Rows that a run has moved and not yet dropped are in recent and in their months: the
 * sum may be too high while a run is at work.
 */
static enum err count_month(const char *path, int64_t deadline_ms,
                            struct history_stats *stats)
{
    static const char *const sums[] = {
        "SELECT count(*) FROM chunk",
        "SELECT coalesce(sum(readings), 0) FROM chunk",
        "SELECT coalesce(sum(readings), 0) FROM tail",
    };
    int64_t values[3] = {0};
    struct db *db = NULL;
    enum err err = db_open_reader(&db, path, 0, NULL);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    db_set_deadline(db, deadline_ms);
    int64_t tables = 0;
    err = db_get_one(db, "SELECT count(*) FROM sqlite_schema", DB_NONE, &tables);
    for (size_t i = 0; err == ERR_OK && tables > 0 && i < 3; i++)
        err = db_get_one(db, sums[i], DB_NONE, &values[i]);
    db_close(db);
    stats->chunks += (uint64_t)values[0];
    stats->chunk_readings += (uint64_t)values[1];
    stats->tail_readings += (uint64_t)values[2];
    return err;
}

/* Files come and go meanwhile: what is gone counts nothing. */
static enum err count_bytes(const char *dir_path, struct history_stats *stats)
{
    DIR *dir = opendir(dir_path);
    if (dir == NULL)
        return err_from_errno(errno);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        struct stat status;
        bool is_ours = strncmp(entry->d_name, "history", 7) == 0;
        if (is_ours && fstatat(dirfd(dir), entry->d_name, &status, 0) == 0)
            stats->bytes += (uint64_t)status.st_size;
    }
    closedir(dir);
    return ERR_OK;
}

enum err history_reader_cursor(struct history_reader *reader, uint64_t *cursor)
{
    int64_t value = 0;
    enum err err = db_get_one(reader->db, "SELECT value FROM meta WHERE key = 'cursor'",
                              DB_NONE, &value);
    *cursor = (uint64_t)value;
    return err;
}

enum err history_stats(struct history_reader *reader, struct history_stats *stats)
{
    struct months months = {0};
    *stats = (struct history_stats){.files = 1};
    int64_t deadline_ms = clock_real_ms() + HISTORY_READ_MS;
    db_set_deadline(reader->db, deadline_ms);
    enum err err = db_begin_read(reader->db);
    if (err == ERR_OK)
        err = count_main(reader, stats);
    db_rollback(reader->db);
    if (err == ERR_OK)
        err = months_list(&months, reader->dir);
    for (size_t i = 0; err == ERR_OK && i < months.count; i++) {
        char name[MONTH_NAME_SIZE];
        char *path =
            mem_format("%s/%s", reader->dir, month_format(months.items[i], name));
        err = count_month(path, deadline_ms, stats);
        stats->files++;
        free(path);
    }
    free(months.items);
    return err == ERR_OK ? count_bytes(reader->dir, stats) : err;
}
