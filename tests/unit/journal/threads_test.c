// SPDX-License-Identifier: Apache-2.0
/* Appenders, a committer, readers, a helper that prepares and trims: all at once. */
#include "journal/journal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/crypto.h"
#include "tests/support/check.h"

#define APPENDERS  3
#define READERS    2
#define PER_THREAD 4000

struct shared {
    struct journal *journal;
    _Atomic int appending;
    _Atomic bool stop; /* the helper's */
    _Atomic uint64_t trim_before;
    _Atomic size_t errors;
};

struct appender {
    struct shared *shared;
    uint32_t id;
};

struct body {
    uint32_t thread;
    uint32_t number;
    uint8_t rest[200];
};

static void *append_all(void *arg)
{
    struct appender *appender = arg;
    struct shared *shared = appender->shared;
    uint64_t last = 0;
    for (uint32_t i = 0; i < PER_THREAD; i++) {
        struct body body = {.thread = appender->id, .number = i};
        memset(body.rest, (int)(i & 0xff), sizeof body.rest);
        struct journal_piece pieces[] = {{&body, 8}, {body.rest, i % sizeof body.rest}};
        uint64_t position = 0;
        if (journal_append(shared->journal, 16, i, i, pieces, 2, &position) != ERR_OK ||
            position <= last)
            shared->errors++;
        last = position;
    }
    shared->appending--;
    return NULL;
}

static void *commit_all(void *arg)
{
    struct shared *shared = arg;
    bool more = true;
    while (more) {
        more = shared->appending > 0;
        uint64_t synced = 0;
        if (journal_sync(shared->journal, &synced) != ERR_OK ||
            synced != journal_synced(shared->journal))
            shared->errors++;
    }
    return NULL;
}

static void *help(void *arg)
{
    struct shared *shared = arg;
    while (!shared->stop) {
        struct journal_stats stats;
        if (journal_prepare(shared->journal) != ERR_OK ||
            journal_trim(shared->journal, shared->trim_before) != ERR_OK)
            shared->errors++;
        journal_stats(shared->journal, &stats);
        if (stats.synced > stats.end || journal_pending(shared->journal, NULL) > 1u << 20)
            shared->errors++;
    }
    return NULL;
}

/* Each appender's records come in its order, whole and without a gap. */
static void *read_all(void *arg)
{
    struct shared *shared = arg;
    struct journal_reader *reader = NULL;
    struct journal_record record;
    uint32_t next[APPENDERS] = {0};
    size_t left = (size_t)APPENDERS * PER_THREAD;
    if (journal_reader_open(&reader, shared->journal, 0) != ERR_OK)
        shared->errors++;
    while (left > 0 && shared->errors == 0) {
        enum err err = journal_reader_next(reader, &record);
        if (err == ERR_NOT_FOUND)
            continue; /* the committer is at it */
        struct body body = {0};
        if (err != ERR_OK || record.type != 16 || record.len > sizeof body) {
            shared->errors++;
            break;
        }
        memcpy(&body, record.data, record.len);
        if (body.thread >= APPENDERS || body.number != next[body.thread]++ ||
            record.len != 8 + body.number % sizeof body.rest ||
            record.position >= journal_synced(shared->journal))
            shared->errors++;
        for (size_t i = 0; i < record.len - 8; i++)
            shared->errors += body.rest[i] != (uint8_t)body.number;
        left--;
    }
    journal_reader_close(reader);
    return NULL;
}

static void readers_follow_appenders_without_a_lock_of_their_own(void)
{
    char dir[] = "/tmp/journal-threads-XXXXXX", path[64], command[100];
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/j", dir);
    struct journal_options options = {.segment_bytes = 1 << 18, .spare_segments = 2};
    struct shared shared = {.appending = APPENDERS};
    struct err_text why;
    CHECK(journal_open(&shared.journal, path, &options, NULL, &why) == ERR_OK);
    pthread_t appenders[APPENDERS], readers[READERS], committer, helper;
    struct appender args[APPENDERS];
    for (uint32_t i = 0; i < APPENDERS; i++) {
        args[i] = (struct appender){&shared, i};
        CHECK(pthread_create(&appenders[i], NULL, append_all, &args[i]) == 0);
    }
    CHECK(pthread_create(&committer, NULL, commit_all, &shared) == 0);
    CHECK(pthread_create(&helper, NULL, help, &shared) == 0);
    for (size_t i = 0; i < READERS; i++)
        CHECK(pthread_create(&readers[i], NULL, read_all, &shared) == 0);
    for (size_t i = 0; i < APPENDERS; i++)
        pthread_join(appenders[i], NULL);
    pthread_join(committer, NULL);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    shared.trim_before = journal_synced(shared.journal);
    if (journal_trim(shared.journal, shared.trim_before) != ERR_OK)
        shared.errors++;
    shared.stop = true;
    pthread_join(helper, NULL);
    CHECK(shared.errors == 0);
    struct journal_stats stats;
    journal_stats(shared.journal, &stats);
    CHECK(stats.records == (uint64_t)APPENDERS * PER_THREAD);
    CHECK(stats.segments == 1 && stats.poisoned == 0);
    CHECK(journal_close(shared.journal) == ERR_OK);
    snprintf(command, sizeof command, "rm -r %s", dir);
    CHECK(system(command) == 0);
}

static CU_TestInfo tests[] = {
    {"readers follow appenders without a lock of their own",
     readers_follow_appenders_without_a_lock_of_their_own},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    crypto_init();
    return check_run("threads", tests);
}
