// SPDX-License-Identifier: Apache-2.0
/* The spool and the recorder on a real journal, through restarts, kills and full disks.
 */
#include "edge-agent/recorder.h"

#include <assert.h>
#include <math.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/deflate.h"
#include "base/rng.h"
#include "edge-agent/packer.h"
#include "tests/support/check.h"

#define BUDGET ((uint64_t)4 << 20)

static char air[] = "air_temperature";
static char humidity[] = "humidity";
static char sensor_name[] = "series";
static char null_driver[] = "null";
static char low[] = "3";
static char high[] = "8";
static char org[] = "org";
static char device[] = "agent-1";
static struct sensor_channel channels[] = {{.name = air, .gain = 1},
                                           {.name = humidity, .gain = 1}};
static struct sensor_settings sensors[] = {{.name = sensor_name,
                                            .driver = null_driver,
                                            .channels = channels,
                                            .channel_count = 2}};
static struct settings_band bands[] = {{.channel = air, .low = low, .high = high}};
static const struct settings settings = {
    .org = org,
    .device = device,
    .pack = {.readings = 16, .interval_ms = 3600000},
    .sensors = sensors,
    .sensor_count = 1,
    .bands = bands,
    .band_count = 1,
};

/* ---- a bench: a folder, a journal in it, and what was announced ---- */

struct told {
    uint64_t epoch;
    uint64_t seq;
    uint64_t hash;
};

struct bench {
    char dir[64];
    struct clock clock;
    struct spool *spool;
    struct recorder *recorder;
    struct spool_recovery recovery;
    struct told told[4096];
    size_t told_count;
    uint64_t done_through;
    uint64_t first;
    uint64_t thinned_to;
    int pipe; /* >= 0: announcements are written to it */
};

static uint64_t hash_of(struct bench *bench, uint64_t epoch, uint64_t seq)
{
    struct spool_pack pack;
    if (spool_read(bench->spool, epoch, seq, &pack) != ERR_OK)
        return 0;
    return packer_hash(pack.bytes, pack.len);
}

static void on_synced(void *context, uint64_t epoch, uint64_t seq, bool is_urgent)
{
    struct bench *bench = context;
    (void)is_urgent;
    struct told told = {.epoch = epoch, .seq = seq, .hash = hash_of(bench, epoch, seq)};
    CHECK(told.hash != 0);
    if (bench->pipe >= 0) {
        ssize_t written = write(bench->pipe, &told, sizeof told);
        assert(written == (ssize_t)sizeof told);
        return;
    }
    if (bench->told_count < sizeof bench->told / sizeof bench->told[0])
        bench->told[bench->told_count++] = told;
}

static void on_thinned(void *context, uint64_t epoch, uint64_t from, uint64_t to)
{
    struct bench *bench = context;
    (void)epoch;
    CHECK(from > bench->thinned_to);
    bench->thinned_to = to;
}

static void on_trimmed(void *context, uint64_t epoch, uint64_t first)
{
    struct bench *bench = context;
    (void)epoch;
    bench->first = first;
}

static bool is_done(void *context, uint64_t epoch, uint64_t seq)
{
    const struct bench *bench = context;
    (void)epoch;
    return seq <= bench->done_through;
}

static void bench_open(struct bench *bench)
{
    struct err_text why = {0};
    CHECK(spool_open(&bench->spool, bench->dir, BUDGET, NULL, &bench->recovery, &why) ==
          ERR_OK);
    CHECK(recorder_create(&bench->recorder, &settings, bench->spool, &bench->recovery,
                          &bench->clock, &why) == ERR_OK);
    recorder_set_sender(bench->recorder, &(struct recorder_sender){
                                             .context = bench,
                                             .on_synced = on_synced,
                                             .on_thinned = on_thinned,
                                             .on_trimmed = on_trimmed,
                                             .is_done = is_done,
                                         });
}

static struct bench *bench_create(void)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert(bench != NULL);
    bench->pipe = -1;
    snprintf(bench->dir, sizeof bench->dir, "/tmp/recorder-test-XXXXXX");
    CHECK(mkdtemp(bench->dir) != NULL);
    clock_init(&bench->clock);
    return bench;
}

