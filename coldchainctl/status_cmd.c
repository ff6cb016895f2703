// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

struct status_args {
    struct client_args client;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct status_args, client),
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct status_args, wants_json),
     .help = "what the API answered"},
    {.name = NULL},
};

/* What three answers say together; owned by whoever asks. */
struct answers {
    json_t *status;
    json_t *sinks;
    json_t *incidents; /* those that are not closed, as far as one page goes */
    struct err_text not_ready;
    bool is_ready;
};

static void answers_fini(struct answers *answers)
{
    json_decref(answers->status);
    json_decref(answers->sinks);
    json_decref(answers->incidents);
}

static enum err ask(struct client *client, struct answers *answers, struct err_text *why)
{
    json_t *ready = NULL;
    enum err err = client_get(client, "/readyz", &ready, &answers->not_ready);
    answers->is_ready = err == ERR_OK;
    json_decref(ready);
    if (err != ERR_OK && err != ERR_BUSY) {
        *why = answers->not_ready;
        return err;
    }
    err = client_get(client, "/api/v1/status", &answers->status, why);
    if (err == ERR_OK)
        err = client_get(client, "/api/v1/sinks", &answers->sinks, why);
    if (err == ERR_OK)
        err = client_get(client,
                         "/api/v1/incidents?state=open,recovering,unknown&limit=1000",
                         &answers->incidents, why);
    return err;
}

static void line(const char *name, const char *text)
{
    printf("%-12s %s\n", name, text);
}

/* What is stored and not yet evaluated or written to the history. */
static void print_lag(const json_t *status, const char *key)
{
    char text[SHOW_SIZE];
    int64_t synced = json_integer_value(json_object_get(status, "synced"));
    int64_t at = json_integer_value(json_object_get(status, key));
    printf("%-12s %s%s\n", key, show_number(text, status, key),
           at >= synced ? "" : " (behind)");
}

static void print_incidents(const json_t *list)
{
    size_t needed = 0;
    size_t i;
    json_t *incident;
    json_array_foreach((json_t *)(uintptr_t)list, i, incident) needed +=
        !json_is_true(json_object_get(incident, "acknowledged"));
    printf("%-12s %zu not closed, %zu of them need somebody\n", "incidents",
           json_array_size(list), needed);
}

static void print_answers(const struct answers *answers)
{
    const json_t *status = answers->status;
    char text[SHOW_SIZE];
    line("ready", answers->is_ready ? "yes" : answers->not_ready.text);
    line("version", show_text(status, "version"));
    line("broker", json_is_true(json_object_get(status, "connected")) ? "connected"
                                                                      : "NOT REACHED");
    line("devices", show_number(text, status, "devices"));
    print_incidents(json_object_get(answers->incidents, "incidents"));
    line("journal", show_number(text, status, "synced"));
    print_lag(status, "evaluated");
    print_lag(status, "history");
    size_t i;
    json_t *sink;
    json_array_foreach(answers->sinks, i, sink) printf(
        "%-12s %s%s%s\n", show_text(sink, "name"), show_text(sink, "state"),
        strcmp(show_text(sink, "last_error"), "-") != 0 ? ": " : "",
        strcmp(show_text(sink, "last_error"), "-") != 0 ? show_text(sink, "last_error")
                                                        : "");
}

static void print_json(struct answers *answers)
{
    json_t *root = json_pack("{s:b, s:O, s:O}", "ready", answers->is_ready, "status",
                             answers->status, "sinks", answers->sinks);
    if (!answers->is_ready)
        json_object_set_new(root, "not_ready", json_string(answers->not_ready.text));
    show_json(root);
}

static int status_run(int argc, char **argv)
{
    struct status_args args = {0};
    struct answers answers = {0};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("status", "%s", why.text);
    if (argc > 1)
        return command_usage("status", "nothing is expected behind the options");
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = ask(client, &answers, &why);
    if (err == ERR_OK && args.wants_json)
        print_json(&answers);
    else if (err == ERR_OK)
        print_answers(&answers);
    answers_fini(&answers);
    client_close(client);
    if (err != ERR_OK)
        return command_fail("status", err, &why);
    return answers.is_ready ? COMMAND_OK : COMMAND_FAILED;
}

const struct command status_command = {
    .name = "status",
    .summary = "whether the collector does its work, and how far it is",
    .usage = "[--json] [options]\n",
    .about = "Ready, broker, devices, open incidents, and how far the journal is "
             "evaluated and written to the stores (positions; 'behind' is normal for "
             "moments).\n",
    .options = options,
    .examples =
        "coldchainctl status\n"
        "coldchainctl status --api http://10.0.0.5:8480 --token-file ~/.coldchain-token\n",
    .statuses = "0 ready\n"
                "1 not ready or not reachable\n"
                "2 wrong usage\n",
    .run = status_run,
};
