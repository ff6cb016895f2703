// SPDX-License-Identifier: Apache-2.0
/* What each kind of channel sends, to the byte, and what it makes of answers. */
#include "collector/notify/channel.h"

#include <jansson.h>
#include <math.h>

#include "base/crypto.h"
#include "collector/notify/kinds.h"
#include "tests/support/check.h"

#define STAMP_MS INT64_C(1700000000000)
#define ID       "000000000000000000000000000000ab"

static const char opened[] =
    "{\"key\":\"" ID "-1\",\"event\":\"opened\",\"incident\":\"" ID
    "\",\"rule\":\"warm\",\"kind\":\"above\",\"severity\":\"critical\",\"zone\":\"room-1\","
    "\"text_zh\":\"【严重】一号库：气温 9.4 °C\",\"text_en\":\"[critical] room 1: 9.4 °C\","
    "\"value\":9.42,\"limit\":8.0,\"onset\":\"2026-11-23T08:00:00.000Z\",\"closed\":null}";

static char secret[] = "SECtest0123456789";
static char token[] = "t0ken";

struct made {
    struct channel_message message;
    struct channel_request request;
    struct err_text why;
    enum err err;
};

static void make(struct made *made, const struct config_channel *config, const char *body)
{
    const struct channel_attempt attempt = {.attempts = 1, .stamp_ms = STAMP_MS};
    *made = (struct made){0};
    crypto_init();
    CHECK(channel_message_parse(&made->message, body) == ERR_OK);
    made->err =
        channel_ops(config->kind)
            ->format(config, &made->message, &attempt, &made->request, &made->why);
    if (made->err != ERR_OK)
        printf("\n  %s\n", made->why.text);
}

static void unmake(struct made *made)
{
    channel_request_fini(&made->request);
    channel_message_fini(&made->message);
}

static const char *header(const struct made *made, const char *name)
{
    for (size_t i = 0; i < made->request.header_count; i++)
        if (strncmp(made->request.headers[i], name, strlen(name)) == 0)
            return made->request.headers[i] + strlen(name) + 2;
    return "";
}

/* The vectors of the makers' own examples, computed by other programs. */
static void robots_are_signed_as_their_makers_say(void)
{
    struct made made;
    struct config_channel config = {.kind = CHANNEL_DINGTALK,
                                    .token = token,
                                    .secret = secret,
                                    .language = CHANNEL_ZH};
    make(&made, &config, opened);
    CHECK_TEXT(made.request.url.data,
               "https://oapi.dingtalk.com/robot/send?access_token=t0ken&timestamp="
               "1700000000000&sign=yBKp5IlG6qCzcQWmgyRK%2FziJBdVNJmHfFE2ST%2FCzT%2Fg%3D");
    CHECK_TEXT(made.request.body.data,
               "{\"msgtype\":\"text\",\"text\":{\"content\":\"【严重】一号库：气温 9.4 "
               "°C\"},\"at\":{\"atMobiles\":[],\"isAtAll\":false}}");
    unmake(&made);
    config.kind = CHANNEL_FEISHU;
    make(&made, &config, opened);
    CHECK_TEXT(made.request.url.data,
               "https://open.feishu.cn/open-apis/bot/v2/hook/t0ken");
    CHECK_TEXT(made.request.body.data,
               "{\"msg_type\":\"text\",\"content\":{\"text\":\"【严重】一号库：气温 9.4 "
               "°C\"},\"timestamp\":\"1700000000\",\"sign\":"
               "\"xqhKocb0RcGBDr30iFkLPByPLrRBM9Oy/dgBx968k0U=\"}");
    unmake(&made);
}

static void mentions_go_where_each_robot_wants_them(void)
{
    char mobile[] = "+8613800000000";
    char user[] = "zhang";
    char *to[] = {mobile, user};
    struct made made;
    struct config_channel config = {.kind = CHANNEL_WECOM,
                                    .token = token,
                                    .to = to,
                                    .to_count = 2,
                                    .language = CHANNEL_EN};
    make(&made, &config, opened);
    CHECK_TEXT(made.request.url.data,
               "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=t0ken");
    CHECK_TEXT(made.request.body.data,
               "{\"msgtype\":\"text\",\"text\":{\"content\":\"[critical] room 1: 9.4 "
               "°C\",\"mentioned_list\":[\"zhang\"],\"mentioned_mobile_list\":["
               "\"+8613800000000\"]}}");
    unmake(&made);
    config.kind = CHANNEL_FEISHU;
    make(&made, &config,
         "{\"text_en\":\"x\",\"to\":[\"ou_1\",\"\\\"><at user_id=\\\"all\"]}");
    CHECK_TEXT(made.request.body.data,
               "{\"msg_type\":\"text\",\"content\":{\"text\":\"<at "
               "user_id=\\\"ou_1\\\"></at> x\"}}");
    unmake(&made);
}

