// SPDX-License-Identifier: Apache-2.0
/* No minute holds more than is allowed. */
#include "collector/notify/bucket.h"

#include "tests/support/check.h"

#define HOUR_MS  3600000
#define SENT_MAX 2000

/* Sends whenever it may, looking each 100 ms; the most in any 60 s. */
static size_t most_in_a_minute(int64_t rate, size_t *total)
{
    static int64_t sent[SENT_MAX];
    struct bucket bucket;
    size_t count = 0;
    size_t most = 0;
    bucket_init(&bucket, rate, 0);
    for (int64_t now = 0; now < HOUR_MS; now += 100)
        if (now > HOUR_MS / 4 && bucket_is_open(&bucket, now) && count < SENT_MAX) {
            bucket_take(&bucket, now);
            sent[count++] = now;
        }
    for (size_t i = 0, first = 0; i < count; i++) {
        while (sent[i] - sent[first] >= 60000)
            first++;
        if (i - first + 1 > most)
            most = i - first + 1;
    }
    *total = count;
    return most;
}

static void no_minute_holds_more_than_is_allowed(void)
{
    static const int64_t rates[] = {1, 2, 3, 10, 20, 21};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        size_t total;
        size_t most = most_in_a_minute(rates[i], &total);
        CHECK(most <= (size_t)rates[i]);
        CHECK(total >= (size_t)rates[i] / 2 * 45 || total >= 22);
    }
}

static void it_begins_with_one_and_fills_up_to_half(void)
{
    struct bucket bucket;
    bucket_init(&bucket, 20, 1000);
    CHECK(bucket_left(&bucket, 1000) == 1);
    bucket_take(&bucket, 1000);
    CHECK(!bucket_is_open(&bucket, 1000));
    CHECK(bucket_next_ms(&bucket, 1000) == 7000);
    CHECK(bucket_is_open(&bucket, 7000));
    CHECK(bucket_left(&bucket, 7000 + HOUR_MS) == 10);
    CHECK(bucket_left(&bucket, 0) == 10); /* a clock set back takes and gives nothing */
}

static void a_block_holds_and_no_limit_is_none(void)
{
    struct bucket bucket;
    bucket_init(&bucket, 0, 0);
    for (int i = 0; i < 1000; i++)
        bucket_take(&bucket, 0);
    CHECK(bucket_is_open(&bucket, 0) && bucket_left(&bucket, 0) == -1);
    bucket_block(&bucket, 600000);
    bucket_block(&bucket, 5);
    CHECK(bucket_next_ms(&bucket, 5) == 600000);
    CHECK(!bucket_is_open(&bucket, 599999));
    CHECK(bucket_is_open(&bucket, 600000));
    bucket_block(&bucket, 600000 + HOUR_MS);
    CHECK(!bucket_is_open(&bucket, 0)); /* set back by ten minutes */
    CHECK(!bucket_is_open(&bucket, HOUR_MS - 1) && bucket_is_open(&bucket, HOUR_MS));
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"no minute holds more than is allowed", no_minute_holds_more_than_is_allowed},
        {"it begins with one and fills up to half",
         it_begins_with_one_and_fills_up_to_half},
        {"a block holds, and no limit is none", a_block_holds_and_no_limit_is_none},
        CU_TEST_INFO_NULL,
    };
    return check_run("bucket", tests);
}
