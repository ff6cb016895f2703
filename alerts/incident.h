// SPDX-License-Identifier: Apache-2.0
/*
 * incident - one thing that is wrong in a zone and needs a person, and what became of it.
 *
 * Plain data, as the engine tells of it and state.db keeps it, with the words for its
 * enumerations. When an incident opens, closes or is unknown: alerts.h. Pure; any thread.
 */
#ifndef COLDCHAIN_ALERTS_INCIDENT_H
#define COLDCHAIN_ALERTS_INCIDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/harm.h"
#include "alerts/rule.h"
#include "telemetry/reading.h"

#define ALERT_ID_SIZE  33 /* 32 hex digits and NUL */
#define ALERT_LIFE_MAX 192

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

/*
 * Of silence, onset is the arrival of the last good reading, opened the tick that proved
 * it, closed the arrival of the next good one; limit, value and worst are seconds.
 */
struct incident {
    char id[ALERT_ID_SIZE]; /* hash of rule, zone, device, channel, and when it passed */
    char rule[ID_SIZE];
    char zone[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];  /* SILENT_DEVICE: "" */
    char quantity[ID_SIZE]; /* SILENT_DEVICE: "" */
    enum alert_kind kind;
    enum alert_severity severity; /* the highest it has reached */
    enum incident_state state;
    bool is_acknowledged;
    char acknowledged_by[ID_SIZE]; /* an id, never a name */
    int64_t acknowledged_ms;
    int64_t onset_ms;     /* event time at which the level was first passed; of what
                             lasts (a door, mains): at which that began */
    int64_t opened_ms;    /* event time of the reading that proved its delay */
    int64_t learned_ms;   /* when the collector knew */
    int64_t changed_ms;   /* when the collector last told of it */
    int64_t back_ms;      /* event time since when it is back; 0 while it is not */
    int64_t closed_ms;    /* event time of the reading that closed it; 0 while open; when
                             a person closed it, that person's time */
    int64_t withdrawn_ms; /* when it turned out that it never was, which is nothing that
                             the engine finds out; 0 */
    double limit;         /* the level reached */
    double value;         /* latest */
    double worst;
    double worst_low; /* PREDICTED: `worst` is between these two, if the value goes on so;
                         both 0: nothing is known of that */
    double worst_high;
    char life[ALERT_LIFE_MAX]; /* LIFE_LEFT: of whose life that is, what limits it, and
                                  how many days it lasts, as JSON; "" */
    struct harm harm; /* of cooling, freezing and power (cause.h), while it is not closed:
                         as of the last effect */
    uint32_t revision;                 /* 1 at opening, +1 with every effect */
    char snapshot[ALERT_SNAPSHOT_MAX]; /* the rule in force at opening, as JSON */
};

#define ALERT_EFFECT_LIST(X) \
    X(OPENED, "opened") \
    X(ESCALATED, "escalated") /* severity rose */ \
    X(UPDATED, "updated")     /* state or acknowledgement changed; nobody is called */ \
    X(REMINDED, "reminded")   /* acknowledged, and forgotten: it needs it again */ \
    X(CLOSED, "closed") \
    X(WITHDRAWN, "withdrawn") /* it never was; not by the engine */

enum alert_effect_kind {
#define X(name, text) ALERT_EFFECT_##name,
    ALERT_EFFECT_LIST(X)
#undef X
};

const char *incident_state_name(enum incident_state state);
bool incident_state_parse(enum incident_state *state, const char *name);
const char *alert_effect_name(enum alert_effect_kind kind);

#endif
