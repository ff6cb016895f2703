// SPDX-License-Identifier: Apache-2.0
#include "collector/store/state_audit.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "collector/store/state_tables.h"

#define COLUMNS \
    "SELECT seq, position, command, at_ms, actor, verb, reason, body, outcome, detail," \
    " result, changes, hash FROM audit"

void state_audit_hash(const struct state_audit *row,
                      const uint8_t previous[CRYPTO_DIGEST_BYTES],
                      uint8_t hash[CRYPTO_DIGEST_BYTES])
{
    const char *const texts[] = {row->command, row->actor,  row->verb,
                                 row->reason,  row->body,   row->outcome,
                                 row->detail,  row->result, row->changes};
    struct buf all = {0};
    buf_add(&all, previous, CRYPTO_DIGEST_BYTES);
    buf_u64(&all, row->seq);
    buf_u64(&all, row->position);
    buf_u64(&all, (uint64_t)row->at_ms);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_blob(&all, texts[i], strlen(texts[i]));
    crypto_digest(hash, all.data, all.len);
    buf_fini(&all);
}

bool audit_chain_next(struct audit_chain *chain, const struct state_audit *row)
{
    uint8_t hash[CRYPTO_DIGEST_BYTES];
    if (chain->broken_at != 0)
        return false;
    state_audit_hash(row, chain->last, hash);
    if (row->seq != chain->count + 1) {
        chain->broken_at = row->seq;
        chain->why = "a row before it is missing";
    } else if (!crypto_equal(hash, row->hash, sizeof hash)) {
        chain->broken_at = row->seq;
        chain->why = "it, or the row before it, is not what was written";
    } else {
        chain->count++;
        memcpy(chain->last, hash, sizeof hash);
    }
    return chain->broken_at == 0;
}

static enum err each(struct db_rows *rows, void *context, state_audit_fn *row,
                     size_t *count)
{
    *count = 0;
    while (db_next(rows)) {
        size_t len;
        struct state_audit audit = {
            .seq = db_get_u64(rows, 0),
            .position = db_get_u64(rows, 1),
            .command = db_get_text(rows, 2),
            .at_ms = db_get_int(rows, 3),
            .actor = db_get_text(rows, 4),
            .verb = db_get_text(rows, 5),
            .reason = db_get_text(rows, 6),
            .body = db_get_text(rows, 7),
            .outcome = db_get_text(rows, 8),
            .detail = db_get_text(rows, 9),
            .result = db_get_text(rows, 10),
            .changes = db_get_text(rows, 11),
        };
        const void *hash = db_get_blob(rows, 12, &len);
        if (len == sizeof audit.hash)
            memcpy(audit.hash, hash, len);
        row(context, &audit);
        ++*count;
    }
    return db_end(rows);
}

static void keep_last(void *context, const struct state_audit *row)
{
    struct audit_chain *chain = context;
    chain->count = row->seq;
    memcpy(chain->last, row->hash, sizeof chain->last);
}

static enum err last_of(struct state *state, struct audit_chain *chain)
{
    struct db_rows rows;
    size_t count;
    db_select(&rows, state->db, COLUMNS " ORDER BY seq DESC LIMIT 1", DB_NONE);
    return each(&rows, chain, keep_last, &count);
}

enum err state_add_audit(struct state *state, const struct state_audit *from)
{
    struct audit_chain chain = {0};
    struct state_audit row = *from;
    enum err err = last_of(state, &chain);
    if (err != ERR_OK)
        return err;
    row.seq = chain.count + 1;
    state_audit_hash(&row, chain.last, row.hash);
    return state_write(
        state, "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        DB_ARGS(db_u64(row.seq), db_u64(row.position), db_text(row.command),
                db_int(row.at_ms), db_text(row.actor), db_text(row.verb),
                db_text(row.reason), db_text(row.body), db_text(row.outcome),
                db_text(row.detail), db_text(row.result), db_text(row.changes),
                db_blob(row.hash, sizeof row.hash)));
}

static enum err one(struct db_rows *rows, void *context, state_audit_fn *row)
{
    size_t count;
    enum err err = each(rows, context, row, &count);
    return err == ERR_OK && count == 0 ? ERR_NOT_FOUND : err;
}

enum err state_find_audit(struct state *state, const char *command, void *context,
                          state_audit_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, COLUMNS " WHERE command = ?", DB_ARGS(db_text(command)));
    return one(&rows, context, row);
}

enum err state_audit_at(struct state *state, uint64_t position, void *context,
                        state_audit_fn *row)
{
    struct db_rows rows;
    db_select(&rows, state->db, COLUMNS " WHERE position = ?", DB_ARGS(db_u64(position)));
    return one(&rows, context, row);
}

enum err state_audit_back(struct state *state, uint64_t from, uint64_t to, void *context,
                          state_audit_fn *row)
{
    struct db_rows rows;
    size_t count;
    db_select(&rows, state->db,
              COLUMNS " WHERE position > ? AND position <= ? ORDER BY position DESC",
              DB_ARGS(db_u64(from), db_u64(to)));
    return each(&rows, context, row, &count);
}

enum err state_page_audit(struct state *state, uint64_t after, size_t limit,
                          void *context, state_audit_fn *row)
{
    struct db_rows rows;
    size_t count;
    db_select(&rows, state->db, COLUMNS " WHERE seq > ? ORDER BY seq LIMIT ?",
              DB_ARGS(db_u64(after), state_limit(limit)));
    return each(&rows, context, row, &count);
}
