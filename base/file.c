// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_STEP 65536

static enum err read_all(int fd, struct buf *into, size_t max, const char *path,
                         struct err_text *why)
{
    size_t total = 0;
    for (;;) {
        void *room = buf_reserve(into, READ_STEP);
        ssize_t got = read(fd, room, READ_STEP);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(why, err_from_errno(errno), "cannot read %s: %s", path,
                           strerror(errno));
        if (got == 0)
            return ERR_OK;
        total += (size_t)got;
        if (total > max)
            return err_set(why, ERR_LIMIT, "%s is larger than %zu bytes", path, max);
        into->len += (size_t)got;
    }
}

enum err file_read(struct buf *into, const char *path, size_t max, struct err_text *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set(why, err_from_errno(errno), "cannot read %s: %s", path,
                       strerror(errno));
    enum err err = read_all(fd, into, max, path, why);
    buf_add(into, "", 0); /* a NUL behind the text */
    close(fd);
    return err;
}

static enum err make_dir(const char *path, struct err_text *why)
{
    if (mkdir(path, 0750) == 0 || errno == EEXIST)
        return ERR_OK;
    return err_set(why, err_from_errno(errno), "folder %s cannot be made: %s", path,
                   strerror(errno));
}

enum err file_make_dirs(const char *path, struct err_text *why)
{
    char *part = mem_strdup(path);
    enum err err = ERR_OK;
    for (char *at = part + 1; err == ERR_OK && *part != '\0' && *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        err = make_dir(part, why);
        *at = '/';
    }
    if (err == ERR_OK)
        err = make_dir(part, why);
    free(part);
    return err;
}

enum err file_sync_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_from_errno(errno);
    enum err err = fsync(fd) == 0 ? ERR_OK : err_from_errno(errno);
    close(fd);
    return err;
}

/* ---- replacing -------------------------------------------------------------------- */

static enum err write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, data, len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return err_from_errno(errno);
        data += wrote;
        len -= (size_t)wrote;
    }
    return fsync(fd) == 0 ? ERR_OK : err_from_errno(errno);
}

static enum err sync_dir_of(const char *path)
{
    char *dir = mem_strdup(path);
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        slash[slash == dir] = '\0';
    enum err err = file_sync_dir(slash != NULL ? dir : ".");
    free(dir);
    return err;
}

static enum err replace(const char *path, const char *beside, const void *data,
                        size_t len)
{
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return err_from_errno(errno);
    enum err err = write_all(fd, data, len);
    if (close(fd) != 0 && err == ERR_OK)
        err = err_from_errno(errno);
    if (err == ERR_OK && rename(beside, path) != 0)
        err = err_from_errno(errno);
    if (err == ERR_OK)
        return sync_dir_of(path);
    unlink(beside);
    return err;
}

enum err file_replace(const char *path, const void *data, size_t len,
                      struct err_text *why)
{
    char *beside = mem_format("%s.new", path);
    enum err err = replace(path, beside, data, len);
    free(beside);
    return err == ERR_OK ? err
                         : err_set(why, err, "cannot write %s: %s", path, err_about(err));
}

enum err file_remove(const char *path, struct err_text *why)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set(why, err_from_errno(errno), "cannot remove %s: %s", path,
                       strerror(errno));
    enum err err = sync_dir_of(path);
    return err == ERR_OK
               ? err
               : err_set(why, err, "cannot remove %s: %s", path, err_about(err));
}
