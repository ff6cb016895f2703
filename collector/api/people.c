// SPDX-License-Identifier: Apache-2.0
/*
 * people - people, tokens and grants: listed, made, changed, erased.
 *
 * An admin manages what is of his organisation; one of the whole installation manages
 * all. Texts about people go from the request to their table and nowhere else: neither
 * log nor journal sees them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "collector/access/password.h"
#include "collector/api/internal.h"
#include "collector/api/login.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000

/* A person as a request describes him; "" is what it says nothing of, or wants gone. */
struct person_text {
    char id[ID_SIZE];
    char org[ID_SIZE];
    char role[16];
    char sites[1024];
    char login[65];
    char name[101];
    char phone[41];
    char contact[201];
    char password[CRYPTO_PASSWORD_SIZE];
};

/* What may be given; `bit` marks what was. */
static const struct person_field {
    const char *name;
    size_t offset;
    size_t size;
} person_fields[] = {
#define FIELD(member) \
    { \
#member, offsetof(struct person_text, member), \
            sizeof(((struct person_text *)0)->member) \
    }
    FIELD(org), FIELD(role), FIELD(login), FIELD(name), FIELD(phone), FIELD(contact),
#undef FIELD
};

#define FIELD_COUNT  (sizeof person_fields / sizeof person_fields[0])
#define HAS_SITES    (1u << FIELD_COUNT)
#define HAS_PASSWORD (1u << (FIELD_COUNT + 1))

struct person_change {
    struct person_text text;
    unsigned has;
    bool is_new;
    char was_org[ID_SIZE]; /* when the caller was let near */
    int64_t now_ms;
};

static char *field_of(struct person_text *text, const struct person_field *field)
{
    return (char *)text + field->offset;
}

static bool refuse(struct api_call *call, const char *why)
{
    return api_refuse(call, PROBLEM_VALUE_REFUSED, "why", why, NULL);
}

/* What the loop said of it. */
static bool is_done(struct api_call *call, enum err err)
{
    if (err == ERR_NOT_FOUND)
        api_not_found(call);
    else if (err == ERR_EXISTS)
        api_refuse(call, PROBLEM_LOGIN_TAKEN, NULL);
    else if (err != ERR_OK)
        api_store_problem(call, err);
    return err == ERR_OK;
}

/* An admin of one organisation makes nothing outside of it. */
static bool manages(const struct api_call *call, const char *org)
{
    const struct principal *principal = &call->principal;
    return principal->role == ACCESS_ROLE_ADMIN &&
           (principal->org[0] == '\0' || strcmp(principal->org, org) == 0);
}

/* NULL: of all. */
static const char *org_filter(const struct api_call *call)
{
    return call->principal.org[0] != '\0' ? call->principal.org : NULL;
}

static void draw_id(const char *prefix, char id[ID_SIZE])
{
    uint8_t random[8];
    char hex[17];
    crypto_random(random, sizeof random);
    snprintf(id, ID_SIZE, "%s%s", prefix, crypto_hex(hex, random, sizeof random));
}

/* ["a", "b"] -> "a b". False: not a list of identifiers, or too long. */
static bool join_ids(const json_t *list, char *to, size_t size)
{
    size_t len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *id = json_string_value(json_array_get(list, i));
        if (id == NULL || !id_is_valid(id) || len + strlen(id) + 2 > size)
            return false;
        len += (size_t)snprintf(to + len, size - len, "%s%s", len > 0 ? " " : "", id);
    }
    return json_is_array(list);
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

/* `list` is taken; its last entry's id is where the next page begins. */
static void answer_page(struct api_call *call, const char *name, json_t *list,
                        uint64_t limit, enum err err)
{
    size_t count = json_array_size(list);
    json_t *next = json_null();
    if (err != ERR_OK) {
        json_decref(list);
        api_store_problem(call, err);
        return;
    }
    if (count == limit)
        next = json_incref(json_object_get(json_array_get(list, count - 1), "id"));
    api_dump(call, json_pack("{s:o, s:o}", name, list, "next", next));
}

/* ---- reading a person -----------------------------------------------------------------
 */

