// SPDX-License-Identifier: Apache-2.0
/*
 * principal - who asks: the holder of a token or of a session's cookie.
 *
 * A cookie comes along whoever wrote the page that asks, so a change under a session
 * wants the session's own word in X-CSRF-Token too, which another page cannot know; and
 * whatever names an Origin must name us. Tokens travel in a header that no other page
 * can make a browser send.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "collector/api/changes.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"

#define AUTHORIZATION_START "Bearer "

static_assert(PRINCIPAL_CREDENTIAL_SIZE == 2 * CRYPTO_DIGEST_BYTES + 1, "a hash in hex");

static const char *header_of(const struct api_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

void api_hash(char hash[PRINCIPAL_CREDENTIAL_SIZE], const char *secret)
{
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    crypto_digest(digest, secret, strlen(secret));
    crypto_hex(hash, digest, sizeof digest);
}

void api_draw_secret(char secret[PRINCIPAL_CREDENTIAL_SIZE])
{
    uint8_t random[CRYPTO_DIGEST_BYTES];
    crypto_random(random, sizeof random);
    crypto_hex(secret, random, sizeof random);
    crypto_wipe(random, sizeof random);
}

/* ---- what the store knows of it -----------------------------------------------------
 */

/* Names joined by spaces. */
static void add_sites(struct principal *principal, const char *sites)
{
    for (sites += strspn(sites, " "); *sites != '\0'; sites += strspn(sites, " ")) {
        char site[ID_SIZE];
        size_t len = strcspn(sites, " ");
        snprintf(site, sizeof site, "%.*s", (int)len, sites);
        if (len < ID_SIZE)
            principal_add_site(principal, site);
        sites += len;
    }
}

static enum principal_kind kind_of(enum access_role role)
{
    switch (role) {
    case ACCESS_ROLE_SHARE:
        return PRINCIPAL_SHARE;
    case ACCESS_ROLE_HANDOVER:
        return PRINCIPAL_HANDOVER;
    case ACCESS_ROLE_SETUP:
        return PRINCIPAL_SETUP;
    case ACCESS_ROLE_ANONYMOUS:
    case ACCESS_ROLE_COUNT:
        return PRINCIPAL_NOBODY;
    case ACCESS_ROLE_ADMIN:
    case ACCESS_ROLE_OPERATOR:
    case ACCESS_ROLE_VIEWER:
    case ACCESS_ROLE_INTEGRATOR:
        break;
    }
    return PRINCIPAL_TOKEN;
}

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
    enum access_role role;
    if (!counts || !access_role_parse(&role, token->role) ||
        !access_scopes_parse(&principal->scopes, token->scopes))
        return;
    principal->role = role;
    principal->kind = kind_of(role);
    principal->expires_ms = token->expires_ms;
    snprintf(principal->id, sizeof principal->id, "%.*s", ID_MAX, token->id);
    snprintf(principal->org, sizeof principal->org, "%.*s", ID_MAX, token->org);
    snprintf(principal->credential, sizeof principal->credential, "%s", token->hash);
    add_sites(principal, token->sites);
}

static void on_person(void *context, const struct state_person *person)
{
    struct principal *principal = context;
    enum access_role role;
    if (person->erased_ms != 0 || !access_role_parse(&role, person->role) ||
        ((1u << role) & ACCESS_PEOPLE) == 0)
        return;
    principal->kind = PRINCIPAL_PERSON;
    principal->role = role;
    snprintf(principal->id, sizeof principal->id, "%.*s", ID_MAX, person->id);
    snprintf(principal->org, sizeof principal->org, "%.*s", ID_MAX, person->org);
    add_sites(principal, person->sites);
}

struct session_copy {
    char person[ID_SIZE];
    int64_t created_ms;
    int64_t used_ms;
};

static void on_session(void *context, const struct state_session *session)
{
    struct session_copy *copy = context;
    snprintf(copy->person, sizeof copy->person, "%.*s", ID_MAX, session->person);
    copy->created_ms = session->created_ms;
    copy->used_ms = session->used_ms;
}

