// SPDX-License-Identifier: Apache-2.0
/* recover_write - the writing half of recovery: see recover.h. */
#include "journal/recover.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/disk.h"

#define QUARANTINE "quarantine"

/* Frames that no synced_through covers are in nobody's hands yet. */
struct tail {
    struct recovery *recovery;
    struct crypto_digest digest;
    uint64_t hashed;
    int fd; /* for writing, of the current part */
    const struct part *part;
};

/* Its header is written once more, too: without it nothing of the file counts. */
static enum err open_part(struct tail *tail, uint32_t number, const struct part *part)
{
    const struct recovery *recovery = tail->recovery;
    char name[SEGMENT_NAME_MAX];
    uint8_t header[HEADER_AREA];
    size_t got = 0;
    assert(tail->fd < 0);
    enum err err = disk_open(recovery->io, recovery->dir,
                             segment_name(name, number, part->index), O_RDWR, &tail->fd);
    if (err != ERR_OK)
        return err;
    tail->part = part;
    err = disk_read_again(recovery->io, tail->fd, header, sizeof header, 0, &got);
    return err == ERR_OK ? disk_write(recovery->io, tail->fd, header, got, 0, NULL) : err;
}

/*
 * The same bytes once more: an earlier process may have failed to sync them, after which
 * the kernel takes pages for clean that never reached the disk.
 */
static enum err write_again(struct tail *tail, const struct segment_walk *walk,
                            const struct walk_item *item)
{
    const struct recovery *recovery = tail->recovery;
    const struct part *part = &walk->segment.parts[walk->part];
    if (tail->part == NULL || tail->part->index != part->index || tail->fd < 0) {
        enum err err = open_part(tail, walk->segment.number, part);
        if (err != ERR_OK)
            return err;
    }
    return disk_write(recovery->io, tail->fd, item->bytes, frame_size(item->frame.len),
                      item->offset, NULL);
}

static enum err close_part(struct tail *tail)
{
    if (tail->fd < 0)
        return ERR_OK;
    enum err err = disk_sync(tail->recovery->io, tail->fd);
    enum err closed = disk_close(tail->recovery->io, tail->fd);
    tail->fd = -1;
    tail->part = NULL;
    return err == ERR_OK ? closed : err;
}

static enum err secure_frame(struct tail *tail, const struct segment_walk *walk,
                             const struct walk_item *item)
{
    struct recovery *recovery = tail->recovery;
    assert(!recovery->read_only);
    uint64_t position = position_of(walk->segment.number, (uint32_t)item->offset);
    if (position >= recovery->base) {
        if (tail->hashed++ == 0) {
            crypto_digest_begin(&tail->digest);
            crypto_digest_add(&tail->digest, recovery->chain, sizeof recovery->chain);
        }
        frame_digest(&tail->digest, item->bytes, item->frame.len);
    }
    if (position < recovery->synced_through)
        return ERR_OK;
    if (item->frame.type >= JOURNAL_TYPE_USER)
        recovery->report.unsynced++;
    if (tail->part != NULL &&
        tail->part->index != walk->segment.parts[walk->part].index) {
        enum err err = close_part(tail);
        if (err != ERR_OK)
            return err;
    }
    return write_again(tail, walk, item);
}

static enum err secure_segment(struct tail *tail, struct segment_walk *walk,
                               const struct segment *segment, uint64_t from)
{
    uint32_t offset =
        position_segment(from) == segment->number ? position_offset(from) : HEADER_AREA;
    struct walk_item item;
    enum walk_step step = WALK_END;
    bool missing = false;
    uint32_t end = position_segment(tail->recovery->end) == segment->number
                       ? position_offset(tail->recovery->end)
                       : segment->end;
    segment_walk_begin(walk, segment, offset, end);
    for (;;) {
        enum err err = segment_walk_next(walk, &item, &step, &missing);
        if (err != ERR_OK)
            return err;
        if (step == WALK_END)
            return close_part(tail);
        if (step == WALK_FRAME)
            err = secure_frame(tail, walk, &item);
        if (err != ERR_OK)
            return err;
    }
}

static enum err secure_tail(struct recovery *recovery)
{
    struct tail tail = {.recovery = recovery, .fd = -1};
    struct segment_walk walk;
    segment_walk_init(&walk, recovery->io, recovery->dir);
    uint64_t from = recovery->base < recovery->synced_through ? recovery->base
                                                              : recovery->synced_through;
    enum err err = ERR_OK;
    const struct segment_table *table = &recovery->table;
    for (size_t i = recovery->checked_from; i < table->count && err == ERR_OK; i++)
        if (table->items[i].number >= position_segment(from))
            err = secure_segment(&tail, &walk, &table->items[i], from);
    if (tail.fd >= 0)
        disk_abandon(recovery->io, tail.fd);
    if (tail.hashed > 0)
        crypto_digest_end(&tail.digest, recovery->chain);
    segment_walk_fini(&walk);
    return err;
}

/* The name says under which generation it went there. */
static char *quarantine_name(const struct recovery *recovery, const char *name)
{
    return mem_format(QUARANTINE "/%s.g%llu", name,
                      (unsigned long long)recovery->report.generation);
}

static enum err make_quarantine(const struct recovery *recovery)
{
    enum err err = disk_mkdir(recovery->io, recovery->dir, QUARANTINE);
    if (err == ERR_EXISTS)
        return ERR_OK;
    return err == ERR_OK ? disk_sync_dir(recovery->io, recovery->dir) : err;
}

