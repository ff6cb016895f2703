// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/logger_file.h"
#include "coldchainctl/placing.h"
#include "coldchainctl/progress.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

#define FACT_COLUMNS      12
#define APPLIED_WITHIN_MS 120000
#define ASK_EACH_MS       200

struct import_args {
    struct client_args client;
    const char *columns;
    const char *device;
    const char *zone;
    bool is_partial;
    bool is_whole;
    bool wants_json;
};

#define FIELD(option, kind, field, what, name_of, about) \
    { \
        .name = option, .type = kind, .offset = offsetof(struct import_args, field), \
        .value = what, .arg = name_of, .help = about \
    }

static const struct option options[] = {
    FIELD("columns", OPTION_TEXT, columns, "time=HEADING,CHANNEL=HEADING", "MAP",
          "time=NAME[@iso|s|ms|utc|+08:00],CHANNEL=NAME[@UNIT],...; C, F, % or a unit of "
          "SenML; #3 is the third column"),
    FIELD("device", OPTION_TEXT, device, "ORG/ID", "ORG/ID", "whose readings they are"),
    FIELD("zone", OPTION_TEXT, zone, "a zone", "ZONE",
          "what the logger measured: it is placed there for the time of the file"),
    FIELD("partial", OPTION_FLAG, is_partial, NULL, NULL,
          "leave out what cannot be read, instead of refusing the file"),
    FIELD("whole", OPTION_FLAG, is_whole, NULL, NULL,
          "the last line is all there although it has no end"),
    FIELD("json", OPTION_FLAG, wants_json, NULL, NULL, "the report as an object"),
    CLIENT_OPTIONS(struct import_args, client),
    {.name = NULL},
};

struct import {
    const struct import_args *args;
    struct client *client;
    struct logger_file file;
    char org[65];
    char device[65];
    bool is_known; /* was imported before */
    bool is_placed;
    size_t placed_now; /* pieces of time */
};

static enum err split_device(struct import *import, const char *text,
                             struct err_text *why)
{
    int end = 0;
    if (sscanf(text, "%64[A-Za-z0-9_-]/%64[A-Za-z0-9_-]%n", import->org, import->device,
               &end) != 2 ||
        text[end] != '\0')
        return err_set(why, ERR_INVALID, say("--device takes ORG/ID, not '%.80s'"), text);
    return ERR_OK;
}

/* Its bytes, if nobody writes to it meanwhile. */
static enum err read_quiet(const char *path, struct buf *data, struct err_text *why)
{
    struct stat before;
    struct stat after;
    bool was_there = stat(path, &before) == 0;
    enum err err = file_read(data, path, LOGGER_FILE_MAX, why);
    if (err == ERR_OK && was_there && stat(path, &after) == 0 &&
        (before.st_size != after.st_size ||
         before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
         before.st_mtim.tv_nsec != after.st_mtim.tv_nsec ||
         (uint64_t)after.st_size != data->len))
        err = err_set(
            why, ERR_BUSY,
            say("%.200s changed while it was read; nothing was imported: take it once "
                "it is whole"),
            path);
    return err;
}

/* How many packs of the file the collector holds without a gap. */
static enum err ask_held(struct import *import, uint64_t *through, struct err_text *why)
{
    json_t *devices = NULL;
    size_t i;
    size_t k;
    json_t *device;
    json_t *epoch;
    *through = 0;
    enum err err = client_get(import->client, "/api/v1/devices", &devices, why);
    json_array_foreach(devices, i, device)
    {
        if (strcmp(show_text(device, "org"), import->org) != 0 ||
            strcmp(show_text(device, "id"), import->device) != 0)
            continue;
        json_array_foreach(json_object_get(device, "epochs"), k, epoch)
        {
            if (strcmp(show_text(epoch, "epoch"), import->file.epoch) == 0)
                *through =
                    (uint64_t)json_integer_value(json_object_get(epoch, "through"));
        }
    }
    json_decref(devices);
    return err;
}

