// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "coldchainctl/commands.h"
#include "coldchainctl/manifest.h"
#include "coldchainctl/say.h"
#include "coldchainctl/show.h"
#include "journal/journal.h"

/* The collector holds this one as long as it runs. */
#define LOCK_NAME  "state.db.lock"
#define TOKEN_NAME "api.token"

struct restore_args {
    bool is_forced;
    bool wants_json;
};

static const struct option options[] = {
    {.name = "force",
     .type = OPTION_FLAG,
     .offset = offsetof(struct restore_args, is_forced),
     .help = "also where stores are: they are moved aside, not deleted"},
    {.name = "json",
     .type = OPTION_FLAG,
     .offset = offsetof(struct restore_args, wants_json),
     .help = "what was restored, and where the former stores are"},
    {.name = NULL},
};

/* Where things go. */
struct target {
    char *dir;
    char *part;   /* grows beside it */
    char *former; /* where what was there is moved to */
    char *parent;
    int lock_fd; /* -1: there was nothing to lock */
    bool is_there;
    bool is_empty;
};

static enum err say_errno(struct err_text *why, const char *path)
{
    int number = errno;
    return err_set(why, err_from_errno(number), "%s: %s", path, strerror(number));
}

static void name_target(struct target *target, const char *dir)
{
    struct clock clock;
    char when[CLOCK_ISO_MAX];
    size_t len = strlen(dir);
    while (len > 1 && dir[len - 1] == '/')
        len--;
    clock_init(&clock);
    clock_format_iso(when, clock_wall_ms(&clock));
    target->dir = mem_strndup(dir, len);
    target->part = mem_format("%s.restore-%d", target->dir, (int)getpid());
    target->former = mem_format("%s.before-%.4s%.2s%.2sT%.2s%.2s%.2s", target->dir, when,
                                when + 5, when + 8, when + 11, when + 14, when + 17);
    const char *slash = strrchr(target->dir, '/');
    target->parent = slash == NULL ? mem_strdup(".")
                     : slash == target->dir
                         ? mem_strdup("/")
                         : mem_strndup(target->dir, (size_t)(slash - target->dir));
    target->lock_fd = -1;
}

static void target_fini(struct target *target)
{
    if (target->lock_fd >= 0)
        close(target->lock_fd);
    free(target->dir);
    free(target->part);
    free(target->former);
    free(target->parent);
}

/* Holds the lock until the end, so that no collector starts meanwhile. */
static enum err lock_target(struct target *target, struct err_text *why)
{
    char *path = mem_format("%s/%s", target->dir, LOCK_NAME);
    target->lock_fd = open(path, O_RDWR | O_CLOEXEC);
    enum err err = ERR_OK;
    if (target->lock_fd < 0 && errno != ENOENT)
        err = say_errno(why, path);
    else if (target->lock_fd >= 0 && flock(target->lock_fd, LOCK_EX | LOCK_NB) != 0)
        err = err_set(why, ERR_BUSY,
                      say("a collector is running over %s: stop it first (systemctl stop "
                          "coldchain-collector), then restore, then start it"),
                      target->dir);
    free(path);
    return err;
}

