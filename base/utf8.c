// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <assert.h>

/* Length by first byte, and the range of the second (RFC 3629, section 4). */
static size_t first_byte(uint8_t byte, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xbf;
    if (byte < 0x80)
        return 1;
    if (byte >= 0xc2 && byte <= 0xdf)
        return 2;
    if (byte >= 0xe0 && byte <= 0xef) {
        if (byte == 0xe0)
            *low = 0xa0; /* shorter forms exist below */
        if (byte == 0xed)
            *high = 0x9f; /* surrogates above */
        return 3;
    }
    if (byte >= 0xf0 && byte <= 0xf4) {
        if (byte == 0xf0)
            *low = 0x90;
        if (byte == 0xf4)
            *high = 0x8f; /* U+10FFFF is the last */
        return 4;
    }
    return 0;
}

size_t utf8_len(const void *text, size_t len)
{
    const uint8_t *bytes = text;
    uint8_t low;
    uint8_t high;
    if (len == 0)
        return 0;
    size_t want = first_byte(bytes[0], &low, &high);
    if (want == 0 || want > len)
        return 0;
    for (size_t i = 1; i < want; i++) {
        if (bytes[i] < low || bytes[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return want;
}

bool utf8_is_valid(const void *text, size_t len)
{
    const uint8_t *bytes = text;
    size_t at = 0;
    while (at < len) {
        size_t step = utf8_len(bytes + at, len - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}

bool utf8_is_plain(const void *text, size_t len)
{
    const uint8_t *bytes = text;
    if (!utf8_is_valid(text, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        bool is_c1 = bytes[i] == 0xc2 && bytes[i + 1] < 0xa0;
        bool is_c0 = bytes[i] < ' ' && bytes[i] != '\n' && bytes[i] != '\t';
        if (is_c0 || is_c1 || bytes[i] == 0x7f)
            return false;
    }
    return true;
}

size_t utf8_write(uint32_t character, char bytes[4])
{
    assert(character <= 0x10ffff && (character < 0xd800 || character > 0xdfff));
    if (character < 0x80) {
        bytes[0] = (char)character;
        return 1;
    }
    size_t len = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        bytes[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    bytes[0] = (char)((0xf00 >> len & 0xff) | character);
    return len;
}

static size_t fit(const char *text, size_t len, size_t max, bool is_utf16)
{
    size_t at = 0;
    size_t used = 0;
    while (at < len) {
        size_t step = utf8_len(text + at, len - at);
        if (step == 0)
            step = 1;
        size_t cost = !is_utf16 ? step : step == 4 ? 2 : 1;
        if (cost > max - used)
            break;
        used += cost;
        at += step;
    }
    return at;
}

size_t utf8_fit(const char *text, size_t len, size_t max_bytes)
{
    return fit(text, len, max_bytes, false);
}

size_t utf8_fit_utf16(const char *text, size_t len, size_t max_units)
{
    return fit(text, len, max_units, true);
}
