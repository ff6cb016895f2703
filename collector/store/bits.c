// SPDX-License-Identifier: Apache-2.0
#include "collector/store/bits.h"

#include <assert.h>

#define HALF 32 /* bits that always fit beside the up to 7 pending ones */

static uint64_t lowest(uint64_t bits, unsigned count)
{
    return bits & (((uint64_t)1 << count) - 1);
}

static void put_half(struct bit_writer *writer, uint64_t bits, unsigned count)
{
    assert(count <= HALF && writer->pending < 8);
    uint64_t all = writer->bits << count | lowest(bits, count);
    unsigned left = writer->pending + count;
    uint8_t bytes[(HALF + 7) / 8 + 1];
    size_t len = 0;
    while (left >= 8) {
        left -= 8;
        bytes[len++] = (uint8_t)(all >> left);
    }
    buf_add(writer->out, bytes, len);
    writer->pending = left;
    writer->bits = lowest(all, left);
}

void bits_put(struct bit_writer *writer, uint64_t bits, unsigned count)
{
    assert(count <= 64);
    if (count > HALF) {
        put_half(writer, bits >> HALF, count - HALF);
        count = HALF;
    }
    put_half(writer, bits, count);
}

void bits_end(struct bit_writer *writer)
{
    if (writer->pending > 0)
        bits_put(writer, 0, 8 - writer->pending);
}

static uint64_t get_half(struct bit_reader *reader, unsigned count)
{
    assert(count <= HALF && reader->left < 8);
    uint64_t all = reader->bits;
    unsigned have = reader->left;
    while (have < count) {
        all = all << 8 | buf_read_u8(reader->in);
        have += 8;
    }
    reader->left = have - count;
    reader->bits = lowest(all, reader->left);
    return all >> reader->left;
}

uint64_t bits_get(struct bit_reader *reader, unsigned count)
{
    assert(count <= 64);
    if (count <= HALF)
        return get_half(reader, count);
    uint64_t high = get_half(reader, count - HALF);
    return high << HALF | get_half(reader, HALF);
}
