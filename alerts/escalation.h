// SPDX-License-Identifier: Apache-2.0
/*
 * escalation - who is told next over which channel, and when to look again.
 *
 * Pure: (plan, case, what was told, now) -> what to tell now. A plan is policies, duties
 * with their shifts, contacts with their addresses. A case is one incident in one round;
 * a new round begins when it became graver, and when it was acknowledged and forgotten.
 *
 *   round begins --after--> step 1: who is on that duty --repeat--> again, at most so
 * often
 *                --after--> step 2: ...
 *
 *  - A step tells each contact that is on its duty, over the first of the contact's
 *    addresses that can be used; who comes on duty later is told when the step is due.
 *  - Nobody on duty: the policy's last resort; nobody there either: every channel (but
 *    programs, which are told by themselves).
 *  - When all addresses of all whom a step tells have failed or are down, the next step
 * is due at once; behind the last one the last resort, then every channel.
 *  - In quiet hours a warning waits for their end; what is critical is told all the same,
 *    over a channel that rings when there is one.
 *  - What failed is told at once over the next address; a channel that is down or full
 *    is passed over.
 *  - Hours are those of the clocks on the wall where the incident is, unless contact or
 *    duty say another zone of time: one duty may serve sites that are hours apart.
 *  - Acknowledged: nothing is told. When it became graver since then, its first step is
 *    told once. Snoozed: nothing until it ends.
 *  - Over: who was reached is told so, and nobody is woken to hear that all is well.
 *
 * A plan is not changed while it is used. Arrays are the caller's.
 */
#ifndef COLDCHAIN_ALERTS_ESCALATION_H
#define COLDCHAIN_ALERTS_ESCALATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/rule.h"
#include "base/err.h"
#include "base/tz.h"

#define ESCALATION_STEPS_MAX    8
#define ESCALATION_CONTACTS_MAX 64
#define ESCALATION_CHANNELS_MAX 100
#define ESCALATION_TELLS_MAX    64
#define ESCALATION_NONE         SIZE_MAX  /* in place of an index */
#define ESCALATION_NEVER        INT64_MAX /* in place of a time */

/* "mon-fri 08:00-20:00", "22:00-07:00" (past midnight), "sat,sun" (all day). */
struct escalation_hours {
    unsigned days; /* on which they begin: 1u << weekday, Monday 0 */
    int from;      /* minute of the day */
    int to;        /* not after `from`: of the next day */
};

/* INVALID with a sentence. */
MUST_CHECK enum err escalation_hours_parse(struct escalation_hours *hours,
                                           const char *text, struct err_text *why);
/* Whether they run at that time, and then when they end. */
bool escalation_hours_hold(const struct escalation_hours *hours, const struct tz *tz,
                           int64_t now_ms, int64_t *end_ms);

struct escalation_channel {
    const char *name;
    bool rings;
    bool is_down;       /* failed several times in a row */
    bool is_subject;    /* what is told is about it: not over it */
    bool is_program;    /* it is told of everything at once: policies leave it out */
    bool stops_at_end;  /* it knows an end from a beginning: a siren, which goes quiet */
    int64_t full_until; /* its bucket or quota; 0: it has room */
};

struct escalation_address {
    size_t channel; /* index into the plan's */
    const struct escalation_hours *quiet;
    size_t quiet_count;
};

struct escalation_contact {
    const char *id;
    const struct tz *tz;                        /* of its quiet hours; NULL: the case's */
    const struct escalation_address *addresses; /* in the order of preference */
    size_t address_count;
};

/* Which of the contact's addresses over that one's channel it is, from 0. */
size_t escalation_way(const struct escalation_contact *contact, size_t address);
/* The index of that one, of the last when there are fewer by now; NONE: there is none. */
size_t escalation_address(const struct escalation_contact *contact, size_t channel,
                          size_t way);

/* Weekly, or dated when to_ms is not 0: while one is dated, weekly ones do not count. */
struct escalation_shift {
    size_t contact;
    const struct escalation_hours *hours; /* none: always */
    size_t hours_count;
    int64_t from_ms;
    int64_t to_ms;
};

