// SPDX-License-Identifier: Apache-2.0
/*
 * bot - Telegram's Bot API, as strict as the real one, in a thread: it keeps updates
 * until a higher offset confirms them, refuses what it would refuse, and is as unhelpful
 * as a test wants first.
 */
#ifndef COLDCHAIN_TESTS_UNIT_COLLECTOR_REPLIES_BOT_H
#define COLDCHAIN_TESTS_UNIT_COLLECTOR_REPLIES_BOT_H

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/support/check.h"

#define BOT_TOKEN "123:secret"
#define BOT_MAX   64

struct bot_call {
    char method[40];
    json_t *body;
};

/* What is answered to a getUpdates in place of the truth. */
struct bot_trouble {
    int status;
    const char *body;
    size_t padding; /* of so many bytes more */
};

struct bot {
    int fd;
    int stop[2];
    char url[60];
    pthread_t thread;
    /* shared, under lock */
    pthread_mutex_t lock;
    json_t *updates[BOT_MAX]; /* that nobody has confirmed */
    size_t update_count;
    const struct bot_trouble *troubles;
    size_t trouble_count;
    struct bot_call calls[BOT_MAX]; /* but getUpdates */
    size_t call_count;
    int64_t offset; /* of the last getUpdates; 0: none */
    int limit;
    int least_limit;
    size_t polls;
    bool forgets; /* false: it repeats what was confirmed, as after a crash of ours */
    char complaint[200];
    int status; /* of the answers to other calls */
    const char *said;
};

static inline void bot_complain(struct bot *bot, const char *what)
{
    if (bot->complaint[0] == '\0')
        snprintf(bot->complaint, sizeof bot->complaint, "%s", what);
}

static inline void bot_get_updates(struct bot *bot, const json_t *body, char **answer)
{
    json_t *list = json_array();
    bot->offset = json_integer_value(json_object_get(body, "offset"));
    bot->limit = (int)json_integer_value(json_object_get(body, "limit"));
    bot->polls++;
    if (bot->limit < 1 || bot->limit > 100 ||
        !json_is_integer(json_object_get(body, "timeout")) ||
        json_array_size(json_object_get(body, "allowed_updates")) != 2)
        bot_complain(bot, "getUpdates");
    size_t kept = 0;
    for (size_t i = 0; i < bot->update_count; i++) {
        json_t *update = bot->updates[i];
        bool is_old =
            json_integer_value(json_object_get(update, "update_id")) < bot->offset;
        if (is_old && bot->forgets) {
            json_decref(update);
            continue;
        }
        bot->updates[kept++] = update;
        if ((!is_old || !bot->forgets) && (int)json_array_size(list) < bot->limit)
            json_array_append(list, update);
    }
    bot->update_count = kept;
    json_t *root = json_pack("{s:b, s:o}", "ok", 1, "result", list);
    *answer = json_dumps(root, JSON_COMPACT);
    json_decref(root);
}

static inline bool bot_has(const json_t *body, const char *key, bool is_text)
{
    const json_t *value = json_object_get(body, key);
    return is_text ? json_string_length(value) > 0 : json_is_integer(value);
}

/* What the Bot API demands of each. */
static inline bool bot_takes(const char *method, const json_t *body)
{
    if (strcmp(method, "answerCallbackQuery") == 0)
        return bot_has(body, "callback_query_id", true) && bot_has(body, "text", true) &&
               json_is_boolean(json_object_get(body, "show_alert"));
    if (strcmp(method, "editMessageText") == 0)
        return bot_has(body, "chat_id", true) && bot_has(body, "message_id", false) &&
               bot_has(body, "text", true);
    return strcmp(method, "sendMessage") == 0 && bot_has(body, "chat_id", true) &&
           bot_has(body, "text", true) &&
           bot_has(json_object_get(body, "reply_parameters"), "message_id", false);
}

static inline char *bot_serve(struct bot *bot, const char *method, json_t *body,
                              int *status, size_t *padding)
{
    char *answer = NULL;
    *status = 200;
    int limit = (int)json_integer_value(json_object_get(body, "limit"));
    if (strcmp(method, "getUpdates") == 0 && limit < bot->least_limit)
        bot->least_limit = limit;
    if (strcmp(method, "getUpdates") == 0 && bot->trouble_count > 0) {
        *status = bot->troubles->status;
        *padding = bot->troubles->padding;
        answer = strdup(bot->troubles->body);
        bot->troubles++;
        bot->trouble_count--;
        json_decref(body);
        return answer;
    }
    if (strcmp(method, "getUpdates") == 0) {
        bot_get_updates(bot, body, &answer);
        json_decref(body);
        return answer;
    }
    if (!bot_takes(method, body) || bot->call_count == BOT_MAX) {
        bot_complain(bot, method);
        json_decref(body);
        return strdup(
            "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request\"}");
    }
    struct bot_call *call = &bot->calls[bot->call_count++];
    snprintf(call->method, sizeof call->method, "%s", method);
    call->body = body;
    *status = bot->status;
    return strdup(bot->said);
}

static inline size_t bot_length(const char *text)
{
    const char *at = strcasestr(text, "\r\nContent-Length:");
    return at != NULL ? strtoul(at + 17, NULL, 10) : 0;
}

