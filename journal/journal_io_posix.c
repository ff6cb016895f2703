// SPDX-License-Identifier: Apache-2.0
/* journal_io_posix - the real disk behind struct journal_io. */
#include "journal/journal_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int posix_openat(void *context, int dir, const char *name, int flags, mode_t mode)
{
    (void)context;
    return openat(dir, name, flags | O_CLOEXEC, mode);
}

static int posix_mkdirat(void *context, int dir, const char *name, mode_t mode)
{
    (void)context;
    return mkdirat(dir, name, mode);
}

static int posix_renameat(void *context, int from_dir, const char *from, int to_dir,
                          const char *to)
{
    (void)context;
    return renameat(from_dir, from, to_dir, to);
}

static int posix_unlinkat(void *context, int dir, const char *name)
{
    (void)context;
    return unlinkat(dir, name, 0);
}

/* The folder is opened anew: a DIR owns its descriptor and its place. */
static int posix_list(void *context, int dir, void (*each)(void *arg, const char *name),
                      void *arg)
{
    (void)context;
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (stream == NULL) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    errno = 0;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            each(arg, entry->d_name);
            errno = 0;
        }
    int failed = errno;
    closedir(stream);
    errno = failed;
    return failed == 0 ? 0 : -1;
}

static ssize_t posix_pread(void *context, int fd, void *data, size_t len, off_t offset)
{
    (void)context;
    return pread(fd, data, len, offset);
}

static ssize_t posix_pwrite(void *context, int fd, const void *data, size_t len,
                            off_t offset)
{
    (void)context;
    return pwrite(fd, data, len, offset);
}

static int posix_fdatasync(void *context, int fd)
{
    (void)context;
    return fdatasync(fd);
}

static int posix_fsync_dir(void *context, int dir)
{
    (void)context;
    return fsync(dir);
}

static int posix_ftruncate(void *context, int fd, off_t len)
{
    (void)context;
    return ftruncate(fd, len);
}

/* Not posix_fallocate(), which writes zeros itself where the file system cannot. */
static int posix_fallocate_(void *context, int fd, off_t offset, off_t len)
{
    (void)context;
    return fallocate(fd, 0, offset, len);
}

static off_t posix_seek_data(void *context, int fd, off_t offset)
{
    (void)context;
    /* Read-ahead would fill the cache with zeros, which SEEK_DATA then takes for data. */
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    return lseek(fd, offset, SEEK_DATA);
}

static off_t posix_size(void *context, int fd)
{
    (void)context;
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_size : -1;
}

static int posix_lock(void *context, int fd)
{
    (void)context;
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int posix_close(void *context, int fd)
{
    (void)context;
    return close(fd);
}

const struct journal_io journal_io_posix = {
    .openat = posix_openat,
    .mkdirat = posix_mkdirat,
    .renameat = posix_renameat,
    .unlinkat = posix_unlinkat,
    .list = posix_list,
    .pread = posix_pread,
    .pwrite = posix_pwrite,
    .fdatasync = posix_fdatasync,
    .fsync_dir = posix_fsync_dir,
    .ftruncate = posix_ftruncate,
    .fallocate = posix_fallocate_,
    .seek_data = posix_seek_data,
    .size = posix_size,
    .lock = posix_lock,
    .close = posix_close,
};
