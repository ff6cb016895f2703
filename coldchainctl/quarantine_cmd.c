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

struct quarantine_args {
    struct client_args client;
    double limit;
    const char *after;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct quarantine_args, client),
    {.name = "limit",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct quarantine_args, limit),
     .least = 1,
     .most = 1000,
     .value = "a number of entries",
     .arg = "N",
     .help = "at most so many (100; up to 1000)"},
    {.name = "after",
     .type = OPTION_TEXT,
     .offset = offsetof(struct quarantine_args, after),
     .value = "what the page before said",
     .arg = "A",
     .help = "the page that follows, as the one before said"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct quarantine_args, wants_json),
     .help = "the API's answer, with the first bytes of each"},
    {.name = NULL},
};

static void entry_row(struct table *table, const json_t *entry)
{
    char text[SHOW_SIZE];
    table_cell(table, "%s", show_time(text, entry, "arrived"));
    table_cell(table, "%s", show_text(entry, "topic"));
    table_cell(table, "%s", show_word(entry, "reason", NULL));
    table_cell(table, "%s", show_number(text, entry, "size"));
    table_cell(table, "%s", show_word(entry, "detail", NULL));
}

static void print_counts(const json_t *counts)
{
    const char *reason;
    json_t *count;
    const char *between = say("ever: ");
    json_object_foreach((json_t *)(uintptr_t)counts, reason, count)
    {
        printf("%s%s %" PRId64, between, say_word(reason),
               (int64_t)json_integer_value(count));
        between = say(", ");
    }
    puts(json_object_size(counts) > 0 ? "" : say("nothing was ever put into quarantine"));
}

static void print_answer(const json_t *answer)
{
    struct table table = {.headings = {"ARRIVED", "TOPIC", "REASON", ">BYTES", "DETAIL"}};
    char text[SHOW_SIZE];
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(answer, "quarantine"), i, entry)
        entry_row(&table, entry);
    if (i > 0)
        table_print(&table, stdout);
    print_counts(json_object_get(answer, "counts"));
    if (!json_is_null(json_object_get(answer, "next")))
        fprintf(stderr, say("there may be more: --after %s\n"),
                json_is_string(json_object_get(answer, "next"))
                    ? show_text(answer, "next")
                    : show_number(text, answer, "next"));
    table_fini(&table);
}

static enum err ask(const struct quarantine_args *args, json_t **answer,
                    struct err_text *why)
{
    struct buf path = {0};
    char limit[SHOW_SIZE];
    struct client *client;
    snprintf(limit, sizeof limit, "%.0f", args->limit);
    buf_text(&path, "/api/v1/quarantine");
    client_param(&path, "limit", isnan(args->limit) ? NULL : limit);
    client_param(&path, "after", args->after);
    enum err err = client_open(&client, &args->client, why);
    if (err == ERR_OK)
        err = client_get(client, path.data, answer, why);
    client_close(client);
    buf_fini(&path);
    return err;
}

static int quarantine_run(int argc, char **argv)
{
    struct quarantine_args args = {.limit = (double)NAN};
    struct err_text why = {""};
    json_t *answer = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("quarantine", "%s", why.text);
    if (argc > 1)
        return command_usage("quarantine", "nothing is expected behind the options");
    enum err err = ask(&args, &answer, &why);
    if (err != ERR_OK)
        return command_fail("quarantine", err, &why);
    if (args.wants_json) {
        show_json(answer);
        return COMMAND_OK;
    }
    print_answer(answer);
    json_decref(answer);
    return COMMAND_OK;
}

const struct command quarantine_command = {
    .name = "quarantine",
    .summary = "messages that could not be used, and why",
    .usage = "[--limit N] [--after A] [--json] [options]\n",
    .about = "What arrived and could not be read, or was refused by another store: "
             "kept, counted by reason, never in the way of what came behind it. The "
             "oldest first.\n",
    .options = options,
    .examples = "coldchainctl quarantine\n"
                "coldchainctl quarantine --json | jq '.counts'\n",
    .statuses = "0 shown\n"
                "1 the API could not be asked\n"
                "2 wrong usage\n",
    .run = quarantine_run,
};
