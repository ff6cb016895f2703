// SPDX-License-Identifier: Apache-2.0
/*
 * table - aligned columns on a terminal, right for Chinese text too.
 *
 * Cells are UTF-8; East Asian wide characters count as two columns whatever the locale.
 * A zeroed struct is an empty table. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_TABLE_H
#define COLDCHAIN_COLDCHAINCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 16

struct table_cell {
    char *text;
    bool is_alarm;
};

struct table {
    const char *headings[TABLE_COLUMNS_MAX]; /* a leading '>' aligns right; NULL ends */
    struct table_cell *cells;
    size_t count;
    size_t capacity;
};

/* Where a table is printed; zeroed: a file. */
struct table_look {
    size_t columns; /* to keep to; 0: as wide as it is */
    bool has_color; /* alarms are red */
};

/* The next cell, row by row; the table owns the copy. */
void table_cell(struct table *table, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The last cell is something that somebody should look at. */
void table_alarm(struct table *table);

/*
 * Headings, by say(), then the rows; the last one may be short. On a terminal columns of
 * text give way, the widest first, and end in "…"; numbers and all that fits stay whole.
 */
void table_print(const struct table *table, FILE *out);
void table_print_as(const struct table *table, FILE *out, const struct table_look *look);

void table_fini(struct table *table);

/* Columns that a UTF-8 text takes on a terminal. */
size_t table_width(const char *text);

#endif
