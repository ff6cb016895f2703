// SPDX-License-Identifier: Apache-2.0
/*
 * request - from a request as libmicrohttpd has it to a route, and the answer back.
 *
 * What two readers could understand in two ways is refused before anything is done: odd
 * addresses, headers that stand twice, parameters that no route knows.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "collector/api/internal.h"

#define BODY_MAX (size_t)(64 * 1024)
/* Of a body without a length that is read to its end only to be refused. */
#define BODY_READ_MAX (size_t)(1024 * 1024)
#define RETRY_AFTER_S "2"

const char *api_param(const struct api_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_GET_ARGUMENT_KIND, name);
}

json_t *api_json_text(const char *text)
{
    struct buf clean = {0};
    size_t left = strlen(text);
    while (left > 0) {
        size_t step = utf8_len(text, left);
        if (step > 0)
            buf_add(&clean, text, step);
        else
            buf_text(&clean, "\xef\xbf\xbd");
        step = step > 0 ? step : 1;
        text += step;
        left -= step;
    }
    json_t *value = json_stringn(clean.data != NULL ? clean.data : "", clean.len);
    buf_fini(&clean);
    return value;
}

/* ---- answers ------------------------------------------------------------------------
 */

void api_problem(struct api_call *call, unsigned status, const char *title,
                 const char *detail)
{
    json_t *problem =
        json_pack("{s:s, s:i, s:s, s:o}", "type", "about:blank", "status", (int)status,
                  "title", title, "detail", api_json_text(detail));
    char *text = json_dumps(problem, JSON_COMPACT);
    assert(text != NULL);
    buf_clear(&call->out);
    buf_clear(&call->link);
    buf_text(&call->out, text);
    free(text);
    json_decref(problem);
    call->status = status;
    call->content_type = "application/problem+json";
    call->download_name = NULL;
}

void api_store_problem(struct api_call *call, const char *title, enum err err)
{
    bool is_passing = err == ERR_TIMEOUT || err == ERR_BUSY;
    if (err == ERR_NOT_FOUND)
        api_problem(call, MHD_HTTP_NOT_FOUND, "not found",
                    "there is nothing of that name");
    else
        api_problem(call,
                    is_passing ? MHD_HTTP_SERVICE_UNAVAILABLE
                               : MHD_HTTP_INTERNAL_SERVER_ERROR,
                    title, err_about(err));
}

/* Nothing is loaded from anywhere, nothing frames us, and a page has its own style. */
static void add_shields(const struct api_call *call, struct MHD_Response *response)
{
    char policy[200];
    snprintf(policy, sizeof policy,
             "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
             "form-action 'self'%s%s%s",
             call->nonce != NULL ? "; style-src 'nonce-" : "",
             call->nonce != NULL ? call->nonce : "", call->nonce != NULL ? "'" : "");
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Permissions-Policy", "interest-cohort=()");
}

