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
#define ALERT_SNAPSHOT_MAX 1024
#define ALERT_DELAY_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

/*
 * Of silence there are two kinds: of each channel, and of a device as a whole. The others
 * are no rules: the collector raises them when the data itself is in trouble.
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
    X(POISON, "poison")                 /* a record that crashed whoever took it */

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
    char quantity[ID_SIZE]; /* "air_temperature"; SILENT: "" is every channel, each for
                               itself; SILENT_DEVICE: always "" */
    enum alert_kind kind;
    struct alert_level levels[ALERT_LEVELS_MAX]; /* ABOVE, BELOW: mildest first */
    size_t level_count;
    int64_t silent_ms; /* SILENT, SILENT_DEVICE: no good reading for this long */
    enum alert_severity silent_severity;
};

/* INVALID with a sentence: contradiction, could never fire, levels out of order. */
MUST_CHECK enum err alert_rule_check(const struct alert_rule *rule, struct err_text *why);

const char *alert_kind_name(enum alert_kind kind);
bool alert_kind_parse(enum alert_kind *kind, const char *name);
/* One of the kinds that are judged by silence. */
bool alert_kind_is_silence(enum alert_kind kind);
/* One of the kinds that no rule has. */
bool alert_kind_is_trouble(enum alert_kind kind);
/* Of trouble: what rules have, they say themselves. */
enum alert_severity alert_kind_severity(enum alert_kind kind);
const char *alert_severity_name(enum alert_severity severity);
bool alert_severity_parse(enum alert_severity *severity, const char *name);

#endif
