// SPDX-License-Identifier: Apache-2.0
/*
 * zones - what an engine is told of a zone: what it is like, what stands in it, and what
 * is planned there.
 *
 * The rest of alerts.h: pure, and owned by the thread of the engine.
 */
#ifndef COLDCHAIN_ALERTS_ZONES_H
#define COLDCHAIN_ALERTS_ZONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/air.h"
#include "alerts/goods_life.h"
#include "alerts/rule.h"
#include "freshness/thermal.h"

struct alerts;

/*
 * The quantity of what is recorded as standing in a zone: 1, goods; 0, none. Who keeps
 * the record gives it as readings of a channel of that name and of no device (""), which
 * does not fall silent.
 */
#define ALERT_GOODS "goods"

/* Goods that came in at another temperature than the zone's. */
#define ALERT_LOADS_MAX 4
struct alert_load {
    int64_t from_ms; /* event time */
    double entry_C;
};

/* What is known of a zone as a place. All 0: nothing. */
struct alert_room {
    struct thermal_body body;                 /* of its goods: freshness/thermal.h */
    struct air_settings air;                  /* its defrost schedule: alerts/air.h */
    struct alert_load loads[ALERT_LOADS_MAX]; /* what came in last */
    size_t load_count;
    bool has_band;     /* what its goods bear, or what was declared */
    double band_low_C; /* NaN: open */
    double band_high_C;
};

/* Saved. Forgets nothing of what was estimated so far. */
void alerts_set_room(struct alerts *alerts, const char *zone,
                     const struct alert_room *settings);
/* Nothing is said of it, or no longer. Saved, when that is news. */
void alerts_clear_room(struct alerts *alerts, const char *zone);
/*
 * What stands there, for rules of life_left. Not saved: to be said again after a state
 * was loaded, before anything is judged.
 */
void alerts_set_goods(struct alerts *alerts, const char *zone,
                      const struct life_stock *stock);
/*
 * The reason holds in that zone from..to, event time; TIME_NEVER (INT64_MAX): until the
 * same `reason` and `from` are declared with an end. Saved. OFF_DUTY holds back every
 * rule that is not about safety; the others those that name them.
 */
void alerts_declare(struct alerts *alerts, const char *zone, enum alert_reason reason,
                    int64_t from_ms, int64_t to_ms);
/* OFF_DUTY; `is_empty`: nothing is said to be in it, which rules of goods_left doubt. */
void alerts_declare_off_duty(struct alerts *alerts, const char *zone, int64_t from_ms,
                             int64_t to_ms, bool is_empty);
/*
 * PLANNED_STEP with a band of its own; NaN: open on that side. Rules above and below, and
 * those that count time or doses beyond a limit, of a temperature of the air or the goods
 * are held back by it only while the value is within the band on their side; and what is
 * open above or below is back there.
 */
void alerts_declare_step(struct alerts *alerts, const char *zone, int64_t from_ms,
                         int64_t to_ms, double low, double high);

#endif
