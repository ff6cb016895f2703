// SPDX-License-Identifier: Apache-2.0
/*
 * repeat - a change that is asked for twice under one Idempotency-Key is made once.
 *
 * Commands keep that promise themselves: their id comes from the key, and the audit knows
 * it for ever. This is for changes that are none, such as signing in, and for those of
 * which the audit does not know all.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/replay.h"
#include "collector/api/routes.h"
#include "collector/command/verb.h"

static void add_text(struct crypto_digest *digest, const char *text)
{
    crypto_digest_add(digest, text, strlen(text) + 1); /* with its end */
}

/* Keys of one caller are nobody else's; of who is unknown, his address is known. */
static void digest_who(const struct api_call *call, const char *key,
                       uint8_t who[CRYPTO_DIGEST_BYTES])
{
    struct crypto_digest digest;
    char address[INET6_ADDRSTRLEN] = "";
    if (call->principal.kind == PRINCIPAL_NOBODY ||
        call->principal.kind == PRINCIPAL_SETUP)
        api_peer_address(call, address);
    crypto_digest_begin(&digest);
    add_text(&digest, address[0] != '\0' ? "" : call->principal.id);
    add_text(&digest, address);
    add_text(&digest, key);
    crypto_digest_end(&digest, who);
}

static void digest_what(const struct api_call *call, uint8_t what[CRYPTO_DIGEST_BYTES])
{
    struct crypto_digest digest;
    char name[64];
    crypto_digest_begin(&digest);
    add_text(&digest, call->route->method);
    add_text(&digest, call->route->pattern);
    for (size_t i = 0; i < QUERY_PARTS_MAX; i++)
        add_text(&digest, call->parts[i]);
    for (const char *at = call->route->params; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)len, at);
        const char *value = api_param(call, name);
        add_text(&digest, value != NULL ? value : "");
        at += len;
    }
    if (call->body.len > 0)
        crypto_digest_add(&digest, call->body.data, call->body.len);
    crypto_digest_end(&digest, what);
}

const char *api_idempotency_key(const struct api_call *call)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND,
                                       "Idempotency-Key");
}

/*
 * Whether the audit alone can tell that a key comes with another request. What it must
 * not know of people it cannot compare: their changes are held here too.
 */
static bool is_told_by_audit(const struct api_route *route)
{
    return route->handle == api_post_command ||
           (route->verb != NULL && !verb_is_of_people(verb_find(route->verb)));
}

/* What went wrong may go well the next time; a page for people is not kept. */
static bool is_made(const struct api_call *call)
{
    return call->status == MHD_HTTP_OK &&
           strcmp(call->content_type, "application/json") == 0;
}

static void make(struct api_call *call, const char *key)
{
    uint8_t who[CRYPTO_DIGEST_BYTES];
    uint8_t what[CRYPTO_DIGEST_BYTES];
    struct replay *replay = api_replay_of(call->api);
    digest_who(call, key, who);
    digest_what(call, what);
    switch (replay_begin(replay, who, what, api_now_ms(call->api), &call->out,
                         &call->cookie)) {
    case REPLAY_NEW:
        call->route->handle(call);
        replay_end(replay, who, is_made(call), &call->out, &call->cookie);
        break;
    case REPLAY_AGAIN:
        break;
    case REPLAY_OTHER:
        api_refuse(call, PROBLEM_KEY_REUSED, NULL);
        break;
    case REPLAY_UNDER_WAY:
        api_refuse(call, PROBLEM_KEY_UNDER_WAY, NULL);
        break;
    case REPLAY_FULL:
        api_refuse(call, PROBLEM_BUSY, NULL);
        break;
    }
}

void api_handle_once(struct api_call *call)
{
    const char *key = api_idempotency_key(call);
    if (key == NULL || strcmp(call->route->method, "GET") == 0)
        call->route->handle(call);
    else if (key[0] == '\0' || strlen(key) > API_KEY_MAX)
        api_refuse(call, PROBLEM_KEY_NOT_UNDERSTOOD, NULL);
    else if (is_told_by_audit(call->route))
        call->route->handle(call);
    else
        make(call, key);
}
