// SPDX-License-Identifier: Apache-2.0
/*
 * zone_rules - what a device is told of the zones it measures: the topic `config`
 * (docs/wire.md).
 *
 * Bands, levels and delays as the collector's rules have them, so that the device knows
 * by itself what is urgent. It can say nothing else: no program, path, address, key or
 * sensor can ever be set from afar. The same rules always give the same bytes and the
 * same version.
 *
 * A later collector may say more. A member that is not known here is passed over and
 * noted, unless its object lists it in `must`: then a rule is left out, with a note, and
 * anything else is refused whole. Pure; any thread.
 */
#ifndef COLDCHAIN_TELEMETRY_ZONE_RULES_H
#define COLDCHAIN_TELEMETRY_ZONE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "telemetry/reading.h"

#define ZONE_RULES_V 1
/* What an agent says it reads: 1, refuses what it does not know; 2, as described above.
 */
#define ZONE_RULES_FORM          2
#define ZONE_RULES_BYTES_MAX     65536
#define ZONE_RULES_ZONES_MAX     64
#define ZONE_RULES_RULES_MAX     64  /* in one zone */
#define ZONE_RULES_CHANNELS_MAX  256 /* in one zone */
#define ZONE_RULES_LEVELS_MAX    4
#define ZONE_RULES_REASONS_MAX   8
#define ZONE_RULES_SPANS_MAX     64 /* in one zone */
#define ZONE_RULES_LOADS_MAX     4  /* in one zone */
#define ZONE_RULES_HANDLED_MAX   32 /* in one zone */
#define ZONE_RULES_WORD_SIZE     24
#define ZONE_RULES_INCIDENT_SIZE 33 /* 32 hex digits and NUL */
#define ZONE_NOTES_MAX           8
#define ZONE_NOTE_SIZE           48

/* What was said and is not known here. */
struct zone_notes {
    uint64_t passed_over;                         /* how often */
    uint64_t left_out;                            /* rules */
    char unknown[ZONE_NOTES_MAX][ZONE_NOTE_SIZE]; /* "zone.fridge", "kind.magic" */
    size_t unknown_count;
};

/* Counts it, and names it once while there is room; what is no plain letter is a '?'. */
void zone_notes_add(struct zone_notes *notes, const char *what, const char *name);
/* The same, of a text that was made so. Accepts NULL. */
void zone_notes_take(struct zone_notes *notes, const char *text);
/* The names, with a ',' between them, and NUL-terminated; "" when there is none. */
void zone_notes_format(const struct zone_notes *notes, struct buf *out);
/* Adds those of `more`. */
void zone_notes_join(struct zone_notes *notes, const struct zone_notes *more);

struct zone_level {
    char severity[ZONE_RULES_WORD_SIZE];
    double level;
    int64_t delay_ms;
    double recovery_level;
    int64_t recovery_delay_ms;
};

struct zone_rule {
    char id[ID_SIZE];
    char kind[ZONE_RULES_WORD_SIZE]; /* "above"; one that is not known here is no harm */
    char quantity[ID_SIZE];          /* "": all */
    struct zone_level levels[ZONE_RULES_LEVELS_MAX]; /* mildest first */
    size_t level_count;
    int64_t silent_ms;                          /* 0: not of that kind, or learned */
    char silent_severity[ZONE_RULES_WORD_SIZE]; /* "": the mildest */
    double limit;      /* the kind's own reference value; NaN: none */
    int64_t window_ms; /* 0: none */
    /* What keeps it back: "defrost"; one that is not known here is no harm. */
    char unless[ZONE_RULES_REASONS_MAX][ZONE_RULES_WORD_SIZE];
    size_t unless_count;
    bool is_safety; /* judged off duty, too */
};

/* A stretch of time for which something else was planned in a zone. */
struct zone_span {
    char reason[ZONE_RULES_WORD_SIZE]; /* "planned_step", "maintenance" */
    int64_t from_ms;                   /* since the Unix epoch */
    int64_t to_ms;                     /* exclusive */
    double low; /* the band meanwhile, of a planned step; NaN: open */
    double high;
};

