// SPDX-License-Identifier: Apache-2.0
#include "collector/api/api.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/api/changes.h"
#include "collector/api/feed.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/login.h"
#include "collector/api/replay.h"
#include "collector/api/routes.h"
#include "collector/api/server.h"

#define IDLE_MS         15000
#define WAIT_MS         5000
#define STREAMS         64
#define GOODBYE_MS      500 /* for streams to say that we stop */
#define DAY_MS          (INT64_C(24) * 3600 * 1000)
#define IDLE_STORES_MAX 8 /* more are opened and closed by those who need them */
#define SESSION_IDLE_MS (DAY_MS / 2)
#define SESSION_MS      (7 * DAY_MS)
#define SETUP_MS        DAY_MS

/* One command whose caller waits. */
struct waiter {
    struct waiter *next;
    const char *id;
    bool is_done;
    enum err err;
    struct err_text why;
    struct buf *result;
};

struct api {
    /* fixed after open */
    struct api_options options;
    char *state_path;
    char *history_dir;
    struct listener *listener;
    struct api_session_bounds session_bounds;
    struct login *login; /* locks itself */
    uint8_t secret_key[API_KEY_BYTES];
    struct feed *feed; /* likewise */
    pthread_mutex_t stream_lock;
    struct replay *replay; /* likewise */

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_closing;
    struct waiter *waiters;
    struct api_stores *idle;
    size_t idle_count;
};

/* ---- waiting for the loop --------------------------------------------------------- */

/* Shared by the thread that waits and the loop; the second to let go frees it. */
struct ask {
    struct api *api;
    enum { ASK_LIVE, ASK_ALL, ASK_READY, ASK_SUBMIT, ASK_WRITE } kind;
    enum api_live what;
    char subject[ID_SIZE];
    api_change_fn *change;
    void *argument; /* owned */
    char *json;
    size_t json_len;
    /* under the api's lock */
    int owners;
    bool is_done;
    enum err err;
    struct buf out;
    struct err_text why;
};

static void ask_release(struct ask *ask)
{
    if (--ask->owners > 0)
        return;
    buf_fini(&ask->out);
    free(ask->json);
    free(ask->argument);
    free(ask);
}

/* The loop. */
static void on_ask(void *context)
{
    struct ask *ask = context;
    struct api *api = ask->api;
    const struct api_options *options = &api->options;
    pthread_mutex_lock(&api->lock);
    bool is_wanted = !api->is_closing && ask->owners > 1;
    pthread_mutex_unlock(&api->lock);
    if (is_wanted) {
        switch (ask->kind) {
        case ASK_LIVE:
            options->live(options->context, ask->what, ask->subject, &ask->out);
            break;
        case ASK_ALL:
            if (!feed_is_filled(api->feed))
                options->tell_all(options->context);
            break;
        case ASK_READY:
            ask->err = options->ready(options->context, &ask->why);
            break;
        case ASK_WRITE:
            ask->err = options->write(options->context, ask->change, ask->argument);
            break;
        case ASK_SUBMIT:
            ask->err = options->submit(options->context, ask->json, ask->json_len);
            break;
        }
    }
    pthread_mutex_lock(&api->lock);
    ask->is_done = true;
    pthread_cond_broadcast(&api->changed);
    ask_release(ask);
    pthread_mutex_unlock(&api->lock);
}

/* Called and returns with the lock held. */
static void wait_until(struct api *api, const bool *is_done)
{
    struct timespec end = clock_deadline(api->options.wait_ms);
    while (!*is_done && !api->is_closing &&
           pthread_cond_timedwait(&api->changed, &api->lock, &end) == 0) {
    }
}

/* Returns with the lock held; the caller releases ask and lock. */
static struct ask *ask_loop(struct api *api, struct ask ask)
{
    struct ask *shared = mem_alloc(sizeof *shared);
    *shared = ask;
    shared->api = api;
    shared->owners = 2;
    loop_post(api->options.loop, on_ask, shared);
    pthread_mutex_lock(&api->lock);
    wait_until(api, &shared->is_done);
    return shared;
}

static void answer_busy(struct api_call *call)
{
    api_refuse(call, PROBLEM_BUSY, NULL);
}