static void bench_close(struct bench *bench)
{
    recorder_destroy(bench->recorder);
    spool_close(bench->spool);
    bench->recorder = NULL;
    bench->spool = NULL;
}

static void bench_destroy(struct bench *bench)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", bench->dir);
    CHECK(system(command) == 0);
    free(bench);
}

/* `row` is told by the value, so that a row can be found again. */
static void take_row(struct bench *bench, uint64_t row, double value)
{
    struct reading reading = {
        .time_ms = (int64_t)row * 1000, .value = value, .raw = (double)NAN};
    recorder_take(bench->recorder, 0, &reading);
    reading.value = 50 + (double)(row % 400) / 10;
    recorder_take(bench->recorder, 1, &reading);
    recorder_set_cursor(bench->recorder, rng_seed_of(sensor_name), row);
}

static void take_rows(struct bench *bench, uint64_t from, uint64_t to)
{
    for (uint64_t row = from; row <= to; row++) {
        take_row(bench, row, 5);
        CHECK(recorder_close_pack(bench->recorder, false) == ERR_OK);
    }
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
}

static void parse_stored(struct bench *bench, uint64_t epoch, uint64_t seq,
                         struct pack *pack)
{
    struct spool_pack stored;
    CHECK(spool_read(bench->spool, epoch, seq, &stored) == ERR_OK);
    struct buf text = {0};
    if (*(const uint8_t *)stored.bytes == 0x78)
        CHECK(deflate_unpack(&text, stored.bytes, stored.len, PACK_BYTES_MAX) == ERR_OK);
    else
        buf_add(&text, stored.bytes, stored.len);
    CHECK(pack_parse(pack, text.data, text.len, 0, NULL) == ERR_OK);
    buf_fini(&text);
}

