// SPDX-License-Identifier: Apache-2.0
/*
 * kind - what rules and incidents are about: the kinds, what each measures, how grave it
 * is.
 *
 * The list, its words, and the traits of each kind out of one table. Pure; any thread.
 */
#ifndef COLDCHAIN_ALERTS_KIND_H
#define COLDCHAIN_ALERTS_KIND_H

#include <stdbool.h>

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

#define ALERT_SEVERITY_LIST(X) \
    X(WARNING, "warning") \
    X(CRITICAL, "critical")

enum alert_severity {
#define X(name, text) ALERT_##name,
    ALERT_SEVERITY_LIST(X)
#undef X
};

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
const char *alert_severity_name(enum alert_severity severity);
bool alert_severity_parse(enum alert_severity *severity, const char *name);

#endif
