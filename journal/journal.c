// SPDX-License-Identifier: Apache-2.0
/* journal - opening, appending and closing. */
#include "journal/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "journal/disk.h"
#include "journal/recover.h"

static bool fits(const struct journal *journal, uint64_t size)
{
    return journal->active.fd >= 0 &&
           journal->active.end + size <= journal->segment_bytes;
}

/* The run that goes on at the end of the active segment. */
static struct run *current_run(struct journal *journal)
{
    struct runs *runs = &journal->pending;
    const struct output *active = &journal->active;
    struct run *last = runs->count > 0 ? &runs->items[runs->count - 1] : NULL;
    if (last != NULL && last->number == active->number) {
        assert(last->salt == active->salt);
        assert(last->offset + last->bytes.len == active->end);
        return last;
    }
    mem_grow(&runs->items, &runs->capacity, runs->count + 1, sizeof *runs->items);
    struct run run = {
        .number = active->number, .offset = active->end, .salt = active->salt};
    for (size_t i = 0; i < 2 && run.bytes.capacity == 0; i++) {
        run.bytes = journal->idle[i];
        journal->idle[i] = (struct buf){0};
    }
    runs->items[runs->count] = run;
    return &runs->items[runs->count++];
}

static void gather(uint8_t *to, const struct journal_piece *pieces, size_t count,
                   size_t padding)
{
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0) {
            memcpy(to, pieces[i].data, pieces[i].len);
            to += pieces[i].len;
        }
    memset(to, 0, padding);
}

/* Writes one frame at the end of the active segment; nothing has changed on failure. */
static enum err put_here(struct journal *journal, const struct frame *frame,
                         const struct journal_piece *pieces, size_t count,
                         uint64_t *position)
{
    struct output *active = &journal->active;
    uint32_t size = frame_size(frame->len);
    assert(active->fd >= 0 && active->end % 8 == 0);
    uint64_t here = position_of(active->number, active->end);
    struct frame placed = *frame;
    placed.serial = active->serial;
    placed.body_crc = frame_salted(frame->body_crc, active->salt, here);

    struct buf *bytes = &current_run(journal)->bytes;
    uint8_t *to = buf_reserve(bytes, size);
    frame_format(to, &placed, active->salt, here);
    gather(to + FRAME_HEADER, pieces, count, size - FRAME_HEADER - frame->len);
    size_t written = 0;
    enum err err = disk_write(journal->io, active->fd, to, size, active->end, &written);
    journal->bytes_written += written;
    if (err != ERR_OK) {
        disk_wipe(journal->io, active->fd, active->end, written);
        return err == ERR_FULL ? ERR_FULL : ERR_IO;
    }
    bytes->len += size;
    active->end += size;
    active->serial++;
    if (position != NULL)
        *position = here;
    return ERR_OK;
}

enum err journal_put_own(struct journal *journal, uint8_t type, const void *body,
                         size_t len, uint64_t *position)
{
    assert(type < JOURNAL_TYPE_USER && fits(journal, frame_size(len)));
    struct frame frame = {
        .type = type,
        .len = (uint32_t)len,
        .body_crc = crc32c(0, body, len),
        .wall_ms = journal->last_wall_ms,
        .boot_ms = journal->last_boot_ms,
    };
    return put_here(journal, &frame, &(struct journal_piece){body, len}, 1, position);
}

static void enter_segment(struct journal *journal, const struct spare *spare)
{
    journal->active = (struct output){.number = spare->number,
                                      .end = HEADER_AREA,
                                      .salt = spare->salt,
                                      .fd = spare->fd};
    struct segment segment = {
        .number = spare->number,
        .end = HEADER_AREA,
        .part_count = 1,
        .parts = {{.from = HEADER_AREA, .index = 0, .salt = spare->salt}},
        .generation = journal->generation,
        .segment_bytes = journal->segment_bytes,
        .last_size = journal->segment_bytes,
        .file_bytes = journal->segment_bytes,
    };
    segment_table_add(&journal->table, &segment);
}

/* Nothing was written to the segment: the next try takes it again. */
static void leave_segment(struct journal *journal, const struct spare *spare,
                          const struct output *before)
{
    segment_table_remove(&journal->table, journal->table.count - 1);
    if (journal->pending.count > 0) {
        struct run *last = &journal->pending.items[journal->pending.count - 1];
        if (last->number == spare->number) {
            assert(last->bytes.len == 0);
            buf_fini(&last->bytes);
            journal->pending.count--;
        }
    }
    spares_put_back(journal, spare);
    journal->active = *before;
}

