// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/deflate.h"

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Never more than the limit; what comes out goes in again and comes out the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf large = {0};
    struct buf small = {0};
    struct buf again = {0};
    if (deflate_unpack(&large, data, size, LIMIT) == ERR_OK) {
        if (large.len > LIMIT)
            abort();
        deflate_gzip(&small, large.data, large.len);
        if (deflate_unpack(&again, small.data, small.len, large.len) != ERR_OK ||
            again.len != large.len ||
            (again.len > 0 && memcmp(again.data, large.data, again.len) != 0))
            abort();
    }
    buf_fini(&large);
    buf_fini(&small);
    buf_fini(&again);
    return 0;
}
