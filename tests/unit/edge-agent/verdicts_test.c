// SPDX-License-Identifier: Apache-2.0
/* The agent's verdicts against an engine that sees the same packs at once, as the
 * collector does: through restarts, kills, a full disk and a clock that is set late. */
#include "edge-agent/verdicts.h"

#include <assert.h>
#include <math.h>

#include "alerts/zones.h"
#include "base/crc32c.h"
#include "base/file.h"
#include "base/mem.h"
#include "edge-agent/packer.h"
#include "edge-agent/status.h"
#include "edge-agent/verdict_rules.h"
#include "edge-agent/verdicts_kept.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

#define T0        INT64_C(1790000000000)
#define MINUTE_MS INT64_C(60000)
#define EPOCH     0xe1
#define BUDGET    ((uint64_t)4 << 20)
#define OTHER     "00000000feedfeed"

#define LEVEL(severity, level, delay) \
    "{\"severity\":\"" severity "\",\"level\":" level ",\"delay\":" delay \
    ",\"recovery_level\":7.5,\"recovery_delay\":60000}"
#define RULE(id, levels) \
    "{\"id\":\"" id "\",\"kind\":\"above\",\"quantity\":\"air_temperature\"," \
    "\"levels\":[" levels "]}"
#define ZONE(duty, rules) \
    "{\"v\":1,\"version\":\"00000000000000a1\",\"zones\":[{\"zone\":\"room-1\"," \
    "\"on_duty\":" duty ",\"rules\":[" rules "]}]}"
#define WARM_LEVELS LEVEL("warning", "8", "300000") "," LEVEL("critical", "12", "300000")
#define WARM        RULE("warm", WARM_LEVELS)
#define SILENT \
    "{\"id\":\"mute\",\"kind\":\"silent\",\"silent\":600000," \
    "\"silent_severity\":\"critical\"}"

static char air[] = "air_temperature";
static char humidity[] = "humidity";
static char name[] = "series";
static char driver[] = "null";
static char org[] = "org";
static char device[] = "agent-1";
static struct sensor_channel channels[] = {{.name = air, .gain = 1},
                                           {.name = humidity, .gain = 1}};
static struct sensor_settings sensors[] = {{.name = name,
                                            .driver = driver,
                                            .interval_ms = 60000,
                                            .channels = channels,
                                            .channel_count = 2}};

/* ---- a bench: a journal of packs that are made here ---- */

struct bench {
    struct folder folder;
    struct settings settings;
    struct clock clock;
    struct spool *spool;
    struct verdicts *verdicts;
    struct zone_rules rules;
    struct packer packer;
    uint64_t seq;
    size_t changes;
    char boot_id[PACK_BOOT_ID_SIZE];
};

static void on_changed(void *context)
{
    struct bench *bench = context;
    bench->changes++;
}

static void set_now(struct bench *bench, int64_t time_ms)
{
    bench->clock.origin_wall_ms = time_ms;
    bench->clock.origin_real_ms = clock_real_ms();
}

static void parse_rules(struct zone_rules *rules, const char *text)
{
    struct err_text why = {""};
    CHECK(zone_rules_parse(rules, text, strlen(text), &why) == ERR_OK);
    CHECK_TEXT(why.text, "");
}

static void open_it(struct bench *bench)
{
    struct spool_recovery recovery;
    struct err_text why;
    CHECK(spool_open(&bench->spool, bench->folder.path, BUDGET, NULL, &recovery, &why) ==
          ERR_OK);
    const struct verdicts_options options = {
        .settings = &bench->settings,
        .spool = bench->spool,
        .clock = &bench->clock,
        .context = bench,
        .on_changed = on_changed,
    };
    bench->verdicts = verdicts_create(&options, &bench->rules);
}

static struct bench *bench_create(const char *rules)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert(bench != NULL);
    folder_make(&bench->folder);
    bench->settings = (struct settings){.org = org,
                                        .device = device,
                                        .journal = {.dir = bench->folder.path},
                                        .sensors = sensors,
                                        .sensor_count = 1};
    clock_init_virtual(&bench->clock, T0, clock_real_ms(), 1);
    clock_boot_id(bench->boot_id);
    packer_init(&bench->packer, 64, 10000);
    if (rules != NULL)
        parse_rules(&bench->rules, rules);
    open_it(bench);
    return bench;
}

static void bench_destroy(struct bench *bench)
{
    verdicts_destroy(bench->verdicts);
    spool_close(bench->spool);
    zone_rules_fini(&bench->rules);
    packer_fini(&bench->packer);
    folder_remove(&bench->folder);
    free(bench);
}

static void restart(struct bench *bench)
{
    verdicts_destroy(bench->verdicts);
    spool_close(bench->spool);
    open_it(bench);
}

/* As it was on the disk `kept` when that was read: what came later was never kept. */
static void kill_and_restart(struct bench *bench, const struct buf *kept)
{
    char path[700];
    struct err_text why;
    snprintf(path, sizeof path, "%s", folder_file(&bench->folder, VERDICTS_FILE));
    verdicts_destroy(bench->verdicts);
    spool_close(bench->spool);
    if (kept->len == 0)
        CHECK(file_remove(path, &why) == ERR_OK);
    else
        CHECK(file_replace(path, kept->data, kept->len, &why) == ERR_OK);
    open_it(bench);
}

static void read_kept(struct bench *bench, struct buf *kept)
{
    struct err_text why;
    buf_clear(kept);
    CHECK(file_read(kept, folder_file(&bench->folder, VERDICTS_FILE), 1 << 20, &why) ==
          ERR_OK);
}

static void set_rules(struct bench *bench, const char *text)
{
    zone_rules_fini(&bench->rules);
    parse_rules(&bench->rules, text);
    verdicts_set_rules(bench->verdicts, &bench->rules);
}

/* ---- packs ---- */

