// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_truth - labels of what is going on, closed when the air has settled again.
 *
 * The envelope is the least and most that an undisturbed probe (before noise) said in the
 * last 24 hours in which no label was open, with a margin. A failure takes the reading
 * out of it when a store without failures would read otherwise at that time: a door that
 * is opened meanwhile is no sign of a dead compressor. Harm is given to one open label:
 * to a failure rather than to routine, then to the one that began last. Pure.
 */
#ifndef COLDCHAIN_BENCH_ALERTS_TRUTH_H
#define COLDCHAIN_BENCH_ALERTS_TRUTH_H

#include "bench/alerts_world.h"

#define TRUTH_OPEN_MAX 32
#define TRUTH_HOURS    24

struct truth_open {
    struct world_label label;
    bool ended;
    int64_t inside_since_ms; /* -1: outside of the envelope */
    int64_t left_since_ms;   /* -1: not outside on its own account */
};

struct truth_hour {
    double least;
    double most;
};

struct truth {
    const struct world_params *params;
    const struct world_sink *sink;
    struct world_totals *totals;
    struct truth_open open[TRUTH_OPEN_MAX];
    size_t open_count;
    size_t failures_open;
    uint32_t next_id;
    struct truth_hour hours[TRUTH_HOURS]; /* a ring */
    size_t hour_count;
    struct truth_hour filling;
    uint32_t filling_steps;
    bool goods_outside;
};

void truth_init(struct truth *truth, const struct world_params *params,
                const struct world_sink *sink, struct world_totals *totals);
void truth_begin(struct truth *truth, enum world_event event, int64_t time_ms);
/* The oldest label of that kind that has not ended. */
void truth_end(struct truth *truth, enum world_event event, int64_t time_ms);

/* Of the end of a step. */
struct truth_facts {
    int64_t time_ms;
    double probe_C; /* without noise */
    double twin_C;  /* the same in a store without failures */
    double goods_C; /* NaN: none */
    bool on_duty;
};

void truth_step(struct truth *truth, const struct truth_facts *facts);
/* Whether a label of a failure is open. */
bool truth_in_trouble(const struct truth *truth);
/* Closes what is open, as it is. */
void truth_finish(struct truth *truth, int64_t time_ms);

#endif
