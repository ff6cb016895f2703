// SPDX-License-Identifier: Apache-2.0
/*
 * chunk - up to CHUNK_SAMPLES_MAX readings of one series as few bytes, exactly.
 *
 * Column by column: numbers as differences or differences of differences with runs;
 * values as scaled integers where all of them are decimals of at most four places, else
 * as the bits in which they differ from the value before. Every bit of every field comes
 * back. The bytes are drawn in docs/stores.md. Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_CHUNK_H
#define COLDCHAIN_COLLECTOR_STORE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define CHUNK_SAMPLES_MAX 1024

struct sample {
    int64_t time_ms;
    int64_t arrival_ms;
    double value;
    double raw;
    uint64_t epoch;
    uint64_t seq;
    uint8_t quality;
};

/* A zeroed struct is empty. */
struct samples {
    struct sample *items;
    size_t count;
    size_t capacity;
};

void samples_fini(struct samples *samples);
/* Makes room for `count` more. */
void samples_reserve(struct samples *samples, size_t count);
void samples_add(struct samples *samples, const struct sample *sample);

/* Appends the chunk to `out`. 1 <= count <= CHUNK_SAMPLES_MAX; any order of times. */
void chunk_encode(const struct sample *samples, size_t count, struct buf *out);
/* Appends the samples to `samples`. CORRUPT, changing nothing: not such a chunk. */
MUST_CHECK enum err chunk_decode(const void *data, size_t len, struct samples *samples);

#endif
