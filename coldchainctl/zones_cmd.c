// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

struct zones_args {
    struct client_args client;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct zones_args, client),
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct zones_args, wants_json),
     .help = "the API's answer"},
    {.name = NULL},
};

static void band_cell(struct table *table, const json_t *zone)
{
    char low[SHOW_SIZE];
    char high[SHOW_SIZE];
    table_cell(table, "%s..%s", show_number(low, zone, "band_low"),
               show_number(high, zone, "band_high"));
}

/* Of the air: the band of a zone says nothing about its batteries. */
static const char *judge(const json_t *zone, const json_t *channel, bool *is_alarm)
{
    const json_t *value = json_object_get(channel, "value");
    const json_t *low = json_object_get(zone, "band_low");
    const json_t *high = json_object_get(zone, "band_high");
    *is_alarm = true;
    if (strcmp(show_text(channel, "quality"), "good") != 0)
        return show_word(channel, "quality", "quality");
    if (strcmp(show_text(channel, "quantity"), "air_temperature") != 0 ||
        !json_is_number(value) || (!json_is_number(low) && !json_is_number(high))) {
        *is_alarm = false;
        return "-";
    }
    if (json_is_number(low) && json_number_value(value) < json_number_value(low))
        return say("BELOW");
    if (json_is_number(high) && json_number_value(value) > json_number_value(high))
        return say("ABOVE");
    *is_alarm = false;
    return say("in band");
}

static void channel_row(struct table *table, const json_t *zone, const json_t *channel)
{
    char text[SHOW_SIZE];
    table_cell(table, "%s", show_text(zone, "id"));
    table_cell(table, "%s", show_text(zone, "name"));
    table_cell(table, "%s", show_text(channel, "device"));
    table_cell(table, "%s", show_text(channel, "channel"));
    table_cell(table, "%s", show_number(text, channel, "value"));
    table_cell(table, "%s", show_text(channel, "unit"));
    band_cell(table, zone);
    bool is_alarm;
    table_cell(table, "%s", judge(zone, channel, &is_alarm));
    if (is_alarm)
        table_alarm(table);
    table_cell(table, "%s", show_age(text, channel, "age_ms"));
}

static void empty_row(struct table *table, const json_t *zone)
{
    table_cell(table, "%s", show_text(zone, "id"));
    table_cell(table, "%s", show_text(zone, "name"));
    for (int i = 0; i < 4; i++)
        table_cell(table, "-");
    band_cell(table, zone);
    table_cell(table, "%s", say("never heard"));
    table_cell(table, "-");
}

static void print_zones(const json_t *zones)
{
    struct table table = {.headings = {"ZONE", "NAME", "DEVICE", "CHANNEL", ">VALUE",
                                       "UNIT", ">BAND", "STATE", ">AGE"}};
    size_t i;
    size_t k;
    json_t *zone;
    json_t *channel;
    json_array_foreach((json_t *)(uintptr_t)zones, i, zone)
    {
        const json_t *channels = json_object_get(zone, "channels");
        if (json_array_size(channels) == 0)
            empty_row(&table, zone);
        json_array_foreach((json_t *)(uintptr_t)channels, k, channel)
            channel_row(&table, zone, channel);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

/* The zone of that name alone; false when there is none. */
static bool keep_one(json_t **zones, const char *name)
{
    json_t *kept = json_array();
    size_t i;
    json_t *zone;
    json_array_foreach(*zones, i, zone)
    {
        if (strcmp(show_text(zone, "id"), name) == 0)
            json_array_append(kept, zone);
    }
    json_decref(*zones);
    *zones = kept;
    return json_array_size(kept) > 0;
}

static enum err ask(const struct zones_args *args, json_t **zones, struct err_text *why)
{
    struct client *client;
    enum err err = client_open(&client, &args->client, why);
    if (err == ERR_OK)
        err = client_get(client, "/api/v1/zones", zones, why);
    client_close(client);
    return err;
}

static int zones_run(int argc, char **argv)
{
    struct zones_args args = {0};
    struct err_text why = {""};
    json_t *zones = NULL;
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("zones", "%s", why.text);
    if (argc > 2)
        return command_usage("zones", "one zone at most is named");
    enum err err = ask(&args, &zones, &why);
    if (err == ERR_OK && argc == 2 && !keep_one(&zones, argv[1]))
        err = err_set(&why, ERR_NOT_FOUND,
                      say("there is no zone '%.64s'; 'coldchainctl zones' lists them"),
                      argv[1]);
    if (err != ERR_OK) {
        json_decref(zones);
        return command_fail("zones", err, &why);
    }
    if (args.wants_json) {
        show_json(zones);
        return COMMAND_OK;
    }
    if (json_array_size(zones) == 0)
        fputs(say("no zones are configured: name them under 'sites:' in the collector's "
                  "configuration\n"),
              stderr);
    else
        print_zones(zones);
    json_decref(zones);
    return COMMAND_OK;
}

const struct command zones_command = {
    .name = "zones",
    .summary = "zones with the last value of each channel and its age",
    .usage = "[ZONE] [--json] [options]\n",
    .about = "Every zone, or one, with the last value of each channel that measures "
             "it, its band and its age. STATE judges the air only, by the zone's band; "
             "'never heard' means that no reading of a channel placed there has come.\n",
    .options = options,
    .examples = "coldchainctl zones\n"
                "coldchainctl zones room-1 --json\n",
    .statuses = "0 shown\n"
                "1 no such zone or the API could not be asked\n"
                "2 wrong usage\n",
    .run = zones_run,
};
