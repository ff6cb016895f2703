// SPDX-License-Identifier: Apache-2.0
/*
 * private - the door for commands about people and their rights.
 *
 * Such a body is checked before it is written down, its secrets are replaced by what is
 * kept of them, and what is about people goes another way than the journal (verb_hide()).
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/access/password.h"
#include "collector/api/changes.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/login.h"
#include "collector/api/routes.h"
#include "collector/command/verb.h"

/* ---- secrets --------------------------------------------------------------------------
 */

static void copy_login(void *context, const struct state_person *person)
{
    snprintf(context, PASSWORD_MOST + 1, "%.*s", PASSWORD_MOST, person->login);
}

/* The sign-in name that the password is to be for, "" when there is none. */
static bool find_login(struct api_call *call, const json_t *body,
                       char login[PASSWORD_MOST + 1])
{
    const char *said = api_text(body, "login");
    const char *id = api_text(body, "id");
    snprintf(login, PASSWORD_MOST + 1, "%s", said != NULL ? said : "");
    if (id == NULL || json_object_get(body, "login") != NULL)
        return true;
    enum err err = state_get_person(call->stores->state, id, login, copy_login);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        api_store_problem(call, err);
    return err == ERR_OK || err == ERR_NOT_FOUND;
}

/* The body was checked: what is there is a text, or null. */
static bool hash_password(struct api_call *call, json_t *body)
{
    struct err_text why;
    char login[PASSWORD_MOST + 1];
    char hash[CRYPTO_PASSWORD_SIZE];
    const char *password = api_text(body, "password");
    if (password == NULL)
        return true;
    if (!find_login(call, body, login))
        return false;
    if (password_check(password, login, &why) != ERR_OK)
        return api_refuse(call, PROBLEM_VALUE_REFUSED, "why", why.text, NULL);
    if (!login_hash(api_login_of(call->api), hash, password)) {
        api_store_problem(call, ERR_BUSY);
        return false;
    }
    json_object_set_new(body, "password", json_string(hash));
    crypto_wipe(hash, sizeof hash);
    return true;
}

/*
 * A token's secret is made from the command's id by a key that ends with the process: who
 * repeats the request because no answer came is told the same one, and nothing of it is
 * kept.
 */
static void secret_of(struct api_call *call, const char *command,
                      char secret[PRINCIPAL_CREDENTIAL_SIZE])
{
    uint8_t digest[CRYPTO_HMAC_BYTES];
    crypto_hmac_sha256(digest, api_secret_key(call->api), API_KEY_BYTES, command,
                       strlen(command));
    crypto_hex(secret, digest, sizeof digest);
    crypto_wipe(digest, sizeof digest);
}

static void put_hash(struct api_call *call, const char *command, json_t *body)
{
    char secret[PRINCIPAL_CREDENTIAL_SIZE];
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    secret_of(call, command, secret);
    api_hash(hash, secret);
    json_object_set_new(body, "hash", json_string(hash));
    crypto_wipe(secret, sizeof secret);
}

static void copy_hash(void *context, const struct state_token *token)
{
    snprintf(context, PRINCIPAL_CREDENTIAL_SIZE, "%s", token->hash);
}

/* Once more only while the process lives that made it; null later. */
static void tell_secret(struct api_call *call, const char *command, json_t *result)
{
    char secret[PRINCIPAL_CREDENTIAL_SIZE];
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    char kept[PRINCIPAL_CREDENTIAL_SIZE] = "";
    const char *id = api_text(result, "id");
    secret_of(call, command, secret);
    api_hash(hash, secret);
    bool is_it = id != NULL &&
                 state_get_token(call->stores->state, id, kept, copy_hash) == ERR_OK &&
                 strcmp(hash, kept) == 0;
    json_object_set_new(result, "secret", is_it ? json_string(secret) : json_null());
    api_put_time(result, "expires",
                 json_integer_value(json_object_get(result, "expires_ms")));
    json_object_del(result, "expires_ms");
    crypto_wipe(secret, sizeof secret);
}

/* ---- the body -------------------------------------------------------------------------
 */

/* In a path of JSON "" is how one says: of the whole installation. */
static void read_whole(json_t *body)
{
    const char *org = api_text(body, "org");
    if (org != NULL && org[0] == '\0')
        json_object_set_new(body, "org", json_null());
}

bool api_hide(struct api_call *call, struct api_wish *wish, json_t *body)
{
    struct err_text why;
    json_t *clean;
    const struct verb *verb = verb_find(wish->verb);
    assert(verb != NULL && verb_is_of_people(verb));
    api_draw_id(call, wish);
    read_whole(body);
    if (verb_check(verb->fields, body, &clean, &why) != ERR_OK) {
        api_command_problem(call, ERR_INVALID, why.text);
        return false;
    }
    json_decref(clean);
    if (!hash_password(call, body))
        return false;
    if (strcmp(wish->verb, "token.make") == 0)
        put_hash(call, wish->id, body);
    wish->hidden = verb_hide(verb, body);
    wish->body = body;
    return true;
}

void api_answer_people(struct api_call *call, struct api_wish *wish, json_t *body)
{
    struct err_text why = {0};
    json_t *result = NULL;
    if (!api_hide(call, wish, body))
        return;
    enum err err = api_apply(call, wish, &result, &why);
    json_decref(wish->hidden);
    if (err == ERR_OK && strcmp(wish->verb, "token.make") == 0)
        tell_secret(call, wish->id, result);
    api_answer_applied(call, err, result, why.text);
}
