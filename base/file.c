// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
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
