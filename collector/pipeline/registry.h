// SPDX-License-Identifier: Apache-2.0
/*
 * registry - the places, devices, placements and rules in force: one immutable snapshot.
 *
 * The loop thread makes a new snapshot when something changes; followers keep the one
 * they have until they ask for the newest. Read-only once made: any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_H
#define COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/alerts.h"
#include "base/buf.h"
#include "base/err.h"
#include "telemetry/reading.h"

#define REGISTRY_NAME_SIZE 128

struct registry_zone {
    char id[ID_SIZE];
    char org[ID_SIZE];
    char site[ID_SIZE];
    char site_name[REGISTRY_NAME_SIZE]; /* UTF-8 */
    char name[REGISTRY_NAME_SIZE];
    double band_low; /* NaN: none */
    double band_high;
};

struct registry_placement {
    char org[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE]; /* "": every channel without a placement of its own */
    char zone[ID_SIZE];
    int64_t from_ms;
    int64_t to_ms; /* 0: open */
};

struct registry_device {
    char org[ID_SIZE];
    char id[ID_SIZE];
};

/* A placement begins or ends. */
struct registry_change {
    int64_t at_ms;
    uint32_t placement;
    bool is_end;
};

struct registry {
    struct registry_zone *zones;
    size_t zone_count;
    struct registry_device *devices;
    size_t device_count;
    struct registry_placement *placements; /* ordered by org, device, channel, from */
    size_t placement_count;
    struct alert_rule *rules;
    size_t rule_count;
    char hash[17]; /* of the JSON it was made from */
    /* for finding */
    const struct registry_zone **zones_by_id;
    const struct registry_device **devices_by_name;
    struct registry_change *changes; /* ordered by time, then placement */
    size_t change_count;
};

/* Reads the JSON of a CONFIG record. INVALID names what is wrong. */
MUST_CHECK enum err registry_parse(struct registry **registry, const char *json,
                                   size_t len, struct err_text *why);
/* Whether both place everything alike. */
bool registry_same_placements(const struct registry *a, const struct registry *b);
/* The JSON of a CONFIG record: the same registry always gives the same bytes. */
void registry_format(const struct registry *registry, struct buf *out);
void registry_destroy(struct registry *registry);

const struct registry_zone *registry_zone(const struct registry *registry,
                                          const char *id);
bool registry_has_device(const struct registry *registry, const char *org,
                         const char *device);
/*
 * The placement of that channel at that time, or NULL: one that names the channel wins
 * over one for the whole device.
 */
const struct registry_placement *registry_place(const struct registry *registry,
                                                const char *org, const char *device,
                                                const char *channel, int64_t time_ms);

#endif
