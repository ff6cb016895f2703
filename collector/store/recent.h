// SPDX-License-Identifier: Apache-2.0
/*
 * recent - the readings of one message as the blob of one row: quick to write, not small.
 *
 *     count, range                      varints; range: 0, or 1, first, last - first
 *     head, series, time, value, raw    for each reading
 *       head    bits 0-3 quality, 4 no value, 5 a raw value follows
 *       series  varint
 *       time    zigzag varint: behind the reading before; the first behind arrival
 *       value   8 bytes, unless NaN without bits of its own; raw likewise
 *
 * Pure; any thread.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_RECENT_H
#define COLDCHAIN_COLLECTOR_STORE_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "collector/store/chunk.h"
#include "telemetry/pack.h"
#include "telemetry/seqset.h"

/* series[i] is that of the pack's channel i. `lost` may be NULL. Appends to `out`. */
void recent_encode(struct buf *out, const struct pack *pack, const int64_t *series,
                   int64_t arrival_ms, const struct seq_range *lost);

struct recent_reader {
    struct buf_reader in;
    uint64_t left; /* readings not yet given */
    int64_t time_ms;
    struct seq_range lost; /* first 0: none */
};

/* Reads the head. False: not such a blob. */
bool recent_read(struct recent_reader *reader, const void *data, size_t len,
                 int64_t arrival_ms);
/*
 * The next reading: its series, and time, value, raw and quality of *sample. False at
 * the end; reader->in.failed tells damage from the end.
 */
bool recent_next(struct recent_reader *reader, int64_t *series, struct sample *sample);

#endif
