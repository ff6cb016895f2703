// SPDX-License-Identifier: Apache-2.0
#include "collector/store/chunk.h"

#include <math.h>

#include "base/crc32c.h"
#include "base/rng.h"
#include "tests/support/check.h"

static bool samples_equal(const struct sample *a, const struct sample *b)
{
    return a->time_ms == b->time_ms && a->arrival_ms == b->arrival_ms &&
           memcmp(&a->value, &b->value, sizeof a->value) == 0 &&
           memcmp(&a->raw, &b->raw, sizeof a->raw) == 0 && a->epoch == b->epoch &&
           a->seq == b->seq && a->quality == b->quality;
}

/* Encodes, decodes and compares; the bytes per reading. */
static double bytes_of(const struct sample *samples, size_t count)
{
    struct buf out = {0};
    struct samples back = {0};
    buf_text(&out, "before"); /* it appends */
    chunk_encode(samples, count, &out);
    CHECK(chunk_decode(out.data + 6, out.len - 6, &back) == ERR_OK);
    CHECK(back.count == count);
    bool is_same = back.count == count;
    for (size_t i = 0; is_same && i < count; i++)
        is_same = samples_equal(&samples[i], &back.items[i]);
    CHECK(is_same);
    double bytes = (double)(out.len - 6) / (double)count;
    samples_fini(&back);
    buf_fini(&out);
    return bytes;
}

enum shape {
    SHAPE_DECIMAL,    /* one reading per message, 0.1 degrees */
    SHAPE_PACKS,      /* 60 readings per message */
    SHAPE_CALIBRATED, /* raw beside the value */
    SHAPE_NOISE,      /* full doubles */
    SHAPE_BROKEN,     /* the probe fails now and then */
};

static struct sample sample_of(enum shape shape, struct rng *rng, size_t i)
{
    double walk = 4 + 0.1 * sin((double)i / 20) + 0.02 * rng_uniform(rng);
    struct sample sample = {
        .time_ms = 1764000000000 + (int64_t)i * 60000 + (int64_t)rng_below(rng, 5),
        .value = round(walk * 10) / 10,
        .raw = (double)NAN,
        .epoch = 0xa5a5f00d12345678,
        .seq = 1000 + (shape == SHAPE_PACKS ? i / 60 : i),
    };
    sample.arrival_ms = shape == SHAPE_PACKS
                            ? 1764000000000 + (int64_t)(i / 60 + 1) * 3600123
                            : sample.time_ms + 20 + (int64_t)rng_below(rng, 30);
    if (shape == SHAPE_NOISE)
        sample.value = walk;
    if (shape == SHAPE_CALIBRATED)
        sample.raw = round(walk * 10 + 3) / 10;
    if (shape == SHAPE_BROKEN && rng_chance(rng, 0.05)) {
        sample.value = (double)NAN;
        sample.quality = 1;
    }
    return sample;
}

static void each_shape_comes_back_within_its_bytes(void)
{
    static const struct {
        const char *name;
        enum shape shape;
        double most_bytes;
    } rows[] = {
        {"one decimal per message", SHAPE_DECIMAL, 4.2},
        {"packs of 60", SHAPE_PACKS, 2.6},
        {"calibrated", SHAPE_CALIBRATED, 5.0},
        {"full doubles", SHAPE_NOISE, 9.0},
        {"a probe that fails", SHAPE_BROKEN, 4.6},
    };
    static struct sample samples[CHUNK_SAMPLES_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rng rng = {.state = 7};
        for (size_t k = 0; k < 720; k++)
            samples[k] = sample_of(rows[i].shape, &rng, k);
        double bytes = bytes_of(samples, 720);
        printf("\n    %-24s %.2f bytes per reading", rows[i].name, bytes);
        CHECK_ROW(rows[i].name, bytes <= rows[i].most_bytes);
    }
}

static void one_sample_and_the_most_come_back(void)
{
    static struct sample samples[CHUNK_SAMPLES_MAX];
    struct rng rng = {.state = 3};
    for (size_t i = 0; i < CHUNK_SAMPLES_MAX; i++)
        samples[i] = sample_of(SHAPE_DECIMAL, &rng, i);
    bytes_of(samples, 1);
    bytes_of(samples, 2);
    bytes_of(samples, CHUNK_SAMPLES_MAX);
}

static void wild_samples_come_back(void)
{
    static struct sample samples[300];
    struct rng rng = {.state = 99};
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < 300; i++) {
            uint64_t bits[6];
            for (size_t k = 0; k < 6; k++)
                bits[k] = rng_next(&rng) >> rng_below(&rng, 64);
            struct sample *sample = &samples[i];
            sample->time_ms = (int64_t)bits[0];
            sample->arrival_ms = (int64_t)bits[1];
            memcpy(&sample->value, &bits[2], sizeof sample->value);
            memcpy(&sample->raw, &bits[3], sizeof sample->raw);
            sample->epoch = bits[4];
            sample->seq = bits[5];
            sample->quality = (uint8_t)rng_below(&rng, 256);
        }
        bytes_of(samples, 1 + rng_below(&rng, 300));
    }
}

static void damage_is_seen(void)
{
    static struct sample samples[64];
    struct rng rng = {.state = 5};
    struct buf out = {0};
    struct samples back = {0};
    for (size_t i = 0; i < 64; i++)
        samples[i] = sample_of(SHAPE_CALIBRATED, &rng, i);
    chunk_encode(samples, 64, &out);
    for (size_t len = 0; len < out.len; len++)
        CHECK(chunk_decode(out.data, len, &back) == ERR_CORRUPT);
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
        CHECK(chunk_decode(out.data, out.len, &back) == ERR_CORRUPT);
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
    }
    CHECK(back.count == 0);
    CHECK(chunk_decode(out.data, out.len, &back) == ERR_OK);
    /* bytes behind the last column, with a checksum that agrees */
    buf_u8(&out, 0);
    bytes_put_u32(out.data, crc32c(0, out.data + 4, out.len - 4));
    CHECK(chunk_decode(out.data, out.len, &back) == ERR_CORRUPT);
    CHECK(back.count == 64);
    samples_fini(&back);
    buf_fini(&out);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"each shape comes back within its bytes",
         each_shape_comes_back_within_its_bytes},
        {"one sample and the most come back", one_sample_and_the_most_come_back},
        {"wild samples come back", wild_samples_come_back},
        {"damage is seen", damage_is_seen},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/chunk", tests);
}
