// SPDX-License-Identifier: Apache-2.0
/*
 * configs - tells each device the rules of the zones that it measures, retained.
 *
 * What a device is to know follows from the registry and the time alone; what it knows,
 * it says in its status. Sent is what differs: when something changed, when a device
 * says that it knows something else, and to all when the broker has lost its memory. The
 * retained message is cleared when a device measures nothing any more. Devices that do
 * not act on it lose nothing. Belongs to the loop.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_CONFIGS_H
#define COLDCHAIN_COLLECTOR_PIPELINE_CONFIGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "collector/pipeline/device.h"
#include "collector/pipeline/registry.h"
#include "telemetry/zone_rules.h"

struct configs;

struct configs_options {
    void *context;
    /* Retained, QoS 1; empty clears. False when it cannot be sent now: tried again. */
    bool (*send)(void *context, const char *topic, const void *data, size_t len);
};

/* Begins with all devices to be looked at. */
struct configs *configs_create(const struct configs_options *options);
/* Accepts NULL, as do all the following. */
void configs_destroy(struct configs *configs);

/* What the device is to know may have changed. */
void configs_touch(struct configs *configs, const char *org, const char *device);
void configs_touch_zone(struct configs *configs, const struct registry *registry,
                        const char *zone);
void configs_touch_all(struct configs *configs);
/* Rules came, went or changed: they are looked up anew. */
void configs_rules_changed(struct configs *configs);
/* Connected to the broker, which has kept our session, and so the retained, or not. */
void configs_connected(struct configs *configs, bool session_present);
/*
 * The device has said which version is in force there: device->config_version. One that
 * refuses what it was sent is sent it again: perhaps that was not from us.
 */
void configs_reported(struct configs *configs, const struct device *device,
                      bool is_refusing, int64_t real_ms);

/*
 * Somebody did that to an incident of the device in that zone; NULL: it is as if nobody
 * had. It is told to the device until it comes back, a closing for CONFIGS_CLOSED_MS.
 */
#define CONFIGS_CLOSED_MS ((int64_t)7 * 24 * 3600 * 1000)
void configs_handled(struct configs *configs, const char *org, const char *device,
                     const char *zone, const char *incident,
                     const struct zone_handled *handled);

/* Sends what is due. `devices` are those heard of, "org/device" -> struct device. */
void configs_flush(struct configs *configs, const struct registry *registry,
                   const struct map *devices, int64_t now_ms, int64_t real_ms);

/* What a device is to have in force; 0: nothing. */
uint64_t configs_wanted(const struct configs *configs, const char *org,
                        const char *device);

/* What the device is not told because it may not know it, as zone_notes_format() has it;
 * "": nothing. Borrowed until the next flush. */
const char *configs_withheld(const struct configs *configs, const char *org,
                             const char *device);

/*
 * What the registry says for that device at that time: its zones in the order of its
 * placements, without their rules. The caller runs zone_rules_fini().
 */
void configs_zones(const struct registry *registry, const char *org, const char *device,
                   int64_t now_ms, struct zone_rules *rules);

#endif
