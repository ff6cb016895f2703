// SPDX-License-Identifier: Apache-2.0
/*
 * structs - what the engine is made of. Only the files of this folder include it.
 *
 *   zone --- plan (zone, quantity): the rules that watch such channels, the nearest
 * levels
 *              |
 *   source (zone, device, channel) --- watch (rule): exists while something is past
 *              |                         |
 *   station (zone, device)             firing: the open incident
 *              |
 *   source (zone, device, "")
 *
 * A channel in which all is well costs its source and nothing else, and a reading of it
 * two comparisons however many rules above and below there are. Rules of other kinds keep
 * a gauge (measure.h) for each source; rules that name reasons, or compare with the zone,
 * a room (room.h) for each zone.
 */
#ifndef COLDCHAIN_ALERTS_STRUCTS_H
#define COLDCHAIN_ALERTS_STRUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/alerts.h"
#include "alerts/table.h"
#include "base/buf.h"
#include "base/pool.h"
#include "telemetry/quantity.h"

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
    bool is_safety;
    uint8_t unless; /* bits of enum alert_reason */
    uint64_t print; /* hash of all that follows: equal rules have equal prints */
    int64_t silent_ms;
    int64_t window_ms;
    double limit;     /* NaN: its kind has none */
    const char *zone; /* these three stand behind the levels */
    const char *quantity;
    const char *id;
    char *snapshot; /* made when first wanted */
    struct alert_level levels[];
};

/* What watches the channels of one quantity in one zone, or (is_device) its devices. */
struct plan {
    struct plan *next;                 /* of the zone */
    const char *zone;                  /* of the struct zone */
    struct room *room;                 /* of the zone, once it was asked for; NULL */
    const struct quantity *registered; /* NULL: it is not in the registry */
    double above; /* the lowest level of rules above, +infinity without */
    double below;
    int64_t silent_ms;  /* none of its rules is sooner; TIME_NEVER without */
    int64_t unknown_ms; /* silence of a channel after which an incident is unknown */
    int64_t gone_ms;  /* the same of one that is forgotten: by its device's rules, too */
    int64_t borne_ms; /* a gap between readings proves no delay beyond that */
    int64_t pause_ms; /* of a device: when it is not heard for so long, its channels are
                         not silent by themselves; 0: nobody asks */
    size_t count;
    struct rule **rules; /* borrowed from the zone, in its order */
    uint32_t
        *places; /* of gauges: of each rule, then of what they share; NULL, 0: none */
    size_t gauges_size;
    bool is_device;
    bool needs_room;   /* what is known of the zone matters to its rules */
    bool learns;       /* a rule leaves it to the cadence what silence is */
    bool heeds_device; /* a rule of silence asks whether the device is heard */
    bool is_plain;     /* values against levels, and nothing else */
    bool wants_life;   /* a rule asks how long its goods last */
    bool wants_air;    /* a rule asks what the air is doing */
    bool is_compared;  /* a rule compares its probes */
    bool has_goods;    /* air in which the zone's goods are estimated */
    uint8_t role;      /* enum room_role */
    uint8_t derives;   /* bits of enum derived: what its readings are turned into */
    char quantity[];
};

struct zone {
    struct rule **rules; /* each holds a reference */
    size_t count;
    size_t capacity;
    struct plan *plans; /* made when first wanted */
    struct station *stations;
    bool has_devices; /* rules watch devices, or ask whether they are heard */
    bool has_room;    /* what is known of the zone matters to its rules */
    bool has_goods;   /* how warm its goods are is estimated */
    uint8_t derives;  /* bits of enum derived that its rules name */
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

/* What a rule keeps back while one of its reasons holds. */
struct hold {
    int64_t from_ms;
    int64_t past_ms[ALERT_LEVELS_MAX]; /* since when a level is past, as if none held */
    double worst;
    double limit;
    uint8_t reason;
    uint8_t severity;
    bool is_told;
};

/* One rule on one source, from the first sample past a level until it is over. */
struct watch {
    struct watch *next; /* of the source, in the order in which they began */
    struct source *source;
    struct rule *rule;     /* in force, borrowed; NULL: it went, the incident stays */
    struct firing *firing; /* NULL: pending; when some level fired: a person closed it */
    struct hold *hold;     /* NULL: nothing is kept back */
    unsigned fired;        /* bit per level; of silence: 1 */
    int64_t since[ALERT_LEVELS_MAX]; /* not fired: past since; fired: back since; of
                                        silence, not fired: what it counts from */
    double value;
    double worst;         /* of a sum that a person closed: the least since */
    int64_t dismissed_ms; /* when a person closed it, of none of silence */
    int64_t blind_ms;     /* of an incident whose measure began anew: until then it does
                             not say that it is over; TIME_NONE */
    double worst_low;     /* as in struct incident */
    double worst_high;
};

/* Of channels: devices have few names for what they measure. */
struct name {
    uint32_t refs;
    char text[];
};

/*
 * A device in a zone: there while a source is. Its readings come together, so one look
 * into the table finds the first of its channels, and each one leads to the next.
 */
struct station {
    struct zone *zone;
    struct station *next; /* of the zone */
    struct station *before;
    struct source *last;  /* that was asked for; those of the station are a ring */
    struct source *whole; /* (zone, device, ""); NULL */
    char device[];
};

struct source {
    struct plan *plan;
    struct station *station;
    struct watch *watches;
    struct gauges *gauges; /* of its measured rules, and what they share; NULL */
    int64_t last_ms;       /* event time of the last good reading that counted */
    int64_t heard_ms;     /* arrival of the last good one; of the first one before that */
    int64_t wake_ms;      /* when it stands in the queue of silence; TIME_NEVER */
    struct source *next;  /* of the station */
    struct name *channel; /* NULL: this is the device */
    struct source *next_dirty;
    uint32_t channels;   /* of a device: those that are counted */
    bool is_counted : 1; /* of a channel: with the device, see source_device() */
    bool is_dirty : 1;
    bool is_forgotten : 1;
    bool is_derived : 1;
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
    struct pool pool; /* stations, sources and gauges */
    struct table zones;
    struct table stations;
    struct station *asked; /* the one found last; NULL */
    size_t source_count;
    struct table rooms;
    struct table names;
    struct table firings; /* watches, by the id of their incident */
    struct watch *spare;
    struct wake *wakes; /* a heap, the earliest first; some are out of date */
    size_t wake_count;
    size_t wake_capacity;
    struct pointers due;  /* of a tick, kept for its memory */
    struct source *dirty; /* to be saved, in the order in which they changed */
    struct source *dirty_last;
    struct pointers dirty_rooms;
    struct pointers gone; /* keys of sources that were saved and are no more; owned */
    uint64_t removed;     /* sources, ever: pointers to them from before may be stale */
    int64_t quiet_until_ms;
    bool is_grace_dirty;
    bool has_new_stretches; /* declared since silence was scheduled, or a device is back
                             */
    struct buf out;
    struct incident *told; /* what is lent to sinks and askers */
};

#endif
