// SPDX-License-Identifier: Apache-2.0
/*
 * excursion - intervals outside a band: how long, how far, and how many degree-minutes.
 *
 * Fed with consecutive pieces of constant value; the band is inclusive, an absent limit
 * is NaN. An excursion ends when the value returns, changes side, or is no longer known;
 * then it says that a gap took it. Degree-minutes are the integral of the distance to the
 * limit that was crossed, per side, kept also over all pieces. Pure; one thread per
 * struct.
 */
#ifndef COLDCHAIN_FRESHNESS_EXCURSION_H
#define COLDCHAIN_FRESHNESS_EXCURSION_H

#include <stdbool.h>
#include <stdint.h>

enum excursion_side { EXCURSION_BELOW, EXCURSION_ABOVE };

struct excursion {
    enum excursion_side side;
    int64_t from_ms;
    int64_t to_ms;
    double peak; /* the value farthest out */
    int64_t peak_ms;
    double degree_minutes;
    bool begins_in_gap; /* nothing is known of the time before */
    bool ends_in_gap;   /* nor after */
};

struct excursions {
    double low;
    double high;
    bool is_open;
    bool was_graded; /* the piece before was, and ended at last_ms */
    int64_t last_ms;
    struct excursion current;
    /* over everything so far, the open one included */
    uint32_t count[2];
    int64_t ms[2];
    int64_t longest_ms[2];
    double degree_minutes[2];
};

void excursions_init(struct excursions *excursions, double low, double high);

/*
 * [from_ms, to_ms) at `value`, NaN when not known; pieces follow each other, and a hole
 * between them counts as not known. True when an excursion ended; it is then in *ended.
 */
bool excursions_step(struct excursions *excursions, int64_t from_ms, int64_t to_ms,
                     double value, struct excursion *ended);

/* Ends the open one, if any: nothing is known from here on. */
bool excursions_finish(struct excursions *excursions, struct excursion *ended);

const char *excursion_side_name(enum excursion_side side);

#endif
