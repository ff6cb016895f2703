// SPDX-License-Identifier: Apache-2.0
/*
 * state_registry - tables of state.db: who and where. Organisations, sites, zones,
 * devices, placements, rules, and the last value of each channel.
 *
 * `put` adds or replaces by key. Texts are the caller's in `put` and borrowed until the
 * callback returns in `each`; NULL counts as "". Threads and errors as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_REGISTRY_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "collector/store/state.h"
#include "telemetry/pack.h"
#include "telemetry/reading.h"

struct state_org {
    const char *id;
    const char *name;
};

struct state_site {
    const char *id;
    const char *org;
    const char *name;
    const char *tier;      /* "village point", "county centre", "vehicle", ... */
    const char *time_zone; /* "Asia/Shanghai" */
};

/* Zone ids are unique in the whole store, because rules and incidents name them bare. */
struct state_zone {
    const char *id;
    const char *org;
    const char *site;
    const char *name;
    bool is_archived;
    bool is_on_duty;
    const char *duty_reason; /* why it is off duty */
    double band_low;         /* NaN: none */
    double band_high;
};

/* Key (org, id). */
struct state_device {
    const char *org;
    const char *id;
    bool is_declared;      /* by the seed or a command, not only seen */
    int64_t first_seen_ms; /* 0: never; replacing keeps the earliest */
    int64_t last_seen_ms;
    enum pack_clock clock;
    const char *version; /* of its software */
};

/* Key (org, device, channel, from). A reading's zone is that of its event time. */
struct state_placement {
    const char *org;
    const char *device;
    const char *channel; /* "": all channels that have none of their own */
    const char *zone;
    int64_t from_ms;
    int64_t to_ms; /* exclusive; 0: still there */
    const char *who;
};

struct state_rule {
    const char *id;
    const char *zone;
    const char *body; /* JSON */
};

/* Key (org, device, channel). */
struct state_last {
    const char *org;
    const char *device;
    const char *channel;
    double value; /* NaN when quality is not GOOD */
    enum quality quality;
    int64_t time_ms;
    int64_t arrival_ms;
};

MUST_CHECK enum err state_put_org(struct state *state, const struct state_org *org);
MUST_CHECK enum err state_put_site(struct state *state, const struct state_site *site);
MUST_CHECK enum err state_put_zone(struct state *state, const struct state_zone *zone);
MUST_CHECK enum err state_put_device(struct state *state,
                                     const struct state_device *device);
MUST_CHECK enum err state_put_placement(struct state *state,
                                        const struct state_placement *placement);
MUST_CHECK enum err state_put_rule(struct state *state, const struct state_rule *rule);
/* NOT_FOUND when there is none. */
MUST_CHECK enum err state_delete_rule(struct state *state, const char *id);
/* Whoever calls last wins; which of two readings is later is the pipeline's to say. */
MUST_CHECK enum err state_put_last(struct state *state, const struct state_last *last);

typedef void state_org_fn(void *context, const struct state_org *org);
typedef void state_site_fn(void *context, const struct state_site *site);
typedef void state_zone_fn(void *context, const struct state_zone *zone);
typedef void state_device_fn(void *context, const struct state_device *device);
typedef void state_placement_fn(void *context, const struct state_placement *placement);
typedef void state_rule_fn(void *context, const struct state_rule *rule);
typedef void state_last_fn(void *context, const struct state_last *last);

/* All rows in the order of their keys; `org` NULL means all organisations. */
MUST_CHECK enum err state_each_org(struct state *state, void *context, state_org_fn *row);
MUST_CHECK enum err state_each_site(struct state *state, const char *org, void *context,
                                    state_site_fn *row);
MUST_CHECK enum err state_each_zone(struct state *state, const char *org, void *context,
                                    state_zone_fn *row);
MUST_CHECK enum err state_each_device(struct state *state, const char *org, void *context,
                                      state_device_fn *row);
/* `zone` NULL means all zones. */
MUST_CHECK enum err state_each_placement(struct state *state, const char *zone,
                                         void *context, state_placement_fn *row);
MUST_CHECK enum err state_each_rule(struct state *state, const char *zone, void *context,
                                    state_rule_fn *row);
/* `org` and `device` both NULL: every last value. */
MUST_CHECK enum err state_each_last(struct state *state, const char *org,
                                    const char *device, void *context,
                                    state_last_fn *row);

/* Pages in the order of the keys, from behind (`after_org`, `after_id`), "" at first. */
MUST_CHECK enum err state_page_devices(struct state *state, const char *after_org,
                                       const char *after_id, size_t limit, void *context,
                                       state_device_fn *row);

#endif