static uint64_t bits_of(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* ---- stories ---- */

static void packs_follow_each_other(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    CHECK(bench->recovery.is_born && !bench->recovery.was_cut);
    take_rows(bench, 1, 24);
    CHECK(bench->told_count == 3);
    uint64_t previous = 0;
    for (size_t i = 0; i < bench->told_count; i++) {
        struct pack pack = {0};
        CHECK(bench->told[i].seq == i + 1);
        parse_stored(bench, bench->told[i].epoch, i + 1, &pack);
        CHECK(pack.previous_hash == previous && pack.reading_count == 16);
        CHECK(pack.epoch == recorder_epoch(bench->recorder) && pack.epoch != 0);
        previous = bench->told[i].hash;
        pack_fini(&pack);
    }
    CHECK(recorder_counts(bench->recorder)->readings == 48);
    bench_close(bench);
    bench_destroy(bench);
}

/* One row, out of the settings' band; whether a pack was closed at once. */
static bool is_urgent_at(struct bench *bench, uint64_t row, double value)
{
    size_t before = bench->told_count;
    take_row(bench, row, value);
    CHECK(recorder_close_pack(bench->recorder, false) == ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    return bench->told_count > before;
}

static void rules_from_afar_decide_what_is_urgent(void)
{
    static const char text[] =
        "{\"v\":1,\"version\":\"00000000000000a1\",\"zones\":[{\"zone\":\"room\","
        "\"on_duty\":true,\"rules\":[{\"id\":\"warm\",\"kind\":\"above\","
        "\"quantity\":\"air_temperature\",\"levels\":[{\"severity\":\"warning\","
        "\"level\":12,\"delay\":600000,\"recovery_level\":12,"
        "\"recovery_delay\":0}]}]}]}";
    struct bench *bench = bench_create();
    struct rules rules;
    bench_open(bench);
    CHECK(!is_urgent_at(bench, 1, 5));
    CHECK(is_urgent_at(bench, 2, 9)); /* the settings end at 8 */
    CHECK(is_urgent_at(bench, 3, 5)); /* and it is back */
    rules_init(&rules, bench->dir);
    CHECK(rules_take(&rules, text, strlen(text)));
    recorder_apply_rules(bench->recorder, &rules);
    CHECK(!is_urgent_at(bench, 4, 9));
    CHECK(is_urgent_at(bench, 5, 12)); /* where the rule fires, before its delay */
    CHECK(!is_urgent_at(bench, 6, 13));
    CHECK(is_urgent_at(bench, 7, 5));
    CHECK(rules_take(&rules, "", 0));
    recorder_apply_rules(bench->recorder, &rules);
    CHECK(is_urgent_at(bench, 8, 9));
    rules_fini(&rules);
    bench_close(bench);
    bench_destroy(bench);
}

static void nothing_is_told_before_it_is_synced(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_row(bench, 1, 5);
    CHECK(recorder_close_pack(bench->recorder, true) == ERR_OK);
    CHECK(bench->told_count == 0);
    struct spool_pack pack;
    CHECK(spool_read(bench->spool, recorder_epoch(bench->recorder), 1, &pack) != ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    CHECK(bench->told_count == 1);
    bench_close(bench);
    bench_destroy(bench);
}

static void a_restart_goes_on_in_the_epoch(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 16);
    uint64_t epoch = recorder_epoch(bench->recorder);
    struct buf marks = {0};
    buf_text(&marks, "marks");
    CHECK(spool_write_marks(bench->spool, marks.data, marks.len, 0, 0) == ERR_OK);
    bench_close(bench);
    bench_open(bench);
    CHECK(!bench->recovery.is_born && !bench->recovery.was_cut);
    CHECK(bench->recovery.packs == 2 && recorder_epoch(bench->recorder) == epoch);
    uint64_t cursor = 0;
    CHECK(spool_cursor(bench->spool, rng_seed_of(sensor_name), &cursor) && cursor == 16);
    CHECK(spool_marks(bench->spool) != NULL && spool_marks(bench->spool)->len == 5);
    CHECK(spool_readings(bench->spool, epoch, 1, 100) == 32);
    take_rows(bench, 17, 24);
    CHECK(bench->told_count == 3 && bench->told[2].seq == 3);
    struct pack pack = {0};
    parse_stored(bench, epoch, 3, &pack);
    CHECK(pack.previous_hash == bench->told[1].hash);
    pack_fini(&pack);
    buf_fini(&marks);
    bench_close(bench);
    bench_destroy(bench);
}

/* Cuts the newest segment in the middle of its last pack. */
static void damage_tail(const struct bench *bench)
{
    char command[512];
    snprintf(
        command, sizeof command,
        "cd %s && python3 - <<'E'\n"
        "import os\n"
        "f = max((n for n in os.listdir('.') if os.path.getsize(n) > 4096),\n"
        "        key=lambda n: (len(open(n, 'rb').read().rstrip(b'\\0')) > 300, n))\n"
        "d = bytearray(open(f, 'rb').read())\n"
        "n = len(bytes(d).rstrip(b'\\0'))\n"
        "d[n - 200:n] = bytes(200)\n"
        "open(f, 'wb').write(d)\n"
        "E",
        bench->dir);
    CHECK(system(command) == 0);
}

static void a_cut_begins_a_new_epoch(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 40);
    uint64_t ended = recorder_epoch(bench->recorder);
    bench_close(bench);
    damage_tail(bench);
    bench_open(bench);
    CHECK(bench->recovery.was_cut);
    uint64_t epoch = recorder_epoch(bench->recorder);
    CHECK(epoch != ended && spool_epoch_count(bench->spool) == 2);
    struct pack pack = {0};
    parse_stored(bench, epoch, 1, &pack);
    CHECK(pack.kind == PACK_EPOCH_END && pack.ended == ended && pack.previous_hash == 0);
    CHECK(pack.to == spool_epoch_at(bench->spool, 0)->last && pack.to < 5);
    pack_fini(&pack);
    bench_close(bench);
    bench_open(bench);
    CHECK(!bench->recovery.was_cut && recorder_epoch(bench->recorder) == epoch);
    bench_close(bench);
    bench_destroy(bench);
}

static void an_ordered_epoch_end_goes_first(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 8);
    uint64_t ended = recorder_epoch(bench->recorder);
    CHECK(recorder_new_epoch(bench->recorder) == ERR_OK);
    CHECK(recorder_write_loss(bench->recorder, ended, 1, 1, "space") == ERR_OK);
    take_rows(bench, 9, 16);
    uint64_t epoch = recorder_epoch(bench->recorder);
    struct pack pack = {0};
    parse_stored(bench, epoch, 1, &pack);
    CHECK(pack.kind == PACK_EPOCH_END && pack.ended == ended && pack.to == 1);
    pack_clear(&pack);
    parse_stored(bench, epoch, 2, &pack);
    CHECK(pack.kind == PACK_LOSS && pack.ended == ended && pack.from == 1);
    CHECK_TEXT(pack.reason, "space");
    pack_clear(&pack);
    parse_stored(bench, epoch, 3, &pack);
    CHECK(pack.kind == PACK_DATA && pack.reading_count == 16);
    pack_fini(&pack);
    bench_close(bench);
    bench_destroy(bench);
}

