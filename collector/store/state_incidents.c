// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_incidents.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "collector/store/state_causes.h"
#include "collector/store/state_tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum field_type {
    FIELD_TEXT,
    FIELD_INT64,
    FIELD_UINT32,
    FIELD_BOOL,
    FIELD_REAL,
    FIELD_KIND,
    FIELD_SEVERITY,
    FIELD_STATE,
    FIELD_HARM, /* as text */
};

struct field {
    enum field_type type;
    size_t offset;
    size_t size;
};

#define FIELD(type, name) \
    { \
        FIELD_##type, offsetof(struct incident, name), \
            sizeof(((struct incident *)NULL)->name) \
    }

/* The columns of `incident`, in the order of INCIDENT_COLUMNS and of the schema. */
static const struct field fields[] = {
    FIELD(TEXT, id),
    FIELD(TEXT, rule),
    FIELD(TEXT, zone),
    FIELD(TEXT, device),
    FIELD(TEXT, channel),
    FIELD(TEXT, quantity),
    FIELD(KIND, kind),
    FIELD(SEVERITY, severity),
    FIELD(STATE, state),
    FIELD(BOOL, is_acknowledged),
    FIELD(TEXT, acknowledged_by),
    FIELD(INT64, acknowledged_ms),
    FIELD(INT64, onset_ms),
    FIELD(INT64, opened_ms),
    FIELD(INT64, learned_ms),
    FIELD(INT64, changed_ms),
    FIELD(INT64, back_ms),
    FIELD(INT64, closed_ms),
    FIELD(REAL, limit),
    FIELD(REAL, value),
    FIELD(REAL, worst),
    FIELD(UINT32, revision),
    FIELD(TEXT, snapshot),
    FIELD(INT64, withdrawn_ms),
    FIELD(REAL, worst_low),
    FIELD(REAL, worst_high),
    FIELD(TEXT, life),
    FIELD(HARM, harm),
};

#define INCIDENT_COLUMNS \
    "id, rule, zone, device, channel, quantity, kind, severity, state," \
    " is_acknowledged, acknowledged_by, acknowledged_ms, onset_ms, opened_ms," \
    " learned_ms, changed_ms, back_ms, closed_ms, limit_value, value, worst, revision," \
    " snapshot, withdrawn_ms, worst_low, worst_high, life, harm"

/* `harm` lends the text of that field its memory. */
static struct db_value value_of(const struct incident *incident,
                                const struct field *field, char harm[HARM_TEXT_SIZE])
{
    const char *at = (const char *)incident + field->offset;
    switch (field->type) {
    case FIELD_TEXT:
        return db_text(at);
    case FIELD_INT64:
        return db_int(*(const int64_t *)(const void *)at);
    case FIELD_UINT32:
        return db_int(*(const uint32_t *)(const void *)at);
    case FIELD_BOOL:
        return db_int(*(const bool *)(const void *)at);
    case FIELD_REAL:
        return db_real(*(const double *)(const void *)at);
    case FIELD_KIND:
        return db_text(alert_kind_name(incident->kind));
    case FIELD_SEVERITY:
        return db_text(alert_severity_name(incident->severity));
    case FIELD_STATE:
        return db_text(incident_state_name(incident->state));
    case FIELD_HARM:
        harm_format(harm, &incident->harm);
        return db_text(harm);
    }
    assert(!"a field type without a value");
    return db_int(0);
}

