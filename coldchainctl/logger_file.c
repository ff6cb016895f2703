// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/logger_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/csv.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "coldchainctl/say.h"
#include "telemetry/channel.h"
#include "telemetry/delivery.h"

#define PACK_READINGS 400 /* about 25 KiB: the API takes 64 */

/* Times that no logger of a cold chain can mean. */
#define TIME_FIRST_MS INT64_C(946684800000)
#define TIME_LAST_MS  INT64_C(4102444800000)

struct parse {
    struct logger_file *file;
    const struct logger_options *options;
    struct csv csv;
    struct csv_map map;
    size_t in_pack; /* readings of the last pack */
};

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

static enum err to_utf8(struct buf *text, const void *data, size_t len,
                        struct err_text *why)
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

/* ---- values ------------------------------------------------------------------------ */

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

static void put_reading(struct parse *parse, const struct csv_column *column,
                        int64_t time_ms, double value)
{
    struct buf *pack = &parse->file->packs[parse->file->count - 1];
    const char *unit = column->unit;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        value = value * units[i].scale + units[i].offset;
        unit = units[i].senml;
        break;
    }
    buf_format(pack, "%s{\"n\":\"%s\",", parse->in_pack == 0 ? "" : ",\n ", column->key);
    if (unit[0] != '\0')
        buf_format(pack, "\"u\":\"%s\",", unit);
    buf_format(pack, "\"t\":%" PRId64 ".%03d,\"v\":%.15g}", time_ms / 1000,
               (int)(time_ms % 1000), value);
    parse->in_pack++;
    parse->file->readings++;
}

/* The names that the labels of a pack carry stand before its first reading. */
static void begin_pack(struct parse *parse)
{
    struct logger_file *file = parse->file;
    mem_grow(&file->packs, &file->capacity, file->count + 1, sizeof *file->packs);
    struct buf *pack = &file->packs[file->count++];
    *pack = (struct buf){.len = 0};
    buf_format(pack, "[{\"cc-dev\":\"%s\",\"cc-epoch\":\"%s\",\"cc-seq\":\"%zu\"",
               parse->options->device, file->epoch, file->count);
    if (file->count > 1) {
        const struct buf *before = &file->packs[file->count - 2];
        buf_format(pack, ",\"cc-prev\":\"%016" PRIx64 "\"",
                   delivery_hash(before->data, before->len));
    }
    buf_text(pack, ",");
    parse->in_pack = 0;
}

static void end_pack(struct parse *parse)
{
    if (parse->file->count > 0 && parse->in_pack > 0)
        buf_text(&parse->file->packs[parse->file->count - 1], "]");
    parse->in_pack = 0;
}

static void take_value(struct parse *parse, const struct csv_column *column,
                       int64_t time_ms, double value)
{
    struct logger_file *file = parse->file;
    if (parse->in_pack == PACK_READINGS)
        end_pack(parse);
    if (parse->in_pack == 0) {
        begin_pack(parse);
        /* The first record is one with the labels: its brace is open already. */
        size_t from = file->packs[file->count - 1].len;
        put_reading(parse, column, time_ms, value);
        struct buf *pack = &file->packs[file->count - 1];
        memmove(pack->data + from, pack->data + from + 1, pack->len - from);
        pack->len--;
        return;
    }
    put_reading(parse, column, time_ms, value);
}

static void take_row(struct parse *parse, int64_t time_ms, const double *values)
{
    struct logger_file *file = parse->file;
    if (file->rows == 0 || time_ms < file->first_ms)
        file->first_ms = time_ms;
    if (file->rows == 0 || time_ms > file->last_ms)
        file->last_ms = time_ms;
    file->rows++;
    for (size_t i = 0; i < parse->map.count; i++)
        if (i != parse->map.time && isfinite(values[i]))
            take_value(parse, &parse->map.columns[i], time_ms, values[i]);
}

/* ---- rows -------------------------------------------------------------------------- */

static enum err read_row(struct parse *parse, int64_t *time_ms, double *values,
                         struct err_text *why)
{
    enum err err = csv_map_row(&parse->map, &parse->csv, time_ms, values, why);
    if (err == ERR_OK && (*time_ms < TIME_FIRST_MS || *time_ms > TIME_LAST_MS))
        err = err_set(
            why, ERR_INVALID,
            say("line %zu: its time is not between 2000 and 2100; does the column "
                "need a form, such as time=NAME@s?"),
            parse->csv.row_line);
    return err;
}

