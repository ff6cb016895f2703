// SPDX-License-Identifier: Apache-2.0
/*
 * harm - how long until the goods leave their band, if the air stays as it is now.
 *
 * What an incident says of its zone beside its own measure: the air, the goods as they
 * are estimated, the band that they must not leave, and the first-order lag solved for
 * the time at which they do (freshness/thermal.h). No forecast: of air that still rises
 * it is the latest, not the likeliest. Where tau is not known but assumed, the time is a
 * range without a middle, and says so. Pure; plain data.
 */
#ifndef COLDCHAIN_ALERTS_HARM_H
#define COLDCHAIN_ALERTS_HARM_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/product.h"
#include "freshness/thermal.h"

#define HARM_OUTLOOK_LIST(X) \
    X(UNSAID, "unsaid") /* no band on that side, or no estimate */ \
    X(STAYS, "stays")   /* at this air the goods never get there */ \
    X(COMES, "comes")   /* in `minutes` */ \
    X(THERE, "there")   /* they are out of their band, as estimated */

enum harm_outlook {
#define X(name, text) HARM_##name,
    HARM_OUTLOOK_LIST(X)
#undef X
};

/* Where tau is from. */
#define HARM_BASIS_LIST(X) \
    X(ASSUMED, "assumed") /* packed goods in general */ \
    X(STATED, "stated")   /* of this zone, or its goods */ \
    X(FITTED, "probe")    /* by a probe in these goods */

enum harm_basis {
#define X(name, text) HARM_##name,
    HARM_BASIS_LIST(X)
#undef X
};

/* All 0: nothing is known. */
struct harm {
    int64_t at_ms; /* event time of the air's reading */
    double air_C;
    double band_low_C; /* NaN: open */
    double band_high_C;
    bool has_goods;         /* the rest is said */
    struct thermal goods_C; /* the coldest or the warmest, by `is_cold` */
    enum harm_outlook outlook;
    bool is_cold;           /* they near the low end of the band */
    struct thermal minutes; /* of COMES: soonest, as estimated (NaN: assumed), latest */
    enum harm_basis basis;
    double tau_low_h;
    double tau_high_h;
};

struct harm_air {
    int64_t at_ms;
    double C;
    double band_low_C;
    double band_high_C;
};

/* `is_freezing`: what to look at where the air is within its band. */
struct harm harm_look(const struct harm_air *air, const struct product *product,
                      bool is_freezing);
/* The air alone: nobody says what stands in it. */
struct harm harm_of_air(int64_t at_ms, double air_C);
/* The end of the band that the goods near; NaN. */
double harm_limit_C(const struct harm *harm);

struct json_t;
/* An object, or null when nothing is known; a new reference. */
struct json_t *harm_to_json(const struct harm *harm);
/* The same as text, and back: "" is nothing. False, with nothing, for all else. */
#define HARM_TEXT_SIZE 768
void harm_format(char text[HARM_TEXT_SIZE], const struct harm *harm);
bool harm_parse(struct harm *harm, const char *text);

const char *harm_outlook_name(enum harm_outlook outlook);
const char *harm_basis_name(enum harm_basis basis);

#endif
