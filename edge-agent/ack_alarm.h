// SPDX-License-Identifier: Apache-2.0
/*
 * ack_alarm - the agent's own alarm: acks have stopped although packs wait for them.
 *
 * Rings once when nothing was acknowledged for so long, whatever the reason is (broker,
 * network, collector, a wrong password), and once more when acks are back. Ringing is a
 * local command, of the local configuration only: no shell, bounded in time, on a thread
 * of its own. One that fails is run again, as the siren's. What it was told last is kept
 * in a file, so that what rings is ended after a restart, too, and does not ring twice.
 * Times are real ones, and count from the start. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_ACK_ALARM_H
#define COLDCHAIN_EDGE_AGENT_ACK_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

/* ---- when it rings; pure ---- */

struct ack_watch {
    int64_t after_ms; /* 0: never */
    int64_t since_ms; /* since when packs wait without an ack; 0: none does */
    uint64_t acked;
    bool is_ringing;
};

/* `acked`: packs, ever growing; `backlog`: packs that wait. True when it changed. */
bool ack_watch_step(struct ack_watch *watch, int64_t now_ms, uint64_t acked,
                    uint64_t backlog);
/* How long packs have waited without an ack; 0: none does. */
int64_t ack_watch_waiting_ms(const struct ack_watch *watch, int64_t now_ms);

/* ---- ringing ---- */

#define ACK_ALARM_MARK "alarm.told" /* in the journal's folder */

struct ack_alarm;

struct ack_alarm_options {
    struct loop *loop;
    int64_t after_ms;
    int64_t timeout_ms;   /* of the command */
    char *const *command; /* absolute path and arguments; "lost" or "back" is added */
    size_t command_count; /* 0: only the log and the status tell */
    int64_t retry_ms;     /* after a first failure; doubles */
    const char *mark;     /* the file that says what was told; borrowed. None: quiet */
    void *context;
    void (*look)(void *context, uint64_t *acked, uint64_t *backlog);
};

struct ack_alarm *ack_alarm_create(const struct ack_alarm_options *options);
/* Waits for a command under way, at most its timeout. Accepts NULL. */
void ack_alarm_destroy(struct ack_alarm *alarm);

bool ack_alarm_is_ringing(const struct ack_alarm *alarm);
int64_t ack_alarm_waiting_ms(const struct ack_alarm *alarm);
/* Commands that were run to their end, and of these, those that failed. */
uint64_t ack_alarm_runs(struct ack_alarm *alarm, uint64_t *failed);

#endif