bool api_ask_live(struct api_call *call, enum api_live what, struct buf *out)
{
    return api_ask_live_of(call, what, "", out);
}

bool api_ask_live_of(struct api_call *call, enum api_live what, const char *subject,
                     struct buf *out)
{
    struct api *api = call->api;
    struct ask question = {.kind = ASK_LIVE, .what = what};
    snprintf(question.subject, sizeof question.subject, "%s", subject);
    struct ask *ask = ask_loop(api, question);
    bool is_done = ask->is_done && !api->is_closing;
    if (is_done)
        buf_add(out, ask->out.data, ask->out.len);
    ask_release(ask);
    pthread_mutex_unlock(&api->lock);
    if (!is_done)
        answer_busy(call);
    return is_done;
}

bool api_ask_all(struct api_call *call)
{
    struct api *api = call->api;
    struct ask *ask = ask_loop(api, (struct ask){.kind = ASK_ALL});
    bool is_done = ask->is_done && !api->is_closing;
    ask_release(ask);
    pthread_mutex_unlock(&api->lock);
    is_done = is_done && feed_is_filled(api->feed);
    if (!is_done)
        answer_busy(call);
    return is_done;
}

enum err api_ask_ready(struct api_call *call, struct err_text *why)
{
    struct api *api = call->api;
    struct ask *ask = ask_loop(api, (struct ask){.kind = ASK_READY});
    enum err err = ask->is_done ? ask->err : ERR_TIMEOUT;
    if (ask->is_done)
        *why = ask->why;
    ask_release(ask);
    pthread_mutex_unlock(&api->lock);
    return err;
}

enum err api_run_change(struct api_call *call, api_change_fn *change, void *argument)
{
    struct api *api = call->api;
    struct ask *ask = ask_loop(
        api, (struct ask){.kind = ASK_WRITE, .change = change, .argument = argument});
    enum err err = ask->is_done && !api->is_closing ? ask->err : ERR_TIMEOUT;
    ask_release(ask);
    pthread_mutex_unlock(&api->lock);
    return err;
}

static void remove_waiter(struct api *api, const struct waiter *waiter)
{
    struct waiter **at = &api->waiters;
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
}

enum err api_command(struct api_call *call, const char *id, const struct buf *json,
                     struct buf *result, struct err_text *why)
{
    struct api *api = call->api;
    struct waiter waiter = {.id = id, .err = ERR_TIMEOUT, .result = result};
    err_set(&waiter.why, ERR_TIMEOUT,
            "it was not applied in time, and may still be; look again before repeating");
    pthread_mutex_lock(&api->lock);
    waiter.next = api->waiters;
    api->waiters = &waiter;
    pthread_mutex_unlock(&api->lock);
    struct ask *ask =
        ask_loop(api, (struct ask){.kind = ASK_SUBMIT,
                                   .json = mem_strndup(json->data, json->len),
                                   .json_len = json->len});
    if (ask->is_done && ask->err == ERR_OK)
        wait_until(api, &waiter.is_done);
    else if (ask->is_done)
        waiter.err = err_set(&waiter.why, ask->err, "the journal takes no commands: %s",
                             err_about(ask->err));
    ask_release(ask);
    remove_waiter(api, &waiter);
    pthread_mutex_unlock(&api->lock);
    *why = waiter.why;
    return waiter.err;
}

void api_command_done(struct api *api, const char *id, enum err err, const char *text,
                      const char *result)
{
    pthread_mutex_lock(&api->lock);
    for (struct waiter *waiter = api->waiters; waiter != NULL; waiter = waiter->next) {
        if (strcmp(waiter->id, id) != 0)
            continue;
        waiter->is_done = true;
        buf_clear(waiter->result);
        buf_text(waiter->result, result);
        waiter->err = err;
        err_set(&waiter->why, err, "%s", text);
    }
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
}

/* ---- stores ----------------------------------------------------------------------- */

static struct api_stores *stores_open(struct api *api, struct err_text *why)
{
    struct api_stores *stores = mem_alloc(sizeof *stores);
    if (state_open_reader(&stores->state, api->state_path, why) == ERR_OK &&
        history_reader_open(&stores->history, api->history_dir, why) == ERR_OK)
        return stores;
    state_close(stores->state);
    free(stores);
    return NULL;
}

