// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_air - the air of a store, its goods, its compressor and its probe, step by step.
 *
 * What acts on them is in `struct forces`, so that a healthy twin can be run beside a
 * store in trouble: where the two part is what the trouble did. Pure.
 */
#ifndef COLDCHAIN_BENCH_ALERTS_AIR_H
#define COLDCHAIN_BENCH_ALERTS_AIR_H

#include "bench/alerts_world.h"

/* Goods by their share of a full store; none: 0. */
struct goods {
    double share;
    double C;
};

struct air {
    double C;
    struct goods stock;
    struct goods incoming; /* brought in, and not yet as cold as the stock */
    double probe_C;        /* before noise */
    bool compressor_on;
    int64_t compressor_since_ms;
};

struct forces {
    int64_t time_ms;
    double outside_C;
    double power; /* what is left of the compressor's: 1 when healthy, 0 when dead */
    bool on_duty;
    bool mains_on;
    bool door_open;
    bool defrost_on;
    bool probe_fallen;
    bool probe_stuck;
};

/* At the set point, with that share of goods. */
void air_init(struct air *air, const struct world_params *params, double share);
void air_control(struct air *air, const struct world_params *params,
                 const struct forces *forces);
/* One WORLD_STEP_MS. */
void air_step(struct air *air, const struct world_params *params,
              const struct forces *forces);

void air_bring(struct air *air, double share, double C);      /* as cold as the stock */
void air_bring_warm(struct air *air, double share, double C); /* cools down first */
void air_take_out(struct air *air, double share);
void air_empty(struct air *air);
/* Of the stock; NaN when there is none. */
double air_goods_C(const struct air *air);

#endif
