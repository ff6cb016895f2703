// SPDX-License-Identifier: Apache-2.0
/*
 * session - signing in and out, and who one is.
 *
 * A session is a random secret in a cookie that no script reads and no other site sends;
 * the store has its hash. Signing in always makes a new one and ends the one that came
 * along, so that a session planted before is worth nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "collector/access/password.h"
#include "collector/api/changes.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/login.h"
#include "collector/api/routes.h"

#define LOGIN_MAX 200 /* bytes */

struct found_person {
    char id[ID_SIZE];
    char password[CRYPTO_PASSWORD_SIZE];
};

static void on_person(void *context, const struct state_person *person)
{
    struct found_person *found = context;
    snprintf(found->id, sizeof found->id, "%.*s", ID_MAX, person->id);
    snprintf(found->password, sizeof found->password, "%s", person->password);
}

bool api_may_try(struct api_call *call, const char *account)
{
    char address[INET6_ADDRSTRLEN];
    api_peer_address(call, address);
    int64_t wait_ms =
        login_try(api_login_of(call->api), account, address, api_now_ms(call->api));
    if (wait_ms == 0)
        return true;
    api_refuse(call, PROBLEM_TOO_MANY_ATTEMPTS, NULL);
    call->retry_ms = wait_ms;
    return false;
}

/* ---- the cookie ---------------------------------------------------------------------
 */

static void set_cookie(struct api_call *call, const char *secret, int64_t life_ms)
{
    buf_format(&call->cookie, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Strict%s",
               api_cookie_name(call), secret, (long long)life_ms / 1000,
               api_is_secure(call) ? "; Secure" : "");
}

struct new_session {
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    char person[ID_SIZE];
    char old[PRINCIPAL_CREDENTIAL_SIZE]; /* "": there was none */
    int64_t now_ms;
    struct api_session_bounds bounds;
};

static enum err write_session(struct state *state, void *argument)
{
    const struct new_session *made = argument;
    const struct state_session session = {.hash = made->hash,
                                          .person = made->person,
                                          .created_ms = made->now_ms,
                                          .used_ms = made->now_ms};
    enum err err = state_drop_sessions(state, made->now_ms - made->bounds.whole_ms,
                                       made->now_ms - made->bounds.idle_ms);
    if (err == ERR_OK && made->old[0] != '\0')
        err = state_delete_session(state, made->old);
    return err == ERR_OK ? state_put_session(state, &session) : err;
}

/* In a cookie for browsers; in the answer for a program that keeps it for its person. */
static void begin_session(struct api_call *call, const char *person, bool wants_token)
{
    char secret[PRINCIPAL_CREDENTIAL_SIZE];
    char credential[PRINCIPAL_CREDENTIAL_SIZE];
    char word[PRINCIPAL_CREDENTIAL_SIZE];
    struct new_session *made = mem_alloc(sizeof *made);
    api_draw_secret(secret);
    api_hash(credential, secret);
    api_csrf_word(word, credential);
    const struct api_session_bounds *bounds = api_session_bounds(call->api);
    int64_t now_ms = api_now_ms(call->api);
    snprintf(made->hash, sizeof made->hash, "%s", credential);
    snprintf(made->person, sizeof made->person, "%s", person);
    if (call->principal.kind == PRINCIPAL_PERSON)
        snprintf(made->old, sizeof made->old, "%s", call->principal.credential);
    made->now_ms = now_ms;
    made->bounds = *bounds;
    enum err err = api_run_change(call, write_session, made);
    if (err != ERR_OK) {
        api_store_problem(call, err);
    } else {
        json_t *answer =
            json_pack("{s:s, s:s}", "id", person, wants_token ? "token" : "csrf",
                      wants_token ? secret : word);
        if (!wants_token)
            set_cookie(call, secret, bounds->whole_ms);
        api_put_time(answer, "expires", now_ms + bounds->whole_ms);
        api_dump(call, answer);
    }
    crypto_wipe(secret, sizeof secret);
}

/* ---- routes -------------------------------------------------------------------------
 */

