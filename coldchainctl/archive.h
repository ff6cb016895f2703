// SPDX-License-Identifier: Apache-2.0
/*
 * archive - the files of a backup in a folder or in one .tar (ustar), written and read.
 *
 * Names are those of a collector's stores: NAME, journal/NAME or history/NAME of plain
 * characters; no other name is written or read, so that none leads out of the folder.
 * What is written has its name once it is whole and synced. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_ARCHIVE_H
#define COLDCHAIN_COLDCHAINCTL_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ARCHIVE_NAME_MAX 100

struct archive;

/* A folder, or FILE.tar; EXISTS: it is there already. */
MUST_CHECK enum err archive_create(struct archive **archive, const char *path,
                                   struct err_text *why);
/* One file after another: its name and size, then all its bytes. */
MUST_CHECK enum err archive_begin(struct archive *archive, const char *name,
                                  uint64_t size, struct err_text *why);
MUST_CHECK enum err archive_write(struct archive *archive, const void *data, size_t len,
                                  struct err_text *why);
/* Ends, syncs, and gives it its name. */
MUST_CHECK enum err archive_finish(struct archive *archive, struct err_text *why);
/* Removes what was not finished. Accepts NULL. */
void archive_close(struct archive *archive);

/* Each file is begun, then its bytes come in pieces. An error ends the walk. */
struct archive_visitor {
    void *context;
    enum err (*begin)(void *context, const char *name, uint64_t size,
                      struct err_text *why);
    enum err (*data)(void *context, const void *data, size_t len, struct err_text *why);
};

/* CORRUPT: it is no backup, or it is torn. */
MUST_CHECK enum err archive_read(const char *path, const struct archive_visitor *visitor,
                                 struct err_text *why);

bool archive_is_name(const char *name);

#endif
