// SPDX-License-Identifier: Apache-2.0
#include "telemetry/pack.h"

#include <inttypes.h>
#include <math.h>
#include <time.h>

#include "base/deflate.h"
#include "tests/support/check.h"

#define NOW 1753772400000 /* 2025-07-29T07:00:00Z */

static void add(struct pack *pack, const char *name, int64_t time_ms, double value)
{
    struct reading reading = {.time_ms = time_ms, .value = value, .raw = NAN};
    CHECK(pack_channel(pack, name, &reading.channel) == ERR_OK);
    CHECK(pack_add(pack, &reading) == ERR_OK);
}

static struct pack named(uint64_t seq)
{
    return (struct pack){
        .device = "room-3",
        .epoch = 0x0123456789abcdef,
        .seq = seq,
        .previous_hash = 0xfedcba9876543210,
        .clock = PACK_CLOCK_SYNCED,
        .boot_id = "00112233445566aa",
        .boot_ms = 93423423,
        .wall_ms = NOW + 600000,
    };
}

static bool same_double(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static bool same_head(const struct pack *a, const struct pack *b)
{
    return a->kind == b->kind && strcmp(a->device, b->device) == 0 &&
           a->epoch == b->epoch && a->seq == b->seq &&
           a->previous_hash == b->previous_hash && a->clock == b->clock &&
           strcmp(a->boot_id, b->boot_id) == 0 && a->boot_ms == b->boot_ms &&
           a->wall_ms == b->wall_ms && a->ended == b->ended && a->from == b->from &&
           a->to == b->to && strcmp(a->reason, b->reason) == 0 &&
           strcmp(a->fixed_boot_id, b->fixed_boot_id) == 0 &&
           a->offset_ms == b->offset_ms;
}

/* The readings of `channel` in both packs, in order of time, are the same bits. */
static bool same_channel(const struct pack *a, const struct pack *b, const char *name)
{
    size_t at = 0;
    for (size_t i = 0; i < a->reading_count; i++) {
        const struct reading *want = &a->readings[i];
        if (strcmp(a->channels[want->channel].name, name) != 0)
            continue;
        while (at < b->reading_count &&
               strcmp(b->channels[b->readings[at].channel].name, name) != 0)
            at++;
        if (at == b->reading_count)
            return false;
        const struct reading *got = &b->readings[at++];
        if (got->time_ms != want->time_ms || got->quality != want->quality ||
            !same_double(got->value, want->value) || !same_double(got->raw, want->raw))
            return false;
    }
    return true;
}

/* Through the wire and back; `pack` must be in order of time within each channel. */
static bool survives(const struct pack *pack)
{
    struct buf text = {0};
    struct pack got = {0};
    struct err_text why = {""};
    pack_format(pack, &text);
    enum err err = pack_parse(&got, text.data, text.len, 42, &why);
    if (err != ERR_OK)
        printf("\n  %s\n  %s\n", why.text, text.data);
    bool same = err == ERR_OK && same_head(pack, &got) &&
                got.reading_count == pack->reading_count;
    for (size_t i = 0; same && i < pack->channel_count; i++)
        same = same_channel(pack, &got, pack->channels[i].name);
    for (size_t i = 1; same && i < got.reading_count; i++)
        same = got.readings[i - 1].time_ms <= got.readings[i].time_ms;
    pack_fini(&got);
    buf_fini(&text);
    return same;
}

static void the_wire_format_is_as_documented(void)
{
    struct pack pack = named(18446744073709551615U);
    struct buf text = {0};
    add(&pack, "air_temperature", NOW + 250, 2.3);
    add(&pack, "humidity", NOW + 250, 91.5);
    add(&pack, "air_temperature", NOW + 10253, 2.25);
    add(&pack, "ozone", NOW + 250, 7);
    struct reading bad = {.time_ms = NOW + 20250, .value = 85, .raw = 85};
    bad.quality = QUALITY_STARTUP;
    CHECK(pack_add(&pack, &bad) == ERR_OK);
    pack_format(&pack, &text);
    CHECK_TEXT(text.data,
               "[{\"bt\":1753772400.25,\"cc-dev\":\"room-3\","
               "\"cc-epoch\":\"0123456789abcdef\",\"cc-seq\":\"18446744073709551615\","
               "\"cc-prev\":\"fedcba9876543210\",\"cc-clock\":\"synced\","
               "\"cc-boot\":\"00112233445566aa\",\"cc-up\":93423423,"
               "\"cc-at\":1753773000000,\"bn\":\"ozone\",\"v\":7},"
               "{\"bn\":\"air_temperature\",\"bu\":\"Cel\",\"v\":2.3},"
               "{\"t\":10.003,\"v\":2.25},"
               "{\"t\":20,\"vs\":\"startup\",\"raw\":85},"
               "{\"bn\":\"humidity\",\"bu\":\"%RH\",\"v\":91.5}]");
    CHECK(survives(&pack));
    buf_fini(&text);
    pack_fini(&pack);
}

static void packs_without_readings(void)
{
    static const struct {
        const char *name;
        struct pack pack;
        const char *says;
    } rows[] = {
        {"nothing",
         {.kind = PACK_DATA, .device = "d", .epoch = 1, .seq = 9},
         "\"cc-seq\":\"9\",\"cc-at\":0}]"},
        {"loss",
         {.kind = PACK_LOSS,
          .device = "d",
          .epoch = 1,
          .seq = 9,
          .from = 3,
          .to = UINT64_MAX,
          .reason = "disk-full"},
         "[{\"cc-kind\":\"loss\",\"cc-dev\":\"d\",\"cc-epoch\":\"0000000000000001\","
         "\"cc-seq\":\"9\",\"cc-at\":0,\"cc-from\":\"3\","
         "\"cc-to\":\"18446744073709551615\",\"cc-reason\":\"disk-full\","
         "\"n\":\"pack\",\"vs\":\"loss\"}]"},
        {"thinned",
         {.kind = PACK_THINNED, .device = "d", .epoch = 1, .seq = 9, .from = 3, .to = 3},
         "\"vs\":\"thinned\"}]"},
        {"end of an epoch that held nothing",
         {.kind = PACK_EPOCH_END, .device = "d", .epoch = 1, .seq = 9, .ended = 77},
         "\"cc-ended\":\"000000000000004d\",\"n\":\"pack\",\"vs\":\"epoch-end\"}]"},
        {"clock fix",
         {.kind = PACK_CLOCK_FIX,
          .device = "d",
          .epoch = 1,
          .seq = 9,
          .clock = PACK_CLOCK_STEPPED,
          .fixed_boot_id = "0000000000000000",
          .offset_ms = -9007199254740992},
         "\"cc-offset\":-9007199254740992,\"n\":\"pack\",\"vs\":\"clock-fix\"}]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf text = {0};
        pack_format(&rows[i].pack, &text);
        if (strstr(text.data, rows[i].says) == NULL)
            printf("\n  %s\n", text.data);
        CHECK_ROW(rows[i].name, strstr(text.data, rows[i].says) != NULL);
        CHECK_ROW(rows[i].name, survives(&rows[i].pack));
        buf_fini(&text);
    }
}

/* A clock that was never set, or was set within the pack, dates readings in 1970. */
static void times_of_an_unset_clock_survive(void)
{
    static const struct {
        const char *name;
        int64_t wall_ms;
        int64_t times[4];
    } rows[] = {
        {"since 1970", 95000, {5000, 15003, 25000, 95000}},
        {"closing time 0", 0, {5000, 15003, 25000, 95000}},
        {"set within the pack", NOW + 30000, {5000, 15003, NOW + 20000, NOW + 30000}},
        {"set back within the pack", 30000, {10000, 20000, NOW, NOW + 10000}},
        {"the last relative ms",
         268435456000,
         {268435455998, 268435455999, 268435456000, 268435456001}},
        {"before 1970", 1000, {-5000, -1, 0, 1}},
        {"a closing time before 1970", -7000, {-9000, -8000, -7000, 5}},
        {"the year 9999", NOW, {NOW, NOW + 1, NOW + 2, PACK_TIME_MAX}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pack pack = named(5);
        pack.clock = PACK_CLOCK_UNSET;
        pack.wall_ms = rows[i].wall_ms;
        for (size_t j = 0; j < 4; j++)
            add(&pack, "air_temperature", rows[i].times[j], (double)j);
        CHECK_ROW(rows[i].name, survives(&pack));
        pack_fini(&pack);
    }
}

static void every_double_survives(void)
{
    static const double rows[] = {0,      -0.0,     0.1,           1.0 / 3,
                                  1e-300, 1e300,    5e-324,        1.7976931348623157e308,
                                  2.3,    -18.0625, 109.463123456, 123456789012345680.0};
    struct pack pack = named(5);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add(&pack, "air_temperature", NOW + (int64_t)i, rows[i]);
        pack.readings[i].raw = rows[i];
    }
    CHECK(survives(&pack));
    pack_fini(&pack);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1d;
}

/* Any finite double, often a short decimal. */
static double random_value(uint64_t *random)
{
    uint64_t bits = next_random(random);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (bits % 4 != 0 || !isfinite(value))
        value = (double)(bits % 20000) / 100 - 100;
    return value;
}

static void fill_at_random(struct pack *pack, uint64_t *random)
{
    static const char *const names[] = {
        "air_temperature", "air_temperature-2", "humidity", "door", "ethylene",
        "ozone",           "signal_strength",   "pack",     "co2-a"};
    size_t count = next_random(random) % 120;
    int64_t time_ms = NOW + (int64_t)(next_random(random) % 1000);
    for (size_t i = 0; i < count; i++) {
        struct reading reading = {.raw = NAN};
        const char *name = names[next_random(random) % 9];
        CHECK(pack_channel(pack, name, &reading.channel) == ERR_OK);
        time_ms += (int64_t)(next_random(random) % 3 * (next_random(random) % 5000));
        reading.time_ms = time_ms;
        reading.value = random_value(random);
        if (next_random(random) % 5 == 0)
            reading.quality = (uint8_t)(next_random(random) % (QUALITY_FAULT + 1));
        if (next_random(random) % 3 == 0)
            reading.raw = random_value(random);
        CHECK(pack_add(pack, &reading) == ERR_OK);
    }
}

static void random_packs_survive(void)
{
    const char *given = getenv("COLDCHAIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
    printf("COLDCHAIN_SEED=%" PRIu64 " ", seed);
    uint64_t random = seed | 1;
    for (unsigned i = 0; i < 300; i++) {
        struct pack pack = named(1 + next_random(&random) / 2);
        fill_at_random(&pack, &random);
        CHECK(survives(&pack));
        pack_fini(&pack);
    }
}

/* The budget of DESIGN section 12: 15 bytes on the wire per reading in packs of 60. */
static void sixty_readings_are_small(void)
{
    static const char *const names[] = {"air_temperature", "air_temperature-2",
                                        "humidity", "door"};
    struct pack pack = named(123456);
    struct buf text = {0};
    struct buf small = {0};
    uint64_t random = 7;
    for (int64_t i = 0; i < 60; i++) {
        /* sixteenths of a degree, tenths of %RH, a few ms of jitter */
        double noise = (double)(next_random(&random) % 16);
        double value = i % 4 == 3 ? 0 : i % 4 == 2 ? 90 + noise / 10 : 2 + noise / 16;
        int64_t jitter_ms = (int64_t)(next_random(&random) % 5);
        add(&pack, names[i % 4], NOW + i / 4 * 10000 + jitter_ms, value);
    }
    pack_format(&pack, &text);
    deflate_pack(&small, text.data, text.len);
    size_t topic_len = strlen("coldchain/v1/fengjie-coop/room-3/readings/") + 16 + 1 + 6;
    size_t wire = small.len + topic_len + 9; /* MQTT's own */
    printf("%zu bytes deflated, %.1f on the wire per reading ", small.len,
           (double)wire / 60);
    CHECK(wire <= 15 * 60);
    CHECK(survives(&pack));
    buf_fini(&text);
    buf_fini(&small);
    pack_fini(&pack);
}

static void readings_come_in_order_of_time(void)
{
    static const char text[] =
        "[{\"bn\":\"a\",\"bt\":1753772400,\"t\":5,\"v\":1},{\"t\":-5,\"v\":2},"
        "{\"t\":5,\"v\":3},{\"n\":\"b\",\"t\":-5,\"v\":4},{\"t\":0,\"v\":5}]";
    struct pack pack = {0};
    struct err_text why = {""};
    CHECK(pack_parse(&pack, text, sizeof text - 1, NOW, &why) == ERR_OK);
    static const double want[] = {2, 4, 5, 1, 3};
    for (size_t i = 0; i < 5 && pack.reading_count == 5; i++)
        CHECK(pack.readings[i].value == want[i]);
    CHECK(pack.reading_count == 5 && pack.channel_count == 2);
    pack_fini(&pack);
}

/* Many enough that the merge sort takes several rounds. */
static void many_readings_are_sorted_and_stable(void)
{
    struct buf text = {0};
    struct pack pack = {0};
    struct err_text why = {""};
    uint64_t random = 1234567;
    buf_text(&text, "[{\"bn\":\"a\",\"bt\":1753772400}");
    for (unsigned i = 0; i < 5000; i++)
        buf_format(&text, ",{\"t\":%u,\"v\":%u}", (unsigned)(next_random(&random) % 500),
                   i);
    buf_text(&text, "]");
    CHECK(pack_parse(&pack, text.data, text.len, NOW, &why) == ERR_OK);
    CHECK(pack.reading_count == 5000);
    for (size_t i = 1; i < pack.reading_count; i++) {
        const struct reading *before = &pack.readings[i - 1];
        const struct reading *after = &pack.readings[i];
        bool in_order =
            before->time_ms < after->time_ms ||
            (before->time_ms == after->time_ms && before->value < after->value);
        if (!in_order)
            CHECK_ROW("in order", false);
    }
    buf_fini(&text);
    pack_fini(&pack);
}

static void what_no_pack_holds_is_refused(void)
{
    static const struct {
        const char *name;
        struct reading reading;
        enum err want;
    } rows[] = {
        {"good", {.time_ms = NOW, .value = 1}, ERR_OK},
        {"bad, whatever the value", {.value = NAN, .quality = QUALITY_OPEN}, ERR_OK},
        {"good but no number", {.value = NAN}, ERR_INVALID},
        {"good but endless", {.value = INFINITY}, ERR_INVALID},
        {"no such channel", {.channel = 1}, ERR_INVALID},
        {"no such quality", {.quality = QUALITY_FAULT + 1}, ERR_INVALID},
        {"no such year", {.time_ms = PACK_TIME_MAX + 1}, ERR_INVALID},
        {"before all years", {.time_ms = PACK_TIME_MIN - 1}, ERR_INVALID},
    };
    struct pack pack = {0};
    uint16_t index;
    CHECK(pack_channel(&pack, "door", &index) == ERR_OK && index == 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t before = pack.reading_count;
        CHECK_ROW(rows[i].name, pack_add(&pack, &rows[i].reading) == rows[i].want);
        CHECK_ROW(rows[i].name,
                  pack.reading_count == before + (rows[i].want == ERR_OK ? 1 : 0));
    }
    CHECK(isnan(pack.readings[1].value));
    CHECK(pack_channel(&pack, "no name", &index) == ERR_INVALID);
    CHECK(pack_channel(&pack, "door", &index) == ERR_OK && index == 0);
    CHECK(pack.channel_count == 1);
    pack_fini(&pack);
}

static void the_caps_hold(void)
{
    struct pack pack = {0};
    uint16_t index = 0;
    for (unsigned i = 0; i < PACK_CHANNELS_MAX; i++) {
        char name[ID_SIZE];
        snprintf(name, sizeof name, "door-%u", i);
        CHECK(pack_channel(&pack, name, &index) == ERR_OK && index == i);
    }
    CHECK(pack_channel(&pack, "door", &index) == ERR_LIMIT);
    struct reading reading = {.time_ms = NOW, .value = 1, .raw = NAN};
    for (unsigned i = 0; i < PACK_READINGS_MAX; i++)
        if (pack_add(&pack, &reading) != ERR_OK)
            CHECK_ROW("room for it", false);
    CHECK(pack_add(&pack, &reading) == ERR_LIMIT);
    CHECK(survives(&pack));
    pack_fini(&pack);
}

static void a_cleared_pack_keeps_its_memory(void)
{
    struct pack pack = named(3);
    add(&pack, "door", NOW, 1);
    const struct reading *readings = pack.readings;
    pack_clear(&pack);
    CHECK(pack.seq == 0 && pack.device[0] == '\0' && pack.kind == PACK_DATA);
    CHECK(pack.reading_count == 0 && pack.channel_count == 0);
    CHECK(pack.readings == readings && pack.reading_capacity > 0);
    add(&pack, "humidity", NOW, 90);
    CHECK(pack.readings == readings && pack.channel_count == 1);
    pack_fini(&pack);
    CHECK(pack.readings == NULL && pack.channels == NULL);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"the wire format is as documented", the_wire_format_is_as_documented},
        {"packs without readings", packs_without_readings},
        {"times of an unset clock survive", times_of_an_unset_clock_survive},
        {"every double survives", every_double_survives},
        {"random packs survive", random_packs_survive},
        {"sixty readings are small", sixty_readings_are_small},
        {"readings come in order of time", readings_come_in_order_of_time},
        {"many readings are sorted, and stable", many_readings_are_sorted_and_stable},
        {"what no pack holds is refused", what_no_pack_holds_is_refused},
        {"the caps hold", the_caps_hold},
        {"a cleared pack keeps its memory", a_cleared_pack_keeps_its_memory},
        CU_TEST_INFO_NULL,
    };
    return check_run("pack", tests);
}
