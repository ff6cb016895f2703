// SPDX-License-Identifier: Apache-2.0
/*
 * kind_robots - robots in groups of WeCom, DingTalk and Feishu, and Telegram's bots.
 */
#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/notify/kinds.h"
#include "collector/notify/template.h"
#include "collector/replies/telegram_wire.h"

#define WECOM_URL        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send"
#define DINGTALK_URL     "https://oapi.dingtalk.com/robot/send"
#define FEISHU_URL       "https://open.feishu.cn/open-apis/bot/v2/hook/"
#define SIGNATURE_SIZE   64
#define ROBOT_STAMP_SIZE 32

static const char *url_of(const struct config_channel *config, const char *fallback)
{
    return config->url != NULL ? config->url : fallback;
}

/* Base64 of the HMAC-SHA256. */
static void sign(const char *key, const char *text, char signature[SIGNATURE_SIZE])
{
    uint8_t mac[CRYPTO_HMAC_BYTES];
    crypto_hmac_sha256(mac, key, strlen(key), text, strlen(text));
    const char *made = crypto_base64(signature, SIGNATURE_SIZE, mac, sizeof mac);
    assert(made != NULL);
    (void)made;
}

static void put_body(struct channel_request *request, json_t *root)
{
    assert(root != NULL);
    char *text = json_dumps(root, JSON_COMPACT);
    assert(text != NULL);
    buf_text(&request->body, text);
    free(text);
    json_decref(root);
    request->method = "POST";
    channel_request_header(request, "Content-Type: application/json");
}

static json_t *list_of(const struct config_channel *config,
                       const struct channel_message *message)
{
    json_t *list = json_array();
    for (size_t i = 0; i < kind_to_count(config, message); i++)
        json_array_append_new(list, json_string(kind_to(config, message, i)));
    return list;
}

/* ---- WeCom ------------------------------------------------------------------------ */

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "+0123456789")] == '\0';
}

/* Numbers of mobiles are mentioned in another list than ids of users, or "@all". */
static json_t *wecom_mentions(const struct config_channel *config,
                              const struct channel_message *message, bool numbers)
{
    json_t *list = json_array();
    for (size_t i = 0; i < kind_to_count(config, message); i++)
        if (is_number(kind_to(config, message, i)) == numbers)
            json_array_append_new(list, json_string(kind_to(config, message, i)));
    return list;
}

/* Markdown when the text is too long for one that mentions somebody. */
enum err kind_wecom_format(const struct config_channel *config,
                           const struct channel_message *message,
                           const struct channel_attempt *attempt,
                           struct channel_request *request, struct err_text *why)
{
    (void)attempt;
    struct buf text = {0};
    enum err err = kind_text(config, message, &text, why);
    bool is_text = text.len <= channel_ops(CHANNEL_WECOM)->limit;
    if (err == ERR_OK) {
        buf_format(&request->url, "%s?key=", url_of(config, WECOM_URL));
        template_add_url(config->token, &request->url);
    }
    if (err == ERR_OK && is_text)
        put_body(request, json_pack("{s:s, s:{s:s, s:o, s:o}}", "msgtype", "text", "text",
                                    "content", text.data, "mentioned_list",
                                    wecom_mentions(config, message, false),
                                    "mentioned_mobile_list",
                                    wecom_mentions(config, message, true)));
    else if (err == ERR_OK)
        put_body(request, json_pack("{s:s, s:{s:s}}", "msgtype", "markdown", "markdown",
                                    "content", text.data));
    buf_fini(&text);
    return err;
}

/* ---- DingTalk --------------------------------------------------------------------- */

static void dingtalk_sign(const struct config_channel *config,
                          const struct channel_attempt *attempt, struct buf *url)
{
    char signature[SIGNATURE_SIZE];
    char stamp[ROBOT_STAMP_SIZE];
    struct buf text = {0};
    snprintf(stamp, sizeof stamp, "%" PRId64, attempt->stamp_ms);
    buf_format(&text, "%s\n%s", stamp, config->secret);
    sign(config->secret, text.data, signature);
    buf_fini(&text);
    buf_format(url, "&timestamp=%s&sign=", stamp);
    template_add_url(signature, url);
}

enum err kind_dingtalk_format(const struct config_channel *config,
                              const struct channel_message *message,
                              const struct channel_attempt *attempt,
                              struct channel_request *request, struct err_text *why)
{
    struct buf text = {0};
    enum err err = kind_text(config, message, &text, why);
    if (err == ERR_OK) {
        buf_format(&request->url, "%s?access_token=", url_of(config, DINGTALK_URL));
        template_add_url(config->token, &request->url);
        if (config->secret != NULL)
            dingtalk_sign(config, attempt, &request->url);
        put_body(request, json_pack("{s:s, s:{s:s}, s:{s:o, s:b}}", "msgtype", "text",
                                    "text", "content", text.data, "at", "atMobiles",
                                    list_of(config, message), "isAtAll", 0));
    }
    buf_fini(&text);
    return err;
}

