// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <math.h>

#include "tests/support/check.h"

/* First outputs of splitmix64 for seed 1234567, as published with the algorithm. */
static void splitmix_vectors(void)
{
    static const uint64_t want[] = {6457827717110365317u, 3203168211198807973u,
                                    9817491932198370423u, 4593380528125082431u,
                                    16408922859458223821u};
    struct rng rng = {.state = 1234567};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        CHECK(rng_next(&rng) == want[i]);
}

static void ranges_hold(void)
{
    struct rng rng = {.state = 7};
    for (int i = 0; i < 10000; i++) {
        double unit = rng_uniform(&rng);
        CHECK(unit >= 0 && unit < 1);
        CHECK(rng_below(&rng, 13) < 13);
    }
    CHECK(rng_chance(&rng, 1));
    CHECK(!rng_chance(&rng, 0));
}

static void normal_has_its_moments(void)
{
    enum { COUNT = 100000 };
    double sum = 0;
    double squares = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        double value = rng_hash_normal(42, i);
        sum += value;
        squares += value * value;
    }
    CHECK(fabs(sum / COUNT) < 0.02);
    CHECK(fabs(squares / COUNT - 1) < 0.03);
}

static void hash_depends_on_both(void)
{
    CHECK(rng_hash(1, 2) == rng_hash(1, 2));
    CHECK(rng_hash(1, 2) != rng_hash(2, 1));
    CHECK(rng_hash(1, 2) != rng_hash(1, 3));
    CHECK(rng_hash_uniform(9, 9) < 1);
    CHECK(rng_seed_of("room-1") != rng_seed_of("room-2"));
    CHECK(rng_seed_of("") == 0xcbf29ce484222325u);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"the stream is splitmix64", splitmix_vectors},
        {"numbers stay in their ranges", ranges_hold},
        {"the normal has mean 0 and variance 1", normal_has_its_moments},
        {"a hash depends on seed and number", hash_depends_on_both},
        CU_TEST_INFO_NULL,
    };
    return check_run("rng", tests);
}
