// SPDX-License-Identifier: Apache-2.0
#include "collector/replies/telegram.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/command/command.h"
#include "collector/metrics.h"
#include "collector/replies/telegram_wire.h"
#include "net/http.h"

#define POLL_S        25
#define PAUSE_MS      1000
#define PAUSES_MAX    60 /* times the pause, at most, after failures */
#define SPARE_MS      10000
#define COMMAND_MS    10000
#define RATE_MAX_MS   5000 /* an answer is not worth more waiting */
#define LIMIT         20   /* updates at a time */
#define OFFSET_MAX    32   /* bytes of its file */
#define COMMAND_START "tg-"
#define WISH_ID_SIZE  (COMMAND_RANDOM_SIZE + sizeof COMMAND_START)

/* What is wanted of the loop: the thread waits while the pipeline has it. */
struct wish {
    char id[WISH_ID_SIZE];
    const char *json;
    size_t len;
    bool is_open; /* the thread waits for it */
    bool is_submitted;
    bool is_done;
    enum err err;
};

struct telegram {
    /* fixed after create */
    struct telegram_options options;
    const struct config_channel **channels;
    char *offset_path;
    char *state_path;
    uint8_t bot[CRYPTO_DIGEST_BYTES]; /* names it without its token */
    struct http_client *http;
    pthread_t thread;
    /* owned by the thread */
    struct state *state;
    int64_t offset; /* of the next update; 0: any */
    int limit;
    int failures;
    enum telegram_answer last;
    struct telegram_batch batch;
    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_stopping;
    struct wish wish;
};

/* ---- waiting ---------------------------------------------------------------------- */

static void deadline_of(struct timespec *at, int64_t ms)
{
    clock_gettime(CLOCK_MONOTONIC, at);
    at->tv_sec += ms / 1000;
    at->tv_nsec += ms % 1000 * 1000000;
    if (at->tv_nsec >= 1000000000) {
        at->tv_nsec -= 1000000000;
        at->tv_sec++;
    }
}

static bool is_stopping(struct telegram *telegram)
{
    pthread_mutex_lock(&telegram->lock);
    bool is = telegram->is_stopping;
    pthread_mutex_unlock(&telegram->lock);
    return is;
}

static void rest(struct telegram *telegram, int64_t ms)
{
    struct timespec end;
    int error = 0;
    deadline_of(&end, ms);
    pthread_mutex_lock(&telegram->lock);
    while (!telegram->is_stopping && error == 0)
        error = pthread_cond_timedwait(&telegram->changed, &telegram->lock, &end);
    pthread_mutex_unlock(&telegram->lock);
}

/* ---- where it has come to --------------------------------------------------------- */

static void load_offset(struct telegram *telegram)
{
    struct buf text = {0};
    struct err_text why;
    int end = 0;
    long long offset = 0;
    enum err err = file_read(&text, telegram->offset_path, OFFSET_MAX, &why);
    if (err == ERR_OK && text.len > 0 &&
        sscanf(text.data, "%18lld\n%n", &offset, &end) == 1 && (size_t)end == text.len &&
        offset > 0)
        telegram->offset = offset;
    else if (err != ERR_NOT_FOUND)
        log_warn("%s cannot be read: answers of the last day may be answered again",
                 telegram->offset_path);
    buf_fini(&text);
}

static void save_offset(struct telegram *telegram, int64_t update)
{
    char text[OFFSET_MAX];
    struct err_text why;
    telegram->offset = update + 1;
    int len = snprintf(text, sizeof text, "%" PRId64 "\n", telegram->offset);
    if (file_replace(telegram->offset_path, text, (size_t)len, &why) != ERR_OK)
        log_warn("%s", why.text);
}

/* ---- the command ------------------------------------------------------------------ */

static void end_wish(struct telegram *telegram, const char *id, enum err err)
{
    struct wish *wish = &telegram->wish;
    pthread_mutex_lock(&telegram->lock);
    if (wish->is_open && !wish->is_done && strcmp(wish->id, id) == 0) {
        wish->is_done = true;
        wish->err = err;
        pthread_cond_broadcast(&telegram->changed);
    }
    pthread_mutex_unlock(&telegram->lock);
}

