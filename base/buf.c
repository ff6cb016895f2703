// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static_assert(sizeof(double) == sizeof(uint64_t), "IEEE 754 double");

void buf_fini(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void *buf_reserve(struct buf *buf, size_t len)
{
    assert(len < SIZE_MAX - buf->len - 1);
    mem_grow(&buf->data, &buf->capacity, buf->len + len + 1, 1);
    return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    assert(data != NULL || len == 0);
    char *to = buf_reserve(buf, len);
    if (len > 0)
        memcpy(to, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_format(struct buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(len >= 0);
    char *to = buf_reserve(buf, (size_t)len);
    vsnprintf(to, (size_t)len + 1, fmt, again);
    va_end(again);
    buf->len += (size_t)len;
}

char *buf_take(struct buf *buf)
{
    buf_reserve(buf, 0);
    char *data = buf->data;
    data[buf->len] = '\0';
    *buf = (struct buf){0};
    return data;
}

void buf_u8(struct buf *buf, uint8_t value)
{
    buf_add(buf, &value, 1);
}

void buf_u32(struct buf *buf, uint32_t value)
{
    uint8_t bytes[4];
    bytes_put_u32(bytes, value);
    buf_add(buf, bytes, sizeof bytes);
}

void buf_u64(struct buf *buf, uint64_t value)
{
    uint8_t bytes[8];
    bytes_put_u64(bytes, value);
    buf_add(buf, bytes, sizeof bytes);
}

void buf_f64(struct buf *buf, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buf_u64(buf, bits);
}

void buf_varint(struct buf *buf, uint64_t value)
{
    uint8_t bytes[10];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    buf_add(buf, bytes, len);
}

void buf_zigzag(struct buf *buf, int64_t value)
{
    buf_varint(buf, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

void buf_blob(struct buf *buf, const void *data, size_t len)
{
    buf_varint(buf, len);
    buf_add(buf, data, len);
}

struct buf_reader buf_reader_of(const void *data, size_t len)
{
    return (struct buf_reader){.data = data, .len = len};
}

const void *buf_read_bytes(struct buf_reader *reader, size_t len)
{
    assert(reader->at <= reader->len);
    if (reader->failed || len > reader->len - reader->at) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *from = reader->data + reader->at;
    reader->at += len;
    return from;
}

uint8_t buf_read_u8(struct buf_reader *reader)
{
    const uint8_t *from = buf_read_bytes(reader, 1);
    return from != NULL ? *from : 0;
}

uint32_t buf_read_u32(struct buf_reader *reader)
{
    const void *from = buf_read_bytes(reader, 4);
    return from != NULL ? bytes_u32(from) : 0;
}

uint64_t buf_read_u64(struct buf_reader *reader)
{
    const void *from = buf_read_bytes(reader, 8);
    return from != NULL ? bytes_u64(from) : 0;
}

double buf_read_f64(struct buf_reader *reader)
{
    uint64_t bits = buf_read_u64(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t buf_read_varint(struct buf_reader *reader)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = buf_read_u8(reader);
        if (reader->failed)
            return 0;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    reader->failed = true;
    return 0;
}

int64_t buf_read_zigzag(struct buf_reader *reader)
{
    uint64_t value = buf_read_varint(reader);
    return (int64_t)((value >> 1) ^ ((value & 1) != 0 ? UINT64_MAX : 0));
}

const void *buf_read_blob(struct buf_reader *reader, size_t *len)
{
    uint64_t want = buf_read_varint(reader);
    if (want > reader->len - reader->at) {
        reader->failed = true;
        want = 0;
    }
    *len = (size_t)want;
    return buf_read_bytes(reader, (size_t)want);
}

void bytes_put_u16(void *to, uint16_t value)
{
    uint8_t *bytes = to;
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

void bytes_put_u32(void *to, uint32_t value)
{
    uint8_t *bytes = to;
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

void bytes_put_u64(void *to, uint64_t value)
{
    uint8_t *bytes = to;
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

uint16_t bytes_u16(const void *from)
{
    const uint8_t *bytes = from;
    return (uint16_t)(bytes[0] | (unsigned)bytes[1] << 8);
}

uint32_t bytes_u32(const void *from)
{
    const uint8_t *bytes = from;
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

uint64_t bytes_u64(const void *from)
{
    const uint8_t *bytes = from;
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}
