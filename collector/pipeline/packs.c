// SPDX-License-Identifier: Apache-2.0
/*
 * packs - each pack once and in order, its readings to the rules.
 */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/placing.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/telling.h"
#include "collector/pipeline/view.h"

/* ---- readings --------------------------------------------------------------------- */

/* What was found for a time before the last move holds for that reading alone. */
static const struct registry_placement *place(struct pipeline *pipeline,
                                              const struct device *device,
                                              struct device_channel *channel,
                                              int64_t time_ms)
{
    const struct registry *registry = pipeline->registry;
    const struct registry_placement *known =
        device_channel_place(device, channel, registry);
    bool is_past = time_ms < pipeline->moved_ms;
    if (known != NULL && !is_past && registry_covers(known, time_ms))
        return known;
    /* It goes from one zone to another; after a change of the registry that was told. */
    if (known != NULL && !registry_covers(known, time_ms))
        pipeline_news_zone(pipeline, known->zone);
    const struct registry_placement *found =
        registry_place(registry, device->org, device->id, channel->name->name, time_ms);
    bool is_kept = found != NULL && !is_past;
    channel->placement = is_kept ? (uint32_t)(found - registry->placements) + 1 : 0;
    channel->source = NULL;
    return found;
}

static bool is_plausible(const struct pipeline *pipeline, const struct reading *reading)
{
    return decode_time_is_plausible(reading->time_ms, pipeline->now_ms);
}

static void keep_last(const struct pipeline *pipeline, struct device_channel *channel,
                      const struct reading *reading)
{
    if (reading->time_ms < channel->time_ms)
        return;
    channel->value = reading->value;
    channel->quality = (uint8_t)reading->quality;
    channel->time_ms = reading->time_ms;
    channel->arrival_ms = pipeline->now_ms;
}

/* In the zone in which it was then it does not measure now. */
static bool is_elsewhere(const struct pipeline *pipeline, const struct device *device,
                         const struct device_channel *channel,
                         const struct registry_placement *then, int64_t time_ms)
{
    if (time_ms >= pipeline->moved_ms && registry_covers(then, pipeline->now_ms))
        return false;
    const struct registry_placement *now =
        registry_place(pipeline->registry, device->org, device->id, channel->name->name,
                       pipeline->now_ms);
    return now == NULL || strcmp(now->zone, then->zone) != 0;
}

/* False when the channel measures no zone at that time. */
static bool address(struct pipeline *pipeline, const struct device *device,
                    struct device_channel *channel, const struct reading *reading,
                    struct alert_reading *given)
{
    const struct registry_placement *placement =
        place(pipeline, device, channel, reading->time_ms);
    if (placement == NULL)
        return false;
    *given = (struct alert_reading){
        .zone = placement->zone,
        .device = device->id,
        .channel = channel->name->name,
        .quantity = channel->name->quantity,
        .time_ms = reading->time_ms,
        .arrival_ms = pipeline->now_ms,
        .value = reading->value,
        .quality = (enum quality)reading->quality,
        .is_elsewhere =
            is_elsewhere(pipeline, device, channel, placement, reading->time_ms),
    };
    return true;
}

static void apply_reading(struct pipeline *pipeline, struct device *device,
                          struct device_channel *channel, const struct reading *reading)
{
    if (reading->quality != QUALITY_GOOD)
        metric_add(METRIC_READINGS_BAD, 1);
    if (!is_plausible(pipeline, reading)) {
        metric_add(METRIC_READINGS_IMPLAUSIBLE, 1);
        pipeline->implausible++;
        return;
    }
    keep_last(pipeline, channel, reading);
    struct alert_reading given;
    if (!address(pipeline, device, channel, reading, &given)) {
        metric_add(METRIC_READINGS_UNPLACED, 1);
        return;
    }
    channel->source =
        alerts_reading_at(pipeline->alerts, channel->source, &given, &pipeline->sink);
    pipeline_overhear(pipeline, channel->source, &given);
}

/* Not counted: that is done when its turn comes. */
static void apply_ahead(struct pipeline *pipeline, struct device *device,
                        struct device_channel *channel, const struct reading *reading)
{
    if (!is_plausible(pipeline, reading))
        return;
    keep_last(pipeline, channel, reading);
    struct alert_reading given;
    if (address(pipeline, device, channel, reading, &given))
        pipeline_judge_ahead(pipeline, device, &given);
}

