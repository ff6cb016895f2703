// SPDX-License-Identifier: Apache-2.0
/*
 * life - how long a load still lasts at a stated temperature: a range, and what limits
 * it.
 *
 * Three processes are told apart, and the worst of them is named: ageing (keeping quality
 * less what was used), chilling (dose against the published time to injury) and water
 * loss (against a published limit). Where nothing is published nothing is stated. Pure.
 */
#ifndef COLDCHAIN_FRESHNESS_LIFE_H
#define COLDCHAIN_FRESHNESS_LIFE_H

#include "freshness/load.h"

enum life_verdict {
    LIFE_STATED,
    LIFE_NOT_PUBLISHED, /* no storage life in any source */
    LIFE_NO_KINETICS,   /* a life, but not for these temperatures */
    LIFE_FROZEN,        /* the goods were below their freezing point */
    LIFE_WOULD_FREEZE,  /* the stated temperature is below it */
    LIFE_NOT_PLAUSIBLE, /* the stated temperature is not one of a cold chain */
};

enum life_process { LIFE_AGEING, LIFE_CHILLING, LIFE_WATER, LIFE_PROCESSES };

/* Days; NaN where an end is not known, infinity where there is none. */
struct life_span {
    double low;
    double mid;
    double high;
};

struct life {
    enum life_verdict verdict;
    double at_c;
    enum life_process limit; /* with LIFE_STATED */
    struct life_span days;   /* of the worst process */
    struct life_span by[LIFE_PROCESSES];
    bool is_extrapolated; /* at_c, or the time behind, is outside the measured range */
    bool is_capped;       /* at_c is above 40 C, where the rate no longer grows */
};

/* humidity_pct is that of the air at at_c; NaN when not stated. */
struct life life_of(const struct load *load, const struct load_model *model, double at_c,
                    double humidity_pct);

/* Fractions of the life used up so far; NaN where no life can be stated. */
struct life_span life_used(const struct load *load, const struct load_model *model);

/*
 * What is left of the life, whatever comes: a share of it, 1 when nothing was used, of
 * the process that has used most; that one is named. NaN where no life can be stated.
 * That goods were frozen it does not tell.
 */
struct life_left {
    enum life_process limit;
    struct life_span share;
};
struct life_left life_left_of(const struct load *load, const struct load_model *model);

/* Percent of the mass lost as water; NaN where the profile has no coefficient. */
double life_water_pct(const struct load *load, const struct load_model *model);

const char *life_verdict_name(enum life_verdict verdict);
/* A sentence for a person. */
const char *life_verdict_text(enum life_verdict verdict);
const char *life_process_name(enum life_process process);

#endif
