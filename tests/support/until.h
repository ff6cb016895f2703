// SPDX-License-Identifier: Apache-2.0
/*
 * until - runs a loop until a condition holds, with a bound instead of a sleep.
 */
#ifndef COLDCHAIN_TESTS_SUPPORT_UNTIL_H
#define COLDCHAIN_TESTS_SUPPORT_UNTIL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/loop.h"

#define UNTIL_POLL_MS 2

typedef bool until_fn(void *context);

struct until {
    struct loop *loop;
    struct loop_timer *timer;
    until_fn *holds;
    void *context;
    int64_t end_ms;
    bool is_true;
};

static inline void until_look(void *context)
{
    struct until *until = context;
    until->is_true = until->holds(until->context);
    if (until->is_true || clock_real_ms() >= until->end_ms)
        loop_stop(until->loop);
    else
        loop_timer_arm(until->timer, UNTIL_POLL_MS);
}

/* False, with a line on stdout, when bound_ms passed first. */
static inline bool until_true(struct loop *loop, until_fn *holds, void *context,
                              int64_t bound_ms)
{
    struct until until = {.loop = loop,
                          .holds = holds,
                          .context = context,
                          .end_ms = clock_real_ms() + bound_ms};
    until.timer = loop_timer_create(loop, until_look, &until);
    loop_timer_arm(until.timer, 0);
    loop_run(loop);
    loop_timer_destroy(until.timer);
    if (!until.is_true)
        printf("\n  still not true after %lld ms\n", (long long)bound_ms);
    return until.is_true;
}

#endif
