// SPDX-License-Identifier: Apache-2.0
#include "collector/store/influx.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/deflate.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/metrics.h"
#include "collector/pipeline/decode.h"
#include "collector/record.h"
#include "collector/skip.h"
#include "collector/store/influx_policy.h"
#include "collector/store/state_delivery.h"
#include "collector/store/state_incidents.h"
#include "net/http.h"

#define SINK_NAME     "influx"
#define URL_SIZE      1024
#define HEADER_SIZE   1024
#define REASON_SIZE   512
#define RECORDS_LOOK  4096
#define TOLD_LOOK     500
#define RETRY_STEP_MS 50 /* while waiting, so that a stop is seen */

/* One line of the batch and the record it came from. */
struct line_mark {
    size_t offset;
    size_t len;
    uint64_t position;
    uint32_t item;
};

struct influx {
    /* fixed after open */
    struct influx_options options;
    struct follower *follower;
    char url[URL_SIZE];
    char authorization[HEADER_SIZE];

    /* owned by the follower's thread */
    struct http_client *http;
    struct decoder *decoder;
    struct buf lines;
    struct line_mark *marks;
    size_t count;
    size_t capacity;
    uint64_t cursor;         /* everything before it was accepted or refused for good */
    uint64_t batch_end;      /* the cursor once the batch is through */
    struct state *incidents; /* a reader; NULL: not opened yet, or none are written */
    uint64_t told;           /* the cursor among the transitions of incidents */
    uint64_t told_end;
    unsigned failures;
    int64_t wait_until_ms; /* real time */
    size_t most_lines;     /* halved when requests are too large */
    const char *state;
    char last_error[REASON_SIZE];
    uint64_t accepted;
    uint64_t rejected;
};

/* ---- to the loop ------------------------------------------------------------------ */

/* A row for state.db on its way to the loop, which owns the connection. */
struct posted {
    struct influx *influx;
    bool is_refusal;
    uint64_t position;
    uint32_t item;
    uint64_t cursor;
    uint64_t told;
    uint64_t accepted;
    uint64_t rejected;
    uint64_t retries;
    const char *state;
    char *line;
    char text[REASON_SIZE];
};

static enum err put_refusal(struct state *state, const struct posted *posted)
{
    const struct state_quarantined entry = {
        .source = SINK_NAME,
        .position = posted->position,
        .item = posted->item,
        .org = "",
        .device = "",
        .topic = "",
        .reason = "refused-by-influx",
        .detail = posted->text,
        .data = posted->line,
        .len = strlen(posted->line),
        .size = strlen(posted->line),
    };
    enum err err = state_add_quarantined(state, &entry);
    return err == ERR_EXISTS ? ERR_OK : err;
}

static enum err put_sink(struct state *state, const struct posted *posted)
{
    const struct state_sink sink = {
        .name = SINK_NAME,
        .cursor = posted->cursor,
        .state = posted->state,
        .last_error = posted->text,
        .accepted = posted->accepted,
        .rejected = posted->rejected,
        .retries = posted->retries,
    };
    enum err err = state_put_sink(state, &sink);
    return err == ERR_OK ? state_put_told(state, SINK_NAME, posted->told) : err;
}

static void on_posted(void *context)
{
    struct posted *posted = context;
    const struct influx_options *options = &posted->influx->options;
    struct state *state = options->state;
    enum err err = state_begin(state);
    if (err == ERR_OK)
        err = posted->is_refusal ? put_refusal(state, posted) : put_sink(state, posted);
    if (err == ERR_OK)
        err = state_commit(state);
    if (err != ERR_OK) {
        struct err_text why;
        err_set(&why, err, "state.db: %s", state_why(state));
        state_rollback(state);
        options->on_failed(options->context, err, &why);
    }
    free(posted->line);
    free(posted);
}

static struct posted *posted_new(struct influx *influx)
{
    struct posted *posted = mem_alloc(sizeof *posted);
    posted->influx = influx;
    posted->cursor = influx->cursor;
    posted->told = influx->told;
    posted->accepted = influx->accepted;
    posted->rejected = influx->rejected;
    posted->retries = influx->failures;
    posted->state = influx->state;
    snprintf(posted->text, sizeof posted->text, "%s", influx->last_error);
    return posted;
}

static void post_sink(struct influx *influx)
{
    loop_post(influx->options.loop, on_posted, posted_new(influx));
}

static void post_refusal(struct influx *influx, const struct line_mark *mark)
{
    struct posted *posted = posted_new(influx);
    posted->is_refusal = true;
    posted->position = mark->position;
    posted->item = mark->item;
    posted->line = mem_strndup(influx->lines.data + mark->offset, mark->len);
    loop_post(influx->options.loop, on_posted, posted);
}

