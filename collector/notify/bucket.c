// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/bucket.h"

#include <assert.h>
#include <math.h>

#define MINUTE_MS 60000.0

static double most(const struct bucket *bucket)
{
    return bucket->rate < 2 ? 1 : floor((double)bucket->rate / 2);
}

/* Tokens a minute: what the burst leaves; of one a minute, one in two. */
static double refill(const struct bucket *bucket)
{
    return bucket->rate < 2 ? 0.5 : (double)bucket->rate - most(bucket);
}

/* A clock that was set back gives nothing, and makes no pause longer. */
static void count(struct bucket *bucket, int64_t now_ms)
{
    int64_t span = now_ms - bucket->at_ms;
    bucket->at_ms = now_ms;
    if (span < 0 && bucket->blocked_until_ms > 0)
        bucket->blocked_until_ms += span;
    if (span <= 0 || bucket->rate == 0)
        return;
    bucket->tokens += (double)span * refill(bucket) / MINUTE_MS;
    if (bucket->tokens > most(bucket))
        bucket->tokens = most(bucket);
}

void bucket_init(struct bucket *bucket, int64_t rate, int64_t now_ms)
{
    assert(rate >= 0);
    *bucket = (struct bucket){.rate = rate, .tokens = 1, .at_ms = now_ms};
}

bool bucket_is_open(struct bucket *bucket, int64_t now_ms)
{
    count(bucket, now_ms);
    return now_ms >= bucket->blocked_until_ms &&
           (bucket->rate == 0 || bucket->tokens >= 1);
}

void bucket_take(struct bucket *bucket, int64_t now_ms)
{
    count(bucket, now_ms);
    if (bucket->rate != 0)
        bucket->tokens -= 1;
}

void bucket_block(struct bucket *bucket, int64_t until_ms)
{
    if (until_ms > bucket->blocked_until_ms)
        bucket->blocked_until_ms = until_ms;
}

int64_t bucket_left(struct bucket *bucket, int64_t now_ms)
{
    count(bucket, now_ms);
    if (bucket->rate == 0)
        return -1;
    return bucket->tokens > 0 ? (int64_t)bucket->tokens : 0;
}

int64_t bucket_next_ms(struct bucket *bucket, int64_t now_ms)
{
    count(bucket, now_ms);
    int64_t next_ms = now_ms;
    if (bucket->rate != 0 && bucket->tokens < 1)
        next_ms += (int64_t)ceil((1 - bucket->tokens) * MINUTE_MS / refill(bucket));
    return next_ms > bucket->blocked_until_ms ? next_ms : bucket->blocked_until_ms;
}
