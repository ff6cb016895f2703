// SPDX-License-Identifier: Apache-2.0
/* Who is let in, what is refused, and what happens when nobody answers. */
#include "collector/api/internal.h"

#include <sys/stat.h>

#include "collector/api/routes.h"
#include "tests/unit/collector/api/world.h"

/* The pattern with a name for each '*'. */
static void fill_pattern(char path[200], const char *pattern)
{
    size_t len = 0;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '*')
            len += (size_t)snprintf(path + len, 200 - len, "name-%zu", len);
        else
            path[len++] = *pattern;
    }
    path[len] = '\0';
}

static int status_of(const struct world *world, const char *method, const char *path,
                     const char *token)
{
    struct answer answer;
    world_ask(world, method, path, token, NULL, &answer);
    int status = answer.status;
    if (status == 401)
        CHECK_ROW(path, answer_has(&answer, "WWW-Authenticate: Bearer"));
    if (status == 405)
        CHECK_ROW(path, answer_has(&answer, "Allow: "));
    answer_fini(&answer);
    return status;
}

static bool is_declared(const char *method, const char *pattern)
{
    for (const struct api_route *route = api_routes; route->method != NULL; route++)
        if (strcmp(route->method, method) == 0 && strcmp(route->pattern, pattern) == 0)
            return true;
    return false;
}

static void every_route_is_closed_to_who_has_no_token(void)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS"};
    struct world world;
    world_open(&world);
    world_add_token(&world, "expired", WORLD_T0 - 1, 0);
    world_add_token(&world, "revoked", 0, WORLD_T0 - 1);
    world_run(&world);
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        char path[200];
        fill_pattern(path, route->pattern);
        bool is_open = (route->need.roles & ACCESS_ANONYMOUS) != 0;
        CHECK_ROW(path, (status_of(&world, route->method, path, NULL) == 401) != is_open);
        CHECK_ROW(path,
                  (status_of(&world, route->method, path, "wrong") == 401) != is_open);
        CHECK_ROW(path,
                  (status_of(&world, route->method, path, "expired") == 401) != is_open);
        CHECK_ROW(path,
                  (status_of(&world, route->method, path, "revoked") == 401) != is_open);
        /* The answer of a stream has no end. */
        bool is_stream = strcmp(path, "/api/v1/stream") == 0;
        int status =
            status_of(&world, is_stream ? "HEAD" : route->method, path, world.token);
        CHECK_ROW(path, status == 200 || status == 404 || status == 400 || status == 422);
        for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
            if (!is_declared(methods[i], route->pattern))
                CHECK_ROW(path, status_of(&world, methods[i], path, world.token) == 405);
    }
    world_close(&world);
}

static void only_these_are_open(void)
{
    static const char *const open[] = {
        "/healthz",      "/readyz", "/api/v1/openapi.yaml", "/setup/*",
        "/api/v1/login", "/v1/ack", "/v1/replies"};
    for (const struct api_route *route = api_routes; route->method != NULL; route++) {
        bool is_listed = false;
        for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
            is_listed = is_listed || strcmp(route->pattern, open[i]) == 0;
        CHECK_ROW(route->pattern,
                  ((route->need.roles & ACCESS_ANONYMOUS) != 0) == is_listed);
    }
}

static void a_token_is_found_whatever_its_spelling_of_bearer(void)
{
    static const struct {
        const char *name;
        const char *header;
        int want;
    } rows[] = {
        {"as documented", "Authorization: Bearer good", 200},
        {"schemes have no case (RFC 9110, 11.1)", "authorization: bearer good", 200},
        {"another scheme", "Authorization: Basic good", 401},
        {"the token alone", "Authorization: good", 401},
        {"no token", "Authorization: Bearer ", 401},
        {"more than the token", "Authorization: Bearer good good", 401},
        {"twice", "Authorization: Bearer good\r\nAuthorization: Bearer good", 400},
    };
    struct world world;
    world_open(&world);
    world_add_token(&world, "good", 0, 0);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf request = {0};
        struct answer answer;
        buf_format(&request,
                   "GET /api/v1/sinks HTTP/1.1\r\nHost: x\r\nConnection: "
                   "close\r\n%s\r\n\r\n",
                   rows[i].header);
        world_raw(&world, request.data, request.len, &answer);
        CHECK_ROW(rows[i].name, answer.status == rows[i].want);
        answer_fini(&answer);
        buf_fini(&request);
    }
    world_close(&world);
}

