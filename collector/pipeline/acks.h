// SPDX-License-Identifier: Apache-2.0
/*
 * acks - tells agents what is on stable storage, coalesced per device.
 *
 * When and what is collector_core's decision; here is the queue, and the sending. Belongs
 * to the loop.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_ACKS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include "collector/pipeline/device.h"

struct acks;

struct acks_options {
    const char *store; /* id of this collector's store, 32 hex digits */
    uint64_t generation;
    int64_t interval_ms;
    uint32_t credits;
    uint64_t backlog_max; /* bytes; see collector_core; 0: no limit */
    void *context;
    /* False when it cannot be sent now: it is tried again. */
    bool (*send)(void *context, const char *topic, const void *data, size_t len);
};

struct acks *acks_create(const struct acks_options *options);
void acks_destroy(struct acks *acks);

/* All devices go: nobody is due, or in line. */
void acks_forget(struct acks *acks);

/* Owned by acks; the pipeline steps it. */
struct collector_core *acks_core(struct acks *acks);
/* The device's ack_due_ms has changed: it is sent by then. */
void acks_at(struct acks *acks, struct device *device);
/* The device has been stepped: if it wants a slot now, it stands in line for it. */
void acks_in_line(struct acks *acks, struct device *device);
/* How much was taken in and is not evaluated and stored, as backlog_max; is_behind: some
 * of it could be evaluated by now. */
void acks_set_backlog(struct acks *acks, uint64_t backlog, bool is_behind);
/* Sends what is due; call after each batch and from a timer. now_ms is real time. */
void acks_flush(struct acks *acks, int64_t now_ms);

#endif
