// SPDX-License-Identifier: Apache-2.0
/*
 * people - people, tokens and grants as an admin sees them; and one's own password.
 *
 * An admin sees what is of his organisation; one of the whole installation sees all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/access/password.h"
#include "collector/api/changes.h"
#include "collector/api/identity.h"
#include "collector/api/internal.h"
#include "collector/api/login.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"

/* NULL: of all. */
static const char *org_filter(const struct api_call *call)
{
    return call->principal.org[0] != '\0' ? call->principal.org : NULL;
}

static json_t *split_ids(const char *text)
{
    json_t *list = json_array();
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        json_array_append_new(list, json_stringn(text, len));
        text += len;
    }
    return list;
}

/* ---- people ---------------------------------------------------------------------------
 */

static json_t *person_json(const struct state_person *person)
{
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:I}", "id", person->id,
        "org", person->org, "role", person->role, "sites", split_ids(person->sites),
        "login", api_json_text(person->login), "name", api_json_text(person->name),
        "phone", api_json_text(person->phone), "contact", api_json_text(person->contact),
        "can_sign_in", person->login[0] != '\0' && person->password[0] != '\0', "erased",
        person->erased_ms != 0, "version", (json_int_t)person->version);
    api_put_time(entry, "created", person->created_ms);
    api_put_time(entry, "changed", person->changed_ms);
    return entry;
}

static void list_person(void *context, const struct state_person *person)
{
    json_array_append_new(context, person_json(person));
}

void api_get_people(struct api_call *call)
{
    uint64_t limit;
    const char *after;
    if (!api_read_page(call, &limit, &after))
        return;
    json_t *list = json_array();
    enum err err = state_page_people(call->stores->state, org_filter(call), after,
                                     (size_t)limit, list, list_person);
    api_answer_page(call, "people", list, limit, err);
}

/* ---- tokens ---------------------------------------------------------------------------
 */

static void list_token(void *context, const struct state_token *token)
{
    json_t *entry =
        json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s}", "id", token->id, "name",
                  api_json_text(token->name), "role", token->role, "org", token->org,
                  "sites", token->sites, "scopes", token->scopes, "owner", token->owner);
    api_put_time(entry, "created", token->created_ms);
    api_put_time(entry, "expires", token->expires_ms);
    api_put_time(entry, "revoked", token->revoked_ms);
    json_array_append_new(context, entry);
}

void api_get_tokens(struct api_call *call)
{
    uint64_t limit;
    const char *after;
    if (!api_read_page(call, &limit, &after))
        return;
    json_t *list = json_array();
    enum err err = state_page_tokens(call->stores->state, org_filter(call), after,
                                     (size_t)limit, list, list_token);
    api_answer_page(call, "tokens", list, limit, err);
}

/* ---- grants ---------------------------------------------------------------------------
 */

struct grant_list {
    struct api_call *call;
    json_t *list;
    size_t limit;
    size_t read;
    char last[ID_SIZE];
};

static bool sees_grant(struct api_call *call, const struct state_grant *grant)
{
    struct access_place place;
    const struct principal *principal = &call->principal;
    bool is_held = strcmp(grant->holder_kind, "org") == 0 && principal->org[0] != '\0' &&
                   strcmp(grant->holder, principal->org) == 0;
    return api_sees_all(call) || is_held ||
           (api_find_place(call, grant->zone, &place) == ERR_OK &&
            access_owns_place(principal, &place));
}

static void list_grant(void *context, const struct state_grant *grant)
{
    struct grant_list *page = context;
    page->read++;
    snprintf(page->last, sizeof page->last, "%s", grant->id);
    if (json_array_size(page->list) == page->limit || !sees_grant(page->call, grant))
        return;
    json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", grant->id, "holder_kind",
                              grant->holder_kind, "holder", grant->holder, "zone",
                              grant->zone, "cause", api_json_text(grant->cause));
    api_put_time(entry, "from", grant->from_ms);
    api_put_time(entry, "to", grant->to_ms);
    api_put_time(entry, "created", grant->created_ms);
    json_array_append_new(page->list, entry);
}

void api_get_grants(struct api_call *call)
{
    uint64_t limit;
    const char *after;
    if (!api_read_page(call, &limit, &after) || !api_load_places(call))
        return;
    struct grant_list page = {.call = call, .list = json_array(), .limit = (size_t)limit};
    snprintf(page.last, sizeof page.last, "%.*s", ID_MAX, after);
    enum err err;
    do {
        page.read = 0;
        char from[ID_SIZE];
        snprintf(from, sizeof from, "%s", page.last);
        err = state_page_grants(call->stores->state, from, (size_t)limit, &page,
                                list_grant);
    } while (err == ERR_OK && page.read == limit &&
             json_array_size(page.list) < page.limit);
    api_answer_page(call, "grants", page.list, limit, err);
}

/* ---- what one changes of oneself ------------------------------------------------------
 */

static bool refuse(struct api_call *call, const char *why)
{
    return api_refuse(call, PROBLEM_VALUE_REFUSED, "why", why, NULL);
}

/* Only a person has sessions and a password. */
static bool is_person(struct api_call *call)
{
    return call->principal.kind == PRINCIPAL_PERSON ||
           refuse(call, "only a person who signed in has a password and sessions");
}

/* Of the caller: all but the one that asks. */
void api_end_own_sessions(struct api_call *call)
{
    if (!is_person(call))
        return;
    struct api_wish wish = {.verb = "person.sign_out", .if_version = COMMAND_ANY};
    json_t *body = json_pack("{s:s, s:s}", "id", call->principal.id, "keep",
                             call->principal.credential);
    api_answer_people(call, &wish, body);
    json_decref(body);
}

struct own {
    char login[65];
    char password[CRYPTO_PASSWORD_SIZE];
};

static void copy_own(void *context, const struct state_person *person)
{
    struct own *own = context;
    snprintf(own->login, sizeof own->login, "%s", person->login);
    snprintf(own->password, sizeof own->password, "%s", person->password);
}

static void change_own(struct api_call *call, const char *old, const char *password)
{
    struct own own = {.login = ""};
    enum err err =
        state_get_person(call->stores->state, call->principal.id, &own, copy_own);
    if (err != ERR_OK) {
        api_store_problem(call, err);
        return;
    }
    /* Who found a phone unlocked guesses no faster than who signs in. */
    if (!api_may_try(call, own.login))
        return;
    bool is_right = login_check(api_login_of(call->api), own.password, old);
    crypto_wipe(&own, sizeof own);
    if (!is_right) {
        refuse(call, "the password in force is another than 'old'");
        return;
    }
    struct api_wish wish = {.verb = "person.password", .if_version = COMMAND_ANY};
    json_t *body = json_pack("{s:s, s:s, s:s}", "id", call->principal.id, "password",
                             password, "keep", call->principal.credential);
    api_answer_people(call, &wish, body);
    json_decref(body);
}

void api_change_own_password(struct api_call *call)
{
    json_t *body = api_object(call);
    const char *old = api_text(body, "old");
    const char *password = api_text(body, "new");
    bool is_ours = body != NULL && is_person(call);
    if (is_ours && old != NULL && password != NULL && strlen(old) <= PASSWORD_MOST)
        change_own(call, old, password);
    else if (is_ours)
        refuse(call, "send {\"old\": \"...\", \"new\": \"...\"}");
    json_decref(body);
}
