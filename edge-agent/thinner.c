// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/thinner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* Readings of one THINNED pack; it is cut between two sources. */
#define THINNED_READINGS 500

struct thinner {
    const struct packer *packer;
    struct thinned *results;
    size_t count;
    size_t capacity;
    size_t given;
    const char *rescue; /* the reason; NULL: thins */
    uint64_t seen;      /* in-range readings, for one in so many */
    struct pack source;
    struct buf text;
};

struct thinner *thinner_create(const struct packer *packer)
{
    struct thinner *thinner = mem_alloc(sizeof *thinner);
    thinner->packer = packer;
    return thinner;
}

struct thinner *thinner_create_rescue(const struct packer *packer, const char *reason)
{
    assert(strlen(reason) < ID_SIZE);
    struct thinner *thinner = thinner_create(packer);
    thinner->rescue = reason;
    return thinner;
}

void thinner_destroy(struct thinner *thinner)
{
    if (thinner == NULL)
        return;
    for (size_t i = 0; i < thinner->count; i++)
        pack_fini(&thinner->results[i].pack);
    free(thinner->results);
    pack_fini(&thinner->source);
    buf_fini(&thinner->text);
    free(thinner);
}

static struct thinned *add_result(struct thinner *thinner, const struct spool_pack *from)
{
    mem_grow(&thinner->results, &thinner->capacity, thinner->count + 1,
             sizeof *thinner->results);
    struct thinned *added = &thinner->results[thinner->count++];
    *added = (struct thinned){.epoch = from->epoch, .from = from->seq, .to = from->seq};
    return added;
}

/* Readings that a clock dated which was not set need what it showed. */
static void keep_clock(struct pack *result, const struct pack *source)
{
    result->clock = source->clock;
    result->boot_ms = source->boot_ms;
    result->wall_ms = source->wall_ms;
    memcpy(result->boot_id, source->boot_id, sizeof result->boot_id);
}

static bool is_of_one_clock(const struct pack *result, const struct pack *source)
{
    bool is_unset = result->boot_id[0] != '\0';
    if (!is_unset || source->clock != PACK_CLOCK_UNSET)
        return is_unset == (source->clock == PACK_CLOCK_UNSET);
    return strcmp(result->boot_id, source->boot_id) == 0 &&
           result->wall_ms - result->boot_ms == source->wall_ms - source->boot_ms;
}

/* The result that this pack may be added to. */
static struct thinned *result_for(struct thinner *thinner, const struct spool_pack *pack)
{
    if (thinner->count > 0 && thinner->rescue == NULL) {
        struct thinned *last = &thinner->results[thinner->count - 1];
        if (last->stands_for_source && last->epoch == pack->epoch &&
            last->to + 1 == pack->seq && last->pack.reading_count < THINNED_READINGS &&
            is_of_one_clock(&last->pack, &thinner->source))
            return last;
    }
    struct thinned *added = add_result(thinner, pack);
    added->stands_for_source = true;
    added->pack.kind = PACK_THINNED;
    const char *reason = thinner->rescue != NULL ? thinner->rescue : "space";
    memcpy(added->pack.reason, reason, strlen(reason));
    if (thinner->source.clock == PACK_CLOCK_UNSET)
        keep_clock(&added->pack, &thinner->source);
    return added;
}

static bool is_breach(const struct thinner *thinner, const char *name,
                      const struct reading *reading)
{
    if (reading->quality != QUALITY_GOOD)
        return true;
    for (size_t i = 0; i < thinner->packer->channel_count; i++) {
        const struct packer_channel *channel = &thinner->packer->channels[i];
        if (strcmp(channel->name, name) == 0)
            return channel->has_band &&
                   (reading->value < channel->low || reading->value > channel->high);
    }
    return false;
}

static void keep(struct thinned *result, const struct pack *source,
                 const struct reading *reading)
{
    assert(reading->channel < source->channel_count);
    struct reading kept = *reading;
    enum err err = pack_channel(&result->pack, source->channels[reading->channel].name,
                                &kept.channel);
    if (err == ERR_OK)
        err = pack_add(&result->pack, &kept);
    assert(err == ERR_OK); /* within the limits of any pack */
}

static void thin(struct thinner *thinner, struct thinned *result)
{
    const struct pack *source = &thinner->source;
    for (size_t i = 0; i < source->reading_count; i++) {
        const struct reading *reading = &source->readings[i];
        bool breach =
            is_breach(thinner, source->channels[reading->channel].name, reading);
        result->has_breach |= breach;
        if (breach || thinner->rescue != NULL || thinner->seen++ % THINNER_KEEP == 0)
            keep(result, source, reading);
        else
            result->dropped++;
    }
}

/* Moves the source into a result of its own, to be written as it is. */
static void pass_on(struct thinner *thinner, const struct spool_pack *from)
{
    struct thinned *added = add_result(thinner, from);
    if (thinner->source.ended == 0 && thinner->source.kind == PACK_LOSS)
        thinner->source.ended = from->epoch;
    added->pack = thinner->source;
    added->has_breach = from->has_breach;
    thinner->source = (struct pack){0};
}

bool thinner_take(struct thinner *thinner, const struct spool_pack *pack, int64_t now_ms)
{
    assert(thinner->given == 0);
    if (packer_parse(&thinner->source, &thinner->text, pack->bytes, pack->len, now_ms) !=
        ERR_OK) {
        /* Our own bytes, behind a checksum: it will be told as a loss. */
        log_error("a pack cannot be read back seq=%llu", (unsigned long long)pack->seq);
        return false;
    }
    /* What was taken along keeps its first name, which others may hold as well. What a
     * THINNED pack stood for otherwise is below all that is held now: hello says so. */
    bool keeps_name = thinner->rescue != NULL && pack_is_rescued(&thinner->source);
    if (!keeps_name &&
        (thinner->source.kind == PACK_DATA || thinner->source.kind == PACK_THINNED))
        thin(thinner, result_for(thinner, pack));
    else
        pass_on(thinner, pack);
    if (thinner->rescue != NULL &&
        !thinner->results[thinner->count - 1].stands_for_source)
        result_for(thinner, pack);
    assert(thinner->count > 0);
    struct thinned *last = &thinner->results[thinner->count - 1];
    last->to = pack->seq;
    return true;
}

double thinner_kept(const struct thinner *thinner)
{
    uint64_t kept = 0;
    uint64_t dropped = 0;
    for (size_t i = 0; i < thinner->count; i++) {
        kept += thinner->results[i].pack.reading_count;
        dropped += thinner->results[i].dropped;
    }
    return kept == 0 ? 0 : (double)kept / (double)(kept + dropped);
}

void thinner_give_up(struct thinner *thinner)
{
    assert(thinner->given == 0);
    size_t left = 0;
    for (size_t i = 0; i < thinner->count; i++) {
        if (thinner->results[i].stands_for_source)
            pack_fini(&thinner->results[i].pack);
        else
            thinner->results[left++] = thinner->results[i];
    }
    thinner->count = left;
}

struct thinned *thinner_next(struct thinner *thinner)
{
    if (thinner->given == thinner->count)
        return NULL;
    struct thinned *next = &thinner->results[thinner->given++];
    assert(next->from <= next->to);
    if (next->stands_for_source) {
        next->pack.from = next->from;
        next->pack.to = next->to;
    }
    return next;
}
