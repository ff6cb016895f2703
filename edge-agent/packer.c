// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/packer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/deflate.h"
#include "base/mem.h"
#include "telemetry/delivery.h"

/* A pack whose JSON is shorter gains nothing that is worth the work. */
#define DEFLATE_FROM 160
#define ZLIB_BEGINS  0x78 /* and no JSON does */

void packer_init(struct packer *packer, size_t readings_max, int64_t interval_ms)
{
    assert(readings_max >= 1 && readings_max <= PACK_READINGS_MAX);
    assert(interval_ms > 0);
    *packer = (struct packer){.readings_max = readings_max, .interval_ms = interval_ms};
}

void packer_fini(struct packer *packer)
{
    free(packer->channels);
    pack_fini(&packer->pack);
    buf_fini(&packer->text);
    *packer = (struct packer){0};
}

size_t packer_add_channel(struct packer *packer, const char *name, bool has_band,
                          double low, double high)
{
    assert(id_is_valid(name) && packer->channel_count < PACK_CHANNELS_MAX);
    mem_grow(&packer->channels, &packer->channel_capacity, packer->channel_count + 1,
             sizeof *packer->channels);
    struct packer_channel *channel = &packer->channels[packer->channel_count];
    *channel = (struct packer_channel){.has_band = has_band, .low = low, .high = high};
    memcpy(channel->name, name, strlen(name) + 1);
    return packer->channel_count++;
}

void packer_set_band(struct packer *packer, size_t channel, bool has_band, double low,
                     double high)
{
    assert(channel < packer->channel_count);
    packer->channels[channel].has_band = has_band;
    packer->channels[channel].low = low;
    packer->channels[channel].high = high;
}

/* The bounds themselves are in order. */
static bool is_out(const struct packer_channel *channel, const struct reading *reading)
{
    if (reading->quality != QUALITY_GOOD)
        return true;
    return channel->has_band &&
           (reading->value < channel->low || reading->value > channel->high);
}

void packer_take(struct packer *packer, size_t channel, struct reading reading,
                 int64_t real_ms)
{
    assert(channel < packer->channel_count);
    assert(packer->pack.reading_count < PACK_READINGS_MAX);
    struct packer_channel *known = &packer->channels[channel];
    bool out = is_out(known, &reading);
    /* The first reading of all is news only when it is bad. */
    if (known->is_known ? out != known->is_out : out)
        packer->is_urgent = true;
    known->is_known = true;
    known->is_out = out;
    packer->has_breach |= out;
    if (packer->pack.reading_count == 0)
        packer->opened_ms = real_ms;
    enum err err = pack_channel(&packer->pack, known->name, &reading.channel);
    assert(err == ERR_OK);
    err = pack_add(&packer->pack, &reading);
    assert(err == ERR_OK);
}

size_t packer_count(const struct packer *packer)
{
    return packer->pack.reading_count;
}

int64_t packer_due_ms(const struct packer *packer)
{
    return packer->pack.reading_count == 0 ? 0 : packer->opened_ms + packer->interval_ms;
}

bool packer_is_due(const struct packer *packer, int64_t real_ms)
{
    if (packer->pack.reading_count == 0)
        return false;
    return packer->is_urgent || packer->pack.reading_count >= packer->readings_max ||
           real_ms >= packer_due_ms(packer);
}

void packer_name(struct pack *pack, const struct packer_label *label)
{
    assert(label->seq >= 1 && strlen(label->device) < sizeof pack->device);
    memcpy(pack->device, label->device, strlen(label->device) + 1);
    pack->epoch = label->epoch;
    pack->seq = label->seq;
    pack->previous_hash = label->previous_hash;
    pack->clock = label->clock;
    assert(strlen(label->boot_id) < sizeof pack->boot_id);
    memcpy(pack->boot_id, label->boot_id, strlen(label->boot_id) + 1);
    pack->boot_ms = label->boot_ms;
    pack->wall_ms = label->wall_ms;
}

void packer_format(struct packer *packer, const struct pack *pack, struct buf *bytes)
{
    assert(pack->seq >= 1); /* packer_name() gave it one */
    buf_clear(&packer->text);
    pack_format(pack, &packer->text);
    size_t start = bytes->len;
    if (packer->text.len >= DEFLATE_FROM)
        deflate_pack(bytes, packer->text.data, packer->text.len);
    if (bytes->len > start && bytes->len - start < packer->text.len)
        return;
    bytes->len = start;
    buf_add(bytes, packer->text.data, packer->text.len);
}

enum err packer_parse(struct pack *pack, struct buf *text, const void *bytes, size_t len,
                      int64_t now_ms)
{
    const uint8_t *first = bytes;
    pack_clear(pack);
    if (len == 0 || *first != ZLIB_BEGINS)
        return pack_parse(pack, bytes, len, now_ms, NULL);
    buf_clear(text);
    enum err err = deflate_unpack(text, bytes, len, PACK_BYTES_MAX);
    return err == ERR_OK ? pack_parse(pack, text->data, text->len, now_ms, NULL) : err;
}

void packer_build(struct packer *packer, const struct packer_label *label,
                  struct buf *bytes)
{
    assert(packer->pack.reading_count > 0);
    packer->pack.kind = PACK_DATA;
    packer_name(&packer->pack, label);
    packer_format(packer, &packer->pack, bytes);
}

void packer_reset(struct packer *packer)
{
    pack_clear(&packer->pack);
    packer->is_urgent = false;
    packer->has_breach = false;
}

uint64_t packer_hash(const void *bytes, size_t len)
{
    return delivery_hash(bytes, len);
}
