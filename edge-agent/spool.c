// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/spool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "edge-agent/packer.h"

#define PACK_TYPE    (JOURNAL_TYPE_USER + 0)
#define MARKS_TYPE   (JOURNAL_TYPE_USER + 1)
#define HEAD_VERSION 1
#define HEAD_BYTES   24
#define FLAG_URGENT  1u
#define FLAG_BREACH  2u
/* Segments per budget: what trimming gives up at a time. */
#define SEGMENT_SHARE 16

struct spool {
    struct journal *journal;
    struct journal_reader *reader;
    uint64_t max_bytes;
    size_t segment_bytes;
    struct spool_epoch *epochs;
    size_t epoch_count;
    size_t epoch_capacity;
    struct buf marks;
    struct spool_cursor *cursors;
    size_t cursor_count;
    size_t cursor_capacity;
    uint64_t last_hash;
    uint64_t last_position;                              /* of the last pack */
    struct spool_cursor read_cursors[SPOOL_CURSORS_MAX]; /* of the pack read last */
};

/* ---- the index ---- */

static struct spool_epoch *find_epoch(const struct spool *spool, uint64_t epoch)
{
    for (size_t i = spool->epoch_count; i-- > 0;)
        if (spool->epochs[i].epoch == epoch)
            return &spool->epochs[i];
    return NULL;
}

static struct spool_epoch *add_epoch(struct spool *spool, uint64_t epoch, uint64_t first)
{
    mem_grow(&spool->epochs, &spool->epoch_capacity, spool->epoch_count + 1,
             sizeof *spool->epochs);
    struct spool_epoch *added = &spool->epochs[spool->epoch_count++];
    *added = (struct spool_epoch){
        .epoch = epoch, .first = first, .last = first - 1, .offset = first};
    return added;
}

/* What was trimmed leaves its place once it is the larger part. */
static void compact(struct spool_epoch *epoch)
{
    assert(epoch->first >= epoch->offset && epoch->last + 1 >= epoch->first);
    uint64_t dead = epoch->first - epoch->offset;
    if (dead < 1024 || dead * 2 < epoch->capacity)
        return;
    memmove(epoch->positions, epoch->positions + dead,
            (size_t)(epoch->last + 1 - epoch->first) * sizeof *epoch->positions);
    memmove(epoch->readings, epoch->readings + dead,
            (size_t)(epoch->last + 1 - epoch->first) * sizeof *epoch->readings);
    epoch->offset = epoch->first;
}

static void add_pack(struct spool_epoch *epoch, uint64_t seq, uint64_t position,
                     uint32_t readings)
{
    assert(seq > epoch->last);
    size_t count = (size_t)(seq - epoch->offset) + 1;
    mem_grow(&epoch->positions, &epoch->capacity, count, sizeof *epoch->positions);
    mem_grow(&epoch->readings, &epoch->readings_capacity, count, sizeof *epoch->readings);
    for (uint64_t hole = epoch->last + 1; hole < seq; hole++) {
        epoch->positions[hole - epoch->offset] = 0;
        epoch->readings[hole - epoch->offset] = 0;
    }
    assert(count <= epoch->capacity);
    epoch->positions[count - 1] = position;
    epoch->readings[count - 1] = readings > UINT16_MAX ? UINT16_MAX : (uint16_t)readings;
    epoch->last = seq;
}

static void set_cursor(struct spool *spool, const struct spool_cursor *cursor)
{
    for (size_t i = 0; i < spool->cursor_count; i++) {
        if (spool->cursors[i].sensor == cursor->sensor) {
            spool->cursors[i].cursor = cursor->cursor;
            return;
        }
    }
    mem_grow(&spool->cursors, &spool->cursor_capacity, spool->cursor_count + 1,
             sizeof *spool->cursors);
    spool->cursors[spool->cursor_count++] = *cursor;
}

/* ---- records ---- */

