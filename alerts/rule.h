// SPDX-License-Identifier: Apache-2.0
/*
 * rule - what is wrong in a zone, and how long it must be wrong before a person is told.
 *
 * Plain data, the words for its enumerations, and the check that refuses rules which
 * contradict themselves or could never fire. Pure; any thread.
 */
#ifndef COLDCHAIN_ALERTS_RULE_H
#define COLDCHAIN_ALERTS_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/kind.h"
#include "base/err.h"
#include "telemetry/reading.h"

#define ALERT_LEVELS_MAX   4
#define ALERT_SNAPSHOT_MAX 1280
#define ALERT_DELAY_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

/*
 * Why what a rule sees need not be wrong; the bits of alert_rule.unless are 1 << these.
 * Numbers are saved. First those of the zone.
 */
#define ALERT_ZONE_REASON_LIST(X) \
    X(DEFROST, "defrost") \
    X(DOOR, "door") \
    X(OFF_DUTY, "off_duty") \
    X(PLANNED_STEP, "planned_step") \
    X(MAINTENANCE, "maintenance") \
    X(START, "start") /* a trip or a load has just begun */

/* What no rule names: its readings are too far apart for the shapes it is about. What
 * only the silence of a channel does: nothing of its device is heard. */
#define ALERT_REASON_LIST(X) \
    ALERT_ZONE_REASON_LIST(X) \
    X(SPARSE, "sparse") \
    X(DEVICE_SILENT, "device_silent")

#define ALERT_UNLESS_LIST(X) \
    ALERT_ZONE_REASON_LIST(X) \
    X(DEVICE_SILENT, "device_silent")

enum alert_reason {
#define X(name, text) ALERT_REASON_##name,
    ALERT_REASON_LIST(X)
#undef X
        ALERT_REASON_COUNT
};

#define ALERT_UNLESS_COUNT ((unsigned)ALERT_REASON_COUNT - 1) /* all but SPARSE */

/* A number that an end of the zone's band gives: "band_high", "band_high-0.5". */
enum alert_edge {
    ALERT_EDGE_NONE, /* it is a number of its own */
    ALERT_EDGE_LOW,
    ALERT_EDGE_HIGH,
};

struct alert_from_band {
    enum alert_edge edge;
    double offset;
};

/*
 * Inclusive: `above`, and every kind that fires at or above, does so at value >= level
 * and recovers at value < recovery_level.
 */
struct alert_level {
    enum alert_severity severity;
    double level;
    int64_t delay_ms;
    double recovery_level; /* equal to level when not configured */
    int64_t recovery_delay_ms;
    struct alert_from_band level_from; /* see alert_rule_resolve() */
    struct alert_from_band recovery_from;
};

/* One rule for one zone. Ids are unique among all rules. */
struct alert_rule {
    char id[ID_SIZE];
    char zone[ID_SIZE];
    char quantity[ID_SIZE]; /* "air_temperature"; SILENT: "" is every channel, each for
                               itself; SILENT_DEVICE: always "" */
    enum alert_kind kind;
    struct alert_level levels[ALERT_LEVELS_MAX]; /* mildest first; silence has none */
    size_t level_count;
    double limit; /* what the measure refers to, in the unit of the quantity; looked
                     at by the kinds that need one only */
    struct alert_from_band limit_from;
    int64_t window_ms; /* 0: the kind has none, or everything since the rule began */
    unsigned unless;   /* while one of these reasons holds the rule's clock stands still;
                          what it kept back is told as a suppression */
    bool is_safety;    /* rings off duty, too; may not name OFF_DUTY in `unless` */
    int64_t silent_ms; /* SILENT, SILENT_DEVICE: no good reading for this long; SILENT
                          0: learned from the channel's cadence */
    enum alert_severity silent_severity;
};

/* "band_high", "band_low + 0.5". False: it is none. */
bool alert_from_band_parse(struct alert_from_band *from, const char *text);
#define ALERT_FROM_BAND_SIZE 48
const char *alert_from_band_format(const struct alert_from_band *from,
                                   char text[ALERT_FROM_BAND_SIZE]);
/* One of its numbers is an end of its zone's band. */
bool alert_rule_names_band(const struct alert_rule *rule);
/* Those numbers become what that band says, NaN where it is open. */
void alert_rule_resolve(struct alert_rule *rule, double low, double high);

/* INVALID with a sentence: contradiction, could never fire, levels out of order. */
MUST_CHECK enum err alert_rule_check(const struct alert_rule *rule, struct err_text *why);

const char *alert_reason_name(enum alert_reason reason);
bool alert_reason_parse(enum alert_reason *reason, const char *name);

#endif
