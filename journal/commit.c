// SPDX-License-Identifier: Apache-2.0
/*
 * commit - makes what was appended durable, and survives a disk that fails a sync.
 *
 *   append:  pending --(take, hash)--> syncing --(COMMIT, fdatasync)--> synced, forgotten
 *                                         |
 *                            fdatasync failed: a new part of the segment gets all frames
 *                            from memory; the failed file is never synced again
 */
#include "journal/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/disk.h"

/* Memory beyond this is given back after a burst. */
#define IDLE_MAX ((size_t)1 << 20)

void runs_fini(struct runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        buf_fini(&runs->items[i].bytes);
    free(runs->items);
    *runs = (struct runs){0};
}

/* With the lock held: what was appended since moves over to the committer. */
static void take_pending(struct journal *journal)
{
    struct runs *from = &journal->pending, *to = &journal->syncing;
    assert(journal->failed == ERR_OK && from != to);
    mem_grow(&to->items, &to->capacity, to->count + from->count, sizeof *to->items);
    for (size_t i = 0; i < from->count; i++)
        to->items[to->count++] = from->items[i];
    from->count = 0;
    atomic_store(&journal->pending_records, 0);
    atomic_store(&journal->pending_bytes, 0);
}

/* The chain goes over all frames of the group in order. */
static void hash_run(struct journal *journal, const struct run *run)
{
    const uint8_t *data = (const uint8_t *)run->bytes.data;
    for (size_t at = 0; at < run->bytes.len;) {
        uint32_t len = bytes_u32(data + at + 8);
        if (journal->group_count == 0) {
            crypto_digest_begin(&journal->digest);
            crypto_digest_add(&journal->digest, journal->chain, sizeof journal->chain);
            journal->group_first = position_of(run->number, run->offset + (uint32_t)at);
        }
        frame_digest(&journal->digest, data + at, len);
        journal->group_last = position_of(run->number, run->offset + (uint32_t)at);
        journal->group_count++;
        at += frame_size(len);
        assert(at <= run->bytes.len);
    }
}

static void hash_from(struct journal *journal, size_t first)
{
    for (size_t i = first; i < journal->syncing.count; i++)
        hash_run(journal, &journal->syncing.items[i]);
}

/*
 * With the lock held and everything hashed. A COMMIT that finds no space is left out:
 * its group goes on, and its records count without it.
 */
static void put_commit(struct journal *journal)
{
    if (journal->group_count == 0)
        return; /* all that was tried failed */
    assert(journal->group_first <= journal->group_last);
    struct crypto_digest digest;
    struct commit commit = {
        .first = journal->group_first,
        .last = journal->group_last,
        .count = journal->group_count,
        .synced_through = journal_synced(journal),
    };
    uint8_t body[COMMIT_BYTES];
    crypto_digest_copy(&digest, &journal->digest);
    crypto_digest_end(&digest, commit.chain);
    commit_format(body, &commit);
    if (journal_put_own(journal, JOURNAL_TYPE_COMMIT, body, sizeof body, NULL) != ERR_OK)
        return;
    memcpy(journal->chain, commit.chain, sizeof journal->chain);
    journal->group_count = 0;
    atomic_fetch_add(&journal->commits, 1);
}

static enum err sync_file(struct journal *journal, int fd)
{
    atomic_fetch_add(&journal->syncs, 1);
    return disk_sync(journal->io, fd);
}

/* Where the unsynced frames of a segment begin. */
static uint32_t unsynced_from(const struct journal *journal, uint32_t number)
{
    uint64_t synced = journal_synced(journal);
    return position_segment(synced) == number ? position_offset(synced) : HEADER_AREA;
}

static enum err copy_runs(struct journal *journal, struct runs *runs, uint32_t number,
                          uint64_t salt, int fd)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < runs->count && err == ERR_OK; i++) {
        struct run *run = &runs->items[i];
        if (run->number != number)
            continue;
        uint8_t *data = (uint8_t *)run->bytes.data;
        for (size_t at = 0; at < run->bytes.len;) {
            uint32_t size = frame_size(bytes_u32(data + at + 8));
            frame_resalt(data + at, run->salt, salt,
                         position_of(number, run->offset + (uint32_t)at));
            at += size;
        }
        run->salt = salt;
        err = disk_write(journal->io, fd, data, run->bytes.len, run->offset, NULL);
        journal->bytes_written += run->bytes.len;
    }
    return err;
}

static struct output *output_of(struct journal *journal, uint32_t number)
{
    if (journal->active.number == number)
        return &journal->active;
    for (size_t i = 0; i < journal->rotated.count; i++)
        if (journal->rotated.items[i].number == number)
            return &journal->rotated.items[i];
    return NULL;
}

static struct segment *segment_of(struct journal *journal, uint32_t number)
{
    size_t index = segment_table_find(&journal->table, number);
    assert(index < journal->table.count && journal->table.items[index].number == number);
    return &journal->table.items[index];
}

/*
 * With the lock held: the segment goes on in a new part, which takes over where syncing
 * had stopped. Its header is written last, and not before the rest is on the disk: until
 * then the old part counts. (A header without the file's length would end the segment.)
 */