static bool read_texts(struct api_call *call, const json_t *body,
                       struct person_change *change)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct person_field *field = &person_fields[i];
        const json_t *value = json_object_get(body, field->name);
        const char *text = json_string_value(value);
        if (value == NULL)
            continue;
        if (text == NULL || json_string_length(value) >= field->size) {
            char detail[100];
            snprintf(detail, sizeof detail, "'%s' is a text of at most %zu bytes",
                     field->name, field->size - 1);
            return refuse(call, detail);
        }
        snprintf(field_of(&change->text, field), field->size, "%s", text);
        change->has |= 1u << i;
    }
    return true;
}

static bool read_sites(struct api_call *call, const json_t *body,
                       struct person_change *change)
{
    const json_t *sites = json_object_get(body, "sites");
    if (sites == NULL)
        return true;
    change->has |= HAS_SITES;
    return join_ids(sites, change->text.sites, sizeof change->text.sites) ||
           refuse(call, "'sites' is a list of identifiers; an empty one means all");
}

static bool read_password(struct api_call *call, const json_t *body,
                          struct person_change *change)
{
    struct err_text why;
    const json_t *value = json_object_get(body, "password");
    const char *password = json_string_value(value);
    if (value == NULL)
        return true;
    if (password == NULL)
        return refuse(call, "'password' is a text");
    if (password_check(password, change->text.login, &why) != ERR_OK)
        return refuse(call, why.text);
    change->has |= HAS_PASSWORD;
    if (login_hash(api_login_of(call->api), change->text.password, password))
        return true;
    api_store_problem(call, ERR_BUSY);
    return false;
}

static bool is_role_of_people(const char *text)
{
    enum access_role role;
    return access_role_parse(&role, text) && ((1u << role) & ACCESS_PEOPLE) != 0;
}

static bool check_person(struct api_call *call, const struct person_change *change)
{
    const struct person_text *text = &change->text;
    if (text->role[0] != '\0' && !is_role_of_people(text->role))
        return refuse(call, "'role' is admin, operator or viewer");
    if (text->org[0] != '\0' && !id_is_valid(text->org))
        return refuse(call, "'org' is the identifier of an organisation; \"\" means the "
                            "whole installation");
    if (strpbrk(text->login, " \t\r\n") != NULL)
        return refuse(call, "a sign-in name holds no spaces");
    if (change->is_new && text->role[0] == '\0')
        return refuse(call, "a new person needs a 'role': admin, operator or viewer");
    if (change->is_new && strcmp(text->role, "viewer") == 0 && text->org[0] == '\0')
        return refuse(call, "a viewer belongs to an organisation: say 'org'");
    return true;
}

/* NULL: answered. */
static struct person_change *read_person(struct api_call *call, bool is_new)
{
    json_t *body = api_object(call);
    if (body == NULL)
        return NULL;
    struct person_change *change = mem_alloc(sizeof *change);
    change->is_new = is_new;
    change->now_ms = api_now_ms(call->api);
    if (is_new && json_object_get(body, "org") == NULL)
        json_object_set_new(body, "org", json_string(call->principal.org));
    bool is_good = read_texts(call, body, change) && read_sites(call, body, change) &&
                   check_person(call, change) && read_password(call, body, change);
    json_decref(body);
    if (is_good)
        return change;
    crypto_wipe(change, sizeof *change);
    free(change);
    return NULL;
}

/* ---- writing a person -----------------------------------------------------------------
 */

struct person_copy {
    struct person_text text;
    int64_t created_ms;
    int64_t erased_ms;
};

static void copy_person(void *context, const struct state_person *person)
{
    struct person_copy *copy = context;
    struct person_text *text = &copy->text;
    snprintf(text->id, sizeof text->id, "%s", person->id);
    snprintf(text->org, sizeof text->org, "%s", person->org);
    snprintf(text->role, sizeof text->role, "%s", person->role);
    snprintf(text->sites, sizeof text->sites, "%s", person->sites);
    snprintf(text->login, sizeof text->login, "%s", person->login);
    snprintf(text->name, sizeof text->name, "%s", person->name);
    snprintf(text->phone, sizeof text->phone, "%s", person->phone);
    snprintf(text->contact, sizeof text->contact, "%s", person->contact);
    snprintf(text->password, sizeof text->password, "%s", person->password);
    copy->created_ms = person->created_ms;
    copy->erased_ms = person->erased_ms;
}

