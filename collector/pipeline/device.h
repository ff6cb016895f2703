// SPDX-License-Identifier: Apache-2.0
/*
 * device - what the pipeline knows of one device: packs taken, order, last values, acks.
 *
 * Belongs to the loop thread. What must survive a restart is saved as one entity of the
 * checkpoint; the rest follows from the journal.
 */
#ifndef COLDCHAIN_COLLECTOR_PIPELINE_DEVICE_H
#define COLDCHAIN_COLLECTOR_PIPELINE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "collector/pipeline/late.h"
#include "collector/pipeline/registry.h"
#include "telemetry/delivery.h"
#include "telemetry/pack.h"
#include "telemetry/seqset.h"

#define DEVICE_EPOCHS_MAX   64
#define DEVICE_CHANNELS_MAX 256
#define DEVICE_KEY_SIZE     (2 * ID_SIZE) /* "org/device" */

/* A pack that came ahead of a gap and waits, in the journal, for its turn. */
struct device_ahead {
    uint64_t seq;
    uint64_t position;
};

struct device_epoch {
    uint64_t epoch;
    struct seqset taken;        /* in the journal, whatever they held */
    struct seqset rejected;     /* of those: in quarantine */
    uint64_t evaluated;         /* all up to here have been evaluated, in order */
    struct device_ahead *ahead; /* ascending by seq */
    size_t ahead_count;
    size_t ahead_capacity;
    bool is_ended;
};

struct device_channel {
    struct channel name;
    double value;
    enum quality quality;
    int64_t time_ms;
    int64_t arrival_ms;
    /* where it measures, while the registry is the one it was looked up in */
    const struct registry *placed_in;
    const struct registry_placement *placement;
};

struct device {
    char org[ID_SIZE];
    char id[ID_SIZE];
    bool is_declared;
    bool is_dirty; /* changed since the last checkpoint */
    bool is_late_saved;
    bool is_online;
    char nonce[DELIVERY_NONCE_SIZE]; /* of its session; "" before its first hello */
    char version[ID_SIZE];
    int64_t last_arrival_ms;
    uint64_t readings;
    struct device_epoch *epochs; /* oldest first */
    size_t epoch_count;
    size_t epoch_capacity;
    struct device_channel *channels;
    size_t channel_count;
    size_t channel_capacity;
    struct late *late; /* NULL unless packs are missing */
    /* acknowledgement, see acks.h */
    uint32_t unacked; /* packs since the last ack */
    int64_t ack_due_ms;
    bool is_queued;
};

/* "org/device" */
const char *device_key(char key[DEVICE_KEY_SIZE], const char *org, const char *id);

struct device *device_create(const char *org, const char *id);
void device_destroy(struct device *device);

/* Adds the epoch when it is new; NULL past DEVICE_EPOCHS_MAX open epochs. */
struct device_epoch *device_epoch_of(struct device *device, uint64_t epoch);
/* The channel of that name, added when it is new; NULL past DEVICE_CHANNELS_MAX. */
struct device_channel *device_channel_of(struct device *device,
                                         const struct channel *name);

/* Remembers a pack that is ahead of its turn. */
void device_epoch_wait(struct device_epoch *epoch, uint64_t seq, uint64_t position);
/*
 * The next pack in order that waits, or false. Seqs that were taken without a position
 * (lost, rejected) are passed over.
 */
bool device_epoch_next(struct device_epoch *epoch, struct device_ahead *next);

void device_save(const struct device *device, struct buf *out);
MUST_CHECK enum err device_load(struct device *device, const void *data, size_t len);

#endif
