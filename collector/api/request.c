// SPDX-License-Identifier: Apache-2.0
/*
 * request - from a request as libmicrohttpd has it to a route, and the answer back.
 *
 * What two readers could understand in two ways is refused before anything is done: odd
 * addresses, headers that stand twice, parameters that no route knows.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/server.h"
#include "collector/api/sight.h"

#define BODY_MAX (size_t)(64 * 1024)
/* Of a body without a length that is read to its end only to be refused. */
#define BODY_READ_MAX (size_t)(1024 * 1024)
#define RETRY_AFTER_S "2"
#define PLACES_MAX    4

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

static void answer_problem(struct api_call *call, const char *code, unsigned status,
                           const char *title, const char *detail)
{
    json_t *problem = json_pack(
        "{s:o, s:i, s:s, s:o}", "type", json_sprintf("%s%s", PROBLEM_TYPE_START, code),
        "status", (int)status, "title", title, "detail", api_json_text(detail));
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

static char *fill(const char *text, const struct problem_place *places, size_t count)
{
    struct buf out = {0};
    problem_fill(&out, text, places, count);
    return buf_take(&out);
}

bool api_refuse(struct api_call *call, enum problem problem, ...)
{
    struct problem_place places[PLACES_MAX];
    size_t count = 0;
    va_list list;
    va_start(list, problem);
    for (const char *name = va_arg(list, const char *); name != NULL;
         name = va_arg(list, const char *)) {
        assert(count < PLACES_MAX);
        places[count++] = (struct problem_place){name, va_arg(list, const char *)};
    }
    va_end(list);
    enum problem_language language = problem_language_of(MHD_lookup_connection_value(
        call->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE));
    const struct problem_entry *entry = problem_entry(problem);
    const struct problem_text *text = &entry->text[language];
    char *detail = fill(text->detail, places, count);
    answer_problem(call, entry->code, entry->status, text->title, detail);
    call->language = problem_language_tag(language);
    free(detail);
    return false;
}

void api_store_problem(struct api_call *call, enum err err)
{
    bool is_passing = err == ERR_TIMEOUT || err == ERR_BUSY;
    if (err == ERR_NOT_FOUND)
        api_refuse(call, PROBLEM_NOT_FOUND, NULL);
    else
        api_refuse(call, is_passing ? PROBLEM_STORE_BUSY : PROBLEM_STORE_FAILED, "error",
                   err_name(err), NULL);
}

void api_command_problem(struct api_call *call, enum err err, const char *why)
{
    const char *text = why[0] != '\0' ? why : err_about(err);
    switch ((int)err) {
    case ERR_NOT_FOUND:
    case ERR_UNSUPPORTED:
        api_refuse(call, PROBLEM_COMMAND_NOT_FOUND, "why", text, NULL);
        break;
    case ERR_DENIED:
        api_refuse(call, PROBLEM_COMMAND_DENIED, "why", text, NULL);
        break;
    case ERR_EXISTS:
    case ERR_CONFLICT:
        api_refuse(call, PROBLEM_COMMAND_CONFLICT, "why", text, NULL);
        break;
    case ERR_INVALID:
    case ERR_LIMIT:
        api_refuse(call, PROBLEM_COMMAND_INVALID, "why", text, NULL);
        break;
    case ERR_TIMEOUT:
        api_refuse(call, PROBLEM_COMMAND_NOT_APPLIED, NULL);
        break;
    default:
        api_refuse(call, PROBLEM_COMMAND_FAILED, "why", text, NULL);
    }
}

bool api_history_answers(struct api_call *call, enum err err)
{
    if (err == ERR_TIMEOUT)
        api_refuse(call, PROBLEM_ANSWER_TAKES_TOO_LONG, NULL);
    else if (err == ERR_LIMIT)
        api_refuse(call, PROBLEM_TOO_MANY_CHANNELS, NULL);
    else if (err != ERR_OK)
        api_store_problem(call, err);
    return err == ERR_OK;
}

bool api_read_time(struct api_call *call, const char *name, int64_t fallback, int64_t *ms)
{
    return query_time(ms, api_param(call, name), fallback) == ERR_OK ||
           api_refuse(call, PROBLEM_PARAMETER_NOT_A_TIME, "name", name, NULL);
}

bool api_read_number(struct api_call *call, const char *name, uint64_t least,
                     uint64_t most, uint64_t fallback, uint64_t *number)
{
    char from[21];
    char to[21];
    if (query_number(number, api_param(call, name), least, most, fallback) == ERR_OK)
        return true;
    snprintf(from, sizeof from, "%" PRIu64, least);
    snprintf(to, sizeof to, "%" PRIu64, most);
    return api_refuse(call, PROBLEM_PARAMETER_NOT_A_NUMBER, "name", name, "least", from,
                      "most", to, NULL);
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
    if (call->language != NULL)
        MHD_add_response_header(response, "Content-Language", call->language);
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    if (api_is_secure(call))
        MHD_add_response_header(response, "Strict-Transport-Security",
                                "max-age=31536000");
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
    if (call->stream != NULL)
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    if (call->etag[0] != '\0' && call->status < MHD_HTTP_BAD_REQUEST)
        MHD_add_response_header(response, "ETag", call->etag);
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
    struct MHD_Response *response =
        call->stream != NULL ? api_stream_response(call)
                             : MHD_create_response_from_buffer(
                                   len, len > 0 ? buf_take(&call->out) : mem_alloc(1),
                                   MHD_RESPMEM_MUST_FREE);
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
        api_refuse(call, PROBLEM_TOKEN_NEEDED, NULL);
        break;
    case ACCESS_DENY:
        api_refuse(call, PROBLEM_ROLE_NOT_ALLOWED, NULL);
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
    struct api_call *call;
    const char *known;
    const char *seen[16];
    size_t count;
    bool is_refused;
};

static enum MHD_Result refuse_param(struct param_check *check, enum problem problem,
                                    const char *name)
{
    char text[41];
    snprintf(text, sizeof text, "%.40s", name);
    check->is_refused = true;
    api_refuse(check->call, problem, "name", text, "known",
               check->known[0] != '\0' ? check->known : "-", NULL);
    return MHD_NO;
}

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
        return refuse_param(check, PROBLEM_PARAMETER_UNKNOWN, name);
    if (is_twice)
        return refuse_param(check, PROBLEM_PARAMETER_TWICE, name);
    if (value == NULL)
        return refuse_param(check, PROBLEM_PARAMETER_EMPTY, name);
    if (check->count < sizeof check->seen / sizeof check->seen[0])
        check->seen[check->count++] = name;
    return MHD_YES;
}