typedef void reading_fn(struct pipeline *pipeline, struct device *device,
                        struct device_channel *channel, const struct reading *reading);

static void each_reading(struct pipeline *pipeline, struct device *device,
                         const struct pack *pack, reading_fn *apply)
{
    ptrdiff_t at[PACK_CHANNELS_MAX]; /* in the device's; -1: it has no room for it */
    assert(pack->channel_count <= PACK_CHANNELS_MAX);
    device_forget_places(device, pipeline->registry->generation,
                         alerts_removed(pipeline->alerts));
    for (size_t i = 0; i < pack->channel_count; i++) {
        const struct device_channel *channel =
            device_channel_of(device, &pipeline->names, &pack->channels[i]);
        at[i] = channel != NULL ? channel - device->channels : -1;
        if (channel != NULL) /* of a fleet nothing is in a cache */
            __builtin_prefetch(channel->source, 1);
    }
    pipeline->moved_ms = pipeline_last_move_ms(pipeline);
    int64_t shift_ms = device_clock_shift_ms(device, pack);
    for (size_t i = 0; i < pack->reading_count; i++) {
        struct reading reading = pack->readings[i];
        assert(reading.channel < pack->channel_count);
        ptrdiff_t channel = at[reading.channel];
        reading.time_ms = pack_shifted_ms(reading.time_ms, shift_ms);
        if (channel >= 0)
            apply(pipeline, device, &device->channels[channel], &reading);
    }
    /* Readings take no place away. */
    assert(device->kept_in == alerts_removed(pipeline->alerts));
}

static void apply_readings(struct pipeline *pipeline, struct device *device,
                           uint64_t epoch, const struct pack *pack)
{
    assert(pipeline->in_order == NULL);
    pipeline_follow_clock(pipeline, device, epoch, pack);
    pipeline->in_order = device;
    each_reading(pipeline, device, pack, apply_reading);
    pipeline->in_order = NULL;
    device->readings += pack->reading_count;
    metric_add(METRIC_READINGS, (int64_t)pack->reading_count);
}

/* ---- packs ------------------------------------------------------------------------ */

/*
 * False when it cannot be read again, or has crashed us before. A disk that refuses for
 * now (no descriptor is left) ends the batch: the next start reads it.
 */
static bool read_waiting(struct pipeline *pipeline, uint64_t position,
                         const struct pack **pack)
{
    struct journal_record record;
    struct record_message message;
    struct topic topic;
    enum err err = journal_read_at(pipeline->rereader, position, &record);
    if (err != ERR_OK && err != ERR_CORRUPT && err != ERR_NOT_FOUND)
        pipeline_note(pipeline, err);
    if (err != ERR_OK)
        return false;
    unsigned crashes = guard_enter(pipeline->options.guard, GUARD_PIPELINE, position,
                                   record.data, record.len);
    return crashes < GUARD_CRASHES &&
           record_message_parse(&message, record.data, record.len) == ERR_OK &&
           decoder_read(pipeline->redecoder, &message, record.wall_ms, &topic, pack,
                        NULL) == ERR_OK &&
           *pack != NULL;
}

/* When it was measured; what measured nothing is in nobody's way. */
static int64_t measured_ms(struct pipeline *pipeline, const struct device *device,
                           const struct collector_epoch *epoch)
{
    assert(epoch->held_count > 0);
    const struct pack *pack;
    if (!read_waiting(pipeline, epoch->held[0].position, &pack) ||
        pack->reading_count == 0)
        return INT64_MIN;
    return pack_shifted_ms(pack->readings[0].time_ms,
                           device_clock_shift_ms(device, pack));
}

/* The epochs whose turn it is, and when the next pack of each was measured. */
struct merge {
    struct collector_epoch *turns[COLLECTOR_EPOCHS_MAX];
    size_t count;
    int64_t next_ms[COLLECTOR_EPOCHS_MAX];
};

