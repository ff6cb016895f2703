// SPDX-License-Identifier: Apache-2.0
/*
 * spark - a course of values as one line of text. Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_SPARK_H
#define COLDCHAIN_COLDCHAINCTL_SPARK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Adds `count` columns, the lowest value at the bottom and the highest at the top; NaN is
 * a blank. What lies within `calm` of each other stays near the middle: noise shall not
 * look like a mountain. Eight heights, of Unicode's blocks or of ASCII.
 */
void spark_draw(struct buf *out, const double *values, size_t count, double calm,
                bool is_utf8);

/* One of the heights, from 0: an eighth filled, to all of it. */
#define SPARK_HEIGHTS 8
const char *spark_height(size_t height, bool is_utf8);

/* Whether the locale of the environment (LC_ALL, LC_CTYPE, LANG) is UTF-8. */
bool spark_is_utf8(void);

#endif