static enum err read_rows(struct parse *parse, struct err_text *why)
{
    struct logger_file *file = parse->file;
    for (;;) {
        int64_t time_ms;
        double values[CSV_COLUMNS_MAX];
        struct err_text refusal = {""};
        enum err err = csv_next(&parse->csv, &refusal);
        if (err == ERR_NOT_FOUND)
            break;
        if (err == ERR_OK)
            err = read_row(parse, &time_ms, values, &refusal);
        if (err == ERR_OK) {
            take_row(parse, time_ms, values);
            continue;
        }
        if (file->refused++ == 0)
            file->first_refusal = refusal;
        if (!parse->options->is_partial)
            return err_set(
                why, ERR_INVALID,
                say("%.400s; nothing was imported: mend it, or leave such rows out "
                    "with --partial"),
                refusal.text);
    }
    end_pack(parse);
    return file->readings > 0
               ? ERR_OK
               : err_set(why, ERR_NOT_FOUND, say("no row holds a reading%s%.300s"),
                         file->refused > 0 ? say("; the first: ") : "",
                         file->first_refusal.text);
}

static size_t count_lines(const struct buf *text)
{
    size_t lines = 0;
    for (size_t i = 0; i < text->len; i++)
        lines += text->data[i] == '\n';
    return lines;
}

/* A last line without its end may be half a line, and half a number reads as a number. */
static enum err judge_end(struct parse *parse, struct buf *text, struct err_text *why)
{
    size_t len = text->len;
    if (len == 0 || text->data[len - 1] == '\n' || text->data[len - 1] == '\r' ||
        parse->options->is_whole)
        return ERR_OK;
    size_t line = count_lines(text) + 1;
    err_set(&parse->file->first_refusal, ERR_INVALID,
            say("line %zu has no end of line: the file may be half written"), line);
    if (!parse->options->is_partial)
        return err_set(
            why, ERR_INVALID,
            say("%s; nothing was imported: take the file once it is whole, say "
                "--whole when it is, or leave that line out with --partial"),
            parse->file->first_refusal.text);
    while (len > 0 && text->data[len - 1] != '\n')
        len--;
    text->len = len;
    parse->file->refused = 1;
    return ERR_OK;
}

static void name_epoch(struct logger_file *file, const void *data, size_t len,
                       const struct logger_options *options)
{
    struct crypto_digest digest;
    uint8_t hash[CRYPTO_DIGEST_BYTES];
    crypto_digest_begin(&digest);
    crypto_digest_add(&digest, data, len);
    crypto_digest_add(&digest, options->columns, strlen(options->columns) + 1);
    crypto_digest_add(&digest, options->is_partial ? "p" : "a", 1);
    crypto_digest_end(&digest, hash);
    hash[0] |= 1; /* an epoch is never all zero */
    crypto_hex(file->epoch, hash, 8);
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

enum err logger_file_parse(struct logger_file *file, const void *data, size_t len,
                           const struct logger_options *options, struct err_text *why)
{
    *file = (struct logger_file){.count = 0};
    struct parse parse = {.file = file, .options = options};
    struct buf text = {0};
    name_epoch(file, data, len, options);
    enum err err = csv_map_parse(&parse.map, options->columns, why);
    if (err == ERR_OK)
        err = check_channels(&parse.map, why);
    if (err == ERR_OK)
        err = to_utf8(&text, data, len, why);
    if (err == ERR_OK)
        err = judge_end(&parse, &text, why);
    if (err == ERR_OK) {
        csv_init(&parse.csv, text.data != NULL ? text.data : "", text.len);
        err = csv_map_bind(&parse.map, &parse.csv, why);
    }
    if (err == ERR_OK)
        err = read_rows(&parse, why);
    buf_fini(&text);
    return err;
}

void logger_file_fini(struct logger_file *file)
{
    for (size_t i = 0; i < file->count; i++)
        buf_fini(&file->packs[i]);
    free(file->packs);
    *file = (struct logger_file){.count = 0};
}
