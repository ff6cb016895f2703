// SPDX-License-Identifier: Apache-2.0
/*
 * replies - answers to messages, as a gateway of text messages or a chat's robot brings
 * them.
 *
 * Who brings them signs them with the channel's reply_secret, as our webhooks are signed:
 * HMAC-SHA256 of timestamp, ".", body. What is old is refused; what comes twice is the
 * same command. Who answered, and whether he may, is the desk's: replies/desk.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/api/changes.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/metrics.h"
#include "collector/replies/desk.h"

#define WINDOW_S          300
#define REPLY_BROUGHT_MAX 4096 /* bytes of text */
#define FROM_MAX          128  /* bytes */
#define ID_TEXT           128
#define SIGN_START        "sha256="
#define EXAMPLE \
    "{\"channel\":\"sms\",\"from\":\"+8613800000000\",\"text\":\"1 4F7K\"," \
    "\"id\":\"7781\"}"

/* Borrowed from the body. */
struct brought {
    const char *channel;
    const char *from;
    const char *text;
    const char *id;
};

static const char *header_of(const struct api_call *call, const char *name)
{
    const char *value =
        MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
    return value != NULL ? value : "";
}

/* A text of at least one byte and none that is 0. */
static bool take(const json_t *body, const char *key, size_t most, const char **out)
{
    const json_t *value = json_object_get(body, key);
    const char *text = json_string_value(value);
    bool is_good = text != NULL && text[0] != '\0' && strlen(text) <= most &&
                   strlen(text) == json_string_length(value);
    *out = is_good ? text : "";
    return is_good;
}

static bool read_body(struct api_call *call, const json_t *body, struct brought *brought)
{
    size_t known = 3;
    bool is_good = take(body, "channel", FROM_MAX, &brought->channel) &&
                   take(body, "from", FROM_MAX, &brought->from) &&
                   take(body, "text", REPLY_BROUGHT_MAX, &brought->text);
    brought->id = "";
    if (is_good && json_object_get(body, "id") != NULL) {
        is_good = take(body, "id", ID_TEXT, &brought->id);
        known++;
    }
    return (is_good && json_object_size(body) == known) ||
           api_refuse(call, PROBLEM_BODY_NOT_UNDERSTOOD, "example", EXAMPLE, NULL);
}

static const struct config_channel *channel_of(const struct api_call *call,
                                               const char *name)
{
    const struct api_options *options = api_options_of(call->api);
    for (size_t i = 0; i < options->channel_count; i++)
        if (strcmp(options->channels[i]->name, name) == 0)
            return options->channels[i]->reply_secret != NULL ? options->channels[i]
                                                              : NULL;
    return NULL;
}

static bool is_recent(const char *stamp, int64_t now_ms)
{
    uint64_t seconds;
    if (query_number(&seconds, stamp, 0, INT64_MAX / 1000, 0) != ERR_OK ||
        stamp[0] == '\0')
        return false;
    int64_t apart = (int64_t)seconds - now_ms / 1000;
    return apart >= -WINDOW_S && apart <= WINDOW_S;
}

static bool is_signed(const struct api_call *call, const struct config_channel *channel)
{
    const char *stamp = header_of(call, "X-Coldchain-Timestamp");
    const char *given = header_of(call, "X-Coldchain-Signature");
    struct buf text = {0};
    uint8_t mac[CRYPTO_HMAC_BYTES];
    char want[sizeof SIGN_START + 2 * CRYPTO_HMAC_BYTES] = SIGN_START;
    if (channel == NULL || !is_recent(stamp, api_now_ms(call->api)))
        return false;
    buf_format(&text, "%s.", stamp);
    buf_add(&text, call->body.data, call->body.len);
    crypto_hmac_sha256(mac, channel->reply_secret, strlen(channel->reply_secret),
                       text.data, text.len);
    buf_fini(&text);
    crypto_hex(want + strlen(SIGN_START), mac, sizeof mac);
    return strlen(given) == strlen(want) && crypto_equal(given, want, strlen(want));
}

