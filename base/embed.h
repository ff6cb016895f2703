// SPDX-License-Identifier: Apache-2.0
/*
 * embed - files that are part of the program, put there by cmake/Embed.cmake.
 *
 * `coldchain_embed(cc_x x_files ...)` in CMake defines `const struct embed_file
 * x_files[]` and `const size_t x_files_count`; the user declares both extern. Constant;
 * any thread.
 */
#ifndef COLDCHAIN_BASE_EMBED_H
#define COLDCHAIN_BASE_EMBED_H

#include <stddef.h>

/* `data` has a NUL behind `size`, so text can be used as it is. */
struct embed_file {
    const char *name; /* path below the embedded folder */
    const unsigned char *data;
    size_t size;
};

#endif