static enum err sync_quarantine(const struct recovery *recovery)
{
    int fd = -1;
    enum err err =
        disk_open(recovery->io, recovery->dir, QUARANTINE, O_RDONLY | O_DIRECTORY, &fd);
    if (err == ERR_OK)
        err = disk_sync_dir(recovery->io, fd);
    disk_abandon(recovery->io, fd);
    return err;
}

static enum err copy_bytes(const struct journal_io *io, int from, int to)
{
    size_t block = (size_t)64 << 10, got = 0;
    uint8_t *data = mem_alloc(block);
    enum err err = ERR_OK;
    uint64_t offset = 0, size = 0;
    err = disk_size(io, from, &size);
    while (err == ERR_OK && offset < size) {
        size_t want = size - offset < block ? (size_t)(size - offset) : block;
        memset(data, 0, want);
        if (disk_read(io, from, data, want, offset, &got) != ERR_OK) {
            /* A copy of what can be read; the rest of the block stays zero. */
        }
        err = disk_write(io, to, data, want, offset, NULL);
        offset += want;
    }
    free(data);
    return err;
}

static enum err copy_file(const struct recovery *recovery, const char *name)
{
    const struct journal_io *io = recovery->io;
    char *copy = quarantine_name(recovery, name);
    int from = -1, to = -1;
    enum err err = disk_open(io, recovery->dir, name, O_RDONLY, &from);
    if (err == ERR_OK)
        err = disk_open(io, recovery->dir, copy, O_RDWR | O_CREAT | O_TRUNC, &to);
    if (err == ERR_OK)
        err = copy_bytes(io, from, to);
    if (err == ERR_OK)
        err = disk_sync(io, to);
    enum err closed = disk_close(io, to);
    err = err == ERR_OK ? closed : err;
    disk_abandon(io, from);
    free(copy);
    return err;
}

static bool lost_something(const struct recovery *recovery, uint32_t number)
{
    for (size_t i = 0; i < recovery->loss_count; i++)
        if (position_segment(recovery->losses[i].from) == number)
            return true;
    return false;
}

/*
 * The rotten file stays where it is, for what is sound in it; the copy is for whoever
 * investigates. Without space for it the journal starts all the same.
 */
static void copy_rotten(struct recovery *recovery)
{
    bool copied = false;
    for (size_t i = recovery->checked_from; i < recovery->table.count; i++) {
        const struct segment *segment = &recovery->table.items[i];
        if (!lost_something(recovery, segment->number) || segment->unusable)
            continue;
        for (unsigned part = 0; part < segment->part_count; part++) {
            char name[SEGMENT_NAME_MAX];
            segment_name(name, segment->number, segment->parts[part].index);
            if (make_quarantine(recovery) != ERR_OK ||
                copy_file(recovery, name) != ERR_OK)
                continue;
            recovery->report.quarantined++;
            copied = true;
        }
    }
    if (copied && sync_quarantine(recovery) != ERR_OK) {
        /* The copy may vanish in a power cut; the original has not been touched. */
    }
}

enum err recovery_secure(struct recovery *recovery)
{
    if (recovery->table.count == 0)
        return ERR_OK;
    enum err err = secure_tail(recovery);
    if (err == ERR_OK)
        copy_rotten(recovery);
    return err;
}

/* Behind the end of the last segment: the torn tail and the reserve. */
static enum err cut_tail(const struct recovery *recovery)
{
    const struct segment *last = &recovery->table.items[recovery->table.count - 1];
    if (last->part_count == 0 || position_segment(recovery->end) != last->number)
        return ERR_OK;
    uint32_t end = position_offset(recovery->end);
    assert(end >= HEADER_AREA);
    if (last->last_size <= end)
        return ERR_OK;
    char name[SEGMENT_NAME_MAX];
    int fd = -1;
    const struct part *part = &last->parts[last->part_count - 1];
    enum err err = disk_open(recovery->io, recovery->dir,
                             segment_name(name, last->number, part->index), O_RDWR, &fd);
    if (err == ERR_OK)
        err = disk_truncate(recovery->io, fd, end);
    if (err == ERR_OK)
        err = disk_sync(recovery->io, fd);
    enum err closed = disk_close(recovery->io, fd);
    return err == ERR_OK ? closed : err;
}

static bool is_part_in_use(const struct segment *segment, uint32_t index)
{
    for (unsigned i = 0; i < segment->part_count; i++)
        if (segment->parts[i].index == index)
            return true;
    return false;
}

/* Files without a sound header go to quarantine/ themselves. */
static void move_unusable(struct recovery *recovery)
{
    bool moved = false;
    for (size_t i = recovery->checked_from; i < recovery->table.count; i++) {
        const struct segment *segment = &recovery->table.items[i];
        if (!segment->unusable)
            continue;
        for (uint32_t index = 0; index < 2 * PARTS_MAX; index++) {
            char name[SEGMENT_NAME_MAX];
            segment_name(name, segment->number, index);
            if (is_part_in_use(segment, index) || make_quarantine(recovery) != ERR_OK)
                continue;
            char *to = quarantine_name(recovery, name);
            if (disk_rename(recovery->io, recovery->dir, name, recovery->dir, to) ==
                ERR_OK) {
                recovery->report.quarantined++;
                moved = true;
            }
            free(to);
        }
    }
    if (moved && (sync_quarantine(recovery) != ERR_OK ||
                  disk_sync_dir(recovery->io, recovery->dir) != ERR_OK)) {
        /* Then it is found and moved once more. */
    }
}

enum err recovery_finish(struct recovery *recovery)
{
    if (recovery->table.count == 0)
        return ERR_OK;
    move_unusable(recovery);
    return cut_tail(recovery);
}