static void the_first_start_leaves_a_token_that_only_its_owner_reads(void)
{
    struct world world;
    struct stat file;
    world_open(&world);
    CHECK(strlen(world.token) == 64);
    CHECK(stat(folder_file(&world.folder, "api.token"), &file) == 0);
    CHECK((file.st_mode & 0777) == 0600);
    uint64_t count = 0;
    CHECK(state_count_tokens(world.state, &count) == ERR_OK);
    CHECK(count == 2); /* and the set-up link */
    world_close(&world);
}

static void addresses_that_are_none(void)
{
    static const struct {
        const char *name;
        const char *path;
        int want;
    } rows[] = {
        {"root", "/", 404},
        {"unknown", "/api/v2/zones", 404},
        {"a slash too many", "/api/v1/zones/", 404},
        {"slashes in a row", "//api/v1/zones", 404},
        {"a literal star is no name", "/api/v1/incidents/*", 404},
        {"stars", "/api/v1/devices/*/*/readings", 404},
        {"up and away", "/api/v1/zones/../readings", 404},
        {"up, encoded", "/api/v1/zones/%2e%2e/readings", 404},
        {"a slash, encoded", "/api/v1/devices/a%2Fb/readings", 400},
        {"a slash, encoded in lower case", "/api/v1/devices/a%2fb/readings", 400},
        {"a backslash, encoded", "/api/v1/zones/a%5cb/readings", 400},
        {"NUL behind a route", "/api/v1/sinks%00/etc/passwd", 400},
        {"NUL in a name", "/api/v1/incidents/a%00b", 400},
        {"NUL in a value", "/api/v1/incidents?limit=5%00", 400},
        {"no name", "/api/v1/zones//readings", 404},
        {"a name that is none", "/api/v1/zones/r%C3%A9/readings", 404},
        {"a broken escape", "/api/v1/zones/%zz/readings", 404},
        {"an absolute one", "http://test/api/v1/sinks", 400},
        {"other letters", "/API/V1/SINKS", 404},
        {"that is one", "/api/v1/sinks", 200},
        {"escapes that mean nothing special", "/api/v1/s%69nks", 200},
    };
    struct world world;
    world_open(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_ROW(rows[i].name,
                  status_of(&world, "GET", rows[i].path, world.token) == rows[i].want);
    char path[600] = "/api/v1/incidents/";
    memset(path + strlen(path), 'a', 65);
    CHECK(status_of(&world, "GET", path, world.token) == 404);
    world_close(&world);
}

static void bad_questions_are_told_what_is_right(void)
{
    static const struct {
        const char *path;
        const char *detail; /* part of it */
    } rows[] = {
        {"/api/v1/devices/o/d/readings?from=yesterday", "'from' is not a time"},
        {"/api/v1/devices/o/d/readings?from=", "'from' is not a time"},
        {"/api/v1/devices/o/d/readings?from=-1", "'from' is not a time"},
        {"/api/v1/devices/o/d/readings?to=2026-13-01", "'to' is not a time"},
        {"/api/v1/devices/o/d/readings?limit=0", "'limit' is a number"},
        {"/api/v1/devices/o/d/readings?limit=100001", "'limit' is a number"},
        {"/api/v1/devices/o/d/readings?limit=1e3", "'limit' is a number"},
        {"/api/v1/devices/o/d/readings?limit=99999999999999999999", "'limit'"},
        {"/api/v1/devices/o/d/readings?skip=x", "'skip' is a number"},
        {"/api/v1/devices/o/d/readings?format=xml", "'format' is one of: json, csv"},
        {"/api/v1/devices/o/d/readings?channel=a%20b", "'channel' is not a name"},
        {"/api/v1/devices/o/d/readings?form=csv", "'form' is not known here"},
        {"/api/v1/devices/o/d/readings?limit=1&limit=2", "'limit' stands twice"},
        {"/api/v1/devices/o/d/readings?limit", "'limit' has no value"},
        {"/api/v1/incidents?state=opne", "'state' is one of: open, recovering"},
        {"/api/v1/incidents?state=open;closed", "'state' is one of"},
        {"/api/v1/incidents?zone=a/b", "'zone' is not a name"},
        {"/api/v1/incidents?limit=1001", "'limit' is a number from 1 to 1000"},
        {"/api/v1/incidents?cursor=5", "'cursor' is what"},
        {"/api/v1/incidents?cursor=5-xyz", "'cursor' is what"},
        {"/api/v1/incidents?cursor=5-ab-", "'cursor' is what"},
        {"/api/v1/incidents?from=x", "'from' is not a time"},
        {"/api/v1/quarantine?after=x", "'after' is what 'next'"},
        {"/api/v1/quarantine?after=5", "'after' is what 'next'"},
        {"/api/v1/quarantine?limit=0", "'limit' is a number"},
        {"/api/v1/outbox?after=x", "'after' is what 'next'"},
        {"/api/v1/zones?zone=a", "'zone' is not known here"},
    };
    struct world world;
    world_open(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        world_get(&world, rows[i].path, &answer);
        CHECK_ROW(rows[i].path, answer.status == 400);
        CHECK_ROW(rows[i].path, strstr(answer_detail(&answer), rows[i].detail) != NULL);
        answer_fini(&answer);
    }
    world_close(&world);
}

/* ---- bytes that are hardly HTTP ------------------------------------------------------
 */

#define TOO_LONG 100000

static void problems_speak_the_callers_language(void)
{
    static const struct {
        const char *accept;
        const char *tag;
        const char *detail;
    } rows[] = {
        {"", "Content-Language: en\r\n", "'limit' is a number from 1 to 1000"},
        {"Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n", "Content-Language: zh-CN\r\n",
         "“limit”应为 1 到 1000 之间的整数"},
        {"Accept-Language: en,zh;q=0.5\r\n", "Content-Language: en\r\n",
         "'limit' is a number from 1 to 1000"},
    };
    struct world world;
    world_open(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        struct buf request = {0};
        buf_format(&request,
                   "GET /api/v1/outbox?limit=x HTTP/1.1\r\nHost: test\r\n%s"
                   "Authorization: Bearer %s\r\nConnection: close\r\n\r\n",
                   rows[i].accept, world.token);
        world_raw(&world, request.data, request.len, &answer);
        const char *type = json_string_value(json_object_get(answer.json, "type"));
        CHECK_ROW(rows[i].tag, answer.status == 400 && answer_has(&answer, rows[i].tag));
        CHECK_TEXT(type != NULL ? type : "", "/errors/parameter-not-a-number");
        CHECK_TEXT(answer_detail(&answer), rows[i].detail);
        answer_fini(&answer);
        buf_fini(&request);
    }
    world_close(&world);
}

static void requests_that_read_in_two_ways_are_refused(void)
{
    static const struct {
        const char *name;
        const char *headers;
        const char *body;
    } rows[] = {
        {"two lengths", "Content-Length: 2\r\nContent-Length: 4\r\n", "{}{}"},
        {"the same length twice", "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"},
        {"a length and chunks", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
         "0\r\n\r\n"},
        {"two hosts", "Host: other\r\nContent-Length: 0\r\n", ""},
        {"a length that is none", "Content-Length: 2x\r\n", "{}"},
        {"a negative length", "Content-Length: -2\r\n", "{}"},
    };
    struct world world;
    world_open(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf request = {0};
        struct answer answer;
        /* What follows must not be taken for a request of its own. */
        buf_format(&request,
                   "POST /api/v1/incidents/abc/acknowledge HTTP/1.1\r\nHost: test\r\n"
                   "Authorization: Bearer %s\r\n%s\r\n%s"
                   "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n",
                   world.token, rows[i].headers, rows[i].body);
        world_raw(&world, request.data, request.len, &answer);
        CHECK_ROW(rows[i].name, answer.status == 400 || answer.status == 413);
        CHECK_ROW(rows[i].name, !answer_has(&answer, "alive"));
        CHECK_ROW(rows[i].name, world.command[0] == '\0');
        answer_fini(&answer);
        buf_fini(&request);
    }
    world_close(&world);
}

static void large_bodies_are_refused_before_they_are_read(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    world_run(&world);
    struct buf request = {0};
    buf_format(&request,
               "POST /api/v1/incidents/abc/acknowledge HTTP/1.1\r\nHost: test\r\n"
               "Authorization: Bearer %s\r\nContent-Length: 65537\r\n\r\n",
               world.token);
    world_raw(&world, request.data, request.len, &answer);
    CHECK(answer.status == 413);
    CHECK_TEXT(answer_detail(&answer), "at most 64 KiB are taken; send less at once");
    answer_fini(&answer);
    buf_clear(&request);
    /* In chunks nobody knows how much follows: it is read to its end, and refused. */
    buf_format(&request,
               "POST /api/v1/incidents/abc/acknowledge HTTP/1.1\r\nHost: test\r\n"
               "Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
               world.token, TOO_LONG);
    memset(buf_reserve(&request, TOO_LONG), ' ', TOO_LONG);
    request.len += TOO_LONG;
    buf_text(&request, "\r\n0\r\n\r\n");
    world_raw(&world, request.data, request.len, &answer);
    CHECK(answer.status == 413);
    answer_fini(&answer);
    buf_fini(&request);
    CHECK(world.command[0] == '\0');
    world_close(&world);
}

static void endless_bodies_end_the_connection(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    world_run(&world);
    int fd = world_connect(&world);
    static const char head[] = "POST /api/v1/incidents/abc/acknowledge HTTP/1.1\r\n"
                               "Host: test\r\nTransfer-Encoding: chunked\r\n\r\n";
    world_send(fd, head, sizeof head - 1);
    char chunk[4096 + 8];
    memset(chunk, 'x', sizeof chunk);
    memcpy(chunk, "1000\r\n", 6);
    memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
    bool is_open = true;
    for (int i = 0; i < 4096 && is_open; i++)
        is_open = send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) == (ssize_t)sizeof chunk;
    CHECK(!is_open); /* 16 MiB were on offer */
    world_read(fd, &answer);
    CHECK(answer.status != 200);
    answer_fini(&answer);
    world_close(&world);
}

