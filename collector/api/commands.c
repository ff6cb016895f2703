// SPDX-License-Identifier: Apache-2.0
/*
 * commands - what is changed through the API, and what is declared.
 *
 * A write route names its verb; its body is the verb's, its path gives the identifiers.
 * PUT gives all of an entity (what it does not name is taken away), PATCH some of it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/tz.h"
#include "base/utf8.h"
#include "collector/api/changes.h"
#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/api/sight.h"
#include "collector/command/command.h"
#include "collector/command/verb.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000

static const char *header_of(const struct api_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

/* ---- one wish
 * -------------------------------------------------------------------------- */

void api_draw_id(const struct api_call *call, struct api_wish *wish)
{
    const char *key = api_idempotency_key(call);
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char text[API_KEY_MAX + ID_SIZE + 2];
    if (key == NULL) {
        command_draw_id(wish->id);
        return;
    }
    snprintf(text, sizeof text, "%s\n%s", call->principal.id, key);
    crypto_digest(digest, text, strlen(text));
    crypto_hex(wish->id, digest, COMMAND_RANDOM_SIZE / 2);
}

struct staged {
    char id[COMMAND_RANDOM_SIZE];
    int64_t at_ms;
    size_t len;
    char data[];
};

static enum err stage(struct state *state, void *argument)
{
    const struct staged *staged = argument;
    return state_stage_private(state, staged->id, staged->at_ms, staged->data,
                               staged->len);
}

/* People's data waits in state.db for the command, which names its id only. */
static enum err stage_hidden(struct api_call *call, const struct api_wish *wish)
{
    char *text = json_dumps(wish->hidden, JSON_COMPACT);
    assert(text != NULL);
    size_t len = strlen(text);
    struct staged *staged = mem_alloc(sizeof *staged + len);
    snprintf(staged->id, sizeof staged->id, "%s", wish->id);
    staged->at_ms = api_now_ms(call->api);
    staged->len = len;
    memcpy(staged->data, text, len);
    crypto_wipe(text, len);
    free(text);
    return api_run_change(call, stage, staged);
}

enum err api_apply(struct api_call *call, const struct api_wish *wish, json_t **result,
                   struct err_text *why)
{
    struct buf json = {0};
    struct buf said = {0};
    const struct command command = {
        .id = wish->id,
        .verb = wish->verb,
        .actor = call->principal.id,
        .org = call->principal.org,
        .reason = wish->reason != NULL ? wish->reason : "",
        .via = wish->via,
        .if_version = wish->if_version,
        .at_ms = api_now_ms(call->api),
        .body = wish->body,
    };
    command_format(&command, &json);
    enum err err = wish->hidden != NULL ? stage_hidden(call, wish) : ERR_OK;
    if (err == ERR_OK)
        err = api_command(call, wish->id, &json, &said, why);
    else
        err_set(why, err, "state.db: %s", err_about(err));
    *result = json_loadb(said.data != NULL ? said.data : "", said.len, 0, NULL);
    buf_fini(&json);
    buf_fini(&said);
    return err;
}

/* With the present state, where that is what is in the way. */
static void refuse(struct api_call *call, enum err err, const json_t *result,
                   const char *why)
{
    static const char *const members[] = {"kind", "id", "version", "present"};
    if (json_object_get(result, COMMAND_KEY_REUSED) != NULL) {
        api_refuse(call, PROBLEM_KEY_REUSED, NULL);
        return;
    }
    api_command_problem(call, err, why);
    if (err != ERR_CONFLICT || result == NULL)
        return;
    json_t *problem = json_loadb(call->out.data, call->out.len, 0, NULL);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        json_object_set(problem, members[i], json_object_get(result, members[i]));
    buf_clear(&call->out);
    api_dump(call, problem);
}

