// SPDX-License-Identifier: Apache-2.0
/*
 * verdict_rules - the zones' rules, as the collector sent them, for the engine here.
 *
 * What this version has no kind for, or what makes no sense, is left out and said in the
 * log: one rule that is not understood takes none of the others away. Pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_VERDICT_RULES_H
#define COLDCHAIN_EDGE_AGENT_VERDICT_RULES_H

#include <stddef.h>

#include "alerts/alerts.h"
#include "telemetry/zone_rules.h"

/*
 * The rules that are judged here: where nobody is on duty only those of safety, and none
 * of those about a device as a whole, which is us. The caller frees the list.
 */
struct alert_rule *verdict_rules(const struct zone_rules *rules, size_t *count);

#endif
