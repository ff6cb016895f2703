// SPDX-License-Identifier: Apache-2.0
/*
 * tokens - tokens for programs, links to share, and grants of zones.
 *
 * A token's secret is in the answer that makes it and nowhere else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/api/internal.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000
#define GRANTS_MAX   16 /* of one link, when it is made */
#define YEAR_MS      (INT64_C(366) * 24 * 3600 * 1000)

struct new_grant {
    char id[ID_SIZE];
    char holder_kind[8];
    char holder[ID_SIZE];
    char zone[ID_SIZE];
    char cause[201];
    int64_t from_ms;
    int64_t to_ms;
    int64_t now_ms;
};

struct new_token {
    char hash[PRINCIPAL_CREDENTIAL_SIZE];
    char id[ID_SIZE];
    char name[101];
    char role[16];
    char org[ID_SIZE];
    char sites[1024];
    char scopes[64];
    char owner[ID_SIZE];
    int64_t now_ms;
    int64_t expires_ms;
    struct new_grant grants[GRANTS_MAX];
    size_t grant_count;
};

static bool refuse(struct api_call *call, const char *why)
{
    return api_refuse(call, PROBLEM_VALUE_REFUSED, "why", why, NULL);
}

static bool is_done(struct api_call *call, enum err err)
{
    if (err == ERR_NOT_FOUND)
        api_not_found(call);
    else if (err != ERR_OK)
        api_store_problem(call, err);
    return err == ERR_OK;
}

static void draw_id(const char *prefix, char id[ID_SIZE])
{
    uint8_t random[8];
    char hex[17];
    crypto_random(random, sizeof random);
    snprintf(id, ID_SIZE, "%s%s", prefix, crypto_hex(hex, random, sizeof random));
}

static bool manages(const struct api_call *call, const char *org)
{
    const struct principal *principal = &call->principal;
    return principal->role == ACCESS_ROLE_ADMIN &&
           (principal->org[0] == '\0' || strcmp(principal->org, org) == 0);
}

/* A time as text or milliseconds; absent or null is `fallback`. */
static bool read_time(const json_t *object, const char *key, int64_t fallback,
                      int64_t *ms)
{
    const json_t *value = json_object_get(object, key);
    *ms = fallback;
    if (value == NULL || json_is_null(value))
        return true;
    if (json_is_integer(value)) {
        *ms = json_integer_value(value);
        return *ms >= 0;
    }
    return json_is_string(value) &&
           query_time(ms, json_string_value(value), fallback) == ERR_OK;
}

/* Only what is the caller's own can be shown to others; other zones do not exist. */
static bool owns_zone(struct api_call *call, const char *zone)
{
    struct access_place place;
    enum err err = api_find_place(call, zone, &place);
    if (err == ERR_OK && access_owns_place(&call->principal, &place))
        return true;
    if (call->status == MHD_HTTP_OK)
        api_not_found(call);
    return false;
}

static bool read_grant(struct api_call *call, const json_t *body, struct new_grant *grant)
{
    const char *zone = api_text(body, "zone");
    const char *cause = api_text(body, "cause");
    grant->now_ms = api_now_ms(call->api);
    draw_id("g-", grant->id);
    if (zone == NULL || !id_is_valid(zone))
        return refuse(call, "a grant names a 'zone'");
    if (!read_time(body, "from", 0, &grant->from_ms) ||
        !read_time(body, "to", 0, &grant->to_ms) ||
        (grant->to_ms != 0 && grant->to_ms <= grant->from_ms))
        return refuse(call, "'from' and 'to' are times, 'from' before 'to'; without them "
                            "the grant is open");
    if (cause != NULL && strlen(cause) >= sizeof grant->cause)
        return refuse(call, "'cause' is a text of at most 200 bytes");
    snprintf(grant->zone, sizeof grant->zone, "%s", zone);
    snprintf(grant->cause, sizeof grant->cause, "%s", cause != NULL ? cause : "");
    return owns_zone(call, zone);
}

static enum err put_grant(struct state *state, const struct new_grant *grant)
{
    const struct state_grant row = {
        .id = grant->id,
        .holder_kind = grant->holder_kind,
        .holder = grant->holder,
        .zone = grant->zone,
        .from_ms = grant->from_ms,
        .to_ms = grant->to_ms,
        .cause = grant->cause,
        .created_ms = grant->now_ms,
    };
    return state_put_grant(state, &row);
}

/* ---- tokens -------------------------------------------------------------------------
 */

static enum err write_token(struct state *state, void *argument)
{
    const struct new_token *made = argument;
    const struct state_token token = {
        .hash = made->hash,
        .id = made->id,
        .name = made->name,
        .role = made->role,
        .org = made->org,
        .sites = made->sites,
        .scopes = made->scopes,
        .owner = made->owner,
        .created_ms = made->now_ms,
        .expires_ms = made->expires_ms,
    };
    enum err err = state_put_token(state, &token);
    for (size_t i = 0; err == ERR_OK && i < made->grant_count; i++)
        err = put_grant(state, &made->grants[i]);
    return err;
}