static void what_is_no_http_harms_nobody(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    world_run(&world);
    struct buf request = {0};
    buf_text(&request, "GET /healthz HTTP/1.1\r\nHost: test\r\nX: ");
    memset(buf_reserve(&request, TOO_LONG), 'a', TOO_LONG);
    request.len += TOO_LONG;
    buf_text(&request, "\r\n\r\n");
    world_raw(&world, request.data, request.len, &answer);
    CHECK(answer.status == 431 || answer.status == 413 || answer.status == 0);
    answer_fini(&answer);
    static const char *const rows[] = {"\r\n\r\n\r\n",
                                       "GET\r\n\r\n",
                                       "\x16\x03\x01\x02",
                                       "GET / HTTP/9.9\r\n\r\n",
                                       "GET /healthz HTTP/1.1\r\n\r\n",
                                       "GET /healthz HTTP/1.1\r\nHost\r\n\r\n",
                                       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        world_raw(&world, rows[i], strlen(rows[i]), &answer);
        CHECK_ROW(rows[i], answer.status != 200);
        answer_fini(&answer);
    }
    buf_fini(&request);
    CHECK(status_of(&world, "GET", "/healthz", NULL) == 200);
    world_close(&world);
}

static void a_silent_connection_is_closed(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    world_run(&world);
    int64_t began_ms = clock_real_ms();
    world_raw(&world, "GET /heal", 9, &answer);
    CHECK(answer.status != 200);
    CHECK(clock_real_ms() - began_ms < 8000);
    answer_fini(&answer);
    world_close(&world);
}