/* A parameter that is passed over silently answers another question than was asked. */
static bool has_known_params(struct api_call *call, const struct api_route *route)
{
    struct param_check check = {.call = call, .known = route->params};
    MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, on_param, &check);
    return !check.is_refused;
}

static void refuse_stores(struct api_call *call, const struct err_text *why)
{
    log_error("the stores cannot be read: %s", why->text);
    api_refuse(call, PROBLEM_STORE_FAILED, "error", err_name(ERR_IO), NULL);
}

static void run_route(struct api_call *call, const struct api_route *route)
{
    struct err_text why = {0};
    call->stores = api_stores_take(call->api, &why);
    if (call->stores == NULL)
        refuse_stores(call, &why);
    else if (api_identify(call, route) && is_let_in(call, route) &&
             has_known_params(call, route)) {
        api_handle_once(call);
        api_make_conditional(call);
    }
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
            call->route = route;
            run_route(call, route);
            return;
        }
        buf_format(&call->allow, "%s%s%s", call->allow.len > 0 ? ", " : "",
                   strcmp(route->method, "GET") == 0 ? "HEAD, " : "", route->method);
    }
    if (call->allow.len > 0)
        api_refuse(call, PROBLEM_METHOD_NOT_ALLOWED, NULL);
    else
        api_refuse(call, PROBLEM_ADDRESS_UNKNOWN, NULL);
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
    unsigned keys;
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
    check->keys += strcasecmp(name, "Idempotency-Key") == 0;
    check->origins += strcasecmp(name, MHD_HTTP_HEADER_ORIGIN) == 0;
    if (strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0)
        check->length = value;
    return MHD_YES;
}

static void refuse_body(struct api_call *call)
{
    call->must_close = true;
    api_refuse(call, PROBLEM_BODY_TOO_LARGE, NULL);
}

/* False when the answer is clear before any of the body has come. */
static bool has_clear_headers(struct api_call *call)
{
    struct header_check check = {0};
    uint64_t length;
    MHD_get_connection_values(call->connection, MHD_HEADER_KIND, on_header, &check);
    bool is_ambiguous = call->is_odd || check.lengths > 1 || check.encodings > 1 ||
                        check.hosts > 1 || check.authorizations > 1 ||
                        check.origins > 1 || check.keys > 1 ||
                        (check.lengths > 0 && check.encodings > 0);
    if (is_ambiguous) {
        call->must_close = true;
        api_refuse(call,
                   call->is_odd ? PROBLEM_ADDRESS_AMBIGUOUS : PROBLEM_HEADER_AMBIGUOUS,
                   NULL);
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
    listener_serves(connection);
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
    (void)why;
    struct api_call *call = *slot;
    listener_has_served(connection);
    if (call == NULL)
        return;
    api_stream_finish(call);
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
