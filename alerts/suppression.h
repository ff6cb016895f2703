// SPDX-License-Identifier: Apache-2.0
/*
 * suppression - what a rule would have told, but for one of its reasons.
 *
 * Plain data, as the engine tells of it and state.db keeps it. Pure; any thread.
 */
#ifndef COLDCHAIN_ALERTS_SUPPRESSION_H
#define COLDCHAIN_ALERTS_SUPPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "alerts/rule.h"
#include "telemetry/reading.h"

/*
 * What a rule kept back while one of its reasons held: it would have fired, or what it
 * counts was not counted. One per rule, channel and stretch of the reason; told when it
 * begins to keep something back, and again, under the same id, when it has ended. Of a
 * channel that is not heard again the second telling is missing; silence that is kept
 * back ends with its reason, heard or not.
 */
#define SUPPRESSION_END_LIST(X) \
    X(GOES_ON, "") \
    X(OVER, "over")                 /* the reason holds no more */ \
    X(HEARD, "heard")               /* silence: it was heard */ \
    X(RULE_CHANGED, "rule_changed") /* or it went */ \
    X(NOT_MEASURED, "not_measured") /* the channel measures that zone no longer */

enum suppression_end {
#define X(name, text) SUPPRESSION_##name,
    SUPPRESSION_END_LIST(X)
#undef X
};

struct suppression {
    char id[ALERT_ID_SIZE]; /* hash of rule, zone, device, channel and from */
    char rule[ID_SIZE];
    char zone[ID_SIZE];
    char device[ID_SIZE];
    char channel[ID_SIZE];
    char quantity[ID_SIZE];
    enum alert_kind kind;
    enum alert_severity severity; /* of the gravest level kept back */
    enum alert_reason reason;
    enum suppression_end ended; /* GOES_ON while to_ms is 0 */
    int64_t from_ms; /* event time of the first reading that was kept back; of silence:
                        when it would have been told */
    int64_t to_ms;   /* of the first reading after the stretch; 0: it goes on */
    int64_t told_ms; /* when the collector knew */
    double limit; /* the level that was passed, or the rule's limit; silence: seconds */
    double worst; /* of the measure, or of the value where that was not counted; SPARSE:
                     minutes between readings, and how many are too many */
};

const char *suppression_end_name(enum suppression_end ended);
bool suppression_end_parse(enum suppression_end *ended, const char *name);

#endif