/* The loop. The record is copied under the lock: the thread may give up any time. */
static void on_wish(void *context)
{
    struct telegram *telegram = context;
    struct wish *wish = &telegram->wish;
    char id[sizeof wish->id];
    pthread_mutex_lock(&telegram->lock);
    bool is_wanted = wish->is_open && !wish->is_submitted && !telegram->is_stopping;
    char *json = is_wanted ? mem_strndup(wish->json, wish->len) : NULL;
    size_t len = wish->len;
    memcpy(id, wish->id, sizeof id);
    wish->is_submitted = true;
    pthread_mutex_unlock(&telegram->lock);
    if (is_wanted) {
        const struct telegram_options *options = &telegram->options;
        enum err err = options->submit(options->context, json, len);
        if (err != ERR_OK)
            end_wish(telegram, id, err);
    }
    free(json);
}

void telegram_command_done(struct telegram *telegram, const char *id, enum err err)
{
    if (strncmp(id, COMMAND_START, strlen(COMMAND_START)) == 0)
        end_wish(telegram, id, err);
}

static enum err submit(struct telegram *telegram, const char *id, const struct buf *json)
{
    struct timespec end;
    int error = 0;
    deadline_of(&end, COMMAND_MS);
    pthread_mutex_lock(&telegram->lock);
    telegram->wish = (struct wish){.json = json->data, .len = json->len, .is_open = true};
    snprintf(telegram->wish.id, sizeof telegram->wish.id, "%s", id);
    pthread_mutex_unlock(&telegram->lock);
    loop_post(telegram->options.loop, on_wish, telegram);
    pthread_mutex_lock(&telegram->lock);
    while (!telegram->wish.is_done && !telegram->is_stopping && error == 0)
        error = pthread_cond_timedwait(&telegram->changed, &telegram->lock, &end);
    telegram->wish.is_open = false;
    enum err err = telegram->wish.is_done ? telegram->wish.err : ERR_TIMEOUT;
    pthread_mutex_unlock(&telegram->lock);
    return err;
}

/* The same for the same update, so that it is applied once. */
static void name_command(const struct telegram *telegram, int64_t update,
                         const struct reply_claim *claim, char id[WISH_ID_SIZE])
{
    char text[ALERT_ID_SIZE + 32];
    uint8_t hash[CRYPTO_DIGEST_BYTES];
    char hex[COMMAND_RANDOM_SIZE];
    struct crypto_digest digest;
    snprintf(text, sizeof text, "%" PRId64 "\n%s", update, claim->incident);
    crypto_digest_begin(&digest);
    crypto_digest_add(&digest, telegram->bot, sizeof telegram->bot);
    crypto_digest_add(&digest, text, strlen(text));
    crypto_digest_end(&digest, hash);
    snprintf(id, WISH_ID_SIZE, COMMAND_START "%s",
             crypto_hex(hex, hash, COMMAND_RANDOM_SIZE / 2));
}

static enum err run_command(struct telegram *telegram, int64_t update,
                            const struct reply_claim *claim, int64_t now_ms)
{
    char id[WISH_ID_SIZE];
    struct buf json = {0};
    json_t *body = json_pack("{s:s}", "id", claim->incident);
    name_command(telegram, update, claim, id);
    const struct command command = {
        .id = id,
        .verb = REPLY_VERB,
        .actor = claim->actor,
        .org = claim->org,
        .reason = claim->reason,
        .via = claim->via,
        .if_version = COMMAND_ANY,
        .at_ms = now_ms,
        .body = body,
    };
    command_format(&command, &json);
    enum err err = submit(telegram, id, &json);
    buf_fini(&json);
    json_decref(body);
    return err;
}

/* ---- asking Telegram -------------------------------------------------------------- */

static enum err request(struct telegram *telegram, const char *method,
                        const struct buf *body, int64_t timeout_ms,
                        struct http_response *response)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct config_channel *channel = telegram->channels[0];
    struct buf url = {0};
    struct err_text why;
    buf_format(&url, "%s/bot%s/%s", channel->url != NULL ? channel->url : TELEGRAM_URL,
               channel->token, method);
    const struct http_request http = {
        .method = "POST",
        .url = url.data,
        .headers = headers,
        .body = body->data,
        .body_len = body->len,
        .timeout_ms = timeout_ms,
        .ca_file = channel->ca_file,
    };
    enum err err = http_send(telegram->http, &http, response, &why);
    crypto_wipe(url.data, url.len); /* and nothing of `why` is logged: it may name it */
    buf_fini(&url);
    return err;
}

