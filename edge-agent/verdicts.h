// SPDX-License-Identifier: Apache-2.0
/*
 * verdicts - judges this device's own readings by the zones' rules, broker or none.
 *
 * The collector's engine on the collector's input: each pack once it is synced, read back
 * from the journal here, in the order of epoch and seq. So an incident has the same id
 * on both sides and nothing needs to be merged. What was judged is kept in a file beside
 * the journal, written when an incident or the rules change, else seldom; what came after
 * it is read from the journal at the next start, so that delays go on.
 *
 * While the clock is unset readings are judged by the boot's time: delays hold, ids are
 * of this device only. When the clock is set, that boot is judged once more, dated by the
 * fix as the collector does it, and what was told stays told.
 *
 * What people did to an incident where they see it comes with the rules: one that they
 * closed is closed here as there; one that they acknowledged is quiet until it comes
 * back.
 *
 * Without rules for its zones it does nothing. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_VERDICTS_H
#define COLDCHAIN_EDGE_AGENT_VERDICTS_H

#include <stdint.h>

#include "base/clock.h"
#include "edge-agent/incidents.h"
#include "edge-agent/settings.h"
#include "edge-agent/spool.h"
#include "telemetry/pack.h"
#include "telemetry/zone_rules.h"

#define VERDICTS_FILE "verdicts.state" /* in the journal's folder */

struct verdicts;

struct verdicts_options {
    const struct settings *settings;
    struct spool *spool;
    const struct clock *clock;
    void *context;
    void (*on_changed)(void *context); /* the list says something else; or NULL */
};

/* Goes on where the file and the journal end. Everything in options and `rules` outlive
 * it; of a change of these it is told at once. */
struct verdicts *verdicts_create(const struct verdicts_options *options,
                                 const struct zone_rules *rules);
/* Keeps what it knows. Accepts NULL. */
void verdicts_destroy(struct verdicts *verdicts);

/* `rules` are others now: in force from the next reading on. */
void verdicts_set_rules(struct verdicts *verdicts, const struct zone_rules *rules);
/* That pack is on stable storage. */
void verdicts_synced(struct verdicts *verdicts, uint64_t epoch, uint64_t seq);
/* The disk takes nothing: it is judged all the same, and again, in vain, when it does. */
void verdicts_unsynced(struct verdicts *verdicts, const struct pack *pack);
/* Silence, what was acknowledged, and keeping; to be called about once a second. */
void verdicts_tick(struct verdicts *verdicts);

/* Borrowed; what is told is noted in it, and then: */
struct incidents *verdicts_incidents(struct verdicts *verdicts);
/* Of the rules in force, what is not judged here. Borrowed until they change. */
const struct zone_notes *verdicts_notes(const struct verdicts *verdicts);
void verdicts_keep(struct verdicts *verdicts);
/* Values and states of the list's entries are those of now. */
void verdicts_refresh(struct verdicts *verdicts);

#endif