/* ---- requests --------------------------------------------------------------------- */

static enum influx_verdict send_lines(struct influx *influx, size_t first, size_t count,
                                      int64_t *retry_after_ms)
{
    const struct line_mark *from = &influx->marks[first];
    const struct line_mark *last = &influx->marks[first + count - 1];
    struct buf body = {0};
    deflate_gzip(&body, influx->lines.data + from->offset,
                 last->offset + last->len - from->offset);
    const char *headers[] = {
        "Content-Type: text/plain; charset=utf-8", "Content-Encoding: gzip",
        influx->authorization[0] != '\0' ? influx->authorization : NULL, NULL};
    const struct http_request request = {
        .method = "POST",
        .url = influx->url,
        .headers = headers,
        .body = body.data,
        .body_len = body.len,
        .ca_file = influx->options.settings->influx.ca_file,
    };
    struct http_response response = {0};
    struct err_text why = {0};
    enum err err = http_send(influx->http, &request, &response, &why);
    int status = err == ERR_OK ? response.status : 0;
    const char *said = response.body.len > 0 ? response.body.data : "";
    enum influx_verdict verdict = influx_judge(status, said, count);
    *retry_after_ms = err == ERR_OK ? response.retry_after_ms : -1;
    if (verdict != INFLUX_ACCEPTED)
        snprintf(influx->last_error, sizeof influx->last_error, "status %d: %.400s",
                 status, err == ERR_OK ? said : why.text);
    http_response_fini(&response);
    buf_fini(&body);
    return verdict;
}

static void accept_lines(struct influx *influx, size_t count)
{
    influx->accepted += count;
    metric_add(METRIC_INFLUX_LINES, (int64_t)count);
}

static void refuse_line(struct influx *influx, size_t index)
{
    influx->rejected++;
    metric_add(METRIC_INFLUX_REJECTED, 1);
    log_warn("influx refuses a line: %s", influx->last_error);
    post_refusal(influx, &influx->marks[index]);
}

static void put_off(struct influx *influx, enum influx_verdict verdict,
                    int64_t retry_after_ms)
{
    uint64_t random;
    crypto_random(&random, sizeof random);
    influx->failures++;
    metric_add(METRIC_INFLUX_ERRORS, 1);
    influx->state = verdict == INFLUX_MISCONFIGURED ? "misconfigured" : "waiting";
    influx->wait_until_ms =
        clock_real_ms() + influx_backoff_ms(influx->failures, retry_after_ms, random);
    if (influx->failures == 1)
        log_warn("influx does not take readings, they wait: %s", influx->last_error);
    post_sink(influx);
}

/*
 * Sends [first, first + count) by halves where it must. False: later, from *done on.
 * The recursion is as deep as the logarithm of the batch.
 */
static bool deliver(struct influx *influx, size_t first, size_t count, size_t *done)
{
    if (count == 0)
        return true;
    int64_t retry_after_ms;
    enum influx_verdict verdict = send_lines(influx, first, count, &retry_after_ms);
    switch (verdict) {
    case INFLUX_ACCEPTED:
        accept_lines(influx, count);
        break;
    case INFLUX_REFUSED:
        refuse_line(influx, first);
        break;
    case INFLUX_HALVE:
        influx->most_lines = count / 2;
        __attribute__((fallthrough));
    case INFLUX_BISECT:
        return deliver(influx, first, count / 2, done) &&
               deliver(influx, first + count / 2, count - count / 2, done);
    case INFLUX_RETRY:
    case INFLUX_MISCONFIGURED:
        put_off(influx, verdict, retry_after_ms);
        return false;
    }
    *done = first + count;
    return true;
}

static void forget_lines(struct influx *influx, size_t count)
{
    influx->count -= count;
    memmove(influx->marks, influx->marks + count, influx->count * sizeof *influx->marks);
    if (influx->count == 0)
        buf_clear(&influx->lines);
}

static void deliver_batch(struct influx *influx)
{
    while (influx->count > 0) {
        size_t done = 0;
        size_t some =
            influx->count < influx->most_lines ? influx->count : influx->most_lines;
        bool all = deliver(influx, 0, some, &done);
        forget_lines(influx, done);
        if (!all)
            return;
    }
    if (influx->failures > 0)
        log_info("influx takes readings again");
    influx->failures = 0;
    influx->state = "ok";
    influx->last_error[0] = '\0';
    influx->cursor = influx->batch_end;
    influx->told = influx->told_end;
    metric_set(METRIC_INFLUX_POSITION, (int64_t)influx->cursor);
    post_sink(influx);
}

