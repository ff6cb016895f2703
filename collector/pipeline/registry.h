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
#include "alerts/zones.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/tz.h"
#include "freshness/band.h"
#include "telemetry/reading.h"

struct profile;

#define REGISTRY_NAME_SIZE 128
#define ZONE_SPANS_MAX     12                       /* of each sort, in one zone */
#define REGISTRY_SPANS_MAX (2 * ZONE_SPANS_MAX + 1) /* steps, maintenance, one start */

/* Where a zone's tau comes from. */
#define REGISTRY_TAU_LIST(X) \
    X(BUILT_IN, "built_in") /* packed produce in a room */ \
    X(GOODS, "goods")       /* the profiles of what stands there */ \
    X(ZONE, "zone")         /* it is declared */

enum registry_tau {
#define X(name, text) REGISTRY_TAU_##name,
    REGISTRY_TAU_LIST(X)
#undef X
};

const char *registry_tau_name(enum registry_tau tau);

/* Of what stands in a zone. */
struct registry_goods {
    const struct profile *profile; /* the registry's */
    int64_t from_ms; /* it came in, or the zone went on duty since; 0: nobody said */
};

struct registry_zone {
    char id[ID_SIZE];
    char org[ID_SIZE];
    char site[ID_SIZE];
    char site_name[REGISTRY_NAME_SIZE]; /* UTF-8 */
    char site_tz[ID_SIZE];              /* of a seed: "Asia/Shanghai"; "" */
    char name[REGISTRY_NAME_SIZE];
    double band_low; /* NaN: none; what its goods bear, too */
    double band_high;
    int64_t tau_ms; /* how fast its goods follow the air, or something like it */
    int64_t tau_least_ms;
    int64_t tau_most_ms;
    enum registry_tau tau_from;
    int64_t defrost_every_ms; /* 0: no schedule */
    int64_t defrost_first_ms; /* any one of its beginnings */
    int64_t defrost_most_ms;  /* how long one takes; 0: not said */
    int64_t door_most_ms;     /* how long one may be open that no signal shows; 0 */
    int64_t recovery_most_ms; /* until the air is back after either; 0: not said */
    struct alert_load loads[ALERT_LOADS_MAX]; /* what came in last */
    size_t load_count;
    bool is_described;    /* something was said of tau, goods, loads or defrosts */
    int64_t off_since_ms; /* of what is off duty; 0 */
    bool is_empty;        /* off duty because there is said to be nothing in it */
    bool has_goods;       /* what stands in it is recorded */
    struct registry_goods goods[LIFE_GOODS_MAX]; /* the first of it, of known profiles */
    size_t goods_count;
    bool is_off_duty; /* only what is about safety is judged there */
    bool is_archived; /* nothing is */
};

/* A stretch of time for which something else is planned in a zone, or it starts. */
struct registry_span {
    const char *zone;
    int64_t from_ms;
    int64_t to_ms; /* exclusive */
    enum alert_reason reason;
    double low; /* a planned step: the band meanwhile; NaN: open */
    double high;
};

struct registry_site {
    char id[ID_SIZE];
    char name[REGISTRY_NAME_SIZE];
    const struct tz *tz; /* NULL: nobody said, or it is not known here */
};

/* A fleet has millions of these two: their names are of registry_name(). */
struct registry_placement {
    const char *org;
    const char *device;
    const char *channel; /* "": every channel without a placement of its own */
    const char *zone;
    int64_t from_ms;
    int64_t to_ms; /* 0: open */
};

struct registry_device {
    const char *org;
    const char *id;
};

/* A placement begins or ends. */
struct registry_change {
    int64_t at_ms;
    uint32_t placement;
    bool is_end;
};

/* A day on which something is due: of a channel its calibration, of a device a date. */
struct registry_due {
    const char *org;
    const char *device;
    const char *name;     /* of the channel, or of the date: "sim" */
    enum alert_kind kind; /* ALERT_CALIBRATION_DUE, ALERT_DATE_DUE */
    int64_t due_ms;
};

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
