// SPDX-License-Identifier: Apache-2.0
#include "net/http.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include "base/mem.h"

#define TIMEOUT_DEFAULT_MS 10000
#define CONNECT_MS         5000

struct http_client {
    CURL *curl;
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
    char *end;
    long long seconds = strtoll(value, &end, 10);
    if (end != value && *end == '\0')
        return seconds >= 0 && seconds < 86400 * 365 ? seconds * 1000 : -1;
    time_t when = curl_getdate(value, NULL);
    if (when == (time_t)-1)
        return -1;
    time_t now = time(NULL);
    return when > now ? (int64_t)(when - now) * 1000 : 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
    static const char name[] = "retry-after:";
    struct exchange *exchange = context;
    size_t len = size * count;
    char value[128];
    if (len < sizeof name || strncasecmp(data, name, sizeof name - 1) != 0)
        return len;
    size_t start = sizeof name - 1;
    while (start < len && data[start] == ' ')
        start++;
    size_t end = len;
    while (end > start && (data[end - 1] == '\n' || data[end - 1] == '\r'))
        end--;
    snprintf(value, sizeof value, "%.*s", (int)(end - start), data + start);
    exchange->response->retry_after_ms = parse_retry_after(value);
    return len;
}

static struct curl_slist *header_list(const struct http_request *request)
{
    /* Without "Expect", a server that does not know it costs a second. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        list = curl_slist_append(list, request->headers[i]);
    assert(list != NULL);
    return list;
}

static void set_options(CURL *curl, const struct http_request *request,
                        struct exchange *exchange, struct curl_slist *headers,
                        char *error)
{
    long timeout =
        request->timeout_ms > 0 ? (long)request->timeout_ms : TIMEOUT_DEFAULT_MS;
    curl_easy_reset(curl); /* keeps connections */
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout < CONNECT_MS ? timeout : CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "coldchain/" COLDCHAIN_VERSION);
    if (request->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
    if (request->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body_len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
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
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ERR_INVALID;
    default:
        return ERR_OFFLINE;
    }
}

enum err http_send(struct http_client *client, const struct http_request *request,
                   struct http_response *response, struct err_text *why)
{
    assert(request->method != NULL && request->url != NULL);
    *response = (struct http_response){.retry_after_ms = -1};
    struct exchange exchange = {.response = response};
    char error[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = header_list(request);
    set_options(client->curl, request, &exchange, headers, error);
    CURLcode code = curl_easy_perform(client->curl);
    enum err err = err_of(code, &exchange);
    if (err == ERR_OK) {
        long status = 0;
        curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
        response->status = (int)status;
    } else {
        err_set(why, err, "%s", error[0] != '\0' ? error : curl_easy_strerror(code));
    }
    curl_slist_free_all(headers);
    return err;
}

void http_response_fini(struct http_response *response)
{
    buf_fini(&response->body);
}
