// SPDX-License-Identifier: Apache-2.0
/*
 * alert_watch - the rule sets that are compared, each at work on one series.
 *
 * What people are told is decided as in the collector: one cause, one message
 * (alerts/cause.h), when its first incident opens and when it becomes graver. The engine
 * is ticked each minute in which the place is on duty, so that silence is judged, too.
 */
#ifndef COLDCHAIN_BENCH_ALERT_WATCH_H
#define COLDCHAIN_BENCH_ALERT_WATCH_H

#include "alerts/cause.h"
#include "bench/alerts_score.h"

#define RULE_SETS 6

/* What an incident of a watch belongs to. */
struct watch_member {
    char id[ALERT_ID_SIZE];
    size_t cause;
    bool is_open;
    bool was_told;
    int64_t alive_ms;
};

struct watch {
    struct alerts *alerts;
    struct source *source;
    bool sees_signals;
    bool is_off_duty;
    int signals[4]; /* as they were told last; -1: not yet */
    int64_t signals_ms;
    int64_t tick_ms;        /* the next one; 0: none yet */
    int64_t now_ms;         /* the arrival of what is being judged, or the tick */
    struct notice *notices; /* by the time of telling */
    size_t count;
    size_t capacity;
    struct cause *causes;
    size_t cause_count;
    size_t cause_capacity;
    struct watch_member *members;
    size_t member_count;
    size_t member_capacity;
};

const char *rule_set_name(size_t set);
/*
 * Thresholds: the band of the kind's goods, on the air. Ours: the rules of
 * alerts/profiles/KIND.yaml; ends the program when they cannot be read.
 */
void watch_begin(struct watch *watch, size_t set, enum world_kind kind);
/*
 * On duty it is judged; off duty nothing is, nor ticked. When duty begins, a start holds
 * for WATCH_START_MS.
 */
#define WATCH_START_MS (120 * WORLD_MINUTE_MS)
void watch_sample(struct watch *watch, const struct world_sample *sample);
/* A reading of the air, no signals. */
void watch_reading(struct watch *watch, int64_t time_ms, int64_t arrival_ms, double C);
void watch_end(struct watch *watch);

#endif
