// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/table.h"

#include <unistd.h>

#include "base/utf8.h"
#include "coldchainctl/plot.h"
#include "coldchainctl/width.h"
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

static char *printed(const struct table *table, size_t columns, bool has_color)
{
    const struct table_look look = {.columns = columns, .has_color = has_color};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    table_print_as(table, out, &look);
    fclose(out);
    return text;
}

static void a_row(struct table *table, const char *zone, const char *name,
                  const char *device, double value, const char *state)
{
    table_cell(table, "%s", zone);
    table_cell(table, "%s", name);
    table_cell(table, "%s", device);
    table_cell(table, "%.1f", value);
    table_cell(table, "%s", state);
}

static struct table some_zones(void)
{
    struct table table = {.headings = {"zone", "name", "device", ">value", "state"}};
    a_row(&table, "room-1", "奉节产地冷库一号库脐橙预冷间", "fengjie-gateway-1", 9.5,
          "ABOVE");
    table_alarm(&table);
    a_row(&table, "room-2", "plums", "two", -12.25, "in band");
    return table;
}

static size_t widest_line(const char *text)
{
    size_t most = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        size_t width = width_of(text, len);
        most = width > most ? width : most;
        text += len + (text[len] == '\n');
    }
    return most;
}

static void columns_of_text_give_way_to_a_narrow_terminal(void)
{
    static const struct {
        const char *name;
        size_t columns;
        const char *want;
    } rows[] = {
        {"what is no terminal is never cut", 0,
         "zone    name                          device             value  state\n"
         "room-1  奉节产地冷库一号库脐橙预冷间  fengjie-gateway-1    9.5  ABOVE\n"
         "room-2  plums                         two                -12.2  in band\n"},
        {"80 columns hold it all", 80,
         "zone    name                          device             value  state\n"
         "room-1  奉节产地冷库一号库脐橙预冷间  fengjie-gateway-1    9.5  ABOVE\n"
         "room-2  plums                         two                -12.2  in band\n"},
        {"60 columns take from the widest first", 60,
         "zone    name               device             value  state\n"
         "room-1  奉节产地冷库一号…  fengjie-gateway-1    9.5  ABOVE\n"
         "room-2  plums              two                -12.2  in band\n"},
        {"a wide character that fits by half is left out", 58,
         "zone    name              device            value  state\n"
         "room-1  奉节产地冷库一…   fengjie-gateway…    9.5  ABOVE\n"
         "room-2  plums             two               -12.2  in band\n"},
        {"40 columns keep the numbers whole", 40,
         "zone    name     device   value  state\n"
         "room-1  奉节产…  fengji…    9.5  ABOVE\n"
         "room-2  plums    two      -12.2  in band\n"},
    };
    struct table table = some_zones();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = printed(&table, rows[i].columns, false);
        CHECK_ROW(rows[i].name, strcmp(text, rows[i].want) == 0);
        CHECK_ROW(rows[i].name,
                  rows[i].columns == 0 || widest_line(text) <= rows[i].columns);
        free(text);
    }
    table_fini(&table);
}

static void every_width_is_kept_as_long_as_it_can_be(void)
{
    struct table table = some_zones();
    for (size_t columns = 33; columns <= 80; columns++) {
        char *text = printed(&table, columns, false);
        CHECK(widest_line(text) <= columns);
        CHECK(strstr(text, "-12.2") != NULL);
        CHECK(utf8_is_valid(text, strlen(text)));
        free(text);
    }
    table_fini(&table);
}

static void alarms_are_red_where_there_is_colour(void)
{
    struct table table = some_zones();
    char *plain = printed(&table, 40, false);
    char *red = printed(&table, 40, true);
    CHECK(strchr(plain, '\033') == NULL);
    CHECK(strstr(red, "  \033[1;31mABOVE\033[0m\n") != NULL);
    CHECK(strstr(red, "\033[1;31min band") == NULL);
    free(plain);
    free(red);
    table_fini(&table);
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
        {"columns of text give way to a narrow terminal",
         columns_of_text_give_way_to_a_narrow_terminal},
        {"every width is kept as long as it can be",
         every_width_is_kept_as_long_as_it_can_be},
        {"alarms are red where there is colour", alarms_are_red_where_there_is_colour},
        {"plots refuse what they cannot draw", plots_refuse_what_they_cannot_draw},
        CU_TEST_INFO_NULL,
    };
    return check_run("table", tests);
}