/* What is said back is said once, or once more when that is all that is in the way. */
static void say(struct telegram *telegram, const char *method, struct buf *body)
{
    enum telegram_answer answer = TELEGRAM_RATE;
    for (int i = 0; i < 2 && answer == TELEGRAM_RATE && !is_stopping(telegram); i++) {
        struct http_response response = {0};
        int64_t wait_ms = 0;
        answer = TELEGRAM_GARBAGE;
        if (request(telegram, method, body, SPARE_MS, &response) == ERR_OK)
            answer = telegram_judge(response.status, response.body.data,
                                    response.body.len, &wait_ms);
        http_response_fini(&response);
        if (answer == TELEGRAM_RATE)
            rest(telegram, wait_ms < RATE_MAX_MS ? wait_ms : RATE_MAX_MS);
    }
    if (answer != TELEGRAM_GOOD)
        log_debug("an answer was not taken by Telegram method=%s", method);
    buf_clear(body);
}

/* ---- one update ------------------------------------------------------------------- */

static const struct config_channel *channel_of(const struct telegram *telegram,
                                               const struct telegram_update *update)
{
    const struct config_channel *found = NULL;
    for (size_t i = 0; i < telegram->options.channel_count; i++) {
        const struct config_channel *channel = telegram->channels[i];
        if (!reply_desk_has_chat(telegram->options.desk, channel, update->chat))
            continue;
        if (found == NULL ||
            reply_desk_has_signed(telegram->options.desk, channel, update->data))
            found = channel;
    }
    return found;
}

/* A bot's id is what stands in front of its token. */
static bool answers_us(const struct telegram *telegram,
                       const struct telegram_update *update)
{
    const char *token = telegram->channels[0]->token;
    size_t len = strlen(update->author);
    return len > 0 && strncmp(token, update->author, len) == 0 && token[len] == ':';
}

/* In a group people talk to each other: only what is said to us is answered. */
static bool is_for_us(const struct telegram *telegram,
                      const struct telegram_update *update)
{
    struct reply_text said;
    char code[REPLY_CODE_SIZE];
    bool is_alone = strcmp(update->chat, update->user) == 0;
    bool is_command = update->text_len >= 4 && strncmp(update->text, "/ack", 4) == 0;
    bool is_yes =
        reply_text_parse(&said, update->text, update->text_len) && said.says_yes;
    if (is_alone || is_command || (is_yes && said.code[0] != '\0'))
        return true;
    return answers_us(telegram, update) &&
           (update->keyboard != NULL ||
            (is_yes && reply_code_find(code, update->quoted, update->quoted_len)));
}

static bool has_taken(enum reply_fate fate)
{
    return fate == REPLY_ACKNOWLEDGED || fate == REPLY_YOURS || fate == REPLY_TAKEN;
}

/* Under the message stands who has it, and its buttons are gone. */
static void mark(struct telegram *telegram, const struct telegram_update *update,
                 const struct config_channel *channel, const char *who)
{
    struct buf line = {0};
    struct buf body = {0};
    bool is_ours = update->sort == TELEGRAM_BUTTON || answers_us(telegram, update);
    if (!is_ours || update->message == 0 || update->quoted_len == 0 ||
        update->data[0] == '\0')
        return; /* it is too old to be changed, or was changed */
    reply_mark(channel->language, who, &line);
    telegram_mark_message(update, line.data, &body);
    say(telegram, "editMessageText", &body);
    buf_fini(&line);
    buf_fini(&body);
}

static void answer(struct telegram *telegram, const struct telegram_update *update,
                   const struct config_channel *channel, enum reply_fate fate,
                   const char *who)
{
    struct buf text = {0};
    struct buf body = {0};
    reply_words(fate, channel->language,
                fate == REPLY_UNKNOWN_SENDER ? update->user : who, &text);
    if (update->sort == TELEGRAM_BUTTON) {
        telegram_answer_button(update->query, text.data, fate != REPLY_ACKNOWLEDGED,
                               &body);
        say(telegram, "answerCallbackQuery", &body);
    } else if (fate != REPLY_TOO_MANY) { /* who floods is not flooded back */
        telegram_answer_text(update->chat, update->own_message, text.data, &body);
        say(telegram, "sendMessage", &body);
    }
    if (has_taken(fate))
        mark(telegram, update, channel, who);
    buf_fini(&text);
    buf_fini(&body);
}

