// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void *row_at(const struct rows *rows, size_t i)
{
    return (char *)*rows->rows + i * rows->size;
}

size_t rows_find(const struct rows *rows, const void *key)
{
    assert(rows->compare != NULL && rows->size > 0);
    size_t low = 0;
    size_t high = *rows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->compare(row_at(rows, middle), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool rows_have(const struct rows *rows, size_t at, const void *key)
{
    return at < *rows->count && rows->compare(row_at(rows, at), key) == 0;
}

static void make_room(const struct rows *rows)
{
    assert(*rows->room == 0 || *rows->count <= *rows->room);
    size_t room = *rows->room < *rows->count ? *rows->count : *rows->room;
    if (*rows->count < room)
        return;
    room = room < 16 ? 32 : room * 2;
    void *more = mem_array(room, rows->size);
    if (*rows->count > 0)
        memcpy(more, *rows->rows, *rows->count * rows->size);
    free(*rows->rows);
    *rows->rows = more;
    *rows->room = room;
}

size_t rows_put(const struct rows *rows, const void *row)
{
    size_t at = rows_find(rows, row);
    assert(at == 0 || rows->compare(row_at(rows, at - 1), row) < 0);
    if (!rows_have(rows, at, row)) {
        make_room(rows);
        memmove(row_at(rows, at + 1), row_at(rows, at), (*rows->count - at) * rows->size);
        ++*rows->count;
    }
    memcpy(row_at(rows, at), row, rows->size);
    return at;
}

bool rows_take(const struct rows *rows, const void *key, size_t *at)
{
    *at = rows_find(rows, key);
    if (!rows_have(rows, *at, key))
        return false;
    --*rows->count;
    memmove(row_at(rows, *at), row_at(rows, *at + 1), (*rows->count - *at) * rows->size);
    return true;
}

void rows_add(const struct rows *rows, const void *row)
{
    make_room(rows);
    memcpy(row_at(rows, (*rows->count)++), row, rows->size);
}
