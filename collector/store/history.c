// SPDX-License-Identifier: Apache-2.0
#include "collector/store/history.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/store/history_tables.h"
#include "collector/store/history_undated.h"
#include "collector/store/recent.h"
#include "collector/store/schema.h"

/* Rows per device that are worth rewriting its tails for, and bounds of the total. */
#define DUE_ROWS_PER_DEVICE 120
#define DUE_ROWS_MIN        2000
#define DUE_ROWS_MAX        1000000

enum err history_note(struct history *history, struct db *db, enum err err)
{
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        err_set(&history->why, err, "%s: %s", err_name(err),
                db != NULL ? db_why(db) : "");
    return err;
}

const char *history_why(const struct history *history)
{
    return history->why.text;
}

static enum err get_meta(struct history *history, const char *key, int64_t *value)
{
    enum err err = db_get_one(history->db, "SELECT value FROM meta WHERE key = ?",
                              DB_ARGS(db_text(key)), value);
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

enum err history_put_meta(struct history *history, const char *key, int64_t value)
{
    return db_run(history->db, "UPDATE meta SET value = ?2 WHERE key = ?1",
                  DB_ARGS(db_text(key), db_int(value)));
}

/* A row that is in already, or that its epoch has no room for, changes nothing. */
static enum err add_range(struct known_epoch *epoch, const struct seq_range *range)
{
    enum err err = seqset_add_range(&epoch->taken, range->first, range->last);
    return err == ERR_EXISTS ? ERR_OK : err;
}

/* Adds what one row of recent says was taken. */
static enum err take_row(struct history *history, const struct db_rows *rows)
{
    struct recent_reader reader;
    struct known_device *device = NULL;
    size_t len = 0;
    const void *data = db_get_blob(rows, 4, &len);
    if (!recent_read(&reader, data, len, 0))
        return ERR_CORRUPT;
    history->rows++;
    history->readings += reader.left;
    uint64_t seq = db_get_u64(rows, 3);
    if (seq == 0 || db_get_int(rows, 0) <= 0)
        return ERR_OK;
    enum err err = devices_find_id(&history->devices, db_get_int(rows, 1), &device);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
    struct known_epoch *epoch = devices_epoch(device, db_get_u64(rows, 2));
    if (reader.lost.first != 0)
        err = add_range(epoch, &reader.lost);
    const struct seq_range own = {.first = seq, .last = seq};
    if (err == ERR_OK)
        err = add_range(epoch, &own);
    devices_mark(&history->devices, device, epoch);
    return err == ERR_LIMIT ? ERR_CORRUPT : err;
}

/*
 * What was taken is saved now and then only; the rows appended since say the rest. The
 * same walk counts what waits to be moved.
 */
static enum err load_taken(struct history *history)
{
    enum err err = ERR_OK;
    struct db_rows rows;
    history->rows = 0;
    history->readings = 0;
    db_select(&rows, history->db,
              "SELECT row > (SELECT value FROM meta WHERE key = 'taken_through'), device,"
              " epoch, seq, data FROM recent",
              DB_NONE);
    while (err == ERR_OK && db_next(&rows))
        err = take_row(history, &rows);
    enum err ended = db_end(&rows);
    return err != ERR_OK ? err : ended;
}

static enum err load_marks(struct history *history)
{
    int64_t cursor = 0;
    int64_t loose = 0;
    enum err err = get_meta(history, "cursor", &cursor);
    history->cursor = (uint64_t)cursor;
    if (err == ERR_OK)
        err = get_meta(history, "last_row", &history->last_row);
    if (err == ERR_OK)
        err = load_taken(history);
    if (err == ERR_OK)
        err = db_get_one(history->db, "SELECT count(*) FROM loose", DB_NONE, &loose);
    history->rows += (uint64_t)loose;
    history->readings += (uint64_t)loose;
    return err;
}

/* Upgrades the files of all months and applies their logs, before a reader comes. */
static enum err visit_months(struct history *history)
{
    struct months months;
    enum err err = months_list(&months, history->dir);
    for (size_t i = 0; err == ERR_OK && i < months.count; i++) {
        struct db *db = NULL;
        err = history_month(history, months.items[i], false, &db);
    }
    free(months.items);
    return err;
}

enum err history_open(struct history **out, const char *dir, struct err_text *why)
{
    *out = NULL;
    struct history *history = mem_alloc(sizeof *history);
    char *path = mem_format("%s/%s", dir, HISTORY_FILE);
    history->dir = mem_strdup(dir);
    enum err err = db_open(&history->db, path, &history_schema, why);
    if (err == ERR_OK) {
        devices_init(&history->devices, history->db);
        err = load_marks(history);
        if (err != ERR_OK)
            err_set(why, err, "%s: %s", path, db_why(history->db));
    }
    if (err == ERR_OK) {
        err = visit_months(history);
        if (err != ERR_OK)
            err_set(why, err, "%s: %s", dir, history->why.text);
    }
    free(path);
    if (err != ERR_OK) {
        history_close(history);
        return err;
    }
    *out = history;
    return ERR_OK;
}

void history_close(struct history *history)
{
    if (history == NULL)
        return;
    history_abandon_run(history);
    history_close_months(history);
    if (history->db != NULL) {
        db_rollback(history->db);
        devices_forget(&history->devices);
        db_close(history->db);
    }
    buf_fini(&history->blob);
    free(history->series);
    free(history->dir);
    free(history);
}

uint64_t history_cursor(const struct history *history)
{
    return history->cursor;
}

enum err history_begin(struct history *history)
{
    return history_note(history, history->db, db_begin(history->db));
}

enum err history_commit(struct history *history, uint64_t cursor)
{
    assert(db_is_in_transaction(history->db));
    enum err err = history_put_meta(history, "cursor", (int64_t)cursor);
    if (err == ERR_OK)
        err = history_put_meta(history, "last_row", history->last_row);
    if (err == ERR_OK)
        err = db_commit(history->db);
    if (err == ERR_OK)
        history->cursor = cursor;
    return history_note(history, history->db, err);
}

/* What memory knows may be ahead of the file now, so it is read again. */
void history_rollback(struct history *history)
{
    db_rollback(history->db);
    history_abandon_run(history);
    devices_forget(&history->devices);
    enum err err = load_marks(history);
    if (err != ERR_OK) /* the next begin or append meets the same failure */
        history_note(history, history->db, err);
}

static enum err find_series(struct history *history, struct known_device *device,
                            const struct pack *pack)
{
    enum err err = ERR_OK;
    mem_grow(&history->series, &history->series_capacity, pack->channel_count,
             sizeof *history->series);
    for (size_t i = 0; err == ERR_OK && i < pack->channel_count; i++)
        err = devices_series(&history->devices, device, pack->channels[i].name, i,
                             &history->series[i]);
    return err;
}

/* The seqs that such a pack says will never come: of its own epoch those before it. */
static bool lost_range(const struct pack *pack, uint64_t seq, struct seq_range *lost)
{
    *lost = (struct seq_range){.first = pack->from, .last = pack->to};
    return (pack->kind == PACK_LOSS || pack->kind == PACK_THINNED) && pack->from > 0 &&
           pack->from <= pack->to && (pack->ended != 0 || pack->to < seq);
}

static enum err insert_row(struct history *history, const struct known_device *device,
                           const struct history_message *message)
{
    history->rows++;
    history->last_row++;
    return db_run(history->db, "INSERT INTO recent VALUES (?, ?, ?, ?, ?, ?, ?)",
                  DB_ARGS(db_int(history->last_row), db_int(device->id),
                          db_u64(message->position), db_u64(message->epoch),
                          db_u64(message->seq), db_int(message->arrival_ms),
                          db_blob(history->blob.data, history->blob.len)));
}

/* A row that only says what is taken, in whichever epoch. */
static enum err close_range(struct history *history, struct known_device *device,
                            const struct history_message *message, uint64_t name,
                            const struct seq_range *range)
{
    assert(range->first >= 1 && range->first <= range->last);
    const struct pack nothing = {0};
    struct history_message row = *message;
    struct known_epoch *epoch = devices_epoch(device, name);
    if (seqset_add_range(&epoch->taken, range->first, range->last) != ERR_OK)
        return ERR_OK; /* known; or no room, and then the pipeline has none either */
    devices_mark(&history->devices, device, epoch);
    buf_clear(&history->blob);
    recent_encode(&history->blob, &nothing, NULL, row.arrival_ms, range);
    row.epoch = name;
    row.seq = range->last;
    return insert_row(history, device, &row);
}

/* EXISTS and LIMIT say what history_append() says by them. */
static enum err take_seq(struct history *history, struct known_device *device,
                         const struct history_message *message,
                         const struct seq_range *lost)
{
    assert(message->seq != 0);
    assert(lost == NULL || (lost->first >= 1 && lost->first <= lost->last));
    struct known_epoch *epoch = devices_epoch(device, message->epoch);
    if (seqset_has(&epoch->taken, message->seq))
        return ERR_EXISTS;
    enum err err = lost != NULL ? add_range(epoch, lost) : ERR_OK;
    if (err == ERR_OK)
        err = seqset_add(&epoch->taken, message->seq);
    devices_mark(&history->devices, device, epoch);
    return err;
}

static uint64_t bits_of(double number)
{
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* Whether it was moved already into the file of its month, or while its time was odd. */
static enum err was_moved(struct history *history, int64_t series,
                          const struct reading *reading, int64_t arrival_ms, bool *was)
{
    const int months[] = {month_of(reading->time_ms, arrival_ms), MONTH_ODD};
    *was = false;
    for (size_t i = 0; i < 2 && !*was; i++) {
        struct db *db = NULL;
        enum err err = history_month(history, months[i], false, &db);
        if (err == ERR_NOT_FOUND)
            continue;
        if (err == ERR_OK)
            err = month_has(db, series, reading->time_ms, bits_of(reading->value), was);
        if (err != ERR_OK)
            return history_note(history, db, err);
    }
    return ERR_OK;
}

/* Counts in *added when it was not there. */
static enum err append_loose(struct history *history, int64_t series,
                             const struct reading *reading, int64_t arrival_ms,
                             size_t *added)
{
    bool was = false;
    enum err err = was_moved(history, series, reading, arrival_ms, &was);
    if (err != ERR_OK || was)
        return err;
    history->last_row++;
    err = db_run(history->db,
                 "INSERT INTO loose VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                 DB_ARGS(db_int(series), db_int(reading->time_ms),
                         db_u64(bits_of(reading->value)), db_int(history->last_row),
                         db_int(arrival_ms), db_int(reading->quality),
                         db_u64(bits_of(reading->raw))));
    if (err == ERR_OK)
        *added += (size_t)db_changes(history->db);
    return err;
}

/* Whether one of the row's readings is that one. */
static bool row_has(const void *data, size_t len, int64_t arrival_ms, int64_t series,
                    const struct reading *reading)
{
    struct recent_reader reader;
    struct sample sample;
    int64_t at;
    if (!recent_read(&reader, data, len, arrival_ms))
        return false;
    while (recent_next(&reader, &at, &sample))
        if (at == series && sample.time_ms == reading->time_ms &&
            bits_of(sample.value) == bits_of(reading->value))
            return true;
    return false;
}

/* The row of that name, when it was not moved yet: copied to *data. */
static enum err load_row(struct history *history, const struct known_device *device,
                         uint64_t epoch, uint64_t seq, struct buf *data,
                         int64_t *arrival_ms)
{
    struct db_rows rows;
    db_select(&rows, history->db,
              "SELECT arrival_ms, data FROM recent WHERE device = ? AND epoch = ? AND "
              "seq = ?",
              DB_ARGS(db_int(device->id), db_u64(epoch), db_u64(seq)));
    if (db_next(&rows)) {
        size_t len = 0;
        *arrival_ms = db_get_int(&rows, 0);
        const void *blob = db_get_blob(&rows, 1, &len);
        buf_add(data, blob, len);
    }
    return db_end(&rows);
}

/*
 * A pack of a forked epoch under a new name may be in under its old one, and another
 * device's may be in its place: each of its readings is looked up. `kept` borrows what
 * is not in yet.
 */
static enum err drop_known(struct history *history, const struct known_device *device,
                           const struct history_message *message, const struct pack *pack,
                           struct pack *kept)
{
    assert(pack_is_rescued(pack));
    struct buf row = {0};
    int64_t arrival_ms = 0;
    enum err err = load_row(history, device, pack->ended, pack->from, &row, &arrival_ms);
    *kept = *pack;
    kept->readings = mem_array(pack->reading_count, sizeof *kept->readings);
    kept->reading_count = 0;
    for (size_t i = 0; i < pack->reading_count && err == ERR_OK; i++) {
        const struct reading *reading = &pack->readings[i];
        int64_t series = history->series[reading->channel];
        bool is_known =
            row.len > 0 && row_has(row.data, row.len, arrival_ms, series, reading);
        if (!is_known)
            err = was_moved(history, series, reading, message->arrival_ms, &is_known);
        if (!is_known)
            kept->readings[kept->reading_count++] = *reading;
    }
    buf_fini(&row);
    return err;
}

/* Its seq is taken like any other's; its readings wait. */
static enum err write_undated(struct history *history, const struct known_device *device,
                              const struct history_message *message,
                              const struct pack *pack, const struct seq_range *lost)
{
    const struct pack nothing = {0};
    bool is_known = false;
    enum err err = ERR_OK;
    if (pack_is_rescued(pack))
        err = undated_has(history, device->id, pack->ended, pack->from, &is_known);
    buf_clear(&history->blob);
    recent_encode(&history->blob, pack, history->series, message->arrival_ms, NULL);
    if (err == ERR_OK && !is_known)
        err = undated_keep(history, device->id, message, pack);
    buf_clear(&history->blob);
    recent_encode(&history->blob, &nothing, NULL, message->arrival_ms, lost);
    return err == ERR_OK ? insert_row(history, device, message) : err;
}

static enum err write_pack(struct history *history, const struct known_device *device,
                           const struct history_message *message, const struct pack *pack,
                           const struct seq_range *lost)
{
    buf_clear(&history->blob);
    recent_encode(&history->blob, pack, history->series, message->arrival_ms, lost);
    history->readings += pack->reading_count;
    return insert_row(history, device, message);
}

static enum err append_rescued(struct history *history, const struct known_device *device,
                               const struct history_message *message,
                               const struct pack *pack)
{
    struct pack kept;
    enum err err = drop_known(history, device, message, pack, &kept);
    if (err == ERR_OK)
        err = write_pack(history, device, message, &kept, NULL);
    free(kept.readings);
    return err;
}

/* By a clock that is set, or as far as it is known what that one should have shown. */
static enum err append_dated(struct history *history, const struct known_device *device,
                             const struct history_message *message,
                             const struct pack *pack, const struct seq_range *lost)
{
    int64_t shift_ms = 0;
    enum err err = ERR_OK;
    if (undated_is(pack))
        err = undated_shift(history, device->id, pack, &shift_ms);
    if (err == ERR_NOT_FOUND)
        return write_undated(history, device, message, pack, lost);
    if (err != ERR_OK)
        return err;
    struct pack dated = *pack;
    dated.readings = mem_array(pack->reading_count, sizeof *dated.readings);
    for (size_t i = 0; i < dated.reading_count; i++) {
        dated.readings[i] = pack->readings[i];
        dated.readings[i].time_ms = pack_shifted_ms(dated.readings[i].time_ms, shift_ms);
    }
    err = pack_is_rescued(pack) ? append_rescued(history, device, message, &dated)
                                : write_pack(history, device, message, &dated, lost);
    if (err == ERR_OK && pack->kind == PACK_CLOCK_FIX)
        err = undated_fix(history, device->id, pack);
    free(dated.readings);
    return err;
}

static enum err append_named(struct history *history, struct known_device *device,
                             const struct history_message *message,
                             const struct pack *pack)
{
    struct seq_range range;
    bool has_lost = lost_range(pack, message->seq, &range);
    bool is_own = pack->ended == 0 || pack->ended == message->epoch;
    const struct seq_range *lost = has_lost && is_own ? &range : NULL;
    enum err err = take_seq(history, device, message, lost);
    if (err == ERR_OK)
        err = find_series(history, device, pack);
    if (err != ERR_OK)
        return err;
    err = append_dated(history, device, message, pack, lost);
    if (err == ERR_OK && has_lost && !is_own)
        err = close_range(history, device, message, pack->ended, &range);
    return err;
}

enum err history_close_gap(struct history *history, const struct history_message *message,
                           uint64_t from, uint64_t to)
{
    assert(db_is_in_transaction(history->db) && from >= 1 && from <= to);
    const struct seq_range range = {.first = from, .last = to};
    struct known_device *device = NULL;
    enum err err =
        devices_find(&history->devices, message->org, message->device, &device);
    if (err == ERR_OK)
        err = close_range(history, device, message, message->epoch, &range);
    return history_note(history, history->db, err);
}

/* A sender without seq: each reading speaks for itself. */
static enum err append_unnamed(struct history *history, struct known_device *device,
                               const struct history_message *message,
                               const struct pack *pack)
{
    size_t added = 0;
    enum err err = find_series(history, device, pack);
    for (size_t i = 0; err == ERR_OK && i < pack->reading_count; i++) {
        const struct reading *reading = &pack->readings[i];
        assert(reading->channel < pack->channel_count);
        err = append_loose(history, history->series[reading->channel], reading,
                           message->arrival_ms, &added);
    }
    history->rows += added;
    history->readings += added;
    return err == ERR_OK && added == 0 && pack->reading_count > 0 ? ERR_EXISTS : err;
}

enum err history_append(struct history *history, const struct history_message *message,
                        const struct pack *pack)
{
    assert(db_is_in_transaction(history->db));
    struct known_device *device = NULL;
    enum err err =
        devices_find(&history->devices, message->org, message->device, &device);
    if (err == ERR_OK && message->seq != 0)
        err = append_named(history, device, message, pack);
    else if (err == ERR_OK)
        err = append_unnamed(history, device, message, pack);
    if (err == ERR_EXISTS || err == ERR_LIMIT)
        return err;
    return history_note(history, history->db, err);
}

enum err history_settle(struct history *history, int64_t now_ms)
{
    assert(db_is_in_transaction(history->db));
    enum err err = undated_settle(history, now_ms - HISTORY_UNDATED_MS);
    return history_note(history, history->db, err);
}

bool history_compact_due(const struct history *history)
{
    if (history->run.phase != RUN_IDLE)
        return true;
    uint64_t want = history->devices.by_name.count * DUE_ROWS_PER_DEVICE;
    want = want < DUE_ROWS_MIN ? DUE_ROWS_MIN : want;
    want = want > DUE_ROWS_MAX ? DUE_ROWS_MAX : want;
    return history->rows >= want || history->readings >= RUN_READINGS_MAX;
}