static void stores_close(struct api_stores *stores)
{
    state_close(stores->state);
    history_reader_close(stores->history);
    free(stores);
}

struct api_stores *api_stores_take(struct api *api, struct err_text *why)
{
    pthread_mutex_lock(&api->lock);
    struct api_stores *stores = api->idle;
    if (stores != NULL) {
        api->idle = stores->next;
        api->idle_count--;
    }
    pthread_mutex_unlock(&api->lock);
    return stores != NULL ? stores : stores_open(api, why);
}

void api_stores_give(struct api *api, struct api_stores *stores)
{
    if (stores == NULL)
        return;
    pthread_mutex_lock(&api->lock);
    bool is_kept = api->idle_count < IDLE_STORES_MAX;
    if (is_kept) {
        stores->next = api->idle;
        api->idle = stores;
        api->idle_count++;
    }
    pthread_mutex_unlock(&api->lock);
    if (!is_kept)
        stores_close(stores);
}

/* ---- opening ---------------------------------------------------------------------- */

static enum err write_token(const char *path, const char *token, struct err_text *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(token);
    /* The mode counts for a file that is new; one that was there may be open to all. */
    bool is_written = fd >= 0 && fchmod(fd, 0600) == 0 &&
                      write(fd, token, len) == (ssize_t)len && write(fd, "\n", 1) == 1 &&
                      fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return is_written
               ? ERR_OK
               : err_set(why, ERR_IO, "the API's token cannot be written to %s", path);
}

struct first_token {
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    const char *name;
    const char *role;
    int64_t now_ms;
    int64_t expires_ms;
};

/* Of a set-up link there is one at a time. */
static enum err write_first_token(struct state *state, void *argument)
{
    const struct first_token *first = argument;
    const struct state_token token = {
        .hash = first->hash,
        .id = first->expires_ms == 0 ? first->name : "",
        .name = first->name,
        .role = first->role,
        .created_ms = first->now_ms,
        .expires_ms = first->expires_ms,
    };
    enum err err = first->expires_ms != 0
                       ? state_revoke_role(state, first->role, first->now_ms)
                       : ERR_OK;
    return err == ERR_OK ? state_put_token(state, &token) : err;
}

static enum err add_token(struct api *api, const char *secret, const char *name,
                          const char *role, int64_t life_ms)
{
    int64_t now_ms = clock_wall_ms(api->options.clock);
    struct first_token first = {.name = name,
                                .role = role,
                                .now_ms = now_ms,
                                .expires_ms = life_ms > 0 ? now_ms + life_ms : 0};
    api_hash(first.hash, secret);
    return api->options.write(api->options.context, write_first_token, &first);
}

/* A store without tokens gets its first one. */
static enum err ensure_token(struct api *api, uint64_t tokens, struct err_text *why)
{
    char token[PRINCIPAL_CREDENTIAL_SIZE];
    if (tokens > 0)
        return ERR_OK;
    api_draw_secret(token);
    /* The file first: a token nobody has would lock everybody out. */
    enum err err = write_token(api->options.token_file, token, why);
    if (err == ERR_OK)
        err = add_token(api, token, "first-start", "admin", 0);
    if (err != ERR_OK)
        return err;
    log_info("first start: the API's token is in file=%s", api->options.token_file);
    return ERR_OK;
}

static enum err count_people(struct api *api, uint64_t *tokens, uint64_t *admins,
                             struct err_text *why)
{
    struct state *state;
    enum err err = state_open_reader(&state, api->state_path, why);
    if (err != ERR_OK)
        return err;
    err = state_count_tokens(state, tokens);
    if (err == ERR_OK)
        err = state_count_admins(state, admins);
    state_close(state);
    return err == ERR_OK
               ? ERR_OK
               : err_set(why, err, "state.db: tokens and people cannot be counted");
}

/* Until somebody has used one, each start makes a link and ends the one before. */
static enum err offer_setup(struct api *api, struct err_text *why)
{
    char secret[PRINCIPAL_CREDENTIAL_SIZE];
    api_draw_secret(secret);
    enum err err = add_token(api, secret, "set-up", "setup", SETUP_MS);
    if (err != ERR_OK)
        return err_set(why, err, "state.db: the set-up link cannot be written");
    log_info("nobody can sign in yet: make the first admin within 24 hours at "
             "%s://%s:%d/setup/%s",
             api_scheme(api), api->options.listen, api_port(api), secret);
    crypto_wipe(secret, sizeof secret);
    return ERR_OK;
}

