// SPDX-License-Identifier: Apache-2.0
/*
 * channels_cmd - how people are told: which channels there are, and a test of one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"
#include "collector/notify/template.h"

#define WAIT_MS 30000 /* for the answer to a test */
#define LOOK_NS 100000000

struct channels_args {
    struct client_args client;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct channels_args, client),
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct channels_args, wants_json),
     .help = "the API's answer"},
    {.name = NULL},
};

/* ---- list -------------------------------------------------------------------------- */

static void channel_row(struct table *table, const json_t *channel)
{
    char text[SHOW_SIZE];
    const char *state = show_text(channel, "state");
    table_cell(table, "%s", show_text(channel, "name"));
    table_cell(table, "%s", show_text(channel, "kind"));
    table_cell(table, "%s", say_of("channel", state));
    if (strcmp(state, "ok") != 0 && strcmp(state, "unused") != 0)
        table_alarm(table);
    table_cell(table, "%s", show_yes_no(channel, "can_ring_now"));
    table_cell(table, "%s", show_number(text, channel, "tokens"));
    table_cell(table, "%s", show_time(text, channel, "last_at"));
    table_cell(table, "%s", show_text(channel, "last_result"));
}

static enum err list(struct client *client, const struct channels_args *args,
                     struct err_text *why)
{
    json_t *channels = NULL;
    struct table table = {.headings = {"CHANNEL", "KIND", "STATE", "RINGS", ">TOKENS",
                                       "LAST TRY", "RESULT"}};
    size_t i;
    json_t *channel;
    enum err err = client_get(client, "/api/v1/alarm-channels", &channels, why);
    if (err != ERR_OK)
        return err;
    if (args->wants_json) {
        show_json(channels);
        return ERR_OK;
    }
    json_array_foreach(channels, i, channel) channel_row(&table, channel);
    if (i > 0)
        table_print(&table, stdout);
    else
        puts(say("no channels: nobody is told; see 'channels' in docs/alarms.md"));
    table_fini(&table);
    json_decref(channels);
    return ERR_OK;
}

/* ---- test -------------------------------------------------------------------------- */

static json_int_t message_of(const json_t *answer)
{
    const json_t *id = json_object_get(answer, "message");
    if (id == NULL)
        id = json_object_get(json_object_get(answer, "result"), "message");
    return json_integer_value(id);
}

/* The row, once something was answered to an attempt; NULL while nothing was. */
static enum err look(struct client *client, json_int_t id, json_t **row,
                     struct err_text *why)
{
    char path[80];
    json_t *page = NULL;
    snprintf(path, sizeof path, "/api/v1/outbox?limit=1&after=%" PRId64, (int64_t)id - 1);
    enum err err = client_get(client, path, &page, why);
    *row = NULL;
    if (err != ERR_OK)
        return err;
    json_t *message = json_array_get(json_object_get(page, "messages"), 0);
    if (json_integer_value(json_object_get(message, "id")) == id &&
        json_string_length(json_object_get(message, "last_result")) > 0)
        *row = json_incref(message);
    json_decref(page);
    return ERR_OK;
}

static enum err wait_for(struct client *client, json_int_t id, json_t **row,
                         struct err_text *why)
{
    const struct timespec nap = {.tv_nsec = LOOK_NS};
    int64_t end_ms = clock_real_ms() + WAIT_MS;
    enum err err = look(client, id, row, why);
    while (err == ERR_OK && *row == NULL && clock_real_ms() < end_ms) {
        nanosleep(&nap, NULL);
        err = look(client, id, row, why);
    }
    if (err == ERR_OK && *row == NULL)
        return err_set(why, ERR_TIMEOUT,
                       say("no answer within 30 s; it is tried on: see 'coldchainctl "
                           "channels'"));
    return err;
}

static enum err tell(const char *name, const json_t *row, struct err_text *why)
{
    const char *said = show_text(row, "last_result");
    if (strcmp(show_text(row, "state"), "done") == 0) {
        printf(say("%s: delivered: %s\n"), name, said);
        return ERR_OK;
    }
    return err_set(why, ERR_OFFLINE, say("%.80s: not delivered: %.200s"), name, said);
}

static enum err test(struct client *client, const struct channels_args *args,
                     const char *name, struct err_text *why)
{
    struct buf path = {0};
    json_t *answer = NULL;
    json_t *row = NULL;
    buf_text(&path, "/api/v1/alarm-channels/");
    template_add_url(name, &path);
    buf_text(&path, "/test");
    enum err err = client_post(client, path.data, NULL, &answer, why);
    buf_fini(&path);
    if (err == ERR_OK)
        err = wait_for(client, message_of(answer), &row, why);
    json_decref(answer);
    if (err == ERR_OK && args->wants_json)
        show_json(json_incref(row));
    else if (err == ERR_OK)
        err = tell(name, row, why);
    json_decref(row);
    return err;
}

static int run_as(const char *command, int argc, char **argv)
{
    struct channels_args args = {0};
    struct err_text why = {""};
    struct client *client = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage(command, "%s", why.text);
    bool is_test = argc == 3 && strcmp(argv[1], "test") == 0;
    bool is_list = argc == 1 || (argc == 2 && strcmp(argv[1], "list") == 0);
    if (!is_test && !is_list)
        return command_usage(command, "say list, or test and the name of one channel");
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = is_test ? test(client, &args, argv[2], &why) : list(client, &args, &why);
    client_close(client);
    return err == ERR_OK ? COMMAND_OK : command_fail(command, err, &why);
}

static int channels_run(int argc, char **argv)
{
    return run_as("channels", argc, argv);
}

static int channel_run(int argc, char **argv)
{
    return run_as("channel", argc, argv);
}

const struct command channels_command = {
    .name = "channels",
    .summary = "how people are told of incidents, and whether it works",
    .verbs = "list",
    .usage = "[list] [--json] [options]\n",
    .about =
        "RINGS says whether it would wake somebody now; TOKENS how many messages may "
        "go at once before they are gathered into one. RESULT is what the service "
        "said last.\n",
    .options = options,
    .examples = "coldchainctl channels\n",
    .statuses = "0 shown\n"
                "1 the API could not be asked\n"
                "2 wrong usage\n",
    .run = channels_run,
};

const struct command channel_command = {
    .name = "channel",
    .summary = "send a test message the way of an alarm",
    .verbs = "test",
    .usage = "test NAME [--json] [options]\n",
    .about =
        "The message goes through journal, outbox and limits like an alarm; what the "
        "service answered to the first attempt is printed. Where people can answer, it "
        "ends in a code: answer it, and the collector says that the test was answered.\n",
    .options = options,
    .examples = "coldchainctl channel test duty-mail\n",
    .statuses = "0 delivered\n"
                "1 not delivered, no such channel, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = channel_run,
};
