// SPDX-License-Identifier: Apache-2.0
/*
 * uplink - carries out over MQTT what the delivery core decides.
 *
 * Publishes packs verbatim from the spool, says hello at each connect, keeps the retained
 * status (and the last will) true, takes the zones' rules, and writes the marks of what
 * was acked into the agent's own journal. Belongs to the loop thread; only the copy of an
 * incoming message is made on Paho's.
 */
#ifndef COLDCHAIN_EDGE_AGENT_UPLINK_H
#define COLDCHAIN_EDGE_AGENT_UPLINK_H

#include "base/loop.h"
#include "edge-agent/recorder.h"
#include "edge-agent/uplink_core.h"

struct uplink;

struct uplink_options {
    const struct settings *settings;
    const struct clock *clock;
    struct loop *loop;
    struct spool *spool;
    struct recorder *recorder;
    struct rules *rules; /* filled by what comes, and told of */
    void *context;
    /* The journal is beyond help. */
    void (*on_failed)(void *context, enum err err);
    /* Other rules are in force, or what is to be said of them changed; or NULL. */
    void (*on_rules)(void *context);
};

/* Takes what the spool holds and starts connecting; becomes the recorder's sender. */
MUST_CHECK enum err uplink_open(struct uplink **uplink,
                                const struct uplink_options *options,
                                struct err_text *why);
/* Says offline when connected. Accepts NULL. */
void uplink_close(struct uplink *uplink);

bool uplink_is_connected(const struct uplink *uplink);
/* Packs held that the collector has not acked. */
uint64_t uplink_backlog(const struct uplink *uplink);
const struct agent_counts *uplink_counts(const struct uplink *uplink);
/* Packs and readings acked since open. */
uint64_t uplink_packs_acked(const struct uplink *uplink);
uint64_t uplink_readings_acked(const struct uplink *uplink);

#endif
