// SPDX-License-Identifier: Apache-2.0
/* spares - segments made ahead of need, and the removal of those that are past it. */
#include "journal/internal.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/disk.h"

/* How names of files end that are being made. */
#define WORKING ".tmp"

static uint64_t new_salt(void)
{
    uint64_t salt;
    crypto_random(&salt, sizeof salt);
    return salt;
}

enum err segment_write_header(const struct journal *journal, int fd, uint32_t number,
                              uint32_t part, uint32_t from, uint64_t salt)
{
    uint8_t area[HEADER_AREA];
    struct segment_header header = {
        .number = number,
        .part = part,
        .from = from,
        .segment_bytes = journal->segment_bytes,
        .salt = salt,
        .generation = journal->generation,
    };
    memcpy(header.id, journal->id, sizeof header.id);
    segment_header_format(area, &header);
    return disk_write(journal->io, fd, area, sizeof area, 0, NULL);
}

enum err segment_create(struct journal *journal, const char *name, uint32_t from, int *fd)
{
    const struct journal_io *io = journal->io;
    enum err err = disk_open(io, journal->dir, name, O_RDWR | O_CREAT | O_EXCL, fd);
    if (err != ERR_OK)
        return err;
    if (from > HEADER_AREA)
        err = disk_reserve(io, *fd, 0, HEADER_AREA);
    if (err == ERR_OK)
        err =
            disk_reserve(io, *fd, from > HEADER_AREA ? from : 0, journal->segment_bytes);
    if (err != ERR_OK)
        segment_discard(journal, name, fd);
    return err;
}

void segment_discard(struct journal *journal, const char *name, int *fd)
{
    disk_abandon(journal->io, *fd);
    *fd = -1;
    if (disk_unlink(journal->io, journal->dir, name) != ERR_OK) {
        /* What is left has no sound header and is dealt with at the next open. */
    }
}

void spares_init(struct spares *spares, size_t wanted)
{
    pthread_mutex_init(&spares->lock, NULL);
    pthread_cond_init(&spares->changed, NULL);
    spares->wanted = wanted;
    spares->next_number = 1;
}

void spares_close(struct journal *journal)
{
    struct spares *spares = &journal->spares;
    for (size_t i = 0; i < spares->count; i++)
        disk_abandon(journal->io, spares->items[i].fd);
    free(spares->items);
    pthread_cond_destroy(&spares->changed);
    pthread_mutex_destroy(&spares->lock);
}

static void add_spare(struct spares *spares, const struct spare *spare)
{
    assert(spares->count == 0 || spares->items[spares->count - 1].number < spare->number);
    mem_grow(&spares->items, &spares->capacity, spares->count + 1, sizeof *spares->items);
    spares->items[spares->count++] = *spare;
}

/*
 * A file gets a segment's name when it is complete; with `sync` not before it is on
 * stable storage, so that a short one under such a name is always damage.
 */
static enum err make_spare(struct journal *journal, uint32_t number, bool sync,
                           struct spare *spare)
{
    const struct journal_io *io = journal->io;
    char working[SEGMENT_NAME_MAX], name[SEGMENT_NAME_MAX];
    *spare =
        (struct spare){.number = number, .salt = new_salt(), .fd = -1, .synced = sync};
    if (number == UINT32_MAX)
        return ERR_LIMIT;
    snprintf(working, sizeof working, "new-%010u" WORKING, number);
    segment_name(name, number, 0);
    enum err err = segment_create(journal, working, HEADER_AREA, &spare->fd);
    if (err != ERR_OK)
        return err;
    err = segment_write_header(journal, spare->fd, number, 0, HEADER_AREA, spare->salt);
    if (err == ERR_OK && sync)
        err = disk_sync(io, spare->fd);
    if (err == ERR_OK)
        err = disk_rename(io, journal->dir, working, journal->dir, name);
    if (err != ERR_OK) {
        segment_discard(journal, working, &spare->fd);
        return err;
    }
    if (sync)
        err = disk_sync_dir(io, journal->dir);
    if (err != ERR_OK)
        segment_discard(journal, name, &spare->fd);
    return err;
}

static void take_working_name(void *arg, const char *name)
{
    struct buf *names = arg;
    size_t len = strlen(name);
    if (len > strlen(WORKING) && strcmp(name + len - strlen(WORKING), WORKING) == 0)
        buf_add(names, name, len + 1);
}

void spares_clean(struct journal *journal)
{
    struct buf names = {0};
    if (journal->io->list(journal->io->context, journal->dir, take_working_name,
                          &names) != 0)
        buf_clear(&names); /* only space is at stake */
    for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1)
        if (disk_unlink(journal->io, journal->dir, names.data + at) != ERR_OK) {
            /* Likewise. */
        }
    buf_fini(&names);
}

