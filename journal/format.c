// SPDX-License-Identifier: Apache-2.0
#include "journal/format.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crc32c.h"

#define VERSION 1u
#define MAGIC   "CCJRNL1\n"

static_assert(sizeof MAGIC - 1 == 8, "eight bytes of magic");
static_assert(HEADER_BYTES <= HEADER_COPY, "the copies do not overlap");
static_assert(HEADER_COPY + HEADER_BYTES <= HEADER_AREA, "both copies are in the area");
static_assert(HEADER_AREA % 8 == 0 && FRAME_HEADER % 8 == 0, "frames are aligned");
static_assert(JOURNAL_BODY_MAX < UINT32_MAX / 2, "sizes of frames fit");
static_assert(BEGIN_BYTES % 8 == 0 && COMMIT_BYTES % 8 == 0 && LOSS_BYTES % 8 == 0,
              "own bodies need no padding");
static_assert(8 + 8 + 4 + 4 + CRYPTO_DIGEST_BYTES == BEGIN_BYTES, "layout of BEGIN");
static_assert(4 * 8 + CRYPTO_DIGEST_BYTES == COMMIT_BYTES, "layout of COMMIT");
static_assert(8 + 8 + 4 + 4 == LOSS_BYTES, "layout of LOSS");
static_assert(84 + 4 == HEADER_BYTES && 56 + JOURNAL_ID_BYTES == 72, "layout of headers");

char *segment_name(char name[SEGMENT_NAME_MAX], uint32_t number, uint32_t part)
{
    assert(part < 100);
    snprintf(name, SEGMENT_NAME_MAX, "segment-%010u-%02u.log", number, part);
    return name;
}

bool segment_name_parse(const char *name, uint32_t *number, uint32_t *part)
{
    unsigned found_number = 0, found_part = 0;
    char again[SEGMENT_NAME_MAX];
    if (sscanf(name, "segment-%10u-%2u.log", &found_number, &found_part) != 2 ||
        found_part >= 100 || found_number == 0 || found_number == UINT32_MAX ||
        strcmp(name, segment_name(again, found_number, found_part)) != 0)
        return false;
    *number = found_number;
    *part = found_part;
    return true;
}

static void header_copy_format(uint8_t *to, const struct segment_header *header)
{
    memset(to, 0, HEADER_BYTES);
    memcpy(to, MAGIC, 8);
    bytes_put_u32(to + 8, VERSION);
    bytes_put_u32(to + 12, HEADER_AREA);
    bytes_put_u32(to + 16, header->number);
    bytes_put_u32(to + 20, header->part);
    bytes_put_u32(to + 24, header->from);
    bytes_put_u64(to + 32, header->segment_bytes);
    bytes_put_u64(to + 40, header->salt);
    bytes_put_u64(to + 48, header->generation);
    memcpy(to + 56, header->id, JOURNAL_ID_BYTES);
    bytes_put_u32(to + 84, crc32c(0, to, 84));
}

void segment_header_format(uint8_t *area, const struct segment_header *header)
{
    memset(area, 0, HEADER_AREA);
    header_copy_format(area, header);
    header_copy_format(area + HEADER_COPY, header);
}

static bool header_copy_parse(struct segment_header *header, const uint8_t *from)
{
    if (memcmp(from, MAGIC, 8) != 0 || bytes_u32(from + 84) != crc32c(0, from, 84) ||
        bytes_u32(from + 8) != VERSION || bytes_u32(from + 12) != HEADER_AREA)
        return false;
    *header = (struct segment_header){
        .number = bytes_u32(from + 16),
        .part = bytes_u32(from + 20),
        .from = bytes_u32(from + 24),
        .segment_bytes = bytes_u64(from + 32),
        .salt = bytes_u64(from + 40),
        .generation = bytes_u64(from + 48),
    };
    memcpy(header->id, from + 56, JOURNAL_ID_BYTES);
    return header->from >= HEADER_AREA && header->from % 8 == 0 &&
           header->segment_bytes <= JOURNAL_SEGMENT_MAX &&
           header->from <= header->segment_bytes;
}

bool segment_header_parse(struct segment_header *header, const uint8_t *area, size_t len,
                          bool *damaged)
{
    struct segment_header second;
    bool has_first = len >= HEADER_BYTES && header_copy_parse(header, area);
    bool has_second = len >= HEADER_COPY + HEADER_BYTES &&
                      header_copy_parse(&second, area + HEADER_COPY);
    *damaged = !has_first || !has_second;
    if (!has_first && has_second)
        *header = second;
    return has_first || has_second;
}

static bool copy_is_newer(const uint8_t *from)
{
    return memcmp(from, MAGIC, 8) == 0 && bytes_u32(from + 84) == crc32c(0, from, 84) &&
           bytes_u32(from + 8) > VERSION;
}

bool segment_header_is_newer(const uint8_t *area, size_t len)
{
    return (len >= HEADER_BYTES && copy_is_newer(area)) ||
           (len >= HEADER_COPY + HEADER_BYTES && copy_is_newer(area + HEADER_COPY));
}

/* Appends salt and place, so that bytes of another file or offset never fit. */
static uint32_t salted(uint32_t crc, uint64_t salt, uint64_t position)
{
    uint8_t suffix[16];
    bytes_put_u64(suffix, salt);
    bytes_put_u64(suffix + 8, position);
    return crc32c(crc, suffix, sizeof suffix);
}

