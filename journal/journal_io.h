// SPDX-License-Identifier: Apache-2.0
/*
 * journal_io - the calls by which the journal reaches a disk.
 *
 * A const table of operations and a context, so that a simulated disk can stand behind
 * them. They behave like their POSIX namesakes: -1 and errno on failure, short counts
 * and EINTR are possible. A `dir` is what openat() with O_DIRECTORY returned, or
 * AT_FDCWD. The journal calls them from any thread.
 */
#ifndef COLDCHAIN_JOURNAL_JOURNAL_IO_H
#define COLDCHAIN_JOURNAL_JOURNAL_IO_H

#include <stdint.h>
#include <sys/types.h>

struct journal_io {
    void *context;
    int (*openat)(void *context, int dir, const char *name, int flags, mode_t mode);
    int (*mkdirat)(void *context, int dir, const char *name, mode_t mode);
    int (*renameat)(void *context, int from_dir, const char *from, int to_dir,
                    const char *to);
    int (*unlinkat)(void *context, int dir, const char *name);
    /* Calls `each` for every name in the folder but "." and "..", in any order. */
    int (*list)(void *context, int dir, void (*each)(void *arg, const char *name),
                void *arg);
    ssize_t (*pread)(void *context, int fd, void *data, size_t len, off_t offset);
    ssize_t (*pwrite)(void *context, int fd, const void *data, size_t len, off_t offset);
    int (*fdatasync)(void *context, int fd);
    int (*fsync_dir)(void *context, int dir);
    int (*ftruncate)(void *context, int fd, off_t len);
    /* Reserves space for good; -1 with EOPNOTSUPP where the file system cannot. */
    int (*fallocate)(void *context, int fd, off_t offset, off_t len);
    /* Like lseek() with SEEK_DATA: before the result all is zero; ENXIO: to the end. */
    off_t (*seek_data)(void *context, int fd, off_t offset);
    /* -1 on failure. */
    off_t (*size)(void *context, int fd);
    /* Exclusive for this open file, does not wait: EWOULDBLOCK when held elsewhere. */
    int (*lock)(void *context, int fd);
    int (*close)(void *context, int fd);
};

/* The real disk. */
extern const struct journal_io journal_io_posix;

#endif
