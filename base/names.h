// SPDX-License-Identifier: Apache-2.0
/*
 * names - which known name a mistyped one was meant to be.
 *
 * The distance is the restricted Damerau-Levenshtein one: insert, delete, replace, or
 * swap two neighbours. Pure.
 */
#ifndef COLDCHAIN_BASE_NAMES_H
#define COLDCHAIN_BASE_NAMES_H

#include <stddef.h>

/* Longer names are compared for equality only. */
#define NAMES_LEN_MAX 64

struct names_near {
    const char *wanted; /* borrowed */
    size_t wanted_len;
    const char *best; /* NULL: nothing is near; borrowed from what was offered */
    size_t best_len;
    size_t distance;
};

void names_near_init(struct names_near *near, const char *wanted);
/*
 * Takes the name when it is nearer than any before: one edit in short names, one more for
 * each four characters. In dotted names the same last part counts as one edit.
 */
void names_near_offer(struct names_near *near, const char *name, size_t len);

/* Edits from one to the other; SIZE_MAX when one is longer than NAMES_LEN_MAX. */
size_t names_distance(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
