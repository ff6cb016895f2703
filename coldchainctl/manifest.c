// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "coldchainctl/archive.h"
#include "coldchainctl/progress.h"
#include "coldchainctl/say.h"

#define MANIFEST_MAX (16u << 20)

struct walk {
    struct manifest_check *check;
    const char *copy_to; /* NULL: nothing is written */
    struct progress progress;
    char name[ARCHIVE_NAME_MAX]; /* of the file under way; "": none */
    uint64_t size;
    struct crypto_digest digest;
    struct buf manifest; /* its text */
    int fd;              /* -1: none */
};

static enum err end_copy(struct walk *walk, struct err_text *why)
{
    if (walk->fd < 0)
        return ERR_OK;
    enum err err = fsync(walk->fd) == 0 ? ERR_OK : err_from_errno(errno);
    if (close(walk->fd) != 0 && err == ERR_OK)
        err = err_from_errno(errno);
    walk->fd = -1;
    return err == ERR_OK ? err
                         : err_set(why, err, "%s/%s: %s", walk->copy_to, walk->name,
                                   say_word(err_about(err)));
}

static enum err end_file(struct walk *walk, struct err_text *why)
{
    uint8_t hash[CRYPTO_DIGEST_BYTES];
    char hex[2 * CRYPTO_DIGEST_BYTES + 1];
    if (walk->name[0] == '\0')
        return ERR_OK;
    crypto_digest_end(&walk->digest, hash);
    json_object_set_new(walk->check->found, walk->name,
                        json_pack("{s:I, s:s}", "size", (json_int_t)walk->size, "hash",
                                  crypto_hex(hex, hash, sizeof hash)));
    enum err err = end_copy(walk, why);
    walk->name[0] = '\0';
    return err;
}

static enum err begin_copy(struct walk *walk, struct err_text *why)
{
    char *path = mem_format("%s/%s", walk->copy_to, walk->name);
    walk->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    enum err err = walk->fd >= 0 ? ERR_OK : err_from_errno(errno);
    if (err != ERR_OK)
        err_set(why, err, "%s: %s", path, say_word(err_about(err)));
    free(path);
    return err;
}

static enum err on_begin(void *context, const char *name, uint64_t size,
                         struct err_text *why)
{
    struct walk *walk = context;
    enum err err = end_file(walk, why);
    if (err != ERR_OK)
        return err;
    if (json_object_get(walk->check->found, name) != NULL)
        return err_set(why, ERR_CORRUPT, say("%.100s is in it twice; it is no backup"),
                       name);
    snprintf(walk->name, sizeof walk->name, "%s", name);
    walk->size = size;
    crypto_digest_begin(&walk->digest);
    bool is_manifest = strcmp(name, MANIFEST_NAME) == 0;
    if (is_manifest && size > MANIFEST_MAX)
        return err_set(why, ERR_CORRUPT, say("its manifest is too large to be one"));
    return walk->copy_to != NULL && !is_manifest ? begin_copy(walk, why) : ERR_OK;
}

static enum err on_data(void *context, const void *data, size_t len, struct err_text *why)
{
    struct walk *walk = context;
    crypto_digest_add(&walk->digest, data, len);
    progress_add(&walk->progress, len);
    walk->check->bytes += len;
    if (strcmp(walk->name, MANIFEST_NAME) == 0)
        buf_add(&walk->manifest, data, len);
    const char *at = data;
    while (walk->fd >= 0 && len > 0) {
        ssize_t put = write(walk->fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            enum err err = err_from_errno(errno);
            return err_set(why, err, "%s/%s: %s", walk->copy_to, walk->name,
                           say_word(err_about(err)));
        }
        at += put;
        len -= (size_t)put;
    }
    return ERR_OK;
}

/* Every file that is named is there as it was, and no other. */
static enum err compare(struct manifest_check *check, const char *path,
                        struct err_text *why)
{
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(check->said, "files"), i, file)
    {
        const char *name = json_string_value(json_object_get(file, "name"));
        const json_t *got = name != NULL ? json_object_get(check->found, name) : NULL;
        if (got == NULL)
            return err_set(why, ERR_CORRUPT, say("%s: %.100s is missing"), path,
                           name != NULL ? name : say("a file"));
        if (!json_equal(json_object_get(file, "size"), json_object_get(got, "size")) ||
            !json_equal(json_object_get(file, "hash"), json_object_get(got, "hash")))
            return err_set(why, ERR_CORRUPT,
                           say("%s: %.100s is not what was written: its hash differs"),
                           path, name);
    }
    check->files = i;
    if (json_object_size(check->found) != i + 1)
        return err_set(why, ERR_CORRUPT,
                       say("%s holds files that its manifest does not name"), path);
    return ERR_OK;
}

static uint64_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? (uint64_t)status.st_size
                                                               : 0;
}

enum err manifest_verify(struct manifest_check *check, const char *path,
                         const char *copy_to, const char *label, struct err_text *why)
{
    *check = (struct manifest_check){.found = json_object()};
    struct walk walk = {.check = check, .copy_to = copy_to, .fd = -1};
    const struct archive_visitor visitor = {
        .context = &walk, .begin = on_begin, .data = on_data};
    progress_begin(&walk.progress, label, "B", size_of(path));
    enum err err = archive_read(path, &visitor, why);
    if (err == ERR_OK)
        err = end_file(&walk, why);
    progress_end(&walk.progress);
    if (walk.fd >= 0)
        close(walk.fd);
    if (err == ERR_OK)
        check->said = json_loadb(walk.manifest.data != NULL ? walk.manifest.data : "",
                                 walk.manifest.len, JSON_REJECT_DUPLICATES, NULL);
    if (err == ERR_OK && check->said == NULL)
        err = err_set(why, ERR_CORRUPT,
                      say("%s has no manifest: it is no backup, or it is torn"), path);
    if (err == ERR_OK && json_integer_value(json_object_get(check->said, "format")) != 1)
        err = err_set(why, ERR_UNSUPPORTED,
                      say("%s was written by a newer coldchainctl; use that one"), path);
    if (err == ERR_OK)
        err = compare(check, path, why);
    buf_fini(&walk.manifest);
    return err;
}

void manifest_check_fini(struct manifest_check *check)
{
    json_decref(check->found);
    json_decref(check->said);
    *check = (struct manifest_check){.found = NULL};
}
