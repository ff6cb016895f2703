// SPDX-License-Identifier: Apache-2.0
#include "base/deflate.h"

#include <stdint.h>

#include "tests/support/check.h"

static const char sentence[] = "2.3 2.4 2.3 2.5 2.6 2.3 2.4 2.3 2.2 2.1 2.0 1.9";

static bool is_text(const struct buf *buf, const char *text)
{
    return buf->len == strlen(text) && memcmp(buf->data, text, buf->len) == 0;
}

static void both_formats_come_back(void)
{
    static const char *const rows[] = {
        "", "x", "[{\"n\":\"air_temperature\",\"v\":2.3}]",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf small = {0};
        struct buf large = {0};
        deflate_pack(&small, rows[i], strlen(rows[i]));
        CHECK_ROW(rows[i], small.len > 2 && small.data[0] == 0x78);
        CHECK_ROW(rows[i], deflate_unpack(&large, small.data, small.len, 1000) == ERR_OK);
        CHECK_ROW(rows[i], is_text(&large, rows[i]));
        buf_clear(&small);
        buf_clear(&large);
        deflate_gzip(&small, rows[i], strlen(rows[i]));
        CHECK_ROW(rows[i], memcmp(small.data, "\x1f\x8b", 2) == 0);
        CHECK_ROW(rows[i], deflate_unpack(&large, small.data, small.len, 1000) == ERR_OK);
        CHECK_ROW(rows[i], is_text(&large, rows[i]));
        buf_fini(&small);
        buf_fini(&large);
    }
}

static void output_is_appended(void)
{
    struct buf small = {0};
    struct buf large = {0};
    buf_text(&small, "head");
    deflate_pack(&small, "tail", 4);
    CHECK(memcmp(small.data, "head\x78", 5) == 0);
    buf_text(&large, "head ");
    CHECK(deflate_unpack(&large, small.data + 4, small.len - 4, 4) == ERR_OK);
    CHECK_TEXT(large.data, "head tail");
    buf_fini(&small);
    buf_fini(&large);
}

/* 1 MiB of zeros is 1 KiB deflated; the limit must hold to the byte. */
static void a_bomb_is_refused(void)
{
    enum { SIZE = 1 << 20 };
    struct buf zeros = {0};
    struct buf small = {0};
    struct buf large = {0};
    memset(buf_reserve(&zeros, SIZE), 0, SIZE);
    deflate_pack(&small, zeros.data, SIZE);
    CHECK(small.len < 2000);
    CHECK(deflate_unpack(&large, small.data, small.len, 0) == ERR_LIMIT);
    CHECK(deflate_unpack(&large, small.data, small.len, 1000) == ERR_LIMIT);
    CHECK(large.len == 0 && large.capacity < 10000);
    CHECK(deflate_unpack(&large, small.data, small.len, SIZE - 1) == ERR_LIMIT);
    CHECK(large.len == 0);
    CHECK(deflate_unpack(&large, small.data, small.len, SIZE) == ERR_OK);
    CHECK(large.len == SIZE && memcmp(large.data, zeros.data, SIZE) == 0);
    buf_clear(&large);
    CHECK(deflate_unpack(&large, small.data, small.len, SIZE_MAX) == ERR_OK);
    CHECK(large.len == SIZE);
    buf_fini(&zeros);
    buf_fini(&small);
    buf_fini(&large);
}

static void nothing_fits_in_nothing(void)
{
    struct buf small = {0};
    struct buf large = {0};
    deflate_pack(&small, "", 0);
    CHECK(deflate_unpack(&large, small.data, small.len, 0) == ERR_OK && large.len == 0);
    buf_fini(&small);
    buf_fini(&large);
}

static void every_cut_is_noticed(void)
{
    struct buf small = {0};
    struct buf large = {0};
    buf_text(&large, "kept");
    deflate_pack(&small, sentence, sizeof sentence - 1);
    for (size_t cut = 0; cut < small.len; cut++)
        CHECK(deflate_unpack(&large, small.data, cut, 1000) == ERR_INVALID);
    CHECK_TEXT(large.data, "kept");
    buf_u8(&small, 0);
    CHECK(deflate_unpack(&large, small.data, small.len, 1000) == ERR_INVALID);
    CHECK_TEXT(large.data, "kept");
    buf_fini(&small);
    buf_fini(&large);
}

/* A flip of a padding bit or of the window size does no harm; none gives another text. */
static void no_flip_gives_another_text(void)
{
    struct buf small = {0};
    deflate_pack(&small, sentence, sizeof sentence - 1);
    size_t noticed = 0;
    for (size_t bit = 0; bit < small.len * 8; bit++) {
        struct buf large = {0};
        small.data[bit / 8] ^= (char)(1 << bit % 8);
        if (deflate_unpack(&large, small.data, small.len, 1000) != ERR_OK)
            noticed++;
        else
            CHECK(is_text(&large, sentence));
        small.data[bit / 8] ^= (char)(1 << bit % 8);
        buf_fini(&large);
    }
    CHECK(noticed > small.len * 7);
    buf_fini(&small);
}

static void what_is_no_stream_is_refused(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
    } rows[] = {
        {"nothing", "", 0},
        {"JSON", "[{}]", 4},
        {"wants a dictionary", "\x78\xbb\x00\x00\x00\x01\x03\x00\x00\x00\x00\x01", 12},
        {"raw deflate", "\x03\x00", 2},
        {"a bad block type", "\x78\x9c\x07", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf large = {0};
        CHECK_ROW(rows[i].name,
                  deflate_unpack(&large, rows[i].bytes, rows[i].len, 99) == ERR_INVALID);
        CHECK_ROW(rows[i].name, large.len == 0);
        buf_fini(&large);
    }
}

/* docs/wire.md: the first byte is how a reader knows it, whatever the length. */
static void the_first_byte_is_the_same_for_every_length(void)
{
    static const size_t lengths[] = {0, 1, 200, 1600, 5000, 20000, 40000, 1 << 20};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct buf text = {0};
        struct buf packed = {0};
        struct buf back = {0};
        for (size_t at = 0; at < lengths[i]; at++)
            buf_u8(&text, (uint8_t)(at * at >> 7));
        deflate_pack(&packed, text.len > 0 ? text.data : "", text.len);
        CHECK(packed.len > 2 && packed.data[0] == 0x78);
        CHECK(((uint8_t)packed.data[0] * 256 + (uint8_t)packed.data[1]) % 31 == 0);
        CHECK(deflate_unpack(&back, packed.data, packed.len, 2 << 20) == ERR_OK);
        CHECK(back.len == text.len &&
              (text.len == 0 || memcmp(back.data, text.data, text.len) == 0));
        buf_fini(&text);
        buf_fini(&packed);
        buf_fini(&back);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"both formats come back", both_formats_come_back},
        {"output is appended", output_is_appended},
        {"a bomb is refused", a_bomb_is_refused},
        {"nothing fits in nothing", nothing_fits_in_nothing},
        {"every cut is noticed", every_cut_is_noticed},
        {"no flip gives another text", no_flip_gives_another_text},
        {"what is no stream is refused", what_is_no_stream_is_refused},
        {"the first byte is the same for every length",
         the_first_byte_is_the_same_for_every_length},
        CU_TEST_INFO_NULL,
    };
    return check_run("deflate", tests);
}
