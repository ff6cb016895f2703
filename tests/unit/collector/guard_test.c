// SPDX-License-Identifier: Apache-2.0
#include "collector/guard.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/crypto.h"
#include "collector/metrics.h"
#include "collector/record.h"
#include "collector/store/history.h"
#include "collector/store/history_follower.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"

static const char bytes[] = "xthese bytes";

static struct guard *open_guard(const char *path)
{
    struct guard *guard;
    struct err_text why;
    CHECK(guard_open(&guard, path, &why) == ERR_OK);
    return guard;
}

/* A process of its own that takes the record and ends by the signal; 0: in good order. */
static void run(const char *path, uint64_t position, int number)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct guard *guard;
        struct err_text why;
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(9);
        if (guard_open(&guard, path, &why) != ERR_OK)
            _exit(1);
        guard_enter(guard, GUARD_HISTORY, position, bytes, sizeof bytes);
        if (number == SIGABRT)
            abort();
        if (number != 0)
            raise(number);
        guard_leave(guard, GUARD_HISTORY);
        guard_close(guard);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    /* A sanitizer, where there is one, reports some of the signals and exits instead. */
    CHECK((status == 0) == (number == 0));
}

static void only_crashes_are_blamed_on_a_record(void)
{
    static const struct {
        const char *name;
        int numbers[3];
        unsigned want;
    } rows[] = {
        {"nothing happened", {0, 0, 0}, 0},
        {"one crash", {SIGABRT, 0, 0}, 1},
        {"two crashes with a good run between", {SIGABRT, 0, SIGABRT}, 2},
        {"a fault that was sent", {SIGBUS, SIGSEGV, SIGFPE}, 3},
        {"kill -9 is nobody's fault", {SIGKILL, SIGKILL, SIGKILL}, 0},
        {"nor is being asked to stop", {SIGTERM, SIGTERM, SIGTERM}, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct folder folder;
        folder_make(&folder);
        const char *path = folder_file(&folder, "crashes");
        for (size_t k = 0; k < 3; k++)
            run(path, 4711, rows[i].numbers[k]);
        struct guard *guard = open_guard(path);
        unsigned got = guard_enter(guard, GUARD_HISTORY, 4711, bytes, sizeof bytes);
        CHECK_ROW(rows[i].name, got == rows[i].want);
        CHECK_ROW(rows[i].name,
                  guard_enter(guard, GUARD_HISTORY, 4712, "yother", 6) == 0);
        CHECK_ROW(rows[i].name,
                  guard_enter(guard, GUARD_PIPELINE, 4711, bytes, sizeof bytes) == 0);
        guard_leave(guard, GUARD_HISTORY);
        guard_leave(guard, GUARD_PIPELINE);
        guard_close(guard);
        folder_remove(&folder);
    }
}

static void the_same_bytes_are_known_again(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "crashes");
    run(path, 10, SIGABRT);
    run(path, 10, SIGABRT);
    struct guard *guard = open_guard(path);
    CHECK(guard_enter(guard, GUARD_HISTORY, 10, bytes, sizeof bytes) == 2);
    CHECK(guard_is_news(guard, GUARD_HISTORY, 10));
    CHECK(!guard_is_news(guard, GUARD_HISTORY, 10));
    char again[sizeof bytes];
    memcpy(again, bytes, sizeof bytes);
    again[0] = 'y'; /* how it came is no part of it */
    CHECK(guard_enter(guard, GUARD_HISTORY, 99, again, sizeof again) == 2);
    CHECK(guard_enter(guard, GUARD_HISTORY, 10, "another", 7) == 0);
    guard_leave(guard, GUARD_HISTORY);
    guard_close(guard);
    folder_remove(&folder);
}

static void many_records_make_room_for_each_other(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "crashes");
    for (uint64_t i = 1; i <= 70; i++)
        run(path, i, SIGABRT);
    struct guard *guard = open_guard(path);
    CHECK(guard_enter(guard, GUARD_HISTORY, 1, bytes, sizeof bytes) == 0);
    CHECK(guard_enter(guard, GUARD_HISTORY, 7, bytes, sizeof bytes) == 1);
    CHECK(guard_enter(guard, GUARD_HISTORY, 70, bytes, sizeof bytes) == 1);
    guard_leave(guard, GUARD_HISTORY);
    guard_close(guard);
    folder_remove(&folder);
}

