// SPDX-License-Identifier: Apache-2.0
/*
 * load - what time, temperature and humidity have done to one load of goods.
 *
 * A reading holds until the next one, at most `hold_ms`; what is beyond is a gap. In a
 * gap the goods still age: between the readings on either side, and the time is counted
 * apart as assumed. Everything is a running sum, so a reading costs the same on day 1 and
 * day 100, and the state is 256 bytes at most. A load_model is constant and shared by all
 * loads of one profile; it borrows the profile. Pure; one thread per load.
 */
#ifndef COLDCHAIN_FRESHNESS_LOAD_H
#define COLDCHAIN_FRESHNESS_LOAD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "freshness/kinetics.h"
#include "freshness/profile.h"
#include "freshness/thermal.h"

/* No cold chain is colder or hotter; such a reading is a fault of the sensor. */
#define LOAD_COLDEST_C -60.0
#define LOAD_HOTTEST_C 80.0

#define LOAD_HOLD_MS (15 * 60 * 1000)

/* NaN or 0: take the profile's. */
struct load_options {
    bool is_air;       /* readings are of the air: simulate the product by thermal.tau */
    double tau_h;      /* instead of the profile's, with is_air; no spread then */
    double life_days;  /* a life of the user's own ... */
    double life_at_c;  /* ... at this temperature */
    int64_t hold_ms;   /* 0: LOAD_HOLD_MS */
    double pulp_error; /* of a pulp probe, C */
};

struct load_model {
    const struct profile *profile;
    bool has_life;     /* life_min .. life_max are known */
    bool has_kinetics; /* else the life holds inside the published band only */
    struct kinetics kinetics;
    double ref_c;      /* of the life */
    double life_min_d; /* less the accuracy factor */
    double life_mid_d; /* middle of the published life */
    double life_max_d; /* plus the accuracy factor */
    double band_min_c;
    double band_max_c;
    double freezing_c;
    enum profile_chilling chilling; /* what the next four mean */
    double
        chilling_low_c; /* threshold: its low end; band: the low end of the danger band */
    double chilling_high_c; /* the high ends of the same */
    double injury_fast; /* C.h (threshold) or h (band) until injury, at the earliest */
    double injury_slow; /* and at the latest; NaN: not published */
    struct thermal_body body;
    double water_coefficient;
    double water_offset_kpa;
    double water_limit_pct;
    int64_t hold_ms;
    double pulp_error;
};

/* What one reading says; NaN for what it does not. */
struct load_reading {
    int64_t time_ms;
    double temperature_c; /* of the air or of the product, as the model was told */
    double humidity_pct;
    double pulp_c;
};

struct load {
    int64_t first_ms;
    int64_t reading_ms; /* of the reading that holds now */
    int64_t last_ms;    /* everything before is accounted for; >= reading_ms */
    double held_c;      /* the reading that holds now */
    double held_pct;
    struct thermal product;
    struct rates aged_d; /* days at ref_c; with kinetics none: days inside the band */
    double chilled_slow; /* C.h or h, see the model; never reset */
    double chilled_fast;
    double deficit_kpa_h; /* vapour deficit at the product, condensation not subtracted */
    int64_t humid_ms;     /* time with a humidity */
    int64_t graded_ms;    /* time under a reading */
    int64_t assumed_ms;   /* time in gaps */
    int64_t
        beyond_ms; /* time outside the temperatures that the kinetics were measured at */
    int64_t frozen_ms;    /* best estimate below the freezing point */
    int64_t frozen_at_ms; /* since when, first; meaningful when frozen_ms > 0 */
    double coldest_c;     /* edges of the band, not the best estimate */
    double warmest_c;
    uint32_t readings;
    uint32_t rejected;     /* not finite, not plausible */
    uint32_t backwards;    /* not after the one before */
    uint32_t contradicted; /* pulp probes outside the band */
};
static_assert(sizeof(struct load) <= 256, "the budget of one load");

/*
 * Never fails for want of data: what is unknown stays NaN and false. ERR_INVALID when the
 * options contradict themselves.
 */
MUST_CHECK enum err load_model_init(struct load_model *model,
                                    const struct profile *profile,
                                    const struct load_options *options,
                                    struct err_text *why);

void load_init(struct load *load);

/* The goods went in with this temperature in the pulp; before the first reading. */
void load_enter(struct load *load, const struct load_model *model, double pulp_c);

/*
 * ERR_INVALID: neither a temperature nor a pulp temperature that can be (a humidity that
 * cannot be counts as none); ERR_CONFLICT: not later than the reading before. Both are
 * counted, and the reading before goes on holding.
 */
enum err load_reading(struct load *load, const struct load_model *model,
                      const struct load_reading *reading);

/*
 * For whoever knows how warm the goods were: so long between those temperatures, in a
 * vapour deficit that is NaN where nobody knows it. Readings and stays do not mix.
 */
void load_stay(struct load *load, const struct load_model *model,
               const struct thermal_means *at, double deficit_kpa, int64_t ms);

/*
 * Lets the held reading reach to `now_ms`, as far as it holds; no gap is opened. A
 * reading that comes later with a time before now_ms takes effect from now_ms on.
 */
void load_hold(struct load *load, const struct load_model *model, int64_t now_ms);

#endif
