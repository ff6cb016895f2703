// SPDX-License-Identifier: Apache-2.0
/*
 * folder - what lies in a journal's folder: segments, their files, and a walk through
 * one of them.
 *
 * A segment is one file, or several after a failed sync: each part holds the segment
 * from its `from` to where the next part takes over, at the same offsets.
 *
 *   part 0   |header|----------------|  poisoned: what follows was never synced
 *   part 1   |header|                |--------------------|
 *                                    from of part 1
 *
 * Belongs to one thread at a time.
 */
#ifndef COLDCHAIN_JOURNAL_FOLDER_H
#define COLDCHAIN_JOURNAL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "journal/format.h"
#include "journal/journal_io.h"
#include "journal/walk.h"

#define PARTS_MAX 4

struct part {
    uint32_t from;
    uint32_t index; /* in the file's name */
    uint64_t salt;
};

struct segment {
    uint32_t number;
    uint32_t end;        /* behind the last byte that matters */
    unsigned part_count; /* usable ones, by rising `from`; 0: nothing is readable */
    struct part parts[PARTS_MAX];
    bool header_damaged; /* of some copy */
    bool unusable;       /* some file has no sound header, or a foreign one */
    bool has_begin;
    struct begin begin;
    uint64_t generation;
    uint64_t segment_bytes;
    uint64_t last_size;  /* of the last part's file */
    uint64_t file_bytes; /* of all parts */
};

struct segment_table {
    struct segment *items; /* by rising number */
    size_t count;
    size_t capacity;
};

/* Zeroed first. */
void segment_table_fini(struct segment_table *table);
struct segment *segment_table_add(struct segment_table *table,
                                  const struct segment *segment);
void segment_table_remove(struct segment_table *table, size_t index);
/* Index of the first segment with this number or a higher one, or count. */
size_t segment_table_find(const struct segment_table *table, uint32_t number);

/*
 * Reads names, headers and BEGINs of all segments. `end` of a segment is what the next
 * BEGIN says, else the size of the last part. *id is that of the highest segment with
 * one; files with another id are unusable.
 */
MUST_CHECK enum err folder_load(struct segment_table *table, const struct journal_io *io,
                                int dir, uint8_t id[JOURNAL_ID_BYTES]);
/* Says why that failed, and what to do; returns `err`. */
enum err folder_refused(enum err err, const char *dir, struct err_text *why);

/*
 * The segments that are missing between two neighbours: [*from, *to), false for none.
 * Segments that were prepared and thrown away unused are not missing.
 */
bool folder_gap(const struct segment *before, const struct segment *after, uint64_t *from,
                uint64_t *to);

/* A walk through [offset, end) of one segment, across its parts. Zeroed first. */
struct segment_walk {
    struct walk walk;
    int dir;
    int fd; /* -1: none */
    unsigned part;
    struct segment segment;
    uint64_t offset;
    uint64_t end;
    uint32_t last_serial;
    bool has_serial;
};

void segment_walk_init(struct segment_walk *walk, const struct journal_io *io, int dir);
void segment_walk_fini(struct segment_walk *walk);
/* Begins at `offset`; may be called again for another place or segment. */
void segment_walk_begin(struct segment_walk *walk, const struct segment *segment,
                        uint64_t offset, uint64_t end);
/* The same segment has grown, or has got another part at or behind the old end. */
void segment_walk_extend(struct segment_walk *walk, const struct segment *segment,
                         uint64_t end);

/* Where a file or part is missing, the step is WALK_DAMAGE with *missing set. */
MUST_CHECK enum err segment_walk_next(struct segment_walk *walk, struct walk_item *item,
                                      enum walk_step *step, bool *missing);

/* The frame at exactly the current offset; *found is false where there is none. */
MUST_CHECK enum err segment_walk_here(struct segment_walk *walk, struct walk_item *item,
                                      bool *found);

/* The loss that an item of WALK_DAMAGE is. */
struct journal_loss segment_walk_loss(const struct segment_walk *walk,
                                      const struct walk_item *item, bool missing);
/* The record that a frame of that segment is, but for what stands in its body. */
struct journal_record record_of_frame(const struct walk_item *item, uint32_t number);

#endif
