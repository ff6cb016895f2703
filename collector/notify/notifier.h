// SPDX-License-Identifier: Apache-2.0
/*
 * notifier - takes what is due from the outbox to its channels, and says what became of
 * it.
 *
 * An attempt is a record of the journal before it is made, its result another one; the
 * pipeline applies both, in their order. So what has a result is not told again, and a
 * crash between the two repeats the attempt under the same key, with the next number.
 * Each channel has a bucket of tokens and a thread of its own: a slow receiver delays
 * nobody else, and what waits when the bucket is empty becomes one digest. The functions
 * belong to the loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_NOTIFY_NOTIFIER_H
#define COLDCHAIN_COLLECTOR_NOTIFY_NOTIFIER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "collector/config.h"
#include "collector/record.h"
#include "collector/store/state.h"

struct notifier;

struct notifier_options {
    struct state *state;
    struct loop *loop;
    const struct clock *clock;
    const struct config_channel *const *channels;
    size_t channel_count;
    void *context;
    /*
     * The loop: to be appended to the journal as an ATTEMPT record; its place there. The
     * message is sent by a pump after applied() has reached that place.
     */
    enum err (*on_attempt)(void *context, const struct record_attempt *attempt,
                           uint64_t *position);
    uint64_t (*applied)(void *context); /* records up to here are applied for good */
    /* The loop: to be appended to the journal as a RESULT record. */
    void (*on_result)(void *context, const struct record_result *result);
    /*
     * The body with its receivers as "to", which the outbox does not hold; the caller's
     * to free. NULL: as the outbox has it.
     */
    char *(*address)(void *context, const struct state_message *message);
    /*
     * The loop: publishes with QoS 1; notifier_delivered() with that tag says what became
     * of it. NULL: there is no broker.
     */
    enum err (*publish)(void *context, const char *topic, const void *data, size_t len,
                        uint64_t tag);
};

struct notifier *notifier_create(const struct notifier_options *options);
/* Waits for attempts under way (at most their timeout); their results are still posted.
 */
void notifier_stop(struct notifier *notifier);
/* After the loop is gone, which may still hold results. Accepts NULL. */
void notifier_destroy(struct notifier *notifier);

/*
 * What a former run left without an end is due at once. To be called when every result
 * in the journal has been applied, so that nothing is told again without need.
 */
MUST_CHECK enum err notifier_resume(struct notifier *notifier, struct err_text *why);
/*
 * Asks for attempts of what is due, sends what was asked for and is applied by now, and
 * arms a timer for what is due later. Does nothing after notifier_stop().
 */
MUST_CHECK enum err notifier_pump(struct notifier *notifier, struct err_text *why);
/* The broker took what was published under that tag; or not, and `why`. */
void notifier_delivered(struct notifier *notifier, uint64_t tag, const char *why);
/* Appends a JSON array: each channel, whether it can ring now, its last result. */
void notifier_channels_json(struct notifier *notifier, struct buf *out);

#endif
