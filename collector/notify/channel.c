// SPDX-License-Identifier: Apache-2.0
#include "collector/notify/channel.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collector/notify/kinds.h"

/* Half of it at once, half of it in the course of the minute: see bucket.h. */
#define ROBOT_RATE    20
#define FEISHU_RATE   100
#define MAIL_RATE     30
#define PROVIDER_RATE 10
#define COMMAND_RATE  10

static const struct channel_ops all_ops[] = {
    [CHANNEL_WEBHOOK] = {.carrier = CHANNEL_OVER_HTTP,
                         .format = kind_webhook_format,
                         .judge = kind_http_judge},
    [CHANNEL_EMAIL] = {.carrier = CHANNEL_OVER_SMTP,
                       .digests = true,
                       .rate = MAIL_RATE,
                       .format = kind_email_format,
                       .judge = kind_smtp_judge},
    [CHANNEL_WECOM] = {.carrier = CHANNEL_OVER_HTTP,
                       .digests = true,
                       .rate = ROBOT_RATE,
                       .limit = 2048,
                       .format = kind_wecom_format,
                       .judge = kind_wecom_judge},
    [CHANNEL_DINGTALK] = {.carrier = CHANNEL_OVER_HTTP,
                          .digests = true,
                          .rate = ROBOT_RATE,
                          .limit = 4000,
                          .format = kind_dingtalk_format,
                          .judge = kind_dingtalk_judge},
    [CHANNEL_FEISHU] = {.carrier = CHANNEL_OVER_HTTP,
                        .digests = true,
                        .rate = FEISHU_RATE,
                        .limit = 9000,
                        .format = kind_feishu_format,
                        .judge = kind_feishu_judge},
    [CHANNEL_TELEGRAM] = {.carrier = CHANNEL_OVER_HTTP,
                          .digests = true,
                          .rate = ROBOT_RATE,
                          .limit = 4096,
                          .unit = CHANNEL_UTF16,
                          .format = kind_telegram_format,
                          .judge = kind_telegram_judge},
    [CHANNEL_ALERTMANAGER] = {.carrier = CHANNEL_OVER_HTTP,
                              .format = kind_alertmanager_format,
                              .judge = kind_http_judge},
    [CHANNEL_MQTT] = {.carrier = CHANNEL_OVER_MQTT,
                      .format = kind_mqtt_format,
                      .judge = kind_plain_judge},
    [CHANNEL_SMS] = {.carrier = CHANNEL_OVER_HTTP,
                     .digests = true,
                     .rate = PROVIDER_RATE,
                     .limit = 500,
                     .format = kind_provider_format,
                     .judge = kind_provider_judge},
    [CHANNEL_VOICE] = {.carrier = CHANNEL_OVER_HTTP,
                       .rings = true,
                       .digests = true,
                       .rate = PROVIDER_RATE,
                       .limit = 500,
                       .format = kind_provider_format,
                       .judge = kind_provider_judge},
    [CHANNEL_COMMAND] = {.carrier = CHANNEL_OVER_COMMAND,
                         .rings = true,
                         .digests = true,
                         .rate = COMMAND_RATE,
                         .limit = 4000,
                         .format = kind_command_format,
                         .judge = kind_plain_judge},
};

const struct channel_ops *channel_ops(enum channel_kind kind)
{
    assert((size_t)kind < sizeof all_ops / sizeof all_ops[0]);
    return &all_ops[kind];
}

bool channel_rings(const struct config_channel *config)
{
    return config->rings == CHANNEL_RINGS_AUTO ? channel_ops(config->kind)->rings
                                               : config->rings == CHANNEL_RINGS_YES;
}

bool channel_is_machine(const struct config_channel *config)
{
    return !channel_ops(config->kind)->digests && !channel_rings(config);
}

bool channel_knows_ends(const struct config_channel *config)
{
    for (size_t i = 0; i < config->command_count; i++)
        if (strstr(config->command[i], "${event}") != NULL)
            return true;
    return false;
}

int64_t channel_rate(const struct config_channel *config)
{
    return config->rate < 0 ? channel_ops(config->kind)->rate : config->rate;
}

/* ---- messages --------------------------------------------------------------------- */

/* What the texts of a message are borrowed from. */
struct owner {
    json_t *root;
    const char **to;
};

static const char *text_of(const json_t *root, const char *key)
{
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL ? text : "";
}

