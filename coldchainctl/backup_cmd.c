// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "coldchainctl/archive.h"
#include "coldchainctl/client.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/manifest.h"
#include "coldchainctl/progress.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"

#define STAGE_MS INT64_C(1800000) /* copying stores of many gigabytes takes a while */
#define PIECE    "1048576"

struct backup_args {
    struct client_args client;
    bool wants_json;
};

static const struct option options[] = {
    CLIENT_OPTIONS(struct backup_args, client),
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct backup_args, wants_json),
     .help = "the manifest"},
    {.name = NULL},
};

/* One backup being fetched. */
struct fetch {
    struct client *client;
    struct archive *archive;
    json_t *stage;    /* what the API said */
    json_t *manifest; /* {..., files} so far */
    struct progress progress;
};

static enum err fetch_piece(struct fetch *fetch, const char *name, uint64_t offset,
                            struct buf *piece, struct err_text *why)
{
    struct buf path = {0};
    char number[SHOW_SIZE];
    snprintf(number, sizeof number, "%" PRIu64, offset);
    buf_format(&path, "/api/v1/backups/%s/file", show_text(fetch->stage, "id"));
    client_param(&path, "name", name);
    client_param(&path, "offset", number);
    client_param(&path, "limit", PIECE);
    enum err err = client_fetch(fetch->client, path.data, piece, why);
    buf_fini(&path);
    return err;
}

static enum err fetch_bytes(struct fetch *fetch, const char *name, uint64_t size,
                            struct crypto_digest *digest, struct err_text *why)
{
    enum err err = ERR_OK;
    struct buf piece = {0};
    for (uint64_t at = 0; err == ERR_OK && at < size; at += piece.len) {
        buf_clear(&piece);
        err = fetch_piece(fetch, name, at, &piece, why);
        if (err == ERR_OK && piece.len == 0)
            err = err_set(why, ERR_CORRUPT, say("%.100s ended early"), name);
        if (err == ERR_OK)
            err = archive_write(fetch->archive, piece.data, piece.len, why);
        if (err == ERR_OK)
            crypto_digest_add(digest, piece.data, piece.len);
        progress_add(&fetch->progress, piece.len);
    }
    buf_fini(&piece);
    return err;
}

static enum err fetch_file(struct fetch *fetch, const json_t *file, struct err_text *why)
{
    const char *name = show_text(file, "name");
    uint64_t size = (uint64_t)json_integer_value(json_object_get(file, "size"));
    struct crypto_digest digest;
    uint8_t hash[CRYPTO_DIGEST_BYTES];
    char hex[2 * CRYPTO_DIGEST_BYTES + 1];
    crypto_digest_begin(&digest);
    enum err err = archive_begin(fetch->archive, name, size, why);
    if (err == ERR_OK)
        err = fetch_bytes(fetch, name, size, &digest, why);
    crypto_digest_end(&digest, hash);
    json_array_append_new(json_object_get(fetch->manifest, "files"),
                          json_pack("{s:s, s:I, s:O?, s:s}", "name", name, "size",
                                    (json_int_t)size, "full",
                                    json_object_get(file, "full"), "hash",
                                    crypto_hex(hex, hash, sizeof hash)));
    return err;
}

static enum err write_manifest(struct fetch *fetch, struct err_text *why)
{
    char *text = json_dumps(fetch->manifest, JSON_INDENT(1));
    enum err err = archive_begin(fetch->archive, MANIFEST_NAME, strlen(text), why);
    if (err == ERR_OK)
        err = archive_write(fetch->archive, text, strlen(text), why);
    free(text);
    return err;
}

static void begin_manifest(struct fetch *fetch)
{
    struct clock clock;
    char made[CLOCK_ISO_MAX];
    clock_init(&clock);
    clock_format_iso(made, clock_wall_ms(&clock));
    fetch->manifest = json_pack("{s:i, s:s, s:s, s:s, s:O, s:[]}", "format", 1, "made",
                                made, "version", show_text(fetch->stage, "version"),
                                "store", show_text(fetch->stage, "store"), "position",
                                json_object_get(fetch->stage, "position"), "files");
}

