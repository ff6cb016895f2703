// SPDX-License-Identifier: Apache-2.0
/*
 * beat - a synthetic reading that walks the way of an alarm, for a watchdog outside.
 *
 * A BEAT record holds a message with a pack of one channel, which rises above a level and
 * falls back. The pipeline decodes it, the rule engine opens and closes an incident of a
 * rule of our own, and that closing is a message in the outbox for the channel `beat`:
 * when one of them stands still, nothing arrives. It is no incident of people's, and no
 * store keeps the reading. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_BEAT_H
#define COLDCHAIN_COLLECTOR_PIPELINE_BEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "base/buf.h"

/* Name of rule, zone, device and outbox channel; people's ids do not begin like that. */
#define BEAT_NAME "_heartbeat_"

/* Appends the body of a BEAT record. */
void beat_format(int64_t now_ms, struct buf *out);

/* The rule that a beat passes, and whether an incident is of it. */
void beat_rule(struct alert_rule *rule);
bool beat_is(const struct incident *incident);

#endif
