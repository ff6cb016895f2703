// SPDX-License-Identifier: Apache-2.0
/*
 * buf - bytes that grow, and little-endian numbers in and out of them.
 *
 * A zeroed struct is an empty buffer. `data` always carries a NUL behind `len`
 * once anything was added, so text can be used as it is. Not shared by threads.
 */
#ifndef COLDCHAIN_BASE_BUF_H
#define COLDCHAIN_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;
    size_t len;
    size_t capacity;
};

void buf_fini(struct buf *buf);
/* Forgets the contents, keeps the memory. */
void buf_clear(struct buf *buf);
void buf_add(struct buf *buf, const void *data, size_t len);
void buf_text(struct buf *buf, const char *text);
void buf_format(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for `len` more bytes; returns where they start. buf->len is not changed. */
void *buf_reserve(struct buf *buf, size_t len);
/* The caller owns the text (never NULL); the buffer is empty afterwards. */
char *buf_take(struct buf *buf);

void buf_u8(struct buf *buf, uint8_t value);
void buf_u32(struct buf *buf, uint32_t value);
void buf_u64(struct buf *buf, uint64_t value);
void buf_f64(struct buf *buf, double value);
/* LEB128, and zigzag LEB128 for signed numbers. */
void buf_varint(struct buf *buf, uint64_t value);
void buf_zigzag(struct buf *buf, int64_t value);
/* A varint length, then the bytes. */
void buf_blob(struct buf *buf, const void *data, size_t len);

/* Reads what the functions above wrote; `failed` sticks once anything ran past the end.
 */
struct buf_reader {
    const uint8_t *data;
    size_t len;
    size_t at;
    bool failed;
};

struct buf_reader buf_reader_of(const void *data, size_t len);
uint8_t buf_read_u8(struct buf_reader *reader);
uint32_t buf_read_u32(struct buf_reader *reader);
uint64_t buf_read_u64(struct buf_reader *reader);
double buf_read_f64(struct buf_reader *reader);
uint64_t buf_read_varint(struct buf_reader *reader);
int64_t buf_read_zigzag(struct buf_reader *reader);
/* Borrowed from the data; NULL when it would run past the end. */
const void *buf_read_bytes(struct buf_reader *reader, size_t len);
const void *buf_read_blob(struct buf_reader *reader, size_t *len);

/* Unaligned little-endian access for fixed layouts. */
void bytes_put_u16(void *to, uint16_t value);
void bytes_put_u32(void *to, uint32_t value);
void bytes_put_u64(void *to, uint64_t value);
uint16_t bytes_u16(const void *from);
uint32_t bytes_u32(const void *from);
uint64_t bytes_u64(const void *from);

#endif
