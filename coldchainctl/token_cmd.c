// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/people.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

struct token_args {
    struct client_args client;
    const char *name;
    const char *scopes;
    const char *org;
    const char *sites;
    const char *expires;
    const char *zones;
    const char *holder;
    const char *holder_kind;
    const char *zone;
    const char *from;
    const char *to;
    const char *cause;
    const char *reason;
    bool wants_json;
};

#define TEXT_OPTION(option, member, what, called, about) \
    { \
        .name = (option), .type = OPTION_TEXT, \
        .offset = offsetof(struct token_args, member), .value = (what), .arg = (called), \
        .help = (about) \
    }
#define COMMON_OPTIONS \
    TEXT_OPTION("from", from, "a time", "TIME", "shown since then; ever when absent"), \
        TEXT_OPTION("to", to, "a time", "TIME", "shown until then"), \
        TEXT_OPTION("reason", reason, "a sentence", "TEXT", "why; the audit keeps it"), \
    { \
        .name = "json", .type = OPTION_FLAG, \
        .offset = offsetof(struct token_args, wants_json), .help = "the API's answer" \
    }

static const struct option options[] = {
    CLIENT_OPTIONS(struct token_args, client),
    TEXT_OPTION("name", name, "a name", "TEXT", "what it is for"),
    TEXT_OPTION("scopes", scopes, "scopes, by commas", "SCOPE,...",
                "of read, incidents, registry, metrics"),
    TEXT_OPTION("org", org, "an organisation", "ORG",
                "whose it is; yours when absent, empty: of the whole installation"),
    TEXT_OPTION("sites", sites, "sites, by commas", "SITE,...",
                "no more than these; all when absent"),
    TEXT_OPTION("expires", expires, "a time or a duration", "TIME",
                "until when it counts: a date, or 90d from now; a year at most"),
    TEXT_OPTION("share", zones, "zones, by commas", "ZONE,...",
                "a link to share instead, that shows these zones and nothing else"),
    COMMON_OPTIONS,
    {.name = NULL},
};

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : NULL;
}

/* Absent is absent. */
static void put(json_t *body, const char *name, json_t *value)
{
    if (value != NULL)
        json_object_set_new(body, name, value);
}

/* "90d", or a time as the API takes it. */
static json_t *expiry(const char *text)
{
    char iso[CLOCK_ISO_MAX];
    struct clock clock;
    int64_t ms;
    if (text == NULL || units_parse_duration(&ms, text) != ERR_OK)
        return text_or_null(text);
    clock_init(&clock);
    return json_string(clock_format_iso(iso, clock_wall_ms(&clock) + ms));
}

/* Sends it and prints the answer, or `done` behind the id. */
static enum err send(struct client *client, const struct token_args *args,
                     const char *method, const char *path, json_t *body, const char *done,
                     struct err_text *why)
{
    json_t *answer = NULL;
    put(body, "reason", text_or_null(args->reason));
    enum err err = client_change(client, method, path, body, &answer, why);
    json_decref(body);
    if (err == ERR_OK && args->wants_json) {
        show_json(answer);
        return ERR_OK;
    }
    if (err == ERR_OK && json_is_string(json_object_get(answer, "secret"))) {
        char until[SHOW_SIZE];
        fprintf(stderr, say("%s counts until %s; this is shown once:\n"),
                show_text(answer, "id"), show_time(until, answer, "expires"));
        printf("%s\n", show_text(answer, "secret"));
    } else if (err == ERR_OK) {
        printf("%s %s\n", show_text(answer, "id"), say_word(done));
    }
    json_decref(answer);
    return err;
}

/* ---- tokens ---------------------------------------------------------------------------
 */

static void token_row(struct table *table, const json_t *token)
{
    char text[SHOW_SIZE];
    bool is_revoked = json_is_string(json_object_get(token, "revoked"));
    table_cell(table, "%s", show_text(token, "id"));
    table_cell(table, "%s", show_text(token, "name"));
    table_cell(table, "%s", show_text(token, "role"));
    table_cell(table, "%s", show_text(token, "org"));
    table_cell(table, "%s", show_text(token, "scopes"));
    table_cell(table, "%s", show_text(token, "owner"));
    table_cell(table, "%s", show_time(text, token, "expires"));
    table_cell(table, "%s", is_revoked ? show_time(text, token, "revoked") : "-");
}

