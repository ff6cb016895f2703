// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/support/check.h"

static int stderr_before;
static int capture_fds[2];

static void capture(void)
{
    CHECK(pipe2(capture_fds, O_CLOEXEC | O_NONBLOCK) == 0);
    stderr_before = dup(STDERR_FILENO);
    CHECK(dup2(capture_fds[1], STDERR_FILENO) == STDERR_FILENO);
}

/* What was written since capture(), at most 4095 bytes. */
static const char *captured(void)
{
    static char text[4096];
    CHECK(dup2(stderr_before, STDERR_FILENO) == STDERR_FILENO);
    ssize_t len = read(capture_fds[0], text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    close(stderr_before);
    close(capture_fds[0]);
    close(capture_fds[1]);
    return text;
}

static void under_systemd_lines_carry_a_priority(void)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    log_set_level(LOG_LEVEL_DEBUG);
    capture();
    log_error("a=%d", 1);
    log_warn("b");
    log_info("c");
    log_debug("d");
    CHECK_TEXT(captured(), "<3>a=1\n<4>b\n<6>c\n<7>d\n");
    log_set_level(LOG_LEVEL_INFO);
    unsetenv("JOURNAL_STREAM");
}

static void otherwise_a_time_and_a_word(void)
{
    capture();
    log_info("state=ready");
    const char *text = captured();
    /* 2026-11-23T08:00:00.000Z info  state=ready */
    CHECK(strlen(text) == 43 && text[4] == '-' && text[10] == 'T' && text[23] == 'Z');
    CHECK_TEXT(text + 24, " info  state=ready\n");
}

static void what_is_less_urgent_is_left_out(void)
{
    static const char *const want[] = {
        [LOG_LEVEL_ERROR] = "<3>e0\n",
        [LOG_LEVEL_WARN] = "<3>e1\n<4>w\n",
        [LOG_LEVEL_INFO] = "<3>e2\n<4>w\n<6>i\n",
        [LOG_LEVEL_DEBUG] = "<3>e3\n<4>w\n<6>i\n<7>d\n",
    };
    setenv("JOURNAL_STREAM", "8:1", 1);
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        log_set_level((enum log_level)level);
        capture();
        log_error("e%d", level);
        log_warn("w");
        log_info("i");
        log_debug("d");
        CHECK_TEXT(captured(), want[level]);
    }
    log_set_level(LOG_LEVEL_INFO);
    unsetenv("JOURNAL_STREAM");
}

static void a_repeated_warning_is_counted(void)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    capture();
    for (int i = 0; i < 4; i++)
        log_warn("uplink lost");
    log_info("uplink back");
    log_info("uplink back"); /* a state may well be told twice */
    CHECK_TEXT(captured(), "<4>uplink lost\n<4>last warning repeated times=3\n"
                           "<6>uplink back\n<6>uplink back\n");
    unsetenv("JOURNAL_STREAM");
}

static void nobody_begins_a_line_of_his_own(void)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    capture();
    log_info("name=%s", "a\n<3>forged\r\x1b[2J\x7f \xE5\x86\xB7");
    CHECK_TEXT(captured(), "<6>name=a?<3>forged??[2J? \xE5\x86\xB7\n");
    unsetenv("JOURNAL_STREAM");
}

static void a_long_line_is_cut(void)
{
    char text[3000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    setenv("JOURNAL_STREAM", "8:1", 1);
    capture();
    log_info("%s", text);
    CHECK(strlen(captured()) == 3 + 1023 + 1);
    unsetenv("JOURNAL_STREAM");
}

static void errno_is_kept(void)
{
    capture();
    errno = EXDEV;
    log_info("x");
    CHECK(errno == EXDEV);
    captured();
}

static void fatal_writes_and_aborts(void)
{
    fflush(NULL);
    setenv("JOURNAL_STREAM", "8:1", 1);
    capture();
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        log_fatal("out of %s", "luck");
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK_TEXT(captured(), "<3>out of luck\n");
    unsetenv("JOURNAL_STREAM");
}

static CU_TestInfo tests[] = {
    {"under systemd lines carry a priority", under_systemd_lines_carry_a_priority},
    {"otherwise a time and a word", otherwise_a_time_and_a_word},
    {"what is less urgent is left out", what_is_less_urgent_is_left_out},
    {"a repeated warning is counted", a_repeated_warning_is_counted},
    {"nobody begins a line of his own", nobody_begins_a_line_of_his_own},
    {"a long line is cut", a_long_line_is_cut},
    {"errno is kept", errno_is_kept},
    {"fatal writes and aborts", fatal_writes_and_aborts},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("log", tests);
}
