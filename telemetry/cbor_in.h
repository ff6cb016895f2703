// SPDX-License-Identifier: Apache-2.0
/*
 * cbor_in - reads the part of CBOR (RFC 8949) that SenML uses (RFC 8428 section 6).
 *
 * Numbers are integers, floats of 16, 32 or 64 bits, or decimal fractions (tag 4); arrays
 * and maps may be of indefinite length, strings may not. Reserved lengths, NaN and
 * infinities are refused; other tags are passed over.
 *
 * As telemetry/json_in.h: false sets `fault`; text is borrowed from the input. Pure;
 * owned by one thread.
 */
#ifndef COLDCHAIN_TELEMETRY_CBOR_IN_H
#define COLDCHAIN_TELEMETRY_CBOR_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/token.h"

struct cbor_in {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    const char *fault;
};

/* What is still to come of an array or a map. */
struct cbor_group {
    uint64_t left;
    bool is_open; /* of indefinite length: a break ends it */
};

void cbor_in_init(struct cbor_in *in, const void *data, size_t len);

bool cbor_in_array(struct cbor_in *in, struct cbor_group *group);
bool cbor_in_map(struct cbor_in *in, struct cbor_group *group);
/* True while the group has another element, which the caller then reads. */
bool cbor_in_more(struct cbor_in *in, struct cbor_group *group);

/* A name: TOKEN_TEXT, or TOKEN_NUMBER for an integer. */
bool cbor_in_key(struct cbor_in *in, struct token *token);
bool cbor_in_value(struct cbor_in *in, struct token *token);

#endif
