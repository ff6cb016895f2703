// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_plan - what will happen in a world, drawn ahead of it by seed.
 *
 * Failures stand in slots of SLOT_DAYS that nothing else fails in, so each is measured
 * alone. Pure.
 */
#ifndef COLDCHAIN_BENCH_ALERTS_PLAN_H
#define COLDCHAIN_BENCH_ALERTS_PLAN_H

#include "bench/alerts_world.h"

struct planned {
    enum world_event event;
    int64_t from_ms;
    int64_t to_ms;
    double amount;  /* share of a full store brought in, or taken out below 0 */
    double goods_C; /* of what is brought in */
};

struct plan {
    struct planned *events; /* by onset */
    size_t count;
    size_t capacity;
};

void plan_make(struct plan *plan, const struct world_options *options);
void plan_fini(struct plan *plan);

/* Outside air at a time. */
double plan_outside_C(const struct world_params *params, uint64_t seed, int64_t time_ms);

#endif