static enum err look(struct target *target, struct err_text *why)
{
    struct dirent *entry;
    DIR *list = opendir(target->dir);
    target->is_there = list != NULL;
    target->is_empty = true;
    if (list == NULL)
        return errno == ENOENT ? ERR_OK : say_errno(why, target->dir);
    while ((entry = readdir(list)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            target->is_empty = false;
    closedir(list);
    return ERR_OK;
}

static enum err check_target(struct target *target, bool is_forced, struct err_text *why)
{
    enum err err = look(target, why);
    if (err == ERR_OK && target->is_there)
        err = lock_target(target, why);
    if (err == ERR_OK && !target->is_empty && !is_forced)
        err = err_set(why, ERR_EXISTS,
                      say("%s is not empty; --force moves what is there to %s"),
                      target->dir, target->former);
    return err;
}

static enum err make_part(const struct target *target, struct err_text *why)
{
    static const char *const folders[] = {"", "/journal", "/history"};
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < sizeof folders / sizeof folders[0]; i++) {
        char *dir = mem_format("%s%s", target->part, folders[i]);
        err = file_make_dirs(dir, why);
        free(dir);
    }
    return err;
}

/* A segment that was being written is as long as it was: a shorter one counts as damaged.
 */
static enum err extend(const char *dir, const json_t *file, struct err_text *why)
{
    json_int_t size = json_integer_value(json_object_get(file, "size"));
    json_int_t full = json_integer_value(json_object_get(file, "full"));
    if (full <= size)
        return ERR_OK;
    char *path = mem_format("%s/%s", dir, show_text(file, "name"));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    enum err err = ERR_OK;
    if (fd < 0 || ftruncate(fd, (off_t)full) != 0 || fsync(fd) != 0)
        err = say_errno(why, path);
    if (fd >= 0)
        close(fd);
    free(path);
    return err;
}

static enum err extend_all(const struct target *target, const json_t *manifest,
                           struct err_text *why)
{
    enum err err = ERR_OK;
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(manifest, "files"), i, file)
    {
        if (err == ERR_OK)
            err = extend(target->part, file, why);
    }
    return err;
}

/* Agents are asked for what followed: a new generation says that something may be gone.
 */
static enum err raise_generation(const struct target *target, uint64_t *generation,
                                 struct err_text *why)
{
    char *dir = mem_format("%s/journal", target->part);
    const struct journal_options journal_options = {.raise_generation = true};
    struct journal *journal = NULL;
    struct journal_recovery report = {.generation = 0};
    enum err err = journal_open(&journal, dir, &journal_options, &report, why);
    if (err == ERR_OK && report.loss_count > 0)
        err = err_set(why, ERR_CORRUPT, say("the journal of the backup is damaged"));
    enum err closed = journal_close(journal);
    if (err == ERR_OK && closed != ERR_OK)
        err = err_set(why, closed, "%s: %s", dir, say_word(err_about(closed)));
    *generation = report.generation;
    free(dir);
    return err;
}

/* Its hash is in the stores: who had it keeps it. No harm when there is none. */
static void keep_token(const struct target *target)
{
    struct err_text ignored;
    struct buf token = {0};
    char *from = mem_format("%s/%s", target->dir, TOKEN_NAME);
    char *to = mem_format("%s/%s", target->part, TOKEN_NAME);
    if (file_read(&token, from, 4096, &ignored) == ERR_OK) {
        int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 && write(fd, token.data, token.len) != (ssize_t)token.len)
            unlink(to);
        if (fd >= 0)
            close(fd);
    }
    buf_fini(&token);
    free(from);
    free(to);
}

static enum err sync_part(const struct target *target, struct err_text *why)
{
    static const char *const folders[] = {"/history", "/journal", ""};
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < sizeof folders / sizeof folders[0]; i++) {
        char *dir = mem_format("%s%s", target->part, folders[i]);
        err = file_sync_dir(dir);
        free(dir);
    }
    return err == ERR_OK
               ? err
               : err_set(why, err, "%s: %s", target->part, say_word(err_about(err)));
}

static enum err put_in_place(struct target *target, struct err_text *why)
{
    if (target->is_there && target->is_empty && rmdir(target->dir) != 0)
        return say_errno(why, target->dir);
    if (!target->is_empty && rename(target->dir, target->former) != 0)
        return say_errno(why, target->dir);
    if (rename(target->part, target->dir) != 0) {
        enum err err = say_errno(why, target->part);
        if (!target->is_empty && rename(target->former, target->dir) != 0)
            return err_set(why, err,
                           say("%s could not be put into place; what was there is "
                               "in %s"),
                           target->part, target->former);
        return err;
    }
    enum err err = file_sync_dir(target->parent);
    return err == ERR_OK
               ? err
               : err_set(why, err, "%s: %s", target->parent, say_word(err_about(err)));
}

