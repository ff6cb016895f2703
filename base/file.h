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

/* Makes names that were added to or removed from the folder last through a power cut. */
MUST_CHECK enum err file_sync_dir(const char *path);

#endif
