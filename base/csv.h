// SPDX-License-Identifier: Apache-2.0
/*
 * csv - rows of separated text (RFC 4180 and its dialects), and timed numbers out of
 * them.
 *
 * Pure: works on text that the caller holds; nothing is allocated, fields are borrowed
 * from the text. Commas, semicolons and tabs, quoted fields, CRLF and a UTF-8 byte order
 * mark are understood; with semicolons a decimal comma is too. A bad row costs that row
 * only: the next call goes on behind it. One thread per struct.
 */
#ifndef COLDCHAIN_BASE_CSV_H
#define COLDCHAIN_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CSV_FIELDS_MAX  128
#define CSV_COLUMNS_MAX 16
#define CSV_NAME_MAX    64
/* A quoted field longer than this is taken for a forgotten quote. */
#define CSV_QUOTED_MAX 65536

/* Between the quotes, if there were any; doubled quotes are still doubled in `text`. */
struct csv_field {
    const char *text;
    size_t len;
    bool has_doubled_quotes;
};

/* One place in a text, and the row read last. */
struct csv {
    const char *text;
    size_t len;
    size_t at;
    size_t line; /* of the byte at `at`, from 1 */
    char separator;
    size_t row_line; /* where the row read last begins */
    size_t count;
    struct csv_field fields[CSV_FIELDS_MAX];
};

/* Skips a byte order mark and takes the separator from the first line. */
void csv_init(struct csv *csv, const char *text, size_t len);

/*
 * Reads the next row that is not blank into csv->fields. ERR_NOT_FOUND at the end;
 * ERR_INVALID for a row that cannot be split, ERR_LIMIT for one with too many fields.
 */
MUST_CHECK enum err csv_next(struct csv *csv, struct err_text *why);

/* The field with doubled quotes undone, cut to size; returns `out`. */
const char *csv_text(const struct csv_field *field, char *out, size_t size);

/*
 * A decimal number. False when it is not one; "", "NaN", "null" and "NA" are numbers that
 * are missing: true, and *value is NaN. Infinity is not a number.
 */
bool csv_number(const struct csv_field *field, bool has_decimal_comma, double *value);

/* Which column carries what: "time=ISOdateTime,temperature=Temperature". */
struct csv_column {
    char key[CSV_NAME_MAX];    /* what the reader calls it */
    char column[CSV_NAME_MAX]; /* its heading, or #3 for the third column */
    char unit[16];             /* behind an @, "" when absent */
    size_t index;              /* set by csv_map_bind */
};

struct csv_map {
    struct csv_column columns[CSV_COLUMNS_MAX];
    size_t count;
    size_t time; /* the column with the key "time" */
};

/*
 * Parses KEY=COLUMN[@UNIT],... The key `time` must be there; its unit is one of iso, s,
 * ms, utc, +08:00 (the zone of texts that carry none) or absent: then RFC 3339, or
 * seconds or milliseconds since 1970 by their size. Other units are the caller's affair.
 */
MUST_CHECK enum err csv_map_parse(struct csv_map *map, const char *spec,
                                  struct err_text *why);

/* The place of a key, or -1. */
int csv_map_find(const struct csv_map *map, const char *key);

/*
 * Finds the columns in the heading, which it reads. A file whose columns are all given as
 * #N may lack the heading.
 */
MUST_CHECK enum err csv_map_bind(struct csv_map *map, struct csv *csv,
                                 struct err_text *why);

/*
 * The row read last as numbers, in the order of map->columns; values[map->time] is not
 * set. ERR_INVALID names line and column when time or a number cannot be read.
 */
MUST_CHECK enum err csv_map_row(const struct csv_map *map, const struct csv *csv,
                                int64_t *time_ms, double values[CSV_COLUMNS_MAX],
                                struct err_text *why);

#endif