static void note_begin(struct journal *journal, const struct begin *begin)
{
    struct segment *segment = &journal->table.items[journal->table.count - 1];
    segment->has_begin = true;
    segment->begin = *begin;
}

enum err journal_rotate(struct journal *journal, enum begin_kind kind,
                        uint64_t previous_end)
{
    struct spare spare;
    enum err err = spares_take(journal, &spare);
    if (err != ERR_OK)
        return err == ERR_FULL ? ERR_FULL : ERR_IO;
    struct output before = journal->active;
    if (before.fd >= 0) {
        previous_end = position_of(before.number, before.end);
        journal->table.items[journal->table.count - 1].end = before.end;
    }
    enter_segment(journal, &spare);
    struct begin begin = {.previous_end = previous_end,
                          .synced_through = journal_synced(journal),
                          .kind = kind};
    memcpy(begin.chain, journal->chain, sizeof begin.chain);
    uint8_t body[BEGIN_BYTES];
    begin_format(body, &begin);
    err = journal_put_own(journal, JOURNAL_TYPE_BEGIN, body, sizeof body, NULL);
    if (err != ERR_OK) {
        leave_segment(journal, &spare, &before);
        return err;
    }
    note_begin(journal, &begin);
    journal->dir_dirty = journal->dir_dirty || !spare.synced;
    if (before.fd >= 0) {
        struct outputs *rotated = &journal->rotated;
        mem_grow(&rotated->items, &rotated->capacity, rotated->count + 1,
                 sizeof *rotated->items);
        rotated->items[rotated->count++] = before;
    }
    return ERR_OK;
}

/* A full segment keeps room for the COMMIT of its last group. */
enum err journal_put(struct journal *journal, const struct frame *frame,
                     const struct journal_piece *pieces, size_t count, uint64_t *position)
{
    if (journal->failed != ERR_OK)
        return journal->failed;
    uint64_t size = frame_size(frame->len);
    if (!fits(journal, size + COMMIT_FRAME)) {
        enum err err = journal_rotate(journal, BEGIN_ROTATE, 0);
        if (err != ERR_OK)
            return err;
    }
    enum err err = put_here(journal, frame, pieces, count, position);
    if (err != ERR_OK)
        return err;
    atomic_fetch_add_explicit(&journal->pending_records, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&journal->pending_bytes, size, memory_order_relaxed);
    return ERR_OK;
}

enum err journal_append(struct journal *journal, uint8_t type, int64_t wall_ms,
                        int64_t boot_ms, const struct journal_piece *pieces, size_t count,
                        uint64_t *position)
{
    assert(type >= JOURNAL_TYPE_USER && "types below are the journal's own");
    if (journal->read_only)
        return ERR_DENIED;
    struct frame frame = {.type = type, .wall_ms = wall_ms, .boot_ms = boot_ms};
    size_t room = journal_body_max(journal);
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len > room)
            return ERR_LIMIT;
        room -= pieces[i].len;
        frame.len += (uint32_t)pieces[i].len;
        frame.body_crc = crc32c(frame.body_crc, pieces[i].data, pieces[i].len);
    }
    pthread_mutex_lock(&journal->lock);
    journal->last_wall_ms = wall_ms;
    journal->last_boot_ms = boot_ms;
    enum err err = journal_put(journal, &frame, pieces, count, position);
    if (err == ERR_OK)
        journal->records++;
    pthread_mutex_unlock(&journal->lock);
    return err;
}

size_t journal_body_max(const struct journal *journal)
{
    size_t quarter = journal->segment_bytes / 4;
    return quarter < JOURNAL_BODY_MAX ? quarter : JOURNAL_BODY_MAX;
}

uint64_t journal_synced(const struct journal *journal)
{
    return atomic_load(&journal->synced);
}

size_t journal_pending(const struct journal *journal, uint64_t *bytes)
{
    if (bytes != NULL)
        *bytes = atomic_load_explicit(&journal->pending_bytes, memory_order_relaxed);
    return (size_t)atomic_load_explicit(&journal->pending_records, memory_order_relaxed);
}

