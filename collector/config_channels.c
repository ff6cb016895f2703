// SPDX-License-Identifier: Apache-2.0
#include "collector/config_channels.h"

#include <stdbool.h>
#include <string.h>

#define REPLY_SECRET_MIN 16

static const char *const kind_names[] = {
#define X(name, text) [CHANNEL_##name] = (text),
    CHANNEL_KIND_LIST(X)
#undef X
        NULL};
static const char *const language_words[] = {"zh", "en", "both", NULL};
static const char *const rings_words[] = {"auto", "yes", "no", NULL};
static const char *const body_words[] = {"json", "form", NULL};

#define CHANNEL(field) .offset = offsetof(struct config_channel, field)

static const struct config_key channel_keys[] = {
    {.name = "name",
     .type = CONFIG_STRING,
     .is_required = true,
     CHANNEL(name),
     .help = "unique among channels and webhooks"},
    {.name = "kind",
     .type = CONFIG_ENUM,
     .is_required = true,
     CHANNEL(kind),
     .words = kind_names,
     .help = "how it tells; see docs/alarms.md"},
    {.name = "language",
     .type = CONFIG_ENUM,
     CHANNEL(language),
     .words = language_words,
     .fallback = "both",
     .help = "of its texts"},
    {.name = "rings",
     .type = CONFIG_ENUM,
     CHANNEL(rings),
     .words = rings_words,
     .fallback = "auto",
     .help = "wakes somebody; auto: voice and command do"},
    {.name = "rate",
     .type = CONFIG_INT,
     CHANNEL(rate),
     .fallback = "-1",
     .least = -1,
     .most = 6000,
     .help = "messages a minute at most; 0: no limit; -1: as its kind"},
    {.name = "text_limit",
     .type = CONFIG_SIZE,
     CHANNEL(text_limit),
     .fallback = "0",
     .least = 0,
     .most = 1048576,
     .help = "of one text; 0: as its kind"},
    {.name = "timeout",
     .type = CONFIG_DURATION,
     CHANNEL(timeout_ms),
     .fallback = "10s",
     .least = 100,
     .most = 120000,
     .help = "for one attempt"},
    {.name = "link",
     .type = CONFIG_STRING,
     CHANNEL(link),
     .help = "https://console.example/ : 'incidents/ID' is put behind it in texts"},
    {.name = "url",
     .type = CONFIG_STRING,
     CHANNEL(url),
     .help = "of the service; email: smtp://host:587 (STARTTLS) or smtps://host:465"},
    {.name = "token",
     .type = CONFIG_SECRET,
     CHANNEL(token),
     .help = "wecom: key; dingtalk: access_token; feishu: end of the URL; telegram: bot"},
    {.name = "secret",
     .type = CONFIG_SECRET,
     CHANNEL(secret),
     .help = "signs: webhook, dingtalk, feishu; ${secret} in templates"},
    {.name = "replies",
     .type = CONFIG_BOOL,
     CHANNEL(replies),
     .fallback = "no",
     .help = "telegram: a button acknowledges, and so does an answer in the chat"},
    {.name = "reply_secret",
     .type = CONFIG_SECRET,
     CHANNEL(reply_secret),
     .help = "of what brings answers to POST /v1/replies; messages hold a code then"},
    {.name = "username",
     .type = CONFIG_STRING,
     CHANNEL(username),
     .help = "email: on the server"},
    {.name = "password",
     .type = CONFIG_SECRET,
     CHANNEL(password),
     .help = "email: on the server"},
    {.name = "ca_file",
     .type = CONFIG_STRING,
     CHANNEL(ca_file),
     .help = "certificates to trust instead of the system's"},
    {.name = "from",
     .type = CONFIG_STRING,
     CHANNEL(from),
     .help = "email: address of the sender"},
    {.name = "to",
     .type = CONFIG_STRINGS,
     CHANNEL(to),
     .count_offset = offsetof(struct config_channel, to_count),
     .most = 64,
     .help = "mail addresses, phone numbers, ids to mention, or the chat"},
    {.name = "topic",
     .type = CONFIG_STRING,
     CHANNEL(topic),
     .help = "mqtt: where it is published on the house's broker"},
    {.name = "headers",
     .type = CONFIG_PAIRS,
     CHANNEL(headers),
     .count_offset = offsetof(struct config_channel, header_count),
     .most = 16,
     .help = "sms, voice: of the request; templates"},
    {.name = "body",
     .type = CONFIG_STRING,
     CHANNEL(body),
     .help = "sms, voice: template of the request's body"},
    {.name = "body_type",
     .type = CONFIG_ENUM,
     CHANNEL(body_type),
     .words = body_words,
     .fallback = "json",
     .help = "sms, voice: how values are escaped in the body"},
    {.name = "expect",
     .type = CONFIG_STRING,
     CHANNEL(expect),
     .help = "sms, voice: a good answer holds this text"},
    {.name = "refresh",
     .type = CONFIG_DURATION,
     CHANNEL(refresh_ms),
     .fallback = "1m",
     .least = 1000,
     .most = 3600000,
     .help = "alertmanager: how often it is told again of what is open"},
    {.name = "command",
     .type = CONFIG_STRINGS,
     CHANNEL(command),
     .count_offset = offsetof(struct config_channel, command_count),
     .most = 64,
     .help = "command: program with its path, and arguments; templates, no shell"},
    {.name = NULL},
};