/* A text of n characters of three bytes each. */
static char *long_message(size_t n)
{
    struct buf text = {0};
    buf_text(&text, "{\"text_zh\":\"");
    for (size_t i = 0; i < n; i++)
        buf_text(&text, "冷");
    buf_text(&text, "\"}");
    return buf_take(&text);
}

static json_t *body_of(const struct made *made)
{
    json_t *root = json_loadb(made->request.body.data, made->request.body.len, 0, NULL);
    CHECK(root != NULL);
    return root;
}

static void limits_cut_between_characters(void)
{
    static const struct {
        const char *name;
        enum channel_kind kind;
        size_t characters;
        const char *outer;
        const char *inner;
        size_t bytes; /* of the text sent */
    } rows[] = {
        {"wecom fits", CHANNEL_WECOM, 682, "text", "content", 2046},
        {"wecom takes markdown", CHANNEL_WECOM, 683, "markdown", "content", 2049},
        {"wecom is cut", CHANNEL_WECOM, 2000, "markdown", "content", 4095},
        {"dingtalk is cut", CHANNEL_DINGTALK, 2000, "text", "content", 3999},
        {"feishu is cut", CHANNEL_FEISHU, 4000, "content", "text", 9000},
        {"telegram fits", CHANNEL_TELEGRAM, 4096, NULL, "text", 12288},
        {"telegram is cut", CHANNEL_TELEGRAM, 4097, NULL, "text", 12288},
    };
    char *to[] = {token};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config_channel config = {.kind = rows[i].kind, .token = token};
        struct made made;
        if (rows[i].kind == CHANNEL_TELEGRAM) {
            config.to = to;
            config.to_count = 1;
        }
        char *message = long_message(rows[i].characters);
        make(&made, &config, message);
        json_t *root = body_of(&made);
        const json_t *in =
            rows[i].outer != NULL ? json_object_get(root, rows[i].outer) : root;
        size_t len = json_string_length(json_object_get(in, rows[i].inner));
        CHECK_ROW(rows[i].name, len == rows[i].bytes);
        json_decref(root);
        unmake(&made);
        free(message);
    }
}

static void a_link_and_two_languages_share_the_room(void)
{
    char link[] = "https://c.example";
    struct config_channel config = {
        .kind = CHANNEL_SMS, .language = CHANNEL_BOTH, .link = link, .text_limit = 110};
    struct channel_message message;
    struct buf text = {0};
    CHECK(channel_message_parse(
              &message,
              "{\"incident\":\"ab\",\"text_zh\":\"一二三四五六七八九十一二三四五\","
              "\"text_en\":\"0123456789012345678901234567890123456789\"}") == ERR_OK);
    CHECK(kind_text(&config, &message, &text, NULL) == ERR_OK);
    CHECK_TEXT(text.data, "一二三四五六七八九十一二…\n0123456789012345678901234567890"
                          "12345…\nhttps://c.example/incidents/ab");
    CHECK(text.len <= 110);
    buf_clear(&text);
    config.language = CHANNEL_EN;
    config.text_limit = 0;
    CHECK(kind_text(&config, &message, &text, NULL) == ERR_OK);
    CHECK_TEXT(text.data, "0123456789012345678901234567890123456789\n"
                          "https://c.example/incidents/ab");
    buf_fini(&text);
    channel_message_fini(&message);
    CHECK(channel_message_parse(&message, "{}") == ERR_OK);
    CHECK(kind_text(&config, &message, &text, NULL) == ERR_INVALID);
    channel_message_fini(&message);
    CHECK(channel_message_parse(&message, "[1]") == ERR_INVALID);
    channel_message_fini(&message);
}