static void put_head(struct buf *head, const struct spool_pack *pack)
{
    buf_u8(head, HEAD_VERSION);
    buf_u8(head, (uint8_t)((pack->is_urgent ? FLAG_URGENT : 0) |
                           (pack->has_breach ? FLAG_BREACH : 0)));
    buf_u8(head, (uint8_t)(pack->cursor_count & 0xff));
    buf_u8(head, (uint8_t)(pack->cursor_count >> 8));
    buf_u32(head, pack->readings);
    buf_u64(head, pack->epoch);
    buf_u64(head, pack->seq);
    assert(head->len == HEAD_BYTES);
    for (size_t i = 0; i < pack->cursor_count; i++) {
        buf_u64(head, pack->cursors[i].sensor);
        buf_u64(head, pack->cursors[i].cursor);
    }
}

/* False for a record of another version, or none of ours. */
static bool take_head(struct spool *spool, const struct journal_record *record,
                      struct spool_pack *pack)
{
    struct buf_reader in = buf_reader_of(record->data, record->len);
    uint8_t version = buf_read_u8(&in);
    uint8_t flags = buf_read_u8(&in);
    size_t cursors = buf_read_u8(&in);
    cursors |= (size_t)buf_read_u8(&in) << 8;
    *pack = (struct spool_pack){
        .is_urgent = (flags & FLAG_URGENT) != 0,
        .has_breach = (flags & FLAG_BREACH) != 0,
        .readings = buf_read_u32(&in),
        .cursors = spool->read_cursors,
        .cursor_count = cursors,
    };
    pack->epoch = buf_read_u64(&in);
    pack->seq = buf_read_u64(&in);
    if (in.failed || version != HEAD_VERSION || pack->seq == 0 ||
        cursors > SPOOL_CURSORS_MAX)
        return false;
    for (size_t i = 0; i < cursors; i++) {
        spool->read_cursors[i].sensor = buf_read_u64(&in);
        spool->read_cursors[i].cursor = buf_read_u64(&in);
    }
    pack->len = in.failed ? 0 : in.len - in.at;
    pack->bytes = buf_read_bytes(&in, pack->len);
    return !in.failed;
}

static void index_pack(struct spool *spool, const struct spool_pack *pack,
                       uint64_t position)
{
    struct spool_epoch *epoch = find_epoch(spool, pack->epoch);
    if (epoch == NULL)
        epoch = add_epoch(spool, pack->epoch, pack->seq);
    if (pack->seq <= epoch->last)
        return; /* cannot be: seqs follow each other; the first one counts */
    add_pack(epoch, pack->seq, position, pack->readings);
    for (size_t i = 0; i < pack->cursor_count; i++)
        set_cursor(spool, &pack->cursors[i]);
    spool->last_hash = packer_hash(pack->bytes, pack->len);
    spool->last_position = position;
}

static void index_record(struct spool *spool, const struct journal_record *record,
                         struct spool_recovery *recovery)
{
    struct spool_pack pack;
    if (record->type == JOURNAL_TYPE_LOSS) {
        recovery->unreadable++;
    } else if (record->type == MARKS_TYPE) {
        buf_clear(&spool->marks);
        buf_add(&spool->marks, record->data, record->len);
    } else if (record->type == PACK_TYPE && take_head(spool, record, &pack)) {
        index_pack(spool, &pack, record->position);
        recovery->packs++;
    } else {
        recovery->unreadable++;
    }
}

static enum err read_all(struct spool *spool, struct spool_recovery *recovery,
                         struct err_text *why)
{
    enum err err = journal_reader_open(&spool->reader, spool->journal, 0);
    while (err == ERR_OK) {
        struct journal_record record;
        err = journal_reader_next(spool->reader, &record);
        if (err == ERR_OK)
            index_record(spool, &record, recovery);
    }
    if (err == ERR_NOT_FOUND)
        return ERR_OK;
    return err_set(why, err, "the journal cannot be read: %s", err_about(err));
}

