// SPDX-License-Identifier: Apache-2.0
#include "journal/folder.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "journal/disk.h"

#define HEAD_BYTES (HEADER_AREA + FRAME_HEADER + BEGIN_BYTES)

struct name {
    uint32_t number;
    uint32_t part;
};

struct head {
    uint8_t bytes[HEAD_BYTES];
    size_t len;
    uint64_t size;
    bool is_unreadable;
};

struct load {
    const struct journal_io *io;
    int dir;
    uint8_t *id;
    bool has_id;
    size_t unreadable; /* files whose header the disk refuses */
};

struct names {
    struct name *items;
    size_t count;
    size_t capacity;
};

void segment_table_fini(struct segment_table *table)
{
    free(table->items);
    *table = (struct segment_table){0};
}

struct segment *segment_table_add(struct segment_table *table,
                                  const struct segment *segment)
{
    assert(table->count == 0 || table->items[table->count - 1].number < segment->number);
    mem_grow(&table->items, &table->capacity, table->count + 1, sizeof *table->items);
    table->items[table->count] = *segment;
    return &table->items[table->count++];
}

void segment_table_remove(struct segment_table *table, size_t index)
{
    assert(index < table->count);
    table->count--;
    memmove(table->items + index, table->items + index + 1,
            (table->count - index) * sizeof *table->items);
}

size_t segment_table_find(const struct segment_table *table, uint32_t number)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->items[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void take_name(void *arg, const char *text)
{
    struct names *names = arg;
    struct name name;
    if (!segment_name_parse(text, &name.number, &name.part))
        return;
    mem_grow(&names->items, &names->capacity, names->count + 1, sizeof *names->items);
    names->items[names->count++] = name;
}

static int compare_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    return left->part < right->part ? -1 : left->part > right->part;
}

/* The BEGIN frame stands right behind the header area, in part 0. */
static void read_begin(struct segment *segment, const struct segment_header *header,
                       const uint8_t *head, size_t len)
{
    struct frame frame;
    uint64_t position = position_of(segment->number, HEADER_AREA);
    const uint8_t *at = head + HEADER_AREA;
    if (len < HEAD_BYTES || !frame_parse(&frame, at, header->salt, position) ||
        frame.type != JOURNAL_TYPE_BEGIN || frame.len != BEGIN_BYTES ||
        !frame_body_is_sound(&frame, at + FRAME_HEADER, header->salt, position))
        return;
    segment->has_begin = begin_parse(&segment->begin, at + FRAME_HEADER, frame.len) &&
                         position_segment(segment->begin.previous_end) < segment->number;
}

static void take_part(struct segment *segment, const struct segment_header *header,
                      const struct name *name, uint64_t size)
{
    /* A part that took over later wins what it claims. */
    while (segment->part_count > 0 &&
           segment->parts[segment->part_count - 1].from >= header->from)
        segment->part_count--;
    if (segment->part_count == PARTS_MAX) {
        segment->unusable = true;
        return;
    }
    segment->parts[segment->part_count++] =
        (struct part){.from = header->from, .index = name->part, .salt = header->salt};
    segment->generation = header->generation;
    segment->segment_bytes = header->segment_bytes;
    segment->last_size = size;
}

/* The first bytes of a file; a sector that fails once may be read the second time. */
static enum err read_head(const struct journal_io *io, int dir, const struct name *name,
                          struct head *head)
{
    char text[SEGMENT_NAME_MAX];
    int fd = -1;
    enum err err =
        disk_open(io, dir, segment_name(text, name->number, name->part), O_RDONLY, &fd);
    if (err == ERR_OK)
        err = disk_size(io, fd, &head->size);
    if (err == ERR_OK)
        head->is_unreadable = disk_read_again(io, fd, head->bytes, sizeof head->bytes, 0,
                                              &head->len) != ERR_OK;
    disk_abandon(io, fd);
    return err;
}

/*
 * A header that is damaged, unreadable or of another journal makes a file unusable. That
 * a file cannot be opened at all says nothing about it, and is passed on. One that a
 * newer program wrote is UNSUPPORTED: it must not be taken for rot and put aside.
 */
static enum err load_file(struct segment *segment, const struct name *name,
                          struct load *load)
{
    struct head head = {0};
    struct segment_header header = {0};
    bool damaged = true;
    enum err err = read_head(load->io, load->dir, name, &head);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    bool usable = segment_header_parse(&header, head.bytes, head.len, &damaged) &&
                  header.number == name->number && header.part == name->part;
    if (!usable && segment_header_is_newer(head.bytes, head.len))
        return ERR_UNSUPPORTED;
    load->unreadable += !usable && head.is_unreadable;
    if (usable && !load->has_id) {
        memcpy(load->id, header.id, JOURNAL_ID_BYTES);
        load->has_id = true;
    }
    usable = usable && memcmp(load->id, header.id, JOURNAL_ID_BYTES) == 0;
    segment->file_bytes += head.size;
    segment->header_damaged = segment->header_damaged || damaged;
    segment->unusable = segment->unusable || !usable;
    if (!usable)
        return ERR_OK;
    take_part(segment, &header, name, head.size);
    if (header.from == HEADER_AREA)
        read_begin(segment, &header, head.bytes, head.len);
    return ERR_OK;
}

