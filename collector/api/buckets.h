// SPDX-License-Identifier: Apache-2.0
/*
 * buckets - many readings as few numbers that hide nothing: of each part of a time the
 * least, the most, the first and the last good value, how many there were of each
 * quality, and the longest gap.
 *
 * Least and most are readings, with their times: whatever passed a limit shows. Readings
 * may come in any order, but gaps are exact only in the order of time. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_API_BUCKETS_H
#define COLDCHAIN_COLLECTOR_API_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

#include "telemetry/reading.h"

/* [from, to) in `count` parts of `width_ms`; the last one may end early. */
struct bucket_grid {
    int64_t from_ms;
    int64_t to_ms;
    int64_t width_ms;
    size_t count;
};

struct bucket_point {
    int64_t time_ms;
    double value;
};

/* A zeroed one is empty. The points count when there are good readings. */
struct bucket {
    uint32_t counts[QUALITY_FAULT + 1]; /* by enum quality */
    struct bucket_point first;
    struct bucket_point last;
    struct bucket_point least; /* the earliest of them */
    struct bucket_point most;
    int64_t gap_ms; /* the longest between two good readings next to each other in it */
};

/* At most `most` parts, which is not 0; none when there is no time between. The two times
 * are less than INT64_MAX apart. */
struct bucket_grid bucket_grid_of(int64_t from_ms, int64_t to_ms, size_t most);
/* Of a time within the grid. */
size_t bucket_index(const struct bucket_grid *grid, int64_t time_ms);
int64_t bucket_start_ms(const struct bucket_grid *grid, size_t index);

/* A good value that is no number counts as a fault. */
void bucket_add(struct bucket *bucket, int64_t time_ms, double value,
                enum quality quality);

#endif
