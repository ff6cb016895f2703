// SPDX-License-Identifier: Apache-2.0
/*
 * measure - what a rule's levels are compared with, where it is not the value itself.
 *
 * A gauge keeps what one rule needs of one channel: bounded, plain numbers, made at the
 * first reading. A moment goes in, a number in the unit of alert_kind_unit() comes out;
 * NaN says nothing and moves no level: too little was seen to tell.
 *
 * Event time. A gap proves nothing: a reading stands for the time until the next one, but
 * for no longer than twice the channel's usual spacing (struct pace).
 *
 * Only the files of this folder include it. Families: measure_window.c (what happened
 * within a window), measure_state.c (what lasts), measure_zone.c (what the zone says).
 */
#ifndef COLDCHAIN_ALERTS_MEASURE_H
#define COLDCHAIN_ALERTS_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/air.h"
#include "alerts/structs.h"

#define MEASURE_SECOND_MS ((int64_t)1000)
#define MEASURE_MINUTE_MS ((int64_t)60 * 1000)
#define MEASURE_HOUR_MS   ((int64_t)3600 * 1000)

/* The longest that any reading stands for, and the first one's. */
#define PACE_MOST_MS  (2 * MEASURE_HOUR_MS)
#define PACE_FIRST_MS (15 * MEASURE_MINUTE_MS)

/* Minutes, when something is farther away than anyone looks ahead (366 days). */
#define MEASURE_FAR_MIN 527040.0

/* Numbers into a buffer, or out of one: a gauge names its fields once for both. */
struct archive {
    struct buf *out;       /* NULL: reads */
    struct buf_reader *in; /* NULL: writes */
};

void archive_u8(struct archive *archive, uint8_t *value);
void archive_u16(struct archive *archive, uint16_t *value);
void archive_bool(struct archive *archive, bool *value);
void archive_f32(struct archive *archive, float *value);
void archive_f64(struct archive *archive, double *value);
/* A point in time, or TIME_NONE. */
void archive_time(struct archive *archive, int64_t *time_ms);
/* 0 to `most`. */
void archive_span(struct archive *archive, int64_t *span_ms, int64_t most);

/* As a float, which every probe's digits fit into; what none can hold at its bound. */
float measure_narrow(double value);

/* One reading as the measures see it. */
struct moment {
    int64_t time_ms;
    double value;
    bool is_held; /* one of the rule's reasons holds: nothing of this counts */
    bool is_kept; /* out: of what is counted something was not, because it is held */
    double low;   /* out: what is measured is between these two; both 0: unsaid */
    double high;
    bool is_explained; /* a door or a defrost of that place goes on */
    int64_t ended_ms;  /* the last of them ended; TIME_NONE */
    int64_t empty_ms; /* since when the zone is off duty as empty; TIME_NONE: it is not */
    bool is_asked;    /* in that stretch somebody was asked about goods already */
    bool asks;        /* out: somebody is asked now */
    double step_low;  /* what a planned step allows; infinite: it has no bound there */
    double step_high;
    double others; /* what the zone's other probes say; NaN: none fresh enough */
    const struct air_verdict *air;   /* of this channel; NULL: nobody asked */
    const struct quantity *quantity; /* NULL: not in the registry */
};

/* How far apart the readings of a channel usually are, learned. */
struct pace {
    int64_t last_ms; /* TIME_NONE: no reading yet */
    float usual_ms;  /* 0: not known yet */
};

void pace_begin(struct pace *pace);
/*
 * Moves to that reading; returns the time that the last one stood for, 0 for the first,
 * or when the clock went back.
 */
int64_t pace_step(struct pace *pace, int64_t time_ms);
void pace_archive(struct archive *archive, struct pace *pace);

/* The head of every gauge. */
struct gauge {
    struct gauge *next; /* of the source */
    struct rule *rule;  /* in force, borrowed; NULL: what all rules of a channel share */
    const struct gauge_kind *kind;
};

struct gauge_kind {
    const char *name;
    size_t (*size)(const struct rule *rule);
    /* The memory is zeroed; `time_ms` is that of the first reading. */
    void (*begin)(struct gauge *gauge, int64_t time_ms);
    double (*step)(struct gauge *gauge, struct moment *moment); /* NULL: shared */
    void (*archive)(struct archive *archive, struct gauge *gauge);
};

/* Of a rule whose measure is not the value itself; silence that is declared has none. */
const struct gauge_kind *measure_kind(const struct rule *rule);
bool rule_is_measured(const struct rule *rule);

/* gauges.c */
struct gauge *gauge_find(const struct source *source, const struct rule *rule);
struct gauge *gauge_add(struct source *source, struct rule *rule,
                        const struct gauge_kind *kind, int64_t time_ms);

extern const struct gauge_kind gauge_tally;    /* cumulative_*, dose_* */
extern const struct gauge_kind gauge_count;    /* defrost_often, cycling */
extern const struct gauge_kind gauge_fit;      /* rate, predicted */
extern const struct gauge_kind gauge_spread;   /* step */
extern const struct gauge_kind gauge_stuck;    /* stuck */
extern const struct gauge_kind gauge_jump;     /* implausible */
extern const struct gauge_kind gauge_stretch;  /* door_open, defrost_long, mains_lost */
extern const struct gauge_kind gauge_missing;  /* defrost_missing */
extern const struct gauge_kind gauge_recovery; /* no_recovery */
extern const struct gauge_kind gauge_apart;    /* diverge */
extern const struct gauge_kind gauge_cooling;  /* cooling_failed */
extern const struct gauge_kind gauge_left;     /* goods_left */

/* The state of which a rule about doors, defrosts, compressors or mains speaks. */
enum measure_sight {
    SIGHT_NONE, /* not to be told from this */
    SIGHT_OFF,
    SIGHT_ON,
};
enum measure_sight measure_sight(const struct rule *rule, const struct moment *moment);

#endif