/* The same answer, brought again, is the same command. */
static void name_command(struct api_wish *wish, const struct api_call *call,
                         const struct brought *brought, const struct reply_claim *claim)
{
    const char *parts[] = {
        brought->channel, brought->from, brought->text, claim->incident,
        brought->id[0] != '\0' ? brought->id : header_of(call, "X-Coldchain-Timestamp")};
    struct crypto_digest digest;
    uint8_t hash[CRYPTO_DIGEST_BYTES];
    crypto_digest_begin(&digest);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        crypto_digest_add(&digest, parts[i], strlen(parts[i]) + 1);
    crypto_digest_end(&digest, hash);
    crypto_hex(wish->id, hash, COMMAND_RANDOM_SIZE / 2);
}

static enum err run(struct api_call *call, const struct brought *brought,
                    const struct reply_claim *claim, struct err_text *why)
{
    json_t *result = NULL;
    json_t *body = json_pack("{s:s}", "id", claim->incident);
    struct api_wish wish = {.verb = REPLY_VERB,
                            .body = body,
                            .reason = claim->reason,
                            .via = claim->via,
                            .if_version = COMMAND_ANY};
    snprintf(call->principal.id, sizeof call->principal.id, "%s", claim->actor);
    snprintf(call->principal.org, sizeof call->principal.org, "%s", claim->org);
    name_command(&wish, call, brought, claim);
    enum err err = api_apply(call, &wish, &result, why);
    json_decref(result);
    json_decref(body);
    return err;
}

static void answer(struct api_call *call, const struct config_channel *channel,
                   const struct reply_claim *claim, enum reply_fate fate, const char *who)
{
    struct buf text = {0};
    bool is_named =
        fate == REPLY_ACKNOWLEDGED || fate == REPLY_YOURS || fate == REPLY_TAKEN;
    reply_words(fate, channel->language, who, &text);
    api_dump(call, json_pack("{s:s, s:o, s:o, s:o}", "outcome", reply_fate_name(fate),
                             "answer", api_json_text(text.data), "incident",
                             is_named ? json_string(claim->incident) : json_null(), "by",
                             is_named ? json_string(who) : json_null()));
    buf_fini(&text);
}

static void take_reply(struct api_call *call, const struct config_channel *channel,
                       const struct brought *brought)
{
    const struct reply reply = {.channel = channel,
                                .sender = brought->from,
                                .text = brought->text,
                                .text_len = strlen(brought->text)};
    struct reply_claim claim;
    struct err_text why = {0};
    char who[ID_SIZE] = "";
    struct state *state = call->stores->state;
    enum err err = ERR_OK;
    struct reply_desk *desk = api_options_of(call->api)->desk;
    reply_desk_look(desk, state, &reply, api_now_ms(call->api), &claim);
    if (claim.is_command)
        err = run(call, brought, &claim, &why);
    enum reply_fate fate = reply_desk_fate(state, &claim, err, who);
    if (fate == REPLY_UNKNOWN_SENDER)
        snprintf(who, sizeof who, "%.*s", ID_MAX, brought->from);
    if (fate == REPLY_LATER)
        api_command_problem(call, err != ERR_OK ? err : ERR_TIMEOUT, why.text);
    else
        answer(call, channel, &claim, fate, who);
}

void api_take_reply(struct api_call *call)
{
    struct brought brought = {.channel = "", .from = "", .text = "", .id = ""};
    json_t *body = api_object(call);
    if (body == NULL)
        return;
    if (read_body(call, body, &brought)) {
        const struct config_channel *channel = channel_of(call, brought.channel);
        if (is_signed(call, channel)) {
            take_reply(call, channel, &brought);
        } else {
            metric_add(METRIC_REPLIES_REFUSED, 1);
            api_refuse(call, PROBLEM_REPLY_NOT_SIGNED, NULL);
        }
    }
    json_decref(body);
}
