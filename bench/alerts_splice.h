// SPDX-License-Identifier: Apache-2.0
/*
 * alerts_splice - failures put into recorded series.
 *
 * From a seeded moment on, the air goes to `end_C` as a dead compressor lets it: the
 * recorded value at that moment plus (end - value) (1 - exp(-t / tau)), with what the
 * record does beside its own value of that moment left out; readings keep the record's
 * resolution. The moments lie in calm time, but for those that are wanted inside of
 * defrosts; half of them have the first time constant. Pure.
 */
#ifndef COLDCHAIN_BENCH_ALERTS_SPLICE_H
#define COLDCHAIN_BENCH_ALERTS_SPLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SPLICE_COUNT       50
#define SPLICE_IN_DEFROSTS 5
#define SPLICE_END_C       20.0

struct record_point {
    int64_t time_ms;
    double value_C;
};

struct splice {
    size_t first; /* index of the first reading that is changed */
    double tau_h; /* 4 or 10 */
    bool in_defrost;
};

/*
 * Chooses the moments: at least `before` readings are left before each and `after`
 * behind. A defrost is a stretch above `defrost_C` of 15 readings or more. INVALID when
 * the record is too short, is not in the order of time, or has no defrost.
 */
MUST_CHECK enum err splice_choose(struct splice splices[SPLICE_COUNT],
                                  const struct record_point *points, size_t count,
                                  double defrost_C, size_t before, size_t after,
                                  uint64_t seed, struct err_text *why);
/* The value of the series with that splice. */
double splice_value(const struct splice *splice, const struct record_point *points,
                    size_t index);

#endif
