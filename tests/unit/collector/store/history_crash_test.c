// SPDX-License-Identifier: Apache-2.0
/*
 * Writers that are killed, at a step or at any time: a follower that goes on from the
 * cursor it finds must end with every reading once.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "tests/unit/collector/store/history_world.h"

#define MESSAGES 1500

/* Message number `i` of the journal, always the same: 5 devices, late and odd ones too.
 */
static void make_message(uint64_t i, struct history_message *message,
                         struct parcel *parcel)
{
    static const char *const names[] = {"a", "b", "c", "d", "foreign"};
    uint64_t random = rng_hash(5, i);
    bool is_foreign = i % 5 == 4;
    int64_t now = WORLD_NOW + (int64_t)i * 600000;
    *message = (struct history_message){
        .position = i,
        .org = "o",
        .device = names[i % 5],
        .epoch = is_foreign ? 0 : 0x123456789abcdef0 + i / 1000,
        .seq = is_foreign ? 0 : 1 + i / 5 - (random % 11 == 0 ? 1 : 0), /* redelivered */
        .arrival_ms = now,
    };
    if (message->seq == 0)
        message->epoch = 0;
    parcel_init(parcel);
    for (size_t k = 0; k < 1 + random % 4; k++) {
        int64_t time_ms = now - (int64_t)(random >> 8) % 60000 + (int64_t)k;
        if (random % 17 == 0)
            time_ms -= INT64_C(40) * 86400000;
        if (random % 23 == 0)
            time_ms = (int64_t)(random % 1000);
        parcel_add(parcel, (uint16_t)(k % WORLD_CHANNELS), time_ms,
                   (double)(random % 100) / 10);
    }
}

static void fill_twin(struct twin *twin)
{
    static bool seen[5][2][MESSAGES];
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 1; i <= MESSAGES; i++) {
        struct history_message message;
        struct parcel parcel;
        make_message(i, &message, &parcel);
        if (message.seq == 0) {
            twin_add_loose(twin, &message, &parcel.pack);
            continue;
        }
        bool *was = &seen[i % 5][i / 1000][message.seq];
        if (!*was)
            twin_add_pack(twin, &message, &parcel.pack);
        *was = true;
    }
}

static void must(bool is_true)
{
    if (!is_true)
        _exit(3);
}

/* Says "one step more" to the parent, and stops for good when its steps are spent. */
struct leash {
    int told; /* -1: nobody listens */
    uint64_t steps;
};

static void step_done(struct leash *leash)
{
    if (leash->told >= 0)
        must(write(leash->told, "x", 1) == 1);
    if (leash->steps-- == 0)
        kill(getpid(), SIGKILL);
}

/* A follower: batches out of the journal from its cursor on, moving rows in between. */
static void follow(const char *dir, struct leash *leash)
{
    struct history *history = NULL;
    struct err_text why;
    must(history_open(&history, dir, &why) == ERR_OK);
    step_done(leash);
    uint64_t next = history_cursor(history) + 1;
    bool more = true;
    while (next <= MESSAGES || more) {
        must(history_begin(history) == ERR_OK);
        for (uint64_t end = next + 15; next < end && next <= MESSAGES; next++) {
            struct history_message message;
            struct parcel parcel;
            make_message(next, &message, &parcel);
            enum err err = history_append(history, &message, &parcel.pack);
            must(err == ERR_OK || err == ERR_EXISTS);
        }
        step_done(leash); /* in the middle of a transaction */
        must(history_commit(history, next - 1) == ERR_OK);
        step_done(leash);
        for (uint64_t k = 0; k < 3; k++) {
            must(history_compact(history, 40, &more) == ERR_OK);
            step_done(leash);
        }
    }
    history_close(history);
    _exit(0);
}

/* True when the child came to its end by itself. */
static bool reap(pid_t child)
{
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return WIFEXITED(status);
}

static void check_all(const char *dir, const struct twin *twin)
{
    static const char *const names[] = {"a", "b", "c", "d", "foreign"};
    struct history *history = world_open(dir);
    struct history_reader *reader = world_reader(dir);
    CHECK(history_cursor(history) == MESSAGES);
    for (size_t i = 0; i < 5; i++)
        CHECK(twin_agrees_on_all(twin, reader, names[i]));
    compact_all(history, 1000);
    for (size_t i = 0; i < 5; i++)
        CHECK(twin_agrees_on_all(twin, reader, names[i]));
    history_reader_close(reader);
    history_close(history);
}

/* Each life is some steps longer than the one before, so that each kind of step is the
 * last of some life. */
static void a_follower_killed_between_steps_ends_complete(void)
{
    struct folder folder;
    struct twin twin = {0};
    fill_twin(&twin);
    folder_make(&folder);
    bool is_done = false;
    uint64_t lives = 0;
    for (; !is_done && lives < 300; lives++) {
        pid_t child = fork();
        if (child == 0)
            follow(folder.path, &(struct leash){.told = -1, .steps = 2 + lives});
        is_done = reap(child);
    }
    printf("\n    %" PRIu64 " lives", lives);
    CHECK(is_done && lives > 10);
    check_all(folder.path, &twin);
    folder_remove(&folder);
    free(twin.facts);
}

