// SPDX-License-Identifier: Apache-2.0
#include "bench/alerts_splice.h"

#include <math.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/mem.h"
#include "tests/support/check.h"

#define BEFORE     1440
#define AFTER      720
#define LEVEL_C    (-10.0)
#define DEMO_COUNT 14400 /* ten days of minutes */

/* -20 C, and +2 C for half an hour each day. */
static struct record_point *demo_record(void)
{
    struct record_point *points = mem_array(DEMO_COUNT, sizeof *points);
    for (int i = 0; i < DEMO_COUNT; i++)
        points[i] = (struct record_point){(int64_t)i * 60000, i % 1440 < 30 ? 2 : -20};
    return points;
}

static void test_moments(void)
{
    struct record_point *points = demo_record();
    struct splice splices[SPLICE_COUNT], again[SPLICE_COUNT], other[SPLICE_COUNT];
    struct err_text why = {""};
    CHECK(splice_choose(splices, points, DEMO_COUNT, LEVEL_C, BEFORE, AFTER, 10000,
                        &why) == ERR_OK);
    CHECK(splice_choose(again, points, DEMO_COUNT, LEVEL_C, BEFORE, AFTER, 10000, &why) ==
          ERR_OK);
    CHECK(splice_choose(other, points, DEMO_COUNT, LEVEL_C, BEFORE, AFTER, 10001, &why) ==
          ERR_OK);
    int in_defrosts = 0, fast = 0, same = 0, different = 0;
    for (size_t i = 0; i < SPLICE_COUNT; i++) {
        CHECK(splices[i].first >= BEFORE && splices[i].first < DEMO_COUNT - AFTER);
        CHECK((points[splices[i].first].value_C > LEVEL_C) == splices[i].in_defrost);
        in_defrosts += splices[i].in_defrost;
        fast += fabs(splices[i].tau_h - 4) < 0.01;
        same += splices[i].first == again[i].first;
        different += splices[i].first != other[i].first;
    }
    CHECK(in_defrosts == SPLICE_IN_DEFROSTS && fast == SPLICE_COUNT / 2);
    CHECK(same == SPLICE_COUNT && different > SPLICE_COUNT / 2);
    free(points);
}

static void test_rise(void)
{
    struct record_point *points = demo_record();
    struct splice splice = {.first = 2000, .tau_h = 4};
    CHECK(fabs(splice_value(&splice, points, 1999) - -20) < 1e-9);
    CHECK(fabs(splice_value(&splice, points, 2000) - -20) < 1e-9);
    /* One time constant: 20 - 40 / e. */
    CHECK(fabs(splice_value(&splice, points, 2240) - 5.28) < 0.051);
    CHECK(fabs(splice_value(&splice, points, 2000 + 10 * 240) - 20) < 0.051);
    free(points);
}

static void test_refused(void)
{
    struct record_point *points = demo_record();
    struct splice splices[SPLICE_COUNT];
    struct err_text why = {""};
    CHECK(splice_choose(splices, points, 1000, LEVEL_C, BEFORE, AFTER, 1, &why) ==
          ERR_INVALID);
    CHECK(splice_choose(splices, points, DEMO_COUNT, 10, BEFORE, AFTER, 1, &why) ==
          ERR_INVALID);
    points[77].time_ms = points[76].time_ms;
    CHECK(splice_choose(splices, points, DEMO_COUNT, LEVEL_C, BEFORE, AFTER, 1, &why) ==
          ERR_INVALID);
    free(points);
}

/* Columns "LinuxTime" and "Temperature" of the recorded freezer. */
static struct record_point *read_record(struct csv *csv, size_t *count)
{
    struct record_point *points = NULL;
    size_t capacity = 0;
    *count = 0;
    while (csv_next(csv, NULL) == ERR_OK) {
        double seconds, value_C;
        if (csv->count < 7 || !csv_number(&csv->fields[5], false, &seconds) ||
            !csv_number(&csv->fields[6], false, &value_C))
            continue;
        mem_grow(&points, &capacity, *count + 1, sizeof *points);
        points[(*count)++] = (struct record_point){(int64_t)seconds * 1000, value_C};
    }
    return points;
}

static void test_recorded_freezer(void)
{
    char folder[2048];
    const char *name = "datasets/freezer_celsi/CELSI-raw-data-reports.csv";
    if (check_shared_dir(folder, sizeof folder, name) == NULL)
        return;
    struct buf path = {0}, text = {0};
    buf_format(&path, "%s/%s", folder, name);
    CHECK(file_read(&text, path.data, 1 << 23, NULL) == ERR_OK);
    struct csv csv;
    csv_init(&csv, text.data, text.len);
    size_t count;
    struct record_point *points = read_record(&csv, &count);
    CHECK(count > 20000);
    struct splice splices[SPLICE_COUNT];
    struct err_text why = {""};
    CHECK(splice_choose(splices, points, count, LEVEL_C, BEFORE, AFTER, 10000, &why) ==
          ERR_OK);
    for (size_t i = 0; i < SPLICE_COUNT; i++)
        CHECK((points[splices[i].first].value_C > LEVEL_C) == splices[i].in_defrost);
    free(points);
    buf_fini(&text);
    buf_fini(&path);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"fifty moments by seed, five of them inside defrosts, half of each time constant",
         test_moments},
        {"from the moment on the air rises by its time constant", test_rise},
        {"a record that is short, unordered or without defrost is refused", test_refused},
        {"the recorded freezer takes fifty failures", test_recorded_freezer},
        CU_TEST_INFO_NULL,
    };
    return check_run("alerts_splice", tests);
}
