// SPDX-License-Identifier: Apache-2.0
/*
 * people - persons: added, changed, erased.
 *
 * What is about them comes out of what was staged for the command and goes into their
 * table; the audit is told which fields changed and of their texts nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "collector/command/internal.h"
#include "collector/store/state_people.h"

/* A person as the store has it, or is to have it. */
struct person {
    char id[ID_SIZE];
    char org[ID_SIZE];
    char role[16];
    char sites[1024];
    char login[65];
    char name[101];
    char phone[41];
    char contact[201];
    char password[CRYPTO_PASSWORD_SIZE];
    int64_t created_ms;
    int64_t erased_ms;
    int64_t version;
};

/* What is about a person; the sizes of verbs.c. */
static const struct about {
    const char *field;
    size_t offset;
    size_t size;
} abouts[] = {
#define ABOUT(member) \
    { \
#member, offsetof(struct person, member), sizeof(((struct person *)0)->member) \
    }
    ABOUT(login), ABOUT(name), ABOUT(phone), ABOUT(contact), ABOUT(password),
#undef ABOUT
};

bool change_manages(const struct change *change, const char *org)
{
    const char *own = change->command->org;
    return own[0] == '\0' || strcmp(own, org) == 0;
}

bool change_join(const struct change *change, const char *field, char *to, size_t size)
{
    const json_t *list = json_object_get(change->body, field);
    size_t len = 0;
    to[0] = '\0';
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (len + strlen(word) + 2 > size)
            return false;
        len += (size_t)snprintf(to + len, size - len, "%s%s", len > 0 ? " " : "", word);
    }
    return true;
}

static void copy(void *context, const struct state_person *row)
{
    struct person *person = context;
    snprintf(person->id, sizeof person->id, "%s", row->id);
    snprintf(person->org, sizeof person->org, "%s", row->org);
    snprintf(person->role, sizeof person->role, "%s", row->role);
    snprintf(person->sites, sizeof person->sites, "%s", row->sites);
    snprintf(person->login, sizeof person->login, "%s", row->login);
    snprintf(person->name, sizeof person->name, "%s", row->name);
    snprintf(person->phone, sizeof person->phone, "%s", row->phone);
    snprintf(person->contact, sizeof person->contact, "%s", row->contact);
    snprintf(person->password, sizeof person->password, "%s", row->password);
    person->created_ms = row->created_ms;
    person->erased_ms = row->erased_ms;
    person->version = row->version;
}

static enum err no_such(struct err_text *why, const char *id)
{
    return err_set(why, ERR_NOT_FOUND, "there is no person '%s'", id);
}

/* Of the version that the command names, when it names one. */
static enum err check_version(struct change *change, const struct person *person,
                              struct err_text *why)
{
    int64_t wanted = change->command->if_version;
    if (wanted == COMMAND_ANY || wanted == person->version)
        return ERR_OK;
    json_object_set_new(change->result, "kind", json_string("person"));
    json_object_set_new(change->result, "id", json_string(person->id));
    json_object_set_new(change->result, "version", json_integer(person->version));
    return err_set(why, ERR_CONFLICT,
                   "person '%s' was changed meanwhile: it is of version %lld, not %lld; "
                   "look at it and ask again",
                   person->id, (long long)person->version, (long long)wanted);
}

/* The person that the body names, when the caller may touch it. */
static enum err find(struct change *change, struct person *person, struct err_text *why)
{
    const char *id = change_text(change, "id");
    enum err err = state_get_person(change->state, id, person, copy);
    if (err == ERR_NOT_FOUND || (err == ERR_OK && (person->erased_ms != 0 ||
                                                   !change_manages(change, person->org))))
        return no_such(why, id);
    return err == ERR_OK ? check_version(change, person, why) : err;
}

static bool is_given(const struct change *change, const char *field)
{
    return json_object_get(change->body, field) != NULL;
}

/* null is ""; false: there is no room. */
static bool lay_over(const struct change *change, const char *field, char *to,
                     size_t size)
{
    const char *text = change_text(change, field);
    return !is_given(change, field) ||
           (size_t)snprintf(to, size, "%s", text != NULL ? text : "") < size;
}

static enum err lay_all_over(const struct change *change, struct person *person,
                             struct err_text *why)
{
    for (size_t i = 0; i < sizeof abouts / sizeof abouts[0]; i++)
        if (!lay_over(change, abouts[i].field, (char *)person + abouts[i].offset,
                      abouts[i].size))
            return err_set(why, ERR_INVALID, "'%s' is a text of at most %zu bytes",
                           abouts[i].field, abouts[i].size - 1);
    if (!lay_over(change, "org", person->org, sizeof person->org) ||
        !lay_over(change, "role", person->role, sizeof person->role) ||
        (is_given(change, "sites") &&
         !change_join(change, "sites", person->sites, sizeof person->sites)))
        return err_set(why, ERR_INVALID, "'sites' are too many");
    return ERR_OK;
}

