// SPDX-License-Identifier: Apache-2.0
/*
 * view - what the pipeline knows right now, as JSON for the API.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/view.h"
#include "telemetry/quantity.h"
#include "telemetry/topic.h"

static void put_time(json_t *object, const char *key, int64_t ms)
{
    char text[CLOCK_ISO_MAX];
    json_object_set_new(object, key,
                        ms > 0 ? json_string(clock_format_iso(text, ms)) : json_null());
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *channel_json(const struct device *device,
                            const struct device_channel *channel, int64_t now_ms)
{
    int registered = channel->name->registered;
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:s}", "org", device->org, "device", device->id,
        "channel", channel->name->name, "quantity", channel->name->quantity, "unit",
        registered >= 0 ? quantity_at((size_t)registered)->unit : "", "value",
        number_or_null(channel->value), "quality",
        quality_name((enum quality)channel->quality));
    assert(entry != NULL);
    if (now_ms != PIPELINE_NO_AGE)
        json_object_set_new(entry, "age_ms", json_integer(now_ms - channel->time_ms));
    put_time(entry, "time", channel->time_ms);
    return entry;
}

const char *pipeline_zone_of(const struct pipeline *pipeline, const struct device *device,
                             const struct device_channel *channel)
{
    const struct registry_placement *placement =
        device_channel_place(device, channel, pipeline->registry);
    if (placement == NULL || !registry_covers(placement, channel->time_ms))
        placement = registry_place(pipeline->registry, device->org, device->id,
                                   channel->name->name, channel->time_ms);
    return placement != NULL ? placement->zone : "";
}

static json_t *zone_json(const struct registry_zone *zone)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", zone->id, "org",
                     zone->org, "site", zone->site, "site_name", zone->site_name, "name",
                     zone->name, "band_low", number_or_null(zone->band_low), "band_high",
                     number_or_null(zone->band_high), "channels", json_array());
}

static void add_channels(const struct pipeline *pipeline, json_t *by_zone, int64_t now_ms)
{
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        const struct device *device = pipeline->devices.entries[i].value;
        for (size_t k = 0; k < device->channel_count; k++) {
            const struct device_channel *channel = &device->channels[k];
            json_t *zone =
                json_object_get(by_zone, pipeline_zone_of(pipeline, device, channel));
            if (zone != NULL && channel->time_ms > 0)
                json_array_append_new(json_object_get(zone, "channels"),
                                      channel_json(device, channel, now_ms));
        }
    }
}

static void dump(json_t *root, struct buf *out)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    buf_text(out, text);
    free(text);
    json_decref(root);
}

json_t *pipeline_zone_list(const struct pipeline *pipeline, int64_t now_ms,
                           const struct map *only)
{
    json_t *list = json_array();
    json_t *by_zone = json_object();
    size_t zones = pipeline->registry != NULL ? pipeline->registry->zone_count : 0;
    for (size_t i = 0; i < zones; i++) {
        if (only != NULL && map_get(only, pipeline->registry->zones[i].id) == NULL)
            continue;
        json_t *zone = zone_json(&pipeline->registry->zones[i]);
        json_object_set(by_zone, pipeline->registry->zones[i].id, zone);
        json_array_append_new(list, zone);
    }
    if (zones > 0)
        add_channels(pipeline, by_zone, now_ms);
    json_decref(by_zone);
    return list;
}

void pipeline_zones_json(const struct pipeline *pipeline, int64_t now_ms, struct buf *out)
{
    dump(pipeline_zone_list(pipeline, now_ms, NULL), out);
}

static json_t *epoch_json(const struct collector_epoch *epoch)
{
    char text[17];
    return json_pack("{s:s, s:I, s:I, s:I, s:b}", "epoch",
                     epoch_format(epoch->epoch, text), "through",
                     (json_int_t)epoch->window.taken.through, "highest",
                     (json_int_t)seqset_highest(&epoch->window.taken), "waiting",
                     (json_int_t)epoch->held_count, "ended", epoch->is_ended);
}

static json_t *version_or_null(uint64_t version)
{
    char text[17];
    return version != 0 ? json_string(epoch_format(version, text)) : json_null();
}

static void add_words(json_t *list, const char *words)
{
    while (*words != '\0') {
        size_t len = strcspn(words, ",");
        json_array_append_new(list, json_stringn(words, len));
        words += len + (words[len] == ',');
    }
}

/* What it does not know, as it says, and what one with rules is not told for that. */
static json_t *unknown_json(const struct pipeline *pipeline, const struct device *device)
{
    json_t *list = json_array();
    if (device->config_unknown != NULL)
        add_words(list, device->config_unknown);
    if (device->config_version != 0)
        add_words(list,
                  configs_withheld(pipeline->options.configs, device->org, device->id));
    return list;
}

