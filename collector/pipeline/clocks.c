// SPDX-License-Identifier: Apache-2.0
/*
 * clocks - what is wrong with the clocks of devices, and what follows from it.
 */
#include "collector/pipeline/internal.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/telling.h"

/* Wrong is what is ahead by more, not set so long after a boot, or went back by more. */
#define CLOCK_AHEAD_MS INT64_C(600000)
#define CLOCK_UNSET_MS INT64_C(3600000)
#define CLOCK_BACK_MS  INT64_C(600000)

/* The last reading of a pack is the newest. */
static bool is_clock_wrong(const struct pipeline *pipeline, const struct device *device,
                           const struct pack *pack)
{
    int64_t shift_ms = device_clock_shift_ms(device, pack);
    bool is_unset = pack->clock == PACK_CLOCK_UNSET && shift_ms == 0;
    if (is_unset && pack->boot_ms > CLOCK_UNSET_MS)
        return true;
    if (pack->reading_count == 0 || pipeline->now_ms < DECODE_EARLIEST_MS)
        return false;
    int64_t newest_ms = pack->readings[pack->reading_count - 1].time_ms;
    return pack_shifted_ms(newest_ms, shift_ms) > pipeline->now_ms + CLOCK_AHEAD_MS;
}

void pipeline_note_clock(struct pipeline *pipeline, struct device *device,
                         const struct pack *pack)
{
    if (pack->kind == PACK_CLOCK_FIX) {
        device->fixed_boot = device_boot(pack->fixed_boot_id);
        device->fixed_offset_ms = pack->offset_ms;
    }
    if (is_clock_wrong(pipeline, device, pack))
        pipeline_raise(pipeline, ALERT_CLOCK_WRONG, device, 1);
}

/* Else each channel would be deaf until its clock is where it once was. */
static void turn_back(struct pipeline *pipeline, struct device *device, int64_t to_ms)
{
    for (size_t i = 0; i < device->channel_count; i++) {
        struct device_channel *channel = &device->channels[i];
        if (channel->time_ms <= to_ms)
            continue;
        const struct registry_placement *placement =
            registry_place(pipeline->registry, device->org, device->id,
                           channel->name->name, channel->time_ms);
        if (placement != NULL)
            alerts_turn_back(pipeline->alerts, placement->zone, device->id,
                             channel->name->name, to_ms);
        channel->time_ms = to_ms;
    }
}

void pipeline_follow_clock(struct pipeline *pipeline, struct device *device,
                           uint64_t epoch, const struct pack *pack)
{
    if (pack->kind != PACK_DATA || pack->clock == PACK_CLOCK_UNSET || pack->wall_ms == 0)
        return;
    bool is_same = epoch == device->clock_epoch;
    if (is_same && pack->wall_ms < device->clock_ms - CLOCK_BACK_MS) {
        if (pack->reading_count > 0)
            turn_back(pipeline, device, pack->readings[0].time_ms - 1);
        pipeline_raise(pipeline, ALERT_CLOCK_WRONG, device, 1);
    }
    if (is_same || pack->wall_ms > device->clock_ms) {
        device->clock_epoch = epoch;
        device->clock_ms = pack->wall_ms;
    }
}
