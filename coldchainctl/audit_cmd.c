// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

struct audit_args {
    struct client_args client;
    double limit;
    const char *after;
    const char *last_hash;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct audit_args, client),
    {.name = "limit",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct audit_args, limit),
     .least = 1,
     .most = 1000,
     .value = "a number of rows",
     .arg = "N",
     .help = "at most so many (100; up to 1000)"},
    {.name = "after",
     .type = OPTION_TEXT,
     .offset = offsetof(struct audit_args, after),
     .value = "what the page before said",
     .arg = "SEQ",
     .help = "the page that follows, as the one before said"},
    {.name = "last-hash",
     .type = OPTION_TEXT,
     .offset = offsetof(struct audit_args, last_hash),
     .value = "a hash noted before",
     .arg = "HASH",
     .help = "verify: the chain must hold that hash, as it was noted before"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct audit_args, wants_json),
     .help = "the API's answer, with old and new of everything"},
    {.name = NULL},
};

static void audit_row(struct table *table, const json_t *row)
{
    char text[SHOW_SIZE];
    const json_t *body = json_object_get(row, "body");
    const char *detail = show_text(row, "detail");
    table_cell(table, "%s", show_number(text, row, "seq"));
    table_cell(table, "%s", show_time(text, row, "at"));
    table_cell(table, "%s", show_text(row, "actor"));
    table_cell(table, "%s", show_text(row, "verb"));
    table_cell(table, "%s",
               show_text(body, json_object_get(body, "id") != NULL ? "id" : "device"));
    table_cell(table, "%s", show_word(row, "outcome", "outcome"));
    table_cell(table, "%s", strcmp(detail, "-") != 0 ? detail : show_text(row, "reason"));
}

static void print_rows(const json_t *answer)
{
    struct table table = {
        .headings = {">SEQ", "AT", "WHO", "WHAT", "OF", "OUTCOME", "WHY"}};
    char text[SHOW_SIZE];
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "audit"), i, row) audit_row(&table, row);
    if (i > 0)
        table_print(&table, stdout);
    else
        puts(say("nothing was changed"));
    if (!json_is_null(json_object_get(answer, "next")))
        fprintf(stderr, say("there may be more: --after %s\n"),
                show_number(text, answer, "next"));
    table_fini(&table);
}

static enum err list(struct client *client, const struct audit_args *args,
                     struct err_text *why)
{
    struct buf path = {0};
    char limit[SHOW_SIZE];
    json_t *answer = NULL;
    snprintf(limit, sizeof limit, "%.0f", args->limit);
    buf_text(&path, "/api/v1/audit");
    client_param(&path, "limit", isnan(args->limit) ? NULL : limit);
    client_param(&path, "after", args->after);
    enum err err = client_get(client, path.data, &answer, why);
    buf_fini(&path);
    if (err == ERR_OK && !args->wants_json)
        print_rows(answer);
    if (err == ERR_OK && args->wants_json)
        show_json(answer);
    else
        json_decref(answer);
    return err;
}

/* Rows cut off at the end show only against a hash that was noted before. */
static enum err find_hash(struct client *client, const char *hash, struct err_text *why)
{
    json_int_t after = 0;
    for (;;) {
        char path[80];
        json_t *answer = NULL;
        snprintf(path, sizeof path, "/api/v1/audit?limit=1000&after=%" PRId64,
                 (int64_t)after);
        enum err err = client_get(client, path, &answer, why);
        if (err != ERR_OK)
            return err;
        size_t i;
        json_t *row;
        bool is_found = false;
        json_array_foreach(json_object_get(answer, "audit"), i, row) is_found =
            is_found || strcmp(show_text(row, "hash"), hash) == 0;
        const json_t *next = json_object_get(answer, "next");
        bool is_end = !json_is_integer(next);
        after = json_integer_value(next);
        json_decref(answer);
        if (is_found)
            return ERR_OK;
        if (is_end)
            return err_set(why, ERR_CORRUPT,
                           say("the audit does not hold that hash: rows were cut off, or "
                               "written anew"));
    }
}

static enum err verify(struct client *client, const struct audit_args *args,
                       struct err_text *why)
{
    char rows[SHOW_SIZE];
    char seq[SHOW_SIZE];
    json_t *answer = NULL;
    enum err err = client_get(client, "/api/v1/audit/verify", &answer, why);
    if (err != ERR_OK)
        return err;
    if (!json_is_true(json_object_get(answer, "holds")))
        err = err_set(why, ERR_CORRUPT, say("the chain breaks at row %s: %s"),
                      show_number(seq, answer, "broken_at"), show_text(answer, "why"));
    else if (args->last_hash != NULL)
        err = find_hash(client, args->last_hash, why);
    if (args->wants_json) {
        show_json(answer);
        return err;
    }
    if (err == ERR_OK)
        printf(say("the chain holds: %s rows, last hash %s\n"),
               show_number(rows, answer, "rows"), show_text(answer, "last_hash"));
    json_decref(answer);
    return err;
}

static int audit_run(int argc, char **argv)
{
    struct audit_args args = {.limit = (double)NAN};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("audit", "%s", why.text);
    const char *verb = argc > 1 ? argv[1] : "list";
    bool is_verify = strcmp(verb, "verify") == 0;
    if (argc > 2 || (!is_verify && strcmp(verb, "list") != 0))
        return command_usage("audit", "say 'list' or 'verify'");
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = is_verify ? verify(client, &args, &why) : list(client, &args, &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail("audit", err, &why);
}

const struct command audit_command = {
    .name = "audit",
    .summary = "who changed what, when and why",
    .verbs = "list verify",
    .usage = "[list] [--limit N] [--after SEQ] [--json] [options]\n"
             "verify [--last-hash HASH] [--json] [options]\n",
    .about = "Every command has a row, applied or refused, with old and new of what it "
             "changed.\n"
             "verify recomputes the chain of hashes and says where it breaks. Note the "
             "last hash elsewhere from time to time: rows cut off at the end show only "
             "against it (--last-hash).\n",
    .options = options,
    .examples = "coldchainctl audit\n"
                "coldchainctl audit --json | jq '.audit[] | select(.actor==\"wang\")'\n"
                "coldchainctl audit verify\n",
    .statuses = "0 shown; the chain holds\n"
                "1 the chain is broken, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = audit_run,
};
