// SPDX-License-Identifier: Apache-2.0
/*
 * server - the listening socket, libmicrohttpd's callbacks, and answers that stream.
 *
 * Only the files of the API include it.
 */
#ifndef COLDCHAIN_COLLECTOR_API_SERVER_H
#define COLDCHAIN_COLLECTOR_API_SERVER_H

#include "collector/api/internal.h"

/* listen.c */
struct listener;
enum err listener_open(struct listener **result, struct api *api,
                       const struct api_options *options, struct err_text *why);
/* Ends requests under way. Accepts NULL. */
void listener_close(struct listener *listener);
int listener_port(const struct listener *listener);
/* See api_reload(). */
void listener_reload(struct listener *listener);
/* The connection's request is complete and is answered now; was answered. */
void listener_serves(struct MHD_Connection *connection);
void listener_has_served(struct MHD_Connection *connection);

/* Held by one stream while it has stores. */
pthread_mutex_t *api_stream_lock(struct api *api);
/* Fills the feed with all there is; false, and answered, when the loop does not. */
bool api_ask_all(struct api_call *call);
/* stream.c: the answer of a call that streams, and its end. */
struct MHD_Response *api_stream_response(struct api_call *call);
void api_stream_finish(struct api_call *call);

/* request.c, for libmicrohttpd */
void *api_on_uri(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result api_on_request(void *context, struct MHD_Connection *connection,
                               const char *url, const char *method, const char *version,
                               const char *upload, size_t *upload_len, void **slot);
void api_on_completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode why);

#endif
