// SPDX-License-Identifier: Apache-2.0
/*
 * principal - who asks: the holder of a token.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "collector/api/internal.h"

#define AUTHORIZATION_START "Bearer "

static_assert(PRINCIPAL_CREDENTIAL_SIZE == 2 * CRYPTO_DIGEST_BYTES + 1, "a hash in hex");

struct token_check {
    int64_t now_ms;
    struct principal *principal; /* filled when the token counts */
};

static void on_token(void *context, const struct state_token *token)
{
    struct token_check *check = context;
    struct principal *principal = check->principal;
    bool counts = token->revoked_ms == 0 &&
                  (token->expires_ms == 0 || check->now_ms < token->expires_ms);
    if (!counts || !access_role_parse(&principal->role, token->role))
        return;
    principal->kind = PRINCIPAL_TOKEN;
    principal->expires_ms = token->expires_ms;
    snprintf(principal->id, sizeof principal->id, "%.*s", ID_MAX, token->name);
    snprintf(principal->credential, sizeof principal->credential, "%s", token->hash);
}

/* NULL when there is none. */
static const char *bearer_of(const struct api_call *call)
{
    const char *header = MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_AUTHORIZATION);
    size_t start = strlen(AUTHORIZATION_START);
    return header != NULL && strncasecmp(header, AUTHORIZATION_START, start) == 0
               ? header + start
               : NULL;
}

/* Looked up by its hash, so no comparison leaks a token by its time. */
static enum err find_token(struct api_call *call, const char *hash, int64_t now_ms,
                           struct principal *principal)
{
    struct token_check check = {.now_ms = now_ms, .principal = principal};
    enum err err = state_find_token(call->stores->state, hash, &check, on_token);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool api_identify(struct api_call *call)
{
    const char *token = bearer_of(call);
    if (token == NULL)
        return true;
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    crypto_digest(digest, token, strlen(token));
    crypto_hex(hash, digest, sizeof digest);
    enum err err = find_token(call, hash, api_now_ms(call->api), &call->principal);
    if (err != ERR_OK)
        api_store_problem(call, "tokens cannot be checked", err);
    return err == ERR_OK;
}

bool api_principal_is_valid(struct api_call *call, int64_t now_ms)
{
    struct principal now = {0};
    enum err err = find_token(call, call->principal.credential, now_ms, &now);
    bool is_valid = err == ERR_OK && now.kind == call->principal.kind &&
                    now.role == call->principal.role &&
                    strcmp(now.org, call->principal.org) == 0;
    principal_fini(&now);
    return is_valid;
}
