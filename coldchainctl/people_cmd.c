// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/people.h"
#include "coldchainctl/prompt.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

struct people_args {
    struct client_args client;
    const char *org;
    const char *role;
    const char *sites;
    const char *login;
    const char *name;
    const char *phone;
    const char *contact;
    const char *reason;
    bool asks_password;
    bool is_sure;
    bool wants_json;
};

#define TEXT_OPTION(option, member, what, called, about) \
    { \
        .name = (option), .type = OPTION_TEXT, \
        .offset = offsetof(struct people_args, member), .value = (what), \
        .arg = (called), .help = (about) \
    }
#define FLAG_OPTION(option, member, about) \
    { \
        .name = (option), .type = OPTION_FLAG, \
        .offset = offsetof(struct people_args, member), .help = (about) \
    }

static const struct option options[] = {
    CLIENT_OPTIONS(struct people_args, client),
    {.name = "role",
     .type = OPTION_TEXT,
     .offset = offsetof(struct people_args, role),
     .value = "a role",
     .arg = "ROLE",
     .help = "admin, operator or viewer",
     .words = "admin operator viewer"},
    TEXT_OPTION("org", org, "an organisation", "ORG",
                "whose the person is; yours when absent, empty: of the whole "
                "installation"),
    TEXT_OPTION("sites", sites, "sites, by commas", "SITE,...",
                "an operator's; empty: all of the organisation"),
    TEXT_OPTION("login", login, "a sign-in name", "NAME", "to sign in with"),
    TEXT_OPTION("name", name, "a name", "TEXT", "for people"),
    TEXT_OPTION("phone", phone, "a number", "TEXT", "for people"),
    TEXT_OPTION("contact", contact, "an address", "TEXT", "for alerts"),
    FLAG_OPTION("password", asks_password, "asks for a password, and does not show it"),
    TEXT_OPTION("reason", reason, "a sentence", "TEXT",
                "why; the audit keeps it, so name nobody"),
    FLAG_OPTION("yes", is_sure, "erase: does not ask"),
    FLAG_OPTION("json", wants_json, "the API's answer"),
    {.name = NULL},
};

/* ---- shown ----------------------------------------------------------------------------
 */

static void person_row(struct table *table, const json_t *person)
{
    char sites[200] = "";
    size_t i;
    json_t *site;
    json_array_foreach(json_object_get(person, "sites"), i, site)
    {
        size_t len = strlen(sites);
        snprintf(sites + len, sizeof sites - len, "%s%s", i > 0 ? "," : "",
                 json_string_value(site));
    }
    table_cell(table, "%s", show_text(person, "id"));
    table_cell(table, "%s", show_text(person, "org"));
    table_cell(table, "%s", show_text(person, "role"));
    table_cell(table, "%s", sites[0] != '\0' ? sites : "-");
    table_cell(table, "%s", show_text(person, "login"));
    table_cell(table, "%s", show_text(person, "name"));
    table_cell(table, "%s", show_text(person, "phone"));
    table_cell(table, "%s",
               json_is_true(json_object_get(person, "erased"))        ? "erased"
               : json_is_true(json_object_get(person, "can_sign_in")) ? "can sign in"
                                                                      : "cannot sign in");
}

static void print_people(const json_t *people)
{
    struct table table = {
        .headings = {"ID", "ORG", "ROLE", "SITES", "LOGIN", "NAME", "PHONE", "STATE"}};
    size_t i;
    json_t *person;
    json_array_foreach((json_t *)(uintptr_t)people, i, person) person_row(&table, person);
    if (json_array_size(people) > 0)
        table_print(&table, stdout);
    else
        fputs(say("nobody yet: 'coldchainctl people add'\n"), stderr);
    table_fini(&table);
}

static enum err list(struct client *client, const struct people_args *args,
                     struct err_text *why)
{
    json_t *people = NULL;
    enum err err = people_list(client, "people", &people, why);
    if (err == ERR_OK && args->wants_json) {
        show_json(people);
        return ERR_OK;
    }
    if (err == ERR_OK)
        print_people(people);
    json_decref(people);
    return err;
}

/* ---- changed --------------------------------------------------------------------------
 */

static enum err put_password(json_t *body, struct err_text *why)
{
    char password[PROMPT_SIZE] = "";
    enum err err = prompt_new_secret(password, say("new password"), why);
    if (err == ERR_OK &&
        json_object_set_new(body, "password", json_string(password)) != 0)
        err = err_set(why, ERR_INVALID, say("the password is no UTF-8"));
    crypto_wipe(password, sizeof password);
    return err;
}

static enum err read_body(const struct people_args *args, json_t *body,
                          struct err_text *why)
{
    const struct {
        const char *name;
        const char *text;
    } texts[] = {{"org", args->org},      {"role", args->role},
                 {"login", args->login},  {"name", args->name},
                 {"phone", args->phone},  {"contact", args->contact},
                 {"reason", args->reason}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text != NULL &&
            json_object_set_new(body, texts[i].name, json_string(texts[i].text)) != 0)
            return err_set(why, ERR_INVALID, say("--%s is no UTF-8"), texts[i].name);
    if (args->sites != NULL)
        json_object_set_new(body, "sites", people_words(args->sites));
    return args->asks_password ? put_password(body, why) : ERR_OK;
}

static enum err send(struct client *client, const struct people_args *args,
                     const char *method, const char *path, const char *done,
                     struct err_text *why)
{
    json_t *answer = NULL;
    json_t *body = json_object();
    enum err err = read_body(args, body, why);
    if (err == ERR_OK)
        err = client_change(client, method, path, body, &answer, why);
    json_decref(body);
    if (err == ERR_OK && args->wants_json) {
        show_json(answer);
        return ERR_OK;
    }
    if (err == ERR_OK)
        printf("%s %s\n", show_text(answer, "id"), say_word(done));
    json_decref(answer);
    return err;
}

