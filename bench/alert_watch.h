// SPDX-License-Identifier: Apache-2.0
/*
 * alert_watch - the rule sets that are compared, each at work on one series.
 *
 * A person is told when an incident opens and when it becomes more severe.
 */
#ifndef COLDCHAIN_BENCH_ALERT_WATCH_H
#define COLDCHAIN_BENCH_ALERT_WATCH_H

#include "alerts/alerts.h"
#include "bench/alerts_score.h"

#define RULE_SETS 4

struct watch {
    struct alerts *alerts;
    struct source *source;
    struct notice *notices; /* by the time of telling */
    size_t count;
    size_t capacity;
};

const char *rule_set_name(size_t set);
/* The band of the goods, on the air. */
void watch_begin(struct watch *watch, size_t set, double low_C, double high_C);
void watch_reading(struct watch *watch, int64_t time_ms, int64_t arrival_ms, double C);
void watch_end(struct watch *watch);

#endif
