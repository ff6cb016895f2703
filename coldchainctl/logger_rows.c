// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/logger_rows.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "coldchainctl/say.h"
#include "telemetry/channel.h"

/* Times that no logger of a cold chain can mean. */
#define TIME_FIRST_MS INT64_C(946684800000)
#define TIME_LAST_MS  INT64_C(4102444800000)

/* ---- text -------------------------------------------------------------------------- */

static uint32_t unit_at(const uint8_t *data, size_t at, bool is_big)
{
    return is_big ? (uint32_t)data[at] << 8 | data[at + 1]
                  : (uint32_t)data[at + 1] << 8 | data[at];
}

static enum err from_utf16(struct buf *text, const uint8_t *data, size_t len, bool is_big,
                           struct err_text *why)
{
    for (size_t at = 2; at + 1 < len; at += 2) {
        char bytes[4];
        uint32_t code = unit_at(data, at, is_big);
        if (code >= 0xD800 && code < 0xDC00 && at + 3 < len) {
            uint32_t low = unit_at(data, at + 2, is_big);
            if (low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                at += 2;
            }
        }
        if (code == 0 || (code >= 0xD800 && code < 0xE000))
            return err_set(why, ERR_INVALID, say("byte %zu is no character of UTF-16"),
                           at);
        buf_add(text, bytes, utf8_write(code, bytes));
    }
    return len % 2 == 0
               ? ERR_OK
               : err_set(why, ERR_INVALID,
                         say("the file ends in the middle of a character; is it still "
                             "being written?"));
}

enum err logger_text(struct buf *text, const void *data, size_t len, struct err_text *why)
{
    const uint8_t *bytes = data;
    if (len >= 2 && bytes[0] == 0xFF && bytes[1] == 0xFE)
        return from_utf16(text, bytes, len, false, why);
    if (len >= 2 && bytes[0] == 0xFE && bytes[1] == 0xFF)
        return from_utf16(text, bytes, len, true, why);
    buf_add(text, data, len);
    if (!utf8_is_valid(data, len) || memchr(data, '\0', len) != NULL)
        return err_set(
            why, ERR_INVALID,
            say("the file is neither UTF-8 nor UTF-16; export it as UTF-8, or: iconv "
                "-f GB18030 -t UTF-8"));
    return ERR_OK;
}

/* ---- columns ----------------------------------------------------------------------- */

/* What loggers call units and SenML does otherwise; F has no name there. */
static const struct {
    const char *name;
    const char *senml;
    double scale;
    double offset;
} units[] = {
    {"C", "Cel", 1, 0},
    {"F", "Cel", 5.0 / 9, -160.0 / 9},
    {"%", "%RH", 1, 0},
    {"RH", "%RH", 1, 0},
};

const char *logger_unit(const char *unit, double *value)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        *value = *value * units[i].scale + units[i].offset;
        return units[i].senml;
    }
    return unit;
}

/* Both become JSON without escapes. */
static bool is_unit(const char *unit)
{
    for (; *unit != '\0'; unit++)
        if (!isgraph((unsigned char)*unit) || strchr("\"\\", *unit) != NULL)
            return false;
    return true;
}

/* What the collector could not read would wait in vain to be evaluated. */
static enum err check_channels(const struct csv_map *map, struct err_text *why)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct csv_column *column = &map->columns[i];
        struct channel channel;
        if (i == map->time)
            continue;
        if (channel_parse(&channel, column->key) != ERR_OK)
            return err_set(
                why, ERR_INVALID,
                say("'%s' is no channel; use a quantity such as air_temperature"),
                column->key);
        if (!is_unit(column->unit))
            return err_set(why, ERR_INVALID,
                           say("the unit of '%s' is none; use C, F, %% or one of SenML"),
                           column->key);
    }
    return map->count > 1
               ? ERR_OK
               : err_set(why, ERR_INVALID,
                         say("no channel is named; add air_temperature=HEADING"));
}

enum err logger_rows_begin(struct logger_rows *rows, const char *columns,
                           struct err_text *why)
{
    enum err err = csv_map_parse(&rows->map, columns, why);
    return err == ERR_OK ? check_channels(&rows->map, why) : err;
}

/* ---- rows -------------------------------------------------------------------------- */

static enum err read_row(const struct logger_rows *rows, const struct csv *csv,
                         int64_t *time_ms, double *values, struct err_text *why)
{
    enum err err = csv_map_row(&rows->map, csv, time_ms, values, why);
    if (err == ERR_OK && (*time_ms < TIME_FIRST_MS || *time_ms > TIME_LAST_MS))
        err = err_set(
            why, ERR_INVALID,
            say("line %zu: its time is not between 2000 and 2100; does the column "
                "need a form, such as time=NAME@s?"),
            csv->row_line);
    return err;
}

static void take_row(struct logger_rows *rows, int64_t time_ms, const double *values)
{
    if (rows->count == 0 || time_ms < rows->first_ms)
        rows->first_ms = time_ms;
    if (rows->count == 0 || time_ms > rows->last_ms)
        rows->last_ms = time_ms;
    rows->count++;
    rows->take(rows->context, time_ms, values);
}

enum err logger_rows_read(struct logger_rows *rows, const struct buf *text,
                          struct err_text *why)
{
    struct csv csv;
    csv_init(&csv, text->data != NULL ? text->data : "", text->len);
    enum err err = csv_map_bind(&rows->map, &csv, why);
    while (err == ERR_OK) {
        int64_t time_ms;
        double values[CSV_COLUMNS_MAX];
        struct err_text refusal = {""};
        enum err row = csv_next(&csv, &refusal);
        if (row == ERR_NOT_FOUND)
            break;
        if (row == ERR_OK)
            row = read_row(rows, &csv, &time_ms, values, &refusal);
        if (row == ERR_OK) {
            take_row(rows, time_ms, values);
            continue;
        }
        if (rows->refused++ == 0)
            rows->first_refusal = refusal;
        if (!rows->is_partial)
            err = err_set(why, row, "%s", refusal.text);
    }
    return err;
}
