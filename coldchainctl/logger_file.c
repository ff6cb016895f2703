// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/logger_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "coldchainctl/logger_rows.h"
#include "coldchainctl/say.h"
#include "telemetry/delivery.h"

#define PACK_READINGS 400 /* about 25 KiB: the API takes 64 */

struct parse {
    struct logger_file *file;
    const struct logger_options *options;
    struct logger_rows rows;
    size_t in_pack; /* readings of the last pack */
};

/* ---- values ------------------------------------------------------------------------ */

static void put_reading(struct parse *parse, const struct csv_column *column,
                        int64_t time_ms, double value)
{
    struct buf *pack = &parse->file->packs[parse->file->count - 1];
    const char *unit = logger_unit(column->unit, &value);
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

static void take_row(void *context, int64_t time_ms, const double *values)
{
    struct parse *parse = context;
    const struct csv_map *map = &parse->rows.map;
    for (size_t i = 0; i < map->count; i++)
        if (i != map->time && isfinite(values[i]))
            take_value(parse, &map->columns[i], time_ms, values[i]);
}

/* ---- rows -------------------------------------------------------------------------- */

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

static enum err read_rows(struct parse *parse, const struct buf *text,
                          struct err_text *why)
{
    struct logger_file *file = parse->file;
    struct logger_rows *rows = &parse->rows;
    enum err err = logger_rows_read(rows, text, why);
    end_pack(parse);
    file->rows = rows->count;
    file->first_ms = rows->first_ms;
    file->last_ms = rows->last_ms;
    if (file->refused == 0)
        file->first_refusal = rows->first_refusal;
    file->refused += rows->refused;
    if (err != ERR_OK && rows->refused > 0)
        return err_set(
            why, ERR_INVALID,
            say("%.400s; nothing was imported: mend it, or leave such rows out "
                "with --partial"),
            rows->first_refusal.text);
    if (err != ERR_OK || file->readings > 0)
        return err;
    return err_set(why, ERR_NOT_FOUND, say("no row holds a reading%s%.300s"),
                   file->refused > 0 ? say("; the first: ") : "",
                   file->first_refusal.text);
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

enum err logger_file_parse(struct logger_file *file, const void *data, size_t len,
                           const struct logger_options *options, struct err_text *why)
{
    *file = (struct logger_file){.count = 0};
    struct parse parse = {
        .file = file,
        .options = options,
        .rows = {.is_partial = options->is_partial, .take = take_row},
    };
    struct buf text = {0};
    parse.rows.context = &parse;
    name_epoch(file, data, len, options);
    enum err err = logger_rows_begin(&parse.rows, options->columns, why);
    if (err == ERR_OK)
        err = logger_text(&text, data, len, why);
    if (err == ERR_OK)
        err = judge_end(&parse, &text, why);
    if (err == ERR_OK)
        err = read_rows(&parse, &text, why);
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
