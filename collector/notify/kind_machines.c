// SPDX-License-Identifier: Apache-2.0
/*
 * kind_machines - what programs are told: webhooks, Alertmanager, topics.
 */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "collector/notify/kinds.h"

/* An alert that nobody sends any more is held for so long, and not called resolved. */
#define HOLD_MS INT64_C(14400000)

/* ---- webhook ---------------------------------------------------------------------- */

static void sign(const struct config_channel *config, const char *body, const char *stamp,
                 struct channel_request *request)
{
    struct buf signed_text = {0};
    uint8_t mac[CRYPTO_HMAC_BYTES];
    char hex[2 * CRYPTO_HMAC_BYTES + 1];
    buf_format(&signed_text, "%s.%s", stamp, body);
    crypto_hmac_sha256(mac, config->secret, strlen(config->secret), signed_text.data,
                       signed_text.len);
    buf_fini(&signed_text);
    channel_request_header(request, "X-Coldchain-Signature: sha256=%s",
                           crypto_hex(hex, mac, sizeof mac));
}

/*
 * Headers: Idempotency-Key, the same for every attempt; Coldchain-Attempt, from 1: beyond
 * it, an earlier attempt may have arrived; X-Coldchain-Timestamp, Unix seconds of the
 * attempt; X-Coldchain-Signature, "sha256=" and the hex HMAC-SHA256 of timestamp, ".",
 * body under the channel's secret. Any 2xx is a receipt.
 */
enum err kind_webhook_format(const struct config_channel *config,
                             const struct channel_message *message,
                             const struct channel_attempt *attempt,
                             struct channel_request *request, struct err_text *why)
{
    (void)why;
    char stamp[32];
    snprintf(stamp, sizeof stamp, "%" PRId64, attempt->stamp_ms / 1000);
    request->method = "POST";
    buf_text(&request->url, config->url);
    buf_text(&request->body, message->body);
    channel_request_header(request, "Content-Type: application/json");
    channel_request_header(request, "Idempotency-Key: %s", message->key);
    channel_request_header(request, "Coldchain-Attempt: %" PRIu32, attempt->attempts + 1);
    channel_request_header(request, "X-Coldchain-Timestamp: %s", stamp);
    if (config->secret != NULL)
        sign(config, message->body, stamp, request);
    return ERR_OK;
}

/* ---- MQTT ------------------------------------------------------------------------- */

enum err kind_mqtt_format(const struct config_channel *config,
                          const struct channel_message *message,
                          const struct channel_attempt *attempt,
                          struct channel_request *request, struct err_text *why)
{
    (void)attempt;
    (void)why;
    buf_text(&request->url, config->topic);
    buf_text(&request->body, message->body);
    return ERR_OK;
}

/* ---- Alertmanager, API v2 --------------------------------------------------------- */

static void put_label(json_t *labels, const char *name, const char *text)
{
    if (text[0] != '\0')
        json_object_set_new(labels, name, json_string(text));
}

/* Those of the cause: what is told of another of its incidents is the same alert. */
static json_t *labels_of(const struct channel_message *message, const char *severity)
{
    json_t *labels = json_object();
    const char *cause = message->cause[0] != '\0' ? message->cause : message->incident;
    put_label(labels, "alertname",
              message->leader.rule[0] != '\0' ? message->leader.rule : "coldchain");
    put_label(labels, "severity", severity);
    put_label(labels, "incident", cause);
    put_label(labels, "kind", message->leader.kind);
    put_label(labels, "org", message->org);
    put_label(labels, "site", message->site);
    put_label(labels, "zone", message->leader.zone);
    put_label(labels, "device", message->leader.device);
    put_label(labels, "quantity", message->leader.quantity);
    return labels;
}

static void put_time(json_t *alert, const char *key, int64_t ms)
{
    char text[CLOCK_ISO_MAX];
    json_object_set_new(alert, key, json_string(clock_format_iso(text, ms)));
}

