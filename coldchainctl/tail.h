// SPDX-License-Identifier: Apache-2.0
/*
 * tail - which readings and steps of incidents are new, by the API's answers.
 *
 * The API lists readings by the time they were measured, and late ones come in between.
 * So a device is read when its message came or its count of readings rose, from a little
 * before now; while fewer new ones were found than the count says, from earlier and
 * earlier. What arrived before the start is not new, what was given once is not either.
 * Pure: time and answers go in. One thread.
 */
#ifndef COLDCHAIN_COLDCHAINCTL_TAIL_H
#define COLDCHAIN_COLDCHAINCTL_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct tail_key {
    uint64_t hash;
    int64_t arrival_ms;
};

struct tail_device {
    char *org;
    char *id;
    int64_t count;         /* readings taken, as the collector says */
    int64_t owed;          /* counted and not given yet; below 0: given before counted */
    int64_t arrival_ms;    /* of its last message */
    int64_t floor_ms;      /* what arrived then or before is old */
    int64_t newest_ms;     /* the latest arrival that was given */
    unsigned tries;        /* reads since something was owed */
    bool is_due;           /* read it */
    bool is_known;         /* its first count was taken */
    struct tail_key *keys; /* given, and above the floor */
    size_t key_count;
    size_t key_capacity;
};

struct tail_incident {
    char *id;
    int64_t revision; /* given up to here */
};

struct tail {
    struct tail_device *devices;
    size_t device_count;
    size_t device_capacity;
    struct tail_incident *incidents;
    size_t incident_count;
    size_t incident_capacity;
};

void tail_fini(struct tail *tail);

/* The answer to /api/v1/devices: says who is due. Devices of the first answer begin
 * there; devices that come later are new from their first reading on. */
void tail_take_devices(struct tail *tail, const json_t *devices);

/* From which time the device is to be read now; 0: from its beginning. */
int64_t tail_read_from(const struct tail_device *device);
/* True when this one, of an answer's `readings`, is new. */
bool tail_take_reading(struct tail_device *device, const json_t *reading);
/* The device was read to the end. */
void tail_end_read(struct tail_device *device);

/*
 * An incident as it is listed: true when it has steps that were not given yet; *since is
 * the revision that was given last. `is_start`: what is there already is old.
 */
bool tail_take_incident(struct tail *tail, const json_t *incident, bool is_start,
                        int64_t *since);
/* It could not be shown: the next list gives it again. */
void tail_undo_incident(struct tail *tail, const char *id, int64_t since);

/* The zone that a channel measured at a time, by the answer to /api/v1/placements. */
const char *tail_zone_of(const json_t *placements, const json_t *reading, const char *org,
                         const char *device);

#endif