/* False when the file holds what no version of ours wrote. */
static bool read_field(struct incident *incident, const struct field *field,
                       const struct db_rows *rows, int column)
{
    char *at = (char *)incident + field->offset;
    switch (field->type) {
    case FIELD_TEXT:
        return db_copy_text(rows, column, at, field->size);
    case FIELD_INT64:
        *(int64_t *)(void *)at = db_get_int(rows, column);
        return true;
    case FIELD_UINT32:
        *(uint32_t *)(void *)at = (uint32_t)db_get_int(rows, column);
        return true;
    case FIELD_BOOL:
        *(bool *)(void *)at = db_get_int(rows, column) != 0;
        return true;
    case FIELD_REAL:
        *(double *)(void *)at = db_get_real(rows, column);
        return true;
    case FIELD_KIND:
        return alert_kind_parse(&incident->kind, db_get_text(rows, column));
    case FIELD_SEVERITY:
        return alert_severity_parse(&incident->severity, db_get_text(rows, column));
    case FIELD_STATE:
        return incident_state_parse(&incident->state, db_get_text(rows, column));
    case FIELD_HARM:
        return harm_parse(&incident->harm, db_get_text(rows, column));
    }
    return false;
}

static enum err read_incident(struct incident *incident, const struct db_rows *rows)
{
    *incident = (struct incident){0};
    for (size_t i = 0; i < COUNT(fields); i++)
        if (!read_field(incident, &fields[i], rows, (int)i))
            return ERR_CORRUPT;
    return ERR_OK;
}

/* "column = excluded.column, ..." of what the engine decides: all but the id. */
#define INCIDENT_SET \
    "rule = excluded.rule, zone = excluded.zone, device = excluded.device," \
    " channel = excluded.channel, quantity = excluded.quantity, kind = excluded.kind," \
    " severity = excluded.severity, state = excluded.state," \
    " is_acknowledged = excluded.is_acknowledged," \
    " acknowledged_by = excluded.acknowledged_by," \
    " acknowledged_ms = excluded.acknowledged_ms, onset_ms = excluded.onset_ms," \
    " opened_ms = excluded.opened_ms, learned_ms = excluded.learned_ms," \
    " changed_ms = excluded.changed_ms, back_ms = excluded.back_ms," \
    " closed_ms = excluded.closed_ms, limit_value = excluded.limit_value," \
    " value = excluded.value, worst = excluded.worst, revision = excluded.revision," \
    " snapshot = excluded.snapshot, withdrawn_ms = excluded.withdrawn_ms," \
    " worst_low = excluded.worst_low, worst_high = excluded.worst_high," \
    " life = excluded.life, harm = excluded.harm"

/*
 * A replay may bring an old revision again: the row only goes forward. What people did
 * to it, and its cause, stay.
 */
static enum err put_incident(struct state *state, const struct incident *incident)
{
    char harm[HARM_TEXT_SIZE];
    struct db_value values[COUNT(fields)];
    for (size_t i = 0; i < COUNT(fields); i++)
        values[i] = value_of(incident, &fields[i], harm);
    return state_write(
        state,
        "INSERT INTO incident (" INCIDENT_COLUMNS ") VALUES"
        " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET " INCIDENT_SET
        " WHERE excluded.revision > incident.revision",
        values, COUNT(values));
}

enum err state_add_incident(struct state *state, enum alert_effect_kind kind,
                            const struct incident *incident, int64_t at_ms,
                            const char *body)
{
    assert(incident->id[0] != '\0' && incident->revision > 0);
    enum err err = state_insert(
        state,
        "INSERT INTO incident_event (incident, revision, kind, at_ms, body)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        DB_ARGS(db_text(incident->id), db_int(incident->revision),
                db_text(alert_effect_name(kind)), db_int(at_ms), db_text(body)));
    return err == ERR_OK ? put_incident(state, incident) : err;
}

enum err state_put_values(struct state *state, const struct incident *incident)
{
    char harm[HARM_TEXT_SIZE];
    harm_format(harm, &incident->harm);
    return state_write(state,
                       "UPDATE incident SET value = ?2, worst = ?3, worst_low = ?4,"
                       " worst_high = ?5, life = ?6, harm = ?7 WHERE id = ?1"
                       " AND state <> 'closed'",
                       DB_ARGS(db_text(incident->id), db_real(incident->value),
                               db_real(incident->worst), db_real(incident->worst_low),
                               db_real(incident->worst_high), db_text(incident->life),
                               db_text(harm)));
}

