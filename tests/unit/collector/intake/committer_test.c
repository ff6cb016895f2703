// SPDX-License-Identifier: Apache-2.0
/* What is appended is synced in groups, told, and told when it cannot be. */
#include "collector/intake/committer.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "tests/support/check.h"

#define BOUND_S 10
#define APPENDS 400

struct house {
    char dir[64];
    struct journal *journal;
    struct committer *committer;
    sem_t synced;
    sem_t failed;
    sem_t room;
    atomic_int groups;
    atomic_int room_err;
};

static void on_synced(void *context)
{
    struct house *house = context;
    atomic_fetch_add(&house->groups, 1);
    sem_post(&house->synced);
}

static void on_failed(void *context)
{
    struct house *house = context;
    sem_post(&house->failed);
}

static void on_room(void *context, enum err err)
{
    struct house *house = context;
    atomic_store(&house->room_err, (int)err);
    sem_post(&house->room);
}

static bool wait_for(sem_t *what)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += BOUND_S;
    return sem_timedwait(what, &end) == 0;
}

static uint64_t append(struct house *house)
{
    uint64_t position = 0;
    const struct journal_piece piece = {"record", 6};
    CHECK(journal_append(house->journal, JOURNAL_TYPE_USER, 1, 1, &piece, 1, &position) ==
          ERR_OK);
    return position;
}

static void house_open(struct house *house, int64_t interval_ms, uint64_t bytes)
{
    const struct journal_options options = {.segment_bytes = JOURNAL_SEGMENT_MIN,
                                            .spare_segments = 1};
    struct err_text why = {0};
    *house = (struct house){0};
    crypto_init();
    sem_init(&house->synced, 0, 0);
    sem_init(&house->failed, 0, 0);
    sem_init(&house->room, 0, 0);
    snprintf(house->dir, sizeof house->dir, "/tmp/coldchain-test-XXXXXX");
    CHECK(mkdtemp(house->dir) != NULL);
    CHECK(journal_open(&house->journal, house->dir, &options, NULL, &why) == ERR_OK);
    const struct committer_options committer = {.journal = house->journal,
                                                .interval_ms = interval_ms,
                                                .bytes = bytes,
                                                .context = house,
                                                .on_synced = on_synced,
                                                .on_failed = on_failed,
                                                .on_room = on_room};
    house->committer = committer_create(&committer);
}

static void house_close(struct house *house)
{
    committer_destroy(house->committer);
    CHECK(journal_pending(house->journal, NULL) == 0);
    CHECK(sem_trywait(&house->failed) != 0);
    CHECK(journal_close(house->journal) == ERR_OK);
    char *command = mem_format("rm -r '%s'", house->dir);
    CHECK(system(command) == 0);
    free(command);
    sem_destroy(&house->synced);
    sem_destroy(&house->failed);
    sem_destroy(&house->room);
}

static void every_append_is_synced_in_fewer_groups(void)
{
    struct house house;
    uint64_t last = 0;
    house_open(&house, 5, 1u << 18);
    for (int i = 0; i < APPENDS; i++) {
        last = append(&house);
        committer_wake(house.committer);
    }
    while (journal_synced(house.journal) <= last)
        if (!wait_for(&house.synced))
            break;
    CHECK(journal_synced(house.journal) > last);
    CHECK(atomic_load(&house.groups) >= 1);
    CHECK(atomic_load(&house.groups) < APPENDS);
    house_close(&house);
}

/* An append behind the wake that began a group must not wait for the one after. */
static void no_wake_is_lost(void)
{
    struct house house;
    house_open(&house, 1, 1u << 18);
    for (int i = 0; i < 100; i++) {
        uint64_t position = append(&house);
        committer_wake(house.committer);
        bool is_told = true;
        while (is_told && journal_synced(house.journal) <= position)
            is_told = wait_for(&house.synced);
        CHECK(is_told);
    }
    house_close(&house);
}

static void a_full_group_does_not_wait_for_its_time(void)
{
    struct house house;
    house_open(&house, 60000, 1);
    append(&house);
    committer_wake(house.committer);
    CHECK(wait_for(&house.synced));
    house_close(&house);
}

static void the_end_syncs_what_is_pending_at_once(void)
{
    struct house house;
    house_open(&house, 60000, 1u << 18);
    uint64_t position = append(&house);
    committer_wake(house.committer);
    committer_destroy(house.committer);
    house.committer = NULL;
    CHECK(journal_synced(house.journal) > position);
    house_close(&house);
}

static void spares_are_made_and_room_is_told(void)
{
    struct house house;
    struct journal_stats stats;
    house_open(&house, 5, 1u << 18);
    CHECK(wait_for(&house.room));
    CHECK(atomic_load(&house.room_err) == ERR_OK);
    journal_stats(house.journal, &stats);
    CHECK(stats.spares == 1);
    house_close(&house);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"every append is synced in fewer groups",
         every_append_is_synced_in_fewer_groups},
        {"no wake is lost", no_wake_is_lost},
        {"a full group does not wait for its time",
         a_full_group_does_not_wait_for_its_time},
        {"the end syncs what is pending at once", the_end_syncs_what_is_pending_at_once},
        {"spares are made and room is told", spares_are_made_and_room_is_told},
        CU_TEST_INFO_NULL,
    };
    return check_run("committer", tests);
}
