// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of the API share: one request, what its parameters say, and
 * how it is answered. Nobody else includes this.
 *
 * Who asks is found out in identity.h, what he sees in sight.h; changes.h makes commands
 * of requests, routes.h lists all there are, server.h is the door to libmicrohttpd. A
 * call belongs to the thread that answers it.
 */
#ifndef COLDCHAIN_COLLECTOR_API_INTERNAL_H
#define COLDCHAIN_COLLECTOR_API_INTERNAL_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>

#include <jansson.h>
#include <microhttpd.h>

#include "base/buf.h"
#include "collector/access/access.h"
#include "collector/api/api.h"
#include "collector/api/problems.h"
#include "collector/api/query.h"
#include "collector/command/command.h"
#include "collector/store/history.h"
#include "collector/store/state.h"
#include "collector/store/state_incidents.h"
#include "collector/store/state_people.h"

/* Connections of one request to the stores; kept in a pool between requests. */
struct api_stores {
    struct api_stores *next;
    struct state *state;
    struct history_reader *history;
};

struct api_route;

/* One request being answered. */
struct api_call {
    struct api *api;
    const struct api_route *route;
    struct MHD_Connection *connection;
    bool has_begun;  /* its headers are known */
    bool is_odd;     /* its address reads in two ways */
    bool must_close; /* what follows on the connection may not be a request */
    char parts[QUERY_PARTS_MAX][ID_SIZE];
    struct buf body; /* of a POST */
    size_t body_len; /* of all that came */
    struct api_stores *stores;
    struct principal principal; /* who asks */
    struct api_stream *stream;  /* the answer goes on; see stream.c; NULL: it does not */
    json_t *places;             /* zones, once they were asked for; see places.c */
    json_t *devices;            /* seen by whom has some sites only */

    /* the answer */
    unsigned status;
    char etag[24]; /* "": none */
    const char *content_type;
    const char *download_name; /* NULL: shown, not saved */
    struct buf cookie;         /* Set-Cookie; empty: none */
    const char *nonce;         /* of the page's style; NULL: no page */
    char nonce_text[33];
    int64_t retry_ms;     /* Retry-After; 0: none */
    const char *language; /* of a problem; NULL: of nothing in particular */
    struct buf link;      /* of the page that follows, RFC 8288; empty: none */
    struct buf allow;     /* methods that the address takes, when it was another */
    struct buf out;
};

/* The query parameter, NULL when absent. Borrowed for the call. */
const char *api_param(const struct api_call *call, const char *name);
/*
 * Answers with an RFC 9457 problem in the caller's language; behind `problem` come names
 * of places in its text and what stands there, and NULL. Returns false, so that it can be
 * the answer of who reads a question.
 */
bool api_refuse(struct api_call *call, enum problem problem, ...)
    __attribute__((sentinel));
/*
 * Read a parameter, or take what holds without it; false when it is refused, which
 * answers the call.
 */
bool api_read_time(struct api_call *call, const char *name, int64_t fallback,
                   int64_t *ms);
bool api_read_number(struct api_call *call, const char *name, uint64_t least,
                     uint64_t most, uint64_t fallback, uint64_t *number);
/* What became of a command that was not applied; `why` is the pipeline's sentence. */
void api_command_problem(struct api_call *call, enum err err, const char *why);
/* Whether the history answered; false answers the call. */
bool api_history_answers(struct api_call *call, enum err err);
/* Of a text that need not be UTF-8: what is not becomes U+FFFD. */
json_t *api_json_text(const char *text);
/* What a store could not do, as a problem. NOT_FOUND is 404. */
void api_store_problem(struct api_call *call, enum err err);

/* The body as an object of JSON, the caller's to release; NULL, answered, when it is
 * none. */
json_t *api_object(struct api_call *call);
/* A text of that object, NULL when it is none. Borrowed. */
const char *api_text(const json_t *object, const char *key);
void api_dump(struct api_call *call, json_t *root);
void api_put_time(json_t *object, const char *key, int64_t ms);
/* Parameters of a list that is read page by page, by the ids of its entries. */
bool api_read_page(struct api_call *call, uint64_t *limit, const char **after);
/* Takes `list`, whose last entry's id is where the next page begins. */
void api_answer_page(struct api_call *call, const char *name, json_t *list,
                     uint64_t limit, enum err err);

/* api.c, for request.c */
struct api_stores *api_stores_take(struct api *api, struct err_text *why);
/* Accepts NULL. */
void api_stores_give(struct api *api, struct api_stores *stores);
int64_t api_now_ms(const struct api *api);

/* repeat.c: runs the route's handler, or answers as it was answered under that key. */
#define API_KEY_MAX 255
void api_handle_once(struct api_call *call);
/* NULL: none. 1 to API_KEY_MAX bytes where a handler sees it. Borrowed for the call. */
const char *api_idempotency_key(const struct api_call *call);
struct replay *api_replay_of(const struct api *api);

/* conditional.c: gives a GET's answer its ETag; 304 when who asks has it. */
void api_make_conditional(struct api_call *call);

/* Asks the loop; TIMEOUT answers the call itself and returns false. */
bool api_ask_live(struct api_call *call, enum api_live what, struct buf *out);
/* The same of one thing of that name. */
bool api_ask_live_of(struct api_call *call, enum api_live what, const char *subject,
                     struct buf *out);
/* OK, or why not; TIMEOUT: it did not say in time. */
enum err api_ask_ready(struct api_call *call, struct err_text *why);

/* A page without script, of HTML that is safe; `alert` may be NULL. */
void api_page(struct api_call *call, const char *title, const char *body,
              const char *alert);

/* rule_numbers.c */
/* Adds "now" to those of the list that name their zone's band: the numbers of it. */
void api_add_rule_numbers(const struct api_call *call, json_t *rules);

/* incidents.c */
/* The caller's. */
json_t *api_incident_json(const struct incident *incident);

/* upkeep.c */
struct backup *api_backup(const struct api *api);
enum err api_publish(const struct api *api, const char *topic, const void *data,
                     size_t len);

#endif