static void a_follower_killed_at_any_time_ends_complete(void)
{
    struct folder folder;
    struct twin twin = {0};
    struct rng rng = {.state = 41};
    fill_twin(&twin);
    folder_make(&folder);
    bool is_done = false;
    uint64_t lives = 0;
    for (; !is_done && lives < 300; lives++) {
        int ends[2];
        char byte = 0;
        CHECK(pipe(ends) == 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            follow(folder.path, &(struct leash){.told = ends[1], .steps = UINT64_MAX});
        }
        close(ends[1]);
        uint64_t steps = 1 + rng_below(&rng, 20 + 5 * lives);
        while (steps > 0 && read(ends[0], &byte, 1) == 1)
            steps--;
        /* somewhere in the step after */
        for (volatile uint64_t spin = rng_below(&rng, 300000); spin > 0; spin--)
            ;
        kill(child, SIGKILL);
        is_done = reap(child);
        close(ends[0]);
    }
    printf("\n    %" PRIu64 " lives", lives);
    CHECK(is_done && lives > 5);
    check_all(folder.path, &twin);
    folder_remove(&folder);
    free(twin.facts);
}

static void a_reader_sees_each_reading_once_while_rows_move(void)
{
    struct folder folder;
    struct twin twin = {0};
    folder_make(&folder);
    struct history *history = world_open(folder.path);
    struct history_reader *reader = world_reader(folder.path);
    CHECK(history_begin(history) == ERR_OK);
    for (uint64_t i = 1; i <= 300; i++) {
        struct history_message message;
        struct parcel parcel;
        make_message(i, &message, &parcel);
        if (history_append(history, &message, &parcel.pack) == ERR_OK) {
            if (message.seq == 0)
                twin_add_loose(&twin, &message, &parcel.pack);
            else
                twin_add_pack(&twin, &message, &parcel.pack);
        }
    }
    CHECK(history_commit(history, 300) == ERR_OK);
    bool more = true;
    size_t steps = 0;
    for (; more; steps++) {
        CHECK(history_compact(history, 20, &more) == ERR_OK);
        CHECK(twin_agrees_on_all(&twin, reader, "a"));
        CHECK(twin_agrees_on_all(&twin, reader, "foreign"));
    }
    printf("\n    %zu steps", steps);
    CHECK(steps > 30);
    history_reader_close(reader);
    history_close(history);
    folder_remove(&folder);
    free(twin.facts);
}

struct watch {
    const char *dir;
    atomic_bool is_over;
    uint64_t looks;
    uint64_t highest; /* seq seen */
    const char *wrong;
};

struct look {
    uint64_t next;
    bool is_wrong;
};

static bool in_sequence(void *context, const struct history_reading *reading)
{
    struct look *look = context;
    look->is_wrong = look->is_wrong || reading->seq != look->next;
    look->next++;
    return true;
}

/* Each look must find seqs 1, 2, 3, ... without gap or double, never fewer than before.
 */
static void *keep_looking(void *context)
{
    struct watch *watch = context;
    const struct history_range range = {
        .org = "o", .device = "a", .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    struct history_reader *reader = world_reader(watch->dir);
    bool was_over = false;
    while (!was_over && watch->wrong == NULL) {
        was_over = atomic_load(&watch->is_over);
        struct look look = {.next = 1};
        uint64_t count = 0;
        if (history_query(reader, &range, HISTORY_LIMIT_MAX, &look, in_sequence) !=
                ERR_OK ||
            history_count(reader, &range, &count) != ERR_OK)
            watch->wrong = "a look failed";
        else if (look.is_wrong)
            watch->wrong = "a gap or a double";
        else if (look.next - 1 < watch->highest || count < look.next - 1)
            watch->wrong = "fewer than before";
        watch->highest = look.next - 1;
        watch->looks++;
    }
    history_reader_close(reader);
    return NULL;
}

static void a_reader_beside_a_writer_sees_no_gap_and_no_double(void)
{
    struct folder folder;
    folder_make(&folder);
    struct history *history = world_open(folder.path);
    struct watch watch = {.dir = folder.path};
    struct parcel parcel;
    pthread_t thread;
    bool more = false;
    CHECK(pthread_create(&thread, NULL, keep_looking, &watch) == 0);
    for (uint64_t seq = 1; seq <= 6000;) {
        CHECK(history_begin(history) == ERR_OK);
        for (int i = 0; i < 20; i++, seq++) {
            int64_t time_ms = WORLD_NOW + (int64_t)seq * 3600000;
            const struct history_message message = {.position = seq,
                                                    .org = "o",
                                                    .device = "a",
                                                    .epoch = 1,
                                                    .seq = seq,
                                                    .arrival_ms = time_ms};
            parcel_init(&parcel);
            parcel_add(&parcel, 0, time_ms, 1);
            CHECK(history_append(history, &message, &parcel.pack) == ERR_OK);
        }
        CHECK(history_commit(history, seq) == ERR_OK);
        for (int i = 0; i < 4; i++)
            CHECK(history_compact(history, 50, &more) == ERR_OK);
    }
    atomic_store(&watch.is_over, true);
    CHECK(pthread_join(thread, NULL) == 0);
    printf("\n    %" PRIu64 " looks", watch.looks);
    if (watch.wrong != NULL)
        printf(": %s at %" PRIu64, watch.wrong, watch.highest);
    CHECK(watch.wrong == NULL && watch.highest == 6000 && watch.looks > 2);
    history_close(history);
    folder_remove(&folder);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"a follower killed between steps ends complete",
         a_follower_killed_between_steps_ends_complete},
        {"a follower killed at any time ends complete",
         a_follower_killed_at_any_time_ends_complete},
        {"a reader sees each reading once while rows move",
         a_reader_sees_each_reading_once_while_rows_move},
        {"a reader beside a writer sees no gap and no double",
         a_reader_beside_a_writer_sees_no_gap_and_no_double},
        CU_TEST_INFO_NULL,
    };
    return check_run("collector/store/history_crash", tests);
}
