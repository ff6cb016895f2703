// SPDX-License-Identifier: Apache-2.0
#include "freshness/band.h"

#include <math.h>

#include "freshness/profile_set.h"
#include "tests/support/check.h"

#define OPEN ((double)NAN)

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void what_all_bear_is_in_every_band(void)
{
    static const struct {
        const char *name;
        struct band a;
        struct band b;
        struct band want;
        bool is_empty;
    } rows[] = {
        {"within", {0, 10}, {2, 8}, {2, 8}, false},
        {"overlap", {0, 4}, {2, 8}, {2, 4}, false},
        {"touch", {0, 4}, {4, 8}, {4, 4}, false},
        {"apart", {0, 1}, {13, 14}, {13, 1}, true},
        {"open above", {2, (double)NAN}, {0, 8}, {2, 8}, false},
        {"open both", {(double)NAN, (double)NAN}, {0, 8}, {0, 8}, false},
        {"both open below", {(double)NAN, 4}, {(double)NAN, 8}, {(double)NAN, 4}, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct band got = band_intersect(rows[i].a, rows[i].b);
        struct band turned = band_intersect(rows[i].b, rows[i].a);
        CHECK_ROW(rows[i].name, same(got.low, rows[i].want.low));
        CHECK_ROW(rows[i].name, same(got.high, rows[i].want.high));
        CHECK_ROW(rows[i].name, same(got.low, turned.low) && same(got.high, turned.high));
        CHECK_ROW(rows[i].name, band_is_empty(got) == rows[i].is_empty);
        CHECK_ROW(rows[i].name, !band_is_open(got));
    }
    CHECK(band_is_open(
        band_intersect((struct band){OPEN, OPEN}, (struct band){OPEN, OPEN})));
}

/* Bananas are hurt where apples are at home. */
static void produce_that_cannot_share_a_room_is_found(void)
{
    struct profile_set *set = profile_set_create();
    struct band apple = band_of_profile(profile_set_find(set, "apple"));
    struct band banana = band_of_profile(profile_set_find(set, "banana"));
    struct band cabbage = band_of_profile(profile_set_find(set, "cabbage"));
    CHECK(band_is_empty(band_intersect(apple, banana)));
    CHECK(!band_is_empty(band_intersect(apple, cabbage)));
    profile_set_destroy(set);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"what all bear is in every band", what_all_bear_is_in_every_band},
        {"produce that cannot share a room is found",
         produce_that_cannot_share_a_room_is_found},
        CU_TEST_INFO_NULL,
    };
    return check_run("band", tests);
}
