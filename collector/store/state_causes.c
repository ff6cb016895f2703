// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_causes.h"

#include <string.h>

#include "collector/store/state_tables.h"

/* ---- causes ----------------------------------------------------------------------- */

enum err state_put_cause(struct state *state, const struct cause *cause)
{
    return state_write(
        state,
        "INSERT OR REPLACE INTO cause (id, family, zone, site, onset_ms, grown_ms,"
        " ended_ms, reminded_ms, told, is_wide) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        DB_ARGS(db_text(cause->id), db_text(cause_family_name(cause->family)),
                db_text(cause->zone), db_text(cause->site), db_int(cause->onset_ms),
                db_int(cause->grown_ms), db_int(cause->ended_ms),
                db_int(cause->reminded_ms),
                db_text(cause->is_told ? alert_severity_name(cause->told) : ""),
                db_int(cause->is_wide)));
}

#define CAUSE_COLUMNS \
    "SELECT id, family, zone, site, onset_ms, grown_ms, ended_ms, reminded_ms, told," \
    " is_wide FROM cause"

static bool read_cause(struct cause *cause, const struct db_rows *rows)
{
    const char *told = db_get_text(rows, 8);
    *cause = (struct cause){
        .onset_ms = db_get_int(rows, 4),
        .grown_ms = db_get_int(rows, 5),
        .ended_ms = db_get_int(rows, 6),
        .reminded_ms = db_get_int(rows, 7),
        .is_told = told[0] != '\0',
        .is_wide = db_get_int(rows, 9) != 0,
        .alive_ms = INT64_MAX,
    };
    return db_copy_text(rows, 0, cause->id, sizeof cause->id) &&
           cause_family_parse(&cause->family, db_get_text(rows, 1)) &&
           db_copy_text(rows, 2, cause->zone, sizeof cause->zone) &&
           db_copy_text(rows, 3, cause->site, sizeof cause->site) &&
           (!cause->is_told || alert_severity_parse(&cause->told, told));
}

enum err state_get_cause(struct state *state, const char *id, struct cause *cause)
{
    struct db_rows rows;
    enum err err = ERR_NOT_FOUND;
    db_select(&rows, state->db, CAUSE_COLUMNS " WHERE id = ?", DB_ARGS(db_text(id)));
    if (db_next(&rows))
        err = read_cause(cause, &rows) ? ERR_OK : ERR_CORRUPT;
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}

enum err state_latest_causes(struct state *state, enum cause_family family,
                             const char *zone, const char *site, size_t limit,
                             void *context, state_cause_fn *row)
{
    struct db_rows rows;
    bool is_good = true;
    db_select(&rows, state->db,
              CAUSE_COLUMNS " WHERE family = ?1 AND zone = ?2"
                            " UNION " CAUSE_COLUMNS
                            " WHERE family = ?1 AND site = ?3 AND site <> ''"
                            " ORDER BY onset_ms DESC, id LIMIT ?4",
              DB_ARGS(db_text(cause_family_name(family)), db_text(zone), db_text(site),
                      state_limit(limit)));
    while (is_good && db_next(&rows)) {
        struct cause cause;
        is_good = read_cause(&cause, &rows);
        if (is_good)
            row(context, &cause);
    }
    enum err err = db_end(&rows);
    return err == ERR_OK && !is_good ? ERR_CORRUPT : err;
}

enum err state_get_others(struct state *state, const char *cause, const char *but,
                          struct state_others *others)
{
    struct db_rows rows;
    *others = (struct state_others){.is_open = false};
    db_select(&rows, state->db,
              "SELECT id, is_told FROM incident WHERE cause = ? AND state <> 'closed'"
              " AND id <> ? ORDER BY is_told DESC, opened_ms, id LIMIT 1",
              DB_ARGS(db_text(cause), db_text(but)));
    if (db_next(&rows)) {
        others->is_open = true;
        others->is_told = db_get_int(&rows, 1) != 0;
        if (!others->is_told)
            db_copy_text(&rows, 0, others->next_untold, sizeof others->next_untold);
    }
    return db_end(&rows);
}

