// SPDX-License-Identifier: Apache-2.0
#include "coldchainctl/tail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "coldchainctl/show.h"

#define MINUTE_MS    ((int64_t)60000)
#define HOUR_MS      (60 * MINUTE_MS)
#define DAY_MS       (24 * HOUR_MS)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The history follows the count within moments: the first reads look at the same place.
 */
static const int64_t windows_ms[] = {15 * MINUTE_MS, 15 * MINUTE_MS, 15 * MINUTE_MS,
                                     HOUR_MS,        DAY_MS,         30 * DAY_MS,
                                     INT64_MAX,      INT64_MAX,      INT64_MAX};

/* What arrives may be in the history a little later than what arrived behind it. */
#define MARGIN_MS (15 * MINUTE_MS)

void tail_fini(struct tail *tail)
{
    for (size_t i = 0; i < tail->device_count; i++) {
        free(tail->devices[i].org);
        free(tail->devices[i].id);
        free(tail->devices[i].keys);
    }
    for (size_t i = 0; i < tail->incident_count; i++)
        free(tail->incidents[i].id);
    free(tail->devices);
    free(tail->incidents);
}

/* ---- devices -------------------------------------------------------------------------
 */

static struct tail_device *device_of(struct tail *tail, const char *org, const char *id)
{
    for (size_t i = 0; i < tail->device_count; i++)
        if (strcmp(tail->devices[i].id, id) == 0 &&
            strcmp(tail->devices[i].org, org) == 0)
            return &tail->devices[i];
    mem_grow(&tail->devices, &tail->device_capacity, tail->device_count + 1,
             sizeof *tail->devices);
    struct tail_device *device = &tail->devices[tail->device_count++];
    *device = (struct tail_device){.org = mem_strdup(org), .id = mem_strdup(id)};
    return device;
}

static void take_device(struct tail *tail, const json_t *object, bool is_start)
{
    struct tail_device *device =
        device_of(tail, show_text(object, "org"), show_text(object, "id"));
    int64_t count = json_integer_value(json_object_get(object, "readings"));
    int64_t arrival_ms;
    if (!clock_parse_iso(&arrival_ms, show_text(object, "last_arrival")))
        arrival_ms = 0;
    if (!device->is_known && is_start) {
        device->count = count;
        device->arrival_ms = arrival_ms;
        device->floor_ms = arrival_ms;
    }
    device->is_known = true;
    /* After a start it counts again what it had counted: that was given. */
    if (count > device->count) {
        device->owed += count - device->count;
        device->count = count;
    }
    device->is_due =
        device->owed > 0 || arrival_ms != device->arrival_ms || device->is_due;
    device->arrival_ms = arrival_ms;
}

void tail_take_devices(struct tail *tail, const json_t *devices)
{
    bool is_start = tail->device_count == 0;
    size_t i;
    json_t *device;
    json_array_foreach((json_t *)(uintptr_t)devices, i, device)
        take_device(tail, device, is_start);
}

int64_t tail_read_from(const struct tail_device *device)
{
    assert(device->tries < COUNT(windows_ms));
    int64_t window_ms = windows_ms[device->tries];
    return window_ms < device->arrival_ms ? device->arrival_ms - window_ms : 0;
}

/* ---- readings ------------------------------------------------------------------------
 */

/* What tells one reading of a device from all others. */
static uint64_t hash_of(const json_t *reading)
{
    static const char *const members[] = {"time", "channel", "epoch", "quality"};
    char number[SHOW_SIZE];
    uint64_t hash = 0;
    for (size_t i = 0; i < COUNT(members); i++)
        hash = map_hash(map_hash(hash, show_text(reading, members[i])), " ");
    hash = map_hash(map_hash(hash, show_number(number, reading, "seq")), " ");
    return map_hash(hash, show_number(number, reading, "value"));
}

