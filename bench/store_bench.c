// SPDX-License-Identifier: Apache-2.0
/*
 * store_bench - what history costs: CPU per message appended and moved, bytes per reading
 * on disk, milliseconds per query.
 *
 * usage: store_bench [FOLDER [WORKLOAD]]. One line of JSON per workload, or for the one
 * of that number; the files are made in a folder below FOLDER (default /tmp) and removed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "collector/store/history.h"
#include "tests/support/folder.h"

#define T0           INT64_C(1761955200000) /* 2025-11-01 */
#define BATCH        1000
#define CHANNELS_MAX 4
#define COMPACT_ROWS (3 * BATCH)
#define DAYS         30
#define DAY_MS       INT64_C(86400000)
#define COLLECTOR_US 25.0 /* of the subscriber that the budget is a share of */

struct workload {
    const char *name;
    size_t devices;
    size_t messages; /* in all */
    size_t channels;
    int64_t interval_ms;
    bool is_noise; /* full doubles instead of tenths */
};

static const struct workload workloads[] = {
    {"flood: 1,000 devices, 3 readings a message", 1000, 600000, 3, 100, false},
    {"a month of minutes, 2 channels, tenths", 20, 20 * DAYS * 1440, 2, 60000, false},
    {"a month of minutes, 2 channels, full doubles", 20, 20 * DAYS * 1440, 2, 60000,
     true},
    {"a province: 100,000 devices once a minute", 100000, 1000000, 3, 60000, false},
};