void api_answer_applied(struct api_call *call, enum err err, json_t *result,
                        const char *why)
{
    if (err != ERR_OK) {
        refuse(call, err, result, why);
        json_decref(result);
        return;
    }
    if (result == NULL)
        result = json_object();
    json_int_t version = json_integer_value(json_object_get(result, "version"));
    if (version > 0)
        api_etag(call, version);
    json_object_set_new(result, "applied", json_true());
    api_dump(call, result);
}

/*
 * What depends on this machine is asked before the command stands in the journal: what is
 * there is applied in the same way everywhere.
 */
static enum err check_here(const struct api_wish *wish, struct err_text *why)
{
    const char *name = json_string_value(json_object_get(wish->body, "time_zone"));
    struct tz tz;
    if (strcmp(wish->verb, "site.put") != 0 || name == NULL)
        return ERR_OK;
    return tz_load(&tz, name, why);
}

static void answer(struct api_call *call, struct api_wish *wish)
{
    json_t *result = NULL;
    struct err_text why = {0};
    enum err err = check_here(wish, &why);
    api_draw_id(call, wish);
    if (err == ERR_OK)
        err = api_apply(call, wish, &result, &why);
    if (err == ERR_OK && strcmp(wish->verb, "rule.put") == 0)
        api_doubt_rule(call, result);
    api_answer_applied(call, err, result, why.text);
}

void api_etag(struct api_call *call, int64_t version)
{
    snprintf(call->etag, sizeof call->etag, "\"%lld\"", (long long)version);
}

/* ---- from a request to a wish
 * ---------------------------------------------------------- */

static bool parse_etag(int64_t *version, const char *text)
{
    long long number = 0;
    int end = 0;
    if (sscanf(text, "\"%18lld\"%n", &number, &end) != 1 || text[end] != '\0' ||
        end == 0 || number < 0)
        return false;
    *version = number;
    return true;
}

/* If-Match: "3"; If-None-Match: *: it must be new. */
static bool read_version(const struct api_call *call, int64_t *version)
{
    const char *match = header_of(call, MHD_HTTP_HEADER_IF_MATCH);
    const char *none = header_of(call, MHD_HTTP_HEADER_IF_NONE_MATCH);
    *version = COMMAND_ANY;
    if (none != NULL && strcmp(none, "*") == 0)
        *version = 0;
    return match == NULL || strcmp(match, "*") == 0 || parse_etag(version, match);
}

/* An identifier of the path; false when the body says another. */
static bool put_part(struct api_call *call, json_t *body, const char *field,
                     const char *part)
{
    const char *said = json_string_value(json_object_get(body, field));
    if (said != NULL && strcmp(said, part) != 0) {
        api_refuse(call, PROBLEM_NAMES_DIFFER, "name", field, NULL);
        return false;
    }
    json_object_set_new(body, field, json_string(part));
    return true;
}

static bool put_parts(struct api_call *call, const struct verb *verb, json_t *body)
{
    bool is_channel = strcmp(verb->kind, "channel") == 0;
    if (call->parts[0][0] == '\0')
        return true;
    if (!is_channel)
        return put_part(call, body, "id", call->parts[0]);
    return put_part(call, body, "device", call->parts[0]) &&
           put_part(call, body, "channel", call->parts[1]);
}

/* What a PUT does not name is to be gone. */
static void take_rest_away(const struct verb *verb, json_t *body)
{
    for (const struct field *field = verb->fields; field->name != NULL; field++)
        if (field->need == FIELD_OPTIONAL && json_object_get(body, field->name) == NULL)
            json_object_set_new(body, field->name, json_null());
}

/* ---- who may --------------------------------------------------------------------------
 */

/* An integrator's token that may change the registry may change all of it, and nothing of
 * who may what. */
static bool has_role(struct api_call *call, const struct verb *verb)
{
    enum access_role role = call->principal.role;
    bool may = verb->role == VERB_OPERATOR || role == ACCESS_ROLE_ADMIN ||
               (verb->role == VERB_ADMIN && role == ACCESS_ROLE_INTEGRATOR);
    if (may && verb->role != VERB_ROUTE)
        return true;
    api_refuse(call, PROBLEM_ROLE_NOT_ALLOWED, NULL);
    return false;
}