/* ---- Feishu ----------------------------------------------------------------------- */

static void feishu_sign(const struct config_channel *config,
                        const struct channel_attempt *attempt, json_t *root)
{
    char signature[SIGNATURE_SIZE];
    char stamp[ROBOT_STAMP_SIZE];
    struct buf key = {0};
    snprintf(stamp, sizeof stamp, "%" PRId64, attempt->stamp_ms / 1000);
    buf_format(&key, "%s\n%s", stamp, config->secret);
    sign(key.data, "", signature);
    buf_fini(&key);
    json_object_set_new(root, "timestamp", json_string(stamp));
    json_object_set_new(root, "sign", json_string(signature));
}

/* Ids of users, or "all". */
static void feishu_mentions(const struct config_channel *config,
                            const struct channel_message *message, struct buf *text)
{
    for (size_t i = 0; i < kind_to_count(config, message); i++) {
        const char *id = kind_to(config, message, i);
        if (id[strcspn(id, "\"<>")] == '\0')
            buf_format(text, "<at user_id=\"%s\"></at> ", id);
    }
}

enum err kind_feishu_format(const struct config_channel *config,
                            const struct channel_message *message,
                            const struct channel_attempt *attempt,
                            struct channel_request *request, struct err_text *why)
{
    struct buf text = {0};
    feishu_mentions(config, message, &text);
    enum err err = kind_text(config, message, &text, why);
    if (err == ERR_OK) {
        buf_text(&request->url, url_of(config, FEISHU_URL));
        template_add_url(config->token, &request->url);
        json_t *root =
            json_pack("{s:s, s:{s:s}}", "msg_type", "text", "content", "text", text.data);
        if (config->secret != NULL)
            feishu_sign(config, attempt, root);
        put_body(request, root);
    }
    buf_fini(&text);
    return err;
}

/* ---- Telegram --------------------------------------------------------------------- */

#define BUTTONS_MAX 20 /* under a list */

/* Of a list each line has a button with its code. */
static json_t *telegram_list_keyboard(const struct channel_message *message)
{
    json_t *root = json_loads(message->body, 0, NULL);
    json_t *rows = json_array();
    size_t i;
    json_t *offer;
    json_array_foreach(json_object_get(root, "offers"), i, offer)
    {
        const char *code = json_string_value(json_object_get(offer, "code"));
        const char *token = json_string_value(json_object_get(offer, "token"));
        if (code != NULL && token != NULL && token[0] != '\0' && i < BUTTONS_MAX)
            json_array_append_new(
                rows, json_pack("[{s:s, s:s}]", "text", code, "callback_data", token));
    }
    json_decref(root);
    return json_pack("{s:o}", "inline_keyboard", rows);
}

/* One button that acknowledges here, and one that leads to the incident. */
static json_t *telegram_keyboard(const struct config_channel *config,
                                 const struct channel_message *message)
{
    static const char *const take[] = {"我来处理", "I take it", "我来处理 I take it"};
    static const char *const open[] = {"查看", "Open", "查看 Open"};
    static const char *const acknowledge[] = {"确认", "Acknowledge", "确认 Acknowledge"};
    struct buf link = {0};
    if (config->replies && message->lists_codes)
        return telegram_list_keyboard(message);
    json_t *row = json_array();
    kind_link(config, message, &link);
    bool takes = config->replies && message->token[0] != '\0';
    if (takes)
        json_array_append_new(row, json_pack("{s:s, s:s}", "text", take[config->language],
                                             "callback_data", message->token));
    if (link.len > 0)
        json_array_append_new(row,
                              json_pack("{s:s, s:s}", "text",
                                        (takes ? open : acknowledge)[config->language],
                                        "url", link.data));
    buf_fini(&link);
    if (json_array_size(row) > 0 && message->closed_ms == 0)
        return json_pack("{s:[o]}", "inline_keyboard", row);
    json_decref(row);
    return NULL;
}

enum err kind_telegram_format(const struct config_channel *config,
                              const struct channel_message *message,
                              const struct channel_attempt *attempt,
                              struct channel_request *request, struct err_text *why)
{
    (void)attempt;
    struct buf text = {0};
    enum err err = kind_text(config, message, &text, why);
    if (err == ERR_OK && kind_to_count(config, message) == 0)
        err = err_set(why, ERR_INVALID, "no chat is named");
    if (err == ERR_OK) {
        buf_format(&request->url, "%s/bot%s/sendMessage", url_of(config, TELEGRAM_URL),
                   config->token);
        json_t *root =
            json_pack("{s:s, s:s, s:b}", "chat_id", kind_to(config, message, 0), "text",
                      text.data, "disable_notification", 0);
        json_t *keyboard = telegram_keyboard(config, message);
        if (keyboard != NULL)
            json_object_set_new(root, "reply_markup", keyboard);
        put_body(request, root);
    }
    buf_fini(&text);
    return err;
}
