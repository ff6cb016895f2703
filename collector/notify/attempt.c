// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/attempt.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/program.h"
#include "base/utf8.h"
#include "net/smtp.h"

#define BACKOFF_FIRST_MS INT64_C(1000)
#define BACKOFF_LAST_MS  INT64_C(300000)
#define OUTPUT_MAX       4096

/* ---- carriers --------------------------------------------------------------------- */

static void over_http(const struct config_channel *config,
                      const struct carriers *carriers,
                      const struct channel_request *request,
                      struct channel_answer *answer, struct err_text *why)
{
    struct http_response response = {0};
    const struct http_request http = {
        .method = request->method,
        .url = request->url.data,
        .headers = (const char *const *)request->headers,
        .body = request->body.len > 0 ? request->body.data : NULL,
        .body_len = request->body.len,
        .timeout_ms = config->timeout_ms,
        .ca_file = config->ca_file,
    };
    answer->came = http_send(carriers->http, &http, &response, why) == ERR_OK;
    if (answer->came) {
        answer->status = response.status;
        answer->retry_after_ms = response.retry_after_ms;
        answer->body = response.body;
        response.body = (struct buf){0};
    }
    http_response_fini(&response);
}

static void over_smtp(const struct config_channel *config,
                      const struct channel_request *request,
                      struct channel_answer *answer, struct err_text *why)
{
    const struct smtp_message mail = {
        .url = request->url.data,
        .username = config->username,
        .password = config->password,
        .ca_file = config->ca_file,
        .from = request->to[0],
        .to = (const char *const *)request->to + 1,
        .data = request->body.data,
        .len = request->body.len,
        .timeout_ms = config->timeout_ms,
    };
    answer->came = smtp_send(&mail, &answer->status, why) == ERR_OK;
}

static void over_command(const struct config_channel *config,
                         const struct channel_request *request,
                         struct channel_answer *answer, struct err_text *why)
{
    assert(request->to != NULL && request->to[request->to_count] == NULL);
    const struct program_options program = {
        .argv = request->to, .timeout_ms = config->timeout_ms, .output_max = OUTPUT_MAX};
    struct buf complaint = {0};
    answer->came = program_run(&program, &answer->body, &complaint, why) == ERR_OK;
    if (answer->came)
        err_set(why, ERR_OK, "the command ended well");
    else if (complaint.len > 0)
        err_set(why, ERR_IO, "%.100s: %.300s", request->to[0], complaint.data);
    buf_fini(&complaint);
}

static void over_mqtt(const struct config_channel *config,
                      const struct carriers *carriers,
                      const struct channel_request *request,
                      struct channel_answer *answer, struct err_text *why)
{
    if (carriers->publish == NULL) {
        err_set(why, ERR_UNSUPPORTED, "there is no broker here");
        return;
    }
    answer->came =
        carriers->publish(carriers->context, request->url.data, request->body.data,
                          request->body.len, config->timeout_ms, why) == ERR_OK;
    if (answer->came)
        err_set(why, ERR_OK, "the broker has it");
}

void channel_carry(const struct config_channel *config, const struct carriers *carriers,
                   const struct channel_request *request, struct channel_answer *answer)
{
    struct err_text why = {0};
    *answer = (struct channel_answer){.retry_after_ms = -1};
    switch (channel_ops(config->kind)->carrier) {
    case CHANNEL_OVER_HTTP:
        over_http(config, carriers, request, answer, &why);
        break;
    case CHANNEL_OVER_SMTP:
        over_smtp(config, request, answer, &why);
        break;
    case CHANNEL_OVER_MQTT:
        over_mqtt(config, carriers, request, answer, &why);
        break;
    case CHANNEL_OVER_COMMAND:
        over_command(config, request, answer, &why);
        break;
    }
    size_t len = utf8_fit(why.text, strlen(why.text), sizeof answer->said - 1);
    snprintf(answer->said, sizeof answer->said, "%.*s", (int)len, why.text);
}

void channel_answer_fini(struct channel_answer *answer)
{
    buf_fini(&answer->body);
}

/* ---- the attempt ------------------------------------------------------------------ */

/* A service that repeats what it was sent shall not put it into lists and logs. */
static void hide(char *said, const char *secret)
{
    size_t len = secret != NULL ? strlen(secret) : 0;
    for (char *at = len >= 4 ? strstr(said, secret) : NULL; at != NULL;
         at = strstr(at, secret))
        memset(at, '*', len);
}

static void refuse(struct channel_verdict *verdict, const struct err_text *why)
{
    *verdict = (struct channel_verdict){.outcome = STATE_OUTBOX_DEAD};
    size_t len = utf8_fit(why->text, strlen(why->text), sizeof verdict->said - 1);
    snprintf(verdict->said, sizeof verdict->said, "%.*s", (int)len, why->text);
}

void channel_try(const struct config_channel *config, const struct carriers *carriers,
                 const char *key, const char *body, const struct channel_attempt *attempt,
                 struct channel_verdict *verdict)
{
    const struct channel_ops *ops = channel_ops(config->kind);
    struct channel_message message;
    struct channel_request request = {0};
    struct err_text why = {0};
    enum err err = channel_message_parse(&message, body);
    if (err != ERR_OK)
        err_set(&why, err, "the message is not as it should be");
    message.key = key;
    if (err == ERR_OK)
        err = ops->format(config, &message, attempt, &request, &why);
    if (err == ERR_OK) {
        struct channel_answer answer;
        channel_carry(config, carriers, &request, &answer);
        ops->judge(config, &answer, verdict);
        channel_answer_fini(&answer);
    } else {
        refuse(verdict, &why);
    }
    hide(verdict->said, config->token);
    hide(verdict->said, config->secret);
    hide(verdict->said, config->password);
    channel_request_fini(&request);
    channel_message_fini(&message);
}

/* Doubling, with half of it random, so that receivers are not hit in step. */
static int64_t backoff_ms(uint32_t attempts, uint64_t random)
{
    int64_t span = BACKOFF_FIRST_MS;
    for (uint32_t i = 0; i < attempts && span < BACKOFF_LAST_MS; i++)
        span *= 2;
    if (span > BACKOFF_LAST_MS)
        span = BACKOFF_LAST_MS;
    return span / 2 + (int64_t)(random % (uint64_t)(span / 2 + 1));
}

void channel_settle(const struct channel_verdict *verdict,
                    const struct channel_attempt *attempt, uint64_t random,
                    struct record_result *result)
{
    static_assert(sizeof verdict->said <= sizeof result->text, "it has room");
    snprintf(result->text, sizeof result->text, "%s", verdict->said);
    result->outcome = verdict->outcome;
    result->next_attempt_ms = 0;
    if (verdict->outcome != STATE_OUTBOX_PENDING)
        return;
    if (attempt->now_ms - attempt->created_ms > CHANNEL_GIVE_UP_MS) {
        result->outcome = STATE_OUTBOX_DEAD;
        return;
    }
    int64_t wait = backoff_ms(attempt->attempts, random);
    if (verdict->wait_ms > wait)
        wait = verdict->wait_ms;
    result->next_attempt_ms = attempt->now_ms + wait;
}