static void add_headers(struct api_call *call, struct MHD_Response *response)
{
    char seconds[24];
    add_shields(call, response);
    if (call->cookie.len > 0)
        MHD_add_response_header(response, "Set-Cookie", call->cookie.data);
    if (call->retry_ms > 0) {
        snprintf(seconds, sizeof seconds, "%lld",
                 (long long)(call->retry_ms + 999) / 1000);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    MHD_add_response_header(response, "Content-Type", call->content_type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (call->status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (call->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", RETRY_AFTER_S);
    if (call->link.len > 0)
        MHD_add_response_header(response, "Link", call->link.data);
    if (call->allow.len > 0)
        MHD_add_response_header(response, "Allow", call->allow.data);
    if (call->must_close)
        MHD_add_response_header(response, "Connection", "close");
    if (call->download_name != NULL) {
        char value[128];
        snprintf(value, sizeof value, "attachment; filename=\"%s\"", call->download_name);
        MHD_add_response_header(response, "Content-Disposition", value);
    }
}

static enum MHD_Result send_answer(struct api_call *call)
{
    size_t len = call->out.len;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        len, len > 0 ? buf_take(&call->out) : mem_alloc(1), MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;
    add_headers(call, response);
    enum MHD_Result result = MHD_queue_response(call->connection, call->status, response);
    MHD_destroy_response(response);
    return result;
}

/* ---- who asks -----------------------------------------------------------------------
 */

static bool is_let_in(struct api_call *call, const struct api_route *route)
{
    bool names_org = route->need.tenant == ACCESS_TENANT_ORG ||
                     route->need.tenant == ACCESS_TENANT_DEVICE;
    switch (
        access_route(&call->principal, &route->need, names_org ? call->parts[0] : NULL)) {
    case ACCESS_ALLOW:
        return api_checks_tenant(call, route);
    case ACCESS_LOGIN:
        api_problem(call, MHD_HTTP_UNAUTHORIZED, "a token is needed",
                    "send 'Authorization: Bearer TOKEN'; the first start left one in the "
                    "token file that the collector's log names");
        break;
    case ACCESS_DENY:
        api_problem(call, MHD_HTTP_FORBIDDEN, "not allowed",
                    "your role does not take this; docs/authorization.md says which "
                    "does; ask an admin");
        break;
    case ACCESS_HIDE:
        api_not_found(call);
        break;
    }
    return false;
}

/* ---- what is asked ------------------------------------------------------------------
 */

struct param_check {
    const char *known;
    const char *seen[16];
    size_t count;
    char wrong[256];
};

static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; *at != '\0'; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == len && memcmp(at, name, len) == 0)
            return true;
        at += word;
    }
    return false;
}

static enum MHD_Result on_param(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    (void)kind;
    struct param_check *check = context;
    bool is_twice = false;
    for (size_t i = 0; i < check->count; i++)
        is_twice = is_twice || strcmp(check->seen[i], name) == 0;
    if (!is_listed(check->known, name))
        snprintf(check->wrong, sizeof check->wrong, "'%.40s' is not known here%s%s", name,
                 check->known[0] != '\0' ? "; there are: " : "", check->known);
    else if (is_twice)
        snprintf(check->wrong, sizeof check->wrong, "'%.40s' stands twice", name);
    else if (value == NULL)
        snprintf(check->wrong, sizeof check->wrong, "'%.40s' has no value", name);
    else if (check->count < sizeof check->seen / sizeof check->seen[0])
        check->seen[check->count++] = name;
    return check->wrong[0] == '\0' ? MHD_YES : MHD_NO;
}

/* A parameter that is passed over silently answers another question than was asked. */
static bool has_known_params(struct api_call *call, const struct api_route *route)
{
    struct param_check check = {.known = route->params};
    MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, on_param, &check);
    if (check.wrong[0] != '\0')
        api_problem(call, MHD_HTTP_BAD_REQUEST, "the question is not clear", check.wrong);
    return check.wrong[0] == '\0';
}

static void run_route(struct api_call *call, const struct api_route *route)
{
    struct err_text why = {0};
    call->stores = api_stores_take(call->api, &why);
    if (call->stores == NULL)
        api_problem(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "the stores cannot be read",
                    why.text);
    else if (api_identify(call, route) && is_let_in(call, route) &&
             has_known_params(call, route))
        route->handle(call);
    api_stores_give(call->api, call->stores);
    call->stores = NULL;
}

static bool takes(const struct api_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* Undeclared is not found; declared with another method is not allowed. */
static void dispatch(struct api_call *call, const char *method, const char *path)
{
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        if (!query_match(route->pattern, path, call->parts))
            continue;
        if (takes(route, method)) {
            buf_clear(&call->allow);
            run_route(call, route);
            return;
        }
        buf_format(&call->allow, "%s%s%s", call->allow.len > 0 ? ", " : "",
                   strcmp(route->method, "GET") == 0 ? "HEAD, " : "", route->method);
    }
    if (call->allow.len > 0)
        api_problem(call, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed",
                    "this address takes another method; see docs/api.md");
    else
        api_problem(call, MHD_HTTP_NOT_FOUND, "not found",
                    "there is nothing at this address; see docs/api.md");
}

/* ---- what libmicrohttpd calls -------------------------------------------------------
 */

/*
 * libmicrohttpd decodes %00, which ends the text for us and not for a proxy before us,
 * and %2F, which becomes a '/' that was none.
 */
