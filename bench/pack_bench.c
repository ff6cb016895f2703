// SPDX-License-Identifier: Apache-2.0
/*
 * pack_bench - bytes on the wire and nanoseconds per reading, for packs as agents send
 * them: text, deflated, and the same text through jansson alone for comparison.
 *
 * usage: pack_bench [READINGS_PER_PACK...]. One line of JSON per size.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/deflate.h"
#include "base/log.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"

#define CHANNELS   4
#define T0         INT64_C(1753772400000)
#define STEP_MS    10000
#define READINGS   2000000 /* per measurement */
#define MQTT_FIXED 9       /* header, length, packet id, properties with an alias */

static const char *const names[CHANNELS] = {"air_temperature", "air_temperature-2",
                                            "humidity", "door"};

struct costs {
    double parse_ns;
    double unpack_ns; /* inflating and parsing */
    double format_ns;
    double jansson_ns;
};

/* A sixteenth of a degree, as a DS18B20 reads; the same walk every time. */
static double next_value(size_t channel, uint32_t *random)
{
    *random = *random * 1664525 + 1013904223;
    double noise = (double)(*random >> 24) / 16 - 8;
    switch (channel) {
    case 2:
        return 90 + rint(noise * 5) / 10;
    case 3:
        return 0;
    }
    return 2.5 + rint(noise * 2) / 16;
}

static void make(struct pack *pack, size_t count)
{
    uint32_t random = 1;
    *pack = (struct pack){.device = "room-3-gateway",
                          .epoch = 0x9d3c51aa07b8e2f4,
                          .seq = 123456,
                          .previous_hash = 0x3f84d5b5b5470917,
                          .clock = PACK_CLOCK_SYNCED,
                          .boot_id = "c0ac29b7c97c50dd",
                          .boot_ms = 93423423,
                          .wall_ms = T0 + 150000};
    for (size_t i = 0; i < count; i++) {
        struct reading reading = {.raw = NAN};
        random = random * 1664525 + 1013904223;
        if (pack_channel(pack, names[i % CHANNELS], &reading.channel) != ERR_OK)
            log_fatal("no channel");
        reading.time_ms =
            T0 + (int64_t)(i / CHANNELS) * STEP_MS + (int64_t)(random >> 30);
        reading.value = next_value(i % CHANNELS, &random);
        if (pack_add(pack, &reading) != ERR_OK)
            log_fatal("no room");
    }
}

static double per_reading(int64_t begin_ns, size_t rounds, size_t count)
{
    return (double)(clock_real_ns() - begin_ns) / (double)(rounds * count);
}

static struct costs measure(const struct pack *pack, const struct buf *text,
                            const struct buf *small)
{
    struct costs costs = {0};
    struct pack got = {0};
    struct buf out = {0};
    size_t count = pack->reading_count;
    size_t rounds = READINGS / count;
    int64_t begin = clock_real_ns();
    for (size_t i = 0; i < rounds; i++)
        if (pack_parse(&got, text->data, text->len, T0, NULL) != ERR_OK)
            log_fatal("not a pack");
    costs.parse_ns = per_reading(begin, rounds, count);
    begin = clock_real_ns();
    for (size_t i = 0; i < rounds; i++) {
        buf_clear(&out);
        if (deflate_unpack(&out, small->data, small->len, PACK_BYTES_MAX) != ERR_OK ||
            pack_parse(&got, out.data, out.len, T0, NULL) != ERR_OK)
            log_fatal("not a pack");
    }
    costs.unpack_ns = per_reading(begin, rounds, count);
    begin = clock_real_ns();
    for (size_t i = 0; i < rounds; i++) {
        buf_clear(&out);
        pack_format(pack, &out);
    }
    costs.format_ns = per_reading(begin, rounds, count);
    begin = clock_real_ns();
    for (size_t i = 0; i < rounds; i++)
        json_decref(json_loadb(text->data, text->len, JSON_REJECT_DUPLICATES, NULL));
    costs.jansson_ns = per_reading(begin, rounds, count);
    pack_fini(&got);
    buf_fini(&out);
    return costs;
}

static void run(size_t count)
{
    struct pack pack;
    struct buf text = {0};
    struct buf small = {0};
    char topic_text[TOPIC_MAX];
    struct topic topic = {.org = "fengjie-coop",
                          .device = "room-3-gateway",
                          .kind = TOPIC_READINGS,
                          .epoch = 0x9d3c51aa07b8e2f4,
                          .seq = 123456};
    make(&pack, count);
    pack_format(&pack, &text);
    deflate_pack(&small, text.data, text.len);
    size_t wire = small.len + strlen(topic_format(&topic, topic_text)) + MQTT_FIXED;
    struct costs costs = measure(&pack, &text, &small);
    printf(
        "{\"bench\":\"pack\",\"readings\":%zu,\"text_bytes\":%zu,\"deflated_bytes\":%zu,"
        "\"wire_bytes_per_reading\":%.2f,\"parse_ns_per_reading\":%.1f,"
        "\"inflate_and_parse_ns_per_reading\":%.1f,\"format_ns_per_reading\":%.1f,"
        "\"jansson_ns_per_reading\":%.1f}\n",
        count, text.len, small.len, (double)wire / (double)count, costs.parse_ns,
        costs.unpack_ns, costs.format_ns, costs.jansson_ns);
    fflush(stdout);
    pack_fini(&pack);
    buf_fini(&text);
    buf_fini(&small);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        run(4);
        run(60);
        run(2000);
    }
    for (int i = 1; i < argc; i++) {
        size_t count = strtoul(argv[i], NULL, 10);
        if (count < 1 || count > PACK_READINGS_MAX)
            log_fatal("readings per pack are 1 to %d", PACK_READINGS_MAX);
        run(count);
    }
    return EXIT_SUCCESS;
}