static void a_bot_shows_where_to_acknowledge(void)
{
    char link[] = "https://c.example/";
    char chat[] = "-1001";
    char *to[] = {chat};
    struct made made;
    struct config_channel config = {.kind = CHANNEL_TELEGRAM,
                                    .token = token,
                                    .link = link,
                                    .to = to,
                                    .to_count = 1,
                                    .language = CHANNEL_EN};
    make(&made, &config, opened);
    CHECK_TEXT(made.request.url.data, "https://api.telegram.org/bott0ken/sendMessage");
    CHECK_TEXT(
        made.request.body.data,
        "{\"chat_id\":\"-1001\",\"text\":\"[critical] room 1: 9.4 °C\\n"
        "https://c.example/incidents/" ID "\",\"disable_notification\":false,"
        "\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"Acknowledge\",\"url\":"
        "\"https://c.example/incidents/" ID "\"}]]}}");
    unmake(&made);
}

static void a_bot_has_a_button_that_acknowledges(void)
{
    static const char body[] = "{\"incident\":\"" ID "\",\"text_en\":\"warm\","
                               "\"code\":\"4F7K\",\"token\":\"" ID ID "\"%s}";
    char link[] = "https://c.example/";
    char chat[] = "-1001";
    char *to[] = {chat};
    char message[400];
    struct made made;
    struct config_channel config = {.kind = CHANNEL_TELEGRAM,
                                    .token = token,
                                    .link = link,
                                    .to = to,
                                    .to_count = 1,
                                    .replies = true,
                                    .language = CHANNEL_EN};
    snprintf(message, sizeof message, body, "");
    make(&made, &config, message);
    CHECK_TEXT(made.request.body.data,
               "{\"chat_id\":\"-1001\",\"text\":\"warm\\nReply 1 4F7K to acknowledge\\n"
               "https://c.example/incidents/" ID "\",\"disable_notification\":false,"
               "\"reply_markup\":{\"inline_keyboard\":[[{\"text\":\"I take it\","
               "\"callback_data\":\"" ID ID "\"},{\"text\":\"Open\",\"url\":"
               "\"https://c.example/incidents/" ID "\"}]]}}");
    unmake(&made);
    /* What is over needs nobody. */
    snprintf(message, sizeof message, body, ",\"closed\":\"2026-11-23T08:00:00.000Z\"");
    make(&made, &config, message);
    CHECK(strstr(made.request.body.data, "reply_markup") == NULL);
    CHECK(strstr(made.request.body.data, "4F7K") == NULL);
    unmake(&made);
    config.replies = false;
    snprintf(message, sizeof message, body, "");
    make(&made, &config, message);
    CHECK(strstr(made.request.body.data, "callback_data") == NULL);
    CHECK(strstr(made.request.body.data, "4F7K") == NULL);
    unmake(&made);
}

static void under_a_list_each_line_has_a_button(void)
{
    char chat[] = "-1001";
    char *to[] = {chat};
    struct made made;
    struct config_channel config = {.kind = CHANNEL_TELEGRAM,
                                    .token = token,
                                    .to = to,
                                    .to_count = 1,
                                    .replies = true,
                                    .language = CHANNEL_EN};
    make(&made, &config,
         "{\"event\":\"digest\",\"digest\":[1,2,3],\"text_en\":\"three\",\"offers\":["
         "{\"code\":\"4F7K\",\"token\":\"aa\"},{\"code\":\"9ABC\",\"token\":\"bb\"},7]}");
    CHECK_TEXT(made.request.body.data,
               "{\"chat_id\":\"-1001\",\"text\":\"three\\nReply 1 and a line's code to "
               "acknowledge\",\"disable_notification\":false,\"reply_markup\":{"
               "\"inline_keyboard\":[[{\"text\":\"4F7K\",\"callback_data\":\"aa\"}],"
               "[{\"text\":\"9ABC\",\"callback_data\":\"bb\"}]]}}");
    unmake(&made);
}

