// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_score - notifications beside the truth: false, missed, late, in time.
 *
 * How each is counted is in docs/alert-quality.md. A score adds up over worlds. Pure.
 */
#ifndef COLDCHAIN_BENCH_ALERTS_SCORE_H
#define COLDCHAIN_BENCH_ALERTS_SCORE_H

#include "bench/alerts_world.h"

struct notice {
    int64_t event_ms; /* of the reading that proved it */
    int64_t told_ms;  /* when a person could be told: that reading's arrival */
    bool is_silence;  /* it says that nothing came: counted apart */
};

/* Within it a failure is to be told; of one that shows for less nobody must be. */
#define SCORE_WITHIN_MS ((int64_t)15 * 60 * 1000)

/* Harm is to be told that long before, where physics leaves it. */
#define SCORE_BEFORE_HARM_MS ((int64_t)30 * 60 * 1000)

/* Minutes, one for each label that has them. */
struct minutes {
    double *values;
    size_t count;
    size_t capacity;
};

struct score {
    double months;    /* on duty, of 30 days */
    uint64_t notices; /* but silences */
    uint64_t false_notices;
    uint64_t to_tell; /* labels of which a person should be told */
    uint64_t missed;  /* of these, those that show and were not told */
    uint64_t brief;   /* of the missed: those that showed for less than 15 min on end */
    uint64_t not_visible; /* of these, those that the air never shows */
    uint64_t dead;        /* visible dead compressors */
    uint64_t harms;
    uint64_t harms_told_before;
    /* On the spot, where the reading is judged as it is taken: by its time. */
    uint64_t dead_late_there; /* later than 15 min, or never */
    uint64_t harms_told_before_there;
    /* Of the harms that came SCORE_BEFORE_HARM_MS after the air showed it, or later. */
    uint64_t harms_with_time;
    uint64_t harms_short; /* those that were told with less than that left, or never */
    uint64_t harms_short_there;
    uint64_t silences;
    uint64_t silences_false;            /* nothing was late then */
    struct minutes dead_after_envelope; /* told dead compressors */
    struct minutes dead_there;
    struct minutes before_harm; /* negative: after it */
};

/* `labels` of one world in any order, `notices` by the time of telling. */
void score_add(struct score *score, const struct world_label *labels, size_t label_count,
               const struct notice *notices, size_t notice_count,
               const struct world_totals *totals);
void score_fini(struct score *score);
/* The value that `share` (0 to 1) do not exceed; NaN of none. Sorts them. */
double minutes_quantile(struct minutes *minutes, double share);

#endif
