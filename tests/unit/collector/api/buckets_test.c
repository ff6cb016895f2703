// SPDX-License-Identifier: Apache-2.0
/* Few points that hide nothing: by rows, and by lot against the plainest computation. */
#include "collector/api/buckets.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "tests/support/check.h"

static void a_grid_covers_its_time_and_no_more(void)
{
    static const struct {
        const char *name;
        int64_t from_ms;
        int64_t to_ms;
        size_t most;
        int64_t width_ms;
        size_t count;
    } rows[] = {
        {"even", 0, 1000, 10, 100, 10},
        {"the last part ends early", 0, 1001, 10, 101, 10},
        {"fewer parts than asked for", 0, 11, 10, 2, 6},
        {"a part is a millisecond at least", 0, 3, 10, 1, 3},
        {"one", -5, 5, 1, 10, 1},
        {"before 1970", -1000, -900, 4, 25, 4},
        {"no time", 5, 5, 10, 1, 0},
        {"backwards", 6, 5, 10, 1, 0},
        {"all time", 0, INT64_C(999999999999999999), 2000, INT64_C(500000000000000),
         2000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct bucket_grid grid =
            bucket_grid_of(rows[i].from_ms, rows[i].to_ms, rows[i].most);
        CHECK_ROW(rows[i].name, grid.width_ms == rows[i].width_ms);
        CHECK_ROW(rows[i].name, grid.count == rows[i].count);
        if (grid.count == 0)
            continue;
        CHECK_ROW(rows[i].name, bucket_index(&grid, rows[i].from_ms) == 0);
        CHECK_ROW(rows[i].name, bucket_index(&grid, rows[i].to_ms - 1) == grid.count - 1);
        CHECK_ROW(rows[i].name, bucket_start_ms(&grid, grid.count - 1) < rows[i].to_ms);
    }
}

static void what_is_not_good_moves_no_point(void)
{
    struct bucket bucket = {0};
    bucket_add(&bucket, 10, (double)NAN, QUALITY_OPEN);
    bucket_add(&bucket, 20, (double)NAN, QUALITY_GOOD);
    bucket_add(&bucket, 25, (double)INFINITY, QUALITY_GOOD);
    CHECK(bucket.counts[QUALITY_GOOD] == 0);
    CHECK(bucket.counts[QUALITY_OPEN] == 1 && bucket.counts[QUALITY_FAULT] == 2);
    bucket_add(&bucket, 30, 4.5, QUALITY_GOOD);
    bucket_add(&bucket, 40, 85.0, QUALITY_STARTUP);
    bucket_add(&bucket, 90, 4.25, QUALITY_GOOD);
    CHECK(bucket.counts[QUALITY_GOOD] == 2 && bucket.counts[QUALITY_STARTUP] == 1);
    CHECK(bucket.first.time_ms == 30 && bucket.last.time_ms == 90);
    CHECK(bucket.most.time_ms == 30 && bucket.least.time_ms == 90);
    CHECK(bucket.gap_ms == 60);
}

struct sent {
    int64_t time_ms;
    double value;
    enum quality quality;
};

#define SENT_MAX 2000

static struct bucket naive(const struct sent *sent, size_t count, int64_t from_ms,
                           int64_t to_ms)
{
    struct bucket want = {0};
    const struct sent *before = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct sent *one = &sent[i];
        if (one->time_ms < from_ms || one->time_ms >= to_ms)
            continue;
        want.counts[one->quality]++;
        if (one->quality != QUALITY_GOOD)
            continue;
        const struct bucket_point point = {one->time_ms, one->value};
        if (before == NULL)
            want.first = want.least = want.most = point;
        want.last = point;
        if (point.value < want.least.value)
            want.least = point;
        if (point.value > want.most.value)
            want.most = point;
        if (before != NULL && one->time_ms - before->time_ms > want.gap_ms)
            want.gap_ms = one->time_ms - before->time_ms;
        before = one;
    }
    return want;
}

static bool is_same_point(const struct bucket_point *a, const struct bucket_point *b)
{
    return a->time_ms == b->time_ms && a->value == b->value;
}

static bool is_same(const struct bucket *a, const struct bucket *b)
{
    return memcmp(a->counts, b->counts, sizeof a->counts) == 0 &&
           is_same_point(&a->first, &b->first) && is_same_point(&a->last, &b->last) &&
           is_same_point(&a->least, &b->least) && is_same_point(&a->most, &b->most) &&
           a->gap_ms == b->gap_ms;
}

static bool one_lot(struct rng *rng)
{
    bool is_right = true;
    static struct sent sent[SENT_MAX];
    size_t count = rng_below(rng, SENT_MAX);
    int64_t now_ms = 1000;
    for (size_t i = 0; i < count; i++) {
        now_ms += (int64_t)rng_below(rng, rng_chance(rng, 0.05) ? 9000 : 90);
        sent[i].time_ms = now_ms;
        sent[i].quality = rng_below(rng, 8) == 0
                              ? (enum quality)(1 + rng_below(rng, QUALITY_FAULT))
                              : QUALITY_GOOD;
        /* Few different values, so that the earliest of equals is tried. */
        sent[i].value = sent[i].quality == QUALITY_GOOD
                            ? (double)rng_below(rng, 40) / 4 - 5
                            : (double)NAN;
    }
    const struct bucket_grid grid = bucket_grid_of(
        1000 - (int64_t)rng_below(rng, 500), now_ms + 1 + (int64_t)rng_below(rng, 500),
        1 + rng_below(rng, 300));
    struct bucket *buckets = mem_array(grid.count, sizeof *buckets);
    for (size_t i = 0; i < count; i++)
        bucket_add(&buckets[bucket_index(&grid, sent[i].time_ms)], sent[i].time_ms,
                   sent[i].value, sent[i].quality);
    for (size_t i = 0; i < grid.count; i++) {
        int64_t start_ms = bucket_start_ms(&grid, i);
        const struct bucket want = naive(sent, count, start_ms, start_ms + grid.width_ms);
        is_right = is_right && is_same(&buckets[i], &want);
    }
    CHECK(is_right);
    free(buckets);
    return is_right;
}

static void every_bucket_is_what_a_plain_look_finds(void)
{
    const char *given = getenv("COLDCHAIN_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20261126;
    for (uint64_t i = 0; i < 60; i++) {
        struct rng rng = {.state = seed + i};
        if (!one_lot(&rng))
            printf("\n    seed %" PRIu64, seed + i);
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a grid covers its time and no more", a_grid_covers_its_time_and_no_more},
        {"what is not good moves no point", what_is_not_good_moves_no_point},
        {"every bucket is what a plain look finds",
         every_bucket_is_what_a_plain_look_finds},
        CU_TEST_INFO_NULL,
    };
    return check_run("buckets", tests);
}
