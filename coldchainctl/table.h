// SPDX-License-Identifier: Apache-2.0
/*
 * table - aligned columns on a terminal, right for Chinese text too.
 *
 * Cells are UTF-8; East Asian wide characters count as two columns whatever the locale.
 * A zeroed struct is an empty table. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_TABLE_H
#define COLDCHAIN_COLDCHAINCTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

struct table {
    const char *headings[TABLE_COLUMNS_MAX]; /* a leading '>' aligns right; NULL ends */
    char **cells;
    size_t count;
    size_t capacity;
};

/* The next cell, row by row; the table owns the copy. */
void table_cell(struct table *table, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Headings, then the rows; the last one may be short. */
void table_print(const struct table *table, FILE *out);

void table_fini(struct table *table);

/* Columns that a UTF-8 text takes on a terminal. */
size_t table_width(const char *text);

#endif