static void must(enum err err, const char *what)
{
    if (err != ERR_OK)
        log_fatal("%s: %s", what, err_name(err));
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double value_of(const struct workload *workload, struct rng *rng, size_t device,
                       size_t turn, size_t channel)
{
    double hours = (double)turn * (double)workload->interval_ms / 3600000;
    double value = (channel == 0 ? 4 : 88) + sin(hours * 6 + (double)device) +
                   0.1 * rng_uniform(rng);
    return workload->is_noise ? value : round(value * 10) / 10;
}

/* Message `i`: the devices take turns. */
static void make(const struct workload *workload, struct rng *rng, size_t i,
                 struct history_message *message, struct pack *pack, char name[32])
{
    size_t device = i % workload->devices;
    size_t round = i / workload->devices;
    int64_t time_ms =
        T0 + (int64_t)round * workload->interval_ms + (int64_t)device % 1000;
    snprintf(name, 32, "gateway-%06zu", device);
    *message = (struct history_message){
        .position = i + 1,
        .org = "fengjie",
        .device = name,
        .epoch = 0x9d3c51aa07b8e2f4 + device,
        .seq = round + 1,
        .arrival_ms = time_ms + 30 + (int64_t)rng_below(rng, 20),
    };
    for (size_t k = 0; k < workload->channels; k++)
        pack->readings[k] = (struct reading){
            .time_ms = time_ms,
            .value = value_of(workload, rng, device, round, k),
            .raw = (double)NAN,
            .channel = (uint16_t)k,
        };
}

struct costs {
    double append_us; /* of the whole workload */
    double move_us;
};

static void move_rows(struct history *history, bool all, struct costs *costs)
{
    bool more = all || history_compact_due(history);
    double start = cpu_us();
    while (more) {
        must(history_compact(history, COMPACT_ROWS, &more), "compact");
        if (!all)
            break;
    }
    costs->move_us += cpu_us() - start;
}

static struct costs fill(const struct workload *workload, struct history *history)
{
    static const char *const names[CHANNELS_MAX] = {"air_temperature", "humidity", "door",
                                                    "mains"};
    struct channel channels[CHANNELS_MAX];
    struct reading readings[CHANNELS_MAX];
    struct pack pack = {.channels = channels,
                        .channel_count = workload->channels,
                        .readings = readings,
                        .reading_count = workload->channels};
    struct rng rng = {.state = 1};
    struct costs costs = {0};
    static struct history_message messages[BATCH];
    static struct reading copies[BATCH][CHANNELS_MAX];
    static char device_names[BATCH][32];
    for (size_t k = 0; k < CHANNELS_MAX; k++)
        snprintf(channels[k].name, ID_SIZE, "%s", names[k]);
    for (size_t at = 0; at < workload->messages; at += BATCH) {
        for (size_t i = 0; i < BATCH; i++) {
            make(workload, &rng, at + i, &messages[i], &pack, device_names[i]);
            memcpy(copies[i], readings, sizeof readings);
        }
        double start = cpu_us();
        must(history_begin(history), "begin");
        for (size_t i = 0; i < BATCH; i++) {
            pack.readings = copies[i];
            must(history_append(history, &messages[i], &pack), "append");
        }
        must(history_commit(history, at + BATCH), "commit");
        costs.append_us += cpu_us() - start;
        pack.readings = readings;
        move_rows(history, false, &costs);
    }
    return costs;
}

static bool count_one(void *context, const struct history_reading *reading)
{
    size_t *count = context;
    *count += reading->time_ms >= T0;
    return true;
}

/* Milliseconds for `days` days of one device's readings. */
static double query_ms(const char *dir, int64_t days, size_t *count)
{
    struct history_reader *reader = NULL;
    *count = 0;
    must(history_reader_open(&reader, dir, NULL), "open a reader");
    const struct history_range range = {.org = "fengjie",
                                        .device = "gateway-000007",
                                        .from_ms = T0,
                                        .to_ms = T0 + days * DAY_MS};
    int64_t start = clock_real_ns();
    must(history_query(reader, &range, HISTORY_LIMIT_MAX, count, count_one), "query");
    double ms = (double)(clock_real_ns() - start) / 1e6;
    history_reader_close(reader);
    return ms;
}

static struct history_stats stats_of(const char *dir)
{
    struct history_reader *reader = NULL;
    struct history_stats stats;
    must(history_reader_open(&reader, dir, NULL), "open a reader");
    must(history_stats(reader, &stats), "stats");
    history_reader_close(reader);
    return stats;
}

static uint64_t file_bytes(struct folder *folder, const char *name)
{
    struct stat status;
    return stat(folder_file(folder, name), &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void measure(const struct workload *workload, const char *where)
{
    struct folder folder;
    struct history *history = NULL;
    struct err_text why = {0};
    setenv("TMPDIR", where, 1);
    folder_make(&folder);
    must(history_open(&history, folder.path, &why), why.text);
    struct costs costs = fill(workload, history);
    size_t waiting_count = 0;
    double waiting_ms = query_ms(folder.path, 1, &waiting_count);
    uint64_t recent_rows = stats_of(folder.path).recent_rows;
    move_rows(history, true, &costs);
    history_close(history); /* moves the logs into the files */
    struct history_stats stats = stats_of(folder.path);
    double readings = (double)(stats.chunk_readings + stats.tail_readings);
    double messages = (double)workload->messages;
    size_t count = 0;
    double whole_ms = query_ms(folder.path, DAYS, &count);
    printf("{\"workload\": \"%s\", \"messages\": %zu, \"append_us_per_message\": %.2f,"
           " \"move_us_per_message\": %.2f, \"share_of_25_us\": %.2f,"
           " \"month_bytes_per_reading\": %.2f, \"history_db_bytes\": %llu,"
           " \"day_query_ms\": %.2f, \"with_recent_rows\": %llu,"
           " \"month_query_ms\": %.2f, \"month_query_readings\": %zu}\n",
           workload->name, workload->messages, costs.append_us / messages,
           costs.move_us / messages,
           (costs.append_us + costs.move_us) / messages / COLLECTOR_US,
           (double)file_bytes(&folder, "history-2025-11.db") / readings,
           (unsigned long long)file_bytes(&folder, "history.db"), waiting_ms,
           (unsigned long long)recent_rows, whole_ms, count);
    fflush(stdout);
    folder_remove(&folder);
}

int main(int argc, char **argv)
{
    size_t count = sizeof workloads / sizeof workloads[0];
    size_t only = argc > 2 ? strtoul(argv[2], NULL, 10) : count;
    for (size_t i = 0; i < count; i++)
        if (only == count || only == i)
            measure(&workloads[i], argc > 1 ? argv[1] : "/tmp");
    return EXIT_SUCCESS;
}
