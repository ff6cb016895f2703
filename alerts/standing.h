// SPDX-License-Identifier: Apache-2.0
/*
 * standing - whether each rule of a zone can judge right now, and if not why not; and how
 * warm its goods are taken to be.
 *
 * Nothing is kept for it: all is read from what the engine has anyway, as of the last
 * reading of each channel. The same engine gives the same answers, in the order of rules,
 * then devices, then channels. Texts are borrowed for the call back.
 */
#ifndef COLDCHAIN_ALERTS_STANDING_H
#define COLDCHAIN_ALERTS_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/alerts.h"
#include "alerts/zones.h"
#include "freshness/thermal.h"

#define STANDING_STATE_LIST(X) \
    X(JUDGING, "judging") \
    X(FIRING, "firing") \
    X(HELD_BACK, "held_back") \
    X(UNAVAILABLE, "unavailable")

enum standing_state {
#define X(name, text) STANDING_##name,
    STANDING_STATE_LIST(X)
#undef X
};

#define STANDING_WHY_LIST(X) \
    X(NONE, "") \
    X(NOT_MEASURED, "not_measured") /* no channel of the zone is what it watches */ \
    X(NOT_HEARD, "not_heard")       /* no good reading of the channel yet */ \
    X(SILENT, "silent")             /* and none for so long that all may be otherwise */ \
    X(SPARSE, "sparse")             /* too far apart for shapes, or for its window */ \
    X(LEARNING, "learning")         /* the air's usual cycles are not known yet */ \
    X(FILLING, "filling")           /* its window holds too few readings yet */ \
    X(NO_SHAPE, "no_shape")       /* no signal, and only air has the shape of a door */ \
    X(ALONE, "alone")             /* no other probe was read at about the same time */ \
    X(NO_HUMIDITY, "no_humidity") /* which it is derived from */ \
    X(NO_LIFE, \
      "no_life") /* of what stands there, if anything is named, it is not known */ \
    X(NO_DATE, "no_date") /* nothing in the zone falls due; not by the engine */

enum standing_why {
#define X(name, text) STANDING_##name,
    STANDING_WHY_LIST(X)
#undef X
        STANDING_WHY_COUNT
};

/* One rule on one channel; both names "" where it has none, the channel's of a device. */
struct standing {
    const char *rule;
    enum alert_kind kind;
    const char *device;
    const char *channel;
    const char *quantity; /* of the channel */
    enum standing_state state;
    enum standing_why why; /* UNAVAILABLE; of FIRING: it does not see what follows */
    /* Doors or defrosts that the rule names in its `unless` would not be seen now. */
    enum standing_why unseen;
    enum alert_reason reason; /* HELD_BACK */
    int64_t since_ms;         /* of `why`; 0: not known */
    int64_t left_ms;  /* LEARNING: undisturbed time that is lacking, FILLING: time; both
                         at least; 0 */
    int64_t apart_ms; /* its readings usually are so far apart; 0: not known */
    double measure;   /* as of the last reading; NaN: not known */
    char incident[ALERT_ID_SIZE]; /* FIRING; "" */
};

typedef void standing_fn(void *context, const struct standing *standing);
/* Nothing when the zone has no rules. */
void alerts_standing(const struct alerts *alerts, const char *zone, int64_t now_ms,
                     void *context, standing_fn *tell);

/* Of the goods around one probe of air, where a rule asks for them. */
struct standing_goods {
    const char *device;
    const char *channel; /* of the air */
    int64_t time_ms;     /* of its last reading */
    struct thermal C;
    double coldest_C; /* of the middle of that, and of the loads on their way */
    double warmest_C;
    struct thermal_body body; /* tau with its band */
    bool is_described; /* tau is the zone's, not ours for goods that nobody knows */
    bool is_fitted;    /* tau is of this place, by a probe among the goods */
    bool is_probed;    /* a probe corrected the temperature not long ago */
    struct {
        struct alert_load load;
        double C;
    } loads[ALERT_LOADS_MAX]; /* not as warm as the rest yet */
    size_t load_count;
};

typedef void standing_goods_fn(void *context, const struct standing_goods *goods);
void alerts_standing_goods(const struct alerts *alerts, const char *zone, void *context,
                           standing_goods_fn *tell);

const char *standing_state_name(enum standing_state state);
const char *standing_why_name(enum standing_why why);

#endif
