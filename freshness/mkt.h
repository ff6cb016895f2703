// SPDX-License-Identifier: Apache-2.0
/*
 * mkt - mean kinetic temperature: the constant temperature of the same thermal stress.
 *
 *   TK = (dH / R) / -ln( sum w_i exp(-dH / (R T_i)) / sum w_i ),   w_i = time at T_i
 *
 * USP <1160>, dH = 83.144 kJ/mol and R = 8.3144e-3 kJ/(mol K), so that dH/R = 10,000 K;
 * weighted by time (Tong and Lock 2015). It never excuses cold, says nothing about frozen
 * goods, and is off for fruit. The window is the caller's and explicit in every result;
 * time without a temperature is stated, not bridged. Pure; one thread per struct.
 */
#ifndef COLDCHAIN_FRESHNESS_MKT_H
#define COLDCHAIN_FRESHNESS_MKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MKT_USP_KELVIN 10000.0 /* dH / R */

/* A zeroed struct is empty, with the USP constant. */
struct mkt {
    double kelvin;       /* dH / R; 0 for USP */
    double weighted;     /* sum of ms * exp(-kelvin / T) */
    int64_t graded_ms;   /* time with a temperature */
    int64_t ungraded_ms; /* time without */
};

/* `ms` at a constant temperature; NaN counts as time without. ms >= 0. */
void mkt_add(struct mkt *mkt, double celsius, int64_t ms);

/* Adds what the other has seen; both must use the same constant. */
void mkt_merge(struct mkt *mkt, const struct mkt *other);

/* Degrees Celsius; NaN when nothing was graded. */
double mkt_celsius(const struct mkt *mkt);

/*
 * A window that slides in steps: the last `count` buckets of `bucket_ms` each, in memory
 * of the caller. 24 h for controlled cold and 30 d for room temperature (USP <1079.2>).
 */
struct mkt_window {
    struct mkt *buckets; /* `count` of them, zeroed */
    size_t count;
    int64_t bucket_ms;
    int64_t last; /* number of the newest bucket since the epoch */
    bool has_any;
};

/* Time may only go forward: ms at `celsius` from from_ms on. Older time is ignored. */
void mkt_window_add(struct mkt_window *window, int64_t from_ms, double celsius,
                    int64_t ms);

/* The sum of the window that ends with the newest bucket. */
struct mkt mkt_window_sum(const struct mkt_window *window);

#endif
