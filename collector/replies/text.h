// SPDX-License-Identifier: Apache-2.0
/*
 * text - what a message offers for its answer, and what people answer.
 *
 * A code is four characters that nobody mixes up, for whoever types: it is of one
 * incident, one channel and one receiver. A token is for buttons: it names its incident
 * and its end and is signed for one channel, in 64 bytes, which is all that a button of
 * Telegram carries. Neither opens anything by itself: who answers must be known besides.
 * Pure; any bytes may come.
 */
#ifndef COLDCHAIN_COLLECTOR_REPLIES_TEXT_H
#define COLDCHAIN_COLLECTOR_REPLIES_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/incident.h"
#include "base/err.h"

#define REPLY_KEY_BYTES  32
#define REPLY_CODE_SIZE  5   /* 4 characters and NUL: one in a million by chance */
#define REPLY_TOKEN_SIZE 65  /* 64 characters and NUL */
#define REPLY_TEXT_MAX   256 /* bytes of an answer; what is longer is a letter */

/* `box` is where the message went: a number, a chat; "": the channel's own receivers. */
void reply_code(char code[REPLY_CODE_SIZE], const uint8_t key[REPLY_KEY_BYTES],
                const char *channel, const char *box, const char *incident);

struct reply_token {
    char incident[ALERT_ID_SIZE];
    int64_t until_s;
};

/* False when the incident's id is none that fits. */
bool reply_token_format(char text[REPLY_TOKEN_SIZE], const struct reply_token *token,
                        const uint8_t key[REPLY_KEY_BYTES], const char *channel);
/* INVALID: not one of this house and channel; DENIED: its time is over. */
MUST_CHECK enum err reply_token_parse(struct reply_token *token, const char *text,
                                      const uint8_t key[REPLY_KEY_BYTES],
                                      const char *channel, int64_t now_ms);

struct reply_text {
    bool says_yes;              /* "1", "ok", "收到", "/ack" ... */
    char code[REPLY_CODE_SIZE]; /* ""; in capitals */
};

/*
 * "1 4F7K", "ok", "收到４ｆ７ｋ", "/ack@bot 4F7K", "@robot 4F7K": one word of assent, one
 * code, or both. False for anything else: "not ok" is no assent.
 */
bool reply_text_parse(struct reply_text *reply, const char *text, size_t len);

/*
 * The "1 4F7K" in a message of ours, as reply_hint() wrote it. False: there is none, or
 * there are several; the code is undefined then.
 */
bool reply_code_find(char code[REPLY_CODE_SIZE], const char *text, size_t len);

#endif
