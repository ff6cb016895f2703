// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_people.h"

#include "collector/store/state_tables.h"

/* ---- people -------------------------------------------------------------------------
 */

#define PERSON_COLUMNS \
    "id, org, role, sites, login, name, phone, contact, password, created_ms," \
    " changed_ms, erased_ms, version"

static void give_person(const struct db_rows *rows, void *context, state_person_fn *row)
{
    const struct state_person person = {
        .id = db_get_text(rows, 0),
        .org = db_get_text(rows, 1),
        .role = db_get_text(rows, 2),
        .sites = db_get_text(rows, 3),
        .login = db_get_text(rows, 4),
        .name = db_get_text(rows, 5),
        .phone = db_get_text(rows, 6),
        .contact = db_get_text(rows, 7),
        .password = db_get_text(rows, 8),
        .created_ms = db_get_int(rows, 9),
        .changed_ms = db_get_int(rows, 10),
        .erased_ms = db_get_int(rows, 11),
        .version = db_get_int(rows, 12),
    };
    row(context, &person);
}

/* Calls `row` for each; NOT_FOUND when there was none. */
static enum err give_people(struct db_rows *rows, void *context, state_person_fn *row)
{
    bool found = false;
    while (db_next(rows)) {
        found = true;
        give_person(rows, context, row);
    }
    enum err err = db_end(rows);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

enum err state_put_person(struct state *state, const struct state_person *person)
{
    int64_t taken = 0;
    enum err err =
        db_get_one(state->db,
                   "SELECT count(*) FROM person"
                   " WHERE login = ?1 AND login <> '' AND id <> ?2",
                   DB_ARGS(db_text(person->login), db_text(person->id)), &taken);
    if (err != ERR_OK || taken > 0)
        return err != ERR_OK ? err : ERR_EXISTS;
    state->has_past_in_log = true;
    return state_write(state,
                       "INSERT OR REPLACE INTO person (" PERSON_COLUMNS ")"
                       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                       DB_ARGS(db_text(person->id), db_text(person->org),
                               db_text(person->role), db_text(person->sites),
                               db_text(person->login), db_text(person->name),
                               db_text(person->phone), db_text(person->contact),
                               db_text(person->password), db_int(person->created_ms),
                               db_int(person->changed_ms), db_int(person->erased_ms),
                               db_int(person->version)));
}

enum err state_get_person(struct state *state, const char *id, void *context,
                          state_person_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT " PERSON_COLUMNS " FROM person WHERE id = ?",
              DB_ARGS(db_text(id)));
    return give_people(&rows, context, row);
}

enum err state_find_login(struct state *state, const char *login, void *context,
                          state_person_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT " PERSON_COLUMNS " FROM person WHERE login = ? AND login <> ''",
              DB_ARGS(db_text(login)));
    return give_people(&rows, context, row);
}

static enum err no_rows_are_fine(enum err err)
{
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err state_page_people(struct state *state, const char *org, const char *after,
                           size_t limit, void *context, state_person_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT " PERSON_COLUMNS " FROM person"
              " WHERE (?1 IS NULL OR org = ?1) AND id > ?2 ORDER BY id LIMIT ?3",
              DB_ARGS(db_text_or_null(org), db_text(after), state_limit(limit)));
    return no_rows_are_fine(give_people(&rows, context, row));
}

enum err state_count_admins(struct state *state, uint64_t *count)
{
    int64_t number = 0;
    enum err err = db_get_one(state->db,
                              "SELECT count(*) FROM person WHERE role = 'admin'"
                              " AND org = '' AND login <> '' AND password <> ''",
                              DB_NONE, &number);
    *count = (uint64_t)number;
    return err;
}

/*
 * What is deleted is overwritten with zeros (secure_delete), but not the copies that
 * SQLite leaves in a page when rows move to another. So the tables that held it are
 * emptied, which clears all of their pages, and filled again; they are small.
 */
static enum err write_anew(struct state *state)
{
    static const char *const steps[] = {
        "CREATE TEMP TABLE kept_person AS SELECT * FROM person",
        "DELETE FROM person",
        "INSERT INTO person SELECT * FROM kept_person",
        "DROP TABLE kept_person",
        "CREATE TEMP TABLE kept_private AS SELECT * FROM command_private",
        "DELETE FROM command_private",
        "INSERT INTO command_private SELECT * FROM kept_private",
        "DROP TABLE kept_private",
    };
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < sizeof steps / sizeof steps[0]; i++)
        err = state_write(state, steps[i], DB_NONE);
    return err;
}