#define WEBHOOK(field) .offset = offsetof(struct config_channel, field)
static const struct config_key webhook_keys[] = {
    {.name = "name",
     .type = CONFIG_STRING,
     .is_required = true,
     WEBHOOK(name),
     .help = "of the channel, unique"},
    {.name = "url",
     .type = CONFIG_STRING,
     .is_required = true,
     WEBHOOK(url),
     .help = "where messages are posted"},
    {.name = "secret",
     .type = CONFIG_SECRET,
     WEBHOOK(secret),
     .help = "key of the signature header; without it messages are not signed"},
    {.name = "ca_file",
     .type = CONFIG_STRING,
     WEBHOOK(ca_file),
     .help = "certificates to trust instead of the system's"},
    {.name = "timeout",
     .type = CONFIG_DURATION,
     WEBHOOK(timeout_ms),
     .fallback = "10s",
     .least = 100,
     .most = 120000,
     .help = "for one attempt"},
    {.name = NULL},
};

const struct config_schema config_webhook_schema = {
    .keys = webhook_keys, .size = sizeof(struct config_channel)};

/* ---- what a kind takes ------------------------------------------------------------ */

enum need { NO, MAY, MUST };

struct needs {
    enum need url;
    enum need token;
    enum need secret;
    enum need to;
    enum need account; /* username, password */
    enum need from;
    enum need topic;
    enum need template; /* headers, body, expect */
    enum need command;
    enum need replies;      /* are fetched */
    enum need reply_secret; /* they are brought */
    bool has_http;
};

static const struct needs all_needs[] = {
    [CHANNEL_WEBHOOK] = {.reply_secret = MAY,
                         .url = MUST,
                         .secret = MAY,
                         .has_http = true},
    [CHANNEL_EMAIL] = {.reply_secret = MAY,
                       .url = MUST,
                       .to = MUST,
                       .account = MAY,
                       .from = MUST,
                       .has_http = true},
    [CHANNEL_WECOM] =
        {.reply_secret = MAY, .url = MAY, .token = MUST, .to = MAY, .has_http = true},
    [CHANNEL_DINGTALK] = {.reply_secret = MAY,
                          .url = MAY,
                          .token = MUST,
                          .secret = MAY,
                          .to = MAY,
                          .has_http = true},
    [CHANNEL_FEISHU] = {.reply_secret = MAY,
                        .url = MAY,
                        .token = MUST,
                        .secret = MAY,
                        .to = MAY,
                        .has_http = true},
    [CHANNEL_TELEGRAM] =
        {.replies = MAY, .url = MAY, .token = MUST, .to = MUST, .has_http = true},
    [CHANNEL_ALERTMANAGER] = {.url = MUST, .has_http = true},
    [CHANNEL_MQTT] = {.topic = MUST},
    [CHANNEL_SMS] = {.reply_secret = MAY,
                     .url = MUST,
                     .token = MAY,
                     .secret = MAY,
                     .to = MAY,
                     .template = MAY,
                     .has_http = true},
    [CHANNEL_VOICE] = {.reply_secret = MAY,
                       .url = MUST,
                       .token = MAY,
                       .secret = MAY,
                       .to = MAY,
                       .template = MAY,
                       .has_http = true},
    [CHANNEL_COMMAND] = {.reply_secret = MAY, .to = MAY, .command = MUST},
};

static void check_need(struct config *config, const struct config_channel *channel,
                       const char *key, enum need need, const void *field, bool is_set)
{
    const char *kind = channel_kind_name(channel->kind);
    if (need == MUST && !is_set)
        config_problem(config, &channel->name, "channel '%s' is %s: it needs '%s'",
                       channel->name, kind, key);
    if (need == NO && is_set)
        config_problem(config, field,
                       "'%s' means nothing for a channel of kind %s: "
                       "take it out",
                       key, kind);
}

