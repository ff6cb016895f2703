// SPDX-License-Identifier: Apache-2.0
/*
 * heartbeat - sends a beat on the way of an alarm, every so often, for a watchdog
 * outside.
 *
 * Only while the collector is ready: connected, caught up, its history alive. What a beat
 * is says collector/pipeline/beat.h. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_HEARTBEAT_H
#define COLDCHAIN_COLLECTOR_NOTIFY_HEARTBEAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"

struct heartbeat;

struct heartbeat_options {
    struct loop *loop;
    const struct clock *clock;
    int64_t every_ms; /* real time */
    void *context;
    /* ERR_OK when readings come in and are judged; a sentence otherwise. */
    enum err (*ready)(void *context, struct err_text *why);
    /* The body of a BEAT record, for the journal. */
    void (*append)(void *context, const void *data, size_t len);
};

/* The first beat goes out after one `every_ms`. */
struct heartbeat *heartbeat_create(const struct heartbeat_options *options);
/* Accepts NULL. */
void heartbeat_destroy(struct heartbeat *heartbeat);

#endif
