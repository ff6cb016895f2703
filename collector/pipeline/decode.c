// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/decode.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/deflate.h"
#include "base/mem.h"

#define ZLIB_FIRST_BYTE 0x78

struct decoder {
    struct pack pack;
    struct buf inflated;
};

struct decoder *decoder_create(void)
{
    return mem_alloc(sizeof(struct decoder));
}

void decoder_destroy(struct decoder *decoder)
{
    if (decoder == NULL)
        return;
    pack_fini(&decoder->pack);
    buf_fini(&decoder->inflated);
    free(decoder);
}

bool decode_time_is_plausible(int64_t time_ms, int64_t arrival_ms)
{
    return time_ms >= DECODE_EARLIEST_MS && time_ms <= arrival_ms + DECODE_AHEAD_MS;
}

static enum err inflate_payload(struct decoder *decoder,
                                const struct record_message *message, const void **data,
                                size_t *len, struct err_text *why)
{
    *data = message->payload;
    *len = message->payload_len;
    if (*len == 0)
        return err_set(why, ERR_INVALID, "empty payload");
    if (*(const uint8_t *)*data != ZLIB_FIRST_BYTE)
        return ERR_OK;
    buf_clear(&decoder->inflated);
    enum err err = deflate_unpack(&decoder->inflated, *data, *len, PACK_BYTES_MAX);
    if (err == ERR_LIMIT)
        return err_set(why, err, "inflates to more than %u bytes", PACK_BYTES_MAX);
    if (err != ERR_OK)
        return err_set(why, ERR_INVALID, "damaged zlib data");
    *data = decoder->inflated.data;
    *len = decoder->inflated.len;
    return ERR_OK;
}

/* The topic is what the broker's access list vouches for; the pack has to agree. */
static enum err check_name(const struct topic *topic, const struct pack *pack,
                           struct err_text *why)
{
    if (pack->device[0] == '\0')
        return ERR_OK;
    if (strcmp(pack->device, topic->device) != 0)
        return err_set(why, ERR_INVALID, "pack names device '%s', its topic '%s'",
                       pack->device, topic->device);
    if (pack->epoch != topic->epoch || pack->seq != topic->seq)
        return err_set(why, ERR_INVALID, "pack and topic name different epochs or seqs");
    return ERR_OK;
}

enum err decoder_read(struct decoder *decoder, const struct record_message *message,
                      int64_t arrival_ms, struct topic *topic, const struct pack **pack,
                      struct err_text *why)
{
    *pack = NULL;
    *topic = (struct topic){0};
    if (topic_parse(topic, message->topic, message->topic_len) != ERR_OK) {
        *topic = (struct topic){0};
        if (message->topic_len > 0 && topic_is_newer(message->topic, message->topic_len))
            return err_set(why, ERR_UNSUPPORTED,
                           "topic of a later version than coldchain/v1: upgrade the "
                           "collector before its devices");
        return err_set(why, ERR_INVALID, "topic is not of the form coldchain/v1/...");
    }
    if (topic->kind != TOPIC_READINGS)
        return ERR_OK;
    const void *data;
    size_t len;
    enum err err = inflate_payload(decoder, message, &data, &len, why);
    if (err == ERR_OK)
        err = pack_parse(&decoder->pack, data, len, arrival_ms, why);
    if (err == ERR_OK)
        err = check_name(topic, &decoder->pack, why);
    if (err != ERR_OK)
        return err;
    *pack = &decoder->pack;
    return ERR_OK;
}