static void a_text_message_says_how_to_answer(void)
{
    static const struct {
        enum channel_language language;
        int64_t limit;
        const char *body;
        const char *text;
    } rows[] = {
        {CHANNEL_EN, 0, "{\"text_en\":\"warm\",\"code\":\"4F7K\"}",
         "warm\nReply 1 4F7K to acknowledge"},
        {CHANNEL_ZH, 0, "{\"text_zh\":\"热\",\"code\":\"4F7K\"}", "热\n回复 1 4F7K 确认"},
        {CHANNEL_BOTH, 0, "{\"text_en\":\"warm\",\"text_zh\":\"热\",\"code\":\"4F7K\"}",
         "热\nwarm\n回复/Reply 1 4F7K"},
        {CHANNEL_EN, 0, "{\"text_en\":\"warm\"}", "warm"},
        {CHANNEL_EN, 0, "{\"text_en\":\"two\",\"digest\":[1,2],\"offers\":[{}]}",
         "two\nReply 1 and a line's code to acknowledge"},
        /* The text is cut, not what it is answered with. */
        {CHANNEL_EN, 40, "{\"text_en\":\"warm warm warm warm\",\"code\":\"4F7K\"}",
         "warm warm…\nReply 1 4F7K to acknowledge"},
        /* No room for both: the text. */
        {CHANNEL_EN, 20, "{\"text_en\":\"warm\",\"code\":\"4F7K\"}", "warm"},
    };
    char secret_of_gateway[] = "a secret of the gateway";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct channel_message message;
        struct buf text = {0};
        struct config_channel config = {.kind = CHANNEL_SMS,
                                        .reply_secret = secret_of_gateway,
                                        .text_limit = rows[i].limit,
                                        .language = rows[i].language};
        CHECK(channel_message_parse(&message, rows[i].body) == ERR_OK);
        CHECK(kind_text(&config, &message, &text, NULL) == ERR_OK);
        CHECK_TEXT(text.data, rows[i].text);
        channel_message_fini(&message);
        buf_fini(&text);
    }
}

/* Half a link acknowledges nothing. */
static void a_link_that_acknowledges_is_whole(void)
{
#define LINK "https://c.example/v1/ack?t=0123456789abcdef0123456789abcdef0123456789abcdef"
    static const char body[] =
        "{\"text_zh\":\"冷库一：空气温度 9.4 °C，高于限值 8.0 °C，先查库门\",\"text_en\":\"room 1: air "
        "temperature 9.4 °C, limit 8.0 °C (above): check the door first\","
        "\"incident\":\"ab\",\"acknowledge_url\":\"" LINK "\"}";
    static const struct {
        const char *name;
        enum channel_kind kind;
        enum channel_language language;
        int64_t limit;
        const char *end; /* NULL: no link */
    } rows[] = {
        {"English", CHANNEL_SMS, CHANNEL_EN, 0,
         ": check the door first\nAcknowledge: " LINK},
        {"Chinese", CHANNEL_SMS, CHANNEL_ZH, 0, "先查库门\n点此确认：" LINK},
        {"both", CHANNEL_SMS, CHANNEL_BOTH, 0, "first\n点此确认：" LINK},
        {"the text is cut", CHANNEL_SMS, CHANNEL_BOTH, 160, "…\n点此确认：" LINK},
        {"no room for both", CHANNEL_SMS, CHANNEL_EN, 80, NULL},
        {"a voice", CHANNEL_VOICE, CHANNEL_EN, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].name;
        const struct config_channel config = {.kind = rows[i].kind,
                                              .language = rows[i].language,
                                              .text_limit = rows[i].limit};
        struct channel_message message;
        struct buf text = {0};
        CHECK(channel_message_parse(&message, body) == ERR_OK);
        CHECK(kind_text(&config, &message, &text, NULL) == ERR_OK);
        CHECK_ROW(name, rows[i].limit == 0 || (int64_t)text.len <= rows[i].limit);
        if (rows[i].end == NULL) {
            CHECK_ROW(name, strstr(text.data, "https://c.") == NULL);
        } else {
            size_t len = strlen(rows[i].end);
            CHECK_ROW(name, text.len > len &&
                                strcmp(text.data + text.len - len, rows[i].end) == 0);
            CHECK_ROW(name, strstr(strstr(text.data, LINK) + 1, LINK) == NULL);
        }
        channel_message_fini(&message);
        buf_fini(&text);
    }
#undef LINK
}

