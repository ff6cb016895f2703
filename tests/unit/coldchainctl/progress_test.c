// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/progress.h"

#include <stdlib.h>

#include "tests/support/check.h"

#define CLEAR "\r\033[K"

static void the_line_says_share_amount_rate_and_what_is_left(void)
{
    static const struct {
        const char *name;
        uint64_t done, total;
        const char *unit;
        int64_t ms;
        const char *want;
    } rows[] = {
        {"nothing yet", 0, 1000, "packs", 0,
         "import  [....................]   0%  0 packs  0 packs/s  -:--"},
        {"a quarter in a second", 250, 1000, "packs", 1000,
         "import  [#####...............]  25%  250 packs  250 packs/s  0:03"},
        {"all", 1000, 1000, "packs", 4000,
         "import  [####################] 100%  1000 packs  250 packs/s  0:00"},
        {"more than was announced", 1500, 1000, "packs", 3000,
         "import  [####################] 100%  1500 packs  500 packs/s  0:00"},
        {"bytes in a unit that is read", 3 << 20, 12 << 20, "B", 2000,
         "import  [#####...............]  25%  3.0 MiB  1.5 MiB/s  0:06"},
        {"hours are left", 1, 7201, "B", 1000,
         "import  [....................]   0%  1 B  1 B/s  2:00:00"},
        {"how much it is in all is not known", 1500, 0, "packs", 500,
         "import  1500 packs  3000 packs/s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct progress progress = {.label = "import",
                                          .unit = rows[i].unit,
                                          .total = rows[i].total,
                                          .done = rows[i].done};
        char text[160];
        progress_format(&progress, rows[i].ms, text, sizeof text);
        CHECK_ROW(rows[i].name, strcmp(text, rows[i].want) == 0);
    }
}

/* What `steps` of one unit each `step_ms` draw on a terminal. */
static char *drawn(size_t columns, uint64_t steps, int64_t step_ms)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct progress progress = {
        .label = "导入", .unit = "包", .total = steps, .columns = columns, .out = out};
    progress_begin_at(&progress, 1000);
    for (uint64_t i = 1; i <= steps; i++)
        progress_set_at(&progress, i, 1000 + (int64_t)i * step_ms);
    progress_end(&progress);
    progress_end(&progress); /* once is enough */
    fclose(out);
    return text;
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

static void it_is_drawn_at_most_ten_times_a_second(void)
{
    static const struct {
        const char *name;
        uint64_t steps;
        int64_t step_ms;
        size_t want; /* the first, one each tenth of a second, the end */
    } rows[] = {
        {"ten thousand steps in ten seconds", 10000, 1, 102},
        {"a step a second", 5, 1000, 7},
        {"all within a tenth of a second", 99, 1, 2},
        {"a clock that stands still", 1000, 0, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = drawn(80, rows[i].steps, rows[i].step_ms);
        CHECK_ROW(rows[i].name, count_of(text, CLEAR) == rows[i].want);
        free(text);
    }
}

static void the_line_is_clean_at_the_end(void)
{
    char *text = drawn(80, 3, 1000);
    size_t len = strlen(text);
    CHECK(len > strlen(CLEAR) && strcmp(text + len - strlen(CLEAR), CLEAR) == 0);
    CHECK(strchr(text, '\n') == NULL);
    CHECK(strstr(text, "100%") != NULL);
    free(text);
}

static void it_keeps_to_a_narrow_terminal(void)
{
    char *text = drawn(20, 1, 1000);
    CHECK_TEXT(text, CLEAR "导入  [............" CLEAR "导入  [############" CLEAR);
    free(text);
    text = drawn(4, 1, 1000);
    CHECK_TEXT(text, CLEAR "导" CLEAR "导" CLEAR);
    free(text);
}

static void a_script_sees_nothing(void)
{
    struct progress progress = {.label = "x", .unit = "B", .total = 2};
    progress_begin_at(&progress, 0);
    progress_set_at(&progress, 1, 5000);
    CHECK(progress.done == 1);
    progress_set_at(&progress, 0, 6000);
    CHECK(progress.done == 1);
    progress_end(&progress);
    struct progress zeroed = {.out = NULL};
    progress_end(&zeroed);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the line says share, amount, rate and what is left",
         the_line_says_share_amount_rate_and_what_is_left},
        {"it is drawn at most ten times a second",
         it_is_drawn_at_most_ten_times_a_second},
        {"the line is clean at the end", the_line_is_clean_at_the_end},
        {"it keeps to a narrow terminal", it_keeps_to_a_narrow_terminal},
        {"a script sees nothing", a_script_sees_nothing},
        CU_TEST_INFO_NULL,
    };
    return check_run("progress", tests);
}
