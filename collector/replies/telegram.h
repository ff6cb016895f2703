// SPDX-License-Identifier: Apache-2.0
/*
 * telegram - fetches what people answer to a bot, and acknowledges.
 *
 * One thread per bot holds a request open (getUpdates) and takes buttons and texts from
 * the chats that the settings name. Up to where it has come is kept in a file after each
 * of them; one that comes again is the same command. All functions belong to the loop.
 */
#ifndef COLDCHAIN_COLLECTOR_REPLIES_TELEGRAM_H
#define COLDCHAIN_COLLECTOR_REPLIES_TELEGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "collector/config_channels.h"
#include "collector/replies/desk.h"

struct telegram;

struct telegram_options {
    const struct config_channel *const *channels; /* all of one bot; copied */
    size_t channel_count;                         /* at least 1 */
    struct reply_desk *desk;
    const char *state_path;
    const char *data_dir; /* where the file is kept */
    const struct clock *clock;
    struct loop *loop;
    int poll_s;       /* how long a request stays open; 0: 25 */
    int64_t pause_ms; /* between requests that bring nothing; grows 60 fold; 0: 1000 */
    void *context;
    /* The loop: appends a COMMAND record; telegram_command_done() follows. */
    enum err (*submit)(void *context, const char *json, size_t len);
};

struct telegram *telegram_create(const struct telegram_options *options);
/* A command, of whomever, was applied or refused. */
void telegram_command_done(struct telegram *telegram, const char *id, enum err err);
/* Ends the request that is open, within about a second. */
void telegram_stop(struct telegram *telegram);
/* After the loop is gone, which may still hold what was posted. */
void telegram_destroy(struct telegram *telegram);

/* Whether two channels are one bot's, whose answers are fetched together. */
bool telegram_is_same_bot(const struct config_channel *a, const struct config_channel *b);

#endif