static void mail_is_one_thread_per_incident(void)
{
    char url[] = "smtp://mail.example:587";
    char from[] = "cold@example.com";
    char to_a[] = "a@example.com";
    char to_b[] = "b@example.com";
    char *to[] = {to_a, to_b};
    struct made made;
    struct config_channel config = {
        .kind = CHANNEL_EMAIL, .url = url, .from = from, .to = to, .to_count = 2};
    make(&made, &config, opened);
    CHECK(made.request.to_count == 3);
    CHECK_TEXT(made.request.to[0], from);
    CHECK_TEXT(made.request.to[2], to_b);
    const char *mail = made.request.body.data;
    static const char head[] = "From: coldchain <cold@example.com>\r\nTo: <a@example.com>"
                               ",\r\n <b@example.com>\r\nSubject: =?UTF-8?B?";
    CHECK(strncmp(mail, head, sizeof head - 1) == 0);
    CHECK(strstr(mail, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n") != NULL);
    CHECK(strstr(mail, "Message-ID: <" ID "-1@example.com>\r\n") != NULL);
    CHECK(strstr(mail, "References:") == NULL);
    CHECK(strstr(mail, "Importance: high\r\n") != NULL);
    CHECK(strstr(mail, "\r\n\r\n44CQ5Lil6YeN44CR") != NULL); /* the text, zh first */
    unmake(&made);
    make(&made, &config,
         "{\"key\":\"" ID "-4\",\"incident\":\"" ID "\",\"text_en\":\"over\"}");
    mail = made.request.body.data;
    CHECK(strstr(mail, "Message-ID: <" ID "-4@example.com>\r\n") != NULL);
    CHECK(strstr(mail, "References: <" ID "-1@example.com>\r\n") != NULL);
    unmake(&made);
    make(&made, &config, "{\"text_en\":\"x\",\"to\":[\"a@b\\r\\nBcc: c@d\"]}");
    CHECK(made.err == ERR_INVALID);
    unmake(&made);
}

static void an_alertmanager_is_told_begin_and_end(void)
{
    char url[] = "http://am:9093/";
    struct made made;
    struct config_channel config = {
        .kind = CHANNEL_ALERTMANAGER, .url = url, .language = CHANNEL_EN};
    make(&made, &config, opened);
    CHECK_TEXT(made.request.url.data, "http://am:9093/api/v2/alerts");
    CHECK_TEXT(
        made.request.body.data,
        "[{\"labels\":{\"alertname\":\"warm\",\"severity\":\"critical\",\"incident\":\"" ID
        "\",\"kind\":\"above\",\"zone\":\"room-1\"},\"annotations\":{\"description\":"
        "\"[critical] room 1: 9.4 °C\",\"summary\":\"[critical] room 1\"},\"startsAt\":"
        "\"2026-11-23T08:00:00.000Z\",\"endsAt\":\"2026-11-23T08:00:00.001Z\"}]");
    unmake(&made);
    make(&made, &config,
         "{\"event\":\"escalated\",\"incident\":\"i\",\"severity\":\"critical\","
         "\"onset\":\"2023-11-14T22:00:00.000Z\",\"text_en\":\"x: y\"}");
    json_t *root = body_of(&made);
    CHECK(json_array_size(root) == 2);
    CHECK_TEXT(json_string_value(json_object_get(json_array_get(root, 0), "endsAt")),
               "2023-11-15T02:13:20.000Z");
    CHECK_TEXT(json_string_value(json_object_get(json_array_get(root, 1), "endsAt")),
               "2023-11-14T22:13:20.000Z");
    json_decref(root);
    unmake(&made);
}

/* Whichever of its incidents is told, a cause is one alert, and ends as the one it was.
 */
static void a_cause_is_one_alert(void)
{
#define LED \
    "\"cause\":\"a\",\"rule\":\"hotter\",\"kind\":\"dose_above\",\"zone\":\"z\",\"text_en\":\"x\"," \
    "\"leader\":{\"rule\":\"hot\",\"kind\":\"above\",\"zone\":\"z\",\"device\":\"d\",\"quantity\":\"q\"}"
    static const char *const bodies[] = {
        "{\"event\":\"opened\",\"incident\":\"a\",\"severity\":\"warning\",\"cause\":\"a\",\"rule\":"
        "\"hot\",\"kind\":\"above\",\"zone\":\"z\",\"device\":\"d\",\"quantity\":\"q\",\"text_en\":\"x\"}",
        "{\"event\":\"opened\",\"incident\":\"b\",\"severity\":\"critical\"," LED "}",
        "{\"event\":\"updated\",\"cause_goes_on\":true,\"incident\":\"b\",\"severity\":\"critical\","
        "\"closed\":\"2023-11-14T22:05:00.000Z\"," LED "}",
        "{\"event\":\"closed\",\"incident\":\"b\",\"severity\":\"warning\","
        "\"closed\":\"2023-11-14T22:05:00.000Z\"," LED "}",
        /* What another one was never is no end, and what led ends what followed it. */
        "{\"event\":\"withdrawn\",\"incident\":\"b\",\"severity\":\"critical\",\"cause_goes_on\":"
        "true,\"withdrawn\":\"2023-11-14T22:05:00.000Z\"," LED "}",
        "{\"event\":\"closed\",\"incident\":\"a\",\"severity\":\"warning\",\"cause\":\"a\",\"rule\":"
        "\"hot\",\"kind\":\"above\",\"zone\":\"z\",\"device\":\"d\",\"quantity\":\"q\",\"text_en\":"
        "\"x\",\"cause_goes_on\":false,\"closed\":\"2023-11-14T22:05:00.000Z\"}",
    };
    static const struct {
        const char *severity[2];
        bool is_open[2];
    } rows[] = {
        {{"warning", NULL}, {true, false}}, {{"critical", "warning"}, {true, false}},
        {{NULL, NULL}, {false, false}},     {{"warning", "critical"}, {false, false}},
        {{NULL, NULL}, {false, false}},     {{"warning", "critical"}, {false, false}},
    };
    char url[] = "http://am:9093";
    const struct config_channel config = {.kind = CHANNEL_ALERTMANAGER, .url = url};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct made made;
        make(&made, &config, bodies[i]);
        json_t *root = body_of(&made);
        size_t count = 0;
        while (count < 2 && rows[i].severity[count] != NULL)
            count++;
        CHECK(json_array_size(root) == count);
        for (size_t k = 0; k < count; k++) {
            const json_t *alert = json_array_get(root, k);
            json_t *labels =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "alertname", "hot",
                          "severity", rows[i].severity[k], "incident", "a", "kind",
                          "above", "zone", "z", "device", "d", "quantity", "q");
            CHECK(json_equal(json_object_get(alert, "labels"), labels));
            bool is_open = strcmp(json_string_value(json_object_get(alert, "endsAt")),
                                  "2023-11-15") > 0;
            CHECK(is_open == rows[i].is_open[k]);
            json_decref(labels);
        }
        json_decref(root);
        unmake(&made);
    }
#undef LED
}

