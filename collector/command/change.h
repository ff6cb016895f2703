// SPDX-License-Identifier: Apache-2.0
/*
 * change - what a verb's function works with: the state as it is, and what it makes of
 * it.
 *
 * Everything that is put becomes an entry {kind, id, org, version, old, new} of the
 * command's row in the audit, by which a replay redoes it and a restart finds back to
 * its checkpoint. Belongs to the loop thread, inside of the batch's transaction.
 */
#ifndef COLDCHAIN_COLLECTOR_COMMAND_CHANGE_H
#define COLDCHAIN_COLLECTOR_COMMAND_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"
#include "collector/command/command.h"
#include "collector/command/verb.h"
#include "collector/store/state.h"

struct change {
    struct state *state;
    const struct command *command;
    const struct verb *verb;
    json_t *body;    /* as verb_check() made it, private fields too */
    int64_t now_ms;  /* wall time of the record */
    json_t *changes; /* array, for the audit */
    json_t *result;  /* object, for the caller */
    unsigned drawn;  /* ids made so far */
};

/* An entity as it is kept, or about to be. */
struct entity {
    const char *kind;
    char id[200];
    char org[ID_SIZE];
    int64_t version; /* 0: it is new */
    json_t *body;    /* owned */
};

/* A field of the command's body: NULL or 0 when absent or null. Borrowed. */
const char *change_text(const struct change *change, const char *field);
int64_t change_ms(const struct change *change, const char *field, int64_t fallback);
bool change_has(const struct change *change, const char *field);

/* The entity as it is, to look at; version 0 and no body when there is none. */
MUST_CHECK enum err change_get(struct change *change, const char *kind, const char *id,
                               struct entity *entity);
/* The same; NOT_FOUND with a sentence when there is none. */
MUST_CHECK enum err change_need(struct change *change, const char *kind, const char *id,
                                struct entity *entity, struct err_text *why);
/*
 * The entity that the command is about: CONFLICT, with the present state in the result,
 * when it is not of the version that the command names.
 */
MUST_CHECK enum err change_open(struct change *change, const char *kind, const char *id,
                                struct entity *entity, struct err_text *why);
/* The same, with the command's fields but `id` laid over it; null takes a field away. */
MUST_CHECK enum err change_merge(struct change *change, const char *kind, const char *id,
                                 struct entity *entity, struct err_text *why);
/* Writes it with the next version, unless nothing is different. */
MUST_CHECK enum err change_put(struct change *change, struct entity *entity,
                               const char *parent);
MUST_CHECK enum err change_delete(struct change *change, struct entity *entity);
/* Accepts a zeroed one. */
void entity_fini(struct entity *entity);
const char *entity_text(const struct entity *entity, const char *field);

/*
 * Adds {from, ...} to the dated list: the command's `from`, or now, and those fields. In
 * order of time; what began at the same time is replaced.
 */
void change_add_dated(struct change *change, struct entity *entity, const char *list_name,
                      const char *const *fields);

/*
 * Adds an entry to the audit and to the answer; change_put() does so itself. For what is
 * kept in tables of its own. `old` and `new` may be NULL, are taken, and hold no people's
 * data.
 */
void change_note(struct change *change, const char *kind, const char *id, const char *org,
                 int64_t version, json_t *old, json_t *new);
/*
 * Adds {code, text, text_zh} to the answer's "warnings": it was done, and this may not be
 * what was meant. Both texts are formatted by the same arguments.
 */
void change_warn(struct change *change, const char *code, const char *text,
                 const char *text_zh, ...)
    __attribute__((format(printf, 3, 5), format(printf, 4, 5)));
/* The same of two texts that are ready. */
void change_add_warning(struct change *change, const char *code, const char *text,
                        const char *text_zh);
/* "p-" and what is the same whenever this command is applied. */
void change_draw_id(struct change *change, const char *prefix, char id[ID_SIZE]);

/*
 * Applies a command to state.db: once, with its row in the audit. What a row of that id
 * says already is answered again. Errors are those of state.db; a refusal is in the
 * outcome.
 */
struct outcome {
    enum err err; /* of the command */
    struct err_text why;
    char *result;       /* JSON; owned */
    char *changes;      /* JSON array; owned */
    bool is_repetition; /* it was applied before, by another record */
};

MUST_CHECK enum err command_apply(struct state *state, const struct command *command,
                                  uint64_t position, int64_t now_ms,
                                  struct outcome *outcome);
/*
 * In three steps, for verbs that are carried out by the caller: NULL change->verb->apply.
 * `begin` says in *goes_on whether there is something to do.
 */
MUST_CHECK enum err command_begin(struct change *change, uint64_t position,
                                  struct outcome *outcome, bool *goes_on);
MUST_CHECK enum err command_end(struct change *change, uint64_t position,
                                struct outcome *outcome);
void outcome_fini(struct outcome *outcome);

#define SEED_VERB "seed"

struct registry;
/* Makes it the contents of an empty state.db, with one row in the audit. */
MUST_CHECK enum err seed_apply(struct state *state, const struct registry *registry,
                               uint64_t position, int64_t now_ms);
/*
 * Appends a line for each thing that the seed says and state.db does not: "zone 'room-1'
 * has band_high 8, not 7". What state.db has beyond the seed is no difference.
 */
MUST_CHECK enum err seed_compare(struct state *state, const struct registry *registry,
                                 struct buf *differences);

#endif