enum err state_erase_person(struct state *state, const char *id, int64_t now_ms)
{
    enum err err = state_write(state,
                               "UPDATE person SET login = '', name = '', phone = '',"
                               " contact = '', password = '', changed_ms = ?2,"
                               " erased_ms = ?2, version = version + 1 WHERE id = ?1",
                               DB_ARGS(db_text(id), db_int(now_ms)));
    if (err == ERR_OK && db_changes(state->db) == 0)
        return ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = state_delete_sessions(state, id, NULL);
    if (err == ERR_OK)
        err = state_write(state,
                          "UPDATE token SET revoked_ms = ?2"
                          " WHERE owner = ?1 AND revoked_ms = 0",
                          DB_ARGS(db_text(id), db_int(now_ms)));
    state->has_past_in_log = true;
    return err == ERR_OK ? write_anew(state) : err;
}

/* ---- sessions -----------------------------------------------------------------------
 */

enum err state_put_session(struct state *state, const struct state_session *session)
{
    return state_write(state, "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)",
                       DB_ARGS(db_text(session->hash), db_text(session->person),
                               db_int(session->created_ms), db_int(session->used_ms)));
}

enum err state_find_session(struct state *state, const char *hash, void *context,
                            state_session_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT hash, person, created_ms, used_ms FROM session WHERE hash = ?",
              DB_ARGS(db_text(hash)));
    bool found = db_next(&rows);
    if (found) {
        const struct state_session session = {
            .hash = db_get_text(&rows, 0),
            .person = db_get_text(&rows, 1),
            .created_ms = db_get_int(&rows, 2),
            .used_ms = db_get_int(&rows, 3),
        };
        row(context, &session);
    }
    enum err err = db_end(&rows);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

enum err state_use_session(struct state *state, const char *hash, int64_t now_ms)
{
    return state_write(state,
                       "UPDATE session SET used_ms = max(used_ms, ?2)"
                       " WHERE hash = ?1",
                       DB_ARGS(db_text(hash), db_int(now_ms)));
}

enum err state_delete_session(struct state *state, const char *hash)
{
    return state_write(state, "DELETE FROM session WHERE hash = ?",
                       DB_ARGS(db_text(hash)));
}

enum err state_delete_sessions(struct state *state, const char *person, const char *keep)
{
    return state_write(state, "DELETE FROM session WHERE person = ? AND hash <> ?",
                       DB_ARGS(db_text(person), db_text(keep)));
}

enum err state_drop_sessions(struct state *state, int64_t created_before_ms,
                             int64_t used_before_ms)
{
    return state_write(state, "DELETE FROM session WHERE created_ms < ? OR used_ms < ?",
                       DB_ARGS(db_int(created_before_ms), db_int(used_before_ms)));
}

/* ---- tokens -------------------------------------------------------------------------
 */

#define TOKEN_COLUMNS \
    "hash, name, role, created_ms, expires_ms, revoked_ms, id, org, sites, scopes, owner"

static enum err give_tokens(struct db_rows *rows, void *context, state_token_fn *row)
{
    bool found = false;
    while (db_next(rows)) {
        const struct state_token token = {
            .hash = db_get_text(rows, 0),
            .name = db_get_text(rows, 1),
            .role = db_get_text(rows, 2),
            .created_ms = db_get_int(rows, 3),
            .expires_ms = db_get_int(rows, 4),
            .revoked_ms = db_get_int(rows, 5),
            .id = db_get_text(rows, 6),
            .org = db_get_text(rows, 7),
            .sites = db_get_text(rows, 8),
            .scopes = db_get_text(rows, 9),
            .owner = db_get_text(rows, 10),
        };
        found = true;
        row(context, &token);
    }
    enum err err = db_end(rows);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

enum err state_put_token(struct state *state, const struct state_token *token)
{
    return state_write(
        state,
        "INSERT OR REPLACE INTO token VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
        " CASE WHEN ?7 = '' THEN 't-' || substr(?1, 1, 16) ELSE ?7 END, ?8, ?9, ?10,"
        " ?11)",
        DB_ARGS(db_text(token->hash), db_text(token->name), db_text(token->role),
                db_int(token->created_ms), db_int(token->expires_ms),
                db_int(token->revoked_ms), db_text(token->id), db_text(token->org),
                db_text(token->sites), db_text(token->scopes), db_text(token->owner)));
}

enum err state_find_token(struct state *state, const char *hash, void *context,
                          state_token_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT " TOKEN_COLUMNS " FROM token WHERE hash = ?",
              DB_ARGS(db_text(hash)));
    return give_tokens(&rows, context, row);
}

