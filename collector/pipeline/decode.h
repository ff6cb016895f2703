// SPDX-License-Identifier: Apache-2.0
/*
 * decode - from a message as the broker gave it to the pack inside.
 *
 * The pipeline and every follower read the journal through this, so that they agree on
 * what a message says. A decoder is owned by one thread and reuses its memory.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_DECODE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "collector/record.h"
#include "telemetry/delivery.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"

/* Readings dated before this, or further ahead than that, are kept but never live. */
#define DECODE_EARLIEST_MS INT64_C(1577836800000) /* 2020-01-01 */
#define DECODE_AHEAD_MS    INT64_C(86400000)

struct decoder;

struct decoder *decoder_create(void);
void decoder_destroy(struct decoder *decoder);

/*
 * Reads the topic, and the pack of a readings topic. INVALID, LIMIT, UNSUPPORTED with
 * the reason; *topic is filled also then, when it could be read (topic->device is ""
 * otherwise). *pack is borrowed until the next call, NULL for other kinds of topics.
 */
MUST_CHECK enum err decoder_read(struct decoder *decoder,
                                 const struct record_message *message, int64_t arrival_ms,
                                 struct topic *topic, const struct pack **pack,
                                 struct err_text *why);

/* False for times that no sensor of ours can have meant. */
bool decode_time_is_plausible(int64_t time_ms, int64_t arrival_ms);

#endif
