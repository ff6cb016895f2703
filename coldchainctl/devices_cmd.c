// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

struct devices_args {
    struct client_args client;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct devices_args, client),
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct devices_args, wants_json),
     .help = "the API's answer"},
    {.name = NULL},
};

/* Packs that came ahead of a gap, over all epochs. */
static int64_t waiting_of(const json_t *device)
{
    int64_t count = 0;
    size_t i;
    json_t *epoch;
    json_array_foreach(json_object_get(device, "epochs"), i, epoch) count +=
        json_integer_value(json_object_get(epoch, "waiting"));
    return count;
}

/* Whether the zones' rules that it is to know are in force there. */
static const char *rules_of(const json_t *device)
{
    const char *wanted = json_string_value(json_object_get(device, "config_wanted"));
    const char *known = json_string_value(json_object_get(device, "config_version"));
    if (wanted == NULL)
        return known == NULL ? "-" : say("old");
    if (known == NULL)
        return say("none");
    if (strcmp(wanted, known) != 0)
        return say("old");
    bool is_whole = json_array_size(json_object_get(device, "config_unknown")) == 0 &&
                    json_integer_value(json_object_get(device, "config_left_out")) == 0;
    return is_whole ? say("yes") : say("part");
}

static void device_row(struct table *table, const json_t *device)
{
    char text[SHOW_SIZE];
    table_cell(table, "%s/%s", show_text(device, "org"), show_text(device, "id"));
    table_cell(table, "%s", show_yes_no(device, "declared"));
    table_cell(table, "%s", show_yes_no(device, "online"));
    table_cell(table, "%s", show_text(device, "version"));
    table_cell(table, "%s", show_time(text, device, "last_arrival"));
    table_cell(table, "%s", show_number(text, device, "readings"));
    table_cell(table, "%zu", json_array_size(json_object_get(device, "channels")));
    table_cell(table, "%" PRId64, waiting_of(device));
    table_cell(table, "%s", say_of("rules", rules_of(device)));
}

static void print_devices(const json_t *devices)
{
    struct table table = {.headings = {"DEVICE", "DECLARED", "ONLINE", "VERSION",
                                       "LAST ARRIVAL", ">READINGS", ">CHANNELS",
                                       ">WAITING", "RULES"}};
    size_t i;
    json_t *device;
    json_array_foreach((json_t *)(uintptr_t)devices, i, device)
        device_row(&table, device);
    table_print(&table, stdout);
    table_fini(&table);
}

static int devices_run(int argc, char **argv)
{
    struct devices_args args = {0};
    struct err_text why = {""};
    struct client *client = NULL;
    json_t *devices = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("devices", "%s", why.text);
    if (argc > 1)
        return command_usage("devices", "nothing is expected behind the options");
    enum err err = client_open(&client, &args.client, &why);
    if (err == ERR_OK)
        err = client_get(client, "/api/v1/devices", &devices, &why);
    client_close(client);
    if (err != ERR_OK)
        return command_fail("devices", err, &why);
    if (args.wants_json) {
        show_json(devices);
        return COMMAND_OK;
    }
    print_devices(devices);
    json_decref(devices);
    return COMMAND_OK;
}

const struct command devices_command = {
    .name = "devices",
    .summary = "devices, declared or only seen, and how far each was taken",
    .usage = "[--json] [options]\n",
    .about =
        "Every device that is declared in the configuration or was ever heard of. "
        "WAITING counts packs that came ahead of a gap and wait for what is "
        "missing. RULES says whether the rules of its zones are in force in the device, "
        "which then sends at once what leaves their bands: yes, part (it is older than its "
        "zones' settings, and does not know all of them; 'doctor' says what), old (it "
        "will take them), none (it does not act on them, or has not said so), - (it measures "
        "no zone). --json also says the last value of each channel, and per epoch "
        "what was taken.\n",
    .options = options,
    .examples =
        "coldchainctl devices\n"
        "coldchainctl devices --json | jq '.[] | select(.online == false) | .id'\n",
    .statuses = "0 shown\n"
                "1 the API could not be asked\n"
                "2 wrong usage\n",
    .run = devices_run,
};
