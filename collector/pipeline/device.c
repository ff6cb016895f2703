// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/device.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SAVED_VERSION 1
#define AHEAD_MAX     (SEQSET_RANGES_MAX * 1024u)

const char *device_key(char key[DEVICE_KEY_SIZE], const char *org, const char *id)
{
    snprintf(key, DEVICE_KEY_SIZE, "%s/%s", org, id);
    return key;
}

struct device *device_create(const char *org, const char *id)
{
    struct device *device = mem_alloc(sizeof *device);
    snprintf(device->org, sizeof device->org, "%s", org);
    snprintf(device->id, sizeof device->id, "%s", id);
    return device;
}

static void epoch_fini(struct device_epoch *epoch)
{
    seqset_fini(&epoch->taken);
    seqset_fini(&epoch->rejected);
    free(epoch->ahead);
}

void device_destroy(struct device *device)
{
    if (device == NULL)
        return;
    for (size_t i = 0; i < device->epoch_count; i++)
        epoch_fini(&device->epochs[i]);
    late_destroy(device->late);
    free(device->epochs);
    free(device->channels);
    free(device);
}

struct device_epoch *device_epoch_of(struct device *device, uint64_t epoch)
{
    for (size_t i = device->epoch_count; i > 0; i--)
        if (device->epochs[i - 1].epoch == epoch)
            return &device->epochs[i - 1];
    if (device->epoch_count >= DEVICE_EPOCHS_MAX)
        return NULL;
    mem_grow(&device->epochs, &device->epoch_capacity, device->epoch_count + 1,
             sizeof *device->epochs);
    struct device_epoch *added = &device->epochs[device->epoch_count++];
    *added = (struct device_epoch){.epoch = epoch};
    return added;
}

struct device_channel *device_channel_of(struct device *device,
                                         const struct channel *name)
{
    for (size_t i = 0; i < device->channel_count; i++)
        if (strcmp(device->channels[i].name.name, name->name) == 0)
            return &device->channels[i];
    if (device->channel_count >= DEVICE_CHANNELS_MAX)
        return NULL;
    mem_grow(&device->channels, &device->channel_capacity, device->channel_count + 1,
             sizeof *device->channels);
    struct device_channel *added = &device->channels[device->channel_count++];
    *added = (struct device_channel){.name = *name};
    return added;
}

void device_epoch_wait(struct device_epoch *epoch, uint64_t seq, uint64_t position)
{
    assert(seq > epoch->evaluated);
    mem_grow(&epoch->ahead, &epoch->ahead_capacity, epoch->ahead_count + 1,
             sizeof *epoch->ahead);
    size_t at = epoch->ahead_count++;
    for (; at > 0 && epoch->ahead[at - 1].seq > seq; at--)
        epoch->ahead[at] = epoch->ahead[at - 1];
    epoch->ahead[at] = (struct device_ahead){.seq = seq, .position = position};
}

bool device_epoch_next(struct device_epoch *epoch, struct device_ahead *next)
{
    uint64_t limit = epoch->taken.through;
    if (epoch->ahead_count == 0 || epoch->ahead[0].seq > limit) {
        if (epoch->evaluated < limit)
            epoch->evaluated = limit;
        return false;
    }
    *next = epoch->ahead[0];
    epoch->ahead_count--;
    memmove(epoch->ahead, epoch->ahead + 1, epoch->ahead_count * sizeof *epoch->ahead);
    assert(next->seq > epoch->evaluated);
    epoch->evaluated = next->seq;
    return true;
}

static void save_epoch(const struct device_epoch *epoch, struct buf *out)
{
    buf_u64(out, epoch->epoch);
    seqset_save(&epoch->taken, out);
    seqset_save(&epoch->rejected, out);
    buf_varint(out, epoch->evaluated);
    buf_u8(out, epoch->is_ended);
    buf_varint(out, epoch->ahead_count);
    for (size_t i = 0; i < epoch->ahead_count; i++) {
        buf_varint(out, epoch->ahead[i].seq);
        buf_varint(out, epoch->ahead[i].position);
    }
}

