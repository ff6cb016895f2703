// SPDX-License-Identifier: Apache-2.0
#include "collector/store/bits.h"

#include "base/rng.h"
#include "tests/support/check.h"

static void bits_are_laid_out_most_significant_first(void)
{
    struct buf out = {0};
    struct bit_writer writer = {.out = &out};
    bits_put(&writer, 1, 1);
    bits_put(&writer, 0, 2);
    bits_put(&writer, 0x1ff, 9);
    bits_end(&writer);
    CHECK(out.len == 2);
    CHECK((uint8_t)out.data[0] == 0x9f && (uint8_t)out.data[1] == 0xf0);
    bits_end(&writer);
    CHECK(out.len == 2);
    buf_fini(&out);
}

static void numbers_of_any_width_come_back(void)
{
    struct rng rng = {.state = 12};
    for (int round = 0; round < 200; round++) {
        uint64_t numbers[100];
        unsigned widths[100];
        struct buf out = {0};
        struct bit_writer writer = {.out = &out};
        size_t bits = 0;
        for (size_t i = 0; i < 100; i++) {
            widths[i] = (unsigned)rng_below(&rng, 65);
            numbers[i] = rng_next(&rng);
            bits_put(&writer, numbers[i], widths[i]); /* bits above are left out */
            if (widths[i] < 64)
                numbers[i] &= ((uint64_t)1 << widths[i]) - 1;
            bits += widths[i];
        }
        bits_end(&writer);
        CHECK(out.len == (bits + 7) / 8);
        struct buf_reader in = buf_reader_of(out.data, out.len);
        struct bit_reader reader = {.in = &in};
        bool is_same = true;
        for (size_t i = 0; i < 100; i++)
            is_same = is_same && bits_get(&reader, widths[i]) == numbers[i];
        CHECK(is_same && !in.failed && in.at == in.len);
        buf_fini(&out);
    }
}

static void reading_behind_the_end_fails(void)
{
    struct buf_reader in = buf_reader_of("\xff", 1);
    struct bit_reader reader = {.in = &in};
    CHECK(bits_get(&reader, 8) == 0xff && !in.failed);
    CHECK(bits_get(&reader, 0) == 0 && !in.failed);
    CHECK(bits_get(&reader, 1) == 0 && in.failed);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"bits are laid out most significant first",
         bits_are_laid_out_most_significant_first},
        {"numbers of any width come back", numbers_of_any_width_come_back},
        {"reading behind the end fails", reading_behind_the_end_fails},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/bits", tests);
}
