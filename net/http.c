// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/mem.h"

#define TIMEOUT_DEFAULT_MS 10000
#define CONNECT_MS         5000

struct http_client {
    CURL *curl;
    atomic_bool is_cancelled;
};

/* What the callbacks of one exchange fill. */
struct exchange {
    struct http_response *response;
    bool is_too_large;
};

static void start_library(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http_client *http_client_create(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    struct http_client *client = mem_alloc(sizeof *client);
    client->curl = curl_easy_init();
    assert(client->curl != NULL);
    return client;
}

void http_client_destroy(struct http_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    free(client);
}

void http_client_cancel(struct http_client *client)
{
    atomic_store(&client->is_cancelled, true);
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    struct http_client *client = context;
    return atomic_load(&client->is_cancelled) ? 1 : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t len = size * count;
    if (len > HTTP_BODY_MAX - exchange->response->body.len) {
        exchange->is_too_large = true;
        return 0;
    }
    buf_add(&exchange->response->body, data, len);
    return len;
}

/* Seconds, or an HTTP date (RFC 9110, 10.2.3). -1 for anything else. */
static int64_t parse_retry_after(const char *value)
{
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && value[digits] == '\0')
        return digits <= 8 ? (int64_t)strtol(value, NULL, 10) * 1000 : -1;
    time_t when = curl_getdate(value, NULL);
    if (when == (time_t)-1)
        return -1;
    struct clock clock;
    clock_init(&clock);
    int64_t wait_ms = (int64_t)when * 1000 - clock_wall_ms(&clock);
    return wait_ms > 0 ? wait_ms : 0;
}

/* The value of a header line without white space around it; false for another header. */
static bool take_header(char value[128], const char *data, size_t len, const char *name)
{
    size_t start = strlen(name);
    if (len <= start || strncasecmp(data, name, start) != 0)
        return false;
    while (start < len && data[start] == ' ')
        start++;
    size_t end = len;
    while (end > start && strchr(" \t\r\n", data[end - 1]) != NULL)
        end--;
    snprintf(value, 128, "%.*s", (int)(end - start), data + start);
    return true;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t len = size * count;
    char value[128];
    if (take_header(value, data, len, "retry-after:"))
        exchange->response->retry_after_ms = parse_retry_after(value);
    else if (take_header(value, data, len, "date:")) {
        time_t when = curl_getdate(value, NULL);
        exchange->response->date_ms = when == (time_t)-1 ? -1 : (int64_t)when * 1000;
    }
    return len;
}

static bool is_http(const char *url)
{
    return strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
}

/* A line break in a value would begin a header of somebody else's. */
static bool headers_are_clean(const struct http_request *request)
{
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        for (const char *at = request->headers[i]; *at != '\0'; at++)
            if ((unsigned char)*at < 0x20 || *at == 0x7F)
                return false;
    return true;
}

/* Takes away what curl adds: "Expect" costs a second where it is not known. */
static struct curl_slist *header_list(const struct http_request *request)
{
    static const char content_type[] = "Content-Type:";
    bool is_typed = false;
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
        const char *header = request->headers[i];
        is_typed =
            is_typed || strncasecmp(header, content_type, sizeof content_type - 1) == 0;
        list = curl_slist_append(list, header);
    }
    if (!is_typed)
        list = curl_slist_append(list, content_type);
    assert(list != NULL);
    return list;
}

static void set_limits(CURL *curl, const struct http_request *request)
{
    long timeout =
        request->timeout_ms > 0 ? (long)request->timeout_ms : TIMEOUT_DEFAULT_MS;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy != NULL ? request->proxy : "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout < CONNECT_MS ? timeout : CONNECT_MS);
    if (request->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
}

static void set_callbacks(struct http_client *client, struct exchange *exchange,
                          char *error)
{
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, client);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
}

static bool may_be_empty(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static void set_request(CURL *curl, const struct http_request *request,
                        struct curl_slist *headers)
{
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "coldchain/" COLDCHAIN_VERSION);
    if (request->body != NULL || may_be_empty(request->method)) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body_len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body != NULL ? request->body : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
}

static enum err err_of(CURLcode code, const struct exchange *exchange)
{
    switch ((int)code) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_WRITE_ERROR:
        return exchange->is_too_large ? ERR_LIMIT : ERR_IO;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CACERT_BADFILE:
        return ERR_INVALID;
    default:
        return ERR_OFFLINE;
    }
}

static enum err perform(struct http_client *client, struct exchange *exchange,
                        const char *error, struct err_text *why)
{
    CURLcode code = curl_easy_perform(client->curl);
    enum err err = err_of(code, exchange);
    exchange->response->is_untrusted = code == CURLE_PEER_FAILED_VERIFICATION;
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return err_set(why, err, "given up: we are stopping");
    if (err != ERR_OK)
        return err_set(why, err, "%s",
                       error[0] != '\0' ? error : curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    exchange->response->status = (int)status;
    return ERR_OK;
}

enum err http_send(struct http_client *client, const struct http_request *request,
                   struct http_response *response, struct err_text *why)
{
    assert(request->method != NULL && request->url != NULL);
    assert(request->body != NULL || request->body_len == 0);
    *response = (struct http_response){.retry_after_ms = -1, .date_ms = -1};
    if (!is_http(request->url))
        return err_set(why, ERR_INVALID,
                       "'%.100s' begins neither with http:// nor https://", request->url);
    if (!headers_are_clean(request))
        return err_set(why, ERR_INVALID, "a request header holds control characters");
    if (atomic_load(&client->is_cancelled))
        return err_set(why, ERR_OFFLINE, "given up: we are stopping");
    struct exchange exchange = {.response = response};
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = header_list(request);
    curl_easy_reset(client->curl); /* keeps connections */
    set_limits(client->curl, request);
    set_callbacks(client, &exchange, error);
    set_request(client->curl, request, headers);
    enum err err = perform(client, &exchange, error, why);
    curl_slist_free_all(headers);
    return err;
}

void http_response_fini(struct http_response *response)
{
    buf_fini(&response->body);
}
