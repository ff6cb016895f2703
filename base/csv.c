// SPDX-License-Identifier: Apache-2.0
#include "base/csv.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/number.h"

/* Seconds beyond this are milliseconds: it is the year 5138 as one, 1973 as the other. */
#define SECONDS_MAX 1e11
/* What fits the time type with room to spare: the year 9999. */
#define TIME_MS_MAX 2.534e14

static char separator_of(const char *text, size_t len)
{
    static const char candidates[] = ",;\t";
    size_t counts[sizeof candidates - 1] = {0};
    bool is_quoted = false;
    for (size_t i = 0; i < len && (text[i] != '\n' || is_quoted); i++) {
        is_quoted ^= text[i] == '"';
        const char *found =
            text[i] != '\0' && !is_quoted ? strchr(candidates, text[i]) : NULL;
        if (found != NULL)
            counts[found - candidates]++;
    }
    size_t best = 0;
    for (size_t i = 1; i < sizeof candidates - 1; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

void csv_init(struct csv *csv, const char *text, size_t len)
{
    *csv = (struct csv){.text = text, .len = len, .line = 1};
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        csv->at = 3;
    csv->separator = separator_of(text + csv->at, len - csv->at);
}

static bool at_row_end(const struct csv *csv)
{
    return csv->at >= csv->len || csv->text[csv->at] == '\n' ||
           (csv->text[csv->at] == '\r' &&
            (csv->at + 1 == csv->len || csv->text[csv->at + 1] == '\n'));
}

/* Over the line end, if one is here. */
static void next_line(struct csv *csv)
{
    if (csv->at < csv->len && csv->text[csv->at] == '\r')
        csv->at++;
    if (csv->at < csv->len && csv->text[csv->at] == '\n') {
        csv->at++;
        csv->line++;
    }
}

/* Goes on behind the line in which the bad row began. */
static void skip_row(struct csv *csv, size_t start)
{
    csv->at = start;
    csv->line = csv->row_line;
    while (csv->at < csv->len && csv->text[csv->at] != '\n')
        csv->at++;
    next_line(csv);
}

static void read_plain(struct csv *csv, struct csv_field *field)
{
    size_t start = csv->at;
    while (!at_row_end(csv) && csv->text[csv->at] != csv->separator)
        csv->at++;
    *field = (struct csv_field){.text = csv->text + start, .len = csv->at - start};
}

/* Behind the opening quote; false when the quote is never closed. */
static bool read_quoted(struct csv *csv, struct csv_field *field)
{
    size_t start = ++csv->at;
    *field = (struct csv_field){.text = csv->text + start};
    for (; csv->at < csv->len && csv->at - start <= CSV_QUOTED_MAX; csv->at++) {
        if (csv->text[csv->at] == '\n')
            csv->line++;
        if (csv->text[csv->at] != '"')
            continue;
        if (csv->at + 1 < csv->len && csv->text[csv->at + 1] == '"') {
            field->has_doubled_quotes = true;
            csv->at++;
            continue;
        }
        field->len = csv->at++ - start;
        return at_row_end(csv) || csv->text[csv->at] == csv->separator;
    }
    return false;
}

static enum err read_row(struct csv *csv, struct err_text *why)
{
    csv->count = 0;
    for (;;) {
        if (csv->count == CSV_FIELDS_MAX)
            return err_set(why, ERR_LIMIT, "line %zu: more than %d columns",
                           csv->row_line, CSV_FIELDS_MAX);
        struct csv_field *field = &csv->fields[csv->count++];
        if (csv->at < csv->len && csv->text[csv->at] == '"') {
            if (!read_quoted(csv, field))
                return err_set(why, ERR_INVALID,
                               "line %zu, column %zu: a quote is not closed",
                               csv->row_line, csv->count);
        } else {
            read_plain(csv, field);
        }
        if (at_row_end(csv))
            return ERR_OK;
        assert(csv->text[csv->at] == csv->separator);
        csv->at++;
    }
}

enum err csv_next(struct csv *csv, struct err_text *why)
{
    while (csv->at < csv->len && at_row_end(csv))
        next_line(csv);
    csv->count = 0;
    if (csv->at >= csv->len)
        return ERR_NOT_FOUND;
    csv->row_line = csv->line;
    size_t start = csv->at;
    enum err err = read_row(csv, why);
    if (err == ERR_OK)
        next_line(csv);
    else
        skip_row(csv, start);
    return err;
}

const char *csv_text(const struct csv_field *field, char *out, size_t size)
{
    assert(size > 0);
    size_t len = 0;
    for (size_t i = 0; i < field->len && len + 1 < size; i++) {
        out[len++] = field->text[i];
        if (field->has_doubled_quotes && field->text[i] == '"')
            i++;
    }
    out[len] = '\0';
    return out;
}

static struct csv_field trimmed(const struct csv_field *field)
{
    struct csv_field out = *field;
    for (; out.len > 0 && isspace((unsigned char)out.text[0]); out.text++)
        out.len--;
    while (out.len > 0 && isspace((unsigned char)out.text[out.len - 1]))
        out.len--;
    return out;
}

static bool is_missing(const struct csv_field *field)
{
    static const char *const words[] = {"nan", "null", "na", "n/a", "-"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i]) == field->len &&
            strncasecmp(words[i], field->text, field->len) == 0)
            return true;
    return field->len == 0;
}

