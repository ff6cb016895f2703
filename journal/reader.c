// SPDX-License-Identifier: Apache-2.0
/* reader - follows the synced part of the journal, one per thread. */
#include "journal/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

struct journal_reader {
    struct journal *journal;
    struct segment_walk walk;
    bool in_segment;       /* the walk stands in a segment */
    bool is_sealed;        /* walk.end is the end of the segment */
    uint64_t trimmed_from; /* a cursor that came too late, not told yet; 0: none */
    uint64_t position;     /* of the next step */
};

/* What can be read of a segment now, with the lock held. */
static uint32_t readable_end(const struct journal *journal, size_t index, uint64_t synced,
                             bool *is_sealed)
{
    const struct segment *segment = &journal->table.items[index];
    *is_sealed = segment->number < position_segment(synced);
    if (*is_sealed)
        return segment->end;
    return segment->number == position_segment(synced) ? position_offset(synced)
                                                       : HEADER_AREA;
}

static void fill_loss(struct journal_record *record, const struct journal_loss *loss)
{
    assert(loss->from < loss->to && loss->reason != JOURNAL_LOSS_NONE);
    *record = (struct journal_record){
        .position = loss->from,
        .next = loss->to,
        .type = JOURNAL_TYPE_LOSS,
        .in_place = true,
        .data = "",
        .loss = *loss,
    };
}

static void fill_frame(struct journal_record *record, const struct walk_item *item,
                       uint32_t number)
{
    *record = record_of_frame(item, number);
    if (record->type == JOURNAL_TYPE_LOSS &&
        !loss_parse(&record->loss, item->body, item->frame.len))
        record->loss = (struct journal_loss){.reason = JOURNAL_LOSS_ROT};
}

/*
 * Stands the walk in the segment of reader->position, or lets it see what was synced
 * since. ERR_NOT_FOUND at the end; *lost when a range is missing before it goes on.
 */
static enum err locate(struct journal_reader *reader, struct journal_loss *lost)
{
    struct journal *journal = reader->journal;
    assert(reader->position % 8 == 0);
    uint32_t number = position_segment(reader->position);
    uint64_t synced = journal_synced(journal), offset = position_offset(reader->position);
    bool is_sealed = false;
    lost->reason = JOURNAL_LOSS_NONE;

    pthread_mutex_lock(&journal->lock);
    const struct segment_table *table = &journal->table;
    size_t index = segment_table_find(table, number);
    bool same = index < table->count && table->items[index].number == number;
    struct segment before = {.number = number};
    bool read_to_end = false;
    if (same && table->items[index].number < position_segment(synced) &&
        offset >= table->items[index].end) {
        before = table->items[index++];
        same = false;
        read_to_end = true;
    } else if (!same && reader->in_segment && reader->is_sealed &&
               reader->walk.offset >= reader->walk.end) {
        before = reader->walk.segment; /* trimmed by now */
        read_to_end = true;
    }
    bool found =
        index < table->count && table->items[index].number <= position_segment(synced);
    struct segment segment = found ? table->items[index] : before;
    uint32_t end = found ? readable_end(journal, index, synced, &is_sealed) : 0;
    pthread_mutex_unlock(&journal->lock);

    if (!found)
        return ERR_NOT_FOUND;
    if (!same && reader->position != 0) {
        lost->from = reader->position;
        lost->to = position_of(segment.number, HEADER_AREA);
        if (!read_to_end || folder_gap(&before, &segment, &lost->from, &lost->to))
            lost->reason = index == 0 ? JOURNAL_LOSS_TRIMMED : JOURNAL_LOSS_MISSING;
    }
    if (!same)
        offset = HEADER_AREA;
    if (same && reader->in_segment) {
        segment_walk_extend(&reader->walk, &segment, end);
    } else {
        segment_walk_begin(&reader->walk, &segment, offset, end);
        reader->in_segment = true;
    }
    reader->is_sealed = is_sealed;
    reader->position = position_of(segment.number, (uint32_t)reader->walk.offset);
    return ERR_OK;
}

