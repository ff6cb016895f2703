// SPDX-License-Identifier: Apache-2.0
/*
 * pipeline_bench - what a reading costs on its way from the journal through decoding,
 * deduplication, order, placement and five rules, and what a device holds.
 *
 * usage: pipeline_bench [--quick]. One line of JSON a figure's set:
 *   fleets: 1,000 devices and 1,000,000 (100,000 when quick), side by side, turn by turn,
 *           packs of 4 readings, devices in an order that no cache foresees
 *   packs:  60 readings each, also with the append and the sync of the journal
 *
 * or: pipeline_bench --silent DEVICES: all fall silent, stay so for ten minutes, and are
 * heard again.
 *
 * or: pipeline_bench --house DATA_DIR DEVICES BYTES: makes a collector's journal of that
 * size and its state.db, with a checkpoint of all devices behind the first pack of each.
 *
 * CPU time of this process alone; of several turns the median counts. Memory is what
 * malloc holds (mallinfo2) over what it held before.
 */
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/deflate.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "collector/pipeline/pipeline.h"
#include "collector/record.h"
#include "telemetry/topic.h"
#include "tests/support/folder.h"

#define CHANNELS         4
#define DEVICES_PER_ZONE 10
#define T0               INT64_C(1795500000000)
#define STEP_MS          60000
#define EPOCH            UINT64_C(0x9d3c51aa07b8e2f4)
#define TURNS            9
#define TURN_PACKS       50000
#define BATCH            1000
#define FEW              1000
#define SILENT_MS        3600000
#define SILENT_TICKS     600

struct fleet {
    struct folder folder;
    struct journal *journal;
    struct state *state;
    struct acks *acks;
    struct pipeline *pipeline;
    size_t devices;
    size_t per_channel; /* readings of one channel in a pack */
    bool is_deflated;
    size_t at; /* packs appended */
    size_t acks_sent;
    int64_t later_ms; /* than packs would be */
    struct buf body, small;
    struct pack pack;
};

static void must(enum err err, const char *what)
{
    if (err != ERR_OK)
        log_fatal("%s: %s", what, err_name(err));
}

