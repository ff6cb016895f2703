// SPDX-License-Identifier: Apache-2.0
/*
 * trial - what one rule would have done with a record of its zone, by the engine itself:
 * whether it could be judged at all, and how much of the time it would have been open.
 *
 * For the kinds that doubts.h cannot tell by a level alone. Nothing is told to anybody.
 * One thread.
 */
#ifndef COLDCHAIN_COLLECTOR_TRIAL_H
#define COLDCHAIN_COLLECTOR_TRIAL_H

#include "alerts/alerts.h"
#include "collector/doubts.h"

struct trial;

/*
 * NULL: of such a rule no record tells: what is judged by dates or while a zone is empty,
 * and what adds up for ever. The rule is borrowed.
 */
struct trial *trial_create(const struct alert_rule *rule);
/* Accepts NULL. */
void trial_destroy(struct trial *trial);
/* To be told of the zone (pipeline/rooms.h) before the first reading; borrowed. */
struct alerts *trial_engine(struct trial *trial);

/* Whether readings of that quantity matter to it: its own, signals of doors and the like.
 */
bool trial_wants(const struct trial *trial, const char *quantity);
/* Of all channels that matter, in order of time. */
void trial_reading(struct trial *trial, const struct alert_reading *reading);
/* True when it would have been open most of the time, or could never be judged. */
bool trial_doubt(const struct trial *trial, struct doubt *doubt);

#endif
