// SPDX-License-Identifier: Apache-2.0
/*
 * logger_rows - the rows of a logger's CSV file, as times and numbers.
 *
 * UTF-8 or UTF-16 with a byte order mark; separators, decimal commas and times as
 * base/csv reads them. In three steps, so that a caller may look at the text between
 * them: logger_rows_begin() takes the columns, logger_text() the bytes,
 * logger_rows_read() the rows. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_LOGGER_ROWS_H
#define COLDCHAIN_COLDCHAINCTL_LOGGER_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/err.h"

struct logger_rows {
    bool is_partial; /* rows that cannot be read are left out */
    void *context;
    /* One value per column of the map, in its unit; NaN: missing. */
    void (*take)(void *context, int64_t time_ms, const double *values);
    struct csv_map map;
    size_t count;   /* rows taken */
    size_t refused; /* rows */
    struct err_text first_refusal;
    int64_t first_ms;
    int64_t last_ms;
};

/* "time=HEADING,CHANNEL=HEADING[@UNIT],..."; INVALID, also when a key is no channel. */
MUST_CHECK enum err logger_rows_begin(struct logger_rows *rows, const char *columns,
                                      struct err_text *why);
/* The file as UTF-8, added to `text`; INVALID when it is neither UTF-8 nor UTF-16. */
MUST_CHECK enum err logger_text(struct buf *text, const void *data, size_t len,
                                struct err_text *why);
/*
 * Gives every row to `take`. A row that cannot be read ends it, unless is_partial: `why`
 * is "line N: ...". Finding no row at all is no error here.
 */
MUST_CHECK enum err logger_rows_read(struct logger_rows *rows, const struct buf *text,
                                     struct err_text *why);

/* The unit's name in SenML, and the value in it: "F" gives "Cel". Others stay. */
const char *logger_unit(const char *unit, double *value);

#endif
