// SPDX-License-Identifier: Apache-2.0
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define EVENTS_PER_PASS 64
#define NS_PER_MS       1000000
/* A century: far beyond what is ever meant, and no sum with it overflows. */
#define DELAY_MS_MAX (INT64_C(100) * 366 * 86400 * 1000)
#define NOT_IN_HEAP  SIZE_MAX

struct post {
    loop_fn *fn;
    void *context;
};

struct posts {
    struct post *items;
    size_t count;
    size_t capacity;
};

struct loop_timer {
    struct loop *loop;
    loop_fn *fn;
    void *context;
    int64_t deadline_ns;
    uint64_t order; /* of arming: equal deadlines fire first come, first served */
    size_t at;      /* in loop->heap, or NOT_IN_HEAP */
};

struct loop_watch {
    struct loop *loop;
    int fd;
    loop_fd_fn *fn; /* NULL once destroyed */
    void *context;
    struct loop_watch *next_dead;
};

struct loop {
    /* fixed after create */
    int epoll_fd;
    int wake_fd;
    int timer_fd;
    struct loop_watch *wake_watch;
    struct loop_watch *timer_watch;

    /* owned by the loop thread */
    int signal_fd;
    struct loop_watch *signal_watch;
    loop_fn *on_hangup;
    void *hangup_context;
    struct loop_timer **heap; /* the earliest (deadline, order) first */
    size_t timers_armed;
    size_t heap_capacity;
    uint64_t next_order;
    int64_t timer_fd_ns; /* what timer_fd is set to; 0: nothing */
    size_t timers_alive;
    size_t watches_alive;
    struct loop_watch *dead; /* freed when no event of this pass can name them */
    struct posts running;

    /* shared */
    atomic_bool is_stopping;
    atomic_bool is_running;
    pthread_mutex_t lock;
    /* shared, under lock */
    struct posts waiting;
    pthread_t runner;
};

/* Not for speed: catches a caller on a foreign thread where it breaks the contract. */
static bool belongs_here(struct loop *loop)
{
    if (!atomic_load(&loop->is_running))
        return true;
    pthread_mutex_lock(&loop->lock);
    bool is_runner = pthread_equal(loop->runner, pthread_self()) != 0;
    pthread_mutex_unlock(&loop->lock);
    return is_runner;
}

static int must_fd(int fd, const char *what)
{
    if (fd < 0)
        log_fatal("cannot create %s: %s", what, strerror(errno));
    return fd;
}

static bool fires_before(const struct loop_timer *a, const struct loop_timer *b)
{
    if (a->deadline_ns != b->deadline_ns)
        return a->deadline_ns < b->deadline_ns;
    return a->order < b->order;
}

static void heap_put(struct loop *loop, size_t at, struct loop_timer *timer)
{
    loop->heap[at] = timer;
    timer->at = at;
}

static void heap_up(struct loop *loop, size_t at)
{
    struct loop_timer *timer = loop->heap[at];
    while (at > 0 && fires_before(timer, loop->heap[(at - 1) / 2])) {
        heap_put(loop, at, loop->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(loop, at, timer);
}

static void heap_down(struct loop *loop, size_t at)
{
    struct loop_timer *timer = loop->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= loop->timers_armed)
            break;
        if (child + 1 < loop->timers_armed &&
            fires_before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (!fires_before(loop->heap[child], timer))
            break;
        heap_put(loop, at, loop->heap[child]);
        at = child;
    }
    heap_put(loop, at, timer);
}

static void heap_add(struct loop *loop, struct loop_timer *timer)
{
    assert(timer->at == NOT_IN_HEAP);
    mem_grow(&loop->heap, &loop->heap_capacity, loop->timers_armed + 1,
             sizeof(struct loop_timer *));
    heap_put(loop, loop->timers_armed++, timer);
    heap_up(loop, timer->at);
}

static void heap_remove(struct loop *loop, struct loop_timer *timer)
{
    size_t at = timer->at;
    assert(at < loop->timers_armed && loop->heap[at] == timer);
    struct loop_timer *last = loop->heap[--loop->timers_armed];
    timer->at = NOT_IN_HEAP;
    if (last == timer)
        return;
    heap_put(loop, at, last);
    heap_up(loop, at);
    heap_down(loop, last->at);
}

/* A wake-up too many does no harm, so the descriptor is only set when it must be earlier.
 */
static void set_timer_fd(struct loop *loop)
{
    if (loop->timers_armed == 0)
        return;
    int64_t deadline_ns = loop->heap[0]->deadline_ns;
    if (loop->timer_fd_ns != 0 && loop->timer_fd_ns <= deadline_ns)
        return;
    struct itimerspec at = {.it_value = {.tv_sec = deadline_ns / 1000000000,
                                         .tv_nsec = deadline_ns % 1000000000}};
    if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) != 0)
        log_fatal("cannot set a timer: %s", strerror(errno));
    loop->timer_fd_ns = deadline_ns;
}

