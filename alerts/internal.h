// SPDX-License-Identifier: Apache-2.0
/*
 * internal - the structs that the files of this folder share. Nobody else includes it.
 *
 *   zone --- plan (zone, quantity): the rules that watch such channels, the nearest
 * levels
 *              |
 *   source (zone, device, channel) --- watch (rule): exists while something is past
 *              |                         |
 *   source (zone, device, "")          firing: the open incident
 *
 * A channel in which all is well costs its source and nothing else, and a reading of it
 * two comparisons however many rules there are.
 */
#ifndef COLDCHAIN_ALERTS_INTERNAL_H
#define COLDCHAIN_ALERTS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/alerts.h"
#include "alerts/table.h"
#include "base/buf.h"

/* "Not yet" of a point in time, and "never" of one to come. */
#define TIME_NONE  INT64_MIN
#define TIME_NEVER INT64_MAX
/* Points in time beyond the year 33658 are nonsense; sums of two below fit. */
#define TIME_LIMIT_MS ((int64_t)1000000000000000)
#define ID_BYTES      16

/* Immutable; counted, because incidents outlive the rules that opened them. */
struct rule {
    uint32_t refs;
    uint8_t kind;
    uint8_t silent_severity;
    uint8_t level_count;
    uint64_t print; /* hash of all that follows: equal rules have equal prints */
    int64_t silent_ms;
    const char *zone; /* these three stand behind the levels */
    const char *quantity;
    const char *id;
    char *snapshot; /* made when first wanted */
    struct alert_level levels[];
};

/* What watches the channels of one quantity in one zone, or (is_device) its devices. */
struct plan {
    struct plan *next; /* of the zone */
    const char *zone;  /* of the struct zone */
    double above;      /* the lowest level of rules above, +infinity without */
    double below;
    int64_t silent_ms;  /* the shortest silence of its rules, TIME_NEVER without */
    int64_t unknown_ms; /* silence after which an incident is unknown */
    size_t count;
    struct rule **rules; /* borrowed from the zone, in its order */
    bool is_device;
    char quantity[];
};

struct zone {
    struct rule **rules; /* each holds a reference */
    size_t count;
    size_t capacity;
    struct plan *plans; /* made when first wanted */
    bool has_device_rules;
    char name[];
};

struct firing {
    uint8_t id[ID_BYTES];
    struct rule *rule; /* as it was at opening; holds a reference */
    int64_t onset_ms;
    int64_t opened_ms;
    int64_t learned_ms;
    int64_t changed_ms;
    int64_t acknowledged_ms;
    char *acknowledged_by; /* NULL: nobody yet */
    double limit;
    uint32_t revision;
    uint8_t severity;
    uint8_t state;
};

/* One rule on one source, from the first sample past a level until it is over. */
struct watch {
    struct watch *next; /* of the source, in the order in which they began */
    struct source *source;
    struct rule *rule;     /* in force, borrowed; NULL: it went, the incident stays */
    struct firing *firing; /* NULL: pending; of silence: a person closed it */
    unsigned fired;        /* bit per level; of silence: 1 */
    int64_t since[ALERT_LEVELS_MAX]; /* not fired: past since; fired: back since */
    double value;
    double worst;
};

struct source {
    struct plan *plan;
    struct source *device; /* (zone, device, "") when its zone watches devices */
    struct watch *watches;
    int64_t last_ms;   /* event time of the last good reading that counted */
    int64_t heard_ms;  /* arrival of the last good one; of the first one before that */
    int64_t wake_ms;   /* when it stands in the queue of silence; TIME_NEVER */
    uint32_t channels; /* of a device: those not forgotten */
    uint8_t channel_at;
    bool is_dirty;
    bool is_forgotten;
    char device_name[]; /* and at channel_at the channel; "": this is the device */
};

struct wake {
    int64_t time_ms;
    struct source *source;
};

struct pointers {
    void **items;
    size_t count;
    size_t capacity;
};

struct alerts {
    struct table zones;
    struct table sources;
    struct table firings; /* watches, by the id of their incident */
    struct watch *spare;
    struct wake *wakes; /* a heap, the earliest first; some are out of date */
    size_t wake_count;
    size_t wake_capacity;
    struct pointers due; /* of a tick, kept for its memory */
    struct pointers dirty;
    struct pointers gone; /* keys of sources that were saved and are no more; owned */
    int64_t quiet_until_ms;
    bool is_grace_dirty;
    struct buf out;
    struct incident *told; /* what is lent to sinks and askers */
};

void pointers_add(struct pointers *list, void *item);

