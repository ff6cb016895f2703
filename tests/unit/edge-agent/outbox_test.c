// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/outbox.h"

#include "tests/support/check.h"

static void check_next(struct outbox *outbox, uint64_t epoch, uint64_t seq)
{
    struct outbox_entry entry = {0};
    CHECK(outbox_take(outbox, &entry));
    CHECK(entry.epoch == epoch && entry.seq == seq);
}

static void live_goes_first_each_in_order(void)
{
    struct outbox outbox = {0};
    outbox_put(&outbox, 1, 10, false);
    outbox_put(&outbox, 1, 11, false);
    outbox_put(&outbox, 2, 1, true);
    outbox_put(&outbox, 1, 12, false);
    outbox_put(&outbox, 2, 2, true);
    check_next(&outbox, 2, 1);
    check_next(&outbox, 2, 2);
    check_next(&outbox, 1, 10);
    outbox_put(&outbox, 2, 3, true);
    check_next(&outbox, 2, 3);
    check_next(&outbox, 1, 11);
    check_next(&outbox, 1, 12);
    struct outbox_entry entry;
    CHECK(!outbox_take(&outbox, &entry));
    outbox_fini(&outbox);
}

static void a_name_is_in_it_once(void)
{
    struct outbox outbox = {0};
    outbox_put(&outbox, 1, 10, false);
    outbox_put(&outbox, 1, 10, true);
    outbox_put(&outbox, 2, 10, false);
    CHECK(outbox.count == 2);
    check_next(&outbox, 1, 10);
    outbox_put(&outbox, 1, 10, false);
    check_next(&outbox, 2, 10);
    check_next(&outbox, 1, 10);
    outbox_put(&outbox, 5, 5, false);
    outbox_clear(&outbox);
    CHECK(outbox.count == 0);
    outbox_fini(&outbox);
}

int main(void)
{
    static CU_TestInfo tests[] = {
        {"live goes first, each in order", live_goes_first_each_in_order},
        {"a name is in it once", a_name_is_in_it_once},
        CU_TEST_INFO_NULL,
    };
    return check_run("outbox", tests);
}