static enum err place_logger(struct import *import, const json_t *placements,
                             struct err_text *why)
{
    const struct placing placing = {.org = import->org,
                                    .device = import->device,
                                    .zone = import->args->zone,
                                    .columns = import->args->columns,
                                    .epoch = import->file.epoch,
                                    .from_ms = import->file.first_ms,
                                    .to_ms = import->file.last_ms + 1};
    import->is_placed = true;
    return placing_make(&placing, placements, import->client, &import->placed_now, why);
}

/* Before the readings come, so that the rules judge them where they were. */
static enum err ask_placed(struct import *import, struct err_text *why)
{
    json_t *placements = NULL;
    size_t i;
    json_t *placement;
    enum err err = client_get(import->client, "/api/v1/placements", &placements, why);
    json_array_foreach(placements, i, placement) import->is_placed |=
        strcmp(show_text(placement, "org"), import->org) == 0 &&
        strcmp(show_text(placement, "device"), import->device) == 0;
    if (err == ERR_OK && import->args->zone != NULL)
        err = place_logger(import, placements, why);
    json_decref(placements);
    return err;
}

static enum err send_packs(struct import *import, struct err_text *why)
{
    struct progress progress;
    enum err err = ERR_OK;
    progress_begin(&progress, say("import"), say("packs"), import->file.count);
    for (size_t i = 0; err == ERR_OK && i < import->file.count; i++) {
        char path[256];
        json_t *answer = NULL;
        snprintf(path, sizeof path, "/api/v1/devices/%s/%s/packs?epoch=%s&seq=%zu",
                 import->org, import->device, import->file.epoch, i + 1);
        err = client_send(import->client, path, "application/senml+json",
                          import->file.packs[i].data, import->file.packs[i].len, &answer,
                          why);
        json_decref(answer);
        progress_add(&progress, 1);
    }
    progress_end(&progress);
    return err;
}

static enum err wait_applied(struct import *import, struct err_text *why)
{
    int64_t end_ms = clock_real_ms() + APPLIED_WITHIN_MS;
    for (;;) {
        uint64_t through;
        enum err err = ask_held(import, &through, why);
        if (err != ERR_OK || through >= import->file.count)
            return err;
        if (clock_real_ms() > end_ms)
            return err_set(
                why, ERR_TIMEOUT,
                say("the file is stored and not yet evaluated; 'coldchainctl "
                    "status' says how far the collector is, importing again does "
                    "no harm"));
        nanosleep(&(struct timespec){.tv_nsec = ASK_EACH_MS * 1000000L}, NULL);
    }
}

static void report_text(const struct import *import, const char *path)
{
    const struct logger_file *file = &import->file;
    char first[CLOCK_ISO_MAX];
    char last[CLOCK_ISO_MAX];
    printf("%s: %s\n", path,
           !import->is_known        ? say("imported")
           : import->placed_now > 0 ? say("imported before, placed now")
                                    : say("imported before, nothing was changed"));
    show_fact(FACT_COLUMNS, "device", "%s/%s, epoch %s", import->org, import->device,
              file->epoch);
    show_fact(FACT_COLUMNS, "rows", "%zu, %zu readings, %s to %s", file->rows,
              file->readings, clock_format_iso(first, file->first_ms),
              clock_format_iso(last, file->last_ms));
    if (file->refused > 0)
        show_fact(FACT_COLUMNS, "left out", "%zu rows; the first: %s", file->refused,
                  file->first_refusal.text);
    if (import->args->zone != NULL)
        show_fact(FACT_COLUMNS, "placed",
                  import->placed_now > 0 ? say("in %s for the time of the file, late")
                                         : say("in %s, as before"),
                  import->args->zone);
    if (!import->is_placed)
        show_fact(FACT_COLUMNS, "placed",
                  "nowhere: the readings are kept, and count for a zone once %s/%s "
                  "is placed in it",
                  import->org, import->device);
}