static json_t *device_json(const struct pipeline *pipeline, const struct device *device,
                           int64_t now_ms)
{
    uint64_t wanted = configs_wanted(pipeline->options.configs, device->org, device->id);
    json_t *channels = json_array();
    for (size_t k = 0; k < device->channel_count; k++)
        json_array_append_new(channels,
                              channel_json(device, &device->channels[k], now_ms));
    json_t *epochs = json_array();
    for (size_t k = 0; k < device->delivery.epoch_count; k++)
        json_array_append_new(epochs, epoch_json(&device->delivery.epochs[k]));
    json_t *entry = json_pack(
        "{s:s, s:s, s:b, s:b, s:s, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "org",
        device->org, "id", device->id, "declared", device->is_declared, "online",
        device->is_online, "version", device_version(device), "config_version",
        version_or_null(device->config_version), "config_wanted", version_or_null(wanted),
        "config_unknown", unknown_json(pipeline, device), "config_left_out",
        (json_int_t)device->config_left_out, "readings", (json_int_t)device->readings,
        "channels", channels, "epochs", epochs);
    assert(entry != NULL);
    put_time(entry, "last_arrival", device->last_arrival_ms);
    return entry;
}

json_t *pipeline_status_json(const struct pipeline *pipeline, const char *key)
{
    char org[ID_SIZE];
    size_t len = strcspn(key, "/");
    assert(len < sizeof org && key[len] == '/');
    memcpy(org, key, len);
    org[len] = '\0';
    const char *id = key + len + 1;
    const struct device *device = map_get(&pipeline->devices, key);
    json_t *entry =
        json_pack("{s:s, s:s, s:b, s:b, s:s}", "org", org, "id", id, "declared",
                  registry_has_device(pipeline->registry, org, id), "online",
                  device != NULL && device->is_online, "version",
                  device != NULL ? device_version(device) : "");
    assert(entry != NULL);
    put_time(entry, "last_arrival", device != NULL ? device->last_arrival_ms : 0);
    return entry;
}

/* Declared devices that were never heard of are listed too. */
static void add_unheard(const struct pipeline *pipeline, json_t *list, int64_t now_ms)
{
    for (size_t i = 0; i < pipeline->registry->device_count; i++) {
        const struct registry_device *declared = &pipeline->registry->devices[i];
        struct buf key = {0};
        buf_format(&key, "%s/%s", declared->org, declared->id);
        if (map_get(&pipeline->devices, key.data) == NULL) {
            struct device *device = device_create(declared->org, declared->id);
            device->is_declared = true;
            json_array_append_new(list, device_json(pipeline, device, now_ms));
            device_destroy(device, pipeline->core);
        }
        buf_fini(&key);
    }
}

void pipeline_devices_json(const struct pipeline *pipeline, int64_t now_ms,
                           struct buf *out)
{
    json_t *list = json_array();
    for (size_t i = 0; i < pipeline->devices.count; i++)
        json_array_append_new(
            list, device_json(pipeline, pipeline->devices.entries[i].value, now_ms));
    if (pipeline->registry != NULL)
        add_unheard(pipeline, list, now_ms);
    dump(list, out);
}

void pipeline_placements_json(const struct pipeline *pipeline, struct buf *out)
{
    json_t *list = json_array();
    size_t count = pipeline->registry != NULL ? pipeline->registry->placement_count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct registry_placement *from = &pipeline->registry->placements[i];
        json_t *entry =
            json_pack("{s:s, s:s, s:s, s:s}", "org", from->org, "device", from->device,
                      "channel", from->channel, "zone", from->zone);
        put_time(entry, "from", from->from_ms);
        put_time(entry, "to", from->to_ms);
        json_array_append_new(list, entry);
    }
    dump(list, out);
}
