// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "telemetry/pack.h"

#define NOW INT64_C(1753772400000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* The same readings, though a group of one channel may have moved before another. */
static void check_same(const struct pack *a, const struct pack *b)
{
    if (a->kind != b->kind || a->seq != b->seq || a->epoch != b->epoch ||
        a->wall_ms != b->wall_ms || a->reading_count != b->reading_count)
        abort();
    for (size_t i = 0; i < a->reading_count; i++)
        if (a->readings[i].time_ms != b->readings[i].time_ms)
            abort();
    if (a->channel_count > 1)
        return;
    for (size_t i = 0; i < a->reading_count; i++)
        if (!same(a->readings[i].value, b->readings[i].value) ||
            !same(a->readings[i].raw, b->readings[i].raw) ||
            a->readings[i].quality != b->readings[i].quality)
            abort();
}

/*
 * JSON and CBOR. What is accepted keeps every promise of the header, and survives being
 * written and read again.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pack pack = {0};
    struct pack again = {0};
    struct buf text = {0};
    struct err_text why = {""};
    uint8_t *copy = malloc(size + 1); /* a heap copy, so that one byte too far is seen */
    if (copy == NULL)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    enum err err = pack_parse(&pack, copy, size, NOW, &why);
    if (err != ERR_OK && (why.text[0] == '\0' || pack.reading_count > 0))
        abort();
    for (size_t i = 0; i < pack.reading_count; i++) {
        const struct reading *reading = &pack.readings[i];
        if (reading->channel >= pack.channel_count ||
            (reading->quality == QUALITY_GOOD) != (isfinite(reading->value) != 0) ||
            (i > 0 && reading->time_ms < reading[-1].time_ms))
            abort();
    }
    if (err == ERR_OK) {
        pack_format(&pack, &text);
        if (text.len <= PACK_BYTES_MAX) {
            if (pack_parse(&again, text.data, text.len, 0, &why) != ERR_OK)
                abort();
            check_same(&pack, &again);
        }
    }
    pack_fini(&pack);
    pack_fini(&again);
    buf_fini(&text);
    free(copy);
    return 0;
}
