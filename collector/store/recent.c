// SPDX-License-Identifier: Apache-2.0
#include "collector/store/recent.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define HEAD_QUALITY 0x0f
#define HEAD_MISSING 0x10
#define HEAD_RAW     0x20

/* Qualities are stored as numbers, here and in chunks: only append to the list. */
static_assert(QUALITY_GOOD == 0 && QUALITY_OPEN == 1 && QUALITY_SHORT == 2 &&
                  QUALITY_RANGE == 3 && QUALITY_TIMEOUT == 4 && QUALITY_CHECKSUM == 5 &&
                  QUALITY_STARTUP == 6 && QUALITY_FAULT == 7,
              "stored readings name their quality by these numbers");

static bool is_missing(double number)
{
    double none = (double)NAN;
    return memcmp(&number, &none, sizeof none) == 0;
}

static void put_reading(struct buf *out, const struct reading *reading, int64_t series,
                        int64_t base_ms)
{
    assert(reading->quality <= HEAD_QUALITY && series > 0);
    bool has_value = !is_missing(reading->value);
    bool has_raw = !is_missing(reading->raw);
    buf_u8(out, (uint8_t)(reading->quality | (has_value ? 0 : HEAD_MISSING) |
                          (has_raw ? HEAD_RAW : 0)));
    buf_varint(out, (uint64_t)series);
    buf_zigzag(out, (int64_t)((uint64_t)reading->time_ms - (uint64_t)base_ms));
    if (has_value)
        buf_f64(out, reading->value);
    if (has_raw)
        buf_f64(out, reading->raw);
}

void recent_encode(struct buf *out, const struct pack *pack, const int64_t *series,
                   int64_t arrival_ms, const struct seq_range *lost)
{
    buf_varint(out, pack->reading_count);
    buf_varint(out, lost != NULL);
    if (lost != NULL) {
        assert(lost->first > 0 && lost->first <= lost->last);
        buf_varint(out, lost->first);
        buf_varint(out, lost->last - lost->first);
    }
    int64_t base_ms = arrival_ms;
    for (size_t i = 0; i < pack->reading_count; i++) {
        const struct reading *reading = &pack->readings[i];
        assert(reading->channel < pack->channel_count);
        put_reading(out, reading, series[reading->channel], base_ms);
        base_ms = reading->time_ms;
    }
}

bool recent_read(struct recent_reader *reader, const void *data, size_t len,
                 int64_t arrival_ms)
{
    *reader = (struct recent_reader){.in = buf_reader_of(data, len)};
    struct buf_reader *in = &reader->in;
    reader->time_ms = arrival_ms;
    reader->left = buf_read_varint(in);
    uint64_t ranges = buf_read_varint(in);
    if (ranges > 1)
        return false;
    if (ranges == 1) {
        reader->lost.first = buf_read_varint(in);
        uint64_t extent = buf_read_varint(in);
        if (reader->lost.first == 0 || extent > UINT64_MAX - reader->lost.first)
            return false;
        reader->lost.last = reader->lost.first + extent;
    }
    return !in->failed;
}

bool recent_next(struct recent_reader *reader, int64_t *series, struct sample *sample)
{
    struct buf_reader *in = &reader->in;
    if (reader->left == 0 || in->failed)
        return false;
    uint8_t head = buf_read_u8(in);
    *series = (int64_t)buf_read_varint(in);
    reader->time_ms =
        (int64_t)((uint64_t)reader->time_ms + (uint64_t)buf_read_zigzag(in));
    sample->time_ms = reader->time_ms;
    sample->quality = head & HEAD_QUALITY;
    sample->value = (head & HEAD_MISSING) != 0 ? (double)NAN : buf_read_f64(in);
    sample->raw = (head & HEAD_RAW) != 0 ? buf_read_f64(in) : (double)NAN;
    reader->left--;
    return !in->failed;
}