static void write_only(struct bench *bench, struct pack *pack, enum pack_clock clock,
                       const char *boot_id, int64_t boot_ms, int64_t wall_ms)
{
    struct buf bytes = {0};
    const struct packer_label label = {.device = device,
                                       .epoch = EPOCH,
                                       .seq = ++bench->seq,
                                       .clock = clock,
                                       .boot_id = boot_id,
                                       .boot_ms = boot_ms,
                                       .wall_ms = wall_ms};
    packer_name(pack, &label);
    packer_format(&bench->packer, pack, &bytes);
    const struct spool_pack written = {.epoch = EPOCH,
                                       .seq = bench->seq,
                                       .readings = (uint32_t)pack->reading_count,
                                       .bytes = bytes.data,
                                       .len = bytes.len};
    CHECK(spool_write(bench->spool, &written, wall_ms, boot_ms) == ERR_OK);
    CHECK(spool_sync(bench->spool) == ERR_OK);
    buf_fini(&bytes);
    pack_fini(pack);
}

static void add(struct pack *pack, const char *channel, int64_t time_ms, double value)
{
    struct reading reading = {.time_ms = time_ms, .value = value, .raw = (double)NAN};
    if (isnan(value))
        reading.quality = QUALITY_OPEN;
    CHECK(pack_channel(pack, channel, &reading.channel) == ERR_OK);
    CHECK(pack_add(pack, &reading) == ERR_OK);
}

/* A pack of one minute, of a clock that is right. */
static void give(struct bench *bench, int minute, double value)
{
    struct pack pack = {.kind = PACK_DATA};
    int64_t time_ms = T0 + minute * MINUTE_MS;
    set_now(bench, time_ms + 500);
    add(&pack, air, time_ms, value);
    add(&pack, humidity, time_ms, 91.3);
    write_only(bench, &pack, PACK_CLOCK_SYNCED, bench->boot_id,
               clock_boot_ms(&bench->clock), time_ms + 500);
    verdicts_synced(bench->verdicts, EPOCH, bench->seq);
    verdicts_tick(bench->verdicts);
}

/* ---- what the collector would say ---- */

#define TOLD_MAX 16

struct far {
    char opened[TOLD_MAX][ALERT_ID_SIZE];
    size_t opened_count;
    size_t closed_count;
};

static void on_far(void *context, enum alert_effect_kind kind,
                   const struct incident *incident)
{
    struct far *far = context;
    if (kind == ALERT_EFFECT_OPENED && far->opened_count < TOLD_MAX)
        memcpy(far->opened[far->opened_count++], incident->id, ALERT_ID_SIZE);
    far->closed_count += kind == ALERT_EFFECT_CLOSED;
}

static void feed_far(struct alerts *engine, const struct alert_sink *sink,
                     const struct pack *pack, const struct pack *fix)
{
    int64_t shift_ms = 0;
    if (pack->clock == PACK_CLOCK_UNSET) {
        if (strcmp(fix->fixed_boot_id, pack->boot_id) != 0)
            return;
        shift_ms = fix->offset_ms - (pack->wall_ms - pack->boot_ms);
    }
    for (size_t i = 0; i < pack->reading_count; i++) {
        const struct reading *reading = &pack->readings[i];
        const struct channel *channel = &pack->channels[reading->channel];
        const struct alert_reading given = {.zone = "room-1",
                                            .device = device,
                                            .channel = channel->name,
                                            .quantity = channel->quantity,
                                            .time_ms = reading->time_ms + shift_ms,
                                            .arrival_ms = T0 * 2,
                                            .value = reading->value,
                                            .quality = (enum quality)reading->quality};
        alerts_reading(engine, &given, sink);
    }
}

/* All packs at once, long after. `room`: of room-1 as the collector has it, or NULL. */
static void ask_far_in(struct bench *bench, struct far *far,
                       const struct alert_room *room)
{
    struct alerts *engine = alerts_create();
    const struct alert_sink sink = {.context = far, .effect = on_far};
    struct err_text why;
    size_t count;
    struct zone_notes notes;
    struct alert_rule *rules = verdict_rules(&bench->rules, &notes, &count);
    struct pack pack = {0};
    struct pack fix = {0};
    struct buf text = {0};
    *far = (struct far){0};
    CHECK(alerts_set_rules(engine, rules, count, T0, &why) == ERR_OK);
    struct verdict_spans spans = {0};
    if (room == NULL)
        verdict_rooms(engine, &bench->rules, &spans, 0);
    else
        alerts_set_room(engine, "room-1", room);
    verdict_spans_fini(&spans);
    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t seq = 1; seq <= bench->seq; seq++) {
            struct spool_pack found;
            CHECK(spool_read(bench->spool, EPOCH, seq, &found) == ERR_OK);
            CHECK(packer_parse(&pack, &text, found.bytes, found.len, 0) == ERR_OK);
            if (pass == 0 && pack.kind == PACK_CLOCK_FIX)
                fix = pack; /* it owns nothing */
            if (pass == 1 && pack.kind == PACK_DATA)
                feed_far(engine, &sink, &pack, &fix);
        }
    }
    pack_fini(&pack);
    buf_fini(&text);
    free(rules);
    alerts_destroy(engine);
}

static void ask_far(struct bench *bench, struct far *far)
{
    ask_far_in(bench, far, NULL);
}

static const struct incidents *list_of(const struct bench *bench)
{
    return verdicts_incidents(bench->verdicts);
}

static void tell(struct bench *bench, const char *want)
{
    static const char *const words[] = {"", "opened", "escalated", "closed"};
    size_t index;
    struct incidents *list = verdicts_incidents(bench->verdicts);
    enum incidents_news news = incidents_next(list, ALERT_WARNING, &index);
    CHECK_TEXT(words[news], want);
    if (news == INCIDENTS_NOTHING)
        return;
    char id[ALERT_ID_SIZE];
    memcpy(id, list->entries[index].id, sizeof id);
    incidents_told(list, id, news, list->entries[index].severity);
    verdicts_keep(bench->verdicts);
}

/* ---- stories ---- */