static void remove_part(const char *part)
{
    static const char *const folders[] = {"/history", "/journal/quarantine", "/journal",
                                          ""};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char *dir = mem_format("%s%s", part, folders[i]);
        DIR *list = opendir(dir);
        struct dirent *entry;
        while (list != NULL && (entry = readdir(list)) != NULL)
            unlinkat(dirfd(list), entry->d_name, 0); /* folders have had their turn */
        if (list != NULL)
            closedir(list);
        rmdir(dir);
        free(dir);
    }
}

static void report(const struct restore_args *args, const struct target *target,
                   const struct manifest_check *check, uint64_t generation)
{
    const char *former = target->is_empty ? NULL : target->former;
    if (args->wants_json) {
        show_json(json_pack(
            "{s:s, s:s?, s:i, s:I, s:I, s:O}", "restored", target->dir, "former", former,
            "files", (int)check->files, "bytes", (json_int_t)check->bytes, "generation",
            (json_int_t)generation, "made", json_object_get(check->said, "made")));
        return;
    }
    printf(say("%s is as it was %s: %zu files, generation %" PRIu64 "\n"), target->dir,
           show_text(check->said, "made"), check->files, generation);
    if (former != NULL)
        printf(say("what was there is in %s\n"), former);
    puts(say("start the collector: agents are asked for what came since"));
}

static enum err restore(const struct restore_args *args, const char *from,
                        struct target *target, struct err_text *why)
{
    struct manifest_check check = {.found = NULL};
    uint64_t generation = 0;
    enum err err = check_target(target, args->is_forced, why);
    if (err == ERR_OK)
        err = make_part(target, why);
    if (err != ERR_OK)
        return err;
    err = manifest_verify(&check, from, target->part, say("restore"), why);
    if (err == ERR_OK)
        err = extend_all(target, check.said, why);
    if (err == ERR_OK)
        err = raise_generation(target, &generation, why);
    if (err == ERR_OK) {
        keep_token(target);
        err = sync_part(target, why);
    }
    if (err == ERR_OK)
        err = put_in_place(target, why);
    if (err == ERR_OK)
        report(args, target, &check, generation);
    else
        remove_part(target->part);
    manifest_check_fini(&check);
    return err;
}

static int restore_run(int argc, char **argv)
{
    struct restore_args args = {0};
    struct err_text why = {""};
    if (options_take(options, &args, &argc, argv, &why) != ERR_OK)
        return command_usage("restore", "%s", why.text);
    if (argc != 3)
        return command_usage("restore", "name the backup, and the collector's data_dir");
    struct target target = {.lock_fd = -1};
    name_target(&target, argv[2]);
    enum err err = restore(&args, argv[1], &target, &why);
    target_fini(&target);
    return err == ERR_OK ? COMMAND_OK : command_fail("restore", err, &why);
}

const struct command restore_command = {
    .name = "restore",
    .summary = "a collector's stores out of a backup; the collector is stopped",
    .usage = "DIR|FILE.tar DATA_DIR [--force] [--json]\n",
    .about =
        "Writes the backup beside DATA_DIR, compares every file with the manifest, syncs it, "
        "and only then puts it into place in one step. A running collector is refused, and so "
        "is a folder that is not empty; --force moves that one aside.\n"
        "The journal's generation is raised: agents that connect learn of it and send again "
        "what came after the backup, as far back as they still hold it.\n"
        "Run it as the collector's user, so that the files are its own.\n",
    .options = options,
    .examples = "coldchainctl restore 2026-11-23.tar /var/lib/coldchain/collector\n"
                "coldchainctl restore backup.tar ./data --force --json\n",
    .statuses = "0 restored\n"
                "1 refused; nothing was changed\n"
                "2 wrong usage\n",
    .run = restore_run,
};
