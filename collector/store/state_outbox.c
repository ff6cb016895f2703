// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <string.h>

#include "collector/store/state_incidents.h"
#include "collector/store/state_tables.h"

static const char *const outbox_names[] = {
#define X(name, text) [STATE_OUTBOX_##name] = (text),
    STATE_OUTBOX_LIST(X)
#undef X
};

const char *state_outbox_name(enum state_outbox state)
{
    return outbox_names[state];
}

bool state_outbox_parse(enum state_outbox *state, const char *name)
{
    for (size_t i = 0; i < sizeof outbox_names / sizeof outbox_names[0]; i++) {
        if (strcmp(outbox_names[i], name) == 0) {
            *state = (enum state_outbox)i;
            return true;
        }
    }
    return false;
}

enum err state_add_message(struct state *state, const struct state_message *message)
{
    assert(message->incident != NULL && message->channel != NULL);
    return state_insert(
        state,
        "INSERT INTO outbox (incident, revision, channel, key, body, created_ms,"
        " next_attempt_ms, state, attempts, last_result, contact, round, step, times,"
        " address, cause) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', 0, '', ?, ?, ?, ?, ?,"
        " ?)"
        " ON CONFLICT DO NOTHING",
        DB_ARGS(db_text(message->incident), db_int(message->revision),
                db_text(message->channel), db_text(message->key), db_text(message->body),
                db_int(message->created_ms), db_int(message->next_attempt_ms),
                db_text(message->contact != NULL ? message->contact : ""),
                db_int(message->round), db_int(message->step), db_int(message->times),
                db_int(message->address),
                db_text(message->cause != NULL ? message->cause : message->incident)));
}

enum err state_replace_message(struct state *state, const struct state_message *message)
{
    enum err err = state_add_message(state, message);
    if (err == ERR_OK)
        err = state_write(state,
                          "DELETE FROM outbox_attempt WHERE message IN"
                          " (SELECT id FROM outbox WHERE incident = ? AND revision <> ?)",
                          DB_ARGS(db_text(message->incident), db_int(message->revision)));
    if (err == ERR_OK)
        err =
            state_write(state, "DELETE FROM outbox WHERE incident = ? AND revision <> ?",
                        DB_ARGS(db_text(message->incident), db_int(message->revision)));
    return err;
}

#define MESSAGE_COLUMNS \
    "SELECT id, incident, revision, channel, key, body, created_ms, next_attempt_ms," \
    " state, attempts, last_result, contact, round, step, times, address" \
    " FROM outbox"

static enum err give_messages(struct db_rows *rows, void *context, state_message_fn *row)
{
    bool is_good = true;
    while (is_good && db_next(rows)) {
        struct state_message message = {
            .id = db_get_u64(rows, 0),
            .incident = db_get_text(rows, 1),
            .revision = (uint32_t)db_get_int(rows, 2),
            .channel = db_get_text(rows, 3),
            .key = db_get_text(rows, 4),
            .body = db_get_text(rows, 5),
            .created_ms = db_get_int(rows, 6),
            .next_attempt_ms = db_get_int(rows, 7),
            .attempts = (uint32_t)db_get_int(rows, 9),
            .last_result = db_get_text(rows, 10),
            .contact = db_get_text(rows, 11),
            .round = (uint32_t)db_get_int(rows, 12),
            .step = (uint32_t)db_get_int(rows, 13),
            .times = (uint32_t)db_get_int(rows, 14),
            .address = (uint32_t)db_get_int(rows, 15),
        };
        is_good = state_outbox_parse(&message.state, db_get_text(rows, 8));
        if (is_good)
            row(context, &message);
    }
    enum err err = db_end(rows);
    return err == ERR_OK && !is_good ? ERR_CORRUPT : err;
}

