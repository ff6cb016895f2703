// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_escalation.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/store/state_tables.h"

static const char *const withdrawn_texts[] = {
#define X(name, text) [STATE_##name] = (text),
    STATE_WITHDRAWN_LIST(X)
#undef X
};

static bool is_withdrawn_as(enum state_withdrawn reason, const char *last_result)
{
    const char *text = withdrawn_texts[reason];
    return strncmp(text, last_result, strlen(text)) == 0;
}

enum err state_put_escalation(struct state *state,
                              const struct state_escalation *escalation)
{
    return state_write(state,
                       "INSERT OR REPLACE INTO escalation (cause, round, round_ms,"
                       " next_ms) VALUES (?, ?, ?, ?)",
                       DB_ARGS(db_text(escalation->cause), db_int(escalation->round),
                               db_int(escalation->round_ms),
                               db_int(escalation->next_ms)));
}

#define ESCALATION_COLUMNS "SELECT cause, round, round_ms, next_ms FROM escalation"

/* NOT_FOUND; all rows are taken, for they end the statement. */
static enum err read_escalation(struct db_rows *rows, struct state_escalation *escalation)
{
    enum err found = ERR_NOT_FOUND;
    while (db_next(rows)) {
        if (!db_copy_text(rows, 0, escalation->cause, sizeof escalation->cause))
            found = ERR_CORRUPT;
        else if (found == ERR_NOT_FOUND)
            found = ERR_OK;
        escalation->round = (uint32_t)db_get_int(rows, 1);
        escalation->round_ms = db_get_int(rows, 2);
        escalation->next_ms = db_get_int(rows, 3);
    }
    enum err err = db_end(rows);
    return err == ERR_OK ? found : err;
}

enum err state_get_escalation(struct state *state, const char *cause,
                              struct state_escalation *escalation)
{
    struct db_rows rows;
    db_select(&rows, state->db, ESCALATION_COLUMNS " WHERE cause = ?",
              DB_ARGS(db_text(cause)));
    return read_escalation(&rows, escalation);
}

enum err state_due_escalation(struct state *state, int64_t now_ms,
                              struct state_escalation *escalation)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              ESCALATION_COLUMNS " WHERE next_ms <= ? ORDER BY next_ms, cause LIMIT 1",
              DB_ARGS(db_int(now_ms)));
    return read_escalation(&rows, escalation);
}

/* All rows are taken, for they end the statement; there is one at most. */
enum err state_find_speaker(struct state *state, const char *cause, int64_t since_ms,
                            struct state_speaker *speaker)
{
    struct db_rows rows;
    enum err found = ERR_NOT_FOUND;
    db_select(&rows, state->db,
              "WITH member AS (SELECT id, opened_ms, closed_ms, state <> 'closed' AS"
              " is_open, severity = 'critical' AS is_grave, is_told, is_acknowledged,"
              " acknowledged_ms FROM incident WHERE cause = ?1 AND withdrawn_ms = 0),"
              " speaker AS (SELECT *, iif(is_open AND NOT is_told AND NOT"
              " is_acknowledged, (SELECT coalesce(max(other.acknowledged_ms), 0)"
              " FROM member AS other WHERE other.is_told AND other.is_acknowledged"
              " AND other.is_grave >= member.is_grave"
              " AND (other.is_open OR other.acknowledged_ms >= ?2)), 0) AS covered_ms"
              " FROM member)"
              " SELECT id, covered_ms FROM speaker ORDER BY is_open DESC,"
              " is_open AND NOT is_acknowledged AND covered_ms = 0 DESC,"
              " is_open AND is_grave DESC, is_open AND is_told DESC,"
              " iif(is_open, opened_ms, -closed_ms), id LIMIT 1",
              DB_ARGS(db_text(cause), db_int(since_ms)));
    while (db_next(&rows)) {
        found = db_copy_text(&rows, 0, speaker->id, sizeof speaker->id) ? ERR_OK
                                                                        : ERR_CORRUPT;
        speaker->covered_ms = db_get_int(&rows, 1);
    }
    enum err err = db_end(&rows);
    return err == ERR_OK ? found : err;
}

