// SPDX-License-Identifier: Apache-2.0
/*
 * registry - the places, devices, placements and rules in force.
 *
 * Made from the entities of state.db, or from the seed, and changed entity by entity as
 * commands are applied. The loop thread alone changes it, and reads it freely; other
 * threads read between registry_lock() and registry_unlock().
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_H
#define COLDCHAIN_COLLECTOR_PIPELINE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "alerts/rule.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/tz.h"
#include "collector/pipeline/registry_rows.h"
#include "freshness/band.h"

struct profile_set;

struct registry {
    struct registry_zone *zones; /* ordered by id */
    size_t zone_count;
    struct registry_device *devices; /* ordered by org, id */
    size_t device_count;
    struct registry_placement *placements; /* ordered by org, device, channel, from */
    size_t placement_count;
    struct alert_rule *rules; /* ordered by id; what they name of their zone's band is
                                 the number that it is now */
    size_t rule_count;
    struct registry_site *sites; /* ordered by id */
    size_t site_count;
    struct registry_span *spans; /* ordered by zone, from */
    size_t span_count;
    size_t span_room;
    struct registry_due *dues; /* ordered by org, device, kind, name */
    size_t due_count;
    size_t due_room;
    json_t *said;                    /* of a seed: see registry_said(); NULL: nothing */
    struct profile_set *profiles;    /* NULL: nobody has asked yet */
    struct registry_change *changes; /* ordered by time, then placement */
    size_t change_count;
    uint64_t generation; /* of the placements: what was looked up before is old */
    char hash[17];       /* of the JSON it was made from; "" otherwise */
    struct tz home;      /* where a site has no zone of time of its own; UTC at first */
    struct registry_guard *guard;
};

/* An empty one. */
struct registry *registry_create(void);
/* Reads the JSON of a CONFIG record. INVALID names what is wrong. */
MUST_CHECK enum err registry_parse(struct registry **registry, const char *json,
                                   size_t len, struct err_text *why);
/*
 * Of the zones of a seed: what they say besides name and place, by the names of zone.put
 * and as state.db keeps it; NULL: a band at most. registry_say() takes it.
 */
void registry_say(struct registry *registry, const char *zone, json_t *said);
const json_t *registry_said(const struct registry *registry, const char *zone);
/* The zones that a seed takes off duty are so from now on. */
void registry_begin_duty(struct registry *registry, int64_t now_ms);
/* Becomes what `from` is, which is destroyed. */
void registry_take(struct registry *registry, struct registry *from);
/* Accepts NULL. */
void registry_destroy(struct registry *registry);
/*
 * The text, kept once and as long as the registry: an id that is gone is not forgotten.
 * At most ID_MAX characters of it; NULL is "". Loop thread.
 */
const char *registry_name(struct registry *registry, const char *text);
/* The JSON of a CONFIG record: the same registry always gives the same bytes. */
void registry_format(const struct registry *registry, struct buf *out);

/*
 * The entity of that kind is `body` now instead of `old`, both as state.db keeps them;
 * NULL: there is none. Other kinds than site, zone, device, channel, placement and rule
 * change nothing here. False when the body cannot be read.
 */
bool registry_apply(struct registry *registry, const char *kind, const char *id,
                    const char *org, const json_t *old, const json_t *body);
/* Many at once, as they come: the order is made at the end. */
bool registry_load(struct registry *registry, const char *kind, const char *id,
                   const char *org, const json_t *body);
void registry_load_end(struct registry *registry);
/* The kinds that a rule may have, and the reasons in its `unless`; NULL at the end. */
extern const char *const registry_rule_kinds[];
extern const char *const registry_rule_reasons[];
/* Of a body as state.db keeps it. */
bool registry_parse_rule(struct alert_rule *rule, const char *id, const json_t *body);
/* With what it names, not the numbers of it. The caller owns it. */
json_t *registry_rule_json(const struct alert_rule *rule);
/* Its names are the registry's. */
bool registry_parse_placement(struct registry *registry,
                              struct registry_placement *placement, const char *org,
                              const json_t *body);

/* For threads that are not the loop: short. */
void registry_lock(const struct registry *registry);
void registry_unlock(const struct registry *registry);

/*
 * What all of the goods and the declared band have in common; the declared one when they
 * have nothing. Profiles that are not known here are passed over; `profiles` is made when
 * it is first wanted, and the caller's.
 */
struct band registry_goods_band(struct profile_set **profiles, struct band declared,
                                const json_t *goods);

/*
 * Whether the zone is on duty, and whether the engine is to have that rule: in an
 * archived zone none, nor one whose numbers the zone's band does not give. What is not
 * told off duty the engine itself holds back. An unknown zone is on duty.
 */
bool registry_is_on_duty(const struct registry *registry, const char *zone);
bool registry_in_force(const struct registry *registry, const struct alert_rule *rule);
/* A rule of that zone asks how long its goods last. */
bool registry_asks_life(const struct registry *registry, const char *zone);
/* Those that it names of its zone's band are there, and fit. */
bool registry_has_numbers(const struct alert_rule *rule);
/* A rule of that zone takes numbers from its band. */
bool registry_follows_band(const struct registry *registry, const char *zone);
/* What is planned there, and its start, in order of beginning; borrowed until the zone
 * changes. */
const struct registry_span *registry_spans(const struct registry *registry,
                                           const char *zone, size_t *count);
const struct registry_zone *registry_zone(const struct registry *registry,
                                          const char *id);
/* What clocks on the wall go by there: the site's, or the registry's home. */
const struct tz *registry_tz(const struct registry *registry, const char *zone);
bool registry_has_device(const struct registry *registry, const char *org,
                         const char *device);
static inline bool registry_covers(const struct registry_placement *placement,
                                   int64_t time_ms)
{
    return time_ms >= placement->from_ms &&
           (placement->to_ms == 0 || time_ms < placement->to_ms);
}
/*
 * The placement of that channel at that time, or NULL: one that names the channel wins
 * over one for the whole device.
 */
const struct registry_placement *registry_place(const struct registry *registry,
                                                const char *org, const char *device,
                                                const char *channel, int64_t time_ms);

#endif
