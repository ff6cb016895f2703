// SPDX-License-Identifier: Apache-2.0
/* Guessing gets slower, the owner gets in, and the table stays small. */
#include "collector/access/throttle.h"

#include <stdio.h>

#include "base/crypto.h"
#include "tests/support/check.h"

static const struct throttle_policy policy = {
    .free = 3, .first_ms = 1000, .most_ms = 60000, .forget_ms = 3600000};

static void waits_double_up_to_a_bound(void)
{
    static const int64_t want[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct throttle *throttle = throttle_create(&policy);
    int64_t now = 1000000;
    CHECK(throttle_try(throttle, "wang", now) == 0);
    CHECK(throttle_try(throttle, "wang", now) == 0);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        CHECK(throttle_try(throttle, "wang", now) == 0);
        CHECK(throttle_try(throttle, "wang", now) == want[i]);
        CHECK(throttle_try(throttle, "wang", now + want[i] - 1) == 1);
        now += want[i];
    }
    throttle_destroy(throttle);
}

static void many_at_once_gain_nothing(void)
{
    struct throttle *throttle = throttle_create(&policy);
    int went_on = 0;
    for (int i = 0; i < 1000; i++)
        went_on += throttle_try(throttle, "wang", 5000) == 0;
    CHECK(went_on == 3);
    throttle_destroy(throttle);
}

static void a_day_of_guessing_is_bounded(void)
{
    struct throttle *throttle = throttle_create(&policy);
    int went_on = 0;
    for (int64_t now = 1; now < 86400000; now += 100)
        went_on += throttle_try(throttle, "wang", now) == 0;
    CHECK(went_on > 1000 && went_on <= 86400000 / 60000 + 20);
    throttle_destroy(throttle);
}

static void keys_do_not_disturb_each_other(void)
{
    struct throttle *throttle = throttle_create(&policy);
    for (int i = 0; i < 3; i++)
        CHECK(throttle_try(throttle, "wang", 1000) == 0);
    CHECK(throttle_try(throttle, "wang", 1000) == 1000);
    CHECK(throttle_try(throttle, "li", 1000) == 0);
    throttle_pass(throttle, "li");
    CHECK(throttle_try(throttle, "wang", 1500) == 500);
    throttle_pass(throttle, "wang");
    CHECK(throttle_try(throttle, "wang", 1500) == 0);
    throttle_destroy(throttle);
}

static void what_is_long_ago_is_forgotten(void)
{
    struct throttle *throttle = throttle_create(&policy);
    for (int i = 0; i < 3; i++)
        CHECK(throttle_try(throttle, "wang", 1000) == 0);
    CHECK(throttle_try(throttle, "wang", 1001) > 0);
    for (int i = 0; i < 3; i++)
        CHECK(throttle_try(throttle, "wang", 3601000) == 0);
    CHECK(throttle_try(throttle, "wang", 3601000) == 1000);
    /* and a clock that goes back locks nobody out */
    CHECK(throttle_try(throttle, "wang", 500) == 0);
    throttle_destroy(throttle);
}

static void a_flood_of_keys_forgets_the_oldest(void)
{
    struct throttle *throttle = throttle_create(&policy);
    char key[32];
    for (int i = 0; i < 3; i++)
        CHECK(throttle_try(throttle, "oldest", 1000) == 0);
    for (int i = 0; i < THROTTLE_KEYS - 1; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK(throttle_try(throttle, key, 1001) == 0);
    }
    CHECK(throttle_try(throttle, "oldest", 1100) > 0);
    CHECK(throttle_try(throttle, "one more", 1100) == 0);
    CHECK(throttle_try(throttle, "oldest", 1100) == 0);
    throttle_destroy(throttle);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"waits double up to a bound", waits_double_up_to_a_bound},
        {"many at once gain nothing", many_at_once_gain_nothing},
        {"a day of guessing is bounded", a_day_of_guessing_is_bounded},
        {"keys do not disturb each other", keys_do_not_disturb_each_other},
        {"what is long ago is forgotten", what_is_long_ago_is_forgotten},
        {"a flood of keys forgets the oldest", a_flood_of_keys_forgets_the_oldest},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("throttle", tests);
}