static void merge_begin(struct merge *merge, struct pipeline *pipeline,
                        const struct device *device)
{
    merge->count = collector_core_turns(&device->delivery, merge->turns);
    for (size_t i = 0; i < merge->count && merge->count > 1; i++)
        merge->next_ms[i] = measured_ms(pipeline, device, merge->turns[i]);
}

static size_t merge_next(const struct merge *merge)
{
    assert(merge->count > 0);
    size_t first = 0;
    for (size_t i = 1; i < merge->count; i++)
        if (merge->next_ms[i] < merge->next_ms[first])
            first = i;
    return first;
}

static void merge_go_on(struct merge *merge, size_t at, struct pipeline *pipeline,
                        const struct device *device)
{
    assert(at < merge->count);
    const struct collector_epoch *epoch = merge->turns[at];
    if (epoch->held_count > 0 && epoch->held[0].seq <= epoch->window.taken.through) {
        if (merge->count > 1)
            merge->next_ms[at] = measured_ms(pipeline, device, epoch);
        return;
    }
    merge->turns[at] = merge->turns[--merge->count];
    merge->next_ms[at] = merge->next_ms[merge->count];
}

static void judge_waiting(struct pipeline *pipeline, struct device *device,
                          uint64_t epoch, const struct collector_held *waiting)
{
    const struct pack *pack;
    if (read_waiting(pipeline, waiting->position, &pack))
        apply_readings(pipeline, device, epoch, pack);
    else
        log_error("a pack cannot be read again device=%s seq=%llu", device->id,
                  (unsigned long long)waiting->seq);
}

/* What the device does not hold any more is not waited for. */
static bool is_settled(const struct device *device, uint64_t name)
{
    for (size_t i = 0; i < device->delivery.epoch_count; i++) {
        const struct collector_epoch *epoch = &device->delivery.epochs[i];
        if (epoch->held_count > 0 &&
            (collector_is_held_there(epoch) || epoch->epoch == name))
            return false;
    }
    return true;
}

void pipeline_release(struct pipeline *pipeline, struct device *device, uint64_t name)
{
    struct collector_device *delivery = &device->delivery;
    struct collector_held next;
    struct merge merge;
    merge_begin(&merge, pipeline, device);
    while (merge.count > 0) {
        size_t at = merge_next(&merge);
        if (collector_core_next(delivery, merge.turns[at], &next))
            judge_waiting(pipeline, device, merge.turns[at]->epoch, &next);
        merge_go_on(&merge, at, pipeline, device);
    }
    for (size_t i = 0; i < delivery->epoch_count; i++)
        if (collector_core_next(delivery, &delivery->epochs[i], &next))
            assert(false); /* all that had a turn are through */
    guard_enter(pipeline->options.guard, GUARD_PIPELINE, pipeline->at, NULL, 0);
    if (is_settled(device, name) && !pipeline_waits_for_backlog(device))
        pipeline_settle(pipeline, device);
}

/* A message with a pack, or one that cannot be read (pack NULL). */
struct arrival {
    struct device *device;
    const struct record_message *message;
    const struct topic *topic;
    const struct pack *pack;
    const struct err_text *why;
};

static void accept(struct pipeline *pipeline, const struct arrival *arrival)
{
    assert(arrival->pack != NULL);
    const struct topic *topic = arrival->topic;
    metric_add(METRIC_PACKS, 1);
    pipeline_begin_backlog(pipeline, arrival->device, topic->epoch, topic->seq,
                           arrival->pack);
    apply_readings(pipeline, arrival->device, topic->epoch, arrival->pack);
    pipeline_end_backlog(pipeline, arrival->device, arrival->pack);
}

static void hold(struct pipeline *pipeline, const struct arrival *arrival)
{
    assert(arrival->pack != NULL);
    metric_add(METRIC_PACKS, 1);
    each_reading(pipeline, arrival->device, arrival->pack, apply_ahead);
    pipeline_tell_held(pipeline, arrival->device, false);
}

