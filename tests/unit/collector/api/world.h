// SPDX-License-Identifier: Apache-2.0
/*
 * world - an API over stores made by hand, and a client that may say anything to it.
 *
 * The loop runs in a thread of its own; what the pipeline would answer is set by the
 * test. The client speaks bytes: what it sends need not be HTTP.
 */
#ifndef COLDCHAIN_TESTS_UNIT_COLLECTOR_API_WORLD_H
#define COLDCHAIN_TESTS_UNIT_COLLECTOR_API_WORLD_H

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "collector/api/api.h"
#include "collector/api/feed.h"
#include "collector/command/change.h"
#include "collector/store/history.h"
#include "collector/store/state.h"
#include "collector/store/state_incidents.h"
#include "collector/store/state_people.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define WORLD_T0 INT64_C(1795420800000) /* 2026-11-23T08:00:00Z */

struct world {
    struct folder folder; /* state.db and the token's file */
    struct folder history_folder;
    struct clock clock;
    struct loop *loop;
    pthread_t thread;
    bool is_running;
    struct state *state;
    struct history *history;
    struct api *api;
    char token[100];

    /* what the loop answers; set before the loop runs */
    const char *live[API_LIVE_RULES + 1];
    char subject[ID_SIZE];  /* of the last question for one of these */
    const struct news *all; /* what there is when a stream begins */
    size_t all_count;
    uint64_t all_position;
    struct reply_desk *desk; /* and channels; NULL: nobody answers messages */
    const struct config_channel *const *channels;
    size_t channel_count;
    bool is_ready;
    enum err submit_err;  /* of the journal */
    enum err command_err; /* of the command, once applied */
    bool is_never_applied;
    bool is_applying; /* to state.db, as the pipeline would; else all is well */
    uint64_t position;
    char command[2048]; /* as it was submitted last */
};

static inline void world_must(enum err err, const char *what)
{
    if (err == ERR_OK)
        return;
    printf("%s: %s\n", what, err_about(err));
    exit(EXIT_FAILURE);
}

static inline void world_live(void *context, enum api_live what, const char *subject,
                              struct buf *out)
{
    struct world *world = context;
    snprintf(world->subject, sizeof world->subject, "%s", subject);
    buf_text(out, world->live[what] != NULL ? world->live[what] : "[]");
}

static inline void world_tell_all(void *context)
{
    const struct world *world = context;
    for (size_t i = 0; i < world->all_count; i++)
        feed_put(api_feed(world->api), &world->all[i]);
    feed_seal(api_feed(world->api), world->all_position);
}

struct world_done {
    struct world *world;
    char id[80];
    char *json;
};

/* What the pipeline makes of a command that no evaluation depends on. */
static inline void world_carry_out(struct world_done *done)
{
    struct world *world = done->world;
    struct err_text why = {0};
    struct command command;
    struct outcome outcome = {0};
    CHECK(command_parse(&command, done->json, strlen(done->json), &why) == ERR_OK);
    world_must(state_begin(world->state), "begin");
    world_must(command_apply(world->state, &command, ++world->position,
                             clock_wall_ms(&world->clock), &outcome),
               "apply");
    world_must(state_commit(world->state), "commit");
    api_command_done(world->api, done->id, outcome.err, outcome.why.text, outcome.result);
    outcome_fini(&outcome);
    command_fini(&command);
}

static inline void world_applied(void *context)
{
    struct world_done *done = context;
    struct world *world = done->world;
    if (world->is_applying)
        world_carry_out(done);
    else
        api_command_done(world->api, done->id, world->command_err,
                         err_about(world->command_err), "{}");
    free(done->json);
    free(done);
}

static inline enum err world_submit(void *context, const char *json, size_t len)
{
    struct world *world = context;
    snprintf(world->command, sizeof world->command, "%.*s", (int)len, json);
    if (world->submit_err != ERR_OK || world->is_never_applied)
        return world->submit_err;
    json_t *command = json_loadb(json, len, 0, NULL);
    struct world_done *done = mem_alloc(sizeof *done);
    done->world = world;
    done->json = mem_strndup(json, len);
    snprintf(done->id, sizeof done->id, "%s",
             json_string_value(json_object_get(command, "id")));
    json_decref(command);
    loop_post(world->loop, world_applied, done);
    return ERR_OK;
}

static inline enum err world_write(void *context, api_change_fn *change, void *argument)
{
    struct world *world = context;
    enum err err = state_begin(world->state);
    if (err == ERR_OK)
        err = change(world->state, argument);
    if (err == ERR_OK)
        return state_commit(world->state);
    state_rollback(world->state);
    return err;
}

static inline enum err world_ready(void *context, struct err_text *why)
{
    const struct world *world = context;
    (void)why;
    return world->is_ready ? ERR_OK : ERR_BUSY;
}

static inline void world_put_token(struct world *world, const char *text,
                                   const char *role, int64_t expires_ms,
                                   int64_t revoked_ms)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char hash[2 * CRYPTO_DIGEST_BYTES + 1];
    crypto_digest(digest, text, strlen(text));
    const struct state_token token = {.hash = crypto_hex(hash, digest, sizeof digest),
                                      .name = text,
                                      .role = role,
                                      .created_ms = WORLD_T0,
                                      .expires_ms = expires_ms,
                                      .revoked_ms = revoked_ms};
    world_must(state_begin(world->state), "begin");
    world_must(state_put_token(world->state, &token), "token");
    world_must(state_commit(world->state), "commit");
}

/* A token of that text, besides the first one. */
static inline void world_add_token(struct world *world, const char *text,
                                   int64_t expires_ms, int64_t revoked_ms)
{
    world_put_token(world, text, "admin", expires_ms, revoked_ms);
}