/* ---- reading ---------------------------------------------------------------------- */

static void mark_lines(struct influx *influx, size_t start, uint64_t position)
{
    uint32_t item = 0;
    const char *data = influx->lines.data;
    for (size_t at = start; at < influx->lines.len;) {
        const char *end = memchr(data + at, '\n', influx->lines.len - at);
        assert(end != NULL);
        size_t len = (size_t)(end - data) + 1 - at;
        mem_grow(&influx->marks, &influx->capacity, influx->count + 1,
                 sizeof *influx->marks);
        influx->marks[influx->count++] = (struct line_mark){
            .offset = at, .len = len, .position = position, .item = item++};
        at += len;
    }
}

/* Its place names it in the quarantine; no record is at position 0. */
static void take_told(void *context, const struct state_told *told)
{
    struct influx *influx = context;
    size_t start = influx->lines.len;
    influx->told_end = told->place;
    registry_lock(influx->options.registry);
    bool is_told = influx_format_incident(told->first_body, told->body,
                                          influx->options.registry, &influx->lines);
    registry_unlock(influx->options.registry);
    if (!is_told)
        return; /* state.db keeps it */
    mark_lines(influx, start, 0);
    influx->marks[influx->count - 1].item = (uint32_t)told->place;
}

/* True when there may be more. What cannot be read now is read later. */
static bool fill_told(struct influx *influx)
{
    const char *path = influx->options.state_path;
    struct err_text why = {0};
    uint64_t before = influx->told_end;
    if (path == NULL)
        return false;
    enum err err = influx->incidents != NULL
                       ? ERR_OK
                       : state_open_reader(&influx->incidents, path, &why);
    if (err == ERR_OK) {
        err = state_each_told_after(influx->incidents, before, TOLD_LOOK, influx,
                                    take_told);
        err_set(&why, err, "%s", state_why(influx->incidents));
    }
    if (err != ERR_OK)
        log_warn("influx: incidents cannot be read, they wait: %s", why.text);
    return err == ERR_OK && influx->told_end >= before + TOLD_LOOK;
}

static void take_message(struct influx *influx, const struct journal_record *record)
{
    struct record_message message;
    struct topic topic;
    const struct pack *pack;
    if (record_message_parse(&message, record->data, record->len) != ERR_OK ||
        decoder_read(influx->decoder, &message, record->wall_ms, &topic, &pack, NULL) !=
            ERR_OK ||
        pack == NULL)
        return;
    size_t start = influx->lines.len;
    registry_lock(influx->options.registry);
    influx_format_pack(pack, &topic, influx->options.registry, record->wall_ms,
                       &influx->lines);
    registry_unlock(influx->options.registry);
    mark_lines(influx, start, record->position);
}

static void take_record(struct influx *influx, const struct journal_record *record)
{
    struct guard *guard = influx->options.guard;
    unsigned crashes =
        guard_enter(guard, GUARD_INFLUX, record->position, record->data, record->len);
    if (crashes >= GUARD_CRASHES)
        skip_record(influx->options.journal, guard, GUARD_INFLUX, record, crashes);
    else if (record->type == RECORD_MESSAGE)
        take_message(influx, record);
    guard_leave(guard, GUARD_INFLUX);
}

/* What a reading belongs to is known once the commands before it are applied. */
static bool is_evaluated(const struct influx *influx, const struct journal_reader *reader)
{
    const struct influx_options *options = &influx->options;
    return options->evaluated == NULL ||
           journal_reader_position(reader) <= options->evaluated(options->context);
}

static enum err fill_batch(struct influx *influx, struct journal_reader *reader,
                           bool *is_full)
{
    size_t records = 0;
    while (influx->count < (size_t)influx->options.settings->influx.batch_lines &&
           records++ < RECORDS_LOOK) {
        struct journal_record record;
        enum err err = is_evaluated(influx, reader) ? journal_reader_next(reader, &record)
                                                    : ERR_NOT_FOUND;
        if (err == ERR_NOT_FOUND) {
            *is_full = false;
            break;
        }
        if (err != ERR_OK)
            return err;
        take_record(influx, &record);
    }
    influx->batch_end = journal_reader_position(reader);
    return ERR_OK;
}