enum err state_has_told_over(struct state *state, const char *cause,
                             const struct incident *incident, bool *is_told)
{
    int64_t count = 0;
    enum err err = db_get_one(
        state->db,
        "SELECT EXISTS (SELECT 1 FROM incident WHERE cause = ?1 AND id <> ?2"
        " AND state = 'closed' AND is_told = 1 AND (severity = ?3 OR severity = 'critical'))",
        DB_ARGS(db_text(cause), db_text(incident->id),
                db_text(alert_severity_name(incident->severity))),
        &count);
    *is_told = count > 0;
    return err;
}

/* As cause_alive_ms(), of a zone with a thousand probes at once. */
enum err state_get_alive(struct state *state, const char *cause, int64_t *alive_ms)
{
    struct db_rows rows;
    *alive_ms = 0;
    db_select(&rows, state->db,
              "SELECT max(CASE WHEN kind LIKE 'cumulative%' OR kind LIKE 'dose%'"
              " THEN onset_ms WHEN state = 'unknown' THEN changed_ms"
              " WHEN state = 'closed' THEN closed_ms ELSE ?2 END)"
              " FROM incident WHERE cause = ?1",
              DB_ARGS(db_text(cause), db_int(INT64_MAX)));
    if (db_next(&rows))
        *alive_ms = db_get_int(&rows, 0);
    return db_end(&rows);
}

/* ---- what people did -------------------------------------------------------------- */

static bool read_care(struct state_care *care, const struct db_rows *rows)
{
    struct state_closing *closing = &care->closing;
    *care = (struct state_care){
        .revision = (uint32_t)db_get_int(rows, 1),
        .is_told = db_get_int(rows, 2) != 0,
        .assigned_ms = db_get_int(rows, 5),
        .snoozed_until_ms = db_get_int(rows, 6),
        .remind_ms = db_get_int(rows, 7),
        .reminded_ms = db_get_int(rows, 8),
    };
    return db_copy_text(rows, 0, care->cause, sizeof care->cause) &&
           db_copy_text(rows, 3, care->acknowledge_reason,
                        sizeof care->acknowledge_reason) &&
           db_copy_text(rows, 4, care->assigned_to, sizeof care->assigned_to) &&
           db_copy_text(rows, 9, closing->by, sizeof closing->by) &&
           db_copy_text(rows, 10, closing->cause, sizeof closing->cause) &&
           db_copy_text(rows, 11, closing->action, sizeof closing->action) &&
           db_copy_text(rows, 12, closing->disposition, sizeof closing->disposition) &&
           db_copy_text(rows, 13, closing->note, sizeof closing->note);
}

enum err state_get_care(struct state *state, const char *id, struct state_care *care)
{
    struct db_rows rows;
    enum err err = ERR_NOT_FOUND;
    db_select(&rows, state->db,
              "SELECT cause, revision, is_told, acknowledge_reason, assigned_to,"
              " assigned_ms, snoozed_until_ms, remind_ms, reminded_ms, closed_by,"
              " close_cause, close_action, close_disposition, close_note"
              " FROM incident WHERE id = ?",
              DB_ARGS(db_text(id)));
    if (db_next(&rows))
        err = read_care(care, &rows) ? ERR_OK : ERR_CORRUPT;
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}

enum err state_set_cause(struct state *state, const char *id, const char *cause,
                         bool is_told)
{
    return state_write(state, "UPDATE incident SET cause = ?, is_told = ? WHERE id = ?",
                       DB_ARGS(db_text(cause), db_int(is_told), db_text(id)));
}

enum err state_set_acknowledged(struct state *state, const char *id, const char *reason,
                                int64_t remind_ms)
{
    return state_write(state,
                       "UPDATE incident SET acknowledge_reason = ?1,"
                       " remind_ms = iif(state = 'closed', 0, ?2) WHERE id = ?3",
                       DB_ARGS(db_text(reason), db_int(remind_ms), db_text(id)));
}