static bool join(const json_t *list, char *to, size_t size, bool (*is_good)(const char *))
{
    size_t len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (word == NULL || !is_good(word) || len + strlen(word) + 2 > size)
            return false;
        len += (size_t)snprintf(to + len, size - len, "%s%s", len > 0 ? " " : "", word);
    }
    return list == NULL || json_is_array(list);
}

static bool is_scope(const char *word)
{
    unsigned scope = 0;
    return access_scopes_parse(&scope, word) && scope != 0 && strpbrk(word, " ,") == NULL;
}

static bool read_token_texts(struct api_call *call, const json_t *body,
                             struct new_token *made)
{
    const char *name = api_text(body, "name");
    const char *role = api_text(body, "role");
    const char *org = api_text(body, "org");
    org = org != NULL ? org : call->principal.org;
    if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof made->name)
        return refuse(call, "a token has a 'name', of at most 100 bytes, that says what "
                            "it is for");
    role = role != NULL ? role : "integrator";
    if (strcmp(role, "integrator") != 0 && strcmp(role, "share") != 0)
        return refuse(call, "'role' is integrator or share");
    if (org[0] != '\0' && !id_is_valid(org))
        return refuse(call, "'org' is the identifier of an organisation");
    snprintf(made->name, sizeof made->name, "%s", name);
    snprintf(made->role, sizeof made->role, "%s", role);
    snprintf(made->org, sizeof made->org, "%s", org);
    if (manages(call, org))
        return true;
    api_not_found(call);
    return false;
}

static bool read_token_rights(struct api_call *call, const json_t *body,
                              struct new_token *made)
{
    bool is_link = strcmp(made->role, "share") == 0;
    const json_t *scopes = json_object_get(body, "scopes");
    const json_t *grants = json_object_get(body, "grants");
    if (!join(scopes, made->scopes, sizeof made->scopes, is_scope) ||
        (made->scopes[0] == '\0') != is_link)
        return refuse(call, "an integrator's token has 'scopes', a list of read, "
                            "incidents, registry, metrics; a share link has none");
    if (!join(json_object_get(body, "sites"), made->sites, sizeof made->sites,
              id_is_valid))
        return refuse(call, "'sites' is a list of identifiers");
    made->grant_count = json_array_size(grants);
    if (made->grant_count > GRANTS_MAX || (is_link && made->grant_count == 0))
        return refuse(call, "a share link has 1 to 16 'grants', each {\"zone\", "
                            "\"from\", \"to\"}");
    for (size_t i = 0; i < made->grant_count; i++) {
        struct new_grant *grant = &made->grants[i];
        if (!read_grant(call, json_array_get(grants, i), grant))
            return false;
        snprintf(grant->holder_kind, sizeof grant->holder_kind, "token");
        snprintf(grant->holder, sizeof grant->holder, "%s", made->id);
    }
    return true;
}

static bool read_expiry(struct api_call *call, const json_t *body, struct new_token *made)
{
    made->now_ms = api_now_ms(call->api);
    if (read_time(body, "expires", 0, &made->expires_ms) &&
        made->expires_ms > made->now_ms && made->expires_ms <= made->now_ms + YEAR_MS)
        return true;
    return refuse(call, "a token has 'expires', a time in the coming year");
}

static void make_token(struct api_call *call, struct new_token *made)
{
    char secret[PRINCIPAL_CREDENTIAL_SIZE];
    api_draw_secret(secret);
    api_hash(made->hash, secret);
    snprintf(made->owner, sizeof made->owner, "%s", call->principal.id);
    char id[ID_SIZE];
    snprintf(id, sizeof id, "%s", made->id);
    int64_t expires_ms = made->expires_ms;
    if (is_done(call, api_run_change(call, write_token, made))) {
        log_info("token made id=%s actor=%s", id, call->principal.id);
        json_t *answer = json_pack("{s:s, s:s}", "id", id, "secret", secret);
        api_put_time(answer, "expires", expires_ms);
        api_dump(call, answer);
    }
    crypto_wipe(secret, sizeof secret);
}

void api_add_token(struct api_call *call)
{
    json_t *body = api_object(call);
    if (body == NULL)
        return;
    struct new_token *made = mem_alloc(sizeof *made);
    draw_id("t-", made->id);
    if (read_token_texts(call, body, made) && read_expiry(call, body, made) &&
        read_token_rights(call, body, made))
        make_token(call, made);
    else
        free(made);
    json_decref(body);
}

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

static bool read_page(struct api_call *call, uint64_t *limit, const char **after)
{
    *after = api_param(call, "after");
    if (*after == NULL)
        *after = "";
    if (query_number(limit, api_param(call, "limit"), 1, PAGE_MAX, PAGE_DEFAULT) ==
        ERR_OK)
        return true;
    return api_refuse(call, PROBLEM_PARAMETER_NOT_A_NUMBER, "name", "limit", "least", "1",
                      "most", "1000", NULL);
}

