// SPDX-License-Identifier: Apache-2.0
/*
 * checks - what to look at first, by what is measured and which way it went.
 *
 * A temperature, and what is wrong apart from any value, has the check of its kind of
 * rule (words.h). Constant.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_CHECKS_H
#define COLDCHAIN_COLLECTOR_NOTIFY_CHECKS_H

#include "alerts/incident.h"
#include "collector/notify/words.h"

/* It is silent by a rule that asks whether its device is heard, and it is. */
bool check_is_alone(const struct incident *incident);
/* Behind "check first: ". */
const char *check_of(const struct incident *incident, enum words_language language);

#endif
