// SPDX-License-Identifier: Apache-2.0
/*
 * band_bar - an estimate with its band beside the band that it should be in, as one line.
 *
 *      1.0 |   [....===O==..]     | 9.5
 *
 * Pure.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_BAND_BAR_H
#define COLDCHAIN_COLDCHAINCTL_BAND_BAR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct band_bar {
    double low; /* of the band; NaN: open on that side */
    double high;
    double least; /* of the estimate */
    double middle;
    double most;
    const double *marks; /* others on the same scale */
    size_t mark_count;
};

/* Adds the line without its end; nothing without a middle. */
void band_bar_draw(struct buf *out, const struct band_bar *bar, size_t columns,
                   bool is_utf8);

#endif