uint32_t frame_salted(uint32_t body_crc, uint64_t salt, uint64_t position)
{
    return salted(body_crc, salt, position);
}

void frame_format(uint8_t *to, const struct frame *frame, uint64_t salt,
                  uint64_t position)
{
    assert(frame->len <= JOURNAL_BODY_MAX);
    bytes_put_u32(to, FRAME_MAGIC);
    to[4] = frame->type;
    to[5] = 0;
    bytes_put_u16(to + 6, 0);
    bytes_put_u32(to + 8, frame->len);
    bytes_put_u32(to + 12, frame->body_crc);
    bytes_put_u64(to + 16, (uint64_t)frame->wall_ms);
    bytes_put_u64(to + 24, (uint64_t)frame->boot_ms);
    bytes_put_u32(to + 32, frame->serial);
    bytes_put_u32(to + 36, salted(crc32c(0, to, 36), salt, position));
}

void frame_resalt(uint8_t *to, uint64_t old_salt, uint64_t salt, uint64_t position)
{
    struct frame frame;
    bool sound = frame_parse(&frame, to, old_salt, position);
    assert(sound && "what was in memory is ours");
    (void)sound;
    frame.body_crc = salted(crc32c(0, to + FRAME_HEADER, frame.len), salt, position);
    frame_format(to, &frame, salt, position);
}

bool frame_parse(struct frame *frame, const uint8_t *from, uint64_t salt,
                 uint64_t position)
{
    if (bytes_u32(from) != FRAME_MAGIC ||
        bytes_u32(from + 36) != salted(crc32c(0, from, 36), salt, position))
        return false;
    *frame = (struct frame){
        .type = from[4],
        .len = bytes_u32(from + 8),
        .body_crc = bytes_u32(from + 12),
        .wall_ms = (int64_t)bytes_u64(from + 16),
        .boot_ms = (int64_t)bytes_u64(from + 24),
        .serial = bytes_u32(from + 32),
    };
    return frame->len <= JOURNAL_BODY_MAX;
}

bool frame_body_is_sound(const struct frame *frame, const uint8_t *body, uint64_t salt,
                         uint64_t position)
{
    return salted(crc32c(0, body, frame->len), salt, position) == frame->body_crc;
}

void frame_digest(struct crypto_digest *digest, const uint8_t *frame, size_t body_len)
{
    crypto_digest_add(digest, frame + 4, 8);
    crypto_digest_add(digest, frame + 16, 16);
    crypto_digest_add(digest, frame + FRAME_HEADER, body_len);
}

void begin_format(uint8_t to[BEGIN_BYTES], const struct begin *begin)
{
    bytes_put_u64(to, begin->previous_end);
    bytes_put_u64(to + 8, begin->synced_through);
    bytes_put_u32(to + 16, begin->kind);
    bytes_put_u32(to + 20, 0);
    memcpy(to + 24, begin->chain, sizeof begin->chain);
}

bool begin_parse(struct begin *begin, const uint8_t *from, size_t len)
{
    if (len != BEGIN_BYTES)
        return false;
    begin->previous_end = bytes_u64(from);
    begin->synced_through = bytes_u64(from + 8);
    begin->kind = bytes_u32(from + 16);
    memcpy(begin->chain, from + 24, sizeof begin->chain);
    return begin->kind == BEGIN_OPEN || begin->kind == BEGIN_ROTATE;
}

void commit_format(uint8_t to[COMMIT_BYTES], const struct commit *commit)
{
    bytes_put_u64(to, commit->first);
    bytes_put_u64(to + 8, commit->last);
    bytes_put_u64(to + 16, commit->count);
    bytes_put_u64(to + 24, commit->synced_through);
    memcpy(to + 32, commit->chain, sizeof commit->chain);
}

bool commit_parse(struct commit *commit, const uint8_t *from, size_t len)
{
    if (len != COMMIT_BYTES)
        return false;
    commit->first = bytes_u64(from);
    commit->last = bytes_u64(from + 8);
    commit->count = bytes_u64(from + 16);
    commit->synced_through = bytes_u64(from + 24);
    memcpy(commit->chain, from + 32, sizeof commit->chain);
    return true;
}

void loss_format(uint8_t to[LOSS_BYTES], const struct journal_loss *loss)
{
    bytes_put_u64(to, loss->from);
    bytes_put_u64(to + 8, loss->to);
    bytes_put_u32(to + 16, (uint32_t)loss->reason);
    bytes_put_u32(to + 20, loss->frames);
}

bool loss_parse(struct journal_loss *loss, const uint8_t *from, size_t len)
{
    if (len != LOSS_BYTES)
        return false;
    uint32_t reason = bytes_u32(from + 16);
    *loss = (struct journal_loss){
        .from = bytes_u64(from),
        .to = bytes_u64(from + 8),
        .reason = reason <= JOURNAL_LOSS_TRIMMED ? (enum journal_loss_reason)reason
                                                 : JOURNAL_LOSS_ROT,
        .frames = bytes_u32(from + 20),
    };
    return true;
}

const char *journal_loss_name(enum journal_loss_reason reason)
{
    switch (reason) {
    case JOURNAL_LOSS_NONE:
        return "none";
    case JOURNAL_LOSS_ROT:
        return "rot";
    case JOURNAL_LOSS_UNREADABLE:
        return "unreadable";
    case JOURNAL_LOSS_MISSING:
        return "missing";
    case JOURNAL_LOSS_TRIMMED:
        return "trimmed";
    }
    return "unknown";
}
