// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/progress.h"
#include "coldchainctl/say.h"
#include "coldchainctl/screen.h"
#include "coldchainctl/show.h"
#include "coldchainctl/table.h"

/* Of one request: an answer of these stays well below what a client takes (4 MiB). */
#define PAGE_ROWS  10000
#define TABLE_ROWS 1000
#define SINCE      "24h"

struct readings_args {
    struct client_args client;
    const char *from;
    const char *to;
    const char *channel;
    double limit; /* NaN: not given */
    bool wants_json;
    bool wants_csv;
};

#define FIELD(option, kind, field, what, name_of, about) \
    { \
        .name = option, .type = kind, .offset = offsetof(struct readings_args, field), \
        .value = what, .arg = name_of, .help = about \
    }

static const struct option options[] = {
    CLIENT_OPTIONS(struct readings_args, client),
    FIELD("from", OPTION_TEXT, from, "a time", "T",
          "not before (24h; 0: from the beginning)"),
    FIELD("to", OPTION_TEXT, to, "a time", "T", "before"),
    FIELD("channel", OPTION_TEXT, channel, "a channel", "NAME",
          "of this channel only, such as air_temperature-2"),
    {.name = "limit",
     .type = OPTION_NUMBER,
     .offset = offsetof(struct readings_args, limit),
     .least = 1,
     .most = 1e9,
     .value = "a number of readings",
     .arg = "N",
     .help = "at most so many (a table: 1000, else all)"},
    FIELD("json", OPTION_FLAG, wants_json, NULL, NULL, "an array of objects"),
    FIELD("csv", OPTION_FLAG, wants_csv, NULL, NULL,
          "with a byte order mark, so that spreadsheets see UTF-8"),
    {.name = NULL},
};

/* Page after page, and what was printed of them. */
struct walk {
    const struct readings_args *args;
    struct client *client;
    char *base; /* address and parameters that stay */
    char *from;
    char *to;
    uint64_t left;
    uint64_t printed;
    uint64_t pages;
    bool has_more;
    struct table table;
    struct progress progress;
};

/* A zone's name, or ORG/DEVICE. */
static void put_address(struct buf *path, const char *what)
{
    const char *slash = strchr(what, '/');
    buf_text(path, slash != NULL ? "/api/v1/devices/" : "/api/v1/zones/");
    if (slash != NULL) {
        char *org = mem_strndup(what, (size_t)(slash - what));
        client_escape(path, org);
        buf_text(path, "/");
        free(org);
        what = slash + 1;
    }
    client_escape(path, what);
    buf_text(path, "/readings");
}

static void csv_row(const json_t *row)
{
    char value[SHOW_SIZE];
    char raw[SHOW_SIZE];
    char seq[SHOW_SIZE];
    bool has_value = json_is_number(json_object_get(row, "value"));
    bool has_raw = json_is_number(json_object_get(row, "raw"));
    printf("%s,%s,%s,%s,%s,%s,%s,%s,%s\r\n", show_text(row, "time"),
           show_text(row, "device"), show_text(row, "channel"),
           has_value ? show_number(value, row, "value") : "",
           has_raw ? show_number(raw, row, "raw") : "", show_text(row, "quality"),
           show_text(row, "arrival"), show_text(row, "epoch"),
           show_number(seq, row, "seq"));
}

static void table_row(struct table *table, const json_t *row)
{
    char text[SHOW_SIZE];
    table_cell(table, "%s", show_time(text, row, "time"));
    table_cell(table, "%s", show_text(row, "device"));
    table_cell(table, "%s", show_text(row, "channel"));
    table_cell(table, "%s", show_number(text, row, "value"));
    table_cell(table, "%s", show_word(row, "quality", "quality"));
    table_cell(table, "%s", show_time(text, row, "arrival"));
}

static void print_row(struct walk *walk, json_t *row)
{
    if (walk->args->wants_csv) {
        csv_row(row);
    } else if (walk->args->wants_json) {
        fputs(walk->printed > 0 ? ",\n " : "", stdout);
        show_value(row);
    } else {
        table_row(&walk->table, row);
    }
    walk->printed++;
}

static void begin(const struct readings_args *args)
{
    if (args->wants_csv)
        fputs("\xef\xbb\xbftime,device,channel,value,raw,quality,arrival,epoch,seq\r\n",
              stdout);
    else if (args->wants_json)
        fputs("[", stdout);
}

