// SPDX-License-Identifier: Apache-2.0
#include "net/smtp.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#define CONNECT_MS INT64_C(5000)

struct upload {
    const char *data;
    size_t left;
};

static size_t on_read(char *to, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t len = size * count < upload->left ? size * count : upload->left;
    memcpy(to, upload->data, len);
    upload->data += len;
    upload->left -= len;
    return len;
}

static bool is_this_machine(const char *url)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host = strstr(url, "://");
    host = host != NULL ? host + 3 : url;
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);
        if (strncmp(host, hosts[i], len) == 0 &&
            (host[len] == '\0' || host[len] == ':' || host[len] == '/'))
            return true;
    }
    return false;
}

static struct curl_slist *receivers(const struct smtp_message *message)
{
    struct curl_slist *list = NULL;
    for (size_t i = 0; message->to[i] != NULL; i++)
        list = curl_slist_append(list, message->to[i]);
    return list;
}

/* The way to the server, and into it. */
static void set_up(CURL *curl, const struct smtp_message *message, char *error)
{
    int64_t connect = message->timeout_ms < CONNECT_MS ? message->timeout_ms : CONNECT_MS;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_URL, message->url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)message->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    curl_easy_setopt(
        curl, CURLOPT_USE_SSL,
        (long)(is_this_machine(message->url) ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (message->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, message->ca_file);
    if (message->username != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, message->username);
        curl_easy_setopt(curl, CURLOPT_PASSWORD,
                         message->password != NULL ? message->password : "");
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
}

static void set_mail(CURL *curl, const struct smtp_message *message,
                     struct curl_slist *list, struct upload *upload)
{
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, message->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, list);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload->left);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
}

/* Of a mail that somebody gets, those who do not: libcurl says nothing of them. */
struct refusals {
    char receiver[128]; /* whom the server was told last; "" once it has answered */
    unsigned count;     /* of them so far, that one included */
    struct err_text *why;
};

static void note_receiver(struct refusals *refusals, const char *line, size_t len)
{
    static const char rcpt[] = "RCPT TO:<";
    size_t start = strlen(rcpt);
    if (len <= start || memcmp(line, rcpt, start) != 0)
        return;
    const char *end = memchr(line, '>', len);
    size_t address = end != NULL ? (size_t)(end - line) - start : 0;
    snprintf(refusals->receiver, sizeof refusals->receiver, "%.*s", (int)address,
             line + start);
    refusals->count++;
}

/* By number: addresses are settings, and stand in no journal (decision 0009). */
static void note_reply(struct refusals *refusals, const char *line, size_t len)
{
    struct err_text *why = refusals->why;
    char reply[256];
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    if (refusals->receiver[0] == '\0' || len < 4 || line[3] == '-')
        return;
    snprintf(reply, sizeof reply, "%.*s", (int)len, line);
    const char *named = strstr(reply, refusals->receiver);
    int before = named != NULL ? (int)(named - reply) : (int)strlen(reply);
    const char *after = named != NULL ? named + strlen(refusals->receiver) : "";
    size_t used = strlen(why->text);
    if (reply[0] != '2')
        snprintf(why->text + used, sizeof why->text - used, "%sreceiver %u: %.*s%s%s",
                 used > 0 ? "; " : SMTP_REFUSED, refusals->count, before, reply,
                 named != NULL ? "..." : "", after);
    refusals->receiver[0] = '\0';
}

static int on_receiver(CURL *curl, curl_infotype type, char *data, size_t len,
                       void *context)
{
    (void)curl;
    if (type == CURLINFO_HEADER_OUT)
        note_receiver(context, data, len);
    else if (type == CURLINFO_HEADER_IN)
        note_reply(context, data, len);
    return 0;
}

static enum err err_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return ERR_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_SSL_CACERT_BADFILE:
        return ERR_INVALID;
    default:
        return ERR_OFFLINE;
    }
}

enum err smtp_send(const struct smtp_message *message, int *status, struct err_text *why)
{
    assert(message->from != NULL && message->to != NULL && message->to[0] != NULL);
    char error[CURL_ERROR_SIZE] = "";
    struct upload upload = {message->data, message->len};
    struct err_text refused = {""};
    struct refusals refusals = {.why = &refused};
    *status = 0;
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counts, and is safe beside others */
    CURL *curl = curl_easy_init();
    assert(curl != NULL);
    struct curl_slist *list = receivers(message);
    set_up(curl, message, error);
    set_mail(curl, message, list, &upload);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_receiver);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, &refusals);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
    CURLcode code = curl_easy_perform(curl);
    long last = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &last);
    *status = (int)last;
    enum err err = err_of(code);
    if (err != ERR_OK)
        err_set(why, err, "%s", error[0] != '\0' ? error : curl_easy_strerror(code));
    else if (why != NULL)
        *why = refused;
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return err;
}

/* ---- a look at the server --------------------------------------------------------- */

/* libcurl tells what it says to the server; that it goes on without a login when none is
 * offered, it does not. */
static int on_talk(CURL *curl, curl_infotype type, char *data, size_t len, void *context)
{
    static const char auth[] = "AUTH ";
    struct smtp_look *look = context;
    (void)curl;
    if (type == CURLINFO_SSL_DATA_OUT)
        look->is_encrypted = true;
    if (type == CURLINFO_HEADER_OUT && len >= strlen(auth) &&
        memcmp(data, auth, strlen(auth)) == 0)
        look->is_logged_in = true;
    return 0;
}

static enum smtp_trouble trouble_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return SMTP_IN_ORDER;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_URL_MALFORMAT:
        return SMTP_NO_HOST;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
        return SMTP_NO_ANSWER;
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
        return SMTP_NO_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return SMTP_UNTRUSTED;
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
        return SMTP_NO_LOGIN;
    default:
        return SMTP_OTHER_REPLY;
    }
}

/* A command instead of a mail: libcurl sends it once it is in, and QUIT behind it. */
static void set_noop(CURL *curl, struct smtp_look *look)
{
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, on_talk);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, look);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
}

enum err smtp_look(const struct smtp_message *message, struct smtp_look *look,
                   struct err_text *why)
{
    char error[CURL_ERROR_SIZE] = "";
    *look = (struct smtp_look){0};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *curl = curl_easy_init();
    assert(curl != NULL);
    set_up(curl, message, error);
    set_noop(curl, look);
    CURLcode code = curl_easy_perform(curl);
    curl_off_t connected = 0;
    curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connected);
    look->trouble = trouble_of(code);
    if (look->trouble == SMTP_NO_ANSWER && connected > 0)
        look->trouble = SMTP_SILENT;
    look->is_logged_in &= code == CURLE_OK;
    enum err err = err_of(code);
    if (err != ERR_OK)
        err_set(why, err, "%s", error[0] != '\0' ? error : curl_easy_strerror(code));
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return err;
}