/* Every reading of packs [from, last] of the forked epoch, which ended at `ended`, once,
 * and in order. */
static void check_rescued(struct bench *bench, uint64_t forked, uint64_t from,
                          uint64_t last, uint64_t ended)
{
    uint64_t epoch = recorder_epoch(bench->recorder);
    size_t count = spool_epoch_count(bench->spool);
    CHECK(epoch != forked &&
          spool_epoch_at(bench->spool, count - 1)->last == 1 + last - from + 1);
    struct pack pack = {0};
    parse_stored(bench, epoch, 1, &pack);
    CHECK(pack.kind == PACK_EPOCH_END && pack.ended == forked && pack.to == ended);
    for (uint64_t seq = from; seq <= last; seq++) {
        struct pack source = {0};
        pack_clear(&pack);
        parse_stored(bench, epoch, 2 + seq - from, &pack);
        parse_stored(bench, forked, seq, &source);
        CHECK(pack_is_rescued(&pack) && pack.ended == forked);
        CHECK(pack.from == seq && pack.to == seq);
        CHECK(pack.reading_count == source.reading_count);
        for (size_t i = 0; i < pack.reading_count; i++)
            CHECK(pack.readings[i].time_ms == source.readings[i].time_ms &&
                  bits_of(pack.readings[i].value) == bits_of(source.readings[i].value));
        pack_fini(&source);
    }
    pack_fini(&pack);
}

static void a_forked_epoch_is_taken_along(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 8 * 100);
    uint64_t forked = recorder_epoch(bench->recorder);
    CHECK(recorder_fork(bench->recorder) == ERR_OK);
    CHECK(recorder_take_along(bench->recorder, forked, 4, 100, true) == ERR_OK);
    CHECK(bench->thinned_to == 100); /* not sent under the old names any more */
    check_rescued(bench, forked, 4, 100, 100);
    bench_close(bench);
    bench_open(bench);
    check_rescued(bench, forked, 4, 100, 100);
    bench_close(bench);
    bench_destroy(bench);
}

/* The first that are told as taken along, 4 to 67: they must be on the disk. */
static void die_when_told(void *context, uint64_t epoch, uint64_t from, uint64_t to)
{
    (void)context;
    (void)epoch;
    _exit(from == 4 && to == 67 ? 0 : 1);
}

static void taking_along_survives_a_kill(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 8 * 100);
    uint64_t forked = recorder_epoch(bench->recorder);
    bench_close(bench);
    pid_t child = fork();
    assert(child >= 0);
    if (child == 0) {
        bench_open(bench);
        recorder_set_sender(bench->recorder,
                            &(struct recorder_sender){.on_thinned = die_when_told});
        if (recorder_fork(bench->recorder) == ERR_OK &&
            recorder_take_along(bench->recorder, forked, 4, 100, true) == ERR_OK)
            _exit(2); /* nobody was told */
        _exit(3);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 0);
    bench_open(bench);
    check_rescued(bench, forked, 4, 67, 100);
    CHECK(recorder_take_along(bench->recorder, forked, 68, 100, true) == ERR_OK);
    check_rescued(bench, forked, 4, 100, 100);
    bench_close(bench);
    bench_destroy(bench);
}

