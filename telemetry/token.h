// SPDX-License-Identifier: Apache-2.0
/*
 * token - one value of JSON or CBOR, as SenML sees it: both readers give the same.
 *
 * Plain data; pure. Text is borrowed from the input, or from the reader until its next
 * forget (telemetry/json_in.h).
 */
#ifndef COLDCHAIN_TELEMETRY_TOKEN_H
#define COLDCHAIN_TELEMETRY_TOKEN_H

#include <stddef.h>

/* How deep an array or object that nobody reads may nest. */
#define TOKEN_DEPTH_MAX 16

enum token_kind {
    TOKEN_NULL,
    TOKEN_FALSE,
    TOKEN_TRUE,
    TOKEN_NUMBER, /* finite */
    TOKEN_TEXT,   /* well-formed UTF-8 without NUL; no NUL behind it */
    TOKEN_BYTES,  /* of CBOR only */
    TOKEN_NESTED, /* an array or object, which was checked and passed over */
};

struct token {
    enum token_kind kind;
    double number;
    const char *text;
    size_t len;
};

#endif
