// SPDX-License-Identifier: Apache-2.0
/*
 * receiver - a webhook's receiver in a thread: strict about what it is sent, and as
 * unhelpful in its answers as a test wants.
 */
#ifndef COLDCHAIN_TESTS_UNIT_COLLECTOR_NOTIFY_RECEIVER_H
#define COLDCHAIN_TESTS_UNIT_COLLECTOR_NOTIFY_RECEIVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check.h"

#define RECEIVER_MAX  256
#define RECEIVER_HANG (-1) /* takes the request and never answers */

struct received {
    char key[80];
    char attempt[16];
    char stamp[40];
    char signature[120];
    char body[2000];
    bool is_right; /* one request, whole, of the form that is documented */
};

struct receiver {
    int fd;
    int stop[2];
    char url[60];
    pthread_t thread;
    int hung[RECEIVER_MAX];
    size_t hung_count;
    atomic_int status;  /* of answers from now on */
    atomic_int refuses; /* so many are answered 503 first */
    atomic_size_t count;
    struct received requests[RECEIVER_MAX];
};

/* The value of that header, "" when it is not there exactly once. */
static inline void receiver_header(const char *request, const char *name, char *value,
                                   size_t size)
{
    size_t len = strlen(name);
    size_t found = 0;
    const char *end = strstr(request, "\r\n\r\n");
    value[0] = '\0';
    for (const char *at = strstr(request, "\r\n"); at != NULL && at < end;
         at = strstr(at + 2, "\r\n")) {
        if (strncasecmp(at + 2, name, len) != 0 || at[2 + len] != ':')
            continue;
        const char *text = at + 2 + len + 1 + strspn(at + 2 + len + 1, " ");
        snprintf(value, size, "%.*s", (int)strcspn(text, "\r"), text);
        found++;
    }
    if (found != 1)
        value[0] = '\0';
}

static inline void receiver_take(struct receiver *receiver, int client)
{
    static _Thread_local char text[16384];
    size_t len = 0;
    size_t want = 0;
    char value[40];
    ssize_t got;
    while (len < sizeof text - 1 &&
           (got = recv(client, text + len, sizeof text - 1 - len, 0)) > 0) {
        len += (size_t)got;
        text[len] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        if (end == NULL)
            continue;
        receiver_header(text, "Content-Length", value, sizeof value);
        want = (size_t)(end + 4 - text) + strtoul(value, NULL, 10);
        if (len >= want)
            break;
    }
    size_t number = atomic_load(&receiver->count);
    if (want == 0 || number >= RECEIVER_MAX)
        return;
    struct received *request = &receiver->requests[number];
    receiver_header(text, "Idempotency-Key", request->key, sizeof request->key);
    receiver_header(text, "Coldchain-Attempt", request->attempt, sizeof request->attempt);
    receiver_header(text, "X-Coldchain-Timestamp", request->stamp, sizeof request->stamp);
    receiver_header(text, "X-Coldchain-Signature", request->signature,
                    sizeof request->signature);
    receiver_header(text, "Content-Type", value, sizeof value);
    snprintf(request->body, sizeof request->body, "%s", strstr(text, "\r\n\r\n") + 4);
    request->is_right = len == want &&
                        strncmp(text, "POST /hook HTTP/1.1\r\n", 21) == 0 &&
                        strcmp(value, "application/json") == 0 && request->key[0] != '\0';
    atomic_store(&receiver->count, number + 1);
}

static inline void receiver_answer(struct receiver *receiver, int client)
{
    char answer[120];
    int status = atomic_load(&receiver->status);
    if (status == RECEIVER_HANG && receiver->hung_count < RECEIVER_MAX) {
        receiver->hung[receiver->hung_count++] = client;
        return;
    }
    if (atomic_load(&receiver->refuses) > 0) {
        atomic_fetch_sub(&receiver->refuses, 1);
        status = 503;
    }
    int len = snprintf(
        answer, sizeof answer,
        "HTTP/1.1 %d said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    if (send(client, answer, (size_t)len, MSG_NOSIGNAL) != len)
        printf("\n  the sender did not wait for its answer\n");
    close(client);
}

static inline void *receiver_run(void *context)
{
    struct receiver *receiver = context;
    for (;;) {
        struct pollfd fds[] = {{.fd = receiver->fd, .events = POLLIN},
                               {.fd = receiver->stop[0], .events = POLLIN}};
        if (poll(fds, 2, 30000) <= 0 || fds[1].revents != 0)
            return NULL;
        int client = accept(receiver->fd, NULL, NULL);
        if (client < 0)
            return NULL;
        receiver_take(receiver, client);
        receiver_answer(receiver, client);
    }
}

static inline void receiver_open(struct receiver *receiver, int status)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    *receiver = (struct receiver){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    atomic_store(&receiver->status, status);
    CHECK(bind(receiver->fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(receiver->fd, 16) == 0);
    CHECK(getsockname(receiver->fd, (struct sockaddr *)&address, &len) == 0);
    snprintf(receiver->url, sizeof receiver->url, "http://127.0.0.1:%d/hook",
             ntohs(address.sin_port));
    CHECK(pipe(receiver->stop) == 0);
    CHECK(pthread_create(&receiver->thread, NULL, receiver_run, receiver) == 0);
}

static inline void receiver_close(struct receiver *receiver)
{
    CHECK(write(receiver->stop[1], "x", 1) == 1);
    pthread_join(receiver->thread, NULL);
    for (size_t i = 0; i < receiver->hung_count; i++)
        close(receiver->hung[i]);
    close(receiver->fd);
    close(receiver->stop[0]);
    close(receiver->stop[1]);
}

#endif
