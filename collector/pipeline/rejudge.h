// SPDX-License-Identifier: Apache-2.0
/*
 * rejudge - what the rules of a zone say of one device, from the history and from where
 * its channels are known to have measured.
 *
 * An engine of its own reads history in the order of event time, step by step, so that a
 * long past does not hold up the present. Silence is judged once it has come to the end,
 * by arrivals; of silence in the past nothing is found, for it is a matter of the device
 * and not of its place. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_REJUDGE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_REJUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/alerts.h"
#include "base/err.h"
#include "collector/pipeline/late.h"
#include "collector/pipeline/registry.h"
#include "collector/store/history.h"

struct rejudge;

/* A person closed it then, so that is where it ends. */
struct rejudge_closed {
    char id[ALERT_ID_SIZE];
    int64_t closed_ms;
};

struct rejudge_of {
    const struct registry *registry; /* outlives it, and does not change meanwhile */
    const struct alerts *live;       /* what was declared in the zone is known there */
    const char *org;
    const char *device;
    const char *channel; /* what is asked about; "": all, which are read anyway */
    const char *zone;
    int64_t from_ms;                     /* where history is read from */
    const struct rejudge_closed *closed; /* copied */
    size_t closed_count;
};

/* INVALID: the zone's rules are refused. */
MUST_CHECK enum err rejudge_create(struct rejudge **rejudge, const struct rejudge_of *of,
                                   struct err_text *why);
/* Accepts NULL. */
void rejudge_destroy(struct rejudge *rejudge);

/*
 * Reads at most `most` readings further. *at_end: history had no more; it may have later.
 * Errors of history_query().
 */
MUST_CHECK enum err rejudge_step(struct rejudge *rejudge, struct history_reader *history,
                                 size_t most, bool *at_end);
/* Whether it has read as far as that of the channel. */
bool rejudge_has_read(const struct rejudge *rejudge, const char *channel,
                      int64_t time_ms);
/* Nothing more is read: what is true at that time. */
void rejudge_end(struct rejudge *rejudge, int64_t now_ms);

/* After the end, borrowed: incidents as they are then, in the order they opened. */
struct late_list *rejudge_found(struct rejudge *rejudge);
/* The state of the channel there replaces what `to` holds of it; `keeps_sums`: but for
 * sums without a window that are more there, which began before what was read. */
void rejudge_hand_over(const struct rejudge *rejudge, struct alerts *to,
                       const char *channel, bool keeps_sums);

#endif
