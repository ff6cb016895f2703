// SPDX-License-Identifier: Apache-2.0
/* What of a device's delivery survives: the same bytes for the same packs and hellos. */
#include <string.h>

#include "collector/pipeline/collector_core.h"
#include "collector/pipeline/seams.h"
#include "collector/pipeline/slots.h"

enum epoch_flag {
    FLAG_ENDED = 1,
    FLAG_FORKED = 2,
    FLAG_LEFT = 4,
    FLAG_NAMED = 8,
    FLAG_CLOSED = 16, /* `closed` is not empty, and follows */
    FLAG_SEAMS = 32,  /* and its seams */
    FLAG_SAID = 64,   /* and its `said`, above what was taken */
};

static void save_epoch(const struct collector_epoch *epoch, struct buf *out)
{
    unsigned flags =
        (epoch->is_ended ? FLAG_ENDED : 0u) | (epoch->is_forked ? FLAG_FORKED : 0u) |
        (epoch->is_left ? FLAG_LEFT : 0u) | (epoch->is_named ? FLAG_NAMED : 0u) |
        (seqset_highest(&epoch->closed) > 0 ? FLAG_CLOSED : 0u) |
        (epoch->seam_count > 0 ? FLAG_SEAMS : 0u) |
        (epoch->said > epoch->window.taken.through ? FLAG_SAID : 0u);
    buf_u64(out, epoch->epoch);
    window_save(&epoch->window, out);
    seqset_save(&epoch->rejected, out);
    buf_varint(out, epoch->evaluated);
    buf_u8(out, (uint8_t)flags);
    buf_varint(out, epoch->last);
    buf_varint(out, epoch->gone);
    buf_zigzag(out, epoch->held_since_ms);
    buf_varint(out, epoch->held_count);
    for (size_t i = 0; i < epoch->held_count; i++) {
        buf_varint(out, epoch->held[i].seq);
        buf_varint(out, epoch->held[i].position);
    }
    if ((flags & FLAG_CLOSED) != 0)
        seqset_save(&epoch->closed, out);
    if (epoch->seam_count > 0)
        seams_save(epoch, out);
    if ((flags & FLAG_SAID) != 0)
        buf_varint(out, epoch->said);
}

void collector_device_save(const struct collector_device *device, struct buf *out)
{
    buf_blob(out, device->nonce, strlen(device->nonce));
    buf_u64(out, device->current);
    for (size_t i = 0; i < COLLECTOR_NONCES; i++)
        buf_varint(out, device->nonces[i]);
    buf_u8(out, device->nonce_at);
    buf_u8(out, device->returns);
    buf_u8(out, device->is_twin);
    buf_varint(out, device->epoch_count);
    for (size_t i = 0; i < device->epoch_count; i++)
        save_epoch(&device->epochs[i], out);
}

static enum err load_held(struct collector_epoch *epoch, struct buf_reader *in)
{
    uint64_t count = buf_read_varint(in);
    /* Each takes two bytes at least. */
    if (in->failed || count > in->len)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t seq = buf_read_varint(in);
        uint64_t position = buf_read_varint(in);
        if (in->failed || seq <= epoch->evaluated)
            return ERR_CORRUPT;
        collector_epoch_hold(epoch, (struct collector_held){seq, position});
    }
    return ERR_OK;
}

static enum err load_epoch(struct collector_core *core, struct collector_epoch *epoch,
                           struct buf_reader *in)
{
    enum err err = window_load(&epoch->window, in);
    core->ranges += epoch->window.taken.count;
    if (err == ERR_OK)
        err = seqset_load(&epoch->rejected, in);
    if (err != ERR_OK)
        return err;
    epoch->evaluated = buf_read_varint(in);
    uint8_t flags = buf_read_u8(in);
    epoch->is_ended = (flags & FLAG_ENDED) != 0;
    epoch->is_forked = (flags & FLAG_FORKED) != 0;
    epoch->is_left = (flags & FLAG_LEFT) != 0;
    epoch->is_named = (flags & FLAG_NAMED) != 0;
    epoch->last = buf_read_varint(in);
    epoch->gone = buf_read_varint(in);
    epoch->held_since_ms = buf_read_zigzag(in);
    err = load_held(epoch, in);
    if (err == ERR_OK && (flags & FLAG_CLOSED) != 0)
        err = seqset_load(&epoch->closed, in);
    if (err == ERR_OK && (flags & FLAG_SEAMS) != 0)
        err = seams_load(epoch, in);
    if (err == ERR_OK && (flags & FLAG_SAID) != 0)
        epoch->said = buf_read_varint(in);
    return err;
}

enum err collector_device_load(struct collector_core *core,
                               struct collector_device *device, struct buf_reader *in)
{
    size_t len;
    const char *nonce = buf_read_blob(in, &len);
    if (nonce == NULL || len >= sizeof device->nonce)
        return ERR_CORRUPT;
    memcpy(device->nonce, nonce, len);
    device->current = buf_read_u64(in);
    for (size_t i = 0; i < COLLECTOR_NONCES; i++)
        device->nonces[i] = (uint32_t)buf_read_varint(in);
    device->nonce_at = buf_read_u8(in) % COLLECTOR_NONCES;
    device->returns = buf_read_u8(in);
    device->is_twin = buf_read_u8(in) != 0;
    uint64_t count = buf_read_varint(in);
    if (in->failed || count > COLLECTOR_EPOCHS_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t name = buf_read_u64(in);
        if (in->failed || collector_find_epoch(device, name) != NULL)
            return ERR_CORRUPT;
        enum err err = load_epoch(core, collector_epoch_of(device, name), in);
        if (err != ERR_OK)
            return err;
    }
    slots_loaded(device);
    return in->failed ? ERR_CORRUPT : ERR_OK;
}
