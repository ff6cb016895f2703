// SPDX-License-Identifier: Apache-2.0
/* An estimate with its band beside the band that it should be in. */
#include "coldchainctl/band_bar.h"

#include <math.h>
#include <string.h>

#include "coldchainctl/table.h"
#include "tests/support/check.h"

#define COLUMNS 58 /* of which 40 are the scale */

static void the_line_shows_both_bands(void)
{
    static const double loads[] = {9.5};
    static const struct {
        struct band_bar bar;
        const char *line;
    } rows[] = {
        {{.low = 2, .high = 8, .least = 3.5, .middle = 4, .most = 6},
         "    1.5 |   [.......===O===========..........]   | 8.5"},
        {{.low = 2, .high = 8, .least = 9, .middle = 10, .most = 12},
         "    1.2 |   [...................]  ====O======   | 12.8"},
        {{.low = (double)NAN, .high = 8, .least = 7, .middle = 7, .most = 7},
         "    6.5 |..........O..................]          | 8.5"},
        {{.low = (double)NAN, .high = (double)NAN, .least = 7, .middle = 7, .most = 7},
         "    6.5 |                    O                   | 7.5"},
        {{.low = 2,
          .high = 8,
          .least = 3,
          .middle = 4,
          .most = 5,
          .marks = loads,
          .mark_count = 1},
         "    1.4 |   [...=====O====.............]     *   | 10.1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        band_bar_draw(&out, &rows[i].bar, COLUMNS, false);
        CHECK_TEXT(out.data, rows[i].line);
        buf_fini(&out);
    }
}

static void it_is_as_wide_in_blocks(void)
{
    const struct band_bar bar = {
        .low = 2, .high = 8, .least = 3.5, .middle = 4, .most = 6};
    struct buf plain = {0};
    struct buf blocks = {0};
    band_bar_draw(&plain, &bar, COLUMNS, false);
    band_bar_draw(&blocks, &bar, COLUMNS, true);
    CHECK(table_width(plain.data) == table_width(blocks.data));
    CHECK(strstr(blocks.data, "●") != NULL && strchr(blocks.data, 'O') == NULL);
    buf_fini(&plain);
    buf_fini(&blocks);
}

static void nothing_is_drawn_of_nothing(void)
{
    const struct band_bar bar = {.low = 2, .high = 8, .middle = (double)NAN};
    struct buf out = {0};
    band_bar_draw(&out, &bar, COLUMNS, false);
    CHECK(out.len == 0);
    band_bar_draw(&out, &(struct band_bar){.low = 2, .high = 8, .middle = 5}, 3, false);
    CHECK(out.len > 20); /* however narrow it is */
    buf_fini(&out);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the line shows both bands", the_line_shows_both_bands},
        {"it is as wide in blocks", it_is_as_wide_in_blocks},
        {"nothing is drawn of nothing", nothing_is_drawn_of_nothing},
        CU_TEST_INFO_NULL,
    };
    return check_run("band_bar", tests);
}
