// SPDX-License-Identifier: Apache-2.0
/*
 * deflate - the door to zlib: bytes made small, and made large again up to a limit.
 *
 * zlib format (RFC 1950, first byte 0x78) for packs, gzip (RFC 1952) for HTTP bodies;
 * packs at level 6, bodies at level 1. Pure; any thread.
 */
#ifndef COLDCHAIN_BASE_DEFLATE_H
#define COLDCHAIN_BASE_DEFLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends `data` in zlib format. */
void deflate_pack(struct buf *out, const void *data, size_t len);
/* Appends `data` in gzip format, with no name and no time: equal in, equal out. */
void deflate_gzip(struct buf *out, const void *data, size_t len);

/*
 * Appends what one whole stream of either format holds. LIMIT when that is more than
 * `limit` bytes, found without making them; INVALID when it is damaged, cut, needs a
 * dictionary, or bytes follow it. `out` is unchanged on failure.
 */
MUST_CHECK enum err deflate_unpack(struct buf *out, const void *data, size_t len,
                                   size_t limit);

#endif