static double number_of(const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int64_t time_of(const json_t *root, const char *key)
{
    int64_t ms = 0;
    const char *text = json_string_value(json_object_get(root, key));
    return text != NULL && clock_parse_iso(&ms, text) ? ms : 0;
}

static void read_to(struct channel_message *message, struct owner *owner)
{
    const json_t *list = json_object_get(owner->root, "to");
    owner->to = mem_array(json_array_size(list), sizeof *owner->to);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *address = json_string_value(json_array_get(list, i));
        if (address != NULL && address[0] != '\0')
            owner->to[message->to_count++] = address;
    }
    message->to = owner->to;
}

/* Without one it leads itself. */
static void read_leader(struct channel_message *message, const json_t *root)
{
    const json_t *leader = json_object_get(root, "leader");
    const json_t *of = json_is_object(leader) ? leader : root;
    message->cause = text_of(root, "cause");
    message->goes_on = json_is_true(json_object_get(root, "cause_goes_on"));
    message->leader.rule = text_of(of, "rule");
    message->leader.kind = text_of(of, "kind");
    message->leader.zone = text_of(of, "zone");
    message->leader.device = text_of(of, "device");
    message->leader.quantity = text_of(of, "quantity");
}

enum err channel_message_parse(struct channel_message *message, const char *body)
{
    struct owner *owner = mem_alloc(sizeof *owner);
    *message = (struct channel_message){.body = body, .owner = owner};
    owner->root = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    const json_t *root = owner->root;
    if (!json_is_object(root))
        return ERR_INVALID;
    message->key = text_of(root, "key");
    message->event = text_of(root, "event");
    message->incident = text_of(root, "incident");
    read_leader(message, root);
    message->rule = text_of(root, "rule");
    message->rule_kind = text_of(root, "kind");
    message->severity = text_of(root, "severity");
    message->org = text_of(root, "org");
    message->site = text_of(root, "site");
    message->zone = text_of(root, "zone");
    message->device = text_of(root, "device");
    message->quantity = text_of(root, "quantity");
    message->text_zh = text_of(root, "text_zh");
    message->text_en = text_of(root, "text_en");
    message->onset_local = text_of(root, "onset_local");
    message->code = text_of(root, "code");
    message->token = text_of(root, "token");
    message->ack = text_of(root, "acknowledge_url");
    message->lists_codes = json_array_size(json_object_get(root, "offers")) > 0;
    message->value = number_of(root, "value");
    message->limit = number_of(root, "limit");
    message->onset_ms = time_of(root, "onset");
    message->closed_ms = time_of(root, "closed");
    if (message->closed_ms == 0)
        message->closed_ms = time_of(root, "withdrawn");
    size_t listed = json_array_size(json_object_get(root, "digest"));
    message->count = listed > 0 ? listed : 1;
    read_to(message, owner);
    return ERR_OK;
}

void channel_message_fini(struct channel_message *message)
{
    struct owner *owner = message->owner;
    if (owner == NULL)
        return;
    json_decref(owner->root);
    free(owner->to);
    free(owner);
    *message = (struct channel_message){0};
}

/* ---- requests --------------------------------------------------------------------- */

void channel_request_header(struct channel_request *request, const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    assert(request->header_count < CHANNEL_HEADERS_MAX);
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len >= 0)
        request->headers[request->header_count++] = text;
}

void channel_request_to(struct channel_request *request, const char *address)
{
    request->to = mem_realloc(request->to, (request->to_count + 2) * sizeof *request->to);
    request->to[request->to_count++] = mem_strdup(address);
    request->to[request->to_count] = NULL;
}

void channel_request_fini(struct channel_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        free(request->headers[i]);
    for (size_t i = 0; i < request->to_count; i++)
        free(request->to[i]);
    free(request->to);
    buf_fini(&request->url);
    buf_fini(&request->body);
    *request = (struct channel_request){0};
}

/* ---- health ----------------------------------------------------------------------- */

void channel_health_take(struct channel_health *health, enum state_outbox outcome,
                         int64_t now_ms)
{
    health->last_ms = now_ms;
    if (outcome == STATE_OUTBOX_DONE) {
        health->failures = 0;
        health->good_ms = now_ms;
    } else if (health->failures < UINT32_MAX) {
        health->failures++;
    }
}

bool channel_health_is_down(const struct channel_health *health)
{
    return health->failures >= CHANNEL_FAILURES_MAX;
}
