// SPDX-License-Identifier: Apache-2.0
#include "collector/backup.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"
#include "collector/store/db.h"
#include "collector/store/history_follower.h"
#include "collector/store/state.h"

#define ABANDONED_MS 60000
#define ID_BYTES     8

struct staged {
    char *name; /* below the stage: "journal/segment-..." */
    uint64_t size;
    uint64_t
        full; /* the file's: more than what is told of a segment that is written to */
};

struct backup {
    /* fixed */
    struct backup_options options;
    char *stage;

    /* shared, under lock */
    pthread_mutex_t lock;
    char id[2 * ID_BYTES + 1]; /* "": none is staged */
    char store[STATE_STORE_ID_SIZE];
    int64_t touched_ms;
    struct staged *files;
    size_t count;
    size_t capacity;
};

/* ---- the stage --------------------------------------------------------------------- */

static const char *const folders[] = {"", "/journal", "/history"};

static void remove_files(const char *dir)
{
    DIR *list = opendir(dir);
    struct dirent *entry;
    while (list != NULL && (entry = readdir(list)) != NULL) {
        char *path = mem_format("%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path); /* folders stay: their turn comes */
        free(path);
    }
    if (list != NULL)
        closedir(list);
    rmdir(dir);
}

static void clear(struct backup *backup)
{
    for (size_t i = sizeof folders / sizeof folders[0]; i-- > 0;) {
        char *dir = mem_format("%s%s", backup->stage, folders[i]);
        remove_files(dir);
        free(dir);
    }
    for (size_t i = 0; i < backup->count; i++)
        free(backup->files[i].name);
    backup->count = 0;
    backup->id[0] = '\0';
}

static enum err make_folders(struct backup *backup, struct err_text *why)
{
    enum err err = ERR_OK;
    for (size_t i = 0; err == ERR_OK && i < sizeof folders / sizeof folders[0]; i++) {
        char *dir = mem_format("%s%s", backup->stage, folders[i]);
        err = file_make_dirs(dir, why);
        free(dir);
    }
    return err;
}

/* Takes the name. */
static void add_file(struct backup *backup, char *name, uint64_t size, uint64_t full)
{
    mem_grow(&backup->files, &backup->capacity, backup->count + 1, sizeof *backup->files);
    struct staged *file = &backup->files[backup->count++];
    file->name = name;
    file->size = size;
    file->full = full;
}

/* Every file of a folder of the stage, by its size. */
static enum err list_files(struct backup *backup, const char *folder,
                           struct err_text *why)
{
    char *dir = mem_format("%s/%s", backup->stage, folder);
    DIR *list = opendir(dir);
    struct dirent *entry;
    enum err err = list == NULL ? err_from_errno(errno) : ERR_OK;
    while (err == ERR_OK && list != NULL && (entry = readdir(list)) != NULL) {
        struct stat status;
        if (fstatat(dirfd(list), entry->d_name, &status, 0) != 0)
            err = err_from_errno(errno);
        else if (S_ISREG(status.st_mode))
            add_file(
                backup,
                mem_format("%s%s%s", folder, folder[0] != '\0' ? "/" : "", entry->d_name),
                (uint64_t)status.st_size, (uint64_t)status.st_size);
    }
    if (list != NULL)
        closedir(list);
    if (err != ERR_OK)
        err_set(why, err, "%s: %s", dir, err_about(err));
    free(dir);
    return err;
}

static void read_store_id(struct db *db, char id[STATE_STORE_ID_SIZE])
{
    struct db_rows rows;
    id[0] = '\0';
    db_select(&rows, db, "SELECT value FROM meta WHERE key = 'store_id'", DB_NONE);
    if (db_next(&rows) && !db_copy_text(&rows, 0, id, STATE_STORE_ID_SIZE))
        id[0] = '\0';
    if (db_end(&rows) != ERR_OK)
        id[0] = '\0'; /* told, not needed: copying says what is wrong */
}

static enum err copy_state(struct backup *backup, struct err_text *why)
{
    struct db *db = NULL;
    char *to = mem_format("%s/state.db", backup->stage);
    enum err err = db_open_reader(&db, backup->options.state_path, 0, why);
    if (err == ERR_OK)
        read_store_id(db, backup->store);
    if (err == ERR_OK)
        err = db_copy_to(db, to, why);
    db_close(db);
    free(to);
    return err;
}

static enum err copy_history(struct backup *backup, struct err_text *why)
{
    char *to = mem_format("%s/history", backup->stage);
    enum err err = history_follower_copy(backup->options.history, to, why);
    free(to);
    return err;
}

/* ---- the journal's segments -------------------------------------------------------- */

/* Of the segment that is being written, what is synced; of later ones nothing. */
static bool wanted_size(const char *name, uint64_t through, uint64_t file, uint64_t *size)
{
    unsigned number;
    unsigned part;
    if (sscanf(name, "segment-%10u-%2u.log", &number, &part) != 2 ||
        number > through >> 32)
        return false;
    uint64_t end = through & UINT32_MAX;
    *size = number == through >> 32 && end < file ? end : file;
    return true;
}

/* A link keeps the bytes however soon the segment is trimmed. */
static enum err link_segment(struct backup *backup, int dir, const char *name,
                             uint64_t through)
{
    struct stat status;
    uint64_t size;
    char *to = mem_format("%s/journal/%s", backup->stage, name);
    enum err err =
        linkat(dir, name, AT_FDCWD, to, 0) == 0 ? ERR_OK : err_from_errno(errno);
    if (err == ERR_OK && stat(to, &status) != 0)
        err = err_from_errno(errno);
    if (err == ERR_OK && wanted_size(name, through, (uint64_t)status.st_size, &size))
        add_file(backup, mem_format("journal/%s", name), size, (uint64_t)status.st_size);
    free(to);
    return err == ERR_NOT_FOUND ? ERR_OK : err; /* trimmed in this moment */
}

static enum err link_journal(struct backup *backup, uint64_t through,
                             struct err_text *why)
{
    char *dir = mem_format("%s/journal", backup->options.data_dir);
    DIR *list = opendir(dir);
    struct dirent *entry;
    enum err err = list == NULL ? err_from_errno(errno) : ERR_OK;
    uint64_t size;
    while (err == ERR_OK && list != NULL && (entry = readdir(list)) != NULL)
        if (wanted_size(entry->d_name, through, 0, &size))
            err = link_segment(backup, dirfd(list), entry->d_name, through);
    if (list != NULL)
        closedir(list);
    if (err != ERR_OK)
        err_set(why, err, "%s: %s", dir, err_about(err));
    free(dir);
    return err;
}

static enum err stage(struct backup *backup, uint64_t *through, struct err_text *why)
{
    enum err err = make_folders(backup, why);
    if (err == ERR_OK)
        err = copy_state(backup, why);
    if (err == ERR_OK)
        err = copy_history(backup, why);
    if (err == ERR_OK)
        err = list_files(backup, "", why);
    if (err == ERR_OK)
        err = list_files(backup, "history", why);
    *through = journal_synced(backup->options.journal);
    if (err == ERR_OK)
        err = link_journal(backup, *through, why);
    return err;
}

/* ---- what is asked ----------------------------------------------------------------- */

struct backup *backup_create(const struct backup_options *options)
{
    struct backup *backup = mem_alloc(sizeof *backup);
    backup->options = *options;
    backup->stage = mem_format("%s/backup", options->data_dir);
    pthread_mutex_init(&backup->lock, NULL);
    clear(backup); /* of a run that ended meanwhile */
    return backup;
}

void backup_destroy(struct backup *backup)
{
    if (backup == NULL)
        return;
    clear(backup);
    pthread_mutex_destroy(&backup->lock);
    free(backup->files);
    free(backup->stage);
    free(backup);
}

static void describe(const struct backup *backup, uint64_t through, struct buf *json)
{
    json_t *files = json_array();
    for (size_t i = 0; i < backup->count; i++)
        json_array_append_new(files,
                              json_pack("{s:s, s:I, s:I}", "name", backup->files[i].name,
                                        "size", (json_int_t)backup->files[i].size, "full",
                                        (json_int_t)backup->files[i].full));
    json_t *root = json_pack("{s:s, s:s, s:s, s:I, s:o}", "id", backup->id, "store",
                             backup->store, "version", COLDCHAIN_VERSION, "position",
                             (json_int_t)through, "files", files);
    char *text = json_dumps(root, JSON_COMPACT);
    assert(text != NULL);
    buf_text(json, text);
    free(text);
    json_decref(root);
}

enum err backup_begin(struct backup *backup, struct buf *json, struct err_text *why)
{
    uint8_t random[ID_BYTES];
    uint64_t through;
    enum err err = ERR_OK;
    pthread_mutex_lock(&backup->lock);
    if (backup->id[0] != '\0' && clock_real_ms() - backup->touched_ms < ABANDONED_MS)
        err = err_set(why, ERR_BUSY,
                      "another backup is being fetched; try again in a minute");
    if (err == ERR_OK) {
        clear(backup);
        err = stage(backup, &through, why);
        if (err == ERR_OK) {
            crypto_random(random, sizeof random);
            crypto_hex(backup->id, random, sizeof random);
            describe(backup, through, json);
        } else {
            clear(backup);
        }
        backup->touched_ms = clock_real_ms();
    }
    pthread_mutex_unlock(&backup->lock);
    return err;
}

static enum err read_piece(const struct backup *backup, const struct staged *file,
                           uint64_t offset, size_t len, struct buf *into)
{
    if (offset >= file->size)
        return ERR_OK;
    if (len > file->size - offset)
        len = (size_t)(file->size - offset);
    char *path = mem_format("%s/%s", backup->stage, file->name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum err err = fd < 0 ? err_from_errno(errno) : ERR_OK;
    for (size_t got = 0; err == ERR_OK && got < len;) {
        ssize_t step =
            pread(fd, buf_reserve(into, len - got), len - got, (off_t)(offset + got));
        if (step <= 0) {
            err = step < 0 ? err_from_errno(errno) : ERR_CORRUPT;
            break;
        }
        into->len += (size_t)step;
        got += (size_t)step;
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return err;
}

/* The lock holds the stage in place meanwhile; only fetching waits for it. */
enum err backup_read(struct backup *backup, const char *id, const char *name,
                     uint64_t offset, size_t len, struct buf *into)
{
    enum err err = ERR_NOT_FOUND;
    pthread_mutex_lock(&backup->lock);
    bool is_it = backup->id[0] != '\0' && strcmp(backup->id, id) == 0;
    for (size_t i = 0; is_it && i < backup->count; i++)
        if (strcmp(backup->files[i].name, name) == 0)
            err = read_piece(backup, &backup->files[i], offset,
                             len < BACKUP_PIECE_MAX ? len : BACKUP_PIECE_MAX, into);
    if (is_it)
        backup->touched_ms = clock_real_ms();
    pthread_mutex_unlock(&backup->lock);
    return err;
}

enum err backup_end(struct backup *backup, const char *id)
{
    pthread_mutex_lock(&backup->lock);
    bool is_it = backup->id[0] != '\0' && strcmp(backup->id, id) == 0;
    if (is_it)
        clear(backup);
    pthread_mutex_unlock(&backup->lock);
    return is_it ? ERR_OK : ERR_NOT_FOUND;
}
