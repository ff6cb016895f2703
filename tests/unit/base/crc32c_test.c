// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"
#include "tests/support/check.h"

/* RFC 3720, B.4, and the check value of the catalogue of CRCs. */
static void published_values(void)
{
    uint8_t zeros[32] = {0};
    uint8_t ones[32];
    uint8_t up[32];
    uint8_t down[32];
    memset(ones, 0xFF, sizeof ones);
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = (uint8_t)(31 - i);
    }
    const struct {
        const char *name;
        const void *data;
        size_t len;
        uint32_t want;
    } rows[] = {
        {"check", "123456789", 9, 0xE3069283}, {"zeros", zeros, 32, 0x8A9136AA},
        {"ones", ones, 32, 0x62A8AB43},        {"up", up, 32, 0x46DD794E},
        {"down", down, 32, 0x113FDB5C},        {"nothing", "", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name, crc32c(0, rows[i].data, rows[i].len) == rows[i].want);
}

/* Bit by bit, straight from the definition. */
static uint32_t slow(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

static void any_length_alignment_and_split(void)
{
    unsigned seed = 5;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)rand_r(&seed);
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; len + from <= sizeof data; len += 7) {
            uint32_t want = slow(data + from, len);
            size_t split = len > 0 ? (size_t)rand_r(&seed) % len : 0;
            CHECK(crc32c(0, data + from, len) == want);
            uint32_t first = crc32c(0, data + from, split);
            CHECK(crc32c(first, data + from + split, len - split) == want);
        }
    }
}

static CU_TestInfo tests[] = {
    {"published values", published_values},
    {"any length, alignment and split", any_length_alignment_and_split},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("crc32c", tests);
}
