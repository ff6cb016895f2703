// SPDX-License-Identifier: Apache-2.0
/*
 * config_channels - the settings of what tells people: one record for each channel.
 *
 * One table for all kinds; which keys a kind takes and needs is said by the check.
 */
#ifndef COLDCHAIN_COLLECTOR_CONFIG_CHANNELS_H
#define COLDCHAIN_COLLECTOR_CONFIG_CHANNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"

#define CHANNEL_KIND_LIST(X) \
    X(WEBHOOK, "webhook") \
    X(EMAIL, "email") \
    X(WECOM, "wecom") \
    X(DINGTALK, "dingtalk") \
    X(FEISHU, "feishu") \
    X(TELEGRAM, "telegram") \
    X(ALERTMANAGER, "alertmanager") \
    X(MQTT, "mqtt") \
    X(SMS, "sms")     /* an HTTP request made from a template */ \
    X(VOICE, "voice") /* the same, and it rings */ \
    X(COMMAND, "command")

enum channel_kind {
#define X(name, text) CHANNEL_##name,
    CHANNEL_KIND_LIST(X)
#undef X
};

enum channel_language { CHANNEL_ZH, CHANNEL_EN, CHANNEL_BOTH };
enum channel_rings { CHANNEL_RINGS_AUTO, CHANNEL_RINGS_YES, CHANNEL_RINGS_NO };
enum channel_body { CHANNEL_BODY_JSON, CHANNEL_BODY_FORM };

/* Strings are NULL when unset. */
struct config_channel {
    char *name;
    enum channel_kind kind;
    enum channel_language language;
    enum channel_rings rings; /* AUTO: as the kind does */
    int64_t rate;             /* messages a minute; -1: the kind's; 0: no limit */
    int64_t text_limit;       /* bytes of text; 0: the kind's */
    int64_t timeout_ms;       /* of one attempt */
    char *link;               /* of the console, in front of "incidents/ID" */
    char *url;
    char *token;        /* what names a robot or a bot to its service */
    char *secret;       /* signs */
    bool replies;       /* telegram: answers are fetched */
    char *reply_secret; /* signs answers that a gateway brings; NULL: none are taken */
    char *username;
    char *password;
    char *ca_file;
    char *from;
    char **to; /* when a message names nobody itself */
    size_t to_count;
    char *topic;
    struct config_pair *headers;
    size_t header_count;
    char *body; /* template */
    enum channel_body body_type;
    char *expect; /* what a good answer holds */
    int64_t refresh_ms;
    char **command;
    size_t command_count;
};

extern const struct config_schema config_channel_schema;
/* The shorthand `webhooks`: the same struct, of which it fills a part. */
extern const struct config_schema config_webhook_schema;

/* Problems when two have one name. */
void config_check_channel_names(struct config *config,
                                const struct config_channel *webhooks,
                                size_t webhook_count,
                                const struct config_channel *channels,
                                size_t channel_count);

const char *channel_kind_name(enum channel_kind kind);
/* In place of an incident's id, a test of a channel has one that begins so. */
#define CHANNEL_TEST_START "test-"

/* Whether people can answer what it tells. */
bool channel_takes_replies(const struct config_channel *channel);

#endif
