// SPDX-License-Identifier: Apache-2.0
/*
 * disk - struct journal_io made convenient: whole reads and writes, EINTR, enum err.
 *
 * Nothing here repeats a failed sync. Any thread.
 */
#ifndef COLDCHAIN_JOURNAL_DISK_H
#define COLDCHAIN_JOURNAL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/journal_io.h"

/* Never ERR_OK: errno of a call that failed, as the journal's own error. */
enum err disk_error(void);

MUST_CHECK enum err disk_open(const struct journal_io *io, int dir, const char *name,
                              int flags, int *fd);

/* The result of close counts: a delayed error may show only there. fd < 0 is OK. */
MUST_CHECK enum err disk_close(const struct journal_io *io, int fd);

/* For what was only read, or is given up already. */
void disk_abandon(const struct journal_io *io, int fd);

/* Writes all. On failure *written (may be NULL) is how much surely is in the file. */
MUST_CHECK enum err disk_write(const struct journal_io *io, int fd, const void *data,
                               size_t len, uint64_t offset, size_t *written);

/* Overwrites with zeros as far as the disk lets it. */
void disk_wipe(const struct journal_io *io, int fd, uint64_t offset, size_t len);

/* Reads until `len`, end of file or failure; *got is what was read in each case. */
MUST_CHECK enum err disk_read(const struct journal_io *io, int fd, void *data, size_t len,
                              uint64_t offset, size_t *got);

/* The same, tried anew when the disk fails: not every failure lasts. */
MUST_CHECK enum err disk_read_again(const struct journal_io *io, int fd, void *data,
                                    size_t len, uint64_t offset, size_t *got);

/* EINTR counts as failure: what it left unsynced is not known. */
MUST_CHECK enum err disk_sync(const struct journal_io *io, int fd);
MUST_CHECK enum err disk_sync_dir(const struct journal_io *io, int dir);

MUST_CHECK enum err disk_truncate(const struct journal_io *io, int fd, uint64_t len);

/* Reserves [offset, len) and makes the file `len` long, sparse where it must be. */
MUST_CHECK enum err disk_reserve(const struct journal_io *io, int fd, uint64_t offset,
                                 uint64_t len);

/* Everything in [offset, result) is zero; offset itself when that is not known. */
uint64_t disk_skip_hole(const struct journal_io *io, int fd, uint64_t offset,
                        uint64_t limit);

MUST_CHECK enum err disk_size(const struct journal_io *io, int fd, uint64_t *size);
MUST_CHECK enum err disk_unlink(const struct journal_io *io, int dir, const char *name);
MUST_CHECK enum err disk_rename(const struct journal_io *io, int from_dir,
                                const char *from, int to_dir, const char *to);
/* ERR_EXISTS when it is there. */
MUST_CHECK enum err disk_mkdir(const struct journal_io *io, int dir, const char *name);

#endif
