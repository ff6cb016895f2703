// SPDX-License-Identifier: Apache-2.0
/*
 * names - the words of kinds, reasons, severities, states, effects and ends, out of the
 * lists of the headers.
 */
#include <assert.h>
#include <string.h>

#include "alerts/suppression.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const kinds[] = {
#define X(name, text) [ALERT_##name] = text,
    ALERT_KIND_LIST(X)
#undef X
};

static const char *const reasons[] = {
#define X(name, text) [ALERT_REASON_##name] = text,
    ALERT_REASON_LIST(X)
#undef X
};

static const char *const severities[] = {
#define X(name, text) [ALERT_##name] = text,
    ALERT_SEVERITY_LIST(X)
#undef X
};

static const char *const states[] = {
#define X(name, text) [INCIDENT_##name] = text,
    INCIDENT_STATE_LIST(X)
#undef X
};

static const char *const effects[] = {
#define X(name, text) [ALERT_EFFECT_##name] = text,
    ALERT_EFFECT_LIST(X)
#undef X
};

static const char *const ends[] = {
#define X(name, text) [SUPPRESSION_##name] = text,
    SUPPRESSION_END_LIST(X)
#undef X
};

/* -1 when it is none of them. */
static int find_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *alert_kind_name(enum alert_kind kind)
{
    assert((size_t)kind < COUNT(kinds));
    return kinds[kind];
}

bool alert_kind_parse(enum alert_kind *kind, const char *name)
{
    int found = find_name(kinds, COUNT(kinds), name);
    if (found >= 0)
        *kind = (enum alert_kind)found;
    return found >= 0;
}

/*
 * Critical is what keeps other alarms from ringing: readings of two rooms under one name
 * start each other's delays anew, and what was damaged or passed over is judged by
 * nobody. Of a wrong clock the agent judges by itself, and silence rings.
 */
enum alert_severity alert_kind_severity(enum alert_kind kind)
{
    assert(alert_kind_is_trouble(kind));
    bool is_mild =
        kind == ALERT_REGRESSED || kind == ALERT_LOST_PACKS || kind == ALERT_CLOCK_WRONG;
    return is_mild ? ALERT_WARNING : ALERT_CRITICAL;
}

const char *alert_reason_name(enum alert_reason reason)
{
    assert((size_t)reason < COUNT(reasons));
    return reasons[reason];
}

bool alert_reason_parse(enum alert_reason *reason, const char *name)
{
    int found = find_name(reasons, COUNT(reasons), name);
    if (found >= 0)
        *reason = (enum alert_reason)found;
    return found >= 0;
}

const char *alert_severity_name(enum alert_severity severity)
{
    assert((size_t)severity < COUNT(severities));
    return severities[severity];
}

bool alert_severity_parse(enum alert_severity *severity, const char *name)
{
    int found = find_name(severities, COUNT(severities), name);
    if (found >= 0)
        *severity = (enum alert_severity)found;
    return found >= 0;
}

const char *incident_state_name(enum incident_state state)
{
    assert((size_t)state < COUNT(states));
    return states[state];
}

bool incident_state_parse(enum incident_state *state, const char *name)
{
    int found = find_name(states, COUNT(states), name);
    if (found >= 0)
        *state = (enum incident_state)found;
    return found >= 0;
}

const char *alert_effect_name(enum alert_effect_kind kind)
{
    assert((size_t)kind < COUNT(effects));
    return effects[kind];
}

const char *suppression_end_name(enum suppression_end ended)
{
    assert((size_t)ended < COUNT(ends));
    return ends[ended];
}

bool suppression_end_parse(enum suppression_end *ended, const char *name)
{
    int found = find_name(ends, COUNT(ends), name);
    if (found >= 0)
        *ended = (enum suppression_end)found;
    return found >= 0;
}
