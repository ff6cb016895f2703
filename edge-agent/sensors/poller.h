// SPDX-License-Identifier: Apache-2.0
/*
 * poller - a thread that waits for hardware, so that the loop never does.
 *
 * It measures shortly before the next reading is due, so that what is handed over is
 * fresh, and carries the time at which it was measured. A measurement that hangs, even in
 * the kernel, costs TIMEOUT readings and nothing else: closing does not wait for it for
 * long, and the last of loop and thread frees what they share.
 *
 * All functions belong to the loop thread; the callbacks run on the poller's.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SENSORS_POLLER_H
#define COLDCHAIN_EDGE_AGENT_SENSORS_POLLER_H

#include "edge-agent/sensors/sensor.h"

struct poller;

struct poller_options {
    int64_t interval_ms; /* between two readings, as a rule */
    int64_t timeout_ms;  /* of one measurement */
    void *context;       /* the poller's from now on */
    /* Measures once and adds samples; may block. now_ms is the wall clock's time. */
    void (*poll)(void *context, int64_t now_ms, struct samples *samples);
    void (*fini)(void *context); /* once, on whichever thread is last */
};

/* No thread is made before the first poller_read(). */
struct poller *poller_create(const struct poller_options *options);
/* Accepts NULL. Waits for at most a second for a measurement under way. */
void poller_destroy(struct poller *poller);

/*
 * Adds what was measured since the last call, which is nothing where it is not ready yet.
 * TIMEOUT when the measurement takes too long.
 */
MUST_CHECK enum err poller_read(struct poller *poller, int64_t now_ms,
                                struct samples *samples);

#endif