/*
 * One text per kind of filter, so that each finds its index: states in ?1..?4 (NULL
 * where not wanted), time in ?5 and ?6, the cursor in ?7 and ?8, the limit in ?9, the
 * zone in ?10, whether withdrawn ones are wanted in ?11, the cause in ?12, ids in ?13
 * and ?14.
 */
#define PAGE_SQL(filter) \
    "SELECT " INCIDENT_COLUMNS " FROM incident WHERE state IN (?1, ?2, ?3, ?4)" \
    " AND opened_ms < ?6 AND (closed_ms = 0 OR closed_ms >= ?5)" \
    " AND (opened_ms, id) < (?7, ?8) AND (?10 IS NULL OR zone = ?10)" \
    " AND (withdrawn_ms = 0 OR ?11) AND (?12 IS NULL OR cause = ?12)" \
    " AND (?13 IS NULL OR id >= ?13) AND (?14 IS NULL OR id < ?14)" filter \
    " ORDER BY opened_ms DESC, id DESC LIMIT ?9"

static const char *page_sql(bool is_alive, bool has_zone, bool has_cause)
{
    if (has_cause)
        return PAGE_SQL(" AND cause = ?12");
    if (has_zone)
        return PAGE_SQL(" AND zone = ?10");
    return is_alive ? PAGE_SQL(" AND state <> 'closed'") : PAGE_SQL("");
}

static_assert(INCIDENT_CLOSED == 3, "four states fill the four places of PAGE_SQL");

static struct db_value state_filter(unsigned states, enum incident_state which)
{
    bool wanted = states == 0 || (states & (1u << which)) != 0;
    return db_text_or_null(wanted ? incident_state_name(which) : NULL);
}

static enum err give_incidents(struct db_rows *rows, void *context,
                               state_incident_fn *row)
{
    enum err err = ERR_OK;
    while (err == ERR_OK && db_next(rows)) {
        struct incident incident;
        err = read_incident(&incident, rows);
        if (err == ERR_OK)
            row(context, &incident);
    }
    enum err ended = db_end(rows);
    return err != ERR_OK ? err : ended;
}

enum err state_page_incidents(struct state *state,
                              const struct state_incident_query *query, void *context,
                              state_incident_fn *row)
{
    unsigned closed = 1u << INCIDENT_CLOSED;
    bool is_alive = query->states != 0 && (query->states & closed) == 0;
    bool is_first = query->cursor == NULL;
    struct db_rows rows;
    db_select(
        &rows, state->db, page_sql(is_alive, query->zone != NULL, query->cause != NULL),
        DB_ARGS(state_filter(query->states, INCIDENT_OPEN),
                state_filter(query->states, INCIDENT_RECOVERING),
                state_filter(query->states, INCIDENT_UNKNOWN),
                state_filter(query->states, INCIDENT_CLOSED), db_int(query->from_ms),
                db_int(query->to_ms != 0 ? query->to_ms : INT64_MAX),
                db_int(is_first ? INT64_MAX : query->cursor_ms), db_text(query->cursor),
                state_limit(query->limit), db_text_or_null(query->zone),
                db_int(query->with_withdrawn), db_text_or_null(query->cause),
                db_text_or_null(query->id_from), db_text_or_null(query->id_to)));
    return give_incidents(&rows, context, row);
}

enum err state_get_incident(struct state *state, const char *id,
                            struct incident *incident)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT " INCIDENT_COLUMNS " FROM incident WHERE id = ?",
              DB_ARGS(db_text(id)));
    enum err err = db_next(&rows) ? read_incident(incident, &rows) : ERR_NOT_FOUND;
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}

enum err state_each_member(struct state *state, const char *cause, size_t limit,
                           void *context, state_incident_fn *row)
{
    struct db_rows rows;
    db_select(
        &rows, state->db,
        "SELECT " INCIDENT_COLUMNS " FROM (SELECT * FROM incident WHERE cause = ?"
        " ORDER BY state = 'closed', opened_ms DESC LIMIT ?) ORDER BY opened_ms, id",
        DB_ARGS(db_text(cause), state_limit(limit)));
    return give_incidents(&rows, context, row);
}

