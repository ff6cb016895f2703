// SPDX-License-Identifier: Apache-2.0
#include "collector/store/bits.h"

#include <assert.h>

void bits_put(struct bit_writer *writer, uint64_t bits, unsigned count)
{
    while (count > 0) {
        unsigned room = 8 - writer->pending;
        unsigned take = count < room ? count : room;
        uint64_t part = bits >> (count - take) & ((1u << take) - 1);
        writer->byte = (uint8_t)((unsigned)writer->byte << take | part);
        writer->pending += take;
        count -= take;
        if (writer->pending == 8) {
            buf_u8(writer->out, writer->byte);
            writer->pending = 0;
            writer->byte = 0;
        }
    }
}

void bits_end(struct bit_writer *writer)
{
    if (writer->pending > 0)
        bits_put(writer, 0, 8 - writer->pending);
}

uint64_t bits_get(struct bit_reader *reader, unsigned count)
{
    uint64_t bits = 0;
    while (count > 0) {
        if (reader->left == 0) {
            reader->byte = buf_read_u8(reader->in);
            reader->left = 8;
        }
        unsigned take = count < reader->left ? count : reader->left;
        uint64_t part =
            (unsigned)reader->byte >> (reader->left - take) & ((1u << take) - 1);
        bits = bits << take | part;
        reader->left -= take;
        count -= take;
    }
    return bits;
}