/* Goods that came in at another temperature than the zone's. */
struct zone_load {
    int64_t from_ms; /* since the Unix epoch */
    double entry_C;
};

/* What somebody did to an incident, where people see it. */
struct zone_handled {
    char incident[ZONE_RULES_INCIDENT_SIZE];
    char rule[ID_SIZE];
    char channel[ID_SIZE];
    int64_t at_ms;          /* when it was done */
    int64_t quiet_until_ms; /* acknowledged, until it comes back; 0: closed */
};

/* One zone that the device measures. */
struct zone_config {
    char zone[ID_SIZE];
    bool is_on_duty;           /* where it is not, only safety rules are judged */
    char (*channels)[ID_SIZE]; /* owned; none: all that no other zone names */
    size_t channel_count;
    double low; /* air temperature that is in order, inclusive; NaN: open */
    double high;
    struct zone_rule *rules; /* owned */
    size_t rule_count;
    int64_t tau_ms;       /* how fast its goods follow the air; 0: not said */
    int64_t tau_least_ms; /* the band around that; 0: not said */
    int64_t tau_most_ms;
    int64_t defrost_every_ms; /* its schedule; 0: none */
    int64_t defrost_first_ms; /* any one of its beginnings, since the Unix epoch */
    int64_t defrost_most_ms;  /* how long one takes; 0: not said */
    int64_t door_most_ms;     /* how long a door without a signal may be open; 0 */
    int64_t recovery_most_ms; /* until the air is back after either; 0: not said */
    struct zone_span *spans;  /* owned; in order of their beginning */
    size_t span_count;
    struct zone_load loads[ZONE_RULES_LOADS_MAX];
    size_t load_count;
    struct zone_handled *handled; /* owned */
    size_t handled_count;
};

struct zone_rules {
    uint64_t version; /* of the contents; 0: none */
    struct zone_config *zones;
    size_t zone_count;
    struct zone_notes notes; /* of what was read */
};

/* Zeroed afterwards; accepts a zeroed one. */
void zone_rules_fini(struct zone_rules *rules);
/* An empty zone, on duty and without a band; borrowed until the next is added. */
struct zone_config *zone_rules_add_zone(struct zone_rules *rules, const char *zone);
void zone_config_add_channel(struct zone_config *zone, const char *channel);
/* Borrowed until the next is added. */
struct zone_rule *zone_config_add_rule(struct zone_config *zone);
struct zone_span *zone_config_add_span(struct zone_config *zone);
struct zone_handled *zone_config_add_handled(struct zone_config *zone);

/*
 * Takes out what an agent of form 1 may not know, which would refuse all the rest, too.
 * What it will judge otherwise for that is added to the notes.
 */
void zone_rules_withhold(struct zone_rules *rules, struct zone_notes *notes);

/*
 * Gives it the version of what it says. LIMIT when it says more than a message may, in
 * which case it is not to be sent.
 */
MUST_CHECK enum err zone_rules_seal(struct zone_rules *rules, struct err_text *why);
/* Appends the message; it is sealed, or was parsed. */
void zone_rules_format(const struct zone_rules *rules, struct buf *out);
/*
 * INVALID, LIMIT or UNSUPPORTED with a sentence, and *rules zeroed. The caller runs
 * zone_rules_fini() after a success.
 */
MUST_CHECK enum err zone_rules_parse(struct zone_rules *rules, const void *data,
                                     size_t len, struct err_text *why);

/* The zone that the channel measures: one that names it wins. NULL: none. Borrowed. */
const struct zone_config *zone_rules_zone(const struct zone_rules *rules,
                                          const char *channel);
/*
 * What is in order for a quantity there: within the zone's band, and where no rule would
 * fire, delay or not. False when nothing is said of it; infinite where it is open.
 */
bool zone_config_band(const struct zone_config *zone, const char *quantity, double *low,
                      double *high);

#endif
