// SPDX-License-Identifier: Apache-2.0
#include "collector/store/month.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define FIRST_MS INT64_C(946684800000) /* 2000-01-01 */
#define LAST_MS  INT64_C(253402300799999)
#define DAY_MS   INT64_C(86400000)
#define AHEAD_MS (31 * DAY_MS)
#define ODD_NAME "history-odd.db"

/*
 * The month of a day since 1970-01-01, in eras of 400 years that begin in March so that
 * the leap day comes last (Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days). gmtime_r() takes ten times as long.
 */
static int plausible_month(int64_t time_ms)
{
    assert(time_ms >= FIRST_MS && time_ms <= LAST_MS);
    unsigned day = (unsigned)(time_ms / DAY_MS) + 719468; /* since 0000-03-01 */
    unsigned era = day / 146097;
    unsigned of_era = day % 146097;
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153; /* from March */
    return (int)((year + era * 400) * 12 + month + 2);
}

int month_of(int64_t time_ms, int64_t arrival_ms)
{
    if (time_ms < FIRST_MS || time_ms > LAST_MS)
        return MONTH_ODD;
    if (arrival_ms < time_ms - AHEAD_MS)
        return MONTH_ODD;
    return plausible_month(time_ms);
}

int month_near(int64_t time_ms)
{
    if (time_ms < FIRST_MS)
        return MONTH_FIRST;
    return time_ms > LAST_MS ? MONTH_LAST : plausible_month(time_ms);
}

int64_t month_end_ms(int month)
{
    assert(month >= MONTH_FIRST && month <= MONTH_LAST);
    struct tm tm = {
        .tm_year = (month + 1) / 12 - 1900, .tm_mon = (month + 1) % 12, .tm_mday = 1};
    return (int64_t)timegm(&tm) * 1000;
}

const char *month_format(int month, char name[MONTH_NAME_SIZE])
{
    assert(month >= MONTH_ODD);
    if (month == MONTH_ODD)
        snprintf(name, MONTH_NAME_SIZE, "%s", ODD_NAME);
    else
        snprintf(name, MONTH_NAME_SIZE, "history-%04d-%02d.db", month / 12 % 10000,
                 month % 12 + 1);
    return name;
}

bool month_parse(int *month, const char *name)
{
    char again[MONTH_NAME_SIZE];
    int year = 0;
    int number = 0;
    *month = MONTH_ODD;
    if (strcmp(name, ODD_NAME) == 0)
        return true;
    if (sscanf(name, "history-%4d-%2d.db", &year, &number) != 2 || number < 1 ||
        number > 12)
        return false;
    *month = year * 12 + number - 1;
    return *month >= MONTH_FIRST && *month <= MONTH_LAST &&
           strcmp(month_format(*month, again), name) == 0;
}

static int compare_ints(const void *a, const void *b)
{
    const int *x = a;
    const int *y = b;
    return (*x > *y) - (*x < *y);
}

enum err months_list(struct months *months, const char *path)
{
    *months = (struct months){0};
    DIR *dir = opendir(path);
    if (dir == NULL)
        return err_from_errno(errno);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        int month = 0;
        if (!month_parse(&month, entry->d_name))
            continue;
        mem_grow(&months->items, &months->capacity, months->count + 1,
                 sizeof *months->items);
        months->items[months->count++] = month;
    }
    closedir(dir);
    if (months->count > 0)
        qsort(months->items, months->count, sizeof *months->items, compare_ints);
    return ERR_OK;
}

static enum err decode_column(const struct db_rows *rows, int column,
                              struct samples *samples)
{
    size_t len = 0;
    const void *data = db_get_blob(rows, column, &len);
    return samples == NULL || len == 0 ? ERR_OK : chunk_decode(data, len, samples);
}

enum err month_load_tail(struct db *db, int64_t series, struct month_tail *tail,
                         struct samples *samples)
{
    struct db_rows rows;
    enum err err = ERR_OK;
    *tail = (struct month_tail){.floor_ms = INT64_MIN};
    db_select(&rows, db,
              "SELECT through, floor_ms, first_ms, last_ms, readings, data FROM tail"
              " WHERE series = ?",
              DB_ARGS(db_int(series)));
    if (db_next(&rows)) {
        tail->through = db_get_int(&rows, 0);
        tail->floor_ms = db_get_int(&rows, 1);
        tail->chunk.first_ms = db_get_int(&rows, 2);
        tail->chunk.last_ms = db_get_int(&rows, 3);
        tail->chunk.readings = db_get_int(&rows, 4);
        err = decode_column(&rows, 5, samples);
    }
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}

enum err month_next_chunk(struct db *db, int64_t series, int64_t from_ms, int64_t to_ms,
                          struct stored_chunk *chunk, struct samples *samples)
{
    struct db_rows rows;
    enum err err = ERR_NOT_FOUND;
    db_select(&rows, db,
              "SELECT id, first_ms, last_ms, readings, data FROM chunk"
              " WHERE series = ? AND (first_ms, id) > (?, ?) AND first_ms < ?"
              " AND last_ms >= ? ORDER BY first_ms, id LIMIT 1",
              DB_ARGS(db_int(series), db_int(chunk->first_ms), db_int(chunk->id),
                      db_int(to_ms), db_int(from_ms)));
    if (db_next(&rows)) {
        chunk->id = db_get_int(&rows, 0);
        chunk->first_ms = db_get_int(&rows, 1);
        chunk->last_ms = db_get_int(&rows, 2);
        chunk->readings = db_get_int(&rows, 3);
        err = decode_column(&rows, 4, samples);
    }
    enum err ended = db_end(&rows);
    return ended != ERR_OK ? ended : err;
}