/* What JSON calls a number, and the "+1" and ".5" of other writers. */
static bool scan(const struct csv_field *field, char point, double *value)
{
    char text[64];
    size_t len = 0, at = 0;
    if (field->len + 2 >= sizeof text)
        return false;
    if (at < field->len && (field->text[at] == '-' || field->text[at] == '+'))
        len += (text[len] = field->text[at++]) == '-';
    if (at < field->len && field->text[at] == point)
        text[len++] = '0';
    for (; at < field->len; at++)
        text[len++] = field->text[at] == point ? '.' : field->text[at];
    return number_scan(value, text, len) == len && len > 0;
}

bool csv_number(const struct csv_field *field, bool has_decimal_comma, double *value)
{
    struct csv_field bare = trimmed(field);
    *value = (double)NAN;
    if (is_missing(&bare))
        return true;
    bool uses_comma = has_decimal_comma && memchr(bare.text, ',', bare.len) != NULL;
    if (scan(&bare, uses_comma ? ',' : '.', value))
        return true;
    *value = (double)NAN;
    return false;
}

/* Copies `len` bytes; false when they do not fit or are none. */
static bool take_name(char *out, size_t size, const char *from, size_t len)
{
    if (len == 0 || len >= size)
        return false;
    memcpy(out, from, len);
    out[len] = '\0';
    return true;
}

static bool parse_column(struct csv_column *column, const char *text, size_t len)
{
    const char *equals = memchr(text, '=', len);
    if (equals == NULL ||
        !take_name(column->key, sizeof column->key, text, (size_t)(equals - text)))
        return false;
    const char *name = equals + 1;
    size_t rest = len - (size_t)(name - text);
    const char *at = memrchr(name, '@', rest);
    if (at == NULL)
        return take_name(column->column, sizeof column->column, name, rest);
    return take_name(column->column, sizeof column->column, name, (size_t)(at - name)) &&
           take_name(column->unit, sizeof column->unit, at + 1,
                     rest - (size_t)(at + 1 - name));
}

int csv_map_find(const struct csv_map *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->columns[i].key, key) == 0)
            return (int)i;
    return -1;
}

static bool is_zone(const char *unit)
{
    return strcmp(unit, "utc") == 0 || unit[0] == '+' || unit[0] == '-';
}

static bool is_time_unit(const char *unit)
{
    return unit[0] == '\0' || strcmp(unit, "iso") == 0 || strcmp(unit, "s") == 0 ||
           strcmp(unit, "ms") == 0 || is_zone(unit);
}

static enum err map_check(struct csv_map *map, struct err_text *why)
{
    int time = csv_map_find(map, "time");
    if (time < 0)
        return err_set(
            why, ERR_INVALID,
            "no column is named for the time; add time=COLUMN, e.g. time=Timestamp");
    map->time = (size_t)time;
    if (!is_time_unit(map->columns[time].unit))
        return err_set(
            why, ERR_INVALID,
            "'%s' is no form of time; use iso, s, ms, utc or a zone like +08:00",
            map->columns[time].unit);
    return ERR_OK;
}

enum err csv_map_parse(struct csv_map *map, const char *spec, struct err_text *why)
{
    *map = (struct csv_map){0};
    for (const char *at = spec; *at != '\0';) {
        size_t len = strcspn(at, ",");
        if (map->count == CSV_COLUMNS_MAX)
            return err_set(why, ERR_LIMIT, "more than %d columns are named",
                           CSV_COLUMNS_MAX);
        struct csv_column column = {0};
        if (!parse_column(&column, at, len))
            return err_set(why, ERR_INVALID,
                           "'%.*s' is not KEY=COLUMN or KEY=COLUMN@UNIT",
                           (int)(len < 100 ? len : 100), at);
        if (csv_map_find(map, column.key) >= 0)
            return err_set(why, ERR_INVALID, "'%s' is named twice", column.key);
        map->columns[map->count++] = column;
        at += len;
        at += *at == ',';
    }
    return map_check(map, why);
}

static bool parse_position(const char *text, size_t *index)
{
    char *end = NULL;
    if (text[0] != '#' || !isdigit((unsigned char)text[1]))
        return false;
    unsigned long number = strtoul(text + 1, &end, 10);
    if (*end != '\0' || number < 1 || number > CSV_FIELDS_MAX)
        return false;
    *index = number - 1;
    return true;
}