/* One step inside the segment; false at the end of what the walk may see. */
static enum err step(struct journal_reader *reader, struct journal_record *record,
                     bool *got)
{
    struct walk_item item;
    enum walk_step kind = WALK_END;
    bool missing = false;
    *got = false;
    enum err err = segment_walk_next(&reader->walk, &item, &kind, &missing);
    if (err != ERR_OK || kind == WALK_END)
        return err;
    uint32_t number = reader->walk.segment.number;
    assert(item.next > item.offset);
    reader->position = position_of(number, (uint32_t)item.next);
    if (kind == WALK_DAMAGE) {
        struct journal_loss loss = segment_walk_loss(&reader->walk, &item, missing);
        fill_loss(record, &loss);
        *got = true;
        return ERR_OK;
    }
    fill_frame(record, &item, number);
    *got = record->type >= JOURNAL_TYPE_USER || record->type == JOURNAL_TYPE_LOSS;
    return ERR_OK;
}

static bool tell_trimmed(struct journal_reader *reader, struct journal_record *record)
{
    if (reader->trimmed_from == 0)
        return false;
    struct journal_loss loss = {
        .from = reader->trimmed_from,
        .to = reader->position,
        .reason = JOURNAL_LOSS_TRIMMED,
    };
    reader->trimmed_from = 0;
    fill_loss(record, &loss);
    return true;
}

enum err journal_reader_next(struct journal_reader *reader, struct journal_record *record)
{
    if (tell_trimmed(reader, record))
        return ERR_OK;
    for (;;) {
        while (reader->in_segment && reader->walk.offset < reader->walk.end) {
            bool got = false;
            enum err err = step(reader, record, &got);
            if (err != ERR_OK || got)
                return err;
        }
        struct journal_loss lost;
        enum err err = locate(reader, &lost);
        if (err != ERR_OK)
            return err;
        if (lost.reason != JOURNAL_LOSS_NONE) {
            fill_loss(record, &lost);
            record->next = reader->position;
            return ERR_OK;
        }
        if (reader->walk.offset >= reader->walk.end && !reader->is_sealed)
            return ERR_NOT_FOUND;
    }
}

enum err journal_reader_seek(struct journal_reader *reader, uint64_t from)
{
    struct journal *journal = reader->journal;
    if (from > journal_synced(journal) || from % 8 != 0)
        return ERR_INVALID;
    pthread_mutex_lock(&journal->lock);
    uint64_t first = journal->table.count > 0
                         ? position_of(journal->table.items[0].number, HEADER_AREA)
                         : 0;
    pthread_mutex_unlock(&journal->lock);
    bool too_late = from != 0 && position_segment(from) < position_segment(first);
    reader->trimmed_from = too_late ? from : 0;
    reader->position = from < first ? first : from;
    reader->in_segment = false;
    return ERR_OK;
}

enum err journal_reader_open(struct journal_reader **reader, struct journal *journal,
                             uint64_t from)
{
    struct journal_reader *made = mem_alloc(sizeof *made);
    made->journal = journal;
    segment_walk_init(&made->walk, journal->io, journal->dir);
    enum err err = journal_reader_seek(made, from);
    if (err != ERR_OK) {
        journal_reader_close(made);
        made = NULL;
    }
    *reader = made;
    return err;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader == NULL)
        return;
    segment_walk_fini(&reader->walk);
    free(reader);
}

uint64_t journal_reader_position(const struct journal_reader *reader)
{
    return reader->position;
}

enum err journal_read_at(struct journal_reader *reader, uint64_t position,
                         struct journal_record *record)
{
    if (position_offset(position) % 8 != 0 || position_offset(position) < HEADER_AREA)
        return ERR_CORRUPT;
    enum err err = journal_reader_seek(reader, position);
    if (err != ERR_OK || reader->trimmed_from != 0)
        return ERR_NOT_FOUND;
    struct journal_loss lost;
    err = locate(reader, &lost);
    if (err != ERR_OK)
        return err;
    if (lost.reason != JOURNAL_LOSS_NONE || reader->position != position)
        return ERR_CORRUPT;
    if (reader->walk.offset >= reader->walk.end)
        return ERR_NOT_FOUND;
    bool found = false;
    struct walk_item item;
    err = segment_walk_here(&reader->walk, &item, &found);
    if (err != ERR_OK)
        return err;
    if (!found ||
        (item.frame.type < JOURNAL_TYPE_USER && item.frame.type != JOURNAL_TYPE_LOSS))
        return ERR_CORRUPT;
    reader->position = position_of(reader->walk.segment.number, (uint32_t)item.next);
    fill_frame(record, &item, reader->walk.segment.number);
    return ERR_OK;
}
