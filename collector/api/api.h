// SPDX-License-Identifier: Apache-2.0
/*
 * api - HTTP and JSON for people and programs (docs/api.md).
 *
 * libmicrohttpd's threads serve requests. What is stored they read through connections
 * of their own; what lives on the loop thread they ask for by a post and a bounded wait;
 * a change they submit as a command and answer once it was applied. api_open, api_close
 * and api_command_done belong to the loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_API_API_H
#define COLDCHAIN_COLLECTOR_API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"

struct api;
struct backup;
struct feed;

/* What only the loop thread knows. */
enum api_live {
    API_LIVE_ZONES,    /* JSON array: zones with the last value of each channel */
    API_LIVE_DEVICES,  /* JSON array: devices, seen or declared */
    API_LIVE_CHANNELS, /* JSON array: how people are told, and whether it works */
    API_LIVE_STATUS,   /* JSON object: positions, connection, versions */
    /* JSON array of {org, device, channel, zone, from, to}: where channels measure */
    API_LIVE_PLACEMENTS,
    API_LIVE_RULES, /* JSON object of the zone `subject`; nothing: there is none */
};

struct ack_links;
struct config_channel;
struct reply_desk;
struct roster;
struct state;
/* What is written without being a command: sessions, the first token, set-up links. */
typedef enum err api_change_fn(struct state *state, void *argument);

struct api_options {
    const char *listen; /* "127.0.0.1" */
    int port;           /* 0: any free one, see api_port() */
    const char *state_path;
    const char *history_dir;
    const char *token_file;     /* where the first start leaves its token */
    const char *cert_file;      /* PEM; NULL: no TLS; these four outlive the API */
    const char *key_file;       /* with cert_file */
    const char *const *proxies; /* whose X-Forwarded-... are believed */
    size_t proxy_count;
    struct backup *backup; /* any thread; see collector/backup.h */
    /* Any thread: into the journal, as if the broker had brought it. */
    enum err (*publish)(void *context, const char *topic, const void *data, size_t len);
    const struct ack_links *links; /* of messages; NULL: there are none */
    const struct roster *roster;   /* whose they are; likewise */
    struct reply_desk *desk; /* of answers; with it the channels, which outlive it */
    const struct config_channel *const *channels;
    size_t channel_count;
    struct loop *loop;
    const struct clock *clock;
    int64_t wait_ms;         /* for the loop, then 503; 0: 5 s */
    int64_t session_idle_ms; /* a session that is not used ends; 0: 12 h */
    int64_t session_ms;      /* and any at the latest; 0: 7 days */
    size_t streams;          /* at a time; 0: 64 */
    int64_t idle_ms;         /* of a connection, then it is closed; 0: 15 s */

    /* All of these run on the loop thread. */
    void *context;
    void (*live)(void *context, enum api_live what, const char *subject, struct buf *out);
    /* Puts all zones, devices and open incidents into api_feed(), and seals it; leaves it
     * unsealed when it cannot. */
    void (*tell_all)(void *context);
    /* Appends a COMMAND record; api_command_done() follows once it was applied. */
    enum err (*submit)(void *context, const char *json, size_t len);
    /* Runs `change` in a transaction of state.db; durable when it returns ERR_OK. */
    enum err (*write)(void *context, api_change_fn *change, void *argument);
    /*
     * Whether work is being done as it should. BUSY: catching up; OFFLINE: without the
     * broker; IO: `why` says what cannot be written.
     */
    enum err (*ready)(void *context, struct err_text *why);
};

MUST_CHECK enum err api_open(struct api **api, const struct api_options *options,
                             struct err_text *why);
/* Ends requests under way; on the loop thread. Accepts NULL. */
void api_close(struct api *api);
/* After the loop is gone, which may still hold questions of ours. Accepts NULL. */
void api_destroy(struct api *api);
int api_port(const struct api *api);
/* Where news for streams is put; as long as the API is. See collector/api/feed.h. */
struct feed *api_feed(const struct api *api);
/* "https" or "http". */
const char *api_scheme(const struct api *api);
/* Reads the certificate and its key again, and logs how that went. */
void api_reload(struct api *api);

/* The command with that id was applied, or refused with err and a sentence; `result` is
 * a JSON object. */
void api_command_done(struct api *api, const char *id, enum err err, const char *text,
                      const char *result);

#endif
