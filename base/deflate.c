// SPDX-License-Identifier: Apache-2.0
#include "base/deflate.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/log.h"

#define LEVEL        6  /* of packs: each byte is paid for by radio */
#define LEVEL_FAST   1  /* of HTTP bodies: a third of the CPU, a quarter more bytes */
#define WINDOW       15 /* 32 KiB */
#define WINDOW_LEAST 9  /* zlib writes no smaller one */
#define GZIP         16 /* added to the window: write gzip */
#define ZLIB_OR_GZIP 32 /* added to the window: read either */
#define MEM_LEVEL    8
#define ONE_BLOCK    6   /* less than the window: a text that fits is one block */
#define BEHIND       262 /* bytes at the end of a window that zlib does not look back to */
#define STEP_MIN     4096

/* zlib counts in unsigned int. */
static unsigned at_most(size_t size)
{
    return size < UINT_MAX ? (unsigned)size : UINT_MAX;
}

/* Hands zlib the next stretch of input once it has used up the one before. */
static void feed(z_stream *stream, const uint8_t *from, size_t len, size_t *fed)
{
    if (stream->avail_in > 0 || *fed == len)
        return;
    stream->avail_in = at_most(len - *fed);
    stream->next_in = from + *fed;
    *fed += stream->avail_in;
}

/* The first byte tells readers that this is zlib: it speaks of the usual window, always.
 */
static const uint8_t header[] = {0x78, 0x9c};

/*
 * As much memory as the text can use, up to what is usual: a few kilobytes need a quarter
 * of those 256 KiB, and come out the same.
 */
static int window_for(size_t len)
{
    int window = WINDOW_LEAST;
    while (window < WINDOW && ((size_t)1 << window) < len + BEHIND)
        window++;
    return window;
}

static void pack(struct buf *out, const void *data, size_t len, int level, int format)
{
    z_stream stream = {0};
    int window = window_for(len);
    int memory = window - ONE_BLOCK < MEM_LEVEL ? window - ONE_BLOCK : MEM_LEVEL;
    if (deflateInit2(&stream, level, Z_DEFLATED, window + format, memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        log_fatal("zlib: no memory");
    size_t bound = deflateBound(&stream, len);
    uint8_t *to = buf_reserve(out, bound);
    size_t fed = 0;
    size_t made = 0;
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        feed(&stream, data, len, &fed);
        unsigned room = at_most(bound - made);
        stream.next_out = to + made;
        stream.avail_out = room;
        status = deflate(&stream, fed == len ? Z_FINISH : Z_NO_FLUSH);
        assert(status == Z_OK || status == Z_STREAM_END);
        made += room - stream.avail_out;
    }
    deflateEnd(&stream);
    assert(made <= bound);
    if (format == 0)
        memcpy(to, header, sizeof header);
    out->len += made;
    out->data[out->len] = '\0';
}

void deflate_pack(struct buf *out, const void *data, size_t len)
{
    pack(out, data, len, LEVEL, 0);
}

void deflate_gzip(struct buf *out, const void *data, size_t len)
{
    pack(out, data, len, LEVEL_FAST, GZIP);
}

/* Room for the next step: what is usual at first, then doubling, one byte past the limit
 * at most, which is how exceeding it is noticed. */
static unsigned next_room(size_t made, size_t len, size_t limit)
{
    size_t want = made > 0 ? made : len * 4;
    if (want < STEP_MIN)
        want = STEP_MIN;
    size_t left = limit - made;
    return at_most(want < left ? want : left + (left < SIZE_MAX));
}

static enum err unpack(z_stream *stream, struct buf *out, const uint8_t *data, size_t len,
                       size_t limit)
{
    size_t fed = 0;
    size_t made = 0;
    for (;;) {
        feed(stream, data, len, &fed);
        unsigned room = next_room(made, len, limit);
        uint8_t *to = buf_reserve(out, room);
        stream->next_out = to;
        stream->avail_out = room;
        /* Z_FINISH spares zlib its window of 32 KiB when all of it fits at once */
        int status = inflate(stream, fed == len ? Z_FINISH : Z_NO_FLUSH);
        made += room - stream->avail_out;
        out->len += room - stream->avail_out;
        if (made > limit)
            return ERR_LIMIT;
        if (status == Z_STREAM_END)
            return stream->avail_in == 0 && fed == len ? ERR_OK : ERR_INVALID;
        bool wants_room = stream->avail_out == 0;
        /* room to spare and nothing left to read: the input ended early */
        if ((status != Z_OK && status != Z_BUF_ERROR) || (!wants_room && fed == len))
            return ERR_INVALID;
    }
}

enum err deflate_unpack(struct buf *out, const void *data, size_t len, size_t limit)
{
    z_stream stream = {0};
    if (inflateInit2(&stream, WINDOW + ZLIB_OR_GZIP) != Z_OK)
        log_fatal("zlib: no memory");
    size_t before = out->len;
    enum err err = unpack(&stream, out, data, len, limit);
    inflateEnd(&stream);
    if (err != ERR_OK)
        out->len = before;
    if (out->data != NULL)
        out->data[out->len] = '\0';
    return err;
}
