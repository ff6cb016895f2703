// SPDX-License-Identifier: Apache-2.0
#include "alerts/table.h"

#include "base/rng.h"
#include "tests/support/check.h"

#define ENTRIES 500

static bool is_number(const void *entry, const void *key)
{
    return *(const unsigned *)entry == *(const unsigned *)key;
}

/* Few distinct hashes: long probes, with holes made in the middle of them. */
static uint64_t crowded(unsigned number)
{
    return number % 13;
}

static uint64_t spread(unsigned number)
{
    return table_hash(0, &number, sizeof number);
}

static void against_a_naive_twin(uint64_t (*hash_of)(unsigned number), uint64_t seed)
{
    static unsigned numbers[ENTRIES];
    bool is_in[ENTRIES] = {0};
    size_t count = 0;
    struct rng rng = {seed};
    struct table table = {0};
    for (int step = 0; step < 20000; step++) {
        unsigned n = (unsigned)rng_below(&rng, ENTRIES);
        numbers[n] = n;
        if (rng_chance(&rng, 0.3)) {
            void *found = table_find(&table, hash_of(n), is_number, &n);
            CHECK((found == &numbers[n]) == is_in[n]);
        } else if (is_in[n]) {
            table_remove(&table, hash_of(n), &numbers[n]);
            is_in[n] = false;
            count--;
        } else {
            table_add(&table, hash_of(n), &numbers[n]);
            is_in[n] = true;
            count++;
        }
        CHECK(table.count == count);
    }
    size_t at = 0, seen = 0;
    for (unsigned *n = table_next(&table, &at); n != NULL; n = table_next(&table, &at)) {
        CHECK(is_in[*n]);
        is_in[*n] = false; /* each once */
        seen++;
    }
    CHECK(seen == count);
    table_free(&table);
}

static void it_behaves_like_a_naive_set(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        against_a_naive_twin(spread, seed);
        against_a_naive_twin(crowded, seed);
    }
}

static void an_empty_table_holds_nothing(void)
{
    struct table table = {0};
    unsigned one = 1;
    size_t at = 0;
    CHECK(table_find(&table, 1, is_number, &one) == NULL);
    CHECK(table_next(&table, &at) == NULL);
    table_free(&table);
}

static void hashes_differ_with_every_part(void)
{
    CHECK(table_hash_text(0, "a") != table_hash_text(0, "b"));
    CHECK(table_hash_text(0, "a") != table_hash_text(1, "a"));
    CHECK(table_hash_text(0, "") != table_hash(0, "\0", 1));
    CHECK(table_hash_text(table_hash_text(0, "ab"), "c") !=
          table_hash_text(table_hash_text(0, "a"), "bc"));
}

/* Names that count up must not crowd: no 1 in 64 slots may have more than 4 times its
 * share. */
static void names_that_count_up_are_spread(void)
{
    unsigned shares[64] = {0};
    for (unsigned i = 0; i < 6400; i++) {
        char name[32];
        snprintf(name, sizeof name, "device-%u", i);
        shares[table_hash_text(0, name) % 64]++;
    }
    for (size_t i = 0; i < 64; i++)
        CHECK(shares[i] > 25 && shares[i] < 400);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"it behaves like a naive set", it_behaves_like_a_naive_set},
        {"an empty table holds nothing", an_empty_table_holds_nothing},
        {"hashes differ with every part", hashes_differ_with_every_part},
        {"names that count up are spread", names_that_count_up_are_spread},
        CU_TEST_INFO_NULL,
    };
    return check_run("table", tests);
}
