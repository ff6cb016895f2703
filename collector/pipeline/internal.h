// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of the pipeline share: its struct, and how effects get into
 * the batch's transaction. Nobody else includes this.
 *
 * What they do for each other stands in records.h (in), ahead.h (late), placing.h
 * (zones), telling.h (people) and view.h (out).
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_INTERNAL_H
#define COLDCHAIN_COLLECTOR_PIPELINE_INTERNAL_H

#include <stdatomic.h>

#include "alerts/standing.h"
#include "base/map.h"
#include "collector/command/command.h"
#include "collector/pipeline/decode.h"
#include "collector/pipeline/pipeline.h"
#include "collector/pipeline/rooms.h"
#include "collector/record.h"
#include "collector/store/state_causes.h"
#include "collector/store/state_escalation.h"

struct pipeline_incident_news {
    char id[ALERT_ID_SIZE];
    const char *event; /* constant */
    bool is_over;
};

/* What changed since it was told last; nothing while nobody follows. */
struct pipeline_news {
    struct device **devices; /* with new readings; marked by is_news */
    size_t device_count;
    size_t device_capacity;
    struct pipeline_incident_news *incidents;
    size_t incident_count;
    size_t incident_capacity;
    struct map statuses; /* "org/device" -> not NULL */
    struct map zones;    /* declared anew, or left by a channel; likewise */
    bool is_urgent;      /* more than readings */
};

/* Incidents of which devices are to be told what people did. */
struct pipeline_handled {
    char (*ids)[ALERT_ID_SIZE]; /* owned */
    size_t count;
    size_t capacity;
    bool is_loaded; /* those of before the start */
};

struct pipeline {
    /* fixed after open */
    struct pipeline_options options;
    struct journal_reader *reader;
    struct journal_reader *rereader; /* for packs that waited for their turn */
    struct collector_core *core;     /* of acks */
    struct decoder *decoder;
    struct decoder *redecoder; /* of the rereader */
    struct alert_sink sink;
    struct alert_sink ahead_sink;

    /* state of the evaluation: checkpointed */
    struct device_names names; /* of the channels of all devices */
    struct map devices;        /* "org/device" -> struct device */
    struct alerts *alerts;     /* in order */
    struct alerts *ahead;      /* ahead of gaps; NULL before the first */
    size_t ahead_count;        /* devices of which it has copies */
    struct late *late;         /* of any device; the others are behind it */
    int64_t backlog_due_ms;    /* the earliest `until_ms` of a device's `late`; 0: none */
    struct registry *registry; /* entities of state.db, as of `at`; see checkpoint.c */
    int64_t placed_ms;         /* placements are told to the rules up to here */
    int64_t moved_ms;          /* when something was placed last, as of this pack */
    struct corrections *corrections;

    uint64_t at;            /* position of the record being taken, or taken last */
    uint64_t checkpoint;    /* position of the last checkpoint */
    uint64_t effect_cursor; /* effects up to here are committed */

    /* the batch being taken */
    int64_t now_ms;  /* wall time of the record */
    int64_t real_ms; /* for acks */
    bool has_transaction;
    enum err batch_err;
    struct err_text batch_why;
    bool wants_dates;        /* what is due was changed */
    bool wants_goods;        /* what stands in zones was changed */
    bool wants_checkpoint;   /* in this batch's transaction */
    int64_t tick_ms;         /* wall time of the last tick of this run; 0: none */
    bool was_synced;         /* a time service stood behind it */
    size_t implausible;      /* readings of the pack being taken */
    struct device *in_order; /* whose readings the first engine is judging, or NULL */
    struct pipeline_news news;
    struct pipeline_handled handled;
    struct pipeline_answer *answers; /* given once the batch is committed */
    size_t answer_count;
    size_t answer_capacity;

    /* shared */
    _Atomic uint64_t committed; /* evaluated and committed up to here */
};

/* What the caller of a command is told. */
struct pipeline_answer {
    char id[COMMAND_ID_MAX + 1];
    enum err err;
    struct err_text why;
    char *result; /* JSON object; owned; NULL: {} */
};

/* checkpoint.c */
/* Within a transaction, which the caller commits. */
MUST_CHECK enum err pipeline_save(struct pipeline *pipeline);

/* effects.c */
/* False for what was committed before a crash and is only being read again. */
bool pipeline_begin_effects(struct pipeline *pipeline);
/* What a replay decides again is in already: EXISTS is as good as done. */
void pipeline_note(struct pipeline *pipeline, enum err err);
void pipeline_emit(struct pipeline *pipeline, enum alert_effect_kind kind,
                   const struct incident *incident);
/* What a rule kept back: of both engines alike, under one id. */
void pipeline_on_suppressed(void *context, const struct suppression *told);
/* `reason` is one of a few words, `detail` the sentence. */
void pipeline_quarantine(struct pipeline *pipeline, const struct topic *topic,
                         const struct record_message *message, const char *reason,
                         const char *detail);
void pipeline_reject(struct pipeline *pipeline, const struct topic *topic,
                     const struct record_message *message, const char *detail);

#endif
