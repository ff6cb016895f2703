// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/acks.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/metrics.h"
#include "telemetry/delivery.h"
#include "telemetry/topic.h"

struct acks {
    struct acks_options options; /* fixed after create */
    struct collector_core core;
    /* Devices that wait for an ack; is_queued says which. */
    struct device **queue;
    size_t count;
    size_t capacity;
    struct buf text;
};

struct acks *acks_create(const struct acks_options *options)
{
    struct acks *acks = mem_alloc(sizeof *acks);
    acks->options = *options;
    collector_core_init(&acks->core, options->store, options->generation,
                        options->interval_ms, options->credits);
    acks->core.backlog_max = options->backlog_max;
    return acks;
}

void acks_destroy(struct acks *acks)
{
    if (acks == NULL)
        return;
    buf_fini(&acks->text);
    free(acks->queue);
    free(acks);
}

struct collector_core *acks_core(struct acks *acks)
{
    return &acks->core;
}

void acks_at(struct acks *acks, struct device *device)
{
    if (device->delivery.is_queued)
        return;
    mem_grow(&acks->queue, &acks->capacity, acks->count + 1, sizeof *acks->queue);
    acks->queue[acks->count++] = device;
    device->delivery.is_queued = true;
}

static bool send_one(struct acks *acks, struct device *device, int64_t now_ms)
{
    struct topic topic = {.kind = TOPIC_ACK};
    char text[TOPIC_MAX];
    snprintf(topic.org, sizeof topic.org, "%s", device->org);
    snprintf(topic.device, sizeof topic.device, "%s", device->id);
    topic_format(&topic, text);
    struct ack ack = {0};
    collector_core_ack(&acks->core, &device->delivery, now_ms, &ack);
    buf_clear(&acks->text);
    ack_format(&ack, &acks->text);
    ack_fini(&ack);
    if (!acks->options.send(acks->options.context, text, acks->text.data, acks->text.len))
        return false;
    const struct collector_event sent = {.kind = COLLECTOR_ACK_SENT, .real_ms = now_ms};
    struct collector_actions actions;
    collector_core_step(&acks->core, &device->delivery, &sent, &actions);
    metric_add(METRIC_ACKS, 1);
    return true;
}

/* It may be due again, to ask for what is missing. */
static bool is_done(struct acks *acks, struct device *device, int64_t now_ms)
{
    int64_t due_ms = device->delivery.ack_due_ms;
    return due_ms == 0 || (due_ms <= now_ms && send_one(acks, device, now_ms) &&
                           device->delivery.ack_due_ms == 0);
}

void acks_flush(struct acks *acks, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < acks->count; i++) {
        struct device *device = acks->queue[i];
        if (is_done(acks, device, now_ms))
            device->delivery.is_queued = false;
        else
            acks->queue[kept++] = device;
    }
    acks->count = kept;
}
