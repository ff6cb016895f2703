// SPDX-License-Identifier: Apache-2.0
#include "telemetry/pack.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static_assert(PACK_CHANNELS_MAX <= UINT16_MAX, "a reading holds its channel in 16 bits");

void pack_fini(struct pack *pack)
{
    free(pack->channels);
    free(pack->readings);
    *pack = (struct pack){0};
}

bool pack_tells_fork(const struct pack *pack)
{
    return pack->kind == PACK_THINNED && pack->ended != 0 && pack->from == pack->to &&
           strcmp(pack->reason, PACK_REASON_FORK) == 0;
}

bool pack_is_rescued(const struct pack *pack)
{
    return pack_tells_fork(pack) ||
           (pack->kind == PACK_THINNED && pack->ended != 0 && pack->from == pack->to &&
            strcmp(pack->reason, PACK_REASON_CLOSED) == 0);
}

int64_t pack_shifted_ms(int64_t time_ms, int64_t shift_ms)
{
    if (shift_ms < PACK_TIME_MIN - PACK_TIME_MAX ||
        shift_ms > PACK_TIME_MAX - PACK_TIME_MIN)
        return time_ms;
    int64_t shifted_ms = time_ms + shift_ms;
    return shifted_ms < PACK_TIME_MIN || shifted_ms > PACK_TIME_MAX ? time_ms
                                                                    : shifted_ms;
}

void pack_clear(struct pack *pack)
{
    *pack = (struct pack){
        .channels = pack->channels,
        .channel_capacity = pack->channel_capacity,
        .readings = pack->readings,
        .reading_capacity = pack->reading_capacity,
    };
}

enum err pack_channel(struct pack *pack, const char *name, uint16_t *index)
{
    for (size_t i = 0; i < pack->channel_count; i++) {
        if (strcmp(pack->channels[i].name, name) == 0) {
            *index = (uint16_t)i;
            return ERR_OK;
        }
    }
    if (pack->channel_count >= PACK_CHANNELS_MAX)
        return ERR_LIMIT;
    mem_grow(&pack->channels, &pack->channel_capacity, pack->channel_count + 1,
             sizeof *pack->channels);
    enum err err = channel_parse(&pack->channels[pack->channel_count], name);
    if (err == ERR_OK)
        *index = (uint16_t)pack->channel_count++;
    return err;
}

enum err pack_add(struct pack *pack, const struct reading *reading)
{
    bool is_good = reading->quality == QUALITY_GOOD;
    if (reading->channel >= pack->channel_count || reading->quality > QUALITY_FAULT ||
        (is_good && !isfinite(reading->value)) || reading->time_ms < PACK_TIME_MIN ||
        reading->time_ms > PACK_TIME_MAX)
        return ERR_INVALID;
    if (pack->reading_count >= PACK_READINGS_MAX)
        return ERR_LIMIT;
    mem_grow(&pack->readings, &pack->reading_capacity, pack->reading_count + 1,
             sizeof *pack->readings);
    struct reading *added = &pack->readings[pack->reading_count++];
    *added = *reading;
    if (!is_good)
        added->value = NAN;
    if (!isfinite(added->raw))
        added->raw = NAN;
    return ERR_OK;
}