static void on_place(void *context, const struct state_entity *entity)
{
    json_t *body = json_loads(entity->body, 0, NULL);
    const char *zone = api_text(body, "zone");
    snprintf(context, ID_SIZE, "%.64s", zone != NULL ? zone : "");
    json_decref(body);
}

static bool owns_zone(struct api_call *call, const char *zone)
{
    struct access_place place;
    return api_find_place(call, zone, &place) == ERR_OK &&
           access_owns_place(&call->principal, &place);
}

static bool owns_incident(struct api_call *call, const char *id)
{
    struct incident incident;
    return state_get_incident(call->stores->state, id, &incident) == ERR_OK &&
           api_sees_incident(call, &incident);
}

/* One that is not there is told so when the command is applied. */
static bool owns_placement(struct api_call *call, const char *id)
{
    char zone[ID_SIZE] = "";
    return state_find_entity(call->stores->state, "placement", id, zone, on_place) !=
               ERR_OK ||
           owns_zone(call, zone);
}

/* One that nobody has placed yet may be placed. */
static bool owns_device(struct api_call *call, const struct verb *verb,
                        const char *device)
{
    return strcmp(verb->name, "placement.put") == 0 ||
           api_sees_device(call, call->principal.org, device);
}

static bool owns_named(struct api_call *call, const struct verb *verb, const json_t *body)
{
    static const struct {
        const char *kind;
        bool (*owns)(struct api_call *call, const char *id);
    } kinds[] = {{"zone", owns_zone},
                 {"incident", owns_incident},
                 {"placement", owns_placement},
                 {"site", api_owns_site}};
    const char *id = api_text(body, "id");
    const char *zone = api_text(body, "zone");
    const char *device =
        api_text(body, strcmp(verb->kind, "device") == 0 ? "id" : "device");
    if (zone != NULL && !owns_zone(call, zone))
        return false;
    if (device != NULL && !owns_device(call, verb, device))
        return false;
    for (size_t i = 0; id != NULL && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, verb->kind) == 0)
            return kinds[i].owns(call, id);
    return true;
}

/*
 * The organisation is held when the command is applied; an incident, and the sites of who
 * has only some, are held here.
 */
static bool may_change(struct api_call *call, const struct verb *verb, const json_t *body)
{
    bool is_incident = strcmp(verb->kind, "incident") == 0;
    if (!has_role(call, verb))
        return false;
    if (api_sees_all(call) || (call->principal.site_count == 0 && !is_incident) ||
        (api_load_places(call) && owns_named(call, verb, body)))
        return true;
    if (call->status == MHD_HTTP_OK)
        api_not_found(call);
    return false;
}

/* A version in the body counts before one in a header. */
static void run(struct api_call *call, const char *verb_name, json_t *body,
                const json_t *version, struct api_wish *wish)
{
    if (version != NULL) {
        wish->if_version = json_integer_value(version);
    } else if (!read_version(call, &wish->if_version)) {
        api_refuse(call, PROBLEM_CONDITION_NOT_UNDERSTOOD, NULL);
        return;
    }
    const struct verb *verb = verb_find(verb_name);
    wish->verb = verb_name;
    wish->body = body;
    if (verb == NULL)
        api_refuse(call, PROBLEM_COMMAND_NOT_FOUND, "why",
                   "there is no such verb; GET /api/v1/verbs lists them", NULL);
    else if (!may_change(call, verb, body))
        return;
    else if (verb_is_of_people(verb))
        api_answer_people(call, wish, body);
    else
        answer(call, wish);
}

/* The reason is not the verb's: it stands beside the fields. */
static json_t *take_reason(json_t *body)
{
    json_t *reason = json_incref(json_object_get(body, "reason"));
    json_object_del(body, "reason");
    return reason;
}

