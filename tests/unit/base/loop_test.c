// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "tests/support/check.h"
#include "tests/support/until.h"

#define BOUND_MS 20000

/* What ran, in order, as letters. */
struct trace {
    struct loop *loop;
    char text[64];
    size_t len;
    size_t stop_at;
};

struct step {
    struct trace *trace;
    char letter;
};

static void note(void *context)
{
    struct step *step = context;
    struct trace *trace = step->trace;
    trace->text[trace->len++] = step->letter;
    if (trace->len == trace->stop_at)
        loop_stop(trace->loop);
}

static void timers_fire_by_deadline_then_by_arming(void)
{
    struct trace trace = {.loop = loop_create(), .stop_at = 5};
    /* Further apart than a busy machine lets us sleep between two armings. */
    static const int64_t delays[] = {150, 50, 100, -7, 0};
    struct step steps[5];
    struct loop_timer *timers[5];
    for (size_t i = 0; i < 5; i++) {
        steps[i] = (struct step){&trace, (char)('a' + i)};
        timers[i] = loop_timer_create(trace.loop, note, &steps[i]);
        loop_timer_arm(timers[i], delays[i]);
    }
    loop_run(trace.loop);
    CHECK_TEXT(trace.text, "debca");
    for (size_t i = 0; i < 5; i++)
        loop_timer_destroy(timers[i]);
    loop_destroy(trace.loop);
}

static void a_timer_is_never_early(void)
{
    struct trace trace = {.loop = loop_create(), .stop_at = 1};
    struct step step = {&trace, 'a'};
    struct loop_timer *timer = loop_timer_create(trace.loop, note, &step);
    for (int i = 0; i < 10; i++) {
        trace.len = 0;
        int64_t before = clock_real_ns();
        loop_timer_arm(timer, 3);
        loop_run(trace.loop);
        CHECK(clock_real_ns() - before >= 3000000);
    }
    loop_timer_destroy(timer);
    loop_destroy(trace.loop);
}

struct fired {
    struct loop *loop;
    struct loop_timer *timer;
    int64_t not_before_ns;
    int *count;
    bool has_fired;
};

static void note_fired(void *context)
{
    struct fired *fired = context;
    CHECK(!fired->has_fired && clock_real_ns() >= fired->not_before_ns);
    fired->has_fired = true;
    (*fired->count)--;
    if (*fired->count == 0)
        loop_stop(fired->loop);
}

/* A naive twin: each armed timer fires exactly once, each cancelled one never. */
static void random_arming_matches_a_naive_twin(void)
{
    enum { N = 300 };
    static struct fired fired[N];
    static bool is_armed[N];
    unsigned seed = 20261123;
    int count = 0;
    struct loop *loop = loop_create();
    for (int i = 0; i < N; i++) {
        fired[i] = (struct fired){.loop = loop, .count = &count};
        fired[i].timer = loop_timer_create(loop, note_fired, &fired[i]);
    }
    for (int i = 0; i < 5000; i++) {
        int which = rand_r(&seed) % N;
        if (rand_r(&seed) % 3 == 0) {
            loop_timer_cancel(fired[which].timer);
            count -= is_armed[which];
            is_armed[which] = false;
        } else {
            int64_t delay = rand_r(&seed) % 40;
            fired[which].not_before_ns = clock_real_ns() + delay * 1000000;
            loop_timer_arm(fired[which].timer, delay);
            count += !is_armed[which];
            is_armed[which] = true;
        }
        CHECK(loop_timer_is_armed(fired[which].timer) == is_armed[which]);
    }
    CHECK(count > 0);
    loop_run(loop);
    CHECK(count == 0);
    for (int i = 0; i < N; i++) {
        CHECK(fired[i].has_fired == is_armed[i]);
        CHECK(!loop_timer_is_armed(fired[i].timer));
        loop_timer_destroy(fired[i].timer);
    }
    loop_destroy(loop);
}

struct greedy {
    struct loop *loop;
    struct loop_timer *timer;
    int count;
};

static void arm_again(void *context)
{
    struct greedy *greedy = context;
    greedy->count++;
    loop_timer_arm(greedy->timer, 0);
}

static bool ten_times(void *context)
{
    return ((struct greedy *)context)->count >= 10;
}

static void a_timer_that_arms_itself_starves_nobody(void)
{
    struct greedy greedy = {.loop = loop_create()};
    greedy.timer = loop_timer_create(greedy.loop, arm_again, &greedy);
    loop_timer_arm(greedy.timer, 0);
    CHECK(until_true(greedy.loop, ten_times, &greedy, BOUND_MS));
    loop_timer_destroy(greedy.timer);
    loop_destroy(greedy.loop);
}

static void destroy_itself_and_stop(void *context)
{
    struct greedy *greedy = context;
    loop_timer_destroy(greedy->timer);
    loop_stop(greedy->loop);
}

