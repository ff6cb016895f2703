// SPDX-License-Identifier: Apache-2.0
#include "journal/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>

/* A call that is interrupted this often in a row will not come through. */
#define TRIES 100

#define RETRY(result, call) \
    do { \
        int tries_ = 0; \
        do \
            (result) = (call); \
        while ((result) < 0 && errno == EINTR && ++tries_ < TRIES); \
    } while (0)

enum err disk_error(void)
{
    enum err err = err_from_errno(errno);
    return err == ERR_OK ? ERR_IO : err;
}

static enum err result_of(int result)
{
    return result < 0 ? disk_error() : ERR_OK;
}

enum err disk_open(const struct journal_io *io, int dir, const char *name, int flags,
                   int *fd)
{
    RETRY(*fd, io->openat(io->context, dir, name, flags, 0640));
    return result_of(*fd);
}

enum err disk_close(const struct journal_io *io, int fd)
{
    /* On Linux the descriptor is gone also after EINTR. */
    return fd < 0 ? ERR_OK : result_of(io->close(io->context, fd));
}

void disk_abandon(const struct journal_io *io, int fd)
{
    if (disk_close(io, fd) != ERR_OK) {
        /* Nothing that anybody relies on was written through it. */
    }
}

enum err disk_write(const struct journal_io *io, int fd, const void *data, size_t len,
                    uint64_t offset, size_t *written)
{
    assert(fd >= 0 && (data != NULL || len == 0));
    const char *from = data;
    size_t done = 0;
    enum err err = ERR_OK;
    while (done < len && err == ERR_OK) {
        ssize_t count;
        RETRY(count, io->pwrite(io->context, fd, from + done, len - done,
                                (off_t)(offset + done)));
        if (count > 0)
            done += (size_t)count;
        else
            err = count < 0 ? disk_error() : ERR_IO;
    }
    if (written != NULL)
        *written = done;
    return err;
}

void disk_wipe(const struct journal_io *io, int fd, uint64_t offset, size_t len)
{
    static const char zeros[4096];
    while (len > 0) {
        size_t step = len < sizeof zeros ? len : sizeof zeros;
        if (disk_write(io, fd, zeros, step, offset, NULL) != ERR_OK)
            return; /* recovery will see a torn record there, which it cuts */
        offset += step;
        len -= step;
    }
}

enum err disk_read(const struct journal_io *io, int fd, void *data, size_t len,
                   uint64_t offset, size_t *got)
{
    assert(fd >= 0 && data != NULL);
    char *to = data;
    *got = 0;
    while (*got < len) {
        ssize_t count;
        RETRY(count,
              io->pread(io->context, fd, to + *got, len - *got, (off_t)(offset + *got)));
        if (count < 0)
            return disk_error();
        if (count == 0)
            return ERR_OK;
        *got += (size_t)count;
    }
    return ERR_OK;
}

enum err disk_read_again(const struct journal_io *io, int fd, void *data, size_t len,
                         uint64_t offset, size_t *got)
{
    enum err err = ERR_IO;
    for (int i = 0; i < 3 && err != ERR_OK; i++)
        err = disk_read(io, fd, data, len, offset, got);
    return err;
}

enum err disk_sync(const struct journal_io *io, int fd)
{
    return io->fdatasync(io->context, fd) == 0 ? ERR_OK : ERR_IO;
}

enum err disk_sync_dir(const struct journal_io *io, int dir)
{
    return io->fsync_dir(io->context, dir) == 0 ? ERR_OK : ERR_IO;
}

enum err disk_truncate(const struct journal_io *io, int fd, uint64_t len)
{
    int result;
    RETRY(result, io->ftruncate(io->context, fd, (off_t)len));
    return result_of(result);
}

enum err disk_reserve(const struct journal_io *io, int fd, uint64_t offset, uint64_t len)
{
    int result;
    RETRY(result, io->fallocate(io->context, fd, (off_t)offset, (off_t)(len - offset)));
    if (result == 0)
        return ERR_OK;
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return disk_error();
    return disk_truncate(io, fd, len);
}

uint64_t disk_skip_hole(const struct journal_io *io, int fd, uint64_t offset,
                        uint64_t limit)
{
    off_t data = io->seek_data(io->context, fd, (off_t)offset);
    if (data < 0)
        return errno == ENXIO ? limit : offset;
    if ((uint64_t)data < offset)
        return offset;
    return (uint64_t)data < limit ? (uint64_t)data : limit;
}

enum err disk_size(const struct journal_io *io, int fd, uint64_t *size)
{
    assert(fd >= 0);
    off_t found = io->size(io->context, fd);
    *size = found < 0 ? 0 : (uint64_t)found;
    return found < 0 ? disk_error() : ERR_OK;
}

enum err disk_unlink(const struct journal_io *io, int dir, const char *name)
{
    int result;
    RETRY(result, io->unlinkat(io->context, dir, name));
    return result_of(result);
}

enum err disk_rename(const struct journal_io *io, int from_dir, const char *from,
                     int to_dir, const char *to)
{
    int result;
    RETRY(result, io->renameat(io->context, from_dir, from, to_dir, to));
    return result_of(result);
}

enum err disk_mkdir(const struct journal_io *io, int dir, const char *name)
{
    int result;
    RETRY(result, io->mkdirat(io->context, dir, name, 0750));
    return result_of(result);
}
