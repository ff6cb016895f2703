// SPDX-License-Identifier: Apache-2.0
/*
 * siren - tells what is wrong here by a local command: a siren, a relay, a modem.
 *
 * The command is of the local configuration only, run without a shell and bounded in
 * time, one after the other, on a thread of its own. Its last argument is the event:
 *
 *   opened, escalated, closed   of one incident
 *   repeated                    while any is open and not muted, of the gravest
 *   muted                       somebody touched the mute file, and what is open now is
 *                               quiet until it gets graver; or acknowledged something
 *                               where people see it
 *
 * and COLDCHAIN_OPEN in its environment says how many ring now, so that a siren needs to
 * look at nothing else; the others (docs/alarms.md) say what it is about. One that fails
 * is run again, later and later. What was told is noted in the list. Belongs to the loop
 * thread; times are real ones.
 */
#ifndef COLDCHAIN_EDGE_AGENT_SIREN_H
#define COLDCHAIN_EDGE_AGENT_SIREN_H

#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "edge-agent/incidents.h"

struct siren;

struct siren_options {
    struct loop *loop;
    struct incidents *list; /* outlives the siren */
    const char *device;
    char *const *command; /* absolute path and arguments; an event is added */
    size_t command_count; /* 0: nothing is run, only the list is kept */
    enum alert_severity least;
    int64_t timeout_ms;
    int64_t repeat_ms;     /* 0: never */
    int64_t retry_ms;      /* after a first failure; doubles */
    const char *mute_file; /* NULL: none */
    void *context;
    void (*on_told)(void *context); /* the list is to be kept */
};

struct siren *siren_create(const struct siren_options *options);
/* Waits for a command under way, at most its timeout. Accepts NULL. */
void siren_destroy(struct siren *siren);

/* The list says something else. */
void siren_look(struct siren *siren);
/* Commands that were run to their end, and of these, those that failed. */
/* How long to wait before a command is run again that failed so often in a row. */
int64_t siren_wait_ms(int64_t retry_ms, int64_t failures);
uint64_t siren_runs(const struct siren *siren, uint64_t *failed);

#endif