static void a_timer_may_destroy_itself(void)
{
    struct greedy greedy = {.loop = loop_create()};
    greedy.timer = loop_timer_create(greedy.loop, destroy_itself_and_stop, &greedy);
    loop_timer_arm(greedy.timer, INT64_MAX);
    loop_timer_arm(greedy.timer, 1);
    loop_run(greedy.loop);
    loop_timer_destroy(NULL);
    loop_destroy(greedy.loop);
}

#define POSTERS  4
#define PER_POST 5000

struct parcel {
    struct loop *loop;
    int poster;
    int number;
    int *seen; /* owned by the loop: the last number per poster */
    int *left;
    bool *in_order;
};

static void take_parcel(void *context)
{
    struct parcel *parcel = context;
    if (parcel->number != parcel->seen[parcel->poster] + 1)
        *parcel->in_order = false;
    parcel->seen[parcel->poster] = parcel->number;
    if (--*parcel->left == 0)
        loop_stop(parcel->loop);
    free(parcel);
}

static void *post_many(void *context)
{
    struct parcel *pattern = context;
    for (int i = 1; i <= PER_POST; i++) {
        struct parcel *parcel = mem_dup(pattern, sizeof *pattern);
        parcel->number = i;
        loop_post(parcel->loop, take_parcel, parcel);
    }
    return NULL;
}

static void posts_of_several_threads_keep_their_order(void)
{
    int seen[POSTERS] = {0};
    int left = POSTERS * PER_POST;
    bool in_order = true;
    struct loop *loop = loop_create();
    struct parcel patterns[POSTERS];
    pthread_t threads[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        patterns[i] = (struct parcel){.loop = loop,
                                      .poster = i,
                                      .seen = seen,
                                      .left = &left,
                                      .in_order = &in_order};
        CHECK(pthread_create(&threads[i], NULL, post_many, &patterns[i]) == 0);
    }
    loop_run(loop);
    for (int i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(seen[i] == PER_POST);
    }
    CHECK(in_order);
    loop_destroy(loop);
}

static void what_was_posted_runs_at_destroy(void)
{
    struct trace trace = {.loop = loop_create()};
    struct step a = {&trace, 'a'};
    struct step b = {&trace, 'b'};
    loop_post(trace.loop, note, &a);
    loop_post(trace.loop, note, &b);
    loop_destroy(trace.loop);
    CHECK_TEXT(trace.text, "ab");
    loop_destroy(NULL);
}

static void a_stop_before_the_run_counts(void)
{
    struct loop *loop = loop_create();
    loop_stop(loop);
    loop_run(loop);
    loop_stop(loop);
    loop_run(loop);
    CHECK(true);
    loop_destroy(loop);
}

struct pipe_case {
    struct loop *loop;
    int fds[2];
    struct loop_watch *watch;
    struct loop_watch **other; /* destroyed by the first that runs */
    char got[16];
    size_t len;
    int calls;
};

static void read_some(void *context, uint32_t events)
{
    struct pipe_case *pipe_case = context;
    CHECK((events & EPOLLIN) != 0);
    ssize_t got = read(pipe_case->fds[0], pipe_case->got + pipe_case->len,
                       sizeof pipe_case->got - 1 - pipe_case->len);
    CHECK(got > 0);
    pipe_case->len += (size_t)got;
    if (strcmp(pipe_case->got, "ready") == 0)
        loop_stop(pipe_case->loop);
}

static void a_watch_sees_what_arrives(void)
{
    struct pipe_case one = {.loop = loop_create()};
    CHECK(pipe2(one.fds, O_CLOEXEC | O_NONBLOCK) == 0);
    CHECK(loop_watch_create(&one.watch, one.loop, one.fds[0], EPOLLIN, read_some, &one) ==
          ERR_OK);
    CHECK(write(one.fds[1], "ready", 5) == 5);
    loop_run(one.loop);
    CHECK_TEXT(one.got, "ready");
    loop_watch_destroy(one.watch);
    loop_watch_destroy(NULL);
    loop_destroy(one.loop);
    close(one.fds[0]);
    close(one.fds[1]);
}

static void destroy_the_other(void *context, uint32_t events)
{
    (void)events;
    struct pipe_case *pipe_case = context;
    pipe_case->calls++;
    loop_watch_destroy(*pipe_case->other);
    *pipe_case->other = NULL;
    loop_stop(pipe_case->loop);
}

/* Both are ready in one pass; the one that runs first destroys the other. */
static void a_destroyed_watch_never_runs_again(void)
{
    struct loop *loop = loop_create();
    struct pipe_case a = {.loop = loop};
    struct pipe_case b = {.loop = loop, .other = &a.watch};
    a.other = &b.watch;
    struct pipe_case *both[] = {&a, &b};
    for (size_t i = 0; i < 2; i++) {
        CHECK(pipe2(both[i]->fds, O_CLOEXEC) == 0);
        CHECK(loop_watch_create(&both[i]->watch, loop, both[i]->fds[0], EPOLLIN,
                                destroy_the_other, both[i]) == ERR_OK);
        CHECK(write(both[i]->fds[1], "x", 1) == 1);
    }
    loop_run(loop);
    CHECK(a.calls + b.calls == 1);
    CHECK((a.watch == NULL) != (b.watch == NULL));
    loop_watch_destroy(a.watch);
    loop_watch_destroy(b.watch);
    loop_destroy(loop);
    for (size_t i = 0; i < 2; i++) {
        close(both[i]->fds[0]);
        close(both[i]->fds[1]);
    }
}

