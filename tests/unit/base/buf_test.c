// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "base/buf.h"
#include "tests/support/check.h"

static void text_grows_and_ends_with_nul(void)
{
    struct buf buf = {0};
    size_t len = 0;
    for (int i = 0; i < 5000; i++) {
        buf_format(&buf, "%d,", i);
        len += i < 10 ? 2 : i < 100 ? 3 : i < 1000 ? 4 : 5;
        CHECK(buf.len == len && buf.data[len] == '\0');
    }
    buf_clear(&buf);
    CHECK(buf.len == 0);
    CHECK_TEXT(buf.data, "");
    buf_text(&buf, "a");
    buf_add(&buf, "\0b", 2);
    CHECK(buf.len == 3 && memcmp(buf.data, "a\0b", 4) == 0);
    buf_fini(&buf);
    CHECK(buf.data == NULL && buf.len == 0);
    buf_clear(&buf);
}

static void what_is_taken_is_the_callers(void)
{
    struct buf buf = {0};
    char *empty = buf_take(&buf);
    CHECK_TEXT(empty, "");
    free(empty);
    buf_text(&buf, "mine");
    char *text = buf_take(&buf);
    CHECK_TEXT(text, "mine");
    CHECK(buf.data == NULL && buf.len == 0 && buf.capacity == 0);
    free(text);
}

static void reserved_room_is_not_content(void)
{
    struct buf buf = {0};
    memset(buf_reserve(&buf, 100), 'x', 100);
    CHECK(buf.len == 0 && buf.capacity > 100);
    buf.len += 3;
    buf_add(&buf, "y", 1);
    CHECK(memcmp(buf.data, "xxxy", 5) == 0);
    buf_fini(&buf);
}

static void fixed_layouts_are_little_endian(void)
{
    uint8_t bytes[9] = {0};
    bytes_put_u16(bytes + 1, 0x1122);
    CHECK(bytes[1] == 0x22 && bytes[2] == 0x11 && bytes_u16(bytes + 1) == 0x1122);
    bytes_put_u32(bytes + 1, 0x11223344);
    CHECK(bytes[1] == 0x44 && bytes[4] == 0x11 && bytes_u32(bytes + 1) == 0x11223344);
    bytes_put_u64(bytes + 1, 0x1122334455667788);
    CHECK(bytes[1] == 0x88 && bytes[8] == 0x11);
    CHECK(bytes_u64(bytes + 1) == 0x1122334455667788);
}

static void varints_by_rows(void)
{
    static const struct {
        uint64_t value;
        size_t want_len;
    } rows[] = {
        {0, 1},           {1, 1},           {127, 1},
        {128, 2},         {16383, 2},       {16384, 3},
        {UINT32_MAX, 5},  {1ull << 56, 9},  {(1ull << 63) - 1, 9},
        {1ull << 63, 10}, {UINT64_MAX, 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf buf = {0};
        buf_varint(&buf, rows[i].value);
        CHECK(buf.len == rows[i].want_len);
        struct buf_reader reader = buf_reader_of(buf.data, buf.len);
        CHECK(buf_read_varint(&reader) == rows[i].value && !reader.failed);
        buf_fini(&buf);
    }
}

static void varints_that_are_none_fail(void)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
    } rows[] = {
        {"nothing", "", 0},
        {"cut", "\x80", 1},
        {"more than 64 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},
        {"without end", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf_reader reader = buf_reader_of(rows[i].bytes, rows[i].len);
        CHECK_ROW(rows[i].name, buf_read_varint(&reader) == 0 && reader.failed);
    }
}

static uint64_t random_bits(unsigned *seed)
{
    uint64_t bits = (uint64_t)rand_r(seed) << 40 ^ (uint64_t)rand_r(seed) << 20 ^
                    (uint64_t)rand_r(seed);
    return bits >> (rand_r(seed) % 64);
}

/* Values of every kind in random order come back, and a cut anywhere is noticed. */
static void random_sequences_come_back_and_cuts_are_seen(void)
{
    unsigned seed = 11;
    for (int round = 0; round < 200; round++) {
        struct buf buf = {0};
        uint64_t bits = random_bits(&seed);
        double number = ldexp((double)rand_r(&seed), rand_r(&seed) % 200 - 100);
        buf_u8(&buf, (uint8_t)bits);
        buf_zigzag(&buf, (int64_t)bits);
        buf_zigzag(&buf, -(int64_t)(bits >> 1));
        buf_f64(&buf, number);
        buf_blob(&buf, "blob", 4);
        buf_u32(&buf, (uint32_t)bits);
        buf_u64(&buf, bits);
        for (size_t cut = 0; cut <= buf.len; cut++) {
            struct buf_reader reader = buf_reader_of(buf.data, cut);
            uint8_t u8 = buf_read_u8(&reader);
            int64_t positive = buf_read_zigzag(&reader);
            int64_t negative = buf_read_zigzag(&reader);
            double f64 = buf_read_f64(&reader);
            size_t len = 0;
            const void *blob = buf_read_blob(&reader, &len);
            uint32_t u32 = buf_read_u32(&reader);
            uint64_t u64 = buf_read_u64(&reader);
            CHECK(reader.failed == (cut < buf.len));
            if (cut < buf.len)
                continue;
            CHECK(u8 == (uint8_t)bits && positive == (int64_t)bits);
            CHECK(negative == -(int64_t)(bits >> 1) && f64 == number);
            CHECK(len == 4 && memcmp(blob, "blob", 4) == 0);
            CHECK(u32 == (uint32_t)bits && u64 == bits && reader.at == buf.len);
        }
        buf_fini(&buf);
    }
}

static void zigzag_holds_the_extremes(void)
{
    static const int64_t values[] = {0, -1, 1, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct buf buf = {0};
        buf_zigzag(&buf, values[i]);
        struct buf_reader reader = buf_reader_of(buf.data, buf.len);
        CHECK(buf_read_zigzag(&reader) == values[i]);
        buf_fini(&buf);
    }
}

static void a_blob_larger_than_the_rest_fails(void)
{
    struct buf buf = {0};
    size_t len = 99;
    buf_varint(&buf, UINT64_MAX);
    buf_text(&buf, "abc");
    struct buf_reader reader = buf_reader_of(buf.data, buf.len);
    CHECK(buf_read_blob(&reader, &len) == NULL && len == 0 && reader.failed);
    CHECK(buf_read_u8(&reader) == 0); /* stays failed */
    buf_fini(&buf);
}

static CU_TestInfo tests[] = {
    {"text grows and ends with NUL", text_grows_and_ends_with_nul},
    {"what is taken is the caller's", what_is_taken_is_the_callers},
    {"reserved room is not content", reserved_room_is_not_content},
    {"fixed layouts are little-endian", fixed_layouts_are_little_endian},
    {"varints by rows", varints_by_rows},
    {"varints that are none fail", varints_that_are_none_fail},
    {"random sequences come back, and cuts are seen",
     random_sequences_come_back_and_cuts_are_seen},
    {"zigzag holds the extremes", zigzag_holds_the_extremes},
    {"a blob larger than the rest fails", a_blob_larger_than_the_rest_fails},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("buf", tests);
}
