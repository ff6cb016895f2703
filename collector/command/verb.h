// SPDX-License-Identifier: Apache-2.0
/*
 * verb - the table of everything that can be changed: one row per verb.
 *
 * From it come the check of a command's body, the API's write routes, the verbs of the
 * command line, and docs/commands.md. A verb's function runs when the command is applied,
 * in the batch's transaction of state.db. Constant; any thread.
 *
 * To add a verb: write its fields and its function (places.c is the pattern), and one row
 * in verbs.c.
 */
#ifndef COLDCHAIN_COLLECTOR_COMMAND_VERB_H
#define COLDCHAIN_COLLECTOR_COMMAND_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

#define FIELD_TYPE_LIST(X) \
    X(ID, "identifier") \
    X(NAME, "name") /* of an entity; may hold a '/' */ \
    X(TEXT, "text") \
    X(NUMBER, "number") \
    X(LEVEL, "level") /* a number, or an end of the zone's band: "band_high-0.5" */ \
    X(BOOL, "yes or no") \
    X(TIME, "time")         /* RFC 3339, or milliseconds; kept as milliseconds */ \
    X(DURATION, "duration") /* "10m", or milliseconds; kept as milliseconds */ \
    X(WORD, "word")         /* one of a list */ \
    X(IDS, "identifiers")   /* a list of them */ \
    X(WORDS, "words")       /* a list of some of a list */ \
    X(TEXTS, "texts")       /* an object of texts: external ids */ \
    X(RECORDS, "records")   /* a list of objects, by fields of their own */

enum field_type {
#define X(name, text) FIELD_##name,
    FIELD_TYPE_LIST(X)
#undef X
};

enum field_need {
    FIELD_OPTIONAL,
    FIELD_NEW,    /* when the entity is new */
    FIELD_ALWAYS, /* */
};

struct field {
    const char *name;
    enum field_type type;
    enum field_need need;
    double least; /* NUMBER, LEVEL, DURATION (ms): bounds, unless both are 0 */
    double most;  /* TEXT: bytes, 0: 200; RECORDS: how many, 0: 64 */
    const char *const *words;   /* WORD; ends with NULL */
    const struct field *record; /* RECORDS; ends with a NULL name */
    const char *help;
    const char *help_zh;
    bool is_private; /* people's data: neither journal nor audit sees it; private.c */
};

/* The least role that may; who may what is told by docs/authorization.md. */
enum verb_role {
    VERB_OPERATOR,
    VERB_ADMIN,
    VERB_MANAGER, /* an admin himself: what is his to give no program gives away */
    VERB_ROUTE,   /* who may by a route of its own, which knows more than the body says */
};

struct change;

struct verb {
    const char *name; /* "zone.put" */
    enum verb_role role;
    const char *kind;           /* of the entity it is about */
    const struct field *fields; /* of the body; ends with a NULL name */
    /*
     * Makes the change by the functions of change.h; ERR_OK, or a refusal with a sentence
     * (NOT_FOUND, EXISTS, CONFLICT, INVALID, DENIED, LIMIT). What was written before a
     * refusal is undone. NULL: the pipeline does it, since it changes what is evaluated.
     */
    enum err (*apply)(struct change *change, struct err_text *why);
    const char *help;
    const char *help_zh;
    const char *example; /* of a body, JSON */
};

/* Ends with a NULL name. */
extern const struct verb verbs[];

/* NULL: there is none of that name. */
const struct verb *verb_find(const char *name);
const char *field_type_name(enum field_type type);
const char *verb_role_name(enum verb_role role);

/*
 * Reads a body by the fields: *clean is a new object with times and durations as
 * milliseconds, the caller's to release; null stays null and means "none". INVALID names
 * the field, what is wrong with it and what it may be. Pure.
 */
MUST_CHECK enum err verb_check(const struct field *fields, const json_t *body,
                               json_t **clean, struct err_text *why);
/* Whether the verb is about people and their rights; such a body is checked before it is
 * written down, so that a field with a slip in its name tells the journal nothing. */
bool verb_is_of_people(const struct verb *verb);
/*
 * Takes the private fields out of the body, which names them in "private" from then on.
 * The caller's to release; NULL when there were none.
 */
json_t *verb_hide(const struct verb *verb, json_t *body);
/* The body with them, the caller's to release; `hidden` may be NULL. NOT_FOUND: the body
 * names some that are not there. */
MUST_CHECK enum err verb_reveal(const json_t *body, const json_t *hidden, json_t **whole,
                                struct err_text *why);
/* The whole table for programs and people who ask; the caller's to release. */
json_t *verb_table(void);

#endif
