// SPDX-License-Identifier: Apache-2.0
/*
 * deliveries - what delivery says of a device as a whole: losses, forks, twins, acks.
 */
#include <inttypes.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/pipeline/internal.h"

static void take_loss(const struct device *device, const struct collector_action *action)
{
    log_warn("packs are lost device=%s/%s epoch=%016" PRIx64 " from=%" PRIu64
             " to=%" PRIu64,
             device->org, device->id, action->epoch, action->from, action->to);
    metric_add(METRIC_LOST_PACKS, (int64_t)(action->to - action->from + 1));
}

void pipeline_carry_out(struct pipeline *pipeline, struct device *device,
                        const struct collector_action *action)
{
    switch (action->kind) {
    case COLLECTOR_RELEASE:
        pipeline_release(pipeline, device, action->epoch);
        break;
    case COLLECTOR_LOSS:
        take_loss(device, action);
        break;
    case COLLECTOR_ORDER_NEW_EPOCH:
        log_error("two devices go by one name, or one was restored from a copy "
                  "device=%s/%s epoch=%016" PRIx64 "; both are told to begin anew",
                  device->org, device->id, action->epoch);
        break;
    case COLLECTOR_TWINS:
        log_error("two devices take turns under one name device=%s/%s; give one of them "
                  "a name of its own",
                  device->org, device->id);
        break;
    case COLLECTOR_REGRESSED:
        log_warn("a device knows less than it gave device=%s/%s last=%" PRIu64
                 " held=%" PRIu64,
                 device->org, device->id, action->from, action->to);
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
