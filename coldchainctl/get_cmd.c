// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"

#define API_PREFIX "/api/v1/"

struct get_args {
    struct client_args client;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct get_args, client),
    {.name = NULL},
};

/* INVALID: a parameter without a name or value. */
static enum err make_path(struct buf *path, int argc, char **argv, struct err_text *why)
{
    if (argv[1][0] != '/')
        buf_text(path, API_PREFIX);
    buf_text(path, argv[1]);
    for (int i = 2; i < argc; i++) {
        const char *equals = strchr(argv[i], '=');
        if (equals == NULL || equals == argv[i])
            return err_set(why, ERR_INVALID, say("'%s' is not NAME=VALUE"), argv[i]);
        char *name = mem_strndup(argv[i], (size_t)(equals - argv[i]));
        client_param(path, name, equals + 1);
        free(name);
    }
    return ERR_OK;
}

static void print_answer(const struct buf *answer)
{
    if (answer->len == 0)
        return;
    fwrite(answer->data, 1, answer->len, stdout);
    if (answer->data[answer->len - 1] != '\n')
        putchar('\n');
}

static int get_run(int argc, char **argv)
{
    struct get_args args = {0};
    struct err_text why = {""};
    struct client *client = NULL;
    struct buf path = {0};
    struct buf answer = {0};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("get", "%s", why.text);
    if (argc < 2)
        return command_usage("get", "say which path, such as placements");
    if (make_path(&path, argc, argv, &why) != ERR_OK) {
        buf_fini(&path);
        return command_usage("get", "%s", why.text);
    }
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = client_fetch(client, path.data, &answer, &why);
    client_close(client);
    if (err == ERR_OK)
        print_answer(&answer);
    buf_fini(&path);
    buf_fini(&answer);
    return err == ERR_OK ? COMMAND_OK : command_fail("get", err, &why);
}

const struct command get_command = {
    .name = "get",
    .summary = "whatever the API answers, as it answers it",
    .usage = "PATH [NAME=VALUE...] [options]\n",
    .about =
        "For what has no command of its own: PATH is that of a route without "
        "/api/v1/, NAME=VALUE are its parameters (docs/api.md, or 'get openapi.yaml' "
        "for all of them). Changes are made by 'do'; what changes is followed by 'tail'.\n",
    .options = options,
    .examples =
        "coldchainctl get placements\n"
        "coldchainctl get entities/site limit=100\n"
        "coldchainctl get zones/room-1/series buckets=200 channel=air_temperature\n"
        "coldchainctl get /metrics\n",
    .statuses = "0 shown\n"
                "1 the API refuses, or could not be asked\n"
                "2 wrong usage\n",
    .run = get_run,
};