static bool reason_is_good(struct api_call *call, const json_t *reason)
{
    size_t len = json_string_length(reason);
    bool is_good =
        reason == NULL || (json_is_string(reason) && len <= COMMAND_REASON_MAX &&
                           utf8_is_plain(json_string_value(reason), len));
    if (!is_good)
        api_refuse(
            call, PROBLEM_BODY_NOT_UNDERSTOOD, "example",
            "{\"reason\":\"on my way\"} (at most 500 bytes, no control characters)",
            NULL);
    return is_good;
}

/* Of a route that names its verb. */
void api_run_verb(struct api_call *call)
{
    const struct verb *verb = verb_find(call->route->verb);
    assert(verb != NULL);
    json_t *body = call->body.len > 0 ? api_object(call) : json_object();
    if (body == NULL)
        return;
    json_t *reason = take_reason(body);
    struct api_wish wish = {.reason = json_string_value(reason)};
    if (reason_is_good(call, reason) && put_parts(call, verb, body)) {
        if (strcmp(call->route->method, "PUT") == 0)
            take_rest_away(verb, body);
        run(call, verb->name, body, NULL, &wish);
    }
    json_decref(reason);
    json_decref(body);
}

/* {"verb": ..., "body": {...}, "reason": ..., "if_version": ...} */
void api_post_command(struct api_call *call)
{
    json_t *root = api_object(call);
    if (root == NULL)
        return;
    const char *verb = json_string_value(json_object_get(root, "verb"));
    json_t *body = json_object_get(root, "body");
    const json_t *reason = json_object_get(root, "reason");
    const json_t *version = json_object_get(root, "if_version");
    struct api_wish wish = {.reason = json_string_value(reason)};
    if (verb == NULL || !json_is_object(body) ||
        (version != NULL && !json_is_integer(version)))
        api_refuse(call, PROBLEM_BODY_NOT_UNDERSTOOD, "example",
                   "{\"verb\":\"zone.put\",\"body\":{\"id\":\"room-1\"}}", NULL);
    else if (reason_is_good(call, reason))
        run(call, verb, body, version, &wish);
    json_decref(root);
}

void api_get_verbs(struct api_call *call)
{
    api_dump(call, verb_table());
}

/* ---- what is declared
 * ------------------------------------------------------------------ */

static json_t *entity_json(const struct state_entity *entity)
{
    json_t *entry = json_loads(entity->body, 0, NULL);
    if (entry == NULL)
        entry = json_object();
    json_object_set_new(entry, "id", json_string(entity->id));
    json_object_set_new(entry, "org", json_string(entity->org));
    json_object_set_new(entry, "version", json_integer(entity->version));
    return entry;
}

/* An operator of some sites reads all of his organisation's. */
static void on_entity(void *context, const struct state_entity *entity)
{
    struct api_call *call = context;
    if (!access_sees_org(&call->principal, entity->org)) {
        api_not_found(call);
        return;
    }
    api_etag(call, entity->version);
    api_dump(call, entity_json(entity));
}

/* GET /api/v1/entities/KIND/ID */
static void get_one(struct api_call *call, const char *kind, const char *id)
{
    enum err err = state_find_entity(call->stores->state, kind, id, call, on_entity);
    if (err != ERR_OK)
        api_store_problem(call, err);
}

void api_get_entity(struct api_call *call)
{
    get_one(call, call->parts[0], call->parts[1]);
}

void api_get_channel(struct api_call *call)
{
    char id[STATE_ENTITY_ID_SIZE];
    snprintf(id, sizeof id, "%s/%s", call->parts[0], call->parts[1]);
    get_one(call, "channel", id);
}

struct page {
    json_t *list;
    char last[STATE_ENTITY_ID_SIZE];
};

static void on_listed(void *context, const struct state_entity *entity)
{
    struct page *page = context;
    json_array_append_new(page->list, entity_json(entity));
    snprintf(page->last, sizeof page->last, "%s", entity->id);
}

