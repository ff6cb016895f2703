// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.h"
#include "tests/support/check.h"

/* The largest of many first, second, ... waits comes near its ceiling and never above. */
static void waits_double_up_to_the_limit(void)
{
    static const int64_t ceilings[] = {500, 1000, 2000, 4000, 5000, 5000};
    int64_t largest[6] = {0};
    int64_t smallest[6] = {5000, 5000, 5000, 5000, 5000, 5000};
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct backoff backoff;
        backoff_init(&backoff, 500, 5000, seed);
        for (size_t i = 0; i < 6; i++) {
            int64_t wait = backoff_next(&backoff);
            largest[i] = wait > largest[i] ? wait : largest[i];
            smallest[i] = wait < smallest[i] ? wait : smallest[i];
        }
    }
    for (size_t i = 0; i < 6; i++) {
        CHECK(largest[i] <= ceilings[i] && largest[i] > ceilings[i] * 98 / 100);
        CHECK(smallest[i] >= 0 && smallest[i] < ceilings[i] * 2 / 100);
    }
}

static void a_success_starts_over(void)
{
    struct backoff backoff;
    backoff_init(&backoff, 1, INT64_MAX, 7);
    for (int i = 0; i < 200; i++)
        CHECK(backoff_next(&backoff) >= 0);
    CHECK(backoff.ceiling_ms == INT64_MAX);
    backoff_reset(&backoff);
    CHECK(backoff_next(&backoff) <= 1);
}

static CU_TestInfo tests[] = {
    {"waits double up to the limit", waits_double_up_to_the_limit},
    {"a success starts over", a_success_starts_over},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("backoff", tests);
}