/* ---- opening ---- */

static size_t segment_for(uint64_t max_bytes)
{
    uint64_t bytes = max_bytes / SEGMENT_SHARE / 4096 * 4096;
    if (bytes < JOURNAL_SEGMENT_MIN)
        return JOURNAL_SEGMENT_MIN;
    return bytes > JOURNAL_SEGMENT_BYTES ? JOURNAL_SEGMENT_BYTES : (size_t)bytes;
}

enum err spool_open(struct spool **spool, const char *dir, uint64_t max_bytes,
                    const struct journal_io *io, struct spool_recovery *recovery,
                    struct err_text *why)
{
    assert(max_bytes > 0);
    *spool = NULL;
    *recovery = (struct spool_recovery){0};
    struct spool *made = mem_alloc(sizeof *made);
    made->max_bytes = max_bytes;
    made->segment_bytes = segment_for(max_bytes);
    struct journal_options options = {.io = io, .segment_bytes = made->segment_bytes};
    struct journal_recovery report = {0};
    enum err err = journal_open(&made->journal, dir, &options, &report, why);
    if (err == ERR_OK)
        err = read_all(made, recovery, why);
    if (err != ERR_OK) {
        spool_close(made);
        return err;
    }
    recovery->is_born = report.born;
    recovery->was_cut = !report.born && (report.generation_bumped ||
                                         report.cut_bytes > 0 || report.loss_count > 0);
    *spool = made;
    return ERR_OK;
}

void spool_close(struct spool *spool)
{
    if (spool == NULL)
        return;
    journal_reader_close(spool->reader);
    enum err err = journal_close(spool->journal);
    if (err != ERR_OK)
        log_error("journal not closed cleanly reason=\"%s\"", err_about(err));
    for (size_t i = 0; i < spool->epoch_count; i++) {
        free(spool->epochs[i].positions);
        free(spool->epochs[i].readings);
    }
    free(spool->epochs);
    free(spool->cursors);
    buf_fini(&spool->marks);
    free(spool);
}

/* ---- looking ---- */

size_t spool_epoch_count(const struct spool *spool)
{
    return spool->epoch_count;
}

const struct spool_epoch *spool_epoch_at(const struct spool *spool, size_t index)
{
    assert(index < spool->epoch_count);
    return &spool->epochs[index];
}

const struct buf *spool_marks(const struct spool *spool)
{
    return spool->marks.len > 0 ? &spool->marks : NULL;
}

bool spool_cursor(const struct spool *spool, uint64_t sensor, uint64_t *cursor)
{
    for (size_t i = 0; i < spool->cursor_count; i++) {
        if (spool->cursors[i].sensor == sensor) {
            *cursor = spool->cursors[i].cursor;
            return true;
        }
    }
    return false;
}

uint64_t spool_last_hash(const struct spool *spool)
{
    return spool->last_hash;
}

/* ---- writing ---- */

enum err spool_write(struct spool *spool, const struct spool_pack *pack, int64_t wall_ms,
                     int64_t boot_ms)
{
    assert(pack->cursor_count <= SPOOL_CURSORS_MAX && pack->len > 0 && pack->epoch != 0);
    struct spool_epoch *epoch = find_epoch(spool, pack->epoch);
    assert(pack->seq == (epoch == NULL ? 1 : epoch->last + 1));
    struct buf head = {0};
    put_head(&head, pack);
    struct journal_piece pieces[] = {
        {.data = head.data, .len = head.len},
        {.data = pack->bytes, .len = pack->len},
    };
    uint64_t position = 0;
    enum err err =
        journal_append(spool->journal, PACK_TYPE, wall_ms, boot_ms, pieces, 2, &position);
    buf_fini(&head);
    if (err == ERR_OK)
        index_pack(spool, pack, position);
    return err;
}

