// SPDX-License-Identifier: Apache-2.0
/*
 * doubts - what is allowed in a rule and yet hardly meant: a quantity that nobody knows,
 * a level that everything is beyond, a rule that would have fired all the time.
 *
 * Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_DOUBTS_H
#define COLDCHAIN_COLLECTOR_DOUBTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "alerts/rule.h"

struct profile_set;

/* Without a whole day of readings nothing is said of what a rule would have done. */
#define DOUBT_SEEN_MIN_MS ((int64_t)24 * 3600 * 1000)

struct doubt {
    const char *code; /* "quantity_unknown" */
    char text[300];
    char text_zh[400];
};

/* Derived from others by the engine; no device has it. */
bool doubt_is_derived(const char *quantity);

/* What the rule itself says. True when there is something; the first thing alone. */
bool doubt_of_rule(const struct alert_rule *rule, struct doubt *doubt);

/* A rule that asks how long goods last, where nothing is named, or of something that is
 * nobody knows. `profiles` is made when it is wanted, and the caller's. */
bool doubt_of_goods(const struct alert_rule *rule, struct profile_set **profiles,
                    const json_t *goods, struct doubt *doubt);

/* No channel in the zone has that quantity. */
void doubt_not_measured(const struct alert_rule *rule, struct doubt *doubt);

/*
 * How much of the time a rule would have been past its first level: readings of one
 * channel after another, each in order of time.
 */
struct outlook {
    const struct alert_rule *rule; /* borrowed */
    int64_t last_ms;
    double last; /* NaN: none yet */
    int64_t seen_ms;
    int64_t past_ms; /* at or beyond the level, or the limit */
    double excess;   /* beyond the limit, times ms */
};

/* False: of such a rule nothing can be said so simply. */
bool outlook_begin(struct outlook *outlook, const struct alert_rule *rule);
/* What comes now is another channel's. */
void outlook_next_channel(struct outlook *outlook);
void outlook_add(struct outlook *outlook, int64_t time_ms, double value);
/* True when it would have fired most of the time, or always. */
bool outlook_doubt(const struct outlook *outlook, struct doubt *doubt);

#endif