static void damage_is_begun_anew(void)
{
    struct folder folder;
    folder_make(&folder);
    const char *path = folder_file(&folder, "crashes");
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs("not what we wrote", file) >= 0 && fclose(file) == 0);
    struct guard *guard = open_guard(path);
    CHECK(guard_enter(guard, GUARD_HISTORY, 1, bytes, sizeof bytes) == 0);
    guard_leave(guard, GUARD_HISTORY);
    guard_close(guard);
    struct err_text why;
    CHECK(guard_open(&guard, "/nowhere/at/all", &why) != ERR_OK);
    CHECK(guard == NULL && strstr(why.text, "/nowhere/at/all") != NULL);
    CHECK(guard_enter(NULL, GUARD_HISTORY, 1, bytes, sizeof bytes) == 0);
    guard_leave(NULL, GUARD_HISTORY);
    guard_close(NULL);
    folder_remove(&folder);
}

/* ---- a follower ------------------------------------------------------------------- */

static uint64_t put_pack(struct journal *journal, uint64_t seq)
{
    struct pack pack = {.device = "d", .epoch = 1, .seq = seq};
    struct reading reading = {.time_ms = INT64_C(1790000000000) + (int64_t)seq * 1000};
    struct topic name = {
        .org = "o", .device = "d", .kind = TOPIC_READINGS, .epoch = 1, .seq = seq};
    CHECK(pack_channel(&pack, "air_temperature", &reading.channel) == ERR_OK);
    CHECK(pack_add(&pack, &reading) == ERR_OK);
    struct buf text = {0};
    char topic[TOPIC_MAX];
    pack_format(&pack, &text);
    topic_format(&name, topic);
    struct record_message message = {.topic = topic, .topic_len = strlen(topic)};
    uint8_t head[RECORD_MESSAGE_HEAD];
    record_message_head(&message, head);
    const struct journal_piece pieces[] = {
        {head, sizeof head}, {topic, message.topic_len}, {text.data, text.len}};
    uint64_t position;
    CHECK(journal_append(journal, RECORD_MESSAGE, reading.time_ms, 0, pieces, 3,
                         &position) == ERR_OK);
    buf_fini(&text);
    pack_fini(&pack);
    return position;
}

static void the_history_goes_on_without_it(void)
{
    struct folder folder;
    folder_make(&folder);
    char dir[400];
    char crashes[400];
    char history[400];
    snprintf(dir, sizeof dir, "%s/journal", folder.path);
    snprintf(crashes, sizeof crashes, "%s/crashes", folder.path);
    snprintf(history, sizeof history, "%s/history", folder.path);
    struct journal *journal;
    struct err_text why;
    const struct journal_options options = {0};
    CHECK(journal_open(&journal, dir, &options, NULL, &why) == ERR_OK);
    uint64_t poison = 0;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        uint64_t position = put_pack(journal, seq);
        poison = seq == 2 ? position : poison;
    }
    CHECK(journal_sync(journal, NULL) == ERR_OK);
    run(crashes, poison, SIGSEGV);
    run(crashes, poison, SIGSEGV);

    int64_t skipped = metric_get(METRIC_SKIPPED);
    int64_t readings = metric_get(METRIC_HISTORY_READINGS);
    struct guard *guard = open_guard(crashes);
    struct follower *follower;
    CHECK(history_follower_open(&follower, journal, history, 0, guard, &why) == ERR_OK);
    follower_close(follower, 10000);
    CHECK(metric_get(METRIC_SKIPPED) == skipped + 1);
    CHECK(metric_get(METRIC_HISTORY_READINGS) == readings + 2);

    CHECK(journal_sync(journal, NULL) == ERR_OK);
    struct journal_reader *reader;
    struct journal_record record = {0};
    CHECK(journal_reader_open(&reader, journal, 0) == ERR_OK);
    while (journal_reader_next(reader, &record) == ERR_OK &&
           record.type != RECORD_SKIPPED) {
    }
    struct record_skipped said;
    CHECK(record.type == RECORD_SKIPPED);
    CHECK(record_skipped_parse(&said, record.data, record.len) == ERR_OK);
    CHECK(said.position == poison && said.crashes == 2);
    CHECK_TEXT(said.who, "history");
    journal_reader_close(reader);
    CHECK(journal_close(journal) == ERR_OK);
    guard_close(guard);
    char command[420];
    snprintf(command, sizeof command, "rm -r '%s'", folder.path);
    CHECK(system(command) == 0);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"only crashes are blamed on a record", only_crashes_are_blamed_on_a_record},
        {"the same bytes are known again", the_same_bytes_are_known_again},
        {"many records make room for each other", many_records_make_room_for_each_other},
        {"damage is begun anew", damage_is_begun_anew},
        {"the history goes on without it", the_history_goes_on_without_it},
        CU_TEST_INFO_NULL,
    };
    crypto_init();
    return check_run("guard", tests);
}
