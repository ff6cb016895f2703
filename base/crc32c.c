// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

/* Reflected polynomial 0x1EDC6F41. */
#define POLYNOMIAL 0x82F63B78u

static uint32_t table[8][256];

static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? POLYNOMIAL : 0);
        table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int slice = 1; slice < 8; slice++)
            table[slice][i] =
                (table[slice - 1][i] >> 8) ^ table[0][table[slice - 1][i] & 0xff];
}

static uint32_t update_portable(uint32_t crc, const uint8_t *data, size_t len)
{
    for (; len >= 8; len -= 8, data += 8) {
        uint32_t low = crc ^ ((uint32_t)data[0] | (uint32_t)data[1] << 8 |
                              (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24);
        crc = table[7][low & 0xff] ^ table[6][(low >> 8) & 0xff] ^
              table[5][(low >> 16) & 0xff] ^ table[4][low >> 24] ^ table[3][data[4]] ^
              table[2][data[5]] ^ table[1][data[6]] ^ table[0][data[7]];
    }
    for (; len > 0; len--, data++)
        crc = (crc >> 8) ^ table[0][(crc ^ *data) & 0xff];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
update_sse(uint32_t crc, const uint8_t *data, size_t len)
{
    uint64_t wide = crc;
    for (; len >= 8; len -= 8, data += 8) {
        uint64_t word;
        memcpy(&word, data, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len > 0; len--, data++)
        crc = __builtin_ia32_crc32qi(crc, *data);
    return crc;
}

static bool has_hardware(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#else
static uint32_t update_sse(uint32_t crc, const uint8_t *data, size_t len)
{
    return update_portable(crc, data, len);
}

static bool has_hardware(void)
{
    return false;
}
#endif

/* Set once before main; read-only afterwards. */
static uint32_t (*update)(uint32_t crc, const uint8_t *data,
                          size_t len) = update_portable;

__attribute__((constructor)) static void choose(void)
{
    fill_table();
    if (has_hardware())
        update = update_sse;
}

uint32_t crc32c(uint32_t seed, const void *data, size_t len)
{
    return ~update(~seed, data, len);
}
