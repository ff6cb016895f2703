// SPDX-License-Identifier: Apache-2.0
/*
 * db_copy - the copy of a store that is kept before its schema changes.
 *
 * PATH.version-N beside the store, N the version that wrote it: whole or not there at
 * all, on stable storage before db_copy_make() returns. Belongs to the thread of the
 * connection. Part of db.c only: it sees SQLite's own handle.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_DB_COPY_H
#define COLDCHAIN_COLLECTOR_STORE_DB_COPY_H

#include <stdint.h>

#include "base/err.h"

struct sqlite3;

/*
 * What an upgrade of a store of so many bytes needs on its disk: the copy, and as much
 * again for the log of a step that rewrites everything.
 */
uint64_t db_copy_needs(uint64_t store_bytes);
/* How much whoever runs us may write where `path` is; 0 when that cannot be told. */
uint64_t db_copy_free_bytes(const char *path);

/* FULL before anything is written, or when space ends all the same; nothing stays then.
 */
MUST_CHECK enum err db_copy_check_space(const char *path, uint64_t needed, uint64_t free,
                                        struct err_text *why);
/* Replaces a copy of the same version, which an interrupted upgrade left. */
MUST_CHECK enum err db_copy_make(struct sqlite3 *from, const char *path, int64_t version,
                                 struct err_text *why);
/* The store as it is at this moment into a new file: synced and checked, or not there. */
MUST_CHECK enum err db_copy_write(struct sqlite3 *from, const char *path,
                                  struct err_text *why);
/* Removes the copies of versions below `version`. */
void db_copy_remove_older(const char *path, int64_t version);

#endif
