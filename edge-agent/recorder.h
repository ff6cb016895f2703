// SPDX-License-Identifier: Apache-2.0
/*
 * recorder - makes readings durable: packs with epoch, seq and the hash of the one
 * before.
 *
 * A pack is announced for sending only once it is on stable storage. The epoch is new
 * when the journal is, and when recovery had to cut anything, for what was cut may have
 * been sent: then EPOCH_END goes first. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_EDGE_AGENT_RECORDER_H
#define COLDCHAIN_EDGE_AGENT_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "edge-agent/rules.h"
#include "edge-agent/settings.h"
#include "edge-agent/spool.h"
#include "edge-agent/tap.h"
#include "edge-agent/verdicts.h"
#include "telemetry/reading.h"

struct recorder;

/* Who sends. All may be called from recorder_commit() only. */
struct recorder_sender {
    void *context;
    /* Synced: may be sent. */
    void (*on_synced)(void *context, uint64_t epoch, uint64_t seq, bool is_urgent);
    /* Thinned, [from, to] of that epoch are not to be sent any more. */
    void (*on_thinned)(void *context, uint64_t epoch, uint64_t from, uint64_t to);
    /* Nothing below `first` is held any more. */
    void (*on_trimmed)(void *context, uint64_t epoch, uint64_t first);
    bool (*is_done)(void *context, uint64_t epoch, uint64_t seq);
};

struct recorder_counts {
    uint64_t packs;
    uint64_t readings;
    uint64_t dropped; /* readings for which there was no room anywhere */
    uint64_t thinned; /* readings */
    uint64_t lost;    /* packs given up for space, without a thinned copy */
};

/*
 * Begins or continues an epoch; what that writes is announced by the next commit.
 * Settings, spool and clock outlive the recorder.
 */
MUST_CHECK enum err recorder_create(struct recorder **recorder,
                                    const struct settings *settings, struct spool *spool,
                                    const struct spool_recovery *recovery,
                                    const struct clock *clock, struct err_text *why);
/* Accepts NULL. */
void recorder_destroy(struct recorder *recorder);
/* Told of each pack that was synced; outlives the recorder. */
void recorder_set_tap(struct recorder *recorder, struct tap *tap);
/* Judges each pack once it is synced; outlives the recorder. NULL: nobody does. */
void recorder_set_verdicts(struct recorder *recorder, struct verdicts *verdicts);
/* The bands are those of the rules from the next reading on. */
void recorder_apply_rules(struct recorder *recorder, const struct rules *rules);
void recorder_set_sender(struct recorder *recorder, const struct recorder_sender *sender);

/* `channel` as in the settings: its index in the order of sensors and their channels. */
void recorder_take(struct recorder *recorder, size_t channel,
                   const struct reading *reading);
/* How far a resumable sensor is with all readings taken so far. */
void recorder_set_cursor(struct recorder *recorder, uint64_t sensor, uint64_t cursor);

/*
 * To be called before readings are dated. When the wall clock has stepped, what is open
 * is closed by the clock that dated it. When it was unset and is set now, a CLOCK_FIX
 * says when the readings of this boot were.
 */
MUST_CHECK enum err recorder_watch_clock(struct recorder *recorder);

/* Closes the pack when it is due, or, forced, when it holds anything. */
MUST_CHECK enum err recorder_close_pack(struct recorder *recorder, bool is_forced);
/* When the open pack will be due, in real time; 0 when it is empty. */
int64_t recorder_due_ms(const struct recorder *recorder);

/* Packs that say something about packs. */
MUST_CHECK enum err recorder_write_loss(struct recorder *recorder, uint64_t epoch,
                                        uint64_t from, uint64_t to, const char *reason);
MUST_CHECK enum err recorder_new_epoch(struct recorder *recorder);
/* Other packs stand for [from, to]. */
MUST_CHECK enum err recorder_write_moved(struct recorder *recorder, uint64_t epoch,
                                         uint64_t from, uint64_t to);
/* Another device goes by the name of this epoch: begins a new one. */
MUST_CHECK enum err recorder_fork(struct recorder *recorder);
/*
 * Writes the packs [from, to] of any epoch again, whole, under new names, and commits.
 * What cannot be read is told as a loss. on_thinned() says how far it has come: after a
 * crash the rest is asked for again, and what is written twice is known to its readers.
 */
MUST_CHECK enum err recorder_take_along(struct recorder *recorder, uint64_t epoch,
                                        uint64_t from, uint64_t to, bool is_fork);

/*
 * Syncs what was written, makes room when the budget is reached, and announces. ERR_IO:
 * nothing can be promised any more; end the process.
 */
MUST_CHECK enum err recorder_commit(struct recorder *recorder);

uint64_t recorder_epoch(const struct recorder *recorder);
const struct recorder_counts *recorder_counts(const struct recorder *recorder);
/* Readings taken and not yet in a pack. */
size_t recorder_waiting(const struct recorder *recorder);

#endif
