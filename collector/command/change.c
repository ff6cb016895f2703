// SPDX-License-Identifier: Apache-2.0
#include "collector/command/change.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "collector/store/state_audit.h"
#include "collector/store/state_entities.h"

static char *dump(const json_t *json)
{
    char *text =
        json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    return text;
}

/* ---- the command's fields -------------------------------------------------------------
 */

const char *change_text(const struct change *change, const char *field)
{
    return json_string_value(json_object_get(change->body, field));
}

int64_t change_ms(const struct change *change, const char *field, int64_t fallback)
{
    const json_t *value = json_object_get(change->body, field);
    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool change_has(const struct change *change, const char *field)
{
    const json_t *value = json_object_get(change->body, field);
    return value != NULL && !json_is_null(value);
}

void change_draw_id(struct change *change, const char *prefix, char id[ID_SIZE])
{
    char text[COMMAND_ID_MAX + 16];
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    char hex[17];
    snprintf(text, sizeof text, "%s/%u", change->command->id, change->drawn++);
    crypto_digest(digest, text, strlen(text));
    snprintf(id, ID_SIZE, "%s%s", prefix, crypto_hex(hex, digest, 8));
}

void change_add_warning(struct change *change, const char *code, const char *text,
                        const char *text_zh)
{
    json_t *warnings = json_object_get(change->result, "warnings");
    if (warnings == NULL) {
        warnings = json_array();
        json_object_set_new(change->result, "warnings", warnings);
    }
    json_t *warning =
        json_pack("{s:s, s:s, s:s}", "code", code, "text", text, "text_zh", text_zh);
    if (warning != NULL) /* a text that was cut within a character is no text */
        json_array_append_new(warnings, warning);
}

void change_warn(struct change *change, const char *code, const char *text,
                 const char *text_zh, ...)
{
    char said[2][400];
    va_list arguments;
    va_start(arguments, text_zh);
    vsnprintf(said[0], sizeof said[0], text, arguments);
    va_end(arguments);
    va_start(arguments, text_zh);
    vsnprintf(said[1], sizeof said[1], text_zh, arguments);
    va_end(arguments);
    change_add_warning(change, code, said[0], said[1]);
}

/* ---- entities -------------------------------------------------------------------------
 */

void entity_fini(struct entity *entity)
{
    json_decref(entity->body);
    entity->body = NULL;
}

const char *entity_text(const struct entity *entity, const char *field)
{
    const char *text = json_string_value(json_object_get(entity->body, field));
    return text != NULL ? text : "";
}

static void on_entity(void *context, const struct state_entity *row)
{
    struct entity *entity = context;
    snprintf(entity->org, sizeof entity->org, "%s", row->org);
    entity->version = row->version;
    entity->body = json_loads(row->body, 0, NULL);
}

enum err change_get(struct change *change, const char *kind, const char *id,
                    struct entity *entity)
{
    *entity = (struct entity){.kind = kind};
    snprintf(entity->id, sizeof entity->id, "%s", id);
    enum err err = state_find_entity(change->state, kind, id, entity, on_entity);
    if (err == ERR_OK && entity->body == NULL)
        err = ERR_CORRUPT;
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* What is somebody else's is not there. */
static bool is_others(const struct change *change, const struct entity *entity)
{
    return change->command->org[0] != '\0' && entity->body != NULL &&
           strcmp(entity->org, change->command->org) != 0;
}

enum err change_need(struct change *change, const char *kind, const char *id,
                     struct entity *entity, struct err_text *why)
{
    enum err err = change_get(change, kind, id, entity);
    if (err == ERR_OK && (entity->body == NULL || is_others(change, entity)))
        err = err_set(why, ERR_NOT_FOUND, "there is no %s '%s'", kind, id);
    return err;
}

static void put_present(struct change *change, const struct entity *entity)
{
    json_object_set_new(change->result, "kind", json_string(entity->kind));
    json_object_set_new(change->result, "id", json_string(entity->id));
    json_object_set_new(change->result, "version", json_integer(entity->version));
    json_object_set_new(change->result, "present",
                        entity->body != NULL ? json_incref(entity->body) : json_null());
}

enum err change_open(struct change *change, const char *kind, const char *id,
                     struct entity *entity, struct err_text *why)
{
    int64_t wanted = change->command->if_version;
    enum err err = change_get(change, kind, id, entity);
    if (err == ERR_OK && is_others(change, entity))
        return err_set(why, ERR_NOT_FOUND,
                       "there is no %s '%s' that you may change; a new one needs another "
                       "identifier",
                       kind, id);
    if (err != ERR_OK || wanted == COMMAND_ANY || wanted == entity->version)
        return err;
    put_present(change, entity);
    if (entity->version == 0)
        return err_set(why, ERR_CONFLICT, "there is no %s '%s' any more, or not yet",
                       kind, id);
    return err_set(why, ERR_CONFLICT,
                   "%s '%s' was changed meanwhile: it is of version %lld, not %lld; look "
                   "at it and ask again",
                   kind, id, (long long)entity->version, (long long)wanted);
}

enum err change_merge(struct change *change, const char *kind, const char *id,
                      struct entity *entity, struct err_text *why)
{
    assert(change->verb != NULL);
    enum err err = change_open(change, kind, id, entity, why);
    if (err != ERR_OK)
        return err;
    const struct field *fields = change->verb->fields;
    if (entity->body == NULL)
        entity->body = json_object();
    for (; fields->name != NULL; fields++) {
        json_t *value = json_object_get(change->body, fields->name);
        if (strcmp(fields->name, "id") == 0 || value == NULL)
            value = NULL;
        else if (json_is_null(value))
            json_object_del(entity->body, fields->name);
        else
            json_object_set(entity->body, fields->name, value);
        if (fields->need == FIELD_NEW &&
            json_object_get(entity->body, fields->name) == NULL)
            return err_set(why, ERR_INVALID, "a new %s needs '%s': %s", kind,
                           fields->name, fields->help);
    }
    return ERR_OK;
}

void change_add_dated(struct change *change, struct entity *entity, const char *list_name,
                      const char *const *fields)
{
    json_int_t from = change_ms(change, "from", change->now_ms);
    json_t *entry = json_pack("{s:I}", "from", from);
    for (; *fields != NULL; fields++)
        if (change_has(change, *fields))
            json_object_set(entry, *fields, json_object_get(change->body, *fields));
    json_t *list = json_object_get(entity->body, list_name);
    if (list == NULL) {
        list = json_array();
        json_object_set_new(entity->body, list_name, list);
    }
    size_t at = 0;
    json_int_t other = -1;
    for (; at < json_array_size(list); at++) {
        other = json_integer_value(json_object_get(json_array_get(list, at), "from"));
        if (other >= from)
            break;
    }
    if (at < json_array_size(list) && other == from)
        json_array_remove(list, at);
    json_array_insert_new(list, at, entry);
}

void change_note(struct change *change, const char *kind, const char *id, const char *org,
                 int64_t version, json_t *old, json_t *new)
{
    assert(json_is_array(change->changes));
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "kind", kind, "id", id, "org", org,
                  "version", (json_int_t)version, "old", old != NULL ? old : json_null(),
                  "new", new != NULL ? new : json_null());
    assert(entry != NULL);
    json_array_append_new(change->changes, entry);
    if (json_object_get(change->result, "id") == NULL) {
        json_object_set_new(change->result, "kind", json_string(kind));
        json_object_set_new(change->result, "id", json_string(id));
        json_object_set_new(change->result, "version", json_integer(version));
    }
}

static enum err write_entity(struct change *change, struct entity *entity,
                             const char *parent, const struct entity *old)
{
    int64_t last;
    if (change->command->org[0] != '\0' && strcmp(entity->org, change->command->org) != 0)
        return ERR_DENIED;
    enum err err = state_entity_version(change->state, entity->kind, entity->id, &last);
    if (err != ERR_OK)
        return err;
    char *text = entity->body != NULL ? dump(entity->body) : mem_strdup("");
    const struct state_entity row = {
        .kind = entity->kind,
        .id = entity->id,
        .org = entity->org,
        .parent = parent,
        .version = last + 1,
        .body = text,
    };
    err = state_put_entity(change->state, &row);
    free(text);
    if (err != ERR_OK)
        return err;
    entity->version = row.version;
    change_note(change, entity->kind, entity->id, entity->org, row.version,
                json_deep_copy(old->body), json_deep_copy(entity->body));
    return ERR_OK;
}

enum err change_put(struct change *change, struct entity *entity, const char *parent)
{
    struct entity old;
    enum err err = change_get(change, entity->kind, entity->id, &old);
    if (err == ERR_OK && old.body != NULL && json_equal(old.body, entity->body)) {
        if (json_object_get(change->result, "id") == NULL) {
            put_present(change, &old);
            json_object_del(change->result, "present");
        }
    } else if (err == ERR_OK) {
        err = write_entity(change, entity, parent, &old);
    }
    entity_fini(&old);
    return err;
}

enum err change_delete(struct change *change, struct entity *entity)
{
    assert(entity->body != NULL);
    struct entity old = *entity;
    entity->body = NULL;
    enum err err = write_entity(change, entity, "", &old);
    entity_fini(&old);
    return err;
}

/* ---- one command ----------------------------------------------------------------------
 */

struct found {
    const struct command *command;
    uint64_t position;
    struct outcome *outcome;
    bool is_other; /* the id was used for something else */
};

static enum err err_of_name(const char *name)
{
    static const enum err all[] = {
#define X(name, text) ERR_##name,
        ERR_LIST(X)
#undef X
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(err_name(all[i]), name) == 0)
            return all[i];
    return ERR_CORRUPT;
}

static void on_found(void *context, const struct state_audit *row)
{
    struct found *found = context;
    struct outcome *outcome = found->outcome;
    json_t *body = json_loads(row->body, JSON_DECODE_ANY, NULL);
    found->is_other = strcmp(row->verb, found->command->verb) != 0 ||
                      strcmp(row->actor, found->command->actor) != 0 ||
                      !json_equal(body, (json_t *)(uintptr_t)found->command->body);
    json_decref(body);
    outcome->is_repetition = row->position != found->position;
    outcome->err = err_of_name(row->outcome);
    snprintf(outcome->why.text, sizeof outcome->why.text, "%s", row->detail);
    outcome->result = mem_strdup(row->result);
    outcome->changes = mem_strdup(row->changes);
}

/* NOT_FOUND when it was not applied yet. */
static enum err answer_again(struct state *state, const struct command *command,
                             uint64_t position, struct outcome *outcome)
{
    struct found found = {.command = command, .position = position, .outcome = outcome};
    enum err err = state_find_audit(state, command->id, &found, on_found);
    if (err == ERR_OK && found.is_other) {
        outcome_fini(outcome);
        outcome->result = mem_strdup("{\"" COMMAND_KEY_REUSED "\":true}");
        outcome->changes = mem_strdup("[]");
        outcome->err =
            err_set(&outcome->why, ERR_INVALID,
                    "this idempotency key was used for another command; draw a new one");
    }
    return err;
}

void outcome_fini(struct outcome *outcome)
{
    free(outcome->result);
    free(outcome->changes);
    outcome->result = NULL;
    outcome->changes = NULL;
}

/* A failure of state.db is ours to report; the others are the command's fate. */
static bool is_store_failure(enum err err)
{
    return err == ERR_IO || err == ERR_FULL || err == ERR_CORRUPT || err == ERR_BUSY ||
           err == ERR_TIMEOUT;
}

/* What was staged for this command goes, whatever becomes of it; NULL: nothing was. */
static enum err take_private(struct change *change, json_t **hidden)
{
    struct buf data = {0};
    enum err err = state_take_private(change->state, change->command->id, &data);
    *hidden = err == ERR_OK ? json_loadb(data.data, data.len, 0, NULL) : NULL;
    if (data.data != NULL)
        crypto_wipe(data.data, data.len);
    buf_fini(&data);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err check_body(struct change *change, const json_t *hidden,
                           struct err_text *why)
{
    const struct verb *verb = change->verb;
    json_t *whole = NULL;
    if (!verb_is_of_people(verb))
        return verb_check(verb->fields, change->command->body, &change->body, why);
    enum err err = verb_reveal(change->command->body, hidden, &whole, why);
    if (err == ERR_OK)
        err = verb_check(verb->fields, whole, &change->body, why);
    json_decref(whole);
    return err;
}

/* Of a verb that is known, or not. */
static enum err begin_new(struct change *change, const json_t *hidden,
                          struct outcome *outcome)
{
    change->changes = json_array();
    change->result = json_object();
    if (change->command->via != NULL && change->command->via[0] != '\0')
        json_object_set_new(change->result, "via", json_string(change->command->via));
    enum err err = state_begin_point(change->state);
    if (err != ERR_OK)
        return err;
    if (change->verb == NULL)
        outcome->err =
            err_set(&outcome->why, ERR_UNSUPPORTED,
                    "there is no verb '%.60s'; 'coldchainctl do --help' lists them",
                    change->command->verb);
    else
        outcome->err = check_body(change, hidden, &outcome->why);
    return ERR_OK;
}

enum err command_begin(struct change *change, uint64_t position, struct outcome *outcome,
                       bool *goes_on)
{
    assert(change->changes == NULL && change->result == NULL);
    *outcome = (struct outcome){.err = ERR_OK};
    *goes_on = false;
    json_t *hidden = NULL;
    change->verb = verb_find(change->command->verb);
    enum err err = ERR_OK;
    if (change->verb != NULL && verb_is_of_people(change->verb))
        err = take_private(change, &hidden);
    if (err == ERR_OK)
        err = answer_again(change->state, change->command, position, outcome);
    *goes_on = err == ERR_NOT_FOUND;
    if (*goes_on)
        err = begin_new(change, hidden, outcome);
    json_decref(hidden);
    return err;
}

static enum err write_audit(struct change *change, uint64_t position,
                            const struct outcome *outcome)
{
    const struct command *command = change->command;
    char *body = dump(command->body);
    const struct state_audit row = {
        .position = position,
        .command = command->id,
        .at_ms = change->now_ms,
        .actor = command->actor,
        .verb = command->verb,
        .reason = command->reason,
        .body = body,
        .outcome = err_name(outcome->err),
        .detail = outcome->err != ERR_OK ? outcome->why.text : "",
        .result = outcome->result,
        .changes = outcome->changes,
    };
    enum err err = state_add_audit(change->state, &row);
    free(body);
    return err;
}

enum err command_end(struct change *change, uint64_t position, struct outcome *outcome)
{
    assert(outcome->result == NULL && outcome->changes == NULL);
    enum err err = outcome->err;
    if (!is_store_failure(err)) {
        err = outcome->err == ERR_OK ? state_end_point(change->state)
                                     : state_undo_point(change->state);
        if (outcome->err != ERR_OK)
            json_array_clear(change->changes);
        if (outcome->err != ERR_OK && outcome->why.text[0] == '\0')
            err_set(&outcome->why, outcome->err, "%s", err_about(outcome->err));
        outcome->result = dump(change->result);
        outcome->changes = dump(change->changes);
        if (err == ERR_OK)
            err = write_audit(change, position, outcome);
    }
    json_decref(change->body);
    json_decref(change->changes);
    json_decref(change->result);
    return err;
}

enum err command_apply(struct state *state, const struct command *command,
                       uint64_t position, int64_t now_ms, struct outcome *outcome)
{
    struct change change = {.state = state, .command = command, .now_ms = now_ms};
    bool goes_on;
    enum err err = command_begin(&change, position, outcome, &goes_on);
    if (err != ERR_OK || !goes_on)
        return err;
    if (outcome->err == ERR_OK) {
        assert(change.verb->apply != NULL);
        outcome->err = change.verb->apply(&change, &outcome->why);
    }
    return command_end(&change, position, outcome);
}
