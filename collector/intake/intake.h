// SPDX-License-Identifier: Apache-2.0
/*
 * intake - from the broker into the journal, before anything else is done with a message.
 *
 * The message callback runs on Paho's thread: one copy, one pwrite, no sync. When an
 * append fails the process ends before the callback returns, for a return acknowledges
 * the message to the broker. The committer (committer.h) syncs behind it. Everything
 * else belongs to the loop.
 */
#ifndef COLDCHAIN_COLLECTOR_INTAKE_INTAKE_H
#define COLDCHAIN_COLLECTOR_INTAKE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"
#include "collector/intake/committer.h"
#include "net/mqtt.h"

struct intake;

struct intake_options {
    struct mqtt_options broker; /* callbacks and context are filled by the intake */
    const struct clock *clock;
    struct loop *loop;
    struct journal *journal;
    struct committer *committer;
    void *context;
    /* The loop; `session_present`: the broker has kept what it was given. NULL: nobody.
     */
    void (*on_connected)(void *context, bool session_present);
    /* The loop: the broker has what intake_publish() gave it, or refuses it. NULL:
     * nobody.
     */
    void (*on_delivered)(void *context, uint64_t tag, const char *why);
};

MUST_CHECK enum err intake_open(struct intake **intake,
                                const struct intake_options *options,
                                struct err_text *why);
/* Accepts NULL. */
void intake_close(struct intake *intake);
bool intake_is_connected(const struct intake *intake);
/* QoS 0, not retained. False when it cannot be sent now. */
bool intake_send(struct intake *intake, const char *topic, const void *data, size_t len);
/* QoS 1, retained; empty clears what is retained. False when it cannot be sent now. */
bool intake_retain(struct intake *intake, const char *topic, const void *data,
                   size_t len);
/* QoS 1, not retained; on_delivered() follows unless the connection is lost. `tag` > 0.
 */
MUST_CHECK enum err intake_publish(struct intake *intake, const char *topic,
                                   const void *data, size_t len, uint64_t tag);
/* The journal has no room to spare: leave the broker, which keeps the session. */
void intake_pause(struct intake *intake, bool is_paused);

#endif