enum err state_count_incidents(struct state *state, unsigned states, uint64_t *count)
{
    int64_t number = 0;
    enum err err =
        db_get_one(state->db, "SELECT count(*) FROM incident WHERE state IN (?, ?, ?, ?)",
                   DB_ARGS(state_filter(states, INCIDENT_OPEN),
                           state_filter(states, INCIDENT_RECOVERING),
                           state_filter(states, INCIDENT_UNKNOWN),
                           state_filter(states, INCIDENT_CLOSED)),
                   &number);
    *count = (uint64_t)number;
    return err;
}

enum err state_count_trouble(struct state *state, enum alert_kind kind,
                             const char *device, const char *snapshot, uint64_t count,
                             bool *is_open)
{
    enum err err =
        state_write(state,
                    "UPDATE incident SET value = value + ?4, worst = worst + ?4"
                    " WHERE state <> 'closed' AND kind = ?1 AND device = ?2"
                    " AND snapshot = ?3",
                    DB_ARGS(db_text(alert_kind_name(kind)), db_text(device),
                            db_text(snapshot), db_real((double)count)));
    *is_open = err == ERR_OK && db_changes(state->db) > 0;
    return err;
}

static const enum alert_effect_kind effect_kinds[] = {
#define X(name, text) ALERT_EFFECT_##name,
    ALERT_EFFECT_LIST(X)
#undef X
};

static bool parse_effect(enum alert_effect_kind *kind, const char *name)
{
    for (size_t i = 0; i < COUNT(effect_kinds); i++) {
        if (strcmp(alert_effect_name(effect_kinds[i]), name) == 0) {
            *kind = effect_kinds[i];
            return true;
        }
    }
    return false;
}

enum err state_each_transition(struct state *state, const char *incident, void *context,
                               state_transition_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT incident, revision, kind, at_ms, body FROM incident_event"
              " WHERE incident = ? ORDER BY revision",
              DB_ARGS(db_text(incident)));
    bool is_good = true;
    while (is_good && db_next(&rows)) {
        struct state_transition step = {
            .incident = db_get_text(&rows, 0),
            .revision = (uint32_t)db_get_int(&rows, 1),
            .at_ms = db_get_int(&rows, 3),
            .body = db_get_text(&rows, 4),
        };
        is_good = parse_effect(&step.kind, db_get_text(&rows, 2));
        if (is_good)
            row(context, &step);
    }
    enum err err = db_end(&rows);
    return err == ERR_OK && !is_good ? ERR_CORRUPT : err;
}

enum err state_each_told_after(struct state *state, uint64_t place, size_t limit,
                               void *context, state_told_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT e.rowid, f.body, e.body FROM incident_event e"
              " JOIN incident_event f ON f.incident = e.incident AND f.revision ="
              " (SELECT min(revision) FROM incident_event WHERE incident = e.incident)"
              " WHERE e.rowid > ? ORDER BY e.rowid LIMIT ?",
              DB_ARGS(db_u64(place), state_limit(limit)));
    while (db_next(&rows)) {
        const struct state_told told = {
            .place = db_get_u64(&rows, 0),
            .first_body = db_get_text(&rows, 1),
            .body = db_get_text(&rows, 2),
        };
        row(context, &told);
    }
    return db_end(&rows);
}

enum err state_get_told(struct state *state, const char *sink, uint64_t *place)
{
    int64_t value = 0;
    enum err err =
        db_get_one(state->db, "SELECT cursor FROM sink_incident WHERE sink = ?",
                   DB_ARGS(db_text(sink)), &value);
    *place = (uint64_t)value;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err state_put_told(struct state *state, const char *sink, uint64_t place)
{
    return state_write(state, "INSERT OR REPLACE INTO sink_incident VALUES (?, ?)",
                       DB_ARGS(db_text(sink), db_u64(place)));
}
