// SPDX-License-Identifier: Apache-2.0
/*
 * bucket - how many messages a channel may send now: a bucket of tokens.
 *
 * Services count messages within any minute. Half of what they allow may go at once, the
 * other half trickles in over the minute: so no minute holds more than is allowed. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_BUCKET_H
#define COLDCHAIN_COLLECTOR_NOTIFY_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    int64_t rate; /* a minute; 0: no limit */
    double tokens;
    int64_t at_ms; /* when they were counted last */
    int64_t blocked_until_ms;
};

/*
 * It begins with one token, since nobody knows what was sent before a restart: the first
 * message is not held back, and a daemon that restarts again and again floods nobody.
 */
void bucket_init(struct bucket *bucket, int64_t rate, int64_t now_ms);
/* A token is there, and the channel is not blocked. */
bool bucket_is_open(struct bucket *bucket, int64_t now_ms);
void bucket_take(struct bucket *bucket, int64_t now_ms);
/* Nothing before then: the service asked for it. */
void bucket_block(struct bucket *bucket, int64_t until_ms);
/* Whole tokens there; -1 without a limit. */
int64_t bucket_left(struct bucket *bucket, int64_t now_ms);
/* When the next message may go: now_ms or later. */
int64_t bucket_next_ms(struct bucket *bucket, int64_t now_ms);

#endif