static void what_is_open_is_sent_again_to_an_alertmanager(void)
{
    char url[] = "http://am:9093";
    const struct config_channel config = {.kind = CHANNEL_ALERTMANAGER, .url = url};
    static const char *const bodies[] = {
        "{\"event\":\"escalated\",\"incident\":\"i\",\"text_en\":\"x\"}",
        "{\"incident\":\"k\",\"closed\":\"2023-11-14T22:00:00.000Z\"}", "nonsense"};
    struct channel_request request = {0};
    CHECK(kind_alertmanager_refresh(&config, bodies, 3, STAMP_MS, &request) == ERR_OK);
    json_t *root = json_loadb(request.body.data, request.body.len, 0, NULL);
    CHECK(json_array_size(root) == 1);
    json_decref(root);
    channel_request_fini(&request);
    CHECK(kind_alertmanager_refresh(&config, bodies + 1, 2, STAMP_MS, &request) ==
          ERR_NOT_FOUND);
}

static void templates_make_requests_of_providers(void)
{
    char url[] = "https://sms.example/send?to=${to}";
    char body[] = "{\"p\":\"${to}\",\"param\":\"{\\\"t\\\":\\\"${json:text}\\\"}\"}";
    char name[] = "Authorization";
    char value[] = "Bearer ${secret}";
    char number[] = "+86 138";
    char *to[] = {number};
    struct config_pair headers[] = {{name, value}};
    struct made made;
    struct config_channel config = {.kind = CHANNEL_SMS,
                                    .url = url,
                                    .body = body,
                                    .secret = secret,
                                    .headers = headers,
                                    .header_count = 1,
                                    .to = to,
                                    .to_count = 1};
    make(&made, &config, "{\"text_en\":\"say \\\"hi\\\"\"}");
    CHECK_TEXT(made.request.method, "POST");
    CHECK_TEXT(made.request.url.data, "https://sms.example/send?to=%2B86%20138");
    CHECK_TEXT(header(&made, "Authorization"), "Bearer SECtest0123456789");
    CHECK_TEXT(header(&made, "Content-Type"), "application/json");
    CHECK_TEXT(
        made.request.body.data,
        "{\"p\":\"+86 138\",\"param\":\"{\\\"t\\\":\\\"say \\\\\\\"hi\\\\\\\"\\\"}\"}");
    unmake(&made);
    char times[] = "${since} ${since_local}";
    config.body = times;
    make(&made, &config,
         "{\"text_en\":\"x\",\"onset\":\"2026-11-23T08:00:00.000Z\","
         "\"onset_local\":\"2026-11-23 16:00 UTC+8\"}");
    CHECK_TEXT(made.request.body.data, "2026-11-23T08:00:00.000Z 2026-11-23 16:00 UTC+8");
    unmake(&made);
}