/* rule_make.c */
struct rule *rule_create(const struct alert_rule *from);
/* A rule that is known by its incident only. */
struct rule *rule_create_past(enum alert_kind kind, const char *id, const char *snapshot);
struct rule *rule_ref(struct rule *rule);
void rule_unref(struct rule *rule);
const char *rule_snapshot(struct rule *rule);
static inline bool rule_is_silence(const struct rule *rule)
{
    return alert_kind_is_silence((enum alert_kind)rule->kind);
}

/* plan.c */
struct zone *zone_find(const struct table *zones, const char *name);
struct zone *zone_make(struct table *zones, const char *name);
void zone_add_rule(struct zone *zone, struct rule *rule);
void zones_fini(struct table *zones);
/* Never NULL; without rules when none match. */
struct plan *plan_get(struct zone *zone, const char *quantity, bool is_device);
struct rule *plan_find_rule(const struct plan *plan, const char *id, unsigned kind);

/* source.c */
static inline const char *source_channel(const struct source *source)
{
    return source->device_name + source->channel_at;
}
struct source *source_find(const struct alerts *alerts, const char *zone,
                           const char *device, const char *channel);
/* In no table yet. */
struct source *source_create(struct alerts *alerts, const char *zone, const char *device,
                             const char *channel, const char *quantity);
void source_add(struct alerts *alerts, struct source *source);
struct source *source_make(struct alerts *alerts, const char *zone, const char *device,
                           const char *channel, const char *quantity, int64_t heard_ms);
/* NULL when no rule watches it and nothing of it is open. */
struct source *source_of(struct alerts *alerts, const struct alert_reading *reading);
/* Counts it with the source of its device, made if missing, if the zone watches those. */
void source_link_device(struct alerts *alerts, struct source *source);
void source_unlink_device(struct source *source);
void source_touch(struct alerts *alerts, struct source *source);
/* Also from the queues, which costs a pass over them; its key is reported as gone. */
void source_remove(struct alerts *alerts, struct source *source);
/* The same for one that is in no queue any more. */
void source_remove_unqueued(struct alerts *alerts, struct source *source);
/* With its watches; it must be in no table and no queue. */
void source_destroy(struct alerts *alerts, struct source *source);
/* Removes it when nothing watches it and nothing of it is open. */
void source_drop_idle(struct alerts *alerts, struct source *source);
void source_key(const struct source *source, struct buf *key);
/* By zone, device and channel. */
int source_compare(const struct source *a, const struct source *b);

struct watch *watch_find(const struct source *source, const struct rule *rule);
struct watch *watch_make(struct alerts *alerts, struct source *source, struct rule *rule);
/* Takes it out of its source, with its incident. */
void watch_remove(struct alerts *alerts, struct watch *watch);

/* incident.c */
/* Accepts NULL. */
void firing_destroy(struct firing *firing);
struct watch *firing_find(const struct alerts *alerts, const uint8_t id[ID_BYTES]);
void firing_index(struct alerts *alerts, struct watch *watch);
/* Also when it is not there. */
void firing_unindex(struct alerts *alerts, const struct watch *watch);
/* `opening` has the times, the limit and the severity. */
void incident_open(struct alerts *alerts, struct watch *watch,
                   const struct firing *opening, const struct alert_sink *sink);
void incident_tell(struct alerts *alerts, struct watch *watch,
                   enum alert_effect_kind kind, int64_t now_ms,
                   const struct alert_sink *sink);
/* Tells of it and forgets it; the watch is pending afterwards. */
void incident_close(struct alerts *alerts, struct watch *watch, int64_t closed_ms,
                    int64_t now_ms, const struct alert_sink *sink);
const struct incident *incident_fill(struct incident *out, const struct watch *watch);
/* False for anything but 32 hex digits. */
bool incident_id_parse(uint8_t id[ID_BYTES], const char *text);

/* threshold.c */
void threshold_reading(struct alerts *alerts, struct source *source,
                       const struct alert_reading *reading,
                       const struct alert_sink *sink);
/* The rule in force was replaced by another with the same id. */
void threshold_restart(struct watch *watch);

/* relink.c: when the rules are replaced */
/* Its watches under the rules of its plan; true when anything was changed by that. */
bool source_relink(struct alerts *alerts, struct source *source, int64_t now_ms);
void alerts_relink(struct alerts *alerts, int64_t now_ms);

/* silence.c */
void silence_heard(struct alerts *alerts, struct source *source, int64_t arrival_ms,
                   const struct alert_sink *sink);
/* Puts it into the queue if its time comes before it stands there. */
void silence_schedule(struct alerts *alerts, struct source *source);
void silence_unschedule(struct alerts *alerts, const struct source *source);
void silence_reschedule_all(struct alerts *alerts);
void silence_tick(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink);

#endif
