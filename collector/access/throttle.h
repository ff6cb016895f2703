// SPDX-License-Identifier: Apache-2.0
/*
 * throttle - slows down whoever guesses: attempts by key, such as an account or an
 * address.
 *
 * Some attempts are free; after that each failure doubles the time until the next, up to
 * a bound that keeps an attacker from locking the owner out for long. An attempt counts
 * as failed until throttle_pass(), so that many at once gain nothing. Old keys are
 * forgotten, and there is room for a bounded number. Pure: time is a parameter. One
 * thread at a time.
 */
#ifndef COLDCHAIN_COLLECTOR_ACCESS_THROTTLE_H
#define COLDCHAIN_COLLECTOR_ACCESS_THROTTLE_H

#include <stdint.h>

#define THROTTLE_KEYS 1024

struct throttle;

struct throttle_policy {
    unsigned free;    /* attempts before the first wait */
    int64_t first_ms; /* wait; doubles with each failure */
    int64_t most_ms;
    int64_t forget_ms; /* after the last failure */
};

struct throttle *throttle_create(const struct throttle_policy *policy);
/* Accepts NULL. */
void throttle_destroy(struct throttle *throttle);

/* 0: go on, and the attempt is counted. Else how long to wait; nothing is counted. */
int64_t throttle_try(struct throttle *throttle, const char *key, int64_t now_ms);
/* The attempt was a good one: forgets the key. */
void throttle_pass(struct throttle *throttle, const char *key);
/* Takes one attempt back, and no other. */
void throttle_undo(struct throttle *throttle, const char *key);

#endif