/* NULL: nothing came; the caller's. */
static inline char *bot_receive(int client)
{
    size_t len = 0;
    size_t want = 0;
    ssize_t got;
    char *text = calloc(1, 65536);
    while (len < 65535 && (got = recv(client, text + len, 65535 - len, 0)) > 0) {
        len += (size_t)got;
        const char *end = strstr(text, "\r\n\r\n");
        want = end != NULL ? (size_t)(end + 4 - text) + bot_length(text) : 0;
        if (end != NULL && len >= want)
            return text;
    }
    free(text);
    return NULL;
}

static inline void bot_send(int client, int status, const char *body, size_t padding)
{
    char head[200];
    char spaces[4096];
    size_t len = strlen(body);
    int head_len = snprintf(head, sizeof head,
                            "HTTP/1.1 %d said\r\nContent-Length: %zu\r\n"
                            "Connection: close\r\n\r\n",
                            status, len + padding);
    bool is_well = send(client, head, (size_t)head_len, MSG_NOSIGNAL) > 0 &&
                   send(client, body, len, MSG_NOSIGNAL) >= 0;
    memset(spaces, ' ', sizeof spaces);
    while (is_well && padding > 0) {
        size_t part = padding < sizeof spaces ? padding : sizeof spaces;
        is_well = send(client, spaces, part, MSG_NOSIGNAL) == (ssize_t)part;
        padding -= part;
    }
}

static inline void bot_take(struct bot *bot, int client)
{
    char method[40] = "";
    int status = 404;
    size_t padding = 0;
    char *text = bot_receive(client);
    if (text == NULL)
        return;
    json_t *body = json_loads(strstr(text, "\r\n\r\n") + 4, 0, NULL);
    char *answer;
    pthread_mutex_lock(&bot->lock);
    if (sscanf(text, "POST /bot" BOT_TOKEN "/%39[A-Za-z] HTTP/1.1\r\n", method) == 1 &&
        json_is_object(body) &&
        strcasestr(text, "\r\nContent-Type: application/json\r\n") != NULL) {
        answer = bot_serve(bot, method, body, &status, &padding);
    } else {
        bot_complain(bot, "not a request of ours");
        json_decref(body);
        answer = strdup("{\"ok\":false,\"error_code\":404}");
    }
    pthread_mutex_unlock(&bot->lock);
    bot_send(client, status, answer, padding);
    free(answer);
    free(text);
}

static inline void *bot_run(void *context)
{
    struct bot *bot = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = bot->fd, .events = POLLIN},
                               {.fd = bot->stop[0], .events = POLLIN}};
        if (poll(fds, 2, 30000) <= 0 || fds[1].revents != 0)
            return NULL;
        int client = accept(bot->fd, NULL, NULL);
        if (client < 0)
            return NULL;
        bot_take(bot, client);
        close(client);
    }
}

static inline void bot_open(struct bot *bot)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *bot = (struct bot){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        .forgets = true,
                        .least_limit = INT_MAX,
                        .status = 200,
                        .said = "{\"ok\":true,\"result\":true}"};
    pthread_mutex_init(&bot->lock, NULL);
    CHECK(bind(bot->fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(bot->fd, 16) == 0);
    CHECK(getsockname(bot->fd, (struct sockaddr *)&address, &len) == 0);
    snprintf(bot->url, sizeof bot->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    CHECK(pipe(bot->stop) == 0);
    CHECK(pthread_create(&bot->thread, NULL, bot_run, bot) == 0);
}

static inline void bot_close(struct bot *bot)
{
    CHECK(write(bot->stop[1], "x", 1) == 1);
    pthread_join(bot->thread, NULL);
    for (size_t i = 0; i < bot->update_count; i++)
        json_decref(bot->updates[i]);
    for (size_t i = 0; i < bot->call_count; i++)
        json_decref(bot->calls[i].body);
    close(bot->fd);
    close(bot->stop[0]);
    close(bot->stop[1]);
    pthread_mutex_destroy(&bot->lock);
}

/* Takes it. */
static inline void bot_update(struct bot *bot, json_t *update)
{
    CHECK(update != NULL);
    pthread_mutex_lock(&bot->lock);
    bot->updates[bot->update_count++] = update;
    pthread_mutex_unlock(&bot->lock);
}

static inline size_t bot_calls(struct bot *bot)
{
    pthread_mutex_lock(&bot->lock);
    size_t count = bot->call_count;
    pthread_mutex_unlock(&bot->lock);
    return count;
}

static inline size_t bot_polls(struct bot *bot)
{
    pthread_mutex_lock(&bot->lock);
    size_t count = bot->polls;
    pthread_mutex_unlock(&bot->lock);
    return count;
}

static inline int64_t bot_offset(struct bot *bot)
{
    pthread_mutex_lock(&bot->lock);
    int64_t offset = bot->offset;
    pthread_mutex_unlock(&bot->lock);
    return offset;
}

/* "METHOD: TEXT" of that call, as it came; "" when there is none. */
static inline const char *bot_said(const struct bot *bot, size_t number)
{
    static char text[600];
    const char *said = json_string_value(
        number < bot->call_count ? json_object_get(bot->calls[number].body, "text")
                                 : NULL);
    text[0] = '\0';
    if (said != NULL)
        snprintf(text, sizeof text, "%s: %s", bot->calls[number].method, said);
    return text;
}

#endif
