// SPDX-License-Identifier: Apache-2.0
/*
 * backlog - what comes late, and in order, is told once it is seen how it went on.
 *
 * A hello says up to which pack the device holds some. Of these, one that is old when it
 * comes is no news of now: what the first engine finds in it is held back, as behind a
 * gap, and settled when all of them are in, when a pack comes that is not old, or when
 * what is held has waited for a part of its age. So what was over is told once and wakes
 * nobody, and what goes on is told with the last pack of the backlog.
 *
 * Live packs may come ahead while something is held: what the second engine then sees
 * going on is told at once (pipeline_tell_held()).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/internal.h"

/* Readings of less are as good as those of now. */
#define FRESH_MS INT64_C(600000)
/* What came so late anyway waits for an eighth of that, at most for so long. */
#define WAIT_PART    8
#define WAIT_MOST_MS INT64_C(1800000)
#define AGE_UNKNOWN  INT64_MAX

/* Of its newest reading. */
static int64_t age_ms(const struct pipeline *pipeline, const struct device *device,
                      const struct pack *pack)
{
    if (pack->reading_count == 0)
        return AGE_UNKNOWN;
    int64_t newest_ms = pack_shifted_ms(pack->readings[pack->reading_count - 1].time_ms,
                                        device_clock_shift_ms(device, pack));
    return decode_time_is_plausible(newest_ms, pipeline->now_ms)
               ? pipeline->now_ms - newest_ms
               : AGE_UNKNOWN;
}

/* All that the device held when it said hello is in. */
static bool is_through(const struct device *device)
{
    for (size_t i = 0; i < device->delivery.epoch_count; i++) {
        const struct collector_epoch *epoch = &device->delivery.epochs[i];
        if (epoch->is_named && epoch->window.taken.through < epoch->said)
            return false;
    }
    return true;
}

static bool is_of_backlog(const struct late *late)
{
    return late != NULL && late->channel_count == 0;
}

bool pipeline_waits_for_backlog(const struct device *device)
{
    return is_of_backlog(device->late) && !is_through(device);
}

void pipeline_begin_backlog(struct pipeline *pipeline, struct device *device,
                            uint64_t epoch, uint64_t seq, const struct pack *pack)
{
    const struct collector_epoch *known = collector_find_epoch(&device->delivery, epoch);
    if (known == NULL || !known->is_named || seq > known->said)
        return;
    int64_t age = age_ms(pipeline, device, pack);
    if (age < FRESH_MS || age == AGE_UNKNOWN)
        return;
    pipeline_be_late(pipeline, device);
    device->late->wait_ms =
        age / WAIT_PART < WAIT_MOST_MS ? age / WAIT_PART : WAIT_MOST_MS;
    assert(device->late->wait_ms > 0 && device->late->wait_ms <= WAIT_MOST_MS);
}

void pipeline_end_backlog(struct pipeline *pipeline, struct device *device,
                          const struct pack *pack)
{
    const struct late *late = device->late;
    if (!is_of_backlog(late))
        return;
    bool is_due = late->until_ms != 0 && pipeline->now_ms >= late->until_ms;
    if (is_due || is_through(device) || age_ms(pipeline, device, pack) < FRESH_MS)
        pipeline_settle(pipeline, device);
}

/* ---- what is held for long -------------------------------------------------------- */

static void note_due(struct pipeline *pipeline, int64_t until_ms)
{
    if (until_ms != 0 &&
        (pipeline->backlog_due_ms == 0 || until_ms < pipeline->backlog_due_ms))
        pipeline->backlog_due_ms = until_ms;
}

void pipeline_hold_backlog(struct pipeline *pipeline, struct late *late)
{
    if (!is_of_backlog(late) || late->until_ms != 0)
        return;
    late->until_ms = pipeline->now_ms + late->wait_ms;
    note_due(pipeline, late->until_ms);
}

void pipeline_resume_backlog(struct pipeline *pipeline, const struct late *late)
{
    note_due(pipeline, late->until_ms);
}

static void settle_due(struct pipeline *pipeline, struct device *device)
{
    assert(device->late != NULL && device->late->until_ms != 0);
    if (is_of_backlog(device->late)) {
        pipeline_settle(pipeline, device);
        return;
    }
    pipeline_tell_held(pipeline, device, true); /* the rest when the gap closes */
    device->late->until_ms = INT64_MAX;
}

static int by_name(const void *a, const void *b)
{
    const struct device *left = *(struct device *const *)a;
    const struct device *right = *(struct device *const *)b;
    int order = strcmp(left->org, right->org);
    return order != 0 ? order : strcmp(left->id, right->id);
}

/* Nothing waits for longer: what does was held by a clock that was ahead. */
static bool is_due_now(const struct pipeline *pipeline, int64_t until_ms)
{
    return pipeline->now_ms >= until_ms ||
           (until_ms != INT64_MAX && until_ms - pipeline->now_ms > WAIT_MOST_MS);
}

/* In the order of names, which is the same after a restart. */
void pipeline_settle_backlogs(struct pipeline *pipeline)
{
    if (pipeline->backlog_due_ms == 0 || !is_due_now(pipeline, pipeline->backlog_due_ms))
        return;
    struct device **due = mem_array(pipeline->devices.count, sizeof(struct device *));
    size_t count = 0;
    pipeline->backlog_due_ms = 0;
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        struct device *device = pipeline->devices.entries[i].value;
        if (device->late == NULL)
            continue;
        if (device->late->until_ms != 0 && is_due_now(pipeline, device->late->until_ms))
            due[count++] = device;
        else
            note_due(pipeline, device->late->until_ms);
    }
    qsort(due, count, sizeof(struct device *), by_name);
    for (size_t i = 0; i < count; i++)
        settle_due(pipeline, due[i]);
    free(due);
}