static enum err check(const struct change *change, const struct person *person,
                      struct err_text *why)
{
    if (!change_manages(change, person->org))
        return err_set(why, ERR_NOT_FOUND, "there is no organisation '%s'", person->org);
    if (person->role[0] == '\0')
        return err_set(why, ERR_INVALID,
                       "a person has a 'role': admin, operator or viewer");
    if (strpbrk(person->login, " \t\r\n") != NULL)
        return err_set(why, ERR_INVALID, "a sign-in name holds no spaces");
    if (strcmp(person->role, "viewer") == 0 && person->org[0] == '\0')
        return err_set(why, ERR_INVALID,
                       "a viewer belongs to an organisation: say 'org'");
    if (person->sites[0] != '\0' && strcmp(person->role, "operator") != 0)
        return err_set(why, ERR_INVALID, "only an operator is kept to some 'sites'");
    return ERR_OK;
}

/* What everybody may know who reads the audit. */
static json_t *public_json(const struct person *person)
{
    return json_pack("{s:s, s:s, s:s}", "org", person->org, "role", person->role, "sites",
                     person->sites);
}

static enum err put(struct change *change, const struct person *person, json_t *old,
                    struct err_text *why)
{
    const struct state_person row = {
        .id = person->id,
        .org = person->org,
        .role = person->role,
        .sites = person->sites,
        .login = person->login,
        .name = person->name,
        .phone = person->phone,
        .contact = person->contact,
        .password = person->password,
        .created_ms = person->created_ms,
        .changed_ms = change->now_ms,
        .version = person->version,
    };
    enum err err = state_put_person(change->state, &row);
    if (err == ERR_EXISTS)
        err_set(why, err, "somebody has that sign-in name; take another");
    if (err == ERR_OK)
        change_note(change, "person", person->id, person->org, person->version, old,
                    public_json(person));
    else
        json_decref(old);
    return err;
}

/* Drawn, so that it says nothing; a second of that id would take the first one's place.
 */
static enum err draw_id(struct change *change, struct person *person,
                        struct err_text *why)
{
    struct person other;
    change_draw_id(change, "p-", person->id);
    enum err err = state_get_person(change->state, person->id, &other, copy);
    if (err == ERR_OK)
        return err_set(why, ERR_EXISTS, "draw another idempotency key");
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err add(struct change *change, struct person *person, struct err_text *why)
{
    person->created_ms = change->now_ms;
    person->version = 1;
    enum err err = draw_id(change, person, why);
    if (err == ERR_OK)
        err = lay_all_over(change, person, why);
    if (err == ERR_OK)
        err = check(change, person, why);
    if (err == ERR_OK)
        err = put(change, person, NULL, why);
    return err;
}

enum err person_add(struct change *change, struct err_text *why)
{
    struct person person = {.version = 0};
    snprintf(person.org, sizeof person.org, "%.64s", change->command->org);
    enum err err = add(change, &person, why);
    crypto_wipe(&person, sizeof person);
    return err;
}

/* Whoever's rights or password change signs in again. */
static enum err alter(struct change *change, struct person *person, const char *keep,
                      struct err_text *why)
{
    json_t *old = public_json(person);
    person->version++;
    enum err err = lay_all_over(change, person, why);
    if (err == ERR_OK)
        err = check(change, person, why);
    if (err != ERR_OK)
        json_decref(old);
    else
        err = put(change, person, old, why);
    return err == ERR_OK ? state_delete_sessions(change->state, person->id, keep) : err;
}

enum err person_change(struct change *change, struct err_text *why)
{
    struct person person = {.version = 0};
    enum err err = find(change, &person, why);
    if (err == ERR_OK)
        err = alter(change, &person, NULL, why);
    crypto_wipe(&person, sizeof person);
    return err;
}

/* By the person, whose session goes on. */
enum err person_password(struct change *change, struct err_text *why)
{
    struct person person = {.version = 0};
    enum err err = find(change, &person, why);
    if (err == ERR_OK)
        err = alter(change, &person, change_text(change, "keep"), why);
    crypto_wipe(&person, sizeof person);
    return err;
}

enum err person_sign_out(struct change *change, struct err_text *why)
{
    struct person person = {.version = 0};
    enum err err = find(change, &person, why);
    if (err == ERR_OK)
        err =
            state_delete_sessions(change->state, person.id, change_text(change, "keep"));
    if (err == ERR_OK)
        change_note(change, "person", person.id, person.org, person.version, NULL, NULL);
    crypto_wipe(&person, sizeof person);
    return err;
}

enum err person_erase(struct change *change, struct err_text *why)
{
    struct person person = {.version = 0};
    enum err err = find(change, &person, why);
    if (err == ERR_OK)
        err = state_erase_person(change->state, person.id, change->now_ms);
    if (err == ERR_OK)
        change_note(change, "person", person.id, person.org, person.version + 1,
                    public_json(&person), NULL);
    crypto_wipe(&person, sizeof person);
    return err;
}

/* Of two who come at once the second finds the link spent. */
enum err person_first(struct change *change, struct err_text *why)
{
    struct person person = {.role = "admin"};
    const char *link = change_text(change, "link");
    enum err err = state_revoke_token(change->state, link, change->now_ms);
    if (err == ERR_NOT_FOUND)
        err_set(why, err, "the link was used or has expired");
    if (err == ERR_OK)
        err = add(change, &person, why);
    if (err == ERR_OK)
        change_note(change, "token", link, "", 2, NULL, NULL);
    crypto_wipe(&person, sizeof person);
    return err;
}