static void lay_over(struct person_text *text, struct person_change *change)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if ((change->has & (1u << i)) != 0)
            snprintf(field_of(text, &person_fields[i]), person_fields[i].size, "%s",
                     field_of(&change->text, &person_fields[i]));
    if ((change->has & HAS_SITES) != 0)
        snprintf(text->sites, sizeof text->sites, "%s", change->text.sites);
    if ((change->has & HAS_PASSWORD) != 0)
        snprintf(text->password, sizeof text->password, "%s", change->text.password);
}

/* Whoever's rights or password change signs in again. */
static enum err write_person(struct state *state, void *argument)
{
    struct person_change *change = argument;
    struct person_copy copy = {.created_ms = change->now_ms};
    enum err err = ERR_OK;
    if (change->is_new)
        copy.text = change->text;
    else
        err = state_get_person(state, change->text.id, &copy, copy_person);
    bool is_there = copy.erased_ms == 0 &&
                    (change->is_new || strcmp(copy.text.org, change->was_org) == 0);
    if (err != ERR_OK || !is_there)
        return err != ERR_OK ? err : ERR_NOT_FOUND;
    lay_over(&copy.text, change);
    const struct state_person person = {
        .id = copy.text.id,
        .org = copy.text.org,
        .role = copy.text.role,
        .sites = copy.text.sites,
        .login = copy.text.login,
        .name = copy.text.name,
        .phone = copy.text.phone,
        .contact = copy.text.contact,
        .password = copy.text.password,
        .created_ms = copy.created_ms,
        .changed_ms = change->now_ms,
    };
    err = state_put_person(state, &person);
    if (err == ERR_OK && !change->is_new)
        err = state_delete_sessions(state, person.id, NULL);
    crypto_wipe(change, sizeof *change);
    return err;
}

/* The person, when the caller manages him; else answered as not there. */
static bool find_managed(struct api_call *call, const char *id, struct person_copy *copy)
{
    enum err err = state_get_person(call->stores->state, id, copy, copy_person);
    if (err == ERR_OK && (copy->erased_ms != 0 || !manages(call, copy->text.org)))
        err = ERR_NOT_FOUND;
    return is_done(call, err);
}

static void note(const struct api_call *call, const char *what, const char *id)
{
    log_info("%s id=%s actor=%s", what, id, call->principal.id);
}

static json_t *person_json(const struct state_person *person)
{
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "id", person->id, "org",
        person->org, "role", person->role, "sites", split_ids(person->sites), "login",
        api_json_text(person->login), "name", api_json_text(person->name), "phone",
        api_json_text(person->phone), "contact", api_json_text(person->contact),
        "can_sign_in", person->login[0] != '\0' && person->password[0] != '\0', "erased",
        person->erased_ms != 0);
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
    if (!read_page(call, &limit, &after))
        return;
    json_t *list = json_array();
    enum err err = state_page_people(call->stores->state, org_filter(call), after,
                                     (size_t)limit, list, list_person);
    answer_page(call, "people", list, limit, err);
}

void api_add_person(struct api_call *call)
{
    char id[ID_SIZE];
    struct person_change *change = read_person(call, true);
    if (change == NULL)
        return;
    if (!manages(call, change->text.org)) {
        free(change);
        api_not_found(call);
        return;
    }
    draw_id("p-", id);
    snprintf(change->text.id, sizeof change->text.id, "%s", id);
    if (!is_done(call, api_run_change(call, write_person, change)))
        return;
    note(call, "person added", id);
    api_dump(call, json_pack("{s:s}", "id", id));
}

void api_change_person(struct api_call *call)
{
    struct person_copy copy = {0};
    if (!find_managed(call, call->parts[0], &copy))
        return;
    struct person_change *change = read_person(call, false);
    if (change == NULL)
        return;
    if ((change->has & 1u) != 0 && !manages(call, change->text.org)) {
        free(change);
        api_not_found(call);
        return;
    }
    snprintf(change->text.id, sizeof change->text.id, "%s", call->parts[0]);
    snprintf(change->was_org, sizeof change->was_org, "%s", copy.text.org);
    if (!is_done(call, api_run_change(call, write_person, change)))
        return;
    note(call, "person changed", call->parts[0]);
    api_dump(call, json_pack("{s:s}", "id", call->parts[0]));
}

struct named {
    char id[ID_SIZE];
    char keep[PRINCIPAL_CREDENTIAL_SIZE];
    int64_t now_ms;
};