static bool add_key(struct tail_device *device, uint64_t hash, int64_t arrival_ms)
{
    size_t low = 0;
    size_t high = device->key_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (device->keys[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < device->key_count && device->keys[low].hash == hash)
        return false;
    mem_grow(&device->keys, &device->key_capacity, device->key_count + 1,
             sizeof *device->keys);
    memmove(&device->keys[low + 1], &device->keys[low],
            (device->key_count - low) * sizeof *device->keys);
    device->keys[low] = (struct tail_key){hash, arrival_ms};
    device->key_count++;
    return true;
}

bool tail_take_reading(struct tail_device *device, const json_t *reading)
{
    int64_t arrival_ms;
    if (!clock_parse_iso(&arrival_ms, show_text(reading, "arrival")) ||
        arrival_ms <= device->floor_ms || !add_key(device, hash_of(reading), arrival_ms))
        return false;
    device->owed--;
    if (arrival_ms > device->newest_ms)
        device->newest_ms = arrival_ms;
    return true;
}

/* What is old by far is told by its arrival: its key is not needed any more. */
static void raise_floor(struct tail_device *device)
{
    int64_t floor_ms = device->newest_ms - MARGIN_MS;
    size_t kept = 0;
    if (floor_ms <= device->floor_ms)
        return;
    device->floor_ms = floor_ms;
    for (size_t i = 0; i < device->key_count; i++)
        if (device->keys[i].arrival_ms > floor_ms)
            device->keys[kept++] = device->keys[i];
    device->key_count = kept;
}

void tail_end_read(struct tail_device *device)
{
    device->is_due = device->owed > 0;
    device->tries++;
    if (device->owed > 0 && device->tries < COUNT(windows_ms))
        return;
    /* Nothing is owed, or what was counted is not kept, such as the same one twice. */
    if (device->owed > 0)
        device->owed = 0;
    device->is_due = false;
    device->tries = 0;
    raise_floor(device);
}

/* ---- incidents -----------------------------------------------------------------------
 */

bool tail_take_incident(struct tail *tail, const json_t *incident, bool is_start,
                        int64_t *since)
{
    const char *id = show_text(incident, "id");
    int64_t revision = json_integer_value(json_object_get(incident, "revision"));
    size_t at = 0;
    while (at < tail->incident_count && strcmp(tail->incidents[at].id, id) != 0)
        at++;
    if (at == tail->incident_count) {
        mem_grow(&tail->incidents, &tail->incident_capacity, at + 1,
                 sizeof *tail->incidents);
        tail->incidents[tail->incident_count++] = (struct tail_incident){
            .id = mem_strdup(id), .revision = is_start ? revision : 0};
    }
    *since = tail->incidents[at].revision;
    tail->incidents[at].revision = revision;
    return revision > *since;
}

void tail_undo_incident(struct tail *tail, const char *id, int64_t since)
{
    for (size_t i = 0; i < tail->incident_count; i++)
        if (strcmp(tail->incidents[i].id, id) == 0)
            tail->incidents[i].revision = since;
}

/* ---- places --------------------------------------------------------------------------
 */

static bool covers(const json_t *placement, int64_t time_ms)
{
    int64_t from_ms;
    int64_t to_ms;
    if (clock_parse_iso(&from_ms, show_text(placement, "from")) && time_ms < from_ms)
        return false;
    return !clock_parse_iso(&to_ms, show_text(placement, "to")) || time_ms < to_ms;
}

const char *tail_zone_of(const json_t *placements, const json_t *reading, const char *org,
                         const char *device)
{
    const char *channel = show_text(reading, "channel");
    const char *found = "-";
    int64_t time_ms;
    size_t i;
    json_t *placement;
    if (!clock_parse_iso(&time_ms, show_text(reading, "time")))
        return found;
    json_array_foreach((json_t *)(uintptr_t)placements, i, placement)
    {
        const char *of = json_string_value(json_object_get(placement, "channel"));
        if (strcmp(show_text(placement, "org"), org) != 0 ||
            strcmp(show_text(placement, "device"), device) != 0 ||
            !covers(placement, time_ms))
            continue;
        if (of != NULL && strcmp(of, channel) == 0)
            return show_text(placement, "zone");
        if (of == NULL || of[0] == '\0')
            found = show_text(placement, "zone");
    }
    return found;
}