static void save_channel(const struct device_channel *channel, struct buf *out)
{
    buf_blob(out, channel->name.name, strlen(channel->name.name));
    buf_f64(out, channel->value);
    buf_u8(out, (uint8_t)channel->quality);
    buf_zigzag(out, channel->time_ms);
    buf_zigzag(out, channel->arrival_ms);
}

void device_save(const struct device *device, struct buf *out)
{
    buf_u8(out, SAVED_VERSION);
    buf_blob(out, device->nonce, strlen(device->nonce));
    buf_blob(out, device->version, strlen(device->version));
    buf_u8(out, device->is_online);
    buf_zigzag(out, device->last_arrival_ms);
    buf_varint(out, device->readings);
    buf_varint(out, device->epoch_count);
    for (size_t i = 0; i < device->epoch_count; i++)
        save_epoch(&device->epochs[i], out);
    buf_varint(out, device->channel_count);
    for (size_t i = 0; i < device->channel_count; i++)
        save_channel(&device->channels[i], out);
}

static bool load_text(struct buf_reader *in, char *to, size_t size)
{
    size_t len;
    const char *text = buf_read_blob(in, &len);
    if (text == NULL || len >= size)
        return false;
    memcpy(to, text, len);
    to[len] = '\0';
    return true;
}

static enum err load_epoch(struct device_epoch *epoch, struct buf_reader *in)
{
    enum err err = seqset_load(&epoch->taken, in);
    if (err == ERR_OK)
        err = seqset_load(&epoch->rejected, in);
    if (err != ERR_OK)
        return err;
    epoch->evaluated = buf_read_varint(in);
    epoch->is_ended = buf_read_u8(in) != 0;
    uint64_t count = buf_read_varint(in);
    if (in->failed || count > AHEAD_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t seq = buf_read_varint(in);
        uint64_t position = buf_read_varint(in);
        if (in->failed || seq <= epoch->evaluated)
            return ERR_CORRUPT;
        device_epoch_wait(epoch, seq, position);
    }
    return ERR_OK;
}

static enum err load_channel(struct device *device, struct buf_reader *in)
{
    char name[ID_SIZE];
    struct channel parsed;
    if (!load_text(in, name, sizeof name) || channel_parse(&parsed, name) != ERR_OK)
        return ERR_CORRUPT;
    struct device_channel *channel = device_channel_of(device, &parsed);
    if (channel == NULL)
        return ERR_CORRUPT;
    channel->value = buf_read_f64(in);
    uint8_t quality = buf_read_u8(in);
    if (quality > QUALITY_FAULT)
        return ERR_CORRUPT;
    channel->quality = (enum quality)quality;
    channel->time_ms = buf_read_zigzag(in);
    channel->arrival_ms = buf_read_zigzag(in);
    return in->failed ? ERR_CORRUPT : ERR_OK;
}

static enum err load_epochs(struct device *device, struct buf_reader *in)
{
    uint64_t count = buf_read_varint(in);
    if (count > DEVICE_EPOCHS_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < count; i++) {
        struct device_epoch *epoch = device_epoch_of(device, buf_read_u64(in));
        enum err err = epoch != NULL ? load_epoch(epoch, in) : ERR_CORRUPT;
        if (err != ERR_OK)
            return err;
    }
    return ERR_OK;
}

enum err device_load(struct device *device, const void *data, size_t len)
{
    struct buf_reader in = buf_reader_of(data, len);
    if (buf_read_u8(&in) != SAVED_VERSION ||
        !load_text(&in, device->nonce, sizeof device->nonce) ||
        !load_text(&in, device->version, sizeof device->version))
        return ERR_CORRUPT;
    device->is_online = buf_read_u8(&in) != 0;
    device->last_arrival_ms = buf_read_zigzag(&in);
    device->readings = buf_read_varint(&in);
    enum err err = load_epochs(device, &in);
    uint64_t channels = buf_read_varint(&in);
    for (uint64_t i = 0; err == ERR_OK && i < channels; i++)
        err = load_channel(device, &in);
    return err == ERR_OK && in.failed ? ERR_CORRUPT : err;
}
