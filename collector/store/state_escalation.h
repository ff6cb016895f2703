// SPDX-License-Identifier: Apache-2.0
/*
 * state_escalation - tables of state.db: which causes are being escalated, and how the
 * channels do.
 *
 * What was told is the outbox itself: its rows name contact, round, step and repeat.
 * Threads, errors, borrowing as in state.h.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_STATE_ESCALATION_H
#define COLDCHAIN_COLLECTOR_STORE_STATE_ESCALATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collector/store/state_incidents.h"

struct state_escalation {
    char cause[ALERT_ID_SIZE];
    uint32_t round;
    int64_t round_ms;
    int64_t next_ms; /* INT64_MAX: nothing is due until something changes */
};

/* Replaces the one of that cause. */
MUST_CHECK enum err state_put_escalation(struct state *state,
                                         const struct state_escalation *escalation);
/* NOT_FOUND. */
MUST_CHECK enum err state_get_escalation(struct state *state, const char *cause,
                                         struct state_escalation *escalation);
/* The one to look at first; NOT_FOUND: none is due by then. */
MUST_CHECK enum err state_due_escalation(struct state *state, int64_t now_ms,
                                         struct state_escalation *escalation);

/* Who speaks for a cause. */
struct state_speaker {
    char id[ALERT_ID_SIZE];
    int64_t covered_ms; /* nobody was told of it, and it was acknowledged with others of
                           the cause: when; 0: it stands for itself */
};

/*
 * Of what is open, what nobody answered, the gravest; when nothing is open, what was over
 * last. What people were not told of is answered with what they were told of, no less
 * grave: with what is open, or since `since_ms`. NOT_FOUND: all were withdrawn.
 */
MUST_CHECK enum err state_find_speaker(struct state *state, const char *cause,
                                       int64_t since_ms, struct state_speaker *speaker);

#define STATE_STEP_END \
    UINT32_C(1000) /* behind all steps: the message says it is over \
                    */

/* Behind those: a part of what goes on was over when it was learned. */
#define STATE_STEP_PART UINT32_C(1001)

/* What was told of a cause, in the order of telling. */
struct state_telling {
    uint64_t id;
    const char *channel;
    const char *contact;
    uint32_t round;
    uint32_t step;
    uint32_t times;
    uint32_t address;
    int64_t created_ms;
    int64_t next_attempt_ms; /* of one that waits */
    enum state_outbox state;
    uint32_t attempts;
    bool has_result;    /* of one attempt at least */
    bool is_taken;      /* it was withdrawn, for somebody had it */
    bool may_have_come; /* it was delivered, or what became of an attempt is not known */
    bool is_end;        /* it says that it is over */
};

typedef void state_telling_fn(void *context, const struct state_telling *telling);
MUST_CHECK enum err state_each_telling(struct state *state, const char *cause,
                                       void *context, state_telling_fn *row);

/*
 * Earlier messages of that step to that address of the contact, which nobody has taken,
 * are dead: the repeat says all that they say.
 */
MUST_CHECK enum err state_supersede_messages(struct state *state,
                                             const struct state_message *repeat);

/*
 * Why a message is dead that nobody gave up: it had nothing to say any more. How its last
 * attempt failed stands behind it.
 */
#define STATE_WITHDRAWN_LIST(X) \
    X(SAID_AGAIN, "a later message says it again") \
    X(BEGAN_AGAIN, "it began again") \
    X(IS_OVER, "it was over before this could be told") \
    X(IS_TAKEN, "acknowledged by ")

enum state_withdrawn {
#define X(name, text) STATE_##name,
    STATE_WITHDRAWN_LIST(X)
#undef X
};

/* By its last result. */
bool state_was_withdrawn(const char *last_result);
/* One that waits; `who` stands behind IS_TAKEN, else "". */
MUST_CHECK enum err state_withdraw_message(struct state *state, uint64_t message,
                                           enum state_withdrawn reason, const char *who);
/* Ends of that cause that wait for their hour: it BEGAN_AGAIN. */
MUST_CHECK enum err state_withdraw_ends(struct state *state, const char *cause,
                                        int64_t now_ms);

/* Messages that were made for the channel since then, but for those that wait for their
 * hour. */
MUST_CHECK enum err state_count_channel(struct state *state, const char *channel,
                                        int64_t since_ms, int64_t now_ms,
                                        uint64_t *count);

struct state_health {
    uint32_t failures;  /* results in a row that were none */
    int64_t failing_ms; /* since when; 0: it works */
    char incident[ALERT_ID_SIZE];
};

/* Zeroed when nothing is known of it. */
MUST_CHECK enum err state_get_health(struct state *state, const char *channel,
                                     struct state_health *health);
MUST_CHECK enum err state_put_health(struct state *state, const char *channel,
                                     const struct state_health *health);

/* A channel that has failed since then or longer, and has no incident yet. NOT_FOUND. */
#define STATE_CHANNEL_SIZE 128
MUST_CHECK enum err state_find_failing(struct state *state, int64_t since_ms,
                                       char channel[STATE_CHANNEL_SIZE]);

/* Whose message that is; NOT_FOUND. */
struct state_addressee {
    char channel[STATE_CHANNEL_SIZE];
    char incident[ALERT_ID_SIZE];
};
MUST_CHECK enum err state_get_addressee(struct state *state, uint64_t message,
                                        struct state_addressee *addressee);
/* Escalations that have told over the channel are to be looked at again by then. */
MUST_CHECK enum err state_recall_escalations(struct state *state, const char *channel,
                                             int64_t now_ms);

/*
 * The clock was ahead: what was made later than now, was made now, and may go; what was
 * attempted may again, when it would wait until after `latest_ms`. What waits for its
 * hour stays.
 */
MUST_CHECK enum err state_turn_messages_back(struct state *state, const char *channel,
                                             int64_t now_ms, int64_t latest_ms);
/* Likewise rounds, which are looked at now, and since when channels fail. */
MUST_CHECK enum err state_turn_rounds_back(struct state *state, int64_t now_ms);
/* Nothing comes back later than then. */
MUST_CHECK enum err state_turn_reminders_back(struct state *state, int64_t latest_ms);

#endif
