// SPDX-License-Identifier: Apache-2.0
/* slices - of a window: which one a point in time lies in. Part of measure. */
#ifndef COLDCHAIN_ALERTS_SLICES_H
#define COLDCHAIN_ALERTS_SLICES_H

#include <stddef.h>
#include <stdint.h>

/* Counted from 1970. */
static inline int64_t slice_of(int64_t time_ms, int64_t slice_ms)
{
    int64_t slice = time_ms / slice_ms;
    return time_ms % slice_ms < 0 ? slice - 1 : slice;
}

/* That of time_ms, which usually is the one given: no division then. */
static inline int64_t slice_before(int64_t slice, int64_t slice_ms, int64_t time_ms)
{
    int64_t into_ms = time_ms - slice * slice_ms;
    return into_ms >= 0 && into_ms < slice_ms ? slice : slice_of(time_ms, slice_ms);
}

/* Where it stands among `count`. */
static inline size_t slice_place(int64_t slice, int64_t count)
{
    return (size_t)((slice % count + count) % count);
}

#endif