static uint32_t capped(uint64_t size)
{
    uint64_t end = (size + 7) & ~(uint64_t)7;
    end = end < HEADER_AREA ? HEADER_AREA : end;
    return end < JOURNAL_SEGMENT_MAX ? (uint32_t)end : (uint32_t)JOURNAL_SEGMENT_MAX;
}

/* What a BEGIN says about the end of the segment before it is exact. */
static void find_ends(struct segment_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct segment *segment = &table->items[i];
        const struct segment *after = i + 1 < table->count ? segment + 1 : NULL;
        segment->end =
            capped(segment->part_count > 0 ? segment->last_size : segment->file_bytes);
        if (after == NULL || !after->has_begin)
            continue;
        uint64_t previous = after->begin.previous_end;
        if (position_segment(previous) == segment->number)
            segment->end = capped(position_offset(previous));
    }
}

/* From the newest down: that one decides about the id. */
static enum err load_segments(struct segment_table *table, const struct names *names,
                              struct load *load)
{
    enum err err = ERR_OK;
    for (size_t i = names->count; i > 0 && err == ERR_OK;) {
        struct segment segment = {.number = names->items[i - 1].number};
        size_t first = i - 1;
        while (first > 0 && names->items[first - 1].number == segment.number)
            first--;
        for (size_t k = first; k < i && err == ERR_OK; k++)
            err = load_file(&segment, &names->items[k], load);
        mem_grow(&table->items, &table->capacity, table->count + 1, sizeof *table->items);
        table->items[table->count++] = segment;
        i = first;
    }
    return err;
}

static void turn_round(struct segment_table *table)
{
    for (size_t i = 0, k = table->count; i + 1 < k; i++) {
        struct segment swap = table->items[i];
        table->items[i] = table->items[--k];
        table->items[k] = swap;
    }
}

enum err folder_refused(enum err err, const char *dir, struct err_text *why)
{
    if (err == ERR_UNSUPPORTED)
        return err_set(
            why, err,
            "the journal in %s was written by a newer coldchain, and nothing was "
            "touched; start that version again, or restore the copy that was "
            "made before its upgrade (docs/upgrades.md)",
            dir);
    return err_set(why, err, "cannot read the journal in %s: %s", dir, err_about(err));
}

/* `id` is written through struct load, which the check does not follow. */
enum err
folder_load(struct segment_table *table, const struct journal_io *io, int dir,
            uint8_t id[JOURNAL_ID_BYTES]) /* NOLINT(readability-non-const-parameter) */
{
    struct names names = {0};
    if (io->list(io->context, dir, take_name, &names) != 0) {
        free(names.items);
        return disk_error();
    }
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, compare_names);

    struct load load = {.io = io, .dir = dir, .id = id};
    enum err err = load_segments(table, &names, &load);
    free(names.items);
    if (err != ERR_OK)
        return err;
    /* Rather than taking it for a new one. */
    if (!load.has_id && load.unreadable > 0)
        return ERR_IO;
    turn_round(table);
    find_ends(table);
    return ERR_OK;
}

bool folder_gap(const struct segment *before, const struct segment *after, uint64_t *from,
                uint64_t *to)
{
    *from = position_of(before->number + 1, 0);
    *to = position_of(after->number, 0);
    if (after->has_begin) {
        uint32_t previous = position_segment(after->begin.previous_end);
        *to = position_of(previous + 1, 0);
        return previous > before->number && previous < after->number;
    }
    return after->number > before->number + 1;
}

void segment_walk_init(struct segment_walk *walk, const struct journal_io *io, int dir)
{
    *walk = (struct segment_walk){.dir = dir, .fd = -1};
    walk->walk.io = io;
}

static void close_file(struct segment_walk *walk)
{
    if (walk->fd >= 0)
        disk_abandon(walk->walk.io, walk->fd);
    walk->fd = -1;
}

void segment_walk_fini(struct segment_walk *walk)
{
    if (walk->walk.io != NULL)
        close_file(walk);
    walk_fini(&walk->walk);
}

