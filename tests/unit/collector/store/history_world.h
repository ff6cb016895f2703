// SPDX-License-Identifier: Apache-2.0
/*
 * history_world - what the tests of history share: messages made by hand or by number,
 * and a naive twin that says what the store must hold.
 */
#ifndef COLDCHAIN_TESTS_UNIT_COLLECTOR_STORE_HISTORY_WORLD_H
#define COLDCHAIN_TESTS_UNIT_COLLECTOR_STORE_HISTORY_WORLD_H

#include <inttypes.h>
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "collector/store/history.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define WORLD_NOW      INT64_C(1763900000000) /* 2025-11-23 */
#define WORLD_CHANNELS 3

static inline struct history *world_open(const char *dir)
{
    struct history *history = NULL;
    struct err_text why = {0};
    if (history_open(&history, dir, &why) != ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    return history;
}

static inline struct history_reader *world_reader(const char *dir)
{
    struct history_reader *reader = NULL;
    struct err_text why = {0};
    if (history_reader_open(&reader, dir, &why) != ERR_OK) {
        printf("%s\n", why.text);
        exit(EXIT_FAILURE);
    }
    return reader;
}

/* A pack with its memory inside. */
struct parcel {
    struct channel channels[WORLD_CHANNELS];
    struct reading readings[64];
    struct pack pack;
};

static inline void parcel_init(struct parcel *parcel)
{
    static const char *const names[WORLD_CHANNELS] = {"air_temperature", "door",
                                                      "humidity"};
    memset(parcel, 0, sizeof *parcel);
    parcel->pack = (struct pack){.kind = PACK_DATA,
                                 .channels = parcel->channels,
                                 .channel_count = WORLD_CHANNELS,
                                 .readings = parcel->readings};
    for (size_t i = 0; i < WORLD_CHANNELS; i++)
        snprintf(parcel->channels[i].name, ID_SIZE, "%s", names[i]);
}

static inline void parcel_add(struct parcel *parcel, uint16_t channel, int64_t time_ms,
                              double value)
{
    CHECK(parcel->pack.reading_count < 64);
    parcel->readings[parcel->pack.reading_count++] = (struct reading){
        .time_ms = time_ms, .value = value, .raw = (double)NAN, .channel = channel};
}

/* One reading of a store: what must come back. */
struct fact {
    char device[16];
    char channel[32];
    struct history_reading reading; /* its channel is not used */
    size_t order;                   /* when it was appended */
};

struct twin {
    struct fact *facts;
    size_t count;
    size_t capacity;
};

static inline void twin_add(struct twin *twin, const struct history_message *message,
                            const struct pack *pack, const struct reading *reading)
{
    mem_grow(&twin->facts, &twin->capacity, twin->count + 1, sizeof *twin->facts);
    struct fact *fact = &twin->facts[twin->count];
    *fact = (struct fact){
        .order = twin->count,
        .reading = {.time_ms = reading->time_ms,
                    .arrival_ms = message->arrival_ms,
                    .value = reading->value,
                    .raw = reading->raw,
                    .quality = (enum quality)reading->quality,
                    .epoch = message->epoch,
                    .seq = message->seq},
    };
    snprintf(fact->device, sizeof fact->device, "%.15s", message->device);
    snprintf(fact->channel, sizeof fact->channel, "%.31s",
             pack->channels[reading->channel].name);
    twin->count++;
}

static inline void twin_add_pack(struct twin *twin, const struct history_message *message,
                                 const struct pack *pack)
{
    for (size_t i = 0; i < pack->reading_count; i++)
        twin_add(twin, message, pack, &pack->readings[i]);
}

/* A sender without seq: a reading that is in already is left out. How many were new. */
static inline size_t twin_add_loose(struct twin *twin,
                                    const struct history_message *message,
                                    const struct pack *pack)
{
    size_t added = 0;
    for (size_t i = 0; i < pack->reading_count; i++) {
        const struct reading *reading = &pack->readings[i];
        bool is_known = false;
        for (size_t k = 0; k < twin->count && !is_known; k++) {
            const struct fact *fact = &twin->facts[k];
            is_known = fact->reading.time_ms == reading->time_ms &&
                       memcmp(&fact->reading.value, &reading->value, 8) == 0 &&
                       strcmp(fact->device, message->device) == 0 &&
                       strcmp(fact->channel, pack->channels[reading->channel].name) == 0;
        }
        if (!is_known) {
            twin_add(twin, message, pack, reading);
            added++;
        }
    }
    return added;
}

static inline int fact_compare(const void *a, const void *b)
{
    const struct fact *x = a;
    const struct fact *y = b;
    if (x->reading.time_ms != y->reading.time_ms)
        return x->reading.time_ms < y->reading.time_ms ? -1 : 1;
    int order = strcmp(x->channel, y->channel);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static inline bool fact_is(const struct fact *fact, const struct history_reading *reading)
{
    const struct history_reading *want = &fact->reading;
    return strcmp(fact->channel, reading->channel) == 0 &&
           want->time_ms == reading->time_ms && want->arrival_ms == reading->arrival_ms &&
           memcmp(&want->value, &reading->value, 8) == 0 &&
           memcmp(&want->raw, &reading->raw, 8) == 0 &&
           want->quality == reading->quality && want->epoch == reading->epoch &&
           want->seq == reading->seq;
}

/* What a query must give, in its order; the caller frees. */
static inline struct fact *twin_select(const struct twin *twin,
                                       const struct history_range *range, size_t *count)
{
    struct fact *facts = mem_array(twin->count + 1, sizeof *facts);
    *count = 0;
    for (size_t i = 0; i < twin->count; i++) {
        const struct fact *fact = &twin->facts[i];
        if (strcmp(fact->device, range->device) == 0 &&
            (range->channel == NULL || strcmp(fact->channel, range->channel) == 0) &&
            fact->reading.time_ms >= range->from_ms &&
            fact->reading.time_ms < range->to_ms)
            facts[(*count)++] = *fact;
    }
    qsort(facts, *count, sizeof *facts, fact_compare);
    return facts;
}

struct comparison {
    const struct fact *want;
    size_t want_count;
    size_t seen;
    size_t wrong;
};

static inline bool compare_reading(void *context, const struct history_reading *reading)
{
    struct comparison *comparison = context;
    if (comparison->seen >= comparison->want_count ||
        !fact_is(&comparison->want[comparison->seen], reading))
        comparison->wrong++;
    comparison->seen++;
    return true;
}

/* Whether the store answers the query as the twin does, count and all. */
static inline bool twin_agrees(const struct twin *twin, struct history_reader *reader,
                               const struct history_range *range, size_t limit)
{
    size_t all = 0;
    uint64_t counted = 0;
    struct fact *facts = twin_select(twin, range, &all);
    size_t skip = range->skip < all ? range->skip : all;
    size_t want = all - skip < limit ? all - skip : limit;
    struct comparison comparison = {.want = facts + skip, .want_count = want};
    enum err err = history_query(reader, range, limit, &comparison, compare_reading);
    enum err count_err = history_count(reader, range, &counted);
    bool agrees = err == ERR_OK && count_err == ERR_OK && comparison.wrong == 0 &&
                  comparison.seen == want && counted == all;
    if (!agrees)
        printf("\n  %s [%" PRId64 ", %" PRId64 ") skip %zu limit %zu: %s %s, %zu of %zu"
               " wrong, want %zu; counted %" PRIu64 ", want %zu\n",
               range->device, range->from_ms, range->to_ms, range->skip, limit,
               err_name(err), err_name(count_err), comparison.wrong, comparison.seen,
               want, counted, all);
    free(facts);
    return agrees;
}

/* Everything of a device, in pages. */
static inline bool twin_agrees_on_all(const struct twin *twin,
                                      struct history_reader *reader, const char *device)
{
    const struct history_range range = {
        .org = "o", .device = device, .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    return twin_agrees(twin, reader, &range, HISTORY_LIMIT_MAX);
}

/* Compacts until a run is over; how many steps. */
static inline size_t compact_all(struct history *history, size_t max_rows)
{
    bool more = true;
    size_t steps = 0;
    for (; more && steps < 1000000; steps++)
        CHECK(history_compact(history, max_rows, &more) == ERR_OK);
    return steps;
}

#endif
