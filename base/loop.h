// SPDX-License-Identifier: Apache-2.0
/*
 * loop - the one thread that owns a daemon's state: descriptors, timers, signals, posts.
 *
 * Everything but loop_post() and loop_stop() belongs to the thread that runs the loop, or
 * to the one that sets it up before it runs. Callbacks run one at a time. Timers are real
 * time (CLOCK_BOOTTIME, so a suspended machine catches up at once), never virtual, and
 * never early.
 */
#ifndef COLDCHAIN_BASE_LOOP_H
#define COLDCHAIN_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct loop_timer;
struct loop_watch;

/* The only typedefs of the house: function types. */
typedef void loop_fn(void *context);
typedef void loop_fd_fn(void *context, uint32_t events);

struct loop *loop_create(void);
/* Runs what was posted and not yet run, then frees; timers and watches must be gone.
 * Accepts NULL. */
void loop_destroy(struct loop *loop);

/* Returns after loop_stop(), also one that came before; may be called again. */
void loop_run(struct loop *loop);
/* Any thread; also from callbacks. */
void loop_stop(struct loop *loop);
/*
 * SIGTERM and SIGINT call loop_stop from now on. Blocks both in this and all later
 * threads and ignores SIGPIPE, so call it once, before threads are made.
 */
void loop_stop_on_signals(struct loop *loop);

/* SIGHUP runs fn(context) on the loop. Once, after loop_stop_on_signals(). */
void loop_on_hangup(struct loop *loop, loop_fn *fn, void *context);

/* Any thread: runs fn(context) on the loop, in the order of the posts. */
void loop_post(struct loop *loop, loop_fn *fn, void *context);

/* Not armed at first. The callback may arm it again or destroy it. */
struct loop_timer *loop_timer_create(struct loop *loop, loop_fn *fn, void *context);
/* Accepts NULL. */
void loop_timer_destroy(struct loop_timer *timer);
/* Once, delay_ms from now (below 0: at once); replaces what was armed. */
void loop_timer_arm(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_cancel(struct loop_timer *timer);
bool loop_timer_is_armed(const struct loop_timer *timer);

/*
 * events as for epoll, level-triggered: EPOLLIN, EPOLLOUT. The descriptor stays the
 * caller's: destroy the watch before closing it. Fails for descriptors that cannot be
 * waited for (plain files).
 */
MUST_CHECK enum err loop_watch_create(struct loop_watch **watch, struct loop *loop,
                                      int fd, uint32_t events, loop_fd_fn *fn,
                                      void *context);
void loop_watch_change(struct loop_watch *watch, uint32_t events);
/* Its callback does not run any more. Accepts NULL; also from callbacks. */
void loop_watch_destroy(struct loop_watch *watch);

#endif
