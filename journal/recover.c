// SPDX-License-Identifier: Apache-2.0
/* recover - the reading half: see recover.h. The writing half is in recover_write.c. */
#include "journal/recover.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/disk.h"

void recovery_fini(struct recovery *recovery)
{
    segment_table_fini(&recovery->table);
    free(recovery->unused);
    free(recovery->losses);
    free(recovery->damages);
    free(recovery->known);
}

static void add_unused(struct recovery *recovery, uint32_t number)
{
    assert(recovery->unused_count == 0 || number < recovery->unused[0]);
    mem_grow(&recovery->unused, &recovery->unused_capacity, recovery->unused_count + 1,
             sizeof *recovery->unused);
    /* They are found from the highest down. */
    memmove(recovery->unused + 1, recovery->unused,
            recovery->unused_count * sizeof *recovery->unused);
    recovery->unused[0] = number;
    recovery->unused_count++;
}

static void add_known(struct recovery *recovery, const struct journal_loss *loss)
{
    mem_grow(&recovery->known, &recovery->known_capacity, recovery->known_count + 1,
             sizeof *recovery->known);
    recovery->known[recovery->known_count++] = *loss;
}

static void add_loss(struct recovery *recovery, const struct journal_loss *loss)
{
    assert(loss->from < loss->to);
    for (size_t i = 0; i < recovery->known_count; i++)
        if (recovery->known[i].from <= loss->from && loss->to <= recovery->known[i].to)
            return;
    mem_grow(&recovery->losses, &recovery->loss_capacity, recovery->loss_count + 1,
             sizeof *recovery->losses);
    recovery->losses[recovery->loss_count++] = *loss;
}

static void add_damage(struct recovery *recovery, const struct damage *damage)
{
    mem_grow(&recovery->damages, &recovery->damage_capacity, recovery->damage_count + 1,
             sizeof *recovery->damages);
    recovery->damages[recovery->damage_count++] = *damage;
}

/* What the journal's own frames tell about the past. */
static void note_frame(struct recovery *recovery, const struct walk_item *item,
                       uint32_t number)
{
    uint64_t synced = 0, base = 0;
    const uint8_t *chain = NULL;
    struct begin begin;
    struct commit commit;
    struct journal_loss loss;
    if (item->frame.type >= JOURNAL_TYPE_USER)
        recovery->report.records++;
    if (item->frame.type == JOURNAL_TYPE_BEGIN &&
        begin_parse(&begin, item->body, item->frame.len)) {
        synced = begin.synced_through;
        if (begin.kind == BEGIN_OPEN) {
            base = position_of(number, (uint32_t)item->offset);
            chain = begin.chain;
        }
    }
    if (item->frame.type == JOURNAL_TYPE_COMMIT &&
        commit_parse(&commit, item->body, item->frame.len)) {
        synced = commit.synced_through;
        base = position_of(number, (uint32_t)item->next);
        chain = commit.chain;
    }
    if (item->frame.type == JOURNAL_TYPE_LOSS &&
        loss_parse(&loss, item->body, item->frame.len))
        add_known(recovery, &loss);
    /* A claim about what comes after it would be none of ours. */
    if (synced > recovery->synced_through &&
        synced <= position_of(number, (uint32_t)item->offset))
        recovery->synced_through = synced;
    if (chain != NULL && base > recovery->base) {
        recovery->base = base;
        memcpy(recovery->chain, chain, sizeof recovery->chain);
    }
}

/* Reads one segment; *blank when nothing but zeros follows its header. */
static enum err check_segment(struct recovery *recovery, struct segment_walk *walk,
                              const struct segment *segment, bool *blank)
{
    *blank = true;
    struct walk_item item;
    enum walk_step step = WALK_END;
    bool missing = false;
    segment_walk_begin(walk, segment, HEADER_AREA, segment->end);
    for (;;) {
        enum err err = segment_walk_next(walk, &item, &step, &missing);
        if (err != ERR_OK || step == WALK_END)
            return err;
        if (step == WALK_FRAME) {
            *blank = false;
            note_frame(recovery, &item, segment->number);
            continue;
        }
        if (item.nonzero_end > item.offset || item.unreadable)
            *blank = false;
        struct damage damage = {
            .loss = segment_walk_loss(walk, &item, missing),
            .nonzero_end = position_of(segment->number, (uint32_t)item.nonzero_end),
            .at_end = item.next >= walk->end,
        };
        add_damage(recovery, &damage);
    }
}