/* The same words and the same work whether the name or the password is wrong. */
static void check_sign_in(struct api_call *call, const char *login, const char *password,
                          bool wants_token)
{
    struct found_person found = {0};
    char address[INET6_ADDRSTRLEN];
    struct login *door = api_login_of(call->api);
    enum err err = state_find_login(call->stores->state, login, &found, on_person);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        api_store_problem(call, err);
        return;
    }
    if (!login_check(door, found.password, password)) {
        api_refuse(call, PROBLEM_NOT_SIGNED_IN, NULL);
        return;
    }
    api_peer_address(call, address);
    login_pass(door, login, address);
    begin_session(call, found.id, wants_token);
}

void api_sign_in(struct api_call *call)
{
    json_t *body = api_object(call);
    if (body == NULL)
        return;
    const char *login = api_text(body, "login");
    const char *password = api_text(body, "password");
    if (login == NULL || password == NULL || login[0] == '\0' ||
        strlen(login) > LOGIN_MAX || strlen(password) > PASSWORD_MOST)
        api_refuse(call, PROBLEM_BODY_NOT_UNDERSTOOD, "example",
                   "{\"login\":\"...\",\"password\":\"...\"}", NULL);
    else if (api_may_try(call, login))
        check_sign_in(call, login, password,
                      json_is_true(json_object_get(body, "token")));
    json_decref(body);
}

struct old_session {
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
};

static enum err end_session(struct state *state, void *argument)
{
    const struct old_session *old = argument;
    return state_delete_session(state, old->hash);
}

void api_sign_out(struct api_call *call)
{
    struct old_session *old = mem_alloc(sizeof *old);
    snprintf(old->hash, sizeof old->hash, "%s", call->principal.credential);
    enum err err = api_run_change(call, end_session, old);
    if (err != ERR_OK) {
        api_store_problem(call, err);
        return;
    }
    set_cookie(call, "", 0);
    buf_text(&call->out, "{\"signed_in\":false}");
}

static const char *kind_name(enum principal_kind kind)
{
    switch (kind) {
    case PRINCIPAL_PERSON:
        return "person";
    case PRINCIPAL_TOKEN:
        return "token";
    case PRINCIPAL_SHARE:
        return "share";
    case PRINCIPAL_HANDOVER:
        return "handover";
    case PRINCIPAL_SETUP:
        return "setup";
    case PRINCIPAL_NOBODY:
        break;
    }
    return "nobody";
}

static json_t *grants_json(const struct principal *principal)
{
    json_t *list = json_array();
    for (size_t i = 0; i < principal->grant_count; i++) {
        const struct access_grant *grant = &principal->grants[i];
        json_t *entry = json_pack("{s:s}", "zone", grant->zone);
        api_put_time(entry, "from", grant->window.from_ms);
        api_put_time(entry, "to",
                     grant->window.to_ms != INT64_MAX ? grant->window.to_ms : 0);
        json_array_append_new(list, entry);
    }
    return list;
}

void api_get_me(struct api_call *call)
{
    const struct principal *principal = &call->principal;
    json_t *sites = json_array();
    json_t *scopes = json_array();
    for (size_t i = 0; i < principal->site_count; i++)
        json_array_append_new(sites, json_string(principal->sites[i]));
    for (unsigned i = 0; i < ACCESS_SCOPE_COUNT; i++)
        if ((principal->scopes & (1u << i)) != 0)
            json_array_append_new(scopes, json_string(access_scope_name(1u << i)));
    json_t *me = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "id", principal->id,
                           "kind", kind_name(principal->kind), "org", principal->org,
                           "role", access_role_name(principal->role), "sites", sites,
                           "scopes", scopes, "grants", grants_json(principal));
    api_put_time(me, "expires", principal->expires_ms);
    if (principal->kind == PRINCIPAL_PERSON) {
        char word[PRINCIPAL_CREDENTIAL_SIZE];
        api_csrf_word(word, principal->credential);
        json_object_set_new(me, "csrf", json_string(word));
    }
    api_dump(call, me);
}
