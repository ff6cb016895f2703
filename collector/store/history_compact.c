// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/store/history_tables.h"
#include "collector/store/recent.h"

/* What costs about as much as looking at one row: writing readings, dropping rows. */
#define WRITE_FACTOR 4
#define DROP_FACTOR  4

void history_abandon_run(struct history *history)
{
    free(history->run.moving);
    free(history->run.sorted);
    history->run = (struct run){0};
}

static void add_moving(struct run *run, int64_t series, int64_t row,
                       const struct sample *sample)
{
    if ((uint64_t)series % run->passes != run->pass)
        return;
    if (run->count == run->capacity)
        mem_grow(&run->moving, &run->capacity, run->count + 1, sizeof *run->moving);
    run->moving[run->count++] = (struct moving){
        .series = series,
        .row = row,
        .month = month_of(sample->time_ms, sample->arrival_ms),
        .sample = *sample,
    };
}

static enum err load_row(struct run *run, const struct db_rows *rows)
{
    struct recent_reader reader;
    struct sample sample = {
        .epoch = db_get_u64(rows, 1),
        .seq = db_get_u64(rows, 2),
        .arrival_ms = db_get_int(rows, 3),
    };
    size_t len = 0;
    const void *data = db_get_blob(rows, 4, &len);
    if (!recent_read(&reader, data, len, sample.arrival_ms))
        return ERR_CORRUPT;
    if (run->pass == 0)
        run->readings += reader.left;
    int64_t series = 0;
    while (recent_next(&reader, &series, &sample))
        add_moving(run, series, run->at_row, &sample);
    return reader.in.failed ? ERR_CORRUPT : ERR_OK;
}

static enum err load_recent(struct history *history, size_t max_rows)
{
    struct run *run = &history->run;
    struct db_rows rows;
    size_t seen = 0;
    enum err err = ERR_OK;
    assert(run->phase == RUN_LOAD && run->pass < run->passes);
    db_select(
        &rows, history->db,
        "SELECT row, epoch, seq, arrival_ms, data FROM recent"
        " WHERE row > ? AND row <= ? ORDER BY row LIMIT ?",
        DB_ARGS(db_int(run->at_row), db_int(run->through), db_int((int64_t)max_rows)));
    while (err == ERR_OK && run->at_row < run->through && db_next(&rows)) {
        seen++;
        run->at_row = db_get_int(&rows, 0);
        err = load_row(run, &rows);
        if (run->pass == 0 && run->readings >= run->most_readings)
            run->through = run->at_row; /* the rest is for the next run */
    }
    enum err ended = db_end(&rows);
    if (err == ERR_OK && ended == ERR_OK && seen < max_rows)
        run->phase = RUN_LOAD_LOOSE;
    return err != ERR_OK ? err : ended;
}

static double double_of(uint64_t bits)
{
    double number = 0;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void load_loose_row(struct run *run, const struct db_rows *rows)
{
    int64_t series = db_get_int(rows, 0);
    const struct sample sample = {
        .time_ms = db_get_int(rows, 1),
        .value = double_of(db_get_u64(rows, 2)),
        .arrival_ms = db_get_int(rows, 4),
        .quality = (uint8_t)db_get_int(rows, 5),
        .raw = double_of(db_get_u64(rows, 6)),
    };
    for (int i = 0; i < 3; i++)
        run->loose[i] = db_get_int(rows, i);
    if ((uint64_t)series % run->passes == run->pass &&
        db_get_int(rows, 3) <= run->through)
        add_moving(run, series, db_get_int(rows, 3), &sample);
}

static int compare_moving(const void *a, const void *b)
{
    const struct moving *x = *(const struct moving *const *)a;
    const struct moving *y = *(const struct moving *const *)b;
    if (x->month != y->month)
        return x->month < y->month ? -1 : 1;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->sample.time_ms != y->sample.time_ms)
        return x->sample.time_ms < y->sample.time_ms ? -1 : 1;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x > y) - (x < y); /* in one array: as they stand in the message */
}

static void sort_pass(struct run *run)
{
    assert(run->sorted == NULL);
    run->sorted = mem_array(run->count, sizeof(const struct moving *));
    for (size_t i = 0; i < run->count; i++)
        run->sorted[i] = &run->moving[i];
    if (run->count > 0)
        qsort(run->sorted, run->count, sizeof(const struct moving *), compare_moving);
    run->written = 0;
}

static enum err load_loose(struct history *history, size_t max_rows)
{
    struct run *run = &history->run;
    struct db_rows rows;
    size_t seen = 0;
    db_select(
        &rows, history->db,
        "SELECT series, time_ms, bits, row, arrival_ms, quality, raw_bits FROM loose"
        " WHERE (series, time_ms, bits) > (?, ?, ?)"
        " ORDER BY series, time_ms, bits LIMIT ?",
        DB_ARGS(db_int(run->loose[0]), db_int(run->loose[1]), db_int(run->loose[2]),
                db_int((int64_t)max_rows)));
    for (; db_next(&rows); seen++)
        load_loose_row(run, &rows);
    enum err err = db_end(&rows);
    if (err == ERR_OK && seen < max_rows) {
        sort_pass(run);
        run->phase = RUN_WRITE;
    }
    return err;
}

/* How many of the sorted from `from` on are of the same series and month. */
static size_t group_size(const struct run *run, size_t from)
{
    assert(from < run->count);
    const struct moving *first = run->sorted[from];
    size_t end = from + 1;
    while (end < run->count && run->sorted[end]->series == first->series &&
           run->sorted[end]->month == first->month)
        end++;
    return end - from;
}