static void stop_when_writable(void *context, uint32_t events)
{
    struct pipe_case *pipe_case = context;
    if ((events & EPOLLOUT) != 0)
        loop_stop(pipe_case->loop);
}

static void a_watch_can_change_what_it_waits_for(void)
{
    struct pipe_case one = {.loop = loop_create()};
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, one.fds) == 0);
    CHECK(loop_watch_create(&one.watch, one.loop, one.fds[0], EPOLLIN, stop_when_writable,
                            &one) == ERR_OK);
    loop_watch_change(one.watch, EPOLLOUT);
    loop_run(one.loop);
    loop_watch_destroy(one.watch);
    loop_destroy(one.loop);
    close(one.fds[0]);
    close(one.fds[1]);
}

static void a_descriptor_that_cannot_be_watched_is_refused(void)
{
    static const struct {
        const char *name;
        const char *path;
        enum err want;
    } rows[] = {
        {"plain file", "/proc/self/exe", ERR_UNSUPPORTED},
        {"no descriptor", NULL, ERR_IO},
    };
    struct loop *loop = loop_create();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = rows[i].path != NULL ? open(rows[i].path, O_RDONLY | O_CLOEXEC) : -1;
        struct loop_watch *watch = NULL;
        CHECK_ROW(rows[i].name, loop_watch_create(&watch, loop, fd, EPOLLIN, read_some,
                                                  NULL) == rows[i].want);
        CHECK_ROW(rows[i].name, watch == NULL);
        if (fd >= 0)
            close(fd);
    }
    loop_destroy(loop);
}

/* In a child, because the signal mask and SIGPIPE stay changed. */
static int wait_for_signal(int signal_number)
{
    struct loop *loop = loop_create();
    loop_stop_on_signals(loop);
    int fds[2];
    if (pipe(fds) != 0 || raise(signal_number) != 0)
        return 2;
    close(fds[0]);
    if (write(fds[1], "x", 1) >= 0)
        return 3; /* must be EPIPE, and no signal */
    close(fds[1]);
    loop_run(loop);
    loop_destroy(loop);
    return 0;
}

static void sigterm_and_sigint_stop_the_loop(void)
{
    static const int signals[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < 2; i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            _exit(wait_for_signal(signals[i]));
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

struct hangups {
    struct loop *loop;
    int count;
};

static void on_hangup(void *context)
{
    struct hangups *hangups = context;
    if (++hangups->count == 2 && raise(SIGTERM) != 0)
        _exit(2);
    if (hangups->count == 1 && raise(SIGHUP) != 0)
        _exit(3);
}

/* In a child likewise. */
static int count_hangups(void)
{
    struct hangups hangups = {.loop = loop_create()};
    loop_stop_on_signals(hangups.loop);
    loop_on_hangup(hangups.loop, on_hangup, &hangups);
    if (raise(SIGHUP) != 0)
        return 4;
    loop_run(hangups.loop);
    loop_destroy(hangups.loop);
    return hangups.count == 2 ? 0 : 5;
}

static void sighup_runs_a_function_and_stops_nothing(void)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(count_hangups());
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static CU_TestInfo tests[] = {
    {"timers fire by deadline, then by arming", timers_fire_by_deadline_then_by_arming},
    {"a timer is never early", a_timer_is_never_early},
    {"random arming matches a naive twin", random_arming_matches_a_naive_twin},
    {"a timer that arms itself starves nobody", a_timer_that_arms_itself_starves_nobody},
    {"a timer may destroy itself", a_timer_may_destroy_itself},
    {"posts of several threads keep their order",
     posts_of_several_threads_keep_their_order},
    {"what was posted runs at destroy", what_was_posted_runs_at_destroy},
    {"a stop before the run counts", a_stop_before_the_run_counts},
    {"a watch sees what arrives", a_watch_sees_what_arrives},
    {"a destroyed watch never runs again", a_destroyed_watch_never_runs_again},
    {"a watch can change what it waits for", a_watch_can_change_what_it_waits_for},
    {"a descriptor that cannot be watched is refused",
     a_descriptor_that_cannot_be_watched_is_refused},
    {"SIGTERM and SIGINT stop the loop", sigterm_and_sigint_stop_the_loop},
    {"SIGHUP runs a function and stops nothing",
     sighup_runs_a_function_and_stops_nothing},
    CU_TEST_INFO_NULL,
};

int main(void)
{
    return check_run("loop", tests);
}
