// SPDX-License-Identifier: Apache-2.0
/*
 * changes - makes a command of what a request wants changed, and says what became of it.
 *
 * Only the files of the API include it. They wait for the loop, for a bounded time.
 */
#ifndef COLDCHAIN_COLLECTOR_API_CHANGES_H
#define COLDCHAIN_COLLECTOR_API_CHANGES_H

#include "collector/api/internal.h"

/* A change that is wanted. */
struct api_wish {
    const char *verb;
    const json_t *body;
    const char *reason;           /* may be NULL */
    int64_t if_version;           /* COMMAND_ANY: whatever it is */
    const char *via;              /* see command.h; may be NULL */
    json_t *hidden;               /* people's: kept out of the journal; NULL: none */
    char id[COMMAND_RANDOM_SIZE]; /* see api_draw_id() */
};

/* Takes `argument`, from the heap, which the loop frees; see api_change_fn. */
enum err api_run_change(struct api_call *call, api_change_fn *change, void *argument);
/* Submits the command and waits until it was applied; *result is a JSON object then. */
enum err api_command(struct api_call *call, const char *id, const struct buf *json,
                     struct buf *result, struct err_text *why);

/* commands.c */
/* Names the command by the request's Idempotency-Key: the same key of the same person is
 * the same command. */
void api_draw_id(const struct api_call *call, struct api_wish *wish);
/* Makes a command of it and waits for its fate; *result is an object, or NULL, and the
 * caller's. */
enum err api_apply(struct api_call *call, const struct api_wish *wish, json_t **result,
                   struct err_text *why);
/* What became of it; takes `result`. */
void api_answer_applied(struct api_call *call, enum err err, json_t *result,
                        const char *why);
void api_etag(struct api_call *call, int64_t version);

/* rule_doubts.c */
/* Adds to the answer's warnings what the last 30 days say of the rule that it names. */
void api_doubt_rule(struct api_call *call, json_t *result);

/* private.c */
/*
 * Makes the wish ready for api_apply(), of a verb about people: the body is changed and
 * borrowed, wish->hidden is the caller's to release. False answers the call.
 */
bool api_hide(struct api_call *call, struct api_wish *wish, json_t *body);
/* Applies it and answers the call. */
void api_answer_people(struct api_call *call, struct api_wish *wish, json_t *body);

#endif
