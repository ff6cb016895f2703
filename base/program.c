// SPDX-License-Identifier: Apache-2.0
#include "base/program.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define CHUNK   4096
#define LOOK_MS 20 /* how often an end is looked for that no pipe tells of */

/* Nothing of ours: no credentials, no locale that would write 21,5. */
static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static char locale[] = "LC_ALL=C.UTF-8";

struct child {
    pid_t pid;
    int out;       /* -1: at its end */
    int complaint; /* likewise */
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- starting ---- */

static int set_up(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr,
                  const int out[2], const int complaint[2])
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(files, out[1], 1);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(files, complaint[1], 2);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(files, 3);
    if (error == 0)
        error = posix_spawnattr_setflags(
            attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error == 0)
        error = posix_spawnattr_setpgroup(attr, 0);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attr, &none);
    return error == 0 ? posix_spawnattr_setsigdefault(attr, &all) : error;
}

/* The caller frees the list, not what it points to. */
static char **make_environment(char *const *added)
{
    size_t count = 0;
    while (added != NULL && added[count] != NULL)
        count++;
    char **environment = mem_array(count + 3, sizeof *environment);
    environment[0] = path;
    environment[1] = locale;
    for (size_t i = 0; i < count; i++)
        environment[i + 2] = added[i];
    return environment;
}

static int spawn(struct child *child, const struct program_options *options,
                 const int out[2], const int complaint[2])
{
    char **environment = make_environment(options->environment);
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    int error = set_up(&files, &attr, out, complaint);
    if (error == 0)
        error = posix_spawn(&child->pid, options->argv[0], &files, &attr, options->argv,
                            environment);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    free(environment);
    return error;
}

static enum err start(struct child *child, const struct program_options *options,
                      struct err_text *why)
{
    int out[2] = {-1, -1};
    int complaint[2] = {-1, -1};
    int error = 0;
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(complaint, O_CLOEXEC) != 0)
        error = errno;
    if (error == 0)
        error = spawn(child, options, out, complaint);
    close_one(&out[1]);
    close_one(&complaint[1]);
    if (error != 0) {
        close_one(&out[0]);
        close_one(&complaint[0]);
        return err_set(why, err_from_errno(error), "%s: %s", options->argv[0],
                       strerror(error));
    }
    /* Only our ends: the program's own shall block as it expects. */
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(complaint[0], F_SETFL, O_NONBLOCK);
    child->out = out[0];
    child->complaint = complaint[0];
    return ERR_OK;
}

/* ---- listening ---- */

/* Takes what is there, up to `max` bytes in all; what is beyond is read and forgotten. */
static bool drain(int *fd, struct buf *into, size_t max)
{
    char chunk[CHUNK];
    ssize_t got = 1;
    bool fits = true;
    while (*fd >= 0 && got > 0 && fits) {
        got = read(*fd, chunk, sizeof chunk);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            close_one(fd);
        if (got <= 0)
            continue;
        size_t room = max - into->len;
        fits = (size_t)got <= room;
        buf_add(into, chunk, fits ? (size_t)got : room);
    }
    return fits;
}

/* Ended, but not yet reaped: its number stays its own until we are done with it. */
static bool has_ended(const struct child *child)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
}

static void wait_a_little(const struct child *child, int64_t left_ms)
{
    struct pollfd ends[] = {{.fd = child->out, .events = POLLIN},
                            {.fd = child->complaint, .events = POLLIN}};
    poll(ends, 2, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
}

static enum err listen_to(struct child *child, const struct program_options *options,
                          struct buf *out, struct buf *complaint, struct err_text *why)
{
    int64_t end_ms = clock_real_ms() + options->timeout_ms;
    for (;;) {
        bool is_over = has_ended(child); /* asked first: what it said is there by then */
        if (!drain(&child->out, out, options->output_max))
            return err_set(why, ERR_LIMIT, "%s printed more than %zu bytes",
                           options->argv[0], options->output_max);
        if (!drain(&child->complaint, complaint, PROGRAM_COMPLAINT_MAX)) {
            /* bounded: the rest of what it has to say is not kept */
        }
        if (is_over)
            return ERR_OK;
        int64_t left_ms = end_ms - clock_real_ms();
        if (left_ms <= 0)
            return err_set(why, ERR_TIMEOUT, "%s did not end within %lld ms",
                           options->argv[0], (long long)options->timeout_ms);
        wait_a_little(child, left_ms);
    }
}

/* ---- ending ---- */

static enum err judge_end(const char *program, int status, struct err_text *why)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ERR_OK;
    if (WIFEXITED(status))
        return err_set(why, ERR_IO, "%s ended with status %d", program,
                       WEXITSTATUS(status));
    return err_set(why, ERR_IO, "%s was ended by signal %d", program, WTERMSIG(status));
}

enum err program_run(const struct program_options *options, struct buf *out,
                     struct buf *complaint, struct err_text *why)
{
    assert(options->argv[0] != NULL && options->timeout_ms > 0);
    struct child child = {.pid = -1, .out = -1, .complaint = -1};
    enum err err = start(&child, options, why);
    if (err != ERR_OK)
        return err;
    err = listen_to(&child, options, out, complaint, why);
    kill(-child.pid, SIGKILL);
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close_one(&child.out);
    close_one(&child.complaint);
    return err == ERR_OK ? judge_end(options->argv[0], status, why) : err;
}
