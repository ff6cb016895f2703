// SPDX-License-Identifier: Apache-2.0
/*
 * segment_fuzz - foreign bytes as the segments of a journal: scanned, opened, read.
 *
 * The first byte says what is mended before: bit 0 gives segment 1 a sound header, bit 1
 * gives everything that begins like a frame sound checksums, bit 2 puts the same bytes
 * into segment 2 as well, bit 3 into a second part of segment 1. Otherwise nothing
 * behind a checksum would ever be reached.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/crypto.h"
#include "journal/format.h"
#include "journal/journal_scan.h"
#include "tests/support/journal_memory_io.h"

#define SALT 0x5a17
#define SIZE JOURNAL_SEGMENT_MIN

static void mend_frames(uint8_t *bytes, uint32_t number)
{
    for (uint32_t at = HEADER_AREA; at + FRAME_HEADER <= SIZE; at += 8) {
        if (bytes_u32(bytes + at) != FRAME_MAGIC)
            continue;
        uint64_t position = position_of(number, at);
        uint32_t len = bytes_u32(bytes + at + 8) & 0x1fff;
        if (at + frame_size(len) > SIZE)
            continue;
        struct frame frame = {
            .type = bytes[at + 4],
            .len = len,
            .wall_ms = (int64_t)bytes_u64(bytes + at + 16),
            .serial = bytes_u32(bytes + at + 32),
        };
        frame.body_crc =
            frame_salted(crc32c(0, bytes + at + FRAME_HEADER, len), SALT, position);
        frame_format(bytes + at, &frame, SALT, position);
    }
}

static void put_file(const struct journal_io *io, uint32_t number, uint32_t part,
                     const uint8_t *data, size_t size, unsigned mending)
{
    static uint8_t bytes[SIZE];
    char name[SEGMENT_NAME_MAX], path[SEGMENT_NAME_MAX + 3];
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, data, size < SIZE ? size : SIZE);
    if ((mending & 1) != 0) {
        struct segment_header header = {.number = number,
                                        .part = part,
                                        .from = part == 0 ? HEADER_AREA : 8192,
                                        .segment_bytes = SIZE,
                                        .salt = SALT,
                                        .generation = 1};
        segment_header_format(bytes, &header);
    }
    if ((mending & 2) != 0)
        mend_frames(bytes, number);
    snprintf(path, sizeof path, "j/%s", segment_name(name, number, part));
    int fd = io->openat(io->context, AT_FDCWD, path, O_CREAT, 0);
    ssize_t written = io->pwrite(io->context, fd, bytes, size < SIZE ? size : SIZE, 0);
    assert(written >= 0);
    (void)written;
    io->close(io->context, fd);
}

static void read_all(struct journal *journal)
{
    struct journal_reader *reader = NULL;
    struct journal_record record;
    uint64_t last = 0;
    enum err err = journal_reader_open(&reader, journal, 0);
    while (err == ERR_OK) {
        err = journal_reader_next(reader, &record);
        assert(err != ERR_OK || record.position > last);
        last = err == ERR_OK ? record.position : last;
    }
    assert(err == ERR_NOT_FOUND);
    journal_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    crypto_init();
    struct memory_disk *disk = memory_disk_create();
    const struct journal_io *io = memory_disk_io(disk);
    io->mkdirat(io->context, AT_FDCWD, "j", 0);
    put_file(io, 1, 0, data + 1, size - 1, data[0]);
    if ((data[0] & 4) != 0)
        put_file(io, 2, 0, data + 1, size - 1, data[0]);
    if ((data[0] & 8) != 0)
        put_file(io, 1, 1, data + 1, size - 1, data[0]);

    struct journal_options options = {.io = io, .segment_bytes = SIZE};
    struct journal_scan_report before, after;
    enum err err = journal_scan("j", &options, NULL, &before, NULL);
    assert(err == ERR_OK);
    for (int i = 0; i < 2; i++) {
        struct journal *journal = NULL;
        struct journal_recovery found;
        err = journal_open(&journal, "j", &options, &found, NULL);
        assert(err == ERR_OK);
        /* What recovery did the first time it need not do again. */
        assert(i == 0 || (found.cut_bytes == 0 && found.loss_count == 0));
        read_all(journal);
        err = journal_close(journal);
        assert(err == ERR_OK);
    }
    err = journal_scan("j", &options, NULL, &after, NULL);
    assert(err == ERR_OK && after.segments >= 1);
    (void)err;
    memory_disk_destroy(disk);
    return 0;
}
