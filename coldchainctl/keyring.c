// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "coldchainctl/say.h"

#define FILE_MAX (size_t)(64 * 1024)

static void fini(struct buf *text)
{
    if (text->data != NULL)
        crypto_wipe(text->data, text->len);
    buf_fini(text);
}

/* The folder, without a '/' at its end. */
static enum err find_folder(struct buf *path, struct err_text *why)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    if (config != NULL && config[0] == '/')
        buf_format(path, "%s/coldchain", config);
    else if (home != NULL && home[0] == '/')
        buf_format(path, "%s/.config/coldchain", home);
    else
        return err_set(
            why, ERR_INVALID,
            say("HOME is not set, so nothing is kept: give --token-file FILE"));
    return ERR_OK;
}

enum err keyring_path(struct buf *path, struct err_text *why)
{
    enum err err = find_folder(path, why);
    if (err == ERR_OK)
        buf_text(path, "/tokens");
    return err;
}

/* A file of ours that others could read may hold what is theirs by now. */
static enum err read_file(struct buf *text, const char *path, struct err_text *why)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return err_set(why, err_from_errno(errno), say("%.300s: %s"), path,
                       strerror(errno));
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return err_set(
            why, ERR_DENIED,
            say("others may read %.300s; end its sessions, then: chmod 600 %.100s"), path,
            path);
    return file_read(text, path, FILE_MAX, why);
}

/* Behind "API " in the line at `line`; NULL: it is another's. */
static const char *token_in(const char *line, const char *api)
{
    size_t len = strlen(api);
    return strncmp(line, api, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

enum err keyring_find(struct buf *token, const char *api, struct err_text *why)
{
    struct buf path = {0};
    struct buf text = {0};
    enum err err = keyring_path(&path, why);
    if (err == ERR_OK)
        err = read_file(&text, path.data, why);
    bool is_found = false;
    for (const char *line = text.data; err == ERR_OK && line != NULL && !is_found;) {
        const char *found = token_in(line, api);
        is_found = found != NULL;
        if (is_found)
            buf_add(token, found, strcspn(found, "\n"));
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    fini(&text);
    buf_fini(&path);
    return err == ERR_OK && !is_found ? ERR_NOT_FOUND : err;
}

/* Renamed into its place, so that who is killed meanwhile has the old one. */
enum err keyring_write(const char *path, const char *text, struct err_text *why)
{
    char *part = mem_format("%s.part", path);
    unlink(part); /* whatever its mode is */
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool is_written = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    int code = errno;
    if (fd >= 0 && close(fd) != 0)
        is_written = false;
    if (is_written && rename(part, path) != 0) {
        code = errno;
        is_written = false;
    }
    if (!is_written) {
        unlink(part);
        err_set(why, err_from_errno(code), say("%.300s: %s"), path, strerror(code));
    }
    free(part);
    return is_written ? ERR_OK : err_from_errno(code);
}

/* All lines but those of that API. */
static void copy_others(struct buf *to, const struct buf *from, const char *api)
{
    for (const char *line = from->data; line != NULL && line[0] != '\0';) {
        size_t len = strcspn(line, "\n");
        if (token_in(line, api) == NULL) {
            buf_add(to, line, len);
            buf_text(to, "\n");
        }
        line += len + (line[len] == '\n');
    }
}

/* The folder, which nobody else looks into. */
static enum err make_folder(struct err_text *why)
{
    struct buf folder = {0};
    enum err err = find_folder(&folder, why);
    const char *path = folder.data != NULL ? folder.data : "";
    if (err == ERR_OK)
        err = file_make_dirs(path, why);
    if (err == ERR_OK && chmod(path, 0700) != 0)
        err =
            err_set(why, err_from_errno(errno), say("%.300s: %s"), path, strerror(errno));
    buf_fini(&folder);
    return err;
}

static enum err write_lines(const char *path, const char *api, const char *token,
                            struct err_text *why)
{
    struct buf old = {0};
    struct buf text = {0};
    enum err err = read_file(&old, path, why);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        copy_others(&text, &old, api);
        if (token != NULL)
            buf_format(&text, "%s %s\n", api, token);
        buf_text(&text, "");
        err = keyring_write(path, text.data, why);
    }
    fini(&text);
    fini(&old);
    return err;
}

enum err keyring_keep(const char *api, const char *token, struct err_text *why)
{
    struct buf path = {0};
    enum err err = make_folder(why);
    if (err == ERR_OK)
        err = keyring_path(&path, why);
    if (err == ERR_OK)
        err = write_lines(path.data, api, token, why);
    buf_fini(&path);
    return err;
}