void api_get_entities(struct api_call *call)
{
    uint64_t limit;
    struct page page = {0};
    const char *after = api_param(call, "after");
    if (!api_read_number(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit))
        return;
    const char *org = call->principal.org;
    page.list = json_array();
    enum err err = state_page_entities(
        call->stores->state, call->parts[0], org[0] != '\0' ? org : NULL,
        after != NULL ? after : "", (size_t)limit, &page, on_listed);
    if (err != ERR_OK) {
        json_decref(page.list);
        api_store_problem(call, err);
        return;
    }
    bool has_more = json_array_size(page.list) == limit;
    if (strcmp(call->parts[0], "rule") == 0)
        api_add_rule_numbers(call, page.list);
    api_dump(call, json_pack("{s:o, s:o}", "entities", page.list, "next",
                             has_more ? json_string(page.last) : json_null()));
}

/* ---- audit
 * ----------------------------------------------------------------------------- */

struct audit_page {
    json_t *list;
    uint64_t last;
    struct audit_chain chain;
};

static json_t *parsed(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    return value != NULL ? value : json_null();
}

static void on_audit(void *context, const struct state_audit *row)
{
    struct audit_page *page = context;
    char hash[2 * CRYPTO_DIGEST_BYTES + 1];
    char at[CLOCK_ISO_MAX];
    json_t *entry = json_pack(
        "{s:I, s:I, s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:s}", "seq",
        (json_int_t)row->seq, "position", (json_int_t)row->position, "command",
        row->command, "at", clock_format_iso(at, row->at_ms), "at_ms",
        (json_int_t)row->at_ms, "actor", row->actor, "verb", row->verb, "reason",
        api_json_text(row->reason), "body", parsed(row->body), "outcome", row->outcome,
        "detail", api_json_text(row->detail), "result", parsed(row->result), "changes",
        parsed(row->changes), "hash", crypto_hex(hash, row->hash, sizeof row->hash));
    assert(entry != NULL);
    json_array_append_new(page->list, entry);
    page->last = row->seq;
}

void api_get_audit(struct api_call *call)
{
    uint64_t limit;
    uint64_t after;
    struct audit_page page = {0};
    if (!api_read_number(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit) ||
        !api_read_number(call, "after", 0, INT64_MAX, 0, &after))
        return;
    page.list = json_array();
    enum err err =
        state_page_audit(call->stores->state, after, (size_t)limit, &page, on_audit);
    if (err != ERR_OK) {
        json_decref(page.list);
        api_store_problem(call, err);
        return;
    }
    bool has_more = json_array_size(page.list) == limit;
    api_dump(call,
             json_pack("{s:o, s:o}", "audit", page.list, "next",
                       has_more ? json_integer((json_int_t)page.last) : json_null()));
}

static void on_link(void *context, const struct state_audit *row)
{
    struct audit_page *page = context;
    audit_chain_next(&page->chain, row);
    page->last = row->seq;
}

/* Page by page, for a read ends in two seconds. */
void api_verify_audit(struct api_call *call)
{
    struct audit_page page = {0};
    uint64_t before;
    enum err err;
    do {
        before = page.last;
        err = state_page_audit(call->stores->state, before, LIMIT_MAX, &page, on_link);
    } while (err == ERR_OK && page.last > before && page.chain.broken_at == 0);
    if (err != ERR_OK) {
        api_store_problem(call, err);
        return;
    }
    char hash[2 * CRYPTO_DIGEST_BYTES + 1];
    bool is_whole = page.chain.broken_at == 0;
    api_dump(
        call,
        json_pack("{s:b, s:I, s:s, s:o, s:o}", "holds", is_whole, "rows",
                  (json_int_t)page.chain.count, "last_hash",
                  crypto_hex(hash, page.chain.last, sizeof page.chain.last), "broken_at",
                  is_whole ? json_null() : json_integer((json_int_t)page.chain.broken_at),
                  "why", is_whole ? json_null() : json_string(page.chain.why)));
}
