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

/* Behind "check first: ". */
const char *check_of(const struct incident *incident, enum words_language language);

#endif
