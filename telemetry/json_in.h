// SPDX-License-Identifier: Apache-2.0
/*
 * json_in - reads JSON (RFC 8259) from left to right, without making a tree of it.
 *
 * A pack of readings is long and flat, and each record is used up at once: a tree costs
 * five times as much as the reading. Strict: UTF-8 only, no NUL, no control characters in
 * strings, no lone surrogates, no numbers past a double, a bound on nesting. Messages
 * that are short or nested use jansson.
 *
 * Functions that return false for text that is not JSON set `fault`, once; `at` says
 * where. Pure; owned by one thread.
 */
#ifndef COLDCHAIN_TELEMETRY_JSON_IN_H
#define COLDCHAIN_TELEMETRY_JSON_IN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "telemetry/token.h"

struct json_in {
    const char *start;
    const char *at;
    const char *end;
    const char *fault;    /* what is wrong, NULL while nothing is */
    struct buf unescaped; /* strings that held an escape */
};

void json_in_init(struct json_in *in, const void *data, size_t len);
void json_in_fini(struct json_in *in);

/* Passes over white space, then over `c` if it is what follows. */
bool json_in_take(struct json_in *in, char c);
/* As json_in_take, but sets `fault` when `c` does not follow. */
bool json_in_want(struct json_in *in, char c, const char *fault);
/* True when nothing but white space is left. */
bool json_in_at_end(struct json_in *in);

bool json_in_string(struct json_in *in, struct token *token);
bool json_in_value(struct json_in *in, struct token *token);

/* Text of earlier tokens becomes invalid. */
void json_in_forget(struct json_in *in);

#endif
