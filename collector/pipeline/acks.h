// SPDX-License-Identifier: Apache-2.0
/*
 * acks - tells agents what is on stable storage, coalesced per device.
 *
 * A device that gave something is acknowledged after ack_interval, or at once when half
 * of its credits are used, when it repeats itself or says hello. Belongs to the loop.
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
    void *context;
    /* False when it cannot be sent now: it is tried again. */
    bool (*send)(void *context, const char *topic, const void *data, size_t len);
};

struct acks *acks_create(const struct acks_options *options);
void acks_destroy(struct acks *acks);

/* The device gave a pack. */
void acks_note(struct acks *acks, struct device *device, int64_t now_ms);
/* It repeated itself or said hello: answer with the next flush. */
void acks_urge(struct acks *acks, struct device *device, int64_t now_ms);
/* Sends what is due; call after each batch and from a timer. now_ms is real time. */
void acks_flush(struct acks *acks, int64_t now_ms);

#endif