/* ---- the loop ------------------------------------------------------------------------
 */

static void a_busy_loop_is_told_in_bounded_time(void)
{
    static const char *const paths[] = {"/api/v1/zones", "/api/v1/status",
                                        "/api/v1/zones/a/readings", "/readyz"};
    struct world world;
    world_open(&world); /* the loop does not run */
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct answer answer;
        int64_t began_ms = clock_real_ms();
        world_get(&world, paths[i], &answer);
        CHECK_ROW(paths[i], answer.status == 503);
        CHECK_ROW(paths[i], strstr(answer.text.data, "busy") != NULL);
        CHECK_ROW(paths[i], answer_has(&answer, "Retry-After: "));
        CHECK_ROW(paths[i], clock_real_ms() - began_ms < 8000);
        answer_fini(&answer);
    }
    CHECK(status_of(&world, "GET", "/healthz", NULL) == 200);
    CHECK(status_of(&world, "GET", "/api/v1/sinks", world.token) == 200);
    world_close(&world);
}

static void closing_ends_requests_that_wait(void)
{
    static const char request[] = "GET /api/v1/zones HTTP/1.1\r\nHost: test\r\n"
                                  "Authorization: Bearer good\r\n\r\n";
    struct world world;
    int clients[4];
    world_open(&world);
    world_add_token(&world, "good", 0, 0);
    for (size_t i = 0; i < 4; i++) {
        clients[i] = world_connect(&world);
        world_send(clients[i], request, sizeof request - 1);
    }
    /* Taken behind the others: they wait by now. */
    CHECK(status_of(&world, "GET", "/healthz", NULL) == 200);
    int64_t began_ms = clock_real_ms();
    world_close(&world);
    CHECK(clock_real_ms() - began_ms < 8000);
    for (size_t i = 0; i < 4; i++) {
        struct answer answer;
        world_read(clients[i], &answer);
        CHECK(answer.status == 503 || answer.status == 0);
        answer_fini(&answer);
    }
}

