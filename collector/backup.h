// SPDX-License-Identifier: Apache-2.0
/*
 * backup - all stores of a running collector as of one moment, to be fetched in pieces.
 *
 * Staged in DATA_DIR/backup: copies of state.db and of the history's files, then links to
 * the journal's segments. The copies come first, so that the journal, up to what is
 * synced by then, holds everything behind them. One at a time; what nobody fetched for a
 * minute gives way to the next. Any thread; calls block on the disk.
 */
#ifndef COLDCHAIN_COLLECTOR_BACKUP_H
#define COLDCHAIN_COLLECTOR_BACKUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collector/store/follower.h"
#include "journal/journal.h"

#define BACKUP_PIECE_MAX (1u << 20)

struct backup;

struct backup_options {
    const char *data_dir;
    const char *state_path;
    struct journal *journal;
    struct follower *history;
};

/* Borrows what the options point to. */
struct backup *backup_create(const struct backup_options *options);
/* Removes what is staged. Accepts NULL. */
void backup_destroy(struct backup *backup);

/*
 * Stages, and adds {"id", "store", "version", "position", "files"} as JSON; a file has a
 * "name", a "size", and a "full" size that zeros behind its bytes fill up. BUSY: another
 * one is being fetched.
 */
MUST_CHECK enum err backup_begin(struct backup *backup, struct buf *json,
                                 struct err_text *why);
/* At most `len` bytes of a file from `offset`; fewer at its end. NOT_FOUND: no such
 * backup or file. */
MUST_CHECK enum err backup_read(struct backup *backup, const char *id, const char *name,
                                uint64_t offset, size_t len, struct buf *into);
/* It was fetched, or is not wanted any more. */
MUST_CHECK enum err backup_end(struct backup *backup, const char *id);

#endif