static void add_alert(json_t *alerts, const struct config_channel *config,
                      const struct channel_message *message, const char *severity,
                      int64_t begin_ms, int64_t end_ms)
{
    struct buf title = {0};
    struct buf text = {0};
    struct buf link = {0};
    json_t *alert = json_object();
    json_t *annotations = json_object();
    kind_title(config, message, &title);
    kind_link(config, message, &link);
    if (kind_text(config, message, &text, NULL) == ERR_OK)
        put_label(annotations, "description", text.data);
    if (title.len > 0)
        put_label(annotations, "summary", title.data);
    json_object_set_new(alert, "labels", labels_of(message, severity));
    json_object_set_new(alert, "annotations", annotations);
    put_time(alert, "startsAt", begin_ms);
    put_time(alert, "endsAt", end_ms > begin_ms ? end_ms : begin_ms + 1);
    if (link.len > 0)
        json_object_set_new(alert, "generatorURL", json_string(link.data));
    json_array_append_new(alerts, alert);
    buf_fini(&title);
    buf_fini(&text);
    buf_fini(&link);
}

static void put_alerts(const struct config_channel *config, json_t *alerts,
                       struct channel_request *request)
{
    size_t len = strlen(config->url);
    while (len > 0 && config->url[len - 1] == '/')
        len--;
    request->method = "POST";
    buf_add(&request->url, config->url, len);
    buf_text(&request->url, "/api/v2/alerts");
    channel_request_header(request, "Content-Type: application/json");
    char *text = json_dumps(alerts, JSON_COMPACT);
    assert(text != NULL);
    buf_text(&request->body, text);
    free(text);
    json_decref(alerts);
}

static bool is_event(const struct channel_message *message, const char *event)
{
    return strcmp(message->event, event) == 0;
}

/*
 * Its severity is one of the labels that are its identity: what rises is another one, and
 * what is over is so in each that may have been told. An end of something in a cause that
 * goes on is no news.
 */
static void add_message(json_t *alerts, const struct config_channel *config,
                        const struct channel_message *message, int64_t now_ms)
{
    bool is_over = message->closed_ms != 0;
    bool is_critical = strcmp(message->severity, "critical") == 0;
    bool is_led =
        message->cause[0] != '\0' && strcmp(message->cause, message->incident) != 0;
    bool has_risen = is_event(message, "escalated") || (is_led && is_critical);
    int64_t begin_ms = message->onset_ms != 0 ? message->onset_ms : now_ms;
    int64_t end_ms = is_over ? message->closed_ms : now_ms + HOLD_MS;
    if (is_over && message->goes_on)
        return;
    if (is_event(message, "test"))
        end_ms = now_ms + 60000; /* rings, and goes by itself */
    add_alert(alerts, config, message, message->severity, begin_ms, end_ms);
    if (is_over)
        add_alert(alerts, config, message, is_critical ? "warning" : "critical", begin_ms,
                  end_ms);
    else if (has_risen)
        add_alert(alerts, config, message, "warning", begin_ms, now_ms);
}

enum err kind_alertmanager_format(const struct config_channel *config,
                                  const struct channel_message *message,
                                  const struct channel_attempt *attempt,
                                  struct channel_request *request, struct err_text *why)
{
    (void)why;
    json_t *alerts = json_array();
    add_message(alerts, config, message, attempt->stamp_ms);
    put_alerts(config, alerts, request);
    return ERR_OK;
}

enum err kind_alertmanager_refresh(const struct config_channel *config,
                                   const char *const *bodies, size_t count,
                                   int64_t now_ms, struct channel_request *request)
{
    json_t *alerts = json_array();
    for (size_t i = 0; i < count; i++) {
        struct channel_message message;
        if (channel_message_parse(&message, bodies[i]) == ERR_OK &&
            message.closed_ms == 0 && message.incident[0] != '\0') {
            message.event = ""; /* it rose when that was told */
            add_message(alerts, config, &message, now_ms);
        }
        channel_message_fini(&message);
    }
    if (json_array_size(alerts) == 0) {
        json_decref(alerts);
        return ERR_NOT_FOUND;
    }
    put_alerts(config, alerts, request);
    return ERR_OK;
}
