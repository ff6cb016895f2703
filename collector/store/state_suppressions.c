// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_suppressions.h"

#include "collector/store/state_tables.h"

enum err state_put_suppression(struct state *state, const struct suppression *told)
{
    return state_write(
        state,
        "INSERT OR REPLACE INTO suppression (id, rule, zone, device, channel, quantity,"
        " kind, severity, reason, ended, from_ms, to_ms, told_ms, limit_value, worst)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        DB_ARGS(db_text(told->id), db_text(told->rule), db_text(told->zone),
                db_text(told->device), db_text(told->channel), db_text(told->quantity),
                db_text(alert_kind_name(told->kind)),
                db_text(alert_severity_name(told->severity)),
                db_text(alert_reason_name(told->reason)),
                db_text(suppression_end_name(told->ended)), db_int(told->from_ms),
                db_int(told->to_ms), db_int(told->told_ms), db_real(told->limit),
                db_real(told->worst)));
}

static bool read_one(struct suppression *told, const struct db_rows *rows)
{
    *told = (struct suppression){
        .from_ms = db_get_int(rows, 10),
        .to_ms = db_get_int(rows, 11),
        .told_ms = db_get_int(rows, 12),
        .limit = db_get_real(rows, 13),
        .worst = db_get_real(rows, 14),
    };
    return db_copy_text(rows, 0, told->id, sizeof told->id) &&
           db_copy_text(rows, 1, told->rule, sizeof told->rule) &&
           db_copy_text(rows, 2, told->zone, sizeof told->zone) &&
           db_copy_text(rows, 3, told->device, sizeof told->device) &&
           db_copy_text(rows, 4, told->channel, sizeof told->channel) &&
           db_copy_text(rows, 5, told->quantity, sizeof told->quantity) &&
           alert_kind_parse(&told->kind, db_get_text(rows, 6)) &&
           alert_severity_parse(&told->severity, db_get_text(rows, 7)) &&
           alert_reason_parse(&told->reason, db_get_text(rows, 8)) &&
           suppression_end_parse(&told->ended, db_get_text(rows, 9));
}

enum err state_each_suppression(struct state *state, const char *zone, int64_t from_ms,
                                int64_t to_ms, size_t limit, void *context,
                                state_suppression_fn *row)
{
    struct db_rows rows;
    struct suppression told;
    enum err err = ERR_OK;
    db_select(&rows, state->db,
              "SELECT id, rule, zone, device, channel, quantity, kind, severity, reason,"
              " ended, from_ms, to_ms, told_ms, limit_value, worst FROM suppression"
              " WHERE zone = ?1 AND from_ms < ?3 AND (to_ms = 0 OR to_ms > ?2)"
              " ORDER BY from_ms DESC, id DESC LIMIT ?4",
              DB_ARGS(db_text(zone), db_int(from_ms), db_int(to_ms), state_limit(limit)));
    while (err == ERR_OK && db_next(&rows)) {
        err = read_one(&told, &rows) ? ERR_OK : ERR_CORRUPT;
        if (err == ERR_OK)
            row(context, &told);
    }
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}
