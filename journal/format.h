// SPDX-License-Identifier: Apache-2.0
/*
 * format - the bytes of the journal: names, headers, frames and the bodies of the
 * journal's own records. docs/journal-format.md says the same in prose.
 *
 * Pure; any thread. All numbers are little-endian.
 *
 *   segment file "segment-NNNNNNNNNN-PP.log"
 *   +--------+--------+----------------------------------------------------+
 *   | header |  zeros | header again | zeros | frame | frame | ... | zeros |
 *   +--------+--------+----------------------------------------------------+
 *   0        88       2048                   4096, or `from` of the header
 *
 *   header                               frame
 *    0  magic "CCJRNL1\n"                 0  magic u32
 *    8  version u32                       4  type u8
 *   12  header area u32 (4096)            5  zero u8, u16
 *   16  segment number u32                8  body length u32
 *   20  part u32                         12  body CRC32C u32
 *   24  from u32                         16  wall_ms i64
 *   28  flags u32 (0)                    24  boot_ms i64
 *   32  segment bytes u64                32  serial u32, in the segment, from 0
 *   40  salt u64                         36  header CRC32C u32
 *   48  generation u64                   40  body, zeros to a multiple of 8
 *   56  journal id 16 bytes
 *   72  zero u64, u32
 *   84  header CRC32C u32
 */
#ifndef COLDCHAIN_JOURNAL_FORMAT_H
#define COLDCHAIN_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "journal/journal.h"

#define HEADER_AREA      4096u
#define HEADER_BYTES     88u
#define HEADER_COPY      2048u
#define FRAME_HEADER     40u
#define FRAME_MAGIC      0xc01dc4a1u
#define SEGMENT_NAME_MAX 40

static inline uint64_t position_of(uint32_t segment, uint32_t offset)
{
    return (uint64_t)segment << 32 | offset;
}

static inline uint32_t position_segment(uint64_t position)
{
    return (uint32_t)(position >> 32);
}

static inline uint32_t position_offset(uint64_t position)
{
    return (uint32_t)position;
}

/* Returns name. */
char *segment_name(char name[SEGMENT_NAME_MAX], uint32_t number, uint32_t part);
bool segment_name_parse(const char *name, uint32_t *number, uint32_t *part);

struct segment_header {
    uint32_t number;
    uint32_t part;
    uint32_t from; /* this file holds the segment from here on */
    uint64_t segment_bytes;
    uint64_t salt;
    uint64_t generation;
    uint8_t id[JOURNAL_ID_BYTES];
};

/* Fills both copies; the area is HEADER_AREA bytes. */
void segment_header_format(uint8_t *area, const struct segment_header *header);

/* True with either copy; *damaged when one of them is bad. `len` may be short. */
bool segment_header_parse(struct segment_header *header, const uint8_t *area, size_t len,
                          bool *damaged);

/*
 * A sound header of a version that this program does not know: no damage, and nothing to
 * be mended. Magic, version and the checksum stay where they are in every version.
 */
bool segment_header_is_newer(const uint8_t *area, size_t len);

struct frame {
    uint8_t type;
    uint32_t len;      /* of the body */
    uint32_t body_crc; /* as stored: salted */
    uint32_t serial;
    int64_t wall_ms;
    int64_t boot_ms;
};

/* Of a whole frame with its padding. */
static inline uint32_t frame_size(size_t body_len)
{
    return FRAME_HEADER + (uint32_t)((body_len + 7) & ~(size_t)7);
}

/* What becomes of the CRC32C of a body when it is stored at a position. */
uint32_t frame_salted(uint32_t body_crc, uint64_t salt, uint64_t position);

/* Writes FRAME_HEADER bytes; frame->body_crc is salted. */
void frame_format(uint8_t *to, const struct frame *frame, uint64_t salt,
                  uint64_t position);

/* Gives the frame at `to` the place and salt of another file; the body must be sound. */
void frame_resalt(uint8_t *to, uint64_t old_salt, uint64_t salt, uint64_t position);

/* Reads FRAME_HEADER bytes: magic, header CRC and the cap of the length. */
bool frame_parse(struct frame *frame, const uint8_t *from, uint64_t salt,
                 uint64_t position);

bool frame_body_is_sound(const struct frame *frame, const uint8_t *body, uint64_t salt,
                         uint64_t position);

/* What the chain covers of a frame: type, length, times and body. */
void frame_digest(struct crypto_digest *digest, const uint8_t *frame, size_t body_len);

/* Bodies of the journal's own records. */
enum begin_kind {
    BEGIN_OPEN = 1,   /* the first of a run: the chain starts from begin.chain */
    BEGIN_ROTATE = 2, /* a group goes on across the segments */
};

#define BEGIN_BYTES 56u
struct begin {
    uint64_t previous_end; /* position behind the segment before; 0 for the first */
    uint64_t synced_through;
    uint32_t kind;
    uint8_t chain[CRYPTO_DIGEST_BYTES];
};
void begin_format(uint8_t to[BEGIN_BYTES], const struct begin *begin);
bool begin_parse(struct begin *begin, const uint8_t *from, size_t len);

#define COMMIT_BYTES 64u
#define COMMIT_FRAME (FRAME_HEADER + COMMIT_BYTES)
struct commit {
    uint64_t first; /* positions of the group's first and last frame */
    uint64_t last;
    uint64_t count;
    uint64_t synced_through;
    uint8_t chain[CRYPTO_DIGEST_BYTES];
};
void commit_format(uint8_t to[COMMIT_BYTES], const struct commit *commit);
bool commit_parse(struct commit *commit, const uint8_t *from, size_t len);

#define LOSS_BYTES 24u
void loss_format(uint8_t to[LOSS_BYTES], const struct journal_loss *loss);
bool loss_parse(struct journal_loss *loss, const uint8_t *from, size_t len);

#endif