struct escalation_duty {
    const char *id;
    const struct tz *tz; /* of its hours; NULL: the case's */
    const struct escalation_shift *shifts;
    size_t shift_count;
};

struct escalation_step {
    int64_t after_ms; /* since the round began */
    size_t duty;
    int64_t repeat_ms; /* 0: once */
    uint32_t most;     /* times in all, per contact */
};

struct escalation_policy {
    const char *id;
    enum alert_severity least;
    const char *const *zones; /* both empty: everything */
    size_t zone_count;
    const char *const *sites;
    size_t site_count;
    struct escalation_step steps[ESCALATION_STEPS_MAX]; /* by after_ms */
    size_t step_count;
    size_t last_resort; /* a duty, or NONE */
};

struct escalation_plan {
    const struct escalation_channel *channels;
    size_t channel_count;
    const struct escalation_contact *contacts;
    size_t contact_count;
    const struct escalation_duty *duties;
    size_t duty_count;
    const struct escalation_policy *policies;
    size_t policy_count;
};

/* The first policy for it; NULL: everything to all channels at once. */
const struct escalation_policy *escalation_policy(const struct escalation_plan *plan,
                                                  const char *zone, const char *site,
                                                  enum alert_severity severity);

/*
 * Indices of contacts, each once, in the order of the shifts; how many. `there`: what
 * hours go by when the duty has no zone of time of its own.
 */
size_t escalation_on_duty(const struct escalation_duty *duty, const struct tz *there,
                          int64_t now_ms, size_t contacts[ESCALATION_CONTACTS_MAX]);
/* The first minute of the week from then on at which nobody has the duty, or NEVER. */
int64_t escalation_gap(const struct escalation_duty *duty, const struct tz *there,
                       int64_t from_ms);

/* One message that went out, or is to. */
struct escalation_tell {
    size_t step;
    size_t contact;  /* NONE: nobody was on duty, the channel's own receivers */
    uint32_t repeat; /* from 0 */
    size_t channel;
    size_t way; /* of the contact's addresses over that channel, from 0 */
    int64_t at_ms;
    bool has_failed;     /* told: nothing more will come of it, or not soon */
    bool is_fallback;    /* to tell: not the first address */
    bool is_last_resort; /* to tell: nobody was on the step's duty */
    bool is_in_quiet;    /* to tell: in quiet hours, for it is critical */
};

struct escalation_case {
    enum alert_severity severity;
    bool is_over;     /* and is told all the same, over what does not ring */
    int64_t round_ms; /* when the round began */
    bool is_acknowledged;
    int64_t acknowledged_ms;
    int64_t snoozed_until_ms; /* 0: it is not */
    struct tz tz;             /* where it happens; zeroed: UTC */
};

struct escalation_decision {
    struct escalation_tell tells[ESCALATION_TELLS_MAX];
    size_t count;
    int64_t next_ms; /* look again then, or when something changed; NEVER */
};

/* When the quiet hours of a contact's address end; 0: there are none now. */
int64_t escalation_quiet_until(const struct escalation_contact *contact,
                               const struct escalation_address *address,
                               const struct tz *there, int64_t now_ms);

/* `told` is what was told in this round. */
void escalation_next(const struct escalation_plan *plan,
                     const struct escalation_policy *policy,
                     const struct escalation_case *incident,
                     const struct escalation_tell *told, size_t told_count,
                     int64_t now_ms, struct escalation_decision *decision);

/* What a contact is told when it is over. */
struct escalation_end {
    size_t channel;
    size_t way;
    int64_t at_ms; /* not before */
};

/*
 * Where the contact is told the end, of its addresses at which it was reached; how many.
 * A channel that rings only when the contact has none that does not, and never in quiet
 * hours: there the end waits, as the end of a warning does over any channel. What stops
 * at the end is told at once.
 */
size_t escalation_ends(const struct escalation_plan *plan, size_t contact,
                       const struct escalation_case *incident,
                       const bool reached[ESCALATION_CHANNELS_MAX], int64_t now_ms,
                       struct escalation_end ends[ESCALATION_CHANNELS_MAX]);

#endif
