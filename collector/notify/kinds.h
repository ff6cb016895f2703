// SPDX-License-Identifier: Apache-2.0
/*
 * kinds - what each kind of channel makes of a message, and what its answers mean.
 *
 * The functions behind the table of channel.c, and what they share. Formats and codes are
 * those of docs/alarms.md, where it says which of them nobody has verified. All pure.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_KINDS_H
#define COLDCHAIN_COLLECTOR_NOTIFY_KINDS_H

#include "collector/notify/channel.h"

#define KIND_FORMAT(name) \
    MUST_CHECK enum err name(const struct config_channel *config, \
                             const struct channel_message *message, \
                             const struct channel_attempt *attempt, \
                             struct channel_request *request, struct err_text *why)
#define KIND_JUDGE(name) \
    void name(const struct config_channel *config, const struct channel_answer *answer, \
              struct channel_verdict *verdict)

KIND_FORMAT(kind_webhook_format);
KIND_FORMAT(kind_email_format);
KIND_FORMAT(kind_wecom_format);
KIND_FORMAT(kind_dingtalk_format);
KIND_FORMAT(kind_feishu_format);
KIND_FORMAT(kind_telegram_format);
KIND_FORMAT(kind_alertmanager_format);
KIND_FORMAT(kind_mqtt_format);
KIND_FORMAT(kind_provider_format);
KIND_FORMAT(kind_command_format);

KIND_JUDGE(kind_http_judge);
KIND_JUDGE(kind_smtp_judge);
KIND_JUDGE(kind_wecom_judge);
KIND_JUDGE(kind_dingtalk_judge);
KIND_JUDGE(kind_feishu_judge);
KIND_JUDGE(kind_telegram_judge);
KIND_JUDGE(kind_provider_judge);
KIND_JUDGE(kind_plain_judge); /* it was taken or not: mqtt, command */

/*
 * The text in the channel's language or in both, with the link to the incident, cut to
 * the channel's limit between characters. INVALID: the message has no text.
 */
MUST_CHECK enum err kind_text(const struct config_channel *config,
                              const struct channel_message *message, struct buf *out,
                              struct err_text *why);
/* Whether that leaves nothing out. */
bool kind_text_fits(const struct config_channel *config,
                    const struct channel_message *message);
/* The first line of a text: where and how urgent. */
void kind_title(const struct config_channel *config,
                const struct channel_message *message, struct buf *out);
/* Whom it names: the message's, or else the channel's. */
size_t kind_to_count(const struct config_channel *config,
                     const struct channel_message *message);
const char *kind_to(const struct config_channel *config,
                    const struct channel_message *message, size_t index);
/* The console's page of the incident; nothing when the channel has no link. */
void kind_link(const struct config_channel *config, const struct channel_message *message,
               struct buf *out);

/*
 * One notification for all that is open, so that an Alertmanager that was started anew
 * knows it again: `bodies` are the newest messages of open incidents. Adds a request as
 * kind_alertmanager_format() does.
 */
MUST_CHECK enum err kind_alertmanager_refresh(const struct config_channel *config,
                                              const char *const *bodies, size_t count,
                                              int64_t now_ms,
                                              struct channel_request *request);

#endif
