// SPDX-License-Identifier: Apache-2.0
/*
 * shared - gauges of a channel that all its rules share: what the air is doing, how warm
 * the goods in it are, and what life they have left. Only the files of this folder
 * include it.
 */
#ifndef COLDCHAIN_ALERTS_SHARED_H
#define COLDCHAIN_ALERTS_SHARED_H

#include "alerts/measure.h"
#include "alerts/product.h"
#include "alerts/room.h"

/* Where a zone's goods are not described: goods of which nothing is known, ours. Pallets
 * lie above, single cartons below. */
#define DEFAULT_TAU_H     4.0
#define DEFAULT_FASTEST_H 1.0
#define DEFAULT_SLOWEST_H 12.0

extern const struct gauge_kind gauge_air;
extern const struct gauge_kind gauge_product;
extern const struct gauge_kind gauge_cadence; /* cadence.c */
extern const struct gauge_kind gauge_life;
extern const struct gauge_kind gauge_contact; /* contact.c */

/* What all rules of a channel share. */
enum shared_gauge { OF_AIR, OF_PRODUCT, OF_CADENCE, OF_LIFE, OF_CONTACT };

/* gauges.c: begun if it was not there; the plan must want it. */
void *gauge_shared(struct alerts *alerts, struct source *source, enum shared_gauge which);
/* NULL when it is not there. */
const void *gauge_shared_find(const struct source *source, enum shared_gauge which);

/* `room` may be NULL. */
struct air_verdict shared_air(struct alerts *alerts, struct source *source,
                              const struct room *room,
                              const struct alert_reading *reading);
/* The clock was ahead and came back. */
void shared_rewind(struct alerts *alerts, struct source *source, int64_t time_ms);
/* As of its last reading of either. */
struct product shared_product_now(const struct product_state *state,
                                  const struct room *room);
struct product shared_product(struct alerts *alerts, struct source *source,
                              const struct room *room,
                              const struct alert_reading *reading);
/* Of the estimate of the product, by its readings. */
struct goods_life shared_life(struct alerts *alerts, struct source *source,
                              const struct room *room,
                              const struct alert_reading *reading);
/* The same, as it was with the last one; without goods when nobody asks. */
struct goods_life shared_life_now(const struct source *source);
/* As of its last reading; false: it has none, or nobody asks for it. */
bool shared_air_now(const struct source *source, struct room_air *air);

#endif