static enum err list_tokens(struct client *client, const struct token_args *args,
                            struct err_text *why)
{
    struct table table = {.headings = {"ID", "NAME", "ROLE", "ORG", "SCOPES", "MADE BY",
                                       "EXPIRES", "REVOKED"}};
    json_t *tokens = NULL;
    size_t i;
    json_t *token;
    enum err err = people_list(client, "tokens", &tokens, why);
    if (err != ERR_OK)
        return err;
    if (args->wants_json) {
        show_json(tokens);
        return ERR_OK;
    }
    json_array_foreach(tokens, i, token) token_row(&table, token);
    table_print(&table, stdout);
    table_fini(&table);
    json_decref(tokens);
    return ERR_OK;
}

static json_t *shown_zones(const struct token_args *args)
{
    json_t *grants = json_array();
    json_t *zones = people_words(args->zones);
    size_t i;
    json_t *zone;
    json_array_foreach(zones, i, zone)
    {
        json_t *grant = json_pack("{s:O}", "zone", zone);
        put(grant, "from", text_or_null(args->from));
        put(grant, "to", text_or_null(args->to));
        json_array_append_new(grants, grant);
    }
    json_decref(zones);
    return grants;
}

static enum err make(struct client *client, const struct token_args *args,
                     struct err_text *why)
{
    json_t *body = json_object();
    put(body, "name", text_or_null(args->name));
    put(body, "org", text_or_null(args->org));
    put(body, "expires", expiry(args->expires));
    put(body, "sites", args->sites != NULL ? people_words(args->sites) : NULL);
    put(body, "scopes", args->scopes != NULL ? people_words(args->scopes) : NULL);
    if (args->zones != NULL) {
        put(body, "role", json_string("share"));
        put(body, "grants", shown_zones(args));
    }
    return send(client, args, "POST", "/api/v1/tokens", body, "is made", why);
}

static int token_run(int argc, char **argv)
{
    struct token_args args = {.name = NULL};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("token", "%s", why.text);
    const char *verb = argc > 1 ? argv[1] : "list";
    bool is_make = strcmp(verb, "make") == 0;
    bool is_revoke = strcmp(verb, "revoke") == 0;
    if (!is_make && !is_revoke && strcmp(verb, "list") != 0)
        return command_usage("token", "say list, make or revoke");
    if (argc > (is_revoke ? 3 : 2) || (is_revoke && argc != 3))
        return command_usage("token", "%s",
                             is_revoke ? say("name one token by its id")
                                       : say("what more there is goes into options"));
    if (is_make && (args.name == NULL || args.expires == NULL))
        return command_usage("token", "make needs --name and --expires");
    char path[100];
    snprintf(path, sizeof path, "/api/v1/tokens/%.64s", is_revoke ? argv[2] : "");
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK && is_revoke)
        err = send(client, &args, "DELETE", path, json_object(), "counts no more", &why);
    else if (err == ERR_OK)
        err = is_make ? make(client, &args, &why) : list_tokens(client, &args, &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("token", err, &why);
}

const struct command token_command = {
    .name = "token",
    .summary = "tokens of programs and links to share: list, make, revoke",
    .verbs = "list make revoke",
    .usage = "[list] [--json] [options]\n"
             "make --name TEXT --scopes SCOPE,... --expires TIME [--org ORG] [options]\n"
             "make --name TEXT --share ZONE,... --expires TIME [--from TIME] [--to TIME] "
             "[options]\n"
             "revoke ID [--reason TEXT] [options]\n",
    .about = "A token's secret is printed once, alone on standard output, and kept "
             "nowhere but with whom it is given to. Scopes: read (zones, readings, "
             "incidents), incidents (acknowledge, close, comment), registry (places, "
             "devices, rules), metrics.\n",
    .options = options,
    .examples = "coldchainctl token\n"
                "coldchainctl token make --name grafana --scopes read --expires 90d\n"
                "coldchainctl token make --name 'lot 17' --share room-1 --expires 30d\n"
                "coldchainctl token revoke t-0c2f9a4b7d1e6583\n",
    .statuses = "0 done, or shown\n"
                "1 it was refused, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = token_run,
};

/* ---- grants ---------------------------------------------------------------------------
 */

