// SPDX-License-Identifier: Apache-2.0
/*
 * rights - tokens of programs, links to share, and grants of zones.
 */
#include <stdio.h>
#include <string.h>

#include "collector/command/internal.h"
#include "collector/store/state_people.h"

#define YEAR_MS (INT64_C(366) * 24 * 3600 * 1000)

/* ---- grants ---------------------------------------------------------------------------
 */

/* Only what is the caller's own can be shown to others. */
static enum err put_grant(struct change *change, const struct state_grant *grant,
                          struct err_text *why)
{
    struct entity zone = {0};
    enum err err = change_need(change, "zone", grant->zone, &zone, why);
    if (err == ERR_OK && grant->to_ms != 0 && grant->to_ms <= grant->from_ms)
        err = err_set(why, ERR_INVALID, "a grant's 'to' comes behind its 'from'");
    if (err == ERR_OK)
        err = state_put_grant(change->state, grant);
    if (err == ERR_OK)
        change_note(change, "grant", grant->id, zone.org, 1, NULL,
                    json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "holder_kind",
                              grant->holder_kind, "holder", grant->holder, "zone",
                              grant->zone, "from", (json_int_t)grant->from_ms, "to",
                              (json_int_t)grant->to_ms, "cause", grant->cause));
    entity_fini(&zone);
    return err;
}

enum err grant_make(struct change *change, struct err_text *why)
{
    char id[ID_SIZE];
    const char *kind = change_text(change, "holder_kind");
    const char *cause = change_text(change, "cause");
    change_draw_id(change, "g-", id);
    const struct state_grant grant = {
        .id = id,
        .holder_kind = kind != NULL ? kind : "org",
        .holder = change_text(change, "holder"),
        .zone = change_text(change, "zone"),
        .from_ms = change_ms(change, "from", 0),
        .to_ms = change_ms(change, "to", 0),
        .cause = cause != NULL ? cause : "",
        .created_ms = change->now_ms,
    };
    return put_grant(change, &grant, why);
}

static void copy_zone(void *context, const struct state_grant *grant)
{
    snprintf(context, ID_SIZE, "%s", grant->zone);
}

enum err grant_end(struct change *change, struct err_text *why)
{
    char name[ID_SIZE] = "";
    struct entity zone = {0};
    const char *id = change_text(change, "id");
    enum err err = state_get_grant(change->state, id, name, copy_zone);
    if (err == ERR_OK)
        err = change_get(change, "zone", name, &zone);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && !change_manages(change, zone.org)))
        err = err_set(why, ERR_NOT_FOUND, "there is no grant '%s'", id);
    if (err == ERR_OK)
        err = state_delete_grant(change->state, id);
    if (err == ERR_OK)
        change_note(change, "grant", id, zone.org, 2, json_pack("{s:s}", "zone", name),
                    NULL);
    entity_fini(&zone);
    return err;
}

/* ---- tokens ---------------------------------------------------------------------------
 */

static json_t *token_json(const struct state_token *token)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I}", "role", token->role, "org", token->org,
                     "sites", token->sites, "scopes", token->scopes, "expires",
                     (json_int_t)token->expires_ms);
}

static enum err check_token(const struct change *change, const struct state_token *token,
                            struct err_text *why)
{
    bool is_link = strcmp(token->role, "share") == 0;
    size_t grants = json_array_size(json_object_get(change->body, "grants"));
    if (!change_manages(change, token->org))
        return err_set(why, ERR_NOT_FOUND, "there is no organisation '%s'", token->org);
    if (token->name[0] == '\0')
        return err_set(why, ERR_INVALID, "a token has a 'name' that says what it is for");
    if ((token->scopes[0] == '\0') != is_link)
        return err_set(why, ERR_INVALID,
                       "an integrator's token has 'scopes'; a share link has none");
    if (is_link && grants == 0)
        return err_set(why, ERR_INVALID, "a share link has 'grants': the zones it shows");
    if (token->expires_ms <= change->now_ms ||
        token->expires_ms > change->now_ms + YEAR_MS)
        return err_set(why, ERR_INVALID,
                       "a token has 'expires', a time in the coming year");
    return ERR_OK;
}

static enum err put_grants(struct change *change, const char *token, struct err_text *why)
{
    const json_t *grants = json_object_get(change->body, "grants");
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < json_array_size(grants); i++) {
        char id[ID_SIZE];
        const json_t *said = json_array_get(grants, i);
        const json_t *cause = json_object_get(said, "cause");
        change_draw_id(change, "g-", id);
        const struct state_grant grant = {
            .id = id,
            .holder_kind = "token",
            .holder = token,
            .zone = json_string_value(json_object_get(said, "zone")),
            .from_ms = json_integer_value(json_object_get(said, "from")),
            .to_ms = json_integer_value(json_object_get(said, "to")),
            .cause = json_is_string(cause) ? json_string_value(cause) : "",
            .created_ms = change->now_ms,
        };
        err = put_grant(change, &grant, why);
    }
    return err;
}

enum err token_make(struct change *change, struct err_text *why)
{
    char id[ID_SIZE];
    char scopes[64];
    char sites[1024];
    const char *role = change_text(change, "role");
    const char *org = change_text(change, "org");
    if (!change_has(change, "org") && !json_is_null(json_object_get(change->body, "org")))
        org = change->command->org;
    if (!change_join(change, "scopes", scopes, sizeof scopes) ||
        !change_join(change, "sites", sites, sizeof sites))
        return err_set(why, ERR_INVALID, "'scopes' or 'sites' are too many");
    change_draw_id(change, "t-", id);
    const struct state_token token = {
        .hash = change_text(change, "hash"),
        .id = id,
        .name = change_text(change, "name"),
        .role = role != NULL ? role : "integrator",
        .org = org != NULL ? org : "",
        .sites = sites,
        .scopes = scopes,
        .owner = change->command->actor,
        .created_ms = change->now_ms,
        .expires_ms = change_ms(change, "expires", 0),
    };
    enum err err = check_token(change, &token, why);
    if (err == ERR_OK)
        err = state_put_token(change->state, &token);
    if (err != ERR_OK)
        return err;
    change_note(change, "token", id, token.org, 1, NULL, token_json(&token));
    json_object_set_new(change->result, "expires_ms", json_integer(token.expires_ms));
    return put_grants(change, id, why);
}

struct kept_token {
    char org[ID_SIZE];
    json_t *json;
};

static void copy_token(void *context, const struct state_token *token)
{
    struct kept_token *kept = context;
    snprintf(kept->org, sizeof kept->org, "%s", token->org);
    kept->json = token_json(token);
}

enum err token_revoke(struct change *change, struct err_text *why)
{
    struct kept_token kept = {.json = NULL};
    const char *id = change_text(change, "id");
    enum err err = state_get_token(change->state, id, &kept, copy_token);
    if (err == ERR_OK && !change_manages(change, kept.org))
        err = ERR_NOT_FOUND;
    if (err == ERR_OK)
        err = state_revoke_token(change->state, id, change->now_ms);
    if (err == ERR_NOT_FOUND)
        err_set(why, err, "there is no token '%s' that counts", id);
    if (err == ERR_OK) {
        change_note(change, "token", id, kept.org, 2, kept.json, NULL);
        json_object_set_new(change->result, "revoked", json_true());
    } else {
        json_decref(kept.json);
    }
    return err;
}