static void on_grant(void *context, const struct state_grant *grant)
{
    struct access_grant added = {
        .window = {grant->from_ms, grant->to_ms != 0 ? grant->to_ms : INT64_MAX}};
    snprintf(added.zone, sizeof added.zone, "%.*s", ID_MAX, grant->zone);
    principal_add_grant(context, &added);
}

/* Of the organisation, unless it is a link, which shows what it was made for only. */
static enum err add_grants(struct state *state, struct principal *principal)
{
    enum err err = ERR_OK;
    bool is_member =
        principal->kind == PRINCIPAL_PERSON || principal->kind == PRINCIPAL_TOKEN;
    if (is_member && principal->org[0] != '\0')
        err = state_each_grant(state, "org", principal->org, principal, on_grant);
    if (err == ERR_OK && principal->kind != PRINCIPAL_NOBODY)
        err = state_each_grant(state,
                               principal->kind == PRINCIPAL_PERSON ? "person" : "token",
                               principal->id, principal, on_grant);
    return err;
}

/* Looked up by its hash, so no comparison leaks a token by its time. */
static enum err find_token(struct state *state, const char *hash, int64_t now_ms,
                           struct principal *principal)
{
    struct token_check check = {.now_ms = now_ms, .principal = principal};
    enum err err = state_find_token(state, hash, &check, on_token);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* *used_ms is when it was used last, as far as it was written down. */
static enum err find_session(struct api_call *call, const char *hash, int64_t now_ms,
                             struct principal *principal, int64_t *used_ms)
{
    struct state *state = call->stores->state;
    struct session_copy session = {0};
    const struct api_session_bounds *bounds = api_session_bounds(call->api);
    enum err err = state_find_session(state, hash, &session, on_session);
    bool counts = err == ERR_OK && now_ms < session.created_ms + bounds->whole_ms &&
                  now_ms < session.used_ms + bounds->idle_ms;
    if (counts)
        err = state_get_person(state, session.person, principal, on_person);
    if (principal->kind == PRINCIPAL_PERSON) {
        principal->expires_ms = session.created_ms + bounds->whole_ms;
        snprintf(principal->credential, sizeof principal->credential, "%s", hash);
    }
    *used_ms = session.used_ms;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* ---- what came with the request -----------------------------------------------------
 */

/* NULL when there is none. */
static const char *bearer_of(const struct api_call *call)
{
    const char *header = header_of(call, MHD_HTTP_HEADER_AUTHORIZATION);
    size_t start = strlen(AUTHORIZATION_START);
    return header != NULL && strncasecmp(header, AUTHORIZATION_START, start) == 0
               ? header + start
               : NULL;
}

void api_csrf_word(char word[PRINCIPAL_CREDENTIAL_SIZE], const char *credential)
{
    char text[PRINCIPAL_CREDENTIAL_SIZE + 8];
    snprintf(text, sizeof text, "csrf:%s", credential);
    api_hash(word, text);
}

/* Without an Origin it is no page of another site: every browser sends one with POST. */
static bool has_our_origin(const struct api_call *call)
{
    const char *origin = header_of(call, MHD_HTTP_HEADER_ORIGIN);
    const char *host = header_of(call, MHD_HTTP_HEADER_HOST);
    if (origin == NULL)
        return true;
    const char *named = strstr(origin, "://");
    return named != NULL && host != NULL && strcasecmp(named + 3, host) == 0;
}

static bool has_csrf_word(const struct api_call *call)
{
    char word[PRINCIPAL_CREDENTIAL_SIZE];
    const char *given = header_of(call, "X-CSRF-Token");
    api_csrf_word(word, call->principal.credential);
    return given != NULL && strlen(given) == strlen(word) &&
           crypto_equal(given, word, strlen(word));
}

static bool changes_something(const struct api_route *route)
{
    return strcmp(route->method, "GET") != 0;
}

static bool is_from_us(struct api_call *call, const struct api_route *route)
{
    /* No other page can make a browser send a bearer. */
    bool needs_word = call->principal.kind == PRINCIPAL_PERSON &&
                      bearer_of(call) == NULL &&
                      (route->need.roles & ACCESS_ANONYMOUS) == 0;
    if (!changes_something(route) ||
        (has_our_origin(call) && (!needs_word || has_csrf_word(call))))
        return true;
    api_refuse(call, PROBLEM_FOREIGN_PAGE, NULL);
    return false;
}

/* ---- putting it together ------------------------------------------------------------
 */

struct use {
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    int64_t now_ms;
};

static enum err write_use(struct state *state, void *argument)
{
    const struct use *use = argument;
    return state_use_session(state, use->hash, use->now_ms);
}

/* Not with every request: a tenth of the idle time is exact enough. */
static void note_use(struct api_call *call, int64_t used_ms, int64_t now_ms)
{
    if (call->principal.kind != PRINCIPAL_PERSON ||
        now_ms - used_ms < api_session_bounds(call->api)->idle_ms / 10)
        return;
    struct use *use = mem_alloc(sizeof *use);
    snprintf(use->hash, sizeof use->hash, "%s", call->principal.credential);
    use->now_ms = now_ms;
    if (api_run_change(call, write_use, use) != ERR_OK) {
        /* The next request notes it; nothing is answered for that. */
    }
}

static enum err find_by_cookie(struct api_call *call, int64_t now_ms)
{
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    int64_t used_ms = 0;
    const char *cookie = MHD_lookup_connection_value(call->connection, MHD_COOKIE_KIND,
                                                     api_cookie_name(call));
    if (cookie == NULL)
        return ERR_OK;
    api_hash(hash, cookie);
    enum err err = find_session(call, hash, now_ms, &call->principal, &used_ms);
    note_use(call, used_ms, now_ms);
    return err;
}

/* A token, or the secret of a session that began with "token": true. */
static enum err find_by_bearer(struct api_call *call, const char *secret, int64_t now_ms)
{
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    int64_t used_ms = 0;
    api_hash(hash, secret);
    enum err err = find_token(call->stores->state, hash, now_ms, &call->principal);
    if (err != ERR_OK || call->principal.kind != PRINCIPAL_NOBODY)
        return err;
    err = find_session(call, hash, now_ms, &call->principal, &used_ms);
    note_use(call, used_ms, now_ms);
    return err;
}

bool api_identify(struct api_call *call, const struct api_route *route)
{
    int64_t now_ms = api_now_ms(call->api);
    struct state *state = call->stores->state;
    const char *bearer = bearer_of(call);
    bool is_link = (route->need.roles & ACCESS_SETUP) != 0 && call->parts[0][0] != '\0';
    enum err err = ERR_OK;
    if (is_link || bearer != NULL) {
        err = find_by_bearer(call, is_link ? call->parts[0] : bearer, now_ms);
        /* A link is one in an address only, and nothing else is a link. */
        if (is_link != (call->principal.kind == PRINCIPAL_SETUP))
            principal_fini(&call->principal);
    } else {
        err = find_by_cookie(call, now_ms);
    }
    if (err == ERR_OK)
        err = add_grants(state, &call->principal);
    if (err != ERR_OK) {
        api_store_problem(call, err);
        return false;
    }
    return is_from_us(call, route);
}

bool api_principal_is_valid(struct api_call *call, int64_t now_ms)
{
    struct principal now = {0};
    int64_t used_ms;
    struct state *state = call->stores->state;
    const struct principal *before = &call->principal;
    enum err err = before->kind == PRINCIPAL_PERSON
                       ? find_session(call, before->credential, now_ms, &now, &used_ms)
                       : find_token(state, before->credential, now_ms, &now);
    if (err == ERR_OK)
        err = add_grants(state, &now);
    bool is_valid = err == ERR_OK && now.kind == before->kind &&
                    now.role == before->role && strcmp(now.org, before->org) == 0;
    if (!is_valid) {
        principal_fini(&now);
        return false;
    }
    principal_fini(&call->principal);
    call->principal = now;
    return true;
}
