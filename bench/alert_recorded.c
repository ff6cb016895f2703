// SPDX-License-Identifier: Apache-2.0
#include "bench/alert_recorded.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/mem.h"
#include "bench/alert_watch.h"
#include "bench/alerts_splice.h"

#define RECORD    "datasets/freezer_celsi/CELSI-raw-data-reports.csv"
#define FILE_MAX  ((size_t)16 << 20)
#define LEVEL_C   (-10.0) /* above: a defrost, or a door */
#define BEFORE    1440    /* readings of a minute that rules see before a failure */
#define AFTER     720     /* and after its beginning */
#define SECONDS   5       /* column "LinuxTime" */
#define VALUE     6       /* column "Temperature" */
#define MINUTE_MS 60000.0

struct record {
    struct record_point *points;
    size_t count;
    size_t capacity;
};

static void read_points(struct record *record, const struct buf *text)
{
    struct csv csv;
    csv_init(&csv, text->data, text->len);
    while (csv_next(&csv, NULL) == ERR_OK) {
        double seconds, value_C;
        if (csv.count <= VALUE || !csv_number(&csv.fields[SECONDS], false, &seconds) ||
            !csv_number(&csv.fields[VALUE], false, &value_C) || isnan(seconds) ||
            isnan(value_C))
            continue;
        mem_grow(&record->points, &record->capacity, record->count + 1,
                 sizeof record->points[0]);
        record->points[record->count++] =
            (struct record_point){(int64_t)seconds * 1000, value_C};
    }
}

static enum err read_record(struct record *record, struct err_text *why)
{
    const char *folder = getenv("COLDCHAIN_SHARED");
    struct buf path = {0}, text = {0};
    buf_format(&path, "%s/%s", folder != NULL ? folder : "../shared", RECORD);
    enum err err = file_read(&text, path.data, FILE_MAX, why);
    if (err == ERR_OK)
        read_points(record, &text);
    buf_fini(&text);
    buf_fini(&path);
    return err;
}

/* Minutes from the splice to the first notice after it; NaN when there was none. */
static double minutes_to_tell(const struct record *record, const struct splice *splice,
                              size_t set)
{
    struct watch watch;
    watch_begin(&watch, set, WORLD_FREEZER);
    for (size_t i = splice->first - BEFORE; i < splice->first + AFTER; i++)
        watch_reading(&watch, record->points[i].time_ms, record->points[i].time_ms,
                      splice_value(splice, record->points, i));
    int64_t from_ms = record->points[splice->first].time_ms;
    double minutes = (double)NAN;
    for (size_t i = 0; i < watch.count && isnan(minutes); i++)
        if (watch.notices[i].event_ms >= from_ms)
            minutes = (double)(watch.notices[i].told_ms - from_ms) / MINUTE_MS;
    watch_end(&watch);
    return minutes;
}

/* Every notification of the record as it is, which has no failure. */
static size_t false_notices(const struct record *record, size_t set)
{
    struct watch watch;
    watch_begin(&watch, set, WORLD_FREEZER);
    for (size_t i = 0; i < record->count; i++)
        watch_reading(&watch, record->points[i].time_ms, record->points[i].time_ms,
                      record->points[i].value_C);
    size_t count = watch.count;
    watch_end(&watch);
    return count;
}

static void run_set(const struct record *record, const struct splice *splices, size_t set)
{
    struct minutes told = {0};
    size_t missed_in_defrosts = 0;
    for (size_t i = 0; i < SPLICE_COUNT; i++) {
        double minutes = minutes_to_tell(record, &splices[i], set);
        if (isnan(minutes)) {
            missed_in_defrosts += splices[i].in_defrost;
            continue;
        }
        mem_grow(&told.values, &told.capacity, told.count + 1, sizeof(double));
        told.values[told.count++] = minutes;
    }
    printf("{\"bench\": \"alert_quality\", \"world\": \"recorded freezer\", "
           "\"rules\": \"%s\", \"false\": %zu, \"spliced\": %d, \"missed\": %zu, "
           "\"missed_in_defrosts\": %zu, \"told_min_median\": ",
           rule_set_name(set), false_notices(record, set), SPLICE_COUNT,
           SPLICE_COUNT - told.count, missed_in_defrosts);
    if (told.count == 0)
        printf("null, \"told_min_worst\": null}\n");
    else
        printf("%.1f, \"told_min_worst\": %.1f}\n", minutes_quantile(&told, 0.5),
               minutes_quantile(&told, 1));
    free(told.values);
}

void recorded_run(uint64_t seed)
{
    struct record record = {0};
    struct splice splices[SPLICE_COUNT];
    struct err_text why = {""};
    enum err err = read_record(&record, &why);
    if (err == ERR_OK)
        err = splice_choose(splices, record.points, record.count, LEVEL_C, BEFORE, AFTER,
                            seed, &why);
    if (err != ERR_OK)
        fprintf(stderr, "left out, the recorded freezer: %s\n", why.text);
    for (size_t set = 0; err == ERR_OK && set < RULE_SETS; set++)
        run_set(&record, splices, set);
    free(record.points);
}