static void ids_are_the_collectors_through_a_restart(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct far far;
    for (int minute = 0; minute < 20; minute++) {
        give(bench, minute, minute < 4 ? 5 : 9.1);
        if (minute == 6) /* within the delay */
            restart(bench);
        tell(bench, minute == 9 ? "opened" : "");
    }
    CHECK(list_of(bench)->count == 1 && incidents_open(list_of(bench)) == 1);
    ask_far(bench, &far);
    CHECK(far.opened_count == 1);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    CHECK(list_of(bench)->entries[0].onset_ms == T0 + 4 * MINUTE_MS);
    restart(bench);
    tell(bench, ""); /* nothing twice */
    for (int minute = 20; minute < 26; minute++)
        give(bench, minute, 12.5);
    tell(bench, "escalated");
    for (int minute = 26; minute < 30; minute++)
        give(bench, minute, 5);
    tell(bench, "closed");
    tell(bench, "");
    CHECK(list_of(bench)->count == 0);
    ask_far(bench, &far);
    CHECK(far.opened_count == 1 && far.closed_count == 1);
    bench_destroy(bench);
}

static void what_was_not_kept_is_judged_from_the_journal(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct buf kept = {0};
    struct far far;
    give(bench, 0, 5);
    set_rules(bench, ZONE("true", WARM));
    read_kept(bench, &kept);
    for (int minute = 1; minute < 5; minute++)
        give(bench, minute, 9.1);
    kill_and_restart(bench, &kept); /* the delay began in what was not kept */
    give(bench, 5, 9.2);
    CHECK(list_of(bench)->count == 0);
    give(bench, 6, 9.2);
    CHECK(list_of(bench)->count == 1);
    ask_far(bench, &far);
    CHECK(far.opened_count == 1);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    /* And an incident that was told, but not kept so, is told again: better than not. */
    tell(bench, "opened");
    kill_and_restart(bench, &kept);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    tell(bench, "opened");
    buf_fini(&kept);
    bench_destroy(bench);
}

/* Rules came before there was any pack, and then the power went. */
static void a_journal_is_judged_from_its_beginning(void)
{
    struct bench *bench = bench_create(NULL);
    struct buf kept = {0};
    struct far far;
    set_rules(bench, ZONE("true", WARM));
    read_kept(bench, &kept);
    for (int minute = 0; minute < 3; minute++)
        give(bench, minute, 9.1);
    kill_and_restart(bench, &kept);
    for (int minute = 3; minute < 6; minute++)
        give(bench, minute, 9.1);
    ask_far(bench, &far);
    CHECK(far.opened_count == 1 && list_of(bench)->count == 1);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    buf_fini(&kept);
    bench_destroy(bench);
}

static void a_damaged_file_is_none(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct buf kept = {0};
    for (int minute = 0; minute < 7; minute++)
        give(bench, minute, 9.1);
    CHECK(list_of(bench)->count == 1);
    read_kept(bench, &kept);
    kept.data[kept.len / 2] ^= 4;
    kill_and_restart(bench, &kept);
    CHECK(list_of(bench)->count == 0);
    for (int minute = 7; minute < 13; minute++)
        give(bench, minute, 9.1);
    CHECK(list_of(bench)->count == 1);
    buf_fini(&kept);
    bench_destroy(bench);
}

/* Of before it was known what people do: one incident that rings, and was told. */
static void what_an_earlier_version_kept_is_loaded(void)
{
    char path[700];
    struct buf file = {0};
    struct buf again = {0};
    struct verdicts_kept kept;
    struct verdicts_kept back;
    struct err_text why;
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/verdicts_kept_fuzz/one",
             check_source_dir());
    CHECK(file_read(&file, path, 10000, &why) == ERR_OK && file.data[4] == 1);
    buf_u32(&file, crc32c(0, file.data, file.len));
    CHECK(verdicts_kept_load(&kept, file.data, file.len));
    CHECK(kept.list.count == 1 && !kept.list.has_to_mute);
    CHECK(kept.list.entries[0].told == 2 && kept.list.entries[0].quiet_until_ms == 0);
    kept.list.entries[0].quiet_until_ms = T0;
    kept.list.has_to_mute = true;
    verdicts_kept_save(&kept, &again);
    CHECK(again.data[4] == INCIDENTS_SAVED_VERSION &&
          verdicts_kept_load(&back, again.data, again.len));
    CHECK(back.list.entries[0].quiet_until_ms == T0 && back.list.has_to_mute);
    verdicts_kept_fini(&back);
    again.data[4] = INCIDENTS_SAVED_VERSION + 1; /* a later one */
    again.len -= sizeof(uint32_t);
    buf_u32(&again, crc32c(0, again.data, again.len));
    CHECK(!verdicts_kept_load(&back, again.data, again.len));
    verdicts_kept_fini(&kept);
    buf_fini(&file);
    buf_fini(&again);
}

static void it_is_written_seldom(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct buf before = {0};
    struct buf after = {0};
    give(bench, 0, 5);
    set_rules(bench, ZONE("true", WARM));
    read_kept(bench, &before);
    for (int minute = 1; minute < 60; minute++)
        give(bench, minute, 5 + (minute % 3));
    read_kept(bench, &after);
    CHECK(before.len == after.len && memcmp(before.data, after.data, after.len) == 0);
    buf_fini(&before);
    buf_fini(&after);
    bench_destroy(bench);
}

static void without_rules_nothing_is_judged_or_written(void)
{
    struct bench *bench = bench_create(NULL);
    for (int minute = 0; minute < 9; minute++)
        give(bench, minute, 30);
    CHECK(list_of(bench)->count == 0 && bench->changes == 0);
    verdicts_destroy(bench->verdicts);
    bench->verdicts = NULL;
    CHECK(access(folder_file(&bench->folder, VERDICTS_FILE), F_OK) != 0);
    bench_destroy(bench);
}

