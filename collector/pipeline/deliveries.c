// SPDX-License-Identifier: Apache-2.0
/*
 * deliveries - what delivery says of a device as a whole: losses, forks, twins, acks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/telling.h"
#include "collector/store/state_delivery.h"

static void take_loss(struct pipeline *pipeline, const struct device *device,
                      const struct collector_action *action)
{
    log_warn("packs are lost device=%s/%s epoch=%016" PRIx64 " from=%" PRIu64
             " to=%" PRIu64,
             device->org, device->id, action->epoch, action->from, action->to);
    uint64_t count = action->to - action->from + 1;
    metric_add(METRIC_LOST_PACKS, (int64_t)count);
    pipeline_raise(pipeline, ALERT_LOST_PACKS, device, count);
}

void pipeline_carry_out(struct pipeline *pipeline, struct device *device,
                        const struct collector_action *action)
{
    switch (action->kind) {
    case COLLECTOR_RELEASE:
        pipeline_release(pipeline, device, action->epoch);
        break;
    case COLLECTOR_LOSS:
        take_loss(pipeline, device, action);
        break;
    case COLLECTOR_ORDER_NEW_EPOCH:
        log_error("two devices go by one name, or one was restored from a copy "
                  "device=%s/%s epoch=%016" PRIx64 "; both are told to begin anew",
                  device->org, device->id, action->epoch);
        pipeline_raise(pipeline, ALERT_FORK, device, 0);
        break;
    case COLLECTOR_TWINS:
        log_error("two devices take turns under one name device=%s/%s; give one of them "
                  "a name of its own",
                  device->org, device->id);
        pipeline_raise(pipeline, ALERT_TWINS, device, 1);
        break;
    case COLLECTOR_REGRESSED:
        log_warn("a device knows less than it gave device=%s/%s last=%" PRIu64
                 " held=%" PRIu64,
                 device->org, device->id, action->from, action->to);
        pipeline_raise(pipeline, ALERT_REGRESSED, device, action->to - action->from);
        break;
    case COLLECTOR_ACK_AT:
        acks_at(pipeline->options.acks, device);
        break;
    case COLLECTOR_ACCEPT:
    case COLLECTOR_HOLD:
    case COLLECTOR_REJECT:
    case COLLECTOR_DROP:
    case COLLECTOR_REFUSE:
    case COLLECTOR_FORK:
        break; /* they need the message, see packs.c */
    }
}

static void step(struct pipeline *pipeline, struct device *device,
                 const struct collector_event *event)
{
    struct collector_actions actions;
    collector_core_step(pipeline->core, &device->delivery, event, &actions);
    for (size_t i = 0; i < actions.count; i++)
        pipeline_carry_out(pipeline, device, &actions.list[i]);
    acks_in_line(pipeline->options.acks, device);
}

void pipeline_take_hello(struct pipeline *pipeline, struct device *device,
                         const struct hello *hello)
{
    step(pipeline, device,
         &(struct collector_event){
             .kind = COLLECTOR_HELLO,
             .real_ms = pipeline->real_ms,
             .wall_ms = pipeline->now_ms,
             .hello = hello,
         });
}

/* ---- gaps that never close -------------------------------------------------------- */

static void list_given_up(struct pipeline *pipeline, const struct record_gap *gap)
{
    char detail[200];
    snprintf(detail, sizeof detail,
             "packs %" PRIu64 " to %" PRIu64 " of epoch %016" PRIx64
             " never came and are waited for no longer: what they held is lost",
             gap->from, gap->to, gap->epoch);
    log_error("%s device=%s/%s", detail, gap->org, gap->device);
    metric_add(METRIC_QUARANTINED, 1);
    const struct state_quarantined entry = {
        .source = "gap",
        .position = pipeline->at,
        .org = gap->org,
        .device = gap->device,
        .topic = "",
        .epoch = gap->epoch,
        .seq = gap->from,
        .reason = "given-up",
        .detail = detail,
        .data = "",
        .arrived_ms = pipeline->now_ms,
    };
    if (pipeline_begin_effects(pipeline))
        pipeline_note(pipeline, state_add_quarantined(pipeline->options.state, &entry));
}

/* Where the first pack of the device that waits stands, and since when. */
static bool first_waiting(const struct device *device, int64_t *since_ms,
                          uint64_t *position)
{
    *since_ms = INT64_MAX;
    *position = UINT64_MAX;
    for (size_t i = 0; i < device->delivery.epoch_count; i++) {
        const struct collector_epoch *epoch = &device->delivery.epochs[i];
        for (size_t k = 0; k < epoch->held_count; k++)
            if (epoch->held[k].position < *position)
                *position = epoch->held[k].position;
        if (epoch->held_count > 0 && epoch->held_since_ms < *since_ms)
            *since_ms = epoch->held_since_ms;
    }
    return *position != UINT64_MAX;
}

/* One that packs of the epoch wait for, or those of the device's others. */
static bool first_gap(const struct collector_epoch *epoch, struct seq_range *gap)
{
    return (epoch->held_count > 0 || epoch->is_named) && collector_first_gap(epoch, gap);
}

void pipeline_take_give_up(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_gap gap;
    char key[DEVICE_KEY_SIZE];
    if (record_gap_parse(&gap, record->data, record->len) != ERR_OK)
        return;
    struct device *device =
        map_get(&pipeline->devices, device_key(key, gap.org, gap.device));
    struct collector_epoch *epoch =
        device != NULL ? collector_find_epoch(&device->delivery, gap.epoch) : NULL;
    struct seq_range open;
    /* It may have closed, or shrunk, since that was decided: then it is not so old. */
    if (epoch == NULL || !first_gap(epoch, &open) || open.first != gap.from ||
        open.last != gap.to)
        return;
    list_given_up(pipeline, &gap);
    device->is_dirty = true;
    step(pipeline, device,
         &(struct collector_event){
             .kind = COLLECTOR_GIVE_UP,
             .real_ms = pipeline->real_ms,
             .wall_ms = pipeline->now_ms,
             .epoch = gap.epoch,
         });
}

bool pipeline_oldest_gap(const struct pipeline *pipeline, struct record_gap *gap,
                         int64_t *since_ms, uint64_t *position)
{
    *since_ms = INT64_MAX;
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        const struct device *device = pipeline->devices.entries[i].value;
        int64_t waits_ms;
        uint64_t waits_at;
        struct seq_range open;
        if (!first_waiting(device, &waits_ms, &waits_at) || waits_ms >= *since_ms)
            continue;
        for (size_t k = 0; k < device->delivery.epoch_count; k++) {
            const struct collector_epoch *epoch = &device->delivery.epochs[k];
            if (!first_gap(epoch, &open))
                continue;
            *since_ms = waits_ms;
            *position = waits_at;
            *gap = (struct record_gap){
                .epoch = epoch->epoch, .from = open.first, .to = open.last};
            snprintf(gap->org, sizeof gap->org, "%s", device->org);
            snprintf(gap->device, sizeof gap->device, "%s", device->id);
            break;
        }
    }
    return *since_ms != INT64_MAX;
}