static void readiness_says_why_not(void)
{
    struct world world;
    struct answer answer;
    world_open(&world);
    world.is_ready = false;
    world_run(&world);
    world_ask(&world, "GET", "/readyz", NULL, NULL, &answer);
    CHECK(answer.status == 503);
    CHECK(strstr(answer_detail(&answer), "catching up with the journal") != NULL);
    answer_fini(&answer);
    world_ask(&world, "HEAD", "/healthz", NULL, NULL, &answer);
    CHECK(answer.status == 200);
    CHECK(answer_has(&answer, "Content-Length: 18"));
    CHECK_TEXT(answer.body, "");
    answer_fini(&answer);
    world_close(&world);
}

/* A site whose clocks nobody here knows is refused before it is written down. */
static void a_time_zone_that_is_none_is_refused(void)
{
    static const struct {
        const char *verb;
        const char *name;
        int want;
    } rows[] = {
        {"site.put", "Asia/Shanhai", 400},
        {"site.put", "Asia/Shanghai", 200},
        {"site.put", "../UTC", 400},
        {"zone.put", "Asia/Shanhai", 200}}; /* none of its: the pipeline says so */
    struct world world;
    world_open(&world);
    world_run(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer;
        char *body = mem_format("{\"verb\":\"%s\",\"body\":{\"id\":\"s\","
                                "\"time_zone\":\"%s\"}}",
                                rows[i].verb, rows[i].name);
        world.command[0] = '\0';
        world_ask(&world, "POST", "/api/v1/commands", world.token, body, &answer);
        CHECK_ROW(rows[i].name, answer.status == rows[i].want);
        CHECK_ROW(rows[i].name, (world.command[0] == '\0') == (rows[i].want != 200));
        if (rows[i].want != 200)
            CHECK_ROW(rows[i].name, strstr(answer_detail(&answer), "time zone") != NULL);
        answer_fini(&answer);
        free(body);
    }
    world_close(&world);
}

static void a_port_in_use_and_an_address_that_is_none_are_told(void)
{
    struct world world;
    struct err_text why = {0};
    struct api *other;
    world_open(&world);
    char *state_path = mem_strdup(folder_file(&world.folder, "state.db"));
    struct api_options options = {.listen = "127.0.0.1",
                                  .port = api_port(world.api),
                                  .state_path = state_path,
                                  .history_dir = world.history_folder.path,
                                  .token_file = "/nonexistent/token",
                                  .loop = world.loop,
                                  .clock = &world.clock,
                                  .context = &world,
                                  .live = world_live,
                                  .submit = world_submit,
                                  .write = world_write,
                                  .ready = world_ready};
    CHECK(api_open(&other, &options, &why) == ERR_BUSY);
    CHECK(other == NULL);
    CHECK(strstr(why.text, "cannot listen on 127.0.0.1:") != NULL);
    options.listen = "localhost";
    CHECK(api_open(&other, &options, &why) == ERR_INVALID);
    CHECK(strstr(why.text, "'localhost' is not an IPv4 address") != NULL);
    free(state_path);
    world_close(&world);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every route is closed to who has no token",
         every_route_is_closed_to_who_has_no_token},
        {"only these are open", only_these_are_open},
        {"a token is found whatever its spelling of bearer",
         a_token_is_found_whatever_its_spelling_of_bearer},
        {"the first start leaves a token that only its owner reads",
         the_first_start_leaves_a_token_that_only_its_owner_reads},
        {"addresses that are none", addresses_that_are_none},
        {"bad questions are told what is right", bad_questions_are_told_what_is_right},
        {"problems speak the caller's language", problems_speak_the_callers_language},
        {"requests that read in two ways are refused",
         requests_that_read_in_two_ways_are_refused},
        {"large bodies are refused before they are read",
         large_bodies_are_refused_before_they_are_read},
        {"endless bodies end the connection", endless_bodies_end_the_connection},
        {"what is no HTTP harms nobody", what_is_no_http_harms_nobody},
        {"a silent connection is closed", a_silent_connection_is_closed},
        {"a busy loop is told in bounded time", a_busy_loop_is_told_in_bounded_time},
        {"closing ends requests that wait", closing_ends_requests_that_wait},
        {"readiness says why not", readiness_says_why_not},
        {"a time zone that is none is refused", a_time_zone_that_is_none_is_refused},
        {"a port in use and an address that is none are told",
         a_port_in_use_and_an_address_that_is_none_are_told},
        CU_TEST_INFO_NULL,
    };
    return check_run("request", tests);
}