enum err state_each_telling(struct state *state, const char *cause, void *context,
                            state_telling_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT channel, contact, round, step, times, created_ms, state, attempts,"
              " last_result, id, state = 'done' OR EXISTS (SELECT 1 FROM"
              " outbox_attempt WHERE message = outbox.id AND ended_ms = 0),"
              " json_extract(body, '$.event') = 'closed', address, next_attempt_ms"
              " FROM outbox WHERE cause = ? ORDER BY id",
              DB_ARGS(db_text(cause)));
    bool is_good = true;
    while (is_good && db_next(&rows)) {
        struct state_telling telling = {
            .channel = db_get_text(&rows, 0),
            .contact = db_get_text(&rows, 1),
            .round = (uint32_t)db_get_int(&rows, 2),
            .step = (uint32_t)db_get_int(&rows, 3),
            .times = (uint32_t)db_get_int(&rows, 4),
            .created_ms = db_get_int(&rows, 5),
            .attempts = (uint32_t)db_get_int(&rows, 7),
            .has_result = db_get_text(&rows, 8)[0] != '\0',
            .is_taken = is_withdrawn_as(STATE_IS_TAKEN, db_get_text(&rows, 8)),
            .id = db_get_u64(&rows, 9),
            .may_have_come = db_get_int(&rows, 10) != 0,
            .is_end = db_get_int(&rows, 11) != 0,
            .address = (uint32_t)db_get_int(&rows, 12),
            .next_attempt_ms = db_get_int(&rows, 13),
        };
        is_good = state_outbox_parse(&telling.state, db_get_text(&rows, 6));
        if (is_good)
            row(context, &telling);
    }
    enum err err = db_end(&rows);
    return err == ERR_OK && !is_good ? ERR_CORRUPT : err;
}

#define WITHDRAW \
    "UPDATE outbox SET state = 'dead'," \
    " last_result = ? || iif(last_result = '', '', '; before: ' || last_result)"

enum err state_supersede_messages(struct state *state, const struct state_message *repeat)
{
    return state_write(
        state,
        WITHDRAW " WHERE cause = ? AND channel = ? AND contact = ? AND address = ?"
                 " AND round = ? AND step = ? AND times < ? AND state = 'pending'",
        DB_ARGS(db_text(withdrawn_texts[STATE_SAID_AGAIN]), db_text(repeat->cause),
                db_text(repeat->channel), db_text(repeat->contact),
                db_int(repeat->address), db_int(repeat->round), db_int(repeat->step),
                db_int(repeat->times)));
}

bool state_was_withdrawn(const char *last_result)
{
    for (size_t i = 0; i < sizeof withdrawn_texts / sizeof withdrawn_texts[0]; i++)
        if (is_withdrawn_as((enum state_withdrawn)i, last_result))
            return true;
    return false;
}

enum err state_withdraw_message(struct state *state, uint64_t message,
                                enum state_withdrawn reason, const char *who)
{
    char *text = mem_format("%s%s", withdrawn_texts[reason], who);
    enum err err = state_write(state, WITHDRAW " WHERE id = ? AND state = 'pending'",
                               DB_ARGS(db_text(text), db_u64(message)));
    free(text);
    return err;
}

enum err state_withdraw_ends(struct state *state, const char *cause, int64_t now_ms)
{
    return state_write(state,
                       WITHDRAW " WHERE cause = ? AND state = 'pending' AND step = ?"
                                " AND attempts = 0 AND next_attempt_ms > ?",
                       DB_ARGS(db_text(withdrawn_texts[STATE_BEGAN_AGAIN]),
                               db_text(cause), db_int(STATE_STEP_END), db_int(now_ms)));
}

enum err state_count_channel(struct state *state, const char *channel, int64_t since_ms,
                             int64_t now_ms, uint64_t *count)
{
    int64_t number = 0;
    enum err err =
        db_get_one(state->db,
                   "SELECT count(*) FROM outbox WHERE channel = ? AND created_ms > ?"
                   " AND created_ms <= ?",
                   DB_ARGS(db_text(channel), db_int(since_ms), db_int(now_ms)), &number);
    *count = (uint64_t)number;
    return err;
}

enum err state_get_health(struct state *state, const char *channel,
                          struct state_health *health)
{
    struct db_rows rows;
    bool is_good = true;
    *health = (struct state_health){0};
    db_select(&rows, state->db,
              "SELECT failures, failing_ms, incident FROM channel_health"
              " WHERE channel = ?",
              DB_ARGS(db_text(channel)));
    while (db_next(&rows)) {
        health->failures = (uint32_t)db_get_int(&rows, 0);
        health->failing_ms = db_get_int(&rows, 1);
        is_good = db_copy_text(&rows, 2, health->incident, sizeof health->incident);
    }
    enum err err = db_end(&rows);
    return err == ERR_OK && !is_good ? ERR_CORRUPT : err;
}