static void off_duty_only_safety_rings(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct far far;
    for (int minute = 0; minute < 7; minute++)
        give(bench, minute, 9.1);
    tell(bench, "opened");
    set_rules(bench, ZONE("false", WARM));
    tell(bench, "closed");
    CHECK(incidents_open(list_of(bench)) == 0);
    give(bench, 7, 9.1);
    tell(bench, "");
    set_rules(bench, ZONE("true", WARM));
    tell(bench, "opened"); /* it is still wrong, and the same incident */
    ask_far(bench, &far);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    set_rules(bench, ZONE("false", "{\"id\":\"fire\",\"kind\":\"above\",\"safety\":true,"
                                   "\"quantity\":\"air_temperature\",\"levels\":[" LEVEL(
                                       "critical", "9", "0") "]}"));
    tell(bench, "closed");
    give(bench, 8, 9.1);
    tell(bench, "opened");
    CHECK_TEXT(incidents_gravest(list_of(bench))->rule, "fire");
    bench_destroy(bench);
}

/* ---- what people did where they see it ---- */

/* The rules again, and what was done to an incident: `what` is "closed":true, or so. */
static void handle(struct bench *bench, const char *rules, const char *id, int minute,
                   const char *what)
{
    char *text = mem_format(
        "{\"v\":1,\"version\":\"00000000000000a2\",\"zones\":[{\"zone\":\"room-1\","
        "\"on_duty\":true,\"rules\":[%s],\"handled\":[{\"incident\":\"%s\","
        "\"rule\":\"mute\",\"channel\":\"air_temperature\",\"at\":%lld,%s}]}]}",
        rules, id, (long long)(T0 + minute * MINUTE_MS), what);
    set_rules(bench, text);
    free(text);
}

static void acknowledge(struct bench *bench, const char *id, int minute, int until)
{
    char what[60];
    snprintf(what, sizeof what, "\"quiet_until\":%lld",
             (long long)(T0 + until * MINUTE_MS));
    handle(bench, WARM, id, minute, what);
}

static void open_warm(struct bench *bench, char id[ALERT_ID_SIZE])
{
    for (int minute = 0; minute < 7; minute++)
        give(bench, minute, 9.1);
    tell(bench, "opened");
    memcpy(id, list_of(bench)->entries[0].id, ALERT_ID_SIZE);
}

static void what_a_person_closed_is_closed_here(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    char id[ALERT_ID_SIZE];
    open_warm(bench, id);
    handle(bench, WARM, OTHER OTHER, 7, "\"closed\":true");
    tell(bench, ""); /* that was another one */
    handle(bench, WARM, id, 7, "\"closed\":true");
    tell(bench, "closed");
    for (int minute = 8; minute < 40; minute++)
        give(bench, minute, 9.1);
    restart(bench);
    for (int minute = 40; minute < 60; minute++)
        give(bench, minute, 9.1);
    tell(bench, ""); /* it lasts, and they know */
    for (int minute = 60; minute < 67; minute++)
        give(bench, minute, 12.5);
    tell(bench, "opened"); /* that it got graver they do not */
    CHECK(strcmp(list_of(bench)->entries[0].id, id) != 0);
    bench_destroy(bench);
}

/* A message that was lost or forged silences nothing for ever. */
static void what_was_closed_and_lasts_rings_after_a_day(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    char id[ALERT_ID_SIZE];
    const int day = 24 * 60;
    open_warm(bench, id);
    handle(bench, WARM, id, 100 * day, "\"closed\":true"); /* of a clock that is wrong */
    tell(bench, "closed");
    for (int minute = 7; minute < day; minute += 5)
        give(bench, minute, 9.1);
    tell(bench, "");
    for (int minute = day; minute < day + 20; minute += 5)
        give(bench, minute, 9.1);
    tell(bench, "opened");
    bench_destroy(bench);
}

static void what_was_acknowledged_is_quiet_until_it_comes_back(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    char id[ALERT_ID_SIZE];
    open_warm(bench, id);
    acknowledge(bench, id, 7, 7 + 240);
    CHECK(incidents_count(list_of(bench), true) == 0 && list_of(bench)->has_to_mute);
    restart(bench);
    CHECK(list_of(bench)->has_to_mute); /* the siren is still to learn of it */
    for (int minute = 8; minute < 7 + 240; minute++)
        give(bench, minute, 9.1);
    tell(bench, "");
    give(bench, 7 + 240, 9.1);
    tell(bench, "opened"); /* whoever has said that meanwhile, or nobody */
    CHECK(incidents_count(list_of(bench), true) == 1);
    CHECK_TEXT(list_of(bench)->entries[0].id, id);
    give(bench, 8 + 240, 9.1);
    tell(bench, "");
    acknowledge(bench, id, 250, 250 + 240); /* once more */
    CHECK(incidents_count(list_of(bench), true) == 0);
    set_rules(bench, ZONE("true", WARM)); /* and that was taken back */
    tell(bench, "opened");
    bench_destroy(bench);
}

static void what_was_acknowledged_and_gets_graver_rings(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    char id[ALERT_ID_SIZE];
    open_warm(bench, id);
    acknowledge(bench, id, 7, 7 + 240);
    for (int minute = 8; minute < 16; minute++)
        give(bench, minute, 12.5);
    tell(bench, "escalated");
    give(bench, 16, 12.5);
    CHECK(incidents_count(list_of(bench), true) == 1); /* the same does not mute it */
    acknowledge(bench, id, 17, 17 + 240);
    CHECK(incidents_count(list_of(bench), true) == 0);
    for (int minute = 17; minute < 20; minute++)
        give(bench, minute, 5);
    tell(bench, "closed");
    CHECK(list_of(bench)->count == 0);
    bench_destroy(bench);
}

static void nobody_is_silent_for_longer_than_half_a_day(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    char id[ALERT_ID_SIZE];
    open_warm(bench, id);
    acknowledge(bench, id, 7, 7 + 13 * 60);
    CHECK(incidents_count(list_of(bench), true) == 1);
    acknowledge(bench, id, 7, 7 + 11 * 60);
    CHECK(incidents_count(list_of(bench), true) == 0);
    bench_destroy(bench);
}