void journal_stats(struct journal *journal, struct journal_stats *stats)
{
    *stats = (struct journal_stats){
        .generation = journal->generation,
        .synced = journal_synced(journal),
        .syncs = atomic_load(&journal->syncs),
        .commits = atomic_load(&journal->commits),
        .poisoned = atomic_load(&journal->poisoned),
    };
    memcpy(stats->id, journal->id, sizeof stats->id);
    pthread_mutex_lock(&journal->lock);
    const struct segment_table *table = &journal->table;
    stats->segments = table->count;
    for (size_t i = 0; i < table->count; i++)
        stats->disk_bytes += table->items[i].file_bytes;
    if (table->count > 0)
        stats->first = position_of(table->items[0].number, HEADER_AREA);
    stats->end = journal->read_only
                     ? stats->synced
                     : position_of(journal->active.number, journal->active.end);
    stats->records = journal->records;
    stats->bytes_written = journal->bytes_written;
    pthread_mutex_unlock(&journal->lock);
    pthread_mutex_lock(&journal->spares.lock);
    stats->spares = journal->spares.count;
    pthread_mutex_unlock(&journal->spares.lock);
    stats->disk_bytes += stats->spares * journal->segment_bytes;
}

/* The folder itself and its name in the folder above it. */
static enum err make_dir(const struct journal_io *io, const char *dir)
{
    enum err err = disk_mkdir(io, AT_FDCWD, dir);
    if (err != ERR_OK)
        return err == ERR_EXISTS ? ERR_OK : err;
    char *parent = mem_strdup(dir);
    size_t len = strlen(parent);
    while (len > 1 && parent[len - 1] == '/')
        parent[--len] = '\0';
    char *slash = strrchr(parent, '/');
    if (slash == parent)
        slash[1] = '\0';
    else if (slash != NULL)
        *slash = '\0';
    int fd = -1;
    err = disk_open(io, AT_FDCWD, slash == NULL ? "." : parent, O_RDONLY | O_DIRECTORY,
                    &fd);
    if (err == ERR_OK)
        err = disk_sync_dir(io, fd);
    disk_abandon(io, fd);
    free(parent);
    return err;
}

static enum err lock_dir(struct journal *journal, const char *dir, struct err_text *why)
{
    enum err err =
        disk_open(journal->io, journal->dir, "lock", O_RDWR | O_CREAT, &journal->lock_fd);
    if (err != ERR_OK)
        return err_set(why, err, "cannot create %s/lock: %s", dir, strerror(errno));
    if (journal->io->lock(journal->io->context, journal->lock_fd) == 0)
        return ERR_OK;
    if (errno != EWOULDBLOCK)
        return err_set(why, ERR_IO, "cannot lock %s/lock: %s", dir, strerror(errno));
    return err_set(why, ERR_BUSY,
                   "journal %s is in use by another process; stop that one first, or "
                   "give this one a folder of its own",
                   dir);
}

static enum err open_dir(struct journal *journal, const char *dir, struct err_text *why)
{
    enum err err = journal->read_only ? ERR_OK : make_dir(journal->io, dir);
    if (err != ERR_OK)
        return err_set(why, err, "cannot create the folder %s: %s", dir, strerror(errno));
    err = disk_open(journal->io, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, &journal->dir);
    if (err != ERR_OK)
        return err_set(why, err, "cannot open the folder %s: %s", dir, strerror(errno));
    return journal->read_only ? ERR_OK : lock_dir(journal, dir, why);
}

enum err journal_put_loss(struct journal *journal, const struct journal_loss *loss)
{
    uint8_t body[LOSS_BYTES];
    loss_format(body, loss);
    struct frame frame = {.type = JOURNAL_TYPE_LOSS,
                          .len = sizeof body,
                          .body_crc = crc32c(0, body, sizeof body),
                          .wall_ms = journal->last_wall_ms,
                          .boot_ms = journal->last_boot_ms};
    return journal_put(journal, &frame, &(struct journal_piece){body, sizeof body}, 1,
                       NULL);
}

static enum err append_losses(struct journal *journal, const struct recovery *recovery)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < recovery->loss_count && err == ERR_OK; i++)
        err = journal_put_loss(journal, &recovery->losses[i]);
    return err;
}

/*
 * What was found becomes durable in a fresh segment (generation, end of the one before,
 * losses) before anything old is cut or moved: a crash in between finds the same again.
 */
static enum err begin_run(struct journal *journal, struct recovery *recovery)
{
    enum err err = recovery_secure(recovery);
    if (err != ERR_OK)
        return err;
    journal->spares.next_number = recovery->next_number;
    for (size_t i = 0; i < recovery->unused_count; i++)
        spares_adopt(journal, recovery->unused[i]);
    spares_clean(journal);
    err = spares_prepare(journal, 1);
    if (err != ERR_OK)
        return err;
    atomic_store(&journal->synced, recovery->end);
    journal->dir_dirty = true;