/* Asks for one page; `from` and `skip` move on to the next. */
static enum err take_page(struct walk *walk, char **from, uint64_t *skip,
                          struct err_text *why)
{
    struct buf path = {0};
    char number[SHOW_SIZE];
    uint64_t limit = walk->left < PAGE_ROWS ? walk->left : PAGE_ROWS;
    buf_text(&path, walk->base);
    client_param(&path, "from", *from);
    snprintf(number, sizeof number, "%" PRIu64, *skip);
    client_param(&path, "skip", *skip > 0 ? number : NULL);
    snprintf(number, sizeof number, "%" PRIu64, limit);
    client_param(&path, "limit", number);
    json_t *page = NULL;
    enum err err = client_get(walk->client, path.data, &page, why);
    buf_fini(&path);
    if (err != ERR_OK)
        return err;
    size_t i;
    json_t *row;
    if (walk->pages++ == 0)
        begin(walk->args);
    json_array_foreach(json_object_get(page, "readings"), i, row) print_row(walk, row);
    const json_t *next = json_object_get(page, "next");
    walk->left -= i < walk->left ? i : walk->left;
    walk->has_more = json_is_object(next);
    free(*from);
    *from = mem_format("%" PRId64,
                       (int64_t)json_integer_value(json_object_get(next, "from")));
    *skip = (uint64_t)json_integer_value(json_object_get(next, "skip"));
    json_decref(page);
    return ERR_OK;
}

static enum err walk_pages(struct walk *walk, struct err_text *why)
{
    uint64_t skip = 0;
    char *from = walk->from != NULL ? mem_strdup(walk->from) : NULL;
    enum err err;
    /* Rows that go to the same terminal show how far it is by themselves. */
    if (screen_room(stdout) == 0)
        progress_begin(&walk->progress, say("export"), say("readings"),
                       walk->left < UINT64_MAX ? walk->left : 0);
    do {
        err = take_page(walk, &from, &skip, why);
        progress_set(&walk->progress, walk->printed);
    } while (err == ERR_OK && walk->has_more && walk->left > 0);
    progress_end(&walk->progress);
    free(from);
    return err;
}

static void finish(const struct walk *walk)
{
    if (walk->args->wants_json)
        fputs("]\n", stdout);
    else if (!walk->args->wants_csv && walk->printed > 0)
        table_print(&walk->table, stdout);
    if (walk->printed == 0)
        fprintf(stderr,
                say("no readings in that time; --from 0 asks for all there are\n"));
    else if (walk->has_more)
        fprintf(stderr, say("there are more than these %" PRIu64 "; raise --limit\n"),
                walk->printed);
}

static enum err show(struct walk *walk, const char *what, struct err_text *why)
{
    const struct readings_args *args = walk->args;
    struct clock clock;
    clock_init(&clock);
    int64_t now_ms = clock_wall_ms(&clock);
    const char *from = args->from != NULL ? args->from : SINCE;
    enum err err = show_parse_time(&walk->from, "from", from, now_ms, why);
    if (err == ERR_OK)
        err = show_parse_time(&walk->to, "to", args->to, now_ms, why);
    if (err == ERR_OK)
        err = client_open(&walk->client, &args->client, why);
    if (err != ERR_OK)
        return err;
    struct buf base = {0};
    put_address(&base, what);
    client_param(&base, "to", walk->to);
    client_param(&base, "channel", args->channel);
    walk->base = buf_take(&base);
    err = walk_pages(walk, why);
    if (err == ERR_OK)
        finish(walk);
    return err;
}

static int readings_run(int argc, char **argv)
{
    struct readings_args args = {.limit = (double)NAN};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("readings", "%s", why.text);
    if (argc != 2)
        return command_usage("readings", "name one zone, or one ORG/DEVICE");
    if (args.wants_json && args.wants_csv)
        return command_usage("readings", "give one of --json and --csv");
    struct walk walk = {
        .args = &args,
        .left = UINT64_MAX,
        .table = {.headings = {"TIME", "DEVICE", "CHANNEL", ">VALUE", "QUALITY",
                               "ARRIVAL"}},
    };
    if (!isnan(args.limit))
        walk.left = (uint64_t)args.limit;
    else if (!args.wants_json && !args.wants_csv)
        walk.left = TABLE_ROWS;
    enum err err = show(&walk, argv[1], &why);
    bool is_asked = walk.base != NULL;
    client_close(walk.client);
    table_fini(&walk.table);
    free(walk.base);
    free(walk.from);
    free(walk.to);
    if (err == ERR_INVALID && !is_asked)
        return command_usage("readings", "%s", why.text);
    return err == ERR_OK ? COMMAND_OK : command_fail("readings", err, &why);
}

const struct command readings_command = {
    .name = "readings",
    .summary = "what was measured in a zone or by a device, as table, CSV or JSON",
    .usage = "ZONE|ORG/DEVICE [--from T] [--to T] [options]\n",
    .about = "Readings in the order of time, exact to the last bit. A zone's are those "
             "of the channels that were placed there at the time. T is "
             "2026-11-23T08:00:00Z, milliseconds since 1970, or 6h for so long ago.\n",
    .options = options,
    .examples =
        "coldchainctl readings room-1 --from 6h\n"
        "coldchainctl readings fengjie/cr-1 --channel air_temperature --from 0 --csv >a.csv\n"
        "coldchainctl readings van-2 --from 2026-11-23T00:00:00Z --to 2026-11-24 --json\n",
    .statuses = "0 shown (also when there are none)\n"
                "1 no such zone or the API could not be asked\n"
                "2 wrong usage\n",
    .run = readings_run,
};
