// SPDX-License-Identifier: Apache-2.0
#include "base/number.h"

#include <assert.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_DIGITS   15   /* 10^15 < 2^53: such a whole number is an exact double */
#define EXACT_POWER    22   /* 10^22 is the largest exact power of ten */
#define FORMAT_POWER   6    /* decimals that the fast way tries */
#define EXPONENT_BOUND 9999 /* far beyond any double, far below any overflow */

static const double powers[EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static_assert(DBL_MANT_DIG == 53, "IEEE 754 double");

/* Writes the digits and a NUL, at most 21 bytes; returns their count. */
static size_t write_digits(uint64_t value, char *text)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < count; i++)
        text[i] = digits[count - 1 - i];
    text[count] = '\0';
    return count;
}

size_t number_format_u64(uint64_t value, char text[NUMBER_SIZE])
{
    return write_digits(value, text);
}

size_t number_format_i64(int64_t value, char text[NUMBER_SIZE])
{
    if (value >= 0)
        return write_digits((uint64_t)value, text);
    text[0] = '-';
    return 1 + write_digits(-(uint64_t)value, text + 1);
}

/* `whole` / 10^decimals as text, whose last decimal is not 0. */
static size_t format_fixed(bool is_negative, uint64_t whole, unsigned decimals,
                           char text[NUMBER_SIZE])
{
    char digits[NUMBER_SIZE];
    size_t count = write_digits(whole, digits);
    size_t len = 0;
    if (is_negative)
        text[len++] = '-';
    size_t before = count > decimals ? count - decimals : 0;
    if (before == 0)
        text[len++] = '0';
    memcpy(text + len, digits, before);
    len += before;
    if (decimals > 0) {
        text[len++] = '.';
        for (size_t i = count; i < decimals; i++)
            text[len++] = '0';
        memcpy(text + len, digits + before, count - before);
        len += count - before;
    }
    text[len] = '\0';
    assert(len < NUMBER_SIZE);
    return len;
}

/*
 * True when value = whole / 10^decimals with both exact, so that the division which
 * reading does rounds to this very double. Tried from 0 decimals up: the first is the
 * shortest.
 */
static bool as_fixed(double value, uint64_t *whole, unsigned *decimals)
{
    double magnitude = fabs(value);
    for (unsigned i = 0; i <= FORMAT_POWER; i++) {
        double scaled = rint(magnitude * powers[i]);
        if (scaled >= powers[EXACT_DIGITS])
            return false;
        if (scaled / powers[i] == magnitude) {
            *whole = (uint64_t)scaled;
            *decimals = i;
            return true;
        }
    }
    return false;
}

/* The locale may have put another decimal point; ours is a point. */
static void unlocalise(char *text)
{
    char point = localeconv()->decimal_point[0];
    char *at = point != '.' ? strchr(text, point) : NULL;
    if (at != NULL)
        *at = '.';
}

size_t number_format(double value, char text[NUMBER_SIZE])
{
    assert(isfinite(value));
    uint64_t whole;
    unsigned decimals;
    if (FLT_EVAL_METHOD == 0 && as_fixed(value, &whole, &decimals))
        return format_fixed(signbit(value) != 0, whole, decimals, text);
    int len = 0;
    /* only below DBL_MIN, where doubles have fewer, do less than 15 digits suffice for a
     * number that "%.15g" does not shorten itself */
    int fewest = fabs(value) < DBL_MIN ? 1 : EXACT_DIGITS;
    for (int digits = fewest; digits <= DBL_DECIMAL_DIG; digits++) {
        len = snprintf(text, NUMBER_SIZE, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    assert(len > 0 && len < NUMBER_SIZE);
    unlocalise(text);
    return (size_t)len;
}

/* A number as it is written: digits * 10^exponent. */
struct decimal {
    bool is_negative;
    bool is_exact; /* `digits` holds all of them */
    uint64_t digits;
    int exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes the digits from `at`; each shifts the exponent by `shift`. Returns their end. */
static size_t scan_digits(struct decimal *decimal, const char *text, size_t len,
                          size_t at, int shift)
{
    for (; at < len && is_digit(text[at]); at++) {
        if (decimal->digits < UINT64_MAX / 10 - 1)
            decimal->digits = decimal->digits * 10 + (uint64_t)(text[at] - '0');
        else
            decimal->is_exact = false;
        decimal->exponent += shift;
    }
    return at;
}

/* [eE][+-]?[0-9]+ at `at`; returns its end, or `at` when there is none. */
static size_t scan_exponent(struct decimal *decimal, const char *text, size_t len,
                            size_t at)
{
    size_t from = at + 1;
    if (at >= len || (text[at] != 'e' && text[at] != 'E'))
        return at;
    bool is_negative = from < len && text[from] == '-';
    if (from < len && (text[from] == '-' || text[from] == '+'))
        from++;
    int exponent = 0;
    size_t end = from;
    for (; end < len && is_digit(text[end]); end++)
        if (exponent < EXPONENT_BOUND)
            exponent = exponent * 10 + (text[end] - '0');
    if (end == from)
        return at;
    decimal->exponent += is_negative ? -exponent : exponent;
    return end;
}

/* Length of the number that `text` starts with, 0 when there is none. */
static size_t scan_decimal(struct decimal *decimal, const char *text, size_t len)
{
    size_t at = 0;
    *decimal = (struct decimal){.is_exact = true};
    if (at < len && text[at] == '-') {
        decimal->is_negative = true;
        at++;
    }
    if (at >= len || !is_digit(text[at]))
        return 0;
    size_t end = text[at] == '0' ? at + 1 : scan_digits(decimal, text, len, at, 0);
    if (end + 1 < len && text[end] == '.' && is_digit(text[end + 1]))
        end = scan_digits(decimal, text, len, end + 1, -1);
    return scan_exponent(decimal, text, len, end);
}

/* Both operands exact, one rounding: the correctly rounded double. */
static bool exact_value(const struct decimal *decimal, double *value)
{
    if (FLT_EVAL_METHOD != 0 || !decimal->is_exact ||
        decimal->digits > (UINT64_C(1) << DBL_MANT_DIG) ||
        decimal->exponent < -EXACT_POWER || decimal->exponent > EXACT_POWER)
        return false;
    double whole = (double)decimal->digits;
    double magnitude = decimal->exponent < 0 ? whole / powers[-decimal->exponent]
                                             : whole * powers[decimal->exponent];
    *value = decimal->is_negative ? -magnitude : magnitude;
    return true;
}

size_t number_scan(double *value, const char *text, size_t len)
{
    struct decimal decimal;
    size_t used = scan_decimal(&decimal, text, len);
    if (used == 0 || used > NUMBER_TEXT_MAX)
        return 0;
    if (exact_value(&decimal, value))
        return used;
    char copy[NUMBER_TEXT_MAX + 1];
    memcpy(copy, text, used);
    copy[used] = '\0';
    char *point = strchr(copy, '.');
    if (point != NULL)
        *point = localeconv()->decimal_point[0];
    double slow = strtod(copy, NULL);
    if (!isfinite(slow))
        return 0;
    *value = slow;
    return used;
}
