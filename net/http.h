// SPDX-License-Identifier: Apache-2.0
/*
 * http - the door to libcurl: blocking requests, one client per thread, kept alive.
 *
 * Certificates are verified; redirects are not followed; no proxy unless the request
 * names one, whatever the environment says; bodies of answers are capped. A client
 * belongs to one thread at a time, but for http_client_cancel().
 */
#ifndef COLDCHAIN_NET_HTTP_H
#define COLDCHAIN_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define HTTP_BODY_MAX (4u << 20)

struct http_client;

struct http_request {
    const char *method;         /* "GET", "POST", ... */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value", NULL-terminated; NULL: none */
    const void *body;
    size_t body_len;
    int64_t timeout_ms;  /* 0: 10000, for the whole exchange */
    const char *ca_file; /* NULL: the system's store */
    const char *proxy;   /* "http://host:port"; NULL: none */
};

struct http_response {
    int status;
    int64_t retry_after_ms; /* -1 when absent; both forms of the header are understood */
    bool is_untrusted;      /* OFFLINE because its certificate is not to be trusted */
    int64_t date_ms;        /* of the Date header, in whole seconds; -1 when absent */
    struct buf body;
};

struct http_client *http_client_create(void);
/* Accepts NULL. */
void http_client_destroy(struct http_client *client);

/*
 * Any thread: the request that runs ends soon with OFFLINE (within about a second), all
 * later ones at once. For the end of a daemon; there is no way back.
 */
void http_client_cancel(struct http_client *client);

/*
 * ERR_OK means that an answer came, whatever its status. OFFLINE (no connection, no
 * trust, cut off), TIMEOUT, LIMIT (body too large), INVALID (URL, a header with control
 * characters, CA file). The caller runs http_response_fini in any case.
 */
MUST_CHECK enum err http_send(struct http_client *client,
                              const struct http_request *request,
                              struct http_response *response, struct err_text *why);
void http_response_fini(struct http_response *response);

#endif
