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

#include "base/err.h"
#include "telemetry/reading.h"

#define ALERT_LEVELS_MAX   4
#define ALERT_SNAPSHOT_MAX 1280
#define ALERT_DELAY_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

/*
 * Of silence there are two kinds: of each channel, and of a device as a whole. Trouble
 * (fork to alarm_path, clock_wrong) is no rule: the collector raises it when the data
 * itself is wrong. Numbers are saved; new kinds are added at the end.
 *
 * Every rule's levels speak of a measure in the unit that alert_kind_unit() names; the
 * kinds differ in what that measure is:
 *   above, below     the value itself
 *   cumulative_*     minutes at or beyond `limit` within `window` (0: since the rule
 *                    began); only time that was measured counts
 *   dose_*           K min beyond `limit` within `window`
 *   rate             rise per hour over `window`
 *   predicted        minutes until the value, going on as over `window`, is at `limit`;
 *                    fires at or below
 *   step             greatest change, up or down, within `window`
 *   stuck            minutes for which the value has not moved at all
 *   diverge          distance to the other probes of that quantity in the zone
 *   implausible      how far the value is from what the quantity can be, or beyond what
 *                    it can move in that time
 *   cooling_failed   minutes for which the air has been outside the envelope of its
 *                    earlier cycles, and no door or defrost explains it
 *   door_open        minutes for which a door has been open
 *   defrost_long     minutes of this defrost
 *   defrost_often    number of defrosts begun within `window`
 *   defrost_missing  minutes since the last one ended, less `window`, its schedule
 *   no_recovery      minutes since door or defrost ended, the value still beyond `limit`
 *   cycling          compressor starts per hour within `window`
 *   mains_lost       minutes without mains
 *   goods_left       minutes of signs of goods while the zone is off duty as empty: a
 *                    signal that is on, a temperature at or below `limit`, another value
 *                    at or above it; asks once in such a stretch
 *   life_left        percent of their life that the zone's goods have left, of those
 *                    that have least; fires at or below
 *   calibration_due, date_due: days until due; fire at or below; judged by dates
 */
#define ALERT_KIND_LIST(X) \
    X(ABOVE, "above") \
    X(BELOW, "below") \
    X(SILENT, "silent") \
    X(SILENT_DEVICE, "silent_device") \
    X(FORK, "fork")             /* one pack's name, two bodies: a cloned device */ \
    X(TWINS, "twins")           /* two devices take turns under one name */ \
    X(REGRESSED, "regressed")   /* a device knows less than it gave */ \
    X(LOST_PACKS, "lost_packs") /* readings that will never come */ \
    X(JOURNAL_DAMAGE, "journal_damage") /* of the collector's own */ \
    X(POISON, "poison")                 /* a record that crashed whoever took it */ \
    X(ALARM_PATH, "alarm_path")         /* a channel that people are told over fails */ \
    X(CUMULATIVE_ABOVE, "cumulative_above") \
    X(CUMULATIVE_BELOW, "cumulative_below") \
    X(DOSE_ABOVE, "dose_above") \
    X(DOSE_BELOW, "dose_below") \
    X(RATE, "rate") \
    X(PREDICTED, "predicted") \
    X(STEP, "step") \
    X(STUCK, "stuck") \
    X(DIVERGE, "diverge") \
    X(IMPLAUSIBLE, "implausible") \
    X(COOLING_FAILED, "cooling_failed") \
    X(DOOR_OPEN, "door_open") \
    X(DEFROST_LONG, "defrost_long") \
    X(DEFROST_OFTEN, "defrost_often") \
    X(DEFROST_MISSING, "defrost_missing") \
    X(NO_RECOVERY, "no_recovery") \
    X(CYCLING, "cycling") \
    X(MAINS_LOST, "mains_lost") \
    X(CALIBRATION_DUE, "calibration_due") \
    X(DATE_DUE, "date_due") \
    X(GOODS_LEFT, "goods_left") \
    X(CLOCK_WRONG, "clock_wrong") /* a device's; trouble, as fork to alarm_path */ \
    X(LIFE_LEFT, "life_left")

