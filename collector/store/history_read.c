// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collector/store/history_query.h"

/*
 * What a query sees: the main file as of its first look, then the files of months. A row
 * of recent that a run moves meanwhile is seen there, and may be seen in its month too;
 * the month says up to which row it holds the series, and such rows are left out here.
 */

enum err history_reader_open(struct history_reader **out, const char *dir,
                             struct err_text *why)
{
    *out = NULL;
    struct history_reader *reader = mem_alloc(sizeof *reader);
    char *path = mem_format("%s/%s", dir, HISTORY_FILE);
    enum err err = db_open_reader(&reader->db, path, 0, why);
    free(path);
    if (err != ERR_OK) {
        free(reader);
        return err;
    }
    reader->dir = mem_strdup(dir);
    *out = reader;
    return ERR_OK;
}

void history_reader_close(struct history_reader *reader)
{
    if (reader == NULL)
        return;
    db_close(reader->db);
    free(reader->dir);
    free(reader);
}

static enum err select_series(struct query *query, const struct history_range *range)
{
    struct db_rows rows;
    enum err err = ERR_OK;
    db_select(&rows, query->reader->db,
              "SELECT series.id, series.channel, device.id FROM device JOIN series"
              " ON series.device = device.id WHERE org = ?1 AND name = ?2"
              " AND (?3 IS NULL OR channel = ?3) ORDER BY channel",
              DB_ARGS(db_text(range->org), db_text(range->device),
                      db_text_or_null(range->channel)));
    while (err == ERR_OK && db_next(&rows)) {
        if (query->series_count == HISTORY_SERIES_MAX) {
            err = ERR_LIMIT;
            break;
        }
        query->device = db_get_int(&rows, 2);
        query->series[query->series_count++] = (struct query_series){
            .id = db_get_int(&rows, 0), .channel = mem_strdup(db_get_text(&rows, 1))};
    }
    enum err ended = db_end(&rows);
    return err != ERR_OK ? err : ended;
}

/* A file without tables is being made: nothing was moved into it before our first look.
 */
static enum err add_file(struct query *query, int month)
{
    char name[MONTH_NAME_SIZE];
    char *path = mem_format("%s/%s", query->reader->dir, month_format(month, name));
    struct query_file *file = &query->files[query->file_count];
    *file = (struct query_file){.month = month};
    int64_t tables = 0;
    enum err err = db_open_reader(&file->db, path, 0, NULL);
    free(path);
    if (err != ERR_OK) /* removed since the folder was read */
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    db_set_deadline(file->db, query->deadline_ms);
    err = db_begin_read(file->db);
    if (err == ERR_OK)
        err =
            db_get_one(file->db, "SELECT count(*) FROM sqlite_schema", DB_NONE, &tables);
    if (err != ERR_OK || tables == 0) {
        db_close(file->db);
        return err;
    }
    file->through = mem_array(query->series_count, sizeof *file->through);
    for (size_t i = 0; i < query->series_count; i++)
        file->through[i] = -1;
    query->file_count++;
    return ERR_OK;
}

static enum err open_files(struct query *query)
{
    struct months months;
    enum err err = months_list(&months, query->reader->dir);
    int first = month_near(query->from_ms);
    int last = month_near(query->to_ms - 1);
    query->files = mem_array(months.count, sizeof *query->files);
    for (size_t i = 0; err == ERR_OK && i < months.count; i++) {
        int month = months.items[i];
        if (month == MONTH_ODD || (month >= first && month <= last))
            err = add_file(query, month);
    }
    free(months.items);
    return err;
}

enum err query_begin(struct query *query, struct history_reader *reader,
                     const struct history_range *range)
{
    *query = (struct query){
        .reader = reader, .from_ms = range->from_ms, .to_ms = range->to_ms};
    if (range->from_ms >= range->to_ms)
        return ERR_OK; /* no series: nothing is found */
    query->deadline_ms = clock_real_ms() + HISTORY_READ_MS;
    db_set_deadline(reader->db, query->deadline_ms);
    enum err err = db_begin_read(reader->db);
    if (err == ERR_OK)
        err = select_series(query, range);
    if (err == ERR_OK && query->series_count > 0)
        err = open_files(query);
    return err;
}

void query_end(struct query *query)
{
    for (size_t i = 0; i < query->file_count; i++) {
        db_close(query->files[i].db);
        free(query->files[i].through);
    }
    for (size_t i = 0; i < query->series_count; i++)
        free(query->series[i].channel);
    free(query->files);
    free(query->recents);
    db_rollback(query->reader->db);
}

/* The place of that series in the query; false when it is not of it. */
static bool find_series(const struct query *query, int64_t id, size_t *place)
{
    for (size_t i = 0; i < query->series_count; i++) {
        if (query->series[i].id == id) {
            *place = i;
            return true;
        }
    }
    return false;
}

static enum err load_through(struct query_file *file, int64_t series, int64_t *through)
{
    struct month_tail tail;
    if (*through >= 0)
        return ERR_OK;
    enum err err = month_load_tail(file->db, series, &tail, NULL);
    *through = tail.through;
    return err;
}