static void answer_page(struct api_call *call, const char *name, json_t *list,
                        const char *next)
{
    api_dump(call, json_pack("{s:o, s:o}", name, list, "next",
                             next != NULL ? json_string(next) : json_null()));
}

void api_get_tokens(struct api_call *call)
{
    uint64_t limit;
    const char *after;
    if (!read_page(call, &limit, &after))
        return;
    json_t *list = json_array();
    const char *org = call->principal.org[0] != '\0' ? call->principal.org : NULL;
    enum err err = state_page_tokens(call->stores->state, org, after, (size_t)limit, list,
                                     list_token);
    size_t count = json_array_size(list);
    if (err == ERR_OK)
        answer_page(call, "tokens", list,
                    count == limit ? api_text(json_array_get(list, count - 1), "id")
                                   : NULL);
    else
        json_decref(list);
    is_done(call, err);
}

struct token_copy {
    char org[ID_SIZE];
};

static void copy_token(void *context, const struct state_token *token)
{
    struct token_copy *copy = context;
    snprintf(copy->org, sizeof copy->org, "%s", token->org);
}

struct named {
    char id[ID_SIZE];
    int64_t now_ms;
};

static struct named *name_of(struct api_call *call)
{
    struct named *named = mem_alloc(sizeof *named);
    snprintf(named->id, sizeof named->id, "%s", call->parts[0]);
    named->now_ms = api_now_ms(call->api);
    return named;
}

static enum err write_revoked(struct state *state, void *argument)
{
    const struct named *named = argument;
    return state_revoke_token(state, named->id, named->now_ms);
}

void api_revoke_token(struct api_call *call)
{
    struct token_copy copy = {0};
    const char *id = call->parts[0];
    enum err err = state_get_token(call->stores->state, id, &copy, copy_token);
    if (err == ERR_OK && !manages(call, copy.org))
        err = ERR_NOT_FOUND;
    if (!is_done(call, err) ||
        !is_done(call, api_run_change(call, write_revoked, name_of(call))))
        return;
    log_info("token revoked id=%s actor=%s", id, call->principal.id);
    api_dump(call, json_pack("{s:s, s:b}", "id", id, "revoked", 1));
}

/* ---- grants -------------------------------------------------------------------------
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
    if (!read_page(call, &limit, &after) || !api_load_places(call))
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
    size_t count = json_array_size(page.list);
    if (err == ERR_OK)
        answer_page(call, "grants", page.list,
                    count == limit ? api_text(json_array_get(page.list, count - 1), "id")
                                   : NULL);
    else
        json_decref(page.list);
    is_done(call, err);
}

static enum err write_grant(struct state *state, void *argument)
{
    return put_grant(state, argument);
}

void api_add_grant(struct api_call *call)
{
    json_t *body = api_object(call);
    if (body == NULL)
        return;
    struct new_grant *grant = mem_alloc(sizeof *grant);
    const char *kind = api_text(body, "holder_kind");
    const char *holder = api_text(body, "holder");
    kind = kind != NULL ? kind : "org";
    char id[ID_SIZE];
    bool is_good = holder != NULL && id_is_valid(holder) &&
                   (strcmp(kind, "org") == 0 || strcmp(kind, "person") == 0 ||
                    strcmp(kind, "token") == 0);
    if (!is_good)
        refuse(call, "a grant has a 'holder', and 'holder_kind': org, person or token");
    if (!is_good || !read_grant(call, body, grant)) {
        free(grant);
        json_decref(body);
        return;
    }
    snprintf(grant->holder_kind, sizeof grant->holder_kind, "%s", kind);
    snprintf(grant->holder, sizeof grant->holder, "%s", holder);
    snprintf(id, sizeof id, "%s", grant->id);
    json_decref(body);
    if (!is_done(call, api_run_change(call, write_grant, grant)))
        return;
    log_info("grant made id=%s actor=%s", id, call->principal.id);
    api_dump(call, json_pack("{s:s}", "id", id));
}

static void copy_zone(void *context, const struct state_grant *grant)
{
    char *zone = context;
    snprintf(zone, ID_SIZE, "%s", grant->zone);
}

static enum err delete_grant(struct state *state, void *argument)
{
    const struct named *named = argument;
    return state_delete_grant(state, named->id);
}

void api_end_grant(struct api_call *call)
{
    char zone[ID_SIZE] = "";
    const char *id = call->parts[0];
    if (!is_done(call, state_get_grant(call->stores->state, id, zone, copy_zone)) ||
        !owns_zone(call, zone) ||
        !is_done(call, api_run_change(call, delete_grant, name_of(call))))
        return;
    log_info("grant ended id=%s actor=%s", id, call->principal.id);
    api_dump(call, json_pack("{s:s}", "id", id));
}