static void clear_fd(int fd)
{
    uint64_t count;
    if (read(fd, &count, sizeof count) < 0) {
        /* somebody's earlier event of this pass has read it */
    }
}

/* Timers armed by these callbacks wait for the next pass, so that none starves the rest.
 */
static void on_timer_fd(void *context, uint32_t events)
{
    (void)events;
    struct loop *loop = context;
    clear_fd(loop->timer_fd);
    loop->timer_fd_ns = 0;
    int64_t now_ns = clock_real_ns();
    uint64_t orders_end = loop->next_order;
    while (loop->timers_armed > 0) {
        struct loop_timer *timer = loop->heap[0];
        if (timer->deadline_ns > now_ns || timer->order >= orders_end)
            break;
        heap_remove(loop, timer);
        timer->fn(timer->context);
    }
}

/* Posts made by these callbacks wait for the next pass. */
static void on_wake_fd(void *context, uint32_t events)
{
    (void)events;
    struct loop *loop = context;
    clear_fd(loop->wake_fd);
    pthread_mutex_lock(&loop->lock);
    struct posts taken = loop->waiting;
    loop->waiting = loop->running;
    loop->running = taken;
    pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < loop->running.count; i++)
        loop->running.items[i].fn(loop->running.items[i].context);
    loop->running.count = 0;
}

static void on_signal_fd(void *context, uint32_t events)
{
    (void)events;
    struct loop *loop = context;
    struct signalfd_siginfo info;
    if (read(loop->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGHUP) {
        loop->on_hangup(loop->hangup_context);
        return;
    }
    log_info("stopping signal=%u", info.ssi_signo);
    loop_stop(loop);
}

static struct loop_watch *must_watch(struct loop *loop, int fd, loop_fd_fn *fn)
{
    struct loop_watch *watch = NULL;
    if (loop_watch_create(&watch, loop, fd, EPOLLIN, fn, loop) != ERR_OK)
        log_fatal("cannot watch a descriptor of the loop: %s", strerror(errno));
    return watch;
}

struct loop *loop_create(void)
{
    struct loop *loop = mem_alloc(sizeof *loop);
    loop->epoll_fd = must_fd(epoll_create1(EPOLL_CLOEXEC), "an epoll descriptor");
    loop->wake_fd =
        must_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "an event descriptor");
    loop->timer_fd = must_fd(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK),
                             "a timer descriptor");
    loop->signal_fd = -1;
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake_watch = must_watch(loop, loop->wake_fd, on_wake_fd);
    loop->timer_watch = must_watch(loop, loop->timer_fd, on_timer_fd);
    return loop;
}

static void free_dead(struct loop *loop)
{
    while (loop->dead != NULL) {
        struct loop_watch *watch = loop->dead;
        loop->dead = watch->next_dead;
        free(watch);
    }
}

static bool has_posts(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    bool some = loop->waiting.count > 0;
    pthread_mutex_unlock(&loop->lock);
    return some;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL)
        return;
    assert(!atomic_load(&loop->is_running));
    while (has_posts(loop))
        on_wake_fd(loop, 0);
    loop_watch_destroy(loop->signal_watch);
    loop_watch_destroy(loop->timer_watch);
    loop_watch_destroy(loop->wake_watch);
    assert(loop->timers_alive == 0 && loop->watches_alive == 0);
    free_dead(loop);
    if (loop->signal_fd >= 0)
        close(loop->signal_fd);
    close(loop->timer_fd);
    close(loop->wake_fd);
    close(loop->epoll_fd);
    free(loop->heap);
    free(loop->running.items);
    free(loop->waiting.items);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

static void run_once(struct loop *loop)
{
    struct epoll_event events[EVENTS_PER_PASS];
    set_timer_fd(loop);
    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_PASS, -1);
    if (count < 0 && errno != EINTR)
        log_fatal("cannot wait for events: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct loop_watch *watch = events[i].data.ptr;
        if (watch->fn != NULL)
            watch->fn(watch->context, events[i].events);
    }
    free_dead(loop);
}