enum err spool_write_marks(struct spool *spool, const void *marks, size_t len,
                           int64_t wall_ms, int64_t boot_ms)
{
    struct journal_piece piece = {.data = marks, .len = len};
    return journal_append(spool->journal, MARKS_TYPE, wall_ms, boot_ms, &piece, 1, NULL);
}

enum err spool_sync(struct spool *spool)
{
    return journal_sync(spool->journal, NULL);
}

enum err spool_read(struct spool *spool, uint64_t epoch, uint64_t seq,
                    struct spool_pack *pack)
{
    const struct spool_epoch *held = find_epoch(spool, epoch);
    if (held == NULL || seq < held->first || seq > held->last)
        return ERR_NOT_FOUND;
    assert(seq >= held->offset);
    uint64_t position = held->positions[seq - held->offset];
    if (position == 0)
        return ERR_CORRUPT;
    struct journal_record record;
    enum err err = journal_read_at(spool->reader, position, &record);
    if (err != ERR_OK)
        return err;
    if (record.type != PACK_TYPE || !take_head(spool, &record, pack) ||
        pack->epoch != epoch || pack->seq != seq)
        return ERR_CORRUPT;
    return ERR_OK;
}

uint64_t spool_readings(const struct spool *spool, uint64_t epoch, uint64_t from,
                        uint64_t to)
{
    const struct spool_epoch *held = find_epoch(spool, epoch);
    uint64_t sum = 0;
    if (held == NULL)
        return 0;
    for (uint64_t seq = from > held->first ? from : held->first;
         seq <= to && seq <= held->last; seq++)
        sum += held->readings[seq - held->offset];
    return sum;
}

/* ---- the budget ---- */

static uint64_t segment_of(uint64_t position)
{
    return position >> 32;
}

bool spool_is_full(const struct spool *spool)
{
    struct journal_stats stats;
    journal_stats(spool->journal, &stats);
    return stats.disk_bytes + spool->segment_bytes > spool->max_bytes;
}

/*
 * The number of the oldest segment; false when it is the one being written, or holds the
 * last pack: without that nobody knows after a crash which epoch it was, what of it was
 * not sent, and where the sensors stood.
 */
static bool oldest_segment(const struct spool *spool, uint64_t *number)
{
    struct journal_stats stats;
    journal_stats(spool->journal, &stats);
    *number = segment_of(stats.first);
    return *number < segment_of(stats.end) && *number != segment_of(spool->last_position);
}

bool spool_oldest(struct spool *spool,
                  void (*each)(void *context, const struct spool_pack *pack),
                  void *context)
{
    uint64_t oldest;
    if (!oldest_segment(spool, &oldest))
        return false;
    for (size_t i = 0; i < spool->epoch_count; i++) {
        for (uint64_t seq = spool->epochs[i].first; seq <= spool->epochs[i].last; seq++) {
            const struct spool_epoch *epoch = &spool->epochs[i];
            uint64_t position = epoch->positions[seq - epoch->offset];
            struct spool_pack pack;
            if (position != 0 && segment_of(position) > oldest)
                break;
            if (spool_read(spool, epoch->epoch, seq, &pack) == ERR_OK)
                each(context, &pack);
        }
    }
    return true;
}

enum err spool_trim_oldest(struct spool *spool)
{
    uint64_t oldest;
    if (!oldest_segment(spool, &oldest))
        return ERR_NOT_FOUND;
    enum err err = journal_trim(spool->journal, (oldest + 1) << 32);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < spool->epoch_count; i++) {
        struct spool_epoch *epoch = &spool->epochs[i];
        while (epoch->first <= epoch->last &&
               segment_of(epoch->positions[epoch->first - epoch->offset]) <= oldest)
            epoch->first++;
        compact(epoch);
    }
    return ERR_OK;
}

void spool_stats(const struct spool *spool, struct journal_stats *stats)
{
    journal_stats(spool->journal, stats);
}
