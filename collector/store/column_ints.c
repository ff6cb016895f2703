// SPDX-License-Identifier: Apache-2.0
#include "collector/store/column.h"

#include <assert.h>

#include "collector/store/bits.h"

/*
 * The first byte of an integer column says how the rest is written: as tokens of the
 * differences of that order, or all differences of that order in as many bits each.
 */
enum ints_mode {
    TOKENS_1 = 1,
    TOKENS_2 = 2,
    PACKED_0 = 16,
    PACKED_1 = 17,
    PACKED_2 = 18,
};

#define ORDER_MAX 2

static uint64_t zigzag(uint64_t number)
{
    return (number << 1) ^ (0 - (number >> 63));
}

static uint64_t unzigzag(uint64_t number)
{
    return (number >> 1) ^ (0 - (number & 1));
}

/*
 * Tokens of an integer column, as varints:
 *     zigzag(difference) << 1            one difference
 *     (n << 1) | 1, n > 0                the difference before, n more times
 *     1, then 8 bytes                    a difference that does not fit above
 */
#define LITERAL_MAX (UINT64_MAX >> 1)
#define VARINT_MAX  10 /* bytes */

/* Room for the longest token is there; the first byte behind it. */
static uint8_t *write_varint(uint8_t *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *at++ = (uint8_t)(number | 0x80);
    *at++ = (uint8_t)number;
    return at;
}

static uint8_t *write_run(uint8_t *at, uint64_t run)
{
    return run > 0 ? write_varint(at, run << 1 | 1) : at;
}

static uint8_t *write_difference(uint8_t *at, uint64_t difference)
{
    uint64_t folded = zigzag(difference);
    if (folded <= LITERAL_MAX)
        return write_varint(at, folded << 1);
    *at++ = 1;
    bytes_put_u64(at, difference);
    return at + sizeof difference;
}

/* All arithmetic is modulo 2^64, so that any numbers come back. */
static void put_tokens(struct buf *out, const int64_t *numbers, size_t count,
                       enum ints_mode order)
{
    uint8_t *start = buf_reserve(out, 1 + (count + 1) * 2 * VARINT_MAX);
    uint8_t *at = start;
    uint64_t number = 0;
    uint64_t step = 0;
    uint64_t last = 0;
    uint64_t run = 0;
    *at++ = (uint8_t)order;
    for (size_t i = 0; i < count; i++) {
        uint64_t first = (uint64_t)numbers[i] - number;
        uint64_t difference = order == TOKENS_2 ? first - step : first;
        number = (uint64_t)numbers[i];
        step = first;
        if (i > 0 && difference == last) {
            run++;
            continue;
        }
        at = write_run(at, run);
        run = 0;
        at = write_difference(at, difference);
        last = difference;
    }
    at = write_run(at, run);
    assert((size_t)(at - start) <= 1 + (count + 1) * 2 * VARINT_MAX);
    out->len += (size_t)(at - start);
}

/* Differences of order 0 to 2 from `order` on, of which all lie in [lowest, + span]. */
struct packing {
    unsigned order;
    uint64_t lowest;
    unsigned width; /* bits of the span */
    uint64_t bytes; /* of the packed part, at most */
};

static uint64_t difference_at(const int64_t *numbers, size_t i, unsigned order)
{
    uint64_t a = (uint64_t)numbers[i];
    if (order == 0)
        return a;
    uint64_t b = (uint64_t)numbers[i - 1];
    if (order == 1)
        return a - b;
    return a - 2 * b + (uint64_t)numbers[i - 2];
}

static struct packing packing_of(const int64_t *numbers, size_t count, unsigned order)
{
    assert(order <= ORDER_MAX && order < count);
    int64_t lowest = INT64_MAX;
    int64_t highest = INT64_MIN;
    for (size_t i = order; i < count; i++) {
        int64_t difference = (int64_t)difference_at(numbers, i, order);
        lowest = difference < lowest ? difference : lowest;
        highest = difference > highest ? difference : highest;
    }
    uint64_t span = (uint64_t)highest - (uint64_t)lowest;
    unsigned width = span == 0 ? 0 : 64 - (unsigned)__builtin_clzll(span);
    return (struct packing){
        .order = order,
        .lowest = (uint64_t)lowest,
        .width = width,
        .bytes = ((count - order) * width + 7) / 8,
    };
}

