// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/archive.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "coldchainctl/say.h"

#define BLOCK 512
#define PIECE (256 * 1024)
#define SIZE_MAX_8 \
    UINT64_C(077777777777) /* 11 octal digits; more is written in base 256 */

static_assert(ARCHIVE_NAME_MAX <= BLOCK, "a name stands at the start of a header");

struct archive {
    char *path;
    char *part; /* where it grows */
    bool is_tar;
    bool is_finished;
    int fd; /* of the tar, or of the file being written; -1: none */
    uint64_t left;
    uint64_t size;
};

static const char *const folders[] = {"", "journal", "history"};

bool archive_is_name(const char *name)
{
    const char *slash = strchr(name, '/');
    const char *last = slash != NULL ? slash + 1 : name;
    size_t len = slash != NULL ? (size_t)(slash - name) : 0;
    bool is_in = false;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        is_in |= strlen(folders[i]) == len && strncmp(name, folders[i], len) == 0;
    return is_in && strlen(name) < ARCHIVE_NAME_MAX && *last != '\0' && *last != '.' &&
           last[strspn(last, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789._-")] == '\0';
}

static enum err failed(struct err_text *why, const char *path)
{
    int number = errno;
    return err_set(why, err_from_errno(number), "%s: %s", path, strerror(number));
}

static enum err write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t put = write(fd, at, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_from_errno(errno);
        at += put;
        len -= (size_t)put;
    }
    return ERR_OK;
}

/* ---- writing ----------------------------------------------------------------------- */

static enum err make_folders(const char *path, struct err_text *why)
{
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < sizeof folders / sizeof folders[0]; i++) {
        char *dir = mem_format("%s/%s", path, folders[i]);
        err = file_make_dirs(dir, why);
        free(dir);
    }
    return err;
}

enum err archive_create(struct archive **result, const char *path, struct err_text *why)
{
    size_t len = strlen(path);
    *result = NULL;
    while (len > 1 && path[len - 1] == '/')
        len--;
    char *name = mem_strndup(path, len);
    if (access(name, F_OK) == 0) {
        free(name);
        return err_set(why, ERR_EXISTS, say("%s is there already; name a new one"), path);
    }
    struct archive *archive = mem_alloc(sizeof *archive);
    archive->path = name;
    archive->part = mem_format("%s.part-%d", archive->path, (int)getpid());
    archive->is_tar = len > 4 && strcmp(name + len - 4, ".tar") == 0;
    archive->fd = -1;
    enum err err = ERR_OK;
    if (!archive->is_tar) {
        err = make_folders(archive->part, why);
    } else {
        archive->fd = open(archive->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (archive->fd < 0)
            err = failed(why, archive->part);
    }
    if (err != ERR_OK) {
        archive_close(archive);
        return err;
    }
    *result = archive;
    return ERR_OK;
}

static void put_size(unsigned char *field, uint64_t size)
{
    if (size <= SIZE_MAX_8) {
        snprintf((char *)field, 12, "%011" PRIo64, size);
        return;
    }
    field[0] = 0x80;
    for (int i = 11; i > 0; i--, size >>= 8)
        field[i] = (unsigned char)size;
}

static void fill_header(unsigned char header[BLOCK], const char *name, uint64_t size)
{
    memset(header, 0, BLOCK);
    snprintf((char *)header, ARCHIVE_NAME_MAX, "%s", name);
    memcpy(header + 100, "0000600\0000000000\0000000000", 24);
    put_size(header + 124, size);
    memcpy(header + 136, "00000000000", 12);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum & 0777777);
}

static enum err end_file(struct archive *archive, struct err_text *why)
{
    static const char zeros[BLOCK] = "";
    enum err err = ERR_OK;
    if (archive->is_tar && archive->size % BLOCK != 0)
        err = write_all(archive->fd, zeros, BLOCK - (size_t)(archive->size % BLOCK));
    if (!archive->is_tar && archive->fd >= 0) {
        if (fsync(archive->fd) != 0)
            err = err_from_errno(errno);
        if (close(archive->fd) != 0 && err == ERR_OK)
            err = err_from_errno(errno);
        archive->fd = -1;
    }
    archive->size = 0;
    return err == ERR_OK
               ? err
               : err_set(why, err, "%s: %s", archive->path, say_word(err_about(err)));
}

