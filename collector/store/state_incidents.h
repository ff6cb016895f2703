// SPDX-License-Identifier: Apache-2.0
/*
 * state_incidents - tables of state.db: incidents, their transitions, and the outbox.
 *
 * An incident's transition and the messages that tell of it are committed together, so
 * nothing is told that was not decided, and nothing decided goes untold. Adding twice
 * what a replay decides again changes nothing. Threads, errors, borrowing as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_INCIDENTS_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_INCIDENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "base/err.h"
#include "collector/store/state.h"

/*
 * Adds the transition to (id, revision) and makes the incident's row equal to it, unless
 * the row is of a later revision. EXISTS, changing nothing, when (id, revision) is in.
 * `at_ms` is when it was decided; `body` is what was said about it, JSON, may be "".
 */
MUST_CHECK enum err state_add_incident(struct state *state, enum alert_effect_kind kind,
                                       const struct incident *incident, int64_t at_ms,
                                       const char *body);

/* Of one that is not closed: its value, its worst one, the interval of that, and harm. */
MUST_CHECK enum err state_put_values(struct state *state,
                                     const struct incident *incident);

/* A filter and a page. Zeroed: all incidents, the newest first. */
struct state_incident_query {
    unsigned states;   /* bits 1u << enum incident_state; 0: all */
    const char *zone;  /* NULL: all */
    const char *cause; /* NULL: all; its members */
    bool with_withdrawn;
    int64_t from_ms;     /* those that touch [from, to) */
    int64_t to_ms;       /* 0: no end */
    int64_t cursor_ms;   /* opened_ms and id of the last row of the page before */
    const char *cursor;  /* NULL on the first page */
    const char *id_from; /* those with ids in [from, to); NULL: no end on that side */
    const char *id_to;
    size_t limit; /* at most STATE_PAGE_MAX; 0 means that */
};

typedef void state_incident_fn(void *context, const struct incident *incident);
/* Ordered by opened_ms and id, both descending. */
MUST_CHECK enum err state_page_incidents(struct state *state,
                                         const struct state_incident_query *query,
                                         void *context, state_incident_fn *row);
/* NOT_FOUND. */
MUST_CHECK enum err state_get_incident(struct state *state, const char *id,
                                       struct incident *incident);
MUST_CHECK enum err state_count_incidents(struct state *state, unsigned states,
                                          uint64_t *count);

struct state_transition {
    const char *incident;
    uint32_t revision;
    enum alert_effect_kind kind;
    int64_t at_ms;
    const char *body;
};

typedef void state_transition_fn(void *context, const struct state_transition *step);
/* In the order of the revisions. */
MUST_CHECK enum err state_each_transition(struct state *state, const char *incident,
                                          void *context, state_transition_fn *row);

/*
 * Of trouble that is open: adds `count` to what it counted, which is no transition.
 * *is_open false: there is none of that kind, device and snapshot.
 */
MUST_CHECK enum err state_count_trouble(struct state *state, enum alert_kind kind,
                                        const char *device, const char *snapshot,
                                        uint64_t count, bool *is_open);

/* A transition with its place among all, and what the incident's first one said. */
struct state_told {
    uint64_t place;
    const char *first_body; /* borrowed while `row` runs, as is body */
    const char *body;
};

typedef void state_told_fn(void *context, const struct state_told *told);
/* Transitions of all incidents behind `place`, in the order they were made. */
MUST_CHECK enum err state_each_told_after(struct state *state, uint64_t place,
                                          size_t limit, void *context,
                                          state_told_fn *row);
/* How far that sink was told of incidents; 0 when it never was. */
MUST_CHECK enum err state_get_told(struct state *state, const char *sink,
                                   uint64_t *place);
MUST_CHECK enum err state_put_told(struct state *state, const char *sink, uint64_t place);

/*
 *            attempt          result DONE
 *   pending ---------> pending ----------> done
 *      ^                  |   result DEAD
 *      +--- result RETRY -+--------------> dead
 */
#define STATE_OUTBOX_LIST(X) \
    X(PENDING, "pending") \
    X(DONE, "done") \
    X(DEAD, "dead")

enum state_outbox {
#define X(name, text) STATE_OUTBOX_##name,
    STATE_OUTBOX_LIST(X)
#undef X
};

const char *state_outbox_name(enum state_outbox state);
bool state_outbox_parse(enum state_outbox *state, const char *name);

