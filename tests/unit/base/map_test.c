// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include "tests/support/check.h"

static void finds_what_was_put(void)
{
    struct map map = {0};
    int one = 1;
    CHECK(map_get(&map, "a") == NULL);
    *map_at(&map, "a") = &one;
    CHECK(map_get(&map, "a") == &one);
    CHECK(*map_at(&map, "a") == &one);
    CHECK(map.count == 1);
    map_fini(&map);
}

static void keeps_thousands_in_their_order(void)
{
    struct map map = {0};
    static int values[5000];
    char key[16];
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        *map_at(&map, key) = &values[i];
    }
    CHECK(map.count == 5000);
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        CHECK_ROW(key, map_get(&map, key) == &values[i]);
        CHECK_ROW(key, strcmp(map.entries[i].key, key) == 0);
    }
    CHECK(map_get(&map, "k5000") == NULL);
    map_fini(&map);
}

static void a_key_is_kept_once_and_does_not_move(void)
{
    struct map map = {0};
    char key[16] = "k0";
    const char *first = map_key(&map, key);
    CHECK(first != key && strcmp(first, "k0") == 0);
    for (int i = 1; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        map_key(&map, key);
    }
    CHECK(map_key(&map, "k0") == first);
    CHECK(map.count == 1000);
    CHECK(map_get(&map, "k0") == NULL); /* a key alone has no value */
    map_fini(&map);
}

static void hash_has_the_published_value(void)
{
    CHECK(map_hash(0, "a") == UINT64_C(0xaf63dc4c8601ec8c));
    CHECK(map_hash(0, "foobar") == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"finds what was put", finds_what_was_put},
        {"keeps thousands in their order", keeps_thousands_in_their_order},
        {"a key is kept once and does not move", a_key_is_kept_once_and_does_not_move},
        {"the hash has the published value", hash_has_the_published_value},
        CU_TEST_INFO_NULL,
    };
    return check_run("map", tests);
}
