// SPDX-License-Identifier: Apache-2.0
/*
 * rows - arrays of plain structs that are kept in order, as the registry has them.
 *
 * One thread at a time.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_ROWS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_ROWS_H

#include <stdbool.h>
#include <stddef.h>

/* One kind's rows: where they are, how they are ordered. */
struct rows {
    void **rows; /* owned by whoever has the pointer */
    size_t *count;
    size_t *room; /* 0: exactly what there is */
    size_t size;  /* of one */
    int (*compare)(const void *, const void *);
};

/* The first row that is not before `key`. */
size_t rows_find(const struct rows *rows, const void *key);
/* Whether the row at that place is of that key; the place may be the end. */
bool rows_have(const struct rows *rows, size_t at, const void *key);
/* Replaces the row of that key, or inserts it. Where it is now. */
size_t rows_put(const struct rows *rows, const void *row);
/* False when there is none of that key; *at is where it was. */
bool rows_take(const struct rows *rows, const void *key, size_t *at);
/* Appends it: the order is to be made afterwards. */
void rows_add(const struct rows *rows, const void *row);

#endif