static void a_command_is_given_arguments_not_a_line(void)
{
    char program[] = "/usr/local/bin/ring";
    char severity[] = "--severity=${severity}";
    char text[] = "${text}";
    char *command[] = {program, severity, text};
    struct made made;
    struct config_channel config = {
        .kind = CHANNEL_COMMAND, .command = command, .command_count = 3};
    make(&made, &config,
         "{\"severity\":\"critical\",\"text_en\":\"a; rm -rf /\\n$(b)\"}");
    CHECK(made.request.to_count == 3);
    CHECK_TEXT(made.request.to[1], "--severity=critical");
    CHECK_TEXT(made.request.to[2], "a; rm -rf /\n$(b)");
    CHECK(made.request.to[3] == NULL);
    unmake(&made);
}

static void answers_mean_what_services_say(void)
{
    static const struct {
        const char *name;
        enum channel_kind kind;
        int status; /* 0: none came */
        const char *body;
        enum state_outbox want;
        int64_t wait_ms;
        bool blocks;
    } rows[] = {
        {"webhook", CHANNEL_WEBHOOK, 204, "", STATE_OUTBOX_DONE, 0, false},
        {"webhook is away", CHANNEL_WEBHOOK, 0, "", STATE_OUTBOX_PENDING, 0, false},
        {"webhook refuses", CHANNEL_WEBHOOK, 422, "", STATE_OUTBOX_DEAD, 0, false},
        {"wecom", CHANNEL_WECOM, 200, "{\"errcode\":0,\"errmsg\":\"ok\"}",
         STATE_OUTBOX_DONE, 0, false},
        {"200 is no success", CHANNEL_WECOM, 200, "{\"errcode\":93000}",
         STATE_OUTBOX_PENDING, 300000, true},
        {"wecom: too many", CHANNEL_WECOM, 200, "{\"errcode\":45009}",
         STATE_OUTBOX_PENDING, 60000, true},
        {"wecom: a parameter", CHANNEL_WECOM, 200, "{\"errcode\":40058}",
         STATE_OUTBOX_DEAD, 0, false},
        {"wecom: unknown", CHANNEL_WECOM, 200, "{\"errcode\":-1}", STATE_OUTBOX_PENDING,
         0, false},
        {"a login page", CHANNEL_WECOM, 200, "<html>", STATE_OUTBOX_PENDING, 0, false},
        {"no code", CHANNEL_WECOM, 200, "{\"errmsg\":\"ok\"}", STATE_OUTBOX_PENDING, 0,
         false},
        {"dingtalk blocks", CHANNEL_DINGTALK, 200, "{\"errcode\":130101}",
         STATE_OUTBOX_PENDING, 600000, true},
        {"dingtalk: signature", CHANNEL_DINGTALK, 200, "{\"errcode\":310000}",
         STATE_OUTBOX_PENDING, 300000, true},
        {"feishu", CHANNEL_FEISHU, 200, "{\"code\":0,\"msg\":\"success\",\"data\":{}}",
         STATE_OUTBOX_DONE, 0, false},
        {"feishu: bad", CHANNEL_FEISHU, 400, "{\"code\":9499}", STATE_OUTBOX_DEAD, 0,
         false},
        {"feishu: rate", CHANNEL_FEISHU, 200, "{\"code\":11232}", STATE_OUTBOX_PENDING,
         60000, true},
        {"telegram", CHANNEL_TELEGRAM, 200, "{\"ok\":true}", STATE_OUTBOX_DONE, 0, false},
        {"telegram: rate", CHANNEL_TELEGRAM, 429,
         "{\"ok\":false,\"error_code\":429,\"parameters\":{\"retry_after\":7}}",
         STATE_OUTBOX_PENDING, 7000, true},
        {"telegram: rate, foolish", CHANNEL_TELEGRAM, 429,
         "{\"ok\":false,\"error_code\":429,\"parameters\":{\"retry_after\":"
         "9000000000000000000}}",
         STATE_OUTBOX_PENDING, 900000, true},
        {"telegram: no chat", CHANNEL_TELEGRAM, 400,
         "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: chat not "
         "found\"}",
         STATE_OUTBOX_PENDING, 300000, false},
        {"telegram: one who wants no more of it", CHANNEL_TELEGRAM, 403,
         "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot was blocked "
         "by the user\"}",
         STATE_OUTBOX_PENDING, 300000, false},
        {"telegram: token", CHANNEL_TELEGRAM, 401,
         "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}",
         STATE_OUTBOX_PENDING, 300000, true},
        {"telegram: bad text", CHANNEL_TELEGRAM, 400,
         "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: message is too "
         "long\"}",
         STATE_OUTBOX_DEAD, 0, false},
        {"provider", CHANNEL_SMS, 200, "{\"Code\":\"OK\"}", STATE_OUTBOX_DONE, 0, false},
        {"provider says no", CHANNEL_SMS, 200, "{\"Code\":\"isv.LIMIT\"}",
         STATE_OUTBOX_PENDING, 0, false},
        {"mail", CHANNEL_EMAIL, 250, "", STATE_OUTBOX_DONE, 0, false},
        {"mail: grey list", CHANNEL_EMAIL, 450, "", STATE_OUTBOX_PENDING, 60000, false},
        {"mail: no such box", CHANNEL_EMAIL, 550, "", STATE_OUTBOX_DEAD, 0, false},
        {"mail: password", CHANNEL_EMAIL, 535, "", STATE_OUTBOX_PENDING, 300000, true},
    };
    char expect[] = "\"Code\":\"OK\"";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config_channel config = {.kind = rows[i].kind, .expect = expect};
        struct channel_answer answer = {
            .came = rows[i].status != 0, .status = rows[i].status, .retry_after_ms = -1};
        struct channel_verdict verdict = {0};
        buf_text(&answer.body, rows[i].body);
        channel_ops(rows[i].kind)->judge(&config, &answer, &verdict);
        CHECK_ROW(rows[i].name, verdict.outcome == rows[i].want);
        CHECK_ROW(rows[i].name, verdict.wait_ms == rows[i].wait_ms);
        CHECK_ROW(rows[i].name, verdict.blocks == rows[i].blocks);
        buf_fini(&answer.body);
    }
}

