// SPDX-License-Identifier: Apache-2.0
/*
 * file - a whole small file in one call; folders.
 */
#ifndef COLDCHAIN_BASE_FILE_H
#define COLDCHAIN_BASE_FILE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Adds the bytes of the file to `into`. LIMIT when there are more than `max`, else as
 * err_from_errno; `why` names the file and the reason.
 */
MUST_CHECK enum err file_read(struct buf *into, const char *path, size_t max,
                              struct err_text *why);

/* The folder and its parents, as mkdir -p with mode 0750; there already is fine. */
MUST_CHECK enum err file_make_dirs(const char *path, struct err_text *why);

/*
 * Makes the file hold exactly that, for ever: a reader sees the old or the new, whole,
 * and so does who comes after a power cut. Mode 0640. On failure the old one stays.
 */
MUST_CHECK enum err file_replace(const char *path, const void *data, size_t len,
                                 struct err_text *why);
/* The file is gone for ever; none there is fine. */
MUST_CHECK enum err file_remove(const char *path, struct err_text *why);

/* Makes names that were added to or removed from the folder last through a power cut. */
MUST_CHECK enum err file_sync_dir(const char *path);

#endif