enum err state_set_assigned(struct state *state, const char *id, const char *who,
                            int64_t now_ms)
{
    return state_write(state,
                       "UPDATE incident SET assigned_to = ?, assigned_ms = ?"
                       " WHERE id = ?",
                       DB_ARGS(db_text(who), db_int(now_ms), db_text(id)));
}

enum err state_set_snoozed(struct state *state, const char *id, int64_t until_ms)
{
    return state_write(state,
                       "UPDATE incident SET snoozed_until_ms = ?1, remind_ms = ?1"
                       " WHERE id = ?2",
                       DB_ARGS(db_int(until_ms), db_text(id)));
}

enum err state_end_snooze(struct state *state, const char *id)
{
    return state_write(state, "UPDATE incident SET snoozed_until_ms = 0 WHERE id = ?",
                       DB_ARGS(db_text(id)));
}

enum err state_put_off_reminder(struct state *state, const char *id, int64_t remind_ms)
{
    return state_write(state,
                       "UPDATE incident SET remind_ms = max(remind_ms, ?1)"
                       " WHERE id = ?2 AND remind_ms <> 0 AND snoozed_until_ms = 0",
                       DB_ARGS(db_int(remind_ms), db_text(id)));
}

enum err state_set_reminded(struct state *state, const char *id, int64_t now_ms)
{
    return state_write(state,
                       "UPDATE incident SET reminded_ms = ?, remind_ms = 0,"
                       " snoozed_until_ms = 0 WHERE id = ?",
                       DB_ARGS(db_int(now_ms), db_text(id)));
}

enum err state_set_closing(struct state *state, const char *id,
                           const struct state_closing *closing)
{
    return state_write(state,
                       "UPDATE incident SET closed_by = ?, close_cause = ?,"
                       " close_action = ?, close_disposition = ?, close_note = ?"
                       " WHERE id = ?",
                       DB_ARGS(db_text(closing->by), db_text(closing->cause),
                               db_text(closing->action), db_text(closing->disposition),
                               db_text(closing->note), db_text(id)));
}

enum err state_clear_closing(struct state *state, const char *id)
{
    return state_write(state,
                       "UPDATE incident SET closed_by = '', close_cause = '',"
                       " close_action = '', close_disposition = '', close_note = ''"
                       " WHERE id = ? AND closed_by <> ''",
                       DB_ARGS(db_text(id)));
}

enum err state_end_care(struct state *state, const char *id)
{
    return state_write(state,
                       "UPDATE incident SET remind_ms = 0, snoozed_until_ms = 0"
                       " WHERE id = ? AND (remind_ms <> 0 OR snoozed_until_ms <> 0)",
                       DB_ARGS(db_text(id)));
}

/* What was open for longer than this before somebody closed it, nobody looks for. */
#define HANDLED_OPEN_MS INT64_C(5184000000) /* 60 days */

enum err state_each_handled(struct state *state, int64_t since_ms, void *context,
                            state_handled_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT id FROM incident WHERE state <> 'closed' AND is_acknowledged = 1"
              " UNION ALL SELECT id FROM incident WHERE opened_ms >= ?1"
              " AND state = 'closed' AND closed_by <> '' AND closed_ms >= ?2",
              DB_ARGS(db_int(since_ms - HANDLED_OPEN_MS), db_int(since_ms)));
    while (db_next(&rows))
        row(context, db_get_text(&rows, 0));
    return db_end(&rows);
}

enum err state_due_reminders(struct state *state, int64_t now_ms, size_t limit,
                             void *context, state_due_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT id, remind_ms FROM incident WHERE remind_ms <> 0"
              " AND remind_ms <= ? AND state <> 'closed' ORDER BY remind_ms, id LIMIT ?",
              DB_ARGS(db_int(now_ms), state_limit(limit)));
    while (db_next(&rows))
        row(context, db_get_text(&rows, 0), db_get_int(&rows, 1));
    return db_end(&rows);
}
