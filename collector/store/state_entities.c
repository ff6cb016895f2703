// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_entities.h"

#include <assert.h>

#include "collector/store/state_tables.h"

#define COLUMNS "SELECT kind, id, org, parent, version, body FROM entity"

enum err state_put_entity(struct state *state, const struct state_entity *entity)
{
    return state_write(state, "INSERT OR REPLACE INTO entity VALUES (?, ?, ?, ?, ?, ?)",
                       DB_ARGS(db_text(entity->kind), db_text(entity->id),
                               db_text(entity->org), db_text(entity->parent),
                               db_int(entity->version), db_text(entity->body)));
}

static enum err each(struct db_rows *rows, void *context, state_entity_fn *row,
                     size_t *count)
{
    *count = 0;
    while (db_next(rows)) {
        const struct state_entity entity = {
            .kind = db_get_text(rows, 0),
            .id = db_get_text(rows, 1),
            .org = db_get_text(rows, 2),
            .parent = db_get_text(rows, 3),
            .version = db_get_int(rows, 4),
            .body = db_get_text(rows, 5),
        };
        row(context, &entity);
        ++*count;
    }
    return db_end(rows);
}

enum err state_find_entity(struct state *state, const char *kind, const char *id,
                           void *context, state_entity_fn *row)
{
    struct db_rows rows;
    size_t count;
    db_select(&rows, state->db, COLUMNS " WHERE kind = ? AND id = ? AND body <> ''",
              DB_ARGS(db_text(kind), db_text(id)));
    enum err err = each(&rows, context, row, &count);
    return err == ERR_OK && count == 0 ? ERR_NOT_FOUND : err;
}

enum err state_entity_version(struct state *state, const char *kind, const char *id,
                              int64_t *version)
{
    *version = 0;
    enum err err =
        db_get_one(state->db, "SELECT version FROM entity WHERE kind = ? AND id = ?",
                   DB_ARGS(db_text(kind), db_text(id)), version);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err state_each_entity(struct state *state, const char *kind, const char *parent,
                           const char *org, void *context, state_entity_fn *row)
{
    struct db_rows rows;
    size_t count;
    if (parent != NULL)
        db_select(&rows, state->db,
                  COLUMNS " WHERE kind = ?1 AND parent = ?2"
                          " AND (?3 IS NULL OR org = ?3) AND body <> '' ORDER BY id",
                  DB_ARGS(db_text(kind), db_text(parent), db_text_or_null(org)));
    else
        db_select(&rows, state->db,
                  COLUMNS " WHERE kind = ?1 AND (?2 IS NULL OR org = ?2)"
                          " AND body <> '' ORDER BY id",
                  DB_ARGS(db_text(kind), db_text_or_null(org)));
    return each(&rows, context, row, &count);
}

enum err state_page_entities(struct state *state, const char *kind, const char *org,
                             const char *after, size_t limit, void *context,
                             state_entity_fn *row)
{
    struct db_rows rows;
    size_t count;
    db_select(
        &rows, state->db,
        COLUMNS " WHERE kind = ?1 AND id > ?2 AND (?3 IS NULL OR org = ?3)"
                " AND body <> '' ORDER BY id LIMIT ?4",
        DB_ARGS(db_text(kind), db_text(after), db_text_or_null(org), state_limit(limit)));
    return each(&rows, context, row, &count);
}

enum err state_count_entities(struct state *state, uint64_t *count)
{
    int64_t number = 0;
    enum err err = db_get_one(state->db, "SELECT count(*) FROM entity", DB_NONE, &number);
    *count = (uint64_t)number;
    return err;
}

enum err state_begin_point(struct state *state)
{
    return state_write(state, "SAVEPOINT command", DB_NONE);
}

enum err state_undo_point(struct state *state)
{
    enum err err = state_write(state, "ROLLBACK TO command", DB_NONE);
    return err == ERR_OK ? state_end_point(state) : err;
}

enum err state_end_point(struct state *state)
{
    return state_write(state, "RELEASE command", DB_NONE);
}

enum err state_stage_private(struct state *state, const char *command, int64_t at_ms,
                             const void *data, size_t len)
{
    return state_write(state, "INSERT OR REPLACE INTO command_private VALUES (?, ?, ?)",
                       DB_ARGS(db_text(command), db_int(at_ms), db_blob(data, len)));
}

enum err state_take_private(struct state *state, const char *command, struct buf *data)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT data FROM command_private WHERE command = ?",
              DB_ARGS(db_text(command)));
    bool found = db_next(&rows);
    if (found) {
        size_t len;
        const void *from = db_get_blob(&rows, 0, &len);
        buf_add(data, from, len);
    }
    enum err err = db_end(&rows);
    if (err != ERR_OK || !found)
        return err != ERR_OK ? err : ERR_NOT_FOUND;
    state->has_past_in_log = true;
    return state_write(state, "DELETE FROM command_private WHERE command = ?",
                       DB_ARGS(db_text(command)));
}

