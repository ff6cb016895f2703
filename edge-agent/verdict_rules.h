// SPDX-License-Identifier: Apache-2.0
/*
 * verdict_rules - the zones' rules, as the collector sent them, for the engine here.
 *
 * What this version has no word for, or what makes no sense, is left out, noted, and said
 * in the log: one rule that is not understood takes none of the others away. Pure.
 */
#ifndef COLDCHAIN_EDGE_AGENT_VERDICT_RULES_H
#define COLDCHAIN_EDGE_AGENT_VERDICT_RULES_H

#include <stddef.h>

#include "alerts/alerts.h"
#include "telemetry/zone_rules.h"

/*
 * The rules that are judged here: where nobody is on duty only those of safety, and none
 * of those about a device as a whole, which is us. *notes are of those alone that are
 * left out. The caller frees the list.
 */
struct alert_rule *verdict_rules(const struct zone_rules *rules, struct zone_notes *notes,
                                 size_t *count);

/* A stretch that was declared to the engine. */
struct verdict_span {
    char zone[ID_SIZE];
    enum alert_reason reason;
    int64_t from_ms;
    int64_t to_ms;
    double low; /* the band of a planned step; NaN: open */
    double high;
};

struct verdict_spans {
    struct verdict_span *list;
    size_t count;
    size_t capacity;
};

void verdict_spans_fini(struct verdict_spans *spans);
/*
 * Tells the engine what the zones are like and what is planned there, as the collector
 * tells its own. Of `told`, what was declared before, it takes back what is not over at
 * now_ms and is not planned any more; then `told` is what is declared now.
 */
void verdict_rooms(struct alerts *engine, const struct zone_rules *rules,
                   struct verdict_spans *told, int64_t now_ms);

#endif