/* Somebody else called it lost: it goes along within its own epoch, which goes on. */
static void what_others_closed_is_taken_along(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 8 * 5);
    uint64_t epoch = recorder_epoch(bench->recorder);
    CHECK(recorder_take_along(bench->recorder, epoch, 2, 2, false) == ERR_OK);
    CHECK(recorder_epoch(bench->recorder) == epoch);
    CHECK(recorder_write_moved(bench->recorder, epoch, 2, 2) == ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    struct pack pack = {0};
    parse_stored(bench, epoch, 6, &pack);
    CHECK(pack_is_rescued(&pack) && !pack_tells_fork(&pack));
    CHECK(pack.ended == epoch && pack.from == 2 && pack.to == 2);
    CHECK(pack.reading_count > 0);
    pack_clear(&pack);
    parse_stored(bench, epoch, 7, &pack);
    CHECK(pack.kind == PACK_THINNED && !pack_is_rescued(&pack));
    CHECK(pack.from == 2 && pack.to == 2 && pack.reading_count == 0);
    pack_clear(&pack);
    /* Once more: it keeps its first name, and gives up its second. */
    CHECK(recorder_take_along(bench->recorder, epoch, 6, 6, false) == ERR_OK);
    parse_stored(bench, epoch, 8, &pack);
    CHECK(pack_is_rescued(&pack) && pack.from == 2 && pack.reading_count > 0);
    pack_clear(&pack);
    parse_stored(bench, epoch, 9, &pack);
    CHECK(pack.kind == PACK_THINNED && pack.from == 6 && pack.reading_count == 0);
    pack_fini(&pack);
    bench_close(bench);
    bench_destroy(bench);
}

/* Readings dated by that virtual clock, as the sampler does. */
static void take_now(struct bench *bench)
{
    CHECK(recorder_watch_clock(bench->recorder) == ERR_OK);
    recorder_take(bench->recorder, 0,
                  &(struct reading){.time_ms = clock_wall_ms(&bench->clock),
                                    .value = 5,
                                    .quality = QUALITY_GOOD});
}

static void check_clock_fix(struct bench *bench, uint64_t seq, int64_t offset_ms)
{
    struct pack pack = {0};
    parse_stored(bench, recorder_epoch(bench->recorder), seq, &pack);
    CHECK(pack.kind == PACK_CLOCK_FIX && pack.clock == PACK_CLOCK_SYNCED);
    CHECK_TEXT(pack.fixed_boot_id, pack.boot_id);
    CHECK(pack.offset_ms == offset_ms);
    pack_fini(&pack);
}

