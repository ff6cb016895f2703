// SPDX-License-Identifier: Apache-2.0
/*
 * channel_queue - what waits for one channel: when it may be sent, and in what.
 *
 * Rows of the outbox become jobs as the channel's bucket has tokens; when more wait than
 * there are, a digest takes as many as it tells uncut, the grave ones first. Belongs to
 * the loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_CHANNEL_QUEUE_H
#define COLDCHAIN_COLLECTOR_NOTIFY_CHANNEL_QUEUE_H

#include <jansson.h>

#include "collector/notify/bucket.h"
#include "collector/notify/courier.h"
#include "collector/notify/notifier.h"

/*
 * Asked for or handed to one channel and not come back: what a receiver that hangs costs
 * in memory. Their leases may run out while they wait for each other; they are known, and
 * not handed out twice.
 */
#define QUEUE_UNDER_WAY_MAX 8

struct channel_queue {
    const struct notifier_options *options;
    const struct config_channel *channel;
    struct courier *courier;
    struct bucket bucket;
    struct channel_health health;
    char last[200];            /* the last result, for people */
    struct courier_job *asked; /* in the order of their ATTEMPT records */
    uint64_t under_way[QUEUE_UNDER_WAY_MAX + DIGEST_MAX]; /* ids, without result */
    size_t count;
    int64_t refreshed_ms; /* an Alertmanager was told of all that is open */
};

/* Both are borrowed and outlive it. */
struct channel_queue *channel_queue_create(const struct notifier_options *options,
                                           const struct config_channel *channel);
void channel_queue_stop(struct channel_queue *queue);
void channel_queue_destroy(struct channel_queue *queue);

/*
 * What is open is known: an Alertmanager is told of it with the next pump, since nobody
 * knows how long it was told nothing.
 */
void channel_queue_resume(struct channel_queue *queue);
/*
 * Sends what was asked for and is applied, asks for what is due, tells an Alertmanager
 * again what is open.
 */
MUST_CHECK enum err channel_queue_pump(struct channel_queue *queue);
/* As of GET /v1/channels; the caller's to release. */
json_t *channel_queue_json(struct channel_queue *queue, int64_t now_ms);

#endif