/* It was acknowledged while the siren was being told that it opened. */
static void what_rings_in_that_very_moment_is_muted_then(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    char id[ALERT_ID_SIZE];
    for (int minute = 0; minute < 7; minute++)
        give(bench, minute, 9.1);
    memcpy(id, list_of(bench)->entries[0].id, sizeof id);
    acknowledge(bench, id, 6, 6 + 240);
    tell(bench, ""); /* not begun: it is not told */
    incidents_told(verdicts_incidents(bench->verdicts), id, INCIDENTS_OPENED,
                   ALERT_WARNING);
    CHECK(incidents_count(list_of(bench), true) == 1);
    verdicts_tick(bench->verdicts);
    CHECK(incidents_count(list_of(bench), true) == 0 && list_of(bench)->has_to_mute);
    bench_destroy(bench);
}

/* Silence has another id there; and what falls silent later was not meant. */
static void silence_is_known_by_its_rule_and_channel(void)
{
    struct bench *bench = bench_create(ZONE("true", SILENT));
    for (int minute = 0; minute < 3; minute++)
        give(bench, minute, 5);
    for (int minute = 3; minute < 20; minute++)
        give(bench, minute, (double)NAN);
    tell(bench, "opened");
    handle(bench, SILENT, OTHER OTHER, 2, "\"closed\":true");
    tell(bench, "");
    handle(bench, SILENT, OTHER OTHER, 20, "\"closed\":true");
    tell(bench, "closed");
    for (int minute = 21; minute < 40; minute++)
        give(bench, minute, (double)NAN);
    tell(bench, "");
    give(bench, 40, 5);
    for (int minute = 41; minute < 60; minute++)
        give(bench, minute, (double)NAN);
    tell(bench, "opened");
    bench_destroy(bench);
}

static void a_rule_that_is_not_understood_takes_none_away(void)
{
    struct bench *bench = bench_create(ZONE(
        "true", "{\"id\":\"new\",\"kind\":\"telepathy\",\"levels\":[]}," WARM
                ",{\"id\":\"odd\",\"kind\":\"above\",\"quantity\":\"humidity\","
                "\"levels\":[" LEVEL(
                    "dreadful", "8",
                    "0") "]},"
                         "{\"id\":\"whole\",\"kind\":\"silent_device\",\"silent\":600000,"
                         "\"silent_severity\":\"critical\"}"));
    size_t count;
    struct zone_notes notes;
    struct alert_rule *rules = verdict_rules(&bench->rules, &notes, &count);
    CHECK(count == 1 && strcmp(rules[0].id, "warm") == 0);
    CHECK(notes.left_out == 2 && notes.unknown_count == 2);
    CHECK_TEXT(notes.unknown[0], "kind.telepathy");
    CHECK_TEXT(notes.unknown[1], "severity.dreadful");
    CHECK(verdicts_notes(bench->verdicts)->left_out == 2);
    free(rules);
    bench_destroy(bench);
}

