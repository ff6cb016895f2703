// SPDX-License-Identifier: Apache-2.0
/*
 * courier - the thread of one channel: jobs in, their results back on the loop.
 *
 * A slow receiver delays nobody else. All functions belong to the loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_COURIER_H
#define COLDCHAIN_COLLECTOR_NOTIFY_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "collector/notify/attempt.h"
#include "collector/notify/digest.h"

struct courier;

/* One attempt for one row of the outbox, or for all rows that a digest lists. */
struct courier_job {
    struct courier_job *next;
    bool is_refresh; /* of an Alertmanager: no row, and no result */
    uint64_t ids[DIGEST_MAX];
    int64_t created_ms[DIGEST_MAX]; /* of each: it is given up by its own age */
    size_t count;
    uint64_t position; /* of the last of its ATTEMPT records */
    char *key;
    char *body;
    char **bodies; /* refresh */
    size_t body_count;
    struct channel_attempt attempt;
};

struct courier_job *courier_job_create(void);
/* Accepts NULL. */
void courier_job_destroy(struct courier_job *job);

struct courier_options {
    const struct config_channel *channel;
    struct loop *loop;
    void *context;
    /* The loop. `results` are as many as the job had rows. */
    void (*on_finished)(void *context, const struct record_result *results, size_t count,
                        bool blocks);
    void *publish_context;
    /* The loop: QoS 1, and courier_delivered() with that tag is called later. NULL: no.
     */
    enum err (*publish)(void *context, const char *topic, const void *data, size_t len,
                        uint64_t tag);
};

struct courier *courier_create(const struct courier_options *options);
/* The courier's from now on. */
void courier_give(struct courier *courier, struct courier_job *job);
/* The broker took what was published under that tag, or `why` says why not. */
void courier_delivered(struct courier *courier, uint64_t tag, const char *why);
/* Waits for the attempt under way (at most its timeout); its result is still posted. */
void courier_stop(struct courier *courier);
/* After the loop is gone, which may still hold results. */
void courier_destroy(struct courier *courier);

#endif
