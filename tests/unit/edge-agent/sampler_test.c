// SPDX-License-Identifier: Apache-2.0
/* Sensors on a loop, under a virtual clock: what is read when, and what becomes of it. */
#include "edge-agent/sampler.h"

#include <math.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/deflate.h"
#include "telemetry/pack.h"
#include "tests/support/check.h"

#define ORIGIN_MS ((int64_t)1793548800000)
#define INTERVAL  10000

static char air[] = "air_temperature";
static char humidity[] = "humidity";
static char org[] = "org";
static char device[] = "agent-1";
static char name[] = "room";
static char zone[] = "room";
static char driver_sim[] = "sim";
static char driver_replay[] = "replay";
static char columns[] = "time=t@s,air_temperature=a,humidity=h";
static char replay_path[64];
static struct sensor_channel channels[] = {{.name = air, .gain = 2, .offset = 1},
                                           {.name = humidity, .gain = 1}};

struct bench {
    char dir[64];
    struct settings settings;
    struct sensor_settings sensor;
    struct clock clock;
    struct loop *loop;
    struct loop_timer *limit;
    struct spool *spool;
    struct recorder *recorder;
    struct sampler *sampler;
    bool has_ended;
    uint64_t wanted; /* readings after which the loop is stopped; 0: at the end */
    struct loop_timer *poll;
    bool is_congested;
    uint64_t congested_asks;
};

static bool is_congested(void *context)
{
    struct bench *bench = context;
    bench->congested_asks++;
    /* Twice in a row the uplink is behind, then it has caught up. */
    if (bench->is_congested && bench->congested_asks % 3 != 0)
        return true;
    return false;
}

static void on_ended(void *context)
{
    struct bench *bench = context;
    bench->has_ended = true;
    loop_stop(bench->loop);
}

static void on_failed(void *context, enum err err)
{
    struct bench *bench = context;
    CHECK(err == ERR_OK);
    loop_stop(bench->loop);
}

static void on_poll(void *context)
{
    struct bench *bench = context;
    if (bench->wanted > 0 && sampler_counts(bench->sampler)->taken >= bench->wanted)
        loop_stop(bench->loop);
    else
        loop_timer_arm(bench->poll, 1);
}

static void on_limit(void *context)
{
    struct bench *bench = context;
    CHECK(!"the sampler took too long");
    loop_stop(bench->loop);
}

static void bench_init(struct bench *bench, bool is_replay)
{
    *bench = (struct bench){
        .settings = {.org = org,
                     .device = device,
                     .pack = {.readings = 64, .interval_ms = 50},
                     .sensor_count = 1},
        .sensor = {.name = name,
                   .driver = is_replay ? driver_replay : driver_sim,
                   .interval_ms = INTERVAL,
                   .channels = channels,
                   .channel_count = 2,
                   .sim = {.zone = zone, .seed = 3},
                   .replay = {.file = replay_path,
                              .columns = columns,
                              .rate = REPLAY_FAST}},
    };
    snprintf(bench->dir, sizeof bench->dir, "/tmp/sampler-test-XXXXXX");
    CHECK(mkdtemp(bench->dir) != NULL);
    clock_init_virtual(&bench->clock, ORIGIN_MS + 1, clock_real_ms(), 10000);
}

