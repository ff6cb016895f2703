// SPDX-License-Identifier: Apache-2.0
/*
 * message - what is said of an incident: complete without a link.
 *
 * Value, limit, since when, where: as JSON for machines, with a sentence in Chinese and
 * in English inside for people. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_H
#define COLDCHAIN_COLLECTOR_NOTIFY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "base/buf.h"
#include "collector/notify/message_time.h"
#include "collector/pipeline/registry.h"

#define MESSAGE_KEY_SIZE (ALERT_ID_SIZE + 12)

/* "1 h 5 min", the same in both languages. */
void message_span(char *text, size_t size, int64_t ms);

/* The idempotency key of a transition: the same for every attempt, also after a crash. */
void message_key(const struct incident *incident, char key[MESSAGE_KEY_SIZE]);

/* What the incident belongs to. Zeroed: to nothing but itself. */
struct message_cause {
    const char *id;                /* NULL: the incident's */
    const struct incident *leader; /* NULL: the incident itself */
    bool is_over; /* it began and ended before anybody knew: nobody need get up */
    bool is_part; /* and the cause goes on: not to be taken for its end */
    bool goes_on; /* others of it are open: nor is what never was */
};

/* A sentence more, when there is something to say; not of the leader. */
void message_cause_say(const struct message_cause *cause, const struct incident *incident,
                       enum alert_effect_kind kind, bool is_zh,
                       struct message_times *times, struct buf *out);

/*
 * The JSON body; cause and registry may be NULL. told_ms is when it was decided.
 * Sentences tell times as the clocks say them where it happens, machines are told them in
 * UTC.
 */
void message_format(const struct incident *incident, enum alert_effect_kind kind,
                    const struct message_cause *cause, const struct registry *registry,
                    int64_t told_ms, struct buf *out);

#endif
