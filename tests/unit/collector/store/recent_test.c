// SPDX-License-Identifier: Apache-2.0
#include "collector/store/recent.h"

#include <math.h>

#include "base/rng.h"
#include "tests/support/check.h"

#define NOW INT64_C(1763900000000)

static struct channel channels[3];
static struct reading readings[200];
static const int64_t series[3] = {1, 300, INT64_C(1) << 40};

static struct pack pack_of(size_t count)
{
    return (struct pack){.channels = channels,
                         .channel_count = 3,
                         .readings = readings,
                         .reading_count = count};
}

static double random_double(struct rng *rng)
{
    uint64_t bits = rng_next(rng);
    double number = 0;
    if (rng_chance(rng, 0.2))
        return (double)NAN;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void random_messages_come_back(void)
{
    struct rng rng = {.state = 77};
    for (int round = 0; round < 200; round++) {
        size_t count = rng_below(&rng, 200);
        for (size_t i = 0; i < count; i++)
            readings[i] = (struct reading){
                .time_ms = rng_chance(&rng, 0.1) ? (int64_t)rng_next(&rng)
                                                 : NOW + (int64_t)rng_below(&rng, 100000),
                .value = random_double(&rng),
                .raw = random_double(&rng),
                .channel = (uint16_t)rng_below(&rng, 3),
                .quality = (uint8_t)rng_below(&rng, QUALITY_FAULT + 1),
            };
        struct seq_range lost = {.first = 1 + rng_below(&rng, 5), .last = UINT64_MAX};
        struct pack pack = pack_of(count);
        struct buf out = {0};
        bool has_lost = rng_chance(&rng, 0.5);
        recent_encode(&out, &pack, series, NOW, has_lost ? &lost : NULL);

        struct recent_reader reader;
        struct sample sample;
        int64_t of = 0;
        size_t seen = 0;
        CHECK(recent_read(&reader, out.data, out.len, NOW));
        CHECK(reader.left == count);
        CHECK(reader.lost.first == (has_lost ? lost.first : 0));
        CHECK(reader.lost.last == (has_lost ? lost.last : 0));
        for (; recent_next(&reader, &of, &sample); seen++) {
            const struct reading *want = &readings[seen];
            CHECK(of == series[want->channel] && sample.time_ms == want->time_ms);
            CHECK(memcmp(&sample.value, &want->value, 8) == 0);
            CHECK(memcmp(&sample.raw, &want->raw, 8) == 0);
            CHECK(sample.quality == want->quality);
        }
        CHECK(seen == count && !reader.in.failed && reader.in.at == out.len);
        buf_fini(&out);
    }
}

static void usual_messages_are_small(void)
{
    struct buf out = {0};
    struct pack pack = pack_of(3);
    for (size_t i = 0; i < 3; i++)
        readings[i] = (struct reading){.time_ms = NOW - 20,
                                       .value = 4.5,
                                       .raw = (double)NAN,
                                       .channel = (uint16_t)i % 2};
    recent_encode(&out, &pack, series, NOW, NULL);
    CHECK(out.len <= 2 + 3 * 12);
    buf_fini(&out);
}

static void cut_rows_are_refused(void)
{
    struct buf out = {0};
    struct pack pack = pack_of(20);
    const struct seq_range lost = {.first = 3, .last = 9};
    for (size_t i = 0; i < 20; i++)
        readings[i] = (struct reading){.time_ms = NOW, .value = 4.5, .raw = 4.2};
    recent_encode(&out, &pack, series, NOW, &lost);
    for (size_t len = 0; len < out.len; len++) {
        struct recent_reader reader;
        struct sample sample;
        int64_t of = 0;
        bool is_good = recent_read(&reader, out.data, len, NOW);
        while (is_good && recent_next(&reader, &of, &sample))
            ;
        CHECK(!is_good || reader.in.failed);
    }
    buf_fini(&out);
}

static void ranges_that_cannot_be_are_refused(void)
{
    static const struct {
        const char *name;
        uint64_t ranges;
        uint64_t first;
        uint64_t extent;
    } rows[] = {
        {"two ranges", 2, 1, 1},
        {"seq 0", 1, 0, 1},
        {"past the last seq", 1, 2, UINT64_MAX - 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = {0};
        struct recent_reader reader;
        buf_varint(&out, 0);
        buf_varint(&out, rows[i].ranges);
        buf_varint(&out, rows[i].first);
        buf_varint(&out, rows[i].extent);
        CHECK_ROW(rows[i].name, !recent_read(&reader, out.data, out.len, NOW));
        buf_fini(&out);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"random messages come back", random_messages_come_back},
        {"usual messages are small", usual_messages_are_small},
        {"cut rows are refused", cut_rows_are_refused},
        {"ranges that cannot be are refused", ranges_that_cannot_be_are_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/recent", tests);
}