static enum err turn(void *context, struct journal_reader *reader,
                     struct follower_turn *turn, struct err_text *why)
{
    struct influx *influx = context;
    int64_t now_ms = clock_real_ms();
    bool is_full = true;
    if (now_ms < influx->wait_until_ms) {
        /* Short steps, so that a stop is not kept waiting. */
        turn->wait_ms = RETRY_STEP_MS;
        turn->ignores_news = true;
        return ERR_OK;
    }
    if (influx->count == 0) {
        enum err err = fill_batch(influx, reader, &is_full);
        if (err != ERR_OK)
            return err_set(why, err, "the journal cannot be read: %s", err_about(err));
        is_full = fill_told(influx) || is_full;
    }
    uint64_t before = influx->cursor;
    if (influx->count > 0 || influx->batch_end != before ||
        influx->told_end != influx->told)
        deliver_batch(influx);
    turn->has_more = influx->count == 0 && is_full;
    turn->wait_ms =
        influx->count > 0 ? RETRY_STEP_MS : influx->options.settings->influx.flush_ms;
    turn->ignores_news = influx->count > 0;
    return ERR_OK;
}

static void finish(void *context)
{
    struct influx *influx = context;
    http_client_destroy(influx->http);
    decoder_destroy(influx->decoder);
    state_close(influx->incidents);
    influx->incidents = NULL;
    buf_fini(&influx->lines);
    free(influx->marks);
    influx->http = NULL;
    influx->decoder = NULL;
    influx->marks = NULL;
}

static const struct follower_ops influx_ops = {
    .name = SINK_NAME,
    .turn = turn,
    .finish = finish,
};

/* ---- opening ---------------------------------------------------------------------- */

static void fill_url(struct influx *influx)
{
    const struct settings *settings = influx->options.settings;
    const char *url = settings->influx.url;
    if (settings->influx.version == 0)
        snprintf(influx->url, URL_SIZE, "%s/write?db=%s&precision=n", url,
                 settings->influx.database);
    else if (settings->influx.version == 1)
        snprintf(influx->url, URL_SIZE, "%s/api/v2/write?org=%s&bucket=%s&precision=ns",
                 url, settings->influx.org, settings->influx.bucket);
    else
        snprintf(influx->url, URL_SIZE, "%s/api/v3/write_lp?db=%s&precision=nanosecond",
                 url, settings->influx.database);
}

static void fill_authorization(struct influx *influx)
{
    const struct settings *settings = influx->options.settings;
    const char *token = settings->influx.token;
    if (token != NULL)
        snprintf(influx->authorization, HEADER_SIZE, "Authorization: %s %s",
                 settings->influx.version == 1 ? "Token" : "Bearer", token);
    if (token != NULL || settings->influx.username == NULL)
        return;
    char encoded[HEADER_SIZE];
    const char *password = settings->influx.password;
    char *pair =
        mem_format("%s:%s", settings->influx.username, password != NULL ? password : "");
    if (crypto_base64(encoded, sizeof encoded, pair, strlen(pair)) != NULL)
        snprintf(influx->authorization, HEADER_SIZE, "Authorization: Basic %.900s",
                 encoded);
    free(pair);
}

static void on_sink(void *context, const struct state_sink *sink)
{
    struct influx *influx = context;
    if (strcmp(sink->name, SINK_NAME) != 0)
        return;
    influx->cursor = sink->cursor;
    influx->accepted = sink->accepted;
    influx->rejected = sink->rejected;
}

enum err influx_open(struct influx **result, const struct influx_options *options,
                     struct err_text *why)
{
    *result = NULL;
    struct influx *influx = mem_alloc(sizeof *influx);
    influx->options = *options;
    influx->state = "ok";
    influx->most_lines = (size_t)options->settings->influx.batch_lines;
    fill_url(influx);
    fill_authorization(influx);
    enum err err = state_each_sink(options->state, influx, on_sink);
    if (err == ERR_OK)
        err = state_get_told(options->state, SINK_NAME, &influx->told);
    if (err != ERR_OK) {
        free(influx);
        return err_set(why, err, "state.db: %s", state_why(options->state));
    }
    influx->batch_end = influx->cursor;
    influx->told_end = influx->told;
    influx->http = http_client_create();
    influx->decoder = decoder_create();
    err = follower_open(&influx->follower, options->journal, influx->cursor, &influx_ops,
                        influx, why);
    if (err != ERR_OK) {
        finish(influx);
        free(influx);
        return err;
    }
    *result = influx;
    return ERR_OK;
}

void influx_wake(struct influx *influx)
{
    follower_wake(influx->follower);
}

void influx_stop(struct influx *influx, int64_t drain_ms)
{
    if (influx == NULL)
        return;
    follower_close(influx->follower, drain_ms);
    influx->follower = NULL;
}

void influx_destroy(struct influx *influx)
{
    if (influx == NULL)
        return;
    assert(influx->follower == NULL);
    free(influx);
}