void loop_run(struct loop *loop)
{
    assert(!atomic_load(&loop->is_running));
    pthread_mutex_lock(&loop->lock);
    loop->runner = pthread_self();
    pthread_mutex_unlock(&loop->lock);
    atomic_store(&loop->is_running, true);
    while (!atomic_exchange(&loop->is_stopping, false))
        run_once(loop);
    atomic_store(&loop->is_running, false);
}

static void wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(loop->wake_fd, &one, sizeof one);
    assert(written == (ssize_t)sizeof one || errno == EAGAIN);
}

void loop_stop(struct loop *loop)
{
    atomic_store(&loop->is_stopping, true);
    wake(loop);
}

/* From now on they come through the descriptor, which is made when there is none. */
static void take_signals(struct loop *loop, bool with_hangup)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (with_hangup)
        sigaddset(&set, SIGHUP);
    int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
    assert(failed == 0);
    loop->signal_fd = must_fd(signalfd(loop->signal_fd, &set, SFD_CLOEXEC | SFD_NONBLOCK),
                              "a signal descriptor");
}

void loop_stop_on_signals(struct loop *loop)
{
    assert(belongs_here(loop) && loop->signal_fd < 0);
    signal(SIGPIPE, SIG_IGN);
    take_signals(loop, false);
    loop->signal_watch = must_watch(loop, loop->signal_fd, on_signal_fd);
}

void loop_on_hangup(struct loop *loop, loop_fn *fn, void *context)
{
    assert(belongs_here(loop) && loop->signal_fd >= 0 && fn != NULL);
    loop->on_hangup = fn;
    loop->hangup_context = context;
    take_signals(loop, true);
}

void loop_post(struct loop *loop, loop_fn *fn, void *context)
{
    assert(fn != NULL);
    pthread_mutex_lock(&loop->lock);
    struct posts *waiting = &loop->waiting;
    mem_grow(&waiting->items, &waiting->capacity, waiting->count + 1,
             sizeof(struct post));
    waiting->items[waiting->count++] = (struct post){.fn = fn, .context = context};
    bool is_first = waiting->count == 1;
    pthread_mutex_unlock(&loop->lock);
    if (is_first)
        wake(loop);
}

struct loop_timer *loop_timer_create(struct loop *loop, loop_fn *fn, void *context)
{
    assert(belongs_here(loop) && fn != NULL);
    struct loop_timer *timer = mem_alloc(sizeof *timer);
    *timer = (struct loop_timer){
        .loop = loop, .fn = fn, .context = context, .at = NOT_IN_HEAP};
    loop->timers_alive++;
    return timer;
}

void loop_timer_destroy(struct loop_timer *timer)
{
    if (timer == NULL)
        return;
    loop_timer_cancel(timer);
    timer->loop->timers_alive--;
    free(timer);
}

void loop_timer_arm(struct loop_timer *timer, int64_t delay_ms)
{
    struct loop *loop = timer->loop;
    loop_timer_cancel(timer);
    if (delay_ms < 0)
        delay_ms = 0;
    if (delay_ms > DELAY_MS_MAX)
        delay_ms = DELAY_MS_MAX;
    timer->deadline_ns = clock_real_ns() + delay_ms * NS_PER_MS;
    timer->order = loop->next_order++;
    heap_add(loop, timer);
}

void loop_timer_cancel(struct loop_timer *timer)
{
    assert(belongs_here(timer->loop));
    if (loop_timer_is_armed(timer))
        heap_remove(timer->loop, timer);
}

bool loop_timer_is_armed(const struct loop_timer *timer)
{
    return timer->at != NOT_IN_HEAP;
}

enum err loop_watch_create(struct loop_watch **watch, struct loop *loop, int fd,
                           uint32_t events, loop_fd_fn *fn, void *context)
{
    assert(belongs_here(loop) && fn != NULL);
    struct loop_watch *made = mem_alloc(sizeof *made);
    *made = (struct loop_watch){.loop = loop, .fd = fd, .fn = fn, .context = context};
    struct epoll_event event = {.events = events, .data.ptr = made};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        free(made);
        *watch = NULL;
        return errno == EPERM ? ERR_UNSUPPORTED : err_from_errno(errno);
    }
    loop->watches_alive++;
    *watch = made;
    return ERR_OK;
}

void loop_watch_change(struct loop_watch *watch, uint32_t events)
{
    assert(belongs_here(watch->loop));
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int failed = epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
    assert(failed == 0);
}

void loop_watch_destroy(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    struct loop *loop = watch->loop;
    assert(belongs_here(loop) && watch->fn != NULL);
    int failed = epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    assert(failed == 0);
    watch->fn = NULL;
    watch->next_dead = loop->dead;
    loop->dead = watch;
    loop->watches_alive--;
}