enum err state_outbox_due(struct state *state, int64_t now_ms, size_t limit,
                          void *context, state_message_fn *row)
{
    struct db_rows rows;
    static_assert(STATE_OUTBOX_PENDING == 0, "the SQL of this file says 'pending'");
    db_select(&rows, state->db,
              MESSAGE_COLUMNS " WHERE state = 'pending' AND next_attempt_ms <= ?"
                              " ORDER BY next_attempt_ms, id LIMIT ?",
              DB_ARGS(db_int(now_ms), state_limit(limit)));
    return give_messages(&rows, context, row);
}

enum err state_outbox_ready(struct state *state, const char *channel, int64_t now_ms,
                            size_t limit, void *context, state_message_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              MESSAGE_COLUMNS
              " WHERE state = 'pending' AND next_attempt_ms <= ?1 AND channel = ?2"
              " AND NOT EXISTS (SELECT 1 FROM outbox AS earlier"
              " WHERE earlier.cause = outbox.cause"
              " AND earlier.channel = outbox.channel"
              " AND earlier.contact = outbox.contact"
              " AND earlier.address = outbox.address AND earlier.id < outbox.id"
              " AND earlier.state = 'pending'"
              " AND (earlier.attempts > 0 OR earlier.next_attempt_ms <= ?1))"
              " ORDER BY next_attempt_ms, id LIMIT ?3",
              DB_ARGS(db_int(now_ms), db_text(channel), state_limit(limit)));
    return give_messages(&rows, context, row);
}

enum err state_outbox_open(struct state *state, const char *channel, size_t limit,
                           void *context, state_body_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT (SELECT body FROM outbox WHERE outbox.cause = incident.cause"
              " AND channel = ?1 AND (state = 'done' OR state = 'dead' AND attempts > 0)"
              " AND json_extract(body, '$.closed', '$.withdrawn') = '[null,null]'"
              " ORDER BY id DESC LIMIT 1) AS newest"
              " FROM incident WHERE state <> 'closed' GROUP BY cause"
              " HAVING newest IS NOT NULL LIMIT ?2",
              DB_ARGS(db_text(channel), state_limit(limit)));
    while (db_next(&rows))
        row(context, db_get_text(&rows, 0));
    return db_end(&rows);
}

enum err state_outbox_next(struct state *state, int64_t *due_ms)
{
    enum err err = db_get_one(state->db,
                              "SELECT next_attempt_ms FROM outbox WHERE state = 'pending'"
                              " ORDER BY next_attempt_ms, id LIMIT 1",
                              DB_NONE, due_ms);
    if (err != ERR_NOT_FOUND)
        return err;
    *due_ms = INT64_MAX;
    return ERR_OK;
}

enum err state_outbox_attempt(struct state *state, uint64_t id, int64_t now_ms,
                              int64_t retry_ms)
{
    enum err err = state_write(state,
                               "UPDATE outbox SET attempts = attempts + 1,"
                               " next_attempt_ms = ? WHERE id = ? AND state = 'pending'",
                               DB_ARGS(db_int(retry_ms), db_u64(id)));
    if (err == ERR_OK && db_changes(state->db) == 0)
        return ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = state_write(state,
                          "INSERT INTO outbox_attempt SELECT id, attempts, ?2, 0, '', ''"
                          " FROM outbox WHERE id = ?1",
                          DB_ARGS(db_u64(id), db_int(now_ms)));
    return err;
}

enum err state_outbox_resume(struct state *state, int64_t since_ms)
{
    return state_write(state,
                       "UPDATE outbox SET next_attempt_ms = min(next_attempt_ms, ?1)"
                       " WHERE state = 'pending' AND EXISTS (SELECT 1 FROM outbox_attempt"
                       " WHERE message = outbox.id AND attempt = outbox.attempts"
                       " AND ended_ms = 0 AND began_ms < ?1)",
                       DB_ARGS(db_int(since_ms)));
}

