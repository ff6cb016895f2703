// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/table.h"

#include <unistd.h>

#include "coldchainctl/plot.h"
#include "tests/support/check.h"

static void widths_of_wide_and_broken_text(void)
{
    static const struct {
        const char *text;
        size_t want;
    } rows[] = {{"", 0},         {"plum", 4},      {"李（脆李）", 10},
                {"4℃", 2},       {"e\xCC\x81", 1}, {"\xFF\xFE", 2},
                {"\xE6\x9D", 2}, {"°", 1},         {"\xF0\xA0\x80\x80", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].text, table_width(rows[i].text) == rows[i].want);
}

static void columns_are_aligned(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct table table = {.headings = {"name", ">days", "limit"}};
    table_cell(&table, "%s", "李");
    table_cell(&table, "%d", 7);
    table_cell(&table, "%s", "ageing");
    table_cell(&table, "%s", "cucumber");
    table_cell(&table, "%.1f", 12.5);
    table_cell(&table, "%s", "chilling");
    table_print(&table, out);
    fclose(out);
    CHECK_TEXT(text, "name      days  limit\n"
                     "李           7  ageing\n"
                     "cucumber  12.5  chilling\n");
    table_fini(&table);
    free(text);
}

static void plots_refuse_what_they_cannot_draw(void)
{
    static const int64_t times[] = {0, 3600000};
    static const double values[] = {4, 5};
    const struct plot_panel panel = {.title = "C",
                                     .band_low = 0,
                                     .band_high = 8,
                                     .line_count = 1,
                                     .lines = {{.name = "air", .values = values}}};
    struct plot plot = {.title = "t",
                        .footnote = "",
                        .count = 2,
                        .times_ms = times,
                        .panel_count = 1,
                        .panels = &panel};
    static const struct {
        const char *path;
        size_t count;
        enum err want;
    } rows[] = {{"/nonexistent/x.svg", 2, ERR_IO},
                {"/nonexistent/x.png", 2, ERR_IO},
                {"x.gif", 2, ERR_UNSUPPORTED},
                {".svg", 2, ERR_UNSUPPORTED},
                {"x.svg", 1, ERR_INVALID}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err_text why = {""};
        plot.count = rows[i].count;
        CHECK_ROW(rows[i].path, plot_write(&plot, rows[i].path, &why) == rows[i].want);
        CHECK_ROW(rows[i].path, strstr(why.text, rows[i].path) != NULL);
    }
    CHECK(access("x.svg", F_OK) != 0);
}

/* fontconfig keeps its configuration; see tests/support/lsan.supp. */
/* NOLINTBEGIN(bugprone-reserved-identifier): the sanitizer looks for this name */
const char *__lsan_default_suppressions(void) __attribute__((visibility("default")));
const char *__lsan_default_suppressions(void)
/* NOLINTEND(bugprone-reserved-identifier) */
{
    return "leak:libfontconfig\n";
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"widths of wide and broken text", widths_of_wide_and_broken_text},
        {"columns are aligned", columns_are_aligned},
        {"plots refuse what they cannot draw", plots_refuse_what_they_cannot_draw},
        CU_TEST_INFO_NULL,
    };
    return check_run("table", tests);
}
