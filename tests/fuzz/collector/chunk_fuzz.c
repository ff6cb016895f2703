// SPDX-License-Identifier: Apache-2.0
/* Bytes behind a valid checksum: decoding ends, and what it takes comes back the same. */
#include "collector/store/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
    if (!is_true)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf chunk = {0};
    struct buf again = {0};
    struct samples samples = {0};
    struct samples back = {0};
    buf_u32(&chunk, crc32c(0, data, size));
    buf_add(&chunk, data, size);
    if (chunk_decode(chunk.data, chunk.len, &samples) == ERR_OK) {
        chunk_encode(samples.items, samples.count, &again);
        must(chunk_decode(again.data, again.len, &back) == ERR_OK);
        must(back.count == samples.count);
        for (size_t i = 0; i < back.count; i++) {
            must(back.items[i].time_ms == samples.items[i].time_ms);
            must(memcmp(&back.items[i].value, &samples.items[i].value, 8) == 0);
            must(memcmp(&back.items[i].raw, &samples.items[i].raw, 8) == 0);
        }
    }
    samples_fini(&samples);
    samples_fini(&back);
    buf_fini(&chunk);
    buf_fini(&again);
    return 0;
}