static enum err fetch_all(struct fetch *fetch, struct err_text *why)
{
    enum err err = ERR_OK;
    uint64_t total = 0;
    size_t i;
    json_t *file;
    const json_t *files = json_object_get(fetch->stage, "files");
    if (!json_is_integer(json_object_get(fetch->stage, "position")))
        return err_set(why, ERR_CORRUPT, say("the answer is not that of a collector"));
    begin_manifest(fetch);
    json_array_foreach((json_t *)(uintptr_t)files, i, file) total +=
        (uint64_t)json_integer_value(json_object_get(file, "size"));
    progress_begin(&fetch->progress, say("backup"), "B", total);
    json_array_foreach((json_t *)(uintptr_t)files, i, file)
    {
        err = fetch_file(fetch, file, why);
        if (err != ERR_OK)
            break;
    }
    if (err == ERR_OK)
        err = write_manifest(fetch, why);
    if (err == ERR_OK)
        err = archive_finish(fetch->archive, why);
    progress_end(&fetch->progress);
    return err;
}

/* What is staged goes at once; when this cannot be said it goes by itself. */
static void end_stage(struct fetch *fetch)
{
    struct err_text ignored;
    json_t *answer = NULL;
    char path[120];
    snprintf(path, sizeof path, "/api/v1/backups/%.64s/end",
             show_text(fetch->stage, "id"));
    if (client_post(fetch->client, path, NULL, &answer, &ignored) == ERR_OK)
        json_decref(answer);
}

static enum err make(const struct backup_args *args, const char *path,
                     struct err_text *why)
{
    struct fetch fetch = {.client = NULL};
    enum err err = archive_create(&fetch.archive, path, why);
    if (err == ERR_OK)
        err = client_open(&fetch.client, &args->client, why);
    if (err == ERR_OK) {
        client_set_timeout(fetch.client, STAGE_MS);
        err = client_post(fetch.client, "/api/v1/backups", NULL, &fetch.stage, why);
    }
    if (err == ERR_OK) {
        client_set_timeout(fetch.client, 0);
        err = fetch_all(&fetch, why);
        end_stage(&fetch);
    }
    archive_close(fetch.archive);
    client_close(fetch.client);
    json_decref(fetch.stage);
    json_decref(fetch.manifest);
    return err;
}

static enum err verify(const struct backup_args *args, const char *path,
                       struct err_text *why)
{
    struct manifest_check check;
    enum err err = manifest_verify(&check, path, NULL, say("verify"), why);
    if (err == ERR_OK && args->wants_json)
        show_json(json_incref(check.said));
    else if (err == ERR_OK)
        printf(say("%s is whole: %zu files, %" PRIu64 " bytes, made %s by version %s\n"),
               path, check.files, check.bytes, show_text(check.said, "made"),
               show_text(check.said, "version"));
    manifest_check_fini(&check);
    return err;
}

static int backup_run(int argc, char **argv)
{
    struct backup_args args = {0};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("backup", "%s", why.text);
    bool is_verify = argc > 1 && strcmp(argv[1], "verify") == 0;
    if (argc != (is_verify ? 3 : 2))
        return command_usage("backup", "name one folder or FILE.tar");
    const char *path = argv[is_verify ? 2 : 1];
    enum err err = is_verify ? ERR_OK : make(&args, path, &why);
    if (err == ERR_OK)
        err = verify(&args, path, &why);
    return err == ERR_OK ? COMMAND_OK : command_fail("backup", err, &why);
}

const struct command backup_command = {
    .name = "backup",
    .summary = "all stores of a running collector, whole and verified",
    .verbs = "verify",
    .usage = "DIR|FILE.tar [--json] [options]\n"
             "verify DIR|FILE.tar [--json]\n",
    .about =
        "Copies state.db, the history and the journal of a running collector as of one "
        "moment into a new folder or tar file, and reads everything again to compare it "
        "with the hashes in its manifest. The collector goes on taking readings; its history "
        "waits while it is copied, and its disk needs room for a copy of the databases.\n"
        "It holds secrets' hashes and people's data: keep it as you keep the collector. The "
        "token file and the configuration are not in it.\n",
    .options = options,
    .examples = "coldchainctl backup /srv/backup/$(date +%F).tar\n"
                "coldchainctl backup verify /srv/backup/2026-11-23.tar\n",
    .statuses = "0 made and verified, or (verify) whole\n"
                "1 not made, torn, or different from its manifest\n"
                "2 wrong usage\n",
    .run = backup_run,
};
