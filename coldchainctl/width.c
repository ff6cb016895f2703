// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/width.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"

struct range {
    uint32_t first;
    uint32_t last;
};

/* Blocks of Unicode 15 whose East Asian Width is W or F, joined where near. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
    {0x2614, 0x2615},   {0x26A1, 0x26A1},   {0x2705, 0x2705},   {0x274C, 0x274C},
    {0x2795, 0x2797},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},
    {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

/* General Category Mn and Me in the scripts that are met here, joiners and selectors. */
static const struct range none[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A},
    {0x064B, 0x065F}, {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E},
    {0x2060, 0x2064}, {0x20D0, 0x20F0}, {0x302A, 0x302D}, {0x3099, 0x309A},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* One character: its bytes and its columns. */
static size_t step(const char *text, size_t len, size_t *columns)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t used = utf8_len(text, len);
    *columns = 1;
    if (used <= 1)
        return 1;
    uint32_t code = bytes[0] & (0xFFu >> (used + 1));
    for (size_t i = 1; i < used; i++)
        code = code << 6 | (bytes[i] & 0x3F);
    if (is_in(none, sizeof none / sizeof none[0], code))
        *columns = 0;
    else if (is_in(wide, sizeof wide / sizeof wide[0], code))
        *columns = 2;
    return used;
}

size_t width_of(const char *text, size_t len)
{
    size_t total = 0;
    size_t columns;
    for (size_t at = 0; at < len; total += columns)
        at += step(text + at, len - at, &columns);
    return total;
}

size_t width_fit(const char *text, size_t len, size_t columns)
{
    size_t at = 0;
    size_t total = 0;
    while (at < len) {
        size_t one;
        size_t used = step(text + at, len - at, &one);
        if (total + one > columns)
            break;
        at += used;
        total += one;
    }
    return at;
}