/* Series after series of one month, at least one, in one transaction. */
static enum err write_groups(struct run *run, struct db *db, size_t max_readings)
{
    size_t start = run->written;
    int month = run->sorted[start]->month;
    enum err err = db_begin(db);
    if (err != ERR_OK)
        return err;
    while (err == ERR_OK && run->written < run->count &&
           run->written - start < max_readings &&
           run->sorted[run->written]->month == month) {
        size_t size = group_size(run, run->written);
        err = month_add(db, run->sorted + run->written, size, run->through);
        run->written += size;
    }
    if (err == ERR_OK)
        err = db_commit(db);
    if (err != ERR_OK)
        db_rollback(db);
    return err;
}

static void end_pass(struct history *history)
{
    struct run *run = &history->run;
    free(run->sorted);
    run->sorted = NULL;
    run->count = 0;
    run->at_row = 0;
    memset(run->loose, 0, sizeof run->loose);
    run->pass++;
    run->phase = run->pass < run->passes ? RUN_LOAD : RUN_SAVE;
    run->unsaved = history->devices.changed_count;
}

static enum err write_chunks(struct history *history, size_t max_rows)
{
    struct run *run = &history->run;
    if (run->written == run->count) {
        end_pass(history);
        return ERR_OK;
    }
    struct db *db = NULL;
    enum err err = history_month(history, run->sorted[run->written]->month, true, &db);
    if (err != ERR_OK)
        return err;
    return history_note(history, db, write_groups(run, db, max_rows * WRITE_FACTOR));
}

/* One transaction of the main file around a step. */
static enum err in_transaction(struct history *history, size_t max_rows,
                               enum err (*step)(struct history *, size_t))
{
    enum err err = db_begin(history->db);
    if (err == ERR_OK)
        err = step(history, max_rows);
    if (err == ERR_OK)
        err = db_commit(history->db);
    history_note(history, history->db, err);
    if (err != ERR_OK)
        history_rollback(history);
    return err;
}

/* Rows that are dropped can no longer say what was taken, so it is saved before. */
static enum err save_taken(struct history *history, size_t max_rows)
{
    struct run *run = &history->run;
    size_t saved = 0;
    enum err err = devices_save(
        &history->devices, max_rows < run->unsaved ? max_rows : run->unsaved, &saved);
    if (err != ERR_OK)
        return err;
    assert(run->phase == RUN_SAVE && saved <= run->unsaved);
    run->unsaved -= saved;
    if (run->unsaved > 0)
        return ERR_OK;
    run->phase = RUN_DROP;
    return history_put_meta(history, "taken_through", run->through);
}

static void count_dropped(uint64_t *counter, uint64_t dropped)
{
    *counter -= dropped < *counter ? dropped : *counter;
}

static enum err drop_rows(struct history *history, size_t max_rows)
{
    struct run *run = &history->run;
    assert(run->phase == RUN_DROP && run->pass == run->passes);
    int64_t lot = (int64_t)(max_rows * DROP_FACTOR);
    enum err err = db_run(history->db,
                          "DELETE FROM recent WHERE row <= min(?1,"
                          " (SELECT min(row) FROM recent) + ?2 - 1)",
                          DB_ARGS(db_int(run->through), db_int(lot)));
    if (err != ERR_OK)
        return err;
    int64_t dropped = db_changes(history->db);
    count_dropped(&history->rows, (uint64_t)dropped);
    int64_t first = 0;
    err = db_get_one(history->db, "SELECT row FROM recent ORDER BY row LIMIT 1", DB_NONE,
                     &first);
    if (err == ERR_OK && first <= run->through)
        return ERR_OK; /* more to come */
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        return err;
    err = db_run(history->db, "DELETE FROM loose WHERE row <= ?",
                 DB_ARGS(db_int(run->through)));
    if (err != ERR_OK)
        return err;
    count_dropped(&history->rows, (uint64_t)db_changes(history->db));
    count_dropped(&history->readings, run->readings + (uint64_t)db_changes(history->db));
    history_abandon_run(history);
    return ERR_OK;
}

static void begin_run(struct history *history)
{
    uint64_t readings = history->readings;
    readings = readings < RUN_READINGS_MAX ? readings : RUN_READINGS_MAX;
    history->run = (struct run){
        .phase = RUN_LOAD,
        .through = history->last_row,
        .most_readings = RUN_READINGS_MAX,
        .passes = readings / PASS_READINGS_MAX + 1,
    };
}

static enum err run_step(struct history *history, size_t max_rows)
{
    switch (history->run.phase) {
    case RUN_IDLE:
        begin_run(history);
        return ERR_OK;
    case RUN_LOAD:
        return history_note(history, history->db, load_recent(history, max_rows));
    case RUN_LOAD_LOOSE:
        return history_note(history, history->db, load_loose(history, max_rows));
    case RUN_WRITE:
        return write_chunks(history, max_rows);
    case RUN_SAVE:
        return in_transaction(history, max_rows, save_taken);
    case RUN_DROP:
        return in_transaction(history, max_rows, drop_rows);
    }
    return ERR_INVALID;
}

enum err history_compact(struct history *history, size_t max_rows, bool *more)
{
    assert(max_rows > 0 && !db_is_in_transaction(history->db));
    enum err err = run_step(history, max_rows);
    if (err != ERR_OK)
        history_abandon_run(history);
    *more = history->run.phase != RUN_IDLE;
    return err;
}
