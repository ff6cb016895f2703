// SPDX-License-Identifier: Apache-2.0
#include "collector/store/history_undated.h"

#include <stdlib.h>

#include "base/mem.h"
#include "collector/store/recent.h"

#define ROWS_AT_ONCE 64

/* One of them, out of the table. */
struct waiting {
    int64_t device;
    uint64_t epoch;
    uint64_t seq;
    int64_t offset_ms;
    uint64_t position;
    int64_t arrival_ms;
    struct buf data;
};

bool undated_is(const struct pack *pack)
{
    return pack->clock == PACK_CLOCK_UNSET && pack->boot_id[0] != '\0' &&
           pack->boot_ms > 0 && pack->reading_count > 0;
}

static int64_t offset_of(const struct pack *pack)
{
    return pack->wall_ms - pack->boot_ms;
}

enum err undated_shift(struct history *history, int64_t device, const struct pack *pack,
                       int64_t *shift_ms)
{
    struct db_rows rows;
    bool is_known = false;
    db_select(&rows, history->db,
              "SELECT offset_ms FROM clock_fix WHERE device = ? AND boot = ?",
              DB_ARGS(db_int(device), db_text(pack->boot_id)));
    if (db_next(&rows)) {
        is_known = true;
        *shift_ms = db_get_int(&rows, 0) - offset_of(pack);
    }
    enum err err = db_end(&rows);
    return err == ERR_OK && !is_known ? ERR_NOT_FOUND : err;
}

enum err undated_has(struct history *history, int64_t device, uint64_t epoch,
                     uint64_t seq, bool *has)
{
    int64_t count = 0;
    enum err err = db_get_one(
        history->db,
        "SELECT count(*) FROM undated WHERE device = ? AND epoch = ? AND seq = ?",
        DB_ARGS(db_int(device), db_u64(epoch), db_u64(seq)), &count);
    *has = count > 0;
    return err;
}

enum err undated_keep(struct history *history, int64_t device,
                      const struct history_message *message, const struct pack *pack)
{
    return db_run(history->db, "INSERT INTO undated VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                  DB_ARGS(db_int(device), db_u64(message->epoch), db_u64(message->seq),
                          db_text(pack->boot_id), db_int(offset_of(pack)),
                          db_u64(message->position), db_int(message->arrival_ms),
                          db_blob(history->blob.data, history->blob.len)));
}

/* The same readings, so much later, as a row of recent into history->blob. */
static enum err shift_row(struct history *history, const struct waiting *row,
                          int64_t shift_ms)
{
    struct recent_reader reader;
    if (!recent_read(&reader, row->data.data, row->data.len, row->arrival_ms) ||
        reader.left > PACK_READINGS_MAX)
        return ERR_CORRUPT;
    size_t room = (size_t)reader.left;
    /* A channel of its own for each, so that each has its series. */
    struct pack pack = {.readings = mem_array(room, sizeof *pack.readings),
                        .channel_count = room};
    int64_t *series = mem_array(room, sizeof *series);
    struct sample sample;
    for (size_t i = 0; i < room && recent_next(&reader, &series[i], &sample); i++) {
        pack.readings[pack.reading_count++] = (struct reading){
            .channel = (uint16_t)i,
            .time_ms = pack_shifted_ms(sample.time_ms, shift_ms),
            .value = sample.value,
            .raw = sample.raw,
            .quality = sample.quality,
        };
    }
    buf_clear(&history->blob);
    recent_encode(&history->blob, &pack, series, row->arrival_ms, NULL);
    history->readings += pack.reading_count;
    free(pack.readings);
    free(series);
    return reader.in.failed ? ERR_CORRUPT : ERR_OK;
}

static enum err date_row(struct history *history, const struct waiting *row,
                         int64_t shift_ms)
{
    enum err err = shift_row(history, row, shift_ms);
    history->rows++;
    history->last_row++;
    if (err == ERR_OK)
        err = db_run(history->db, "INSERT INTO recent VALUES (?, ?, ?, ?, ?, ?, ?)",
                     DB_ARGS(db_int(history->last_row), db_int(row->device),
                             db_u64(row->position), db_u64(row->epoch), db_u64(row->seq),
                             db_int(row->arrival_ms),
                             db_blob(history->blob.data, history->blob.len)));
    if (err == ERR_OK)
        err = db_run(history->db,
                     "DELETE FROM undated WHERE device = ? AND epoch = ? AND seq = ?",
                     DB_ARGS(db_int(row->device), db_u64(row->epoch), db_u64(row->seq)));
    return err;
}

static void take_waiting(struct waiting *row, const struct db_rows *rows)
{
    size_t len = 0;
    row->device = db_get_int(rows, 0);
    row->epoch = db_get_u64(rows, 1);
    row->seq = db_get_u64(rows, 2);
    row->offset_ms = db_get_int(rows, 3);
    row->position = db_get_u64(rows, 4);
    row->arrival_ms = db_get_int(rows, 5);
    const void *data = db_get_blob(rows, 6, &len);
    buf_clear(&row->data);
    buf_add(&row->data, data, len);
}

#define COLUMNS "device, epoch, seq, offset_ms, position, arrival_ms, data"

/* The next ones of a boot, or of any that came before a time; *count 0: there are none.
 */
static enum err load_waiting(struct history *history, int64_t device, const char *boot,
                             int64_t before_ms, struct waiting rows[ROWS_AT_ONCE],
                             size_t *count)
{
    struct db_rows found;
    *count = 0;
    if (boot != NULL)
        db_select(&found, history->db,
                  "SELECT " COLUMNS " FROM undated WHERE device = ? AND boot = ? LIMIT ?",
                  DB_ARGS(db_int(device), db_text(boot), db_int(ROWS_AT_ONCE)));
    else
        db_select(&found, history->db,
                  "SELECT " COLUMNS " FROM undated WHERE arrival_ms < ? LIMIT ?",
                  DB_ARGS(db_int(before_ms), db_int(ROWS_AT_ONCE)));
    while (*count < ROWS_AT_ONCE && db_next(&found))
        take_waiting(&rows[(*count)++], &found);
    return db_end(&found);
}

/* By the offset, or, without one, where they claim to be. */
static enum err date_all(struct history *history, int64_t device, const char *boot,
                         const int64_t *offset_ms, int64_t before_ms)
{
    struct waiting *rows = mem_array(ROWS_AT_ONCE, sizeof *rows);
    enum err err = ERR_OK;
    size_t count = ROWS_AT_ONCE;
    while (err == ERR_OK && count == ROWS_AT_ONCE) {
        err = load_waiting(history, device, boot, before_ms, rows, &count);
        for (size_t i = 0; err == ERR_OK && i < count; i++)
            err = date_row(history, &rows[i],
                           offset_ms != NULL ? *offset_ms - rows[i].offset_ms : 0);
    }
    for (size_t i = 0; i < ROWS_AT_ONCE; i++)
        buf_fini(&rows[i].data);
    free(rows);
    return err;
}

enum err undated_fix(struct history *history, int64_t device, const struct pack *pack)
{
    enum err err = db_run(
        history->db,
        "INSERT INTO clock_fix VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET offset_ms = "
        "excluded.offset_ms",
        DB_ARGS(db_int(device), db_text(pack->fixed_boot_id), db_int(pack->offset_ms)));
    if (err != ERR_OK)
        return err;
    return date_all(history, device, pack->fixed_boot_id, &pack->offset_ms, 0);
}

enum err undated_settle(struct history *history, int64_t before_ms)
{
    return date_all(history, 0, NULL, NULL, before_ms);
}
