// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of the API share. Nobody else includes this.
 */
#ifndef COLDCHAIN_COLLECTOR_API_INTERNAL_H
#define COLDCHAIN_COLLECTOR_API_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include <jansson.h>
#include <microhttpd.h>

#include "base/buf.h"
#include "collector/api/api.h"
#include "collector/api/query.h"
#include "collector/store/history.h"
#include "collector/store/state.h"

/* Connections of one request to the stores; kept in a pool between requests. */
struct api_stores {
    struct api_stores *next;
    struct state *state;
    struct history_reader *history;
};

/* One request being answered. */
struct api_call {
    struct api *api;
    struct MHD_Connection *connection;
    bool has_begun;  /* its headers are known */
    bool is_odd;     /* its address reads in two ways */
    bool must_close; /* what follows on the connection may not be a request */
    char parts[QUERY_PARTS_MAX][ID_SIZE];
    struct buf body; /* of a POST */
    size_t body_len; /* of all that came */
    struct api_stores *stores;
    char actor[ID_SIZE];

    /* the answer */
    unsigned status;
    const char *content_type;
    const char *download_name; /* NULL: shown, not saved */
    struct buf link;           /* of the page that follows, RFC 8288; empty: none */
    struct buf allow;          /* methods that the address takes, when it was another */
    struct buf out;
};

enum api_role {
    API_OPEN,  /* anybody: says nothing about places or readings */
    API_TOKEN, /* whoever holds a token that counts */
};

struct api_route {
    const char *method;
    const char *pattern;
    enum api_role role;
    const char *params; /* what may stand behind '?', each once, joined by spaces */
    void (*handle)(struct api_call *call);
    const char *help;
};

/* The whole interface, in plain sight; ends with a NULL method. */
extern const struct api_route api_routes[];

/* The query parameter, NULL when absent. Borrowed for the call. */
const char *api_param(const struct api_call *call, const char *name);
/* Answers with an RFC 9457 problem: what is wrong, and what to do. */
void api_problem(struct api_call *call, unsigned status, const char *title,
                 const char *detail);
/* Of a text that need not be UTF-8: what is not becomes U+FFFD. */
json_t *api_json_text(const char *text);
/* What a store could not do, as a problem. NOT_FOUND is 404. */
void api_store_problem(struct api_call *call, const char *title, enum err err);

/* api.c, for request.c */
struct api_stores *api_stores_take(struct api *api, struct err_text *why);
/* Accepts NULL. */
void api_stores_give(struct api *api, struct api_stores *stores);
int64_t api_now_ms(const struct api *api);

/* request.c, for libmicrohttpd */
void *api_on_uri(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result api_on_request(void *context, struct MHD_Connection *connection,
                               const char *url, const char *method, const char *version,
                               const char *upload, size_t *upload_len, void **slot);
void api_on_completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode why);

/* Asks the loop; TIMEOUT answers the call itself and returns false. */
bool api_ask_live(struct api_call *call, enum api_live what, struct buf *out);
bool api_ask_ready(struct api_call *call, struct err_text *why);
/* Submits the command and waits until it was applied. */
enum err api_command(struct api_call *call, const char *id, const struct buf *json,
                     struct err_text *why);

void api_get_readings(struct api_call *call);
void api_get_zone_readings(struct api_call *call);
void api_get_incidents(struct api_call *call);
void api_get_incident(struct api_call *call);
void api_acknowledge(struct api_call *call);
void api_get_quarantine(struct api_call *call);
void api_get_sinks(struct api_call *call);
void api_get_outbox(struct api_call *call);

#endif