static enum err take_over(struct journal *journal, uint32_t number)
{
    struct output *output = output_of(journal, number);
    struct segment *segment = segment_of(journal, number);
    assert(output != NULL && output->fd >= 0 && segment->part_count > 0);
    if (segment->part_count == PARTS_MAX)
        return ERR_IO;
    struct part part = {
        .from = unsynced_from(journal, number),
        .index = segment->parts[segment->part_count - 1].index + 1,
    };
    crypto_random(&part.salt, sizeof part.salt);
    char name[SEGMENT_NAME_MAX];
    int fd = -1;
    enum err err =
        segment_create(journal, segment_name(name, number, part.index), part.from, &fd);
    if (err == ERR_OK)
        err = copy_runs(journal, &journal->syncing, number, part.salt, fd);
    if (err == ERR_OK)
        err = copy_runs(journal, &journal->pending, number, part.salt, fd);
    if (err == ERR_OK)
        err = sync_file(journal, fd);
    if (err == ERR_OK)
        err = segment_write_header(journal, fd, number, part.index, part.from, part.salt);
    if (err != ERR_OK) {
        disk_abandon(journal->io, fd);
        return err;
    }
    disk_abandon(journal->io, output->fd); /* poisoned: it has nothing left to say */
    output->fd = fd;
    output->salt = part.salt;
    if (segment->parts[segment->part_count - 1].from >= part.from)
        segment->part_count--; /* nothing of it was ever synced */
    segment->parts[segment->part_count++] = part;
    segment->file_bytes += journal->segment_bytes;
    journal->dir_dirty = true;
    return ERR_OK;
}

/* A failed sync is not repeated: the pages may be marked clean and gone. */
static enum err rescue(struct journal *journal, uint32_t number)
{
    atomic_fetch_add(&journal->poisoned, 1);
    pthread_mutex_lock(&journal->lock);
    enum err err = take_over(journal, number);
    int fd = err == ERR_OK ? output_of(journal, number)->fd : -1;
    pthread_mutex_unlock(&journal->lock);
    return err == ERR_OK ? sync_file(journal, fd) : err;
}

static enum err sync_output(struct journal *journal, uint32_t number, int fd)
{
    return sync_file(journal, fd) == ERR_OK ? ERR_OK : rescue(journal, number);
}

/* Only the committer closes files, so that those seen here stay open. */
static enum err sync_rotated(struct journal *journal, size_t count)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < count && err == ERR_OK; i++) {
        pthread_mutex_lock(&journal->lock);
        struct output output = journal->rotated.items[i];
        pthread_mutex_unlock(&journal->lock);
        err = sync_output(journal, output.number, output.fd);
    }
    return err;
}

static enum err sync_folder(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    bool dirty = journal->dir_dirty;
    journal->dir_dirty = false;
    pthread_mutex_unlock(&journal->lock);
    return dirty ? disk_sync_dir(journal->io, journal->dir) : ERR_OK;
}

/* Full segments that are synced now lose their empty tails. */
static enum err close_rotated(struct journal *journal, size_t count)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&journal->lock);
        struct output output = journal->rotated.items[0];
        journal->rotated.count--;
        memmove(journal->rotated.items, journal->rotated.items + 1,
                journal->rotated.count * sizeof output);
        pthread_mutex_unlock(&journal->lock);
        if (disk_truncate(journal->io, output.fd, output.end) != ERR_OK) {
            /* Only space is lost. */
        }
        enum err closed = disk_close(journal->io, output.fd);
        err = err == ERR_OK ? closed : err;
    }
    return err;
}

/* With the lock held: memory of synced frames serves the next ones. */
static void forget_synced(struct journal *journal)
{
    struct runs *runs = &journal->syncing;
    for (size_t i = 0; i < runs->count; i++) {
        struct buf *bytes = &runs->items[i].bytes;
        buf_clear(bytes);
        for (size_t k = 0; k < 2 && bytes->capacity > 0; k++)
            if (journal->idle[k].capacity == 0 && bytes->capacity <= IDLE_MAX) {
                journal->idle[k] = *bytes;
                *bytes = (struct buf){0};
            }
        buf_fini(bytes);
    }
    runs->count = 0;
}

static enum err fail_for_good(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->failed = ERR_IO;
    pthread_mutex_unlock(&journal->lock);
    return ERR_IO;
}

/* Everything taken so far, with its COMMIT, up to *end. */
static size_t close_group(struct journal *journal, uint64_t *end, struct output *active)
{
    size_t hashed = journal->syncing.count;
    pthread_mutex_lock(&journal->lock);
    take_pending(journal);
    hash_from(journal, hashed);
    put_commit(journal);
    take_pending(journal);
    *active = journal->active;
    *end = position_of(active->number, active->end);
    size_t rotated = journal->rotated.count;
    assert(*end >= journal_synced(journal) && journal->pending.count == 0);
    pthread_mutex_unlock(&journal->lock);
    return rotated;
}

static enum err sync_group(struct journal *journal)
{
    hash_from(journal, 0);
    uint64_t end = 0;
    struct output active;
    size_t rotated = close_group(journal, &end, &active);
    enum err err = sync_rotated(journal, rotated);
    if (err == ERR_OK)
        err = sync_output(journal, active.number, active.fd);
    if (err == ERR_OK)
        err = sync_folder(journal);
    if (err != ERR_OK)
        return err;
    pthread_mutex_lock(&journal->lock);
    forget_synced(journal);
    atomic_store(&journal->synced, end);
    pthread_mutex_unlock(&journal->lock);
    return close_rotated(journal, rotated);
}

enum err journal_sync(struct journal *journal, uint64_t *synced_through)
{
    if (journal->read_only)
        return ERR_DENIED;
    pthread_mutex_lock(&journal->lock);
    enum err err = journal->failed;
    if (err == ERR_OK)
        take_pending(journal);
    pthread_mutex_unlock(&journal->lock);
    if (err == ERR_OK && journal->syncing.count > 0)
        err = sync_group(journal);
    if (synced_through != NULL)
        *synced_through = journal_synced(journal);
    return err == ERR_OK ? ERR_OK : fail_for_good(journal);
}