/* Of a message that is not ours nothing is believed, whatever stands in it. */
static struct reply reply_of(const struct telegram *telegram,
                             const struct telegram_update *update,
                             const struct config_channel *channel)
{
    bool is_button = update->sort == TELEGRAM_BUTTON;
    bool is_ours = is_button || answers_us(telegram, update);
    return (struct reply){
        .channel = channel,
        .sender = update->user,
        .text = is_button ? NULL : update->text,
        .text_len = update->text_len,
        .token = is_button || (is_ours && update->data[0] != '\0') ? update->data : NULL,
        .quoted = is_ours ? update->quoted : NULL,
        .quoted_len = update->quoted_len,
    };
}

static void take(struct telegram *telegram, const struct telegram_update *update)
{
    const struct config_channel *channel = channel_of(telegram, update);
    struct reply_claim claim;
    char who[ID_SIZE] = "";
    enum err err = ERR_OK;
    if (update->sort == TELEGRAM_OTHER || update->is_bot || channel == NULL ||
        (update->sort == TELEGRAM_TEXT && !is_for_us(telegram, update)))
        return;
    int64_t now_ms = clock_wall_ms(telegram->options.clock);
    const struct reply reply = reply_of(telegram, update, channel);
    reply_desk_look(telegram->options.desk, telegram->state, &reply, now_ms, &claim);
    if (claim.is_command)
        err = run_command(telegram, update->id, &claim, now_ms);
    enum reply_fate fate = reply_desk_fate(telegram->state, &claim, err, who);
    answer(telegram, update, channel, fate, who);
}

/* ---- the thread ------------------------------------------------------------------- */

static const char *const complaints[] = {
    [TELEGRAM_CONFLICT] = "somebody else fetches this bot's answers, or a webhook is set "
                          "for it: only one can (deleteWebhook ends the latter)",
    [TELEGRAM_RATE] = "too many requests",
    [TELEGRAM_SETTINGS] = "the bot's token is refused",
    [TELEGRAM_GARBAGE] = "it is not reached, or what answers is no bot",
};

static void fail(struct telegram *telegram)
{
    const struct telegram_batch *batch = &telegram->batch;
    int64_t pause_ms = telegram->options.pause_ms;
    int64_t wait_ms = pause_ms;
    bool is_lasting =
        batch->answer == TELEGRAM_CONFLICT || batch->answer == TELEGRAM_SETTINGS;
    metric_add(METRIC_REPLY_POLLS_FAILED, 1);
    for (int i = 0; i < telegram->failures && wait_ms < PAUSES_MAX * pause_ms; i++)
        wait_ms *= 2;
    if (is_lasting || wait_ms > PAUSES_MAX * pause_ms)
        wait_ms = PAUSES_MAX * pause_ms;
    if (batch->answer == TELEGRAM_RATE)
        wait_ms = batch->wait_ms;
    if (telegram->failures == 0 || telegram->last != batch->answer)
        log_warn("answers in Telegram cannot be fetched channel=%s: %s",
                 telegram->channels[0]->name, complaints[batch->answer]);
    if (telegram->failures < PAUSES_MAX)
        telegram->failures++;
    telegram->last = batch->answer;
    rest(telegram, wait_ms);
}

static void take_all(struct telegram *telegram)
{
    const struct telegram_batch *batch = &telegram->batch;
    for (size_t i = 0; i < batch->count && !is_stopping(telegram); i++) {
        const struct telegram_update *update = &batch->updates[i];
        if (update->id < telegram->offset)
            continue;
        take(telegram, update);
        /* One that was cut off comes again, and is the same command. */
        if (!is_stopping(telegram))
            save_offset(telegram, update->id);
    }
}

static void fetch(struct telegram *telegram)
{
    struct http_response response = {0};
    struct buf body = {0};
    telegram_get_updates(telegram->offset, telegram->limit, telegram->options.poll_s,
                         &body);
    enum err err =
        request(telegram, "getUpdates", &body,
                telegram->options.poll_s * INT64_C(1000) + SPARE_MS, &response);
    if (err == ERR_OK)
        telegram_batch_parse(&telegram->batch, response.status, response.body.data,
                             response.body.len);
    else
        telegram->batch.answer = TELEGRAM_GARBAGE;
    if (err == ERR_LIMIT)
        telegram->limit = 1; /* together they are too large */
    http_response_fini(&response);
    buf_fini(&body);
}

