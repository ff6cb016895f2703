// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of the pipeline share: its struct. Nobody else includes this.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_INTERNAL_H
#define COLDCHAIN_COLLECTOR_PIPELINE_INTERNAL_H

#include "base/map.h"
#include "collector/pipeline/decode.h"
#include "collector/pipeline/pipeline.h"

struct pipeline {
    /* fixed after open */
    struct pipeline_options options;
    struct journal_reader *reader;
    struct journal_reader *rereader; /* for packs that waited for their turn */
    struct decoder *decoder;
    struct alert_sink sink;

    /* state of the evaluation: checkpointed */
    struct map devices; /* "org/device" -> struct device */
    struct alerts *alerts;
    struct registry *registry;
    struct buf config; /* the JSON that the registry was made from */
    bool config_is_dirty;

    uint64_t at;            /* position of the record being taken, or taken last */
    uint64_t checkpoint;    /* position of the last checkpoint */
    uint64_t effect_cursor; /* effects up to here are committed */

    /* the batch being taken */
    int64_t now_ms;  /* wall time of the record */
    int64_t real_ms; /* for acks */
    bool has_transaction;
    enum err batch_err;
    struct err_text batch_why;
    size_t implausible; /* readings of the pack being taken */
};

/* Makes that configuration the one in force. */
MUST_CHECK enum err pipeline_take_config(struct pipeline *pipeline, const void *json,
                                         size_t len);

/* Where the alert engine's effects go; context is the pipeline. */
void pipeline_on_alert(void *context, enum alert_effect_kind kind,
                       const struct incident *incident);

#endif