static void check_needs(struct config *config, const struct config_channel *channel)
{
    const struct needs *needs = &all_needs[channel->kind];
    const struct {
        const char *key;
        enum need need;
        const void *field;
        bool is_set;
    } rows[] = {
        {"url", needs->url, &channel->url, channel->url != NULL},
        {"token", needs->token, &channel->token, channel->token != NULL},
        {"secret", needs->secret, &channel->secret, channel->secret != NULL},
        {"to", needs->to, &channel->to, channel->to_count > 0},
        {"username", needs->account, &channel->username, channel->username != NULL},
        {"password", needs->account, &channel->password, channel->password != NULL},
        {"from", needs->from, &channel->from, channel->from != NULL},
        {"topic", needs->topic, &channel->topic, channel->topic != NULL},
        {"headers", needs->template, &channel->headers, channel->header_count > 0},
        {"body", needs->template, &channel->body, channel->body != NULL},
        {"expect", needs->template, &channel->expect, channel->expect != NULL},
        {"command", needs->command, &channel->command, channel->command_count > 0},
        {"replies", needs->replies, &channel->replies, channel->replies},
        {"reply_secret", needs->reply_secret, &channel->reply_secret,
         channel->reply_secret != NULL},
        {"ca_file", needs->has_http ? MAY : NO, &channel->ca_file,
         channel->ca_file != NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_need(config, channel, rows[i].key, rows[i].need, rows[i].field,
                   rows[i].is_set);
}

/* ---- what values must be ---------------------------------------------------------- */

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void check_url(struct config *config, const struct config_channel *channel)
{
    const char *url = channel->url;
    if (url == NULL)
        return;
    if (channel->kind == CHANNEL_EMAIL) {
        if (!starts(url, "smtp://") && !starts(url, "smtps://"))
            config_problem(config, &channel->url,
                           "the url of an e-mail channel begins with smtp:// or "
                           "smtps://, such as smtp://mail.example:587");
        return;
    }
    if (!starts(url, "http://") && !starts(url, "https://"))
        config_problem(config, &channel->url,
                       "the url of channel '%s' begins neither with http:// nor https://",
                       channel->name);
    if ((channel->kind == CHANNEL_WECOM && strstr(url, "key=") != NULL) ||
        (channel->kind == CHANNEL_DINGTALK && strstr(url, "access_token=") != NULL))
        config_problem(config, &channel->url,
                       "this url holds a secret: leave 'url' out and put what stands "
                       "behind the '=' into 'token' or a file named by 'token_file'");
}

/* A line break would begin a header of somebody else's. */
static bool is_address(const char *text)
{
    const char *at = strchr(text, '@');
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || *c == '<' || *c == '>' || *c == 0x7f)
            return false;
    return at != NULL && at != text && at[1] != '\0';
}

static void check_addresses(struct config *config, const struct config_channel *channel)
{
    if (channel->kind != CHANNEL_EMAIL)
        return;
    if (channel->from != NULL && !is_address(channel->from))
        config_problem(config, &channel->from,
                       "'%s' is no mail address such as cold@example.com", channel->from);
    for (size_t i = 0; i < channel->to_count; i++)
        if (!is_address(channel->to[i]))
            config_problem(config, &channel->to,
                           "'%s' is no mail address such as duty@example.com",
                           channel->to[i]);
    if ((channel->username == NULL) != (channel->password == NULL))
        config_problem(config, &channel->name,
                       "'username' and 'password' go together: give both or neither");
}

static void check_values(struct config *config, const struct config_channel *channel)
{
    if (channel->topic != NULL && strpbrk(channel->topic, "+#") != NULL)
        config_problem(config, &channel->topic,
                       "a topic to publish on holds neither '+' nor '#'");
    if (channel->command_count > 0 && channel->command[0][0] != '/')
        config_problem(config, &channel->command,
                       "a command begins with the whole path of a program, such as "
                       "/usr/local/bin/ring");
    if (channel->reply_secret != NULL && strlen(channel->reply_secret) < REPLY_SECRET_MIN)
        config_problem(config, &channel->reply_secret,
                       "a reply_secret has %d characters or more: draw one with "
                       "'openssl rand -hex 32'",
                       REPLY_SECRET_MIN);
    if (channel->kind == CHANNEL_TELEGRAM && channel->to_count > 1)
        config_problem(config, &channel->to,
                       "a telegram channel has one chat: make a channel for each");
}

static void check(struct config *config, const void *data)
{
    const struct config_channel *channel = data;
    check_needs(config, channel);
    check_url(config, channel);
    check_addresses(config, channel);
    check_values(config, channel);
}

const struct config_schema config_channel_schema = {
    .keys = channel_keys,
    .size = sizeof(struct config_channel),
    .check = check,
};

bool channel_takes_replies(const struct config_channel *channel)
{
    return channel->replies || channel->reply_secret != NULL;
}

const char *channel_kind_name(enum channel_kind kind)
{
    return kind_names[kind];
}

static bool names_are_same(const struct config_channel *a, const struct config_channel *b)
{
    return a != b && strcmp(a->name, b->name) == 0;
}

void config_check_channel_names(struct config *config,
                                const struct config_channel *webhooks,
                                size_t webhook_count,
                                const struct config_channel *channels,
                                size_t channel_count)
{
    for (size_t i = 0; i < webhook_count + channel_count; i++) {
        const struct config_channel *one =
            i < webhook_count ? &webhooks[i] : &channels[i - webhook_count];
        bool is_twice = false;
        for (size_t k = 0; k < webhook_count; k++)
            is_twice = is_twice || names_are_same(one, &webhooks[k]);
        for (size_t k = 0; k < channel_count; k++)
            is_twice = is_twice || names_are_same(one, &channels[k]);
        if (is_twice)
            config_problem(config, &one->name,
                           "two channels are called '%s': results would be mixed up",
                           one->name);
        if (strcmp(one->name, "_heartbeat_") == 0)
            config_problem(config, &one->name, "'_heartbeat_' is the heartbeat's name");
    }
}
