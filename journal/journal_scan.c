// SPDX-License-Identifier: Apache-2.0
/* journal_scan - every frame of every segment, and the chain that runs through them. */
#include "journal/journal_scan.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "journal/disk.h"
#include "journal/folder.h"
#include "journal/journal_io.h"

/* Follows the groups. Across damage a group cannot be judged. */
struct chain {
    uint8_t value[CRYPTO_DIGEST_BYTES];
    bool known;
    bool damaged;
    uint64_t count;
    struct crypto_digest digest;
};

struct scan {
    const struct journal_io *io;
    int dir;
    struct segment_table table;
    const struct journal_scan_visitor *visitor;
    struct journal_scan_report *report;
    struct journal_segment_info info;
    struct chain chain;
};

static void chain_add(struct chain *chain, const struct walk_item *item)
{
    if (chain->count++ == 0) {
        crypto_digest_begin(&chain->digest);
        crypto_digest_add(&chain->digest, chain->value, sizeof chain->value);
    }
    frame_digest(&chain->digest, item->bytes, item->frame.len);
}

/* Ends the group with the value that is stored. True when it does not fit. */
static bool chain_close(struct chain *chain, const uint8_t *stored, bool counts)
{
    uint8_t value[CRYPTO_DIGEST_BYTES];
    bool judged = chain->known && !chain->damaged;
    if (chain->count > 0)
        crypto_digest_end(&chain->digest, value);
    else
        memcpy(value, chain->value, sizeof value);
    bool fits = counts && crypto_equal(value, stored, sizeof value);
    memcpy(chain->value, stored, sizeof chain->value);
    chain->known = true;
    chain->damaged = false;
    chain->count = 0;
    return judged && !fits;
}

/* report->end is where the frame begins which claims it. */
static void note_synced(struct scan *scan, uint64_t synced_through)
{
    if (synced_through > scan->report->synced_through &&
        synced_through <= scan->report->end)
        scan->report->synced_through = synced_through;
}

static void note_begin(struct scan *scan, const struct walk_item *item)
{
    struct begin begin;
    if (!begin_parse(&begin, item->body, item->frame.len))
        return;
    note_synced(scan, begin.synced_through);
    if (begin.kind == BEGIN_OPEN && chain_close(&scan->chain, begin.chain, true))
        scan->info.chain_breaks++;
}

static void note_commit(struct scan *scan, const struct walk_item *item)
{
    struct commit commit;
    if (!commit_parse(&commit, item->body, item->frame.len))
        return;
    note_synced(scan, commit.synced_through);
    scan->info.commits++;
    bool counts = commit.count == scan->chain.count;
    if (chain_close(&scan->chain, commit.chain, counts))
        scan->info.chain_breaks++;
}

static void show(struct scan *scan, const struct journal_record *record)
{
    if (scan->visitor->record != NULL)
        scan->visitor->record(scan->visitor->arg, record);
}

static void visit_frame(struct scan *scan, const struct walk_item *item, uint32_t number)
{
    struct journal_record record = record_of_frame(item, number);
    struct journal_segment_info *info = &scan->info;
    scan->report->end = record.position;
    info->used_bytes = item->next;
    if (item->frame.type >= JOURNAL_TYPE_USER) {
        if (info->records++ == 0)
            info->first_wall_ms = record.wall_ms;
        info->last_wall_ms = record.wall_ms;
    }
    if (item->frame.type == JOURNAL_TYPE_BEGIN)
        note_begin(scan, item);
    if (item->frame.type == JOURNAL_TYPE_COMMIT)
        note_commit(scan, item);
    else
        chain_add(&scan->chain, item);
    if (item->frame.type == JOURNAL_TYPE_LOSS &&
        loss_parse(&record.loss, item->body, item->frame.len))
        scan->report->losses_stored++;
    scan->report->end = record.next;
    show(scan, &record);
}

static void visit_loss(struct scan *scan, const struct journal_loss *loss)
{
    struct journal_record record = {
        .position = loss->from,
        .next = loss->to,
        .type = JOURNAL_TYPE_LOSS,
        .in_place = true,
        .data = "",
        .loss = *loss,
    };
    scan->info.damaged_regions++;
    if (position_segment(loss->from) == position_segment(loss->to))
        scan->info.damaged_bytes += loss->to - loss->from;
    scan->chain.damaged = true;
    show(scan, &record);
}

/* At the end of the last segment damage may be what is just being written, or torn. */
static void visit_damage(struct scan *scan, const struct segment_walk *walk,
                         const struct walk_item *item, bool missing, bool is_last,
                         bool end_known)
{
    bool at_end = item->next >= walk->end && !end_known;
    struct journal_loss loss = segment_walk_loss(walk, item, missing);
    if (at_end && item->nonzero_end <= item->offset && !item->unreadable)
        return;
    if (at_end && is_last && scan->report->synced_through <= loss.from)
        scan->info.tail_bytes += item->nonzero_end - item->offset;
    else
        visit_loss(scan, &loss);
}

