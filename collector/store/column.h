// SPDX-License-Identifier: Apache-2.0
/*
 * column - one field of many readings as few bytes: integers, doubles, runs.
 *
 * Each reader gives exactly what its writer was given, every bit. Readers fill `count`
 * numbers and return false when the bytes are not those of a column. Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_COLUMN_H
#define COLDCHAIN_COLLECTOR_STORE_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define COLUMN_MAX 1024 /* numbers */

/* Differences of first or second order, whichever is shorter. */
void column_put_ints(struct buf *out, const int64_t *numbers, size_t count);
bool column_get_ints(struct buf_reader *in, int64_t *numbers, size_t count);

/* Few distinct numbers that stay the same for long. */
void column_put_runs(struct buf *out, const uint64_t *numbers, size_t count);
bool column_get_runs(struct buf_reader *in, uint64_t *numbers, size_t count);

/* Decimals as integers; else the bits in which each differs from the one before. */
void column_put_doubles(struct buf *out, const double *numbers, size_t count);
bool column_get_doubles(struct buf_reader *in, double *numbers, size_t count);

/*
 * A second column that tends to be near the first, such as values before calibration:
 * none at all, the same, or a decimal difference; else on its own.
 */
void column_put_doubles_beside(struct buf *out, const double *beside,
                               const double *numbers, size_t count);
bool column_get_doubles_beside(struct buf_reader *in, const double *beside,
                               double *numbers, size_t count);

#endif