/* Whether the file of its month holds that row of recent already. */
static enum err is_moved(struct query *query, const struct query_recent *recent,
                         bool *is_moved)
{
    int month = month_of(recent->sample.time_ms, recent->sample.arrival_ms);
    *is_moved = false;
    for (size_t i = 0; i < query->file_count; i++) {
        struct query_file *file = &query->files[i];
        if (file->month != month)
            continue;
        assert(recent->place < query->series_count && recent->row > 0);
        int64_t *through = &file->through[recent->place];
        enum err err = load_through(file, query->series[recent->place].id, through);
        *is_moved = err == ERR_OK && recent->row <= *through;
        return err;
    }
    return ERR_OK;
}

static int compare_recents(const void *a, const void *b)
{
    const struct query_recent *x = a;
    const struct query_recent *y = b;
    if (x->sample.time_ms != y->sample.time_ms)
        return x->sample.time_ms < y->sample.time_ms ? -1 : 1;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

static void sort_recents(struct query *query)
{
    if (query->recent_count > 0)
        qsort(query->recents, query->recent_count, sizeof *query->recents,
              compare_recents);
}

/* Keeps the first `keep` of them only, so that memory is bounded; 0: only counts. */
static enum err add_recent(struct query *query, const struct query_recent *recent,
                           size_t keep)
{
    bool moved = false;
    if (recent->sample.time_ms < query->from_ms || recent->sample.time_ms >= query->to_ms)
        return ERR_OK;
    enum err err = is_moved(query, recent, &moved);
    if (err != ERR_OK || moved)
        return err;
    if (keep == 0) {
        query->recent_count++;
        return ERR_OK;
    }
    mem_grow(&query->recents, &query->recent_capacity, query->recent_count + 1,
             sizeof *query->recents);
    query->recents[query->recent_count++] = *recent;
    if (query->recent_count >= 2 * keep) {
        sort_recents(query);
        query->recent_count = keep;
    }
    return ERR_OK;
}

static enum err add_message(struct query *query, const struct db_rows *rows, size_t keep)
{
    struct recent_reader reader;
    struct query_recent recent = {
        .row = db_get_int(rows, 0),
        .sample = {.epoch = db_get_u64(rows, 1),
                   .seq = db_get_u64(rows, 2),
                   .arrival_ms = db_get_int(rows, 3)},
    };
    size_t len = 0;
    const void *data = db_get_blob(rows, 4, &len);
    if (!recent_read(&reader, data, len, recent.sample.arrival_ms))
        return ERR_CORRUPT;
    int64_t series = 0;
    enum err err = ERR_OK;
    while (err == ERR_OK && recent_next(&reader, &series, &recent.sample)) {
        if (find_series(query, series, &recent.place))
            err = add_recent(query, &recent, keep);
        recent.part++;
    }
    return err == ERR_OK && reader.in.failed ? ERR_CORRUPT : err;
}

static enum err add_messages(struct query *query, size_t keep)
{
    struct db_rows rows;
    enum err err = ERR_OK;
    db_select(&rows, query->reader->db,
              "SELECT row, epoch, seq, arrival_ms, data FROM recent WHERE device = ?",
              DB_ARGS(db_int(query->device)));
    while (err == ERR_OK && db_next(&rows))
        err = add_message(query, &rows, keep);
    enum err ended = db_end(&rows);
    return err != ERR_OK ? err : ended;
}

static double double_of(uint64_t bits)
{
    double number = 0;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static enum err add_loose(struct query *query, size_t place, size_t keep)
{
    struct db_rows rows;
    enum err err = ERR_OK;
    db_select(&rows, query->reader->db,
              "SELECT time_ms, bits, row, arrival_ms, quality, raw_bits FROM loose"
              " WHERE series = ? AND time_ms >= ? AND time_ms < ?",
              DB_ARGS(db_int(query->series[place].id), db_int(query->from_ms),
                      db_int(query->to_ms)));
    while (err == ERR_OK && db_next(&rows)) {
        const struct query_recent recent = {
            .place = place,
            .row = db_get_int(&rows, 2),
            .sample = {.time_ms = db_get_int(&rows, 0),
                       .value = double_of(db_get_u64(&rows, 1)),
                       .arrival_ms = db_get_int(&rows, 3),
                       .quality = (uint8_t)db_get_int(&rows, 4),
                       .raw = double_of(db_get_u64(&rows, 5))},
        };
        err = add_recent(query, &recent, keep);
    }
    enum err ended = db_end(&rows);
    return err != ERR_OK ? err : ended;
}

enum err query_load_recents(struct query *query, size_t keep)
{
    enum err err = add_messages(query, keep);
    for (size_t i = 0; err == ERR_OK && i < query->series_count; i++)
        err = add_loose(query, i, keep);
    if (keep == 0)
        return err;
    sort_recents(query);
    if (query->recent_count > keep)
        query->recent_count = keep;
    return err;
}

bool query_is_late(const struct query *query)
{
    return clock_real_ms() >= query->deadline_ms;
}