enum alert_kind {
#define X(name, text) ALERT_##name,
    ALERT_KIND_LIST(X)
#undef X
        ALERT_KIND_COUNT
};

/* Why what a rule sees need not be wrong; the bits of alert_rule.unless are 1 << these.
 */
#define ALERT_UNLESS_LIST(X) \
    X(DEFROST, "defrost") \
    X(DOOR, "door") \
    X(OFF_DUTY, "off_duty") \
    X(PLANNED_STEP, "planned_step") \
    X(MAINTENANCE, "maintenance") \
    X(START, "start") /* a trip or a load has just begun */

/* And what no rule names: its readings are too far apart for the shapes it is about. */
#define ALERT_REASON_LIST(X) \
    ALERT_UNLESS_LIST(X) \
    X(SPARSE, "sparse")

enum alert_reason {
#define X(name, text) ALERT_REASON_##name,
    ALERT_REASON_LIST(X)
#undef X
        ALERT_REASON_COUNT
};

#define ALERT_UNLESS_COUNT ((unsigned)ALERT_REASON_SPARSE)

#define ALERT_SEVERITY_LIST(X) \
    X(WARNING, "warning") \
    X(CRITICAL, "critical")

enum alert_severity {
#define X(name, text) ALERT_##name,
    ALERT_SEVERITY_LIST(X)
#undef X
};

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

const char *alert_kind_name(enum alert_kind kind);
bool alert_kind_parse(enum alert_kind *kind, const char *name);
/* One of the kinds that are judged by silence. */
bool alert_kind_is_silence(enum alert_kind kind);
/* One of the kinds that no rule has. */
bool alert_kind_is_trouble(enum alert_kind kind);
/* Its levels fire at or above, not at or below. */
bool alert_kind_is_above(enum alert_kind kind);
/* Its measure refers to a `limit`. */
bool alert_kind_has_limit(enum alert_kind kind);
bool alert_kind_has_window(enum alert_kind kind);
/* Its measure is the value itself, or differs from it by none but its unit's zero. */
bool alert_kind_is_value(enum alert_kind kind);
/* What was, added up: it stays when all is well again. */
bool alert_kind_is_sum(enum alert_kind kind);
/* It knows doors, defrosts and failures of the cooling by the air's shapes. */
bool alert_kind_is_of_shapes(enum alert_kind kind);
/*
 * Such a rule, one that heeds doors or defrosts (`unless`: as of struct alert_rule), or
 * one of mains: how long the goods bear it is what people ask next.
 */
bool alert_kind_asks_goods(enum alert_kind kind, unsigned unless);
/* These, and one that leads to an end of the zone's band: what that is matters to it. */
bool alert_kind_asks_band(enum alert_kind kind, unsigned unless);
/* Judged by dates, which the collector knows, and not by readings. */
bool alert_kind_is_date(enum alert_kind kind);
/* The engine can judge it; what it cannot alert_rule_check() refuses. */
bool alert_kind_is_available(enum alert_kind kind);
/*
 * The unit of the measure, for people: "min", "d", "1", "1/h"; for the kinds whose
 * measure is one of the quantity's own, "" (its unit), "/h" or " min" (behind its unit).
 * A name behind a unit goes behind "K" where the unit is a temperature.
 */
const char *alert_kind_unit(enum alert_kind kind);
/* Of trouble: what rules have, they say themselves. */
enum alert_severity alert_kind_severity(enum alert_kind kind);
const char *alert_reason_name(enum alert_reason reason);
bool alert_reason_parse(enum alert_reason *reason, const char *name);
const char *alert_severity_name(enum alert_severity severity);
bool alert_severity_parse(enum alert_severity *severity, const char *name);

#endif
