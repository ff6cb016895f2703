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
#include "collector/record.h"
#include "collector/skip.h"
#include "collector/store/influx_internal.h"
#include "collector/store/state_delivery.h"
#include "collector/store/state_entities.h"
#include "collector/store/state_incidents.h"

#define RECORDS_LOOK  4096
#define TOLD_LOOK     500
#define RETRY_STEP_MS 50 /* while waiting, so that a stop is seen */

/* ---- to the loop ------------------------------------------------------------------ */

/* A row for state.db on its way to the loop, which owns the connection. */
struct posted {
    struct influx *influx;
    bool is_refusal;
    uint64_t position;
    uint32_t item;
    uint64_t cursor;
    uint64_t told;
    uint64_t corrected;
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
    if (err == ERR_OK)
        err = state_put_told(state, SINK_NAME, posted->told);
    return err == ERR_OK ? state_put_corrected(state, SINK_NAME, posted->corrected) : err;
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
    posted->corrected = influx->corrected;
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

void influx_post(struct influx *influx, const char *url, const char *type,
                 const char *encoding, const struct buf *body,
                 struct influx_answer *answer)
{
    *answer = (struct influx_answer){.retry_after_ms = -1, .said = ""};
    const char *headers[4] = {type};
    size_t count = 1;
    if (encoding != NULL)
        headers[count++] = encoding;
    if (influx->authorization[0] != '\0')
        headers[count++] = influx->authorization;
    const struct http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = body->data,
        .body_len = body->len,
        .ca_file = influx->options.settings->influx.ca_file,
    };
    enum err err = http_send(influx->http, &request, &answer->response, &answer->why);
    if (err != ERR_OK)
        return;
    answer->status = answer->response.status;
    answer->retry_after_ms = answer->response.retry_after_ms;
    if (answer->response.body.len > 0)
        answer->said = answer->response.body.data;
}

void influx_answered(struct influx *influx, struct influx_answer *answer,
                     enum influx_verdict verdict)
{
    if (verdict != INFLUX_ACCEPTED)
        snprintf(influx->last_error, sizeof influx->last_error, "status %d: %.400s",
                 answer->status, answer->status != 0 ? answer->said : answer->why.text);
    http_response_fini(&answer->response);
}

static enum influx_verdict send_lines(struct influx *influx, size_t first, size_t count,
                                      int64_t *retry_after_ms)
{
    const struct line_mark *from = &influx->marks[first];
    const struct line_mark *last = &influx->marks[first + count - 1];
    struct buf body = {0};
    deflate_gzip(&body, influx->lines.data + from->offset,
                 last->offset + last->len - from->offset);
    struct influx_answer answer;
    influx_post(influx, influx->url, "Content-Type: text/plain; charset=utf-8",
                "Content-Encoding: gzip", &body, &answer);
    enum influx_verdict verdict = influx_judge(answer.status, answer.said, count);
    *retry_after_ms = answer.retry_after_ms;
    influx_answered(influx, &answer, verdict);
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

void influx_put_off(struct influx *influx, enum influx_verdict verdict,
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
        influx_put_off(influx, verdict, retry_after_ms);
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
    if (!influx_run_deletes(influx))
        return;
    if (influx->failures > 0)
        log_info("influx takes readings again");
    influx->failures = 0;
    influx->state = "ok";
    influx->last_error[0] = '\0';
    influx->cursor = influx->batch_end;
    influx->told = influx->told_end;
    influx_rewrite_accepted(influx);
    metric_set(METRIC_INFLUX_POSITION, (int64_t)influx->cursor);
    post_sink(influx);
}

/* ---- reading ---------------------------------------------------------------------- */

void influx_mark_lines(struct influx *influx, size_t start, uint64_t position)
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
    struct influx_delete never;
    if (influx_incident_is_withdrawn(told->first_body, told->body, &never))
        influx_delete_later(influx, &never);
    if (!is_told)
        return; /* state.db keeps it */
    influx_mark_lines(influx, start, 0);
    influx->marks[influx->count - 1].item = (uint32_t)told->place;
}

enum err influx_open_state(struct influx *influx, struct err_text *why)
{
    return influx->incidents != NULL
               ? ERR_OK
               : state_open_reader(&influx->incidents, influx->options.state_path, why);
}

/* True when there may be more. What cannot be read now is read later. */
static bool fill_told(struct influx *influx)
{
    struct err_text why = {0};
    uint64_t before = influx->told_end;
    if (influx->options.state_path == NULL)
        return false;
    enum err err = influx_open_state(influx, &why);
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
    influx_mark_lines(influx, start, record->position);
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
    if (influx->count == 0 && influx_rewrite_page(influx)) {
        enum err err = fill_batch(influx, reader, &is_full);
        if (err != ERR_OK)
            return err_set(why, err, "the journal cannot be read: %s", err_about(err));
        is_full = fill_told(influx) || is_full;
    }
    uint64_t before = influx->cursor;
    if (influx->count > 0 || influx->batch_end != before ||
        influx->told_end != influx->told || influx->delete_count > 0 ||
        influx->rewrite.is_through)
        deliver_batch(influx);
    bool is_waiting = influx->count > 0 || influx->rewrite.waits;
    turn->has_more = influx->count == 0 && is_full && !influx->rewrite.waits;
    turn->wait_ms =
        is_waiting ? RETRY_STEP_MS : influx->options.settings->influx.flush_ms;
    turn->ignores_news = is_waiting;
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
    free(influx->deletes);
    history_reader_close(influx->history);
    influx->deletes = NULL;
    influx->history = NULL;
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
        snprintf(influx->delete_url, URL_SIZE, "%s/query?db=%s", url,
                 settings->influx.database);
    else if (settings->influx.version == 1)
        snprintf(influx->delete_url, URL_SIZE, "%s/api/v2/delete?org=%s&bucket=%s", url,
                 settings->influx.org, settings->influx.bucket);
    if (settings->influx.version == 0)
        snprintf(influx->url, URL_SIZE, "%s/write?db=%s&precision=n", url,
                 settings->influx.database);
    else if (settings->influx.version == 1)
        snprintf(influx->url, URL_SIZE, "%s/api/v2/write?org=%s&bucket=%s&precision=ns",
                 url, settings->influx.org, settings->influx.bucket);
    else
        /* version 3 deletes nothing */
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
    if (err == ERR_OK)
        err = state_get_corrected(options->state, SINK_NAME, &influx->corrected);
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
    if (influx->follower != NULL) /* stopped: what was still posted wakes nobody */
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
