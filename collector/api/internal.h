// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of the API share. Nobody else includes this.
 */
#ifndef COLDCHAIN_COLLECTOR_API_INTERNAL_H
#define COLDCHAIN_COLLECTOR_API_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

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
    char parts[QUERY_PARTS_MAX][ID_SIZE];
    struct buf body; /* of a POST */
    struct api_stores *stores;
    char actor[ID_SIZE];

    /* the answer */
    unsigned status;
    const char *content_type;
    const char *download_name; /* NULL: shown, not saved */
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
