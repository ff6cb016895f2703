// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/client.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "coldchainctl/keyring.h"
#include "coldchainctl/say.h"
#include "net/http.h"

#define TOKEN_MAX 4096
#define HTTP_OK   200

struct client {
    struct http_client *http;
    char *api; /* without a '/' at its end */
    char *ca_file;
    char *authorization; /* NULL: no token */
    bool is_kept;        /* of `login` */
    bool is_anonymous;
    const char *idempotency; /* a header of the request under way, or NULL */
    int64_t timeout_ms;
    int64_t date_ms; /* of the last answer */
};

static const char *first_of(const char *given, const char *variable)
{
    const char *value = given != NULL ? given : getenv(variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static enum err take_url(struct client *client, const char *given, struct err_text *why)
{
    const char *url = first_of(given, "COLDCHAIN_API");
    if (url == NULL)
        url = CLIENT_API_DEFAULT;
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return err_set(
            why, ERR_INVALID,
            say("'%.200s' is not the URL of an API; give one such as " CLIENT_API_DEFAULT),
            url);
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    client->api = mem_strndup(url, len);
    return ERR_OK;
}

/* Without white space around it; false when it cannot stand in a header. */
static bool trim_token(struct buf *text, const char **token)
{
    size_t start = 0;
    while (start < text->len && isspace((unsigned char)text->data[start]))
        start++;
    while (text->len > start && isspace((unsigned char)text->data[text->len - 1]))
        text->data[--text->len] = '\0';
    for (size_t i = start; i < text->len; i++)
        if (!isgraph((unsigned char)text->data[i]))
            return false;
    *token = text->len > start ? text->data + start : "";
    return text->len > start;
}

/* What `login` kept, else the collector's own; neither: the API says what it wants. */
static enum err read_default(struct client *client, struct buf *text,
                             struct err_text *why)
{
    enum err err = keyring_find(text, client->api, why);
    client->is_kept = err == ERR_OK;
    if (err == ERR_NOT_FOUND || err == ERR_INVALID)
        err = access(CLIENT_TOKEN_DEFAULT, R_OK) == 0
                  ? file_read(text, CLIENT_TOKEN_DEFAULT, TOKEN_MAX, why)
                  : ERR_OK;
    return err;
}

static enum err take_token(struct client *client, const char *given, struct err_text *why)
{
    struct buf text = {0};
    const char *token = NULL;
    const char *path = first_of(given, "COLDCHAIN_TOKEN_FILE");
    enum err err = path != NULL ? file_read(&text, path, TOKEN_MAX, why)
                                : read_default(client, &text, why);
    if (err == ERR_OK && path == NULL && text.len == 0)
        return ERR_OK;
    if (path == NULL)
        path = client->is_kept ? say("what 'coldchainctl login' kept")
                               : CLIENT_TOKEN_DEFAULT;
    if (err == ERR_OK && !trim_token(&text, &token))
        err = err_set(why, ERR_INVALID, say("%.300s does not hold a token"), path);
    if (err == ERR_OK)
        client->authorization = mem_format("Authorization: Bearer %s", token);
    buf_fini(&text);
    return err;
}

static enum err open_client(struct client **result, const struct client_args *args,
                            bool is_anonymous, struct err_text *why)
{
    struct client *client = mem_alloc(sizeof *client);
    client->is_anonymous = is_anonymous;
    enum err err = take_url(client, args->api, why);
    if (err == ERR_OK && !is_anonymous)
        err = take_token(client, args->token_file, why);
    const char *ca_file = first_of(args->ca_file, "COLDCHAIN_CA_FILE");
    if (ca_file != NULL)
        client->ca_file = mem_strdup(ca_file);
    if (err != ERR_OK) {
        client_close(client);
        client = NULL;
    } else {
        client->http = http_client_create();
    }
    *result = client;
    return err;
}

enum err client_open(struct client **client, const struct client_args *args,
                     struct err_text *why)
{
    return open_client(client, args, false, why);
}

enum err client_open_anonymous(struct client **client, const struct client_args *args,
                               struct err_text *why)
{
    return open_client(client, args, true, why);
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    http_client_destroy(client->http);
    free(client->api);
    free(client->ca_file);
    free(client->authorization);
    free(client);
}

/* ---- what was answered ---------------------------------------------------------------
 */

static enum err err_of_status(int status)
{
    switch (status) {
    case 400:
    case 422:
        return ERR_INVALID;
    case 401:
    case 403:
        return ERR_DENIED;
    case 404:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    case 429:
    case 503:
    case 504:
        return ERR_BUSY;
    default:
        return ERR_IO;
    }
}

/* The sentence of a problem document (RFC 9457), or what little is known. */
static enum err read_problem(const struct client *client, int status,
                             const json_t *answer, struct err_text *why)
{
    enum err err = err_of_status(status);
    const char *title = json_string_value(json_object_get(answer, "title"));
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    if (status == 401 && client->is_kept)
        return err_set(why, err,
                       say("the session at %.150s has ended: 'coldchainctl login' begins "
                           "another"),
                       client->api);
    if (status == 401 && client->authorization == NULL && !client->is_anonymous)
        return err_set(
            why, err,
            say("the API at %.150s wants a token: 'coldchainctl login', or --token-file "
                "FILE, or COLDCHAIN_TOKEN_FILE; the collector's first start left one in "
                "api.token in its data_dir"),
            client->api);
    if (status == 401 && !client->is_anonymous)
        return err_set(
            why, err,
            say("the API at %.150s does not know this token; is the file that of "
                "another collector?"),
            client->api);
    if (title == NULL || detail == NULL)
        return err_set(
            why, ERR_CORRUPT,
            say("%.150s answered with status %d and not as the API does; is it a "
                "collector?"),
            client->api, status);
    return err_set(why, err, say("%.150s: %.300s"), title, detail);
}

/* Somebody else's certificate, or one of ours that nobody here was told of. */
static enum err explain_trust(const struct client *client, struct err_text *why)
{
    struct err_text inner = *why;
    if (client->ca_file != NULL)
        return err_set(why, ERR_DENIED,
                       say("the certificate of %.100s is not trusted (%.120s): it is not "
                           "signed by %.100s, is not for this name, or has expired"),
                       client->api, inner.text, client->ca_file);
    return err_set(
        why, ERR_DENIED,
        say("the certificate of %.100s is not trusted (%.120s); give the one that "
            "signed it by --ca-file FILE or COLDCHAIN_CA_FILE"),
        client->api, inner.text);
}

static enum err explain(const struct client *client, enum err err, struct err_text *why)
{
    struct err_text inner = *why;
    switch ((int)err) {
    case ERR_OFFLINE:
        return err_set(
            why, err,
            say("the API at %.150s is not reachable (%.150s); is "
                "coldchain-collector running there? --api URL or COLDCHAIN_API "
                "says where it is"),
            client->api, inner.text);
    case ERR_TIMEOUT:
        return err_set(why, err, say("the API at %.150s did not answer in time"),
                       client->api);
    case ERR_LIMIT:
        return err_set(why, err,
                       say("the answer is too large; ask for less with --limit"));
    default:
        return err_set(why, err, "%.150s: %.300s", client->api, inner.text);
    }
}

/* What came, whatever it is: `raw` NULL wants JSON. */
static enum err read_answer(const struct client *client, struct http_response *response,
                            json_t **answer, struct buf *raw, struct err_text *why)
{
    const char *data = response->body.data != NULL ? response->body.data : "";
    if (raw != NULL && response->status == HTTP_OK) {
        buf_add(raw, data, response->body.len);
        return ERR_OK;
    }
    enum err err = ERR_OK;
    json_t *json = json_loadb(data, response->body.len, JSON_DECODE_ANY, NULL);
    if (response->status != HTTP_OK || json == NULL || raw != NULL)
        err = read_problem(client, response->status, json, why);
    else
        *answer = json_incref(json);
    json_decref(json);
    return err;
}

static enum err send_request(struct client *client, struct http_request *request,
                             const char *path, const char *content_type, json_t **answer,
                             struct buf *raw, struct err_text *why)
{
    assert(path[0] == '/');
    if (answer != NULL)
        *answer = NULL;
    char *url = mem_format("%s%s", client->api, path);
    char type[80];
    snprintf(type, sizeof type, "Content-Type: %s",
             content_type != NULL ? content_type : "application/json");
    const char *language =
        say_language() == SAY_ZH ? "Accept-Language: zh" : "Accept-Language: en";
    const char *headers[] = {
        "Accept: application/json", language, type, NULL, NULL, NULL};
    size_t count = 3;
    if (client->authorization != NULL)
        headers[count++] = client->authorization;
    if (client->idempotency != NULL)
        headers[count++] = client->idempotency;
    request->url = url;
    request->headers = headers;
    request->ca_file = client->ca_file;
    request->timeout_ms = client->timeout_ms;
    struct http_response response = {0};
    enum err err = http_send(client->http, request, &response, why);
    client->date_ms = response.date_ms;
    if (err == ERR_OK)
        err = read_answer(client, &response, answer, raw, why);
    else if (response.is_untrusted)
        err = explain_trust(client, why);
    else
        err = explain(client, err, why);
    http_response_fini(&response);
    free(url);
    request->url = NULL; /* it outlives what these pointed to */
    request->headers = NULL;
    return err;
}

enum err client_get(struct client *client, const char *path, json_t **answer,
                    struct err_text *why)
{
    struct http_request request = {.method = "GET"};
    return send_request(client, &request, path, NULL, answer, NULL, why);
}

enum err client_post(struct client *client, const char *path, const json_t *body,
                     json_t **answer, struct err_text *why)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : mem_strdup("");
    assert(text != NULL);
    struct http_request request = {
        .method = "POST", .body = text, .body_len = strlen(text)};
    enum err err = send_request(client, &request, path, NULL, answer, NULL, why);
    free(text);
    return err;
}

enum err client_change(struct client *client, const char *method, const char *path,
                       const json_t *body, json_t **answer, struct err_text *why)
{
    uint8_t random[16];
    char hex[33];
    char header[80];
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : mem_strdup("");
    assert(text != NULL);
    crypto_random(random, sizeof random);
    snprintf(header, sizeof header, "Idempotency-Key: %s",
             crypto_hex(hex, random, sizeof random));
    client->idempotency = header;
    struct http_request request = {
        .method = method, .body = text, .body_len = strlen(text)};
    enum err err = send_request(client, &request, path, NULL, answer, NULL, why);
    if (err == ERR_TIMEOUT || err == ERR_BUSY)
        err = send_request(client, &request, path, NULL, answer, NULL, why);
    client->idempotency = NULL;
    crypto_wipe(text, strlen(text));
    free(text);
    return err;
}

enum err client_fetch(struct client *client, const char *path, struct buf *into,
                      struct err_text *why)
{
    struct http_request request = {.method = "GET"};
    return send_request(client, &request, path, NULL, NULL, into, why);
}

enum err client_send(struct client *client, const char *path, const char *content_type,
                     const void *data, size_t len, json_t **answer, struct err_text *why)
{
    struct http_request request = {.method = "POST", .body = data, .body_len = len};
    return send_request(client, &request, path, content_type, answer, NULL, why);
}

void client_set_timeout(struct client *client, int64_t timeout_ms)
{
    client->timeout_ms = timeout_ms;
}

int64_t client_date_ms(const struct client *client)
{
    return client->date_ms;
}

const char *client_url(const struct client *client)
{
    return client->api;
}

/* ---- addresses -----------------------------------------------------------------------
 */

void client_escape(struct buf *path, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (isalnum(byte) || strchr("-._~", byte) != NULL)
            buf_u8(path, byte);
        else
            buf_format(path, "%%%02X", byte);
    }
}

void client_param(struct buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_text(path, path->len > 0 && strchr(path->data, '?') != NULL ? "&" : "?");
    buf_text(path, name);
    buf_text(path, "=");
    client_escape(path, value);
}