enum err state_put_health(struct state *state, const char *channel,
                          const struct state_health *health)
{
    return state_write(state,
                       "INSERT OR REPLACE INTO channel_health (channel, failures,"
                       " failing_ms, incident) VALUES (?, ?, ?, ?)",
                       DB_ARGS(db_text(channel), db_int(health->failures),
                               db_int(health->failing_ms), db_text(health->incident)));
}

enum err state_find_failing(struct state *state, int64_t since_ms,
                            char channel[STATE_CHANNEL_SIZE])
{
    struct db_rows rows;
    enum err found = ERR_NOT_FOUND;
    db_select(&rows, state->db,
              "SELECT channel FROM channel_health WHERE failing_ms <> 0"
              " AND failing_ms <= ? AND incident = '' ORDER BY channel LIMIT 1",
              DB_ARGS(db_int(since_ms)));
    while (db_next(&rows))
        found =
            db_copy_text(&rows, 0, channel, STATE_CHANNEL_SIZE) ? ERR_OK : ERR_CORRUPT;
    enum err err = db_end(&rows);
    return err == ERR_OK ? found : err;
}

enum err state_get_addressee(struct state *state, uint64_t message,
                             struct state_addressee *addressee)
{
    struct db_rows rows;
    enum err found = ERR_NOT_FOUND;
    db_select(&rows, state->db, "SELECT channel, incident FROM outbox WHERE id = ?",
              DB_ARGS(db_u64(message)));
    while (db_next(&rows)) /* a name too long is no channel of ours */
        found = db_copy_text(&rows, 0, addressee->channel, sizeof addressee->channel) &&
                        db_copy_text(&rows, 1, addressee->incident,
                                     sizeof addressee->incident)
                    ? ERR_OK
                    : ERR_NOT_FOUND;
    enum err err = db_end(&rows);
    return err == ERR_OK ? found : err;
}

enum err state_recall_escalations(struct state *state, const char *channel,
                                  int64_t now_ms)
{
    return state_write(state,
                       "UPDATE escalation SET next_ms = min(next_ms, ?2)"
                       " WHERE EXISTS (SELECT 1 FROM outbox WHERE outbox.cause ="
                       " escalation.cause AND channel = ?1 AND state <> 'done')",
                       DB_ARGS(db_text(channel), db_int(now_ms)));
}

enum err state_turn_messages_back(struct state *state, const char *channel,
                                  int64_t now_ms, int64_t latest_ms)
{
    enum err err = state_write(
        state,
        "UPDATE outbox SET next_attempt_ms = ?2 WHERE channel = ?1 AND state = 'pending'"
        " AND (attempts > 0 AND next_attempt_ms > ?3"
        " OR attempts = 0 AND step < ?4 AND next_attempt_ms > ?2)",
        DB_ARGS(db_text(channel), db_int(now_ms), db_int(latest_ms),
                db_int(STATE_STEP_END)));
    return err != ERR_OK
               ? err
               : state_write(
                     state,
                     "UPDATE outbox SET created_ms = ?2 WHERE channel = ?1"
                     " AND created_ms > ?2 AND NOT (state = 'pending'"
                     " AND attempts = 0 AND step >= ?3)",
                     DB_ARGS(db_text(channel), db_int(now_ms), db_int(STATE_STEP_END)));
}

enum err state_turn_rounds_back(struct state *state, int64_t now_ms)
{
    enum err err = state_write(state,
                               "UPDATE escalation SET round_ms = min(round_ms, ?1),"
                               " next_ms = iif(next_ms = ?2, ?2, min(next_ms, ?1))"
                               " WHERE round_ms > ?1 OR (next_ms > ?1 AND next_ms < ?2)",
                               DB_ARGS(db_int(now_ms), db_int(INT64_MAX)));
    return err != ERR_OK ? err
                         : state_write(state,
                                       "UPDATE channel_health SET failing_ms = ?1"
                                       " WHERE failing_ms > ?1",
                                       DB_ARGS(db_int(now_ms)));
}

enum err state_turn_reminders_back(struct state *state, int64_t latest_ms)
{
    return state_write(state,
                       "UPDATE incident SET remind_ms = min(remind_ms, ?1),"
                       " snoozed_until_ms = min(snoozed_until_ms, ?1)"
                       " WHERE remind_ms > ?1",
                       DB_ARGS(db_int(latest_ms)));
}