/* Is there anything in a file without a sound header? Unreadable counts as yes. */
static bool file_is_blank(const struct recovery *recovery, uint32_t number)
{
    static const uint8_t zeros[4096];
    uint8_t block[sizeof zeros];
    char name[SEGMENT_NAME_MAX];
    uint64_t offset = HEADER_AREA;
    int fd = -1;
    size_t got = 0;
    bool blank = true;
    if (disk_open(recovery->io, recovery->dir, segment_name(name, number, 0), O_RDONLY,
                  &fd) != ERR_OK)
        return false;
    do {
        blank =
            disk_read(recovery->io, fd, block, sizeof block, offset, &got) == ERR_OK &&
            memcmp(block, zeros, got) == 0;
        offset += got;
    } while (blank && got == sizeof block);
    disk_abandon(recovery->io, fd);
    return blank;
}

/* All of a segment, as far as anybody knows its end. */
static void lose_segment(struct recovery *recovery, const struct segment *segment)
{
    add_loss(recovery, &(struct journal_loss){
                           .from = position_of(segment->number, 0),
                           .to = position_of(segment->number + 1, 0),
                           .reason = JOURNAL_LOSS_MISSING,
                       });
}

/* Where the damaged end of the last segment turns out to be rot, it ends there. */
static uint64_t rotten_end(const struct recovery *recovery, const struct segment *last,
                           const struct damage *damage)
{
    if (damage->loss.reason == JOURNAL_LOSS_UNREADABLE)
        return damage->loss.to;
    uint64_t vouched = recovery->synced_through, end = damage->nonzero_end;
    if (position_segment(vouched) == last->number && vouched > end)
        end = vouched;
    /* A file that lost its end: nobody knows how much there was. */
    if (last->last_size < last->segment_bytes)
        end = position_of(last->number, (uint32_t)last->segment_bytes);
    return end > damage->loss.from ? (end + 7) & ~(uint64_t)7 : damage->loss.to;
}

/* The end of the last segment: clean, torn (cut it) or rotten (LOSS). */
static void judge_end(struct recovery *recovery, const struct segment *last,
                      const struct damage *damage)
{
    assert(damage->at_end && position_segment(damage->loss.from) == last->number);
    bool shrunk = last->last_size < last->segment_bytes;
    recovery->end = damage->loss.from;
    if (recovery->synced_through > damage->loss.from || shrunk ||
        damage->loss.reason == JOURNAL_LOSS_UNREADABLE) {
        struct journal_loss loss = damage->loss;
        loss.to = rotten_end(recovery, last, damage);
        recovery->end = loss.to;
        add_loss(recovery, &loss);
        return;
    }
    recovery->report.cut_bytes += damage->nonzero_end - damage->loss.from;
}

static bool is_zero_tail(const struct damage *damage)
{
    return damage->at_end && damage->nonzero_end <= damage->loss.from &&
           damage->loss.reason == JOURNAL_LOSS_ROT;
}

static void judge_damages(struct recovery *recovery)
{
    const struct segment_table *table = &recovery->table;
    const struct segment *last = &table->items[table->count - 1];
    recovery->end = position_of(last->number, last->end);
    for (size_t i = 0; i < recovery->damage_count; i++) {
        const struct damage *damage = &recovery->damages[i];
        uint32_t number = position_segment(damage->loss.from);
        size_t index = segment_table_find(table, number);
        bool is_last = number == last->number;
        bool end_known = !is_last && table->items[index + 1].has_begin;
        if (is_last && damage->at_end)
            judge_end(recovery, last, damage);
        else if (!is_zero_tail(damage) || end_known)
            add_loss(recovery, &damage->loss);
    }
}

