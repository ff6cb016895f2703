// SPDX-License-Identifier: Apache-2.0
/*
 * placements - tells the rules which channel is to be heard from where, and until when.
 *
 * What begins is expected, heard of or not; what ends cannot fall silent there any more.
 * Both come with a new configuration, and with time.
 */
#include <string.h>

#include "collector/pipeline/internal.h"
#include "collector/pipeline/placing.h"

static bool is_same(const struct registry_placement *a,
                    const struct registry_placement *b)
{
    return a != NULL && a->from_ms == b->from_ms && strcmp(a->channel, b->channel) == 0 &&
           strcmp(a->zone, b->zone) == 0;
}

/* The channels of it that were heard measure there through that placement. */
static void forget(struct pipeline *pipeline, const struct registry *registry,
                   const struct registry_placement *placement, int64_t time_ms)
{
    char key[DEVICE_KEY_SIZE];
    const struct device *device =
        map_get(&pipeline->devices, device_key(key, placement->org, placement->device));
    size_t channels = device != NULL ? device->channel_count : 0;
    for (size_t i = 0; i < channels; i++) {
        const char *channel = device->channels[i].name->name;
        if (is_same(registry_place(registry, placement->org, placement->device, channel,
                                   time_ms),
                    placement))
            alerts_forget(pipeline->alerts, placement->zone, placement->device, channel,
                          pipeline->now_ms, &pipeline->sink);
    }
    /* What was expected and never heard. */
    alerts_forget(pipeline->alerts, placement->zone, placement->device,
                  placement->channel, pipeline->now_ms, &pipeline->sink);
}

/* Of a placement of the whole device nobody knows which channels there will be. */
static void expect(struct pipeline *pipeline, const struct registry_placement *placement)
{
    struct channel channel = {0};
    if (!registry_has_device(pipeline->registry, placement->org, placement->device) ||
        (placement->channel[0] != '\0' &&
         channel_parse(&channel, placement->channel) != ERR_OK))
        return;
    const struct registry_placement *whole = registry_place(
        pipeline->registry, placement->org, placement->device, "", pipeline->now_ms);
    /* A channel with a place of its own leaves that of its device. */
    if (channel.name[0] != '\0' && whole != NULL &&
        strcmp(whole->zone, placement->zone) != 0)
        alerts_forget(pipeline->alerts, whole->zone, placement->device, channel.name,
                      pipeline->now_ms, &pipeline->sink);
    alerts_expect(pipeline->alerts, placement->zone, placement->device, channel.name,
                  channel.quantity, pipeline->now_ms);
}

static bool is_in_force(const struct registry_placement *placement, int64_t now_ms)
{
    return placement->from_ms <= now_ms &&
           (placement->to_ms == 0 || now_ms < placement->to_ms);
}

void pipeline_forget_placed(struct pipeline *pipeline,
                            const struct registry_placement *placement)
{
    if (is_in_force(placement, pipeline->now_ms))
        forget(pipeline, pipeline->registry, placement, pipeline->now_ms);
}

void pipeline_expect_one(struct pipeline *pipeline,
                         const struct registry_placement *placement)
{
    if (is_in_force(placement, pipeline->now_ms))
        expect(pipeline, placement);
}

void pipeline_expect_placed(struct pipeline *pipeline, const char *zone)
{
    const struct registry *registry = pipeline->registry;
    for (size_t i = 0; i < registry->placement_count; i++)
        if (zone == NULL || strcmp(registry->placements[i].zone, zone) == 0)
            pipeline_expect_one(pipeline, &registry->placements[i]);
}

/* The first change behind that time. */
static size_t first_after(const struct registry *registry, int64_t time_ms)
{
    size_t low = 0;
    size_t high = registry->change_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (registry->changes[middle].at_ms <= time_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int64_t pipeline_last_move_ms(const struct pipeline *pipeline)
{
    size_t next = first_after(pipeline->registry, pipeline->now_ms);
    return next > 0 ? pipeline->registry->changes[next - 1].at_ms : INT64_MIN;
}

void pipeline_pass_placements(struct pipeline *pipeline)
{
    struct registry *registry = pipeline->registry;
    if (pipeline->now_ms <= pipeline->placed_ms)
        return;
    size_t i = first_after(registry, pipeline->placed_ms);
    if (i < registry->change_count && registry->changes[i].at_ms <= pipeline->now_ms)
        registry->generation++;
    for (; i < registry->change_count && registry->changes[i].at_ms <= pipeline->now_ms;
         i++) {
        const struct registry_placement *placement =
            &registry->placements[registry->changes[i].placement];
        configs_touch(pipeline->options.configs, placement->org, placement->device);
        if (registry->changes[i].is_end)
            forget(pipeline, registry, placement, placement->to_ms - 1);
        else
            expect(pipeline, placement);
    }
    pipeline->placed_ms = pipeline->now_ms;
}
