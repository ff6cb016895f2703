// SPDX-License-Identifier: Apache-2.0
/*
 * bits - numbers of any width in a stream of bits, the most significant bit first.
 *
 * Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_BITS_H
#define COLDCHAIN_COLLECTOR_STORE_BITS_H

#include <stdint.h>

#include "base/buf.h"

struct bit_writer {
    struct buf *out;
    unsigned pending; /* how many are not written yet, below 8 */
    uint64_t bits;    /* those */
};

/* The lowest `count` bits, at most 64. */
void bits_put(struct bit_writer *writer, uint64_t bits, unsigned count);
/* Fills the last byte with zeros. */
void bits_end(struct bit_writer *writer);

struct bit_reader {
    struct buf_reader *in;
    unsigned left; /* how many of the last byte are not given yet */
    uint64_t bits; /* those */
};

/* Zeros, with in->failed set, behind the end. */
uint64_t bits_get(struct bit_reader *reader, unsigned count);

#endif
