// SPDX-License-Identifier: Apache-2.0
/*
 * product - how warm the goods are, from the air around them and a probe among them.
 *
 * freshness/thermal.h does the arithmetic: a first-order lag, exact for air that keeps
 * each reading's value until the next one, whatever their spacing; a band, for goods that
 * came in at an unknown temperature and for a tau that is known within bounds. Across a
 * gap of more than PRODUCT_GAP_MS the air was anywhere between the readings at its ends:
 * the band widens, the middle stays.
 *
 * A pulp probe corrects the estimate, and from then on teaches tau: whatever moves the
 * air (doors, defrosts) moves the pulp by (air - pulp) / tau, and least squares over such
 * stretches, older ones fading, gives 1 / tau with its error. The band of tau is then two
 * standard errors and a tenth wide. Air alone does not tell tau: how fast it calms down
 * after a door says how much the cooling can do. Temperatures in C, times in ms. Pure.
 *
 * Loads that came in warmer or colder than what stood there begin at their own
 * temperature and follow the same air with the same tau, until they have joined it (0.1
 * K). A probe that agrees with one of them within its error, better than with what stood
 * there, stands in that one and corrects it alone.
 */
#ifndef COLDCHAIN_ALERTS_PRODUCT_H
#define COLDCHAIN_ALERTS_PRODUCT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "freshness/thermal.h"

#define PRODUCT_GAP_MS ((int64_t)3600 * 1000)
/* A probe that was silent this long corrects nothing, and is not compared. */
#define PRODUCT_PULP_MS ((int64_t)2 * 3600 * 1000)

#define PRODUCT_LOADS_MAX 4

struct product_entry {
    int64_t from_ms;
    double entry_C;
};

struct product_settings {
    struct thermal_body body;
    double entry_low_C; /* goods come in within these; NaN: as the air is */
    double entry_C;
    double entry_high_C;
    double pulp_error_K; /* of a probe; 0: 0.5 */
    struct product_entry loads[PRODUCT_LOADS_MAX];
    size_t load_count;
};

/* One of the settings' loads, on its way. */
struct product_load {
    struct product_entry entry;
    int64_t at_ms; /* when it was so warm */
    double C;
    bool is_joined; /* it is as warm as the rest: kept so that it does not begin anew */
};

/* Zeroes: nothing known. Plain data; only product.c reads it. */
struct product_state {
    int64_t last_ms; /* of the air; 0: none yet */
    double air_C;
    struct thermal core;
    int64_t pulp_ms; /* of the probe; 0: none yet */
    /* the stretch that is being filled: from that pulp on, what the air was beyond it */
    double pulp_C;
    double pulled_K_h;
    int64_t stretch_ms; /* 0: none */
    double stretch_C;
    /* sums of least squares over closed stretches */
    double sum_xx;
    double sum_xy;
    double sum_yy;
    double weight;
    struct product_load loads[PRODUCT_LOADS_MAX];
    size_t load_count;
};

struct product {
    struct thermal C; /* NaN: no air yet */
    double coldest_C; /* of that (its middle) and the loads that are still on their way */
    double warmest_C;
    struct thermal_body body;
    bool is_probed; /* a probe corrected it not long ago */
    bool is_fitted; /* tau is of this place, by its probe */
};

/* False: nonsense, which changes nothing. */
bool product_takes(double celsius);
/*
 * A reading of the air, or of a probe in the goods. A value that is no number, or not
 * newer than the last of its kind, changes nothing.
 */
void product_air(struct product_state *state, const struct product_settings *settings,
                 int64_t time_ms, double air_C);
void product_pulp(struct product_state *state, const struct product_settings *settings,
                  int64_t time_ms, double pulp_C);
/* The clock was ahead and came back to `time_ms`: nothing stays in the future. */
void product_rewind(struct product_state *state, int64_t time_ms);
struct product product_now(const struct product_state *state,
                           const struct product_settings *settings);

/* A version and what product_load() needs; at most PRODUCT_SAVED_MAX bytes are added. */
#define PRODUCT_SAVED_MAX 320
void product_save(struct buf *out, const struct product_state *state);
/* Versions 1 (without loads) and 2. CORRUPT, with the state as it was. */
MUST_CHECK enum err product_load(struct product_state *state, struct buf_reader *in);

#endif
