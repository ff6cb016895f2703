// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_delivery.h"

#include <assert.h>
#include <stdio.h>

#include "collector/store/state_tables.h"

enum err state_put_dedup(struct state *state, const struct state_dedup *dedup)
{
    return state_write(state, "INSERT OR REPLACE INTO dedup VALUES (?, ?, ?, ?, ?)",
                       DB_ARGS(db_text(dedup->org), db_text(dedup->device),
                               db_u64(dedup->epoch), db_int(dedup->is_sealed),
                               db_blob(dedup->data, dedup->len)));
}

enum err state_each_dedup(struct state *state, void *context, state_dedup_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT org, device, epoch, is_sealed, data FROM dedup"
              " ORDER BY org, device, epoch",
              DB_NONE);
    while (db_next(&rows)) {
        struct state_dedup dedup = {
            .org = db_get_text(&rows, 0),
            .device = db_get_text(&rows, 1),
            .epoch = db_get_u64(&rows, 2),
            .is_sealed = db_get_int(&rows, 3) != 0,
        };
        dedup.data = db_get_blob(&rows, 4, &dedup.len);
        row(context, &dedup);
    }
    return db_end(&rows);
}

enum err state_add_fork(struct state *state, const struct state_fork *fork)
{
    return state_insert(
        state, "INSERT INTO fork VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        DB_ARGS(db_u64(fork->position), db_text(fork->org), db_text(fork->device),
                db_u64(fork->epoch), db_u64(fork->seq), db_u64(fork->held_hash),
                db_u64(fork->other_hash), db_int(fork->arrived_ms)));
}

enum err state_page_forks(struct state *state, uint64_t after, size_t limit,
                          void *context, state_fork_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT position, org, device, epoch, seq, held_hash, other_hash,"
              " arrived_ms FROM fork WHERE position > ? ORDER BY position LIMIT ?",
              DB_ARGS(db_u64(after), state_limit(limit)));
    while (db_next(&rows)) {
        const struct state_fork fork = {
            .position = db_get_u64(&rows, 0),
            .org = db_get_text(&rows, 1),
            .device = db_get_text(&rows, 2),
            .epoch = db_get_u64(&rows, 3),
            .seq = db_get_u64(&rows, 4),
            .held_hash = db_get_u64(&rows, 5),
            .other_hash = db_get_u64(&rows, 6),
            .arrived_ms = db_get_int(&rows, 7),
        };
        row(context, &fork);
    }
    return db_end(&rows);
}

enum err state_add_quarantined(struct state *state, const struct state_quarantined *entry)
{
    assert(entry->data != NULL || entry->len == 0);
    size_t kept =
        entry->len < STATE_QUARANTINE_BYTES ? entry->len : STATE_QUARANTINE_BYTES;
    enum err err = state_insert(
        state,
        "INSERT INTO quarantine (source, position, item, org, device, topic, epoch, seq,"
        " reason, detail, data, size, arrived_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        DB_ARGS(db_text(entry->source), db_u64(entry->position), db_int(entry->item),
                db_text(entry->org), db_text(entry->device), db_text(entry->topic),
                db_u64(entry->epoch), db_u64(entry->seq), db_text(entry->reason),
                db_text(entry->detail), db_blob(entry->data, kept), db_u64(entry->size),
                db_int(entry->arrived_ms)));
    if (err != ERR_OK)
        return err;
    return state_write(state,
                       "INSERT INTO quarantine_count VALUES (?, 1)"
                       " ON CONFLICT DO UPDATE SET count = count + 1",
                       DB_ARGS(db_text(entry->reason)));
}

static void move_cursor(struct state_quarantine_cursor *cursor,
                        const struct state_quarantined *entry)
{
    cursor->position = entry->position;
    cursor->item = entry->item;
    snprintf(cursor->source, sizeof cursor->source, "%s", entry->source);
}

enum err state_page_quarantine(struct state *state,
                               struct state_quarantine_cursor *cursor, size_t limit,
                               void *context, state_quarantined_fn *row)
{
    /* Its own copy: the cursor moves while the statement borrows its text. */
    const struct state_quarantine_cursor from = *cursor;
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT source, position, item, org, device, topic, epoch, seq, reason,"
              " detail, data, size, arrived_ms FROM quarantine"
              " WHERE (position, source, item) > (?, ?, ?)"
              " ORDER BY position, source, item LIMIT ?",
              DB_ARGS(db_u64(from.position), db_text(from.source), db_int(from.item),
                      state_limit(limit)));
    while (db_next(&rows)) {
        struct state_quarantined entry = {
            .source = db_get_text(&rows, 0),
            .position = db_get_u64(&rows, 1),
            .item = (uint32_t)db_get_int(&rows, 2),
            .org = db_get_text(&rows, 3),
            .device = db_get_text(&rows, 4),
            .topic = db_get_text(&rows, 5),
            .epoch = db_get_u64(&rows, 6),
            .seq = db_get_u64(&rows, 7),
            .reason = db_get_text(&rows, 8),
            .detail = db_get_text(&rows, 9),
            .size = db_get_u64(&rows, 11),
            .arrived_ms = db_get_int(&rows, 12),
        };
        entry.data = db_get_blob(&rows, 10, &entry.len);
        move_cursor(cursor, &entry);
        row(context, &entry);
    }
    return db_end(&rows);
}

enum err state_trim_quarantine(struct state *state, uint64_t keep, uint64_t *removed)
{
    enum err err = state_write(state,
                               "DELETE FROM quarantine WHERE id <="
                               " (SELECT max(id) FROM quarantine) - ?",
                               DB_ARGS(db_u64(keep)));
    *removed = err == ERR_OK ? (uint64_t)db_changes(state->db) : 0;
    return err;
}

enum err state_count_quarantine(struct state *state, void *context, state_reason_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT reason, count FROM quarantine_count ORDER BY reason", DB_NONE);
    while (db_next(&rows))
        row(context, db_get_text(&rows, 0), db_get_u64(&rows, 1));
    return db_end(&rows);
}