/* The file of the last segment ends with a frame although it was made longer. */
static void judge_shrunk(struct recovery *recovery)
{
    const struct segment *last = &recovery->table.items[recovery->table.count - 1];
    uint64_t full = position_of(last->number, (uint32_t)last->segment_bytes);
    if (last->part_count == 0 || last->last_size >= last->segment_bytes ||
        recovery->end >= full)
        return;
    add_loss(recovery, &(struct journal_loss){.from = recovery->end,
                                              .to = full,
                                              .reason = JOURNAL_LOSS_MISSING});
    recovery->end = full;
}

static void judge_missing(struct recovery *recovery)
{
    const struct segment_table *table = &recovery->table;
    for (size_t i = recovery->checked_from; i < table->count; i++) {
        const struct segment *segment = &table->items[i];
        struct journal_loss loss = {.reason = JOURNAL_LOSS_MISSING};
        if (i > 0 && folder_gap(segment - 1, segment, &loss.from, &loss.to))
            add_loss(recovery, &loss);
        if (segment->part_count == 0)
            lose_segment(recovery, segment);
    }
}

/* From the newest segment down to the one a synced_through points into. */
static enum err check_segments(struct recovery *recovery)
{
    struct segment_table *table = &recovery->table;
    struct segment_walk walk;
    segment_walk_init(&walk, recovery->io, recovery->dir);
    enum err err = ERR_OK;
    bool seen_used = false;
    size_t i = table->count;
    for (; i > 0 && err == ERR_OK; i--) {
        const struct segment *segment = &table->items[i - 1];
        if (seen_used && segment->number < position_segment(recovery->synced_through))
            break;
        bool blank = segment->part_count == 0 && file_is_blank(recovery, segment->number);
        size_t damages = recovery->damage_count;
        if (segment->part_count > 0)
            err = check_segment(recovery, &walk, segment, &blank);
        /* Prepared files are made whole: a short one has lost what it held. */
        bool whole = segment->file_bytes >= JOURNAL_SEGMENT_MIN &&
                     segment->file_bytes >= segment->segment_bytes;
        if (err == ERR_OK && blank && whole && !seen_used) {
            recovery->damage_count = damages;
            add_unused(recovery, segment->number);
            table->count--;
            continue;
        }
        seen_used = true;
        recovery->report.segments_checked++;
    }
    recovery->checked_from = i;
    segment_walk_fini(&walk);
    return err;
}

static void fill_report(struct recovery *recovery)
{
    struct journal_recovery *report = &recovery->report;
    const struct segment_table *table = &recovery->table;
    assert(recovery->end % 8 == 0 && recovery->checked_from <= table->count);
    report->segments = table->count;
    report->last = recovery->end;
    if (table->count > 0)
        report->first = position_of(table->items[0].number, HEADER_AREA);
    report->loss_count = recovery->loss_count;
    for (size_t i = 0; i < recovery->loss_count && i < JOURNAL_LOSSES_MAX; i++)
        report->losses[i] = recovery->losses[i];
    report->generation_bumped =
        !report->born && (recovery->loss_count > 0 || report->cut_bytes > 0);
    report->generation += report->generation_bumped ? 1 : 0;
}

static void find_generation(struct recovery *recovery)
{
    const struct segment_table *table = &recovery->table;
    for (size_t i = 0; i < table->count; i++) {
        const struct segment *segment = &table->items[i];
        if (segment->generation > recovery->report.generation)
            recovery->report.generation = segment->generation;
        recovery->next_number = segment->number + 1;
    }
}

/* Nothing was ever stored, or nothing tells any more whose it was. */
static void find_identity(struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->table.count; i++)
        if (recovery->table.items[i].part_count > 0)
            return;
    crypto_random(recovery->report.id, sizeof recovery->report.id);
    recovery->report.born = true;
    recovery->report.generation = 1;
}

enum err recovery_plan(struct recovery *recovery)
{
    recovery->next_number = 1;
    enum err err =
        folder_load(&recovery->table, recovery->io, recovery->dir, recovery->report.id);
    if (err != ERR_OK)
        return err;
    find_generation(recovery);
    err = check_segments(recovery);
    if (err != ERR_OK)
        return err;
    find_identity(recovery);
    if (recovery->table.count > 0) {
        judge_damages(recovery);
        judge_shrunk(recovery);
        judge_missing(recovery);
    }
    fill_report(recovery);
    return ERR_OK;
}
