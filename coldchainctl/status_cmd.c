// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

#define FACT_COLUMNS 12

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

/* What is stored and not yet evaluated or written to the history. */
static void print_lag(const json_t *status, const char *key)
{
    char text[SHOW_SIZE];
    int64_t synced = json_integer_value(json_object_get(status, "synced"));
    int64_t at = json_integer_value(json_object_get(status, key));
    show_fact(FACT_COLUMNS, key, "%s%s", show_number(text, status, key),
              at >= synced ? "" : say(" (behind)"));
}

static void print_incidents(const json_t *list)
{
    size_t needed = 0;
    size_t i;
    json_t *incident;
    json_array_foreach((json_t *)(uintptr_t)list, i, incident) needed +=
        !json_is_true(json_object_get(incident, "acknowledged"));
    show_fact(FACT_COLUMNS, "incidents", "%zu not closed, %zu of them need somebody",
              json_array_size(list), needed);
}

static void print_answers(const struct answers *answers)
{
    const json_t *status = answers->status;
    char text[SHOW_SIZE];
    bool is_connected = json_is_true(json_object_get(status, "connected"));
    show_fact(FACT_COLUMNS, "ready", "%s",
              answers->is_ready ? say("yes") : answers->not_ready.text);
    show_fact(FACT_COLUMNS, "version", "%s", show_text(status, "version"));
    show_fact(FACT_COLUMNS, "broker", "%s",
              is_connected ? say("connected") : say("NOT REACHED"));
    show_fact(FACT_COLUMNS, "devices", "%s", show_number(text, status, "devices"));
    print_incidents(json_object_get(answers->incidents, "incidents"));
    show_fact(FACT_COLUMNS, "journal", "%s", show_number(text, status, "synced"));
    print_lag(status, "evaluated");
    print_lag(status, "history");
    size_t i;
    json_t *sink;
    json_array_foreach(answers->sinks, i, sink)
    {
        const char *error = json_string_value(json_object_get(sink, "last_error"));
        bool has_error = error != NULL && error[0] != '\0';
        show_fact(FACT_COLUMNS, show_text(sink, "name"), "%s%s%s",
                  show_word(sink, "state", NULL), has_error ? ": " : "",
                  has_error ? error : "");
    }
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
