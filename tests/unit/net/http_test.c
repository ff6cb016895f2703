// SPDX-License-Identifier: Apache-2.0
/* Against a server of a few lines that answers as each row says. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http.h"
#include "tests/support/broker.h"
#include "tests/support/check.h"

/* What each request gets; the last connection is closed behind it when `closes`. */
struct script {
    const char *answer; /* NULL: none, the request waits */
    size_t flood;       /* bytes of body sent behind the answer */
    bool closes;
};

struct server {
    struct script script;
    int listen_fd;
    pthread_t thread;
    int port;
    char url[64];
    atomic_int fd;
    atomic_int accepted;
    atomic_int requests;
    char request[4096]; /* the last one; read after its answer came */
};

static size_t content_length(const char *request)
{
    const char *found = strcasestr(request, "content-length:");
    return found != NULL ? strtoul(found + 15, NULL, 10) : 0;
}

static bool read_request(struct server *server, int fd)
{
    size_t len = 0;
    for (;;) {
        server->request[len] = '\0';
        const char *end = strstr(server->request, "\r\n\r\n");
        if (end != NULL &&
            len >= (size_t)(end + 4 - server->request) + content_length(server->request))
            return true;
        ssize_t got =
            recv(fd, server->request + len, sizeof server->request - 1 - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
    }
}

static void answer(struct server *server, int fd)
{
    const struct script *script = &server->script;
    static const char zeros[65536];
    atomic_fetch_add(&server->requests, 1);
    if (script->answer == NULL)
        return;
    bool is_there = send(fd, script->answer, strlen(script->answer), MSG_NOSIGNAL) >= 0;
    for (size_t sent = 0; is_there && sent < script->flood; sent += sizeof zeros)
        is_there = send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) >= 0;
}

static void *serve(void *context)
{
    struct server *server = context;
    for (;;) {
        int fd = accept(server->listen_fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        atomic_store(&server->fd, fd);
        atomic_fetch_add(&server->accepted, 1);
        while (read_request(server, fd)) {
            answer(server, fd);
            if (server->script.closes)
                break;
        }
        atomic_store(&server->fd, -1);
        close(fd);
    }
}

static struct server *server_open(struct script script)
{
    struct server *server = mem_alloc(sizeof *server);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    server->script = script;
    atomic_store(&server->fd, -1);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(server->listen_fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(server->listen_fd, 8) == 0);
    CHECK(getsockname(server->listen_fd, (struct sockaddr *)&address, &len) == 0);
    server->port = ntohs(address.sin_port);
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d/x", server->port);
    CHECK(pthread_create(&server->thread, NULL, serve, server) == 0);
    return server;
}

static void server_close(struct server *server)
{
    shutdown(server->listen_fd, SHUT_RDWR);
    int fd = atomic_load(&server->fd);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listen_fd);
    free(server);
}

