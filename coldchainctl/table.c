// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "coldchainctl/say.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/width.h"

#define GAP       2
#define ELLIPSIS  "…"
#define ALARM     "\033[1;31m"
#define ALARM_END "\033[0m"

/* Columns of text keep so much as long as others have more, and never get below the
 * second: what would be left says nothing. */
static const size_t leasts[] = {8, 4};

struct layout {
    size_t count;
    size_t widths[TABLE_COLUMNS_MAX];
    bool is_right[TABLE_COLUMNS_MAX];
};

size_t table_width(const char *text)
{
    return width_of(text, strlen(text));
}

void table_cell(struct table *table, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    mem_grow(&table->cells, &table->capacity, table->count + 1, sizeof *table->cells);
    table->cells[table->count++] = (struct table_cell){.text = mem_strdup(text)};
}

void table_alarm(struct table *table)
{
    assert(table->count > 0);
    table->cells[table->count - 1].is_alarm = true;
}

static const char *heading(const struct table *table, size_t column)
{
    const char *text = table->headings[column];
    return say_word(text + (text[0] == '>'));
}

static struct layout measure(const struct table *table)
{
    struct layout layout = {.count = 0};
    size_t i = 0;
    for (; i < TABLE_COLUMNS_MAX && table->headings[i] != NULL; i++) {
        layout.is_right[i] = table->headings[i][0] == '>';
        layout.widths[i] = table_width(heading(table, i));
    }
    layout.count = i;
    assert(layout.count > 0);
    for (i = 0; i < table->count; i++) {
        size_t *width = &layout.widths[i % layout.count];
        size_t used = table_width(table->cells[i].text);
        *width = used > *width ? used : *width;
    }
    return layout;
}

static size_t total_of(const struct layout *layout)
{
    size_t total = GAP * (layout->count - 1);
    for (size_t i = 0; i < layout->count; i++)
        total += layout->widths[i];
    return total;
}

/* The widest column of text that has more than `least`; NULL: none. */
static size_t *widest(struct layout *layout, size_t least)
{
    size_t *found = NULL;
    for (size_t i = 0; i < layout->count; i++)
        if (!layout->is_right[i] && layout->widths[i] > least &&
            (found == NULL || layout->widths[i] >= *found))
            found = &layout->widths[i];
    return found;
}

static void narrow(struct layout *layout, size_t columns)
{
    size_t total = total_of(layout);
    for (size_t i = 0; i < sizeof leasts / sizeof leasts[0]; i++) {
        size_t *width;
        while (total > columns && (width = widest(layout, leasts[i])) != NULL) {
            --*width;
            total--;
        }
    }
}

static void print_cell(FILE *out, const struct table_cell *cell, size_t width,
                       bool is_right, bool is_last)
{
    size_t len = strlen(cell->text);
    size_t used = width_of(cell->text, len);
    bool is_cut = used > width;
    if (is_cut) {
        len = width_fit(cell->text, len, width - 1);
        used = width_of(cell->text, len) + 1;
    }
    int pad = used < width ? (int)(width - used) : 0;
    fprintf(out, "%*s%s%.*s%s%s", is_right ? pad : 0, "", cell->is_alarm ? ALARM : "",
            (int)len, cell->text, is_cut ? ELLIPSIS : "",
            cell->is_alarm ? ALARM_END : "");
    fprintf(out, "%*s", is_right || is_last ? 0 : pad, "");
    fputs(is_last ? "\n" : "  ", out);
}

void table_print_as(const struct table *table, FILE *out, const struct table_look *look)
{
    struct layout layout = measure(table);
    const size_t columns = layout.count;
    assert(columns > 0);
    if (look->columns > 0)
        narrow(&layout, look->columns);
    for (size_t i = 0; i < columns; i++) {
        const struct table_cell cell = {.text = (char *)(uintptr_t)heading(table, i)};
        print_cell(out, &cell, layout.widths[i], layout.is_right[i], i + 1 == columns);
    }
    for (size_t i = 0; i < table->count; i++) {
        struct table_cell cell = table->cells[i];
        size_t column = i % columns;
        cell.is_alarm = cell.is_alarm && look->has_color;
        print_cell(out, &cell, layout.widths[column], layout.is_right[column],
                   column + 1 == columns || i + 1 == table->count);
    }
}

void table_print(const struct table *table, FILE *out)
{
    const struct table_look look = {.columns = screen_room(out),
                                    .has_color = screen_has_color(out)};
    table_print_as(table, out, &look);
}

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    *table = (struct table){.cells = NULL};
}
