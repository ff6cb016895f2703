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

struct due {
    int64_t at_ms;
    struct device *device;
};

struct acks {
    struct acks_options options; /* fixed after create */
    struct collector_core core;
    /* A heap, the earliest first; an entry counts while its device stands at its time. */
    struct due *queue;
    size_t count;
    size_t capacity;
    /* Who waits for a slot, linked; whoever does not want it any more is passed over. */
    struct device *line_first;
    struct device *line_last;
    struct buf text;
};

struct acks *acks_create(const struct acks_options *options)
{
    assert(options->send != NULL);
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

void acks_forget(struct acks *acks)
{
    acks->count = 0;
    acks->line_first = NULL;
}

struct collector_core *acks_core(struct acks *acks)
{
    return &acks->core;
}

static void push(struct acks *acks, struct due due)
{
    assert(due.device != NULL);
    mem_grow(&acks->queue, &acks->capacity, acks->count + 1, sizeof *acks->queue);
    size_t i = acks->count++;
    for (; i > 0 && acks->queue[(i - 1) / 2].at_ms > due.at_ms; i = (i - 1) / 2)
        acks->queue[i] = acks->queue[(i - 1) / 2];
    acks->queue[i] = due;
}

static struct due pop(struct acks *acks)
{
    assert(acks->count > 0);
    struct due first = acks->queue[0];
    struct due last = acks->queue[--acks->count];
    size_t i = 0;
    for (size_t child = 1; child < acks->count; child = 2 * i + 1) {
        if (child + 1 < acks->count &&
            acks->queue[child + 1].at_ms < acks->queue[child].at_ms)
            child++;
        if (acks->queue[child].at_ms >= last.at_ms)
            break;
        acks->queue[i] = acks->queue[child];
        i = child;
    }
    acks->queue[i] = last;
    return first;
}

void acks_at(struct acks *acks, struct device *device)
{
    struct collector_device *delivery = &device->delivery;
    if (delivery->is_queued && delivery->ack_queued_ms <= delivery->ack_due_ms)
        return;
    delivery->is_queued = true;
    delivery->ack_queued_ms = delivery->ack_due_ms;
    push(acks, (struct due){.at_ms = delivery->ack_due_ms, .device = device});
}

void acks_in_line(struct acks *acks, struct device *device)
{
    if (!device->delivery.wants_slot || device->is_in_line)
        return;
    assert(acks->line_first == NULL || acks->line_last->next_in_line == NULL);
    device->is_in_line = true;
    device->next_in_line = NULL;
    if (acks->line_first == NULL)
        acks->line_first = device;
    else
        acks->line_last->next_in_line = device;
    acks->line_last = device;
}

static void give_slots(struct acks *acks, int64_t now_ms)
{
    while (acks->line_first != NULL) {
        struct device *device = acks->line_first;
        assert(device->is_in_line);
        struct collector_device *delivery = &device->delivery;
        bool is_given = delivery->wants_slot &&
                        collector_core_give_slot(&acks->core, delivery, now_ms);
        if (delivery->wants_slot && !is_given)
            return;
        acks->line_first = device->next_in_line;
        device->is_in_line = false;
        if (is_given)
            acks_at(acks, device);
    }
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

/* False when it cannot be sent now. */
static bool serve(struct acks *acks, const struct due *due, int64_t now_ms)
{
    struct device *device = due->device;
    struct collector_device *delivery = &device->delivery;
    if (!delivery->is_queued || delivery->ack_queued_ms != due->at_ms)
        return true; /* it was put elsewhere */
    delivery->is_queued = false;
    bool is_due = delivery->ack_due_ms != 0 && delivery->ack_due_ms <= now_ms;
    bool is_served = !is_due || send_one(acks, device, now_ms);
    /* Not sent; due later; or due again, to ask for what is missing. */
    if (delivery->ack_due_ms != 0)
        acks_at(acks, device);
    return is_served;
}

void acks_set_backlog(struct acks *acks, uint64_t backlog, bool is_behind)
{
    acks->core.backlog = backlog;
    acks->core.is_behind = is_behind;
}

void acks_flush(struct acks *acks, int64_t now_ms)
{
    give_slots(acks, now_ms);
    /* Nobody twice, whatever time the next one is due. */
    for (size_t left = acks->count; left > 0 && acks->queue[0].at_ms <= now_ms; left--) {
        struct due due = pop(acks);
        if (!serve(acks, &due, now_ms))
            return;
    }
}
