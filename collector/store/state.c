// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/store/schema.h"
#include "collector/store/state_tables.h"

enum err state_open(struct state **out, const char *path, struct err_text *why)
{
    *out = NULL;
    struct state *state = mem_alloc(sizeof *state);
    enum err err = db_open(&state->db, path, &state_schema, why);
    if (err != ERR_OK) {
        free(state);
        return err;
    }
    state->has_past_in_log = true; /* perhaps, of before */
    *out = state;
    return ERR_OK;
}

enum err state_open_reader(struct state **out, const char *path, struct err_text *why)
{
    *out = NULL;
    struct state *state = mem_alloc(sizeof *state);
    enum err err = db_open_reader(&state->db, path, STATE_READ_MS, why);
    if (err != ERR_OK) {
        free(state);
        return err;
    }
    *out = state;
    return ERR_OK;
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    db_rollback(state->db);
    db_close(state->db);
    free(state);
}

const char *state_why(const struct state *state)
{
    return db_why(state->db);
}

enum err state_begin(struct state *state)
{
    return db_begin(state->db);
}

enum err state_commit(struct state *state)
{
    return db_commit(state->db);
}

void state_rollback(struct state *state)
{
    db_rollback(state->db);
}

enum err state_forget(struct state *state)
{
    enum err err = state->has_past_in_log ? db_try_checkpoint(state->db) : ERR_OK;
    state->has_past_in_log = state->has_past_in_log && err != ERR_OK;
    return err;
}

enum err state_write(struct state *state, const char *sql, const struct db_value *args,
                     size_t count)
{
    assert(db_is_in_transaction(state->db));
    return db_run(state->db, sql, args, count);
}

enum err state_insert(struct state *state, const char *sql, const struct db_value *args,
                      size_t count)
{
    enum err err = state_write(state, sql, args, count);
    return err == ERR_OK && db_changes(state->db) == 0 ? ERR_EXISTS : err;
}

struct db_value state_limit(size_t limit)
{
    return db_int(limit == 0 || limit > STATE_PAGE_MAX ? STATE_PAGE_MAX : (int64_t)limit);
}

static enum err get_meta(struct state *state, const char *key, uint64_t *value)
{
    int64_t number = 0;
    enum err err = db_get_one(state->db, "SELECT value FROM meta WHERE key = ?",
                              DB_ARGS(db_text(key)), &number);
    *value = (uint64_t)number;
    return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err put_meta(struct state *state, const char *key, uint64_t value)
{
    return state_write(state, "UPDATE meta SET value = ?2 WHERE key = ?1",
                       DB_ARGS(db_text(key), db_u64(value)));
}

static enum err get_store_id(struct state *state, char id[STATE_STORE_ID_SIZE])
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT value FROM meta WHERE key = 'store_id'", DB_NONE);
    bool is_good = db_next(&rows) && db_copy_text(&rows, 0, id, STATE_STORE_ID_SIZE) &&
                   strlen(id) == STATE_STORE_ID_SIZE - 1;
    enum err err = db_end(&rows);
    return err == ERR_OK && !is_good ? ERR_CORRUPT : err;
}

enum err state_load_meta(struct state *state, struct state_meta *meta)
{
    const struct {
        const char *key;
        uint64_t *value;
    } numbers[] = {
        {"generation", &meta->generation},
        {"effect_position", &meta->effect_position},
        {"checkpoint_position", &meta->checkpoint_position},
        {"journal_generation", &meta->journal_generation},
    };
    enum err err = get_store_id(state, meta->store_id);
    for (size_t i = 0; err == ERR_OK && i < sizeof numbers / sizeof numbers[0]; i++)
        err = get_meta(state, numbers[i].key, numbers[i].value);
    return err;
}

enum err state_put_generation(struct state *state, uint64_t generation)
{
    return put_meta(state, "generation", generation);
}

enum err state_put_effect_position(struct state *state, uint64_t position)
{
    return put_meta(state, "effect_position", position);
}

enum err state_put_checkpoint_position(struct state *state, uint64_t position)
{
    return put_meta(state, "checkpoint_position", position);
}

enum err state_put_journal_generation(struct state *state, uint64_t generation)
{
    return put_meta(state, "journal_generation", generation);
}

enum err state_next_id(struct state *state, const char *sequence, uint64_t *id)
{
    int64_t next = 0;
    enum err err = state_write(state,
                               "INSERT INTO sequence VALUES (?, 1)"
                               " ON CONFLICT DO UPDATE SET last = last + 1",
                               DB_ARGS(db_text(sequence)));
    if (err == ERR_OK)
        err = db_get_one(state->db, "SELECT last FROM sequence WHERE name = ?",
                         DB_ARGS(db_text(sequence)), &next);
    *id = (uint64_t)next;
    return err;
}

enum err state_put_evaluation(struct state *state, const char *key, uint64_t position,
                              const void *data, size_t len)
{
    if (len == 0)
        return state_write(state, "DELETE FROM evaluation WHERE key = ?",
                           DB_ARGS(db_text(key)));
    return state_write(state,
                       "INSERT INTO evaluation VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                       " SET position = excluded.position, data = excluded.data",
                       DB_ARGS(db_text(key), db_u64(position), db_blob(data, len)));
}

enum err state_load_evaluations(struct state *state, void *context,
                                state_evaluation_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT key, position, data FROM evaluation ORDER BY key",
              DB_NONE);
    while (db_next(&rows)) {
        size_t len = 0;
        const void *data = db_get_blob(&rows, 2, &len);
        row(context, db_get_text(&rows, 0), db_get_u64(&rows, 1), data, len);
    }
    return db_end(&rows);
}

enum err state_put_sink(struct state *state, const struct state_sink *sink)
{
    return state_write(
        state, "INSERT OR REPLACE INTO sink VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        DB_ARGS(db_text(sink->name), db_u64(sink->cursor), db_text(sink->state),
                db_text(sink->last_error), db_int(sink->changed_ms),
                db_u64(sink->accepted), db_u64(sink->rejected), db_u64(sink->retries)));
}

enum err state_each_sink(struct state *state, void *context, state_sink_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT name, cursor, state, last_error, changed_ms, accepted, rejected,"
              " retries FROM sink ORDER BY name",
              DB_NONE);
    while (db_next(&rows)) {
        const struct state_sink sink = {
            .name = db_get_text(&rows, 0),
            .cursor = db_get_u64(&rows, 1),
            .state = db_get_text(&rows, 2),
            .last_error = db_get_text(&rows, 3),
            .changed_ms = db_get_int(&rows, 4),
            .accepted = db_get_u64(&rows, 5),
            .rejected = db_get_u64(&rows, 6),
            .retries = db_get_u64(&rows, 7),
        };
        row(context, &sink);
    }
    return db_end(&rows);
}
