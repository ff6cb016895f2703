// SPDX-License-Identifier: Apache-2.0
/*
 * tree - a folder of a test's own with folders below it, such as a /sys to read.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_TREE_H
#define COLDCHAIN_TESTS_SUPPORT_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>

#include "tests/support/folder.h"

static inline void tree_path(const struct folder *root, const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/%s", root->path, name);
}

/* All folders above the last '/' of the path. */
static inline void tree_parents(char *path)
{
    for (char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path, 0755);
        *at = '/';
    }
}

/* Writes the file, with its folders; a NULL text removes it. */
static inline void tree_file(const struct folder *root, const char *name,
                             const char *text)
{
    char path[1024];
    tree_path(root, name, path);
    tree_parents(path);
    if (text == NULL) {
        remove(path);
        return;
    }
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static inline void tree_link(const struct folder *root, const char *name,
                             const char *target)
{
    char path[1024];
    tree_path(root, name, path);
    tree_parents(path);
    if (symlink(target, path) != 0)
        perror(path);
}

/* A file that never answers while somebody holds it open for writing. */
static inline int tree_fifo(const struct folder *root, const char *name)
{
    char path[1024];
    tree_path(root, name, path);
    tree_parents(path);
    remove(path);
    if (mkfifo(path, 0600) != 0)
        perror(path);
    return open(path, O_RDWR | O_CLOEXEC);
}

static inline int tree_remove_one(const char *path, const struct stat *stat, int kind,
                                  struct FTW *walk)
{
    (void)stat;
    (void)kind;
    (void)walk;
    return remove(path);
}

/* One folder below the root, with all that is in it; "" is the root itself. */
static inline void tree_remove(const struct folder *root, const char *name)
{
    char path[1024];
    tree_path(root, name, path);
    nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