void segment_walk_begin(struct segment_walk *walk, const struct segment *segment,
                        uint64_t offset, uint64_t end)
{
    close_file(walk);
    walk->segment = *segment;
    walk->offset = offset < HEADER_AREA ? HEADER_AREA : offset;
    walk->end = end;
    walk->part = 0;
    walk->has_serial = offset <= HEADER_AREA;
    walk->last_serial = UINT32_MAX; /* the next one is 0 */
}

static uint64_t part_end(const struct segment *segment, unsigned part, uint64_t end)
{
    if (part + 1 < segment->part_count && segment->parts[part + 1].from < end)
        return segment->parts[part + 1].from;
    return end;
}

void segment_walk_extend(struct segment_walk *walk, const struct segment *segment,
                         uint64_t end)
{
    assert(segment->number == walk->segment.number && end >= walk->end);
    walk->segment = *segment;
    walk->end = end;
    walk->walk.limit = part_end(segment, walk->part, end);
}

/* Opens the part that holds the offset. False: none does until *gap_end. */
static enum err enter_part(struct segment_walk *walk, uint64_t *gap_end)
{
    const struct segment *segment = &walk->segment;
    unsigned part = 0;
    while (part + 1 < segment->part_count &&
           segment->parts[part + 1].from <= walk->offset)
        part++;
    if (segment->part_count == 0 || segment->parts[part].from > walk->offset) {
        *gap_end = segment->part_count == 0 ? walk->end : segment->parts[part].from;
        *gap_end = *gap_end < walk->end ? *gap_end : walk->end;
        return ERR_NOT_FOUND;
    }
    *gap_end = part_end(segment, part, walk->end);
    if (walk->fd >= 0 && walk->part == part && walk->walk.offset == walk->offset) {
        walk->walk.limit = *gap_end;
        return ERR_OK;
    }
    close_file(walk);
    char name[SEGMENT_NAME_MAX];
    enum err err =
        disk_open(walk->walk.io, walk->dir,
                  segment_name(name, segment->number, segment->parts[part].index),
                  O_RDONLY, &walk->fd);
    if (err != ERR_OK)
        return err;
    walk->part = part;
    walk_begin(&walk->walk, walk->walk.io, walk->fd, segment->parts[part].salt,
               segment->number, walk->offset, *gap_end);
    return ERR_OK;
}

enum err segment_walk_next(struct segment_walk *walk, struct walk_item *item,
                           enum walk_step *step, bool *missing)
{
    *missing = false;
    *step = WALK_END;
    if (walk->offset >= walk->end)
        return ERR_OK;
    uint64_t gap_end = 0;
    enum err err = enter_part(walk, &gap_end);
    if (err == ERR_NOT_FOUND) {
        *missing = true;
        *step = WALK_DAMAGE;
        *item = (struct walk_item){.offset = walk->offset, .next = gap_end};
        item->nonzero_end = gap_end;
        walk->offset = gap_end;
        return ERR_OK;
    }
    if (err != ERR_OK)
        return err;
    *step = walk_next(&walk->walk, item);
    walk->offset = walk->walk.offset;
    if (*step == WALK_FRAME) {
        walk->last_serial = item->frame.serial;
        walk->has_serial = true;
    }
    return ERR_OK;
}

enum err segment_walk_here(struct segment_walk *walk, struct walk_item *item, bool *found)
{
    *found = false;
    uint64_t gap_end = 0;
    if (walk->offset >= walk->end)
        return ERR_OK;
    enum err err = enter_part(walk, &gap_end);
    if (err != ERR_OK)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    *found = walk_here(&walk->walk, item);
    walk->offset = walk->walk.offset;
    walk->has_serial = *found;
    walk->last_serial = *found ? item->frame.serial : 0;
    return ERR_OK;
}

struct journal_loss segment_walk_loss(const struct segment_walk *walk,
                                      const struct walk_item *item, bool missing)
{
    bool counts = walk->has_serial && item->next < walk->end && !missing &&
                  item->frame.serial > walk->last_serial + 1;
    return (struct journal_loss){
        .from = position_of(walk->segment.number, (uint32_t)item->offset),
        .to = position_of(walk->segment.number, (uint32_t)item->next),
        .reason = missing            ? JOURNAL_LOSS_MISSING
                  : item->unreadable ? JOURNAL_LOSS_UNREADABLE
                                     : JOURNAL_LOSS_ROT,
        .frames = counts ? item->frame.serial - walk->last_serial - 1 : 0,
    };
}

struct journal_record record_of_frame(const struct walk_item *item, uint32_t number)
{
    return (struct journal_record){
        .position = position_of(number, (uint32_t)item->offset),
        .next = position_of(number, (uint32_t)item->next),
        .type = item->frame.type,
        .wall_ms = item->frame.wall_ms,
        .boot_ms = item->frame.boot_ms,
        .data = item->body,
        .len = item->frame.len,
    };
}
