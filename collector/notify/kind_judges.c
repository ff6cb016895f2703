// SPDX-License-Identifier: Apache-2.0
/*
 * kind_judges - what an answer means: taken, again later, never again.
 *
 * Four sorts of refusal: of this message (it is not sent again), of too many (the whole
 * channel waits), of the settings (somebody may mend them: the whole channel is tried
 * again, slowly, and counts as failing, so that others are told), and of an address
 * (likewise, but for what is for others).
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "collector/notify/kinds.h"

#define SETTINGS_WAIT_MS   INT64_C(300000)
#define MINUTE_MS          INT64_C(60000)
#define DINGTALK_BLOCK_MS  (10 * MINUTE_MS)
#define RETRY_AFTER_MAX_MS INT64_C(900000)
#define ANSWER_MAX         65536

enum sort { TAKEN, LATER, RATE, SETTINGS, ADDRESS, NEVER };

struct code {
    int64_t code;
    enum sort sort;
    int64_t wait_ms;
};

static void settle(struct channel_verdict *verdict, enum sort sort, int64_t wait_ms)
{
    static const enum state_outbox outcomes[] = {
        [TAKEN] = STATE_OUTBOX_DONE,      [LATER] = STATE_OUTBOX_PENDING,
        [RATE] = STATE_OUTBOX_PENDING,    [SETTINGS] = STATE_OUTBOX_PENDING,
        [ADDRESS] = STATE_OUTBOX_PENDING, [NEVER] = STATE_OUTBOX_DEAD,
    };
    verdict->outcome = outcomes[sort];
    verdict->wait_ms = wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
    verdict->blocks = sort == RATE || sort == SETTINGS;
}

/* Foreign text, made fit for a line of a log and a cell of a list; a code in front. */
static void say(struct channel_verdict *verdict, const char *what, int64_t code,
                const char *text)
{
    char clean[160];
    size_t len = utf8_fit(text, strnlen(text, 400), sizeof clean - 1);
    size_t at = 0;
    for (size_t i = 0; i < len;) {
        size_t step = utf8_len(text + i, len - i);
        bool is_fine = step > 1 || (step == 1 && text[i] >= ' ' && text[i] != 0x7f);
        for (size_t k = 0; is_fine && k < step; k++)
            clean[at++] = text[i + k];
        if (!is_fine)
            clean[at++] = '?';
        i += step > 0 ? step : 1;
    }
    clean[at] = '\0';
    if (what != NULL)
        snprintf(verdict->said, sizeof verdict->said, "%s %" PRId64 "%s%s", what, code,
                 at > 0 ? ": " : "", clean);
    else
        snprintf(verdict->said, sizeof verdict->said, "%s", clean);
}

/* False: the verdict is made, whatever the body says. */
static bool is_good_status(const struct channel_answer *answer,
                           struct channel_verdict *verdict)
{
    int status = answer->status;
    *verdict = (struct channel_verdict){.outcome = STATE_OUTBOX_DONE};
    if (!answer->came) {
        settle(verdict, LATER, 0);
        snprintf(verdict->said, sizeof verdict->said, "%s", answer->said);
        return false;
    }
    snprintf(verdict->said, sizeof verdict->said, "status %d", status);
    if (status >= 200 && status < 300)
        return true;
    if (status == 429)
        settle(verdict, RATE, answer->retry_after_ms > 0 ? answer->retry_after_ms : 0);
    else if (status == 400 || status == 410 || status == 413 || status == 422)
        settle(verdict, NEVER, 0);
    else
        settle(verdict, LATER, answer->retry_after_ms > 0 ? answer->retry_after_ms : 0);
    return false;
}

void kind_http_judge(const struct config_channel *config,
                     const struct channel_answer *answer, struct channel_verdict *verdict)
{
    (void)config;
    if (is_good_status(answer, verdict))
        settle(verdict, TAKEN, 0);
}

