// SPDX-License-Identifier: Apache-2.0
/*
 * telegram_wire - what Telegram's Bot API is asked for answers, and what it says.
 *
 * Texts of updates are what anybody typed; nothing of them is believed here. Pure.
 */
#ifndef COLDCHAIN_COLLECTOR_REPLIES_TELEGRAM_WIRE_H
#define COLDCHAIN_COLLECTOR_REPLIES_TELEGRAM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/buf.h"

#define TELEGRAM_URL       "https://api.telegram.org"
#define TELEGRAM_BATCH_MAX 100  /* updates of one answer that are read */
#define TELEGRAM_ID_SIZE   24   /* of chats and users, as text; NUL counts */
#define TELEGRAM_TEXT_MAX  4096 /* units of UTF-16, of a message */
#define TELEGRAM_ALERT_MAX 200  /* of the answer to a button */

enum telegram_sort {
    TELEGRAM_OTHER, /* nothing for us, or nothing that can be read: passed over */
    TELEGRAM_BUTTON,
    TELEGRAM_TEXT,
};

/* Texts are borrowed from the batch; "" where there is none. */
struct telegram_update {
    int64_t id;
    enum telegram_sort sort;
    char chat[TELEGRAM_ID_SIZE];
    char user[TELEGRAM_ID_SIZE];
    char author[TELEGRAM_ID_SIZE]; /* TEXT: whose `message` is; "": it answers none */
    bool is_bot;                   /* another program speaks */
    const char *query;             /* BUTTON: what is to be answered */
    const json_t *keyboard;        /* rows of buttons under `message`; NULL: none */
    const char *data;    /* BUTTON: of the button; TEXT: of the one under the message that
                            is answered */
    int64_t message;     /* BUTTON: the one with the button; TEXT: the one that is
                            answered; 0: none */
    int64_t own_message; /* TEXT: itself */
    const char *text;    /* TEXT: what was typed */
    size_t text_len;
    const char *quoted; /* text of `message` */
    size_t quoted_len;
};

enum telegram_answer {
    TELEGRAM_GOOD,
    TELEGRAM_CONFLICT, /* somebody else fetches, or a webhook is set */
    TELEGRAM_RATE,     /* wait_ms */
    TELEGRAM_SETTINGS, /* the token */
    TELEGRAM_GARBAGE,  /* that is no answer of a bot */
};

struct telegram_batch {
    enum telegram_answer answer;
    int64_t wait_ms;
    struct telegram_update updates[TELEGRAM_BATCH_MAX];
    size_t count;
    json_t *root; /* private */
};

/* The caller ends it by telegram_batch_fini(). */
void telegram_batch_parse(struct telegram_batch *batch, int status, const void *data,
                          size_t len);
void telegram_batch_fini(struct telegram_batch *batch);

/* Of any other request; what it was about is not read. */
enum telegram_answer telegram_judge(int status, const void *data, size_t len,
                                    int64_t *wait_ms);

/* Bodies of requests. offset 0: from the beginning. */
void telegram_get_updates(int64_t offset, int limit, int timeout_s, struct buf *out);
void telegram_answer_button(const char *query, const char *text, bool is_loud,
                            struct buf *out);
/*
 * The message of `update` with `mark` under its text and without that button. Of a list
 * the other buttons stay, and the mark has the button's own text in front.
 */
void telegram_mark_message(const struct telegram_update *update, const char *mark,
                           struct buf *out);
void telegram_answer_text(const char *chat, int64_t message, const char *text,
                          struct buf *out);

#endif
