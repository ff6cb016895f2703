// SPDX-License-Identifier: Apache-2.0
/*
 * pipeline - the collector as a function of its journal: records in, state and effects
 * out.
 *
 * Reads what is synced, in order; deduplicates, orders each device, judges, and commits
 * incidents and outbox rows together with the effect cursor, batch by batch. Evaluation
 * state is checkpointed apart; after a crash the records since the checkpoint are read
 * again and effects up to the effect cursor are not repeated. Belongs to the loop thread.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_PIPELINE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "collector/guard.h"
#include "collector/news.h"
#include "collector/notify/ack_link.h"
#include "collector/pipeline/acks.h"
#include "collector/pipeline/configs.h"
#include "collector/pipeline/registry.h"
#include "collector/record.h"
#include "collector/roster.h"
#include "collector/store/state.h"
#include "collector/store/state_incidents.h"
#include "journal/journal.h"

struct pipeline;

struct pipeline_options {
    struct journal *journal;
    struct state *state;
    struct acks *acks;
    struct configs *configs;     /* NULL: devices are not told of rules */
    struct guard *guard;         /* NULL: a crash is remembered by nobody */
    int64_t silence_grace_ms;    /* after a start */
    int64_t batch_ms;            /* a batch ends by then; 0: when it will */
    const char *history_dir;     /* what corrections are judged from; NULL: they wait */
    const char *const *channels; /* names of the notification channels */
    size_t channel_count;
    const char *beat_channel; /* of beats; NULL: nobody listens */
    /* Who is told when; its channels are those above. NULL: everything to all at once. */
    const struct roster *roster;
    const struct ack_links *links; /* for messages; NULL: they have none */
    int64_t path_ms; /* a channel that fails for so long is an incident; 0: none is */
    void *context;
    /*
     * A command was applied, or refused with a sentence, and that is committed; the API
     * answers its caller. `result` is a JSON object.
     */
    void (*on_command)(void *context, const char *id, enum err err, const char *text,
                       const char *result);
    /* A batch with effects was committed: the notifier may look. */
    void (*on_effects)(void *context);
    /*
     * There is news that is committed and was not told yet; urgent: more than readings.
     * NULL: nobody follows.
     */
    void (*on_news)(void *context, bool is_urgent);
    /* For tests that crash, before a record is taken. NULL otherwise. */
    void (*before_record)(void *context, const struct journal_record *record);
};

/* Puts back the checkpoint and stands at its position. CORRUPT, IO. */
MUST_CHECK enum err pipeline_open(struct pipeline **pipeline,
                                  const struct pipeline_options *options,
                                  struct err_text *why);
void pipeline_close(struct pipeline *pipeline);

/*
 * Takes up to `most` synced records as one batch. *more says that it stopped before the
 * end. After an error the process ends: what was not committed is decided again from
 * the journal at the next start.
 */
MUST_CHECK enum err pipeline_advance(struct pipeline *pipeline, size_t most, bool *more,
                                     struct err_text *why);
/* Tells devices of rules what they do not know; from a timer, once it has caught up. */
void pipeline_flush_configs(struct pipeline *pipeline, int64_t real_ms);
/* Writes down what changed since the last one. */
MUST_CHECK enum err pipeline_checkpoint(struct pipeline *pipeline, struct err_text *why);

/* The last record taken, and how far the journal may be trimmed. */
uint64_t pipeline_position(const struct pipeline *pipeline);
uint64_t pipeline_needs_from(const struct pipeline *pipeline);

/*
 * The gap that is waited for longest, by wall time, and where the first pack behind it
 * stands, which pins the journal. False when there is none.
 */
bool pipeline_oldest_gap(const struct pipeline *pipeline, struct record_gap *gap,
                         int64_t *since_ms, uint64_t *position);

/* Evaluated and committed up to here. Any thread. */
uint64_t pipeline_committed(const struct pipeline *pipeline);
/* The one and only; other threads read it under its lock. */
const struct registry *pipeline_registry(const struct pipeline *pipeline);

/* Tells the news, all up to pipeline_position(), of each zone, device and incident once
 * or in order; or forgets them. */
void pipeline_tell_news(struct pipeline *pipeline, void *context, news_fn *tell);
void pipeline_drop_news(struct pipeline *pipeline);
/* All zones, devices and open incidents as they are, and forgets the news. */
MUST_CHECK enum err pipeline_tell_all(struct pipeline *pipeline, void *context,
                                      news_fn *tell);

/* Appends JSON arrays for the API: zones with last values, devices, placements. */
void pipeline_zones_json(const struct pipeline *pipeline, int64_t now_ms,
                         struct buf *out);
void pipeline_devices_json(const struct pipeline *pipeline, int64_t now_ms,
                           struct buf *out);
void pipeline_placements_json(const struct pipeline *pipeline, struct buf *out);
/* A JSON object: what the zone's rules can judge, and its goods; nothing when there is no
 * such zone. */
void pipeline_standing_json(const struct pipeline *pipeline, const char *zone,
                            int64_t now_ms, struct buf *out);

#endif