static enum err bind_named(struct csv_column *column, const struct csv *csv,
                           struct err_text *why)
{
    char text[CSV_NAME_MAX * 2];
    for (size_t i = 0; i < csv->count; i++) {
        struct csv_field heading = trimmed(&csv->fields[i]);
        if (strcmp(csv_text(&heading, text, sizeof text), column->column) == 0) {
            column->index = i;
            return ERR_OK;
        }
    }
    char seen[200] = "";
    size_t used = 0;
    for (size_t i = 0; i < csv->count && used < sizeof seen - 45; i++)
        used += (size_t)snprintf(seen + used, sizeof seen - used, "%s%s",
                                 i > 0 ? ", " : "", csv_text(&csv->fields[i], text, 40));
    return err_set(why, ERR_NOT_FOUND, "the heading has no column '%s'; it has: %s",
                   column->column, seen);
}

static bool parse_time(const struct csv_field *field, const char *unit, int64_t *time_ms);

enum err csv_map_bind(struct csv_map *map, struct csv *csv, struct err_text *why)
{
    struct csv before = *csv;
    enum err err = csv_next(csv, why);
    if (err == ERR_NOT_FOUND)
        return err_set(why, ERR_NOT_FOUND, "the file has no rows");
    if (err != ERR_OK)
        return err;
    bool has_names = false;
    for (size_t i = 0; i < map->count; i++) {
        if (parse_position(map->columns[i].column, &map->columns[i].index))
            continue;
        has_names = true;
        err = bind_named(&map->columns[i], csv, why);
        if (err != ERR_OK)
            return err;
    }
    const struct csv_column *time = &map->columns[map->time];
    int64_t ignored;
    if (!has_names && time->index < csv->count &&
        parse_time(&csv->fields[time->index], time->unit, &ignored))
        *csv = before; /* the first row is data already */
    return ERR_OK;
}

static bool parse_epoch(const struct csv_field *field, const char *unit, int64_t *time_ms)
{
    double number;
    if (!csv_number(field, false, &number) || isnan(number))
        return false;
    bool is_seconds =
        strcmp(unit, "s") == 0 || (strcmp(unit, "ms") != 0 && fabs(number) < SECONDS_MAX);
    double ms = is_seconds ? number * 1000 : number;
    if (fabs(ms) > TIME_MS_MAX)
        return false;
    *time_ms = llround(ms);
    return true;
}

static bool parse_time(const struct csv_field *field, const char *unit, int64_t *time_ms)
{
    struct csv_field bare = trimmed(field);
    bool is_text = strcmp(unit, "iso") == 0 || is_zone(unit);
    if (!is_text && parse_epoch(&bare, unit, time_ms))
        return true;
    if (strcmp(unit, "s") == 0 || strcmp(unit, "ms") == 0)
        return false;
    char text[64];
    if (bare.len >= 64 || memchr(bare.text, '\0', bare.len) != NULL)
        return false;
    csv_text(&bare, text, sizeof text);
    /* A date alone would be midnight somewhere: only with a stated zone is that known. */
    if (strchr(text, ':') != NULL && clock_parse_iso(time_ms, text))
        return true;
    if (!is_zone(unit))
        return false;
    char zoned[64 + 32];
    snprintf(zoned, sizeof zoned, "%s%s%s", text,
             strchr(text, ':') == NULL ? "T00:00:00" : "",
             strcmp(unit, "utc") == 0 ? "Z" : unit);
    return clock_parse_iso(time_ms, zoned);
}

static enum err row_time(const struct csv_map *map, const struct csv *csv,
                         int64_t *time_ms, struct err_text *why)
{
    const struct csv_column *column = &map->columns[map->time];
    if (column->index >= csv->count)
        return err_set(why, ERR_INVALID, "line %zu: no column '%s'", csv->row_line,
                       column->column);
    const struct csv_field *field = &csv->fields[column->index];
    if (parse_time(field, column->unit, time_ms))
        return ERR_OK;
    char text[40];
    return err_set(
        why, ERR_INVALID,
        "line %zu: '%s' is no time with a zone; write 2026-11-23T08:00:00Z, seconds "
        "or milliseconds since 1970, or name the zone: time=%s@+08:00",
        csv->row_line, csv_text(field, text, sizeof text), column->column);
}

enum err csv_map_row(const struct csv_map *map, const struct csv *csv, int64_t *time_ms,
                     double values[CSV_COLUMNS_MAX], struct err_text *why)
{
    assert(map->count <= CSV_COLUMNS_MAX);
    enum err err = row_time(map, csv, time_ms, why);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < map->count; i++) {
        const struct csv_column *column = &map->columns[i];
        values[i] = NAN;
        if (i == map->time || column->index >= csv->count)
            continue;
        const struct csv_field *field = &csv->fields[column->index];
        char text[40];
        if (!csv_number(field, csv->separator == ';', &values[i]))
            return err_set(why, ERR_INVALID, "line %zu, column '%s': '%s' is no number",
                           csv->row_line, column->column,
                           csv_text(field, text, sizeof text));
    }
    return ERR_OK;
}
