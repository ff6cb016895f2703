// SPDX-License-Identifier: Apache-2.0
#include "collector/api/buckets.h"

#include <assert.h>
#include <math.h>

struct bucket_grid bucket_grid_of(int64_t from_ms, int64_t to_ms, size_t most)
{
    assert(most > 0);
    struct bucket_grid grid = {.from_ms = from_ms, .to_ms = to_ms, .width_ms = 1};
    if (from_ms >= to_ms)
        return grid;
    int64_t span_ms = to_ms - from_ms;
    grid.width_ms = (span_ms - 1) / (int64_t)most + 1;
    grid.count = (size_t)((span_ms - 1) / grid.width_ms + 1);
    return grid;
}

size_t bucket_index(const struct bucket_grid *grid, int64_t time_ms)
{
    assert(time_ms >= grid->from_ms && time_ms < grid->to_ms);
    return (size_t)((time_ms - grid->from_ms) / grid->width_ms);
}

int64_t bucket_start_ms(const struct bucket_grid *grid, size_t index)
{
    assert(index <= grid->count);
    return grid->from_ms + (int64_t)index * grid->width_ms;
}

static void add_good(struct bucket *bucket, struct bucket_point point)
{
    if (bucket->counts[QUALITY_GOOD]++ == 0) {
        bucket->first = bucket->last = bucket->least = bucket->most = point;
        return;
    }
    if (point.time_ms - bucket->last.time_ms > bucket->gap_ms)
        bucket->gap_ms = point.time_ms - bucket->last.time_ms;
    if (point.time_ms < bucket->first.time_ms)
        bucket->first = point;
    if (point.time_ms >= bucket->last.time_ms)
        bucket->last = point;
    if (point.value < bucket->least.value)
        bucket->least = point;
    if (point.value > bucket->most.value)
        bucket->most = point;
}

void bucket_add(struct bucket *bucket, int64_t time_ms, double value,
                enum quality quality)
{
    assert((unsigned)quality <= QUALITY_FAULT);
    if (quality == QUALITY_GOOD && isfinite(value))
        add_good(bucket, (struct bucket_point){time_ms, value});
    else
        bucket->counts[quality == QUALITY_GOOD ? QUALITY_FAULT : quality]++;
}
