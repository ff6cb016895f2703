// SPDX-License-Identifier: Apache-2.0
#include "base/units.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct unit {
    const char *name;
    uint64_t size;
};

/* From large to small. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit sizes[] = {
    {"T", UINT64_C(1) << 40}, {"G", 1 << 30}, {"M", 1 << 20}, {"K", 1 << 10}, {"", 1},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* False without a digit and on overflow. */
static bool take_number(const char **at, uint64_t *number)
{
    if (!is_digit(**at))
        return false;
    *number = 0;
    for (; is_digit(**at); (*at)++)
        if (__builtin_mul_overflow(*number, UINT64_C(10), number) ||
            __builtin_add_overflow(*number, (uint64_t)(**at - '0'), number))
            return false;
    return true;
}

static bool add_product(uint64_t *sum, uint64_t number, uint64_t size)
{
    uint64_t product;
    return !__builtin_mul_overflow(number, size, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
}

/* The index of the unit at *at, from `first` on; COUNT(durations) when none. */
static size_t take_duration_unit(const char **at, size_t first)
{
    size_t len = 0;
    while ((*at)[len] != '\0' && !is_digit((*at)[len]))
        len++;
    for (size_t i = first; i < COUNT(durations); i++) {
        if (strlen(durations[i].name) == len &&
            memcmp(durations[i].name, *at, len) == 0) {
            *at += len;
            return i;
        }
    }
    return COUNT(durations);
}

enum err units_parse_duration(int64_t *ms, const char *text)
{
    bool is_negative = *text == '-';
    const char *at = text + is_negative;
    uint64_t sum = 0;
    if (strcmp(at, "0") == 0) {
        *ms = 0;
        return ERR_OK;
    }
    size_t next_unit = 0;
    do {
        uint64_t number;
        if (!take_number(&at, &number))
            return ERR_INVALID;
        size_t unit = take_duration_unit(&at, next_unit);
        if (unit == COUNT(durations) || !add_product(&sum, number, durations[unit].size))
            return ERR_INVALID;
        next_unit = unit + 1;
    } while (*at != '\0');
    if (sum > (uint64_t)INT64_MAX)
        return ERR_INVALID;
    *ms = is_negative ? -(int64_t)sum : (int64_t)sum;
    return ERR_OK;
}

const char *units_format_duration(char text[UNITS_TEXT_MAX], int64_t ms)
{
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    size_t len = 0;
    if (left == 0)
        snprintf(text, UNITS_TEXT_MAX, "0");
    if (ms < 0)
        text[len++] = '-';
    for (size_t i = 0; i < COUNT(durations); i++) {
        uint64_t number = left / durations[i].size;
        left %= durations[i].size;
        if (number > 0)
            len += (size_t)snprintf(text + len, UNITS_TEXT_MAX - len, "%llu%s",
                                    (unsigned long long)number, durations[i].name);
    }
    return text;
}

/* The size in bytes of the unit that `text` names whole; 0 for none. */
static uint64_t size_unit(const char *text)
{
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const char *name = sizes[i].name;
        size_t len = strlen(name);
        if (strncmp(text, name, len) != 0)
            continue;
        if (text[len] == '\0' || (len > 0 && strcmp(text + len, "iB") == 0))
            return sizes[i].size;
    }
    return 0;
}

enum err units_parse_size(int64_t *bytes, const char *text)
{
    uint64_t number;
    uint64_t sum = 0;
    if (!take_number(&text, &number))
        return ERR_INVALID;
    uint64_t unit = size_unit(text);
    if (unit == 0 || !add_product(&sum, number, unit) || sum > (uint64_t)INT64_MAX)
        return ERR_INVALID;
    *bytes = (int64_t)sum;
    return ERR_OK;
}

const char *units_format_size(char text[UNITS_TEXT_MAX], int64_t bytes)
{
    assert(bytes >= 0);
    uint64_t number = (uint64_t)bytes;
    const struct unit *unit = sizes;
    while (unit->size > 1 && (number == 0 || number % unit->size != 0))
        unit++;
    snprintf(text, UNITS_TEXT_MAX, "%llu%s", (unsigned long long)(number / unit->size),
             unit->name);
    return text;
}