enum err state_get_token(struct state *state, const char *id, void *context,
                         state_token_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT " TOKEN_COLUMNS " FROM token WHERE id = ?",
              DB_ARGS(db_text(id)));
    return give_tokens(&rows, context, row);
}

enum err state_page_tokens(struct state *state, const char *org, const char *after,
                           size_t limit, void *context, state_token_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT " TOKEN_COLUMNS " FROM token"
              " WHERE (?1 IS NULL OR org = ?1) AND id > ?2 ORDER BY id LIMIT ?3",
              DB_ARGS(db_text_or_null(org), db_text(after), state_limit(limit)));
    return no_rows_are_fine(give_tokens(&rows, context, row));
}

enum err state_count_tokens(struct state *state, uint64_t *count)
{
    int64_t number = 0;
    enum err err = db_get_one(state->db, "SELECT count(*) FROM token", DB_NONE, &number);
    *count = (uint64_t)number;
    return err;
}

enum err state_revoke_token(struct state *state, const char *id, int64_t now_ms)
{
    enum err err = state_write(
        state, "UPDATE token SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms = 0",
        DB_ARGS(db_text(id), db_int(now_ms)));
    return err == ERR_OK && db_changes(state->db) == 0 ? ERR_NOT_FOUND : err;
}

enum err state_revoke_role(struct state *state, const char *role, int64_t now_ms)
{
    return state_write(state,
                       "UPDATE token SET revoked_ms = ?2"
                       " WHERE role = ?1 AND revoked_ms = 0",
                       DB_ARGS(db_text(role), db_int(now_ms)));
}

/* ---- grants -------------------------------------------------------------------------
 */

#define GRANT_COLUMNS "id, holder_kind, holder, zone, from_ms, to_ms, cause, created_ms"

static enum err give_grants(struct db_rows *rows, void *context, state_grant_fn *row)
{
    bool found = false;
    while (db_next(rows)) {
        const struct state_grant grant = {
            .id = db_get_text(rows, 0),
            .holder_kind = db_get_text(rows, 1),
            .holder = db_get_text(rows, 2),
            .zone = db_get_text(rows, 3),
            .from_ms = db_get_int(rows, 4),
            .to_ms = db_get_int(rows, 5),
            .cause = db_get_text(rows, 6),
            .created_ms = db_get_int(rows, 7),
        };
        found = true;
        row(context, &grant);
    }
    enum err err = db_end(rows);
    return err == ERR_OK && !found ? ERR_NOT_FOUND : err;
}

enum err state_put_grant(struct state *state, const struct state_grant *grant)
{
    return state_write(
        state, "INSERT OR REPLACE INTO access_grant VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        DB_ARGS(db_text(grant->id), db_text(grant->holder_kind), db_text(grant->holder),
                db_text(grant->zone), db_int(grant->from_ms), db_int(grant->to_ms),
                db_text(grant->cause), db_int(grant->created_ms)));
}

enum err state_delete_grant(struct state *state, const char *id)
{
    enum err err =
        state_write(state, "DELETE FROM access_grant WHERE id = ?", DB_ARGS(db_text(id)));
    return err == ERR_OK && db_changes(state->db) == 0 ? ERR_NOT_FOUND : err;
}

enum err state_get_grant(struct state *state, const char *id, void *context,
                         state_grant_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, "SELECT " GRANT_COLUMNS " FROM access_grant WHERE id = ?",
              DB_ARGS(db_text(id)));
    return give_grants(&rows, context, row);
}

enum err state_each_grant(struct state *state, const char *holder_kind,
                          const char *holder, void *context, state_grant_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT " GRANT_COLUMNS " FROM access_grant"
              " WHERE holder_kind = ? AND holder = ? ORDER BY id",
              DB_ARGS(db_text(holder_kind), db_text(holder)));
    return no_rows_are_fine(give_grants(&rows, context, row));
}

enum err state_page_grants(struct state *state, const char *after, size_t limit,
                           void *context, state_grant_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db,
              "SELECT " GRANT_COLUMNS " FROM access_grant WHERE id > ? ORDER BY id"
              " LIMIT ?",
              DB_ARGS(db_text(after), state_limit(limit)));
    return no_rows_are_fine(give_grants(&rows, context, row));
}