enum err archive_begin(struct archive *archive, const char *name, uint64_t size,
                       struct err_text *why)
{
    if (!archive_is_name(name))
        return err_set(why, ERR_INVALID, say("'%.100s' is no file of a backup"), name);
    enum err err = end_file(archive, why);
    archive->size = size;
    archive->left = size;
    if (err == ERR_OK && archive->is_tar) {
        unsigned char header[BLOCK];
        fill_header(header, name, size);
        err = write_all(archive->fd, header, BLOCK);
    } else if (err == ERR_OK) {
        char *path = mem_format("%s/%s", archive->part, name);
        archive->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        err = archive->fd < 0 ? err_from_errno(errno) : ERR_OK;
        free(path);
    }
    return err == ERR_OK
               ? err
               : err_set(why, err, "%s: %s", archive->path, say_word(err_about(err)));
}

enum err archive_write(struct archive *archive, const void *data, size_t len,
                       struct err_text *why)
{
    if (len > archive->left)
        return err_set(why, ERR_CORRUPT, say("a file turned out longer than announced"));
    assert(archive->fd >= 0 && !archive->is_finished);
    archive->left -= len;
    enum err err = write_all(archive->fd, data, len);
    return err == ERR_OK
               ? err
               : err_set(why, err, "%s: %s", archive->path, say_word(err_about(err)));
}

static enum err sync_all(struct archive *archive)
{
    enum err err = ERR_OK;
    if (archive->is_tar && fsync(archive->fd) != 0)
        return err_from_errno(errno);
    for (size_t i = 0;
         !archive->is_tar && err == ERR_OK && i < sizeof folders / sizeof folders[0];
         i++) {
        char *dir = mem_format("%s/%s", archive->part, folders[i]);
        err = file_sync_dir(dir);
        free(dir);
    }
    return err;
}

static enum err sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash == NULL   ? mem_strdup(".")
                   : slash == path ? mem_strdup("/")
                                   : mem_strndup(path, (size_t)(slash - path));
    enum err err = file_sync_dir(parent);
    free(parent);
    return err;
}

enum err archive_finish(struct archive *archive, struct err_text *why)
{
    assert(!archive->is_finished);
    static const char zeros[2 * BLOCK] = "";
    enum err err = end_file(archive, why);
    if (err != ERR_OK)
        return err;
    if (archive->is_tar)
        err = write_all(archive->fd, zeros, sizeof zeros);
    if (err == ERR_OK)
        err = sync_all(archive);
    if (err == ERR_OK && rename(archive->part, archive->path) != 0)
        err = err_from_errno(errno);
    if (err == ERR_OK)
        err = sync_parent(archive->path);
    archive->is_finished = err == ERR_OK;
    return err == ERR_OK
               ? err
               : err_set(why, err, "%s: %s", archive->path, say_word(err_about(err)));
}

static void remove_part(const char *part)
{
    for (size_t i = sizeof folders / sizeof folders[0]; i-- > 0;) {
        char *dir = mem_format("%s/%s", part, folders[i]);
        DIR *list = opendir(dir);
        struct dirent *entry;
        while (list != NULL && (entry = readdir(list)) != NULL)
            if (archive_is_name(entry->d_name))
                unlinkat(dirfd(list), entry->d_name, 0);
        if (list != NULL)
            closedir(list);
        rmdir(dir);
        free(dir);
    }
}

void archive_close(struct archive *archive)
{
    if (archive == NULL)
        return;
    if (archive->fd >= 0)
        close(archive->fd);
    if (!archive->is_finished && archive->is_tar)
        unlink(archive->part);
    else if (!archive->is_finished)
        remove_part(archive->part);
    free(archive->path);
    free(archive->part);
    free(archive);
}

/* ---- reading ----------------------------------------------------------------------- */

static enum err read_all(int fd, void *data, size_t len, size_t *got)
{
    *got = 0;
    while (*got < len) {
        ssize_t step = read(fd, (char *)data + *got, len - *got);
        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return err_from_errno(errno);
        if (step == 0)
            break;
        *got += (size_t)step;
    }
    return ERR_OK;
}