/* Of one that was withdrawn while it was under way: it may have come all the same. */
static enum err end_withdrawn(struct state *state, uint64_t id, int64_t now_ms,
                              enum state_outbox outcome, const char *text)
{
    enum err err =
        state_write(state,
                    "UPDATE outbox_attempt SET ended_ms = ?2, outcome = ?3, result = ?4"
                    " WHERE message = ?1 AND ended_ms = 0 AND attempt ="
                    " (SELECT attempts FROM outbox WHERE id = ?1 AND state = 'dead')",
                    DB_ARGS(db_u64(id), db_int(now_ms),
                            db_text(state_outbox_name(outcome)), db_text(text)));
    if (err == ERR_OK && db_changes(state->db) == 0)
        return ERR_NOT_FOUND;
    if (err == ERR_OK && outcome == STATE_OUTBOX_DONE)
        err = state_write(state,
                          "UPDATE outbox SET state = 'done', last_result = ?2"
                          " WHERE id = ?1",
                          DB_ARGS(db_u64(id), db_text(text)));
    return err;
}

enum err state_outbox_result(struct state *state, uint64_t id, int64_t now_ms,
                             enum state_outbox outcome, int64_t retry_ms,
                             const char *text)
{
    enum err err =
        state_write(state,
                    "UPDATE outbox SET state = ?2, next_attempt_ms = ?3, last_result = ?4"
                    " WHERE id = ?1 AND state = 'pending'",
                    DB_ARGS(db_u64(id), db_text(state_outbox_name(outcome)),
                            db_int(retry_ms), db_text(text)));
    if (err == ERR_OK && db_changes(state->db) == 0)
        return end_withdrawn(state, id, now_ms, outcome, text);
    if (err == ERR_OK)
        err = state_write(state,
                          "UPDATE outbox_attempt SET ended_ms = ?2, outcome = ?3,"
                          " result = ?4 WHERE message = ?1 AND attempt ="
                          " (SELECT attempts FROM outbox WHERE id = ?1)",
                          DB_ARGS(db_u64(id), db_int(now_ms),
                                  db_text(state_outbox_name(outcome)), db_text(text)));
    return err;
}

enum err state_each_attempt(struct state *state, uint64_t message, void *context,
                            state_attempt_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT attempt, began_ms, ended_ms, outcome, result FROM outbox_attempt"
              " WHERE message = ? ORDER BY attempt",
              DB_ARGS(db_u64(message)));
    while (db_next(&rows)) {
        const struct state_attempt attempt = {
            .number = (uint32_t)db_get_int(&rows, 0),
            .began_ms = db_get_int(&rows, 1),
            .ended_ms = db_get_int(&rows, 2),
            .outcome = db_get_text(&rows, 3),
            .result = db_get_text(&rows, 4),
        };
        row(context, &attempt);
    }
    return db_end(&rows);
}

enum err state_page_messages(struct state *state, const char *incident, uint64_t after,
                             size_t limit, void *context, state_message_fn *row)
{
    struct db_rows rows;
    if (incident != NULL)
        db_select(&rows, state->db,
                  MESSAGE_COLUMNS " WHERE incident = ? AND id > ? ORDER BY id LIMIT ?",
                  DB_ARGS(db_text(incident), db_u64(after), state_limit(limit)));
    else
        db_select(&rows, state->db, MESSAGE_COLUMNS " WHERE id > ? ORDER BY id LIMIT ?",
                  DB_ARGS(db_u64(after), state_limit(limit)));
    return give_messages(&rows, context, row);
}

enum err state_count_messages(struct state *state, enum state_outbox which,
                              uint64_t *count)
{
    int64_t number = 0;
    enum err err = db_get_one(state->db, "SELECT count(*) FROM outbox WHERE state = ?",
                              DB_ARGS(db_text(state_outbox_name(which))), &number);
    *count = (uint64_t)number;
    return err;
}

enum err state_each_sent(struct state *state, const char *channel, int64_t since_ms,
                         size_t limit, void *context, state_sent_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT incident, contact FROM outbox WHERE channel = ? AND created_ms >= ?"
              " GROUP BY incident, contact ORDER BY max(id) DESC LIMIT ?",
              DB_ARGS(db_text(channel), db_int(since_ms), state_limit(limit)));
    while (db_next(&rows))
        row(context, db_get_text(&rows, 0), db_get_text(&rows, 1));
    return db_end(&rows);
}