static double cpu_s(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

static size_t held(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* ---- the fleet's configuration ---------------------------------------------------- */

static void zone_rows(const struct fleet *fleet, struct buf *json)
{
    for (size_t i = 0; i * DEVICES_PER_ZONE < fleet->devices; i++)
        buf_format(json,
                   "%s{\"id\":\"zone-%zu\",\"org\":\"o\",\"site\":\"s\",\"site_name\":"
                   "\"S\",\"name\":\"Z\"}",
                   i > 0 ? "," : "", i);
}

static void device_rows(const struct fleet *fleet, struct buf *json)
{
    for (size_t i = 0; i < fleet->devices; i++)
        buf_format(json, "%s{\"org\":\"o\",\"id\":\"device-%zu\"}", i > 0 ? "," : "", i);
}

static void placement_rows(const struct fleet *fleet, struct buf *json)
{
    for (size_t i = 0; i < fleet->devices; i++)
        buf_format(json,
                   "%s{\"org\":\"o\",\"device\":\"device-%zu\",\"channel\":\"\",\"zone\":"
                   "\"zone-%zu\",\"from\":0,\"to\":0}",
                   i > 0 ? "," : "", i, i / DEVICES_PER_ZONE);
}

#define LEVEL(severity, level, delay) \
    "{\"severity\":\"" severity "\",\"level\":" level ",\"delay\":" delay \
    ",\"recovery_level\":" level ",\"recovery_delay\":0}"

static const struct {
    const char *kind;
    const char *quantity;
    const char *levels;
} rules[] = {
    {"above", "air_temperature",
     LEVEL("warning", "8", "1200000") "," LEVEL("critical", "12", "300000")},
    {"below", "air_temperature",
     LEVEL("warning", "2", "1200000") "," LEVEL("critical", "0", "300000")},
    {"above", "product_temperature", LEVEL("critical", "9", "1800000")},
    {"silent", "", ""},
    {"silent_device", "", ""},
};

static void rule_rows(const struct fleet *fleet, struct buf *json)
{
    for (size_t i = 0; i * DEVICES_PER_ZONE < fleet->devices; i++)
        for (size_t k = 0; k < sizeof rules / sizeof rules[0]; k++)
            buf_format(json,
                       "%s{\"id\":\"z%zu-%zu\",\"zone\":\"zone-%zu\",\"quantity\":\"%s\","
                       "\"kind\":\"%s\",\"levels\":[%s],\"silent\":3600000}",
                       i + k > 0 ? "," : "", i, k, i, rules[k].quantity, rules[k].kind,
                       rules[k].levels);
}

/* As the last checkpoint left it: more than one record of the journal can hold. */
static void configure(struct fleet *fleet)
{
    struct buf json = {0};
    buf_text(&json, "{\"zones\":[");
    zone_rows(fleet, &json);
    buf_text(&json, "],\"devices\":[");
    device_rows(fleet, &json);
    buf_text(&json, "],\"placements\":[");
    placement_rows(fleet, &json);
    buf_text(&json, "],\"rules\":[");
    rule_rows(fleet, &json);
    buf_text(&json, "]}");
    must(state_begin(fleet->state), "begin");
    must(state_put_evaluation(fleet->state, "config", 0, json.data, json.len), "config");
    must(state_commit(fleet->state), "commit");
    buf_fini(&json);
}

/* ---- opening ---------------------------------------------------------------------- */

static bool on_send(void *context, const char *topic, const void *data, size_t len)
{
    (void)topic;
    (void)data;
    (void)len;
    ((struct fleet *)context)->acks_sent++;
    return true;
}

static void on_command(void *context, const char *id, enum err err, const char *text,
                       const char *result)
{
    (void)context;
    (void)id;
    (void)err;
    (void)text;
    (void)result;
}

static void on_effects(void *context)
{
    (void)context;
}

static void open_stores(struct fleet *fleet)
{
    struct err_text why = {0};
    char dir[800];
    if (fleet->folder.path[0] == '\0')
        folder_make(&fleet->folder);
    snprintf(dir, sizeof dir, "%s/journal", fleet->folder.path);
    must(journal_open(&fleet->journal, dir, &(struct journal_options){0}, NULL, &why),
         why.text);
    must(state_open(&fleet->state, folder_file(&fleet->folder, "state.db"), &why),
         why.text);
    fleet->acks = acks_create(&(struct acks_options){
        .store = "00112233445566778899aabbccddeeff",
        .interval_ms = 10000,
        .credits = 8,
        .context = fleet,
        .send = on_send,
    });
}

/* Bytes per device of places, placements and rules. */
static double fleet_open(struct fleet *fleet, size_t devices, size_t per_channel,
                         bool is_deflated)
{
    struct err_text why = {0};
    fleet->devices = devices;
    fleet->per_channel = per_channel;
    fleet->is_deflated = is_deflated;
    open_stores(fleet);
    configure(fleet);
    malloc_trim(0);
    size_t before = held();
    const struct pipeline_options options = {
        .journal = fleet->journal,
        .state = fleet->state,
        .acks = fleet->acks,
        .context = fleet,
        .on_command = on_command,
        .on_effects = on_effects,
    };
    must(pipeline_open(&fleet->pipeline, &options, &why), why.text);
    malloc_trim(0);
    return (double)(held() - before) / (double)devices;
}

static void stores_close(struct fleet *fleet)
{
    pipeline_close(fleet->pipeline);
    acks_destroy(fleet->acks);
    state_close(fleet->state);
    must(journal_close(fleet->journal), "close");
    buf_fini(&fleet->body);
    buf_fini(&fleet->small);
    pack_fini(&fleet->pack);
}

static void fleet_close(struct fleet *fleet)
{
    char command[900];
    stores_close(fleet);
    snprintf(command, sizeof command, "rm -r '%s'", fleet->folder.path);
    if (system(command) != 0)
        log_warn("%s is left behind", fleet->folder.path);
}

/* ---- packs ------------------------------------------------------------------------ */

static double value_of(size_t channel, size_t at)
{
    static const double about[CHANNELS] = {4, 4.5, 88, 0};
    return channel == 3 ? 0 : about[channel] + (double)(at % 16) / 16;
}

static void fill(struct fleet *fleet, size_t device, uint64_t seq, int64_t now_ms)
{
    static const char *const names[CHANNELS] = {"air_temperature", "product_temperature",
                                                "humidity", "door"};
    struct pack *pack = &fleet->pack;
    pack_clear(pack);
    snprintf(pack->device, sizeof pack->device, "device-%zu", device);
    pack->epoch = EPOCH;
    pack->seq = seq;
    pack->clock = PACK_CLOCK_SYNCED;
    pack->wall_ms = now_ms;
    size_t count = CHANNELS * fleet->per_channel;
    for (size_t i = 0; i < count; i++) {
        struct reading reading = {.raw = (double)NAN};
        must(pack_channel(pack, names[i % CHANNELS], &reading.channel), "channel");
        reading.time_ms = now_ms - (int64_t)(count - i) / CHANNELS * 1000;
        reading.value = value_of(i % CHANNELS, i + seq);
        must(pack_add(pack, &reading), "add");
    }
}

/* An odd factor, so that every device has its turn, far from the last. */
static void make(struct fleet *fleet, struct record_message *message, char *topic,
                 int64_t *now_ms)
{
    size_t device = (fleet->at * 7919 + 13) % fleet->devices;
    uint64_t seq = fleet->at / fleet->devices + 1;
    *now_ms = T0 + fleet->later_ms +
              (int64_t)(seq * STEP_MS + device * STEP_MS / fleet->devices);
    fill(fleet, device, seq, *now_ms);
    buf_clear(&fleet->body);
    pack_format(&fleet->pack, &fleet->body);
    if (fleet->is_deflated) {
        buf_clear(&fleet->small);
        deflate_pack(&fleet->small, fleet->body.data, fleet->body.len);
    }
    struct topic name = {.kind = TOPIC_READINGS, .org = "o", .epoch = EPOCH, .seq = seq};
    snprintf(name.device, sizeof name.device, "device-%zu", device);
    topic_format(&name, topic);
    const struct buf *payload = fleet->is_deflated ? &fleet->small : &fleet->body;
    *message = (struct record_message){.topic = topic,
                                       .topic_len = strlen(topic),
                                       .payload = payload->data,
                                       .payload_len = payload->len,
                                       .qos = 1};
    fleet->at++;
}

/* Returns the CPU seconds of appending and syncing alone. */
static double append(struct fleet *fleet, size_t packs)
{
    double spent = 0;
    for (size_t i = 0; i < packs; i++) {
        struct record_message message;
        char topic[TOPIC_MAX];
        int64_t now_ms;
        make(fleet, &message, topic, &now_ms);
        uint8_t head[RECORD_MESSAGE_HEAD];
        record_message_head(&message, head);
        const struct journal_piece pieces[] = {
            {head, sizeof head},
            {topic, message.topic_len},
            {message.payload, message.payload_len},
        };
        double begin = i % 64 == 0 ? cpu_s() : 0;
        must(journal_append(fleet->journal, RECORD_MESSAGE, now_ms, 0, pieces, 3, NULL),
             "append");
        if (i % 64 == 0)
            spent += 64 * (cpu_s() - begin);
    }
    double begin = cpu_s();
    must(journal_sync(fleet->journal, NULL), "sync");
    return spent + cpu_s() - begin;
}

/* CPU seconds until all that is synced is evaluated. */
static double advance(struct fleet *fleet)
{
    double begin = cpu_s();
    struct err_text why = {0};
    for (bool more = true; more;)
        must(pipeline_advance(fleet->pipeline, BATCH, &more, &why), why.text);
    acks_flush(fleet->acks, clock_real_ms());
    return cpu_s() - begin;
}

static int compare(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

static double median(double values[TURNS])
{
    qsort(values, TURNS, sizeof *values, compare);
    return values[TURNS / 2];
}

/* ---- what is measured ------------------------------------------------------------- */

static double turn_ns(struct fleet *fleet)
{
    append(fleet, TURN_PACKS);
    return advance(fleet) * 1e9 / (TURN_PACKS * CHANNELS);
}

static void measure_fleets(size_t many)
{
    struct fleet small = {0}, large = {0};
    fleet_open(&small, FEW, 1, false);
    double places = fleet_open(&large, many, 1, false);
    append(&small, FEW);
    advance(&small);
    append(&large, many);
    size_t before = held();
    double first_s = advance(&large);
    double device_bytes = (double)(held() - before) / (double)many;
    double few_ns[TURNS], many_ns[TURNS], ratios[TURNS];
    for (size_t i = 0; i < TURNS; i++) {
        few_ns[i] = turn_ns(&small);
        many_ns[i] = turn_ns(&large);
        ratios[i] = many_ns[i] / few_ns[i];
    }
    printf("{\"devices\":%zu,\"few_ns\":%.1f,\"many_ns\":%.1f,\"ratio\":%.3f,"
           "\"first_ns\":%.1f,\"device_bytes\":%.0f,\"places_bytes\":%.0f}\n",
           many, median(few_ns), median(many_ns), median(ratios),
           first_s * 1e9 / ((double)many * CHANNELS), device_bytes, places);
    fflush(stdout);
    fleet_close(&large);
    fleet_close(&small);
}

static void measure_packs(bool is_deflated, size_t packs)
{
    struct fleet fleet = {0};
    const size_t readings = 60;
    fleet_open(&fleet, FEW, readings / CHANNELS, is_deflated);
    append(&fleet, FEW);
    advance(&fleet);
    double append_ns[TURNS], advance_ns[TURNS], all_ns[TURNS];
    for (size_t i = 0; i < TURNS; i++) {
        append_ns[i] = append(&fleet, packs) * 1e9 / (double)(packs * readings);
        advance_ns[i] = advance(&fleet) * 1e9 / (double)(packs * readings);
        all_ns[i] = append_ns[i] + advance_ns[i];
    }
    printf("{\"packs_of\":%zu,\"deflated\":%s,\"append_ns\":%.1f,\"advance_ns\":%.1f,"
           "\"all_ns\":%.1f}\n",
           readings, is_deflated ? "true" : "false", median(append_ns),
           median(advance_ns), median(all_ns));
    fflush(stdout);
    fleet_close(&fleet);
}

/* One second more; returns the CPU seconds that it took. */
static double tick_s(struct fleet *fleet, int64_t now_ms)
{
    const struct journal_piece piece = {"", 1};
    must(journal_append(fleet->journal, RECORD_TICK, now_ms, 0, &piece, 1, NULL), "tick");
    must(journal_sync(fleet->journal, NULL), "sync");
    return advance(fleet);
}

static uint64_t count_open(struct fleet *fleet)
{
    uint64_t count = 0;
    must(state_count_incidents(fleet->state, 1u << INCIDENT_OPEN, &count), "count");
    return count;
}

/* All fall silent at once, and stay so for some minutes. */
static void measure_silence(size_t devices)
{
    struct fleet fleet = {0};
    fleet_open(&fleet, devices, 1, false);
    append(&fleet, devices);
    advance(&fleet);
    int64_t now_ms = T0 + 2 * STEP_MS + SILENT_MS;
    double opening_s = tick_s(&fleet, now_ms);
    double worst_s = 0, all_s = 0;
    for (size_t i = 0; i < SILENT_TICKS; i++) {
        double spent = tick_s(&fleet, now_ms += 1000);
        all_s += spent;
        worst_s = spent > worst_s ? spent : worst_s;
    }
    uint64_t silent = count_open(&fleet);
    fleet.later_ms = now_ms - T0;
    append(&fleet, devices);
    double heard_s = advance(&fleet);
    printf("{\"silent\":%" PRIu64 ",\"opening_s\":%.2f,\"tick_worst_ms\":%.1f,"
           "\"tick_mean_ms\":%.2f,\"heard_s\":%.2f,\"left\":%" PRIu64 "}\n",
           silent, opening_s, worst_s * 1e3, all_s * 1e3 / SILENT_TICKS, heard_s,
           count_open(&fleet));
    fflush(stdout);
    fleet_close(&fleet);
}

/* Records of a newer version: the journal's cost without the evaluation's. */
static void append_bulk(struct fleet *fleet, uint64_t bytes)
{
    size_t size = (size_t)1 << 20;
    uint8_t *body = mem_alloc(size);
    struct rng rng = {.state = 1};
    for (size_t i = 0; i < size; i++)
        body[i] = (uint8_t)rng_below(&rng, 256);
    const struct journal_piece piece = {body, size};
    for (uint64_t done = 0; done < bytes; done += size) {
        must(journal_append(fleet->journal, 200, T0, 0, &piece, 1, NULL), "append");
        if (done % (64 * size) == 0)
            must(journal_sync(fleet->journal, NULL), "sync");
    }
    free(body);
}

static void make_house(const char *data_dir, size_t devices, uint64_t bytes)
{
    struct fleet fleet = {0};
    struct err_text why = {0};
    snprintf(fleet.folder.path, sizeof fleet.folder.path, "%s", data_dir);
    fleet_open(&fleet, devices, 1, false);
    append(&fleet, devices);
    advance(&fleet);
    must(pipeline_checkpoint(fleet.pipeline, &why), why.text);
    append_bulk(&fleet, bytes);
    must(journal_sync(fleet.journal, NULL), "sync");
    stores_close(&fleet);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--house") == 0) {
        make_house(argv[2], strtoul(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
        return EXIT_SUCCESS;
    }
    if (argc == 3 && strcmp(argv[1], "--silent") == 0) {
        measure_silence(strtoul(argv[2], NULL, 10));
        return EXIT_SUCCESS;
    }
    bool is_quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    measure_packs(false, is_quick ? 1000 : 4000);
    measure_packs(true, is_quick ? 1000 : 4000);
    measure_fleets(is_quick ? 100000 : 1000000);
    return EXIT_SUCCESS;
}
