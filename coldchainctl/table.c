// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Blocks of Unicode 15 whose East Asian Width is wide or fullwidth, joined where near. */
static const struct {
    uint32_t first;
    uint32_t last;
} wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F}, {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

/* Decodes one character; a broken byte counts as itself. */
static uint32_t decode(const char **at)
{
    const unsigned char *text = (const unsigned char *)*at;
    size_t len = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : text[0] >= 0xC0 ? 2 : 1;
    uint32_t code = len == 1 ? text[0] : text[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            (*at)++;
            return text[0];
        }
        code = code << 6 | (text[i] & 0x3F);
    }
    *at += len;
    return code;
}

size_t table_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        uint32_t code = decode(&text);
        bool is_combining = code >= 0x300 && code <= 0x36F;
        width += !is_combining;
        for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++)
            width += code >= wide[i].first && code <= wide[i].last;
    }
    return width;
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

void table_print(const struct table *table, FILE *out)
{
    size_t columns = 0, widths[TABLE_COLUMNS_MAX] = {0};
    bool is_right[TABLE_COLUMNS_MAX] = {false};
    for (; columns < TABLE_COLUMNS_MAX && table->headings[columns] != NULL; columns++) {
        is_right[columns] = table->headings[columns][0] == '>';
        widths[columns] = table_width(table->headings[columns]) - is_right[columns];
    }
    assert(columns > 0);
    for (size_t i = 0; i < table->count; i++)
        if (table_width(table->cells[i]) > widths[i % columns])
            widths[i % columns] = table_width(table->cells[i]);
    for (size_t i = 0; i < columns; i++)
        print_cell(out, table->headings[i] + is_right[i], widths[i], is_right[i],
                   i + 1 == columns);
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