void kind_plain_judge(const struct config_channel *config,
                      const struct channel_answer *answer,
                      struct channel_verdict *verdict)
{
    (void)config;
    *verdict = (struct channel_verdict){0};
    settle(verdict, answer->came && answer->status == 0 ? TAKEN : LATER, 0);
    say(verdict, NULL, 0, answer->said);
}

/* RFC 5321, 4.2.1: 4xx is for now, 5xx for good; who we are is a matter of settings. */
void kind_smtp_judge(const struct config_channel *config,
                     const struct channel_answer *answer, struct channel_verdict *verdict)
{
    (void)config;
    int status = answer->status;
    *verdict = (struct channel_verdict){0};
    if (answer->came && status >= 200 && status < 300)
        settle(verdict, TAKEN, 0);
    else if (status == 530 || status == 534 || status == 535 || status == 538)
        settle(verdict, SETTINGS, SETTINGS_WAIT_MS);
    else if (status == 450 || status == 451 || status == 452)
        settle(verdict, LATER, MINUTE_MS);
    else if (status >= 550 && status <= 559)
        settle(verdict, NEVER, 0);
    else
        settle(verdict, LATER, 0);
    say(verdict, status != 0 ? "reply" : NULL, status, answer->said);
}

/* ---- robots ----------------------------------------------------------------------- */

