// SPDX-License-Identifier: Apache-2.0
#include "freshness/mkt.h"

#include <assert.h>
#include <math.h>

#include "freshness/kinetics.h"

static double kelvin_of(const struct mkt *mkt)
{
    return mkt->kelvin > 0 ? mkt->kelvin : MKT_USP_KELVIN;
}

void mkt_add(struct mkt *mkt, double celsius, int64_t ms)
{
    assert(ms >= 0);
    if (!(celsius > -KELVIN_OFFSET)) {
        mkt->ungraded_ms += ms;
        return;
    }
    /* About 2e-16 at 5 C: far from underflow, and the sum of years fits a double. */
    mkt->weighted += (double)ms * exp(-kelvin_of(mkt) / (celsius + KELVIN_OFFSET));
    mkt->graded_ms += ms;
}

void mkt_merge(struct mkt *mkt, const struct mkt *other)
{
    assert(kelvin_of(mkt) - kelvin_of(other) == 0);
    mkt->weighted += other->weighted;
    mkt->graded_ms += other->graded_ms;
    mkt->ungraded_ms += other->ungraded_ms;
}

double mkt_celsius(const struct mkt *mkt)
{
    if (mkt->graded_ms == 0 || !(mkt->weighted > 0))
        return (double)NAN;
    return kelvin_of(mkt) / -log(mkt->weighted / (double)mkt->graded_ms) - KELVIN_OFFSET;
}

/* Rounds down, before 1970 too. */
static int64_t bucket_of(const struct mkt_window *window, int64_t ms)
{
    return ms / window->bucket_ms - (ms % window->bucket_ms < 0);
}

static struct mkt *bucket_at(const struct mkt_window *window, int64_t number)
{
    int64_t count = (int64_t)window->count;
    return &window->buckets[(number % count + count) % count];
}

/* Empties the buckets that the step to `number` reuses. */
static void advance(struct mkt_window *window, int64_t number)
{
    int64_t steps = number - window->last;
    if (!window->has_any || steps > (int64_t)window->count)
        steps = (int64_t)window->count;
    for (int64_t i = 0; i < steps; i++)
        *bucket_at(window, number - i) =
            (struct mkt){.kelvin = window->buckets[0].kelvin};
    window->last = number;
    window->has_any = true;
}

void mkt_window_add(struct mkt_window *window, int64_t from_ms, double celsius,
                    int64_t ms)
{
    assert(window->count > 0 && window->bucket_ms > 0 && ms >= 0);
    int64_t width = (int64_t)window->count * window->bucket_ms;
    if (ms > width) {
        from_ms += ms - width;
        ms = width;
    }
    while (ms > 0) {
        int64_t number = bucket_of(window, from_ms);
        int64_t room = (number + 1) * window->bucket_ms - from_ms;
        int64_t part = ms < room ? ms : room;
        if (!window->has_any || number > window->last)
            advance(window, number);
        if (number > window->last - (int64_t)window->count)
            mkt_add(bucket_at(window, number), celsius, part);
        from_ms += part;
        ms -= part;
    }
}

struct mkt mkt_window_sum(const struct mkt_window *window)
{
    struct mkt sum = {.kelvin = window->buckets[0].kelvin};
    for (size_t i = 0; i < window->count; i++)
        mkt_merge(&sum, &window->buckets[i]);
    return sum;
}