static void a_learned_silence_is_as_urgent_as_there(void)
{
    static const struct {
        const char *said;
        enum alert_severity severity;
    } rows[] = {
        {",\"silent_severity\":\"critical\"", ALERT_CRITICAL},
        {"", ALERT_WARNING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench *bench = bench_create(NULL);
        size_t count;
        struct zone_notes notes;
        char *text = mem_format(ZONE("true", "{\"id\":\"mute\",\"kind\":\"silent\"%s}"),
                                rows[i].said);
        set_rules(bench, text);
        free(text);
        struct alert_rule *rules = verdict_rules(&bench->rules, &notes, &count);
        CHECK_ROW(rows[i].said, count == 1 && rules[0].silent_ms == 0);
        CHECK_ROW(rows[i].said, rules[0].silent_severity == rows[i].severity);
        free(rules);
        bench_destroy(bench);
    }
}

/* The air is in order all the while; what came in at 18 C is not, for some hours. */
static void goods_that_came_in_warm_are_judged_as_there(void)
{
    static const char *const loads[] = {
        "", ",\"loads\":[{\"from\":1790000600000,\"entry\":18}]"};
    struct alert_room room = {.body = {2, 1, 4}, .loads = {{T0 + 10 * MINUTE_MS, 18}}};
    for (size_t i = 0; i < 2; i++) {
        struct bench *bench = bench_create(NULL);
        struct far far;
        char *text = mem_format(
            "{\"v\":1,\"version\":\"00000000000000a3\",\"zones\":[{\"zone\":\"room-1\","
            "\"on_duty\":true,\"rules\":[{\"id\":\"core\",\"kind\":\"above\","
            "\"quantity\":\"product_temperature\",\"levels\":[%s]}],\"tau\":7200000,"
            "\"tau_least\":3600000,\"tau_most\":14400000%s}]}",
            LEVEL("warning", "8", "1800000"), loads[i]);
        set_rules(bench, text);
        free(text);
        for (int minute = 0; minute < 8 * 60; minute++)
            give(bench, minute, 4 + 0.1 * (minute % 3));
        room.load_count = i;
        ask_far_in(bench, &far, &room);
        CHECK(far.opened_count == i && far.closed_count == i);
        CHECK(list_of(bench)->count == i); /* over, and not told yet */
        if (i == 1)
            CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
        bench_destroy(bench);
    }
}

static void note_state(void *context, const char *key, const void *data, size_t len)
{
    buf_format(context, "%s ", key);
    buf_add(context, data, len);
}

/* All that the engine is told of a zone: it would save the same bytes at the collector.
 */
static void a_room_is_what_the_collector_says(void)
{
    struct zone_rules rules;
    struct verdict_spans told = {0};
    struct buf here = {0};
    struct buf there = {0};
    const struct alert_room room = {.body = {1, 0.5, 2},
                                    .air = {.defrost_every_ms = 28800000,
                                            .defrost_first_ms = T0,
                                            .defrost_most_ms = 1200000,
                                            .door_most_ms = 1560000,
                                            .recovery_most_ms = 720000},
                                    .loads = {{T0, 15.5}, {T0 + 60000, -1}},
                                    .load_count = 2};
    parse_rules(&rules,
                "{\"v\":1,\"version\":\"00000000000000a1\",\"zones\":[{"
                "\"zone\":\"room-1\",\"on_duty\":true,\"rules\":[],\"tau\":3600000,"
                "\"tau_least\":1800000,\"tau_most\":7200000,"
                "\"defrost_every\":28800000,\"defrost_first\":1790000000000,"
                "\"defrost_most\":1200000,\"door_most\":1560000,"
                "\"recovery_most\":720000,\"loads\":["
                "{\"from\":1790000000000,\"entry\":15.5},"
                "{\"from\":1790000060000,\"entry\":-1}]}]}");
    struct alerts *engine = alerts_create();
    verdict_rooms(engine, &rules, &told, T0);
    alerts_save_changed(engine, &here, note_state);
    alerts_destroy(engine);
    engine = alerts_create();
    alerts_set_room(engine, "room-1", &room);
    alerts_save_changed(engine, &there, note_state);
    alerts_destroy(engine);
    CHECK(here.len == there.len && here.len > strlen("room-1"));
    CHECK(memcmp(here.data, there.data, here.len) == 0);
    verdict_spans_fini(&told);
    zone_rules_fini(&rules);
    buf_fini(&here);
    buf_fini(&there);
}

/* The goods follow the air slowly; for as long as somebody works there nothing counts. */
static void goods_and_plans_are_judged_as_there(void)
{
    static const char goods[] =
        "{\"v\":1,\"version\":\"00000000000000a1\",\"zones\":[{\"zone\":\"room-1\","
        "\"on_duty\":true,\"rules\":[{\"id\":\"goods\",\"kind\":\"above\",\"quantity\":"
        "\"product_temperature\",\"levels\":[" LEVEL(
            "critical", "8",
            "0") "]},"
                 "{\"id\":\"air\",\"kind\":\"above\",\"unless\":[\"maintenance\"],\"quantity\":"
                 "\"air_temperature\",\"levels\":[" LEVEL(
                     "critical", "8",
                     "0") "]}],"
                          "\"tau\":3600000,\"tau_least\":1800000,\"tau_most\":7200000,\"spans\":[{"
                          "\"reason\":\"maintenance\",\"from\":1789999000000,\"to\":1790006000000}]}]}";
    struct bench *bench = bench_create(goods);
    struct far far;
    for (int minute = 0; minute < 80; minute++) {
        give(bench, minute, minute < 20 ? 4 : 14);
        if (minute == 30 || minute == 60)
            restart(bench);
        if (minute == 25)
            CHECK(list_of(bench)->count == 0);
    }
    ask_far(bench, &far);
    CHECK(far.opened_count == 1 && list_of(bench)->count == 1);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    CHECK_TEXT(list_of(bench)->entries[0].rule, "goods");
    for (int minute = 80; minute < 105; minute++)
        give(bench, minute, 14);
    ask_far(bench, &far);
    CHECK(far.opened_count == 2 && list_of(bench)->count == 2); /* the work is over */
    CHECK_TEXT(list_of(bench)->entries[1].id, far.opened[1]);
    bench_destroy(bench);
}

/* Warm air that is cooled to the upper end is none that comes to it; of a band that
 * was taken back nothing is known. */
static void what_is_predicted_is_reached_from_within_the_band(void)
{
    static const char format[] =
        "{\"v\":1,\"version\":\"00000000000000a%d\",\"zones\":[{\"zone\":\"room-1\","
        "\"on_duty\":true%s,\"rules\":[{\"id\":\"soon\",\"kind\":\"predicted\","
        "\"quantity\":\"air_temperature\",\"limit\":8,\"window\":1800000,\"levels\":[{"
        "\"severity\":\"warning\",\"level\":60,\"delay\":0,\"recovery_level\":60,"
        "\"recovery_delay\":0}]}]}]}";
    static const struct {
        const char *name;
        const char *before;
        const char *now;
        size_t open;
    } rows[] = {
        {"no band", "", "", 1},
        {"a band", ",\"low\":2,\"high\":8", ",\"low\":2,\"high\":8", 0},
        {"taken back", ",\"low\":2,\"high\":8", "", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char config[1000];
        snprintf(config, sizeof config, format, 1, rows[i].before);
        struct bench *bench = bench_create(config);
        snprintf(config, sizeof config, format, 2, rows[i].now);
        set_rules(bench, config);
        for (int minute = 0; minute < 350; minute++)
            give(bench, minute, minute < 200 ? 20 : 20 - (double)(minute - 200) / 10);
        CHECK_ROW(rows[i].name, list_of(bench)->count == 1);
        CHECK_ROW(rows[i].name, incidents_open(list_of(bench)) == rows[i].open);
        bench_destroy(bench);
    }
}

/* What it means for the goods is known here, too, and kept. */
static void how_long_the_goods_bear_it_is_known(void)
{
    static const char goods[] =
        "{\"v\":1,\"version\":\"00000000000000a1\",\"zones\":[{\"zone\":\"room-1\","
        "\"on_duty\":true,\"low\":0,\"high\":8,\"rules\":[{\"id\":\"air\",\"kind\":"
        "\"above\",\"unless\":[\"door\"],\"quantity\":\"air_temperature\",\"levels\":[" LEVEL(
            "critical", "8", "0") "]}]%s}]}";
    static const struct {
        const char *name;
        const char *tau;
        enum harm_basis basis;
        double minutes; /* of goods at 4 in air at 10, until 8 */
    } rows[] = {
        {"stated", ",\"tau\":21600000,\"tau_least\":14400000,\"tau_most\":32400000",
         HARM_STATED, 395.5},
        {"not said", "", HARM_ASSUMED, (double)NAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char config[1000];
        snprintf(config, sizeof config, goods, rows[i].tau);
        struct bench *bench = bench_create(config);
        for (int minute = 0; minute < 31; minute++) {
            give(bench, minute, minute < 30 ? 4 : 10);
            if (minute == 15)
                restart(bench);
        }
        CHECK_ROW(rows[i].name, list_of(bench)->count == 1);
        restart(bench);
        CHECK_ROW(rows[i].name, list_of(bench)->count == 1);
        const struct harm *harm = &list_of(bench)->entries[0].harm;
        CHECK_ROW(rows[i].name, harm->air_C == 10 && harm->band_high_C == 8);
        CHECK_ROW(rows[i].name, harm->outlook == HARM_COMES);
        CHECK_ROW(rows[i].name, harm->basis == rows[i].basis);
        if (isnan(rows[i].minutes))
            CHECK_ROW(rows[i].name, isnan(harm->minutes.mid) && harm->minutes.low > 0);
        else
            CHECK_ROW(rows[i].name, fabs(harm->minutes.mid - rows[i].minutes) < 0.1);
        bench_destroy(bench);
    }
}

static void a_step_excuses_no_more_than_its_band(void)
{
    static const char curing[] =
        "{\"v\":1,\"version\":\"00000000000000a1\",\"zones\":[{\"zone\":\"room-1\","
        "\"on_duty\":true,\"rules\":[{\"id\":\"air\",\"kind\":\"above\",\"unless\":"
        "[\"planned_step\"],\"quantity\":\"air_temperature\",\"levels\":[" LEVEL(
            "critical", "8",
            "0") "]}],\"spans\":[{\"reason\":\"planned_step\",\"from\":1789999000000,"
                 "\"to\":1790006000000,\"low\":12,\"high\":16}]}]}";
    struct bench *bench = bench_create(curing);
    for (int minute = 0; minute < 20; minute++)
        give(bench, minute, 15);
    CHECK(list_of(bench)->count == 0);
    give(bench, 20, 17);
    tell(bench, "opened");
    CHECK(list_of(bench)->count == 1);
    for (int minute = 21; minute < 30; minute++)
        give(bench, minute, 15);
    tell(bench, "closed");
    bench_destroy(bench);
}

static void a_probe_that_breaks_is_silent(void)
{
    struct bench *bench = bench_create(ZONE("true", SILENT));
    for (int minute = 0; minute < 5; minute++)
        give(bench, minute, 5);
    for (int minute = 5; minute < 14; minute++)
        give(bench, minute, (double)NAN);
    CHECK(list_of(bench)->count == 0);
    give(bench, 14, (double)NAN);
    CHECK(list_of(bench)->count == 1);
    CHECK_TEXT(list_of(bench)->entries[0].channel, air);
    tell(bench, "opened");
    give(bench, 15, 5);
    tell(bench, "closed");
    bench_destroy(bench);
}

/* The grace after a start is no eight hours. */
static void a_clock_that_was_ahead_hides_no_silence(void)
{
    struct bench *bench = bench_create(ZONE("true", SILENT));
    set_now(bench, T0 + 480 * MINUTE_MS);
    restart(bench);
    give(bench, 480, 5);
    for (int minute = 0; minute < 5; minute++)
        give(bench, minute, 5);
    for (int minute = 5; minute < 14; minute++)
        give(bench, minute, (double)NAN);
    CHECK(list_of(bench)->count == 0);
    give(bench, 14, (double)NAN);
    CHECK(list_of(bench)->count == 1);
    bench_destroy(bench);
}

static void a_full_disk_silences_nothing(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct pack open = {.kind = PACK_DATA, .clock = PACK_CLOCK_SYNCED};
    struct far far;
    give(bench, 0, 5);
    for (int minute = 1; minute < 8; minute++) {
        open.wall_ms = T0 + minute * MINUTE_MS;
        add(&open, air, open.wall_ms, 9.1);
        verdicts_unsynced(bench->verdicts, &open);
    }
    CHECK(list_of(bench)->count == 1);
    tell(bench, "opened");
    write_only(bench, &open, PACK_CLOCK_SYNCED, bench->boot_id, 1, T0 + 8 * MINUTE_MS);
    verdicts_synced(bench->verdicts, EPOCH, bench->seq);
    tell(bench, "");
    ask_far(bench, &far);
    CHECK(far.opened_count == 1);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    bench_destroy(bench);
}

/* ---- a clock that is not set ---- */

/* Boot time `minute`, and what a clock shows that began in 1970 and wanders. */
static void give_unset(struct bench *bench, const char *boot_id, int minute, double value)
{
    struct pack pack = {.kind = PACK_DATA};
    int64_t boot_ms = 1000000 + minute * MINUTE_MS;
    int64_t wall_ms = minute * MINUTE_MS + minute % 3;
    add(&pack, air, wall_ms - 200, value);
    write_only(bench, &pack, PACK_CLOCK_UNSET, boot_id, boot_ms, wall_ms);
    verdicts_synced(bench->verdicts, EPOCH, bench->seq);
}

static void set_clock(struct bench *bench, const char *boot_id, int64_t offset_ms)
{
    struct pack pack = {.kind = PACK_CLOCK_FIX, .offset_ms = offset_ms};
    memcpy(pack.fixed_boot_id, boot_id, sizeof pack.fixed_boot_id);
    write_only(bench, &pack, PACK_CLOCK_SYNCED, boot_id, 1, T0);
    verdicts_synced(bench->verdicts, EPOCH, bench->seq);
}

static void a_clock_set_late_makes_the_collectors_ids(bool has_restart)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct far far;
    for (int minute = 0; minute < 12; minute++) {
        give_unset(bench, bench->boot_id, minute, minute < 3 ? 5 : 9.1);
        tell(bench, minute == 8 ? "opened" : "");
        if (has_restart && minute == 6)
            restart(bench);
    }
    char before[ALERT_ID_SIZE];
    memcpy(before, list_of(bench)->entries[0].id, sizeof before);
    set_clock(bench, bench->boot_id, T0 - 1000000);
    tell(bench, ""); /* it goes on, under the name that it has there */
    ask_far(bench, &far);
    CHECK(far.opened_count == 1 && list_of(bench)->count == 1);
    CHECK(strcmp(before, far.opened[0]) != 0);
    CHECK_TEXT(list_of(bench)->entries[0].id, far.opened[0]);
    CHECK(list_of(bench)->entries[0].onset_ms == T0 + 3 * MINUTE_MS - 200);
    for (int minute = 12; minute < 18; minute++)
        give(bench, minute, 5);
    tell(bench, "closed");
    bench_destroy(bench);
}

static void a_clock_set_late(void)
{
    a_clock_set_late_makes_the_collectors_ids(false);
    a_clock_set_late_makes_the_collectors_ids(true);
}

static void a_clock_that_is_lost_begins_delays_anew(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    for (int minute = 0; minute < 8; minute++)
        give(bench, minute, 9.1);
    tell(bench, "opened");
    for (int minute = 0; minute < 5; minute++)
        give_unset(bench, OTHER, minute, 9.1);
    tell(bench, ""); /* nobody has said that it is over */
    CHECK(list_of(bench)->count == 1);
    for (int minute = 5; minute < 8; minute++)
        give_unset(bench, OTHER, minute, 9.1);
    tell(bench, "");
    CHECK(list_of(bench)->count == 1 && list_of(bench)->entries[0].onset_ms > 0 &&
          list_of(bench)->entries[0].onset_ms < T0);
    bench_destroy(bench);
}

/* ---- the list, and how it is written ---- */

static void muted_until_it_gets_graver(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    for (int minute = 0; minute < 8; minute++)
        give(bench, minute, 9.1);
    tell(bench, "opened");
    CHECK(incidents_count(list_of(bench), true) == 1);
    CHECK(incidents_mute(verdicts_incidents(bench->verdicts)));
    CHECK(!incidents_mute(verdicts_incidents(bench->verdicts)));
    verdicts_keep(bench->verdicts);
    restart(bench);
    CHECK(incidents_count(list_of(bench), true) == 0);
    CHECK(incidents_count(list_of(bench), false) == 1);
    CHECK(incidents_gravest(list_of(bench)) == NULL);
    for (int minute = 8; minute < 16; minute++)
        give(bench, minute, 12.5);
    tell(bench, "escalated");
    CHECK(incidents_count(list_of(bench), true) == 1);
    bench_destroy(bench);
}

static void the_status_shows_it(void)
{
    struct bench *bench = bench_create(ZONE("true", WARM));
    struct buf text = {0};
    for (int minute = 0; minute < 8; minute++)
        give(bench, minute, minute == 7 ? 9.4 : 9.1);
    verdicts_refresh(bench->verdicts);
    const struct status status = {.incidents = list_of(bench), .incidents_open = 1};
    status_format(&status, &text);
    CHECK(strstr(text.data, "\"incidents_open\":1") != NULL);
    CHECK(strstr(text.data, "\"rule\":\"warm\",\"zone\":\"room-1\",\"channel\":"
                            "\"air_temperature\",\"kind\":\"above\",\"severity\":"
                            "\"warning\",\"state\":\"open\",\"since\":\"2026-") != NULL);
    CHECK(strstr(text.data, "\"value\":9.4,\"worst\":9.4,\"limit\":8,\"is_told\":false,"
                            "\"is_muted\":false}]}\n") != NULL);
    buf_fini(&text);
    bench_destroy(bench);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"ids are the collectors through a restart",
         ids_are_the_collectors_through_a_restart},
        {"what was not kept is judged from the journal",
         what_was_not_kept_is_judged_from_the_journal},
        {"a journal is judged from its beginning",
         a_journal_is_judged_from_its_beginning},
        {"a damaged file is none", a_damaged_file_is_none},
        {"what an earlier version kept is loaded",
         what_an_earlier_version_kept_is_loaded},
        {"it is written seldom", it_is_written_seldom},
        {"without rules nothing is judged or written",
         without_rules_nothing_is_judged_or_written},
        {"off duty only safety rings", off_duty_only_safety_rings},
        {"how long the goods bear it is known", how_long_the_goods_bear_it_is_known},
        {"a step excuses no more than its band", a_step_excuses_no_more_than_its_band},
        {"what is predicted is reached from within the band",
         what_is_predicted_is_reached_from_within_the_band},
        {"what a person closed is closed here", what_a_person_closed_is_closed_here},
        {"what was closed and lasts rings after a day",
         what_was_closed_and_lasts_rings_after_a_day},
        {"what was acknowledged is quiet until it comes back",
         what_was_acknowledged_is_quiet_until_it_comes_back},
        {"what was acknowledged and gets graver rings",
         what_was_acknowledged_and_gets_graver_rings},
        {"nobody is silent for longer than half a day",
         nobody_is_silent_for_longer_than_half_a_day},
        {"what rings in that very moment is muted then",
         what_rings_in_that_very_moment_is_muted_then},
        {"silence is known by its rule and channel",
         silence_is_known_by_its_rule_and_channel},
        {"a rule that is not understood takes none away",
         a_rule_that_is_not_understood_takes_none_away},
        {"goods that came in warm are judged as there",
         goods_that_came_in_warm_are_judged_as_there},
        {"a room is what the collector says", a_room_is_what_the_collector_says},
        {"goods and plans are judged as there", goods_and_plans_are_judged_as_there},
        {"a learned silence is as urgent as there",
         a_learned_silence_is_as_urgent_as_there},
        {"a probe that breaks is silent", a_probe_that_breaks_is_silent},
        {"a clock that was ahead hides no silence",
         a_clock_that_was_ahead_hides_no_silence},
        {"a full disk silences nothing", a_full_disk_silences_nothing},
        {"a clock set late", a_clock_set_late},
        {"a clock that is lost begins delays anew",
         a_clock_that_is_lost_begins_delays_anew},
        {"muted until it gets graver", muted_until_it_gets_graver},
        {"the status shows it", the_status_shows_it},
        CU_TEST_INFO_NULL,
    };
    return check_run("verdicts", tests);
}
