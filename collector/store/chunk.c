// SPDX-License-Identifier: Apache-2.0
#include "collector/store/chunk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "collector/store/column.h"

#define CHUNK_VERSION 1
#define CRC_BYTES     4

static_assert(CHUNK_SAMPLES_MAX <= COLUMN_MAX, "a chunk is made of columns");

/*
 *     +-----------+---------+---------------+------+---------+-------+-----+-------+-----+
 *     | crc32c    | version | count         | time | quality | epoch | seq | value | raw
 * | | 4 bytes   | 1 byte  | varint        | columns, and arrival behind them         |
 *     +-----------+---------+---------------+------------------------------------------+
 *     the checksum is that of everything behind it
 */

void samples_fini(struct samples *samples)
{
    free(samples->items);
    *samples = (struct samples){0};
}

void samples_reserve(struct samples *samples, size_t count)
{
    mem_grow(&samples->items, &samples->capacity, samples->count + count,
             sizeof *samples->items);
}

void samples_add(struct samples *samples, const struct sample *sample)
{
    if (samples->count == samples->capacity)
        samples_reserve(samples, 1);
    samples->items[samples->count++] = *sample;
}

/* When a message brings one reading, arrival follows time; when it brings many, not. */
static void put_arrivals(struct buf *out, const struct sample *samples, size_t count)
{
    assert(count <= CHUNK_SAMPLES_MAX);
    int64_t arrivals[CHUNK_SAMPLES_MAX];
    int64_t delays[CHUNK_SAMPLES_MAX];
    struct buf absolute = {0};
    struct buf relative = {0};
    for (size_t i = 0; i < count; i++) {
        arrivals[i] = samples[i].arrival_ms;
        delays[i] =
            (int64_t)((uint64_t)samples[i].arrival_ms - (uint64_t)samples[i].time_ms);
    }
    column_put_ints(&absolute, arrivals, count);
    column_put_ints(&relative, delays, count);
    bool is_relative = relative.len < absolute.len;
    const struct buf *shorter = is_relative ? &relative : &absolute;
    buf_u8(out, is_relative);
    buf_add(out, shorter->data, shorter->len);
    buf_fini(&absolute);
    buf_fini(&relative);
}

static bool get_arrivals(struct buf_reader *in, struct sample *samples, size_t count)
{
    assert(count <= CHUNK_SAMPLES_MAX);
    int64_t numbers[CHUNK_SAMPLES_MAX];
    uint8_t is_relative = buf_read_u8(in);
    if (is_relative > 1 || !column_get_ints(in, numbers, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        uint64_t base = is_relative ? (uint64_t)samples[i].time_ms : 0;
        samples[i].arrival_ms = (int64_t)(base + (uint64_t)numbers[i]);
    }
    return true;
}

static void put_names(struct buf *out, const struct sample *samples, size_t count)
{
    assert(count <= CHUNK_SAMPLES_MAX);
    int64_t signed_numbers[CHUNK_SAMPLES_MAX] = {0}; /* gcc at -O2 sees count 0 */
    uint64_t numbers[CHUNK_SAMPLES_MAX];
    for (size_t i = 0; i < count; i++)
        signed_numbers[i] = samples[i].time_ms;
    column_put_ints(out, signed_numbers, count);
    for (size_t i = 0; i < count; i++)
        numbers[i] = samples[i].quality;
    column_put_runs(out, numbers, count);
    for (size_t i = 0; i < count; i++)
        numbers[i] = samples[i].epoch;
    column_put_runs(out, numbers, count);
    for (size_t i = 0; i < count; i++)
        signed_numbers[i] = (int64_t)samples[i].seq;
    column_put_ints(out, signed_numbers, count);
}

static bool get_names(struct buf_reader *in, struct sample *samples, size_t count)
{
    int64_t signed_numbers[CHUNK_SAMPLES_MAX] = {0}; /* gcc at -O2 sees count 0 */
    uint64_t numbers[CHUNK_SAMPLES_MAX];
    if (!column_get_ints(in, signed_numbers, count))
        return false;
    for (size_t i = 0; i < count; i++)
        samples[i].time_ms = signed_numbers[i];
    if (!column_get_runs(in, numbers, count))
        return false;
    for (size_t i = 0; i < count; i++)
        samples[i].quality = (uint8_t)numbers[i];
    if (!column_get_runs(in, numbers, count))
        return false;
    for (size_t i = 0; i < count; i++)
        samples[i].epoch = numbers[i];
    if (!column_get_ints(in, signed_numbers, count))
        return false;
    for (size_t i = 0; i < count; i++)
        samples[i].seq = (uint64_t)signed_numbers[i];
    return true;
}

static void put_values(struct buf *out, const struct sample *samples, size_t count)
{
    double values[CHUNK_SAMPLES_MAX];
    double raws[CHUNK_SAMPLES_MAX];
    for (size_t i = 0; i < count; i++) {
        values[i] = samples[i].value;
        raws[i] = samples[i].raw;
    }
    column_put_doubles(out, values, count);
    column_put_doubles_beside(out, values, raws, count);
}

static bool get_values(struct buf_reader *in, struct sample *samples, size_t count)
{
    double values[CHUNK_SAMPLES_MAX];
    double raws[CHUNK_SAMPLES_MAX];
    if (!column_get_doubles(in, values, count) ||
        !column_get_doubles_beside(in, values, raws, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        samples[i].value = values[i];
        samples[i].raw = raws[i];
    }
    return true;
}

void chunk_encode(const struct sample *samples, size_t count, struct buf *out)
{
    assert(count > 0 && count <= CHUNK_SAMPLES_MAX);
    size_t start = out->len;
    buf_u32(out, 0);
    buf_u8(out, CHUNK_VERSION);
    buf_varint(out, count);
    put_names(out, samples, count);
    put_values(out, samples, count);
    put_arrivals(out, samples, count);
    uint32_t crc = crc32c(0, out->data + start + CRC_BYTES, out->len - start - CRC_BYTES);
    bytes_put_u32(out->data + start, crc);
}

enum err chunk_decode(const void *data, size_t len, struct samples *samples)
{
    struct buf_reader in = buf_reader_of(data, len);
    uint32_t crc = buf_read_u32(&in);
    if (in.failed || crc32c(0, in.data + CRC_BYTES, len - CRC_BYTES) != crc)
        return ERR_CORRUPT;
    uint8_t version = buf_read_u8(&in);
    uint64_t count = buf_read_varint(&in);
    if (in.failed || version != CHUNK_VERSION || count == 0 || count > CHUNK_SAMPLES_MAX)
        return ERR_CORRUPT;
    samples_reserve(samples, count);
    struct sample *items = samples->items + samples->count;
    if (!get_names(&in, items, count) || !get_values(&in, items, count) ||
        !get_arrivals(&in, items, count) || in.at != len)
        return ERR_CORRUPT;
    samples->count += count;
    return ERR_OK;
}