static bool is_odd_uri(const char *uri)
{
    size_t path_len = strcspn(uri, "?");
    if (uri[0] != '/')
        return true;
    for (const char *at = strchr(uri, '%'); at != NULL; at = strchr(at + 1, '%')) {
        bool is_in_path = at < uri + path_len;
        if (strncmp(at, "%00", 3) == 0 ||
            (is_in_path &&
             (strncasecmp(at, "%2F", 3) == 0 || strncasecmp(at, "%5C", 3) == 0)))
            return true;
    }
    return false;
}

/* The call is made here, where the address is still as it came. */
void *api_on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct api_call *call = mem_alloc(sizeof *call);
    call->api = context;
    call->connection = connection;
    call->is_odd = is_odd_uri(uri);
    call->status = MHD_HTTP_OK;
    call->content_type = "application/json";
    return call;
}

struct header_check {
    unsigned lengths;
    unsigned encodings;
    unsigned hosts;
    unsigned authorizations;
    unsigned origins;
    const char *length;
};

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    (void)kind;
    struct header_check *check = context;
    check->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0;
    check->encodings += strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    check->hosts += strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0;
    check->authorizations += strcasecmp(name, MHD_HTTP_HEADER_AUTHORIZATION) == 0;
    check->origins += strcasecmp(name, MHD_HTTP_HEADER_ORIGIN) == 0;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
        check->length = value;
    return MHD_YES;
}

static void refuse_body(struct api_call *call)
{
    call->must_close = true;
    api_problem(call, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large",
                "at most 64 KiB are taken");
}

/* False when the answer is clear before any of the body has come. */
static bool has_clear_headers(struct api_call *call)
{
    struct header_check check = {0};
    uint64_t length;
    MHD_get_connection_values(call->connection, MHD_HEADER_KIND, on_header, &check);
    bool is_ambiguous = call->is_odd || check.lengths > 1 || check.encodings > 1 ||
                        check.hosts > 1 || check.authorizations > 1 ||
                        check.origins > 1 || (check.lengths > 0 && check.encodings > 0);
    if (is_ambiguous) {
        call->must_close = true;
        api_problem(call, MHD_HTTP_BAD_REQUEST, "the request is ambiguous",
                    call->is_odd ? "the address holds what reads in two ways"
                                 : "a header that may stand once stands twice");
        return false;
    }
    if (check.length != NULL &&
        query_number(&length, check.length, 0, BODY_MAX, 0) != ERR_OK) {
        refuse_body(call);
        return false;
    }
    return true;
}

/* Of what is too large only the length is kept, so that the end can be answered. */
static enum MHD_Result take_body(struct api_call *call, const char *upload, size_t len)
{
    call->body_len += len;
    if (call->body_len <= BODY_MAX)
        buf_add(&call->body, upload, len);
    return call->body_len <= BODY_READ_MAX ? MHD_YES : MHD_NO;
}

enum MHD_Result api_on_request(void *context, struct MHD_Connection *connection,
                               const char *url, const char *method, const char *version,
                               const char *upload, size_t *upload_len, void **slot)
{
    (void)context;
    (void)connection;
    (void)version;
    struct api_call *call = *slot;
    assert(call != NULL && call->connection == connection);
    if (!call->has_begun) {
        call->has_begun = true;
        return has_clear_headers(call) ? MHD_YES : send_answer(call);
    }
    if (*upload_len > 0) {
        size_t len = *upload_len;
        *upload_len = 0;
        return take_body(call, upload, len);
    }
    if (call->body_len > BODY_MAX)
        refuse_body(call);
    else
        dispatch(call, method, url);
    return send_answer(call);
}

void api_on_completed(void *context, struct MHD_Connection *connection, void **slot,
                      enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct api_call *call = *slot;
    if (call == NULL)
        return;
    buf_fini(&call->body);
    buf_fini(&call->out);
    buf_fini(&call->link);
    buf_fini(&call->allow);
    buf_fini(&call->cookie);
    principal_fini(&call->principal);
    json_decref(call->places);
    json_decref(call->devices);
    free(call);
    *slot = NULL;
}
