// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <stdint.h>
#include <string.h>

#include "tests/support/check.h"

#define COUNT 3000

static bool is_zero(const unsigned char *thing, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (thing[i] != 0)
            return false;
    return true;
}

/* Each is written in full: if two shared a byte, one of them would not read back. */
static void things_are_zeroed_aligned_and_apart(void)
{
    static unsigned char *things[COUNT];
    struct pool pool = {0};
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = 1 + i * 7 % 600;
        things[i] = pool_take(&pool, size);
        CHECK((uintptr_t)things[i] % POOL_STEP == 0);
        CHECK(is_zero(things[i], size));
        memset(things[i], (int)(i % 255 + 1), size);
    }
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = 1 + i * 7 % 600;
        CHECK(things[i][0] == i % 255 + 1 && things[i][size - 1] == i % 255 + 1);
        pool_give(&pool, things[i], size);
    }
    pool_fini(&pool);
}

static void what_is_given_back_is_used_again(void)
{
    struct pool pool = {0};
    char *first = pool_take(&pool, 20);
    memset(first, 1, 20);
    pool_give(&pool, first, 20);
    CHECK(pool_take(&pool, 40) != first);
    unsigned char *again = pool_take(&pool, 24); /* rounded up, the same */
    CHECK((void *)again == (void *)first);
    CHECK(is_zero(again, 24));
    pool_give(&pool, NULL, 8);
    pool_fini(&pool);
    CHECK(pool.blocks == NULL);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"things are zeroed, aligned and apart", things_are_zeroed_aligned_and_apart},
        {"what is given back is used again", what_is_given_back_is_used_again},
        CU_TEST_INFO_NULL,
    };
    return check_run("pool", tests);
}
