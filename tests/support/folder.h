// SPDX-License-Identifier: Apache-2.0
/*
 * folder - a folder of a test's own, made below TMPDIR and removed with its files.
 *
 * Without TMPDIR it is made in memory (/dev/shm) where that exists: these tests kill
 * processes, not machines, and a sync there costs nothing.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_FOLDER_H
#define COLDCHAIN_TESTS_SUPPORT_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[300];
    char file[700]; /* of the last folder_file() */
};

/* Ends the test program when there is no place for it. */
static inline void folder_make(struct folder *folder)
{
    const char *where = getenv("TMPDIR");
    if (where == NULL)
        where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder->path, sizeof folder->path, "%s/coldchain-test-XXXXXX", where);
    if (mkdtemp(folder->path) == NULL) {
        perror(folder->path);
        exit(EXIT_FAILURE);
    }
}

/* The path of a file in it; valid until the next call. */
static inline const char *folder_file(struct folder *folder, const char *name)
{
    snprintf(folder->file, sizeof folder->file, "%s/%s", folder->path, name);
    return folder->file;
}

/* Calls `fn` with the name of each file in it; how many there are. */
static inline size_t folder_each(struct folder *folder, void *context,
                                 void (*fn)(void *context, const char *name))
{
    size_t count = 0;
    DIR *dir = opendir(folder->path);
    struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        count++;
        if (fn != NULL)
            fn(context, entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

static inline void folder_unlink(void *context, const char *name)
{
    unlink(folder_file(context, name));
}

/* Files only, no folders below. */
static inline void folder_remove(struct folder *folder)
{
    folder_each(folder, folder, folder_unlink);
    rmdir(folder->path);
}

#endif