static json_t *read_body(const struct channel_answer *answer)
{
    if (answer->body.len == 0 || answer->body.len > ANSWER_MAX)
        return NULL;
    json_t *root =
        json_loadb(answer->body.data, answer->body.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL ? text : "";
}

/* An unknown code is tried again: better told twice than never. */
static void settle_code(struct channel_verdict *verdict, const struct code *codes,
                        size_t count, int64_t code)
{
    settle(verdict, code == 0 ? TAKEN : LATER, 0);
    for (size_t i = 0; i < count; i++)
        if (codes[i].code == code)
            settle(verdict, codes[i].sort, codes[i].wait_ms);
}

/* A robot's answer that names no code is none: a proxy or a login page answered. */
static void judge_robot(const struct channel_answer *answer, const char *code_key,
                        const char *text_key, const struct code *codes, size_t count,
                        struct channel_verdict *verdict)
{
    bool is_good = is_good_status(answer, verdict);
    if (!answer->came)
        return;
    json_t *root = read_body(answer);
    const json_t *code = json_object_get(root, code_key);
    if (json_is_integer(code)) {
        settle_code(verdict, codes, count, json_integer_value(code));
        if (!is_good && verdict->outcome == STATE_OUTBOX_DONE)
            settle(verdict, LATER, 0);
        say(verdict, "code", json_integer_value(code), text_of(root, text_key));
    } else if (is_good) {
        settle(verdict, LATER, 0);
        say(verdict, "status", answer->status, "but that is no answer of a robot");
    }
    json_decref(root);
}

void kind_wecom_judge(const struct config_channel *config,
                      const struct channel_answer *answer,
                      struct channel_verdict *verdict)
{
    static const struct code codes[] = {
        {45009, RATE, MINUTE_MS},
        {45033, RATE, MINUTE_MS},
        {93000, SETTINGS, SETTINGS_WAIT_MS},
        {40058, NEVER, 0},
        {44004, NEVER, 0},
        {40008, NEVER, 0},
    };
    (void)config;
    judge_robot(answer, "errcode", "errmsg", codes, sizeof codes / sizeof codes[0],
                verdict);
}

void kind_dingtalk_judge(const struct config_channel *config,
                         const struct channel_answer *answer,
                         struct channel_verdict *verdict)
{
    static const struct code codes[] = {
        {130101, RATE, DINGTALK_BLOCK_MS},
        {310000, SETTINGS, SETTINGS_WAIT_MS}, /* signature, keyword, address */
        {300001, SETTINGS, SETTINGS_WAIT_MS}, /* token */
        {400013, SETTINGS, SETTINGS_WAIT_MS}, /* the group is gone */
        {400101, SETTINGS, SETTINGS_WAIT_MS}, /* token */
        {400102, SETTINGS, SETTINGS_WAIT_MS}, /* the robot is stopped */
        {400105, NEVER, 0},                   /* kind of message */
        {40035, NEVER, 0},                    /* a parameter */
        {43004, NEVER, 0},                    /* content type */
    };
    (void)config;
    judge_robot(answer, "errcode", "errmsg", codes, sizeof codes / sizeof codes[0],
                verdict);
}

void kind_feishu_judge(const struct config_channel *config,
                       const struct channel_answer *answer,
                       struct channel_verdict *verdict)
{
    static const struct code codes[] = {
        {11232, RATE, MINUTE_MS},
        {9499, NEVER, 0},
        {19021, SETTINGS, SETTINGS_WAIT_MS}, /* signature, or its time */
        {19022, SETTINGS, SETTINGS_WAIT_MS}, /* address */
        {19024, SETTINGS, SETTINGS_WAIT_MS}, /* keyword */
        {19001, SETTINGS, SETTINGS_WAIT_MS}, /* token */
    };
    (void)config;
    judge_robot(answer, "code", "msg", codes, sizeof codes / sizeof codes[0], verdict);
}

static int64_t telegram_wait_ms(const json_t *root)
{
    const json_t *after =
        json_object_get(json_object_get(root, "parameters"), "retry_after");
    json_int_t seconds = json_integer_value(after);
    return seconds > 0 && seconds <= RETRY_AFTER_MAX_MS / 1000 ? seconds * 1000
           : seconds > 0                                       ? RETRY_AFTER_MAX_MS
                                                               : MINUTE_MS;
}

/*
 * A chat that is not found, and a bot that was shown the door, can be mended. That is one
 * contact's chat: what is for others goes on.
 */
static enum sort telegram_sort(int64_t code, const char *about)
{
    if (code == 429)
        return RATE;
    if (code == 401 || code == 404)
        return SETTINGS;
    if (code == 403 || strstr(about, "chat") != NULL)
        return ADDRESS;
    return code == 400 || code == 413 ? NEVER : LATER;
}

void kind_telegram_judge(const struct config_channel *config,
                         const struct channel_answer *answer,
                         struct channel_verdict *verdict)
{
    (void)config;
    bool is_good = is_good_status(answer, verdict);
    if (!answer->came)
        return;
    json_t *root = read_body(answer);
    const json_t *ok = json_object_get(root, "ok");
    if (json_is_true(ok) && is_good) {
        settle(verdict, TAKEN, 0);
    } else if (json_is_false(ok)) {
        int64_t code = json_integer_value(json_object_get(root, "error_code"));
        const char *about = text_of(root, "description");
        enum sort sort = telegram_sort(code, about);
        settle(verdict, sort,
               sort == RATE                          ? telegram_wait_ms(root)
               : sort == SETTINGS || sort == ADDRESS ? SETTINGS_WAIT_MS
                                                     : 0);
        say(verdict, "code", code, about);
    } else if (is_good) {
        settle(verdict, LATER, 0);
        say(verdict, "status", answer->status, "but that is no answer of a bot");
    }
    json_decref(root);
}

/* ---- providers -------------------------------------------------------------------- */

/* Many answer 200 and say in the body that it was not: the settings say what is good. */
void kind_provider_judge(const struct config_channel *config,
                         const struct channel_answer *answer,
                         struct channel_verdict *verdict)
{
    if (!is_good_status(answer, verdict))
        return;
    const char *body = answer->body.len > 0 ? answer->body.data : "";
    bool is_taken = config->expect == NULL || (answer->body.len <= ANSWER_MAX &&
                                               strstr(body, config->expect) != NULL);
    settle(verdict, is_taken ? TAKEN : LATER, 0);
    if (!is_taken)
        say(verdict, "status", answer->status, body);
}
