// SPDX-License-Identifier: Apache-2.0
/*
 * command - what a COMMAND record of the journal holds: one wish of one person.
 *
 *     {"id": "...", "verb": "zone.put", "actor": "wang", "reason": "...",
 *      "if_version": 3, "at": 1790000000000, "body": {...}}
 *
 * One that a message was answered with has "via", the verified contact it came from.
 * The id is the idempotency key: a command that was applied is never applied again, it is
 * answered as it was then. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_COMMAND_COMMAND_H
#define COLDCHAIN_COLLECTOR_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "telemetry/reading.h"

#define COMMAND_ID_MAX     128
#define COMMAND_REASON_MAX 500 /* bytes of UTF-8 */
#define COMMAND_VIA_MAX    200
#define COMMAND_MAX        (size_t)(256 * 1024)
/* A member of the result when the id is that of another command. */
#define COMMAND_KEY_REUSED "key_reused"
#define COMMAND_ANY        (-1) /* if_version: whatever it is */

/* All borrowed from `root`. */
struct command {
    json_t *root;
    const char *id;
    const char *verb;
    const char *actor;  /* an id, never a name */
    const char *org;    /* whose things it may touch; "": everybody's */
    const char *reason; /* "" */
    const char *via;    /* "CHANNEL/CONTACT" whose answer it is; "": it came otherwise */
    int64_t if_version; /* COMMAND_ANY; 0: there must be none of it yet */
    int64_t at_ms;      /* when it was asked for; 0: not said */
    const json_t *body; /* object */
};

/* INVALID: not a command. The caller ends it by command_fini(), also on failure. */
MUST_CHECK enum err command_parse(struct command *command, const void *data, size_t len,
                                  struct err_text *why);
void command_fini(struct command *command);
/* The bytes of the record. `root` is not used. */
void command_format(const struct command *command, struct buf *out);
/* A new random id. */
#define COMMAND_RANDOM_SIZE 33
void command_draw_id(char id[COMMAND_RANDOM_SIZE]);

#endif
