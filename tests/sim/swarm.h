// SPDX-License-Identifier: Apache-2.0
/*
 * swarm - many lives, each from one seed, over all processors; and the tally of them.
 *
 * A life is a function of its seed: it draws which faults it knows, lives, and says
 * whether every promise held. The same seed is the same life, told in words with --seed.
 * A kind of fault that never happened in a whole campaign fails the campaign: a check
 * that cannot fail is none. A life that dies (assert, signal) fails with its seed.
 */
#ifndef COLDCHAIN_TESTS_SIM_SWARM_H
#define COLDCHAIN_TESTS_SIM_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWARM_KINDS_MAX 64
#define SWARM_TEXT_MAX  300

/* Of one life, or of many. */
struct swarm_tally {
    uint64_t lives;
    uint64_t steps;   /* what a life counts as its work: appends, packs */
    uint64_t lost;    /* promised, gone, and nothing says so */
    uint64_t doubled; /* twice where once was promised */
    uint64_t failed;  /* lives in which a promise did not hold */
    uint64_t kinds[SWARM_KINDS_MAX];
};

struct swarm_life {
    uint64_t seed;
    bool is_told; /* print what happens */
    struct swarm_tally tally;
    char why[SWARM_TEXT_MAX]; /* what did not hold, as NAME: sentence; "" */
};

struct swarm {
    const char *name;
    const char *step_name; /* "appends" */
    const char *const *kinds;
    size_t kind_count;
    uint64_t default_seeds;
    void (*live)(struct swarm_life *life);
};

/* Notes the first promise that did not hold; `name` is one word, the assertion's name. */
void swarm_broke(struct swarm_life *life, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints when the life is told. */
void swarm_say(const struct swarm_life *life, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --seeds N, --first N, --seed N, --jobs N, --json FILE, --help; an exit status. */
int swarm_main(const struct swarm *swarm, int argc, char **argv);

#endif
