// SPDX-License-Identifier: Apache-2.0
/*
 * rules - the zones' rules in force here, as the collector sent them.
 *
 * What comes is read whole or refused whole; what was refused is counted and the last
 * good rules stay in force. What a later collector says beyond what is known here is
 * passed over, and noted. They are kept in a file beside the journal, so that they
 * hold from the first reading after a start. All they change is which readings are
 * urgent. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_RULES_H
#define COLDCHAIN_EDGE_AGENT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "edge-agent/settings.h"
#include "telemetry/zone_rules.h"

#define RULES_FILE "zone-rules.json" /* in the journal's folder */

struct rules {
    char *path; /* owned */
    struct zone_rules in_force;
    bool is_saved;
    uint64_t taken;             /* since the start, without repetitions */
    uint64_t refused;           /* since the start */
    struct err_text why;        /* of the last one, "" when it was good */
    struct zone_notes unjudged; /* of those in force: what the verdicts leave out */
};

/* Takes what the file in that folder holds; one that cannot be read is none. */
void rules_init(struct rules *rules, const char *dir);
void rules_fini(struct rules *rules);

/*
 * A message came; empty: there are no rules for this device. True when what is in force
 * has changed, or what is to be said of it.
 */
bool rules_take(struct rules *rules, const void *data, size_t len);

/* All that is not known here of the rules in force. */
struct zone_notes rules_notes(const struct rules *rules);

/*
 * What is in order for a channel: what the rules say of its zone, and where they say
 * nothing, the settings. False when nobody says anything, or the zone is off duty.
 */
bool rules_band(const struct rules *rules, const struct settings *settings,
                const char *channel, double *low, double *high);

#endif
