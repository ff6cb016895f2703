// SPDX-License-Identifier: Apache-2.0
/*
 * loop - the one thread that owns a daemon's state: descriptors, timers, signals, posts.
 *
 * Everything but loop_post() and loop_stop() belongs to the thread that runs the loop.
 * Callbacks run there one at a time. Timers are real time (clock_real_ms), never virtual.
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
/* The only typedefs of the house: function types. */
typedef void loop_fn(void *context);
typedef void loop_fd_fn(void *context, uint32_t events);

struct loop *loop_create(void);
/* Runs what was posted and not yet run, then frees; timers and watches must be gone. */
void loop_destroy(struct loop *loop);

/* Returns after loop_stop(). SIGTERM and SIGINT stop it when loop_stop_on_signals was
 * called. */
void loop_run(struct loop *loop);
/* Any thread; also from callbacks. */
void loop_stop(struct loop *loop);
/* Blocks SIGTERM and SIGINT in this and all later threads. Call before threads are made.
 */
void loop_stop_on_signals(struct loop *loop);

/* Any thread: runs fn(context) on the loop, in the order of the posts. */
void loop_post(struct loop *loop, loop_fn *fn, void *context);

/* Not armed at first. The callback may arm it again or destroy it. */
struct loop_timer *loop_timer_create(struct loop *loop, loop_fn *fn, void *context);
void loop_timer_destroy(struct loop_timer *timer);
void loop_timer_arm(struct loop_timer *timer, int64_t delay_ms);
void loop_timer_cancel(struct loop_timer *timer);

/* events as for epoll: EPOLLIN, EPOLLOUT. The descriptor stays the caller's. */
MUST_CHECK enum err loop_watch_create(struct loop_watch **watch, struct loop *loop,
                                      int fd, uint32_t events, loop_fd_fn *fn,
                                      void *context);
void loop_watch_destroy(struct loop_watch *watch);

#endif