static const struct option grant_options[] = {
    CLIENT_OPTIONS(struct token_args, client),
    TEXT_OPTION("zone", zone, "a zone", "ZONE", "what is shown"),
    TEXT_OPTION("holder", holder, "an id", "ID",
                "who sees it: an organisation, a person or a token"),
    {.name = "kind",
     .type = OPTION_TEXT,
     .offset = offsetof(struct token_args, holder_kind),
     .value = "a kind",
     .arg = "KIND",
     .help = "what the holder is: org (when absent), person or token",
     .words = "org person token"},
    TEXT_OPTION("cause", cause, "a text", "TEXT", "such as a shipment"),
    COMMON_OPTIONS,
    {.name = NULL},
};

static void grant_row(struct table *table, const json_t *grant)
{
    char text[SHOW_SIZE];
    table_cell(table, "%s", show_text(grant, "id"));
    table_cell(table, "%s", show_text(grant, "zone"));
    table_cell(table, "%s", show_text(grant, "holder_kind"));
    table_cell(table, "%s", show_text(grant, "holder"));
    table_cell(table, "%s", show_time(text, grant, "from"));
    table_cell(table, "%s", show_time(text, grant, "to"));
    table_cell(table, "%s", show_text(grant, "cause"));
}

static enum err list_grants(struct client *client, const struct token_args *args,
                            struct err_text *why)
{
    struct table table = {
        .headings = {"ID", "ZONE", "KIND", "HOLDER", "FROM", "TO", "CAUSE"}};
    json_t *grants = NULL;
    size_t i;
    json_t *grant;
    enum err err = people_list(client, "grants", &grants, why);
    if (err != ERR_OK)
        return err;
    if (args->wants_json) {
        show_json(grants);
        return ERR_OK;
    }
    json_array_foreach(grants, i, grant) grant_row(&table, grant);
    table_print(&table, stdout);
    table_fini(&table);
    json_decref(grants);
    return ERR_OK;
}

static json_t *grant_body(const struct token_args *args)
{
    json_t *body = json_object();
    put(body, "zone", text_or_null(args->zone));
    put(body, "holder", text_or_null(args->holder));
    put(body, "holder_kind", text_or_null(args->holder_kind));
    put(body, "from", text_or_null(args->from));
    put(body, "to", text_or_null(args->to));
    put(body, "cause", text_or_null(args->cause));
    return body;
}

static int grant_run(int argc, char **argv)
{
    struct token_args args = {.name = NULL};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(grant_options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("grant", "%s", why.text);
    const char *verb = argc > 1 ? argv[1] : "list";
    bool is_make = strcmp(verb, "make") == 0;
    bool is_end = strcmp(verb, "end") == 0;
    if (!is_make && !is_end && strcmp(verb, "list") != 0)
        return command_usage("grant", "say list, make or end");
    if (argc > (is_end ? 3 : 2) || (is_end && argc != 3))
        return command_usage("grant", "%s",
                             is_end ? say("name one grant by its id")
                                    : say("what more there is goes into options"));
    if (is_make && (args.zone == NULL || args.holder == NULL))
        return command_usage("grant", "make needs --zone and --holder");
    char path[100];
    snprintf(path, sizeof path, "/api/v1/grants/%.64s", is_end ? argv[2] : "");
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK && is_end)
        err = send(client, &args, "DELETE", path, json_object(), "has ended", &why);
    else if (err == ERR_OK && is_make)
        err = send(client, &args, "POST", "/api/v1/grants", grant_body(&args), "is made",
                   &why);
    else if (err == ERR_OK)
        err = list_grants(client, &args, &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("grant", err, &why);
}

const struct command grant_command = {
    .name = "grant",
    .summary = "zones shown to other organisations, people or tokens for a time",
    .verbs = "list make end",
    .usage = "[list] [--json] [options]\n"
             "make --zone ZONE --holder ID [--kind KIND] [--from TIME] [--to TIME] "
             "[--cause TEXT] [options]\n"
             "end ID [--reason TEXT] [options]\n",
    .about = "A cooperative whose fruit lies in a room of yours sees that room from one "
             "time to another, and nothing else.\n",
    .options = grant_options,
    .examples = "coldchainctl grant\n"
                "coldchainctl grant make --zone room-1 --holder wushan --to 2026-11-28\n"
                "coldchainctl grant end g-0c2f9a4b7d1e6583\n",
    .statuses = "0 done, or shown\n"
                "1 it was refused, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = grant_run,
};