static enum err visit_frames(struct scan *scan, struct segment_walk *walk,
                             const struct segment *segment, bool is_last, bool end_known)
{
    struct walk_item item;
    enum walk_step step = WALK_END;
    bool missing = false;
    segment_walk_begin(walk, segment, HEADER_AREA, segment->end);
    for (;;) {
        enum err err = segment_walk_next(walk, &item, &step, &missing);
        if (err != ERR_OK || step == WALK_END)
            return err;
        if (step == WALK_FRAME)
            visit_frame(scan, &item, segment->number);
        else
            visit_damage(scan, walk, &item, missing, is_last, end_known);
    }
}

static void sum_up(struct scan *scan)
{
    struct journal_scan_report *report = scan->report;
    const struct journal_segment_info *info = &scan->info;
    report->records += info->records;
    report->damaged_regions += info->damaged_regions;
    report->damaged_bytes += info->damaged_bytes;
    report->chain_breaks += info->chain_breaks;
    report->tail_bytes += info->tail_bytes;
    if (scan->visitor->segment != NULL)
        scan->visitor->segment(scan->visitor->arg, info);
}

static void begin_info(struct scan *scan, const struct segment *segment, bool is_spare)
{
    scan->info = (struct journal_segment_info){
        .number = segment->number,
        .parts = segment->part_count,
        .header_damaged = segment->header_damaged,
        .lost = segment->part_count == 0 && !is_spare,
        .spare = is_spare,
        .generation = segment->generation,
        .file_bytes = segment->file_bytes,
    };
}

static enum err visit_segment(struct scan *scan, struct segment_walk *walk, size_t index,
                              size_t used)
{
    assert(index < used && used <= scan->table.count);
    const struct segment *segment = &scan->table.items[index];
    bool is_last = index + 1 == used;
    struct journal_loss gap = {.reason = JOURNAL_LOSS_MISSING};
    begin_info(scan, segment, false);
    if (index > 0 && folder_gap(segment - 1, segment, &gap.from, &gap.to))
        visit_loss(scan, &gap);
    if (segment->part_count == 0) {
        gap.from = position_of(segment->number, 0);
        gap.to = position_of(segment->number + 1, 0);
        visit_loss(scan, &gap);
    }
    enum err err = ERR_OK;
    if (segment->part_count > 0)
        err =
            visit_frames(scan, walk, segment, is_last, !is_last && segment[1].has_begin);
    if (err == ERR_OK)
        sum_up(scan);
    return err;
}

/* Segments at the top with nothing in them are prepared ones. */
static enum err count_used(struct scan *scan, struct segment_walk *walk, size_t *used)
{
    *used = scan->table.count;
    while (*used > 0 && !scan->table.items[*used - 1].has_begin) {
        const struct segment *segment = &scan->table.items[*used - 1];
        struct walk_item item = {0};
        enum walk_step step = WALK_END;
        bool missing = false;
        segment_walk_begin(walk, segment, HEADER_AREA, segment->end);
        enum err err = segment_walk_next(walk, &item, &step, &missing);
        if (err != ERR_OK)
            return err;
        bool blank =
            step == WALK_END || (step == WALK_DAMAGE && item.next >= segment->end &&
                                 item.nonzero_end <= item.offset && !item.unreadable);
        if (!blank)
            return ERR_OK;
        --*used;
    }
    return ERR_OK;
}

static enum err visit_all(struct scan *scan)
{
    struct journal_scan_report *report = scan->report;
    struct segment_walk walk;
    size_t used = 0;
    segment_walk_init(&walk, scan->io, scan->dir);
    enum err err = count_used(scan, &walk, &used);
    for (size_t i = 0; i < used && err == ERR_OK; i++)
        err = visit_segment(scan, &walk, i, used);
    for (size_t i = used; i < scan->table.count && err == ERR_OK; i++) {
        begin_info(scan, &scan->table.items[i], true);
        sum_up(scan);
    }
    segment_walk_fini(&walk);
    report->segments = used;
    report->spares = scan->table.count - used;
    if (used > 0)
        report->first = position_of(scan->table.items[0].number, HEADER_AREA);
    for (size_t i = 0; i < scan->table.count; i++)
        if (scan->table.items[i].generation > report->generation)
            report->generation = scan->table.items[i].generation;
    return err;
}

bool journal_scan_is_sound(const struct journal_scan_report *report)
{
    return report->damaged_regions == 0 && report->chain_breaks == 0;
}

enum err journal_scan(const char *dir, const struct journal_options *options,
                      const struct journal_scan_visitor *visitor,
                      struct journal_scan_report *report, struct err_text *why)
{
    static const struct journal_scan_visitor nobody = {0};
    *report = (struct journal_scan_report){0};
    struct scan scan = {
        .io = options->io != NULL ? options->io : &journal_io_posix,
        .dir = -1,
        .visitor = visitor != NULL ? visitor : &nobody,
        .report = report,
    };
    enum err err = disk_open(scan.io, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, &scan.dir);
    if (err != ERR_OK)
        return err_set(why, err, "cannot open the folder %s: %s", dir, strerror(errno));
    err = folder_load(&scan.table, scan.io, scan.dir, report->id);
    if (err == ERR_OK && scan.table.count == 0)
        err = err_set(why, ERR_NOT_FOUND, "no journal in %s", dir);
    else if (err == ERR_OK)
        err = visit_all(&scan);
    if (err != ERR_OK && err != ERR_NOT_FOUND)
        folder_refused(err, dir, why);
    segment_table_fini(&scan.table);
    disk_abandon(scan.io, scan.dir);
    return err;
}
