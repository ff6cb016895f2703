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
 * within a window), measure_fit.c (where it leads), measure_state.c (what lasts),
 * measure_zone.c (what the zone says).
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

/* Of state.c, since which gauges have the form that they have. */
#define GAUGES_VERSION 4

/* Numbers into a buffer, or out of one: a gauge names its fields once for both. */
struct archive {
    struct buf *out;       /* NULL: reads */
    struct buf_reader *in; /* NULL: writes */
    unsigned version;      /* of what is read: state.c's */
    float *usual_ms;       /* of the source, which each gauge had for itself until 3 */
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
    int64_t before_ms; /* of the reading before; of a new gauge: this one */
    int64_t stood_ms;  /* for which the reading before stands; of a new gauge: 0 */
    double value;
    bool is_new;      /* the gauge's first */
    bool is_held;     /* one of the rule's reasons holds: nothing of this counts */
    bool is_kept;     /* out: of what is counted something was not, because it is held */
    int64_t begun_ms; /* out: since when it lasts; TIME_NONE: its kind does not say */
    double low;       /* out: what is measured is between these two; both 0: unsaid */
    double high;
    bool is_explained; /* a door or a defrost of that place goes on */
    int64_t ended_ms;  /* the last of them ended; TIME_NONE */
    int64_t empty_ms; /* since when the zone is off duty as empty; TIME_NONE: it is not */
    bool is_asked;    /* in that stretch somebody was asked about goods already */
    bool asks;        /* out: somebody is asked now */
    double step_low;  /* what a planned step allows; infinite: it has no bound there */
    double step_high;
    double band_low; /* what is in order there, of a temperature; NaN: open, or unsaid */
    double band_high;
    double life_pct; /* that the goods have left; NaN: not known, or nobody asked */
    double others;   /* what the zone's other probes say; NaN: none fresh enough */
    const struct air_verdict *air;   /* of this channel; NULL: nobody asked */
    const struct quantity *quantity; /* NULL: not in the registry */
};

/* What lasts, and has been counted for so long, began that long ago. */
static inline void moment_begun(struct moment *moment, int64_t lasted_ms)
{
    moment->begun_ms = moment->time_ms - lasted_ms;
}

/*
 * The time that the reading before stood for, 0 for the first, or when the clock went
 * back. *usual_ms: how far apart the readings of a channel usually are, learned; 0: not
 * known.
 */
int64_t pace_step(float *usual_ms, int64_t before_ms, int64_t time_ms);
/* What a gauge kept until version 3 for that. */
void pace_archive_old(struct archive *archive);

/*
 * All that a source keeps for its rules, one piece of memory: gauges without a head, each
 * at the place that the plan gives it. A gauge is there from its first reading on.
 */
struct gauges {
    float usual_ms;     /* 0: not known yet */
    uint8_t is_there[]; /* a bit for each rule of the plan, then for what they share */
};

/* Numbers, without pointers. Where a rule is handed over, it is NULL for what is shared.
 */
struct gauge_kind {
    const char *name;
    size_t alignment;
    size_t (*size)(const struct rule *rule);
    /* The memory is zeroed; NULL: so it begins. */
    void (*begin)(void *gauge);
    double (*step)(void *gauge, const struct rule *rule, struct moment *moment);
    void (*archive)(struct archive *archive, void *gauge, const struct rule *rule);
};

/* Of a rule whose measure is not the value itself; silence that is declared has none. */
const struct gauge_kind *measure_kind(const struct rule *rule);
bool rule_is_measured(const struct rule *rule);

/* The measure as of the channel's last reading, of a gauge that has seen it; NaN: that
 * says nothing, or is not kept. */
double measure_now(const struct rule *rule, const void *gauge, int64_t last_ms);

/* How far back it looks, where a gauge that has just begun would say that there was
 * nothing; 0: it does not. What it adds up of all the past is never seen again. */
int64_t measure_looks_back(const struct rule *rule);

/* What a window needs to say something. */
enum measure_lack {
    LACKS_NOTHING,
    LACKS_TIME,    /* readings go on: it will, in *left_ms at the soonest */
    LACKS_CADENCE, /* it never will, as far apart as they are */
};
/* `gauge` NULL: there is none yet; `apart_ms` 0: not known. */
enum measure_lack measure_lacks(const struct rule *rule, const void *gauge,
                                int64_t apart_ms, int64_t last_ms, int64_t *left_ms);

/*
 * The clock, by which the last reading was at `from_ms`, was put back to `to_ms`: sums go
 * back with it, what is a line or a span begins anew.
 */
void measure_turn_back(const struct rule *rule, void *gauge, int64_t from_ms,
                       int64_t to_ms);
/* The parts of it. */
void tally_turn_to(void *gauge, const struct rule *rule, int64_t from_ms, int64_t to_ms);
void spread_restart(void *gauge);
void fit_restart(void *gauge);

/* Of a sum without a window: at least what `from` has. */
void total_raise(void *gauge, const void *from);

/* The parts of both for each family. */
typedef double measure_now_fn(const void *gauge, const struct rule *rule,
                              int64_t last_ms);
measure_now_fn tally_now, total_now, count_now, spread_now; /* measure_window.c */
measure_now_fn fit_now;                                     /* measure_fit.c */
measure_now_fn stuck_now, stretch_now, missing_now;         /* measure_state.c */
measure_now_fn recovery_now, left_now;                      /* measure_zone.c */
enum measure_lack fit_lacks(const void *gauge, const struct rule *rule, int64_t apart_ms,
                            int64_t last_ms, int64_t *left_ms);

/* gauges.c: that of the plan's rule with this index, begun if it was not there. */
void *gauge_of_rule(struct alerts *alerts, struct source *source,
                    const struct gauge_kind *kind, size_t index, bool *is_new);
/* NULL when it is not there. */
const void *gauge_find(const struct source *source, size_t index);

extern const struct gauge_kind gauge_tally;    /* cumulative_*, dose_* */
extern const struct gauge_kind gauge_total;    /* these without a window */
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
extern const struct gauge_kind gauge_life_left;

/* The state of which a rule about doors, defrosts, compressors or mains speaks. */
enum measure_sight {
    SIGHT_NONE, /* not to be told from this */
    SIGHT_OFF,
    SIGHT_ON,
};
enum measure_sight measure_sight(const struct rule *rule, const struct moment *moment);

#endif
