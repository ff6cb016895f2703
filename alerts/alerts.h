// SPDX-License-Identifier: Apache-2.0
/*
 * alerts - rules over channels in, incidents out: (state, event, now) -> effects.
 *
 * Deterministic and pure: the same events give the same incidents with the same ids, so
 * a replay after a crash decides nothing anew. Readings are judged by their event time,
 * in the order given; silence by the time of ticks. Owned by one thread.
 *
 *           past a level for its delay          back for the recovery delay
 *   (quiet) --------------------------> open -> recovering ----------------> closed
 *                                       |  ^      |
 *                        source silent  v  +------+ past the level again
 *                                     unknown -> (reads again) open or recovering
 */
#ifndef COLDCHAIN_ALERTS_ALERTS_H
#define COLDCHAIN_ALERTS_ALERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "telemetry/reading.h"

#define ALERT_ID_SIZE      33 /* 32 hex digits and NUL */
#define ALERT_LEVELS_MAX   4
#define ALERT_SNAPSHOT_MAX 1024

#define ALERT_KIND_LIST(X) \
    X(ABOVE, "above") \
    X(BELOW, "below") \
    X(SILENT, "silent")

enum alert_kind {
#define X(name, text) ALERT_##name,
    ALERT_KIND_LIST(X)
#undef X
};

#define ALERT_SEVERITY_LIST(X) \
    X(WARNING, "warning") \
    X(CRITICAL, "critical")

enum alert_severity {
#define X(name, text) ALERT_##name,
    ALERT_SEVERITY_LIST(X)
#undef X
};

#define INCIDENT_STATE_LIST(X) \
    X(OPEN, "open") \
    X(RECOVERING, "recovering") \
    X(UNKNOWN, "unknown") \
    X(CLOSED, "closed")

enum incident_state {
#define X(name, text) INCIDENT_##name,
    INCIDENT_STATE_LIST(X)
#undef X
};

/* Inclusive: `above` fires at value >= level and recovers at value < recovery_level. */
struct alert_level {
    enum alert_severity severity;
    double level;
    int64_t delay_ms;
    double recovery_level; /* equal to level when not configured */
    int64_t recovery_delay_ms;
};

/* One rule for one zone. Ids are unique among all rules. */
struct alert_rule {
    char id[ID_SIZE];
    char zone[ID_SIZE];
    char quantity[ID_SIZE]; /* e.g. "air_temperature"; SILENT: "" watches every channel */
    enum alert_kind kind;
    struct alert_level levels[ALERT_LEVELS_MAX]; /* ABOVE, BELOW: mildest first */
    size_t level_count;
    int64_t silent_ms; /* SILENT: no reading for this long */
    enum alert_severity silent_severity;
};

/* INVALID with a sentence: contradiction, could never fire, levels out of order. */
MUST_CHECK enum err alert_rule_check(const struct alert_rule *rule, struct err_text *why);

struct alert_reading {
    const char *zone;
    const char *device;
    const char *channel;
    const char *quantity;
    int64_t time_ms;    /* event time */
    int64_t arrival_ms; /* when the collector had it */
    double value;
    enum quality quality;
};

struct incident {
    char id[ALERT_ID_SIZE]; /* hash of rule, zone, source and opening event time */
    char rule[ID_SIZE];
    char zone[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];
    char quantity[ID_SIZE];
    enum alert_kind kind;
    enum alert_severity severity; /* the highest it has reached */
    enum incident_state state;
    bool is_acknowledged;
    char acknowledged_by[ID_SIZE]; /* an id, never a name */
    int64_t acknowledged_ms;
    int64_t onset_ms;   /* event time at which the level was first passed */
    int64_t opened_ms;  /* event time at which the delay had passed */
    int64_t learned_ms; /* when the collector knew */
    int64_t changed_ms;
    int64_t closed_ms; /* event time of recovery; 0 while it is not closed */
    double limit;
    double value; /* latest */
    double worst;
    uint32_t revision;                 /* 1 at opening, +1 with every effect */
    char snapshot[ALERT_SNAPSHOT_MAX]; /* the rule in force, as JSON */
};

#define ALERT_EFFECT_LIST(X) \
    X(OPENED, "opened") \
    X(ESCALATED, "escalated") /* severity rose */ \
    X(UPDATED, "updated")     /* state or acknowledgement changed; nobody is called */ \
    X(CLOSED, "closed")

enum alert_effect_kind {
#define X(name, text) ALERT_EFFECT_##name,
    ALERT_EFFECT_LIST(X)
#undef X
};

/* Called during the functions below, in order; the incident is borrowed. */
struct alert_sink {
    void *context;
    void (*effect)(void *context, enum alert_effect_kind kind,
                   const struct incident *incident);
};

struct alerts;

struct alerts *alerts_create(void);
void alerts_destroy(struct alerts *alerts);

/*
 * Replaces the rules. State of rules that did not change is kept; incidents of rules
 * that went stay open until a person closes them. INVALID names the rule; unchanged then.
 */
MUST_CHECK enum err alerts_set_rules(struct alerts *alerts,
                                     const struct alert_rule *rules, size_t count,
                                     int64_t now_ms, struct err_text *why);

void alerts_reading(struct alerts *alerts, const struct alert_reading *reading,
                    const struct alert_sink *sink);
/* Silence. */
void alerts_tick(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink);
/* Nothing becomes silent before then: the grace after a start. */
void alerts_set_grace(struct alerts *alerts, int64_t quiet_until_ms);

/* NOT_FOUND; EXISTS when somebody else was first. */
MUST_CHECK enum err alerts_acknowledge(struct alerts *alerts, const char *incident,
                                       const char *who, int64_t now_ms,
                                       const struct alert_sink *sink);

/* The incident with that id that is not closed, or NULL; borrowed until the next call. */
const struct incident *alerts_incident(const struct alerts *alerts, const char *id);

/*
 * What must survive a restart, entity by entity: `changed` is called for each entity
 * (key, bytes) that changed since the last call; len 0 means that it is gone.
 */
void alerts_save_changed(struct alerts *alerts, void *context,
                         void (*changed)(void *context, const char *key, const void *data,
                                         size_t len));
/* Puts back one entity; rules are set first. CORRUPT changes nothing. */
MUST_CHECK enum err alerts_load(struct alerts *alerts, const char *key, const void *data,
                                size_t len);

const char *alert_kind_name(enum alert_kind kind);
bool alert_kind_parse(enum alert_kind *kind, const char *name);
const char *alert_severity_name(enum alert_severity severity);
bool alert_severity_parse(enum alert_severity *severity, const char *name);
const char *incident_state_name(enum incident_state state);
bool incident_state_parse(enum incident_state *state, const char *name);
const char *alert_effect_name(enum alert_effect_kind kind);

#endif
