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
    struct acks_options options;
    char store[DELIVERY_STORE_SIZE];
    /* Devices that wait for an ack; is_queued says which. */
    struct device **queue;
    size_t count;
    size_t capacity;
    struct buf text;
};

struct acks *acks_create(const struct acks_options *options)
{
    assert(options->credits > 0 && options->interval_ms > 0);
    struct acks *acks = mem_alloc(sizeof *acks);
    acks->options = *options;
    snprintf(acks->store, sizeof acks->store, "%s", options->store);
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

static void enqueue(struct acks *acks, struct device *device, int64_t due_ms)
{
    if (device->is_queued) {
        if (due_ms < device->ack_due_ms)
            device->ack_due_ms = due_ms;
        return;
    }
    mem_grow(&acks->queue, &acks->capacity, acks->count + 1, sizeof *acks->queue);
    acks->queue[acks->count++] = device;
    device->is_queued = true;
    device->ack_due_ms = due_ms;
}

void acks_note(struct acks *acks, struct device *device, int64_t now_ms)
{
    device->unacked++;
    bool at_once = device->unacked >= (acks->options.credits + 1) / 2;
    enqueue(acks, device, at_once ? now_ms : now_ms + acks->options.interval_ms);
}

void acks_urge(struct acks *acks, struct device *device, int64_t now_ms)
{
    enqueue(acks, device, now_ms);
}

/* What has no room is told once the gaps before it are closed. */
static size_t copy_ranges(struct seq_range to[DELIVERY_RANGES_MAX],
                          const struct seqset *from)
{
    size_t count = from->count < DELIVERY_RANGES_MAX ? from->count : DELIVERY_RANGES_MAX;
    if (count > 0)
        memcpy(to, from->ranges, count * sizeof *to);
    return count;
}

static void fill_rejected(struct ack_epoch *ack, const struct seqset *rejected)
{
    ack->rejected_count = copy_ranges(ack->rejected, rejected);
    if (rejected->through > 0 && ack->rejected_count < DELIVERY_RANGES_MAX)
        ack->rejected[ack->rejected_count++] =
            (struct seq_range){.first = 1, .last = rejected->through};
}

static void fill_epoch(struct ack *ack, struct device_epoch *epoch)
{
    struct ack_epoch *entry = ack_add_epoch(ack, epoch->epoch);
    if (entry == NULL)
        return;
    entry->through = epoch->taken.through;
    entry->range_count = copy_ranges(entry->ranges, &epoch->taken);
    fill_rejected(entry, &epoch->rejected);
}

/* The newest epochs first: an ack has room for DELIVERY_EPOCHS_MAX. */
static void fill(struct acks *acks, struct device *device, struct ack *ack)
{
    snprintf(ack->nonce, sizeof ack->nonce, "%s", device->nonce);
    snprintf(ack->store, sizeof ack->store, "%s", acks->store);
    ack->generation = acks->options.generation;
    ack->ack_interval_ms = acks->options.interval_ms;
    ack->credits = acks->options.credits;
    for (size_t i = device->epoch_count; i > 0; i--)
        fill_epoch(ack, &device->epochs[i - 1]);
}

static bool send_one(struct acks *acks, struct device *device)
{
    struct topic topic = {.kind = TOPIC_ACK};
    char text[TOPIC_MAX];
    snprintf(topic.org, sizeof topic.org, "%s", device->org);
    snprintf(topic.device, sizeof topic.device, "%s", device->id);
    topic_format(&topic, text);
    struct ack ack = {0};
    fill(acks, device, &ack);
    buf_clear(&acks->text);
    ack_format(&ack, &acks->text);
    ack_fini(&ack);
    if (!acks->options.send(acks->options.context, text, acks->text.data, acks->text.len))
        return false;
    device->unacked = 0;
    metric_add(METRIC_ACKS, 1);
    return true;
}

void acks_flush(struct acks *acks, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < acks->count; i++) {
        struct device *device = acks->queue[i];
        if (device->ack_due_ms <= now_ms && send_one(acks, device))
            device->is_queued = false;
        else
            acks->queue[kept++] = device;
    }
    acks->count = kept;
}
