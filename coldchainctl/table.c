// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "coldchainctl/say.h"
#include "coldchainctl/width.h"

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
    table->cells[table->count++] = mem_strdup(text);
}

static void print_cell(FILE *out, const char *text, size_t width, bool is_right,
                       bool is_last)
{
    size_t used = table_width(text);
    int pad = used < width ? (int)(width - used) : 0;
    if (is_right)
        fprintf(out, "%*s%s", pad, "", text);
    else
        fprintf(out, "%s%*s", text, is_last ? 0 : pad, "");
    fputs(is_last ? "\n" : "  ", out);
}

static const char *heading(const struct table *table, size_t column)
{
    const char *text = table->headings[column];
    return say_word(text + (text[0] == '>'));
}

void table_print(const struct table *table, FILE *out)
{
    size_t columns = 0, widths[TABLE_COLUMNS_MAX] = {0};
    bool is_right[TABLE_COLUMNS_MAX] = {false};
    for (; columns < TABLE_COLUMNS_MAX && table->headings[columns] != NULL; columns++) {
        is_right[columns] = table->headings[columns][0] == '>';
        widths[columns] = table_width(heading(table, columns));
    }
    assert(columns > 0);
    for (size_t i = 0; i < table->count; i++)
        if (table_width(table->cells[i]) > widths[i % columns])
            widths[i % columns] = table_width(table->cells[i]);
    for (size_t i = 0; i < columns; i++)
        print_cell(out, heading(table, i), widths[i], is_right[i], i + 1 == columns);
    for (size_t i = 0; i < table->count; i++)
        print_cell(out, table->cells[i], widths[i % columns], is_right[i % columns],
                   i % columns + 1 == columns || i + 1 == table->count);
}

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){.cells = NULL};
}
