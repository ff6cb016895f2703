// SPDX-License-Identifier: Apache-2.0
/*
 * words - what became of a reply, and how whoever sent it is told: in Chinese and
 * English.
 */
#ifndef COLDCHAIN_COLLECTOR_REPLIES_WORDS_H
#define COLDCHAIN_COLLECTOR_REPLIES_WORDS_H

#include "base/buf.h"
#include "collector/config_channels.h"

/* Names are for programs: they stand in answers of the API and in the audit. */
#define REPLY_FATE_LIST(X) \
    X(ACKNOWLEDGED, "acknowledged") \
    X(YOURS, "yours_already") \
    X(TAKEN, "taken")   /* somebody else was first */ \
    X(TESTED, "tested") /* the answer to a test: there is nothing to acknowledge */ \
    X(UNKNOWN_SENDER, "unknown_sender") \
    X(NOT_ALLOWED, "not_allowed") /* another organisation's, or a viewer */ \
    X(WRONG_CODE, "wrong_code") \
    X(EXPIRED, "expired") \
    X(NO_CODE, "no_code") \
    X(NOT_UNDERSTOOD, "not_understood") \
    X(TOO_MANY, "too_many") \
    X(LATER, "try_again") /* it could not be applied now */

enum reply_fate {
#define X(id, name) REPLY_##id,
    REPLY_FATE_LIST(X)
#undef X
        REPLY_FATES
};

const char *reply_fate_name(enum reply_fate fate);

/*
 * Adds the sentence; `who` is who acknowledged first, or the sender's own id on that
 * channel for UNKNOWN_SENDER; may be "".
 */
void reply_words(enum reply_fate fate, enum channel_language language, const char *who,
                 struct buf *out);
/* "Reply 1 4F7K to acknowledge"; `code` "": of a list, whose lines have codes. */
void reply_hint(enum channel_language language, const char *code, struct buf *out);
/* "acknowledged by li": what is put under a message that has been answered. */
void reply_mark(enum channel_language language, const char *who, struct buf *out);

#endif