static void poll_once(struct telegram *telegram)
{
    int64_t begun_ms = clock_real_ms();
    int64_t offset = telegram->offset;
    fetch(telegram);
    size_t count = telegram->batch.count;
    if (telegram->batch.answer == TELEGRAM_GOOD)
        take_all(telegram);
    if (count > 0 && telegram->offset == offset)
        telegram->batch.answer = TELEGRAM_GARBAGE; /* nothing but what it said before */
    if (is_stopping(telegram)) {
        /* What ended the request is no failure. */
    } else if (telegram->batch.answer != TELEGRAM_GOOD) {
        fail(telegram);
    } else {
        if (telegram->failures > 0)
            log_info("answers in Telegram are fetched again channel=%s",
                     telegram->channels[0]->name);
        telegram->failures = 0;
        telegram->limit = LIMIT;
        int64_t left_ms = telegram->options.pause_ms - (clock_real_ms() - begun_ms);
        if (count == 0 && left_ms > 0)
            rest(telegram, left_ms);
    }
    telegram_batch_fini(&telegram->batch);
}

static bool open_state(struct telegram *telegram)
{
    struct err_text why;
    while (!is_stopping(telegram)) {
        if (state_open_reader(&telegram->state, telegram->state_path, &why) == ERR_OK)
            return true;
        log_error("answers in Telegram wait: %s", why.text);
        rest(telegram, telegram->options.pause_ms * PAUSES_MAX);
    }
    return false;
}

static void *run(void *context)
{
    struct telegram *telegram = context;
    pthread_setname_np(pthread_self(), "replies");
    load_offset(telegram);
    if (open_state(telegram))
        while (!is_stopping(telegram))
            poll_once(telegram);
    state_close(telegram->state);
    return NULL;
}

/* ---- the loop's side -------------------------------------------------------------- */

static const char *url_of(const struct config_channel *channel)
{
    return channel->url != NULL ? channel->url : TELEGRAM_URL;
}

bool telegram_is_same_bot(const struct config_channel *a, const struct config_channel *b)
{
    return strcmp(url_of(a), url_of(b)) == 0 && strcmp(a->token, b->token) == 0;
}

static void name_bot(struct telegram *telegram)
{
    const struct config_channel *channel = telegram->channels[0];
    char name[17];
    char *text = mem_format("telegram\n%s\n%s", url_of(channel), channel->token);
    crypto_digest(telegram->bot, text, strlen(text));
    crypto_wipe(text, strlen(text));
    free(text);
    telegram->offset_path =
        mem_format("%s/telegram-%s.offset", telegram->options.data_dir,
                   crypto_hex(name, telegram->bot, sizeof name / 2));
}

struct telegram *telegram_create(const struct telegram_options *options)
{
    struct telegram *telegram = mem_alloc(sizeof *telegram);
    pthread_condattr_t attr;
    assert(options->channel_count > 0 && options->submit != NULL);
    telegram->options = *options;
    telegram->limit = LIMIT;
    if (options->poll_s <= 0)
        telegram->options.poll_s = POLL_S;
    if (options->pause_ms <= 0)
        telegram->options.pause_ms = PAUSE_MS;
    telegram->channels = mem_array(options->channel_count, sizeof *telegram->channels);
    for (size_t i = 0; i < options->channel_count; i++)
        telegram->channels[i] = options->channels[i];
    telegram->state_path = mem_strdup(options->state_path);
    name_bot(telegram);
    telegram->http = http_client_create();
    pthread_mutex_init(&telegram->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&telegram->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&telegram->thread, NULL, run, telegram) != 0)
        log_fatal("no thread can be made for=%s", telegram->channels[0]->name);
    return telegram;
}

void telegram_stop(struct telegram *telegram)
{
    pthread_mutex_lock(&telegram->lock);
    telegram->is_stopping = true;
    pthread_cond_broadcast(&telegram->changed);
    pthread_mutex_unlock(&telegram->lock);
    http_client_cancel(telegram->http);
    pthread_join(telegram->thread, NULL);
}

void telegram_destroy(struct telegram *telegram)
{
    http_client_destroy(telegram->http);
    pthread_mutex_destroy(&telegram->lock);
    pthread_cond_destroy(&telegram->changed);
    free(telegram->offset_path);
    free(telegram->state_path);
    free(telegram->channels);
    free(telegram);
}
