// SPDX-License-Identifier: Apache-2.0
#include "collector/store/column.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "collector/store/bits.h"

static_assert(sizeof(double) == sizeof(uint64_t), "doubles are 64 bits");

#define PLACES_MAX 4
static const double powers[PLACES_MAX + 1] = {1.0, 10.0, 100.0, 1000.0, 10000.0};

enum double_mode {
    MODE_DECIMAL = 0,     /* + places, 0..4 */
    MODE_BITS = 8,        /* what differs from the number before */
    MODE_ORDERED = 9,     /* integers that are ordered as the doubles are */
    MODE_NONE = 16,       /* beside: all NaN */
    MODE_SAME = 17,       /* beside: equal, bit for bit */
    MODE_DIFFERENCE = 24, /* beside: + places */
};

static uint64_t bits_of(double number)
{
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits)
{
    double number = 0;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The NaN that means "no value"; others are kept as bits. */
static bool is_missing(double number)
{
    return bits_of(number) == bits_of((double)NAN);
}

/* Whether number == *scaled / 10^places, to the last bit. */
static bool is_decimal(double number, int places, int64_t *scaled)
{
    double product = number * powers[places];
    if (!(fabs(product) < 1e15))
        return false;
    *scaled = llrint(product);
    return bits_of((double)*scaled / powers[places]) == bits_of(number);
}

/* The fewest places that all the numbers need; -1 when four are not enough. */
static int common_places(const double *numbers, size_t count)
{
    int places = 0;
    int64_t scaled = 0;
    for (size_t i = 0; i < count; i++)
        while (!is_decimal(numbers[i], places, &scaled))
            if (++places > PLACES_MAX)
                return -1;
    return places;
}

static bool scale_all(const double *numbers, size_t count, int places, int64_t *scaled)
{
    for (size_t i = 0; i < count; i++)
        if (!is_decimal(numbers[i], places, &scaled[i]))
            return false;
    return true;
}

/*
 * XOR with the number before, as bits: 0: the same; 10: what differs lies in the window
 * used last; 11: a new window, 6 bits of leading zeros and 6 of its length - 1; then the
 * bits of the window (after Pelkonen et al. 2015, "Gorilla", section 4.1.2).
 */
struct window {
    unsigned lead;
    unsigned length; /* 0: none yet */
};

static void put_xor(struct bit_writer *writer, struct window *window, uint64_t differs)
{
    if (differs == 0) {
        bits_put(writer, 0, 1);
        return;
    }
    unsigned lead = (unsigned)__builtin_clzll(differs);
    unsigned trail = (unsigned)__builtin_ctzll(differs);
    unsigned length = 64 - lead - trail;
    bool fits = lead >= window->lead && window->length > 0 &&
                trail >= 64 - window->lead - window->length;
    /* A new window costs 12 bits; staying in a wide one costs its slack each time. */
    if (fits && window->length < length + 12) {
        bits_put(writer, 2, 2);
    } else {
        *window = (struct window){.lead = lead, .length = length};
        bits_put(writer, 3, 2);
        bits_put(writer, lead, 6);
        bits_put(writer, length - 1, 6);
    }
    bits_put(writer, differs >> (64 - window->lead - window->length), window->length);
}

static void put_as_bits(struct buf *out, const double *numbers, size_t count)
{
    struct bit_writer writer = {.out = out};
    struct window window = {0};
    uint64_t last = 0;
    for (size_t i = 0; i < count; i++) {
        put_xor(&writer, &window, bits_of(numbers[i]) ^ last);
        last = bits_of(numbers[i]);
    }
    bits_end(&writer);
}

static bool get_as_bits(struct buf_reader *in, double *numbers, size_t count)
{
    struct bit_reader reader = {.in = in};
    struct window window = {0};
    uint64_t last = 0;
    for (size_t i = 0; i < count && !in->failed; i++) {
        if (bits_get(&reader, 1) != 0) {
            if (bits_get(&reader, 1) != 0) {
                window.lead = (unsigned)bits_get(&reader, 6);
                window.length = (unsigned)bits_get(&reader, 6) + 1;
            }
            if (window.length == 0 || window.lead + window.length > 64)
                return false;
            last ^= bits_get(&reader, window.length)
                    << (64 - window.lead - window.length);
        }
        numbers[i] = double_of(last);
    }
    return !in->failed;
}

/* Neighbouring doubles have neighbouring integers, across powers of two and zero. */
static int64_t ordered_of(double number)
{
    uint64_t bits = bits_of(number);
    return (int64_t)(bits >> 63 != 0 ? ~(bits & INT64_MAX) : bits);
}

static double double_of_ordered(int64_t ordered)
{
    uint64_t bits = (uint64_t)ordered;
    return double_of(ordered < 0 ? ~bits | (uint64_t)1 << 63 : bits);
}

static bool get_ordered(struct buf_reader *in, double *numbers, size_t count)
{
    int64_t ordered[COLUMN_MAX];
    if (!column_get_ints(in, ordered, count))
        return false;
    for (size_t i = 0; i < count; i++)
        numbers[i] = double_of_ordered(ordered[i]);
    return true;
}

/* No decimals: the mode that takes fewer bytes. */
static enum double_mode put_binary(struct buf *out, const double *numbers, size_t count)
{
    int64_t ordered[COLUMN_MAX];
    struct buf other = {0};
    size_t start = out->len;
    for (size_t i = 0; i < count; i++)
        ordered[i] = ordered_of(numbers[i]);
    column_put_ints(out, ordered, count);
    put_as_bits(&other, numbers, count);
    bool is_shorter = other.len < out->len - start;
    if (is_shorter) {
        out->len = start;
        buf_add(out, other.data, other.len);
    }
    buf_fini(&other);
    return is_shorter ? MODE_BITS : MODE_ORDERED;
}

/* How many numbers are there, how many are missing, ...; ends with the column. */
static size_t put_missing(struct buf *out, const double *numbers, size_t count,
                          double *present)
{
    size_t kept = 0;
    bool is_gap = false;
    for (size_t i = 0; i < count; is_gap = !is_gap) {
        size_t start = i;
        while (i < count && is_missing(numbers[i]) == is_gap) {
            if (!is_gap)
                present[kept++] = numbers[i];
            i++;
        }
        buf_varint(out, i - start);
    }
    return kept;
}

static bool get_missing(struct buf_reader *in, bool *missing, size_t count, size_t *kept)
{
    bool is_gap = false;
    *kept = 0;
    for (size_t i = 0; i < count; is_gap = !is_gap) {
        uint64_t run = buf_read_varint(in);
        if (in->failed || run > count - i || (run == 0 && i > 0))
            return false;
        *kept += is_gap ? 0 : (size_t)run;
        for (; run > 0; run--)
            missing[i++] = is_gap;
    }
    return true;
}

void column_put_doubles(struct buf *out, const double *numbers, size_t count)
{
    double present[COLUMN_MAX] = {0}; /* gcc at -O2 sees none kept */
    int64_t scaled[COLUMN_MAX];
    assert(count <= COLUMN_MAX);
    size_t start = out->len;
    buf_u8(out, MODE_BITS);
    size_t kept = put_missing(out, numbers, count, present);
    int places = common_places(present, kept);
    if (places >= 0 && scale_all(present, kept, places, scaled)) {
        out->data[start] = (char)(MODE_DECIMAL + places);
        column_put_ints(out, scaled, kept);
    } else {
        enum double_mode mode = put_binary(out, present, kept);
        out->data[start] = (char)mode;
    }
}

static bool get_decimals(struct buf_reader *in, int places, double *numbers, size_t count)
{
    int64_t scaled[COLUMN_MAX];
    if (!column_get_ints(in, scaled, count))
        return false;
    for (size_t i = 0; i < count; i++)
        numbers[i] = (double)scaled[i] / powers[places];
    return true;
}

static bool get_doubles_as(struct buf_reader *in, uint8_t mode, double *numbers,
                           size_t count)
{
    bool missing[COLUMN_MAX];
    double present[COLUMN_MAX] = {0};
    size_t kept = 0;
    assert(count <= COLUMN_MAX);
    if (!get_missing(in, missing, count, &kept))
        return false;
    bool is_good = mode == MODE_BITS      ? get_as_bits(in, present, kept)
                   : mode == MODE_ORDERED ? get_ordered(in, present, kept)
                   : mode <= PLACES_MAX   ? get_decimals(in, mode, present, kept)
                                          : false;
    for (size_t i = 0, next = 0; is_good && i < count; i++)
        numbers[i] = missing[i] ? (double)NAN : present[next++];
    return is_good;
}

bool column_get_doubles(struct buf_reader *in, double *numbers, size_t count)
{
    uint8_t mode = buf_read_u8(in);
    return !in->failed && get_doubles_as(in, mode, numbers, count);
}

/* False, with nothing written, when one of the two columns is not all decimals. */
static bool put_difference_column(struct buf *out, const double *beside,
                                  const double *numbers, size_t count)
{
    int64_t scaled[COLUMN_MAX];
    int64_t scaled_beside[COLUMN_MAX];
    int places = common_places(numbers, count);
    int places_beside = common_places(beside, count);
    if (places < 0 || places_beside < 0)
        return false;
    if (places < places_beside)
        places = places_beside;
    if (!scale_all(numbers, count, places, scaled) ||
        !scale_all(beside, count, places, scaled_beside))
        return false;
    for (size_t i = 0; i < count; i++)
        scaled[i] -= scaled_beside[i]; /* both below 1e15 */
    buf_u8(out, (uint8_t)(MODE_DIFFERENCE + places));
    column_put_ints(out, scaled, count);
    return true;
}

void column_put_doubles_beside(struct buf *out, const double *beside,
                               const double *numbers, size_t count)
{
    assert(count > 0 && count <= COLUMN_MAX);
    bool is_same = memcmp(beside, numbers, count * sizeof *numbers) == 0;
    bool is_none = true;
    for (size_t i = 0; i < count; i++)
        is_none = is_none && is_missing(numbers[i]);
    if (is_none)
        buf_u8(out, MODE_NONE);
    else if (is_same)
        buf_u8(out, MODE_SAME);
    else if (!put_difference_column(out, beside, numbers, count))
        column_put_doubles(out, numbers, count);
}

static bool get_difference_column(struct buf_reader *in, int places, const double *beside,
                                  double *numbers, size_t count)
{
    int64_t scaled[COLUMN_MAX];
    if (!column_get_ints(in, scaled, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t base = 0;
        if (!is_decimal(beside[i], places, &base))
            return false;
        numbers[i] =
            (double)(int64_t)((uint64_t)base + (uint64_t)scaled[i]) / powers[places];
    }
    return true;
}

bool column_get_doubles_beside(struct buf_reader *in, const double *beside,
                               double *numbers, size_t count)
{
    uint8_t mode = buf_read_u8(in);
    if (in->failed)
        return false;
    if (mode >= MODE_DIFFERENCE && mode <= MODE_DIFFERENCE + PLACES_MAX)
        return get_difference_column(in, mode - MODE_DIFFERENCE, beside, numbers, count);
    if (mode != MODE_NONE && mode != MODE_SAME)
        return get_doubles_as(in, mode, numbers, count);
    for (size_t i = 0; i < count; i++)
        numbers[i] = mode == MODE_SAME ? beside[i] : (double)NAN;
    return true;
}
