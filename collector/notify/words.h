// SPDX-License-Identifier: Apache-2.0
/*
 * words - the dictionary of what people are told of incidents, in Chinese and English.
 *
 * One entry per kind of rule: what is wrong, and what to look at first. Texts hold
 * ${names} that message.c fills, see template.h. Constant.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_WORDS_H
#define COLDCHAIN_COLLECTOR_NOTIFY_WORDS_H

#include "alerts/rule.h"
#include "base/buf.h"
#include "collector/notify/template.h"

enum words_language { WORDS_EN, WORDS_ZH };

/*
 * ${quantity} ${device} ${channel}; ${value}: what is measured now and the worst of it,
 * of a measure that is not the value itself the worst alone; ${level}: the level reached;
 * ${reference}: the rule's own limit; ${window}; ${life}: of life_left, whose it is and
 * for how long; ${span}: how long so far; ${since}: when the level was passed first;
 * ${alone}: WORDS_ALONE or nothing.
 */
struct words_kind {
    const char *what[2];  /* by language */
    const char *check[2]; /* behind "check first: ", of a temperature: see checks.h */
};

/* Not of dates and of trouble: message_date.h, message_trouble.h. */
const struct words_kind *words_of_kind(enum alert_kind kind);

enum words_phrase {
    WORDS_HEAD, /* ${severity} ${zone} */
    WORDS_CHECK,
    WORDS_OVER,      /* ${span} */
    WORDS_WITHDRAWN, /* ${device} */
    WORDS_WARNING,
    WORDS_CRITICAL,
    WORDS_DIGEST, /* ${severity} ${count} */
    WORDS_ALONE,  /* a channel is silent, its device is not */
    WORDS_ALONE_CHECK,
    WORDS_WORST, /* ${worst} */
    WORDS_CAUSE, /* what leads stands behind it */
    WORDS_LAST,  /* likewise what ended last */
    WORDS_THERE, /* ${zone}: of these, when it is another one */
    WORDS_ACK,   /* ${link} */
    WORDS_TEST,  /* ${channel} ${by} */
    /* What the goods bear: ${air} ${limit} ${goods} ${minutes}, ${soonest} ${latest}
     * where tau is assumed to be ${tau}; ${band} ${at}. */
    WORDS_HARM_COMES,
    WORDS_HARM_ASSUMED,
    WORDS_HARM_STAYS_WARM, /* it is warm air that the goods bear */
    WORDS_HARM_STAYS_COLD,
    WORDS_HARM_THERE,
    WORDS_HARM_UNSAID,
    WORDS_HARM_AS_OF,
    WORDS_HARM_GOODS,
    WORDS_HARM_BAND,
    WORDS_RANGE, /* ${low} ${high} */
    WORDS_AT_MOST,
    WORDS_AT_LEAST,
    WORDS_NOW,
    WORDS_PHRASES
};

const char *words(enum words_phrase phrase, enum words_language language);
/* Adds the phrase; `values` has all that it names. */
void words_say(enum words_phrase phrase, enum words_language language,
               const struct template_value *values, size_t count, struct buf *out);

#endif