static const struct verb {
    const char *name;
    const char *method;
    const char *below; /* behind the person's address */
    const char *done;
} verbs[] = {
    {"add", "POST", NULL, "is added"},
    {"change", "PATCH", "", "is changed; the person's sessions have ended"},
    {"sign-out", "POST", "/sessions/end", "is signed out everywhere"},
    {"erase", "DELETE", "", "is erased; the id stays"},
};

static enum err change(struct client *client, const struct people_args *args,
                       const struct verb *verb, const char *who, struct err_text *why)
{
    char id[PEOPLE_ID_SIZE];
    char path[160];
    char question[300];
    enum err err = people_find(client, who, id, why);
    if (err != ERR_OK)
        return err;
    snprintf(question, sizeof question,
             say("erase all that is kept about %s? It does not come back (y/N)"), id);
    if (strcmp(verb->name, "erase") == 0 && !args->is_sure && !prompt_yes(question))
        return err_set(why, ERR_INVALID, say("nothing was erased; --yes does not ask"));
    snprintf(path, sizeof path, "/api/v1/people/%s%s", id, verb->below);
    return send(client, args, verb->method, path, verb->done, why);
}

static enum err run(struct client *client, const struct people_args *args,
                    const struct verb *verb, const char *who, struct err_text *why)
{
    if (verb == NULL)
        return list(client, args, why);
    return who == NULL
               ? send(client, args, verb->method, "/api/v1/people", verb->done, why)
               : change(client, args, verb, who, why);
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static int people_run(int argc, char **argv)
{
    struct people_args args = {.org = NULL};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("people", "%s", why.text);
    const char *name = argc > 1 ? argv[1] : "list";
    const struct verb *verb = find_verb(name);
    if (verb == NULL && strcmp(name, "list") != 0)
        return command_usage("people", "say list, add, change, sign-out or erase");
    int wanted = verb == NULL ? 1 + (argc > 1) : verb->below != NULL ? 3 : 2;
    if (argc != wanted)
        return command_usage("people", "%s",
                             wanted == 3
                                 ? say("name one person: the id or the sign-in name")
                                 : say("what more there is goes into options"));
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = run(client, &args, verb, argc > 2 ? argv[2] : NULL, &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("people", err, &why);
}

const struct command people_command = {
    .name = "people",
    .summary = "people: who there is; add, change, sign out, erase",
    .verbs = "list add change sign-out erase",
    .usage = "[list] [--json] [options]\n"
             "add --role ROLE [--org ORG] [--sites SITE,...] [--login NAME --password] "
             "[--name TEXT] [--phone TEXT] [--contact TEXT] [options]\n"
             "change PERSON [the same] [options]\n"
             "sign-out PERSON [options]\n"
             "erase PERSON [--yes] [options]\n",
    .about = "PERSON is an id, such as p-0c2f9a4b7d1e6583, or a sign-in name. An empty "
             "text takes what was there away. Who is changed signs in again.\n"
             "What is kept about people is in the collector's state.db alone; the audit "
             "names the id and the fields. Erasing empties all of it.\n",
    .options = options,
    .examples =
        "coldchainctl people\n"
        "coldchainctl people add --role viewer --org wushan --login chen --password\n"
        "coldchainctl people change li --phone 13800000000\n"
        "coldchainctl people erase li --reason 'left us'\n",
    .statuses = "0 done, or shown\n"
                "1 it was refused, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = people_run,
};

/* ---- reset-password -------------------------------------------------------------------
 */

static const struct option reset_options[] = {
    CLIENT_OPTIONS(struct people_args, client),
    TEXT_OPTION("reason", reason, "a sentence", "TEXT",
                "why; the audit keeps it, so name nobody"),
    FLAG_OPTION("json", wants_json, "the API's answer"),
    {.name = NULL},
};

static int reset_run(int argc, char **argv)
{
    struct people_args args = {.asks_password = true};
    struct err_text why = {""};
    struct client *client = NULL;
    char id[PEOPLE_ID_SIZE];
    char path[160];
    if (options_take(reset_options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("reset-password", "%s", why.text);
    if (argc != 2)
        return command_usage("reset-password",
                             "name one person: the id or the sign-in name");
    if (args.reason == NULL)
        args.reason = "password reset";
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = people_find(client, argv[1], id, &why);
    if (err == ERR_OK) {
        snprintf(path, sizeof path, "/api/v1/people/%s", id);
        err = send(client, &args, "PATCH", path,
                   "has that password now; the sessions of before have ended", &why);
    }
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("reset-password", err, &why);
}

const struct command reset_password_command = {
    .name = "reset-password",
    .summary = "give a person who forgot it a new password",
    .usage = "PERSON [--reason TEXT] [--json] [options]\n",
    .about = "For admins, and on the collector's machine for whoever may read its "
             "api.token: asks for the new password twice, which the terminal does not "
             "show, and ends the person's sessions. Let the person change it at the "
             "first sign-in.\n"
             "Without a terminal the password is the first line of standard input.\n",
    .options = reset_options,
    .examples = "sudo coldchainctl reset-password wang\n"
                "coldchainctl reset-password p-0c2f9a4b7d1e6583 --api "
                "https://cold.example\n",
    .statuses = "0 it is set\n"
                "1 there is no such person, the password is too weak, or the API could "
                "not be asked\n"
                "2 wrong usage\n",
    .run = reset_run,
};
