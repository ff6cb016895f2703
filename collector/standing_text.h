// SPDX-License-Identifier: Apache-2.0
/*
 * standing_text - why a rule does not judge a channel right now, as a sentence in both
 * languages. Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_STANDING_TEXT_H
#define COLDCHAIN_COLLECTOR_STANDING_TEXT_H

#include <stdbool.h>

#include "alerts/standing.h"

struct standing_text {
    char en[300];
    char zh[400];
};

/*
 * Why it is unavailable or held back; of one that judges, what it does not see of what
 * its `unless` names. False: there is nothing to say.
 */
bool standing_text(struct standing_text *text, const struct standing *standing);

#endif
