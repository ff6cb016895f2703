// SPDX-License-Identifier: Apache-2.0
/*
 * course - values over time as a picture of some lines of text, a limit across it. Pure.
 *
 *      9.5 |       .-+
 *          |     .-###
 *      8.0 +----------  what stands above this line is beyond the limit
 *          |  :-######
 *      5.0 |_=########
 *          +----^------
 */
#ifndef COLDCHAIN_COLDCHAINCTL_COURSE_H
#define COLDCHAIN_COLDCHAINCTL_COURSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define COURSE_LABEL 9 /* columns in front of the values */
#define COURSE_NONE  SIZE_MAX

struct course {
    const double *values; /* one per column; NaN: nothing is known */
    size_t count;
    double limit; /* NaN: none */
    size_t begin; /* columns that are marked below, or NONE */
    size_t end;
};

/* Adds about a dozen lines; nothing when there is no value. */
void course_draw(struct buf *out, const struct course *course, bool is_utf8);
/* Nothing is known between two values, and too little time passed for that to mean
 * anything: the first one held. In columns. */
void course_hold(double *values, size_t count, size_t most);

#endif