static inline void world_add_role(struct world *world, const char *text, const char *role,
                                  int64_t expires_ms)
{
    world_put_token(world, text, role, expires_ms, 0);
}

/* For the requests that follow: nobody else looks at the clock meanwhile. */
static inline void world_set_time(struct world *world, int64_t now_ms)
{
    clock_init_virtual(&world->clock, now_ms, clock_real_ms(), 1);
}

static inline void *world_loop(void *context)
{
    struct world *world = context;
    loop_run(world->loop);
    return NULL;
}

static inline void world_run(struct world *world)
{
    world->is_running = pthread_create(&world->thread, NULL, world_loop, world) == 0;
    CHECK(world->is_running);
}

static inline void world_halt(struct world *world)
{
    if (!world->is_running)
        return;
    loop_stop(world->loop);
    pthread_join(world->thread, NULL);
    world->is_running = false;
}

/* Of one-tap links, in worlds that are opened from then on; NULL: none. */
static const struct ack_links *world_links;

/* Empty stores, the API open, the loop not running; waits are short. Zeroed, but for what
 * answers messages. */
static inline void world_open_with(struct world *world)
{
    struct err_text why = {0};
    struct buf token = {0};
    world->is_ready = true;
    crypto_init();
    folder_make(&world->folder);
    folder_make(&world->history_folder);
    clock_init_virtual(&world->clock, WORLD_T0, clock_real_ms(), 1);
    world->loop = loop_create();
    char *state_path = mem_strdup(folder_file(&world->folder, "state.db"));
    char *token_path = mem_strdup(folder_file(&world->folder, "api.token"));
    world_must(state_open(&world->state, state_path, &why), why.text);
    world_must(history_open(&world->history, world->history_folder.path, &why), why.text);
    const struct api_options options = {
        .listen = "127.0.0.1",
        .links = world_links,
        .state_path = state_path,
        .history_dir = world->history_folder.path,
        .token_file = token_path,
        .loop = world->loop,
        .clock = &world->clock,
        .wait_ms = 400,
        .idle_ms = 1000,
        .context = world,
        .desk = world->desk,
        .channels = world->channels,
        .channel_count = world->channel_count,
        .live = world_live,
        .tell_all = world_tell_all,
        .submit = world_submit,
        .write = world_write,
        .ready = world_ready,
    };
    world_must(api_open(&world->api, &options, &why), why.text);
    world_must(file_read(&token, token_path, sizeof world->token - 1, &why), why.text);
    snprintf(world->token, sizeof world->token, "%.*s", (int)token.len - 1, token.data);
    buf_fini(&token);
    free(state_path);
    free(token_path);
}

static inline void world_open(struct world *world)
{
    *world = (struct world){.desk = NULL};
    world_open_with(world);
}

static inline void world_close(struct world *world)
{
    world_halt(world);
    api_close(world->api);
    loop_destroy(world->loop);
    api_destroy(world->api);
    history_close(world->history);
    state_close(world->state);
    folder_remove(&world->history_folder);
    folder_remove(&world->folder);
}

/* ---- a client ------------------------------------------------------------------------
 */

struct answer {
    int status; /* 0: none came */
    struct buf text;
    const char *body;
    json_t *json; /* NULL when it is none */
};

static inline int world_connect(const struct world *world)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)api_port(world->api)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct timeval bound = {.tv_sec = 30};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound) == 0);
    CHECK(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound) == 0);
    CHECK(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

/* The other side may close before it has taken all. */
static inline void world_send(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        at += sent;
        len -= (size_t)sent;
    }
}

/* Everything up to the end of the connection, which it closes. */
static inline void world_read(int fd, struct answer *answer)
{
    char bytes[16384];
    ssize_t count;
    *answer = (struct answer){0};
    while ((count = recv(fd, bytes, sizeof bytes, 0)) > 0)
        buf_add(&answer->text, bytes, (size_t)count);
    close(fd);
    if (answer->text.len == 0)
        return;
    if (sscanf(answer->text.data, "HTTP/1.1 %d ", &answer->status) != 1)
        answer->status = -1;
    const char *end = strstr(answer->text.data, "\r\n\r\n");
    answer->body = end != NULL ? end + 4 : "";
    answer->json = json_loads(answer->body, 0, NULL);
}

static inline void answer_fini(struct answer *answer)
{
    json_decref(answer->json);
    buf_fini(&answer->text);
}

static inline bool answer_has(const struct answer *answer, const char *header)
{
    return answer->text.data != NULL && strstr(answer->text.data, header) != NULL;
}

/* The detail of a problem document; "" when it is none. */
static inline const char *answer_detail(const struct answer *answer)
{
    const char *detail = json_string_value(json_object_get(answer->json, "detail"));
    return detail != NULL && answer_has(answer, "application/problem+json") ? detail : "";
}

static inline void world_raw(const struct world *world, const void *data, size_t len,
                             struct answer *answer)
{
    int fd = world_connect(world);
    world_send(fd, data, len);
    world_read(fd, answer);
}

/* `token` NULL: none. `body` NULL: none. */
static inline void world_ask(const struct world *world, const char *method,
                             const char *path, const char *token, const char *body,
                             struct answer *answer)
{
    struct buf request = {0};
    buf_format(&request, "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n", method,
               path);
    if (token != NULL)
        buf_format(&request, "Authorization: Bearer %s\r\n", token);
    if (body != NULL)
        buf_format(&request, "Content-Length: %zu\r\n", strlen(body));
    buf_format(&request, "\r\n%s", body != NULL ? body : "");
    world_raw(world, request.data, request.len, answer);
    buf_fini(&request);
}

static inline void world_get(const struct world *world, const char *path,
                             struct answer *answer)
{
    world_ask(world, "GET", path, world->token, NULL, answer);
}

#endif
