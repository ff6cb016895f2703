// SPDX-License-Identifier: Apache-2.0
/* The agent's own alarm: once when acks stop, once when they are back, and by a real
 * command. */
#include "edge-agent/ack_alarm.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "tests/support/check.h"
#include "tests/support/folder.h"
#include "tests/support/until.h"

#define MINUTE_MS INT64_C(60000)
#define BOUND_MS  20000

/* Minutes with what was acked and what waits; r(ings), q(uiet again), . nothing. */
static void it_rings_once_and_is_quiet_once(void)
{
    static const struct {
        const char *name;
        struct {
            uint64_t acked;
            uint64_t backlog;
        } minutes[8];
        const char *want;
    } rows[] = {
        {"acks come",
         {{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 2}, {6, 1}, {7, 1}, {8, 1}},
         "........"},
        {"nothing waits",
         {{1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}, {1, 0}},
         "........"},
        {"acks stop",
         {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {1, 7}, {1, 8}},
         "...r...."},
        {"and come back",
         {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {3, 4}, {5, 3}, {7, 2}},
         "...r.q.."},
        {"all at once",
         {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}, {6, 0}, {6, 0}, {6, 0}},
         "...r.q.."},
        {"what begins to wait is given its time",
         {{1, 0}, {1, 0}, {1, 0}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
         "......r."},
        {"before the first ack of all",
         {{0, 5}, {0, 5}, {0, 5}, {0, 5}, {0, 5}, {1, 4}, {1, 4}, {1, 4}},
         "...r.q.."},
        {"again",
         {{1, 1}, {1, 1}, {1, 1}, {1, 1}, {2, 1}, {2, 1}, {2, 1}, {2, 1}},
         "...rq..r"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ack_watch watch = {.after_ms = 3 * MINUTE_MS};
        char got[9] = "";
        for (size_t k = 0; k < 8; k++) {
            bool changed =
                ack_watch_step(&watch, ((int64_t)k + 1) * MINUTE_MS,
                               rows[i].minutes[k].acked, rows[i].minutes[k].backlog);
            got[k] = '.';
            if (changed)
                got[k] = watch.is_ringing ? 'r' : 'q';
        }
        if (strcmp(got, rows[i].want) != 0)
            printf("\n  %s: %s, not %s\n", rows[i].name, got, rows[i].want);
        CHECK_ROW(rows[i].name, strcmp(got, rows[i].want) == 0);
    }
}

static void without_a_time_it_never_rings(void)
{
    struct ack_watch watch = {0};
    for (int64_t day = 1; day < 100; day++)
        CHECK(!ack_watch_step(&watch, day * 24 * 60 * MINUTE_MS, 0, 5));
    CHECK(ack_watch_waiting_ms(&watch, 101 * 24 * 60 * MINUTE_MS) ==
          100 * 24 * 60 * MINUTE_MS);
}

/* ---- the command ---- */

struct bench {
    struct folder folder;
    struct loop *loop;
    struct ack_alarm *alarm;
    char path[PATH_MAX];
    char program[PATH_MAX];
    char mark[PATH_MAX];
    char *command[3];
    int64_t retry_ms;
    int64_t after_ms;
    uint64_t runs; /* that are waited for */
    uint64_t acked;
    uint64_t backlog;
};

static void look(void *context, uint64_t *acked, uint64_t *backlog)
{
    const struct bench *bench = context;
    *acked = bench->acked;
    *backlog = bench->backlog;
}

static void start(struct bench *bench, int64_t timeout_ms)
{
    const struct ack_alarm_options options = {.loop = bench->loop,
                                              .after_ms = bench->after_ms,
                                              .timeout_ms = timeout_ms,
                                              .command = bench->command,
                                              .command_count = 2,
                                              .retry_ms = bench->retry_ms,
                                              .mark = bench->mark,
                                              .context = bench,
                                              .look = look};
    bench->alarm = ack_alarm_create(&options);
}

/* `body` is what the program does; its last argument is $2, behind the file's name. */
static void bench_open(struct bench *bench, const char *body, int64_t timeout_ms)
{
    *bench = (struct bench){.loop = loop_create(), .backlog = 1};
    folder_make(&bench->folder);
    snprintf(bench->path, sizeof bench->path, "%s", folder_file(&bench->folder, "rung"));
    snprintf(bench->program, sizeof bench->program, "%s",
             folder_file(&bench->folder, "siren"));
    FILE *file = fopen(bench->program, "w");
    CHECK(file != NULL && fprintf(file, "#!/bin/sh\n%s\n", body) > 0);
    CHECK(fchmod(fileno(file), 0700) == 0 && fclose(file) == 0);
    bench->command[0] = bench->program;
    bench->command[1] = bench->path;
    snprintf(bench->mark, sizeof bench->mark, "%s",
             folder_file(&bench->folder, ACK_ALARM_MARK));
    bench->retry_ms = 10 * MINUTE_MS;
    bench->after_ms = 1;
    start(bench, timeout_ms);
}

static void restart(struct bench *bench)
{
    ack_alarm_destroy(bench->alarm);
    bench->acked = 0;
    start(bench, 10000);
}

static void bench_close(struct bench *bench)
{
    ack_alarm_destroy(bench->alarm);
    loop_destroy(bench->loop);
    folder_remove(&bench->folder);
}

static bool has_run_once(void *context)
{
    struct bench *bench = context;
    uint64_t failed;
    return ack_alarm_runs(bench->alarm, &failed) == 1;
}

static bool has_run_twice(void *context)
{
    struct bench *bench = context;
    uint64_t failed;
    return ack_alarm_runs(bench->alarm, &failed) == 2;
}

static void the_command_is_run_when_acks_stop_and_when_they_are_back(void)
{
    struct bench bench;
    struct buf text = {0};
    uint64_t failed = 9;
    bench_open(&bench, "echo \"$2\" >> \"$1\"", 10000);
    CHECK(until_true(bench.loop, has_run_once, &bench, BOUND_MS));
    CHECK(ack_alarm_is_ringing(bench.alarm));
    bench.acked = 1;
    CHECK(until_true(bench.loop, has_run_twice, &bench, BOUND_MS));
    CHECK(!ack_alarm_is_ringing(bench.alarm));
    CHECK(file_read(&text, bench.path, 1000, NULL) == ERR_OK);
    CHECK(text.len == 10 && memcmp(text.data, "lost\nback\n", 10) == 0);
    CHECK(ack_alarm_runs(bench.alarm, &failed) == 2 && failed == 0);
    buf_fini(&text);
    bench_close(&bench);
}

static void a_command_that_hangs_is_ended_and_counted(void)
{
    struct bench bench;
    uint64_t failed = 0;
    bench_open(&bench, "exec tail -f /dev/null", 200);
    CHECK(until_true(bench.loop, has_run_once, &bench, BOUND_MS));
    CHECK(ack_alarm_runs(bench.alarm, &failed) == 1 && failed == 1);
    bench_close(&bench);
}

static bool has_run_so_often(void *context)
{
    struct bench *bench = context;
    uint64_t failed;
    return ack_alarm_runs(bench->alarm, &failed) >= bench->runs;
}

static void wait_for_runs(struct bench *bench, uint64_t runs)
{
    bench->runs = runs;
    CHECK(until_true(bench->loop, has_run_so_often, bench, BOUND_MS));
}

static void check_rung(struct bench *bench, const char *want)
{
    struct buf text = {0};
    CHECK(file_read(&text, bench->path, 1000, NULL) == ERR_OK);
    buf_text(&text, "");
    CHECK_TEXT(text.data, want);
    buf_fini(&text);
}

static void a_command_that_fails_is_run_again(void)
{
    struct bench bench;
    uint64_t failed;
    bench_open(&bench, "echo \"$2\" >> \"$1\"; [ $(wc -l < \"$1\") -ge 3 ]", 10000);
    ack_alarm_destroy(bench.alarm);
    bench.retry_ms = 1;
    start(&bench, 10000);
    wait_for_runs(&bench, 3);
    CHECK(ack_alarm_is_ringing(bench.alarm));
    bench.acked = 1;
    wait_for_runs(&bench, 4);
    CHECK(ack_alarm_runs(bench.alarm, &failed) == 4 && failed == 2);
    check_rung(&bench, "lost\nlost\nlost\nback\n");
    bench_close(&bench);
}

static void what_rang_before_a_restart_is_ended_when_acks_come(void)
{
    struct bench bench;
    uint64_t failed;
    bench_open(&bench, "echo \"$2\" >> \"$1\"", 10000);
    wait_for_runs(&bench, 1);
    restart(&bench);
    CHECK(ack_alarm_is_ringing(bench.alarm));
    bench.acked = 1;
    wait_for_runs(&bench, 1);
    CHECK(!ack_alarm_is_ringing(bench.alarm));
    check_rung(&bench, "lost\nback\n");
    bench.backlog = 0;
    restart(&bench); /* quiet, and known to be */
    CHECK(!ack_alarm_is_ringing(bench.alarm) && access(bench.mark, F_OK) != 0);
    CHECK(ack_alarm_runs(bench.alarm, &failed) == 0);
    bench_close(&bench);
}

/* The command may have switched the siren on before it failed, or before a power cut. */
static void what_may_ring_is_ended_or_rung_again(void)
{
    struct bench bench;
    bench_open(&bench, "echo \"$2\" >> \"$1\"; [ $2 = back ]", 10000);
    wait_for_runs(&bench, 1);
    restart(&bench);
    wait_for_runs(&bench, 1); /* `after` has passed once more */
    check_rung(&bench, "lost\nlost\n");
    bench.after_ms = 10 * MINUTE_MS;
    restart(&bench);
    bench.backlog = 0;
    wait_for_runs(&bench, 1);
    check_rung(&bench, "lost\nlost\nback\n");
    CHECK(!ack_alarm_is_ringing(bench.alarm));
    bench_close(&bench);
}

static void what_a_shell_would_do_is_not_done(void)
{
    struct bench bench;
    struct buf text = {0};
    bench_open(&bench, "printf %s \"$2\" > \"$1\"", 10000);
    CHECK(until_true(bench.loop, has_run_once, &bench, BOUND_MS));
    ack_alarm_destroy(bench.alarm);
    char trick[] = "$(touch /tmp/never); true";
    char *command[] = {bench.program, bench.path, trick, NULL};
    struct ack_alarm_options options = {.loop = bench.loop,
                                        .after_ms = 1,
                                        .timeout_ms = 10000,
                                        .command = command,
                                        .command_count = 3,
                                        .context = &bench,
                                        .look = look};
    bench.alarm = ack_alarm_create(&options);
    CHECK(until_true(bench.loop, has_run_once, &bench, BOUND_MS));
    CHECK(file_read(&text, bench.path, 1000, NULL) == ERR_OK);
    CHECK(text.len == strlen(trick) && memcmp(text.data, trick, text.len) == 0);
    buf_fini(&text);
    bench_close(&bench);
}

int main(void)
{
    CU_TestInfo tests[] = {
        {"it rings once and is quiet once", it_rings_once_and_is_quiet_once},
        {"without a time it never rings", without_a_time_it_never_rings},
        {"the command is run when acks stop and when they are back",
         the_command_is_run_when_acks_stop_and_when_they_are_back},
        {"a command that hangs is ended and counted",
         a_command_that_hangs_is_ended_and_counted},
        {"a command that fails is run again", a_command_that_fails_is_run_again},
        {"what rang before a restart is ended when acks come",
         what_rang_before_a_restart_is_ended_when_acks_come},
        {"what may ring is ended or rung again", what_may_ring_is_ended_or_rung_again},
        {"what a shell would do is not done", what_a_shell_would_do_is_not_done},
        CU_TEST_INFO_NULL,
    };
    return check_run("ack_alarm", tests);
}