static void report_json(const struct import *import)
{
    const struct logger_file *file = &import->file;
    char first[CLOCK_ISO_MAX];
    char last[CLOCK_ISO_MAX];
    show_json(json_pack(
        "{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:s?, s:b}", "org",
        import->org, "device", import->device, "epoch", file->epoch, "new",
        !import->is_known, "rows", (json_int_t)file->rows, "readings",
        (json_int_t)file->readings, "packs", (json_int_t)file->count, "left_out",
        (json_int_t)file->refused, "first_refusal", file->first_refusal.text, "from",
        clock_format_iso(first, file->first_ms), "to",
        clock_format_iso(last, file->last_ms), "placed", import->is_placed, "zone",
        import->args->zone, "placed_now", import->placed_now > 0));
}

static enum err import_file(struct import *import, const char *path, struct err_text *why)
{
    const struct import_args *args = import->args;
    const struct logger_options logger = {.columns = args->columns,
                                          .org = import->org,
                                          .device = import->device,
                                          .is_partial = args->is_partial,
                                          .is_whole = args->is_whole};
    struct buf data = {0};
    uint64_t through = 0;
    enum err err = read_quiet(path, &data, why);
    if (err == ERR_OK)
        err = logger_file_parse(&import->file, data.data, data.len, &logger, why);
    buf_fini(&data);
    if (err == ERR_OK)
        err = client_open(&import->client, &args->client, why);
    if (err == ERR_OK)
        err = ask_placed(import, why);
    if (err == ERR_OK)
        err = ask_held(import, &through, why);
    import->is_known = err == ERR_OK && through >= import->file.count;
    if (err == ERR_OK && !import->is_known)
        err = send_packs(import, why);
    if (err == ERR_OK && !import->is_known)
        err = wait_applied(import, why);
    if (err == ERR_OK && args->wants_json)
        report_json(import);
    else if (err == ERR_OK)
        report_text(import, path);
    return err;
}

static int import_run(int argc, char **argv)
{
    struct import_args args = {0};
    struct err_text why = {""};
    struct import import = {.args = &args};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("import", "%s", why.text);
    if (argc != 2)
        return command_usage("import", "name one file");
    if (args.columns == NULL || args.device == NULL)
        return command_usage("import", "--columns and --device are needed");
    if (split_device(&import, args.device, &why) != ERR_OK)
        return command_usage("import", "%s", why.text);
    enum err err = import_file(&import, argv[1], &why);
    client_close(import.client);
    logger_file_fini(&import.file);
    return err == ERR_OK ? COMMAND_OK : command_fail("import", err, &why);
}

const struct command import_command = {
    .name = "import",
    .summary = "a logger's CSV file into the history, once, judged by its own times",
    .usage =
        "FILE.csv --columns MAP --device ORG/ID [--zone ZONE] [--partial] [options]\n",
    .about =
        "The file becomes packs of the device and goes the way of every reading: into the "
        "journal, the history, the other stores and the rules, which judge late readings by "
        "their own time and wake nobody for what is over.\n"
        "A file is known by what is in it: imported again with the same columns it changes "
        "nothing, and so does going on after an interruption. A row that cannot be read "
        "refuses the whole file, with its line; so does a last line without its end, which "
        "may be half written, and a file that changes while it is read.\n"
        "--zone places the device in that zone for the time of the file, before its "
        "readings come, with 'late' and the file's epoch as the reason in the audit; what "
        "is placed there already stays. Time in another zone is refused.\n"
        "UTF-8 or UTF-16 with a byte order mark; commas, semicolons or tabs; decimal commas "
        "where semicolons part.\n",
    .options = options,
    .examples = "coldchainctl import van.csv --device fengjie/logger-7 --zone van-2 \\\n"
                "    --columns 'time=Time@+08:00,air_temperature=Temp@C,humidity=RH@%'\n"
                "coldchainctl import us.csv --device fengjie/logger-9 --partial \\\n"
                "    --columns time=#1@utc,product_temperature=#2@F\n",
    .statuses = "0 imported, or imported before\n"
                "1 refused, with the line and the reason, or the API could not be asked\n"
                "2 wrong usage\n",
    .run = import_run,
};
