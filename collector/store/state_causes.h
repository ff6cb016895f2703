// SPDX-License-Identifier: Apache-2.0
/*
 * state_causes - tables of state.db: causes, and what people did to incidents.
 *
 * What stands beside an incident's own row is written when an effect is, or by a command;
 * an effect never takes it away. Threads, errors, borrowing as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_CAUSES_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_CAUSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/cause.h"
#include "base/err.h"
#include "collector/store/state.h"
#include "collector/store/state_incidents.h"

#define STATE_WORD_SIZE 32
#define STATE_NOTE_SIZE 2001

/* ---- causes ----------------------------------------------------------------------- */

MUST_CHECK enum err state_put_cause(struct state *state, const struct cause *cause);
/* NOT_FOUND. */
MUST_CHECK enum err state_get_cause(struct state *state, const char *id,
                                    struct cause *cause);
typedef void state_cause_fn(void *context, const struct cause *cause);
/* Those that began last, of the family, in the zone or (unless it is "") the site. */
MUST_CHECK enum err state_latest_causes(struct state *state, enum cause_family family,
                                        const char *zone, const char *site, size_t limit,
                                        void *context, state_cause_fn *row);

/* Of the members of a cause but that one: those that are not closed. */
struct state_others {
    bool is_open;
    bool is_told;                    /* one of them was told */
    char next_untold[ALERT_ID_SIZE]; /* the one that opened first; "" */
};

MUST_CHECK enum err state_get_others(struct state *state, const char *cause,
                                     const char *but, struct state_others *others);
/* Whether another member of the cause is closed, was told, and is no less grave. */
MUST_CHECK enum err state_has_told_over(struct state *state, const char *cause,
                                        const struct incident *incident, bool *is_told);
/* The latest cause_alive_ms() of the members of a cause. */
MUST_CHECK enum err state_get_alive(struct state *state, const char *cause,
                                    int64_t *alive_ms);
/* Members, in the order they opened; beyond `limit`, open ones and the newest. */
MUST_CHECK enum err state_each_member(struct state *state, const char *cause,
                                      size_t limit, void *context,
                                      state_incident_fn *row);

/* ---- what people did -------------------------------------------------------------- */

struct state_closing {
    char by[ID_SIZE]; /* an id; "": no person closed it */
    char cause[STATE_WORD_SIZE];
    char action[STATE_WORD_SIZE];
    char disposition[STATE_WORD_SIZE]; /* of the product */
    char note[STATE_NOTE_SIZE];
};

struct state_care {
    char cause[ALERT_ID_SIZE];
    uint32_t revision;
    bool is_told;
    char acknowledge_reason[STATE_NOTE_SIZE];
    char assigned_to[ID_SIZE]; /* an id, "" */
    int64_t assigned_ms;
    int64_t snoozed_until_ms; /* 0: it is not */
    int64_t remind_ms;        /* 0: it does not come back */
    int64_t reminded_ms;      /* 0: it did not */
    struct state_closing closing;
};

/* NOT_FOUND. */
MUST_CHECK enum err state_get_care(struct state *state, const char *id,
                                   struct state_care *care);
MUST_CHECK enum err state_set_cause(struct state *state, const char *id,
                                    const char *cause, bool is_told);
/* It comes back at `remind_ms`. */
MUST_CHECK enum err state_set_acknowledged(struct state *state, const char *id,
                                           const char *reason, int64_t remind_ms);
/* `who` "": nobody's. */
MUST_CHECK enum err state_set_assigned(struct state *state, const char *id,
                                       const char *who, int64_t now_ms);
/* It comes back then. */
MUST_CHECK enum err state_set_snoozed(struct state *state, const char *id,
                                      int64_t until_ms);
/* It may be told again; when it comes back stays. */
MUST_CHECK enum err state_end_snooze(struct state *state, const char *id);
/* Somebody still looks after it: it comes back then at the earliest, if at all. What is
 * snoozed comes back when that ends. */
MUST_CHECK enum err state_put_off_reminder(struct state *state, const char *id,
                                           int64_t remind_ms);
MUST_CHECK enum err state_set_reminded(struct state *state, const char *id,
                                       int64_t now_ms);
MUST_CHECK enum err state_set_closing(struct state *state, const char *id,
                                      const struct state_closing *closing);
/* It goes on: what was said at its end is said no more. */
MUST_CHECK enum err state_clear_closing(struct state *state, const char *id);
/* It is over: it comes back no more. */
MUST_CHECK enum err state_end_care(struct state *state, const char *id);

typedef void state_handled_fn(void *context, const char *id);
/* Incidents that are acknowledged and not closed, and those that a person closed since
 * then. */
MUST_CHECK enum err state_each_handled(struct state *state, int64_t since_ms,
                                       void *context, state_handled_fn *row);

typedef void state_due_fn(void *context, const char *id, int64_t remind_ms);
/* Incidents that are not closed and are to come back by now. */
MUST_CHECK enum err state_due_reminders(struct state *state, int64_t now_ms, size_t limit,
                                        void *context, state_due_fn *row);

#endif