/* What was read before it is closed by the clock that dated it, and then it is told. */
static void a_clock_that_is_set_late_is_told(void)
{
    const int64_t wall_ms = INT64_C(1790000000000);
    struct bench *bench = bench_create();
    int64_t real_ms = clock_real_ms();
    clock_init_virtual(&bench->clock, wall_ms, real_ms, 1);
    clock_set_late(&bench->clock, real_ms + 3600000);
    bench_open(bench);
    take_now(bench);
    bench->clock.set_real_ms = real_ms; /* now it is set */
    take_now(bench);
    CHECK(recorder_close_pack(bench->recorder, true) == ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    struct pack pack = {0};
    parse_stored(bench, recorder_epoch(bench->recorder), 1, &pack);
    CHECK(pack.clock == PACK_CLOCK_UNSET && pack.reading_count == 1);
    /* Its time, and what the fix makes of it. */
    CHECK(pack.readings[0].time_ms < 60000 && pack.wall_ms - pack.boot_ms == -real_ms);
    pack_clear(&pack);
    check_clock_fix(bench, 2, wall_ms - real_ms);
    parse_stored(bench, recorder_epoch(bench->recorder), 3, &pack);
    CHECK(pack.clock == PACK_CLOCK_SYNCED && pack.reading_count == 1);
    CHECK(pack.readings[0].time_ms >= wall_ms);
    /* Taken along, it keeps what the clock of then showed. */
    pack_clear(&pack);
    CHECK(recorder_take_along(bench->recorder, recorder_epoch(bench->recorder), 1, 1,
                              false) == ERR_OK);
    parse_stored(bench, recorder_epoch(bench->recorder), 4, &pack);
    CHECK(pack.clock == PACK_CLOCK_UNSET && pack.wall_ms - pack.boot_ms == -real_ms);
    pack_fini(&pack);
    bench_close(bench);
    bench_destroy(bench);
}

/* A kill between the unset clock and its fix: the next start says it. */
static void a_clock_set_while_the_agent_was_down_is_told(void)
{
    const int64_t wall_ms = INT64_C(1790000000000);
    struct bench *bench = bench_create();
    int64_t real_ms = clock_real_ms();
    clock_init_virtual(&bench->clock, wall_ms, real_ms, 1);
    clock_set_late(&bench->clock, real_ms + 3600000);
    bench_open(bench);
    take_now(bench);
    CHECK(recorder_close_pack(bench->recorder, true) == ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    bench_close(bench);
    bench->clock.set_real_ms = real_ms;
    for (int i = 0; i < 2; i++) { /* once */
        bench_open(bench);
        CHECK(recorder_watch_clock(bench->recorder) == ERR_OK);
        CHECK(recorder_commit(bench->recorder) == ERR_OK);
        check_clock_fix(bench, 2, wall_ms - real_ms);
        CHECK(spool_epoch_at(bench->spool, 0)->last == 2);
        bench_close(bench);
    }
    bench_destroy(bench);
}

/* A pack about packs must not carry the cursor of readings that are still in memory. */
static void a_cursor_goes_with_its_readings(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 8);
    take_row(bench, 9, 5);
    CHECK(recorder_write_loss(bench->recorder, 77, 1, 2, "space") == ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    bench_close(bench); /* row 9 was never in a pack */
    bench_open(bench);
    uint64_t cursor = 0;
    CHECK(spool_cursor(bench->spool, rng_seed_of(sensor_name), &cursor) && cursor == 8);
    bench_close(bench);
    bench_destroy(bench);
}

/* ---- space ---- */

/* After a start another segment is written, and a full disk may take nothing there. */
static void the_last_pack_is_not_given_up(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    take_rows(bench, 1, 8);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    uint64_t epoch = spool_epoch_at(bench->spool, 0)->epoch;
    bench_close(bench);
    for (int i = 0; i < 3; i++) {
        uint64_t cursor = 0;
        bench_open(bench);
        while (spool_trim_oldest(bench->spool) == ERR_OK)
            ;
        bench_close(bench);
        bench_open(bench);
        CHECK(spool_epoch_count(bench->spool) == 1 &&
              spool_epoch_at(bench->spool, 0)->epoch == epoch);
        CHECK(spool_cursor(bench->spool, rng_seed_of(sensor_name), &cursor) &&
              cursor == 8);
        bench_close(bench);
    }
    bench_destroy(bench);
}

static void fill(struct bench *bench, uint64_t rows, uint64_t breach_every)
{
    struct rng rng = {.state = 1};
    for (uint64_t row = 1; row <= rows; row++) {
        bool is_out = breach_every > 0 && row % breach_every == 0;
        take_row(bench, row, is_out ? 99 : 4 + rng_uniform(&rng));
        if (breach_every == 1) /* of no two alike, so that they need their room */
            take_row(bench, row, 99 + rng_uniform(&rng));
        CHECK(recorder_close_pack(bench->recorder, false) == ERR_OK);
        if (row % 640 == 0)
            CHECK(recorder_commit(bench->recorder) == ERR_OK);
    }
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
}

static void acked_packs_go_first_and_whole(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    bench->done_through = UINT64_MAX;
    fill(bench, 120000, 0);
    struct journal_stats stats;
    spool_stats(bench->spool, &stats);
    CHECK(stats.disk_bytes <= BUDGET);
    CHECK(bench->first > 1 && bench->thinned_to == 0);
    CHECK(recorder_counts(bench->recorder)->thinned == 0);
    struct spool_pack pack;
    CHECK(spool_read(bench->spool, recorder_epoch(bench->recorder), 1, &pack) ==
          ERR_NOT_FOUND);
    bench_close(bench);
    bench_open(bench);
    CHECK(spool_epoch_at(bench->spool, 0)->first > 1);
    bench_close(bench);
    bench_destroy(bench);
}

static void count_breaches(struct bench *bench, uint64_t *breaches, uint64_t *kept)
{
    const struct spool_epoch *epoch = spool_epoch_at(bench->spool, 0);
    for (uint64_t seq = epoch->first; seq <= epoch->last; seq++) {
        struct pack pack = {0};
        parse_stored(bench, epoch->epoch, seq, &pack);
        for (size_t i = 0; i < pack.reading_count; i++)
            *breaches += pack.readings[i].value == 99;
        *kept += pack.reading_count;
        pack_fini(&pack);
    }
}

/* Three times as much as fits, nobody acks: no breach is lost, and all is said. */
static void a_full_journal_keeps_the_breaches(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    enum { ROWS = 140000, EVERY = 500 };
    fill(bench, ROWS, EVERY);
    CHECK(recorder_close_pack(bench->recorder, true) == ERR_OK);
    CHECK(recorder_commit(bench->recorder) == ERR_OK);
    struct journal_stats stats;
    spool_stats(bench->spool, &stats);
    CHECK(stats.disk_bytes <= BUDGET);
    CHECK(bench->thinned_to > 0 && bench->first > 1);
    CHECK(recorder_counts(bench->recorder)->dropped == 0);
    uint64_t breaches = 0;
    uint64_t kept = 0;
    count_breaches(bench, &breaches, &kept);
    CHECK(breaches == ROWS / EVERY);
    CHECK(kept + recorder_counts(bench->recorder)->thinned == 2 * ROWS);
    bench_close(bench);
    bench_destroy(bench);
}

/* All readings are out of band: there is nothing to thin, so the oldest go, and are told.
 */
static void a_journal_full_of_breaches_says_what_is_lost(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    fill(bench, 75000, 1);
    const struct recorder_counts *counts = recorder_counts(bench->recorder);
    CHECK(counts->lost > 0 && counts->dropped == 0);
    CHECK(counts->lost == bench->first - 1 && counts->thinned == 0);
    struct journal_stats stats;
    spool_stats(bench->spool, &stats);
    CHECK(stats.disk_bytes <= BUDGET);
    CHECK(stats.bytes_written < 3 * BUDGET);
    bench_close(bench);
    bench_destroy(bench);
}

/* ---- kills ---- */

/* A life: takes rows where the last one ended, and dies somewhere. */
static void live_and_die(struct bench *bench, uint64_t seed)
{
    struct rng rng = {.state = seed};
    unsigned failures = CU_get_number_of_failures();
    bench_open(bench);
    uint64_t cursor = 0;
    spool_cursor(bench->spool, rng_seed_of(sensor_name), &cursor);
    uint64_t steps = 5 + rng_below(&rng, 120);
    for (uint64_t row = cursor + 1; steps > 0; row++, steps--) {
        take_row(bench, row, rng_chance(&rng, 0.1) ? 12 : 5);
        CHECK(recorder_close_pack(bench->recorder, false) == ERR_OK);
        if (rng_chance(&rng, 0.3))
            CHECK(recorder_commit(bench->recorder) == ERR_OK);
    }
    _exit(CU_get_number_of_failures() == failures ? 0 : 1);
}

static void reap(pid_t child)
{
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* All that was ever told is held, as it was told. */
static void check_promises(struct bench *bench)
{
    for (size_t i = 0; i < bench->told_count; i++)
        CHECK(hash_of(bench, bench->told[i].epoch, bench->told[i].seq) ==
              bench->told[i].hash);
}

/* Each row is in the journal once, up to the cursor. */
static void check_rows(struct bench *bench)
{
    uint64_t cursor = 0;
    spool_cursor(bench->spool, rng_seed_of(sensor_name), &cursor);
    uint8_t *seen = calloc((size_t)cursor + 1, 1);
    assert(seen != NULL);
    uint64_t total = 0;
    for (size_t i = 0; i < spool_epoch_count(bench->spool); i++) {
        const struct spool_epoch *epoch = spool_epoch_at(bench->spool, i);
        for (uint64_t seq = epoch->first; seq <= epoch->last; seq++) {
            struct pack pack = {0};
            parse_stored(bench, epoch->epoch, seq, &pack);
            for (size_t j = 0; j < pack.reading_count; j++) {
                uint64_t row = (uint64_t)pack.readings[j].time_ms / 1000;
                CHECK(row >= 1 && row <= cursor && seen[row] < 2);
                if (row <= cursor)
                    seen[row]++;
                total++;
            }
            pack_fini(&pack);
        }
    }
    CHECK(total == 2 * cursor);
    free(seen);
}

static void kills_lose_nothing_and_double_nothing(void)
{
    struct bench *bench = bench_create();
    for (uint64_t life = 1; life <= 40; life++) {
        int ends[2];
        CHECK(pipe(ends) == 0);
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            bench->pipe = ends[1];
            live_and_die(bench, life);
        }
        close(ends[1]);
        while (read(ends[0], &bench->told[bench->told_count], sizeof(struct told)) ==
               (ssize_t)sizeof(struct told))
            bench->told_count++;
        close(ends[0]);
        reap(child);
    }
    CHECK(bench->told_count > 100);
    bench_open(bench);
    check_promises(bench);
    check_rows(bench);
    bench_close(bench);
    bench_destroy(bench);
}

static void a_second_agent_is_refused(void)
{
    struct bench *bench = bench_create();
    bench_open(bench);
    struct spool *second;
    struct spool_recovery recovery;
    struct err_text why = {0};
    CHECK(spool_open(&second, bench->dir, BUDGET, NULL, &recovery, &why) == ERR_BUSY);
    CHECK(second == NULL && why.text[0] != '\0');
    bench_close(bench);
    bench_destroy(bench);
}

int main(void)
{
    crypto_init();
    static CU_TestInfo tests[] = {
        {"packs follow each other", packs_follow_each_other},
        {"rules from afar decide what is urgent", rules_from_afar_decide_what_is_urgent},
        {"nothing is told before it is synced", nothing_is_told_before_it_is_synced},
        {"a restart goes on in the epoch", a_restart_goes_on_in_the_epoch},
        {"a cut begins a new epoch", a_cut_begins_a_new_epoch},
        {"an ordered epoch's end goes first", an_ordered_epoch_end_goes_first},
        {"a forked epoch is taken along", a_forked_epoch_is_taken_along},
        {"taking along survives a kill", taking_along_survives_a_kill},
        {"what others closed is taken along", what_others_closed_is_taken_along},
        {"a clock that is set late is told", a_clock_that_is_set_late_is_told},
        {"a clock set while the agent was down is told",
         a_clock_set_while_the_agent_was_down_is_told},
        {"a cursor goes with its readings", a_cursor_goes_with_its_readings},
        {"acked packs go first, and whole", acked_packs_go_first_and_whole},
        {"the last pack is not given up", the_last_pack_is_not_given_up},
        {"a full journal keeps the breaches", a_full_journal_keeps_the_breaches},
        {"a journal full of breaches says what is lost",
         a_journal_full_of_breaches_says_what_is_lost},
        {"kills lose nothing and double nothing", kills_lose_nothing_and_double_nothing},
        {"a second agent is refused", a_second_agent_is_refused},
        CU_TEST_INFO_NULL,
    };
    return check_run("recorder", tests);
}
