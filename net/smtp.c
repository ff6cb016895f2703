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

static void set_up(CURL *curl, const struct smtp_message *message,
                   struct curl_slist *list, struct upload *upload, char *error)
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
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, message->from);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, list);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload->left);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
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
    *status = 0;
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counts, and is safe beside others */
    CURL *curl = curl_easy_init();
    assert(curl != NULL);
    struct curl_slist *list = receivers(message);
    set_up(curl, message, list, &upload, error);
    CURLcode code = curl_easy_perform(curl);
    long last = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &last);
    *status = (int)last;
    enum err err = err_of(code);
    if (err != ERR_OK)
        err_set(why, err, "%s", error[0] != '\0' ? error : curl_easy_strerror(code));
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return err;
}