static void a_channel_is_down_after_three_failures(void)
{
    struct channel_health health = {0};
    channel_health_take(&health, STATE_OUTBOX_PENDING, 1);
    channel_health_take(&health, STATE_OUTBOX_DEAD, 2);
    CHECK(!channel_health_is_down(&health));
    channel_health_take(&health, STATE_OUTBOX_PENDING, 3);
    CHECK(channel_health_is_down(&health));
    channel_health_take(&health, STATE_OUTBOX_DONE, 4);
    CHECK(!channel_health_is_down(&health) && health.good_ms == 4);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"robots are signed as their makers say", robots_are_signed_as_their_makers_say},
        {"mentions go where each robot wants them",
         mentions_go_where_each_robot_wants_them},
        {"limits cut between characters", limits_cut_between_characters},
        {"a link and two languages share the room",
         a_link_and_two_languages_share_the_room},
        {"a bot has a button that acknowledges", a_bot_has_a_button_that_acknowledges},
        {"under a list each line has a button", under_a_list_each_line_has_a_button},
        {"a text message says how to answer", a_text_message_says_how_to_answer},
        {"a bot shows where to acknowledge", a_bot_shows_where_to_acknowledge},
        {"a link that acknowledges is whole", a_link_that_acknowledges_is_whole},
        {"mail is one thread per incident", mail_is_one_thread_per_incident},
        {"an alertmanager is told begin and end", an_alertmanager_is_told_begin_and_end},
        {"a cause is one alert", a_cause_is_one_alert},
        {"what is open is sent again to an alertmanager",
         what_is_open_is_sent_again_to_an_alertmanager},
        {"templates make requests of providers", templates_make_requests_of_providers},
        {"a command is given arguments, not a line",
         a_command_is_given_arguments_not_a_line},
        {"answers mean what services say", answers_mean_what_services_say},
        {"a channel is down after three failures",
         a_channel_is_down_after_three_failures},
        CU_TEST_INFO_NULL,
    };
    return check_run("channel", tests);
}