enum err spares_take(struct journal *journal, struct spare *spare)
{
    struct spares *spares = &journal->spares;
    enum err err = ERR_OK;
    assert(!journal->read_only);
    pthread_mutex_lock(&spares->lock);
    /* Numbers only rise: one that is under way comes before any made here. */
    while (spares->count == 0 && spares->preparing)
        pthread_cond_wait(&spares->changed, &spares->lock);
    if (spares->count > 0) {
        *spare = spares->items[0];
        spares->count--;
        memmove(spares->items, spares->items + 1, spares->count * sizeof *spares->items);
    } else {
        err = make_spare(journal, spares->next_number++, false, spare);
    }
    pthread_mutex_unlock(&spares->lock);
    return err;
}

void spares_put_back(struct journal *journal, const struct spare *spare)
{
    struct spares *spares = &journal->spares;
    pthread_mutex_lock(&spares->lock);
    assert(spares->count == 0 || spares->items[0].number > spare->number);
    mem_grow(&spares->items, &spares->capacity, spares->count + 1, sizeof *spares->items);
    memmove(spares->items + 1, spares->items, spares->count * sizeof *spares->items);
    spares->items[0] = *spare;
    spares->count++;
    pthread_mutex_unlock(&spares->lock);
}

enum err spares_prepare(struct journal *journal, size_t wanted)
{
    struct spares *spares = &journal->spares;
    enum err err = ERR_OK;
    pthread_mutex_lock(&spares->lock);
    while (err == ERR_OK && !spares->preparing && spares->count < wanted) {
        uint32_t number = spares->next_number++;
        spares->preparing = true;
        pthread_mutex_unlock(&spares->lock);
        struct spare spare;
        err = make_spare(journal, number, true, &spare);
        pthread_mutex_lock(&spares->lock);
        spares->preparing = false;
        if (err == ERR_OK)
            add_spare(spares, &spare);
        pthread_cond_broadcast(&spares->changed);
    }
    pthread_mutex_unlock(&spares->lock);
    return err;
}

enum err journal_prepare(struct journal *journal)
{
    return journal->read_only ? ERR_DENIED
                              : spares_prepare(journal, journal->spares.wanted);
}

void spares_adopt(struct journal *journal, uint32_t number)
{
    const struct journal_io *io = journal->io;
    char name[SEGMENT_NAME_MAX];
    uint64_t size = 0;
    struct spare spare = {.number = number, .salt = new_salt(), .fd = -1};
    segment_name(name, number, 0);
    if (disk_open(io, journal->dir, name, O_RDWR, &spare.fd) == ERR_OK &&
        disk_size(io, spare.fd, &size) == ERR_OK && size == journal->segment_bytes &&
        segment_write_header(journal, spare.fd, number, 0, HEADER_AREA, spare.salt) ==
            ERR_OK) {
        add_spare(&journal->spares, &spare);
        return;
    }
    disk_abandon(io, spare.fd);
    if (disk_unlink(io, journal->dir, name) != ERR_OK) {
        /* In the way of nobody: its number is not used again. */
    }
}

/*
 * Parts from the last to the first, so that no later part is left alone; of a segment
 * with unusable files all that there may be.
 */
static enum err remove_segment(struct journal *journal, const struct segment *segment)
{
    enum err err = ERR_OK;
    char name[SEGMENT_NAME_MAX];
    uint32_t highest =
        segment->unusable ? 2 * PARTS_MAX : segment->parts[segment->part_count - 1].index;
    for (uint32_t i = highest + 1; i > 0 && err == ERR_OK; i--) {
        segment_name(name, segment->number, i - 1);
        err = disk_unlink(journal->io, journal->dir, name);
        if (err == ERR_NOT_FOUND)
            err = ERR_OK;
    }
    return err;
}

/*
 * Takes the oldest segment out of the readers' sight, if all of it is synced and below
 * `before`. In one go, so that two threads may trim.
 */
static bool take_oldest_below(struct journal *journal, uint64_t before,
                              struct segment *oldest)
{
    uint64_t synced = journal_synced(journal);
    pthread_mutex_lock(&journal->lock);
    bool found = false;
    if (journal->table.count > 1) {
        *oldest = journal->table.items[0];
        uint64_t end = position_of(oldest->number, oldest->end);
        found =
            end <= before && end <= synced && position_segment(synced) != oldest->number;
    }
    if (found)
        segment_table_remove(&journal->table, 0);
    pthread_mutex_unlock(&journal->lock);
    return found;
}

enum err journal_trim(struct journal *journal, uint64_t before)
{
    if (journal->read_only)
        return ERR_DENIED;
    struct segment oldest;
    bool removed = false;
    enum err err = ERR_OK;
    while (err == ERR_OK && take_oldest_below(journal, before, &oldest)) {
        /* A file that stays is seen at the next open. */
        err = remove_segment(journal, &oldest);
        removed = true;
    }
    if (removed && disk_sync_dir(journal->io, journal->dir) != ERR_OK)
        return ERR_IO;
    return err;
}