    pthread_mutex_lock(&journal->lock);
    err = journal_rotate(journal, BEGIN_OPEN, recovery->end);
    if (err == ERR_OK)
        err = append_losses(journal, recovery);
    pthread_mutex_unlock(&journal->lock);
    if (err == ERR_OK)
        err = journal_sync(journal, NULL);
    return err == ERR_OK ? recovery_finish(recovery) : err;
}

/* Also those that cannot be read, so that readers tell; the last one has its end. */
static void take_segments(struct journal *journal, const struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->table.count; i++) {
        const struct segment *segment = &recovery->table.items[i];
        struct segment *added = segment_table_add(&journal->table, segment);
        if (segment->number == position_segment(recovery->end))
            added->end = position_offset(recovery->end);
    }
}

static void raise_generation(struct journal_recovery *report)
{
    report->generation += report->born || report->generation_bumped ? 0 : 1;
    report->generation_bumped = !report->born;
}

static enum err start(struct journal *journal, const char *dir, bool wants_raise,
                      struct journal_recovery *report, struct err_text *why)
{
    struct recovery recovery = {
        .io = journal->io, .dir = journal->dir, .read_only = journal->read_only};
    enum err err = recovery_plan(&recovery);
    if (err != ERR_OK) {
        recovery_fini(&recovery);
        return folder_refused(err, dir, why);
    }
    if (wants_raise)
        raise_generation(&recovery.report);
    memcpy(journal->id, recovery.report.id, sizeof journal->id);
    journal->generation = recovery.report.generation;
    take_segments(journal, &recovery);
    memcpy(journal->chain, recovery.chain, sizeof journal->chain);
    if (journal->read_only) {
        atomic_store(&journal->synced, recovery.end);
    } else {
        err = begin_run(journal, &recovery);
    }
    if (report != NULL)
        *report = recovery.report;
    recovery_fini(&recovery);
    if (err == ERR_FULL)
        return err_set(why, err,
                       "no space for a segment of %zu bytes in %s; free some, or lower "
                       "the segment size",
                       journal->segment_bytes, dir);
    return err_set(err == ERR_OK ? NULL : why, err,
                   "cannot start a new segment in %s: %s; check the disk", dir,
                   err_about(err));
}

/* Everything but the last sync. */
static enum err release(struct journal *journal)
{
    enum err err = disk_close(journal->io, journal->active.fd);
    for (size_t i = 0; i < journal->rotated.count; i++) {
        enum err closed = disk_close(journal->io, journal->rotated.items[i].fd);
        err = err == ERR_OK ? closed : err;
    }
    spares_close(journal);
    disk_abandon(journal->io, journal->lock_fd);
    disk_abandon(journal->io, journal->dir);
    free(journal->rotated.items);
    runs_fini(&journal->pending);
    runs_fini(&journal->syncing);
    buf_fini(&journal->idle[0]);
    buf_fini(&journal->idle[1]);
    segment_table_fini(&journal->table);
    pthread_mutex_destroy(&journal->lock);
    free(journal);
    return err;
}

enum err journal_open(struct journal **journal, const char *dir,
                      const struct journal_options *options,
                      struct journal_recovery *report, struct err_text *why)
{
    *journal = NULL;
    size_t bytes =
        options->segment_bytes == 0 ? JOURNAL_SEGMENT_BYTES : options->segment_bytes;
    if (bytes < JOURNAL_SEGMENT_MIN || bytes > JOURNAL_SEGMENT_MAX || bytes % 4096 != 0)
        return err_set(why, ERR_INVALID,
                       "segment size %zu: give a multiple of 4096 from %zu to %zu", bytes,
                       JOURNAL_SEGMENT_MIN, JOURNAL_SEGMENT_MAX);
    struct journal *made = mem_alloc(sizeof *made);
    made->io = options->io != NULL ? options->io : &journal_io_posix;
    made->dir = made->lock_fd = made->active.fd = -1;
    made->read_only = options->read_only;
    made->segment_bytes = bytes;
    pthread_mutex_init(&made->lock, NULL);
    spares_init(&made->spares, options->spare_segments);

    enum err err = open_dir(made, dir, why);
    if (err == ERR_OK)
        err = start(made, dir, options->raise_generation, report, why);
    if (err == ERR_OK) {
        *journal = made;
        return ERR_OK;
    }
    if (release(made) != ERR_OK) {
        /* The failure above is what counts. */
    }
    return err;
}

enum err journal_close(struct journal *journal)
{
    if (journal == NULL)
        return ERR_OK;
    enum err err = journal->read_only ? ERR_OK : journal_sync(journal, NULL);
    enum err closed = release(journal);
    return err == ERR_OK ? closed : err;
}
