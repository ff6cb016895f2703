// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

struct do_args {
    struct client_args client;
    const char *reason;
    double if_version;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct do_args, client),
    {.name = "reason",
     .type = OPTION_TEXT,
     .offset = offsetof(struct do_args, reason),
     .value = "a sentence",
     .arg = "TEXT",
     .help = "why; the audit keeps it"},
    {.name = "if-version",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct do_args, if_version),
     .least = 0,
     .most = 9e15,
     .value = "a version",
     .arg = "N",
     .help = "only when it is of that version; 0: only when it is new"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct do_args, wants_json),
     .help = "the API's answer"},
    {.name = NULL},
};

static const json_t *find(const json_t *list, const char *key, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)(uintptr_t)list, i, entry)
    {
        if (strcmp(show_text(entry, key), name) == 0)
            return entry;
    }
    return NULL;
}

/* The API says what its verbs are for in both languages. */
static const char *help_key(void)
{
    return say_language() == SAY_ZH ? "help_zh" : "help";
}

static void print_verbs(const json_t *table)
{
    struct table shown = {.headings = {"VERB", "ROLE", "WHAT IT DOES"}};
    size_t i;
    json_t *verb;
    json_array_foreach((json_t *)(uintptr_t)table, i, verb)
    {
        table_cell(&shown, "%s", show_text(verb, "verb"));
        table_cell(&shown, "%s", show_word(verb, "role", NULL));
        table_cell(&shown, "%s", show_text(verb, help_key()));
    }
    table_print(&shown, stdout);
    table_fini(&shown);
}

static void print_fields(const json_t *verb)
{
    struct table shown = {.headings = {"FIELD", "TYPE", "NEED", "WHAT"}};
    size_t i;
    json_t *field;
    json_array_foreach(json_object_get(verb, "fields"), i, field)
    {
        table_cell(&shown, "%s", show_text(field, "name"));
        table_cell(&shown, "%s", show_word(field, "type", "type"));
        table_cell(&shown, "%s", show_word(field, "needed", "need"));
        table_cell(&shown, "%s", show_text(field, help_key()));
    }
    printf("%s: %s\n\n", show_text(verb, "verb"), show_text(verb, help_key()));
    table_print(&shown, stdout);
    table_fini(&shown);
}

/* What is written on the command line, as the field's type wants it; NULL: it is not. */
static json_t *read_value(const char *type, const char *text)
{
    static const char *const as_json[] = {"number", "texts", "records"};
    if (text[0] == '\0')
        return json_null();
    if (strcmp(type, "yes or no") == 0 && strcmp(text, "yes") == 0)
        return json_true();
    if (strcmp(type, "yes or no") == 0)
        return strcmp(text, "no") == 0 ? json_false() : NULL;
    for (size_t i = 0; i < sizeof as_json / sizeof as_json[0]; i++)
        if (strcmp(type, as_json[i]) == 0)
            return json_loads(text, JSON_DECODE_ANY, NULL);
    json_t *number = strcmp(type, "level") == 0 ? json_loads(text, JSON_DECODE_ANY, NULL)
                                                : NULL; /* else an end of the band */
    return number != NULL ? number : json_string(text);
}

static enum err put_field(json_t *body, const json_t *fields, const char *given,
                          struct err_text *why)
{
    char name[65];
    const char *equals = strchr(given, '=');
    size_t len = equals != NULL ? (size_t)(equals - given) : 0;
    if (len == 0 || len >= sizeof name)
        return err_set(why, ERR_INVALID, say("'%s' is not field=value"), given);
    memcpy(name, given, len);
    name[len] = '\0';
    const json_t *field = find(fields, "name", name);
    const char *type = field != NULL ? show_text(field, "type") : "text";
    json_t *value = read_value(type, equals + 1);
    if (value == NULL)
        return err_set(why, ERR_INVALID, say("'%s' is not a %s"), given,
                       say_of("type", type));
    json_object_set_new(body, name, value);
    return ERR_OK;
}