static enum err pass_bytes(int fd, uint64_t size, const struct archive_visitor *visitor,
                           const char *path, struct err_text *why)
{
    enum err err = ERR_OK;
    char *piece = mem_alloc(PIECE);
    while (err == ERR_OK && size > 0) {
        size_t want = size < PIECE ? (size_t)size : PIECE;
        size_t got;
        err = read_all(fd, piece, want, &got);
        if (err == ERR_OK && got < want)
            err = err_set(why, ERR_CORRUPT, say("%s ends in the middle of a file"), path);
        else if (err != ERR_OK)
            err_set(why, err, "%s: %s", path, say_word(err_about(err)));
        if (err == ERR_OK)
            err = visitor->data(visitor->context, piece, want, why);
        size -= want;
    }
    free(piece);
    return err;
}

static bool parse_header(const unsigned char header[BLOCK], char name[ARCHIVE_NAME_MAX],
                         uint64_t *size)
{
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : header[i];
    char text[13] = "";
    memcpy(text, header + 148, 8);
    if (strtoul(text, NULL, 8) != sum || header[ARCHIVE_NAME_MAX - 1] != '\0' ||
        (header[156] != '0' && header[156] != '\0'))
        return false;
    memcpy(name, header, ARCHIVE_NAME_MAX); /* its last byte is a NUL */
    *size = 0;
    if ((header[124] & 0x80) != 0) {
        for (int i = 5; i < 12; i++)
            *size = *size << 8 | header[124 + i];
        return true;
    }
    memcpy(text, header + 124, 12);
    text[12] = '\0';
    *size = strtoull(text, NULL, 8);
    return true;
}

static enum err read_tar(int fd, const char *path, const struct archive_visitor *visitor,
                         struct err_text *why)
{
    for (;;) {
        unsigned char header[BLOCK];
        char name[ARCHIVE_NAME_MAX];
        uint64_t size;
        size_t got;
        enum err err = read_all(fd, header, BLOCK, &got);
        if (err == ERR_OK && got == BLOCK && header[0] == '\0')
            return ERR_OK;
        if (err == ERR_OK &&
            (got < BLOCK || !parse_header(header, name, &size) || !archive_is_name(name)))
            return err_set(why, ERR_CORRUPT,
                           say("%s is no backup, or it is torn; make another one"), path);
        if (err != ERR_OK)
            return err_set(why, err, "%s: %s", path, say_word(err_about(err)));
        err = visitor->begin(visitor->context, name, size, why);
        if (err == ERR_OK)
            err = pass_bytes(fd, size, visitor, path, why);
        if (err == ERR_OK && size % BLOCK != 0)
            err = read_all(fd, header, BLOCK - (size_t)(size % BLOCK), &got);
        if (err != ERR_OK)
            return err;
    }
}

static enum err read_file(const char *root, const char *name,
                          const struct archive_visitor *visitor, struct err_text *why)
{
    struct stat status = {0};
    char *path = mem_format("%s/%s", root, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err err = ERR_OK;
    if (fd < 0 || fstat(fd, &status) != 0)
        err = failed(why, path);
    else if (S_ISREG(status.st_mode))
        err = visitor->begin(visitor->context, name, (uint64_t)status.st_size, why);
    if (err == ERR_OK && S_ISREG(status.st_mode))
        err = pass_bytes(fd, (uint64_t)status.st_size, visitor, path, why);
    if (fd >= 0)
        close(fd);
    free(path);
    return err;
}

static enum err read_folder(const char *root, const char *folder,
                            const struct archive_visitor *visitor, struct err_text *why)
{
    char *dir = mem_format("%s/%s", root, folder);
    DIR *list = opendir(dir);
    struct dirent *entry;
    enum err err = list == NULL && folder[0] == '\0' ? failed(why, root) : ERR_OK;
    while (err == ERR_OK && list != NULL && (entry = readdir(list)) != NULL) {
        char *name =
            mem_format("%s%s%s", folder, folder[0] != '\0' ? "/" : "", entry->d_name);
        if (archive_is_name(name))
            err = read_file(root, name, visitor, why);
        free(name);
    }
    if (list != NULL)
        closedir(list);
    free(dir);
    return err;
}

enum err archive_read(const char *path, const struct archive_visitor *visitor,
                      struct err_text *why)
{
    assert(visitor->begin != NULL && visitor->data != NULL);
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return failed(why, path);
    enum err err = ERR_OK;
    if (!S_ISDIR(status.st_mode))
        err = read_tar(fd, path, visitor, why);
    for (size_t i = 0; S_ISDIR(status.st_mode) && err == ERR_OK &&
                       i < sizeof folders / sizeof folders[0];
         i++)
        err = read_folder(path, folders[i], visitor, why);
    close(fd);
    return err;
}
