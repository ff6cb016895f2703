// SPDX-License-Identifier: Apache-2.0
/*
 * manifest - what is in a backup: each file with its size and hash (BLAKE2b, 256 bits).
 *
 * manifest.json is the last file of the archive. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_MANIFEST_H
#define COLDCHAIN_COLDCHAINCTL_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

#define MANIFEST_NAME "manifest.json"

/* What a walk through an archive found; a zeroed struct is empty. */
struct manifest_check {
    json_t *found; /* name -> {size, hash} */
    json_t *said;  /* the manifest, when it has passed */
    uint64_t bytes;
    size_t files;
};

/*
 * Reads the whole archive and compares it with its manifest. `copy_to`, when it is not
 * NULL, is a folder that its files are written into meanwhile, each synced. CORRUPT names
 * the first file that differs.
 */
MUST_CHECK enum err manifest_verify(struct manifest_check *check, const char *path,
                                    const char *copy_to, const char *label,
                                    struct err_text *why);
void manifest_check_fini(struct manifest_check *check);

#endif
