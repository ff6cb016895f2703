// SPDX-License-Identifier: Apache-2.0
#include "journal/walk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "journal/disk.h"

#define BLOCK ((size_t)64 << 10)
#define PAGE  4096u

void walk_begin(struct walk *walk, const struct journal_io *io, int fd, uint64_t salt,
                uint32_t number, uint64_t offset, uint64_t limit)
{
    assert(offset % 8 == 0);
    walk->io = io;
    walk->fd = fd;
    walk->salt = salt;
    walk->number = number;
    walk->offset = offset;
    walk->limit = limit;
    walk->start = offset;
    walk->len = 0;
    walk->unreadable_end = 0;
}

void walk_fini(struct walk *walk)
{
    free(walk->data);
    walk->data = NULL;
    walk->capacity = 0;
    walk->len = 0;
}

/*
 * Fills `to` from the file. What the disk refuses, page by page, and what is behind the
 * end of the file reads as zeros, which are no frame.
 */
static void read_around(struct walk *walk, uint8_t *to, size_t len, uint64_t offset)
{
    while (len > 0) {
        size_t got = 0;
        enum err err = disk_read_again(walk->io, walk->fd, to, len, offset, &got);
        size_t skip = len - got;
        if (err != ERR_OK && skip > 0) {
            size_t page = PAGE - (size_t)((offset + got) % PAGE);
            skip = skip < page ? skip : page;
            walk->unreadable_end = offset + got + skip;
        }
        memset(to + got, 0, skip);
        to += got + skip;
        len -= got + skip;
        offset += got + skip;
    }
}

/* Makes [offset, offset + len) addressable; NULL when that passes the limit. */
static const uint8_t *window(struct walk *walk, uint64_t offset, size_t len)
{
    assert(offset >= walk->start);
    if (walk->limit < offset || walk->limit - offset < len)
        return NULL;
    uint64_t skip = offset - walk->start;
    if (skip + len <= walk->len)
        return walk->data + skip;

    size_t keep = skip < walk->len ? walk->len - (size_t)skip : 0;
    if (keep > 0)
        memmove(walk->data, walk->data + skip, keep);
    uint64_t left = walk->limit - offset;
    size_t want = len > BLOCK ? len : BLOCK;
    want = left < want ? (size_t)left : want;
    assert(keep <= want && want >= len);
    if (walk->capacity < want) {
        walk->data = mem_realloc(walk->data, want);
        walk->capacity = want;
    }
    read_around(walk, walk->data + keep, want - keep, offset + keep);
    walk->start = offset;
    walk->len = want;
    return walk->data;
}

/* True when the header is sound; *whole when the body is, too. */
static bool frame_at(struct walk *walk, uint64_t offset, struct walk_item *item,
                     bool *whole)
{
    uint64_t position = position_of(walk->number, (uint32_t)offset);
    *whole = false;
    const uint8_t *header = window(walk, offset, FRAME_HEADER);
    if (header == NULL || !frame_parse(&item->frame, header, walk->salt, position))
        return false;
    item->offset = offset;
    item->next = offset + frame_size(item->frame.len);
    item->bytes = window(walk, offset, frame_size(item->frame.len));
    if (item->bytes == NULL)
        return true;
    item->body = item->bytes + FRAME_HEADER;
    *whole = frame_body_is_sound(&item->frame, item->body, walk->salt, position);
    return true;
}

/* The first offset from here on whose eight bytes may begin a frame, or the limit. */
static uint64_t seek_magic(struct walk *walk, uint64_t offset, uint64_t *nonzero_end)
{
    while (offset + FRAME_HEADER <= walk->limit) {
        /* What is reserved and was never written need not be read. */
        if (offset - *nonzero_end >= PAGE && offset >= walk->start + walk->len)
            offset =
                disk_skip_hole(walk->io, walk->fd, offset, walk->limit) & ~(uint64_t)7;
        if (offset + FRAME_HEADER > walk->limit)
            break;
        const uint8_t *at = window(walk, offset, FRAME_HEADER);
        size_t have = walk->len - (size_t)(offset - walk->start);
        for (; have >= 8; have -= 8, at += 8, offset += 8) {
            uint64_t word;
            memcpy(&word, at, sizeof word); /* any order of bytes will do for zero */
            if (word == 0)
                continue;
            if (bytes_u32(at) == FRAME_MAGIC)
                return offset;
            *nonzero_end = offset + 8;
        }
    }
    for (; offset < walk->limit; offset++) {
        const uint8_t *at = window(walk, offset, 1);
        if (at != NULL && *at != 0)
            *nonzero_end = offset + 1;
    }
    return walk->limit;
}

static enum walk_step damage(struct walk *walk, struct walk_item *item)
{
    uint64_t from = walk->offset, offset = from, nonzero_end = from;
    struct walk_item found = {0};
    while (offset < walk->limit) {
        bool whole = false;
        if (!frame_at(walk, offset, &found, &whole)) {
            if (walk->limit - offset >= 8 && bytes_u64(window(walk, offset, 8)) != 0)
                nonzero_end = offset + 8;
            offset = walk->limit - offset >= 8 ? offset + 8 : offset;
            offset = seek_magic(walk, offset, &nonzero_end);
            continue;
        }
        if (whole)
            break;
        /* The header vouches for the length: nothing of ours begins within. */
        offset = found.next < walk->limit ? found.next : walk->limit;
        nonzero_end = offset;
    }
    *item = (struct walk_item){
        .offset = from,
        .next = offset,
        .frame = found.frame,
        .nonzero_end = nonzero_end,
        .unreadable = walk->unreadable_end > from,
    };
    assert(offset > from && nonzero_end <= offset + 8);
    walk->offset = offset;
    return WALK_DAMAGE;
}

enum walk_step walk_next(struct walk *walk, struct walk_item *item)
{
    if (walk->offset >= walk->limit)
        return WALK_END;
    return walk_here(walk, item) ? WALK_FRAME : damage(walk, item);
}

bool walk_here(struct walk *walk, struct walk_item *item)
{
    bool whole = false;
    *item = (struct walk_item){0};
    if (walk->offset >= walk->limit || !frame_at(walk, walk->offset, item, &whole) ||
        !whole)
        return false;
    walk->offset = item->next;
    return true;
}