/*
 * One message over one channel. Unique by incident, revision, channel, and what it is of
 * an escalation.
 */
struct state_message {
    uint64_t id; /* given by the store */
    const char *incident;
    uint32_t revision;
    const char *cause;   /* when added: messages of one do not overtake each other; NULL:
                            the incident */
    const char *channel; /* name of the notifier's channel */
    const char *key;     /* idempotency key: the same with every attempt */
    const char *body;    /* JSON */
    int64_t created_ms;
    int64_t next_attempt_ms;
    enum state_outbox state;
    uint32_t attempts;
    const char *last_result; /* "" before the first */
    const char *contact;     /* an id; "" or NULL: the channel's own receivers */
    uint32_t round;          /* of an escalation, likewise */
    uint32_t step;
    uint32_t times;   /* that step was told before */
    uint32_t address; /* of the contact's over that channel, from 0 */
};

/* Uses all but id, state, attempts and last_result. EXISTS. */
MUST_CHECK enum err state_add_message(struct state *state,
                                      const struct state_message *message);
/* Likewise, and takes the place of every other message of that incident. */
MUST_CHECK enum err state_replace_message(struct state *state,
                                          const struct state_message *message);
typedef void state_message_fn(void *context, const struct state_message *message);
/* Pending ones whose time has come, the oldest attempt time first. */
MUST_CHECK enum err state_outbox_due(struct state *state, int64_t now_ms, size_t limit,
                                     void *context, state_message_fn *row);
/*
 * Of these, what one channel may be given: none whose cause has an earlier message
 * pending there that is due or was tried, for a closing does not overtake its opening.
 * What waits for the morning holds up nothing.
 */
MUST_CHECK enum err state_outbox_ready(struct state *state, const char *channel,
                                       int64_t now_ms, size_t limit, void *context,
                                       state_message_fn *row);
/* The newest message of each cause that is not over which the channel has been given, or
 * which was given up, for it was away for so long. */
typedef void state_body_fn(void *context, const char *body);
MUST_CHECK enum err state_outbox_open(struct state *state, const char *channel,
                                      size_t limit, void *context, state_body_fn *row);
/* When the next is due; INT64_MAX when none is pending. */
MUST_CHECK enum err state_outbox_next(struct state *state, int64_t *due_ms);
/*
 * An attempt is about to begin: counts it and puts the next one off to `retry_ms`, which
 * holds when no result is ever written. NOT_FOUND when it is not pending.
 */
MUST_CHECK enum err state_outbox_attempt(struct state *state, uint64_t id, int64_t now_ms,
                                         int64_t retry_ms);
/*
 * Of attempts that began before `since_ms` nothing more will be heard: their messages
 * are due now.
 */
MUST_CHECK enum err state_outbox_resume(struct state *state, int64_t since_ms);
/*
 * The attempt's end, kept with its text. PENDING: try again at `retry_ms`. NOT_FOUND
 * when the message is not pending.
 */
MUST_CHECK enum err state_outbox_result(struct state *state, uint64_t id, int64_t now_ms,
                                        enum state_outbox outcome, int64_t retry_ms,
                                        const char *text);
/* Each attempt and its result; ended_ms is 0 while nothing has come back. */
struct state_attempt {
    uint32_t number; /* from 1 */
    int64_t began_ms;
    int64_t ended_ms;
    const char *outcome; /* name of enum state_outbox, or "" */
    const char *result;
};

typedef void state_attempt_fn(void *context, const struct state_attempt *attempt);
MUST_CHECK enum err state_each_attempt(struct state *state, uint64_t message,
                                       void *context, state_attempt_fn *row);
/* All messages of an incident, or of all when NULL; from behind id `after` (0 first). */
MUST_CHECK enum err state_page_messages(struct state *state, const char *incident,
                                        uint64_t after, size_t limit, void *context,
                                        state_message_fn *row);
MUST_CHECK enum err state_count_messages(struct state *state, enum state_outbox which,
                                         uint64_t *count);
typedef void state_sent_fn(void *context, const char *incident, const char *contact);
/* What was told to whom over the channel since then, each pair once, the newest first. */
MUST_CHECK enum err state_each_sent(struct state *state, const char *channel,
                                    int64_t since_ms, size_t limit, void *context,
                                    state_sent_fn *row);

#endif
