// SPDX-License-Identifier: Apache-2.0
/*
 * senml - reads a pack of SenML (RFC 8428), JSON or CBOR, into resolved records.
 *
 * Base fields are applied, names checked, values typed (sections 4.1 to 4.6). Records
 * come in the order of the pack; who wants them in order of time sorts them. Labels that
 * SenML does not know are handed over one by one, ahead of the record they stand in;
 * one that ends in '_' must be understood, so it refuses the pack (section 4.4).
 *
 * Strict: no label twice in a record, one value at most, no NaN, nothing behind the pack.
 * Memory does not depend on the pack. Pure; owned by one thread.
 */
#ifndef COLDCHAIN_TELEMETRY_SENML_H
#define COLDCHAIN_TELEMETRY_SENML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/token.h"

#define SENML_VERSION 10
/* Version 10, and secondary units (feature 4: RFC 9100 section 4). */
#define SENML_VERSION_SECONDARY 26
#define SENML_NAME_SIZE         256
#define SENML_UNIT_SIZE         32
#define SENML_LABELS_MAX        32 /* that SenML does not know, in one record */
/* Seconds: what is less is relative to now (section 4.5.3). */
#define SENML_ABSOLUTE 268435456.0

enum senml_kind {
    SENML_NONE, /* a sum and nothing else */
    SENML_NUMBER,
    SENML_BOOL,   /* value is 0 or 1 */
    SENML_STRING, /* text */
    SENML_DATA,   /* text is base64url in JSON, the bytes themselves in CBOR */
};

/* A resolved record. All text is borrowed until the call returns. */
struct senml_record {
    size_t index;      /* of the record in the pack, from 0 */
    const char *name;  /* base name and name; ends in NUL */
    bool is_same_name; /* as that of the record handed over before this one */
    const char *unit;  /* "" when there is none; ends in NUL */
    bool is_same_unit;
    double time_s; /* base time and time; senml_time() makes a date of it */
    enum senml_kind kind;
    double value;
    const char *text;
    size_t text_len;
    bool has_sum;
    double sum;
    double update_s; /* update time, 0 when there is none */
};

/* A label SenML does not know; `name` is not NUL-terminated. */
struct senml_label {
    size_t index; /* of the record in the pack */
    const char *name;
    size_t name_len;
    struct token value;
};

/* What they return other than OK ends the reading, and is what senml_read returns. */
struct senml_sink {
    void *context;
    enum err (*record)(void *context, const struct senml_record *record,
                       struct err_text *why);
    enum err (*label)(void *context, const struct senml_label *label,
                      struct err_text *why);
};

/*
 * JSON when the first byte is '[' or white space, CBOR when it is 0x80-0x9f. INVALID, or
 * UNSUPPORTED for a version or a must-understand label that is not known here, or LIMIT;
 * `why` names the record. The sink may have been called before the fault was met.
 */
MUST_CHECK enum err senml_read(const struct senml_sink *sink, const void *data,
                               size_t len, struct err_text *why);

/* False when the date would lie outside the years 1 to 9999. */
bool senml_time(int64_t *time_ms, double time_s, int64_t now_ms);

#endif
