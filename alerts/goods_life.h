// SPDX-License-Identifier: Apache-2.0
/*
 * goods_life - how much of their life the goods of a zone have left, by the estimate of
 * how warm they were since they came in.
 *
 * freshness/load.h and life.h do the arithmetic. Each of the zone's goods ages by the
 * warmest of the estimate and is chilled by the coldest, the middle of it between two
 * readings; a gap too, of which what is beyond LIFE_GAP_MS, like the time from when they
 * came in to the first reading, counts as spent at the zone's own temperature. What comes
 * in counts from then on; what is gone is forgotten. Temperatures in C. Pure.
 */
#ifndef COLDCHAIN_ALERTS_GOODS_LIFE_H
#define COLDCHAIN_ALERTS_GOODS_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "freshness/life.h"
#include "telemetry/reading.h"

#define LIFE_GOODS_MAX 4
#define LIFE_GAP_MS    ((int64_t)24 * 3600 * 1000)

/* One sort of what stands in a zone. */
struct life_goods {
    char name[ID_SIZE];      /* of its profile */
    int64_t from_ms;         /* it came in; 0: with the first reading */
    struct load_model model; /* its `profile` is not looked at */
};

/* All that stands there. */
struct life_stock {
    struct life_goods goods[LIFE_GOODS_MAX];
    size_t count;
    double at_C; /* the zone's own temperature; NaN: not known */
};

/* What one of them has used. */
struct goods_used {
    uint64_t key; /* hash of its name and when it came in */
    struct rates aged_d;
    double chilled_fast;
    double chilled_slow;
    bool is_beyond; /* it was where its life is not published for */
};

/* Zeroes: nothing known. Plain data; only goods_life.c reads it. */
struct life_state {
    int64_t last_ms; /* 0: no reading yet */
    double warmest_C;
    double coldest_C;
    struct goods_used used[LIFE_GOODS_MAX];
    uint8_t count;
    bool has_judged; /* something of known life stood there once */
};

struct goods_life {
    double left_pct; /* of the goods that have least; NaN: of none it is known */
    const struct life_goods *goods; /* those; NULL: none. Of the stock */
    enum life_process limit;
    double at_C;  /* there they still last ... */
    double low_d; /* ... so many days */
    double high_d;
};

/* A time that is not after the last one moves nothing. `stock` NULL: nothing is there. */
void goods_life_step(struct life_state *state, const struct life_stock *stock,
                     int64_t time_ms, double warmest_C, double coldest_C);
/* The clock was ahead and came back: what was counted until then stays. */
void goods_life_rewind(struct life_state *state, int64_t time_ms);
/* Without goods all of it is left (100), if there were any before. */
struct goods_life goods_life_now(const struct life_state *state,
                                 const struct life_stock *stock);

/* A version and the numbers. */
void goods_life_save(struct buf *out, const struct life_state *state);
/* CORRUPT, with the state as it was. */
MUST_CHECK enum err goods_life_load(struct life_state *state, struct buf_reader *in);

#endif