static void put_packed(struct buf *out, const int64_t *numbers, size_t count,
                       const struct packing *packing)
{
    struct bit_writer writer = {.out = out};
    buf_u8(out, (uint8_t)(PACKED_0 + packing->order));
    for (unsigned i = 0; i < packing->order; i++)
        buf_zigzag(out, numbers[i]);
    buf_zigzag(out, (int64_t)packing->lowest);
    buf_u8(out, (uint8_t)packing->width);
    for (size_t i = packing->order; i < count; i++)
        bits_put(&writer, difference_at(numbers, i, packing->order) - packing->lowest,
                 packing->width);
    bits_end(&writer);
}

static bool get_packed(struct buf_reader *in, unsigned order, int64_t *numbers,
                       size_t count)
{
    if (count < order)
        return false;
    for (unsigned i = 0; i < order; i++)
        numbers[i] = buf_read_zigzag(in);
    uint64_t lowest = (uint64_t)buf_read_zigzag(in);
    unsigned width = buf_read_u8(in);
    struct bit_reader reader = {.in = in};
    if (in->failed || width > 64)
        return false;
    for (size_t i = order; i < count; i++) {
        uint64_t difference = lowest + bits_get(&reader, width);
        uint64_t b = order > 0 ? (uint64_t)numbers[i - 1] : 0;
        uint64_t a = order > 1 ? (uint64_t)numbers[i - 2] : 0;
        numbers[i] = (int64_t)(difference + order * b - a);
    }
    return !in->failed;
}

/* In place of what was written from `start` on, when it is shorter. */
static void keep_shorter(struct buf *out, size_t start, struct buf *other)
{
    if (other->len < out->len - start) {
        out->len = start;
        buf_add(out, other->data, other->len);
    }
    buf_clear(other);
}

void column_put_ints(struct buf *out, const int64_t *numbers, size_t count)
{
    assert(count <= COLUMN_MAX);
    struct buf other = {0};
    size_t start = out->len;
    put_tokens(out, numbers, count, TOKENS_1);
    put_tokens(&other, numbers, count, TOKENS_2);
    keep_shorter(out, start, &other);
    for (unsigned order = 0; order <= ORDER_MAX && order < count; order++) {
        struct packing packing = packing_of(numbers, count, order);
        if (packing.bytes < out->len - start) {
            put_packed(&other, numbers, count, &packing);
            keep_shorter(out, start, &other);
        }
    }
    buf_fini(&other);
}

/* One token: how often its difference counts; 0 when the bytes are wrong. */
static uint64_t get_token(struct buf_reader *in, uint64_t *difference)
{
    uint64_t token = buf_read_varint(in);
    if ((token & 1) == 0)
        *difference = unzigzag(token >> 1);
    else if (token == 1)
        *difference = buf_read_u64(in);
    else
        return in->failed ? 0 : token >> 1;
    return in->failed ? 0 : 1;
}

static bool get_tokens(struct buf_reader *in, enum ints_mode order, int64_t *numbers,
                       size_t count)
{
    uint64_t number = 0;
    uint64_t step = 0;
    uint64_t difference = 0;
    for (size_t i = 0; i < count;) {
        uint64_t times = get_token(in, &difference);
        if (times == 0 || times > count - i)
            return false;
        for (; times > 0; times--, i++) {
            step = order == TOKENS_2 ? step + difference : difference;
            number += step;
            numbers[i] = (int64_t)number;
        }
    }
    return true;
}

bool column_get_ints(struct buf_reader *in, int64_t *numbers, size_t count)
{
    uint8_t mode = buf_read_u8(in);
    if (mode >= PACKED_0 && mode <= PACKED_2)
        return get_packed(in, mode - PACKED_0, numbers, count);
    if (mode != TOKENS_1 && mode != TOKENS_2)
        return false;
    return get_tokens(in, mode, numbers, count);
}

void column_put_runs(struct buf *out, const uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && numbers[end] == numbers[i])
            end++;
        buf_varint(out, end - i);
        buf_varint(out, numbers[i]);
        i = end;
    }
}

bool column_get_runs(struct buf_reader *in, uint64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count;) {
        uint64_t times = buf_read_varint(in);
        uint64_t number = buf_read_varint(in);
        if (in->failed || times == 0 || times > count - i)
            return false;
        for (; times > 0; times--)
            numbers[i++] = number;
    }
    return true;
}