static void carry_out(struct pipeline *pipeline, const struct arrival *arrival,
                      const struct collector_action *action)
{
    const struct topic *topic = arrival->topic;
    switch (action->kind) {
    case COLLECTOR_ACCEPT:
        accept(pipeline, arrival);
        break;
    case COLLECTOR_HOLD:
        hold(pipeline, arrival);
        break;
    case COLLECTOR_REJECT:
        pipeline_reject(pipeline, topic, arrival->message, arrival->why->text);
        break;
    case COLLECTOR_DROP:
        metric_add(METRIC_DUPLICATES, 1);
        break;
    case COLLECTOR_REFUSE:
        log_warn("no room to remember a pack, it is refused device=%s",
                 arrival->device->id);
        break;
    case COLLECTOR_FORK:
        pipeline_quarantine(pipeline, topic, arrival->message, "fork",
                            "another pack with this name, or with another one before "
                            "it, is in: two devices go by one name");
        pipeline_raise(pipeline, ALERT_FORK, arrival->device, 1);
        break;
    case COLLECTOR_RELEASE:
    case COLLECTOR_ORDER_NEW_EPOCH:
    case COLLECTOR_LOSS:
    case COLLECTOR_TWINS:
    case COLLECTOR_REGRESSED:
    case COLLECTOR_ACK_AT:
        pipeline_carry_out(pipeline, arrival->device, action);
        break;
    }
}

static struct collector_pack describe(const struct pipeline *pipeline,
                                      const struct arrival *arrival)
{
    const struct record_message *message = arrival->message;
    struct collector_pack described = {
        .epoch = arrival->topic->epoch,
        .seq = arrival->topic->seq,
        .hash = delivery_hash(message->payload, message->payload_len),
        .position = pipeline->at,
        .is_live = !message->is_retained,
    };
    const struct pack *pack = arrival->pack;
    if (pack == NULL)
        return described;
    described.is_readable = true;
    described.previous_hash = pack->previous_hash;
    described.kind = pack->kind;
    described.ended = pack->ended;
    described.from = pack->from;
    described.to = pack->to;
    described.tells_fork = pack_tells_fork(pack);
    return described;
}

/* What was taken all the same, and is told of. */
static void list_odd(struct pipeline *pipeline, const struct arrival *arrival)
{
    if (pipeline->implausible > 0)
        pipeline_quarantine(
            pipeline, arrival->topic, arrival->message, "implausible-time",
            "kept, but readings dated in the far past or future raise no alarm");
    else if (!arrival->device->is_declared)
        pipeline_quarantine(pipeline, arrival->topic, arrival->message,
                            "undeclared-device",
                            "kept, but the device is not declared and measures no zone");
}

static bool was_taken(const struct collector_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->list[i].kind == COLLECTOR_ACCEPT ||
            actions->list[i].kind == COLLECTOR_HOLD)
            return true;
    return false;
}

/* Of a fleet nothing is in a cache: they come while delivery is looked at. */
static void fetch_channels(const struct device *device)
{
    for (size_t i = 0; i < device->channel_count && i < 8; i++)
        __builtin_prefetch(&device->channels[i], 1);
}

void pipeline_take_pack(struct pipeline *pipeline, const struct record_message *message,
                        const struct topic *topic, const struct pack *pack,
                        const struct err_text *why)
{
    const struct arrival arrival = {
        .device = pipeline_device(pipeline, topic->org, topic->device),
        .message = message,
        .topic = topic,
        .pack = pack,
        .why = why,
    };
    assert(pack != NULL || why != NULL);
    fetch_channels(arrival.device);
    arrival.device->last_arrival_ms = pipeline->now_ms;
    arrival.device->is_dirty = true;
    pipeline->implausible = 0;
    const struct collector_pack described = describe(pipeline, &arrival);
    const struct collector_event event = {
        .kind = COLLECTOR_PACK,
        .real_ms = pipeline->real_ms,
        .wall_ms = pipeline->now_ms,
        .pack = &described,
    };
    struct collector_actions actions;
    collector_core_step(pipeline->core, &arrival.device->delivery, &event, &actions);
    for (size_t i = 0; i < actions.count; i++)
        carry_out(pipeline, &arrival, &actions.list[i]);
    acks_in_line(pipeline->options.acks, arrival.device);
    if (was_taken(&actions)) {
        pipeline_news_readings(pipeline, arrival.device);
        if (pack != NULL)
            pipeline_note_clock(pipeline, arrival.device, pack);
        list_odd(pipeline, &arrival);
    }
}