enum err state_drop_private(struct state *state, int64_t before_ms)
{
    return state_write(state, "DELETE FROM command_private WHERE at_ms < ?",
                       DB_ARGS(db_int(before_ms)));
}

enum err state_add_correction(struct state *state,
                              const struct state_correction *correction)
{
    return state_write(
        state,
        "INSERT INTO correction (org, device, channel, from_ms, to_ms, old_zone,"
        " new_zone, at_ms, command, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')",
        DB_ARGS(db_text(correction->org), db_text(correction->device),
                db_text(correction->channel), db_int(correction->from_ms),
                db_int(correction->to_ms), db_text(correction->old_zone),
                db_text(correction->new_zone), db_int(correction->at_ms),
                db_text(correction->command)));
}

#define CORRECTION_COLUMNS \
    "id, org, device, channel, from_ms, to_ms, old_zone, new_zone, at_ms, command"

static enum err give_corrections(struct db_rows *rows, void *context,
                                 state_correction_fn *row)
{
    while (db_next(rows)) {
        const struct state_correction correction = {
            .id = db_get_u64(rows, 0),
            .org = db_get_text(rows, 1),
            .device = db_get_text(rows, 2),
            .channel = db_get_text(rows, 3),
            .from_ms = db_get_int(rows, 4),
            .to_ms = db_get_int(rows, 5),
            .old_zone = db_get_text(rows, 6),
            .new_zone = db_get_text(rows, 7),
            .at_ms = db_get_int(rows, 8),
            .command = db_get_text(rows, 9),
        };
        row(context, &correction);
    }
    return db_end(rows);
}

enum err state_pending_corrections(struct state *state, size_t limit, void *context,
                                   state_correction_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT " CORRECTION_COLUMNS " FROM correction WHERE state = 'pending'"
              " ORDER BY id LIMIT ?",
              DB_ARGS(state_limit(limit)));
    return give_corrections(&rows, context, row);
}

enum err state_corrections_after(struct state *state, uint64_t after, size_t limit,
                                 void *context, state_correction_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT " CORRECTION_COLUMNS " FROM correction WHERE id > ?"
              " ORDER BY id LIMIT ?",
              DB_ARGS(db_u64(after), state_limit(limit)));
    return give_corrections(&rows, context, row);
}

enum err state_get_corrected(struct state *state, const char *sink, uint64_t *id)
{
    int64_t value = 0;
    enum err err =
        db_get_one(state->db, "SELECT cursor FROM sink_correction WHERE sink = ?",
                   DB_ARGS(db_text(sink)), &value);
    *id = (uint64_t)value;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err state_put_corrected(struct state *state, const char *sink, uint64_t id)
{
    return state_write(state, "INSERT OR REPLACE INTO sink_correction VALUES (?, ?)",
                       DB_ARGS(db_text(sink), db_u64(id)));
}

enum err state_end_correction(struct state *state, uint64_t id)
{
    enum err err = state_write(
        state, "UPDATE correction SET state = 'done' WHERE id = ? AND state = 'pending'",
        DB_ARGS(db_u64(id)));
    return err == ERR_OK && db_changes(state->db) == 0 ? ERR_NOT_FOUND : err;
}

enum err state_add_comment(struct state *state, const struct state_comment *comment)
{
    return state_insert(state,
                        "INSERT INTO incident_comment (command, incident, at_ms, actor,"
                        " text, kind) VALUES (?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT DO NOTHING",
                        DB_ARGS(db_text(comment->command), db_text(comment->incident),
                                db_int(comment->at_ms), db_text(comment->actor),
                                db_text(comment->text), db_text(comment->kind)));
}

enum err state_each_comment(struct state *state, const char *incident, void *context,
                            state_comment_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT command, incident, at_ms, actor, text, kind"
              " FROM incident_comment"
              " WHERE incident = ? ORDER BY at_ms, command",
              DB_ARGS(db_text(incident)));
    while (db_next(&rows)) {
        const struct state_comment comment = {
            .command = db_get_text(&rows, 0),
            .incident = db_get_text(&rows, 1),
            .at_ms = db_get_int(&rows, 2),
            .actor = db_get_text(&rows, 3),
            .text = db_get_text(&rows, 4),
            .kind = db_get_text(&rows, 5),
        };
        row(context, &comment);
    }
    return db_end(&rows);
}
