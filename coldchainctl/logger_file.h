// SPDX-License-Identifier: Apache-2.0
/*
 * logger_file - a logger's CSV file as packs of a device (docs/wire.md, section 3).
 *
 * UTF-8 or UTF-16 with a byte order mark; separators, decimal commas and times as
 * base/csv reads them. The same file with the same columns gives the same epoch and the
 * same bytes, so that what was taken once is not taken again. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_LOGGER_FILE_H
#define COLDCHAIN_COLDCHAINCTL_LOGGER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define LOGGER_FILE_MAX (64u << 20)

struct logger_options {
    const char *columns; /* time=HEADING,CHANNEL=HEADING[@UNIT],... */
    const char *org;
    const char *device;
    bool is_partial; /* rows that cannot be read are left out, a last line without end too
                      */
    bool is_whole;   /* a last line without end is all there */
};

struct logger_file {
    char epoch[17];
    struct buf *packs; /* the n-th has seq n + 1 */
    size_t count;
    size_t capacity;
    size_t rows;
    size_t readings;
    size_t refused; /* rows */
    struct err_text first_refusal;
    int64_t first_ms;
    int64_t last_ms;
};

/*
 * INVALID names the line that cannot be read: nothing is half taken, unless is_partial.
 * NOT_FOUND: no row can be used. The caller runs logger_file_fini in any case.
 */
MUST_CHECK enum err logger_file_parse(struct logger_file *file, const void *data,
                                      size_t len, const struct logger_options *options,
                                      struct err_text *why);
void logger_file_fini(struct logger_file *file);

#endif