static void answers_are_taken_as_they_are(void)
{
    static const struct {
        const char *name;
        const char *answer;
        int want_status;
        const char *want_body;
    } rows[] = {
        {"body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello"},
        {"no content", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""},
        {"error with a body", "HTTP/1.1 422 Bad\r\nContent-Length: 3\r\n\r\nwhy", 422,
         "why"},
        {"redirects are not followed",
         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: "
         "0\r\n\r\n",
         302, ""},
        {"chunked",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n"
         "\r\n",
         200, "abc"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct server *server = server_open((struct script){.answer = rows[i].answer});
        struct http_client *client = http_client_create();
        struct http_request request = {.method = "GET", .url = server->url};
        struct http_response response;
        struct err_text why = {0};
        CHECK_ROW(rows[i].name, http_send(client, &request, &response, &why) == ERR_OK);
        CHECK_ROW(rows[i].name, response.status == rows[i].want_status);
        CHECK_ROW(rows[i].name, response.retry_after_ms == -1);
        CHECK_TEXT(response.body.len > 0 ? response.body.data : "", rows[i].want_body);
        http_response_fini(&response);
        http_client_destroy(client);
        server_close(server);
    }
    http_client_destroy(NULL);
}

static void an_answer_says_when_it_was_given(void)
{
    static const struct {
        const char *name;
        const char *answer;
        int64_t want_ms;
    } rows[] = {
        {"a date",
         "HTTP/1.1 204 No Content\r\nDate: Mon, 23 Nov 2026 08:00:01 GMT\r\n\r\n",
         INT64_C(1795420801000)},
        {"none", "HTTP/1.1 204 No Content\r\n\r\n", -1},
        {"no date", "HTTP/1.1 204 No Content\r\nDate: soon\r\n\r\n", -1},
        {"empty", "HTTP/1.1 204 No Content\r\nDate:\r\n\r\n", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct server *server = server_open((struct script){.answer = rows[i].answer});
        struct http_client *client = http_client_create();
        struct http_request request = {.method = "GET", .url = server->url};
        struct http_response response;
        struct err_text why = {0};
        CHECK_ROW(rows[i].name, http_send(client, &request, &response, &why) == ERR_OK);
        CHECK_ROW(rows[i].name, response.date_ms == rows[i].want_ms);
        http_response_fini(&response);
        http_client_destroy(client);
        server_close(server);
    }
}

static void requests_say_what_was_asked_and_no_more(void)
{
    static const char *const headers[] = {"X-Key: v", "Content-Type: text/plain", NULL};
    static const struct {
        const char *name;
        struct http_request request;
        const char *want[4];
        const char *want_not[4];
    } rows[] = {
        {"GET",
         {.method = "GET"},
         {"GET /x HTTP/1.1\r\n", "User-Agent: coldchain/"},
         {"Content-Type", "Expect", "Content-Length"}},
        {"POST",
         {.method = "POST", .headers = headers, .body = "a=b", .body_len = 3},
         {"POST /x HTTP/1.1\r\n", "X-Key: v\r\n", "Content-Type: text/plain\r\n",
          "\r\n\r\na=b"},
         {"Expect", "urlencoded"}},
        {"POST without a body",
         {.method = "POST"},
         {"POST /x HTTP/1.1\r\n", "Content-Length: 0\r\n"},
         {"Content-Type"}},
        {"DELETE", {.method = "DELETE"}, {"DELETE /x HTTP/1.1\r\n"}, {"Content-Length"}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct server *server = server_open(
            (struct script){.answer = "HTTP/1.1 204 No Content\r\n\r\n", .closes = true});
        struct http_client *client = http_client_create();
        struct http_request request = rows[i].request;
        struct http_response response;
        request.url = server->url;
        CHECK_ROW(rows[i].name, http_send(client, &request, &response, NULL) == ERR_OK);
        http_response_fini(&response);
        http_client_destroy(client);
        for (size_t j = 0; j < 4 && rows[i].want[j] != NULL; j++)
            CHECK_ROW(rows[i].name, strstr(server->request, rows[i].want[j]) != NULL);
        for (size_t j = 0; j < 4 && rows[i].want_not[j] != NULL; j++)
            CHECK_ROW(rows[i].name, strstr(server->request, rows[i].want_not[j]) == NULL);
        server_close(server);
    }
}

static void a_connection_serves_many_requests(void)
{
    struct server *server = server_open(
        (struct script){.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
    struct http_client *client = http_client_create();
    for (int i = 0; i < 5; i++) {
        struct http_request request = {
            .method = "POST", .url = server->url, .body = "x", .body_len = 1};
        struct http_response response;
        CHECK(http_send(client, &request, &response, NULL) == ERR_OK);
        CHECK_TEXT(response.body.data, "ok");
        http_response_fini(&response);
    }
    CHECK(atomic_load(&server->accepted) == 1);
    CHECK(atomic_load(&server->requests) == 5);
    http_client_destroy(client);
    server_close(server);
}

static int64_t retry_after(const char *value)
{
    char *answer = mem_format("HTTP/1.1 503 Busy\r\nretry-AFTER: %s\r\n"
                              "Content-Length: 0\r\n\r\n",
                              value);
    struct server *server = server_open((struct script){.answer = answer});
    struct http_client *client = http_client_create();
    struct http_request request = {.method = "GET", .url = server->url};
    struct http_response response;
    CHECK(http_send(client, &request, &response, NULL) == ERR_OK);
    CHECK(response.status == 503);
    int64_t ms = response.retry_after_ms;
    http_response_fini(&response);
    http_client_destroy(client);
    server_close(server);
    free(answer);
    return ms;
}

static void retry_after_is_read_in_both_forms(void)
{
    static const struct {
        const char *value;
        int64_t want_ms;
    } rows[] = {
        {"0", 0},          {"120", 120000}, {" 7 ", 7000},
        {"soon", -1},      {"", -1},        {"-5", -1},
        {"999999999", -1}, {"1.5", -1},     {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].value, retry_after(rows[i].value) == rows[i].want_ms);
    char date[64];
    time_t later = time(NULL) + 600;
    struct tm parts;
    gmtime_r(&later, &parts);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    int64_t ms = retry_after(date);
    CHECK(ms > 500000 && ms <= 600000);
}

static void a_body_without_end_is_cut_off(void)
{
    static const struct {
        const char *name;
        size_t flood;
        enum err want;
    } rows[] = {
        {"as much as is allowed", HTTP_BODY_MAX, ERR_OK},
        {"more", HTTP_BODY_MAX + 65536, ERR_LIMIT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct server *server = server_open((struct script){
            .answer = "HTTP/1.1 200 OK\r\n\r\n", .flood = rows[i].flood, .closes = true});
        struct http_client *client = http_client_create();
        struct http_request request = {.method = "GET", .url = server->url};
        struct http_response response;
        struct err_text why;
        CHECK_ROW(rows[i].name,
                  http_send(client, &request, &response, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, response.body.len <= HTTP_BODY_MAX);
        http_response_fini(&response);
        http_client_destroy(client);
        server_close(server);
    }
}

static void failures_have_a_kind_and_a_sentence(void)
{
    static const char *const injected[] = {"X: a\r\nEvil: b", NULL};
    static const struct {
        const char *name;
        const char *url; /* NULL: the server */
        const char *const *headers;
        const char *ca_file;
        struct script script;
        enum err want;
    } rows[] = {
        {"nobody listens", "http://127.0.0.1:1/", NULL, NULL, {0}, ERR_OFFLINE},
        {"no answer", NULL, NULL, NULL, {0}, ERR_TIMEOUT},
        {"cut off",
         NULL,
         NULL,
         NULL,
         {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", 0, true},
         ERR_OFFLINE},
        {"no HTTP", NULL, NULL, NULL, {"SSH-2.0-x\r\n\r\n", 0, true}, ERR_OFFLINE},
        {"no URL", "http://", NULL, NULL, {0}, ERR_INVALID},
        {"another protocol", "ftp://127.0.0.1/", NULL, NULL, {0}, ERR_INVALID},
        {"a file", "file:///etc/passwd", NULL, NULL, {0}, ERR_INVALID},
        {"header injection", NULL, injected, NULL, {0}, ERR_INVALID},
        {"CA file absent",
         "https://127.0.0.1:1/",
         NULL,
         "/nonexistent",
         {0},
         ERR_OFFLINE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct server *server = server_open(rows[i].script);
        struct http_client *client = http_client_create();
        struct http_request request = {.method = "GET",
                                       .url = rows[i].url != NULL ? rows[i].url
                                                                  : server->url,
                                       .headers = rows[i].headers,
                                       .ca_file = rows[i].ca_file,
                                       .timeout_ms = 300};
        struct http_response response;
        struct err_text why = {0};
        CHECK_ROW(rows[i].name,
                  http_send(client, &request, &response, &why) == rows[i].want);
        CHECK_ROW(rows[i].name, response.status == 0 && why.text[0] != '\0');
        http_response_fini(&response);
        http_client_destroy(client);
        server_close(server);
    }
}

static void the_environment_names_no_proxy(void)
{
    struct server *server = server_open(
        (struct script){.answer = "HTTP/1.1 204 No Content\r\n\r\n", .closes = true});
    char proxy[64];
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", server->port);
    struct http_client *client = http_client_create();
    struct http_request request = {.method = "GET", .url = server->url};
    struct http_response response;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    CHECK(http_send(client, &request, &response, NULL) == ERR_OK);
    http_response_fini(&response);
    unsetenv("http_proxy");
    request.proxy = proxy;
    request.url = "http://nowhere.invalid/through";
    CHECK(http_send(client, &request, &response, NULL) == ERR_OK);
    CHECK(strstr(server->request, "GET http://nowhere.invalid/through ") != NULL);
    http_response_fini(&response);
    http_client_destroy(client);
    server_close(server);
}

struct cancelling {
    struct http_client *client;
    struct server *server;
};

static void *cancel_when_asked(void *context)
{
    struct cancelling *cancelling = context;
    while (atomic_load(&cancelling->server->requests) == 0)
        sched_yield();
    http_client_cancel(cancelling->client);
    return NULL;
}

static void a_cancelled_client_gives_up_soon(void)
{
    struct server *server = server_open((struct script){0});
    struct cancelling cancelling = {http_client_create(), server};
    struct http_request request = {
        .method = "GET", .url = server->url, .timeout_ms = 60000};
    struct http_response response;
    struct err_text why;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancel_when_asked, &cancelling) == 0);
    int64_t before_ms = clock_real_ms();
    for (int i = 0; i < 2; i++) {
        CHECK(http_send(cancelling.client, &request, &response, &why) == ERR_OFFLINE);
        CHECK_TEXT(why.text, "given up: we are stopping");
        http_response_fini(&response);
    }
    CHECK(clock_real_ms() - before_ms < 10000);
    pthread_join(thread, NULL);
    http_client_destroy(cancelling.client);
    server_close(server);
}

/* mosquitto's TLS port: trust is judged before either side finds that it is no HTTP. */
static void certificates_are_verified(void)
{
    struct broker broker;
    if (!broker_open(&broker))
        return;
    const struct {
        const char *name;
        const char *host;
        const char *ca_file;
        bool want_trust;
    } rows[] = {
        {"right authority", "localhost", broker.ca_file, true},
        {"another authority", "localhost", broker.other_ca_file, false},
        {"the system's authorities", "localhost", NULL, false},
        {"another host", "127.0.0.1", broker.ca_file, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char url[64];
        snprintf(url, sizeof url, "https://%s:%d/", rows[i].host, broker.tls_port);
        struct http_client *client = http_client_create();
        struct http_request request = {
            .method = "GET", .url = url, .ca_file = rows[i].ca_file, .timeout_ms = 3000};
        struct http_response response;
        struct err_text why = {0};
        enum err err = http_send(client, &request, &response, &why);
        CHECK_ROW(rows[i].name, err == ERR_OFFLINE || err == ERR_TIMEOUT);
        CHECK_ROW(rows[i].name,
                  (strstr(why.text, "certificate") == NULL) == rows[i].want_trust);
        http_response_fini(&response);
        http_client_destroy(client);
    }
    broker_close(&broker);
}

static CU_TestInfo tests[] = {
    {"answers are taken as they are", answers_are_taken_as_they_are},
    {"an answer says when it was given", an_answer_says_when_it_was_given},
    {"requests say what was asked and no more", requests_say_what_was_asked_and_no_more},
    {"a connection serves many requests", a_connection_serves_many_requests},
    {"Retry-After is read in both forms", retry_after_is_read_in_both_forms},
    {"a body without end is cut off", a_body_without_end_is_cut_off},
    {"failures have a kind and a sentence", failures_have_a_kind_and_a_sentence},
    {"the environment names no proxy", the_environment_names_no_proxy},
    {"a cancelled client gives up soon", a_cancelled_client_gives_up_soon},
    {"certificates are verified", certificates_are_verified},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("http", tests);
}
