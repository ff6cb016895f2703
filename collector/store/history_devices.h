// SPDX-License-Identifier: Apache-2.0
/*
 * history_devices - what the writer of history.db knows of each device it has met: the
 * numbers of its series, and which seqs of each epoch were taken.
 *
 * Loaded from the tables device, series and taken at the first message of a device; new
 * devices and series are written at once, in the caller's transaction. When that is
 * rolled back, devices_forget() must follow. Belongs to the follower's thread.
 */
#ifndef COLDCHAIN_COLLECTOR_STORE_HISTORY_DEVICES_H
#define COLDCHAIN_COLLECTOR_STORE_HISTORY_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "collector/store/db.h"
#include "telemetry/seqset.h"

struct known_series {
    int64_t id;
    char *channel;
};

struct known_epoch {
    uint64_t epoch;
    struct seqset taken;
    bool is_changed; /* since it was saved */
};

struct known_device {
    int64_t id;
    struct known_series *series;
    size_t series_count;
    size_t series_capacity;
    struct known_epoch *epochs;
    size_t epoch_count;
    size_t epoch_capacity;
    bool is_changed; /* an epoch of it is; it stands in `changed` once */
};

struct devices {
    struct db *db;
    struct map by_name;          /* "org/name" -> struct known_device */
    struct known_device **by_id; /* NULL where it was not met yet */
    size_t id_capacity;
    struct known_device **changed;
    size_t changed_count;
    size_t changed_capacity;
};

void devices_init(struct devices *devices, struct db *db);
void devices_forget(struct devices *devices);

/* Borrowed until devices_forget(). INVALID: a name of more than ID_MAX bytes. */
MUST_CHECK enum err devices_find(struct devices *devices, const char *org,
                                 const char *name, struct known_device **device);
/* The one of that number; NOT_FOUND. */
MUST_CHECK enum err devices_find_id(struct devices *devices, int64_t id,
                                    struct known_device **device);
/* `hint` is where it stood with the device's last message, or anything. */
MUST_CHECK enum err devices_series(struct devices *devices, struct known_device *device,
                                   const char *channel, size_t hint, int64_t *series);
/* Borrowed until the next call with this device; made when it is new. */
struct known_epoch *devices_epoch(struct known_device *device, uint64_t epoch);
/* To be saved by devices_save(). */
void devices_mark(struct devices *devices, struct known_device *device,
                  struct known_epoch *epoch);
/* Saves up to `most` of the devices that were marked first; how many. When the
 * transaction fails, devices_forget() must follow here too. */
MUST_CHECK enum err devices_save(struct devices *devices, size_t most, size_t *saved);

#endif
