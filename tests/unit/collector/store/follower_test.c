// SPDX-License-Identifier: Apache-2.0
/* A thread that follows the journal: what it sees, when it rests, how it ends. */
#include "collector/store/follower.h"

#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "tests/support/check.h"

#define BOUND_S 10

struct house {
    char dir[64];
    struct journal *journal;
    struct follower *follower;
    /* of the follower */
    atomic_uint seen;
    atomic_uint finished;
    unsigned per_turn; /* records */
    unsigned fail_at;  /* 0: never */
    enum err failure;  /* then; the reader is put back, and the next time it goes well */
    int64_t wait_ms;
    bool ignores_news;
    sem_t read; /* posted for each record */
};

static enum err on_turn(void *context, struct journal_reader *reader,
                        struct follower_turn *turn, struct err_text *why)
{
    struct house *house = context;
    struct journal_record record;
    unsigned count = 0;
    while (count < house->per_turn && journal_reader_next(reader, &record) == ERR_OK) {
        count++;
        unsigned seen = atomic_fetch_add(&house->seen, 1) + 1;
        CHECK(record.len == 1 && *(const char *)record.data == (char)seen);
        sem_post(&house->read);
        if (seen == house->fail_at) {
            house->fail_at = 0;
            atomic_store(&house->seen, 0);
            CHECK(journal_reader_seek(reader, 0) == ERR_OK);
            return err_set(why, house->failure, "no room for record %u", seen);
        }
    }
    turn->has_more = count == house->per_turn;
    turn->wait_ms = house->wait_ms;
    turn->ignores_news = house->ignores_news;
    return ERR_OK;
}

static void on_finish(void *context)
{
    struct house *house = context;
    atomic_fetch_add(&house->finished, 1);
}

static const struct follower_ops ops = {
    .name = "test", .turn = on_turn, .finish = on_finish};

/* Records number themselves from 1. */
static void append(struct house *house, unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++) {
        const char body = (char)i;
        const struct journal_piece piece = {&body, 1};
        CHECK(journal_append(house->journal, JOURNAL_TYPE_USER, 1, 1, &piece, 1, NULL) ==
              ERR_OK);
    }
    CHECK(journal_sync(house->journal, NULL) == ERR_OK);
}

static bool wait_read(struct house *house, unsigned count)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += BOUND_S;
    for (unsigned i = 0; i < count; i++)
        if (sem_timedwait(&house->read, &end) != 0)
            return false;
    return true;
}

static void house_open(struct house *house)
{
    const struct journal_options options = {.segment_bytes = JOURNAL_SEGMENT_MIN};
    struct err_text why = {0};
    *house = (struct house){.per_turn = 3};
    crypto_init();
    sem_init(&house->read, 0, 0);
    snprintf(house->dir, sizeof house->dir, "/tmp/coldchain-test-XXXXXX");
    CHECK(mkdtemp(house->dir) != NULL);
    CHECK(journal_open(&house->journal, house->dir, &options, NULL, &why) == ERR_OK);
}

static void house_follow(struct house *house)
{
    struct err_text why = {0};
    CHECK(follower_open(&house->follower, house->journal, 0, &ops, house, &why) ==
          ERR_OK);
}

static void house_close(struct house *house)
{
    CHECK(atomic_load(&house->finished) == 1);
    CHECK(journal_close(house->journal) == ERR_OK);
    char *command = mem_format("rm -r '%s'", house->dir);
    CHECK(system(command) == 0);
    free(command);
    sem_destroy(&house->read);
}

static void it_reads_what_is_there_and_what_comes(void)
{
    struct house house;
    house_open(&house);
    append(&house, 1, 7);
    house_follow(&house);
    CHECK(wait_read(&house, 7));
    append(&house, 8, 9);
    follower_wake(house.follower);
    CHECK(wait_read(&house, 2));
    struct err_text why;
    CHECK(!follower_has_failed(house.follower, &why));
    follower_close(house.follower, 1000);
    CHECK(atomic_load(&house.seen) == 9);
    house_close(&house);
}

/* Nobody wakes it: the end does. */
static void the_end_drains_what_is_left(void)
{
    struct house house;
    house_open(&house);
    house_follow(&house);
    append(&house, 1, 20);
    follower_close(house.follower, 5000);
    CHECK(atomic_load(&house.seen) == 20);
    house_close(&house);
}

static void a_pause_is_not_ended_by_news_but_by_the_end(void)
{
    struct house house;
    house_open(&house);
    house.wait_ms = 60000;
    house.ignores_news = true;
    append(&house, 1, 1);
    house_follow(&house);
    CHECK(wait_read(&house, 1));
    append(&house, 2, 2);
    follower_wake(house.follower);
    int64_t began_ms = clock_real_ms();
    follower_close(house.follower, 5000);
    CHECK(clock_real_ms() - began_ms < 5000);
    CHECK(atomic_load(&house.seen) == 2);
    house_close(&house);
}

/* What it says of its last turn, once it says anything. */
static bool is_told(struct house *house, const char *want)
{
    struct err_text why = {0};
    int64_t end_ms = clock_real_ms() + BOUND_S * 1000;
    while (!follower_has_failed(house->follower, &why) && clock_real_ms() < end_ms)
        sched_yield();
    CHECK_TEXT(why.text, want);
    return strcmp(why.text, want) == 0;
}

static void damage_stops_it_and_it_says_why(void)
{
    struct house house;
    house_open(&house);
    house.fail_at = 2;
    house.failure = ERR_CORRUPT;
    append(&house, 1, 5);
    house_follow(&house);
    CHECK(wait_read(&house, 2));
    CHECK(is_told(&house, "no room for record 2"));
    follower_wake(house.follower);
    follower_close(house.follower, 5000);
    CHECK(atomic_load(&house.seen) == 0);
    house_close(&house);
}

static void a_full_disk_is_told_and_waited_for(void)
{
    struct house house;
    house_open(&house);
    house.fail_at = 2;
    house.failure = ERR_FULL;
    append(&house, 1, 5);
    house_follow(&house);
    CHECK(wait_read(&house, 2));
    CHECK(is_told(&house, "no room for record 2"));
    CHECK(wait_read(&house, 5)); /* all of it, from the beginning */
    follower_close(house.follower, 5000);
    CHECK(atomic_load(&house.seen) == 5);
    house_close(&house);
}

static void a_cursor_of_another_journal_is_told(void)
{
    struct house house;
    struct err_text why = {0};
    house_open(&house);
    struct follower *follower;
    CHECK(follower_open(&follower, house.journal, UINT64_C(1) << 60, &ops, &house,
                        &why) == ERR_INVALID);
    CHECK(follower == NULL);
    CHECK(strstr(why.text, "test cannot follow the journal: its store is ahead") != NULL);
    house_follow(&house);
    follower_close(house.follower, 0);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"it reads what is there and what comes", it_reads_what_is_there_and_what_comes},
        {"the end drains what is left", the_end_drains_what_is_left},
        {"a pause is not ended by news but by the end",
         a_pause_is_not_ended_by_news_but_by_the_end},
        {"damage stops it, and it says why", damage_stops_it_and_it_says_why},
        {"a full disk is told, and waited for", a_full_disk_is_told_and_waited_for},
        {"a cursor of another journal is told", a_cursor_of_another_journal_is_told},
        CU_TEST_INFO_NULL,
    };
    return check_run("follower", tests);
}
