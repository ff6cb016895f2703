// SPDX-License-Identifier: Apache-2.0
/*
 * number - doubles as decimal text and back, exactly, whatever the locale.
 *
 * The text is that of JSON (RFC 8259 section 6), which line protocol and CSV read too.
 * Short numbers, which nearly all readings are, take a fast way that rounds correctly
 * because both the digits and the power of ten are exact doubles (Clinger 1990, "How to
 * read floating point numbers accurately"); the rest goes through the C library. Pure;
 * any thread.
 */
#ifndef COLDCHAIN_BASE_NUMBER_H
#define COLDCHAIN_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_SIZE     32  /* fits every double */
#define NUMBER_TEXT_MAX 512 /* what is longer is not taken for a number */

/*
 * Writes the fewest digits that read back as the same double, and a NUL; returns the
 * length. `value` is finite.
 */
size_t number_format(double value, char text[NUMBER_SIZE]);
/* Whole numbers, up to 20 digits and sign. */
size_t number_format_i64(int64_t value, char text[NUMBER_SIZE]);
size_t number_format_u64(uint64_t value, char text[NUMBER_SIZE]);

/*
 * Reads the number that `text` starts with; returns its length. 0, and *value unchanged,
 * when there is none ("+1", ".5", "1.", "01" read as what precedes the fault or as none)
 * or when it is too large for a double.
 */
size_t number_scan(double *value, const char *text, size_t len);

#endif