/* Runs `change` with that id; *call is answered in any case. */
static void run_named(struct api_call *call, api_change_fn *change, const char *id,
                      const char *keep, const char *what)
{
    struct named *named = mem_alloc(sizeof *named);
    snprintf(named->id, sizeof named->id, "%s", id);
    snprintf(named->keep, sizeof named->keep, "%s", keep);
    named->now_ms = api_now_ms(call->api);
    if (!is_done(call, api_run_change(call, change, named)))
        return;
    note(call, what, id);
    api_dump(call, json_pack("{s:s}", "id", id));
}

static enum err erase(struct state *state, void *argument)
{
    const struct named *named = argument;
    return state_erase_person(state, named->id, named->now_ms);
}

void api_erase_person(struct api_call *call)
{
    struct person_copy copy = {0};
    if (find_managed(call, call->parts[0], &copy))
        run_named(call, erase, call->parts[0], "", "person erased");
}

static enum err end_sessions(struct state *state, void *argument)
{
    const struct named *named = argument;
    return state_delete_sessions(state, named->id, named->keep);
}

void api_end_sessions(struct api_call *call)
{
    struct person_copy copy = {0};
    if (find_managed(call, call->parts[0], &copy))
        run_named(call, end_sessions, call->parts[0], "", "sessions ended");
}

/* Of the caller: all but the one that asks. */
void api_end_own_sessions(struct api_call *call)
{
    run_named(call, end_sessions, call->principal.id, call->principal.credential,
              "sessions ended");
}

struct own_password {
    char id[ID_SIZE];
    char keep[PRINCIPAL_CREDENTIAL_SIZE];
    char hash[CRYPTO_PASSWORD_SIZE];
    int64_t now_ms;
};

static enum err write_own_password(struct state *state, void *argument)
{
    const struct own_password *own = argument;
    struct person_copy copy = {0};
    enum err err = state_get_person(state, own->id, &copy, copy_person);
    if (err != ERR_OK || copy.erased_ms != 0)
        return err != ERR_OK ? err : ERR_NOT_FOUND;
    const struct state_person person = {
        .id = copy.text.id,
        .org = copy.text.org,
        .role = copy.text.role,
        .sites = copy.text.sites,
        .login = copy.text.login,
        .name = copy.text.name,
        .phone = copy.text.phone,
        .contact = copy.text.contact,
        .password = own->hash,
        .created_ms = copy.created_ms,
        .changed_ms = own->now_ms,
    };
    err = state_put_person(state, &person);
    return err == ERR_OK ? state_delete_sessions(state, own->id, own->keep) : err;
}

static void change_own(struct api_call *call, const char *old, const char *password)
{
    struct person_copy copy = {0};
    struct err_text why;
    struct login *door = api_login_of(call->api);
    if (!is_done(call, state_get_person(call->stores->state, call->principal.id, &copy,
                                        copy_person)))
        return;
    /* Who found a phone unlocked guesses no faster than who signs in. */
    if (!api_may_try(call, copy.text.login))
        return;
    if (!login_check(door, copy.text.password, old)) {
        refuse(call, "the password in force is another than 'old'");
        return;
    }
    if (password_check(password, copy.text.login, &why) != ERR_OK) {
        refuse(call, why.text);
        return;
    }
    struct own_password *own = mem_alloc(sizeof *own);
    snprintf(own->id, sizeof own->id, "%s", call->principal.id);
    snprintf(own->keep, sizeof own->keep, "%s", call->principal.credential);
    own->now_ms = api_now_ms(call->api);
    if (!login_hash(door, own->hash, password)) {
        free(own);
        api_store_problem(call, ERR_BUSY);
        return;
    }
    if (is_done(call, api_run_change(call, write_own_password, own))) {
        note(call, "password changed", call->principal.id);
        api_dump(call, json_pack("{s:s}", "id", call->principal.id));
    }
}

void api_change_own_password(struct api_call *call)
{
    json_t *body = api_object(call);
    const char *old = api_text(body, "old");
    const char *password = api_text(body, "new");
    if (body != NULL && old != NULL && password != NULL && strlen(old) <= PASSWORD_MOST)
        change_own(call, old, password);
    else if (body != NULL)
        refuse(call, "send {\"old\": \"...\", \"new\": \"...\"}");
    json_decref(body);
}