static json_t *wish_of(const struct do_args *args, const char *verb, json_t *body)
{
    json_t *wish = json_pack("{s:s, s:o}", "verb", verb, "body", body);
    if (args->reason != NULL)
        json_object_set_new(wish, "reason", json_string(args->reason));
    if (!isnan(args->if_version))
        json_object_set_new(wish, "if_version",
                            json_integer((json_int_t)args->if_version));
    return wish;
}

static void print_answer(const json_t *answer)
{
    char version[SHOW_SIZE];
    char low[SHOW_SIZE];
    char high[SHOW_SIZE];
    if (json_object_get(answer, "version") != NULL)
        printf(say("%s %s is of version %s\n"), show_word(answer, "kind", NULL),
               show_text(answer, "id"), show_number(version, answer, "version"));
    else
        printf("%s %s\n", show_word(answer, "kind", NULL), show_text(answer, "id"));
    const json_t *band = json_object_get(answer, "band");
    bool is_open = json_is_null(json_object_get(band, "low")) &&
                   json_is_null(json_object_get(band, "high"));
    if (is_open)
        printf("%s", say("no band is known of what stands there\n"));
    else if (band != NULL)
        printf(say("what stands there bears %s to %s °C\n"),
               show_number(low, band, "low"), show_number(high, band, "high"));
}

static enum err send_wish(struct client *client, const struct do_args *args,
                          const json_t *verb, char **given, struct err_text *why)
{
    json_t *answer = NULL;
    json_t *body = json_object();
    enum err err = ERR_OK;
    for (; err == ERR_OK && *given != NULL; given++)
        err = put_field(body, json_object_get(verb, "fields"), *given, why);
    if (err != ERR_OK) {
        json_decref(body);
        return err;
    }
    json_t *wish = wish_of(args, show_text(verb, "verb"), body);
    err = client_post(client, "/api/v1/commands", wish, &answer, why);
    json_decref(wish);
    if (err != ERR_OK)
        return err;
    if (args->wants_json) {
        show_json(answer);
        return ERR_OK;
    }
    print_answer(answer);
    show_warnings(NULL, answer);
    json_decref(answer);
    return ERR_OK;
}

static enum err run(struct client *client, const struct do_args *args, char **words,
                    struct err_text *why)
{
    json_t *table = NULL;
    enum err err = client_get(client, "/api/v1/verbs", &table, why);
    if (err != ERR_OK)
        return err;
    const json_t *verb = words[0] != NULL ? find(table, "verb", words[0]) : NULL;
    if (words[0] == NULL && args->wants_json)
        show_value(table);
    else if (words[0] == NULL)
        print_verbs(table);
    else if (verb == NULL)
        err =
            err_set(why, ERR_NOT_FOUND,
                    say("there is no verb '%s'; 'coldchainctl do' lists them"), words[0]);
    else if (words[1] == NULL)
        print_fields(verb);
    else
        err = send_wish(client, args, verb, words + 1, why);
    json_decref(table);
    return err;
}

static int do_run(int argc, char **argv)
{
    struct do_args args = {.if_version = (double)NAN};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("do", "%s", why.text);
    argv[argc] = NULL;
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = run(client, &args, argv + 1, &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("do", err, &why);
}

const struct command do_command = {
    .name = "do",
    .summary = "change something: places, devices, placements, rules, incidents",
    .usage = "[options]\n"
             "VERB [options]\n"
             "VERB FIELD=VALUE... [--reason TEXT] [--if-version N] [options]\n",
    .about = "Without a verb: what there is to do. With a verb alone: its fields. With "
             "fields: does it, and answers once it is applied.\n"
             "Times are RFC 3339, durations 90s, 10m, 2h, flags yes or no; lists and "
             "objects are JSON. An empty value takes a field away.\n",
    .options = options,
    .examples =
        "coldchainctl do\n"
        "coldchainctl do zone.put\n"
        "coldchainctl do zone.put id=room-2 site=store-1 band_low=2 band_high=8\n"
        "coldchainctl do placement.move device=agent-9 zone=room-2 --reason 'at ten'\n"
        "coldchainctl do zone.duty id=room-2 on=no why=empty\n"
        "coldchainctl do zone.load id=room-2 goods=strawberry entry_c=18\n",
    .statuses = "0 done, or shown\n"
                "1 it was refused, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = do_run,
};