enum err api_open(struct api **result, const struct api_options *options,
                  struct err_text *why)
{
    assert(options->live != NULL && options->submit != NULL && options->ready != NULL);
    struct api *api = mem_alloc(sizeof *api);
    api->options = *options;
    if (api->options.wait_ms <= 0)
        api->options.wait_ms = WAIT_MS;
    if (api->options.idle_ms <= 0)
        api->options.idle_ms = IDLE_MS;
    if (api->options.streams == 0)
        api->options.streams = STREAMS;
    api->feed = feed_create(api->options.streams);
    pthread_mutex_init(&api->stream_lock, NULL);
    api->state_path = mem_strdup(options->state_path);
    api->history_dir = mem_strdup(options->history_dir);
    api->login = login_create();
    crypto_random(api->secret_key, sizeof api->secret_key);
    api->replay = replay_create();
    api->session_bounds = (struct api_session_bounds){
        .idle_ms =
            options->session_idle_ms > 0 ? options->session_idle_ms : SESSION_IDLE_MS,
        .whole_ms = options->session_ms > 0 ? options->session_ms : SESSION_MS,
    };
    pthread_mutex_init(&api->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&api->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    uint64_t tokens = 0;
    uint64_t admins = 0;
    enum err err = count_people(api, &tokens, &admins, why);
    if (err == ERR_OK)
        err = ensure_token(api, tokens, why);
    if (err == ERR_OK)
        err = listener_open(&api->listener, api, &api->options, why);
    if (err == ERR_OK && admins == 0)
        err = offer_setup(api, why);
    if (err != ERR_OK) {
        api_close(api);
        api_destroy(api);
        api = NULL;
    }
    *result = api;
    return err;
}

void api_close(struct api *api)
{
    if (api == NULL)
        return;
    pthread_mutex_lock(&api->lock);
    api->is_closing = true;
    pthread_cond_broadcast(&api->changed);
    pthread_mutex_unlock(&api->lock);
    feed_close(api->feed);
    if (!feed_wait_empty(api->feed, GOODBYE_MS))
        log_debug("streams whose clients do not read are cut off");
    listener_close(api->listener);
    api->listener = NULL;
    while (api->idle != NULL) {
        struct api_stores *stores = api->idle;
        api->idle = stores->next;
        stores_close(stores);
    }
    /* Asks that the loop has not come to still point here: see api_destroy. */
}

void api_destroy(struct api *api)
{
    if (api == NULL)
        return;
    assert(api->listener == NULL);
    feed_destroy(api->feed);
    pthread_mutex_destroy(&api->stream_lock);
    pthread_mutex_destroy(&api->lock);
    pthread_cond_destroy(&api->changed);
    free(api->state_path);
    free(api->history_dir);
    login_destroy(api->login);
    replay_destroy(api->replay);
    free(api);
}

const struct api_session_bounds *api_session_bounds(const struct api *api)
{
    return &api->session_bounds;
}

const struct api_options *api_options_of(const struct api *api)
{
    return &api->options;
}

const char *api_scheme(const struct api *api)
{
    return api->options.cert_file != NULL ? "https" : "http";
}

void api_reload(struct api *api)
{
    if (api != NULL)
        listener_reload(api->listener);
}

struct feed *api_feed(const struct api *api)
{
    return api->feed;
}

pthread_mutex_t *api_stream_lock(struct api *api)
{
    return &api->stream_lock;
}

struct replay *api_replay_of(const struct api *api)
{
    return api->replay;
}

struct login *api_login_of(const struct api *api)
{
    return api->login;
}

const uint8_t *api_secret_key(const struct api *api)
{
    return api->secret_key;
}

struct backup *api_backup(const struct api *api)
{
    return api->options.backup;
}

enum err api_publish(const struct api *api, const char *topic, const void *data,
                     size_t len)
{
    return api->options.publish(api->options.context, topic, data, len);
}

int64_t api_now_ms(const struct api *api)
{
    return clock_wall_ms(api->options.clock);
}

int api_port(const struct api *api)
{
    return listener_port(api->listener);
}