static void bench_open(struct bench *bench)
{
    bench->settings.sensors = &bench->sensor;
    bench->loop = loop_create();
    bench->poll = loop_timer_create(bench->loop, on_poll, bench);
    bench->limit = loop_timer_create(bench->loop, on_limit, bench);
    struct spool_recovery recovery;
    struct err_text why = {0};
    CHECK(spool_open(&bench->spool, bench->dir, 4 << 20, NULL, &recovery, &why) ==
          ERR_OK);
    CHECK(recorder_create(&bench->recorder, &bench->settings, bench->spool, &recovery,
                          &bench->clock, &why) == ERR_OK);
    struct sampler_options options = {
        .settings = &bench->settings,
        .clock = &bench->clock,
        .loop = bench->loop,
        .recorder = bench->recorder,
        .spool = bench->spool,
        .context = bench,
        .is_congested = is_congested,
        .on_ended = on_ended,
        .on_failed = on_failed,
    };
    CHECK(sampler_open(&bench->sampler, &options, &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
    loop_timer_arm(bench->poll, 1);
    loop_timer_arm(bench->limit, 20000);
}

static void bench_close(struct bench *bench)
{
    sampler_stop(bench->sampler);
    CHECK(recorder_close_pack(bench->recorder, true) == ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    sampler_close(bench->sampler);
    recorder_destroy(bench->recorder);
    spool_close(bench->spool);
    loop_timer_destroy(bench->poll);
    loop_timer_destroy(bench->limit);
    loop_destroy(bench->loop);
}

static void bench_fini(struct bench *bench)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s %s", bench->dir, replay_path);
    CHECK(system(command) == 0);
    replay_path[0] = '\0';
}

/* All readings of the journal in a row; the caller frees. */
static struct pack stored(struct bench *bench)
{
    struct pack all = {0};
    struct spool_recovery recovery;
    CHECK(spool_open(&bench->spool, bench->dir, 4 << 20, NULL, &recovery, NULL) ==
          ERR_OK);
    const struct spool_epoch *epoch = spool_epoch_at(bench->spool, 0);
    for (uint64_t seq = 1; seq <= epoch->last; seq++) {
        struct spool_pack held;
        struct pack pack = {0};
        struct buf text = {0};
        CHECK(spool_read(bench->spool, epoch->epoch, seq, &held) == ERR_OK);
        if (*(const uint8_t *)held.bytes == 0x78)
            CHECK(deflate_unpack(&text, held.bytes, held.len, PACK_BYTES_MAX) == ERR_OK);
        else
            buf_add(&text, held.bytes, held.len);
        CHECK(pack_parse(&pack, text.data, text.len, 0, NULL) == ERR_OK);
        for (size_t i = 0; i < pack.reading_count; i++) {
            struct reading reading = pack.readings[i];
            CHECK(pack_channel(&all, pack.channels[reading.channel].name,
                               &reading.channel) == ERR_OK);
            CHECK(pack_add(&all, &reading) == ERR_OK);
        }
        buf_fini(&text);
        pack_fini(&pack);
    }
    spool_close(bench->spool);
    return all;
}

static void write_series(int rows)
{
    snprintf(replay_path, sizeof replay_path, "/tmp/sampler-series-XXXXXX");
    int fd = mkstemp(replay_path);
    CHECK(fd >= 0);
    FILE *file = fdopen(fd, "w");
    CHECK(file != NULL);
    if (file == NULL)
        return;
    fputs("t,a,h\n", file);
    for (int i = 0; i < rows; i++)
        fprintf(file, "%d,%d,50\n", 1657195200 + i * 60, i);
    fclose(file);
}

/* ---- stories ---- */

static void every_point_of_the_grid_is_read(void)
{
    struct bench bench;
    bench_init(&bench, false);
    bench_open(&bench);
    bench.wanted = 400;
    loop_run(bench.loop);
    const struct sampler_counts counts = *sampler_counts(bench.sampler);
    CHECK(counts.taken >= 400 && counts.taken == counts.expected && counts.bad == 0);
    bench_close(&bench);
    struct pack all = stored(&bench);
    CHECK(all.reading_count == counts.taken);
    int64_t last_ms[2] = {0, 0};
    for (size_t i = 0; i < all.reading_count; i++) {
        const struct reading *reading = &all.readings[i];
        int64_t before_ms = last_ms[reading->channel];
        CHECK(before_ms == 0 ? reading->time_ms % INTERVAL == 0
                             : reading->time_ms == before_ms + INTERVAL);
        last_ms[reading->channel] = reading->time_ms;
    }
    pack_fini(&all);
    bench_fini(&bench);
}

static void the_raw_value_is_kept(void)
{
    struct bench bench;
    bench_init(&bench, false);
    bench_open(&bench);
    bench.wanted = 20;
    loop_run(bench.loop);
    bench_close(&bench);
    struct pack all = stored(&bench);
    CHECK(all.reading_count >= 20);
    for (size_t i = 0; i < all.reading_count; i++) {
        const struct reading *reading = &all.readings[i];
        bool is_air = strcmp(all.channels[reading->channel].name, air) == 0;
        CHECK(isnan(reading->raw) == !is_air);
        if (is_air)
            CHECK(fabs(reading->value - (reading->raw * 2 + 1)) < 1e-12);
    }
    pack_fini(&all);
    bench_fini(&bench);
}

static void a_fast_series_ends_when_it_is_through(void)
{
    struct bench bench;
    bench_init(&bench, true);
    write_series(1500);
    bench.sensor.interval_ms = 3600000;
    bench_open(&bench);
    bench.is_congested = true;
    loop_run(bench.loop);
    CHECK(bench.has_ended && sampler_has_ended(bench.sampler));
    CHECK(sampler_counts(bench.sampler)->taken == 3000);
    CHECK(sampler_counts(bench.sampler)->expected == 3000);
    CHECK(bench.congested_asks > 3);
    bench_close(&bench);
    struct pack all = stored(&bench);
    CHECK(all.reading_count == 3000);
    pack_fini(&all);
    bench_fini(&bench);
}

static void a_series_goes_on_after_a_restart(void)
{
    struct bench bench;
    bench_init(&bench, true);
    write_series(2000);
    bench.sensor.replay.rate = REPLAY_RECORDED;
    clock_init_virtual(&bench.clock, ORIGIN_MS, clock_real_ms(), 200000);
    bench_open(&bench);
    bench.wanted = 1000;
    loop_run(bench.loop);
    uint64_t taken = sampler_counts(bench.sampler)->taken;
    bench_close(&bench);
    CHECK(!bench.has_ended && taken >= 1000 && taken < 4000);
    bench.sensor.replay.rate = REPLAY_FAST;
    bench.wanted = 0;
    bench_open(&bench);
    loop_run(bench.loop);
    CHECK(bench.has_ended);
    CHECK(sampler_counts(bench.sampler)->taken == 4000 - taken);
    bench_close(&bench);
    struct pack all = stored(&bench);
    CHECK(all.reading_count == 4000);
    int64_t sum_ms = 0;
    for (size_t i = 0; i < all.reading_count; i++)
        sum_ms += all.readings[i].time_ms / 1000 - 1657195200;
    CHECK(sum_ms == (int64_t)2 * 60 * 1999 * 2000 / 2);
    pack_fini(&all);
    bench_fini(&bench);
}

static void a_sensor_that_does_not_open_is_told(void)
{
    struct bench bench;
    bench_init(&bench, true);
    bench.settings.sensors = &bench.sensor;
    bench.sensor.replay.file = NULL;
    bench.loop = loop_create();
    struct sampler_options options = {.settings = &bench.settings,
                                      .clock = &bench.clock,
                                      .loop = bench.loop,
                                      .is_congested = is_congested,
                                      .on_ended = on_ended,
                                      .on_failed = on_failed};
    struct err_text why = {0};
    CHECK(sampler_open(&bench.sampler, &options, &why) == ERR_INVALID);
    CHECK(bench.sampler == NULL && strstr(why.text, "sensor room:") != NULL);
    sampler_close(NULL);
    loop_destroy(bench.loop);
    bench_fini(&bench);
}

int main(void)
{
    crypto_init();
    static CU_TestInfo tests[] = {
        {"every point of the grid is read", every_point_of_the_grid_is_read},
        {"the raw value is kept", the_raw_value_is_kept},
        {"a fast series ends when it is through", a_fast_series_ends_when_it_is_through},
        {"a series goes on after a restart", a_series_goes_on_after_a_restart},
        {"a sensor that does not open is told", a_sensor_that_does_not_open_is_told},
        CU_TEST_INFO_NULL,
    };
    return check_run("sampler", tests);
}
