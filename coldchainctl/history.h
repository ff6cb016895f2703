// SPDX-License-Identifier: Apache-2.0
/*
 * history - what a recorded series means for one kind of produce.
 *
 * Runs every row of a CSV file through the freshness model, and keeps totals and a series
 * of at most HISTORY_POINTS_MAX points, thinned evenly as the file turns out longer. The
 * profile and the text are borrowed. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_HISTORY_H
#define COLDCHAIN_COLDCHAINCTL_HISTORY_H

#include "base/csv.h"
#include "base/err.h"
#include "freshness/coverage.h"
#include "freshness/excursion.h"
#include "freshness/life.h"
#include "freshness/load.h"
#include "freshness/mkt.h"

#define HISTORY_POINTS_MAX     1024
#define HISTORY_EXCURSIONS_MAX 200

struct history_options {
    const char *columns;
    struct load_options load;
    double at_c;     /* remaining life is stated here; NaN: where the life is published */
    double pulp_c;   /* at entry; NaN: unknown */
    double humidity; /* of the air at at_c; NaN: not stated */
    double every_h;  /* distance of the points; 0: even */
    double mkt_hours; /* a window besides the whole; 0: none */
};

struct history_point {
    int64_t time_ms;
    double reading_c;
    struct thermal product;
    double used_mid;
    struct life_span left;
    double chilled_fast;
    int64_t assumed_ms; /* time in gaps so far */
};

struct history {
    struct load_model model;
    struct load load;
    struct life life; /* at at_c, after the last row */
    double at_c;
    struct coverage coverage;
    struct excursions excursions;
    struct excursion worst[HISTORY_EXCURSIONS_MAX]; /* the first ones, in order */
    size_t worst_count;
    struct mkt mkt;
    struct mkt mkt_worst;                /* the warmest window of mkt_hours */
    double coldest_c, warmest_c, mean_c; /* of the readings, the mean by time */
    size_t rows;
    size_t bad_rows; /* could not be read, or not plausible */
    struct err_text first_bad;
    struct history_point *points;
    size_t point_count;
    int64_t every_ms;
};

/* ERR_NOT_FOUND when no row could be used. history_fini() in either case. */
MUST_CHECK enum err history_run(struct history *history, const struct profile *profile,
                                const char *text, size_t len,
                                const struct history_options *options,
                                struct err_text *why);

void history_fini(struct history *history);

#endif
