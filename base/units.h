// SPDX-License-Identifier: Apache-2.0
/*
 * units - durations and sizes as people write them: "90s", "1h30m", "64M".
 *
 * Pure. What format writes, parse reads back to the same number.
 */
#ifndef COLDCHAIN_BASE_UNITS_H
#define COLDCHAIN_BASE_UNITS_H

#include <stdint.h>

#include "base/err.h"

#define UNITS_TEXT_MAX 32

/*
 * "250ms", "10s", "5m", "1h30m", "2d", "0": units ms, s, m, h, d, each at most once, from
 * large to small. A number without a unit is refused, for nobody knows what it means.
 */
MUST_CHECK enum err units_parse_duration(int64_t *ms, const char *text);
/* Exact; "0" and negatives ("-5s") included. Returns text. */
const char *units_format_duration(char text[UNITS_TEXT_MAX], int64_t ms);

/* Bytes: "4096", "64K", "64M", "2G", "1T", powers of 1024; "64MiB" is the same as "64M".
 */
MUST_CHECK enum err units_parse_size(int64_t *bytes, const char *text);
/* Exact: in the largest unit that divides it. Returns text. */
const char *units_format_size(char text[UNITS_TEXT_MAX], int64_t bytes);

#endif
