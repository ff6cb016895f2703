// SPDX-License-Identifier: Apache-2.0
/* What a key is good for: once, for one request, for a day, among so many. */
#include "collector/api/replay.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check.h"

#define DIGEST CRYPTO_DIGEST_BYTES

static void digest(uint8_t out[DIGEST], const char *kind, size_t number)
{
    memset(out, 0, DIGEST);
    snprintf((char *)out, DIGEST, "%s-%zu", kind, number);
}

static enum replay_result begin(struct replay *replay, size_t who_number,
                                size_t what_number, int64_t now_ms, struct buf *body)
{
    uint8_t who[DIGEST];
    uint8_t what[DIGEST];
    struct buf cookie = {0};
    digest(who, "who", who_number);
    digest(what, "what", what_number);
    enum replay_result result = replay_begin(replay, who, what, now_ms, body, &cookie);
    CHECK(result == REPLAY_AGAIN || cookie.len == 0);
    buf_fini(&cookie);
    return result;
}

static void end(struct replay *replay, size_t who_number, bool is_kept, const char *text)
{
    uint8_t who[DIGEST];
    struct buf body = {0};
    struct buf cookie = {0};
    digest(who, "who", who_number);
    buf_text(&body, text);
    replay_end(replay, who, is_kept, &body, &cookie);
    buf_fini(&body);
    buf_fini(&cookie);
}

static void a_key_is_good_for_one_request(void)
{
    struct replay *replay = replay_create();
    struct buf body = {0};
    CHECK(begin(replay, 1, 1, 0, &body) == REPLAY_NEW);
    CHECK(begin(replay, 1, 1, 0, &body) == REPLAY_UNDER_WAY);
    CHECK(begin(replay, 1, 2, 0, &body) == REPLAY_OTHER);
    CHECK(begin(replay, 2, 1, 0, &body) == REPLAY_NEW);
    CHECK(body.len == 0);
    end(replay, 1, true, "first");
    CHECK(begin(replay, 1, 2, 0, &body) == REPLAY_OTHER);
    CHECK(body.len == 0);
    CHECK(begin(replay, 1, 1, 5, &body) == REPLAY_AGAIN);
    CHECK(body.len == 5 && memcmp(body.data, "first", 5) == 0);
    buf_fini(&body);
    replay_destroy(replay);
}

static void what_failed_may_be_tried_again(void)
{
    struct replay *replay = replay_create();
    struct buf body = {0};
    CHECK(begin(replay, 1, 1, 0, &body) == REPLAY_NEW);
    end(replay, 1, false, "failed");
    CHECK(begin(replay, 1, 2, 0, &body) == REPLAY_NEW);
    CHECK(body.len == 0);
    replay_destroy(replay);
}

static void a_key_is_kept_for_a_day(void)
{
    struct replay *replay = replay_create();
    struct buf body = {0};
    CHECK(begin(replay, 1, 1, 1000, &body) == REPLAY_NEW);
    end(replay, 1, true, "x");
    CHECK(begin(replay, 1, 1, 1000 + REPLAY_LIFE_MS, &body) == REPLAY_AGAIN);
    CHECK(begin(replay, 1, 1, 1001 + REPLAY_LIFE_MS, &body) == REPLAY_NEW);
    buf_fini(&body);
    replay_destroy(replay);
}

static void the_oldest_makes_room_and_none_under_way(void)
{
    struct replay *replay = replay_create();
    struct buf body = {0};
    CHECK(begin(replay, 0, 0, 0, &body) == REPLAY_NEW); /* stays under way */
    for (size_t i = 1; i < REPLAY_MAX + 2; i++) {
        CHECK(begin(replay, i, i, 0, &body) == REPLAY_NEW);
        end(replay, i, true, "x");
    }
    CHECK(begin(replay, 0, 0, 0, &body) == REPLAY_UNDER_WAY);
    CHECK(begin(replay, 3, 3, 0, &body) == REPLAY_AGAIN);
    CHECK(begin(replay, 1, 1, 0, &body) == REPLAY_NEW); /* was put out, puts out 3 */
    CHECK(begin(replay, REPLAY_MAX + 1, REPLAY_MAX + 1, 0, &body) == REPLAY_AGAIN);
    buf_fini(&body);
    replay_destroy(replay);
}

static void when_all_are_under_way_nothing_begins(void)
{
    struct replay *replay = replay_create();
    struct buf body = {0};
    for (size_t i = 0; i < REPLAY_MAX; i++)
        CHECK(begin(replay, i, i, 0, &body) == REPLAY_NEW);
    CHECK(begin(replay, REPLAY_MAX, 0, 0, &body) == REPLAY_FULL);
    end(replay, 7, true, "x");
    CHECK(begin(replay, REPLAY_MAX, 0, 0, &body) == REPLAY_NEW);
    replay_destroy(replay);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a key is good for one request", a_key_is_good_for_one_request},
        {"what failed may be tried again", what_failed_may_be_tried_again},
        {"a key is kept for a day", a_key_is_kept_for_a_day},
        {"the oldest makes room, and none under way",
         the_oldest_makes_room_and_none_under_way},
        {"when all are under way, nothing begins", when_all_are_under_way_nothing_begins},
        CU_TEST_INFO_NULL,
    };
    return check_run("replay", tests);
}
