// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Wagner-Fischer by rows, with the row before the last kept for swapped neighbours. */
size_t names_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len > NAMES_LEN_MAX || b_len > NAMES_LEN_MAX)
        return a_len == b_len && memcmp(a, b, a_len) == 0 ? 0 : SIZE_MAX;
    size_t rows[3][NAMES_LEN_MAX + 1];
    size_t *older = rows[0];
    size_t *last = rows[1];
    size_t *row = rows[2];
    for (size_t j = 0; j <= b_len; j++) {
        last[j] = j;
        older[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = least_of(last[j] + 1, row[j - 1] + 1,
                              last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least_of(row[j], older[j - 2] + 1, SIZE_MAX);
        }
        size_t *spare = older;
        older = last;
        last = row;
        row = spare;
    }
    return last[b_len];
}

void names_near_init(struct names_near *near, const char *wanted)
{
    size_t len = strlen(wanted);
    *near =
        (struct names_near){.wanted = wanted, .wanted_len = len, .distance = 2 + len / 4};
}

/* 0 when there is no dot. */
static size_t last_part(const char *name, size_t len)
{
    while (len > 0 && name[len - 1] != '.')
        len--;
    return len;
}

static size_t nearness(const struct names_near *near, const char *name, size_t len)
{
    size_t distance = names_distance(near->wanted, near->wanted_len, name, len);
    size_t from = last_part(name, len);
    size_t wanted_from = last_part(near->wanted, near->wanted_len);
    size_t part = len - from;
    bool is_same_part = from + wanted_from > 0 && part > 0 &&
                        part == near->wanted_len - wanted_from &&
                        memcmp(name + from, near->wanted + wanted_from, part) == 0;
    return is_same_part && distance > 1 ? 1 : distance;
}

void names_near_offer(struct names_near *near, const char *name, size_t len)
{
    size_t distance = nearness(near, name, len);
    if (distance >= near->distance)
        return;
    near->best = name;
    near->best_len = len;
    near->distance = distance;
}
