// SPDX-License-Identifier: Apache-2.0
/*
 * packs - each pack once and in order, its readings to the rules.
 */
#include <assert.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/pipeline/internal.h"

/* ---- readings --------------------------------------------------------------------- */

static const struct registry_placement *place(const struct pipeline *pipeline,
                                              const struct device *device,
                                              struct device_channel *channel,
                                              int64_t time_ms)
{
    const struct registry_placement *known = channel->placement;
    if (channel->placed_in == pipeline->registry && known != NULL &&
        time_ms >= known->from_ms && (known->to_ms == 0 || time_ms < known->to_ms))
        return known;
    if (pipeline->registry == NULL)
        return NULL;
    channel->placement = registry_place(pipeline->registry, device->org, device->id,
                                        channel->name.name, time_ms);
    channel->placed_in = pipeline->registry;
    return channel->placement;
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
    channel->quality = (enum quality)reading->quality;
    channel->time_ms = reading->time_ms;
    channel->arrival_ms = pipeline->now_ms;
}

/* False when the channel measures no zone at that time. */
static bool address(const struct pipeline *pipeline, const struct device *device,
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
        .channel = channel->name.name,
        .quantity = channel->name.quantity,
        .time_ms = reading->time_ms,
        .arrival_ms = pipeline->now_ms,
        .value = reading->value,
        .quality = (enum quality)reading->quality,
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
    if (address(pipeline, device, channel, reading, &given))
        alerts_reading(pipeline->alerts, &given, &pipeline->sink);
    else
        metric_add(METRIC_READINGS_UNPLACED, 1);
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
    struct device_channel *channels[PACK_CHANNELS_MAX];
    assert(pack->channel_count <= PACK_CHANNELS_MAX);
    for (size_t i = 0; i < pack->channel_count; i++)
        device_channel_of(device, &pack->channels[i]);
    for (size_t i = 0; i < pack->channel_count; i++)
        channels[i] = device_channel_of(device, &pack->channels[i]);
    for (size_t i = 0; i < pack->reading_count; i++) {
        struct device_channel *channel = channels[pack->readings[i].channel];
        if (channel != NULL)
            apply(pipeline, device, channel, &pack->readings[i]);
    }
}

static void apply_readings(struct pipeline *pipeline, struct device *device,
                           const struct pack *pack)
{
    pipeline->in_order = device;
    each_reading(pipeline, device, pack, apply_reading);
    pipeline->in_order = NULL;
    device->readings += pack->reading_count;
    metric_add(METRIC_READINGS, (int64_t)pack->reading_count);
}

/* ---- packs ------------------------------------------------------------------------ */

/* False when it cannot be read again, or has crashed us before. */
static bool read_waiting(struct pipeline *pipeline, uint64_t position,
                         const struct pack **pack)
{
    struct journal_record record;
    struct record_message message;
    struct topic topic;
    if (journal_read_at(pipeline->rereader, position, &record) != ERR_OK)
        return false;
    unsigned crashes = guard_enter(pipeline->options.guard, GUARD_PIPELINE, position,
                                   record.data, record.len);
    return crashes < GUARD_CRASHES &&
           record_message_parse(&message, record.data, record.len) == ERR_OK &&
           decoder_read(pipeline->redecoder, &message, record.wall_ms, &topic, pack,
                        NULL) == ERR_OK &&
           *pack != NULL;
}

static void evaluate_waiting(struct pipeline *pipeline, struct device *device,
                             struct device_epoch *epoch)
{
    struct device_ahead next;
    while (device_epoch_next(epoch, &next)) {
        const struct pack *pack;
        if (read_waiting(pipeline, next.position, &pack))
            apply_readings(pipeline, device, pack);
        else
            log_error("a pack cannot be read again device=%s seq=%llu", device->id,
                      (unsigned long long)next.seq);
    }
    guard_enter(pipeline->options.guard, GUARD_PIPELINE, pipeline->at, NULL, 0);
    if (epoch->ahead_count == 0)
        pipeline_settle(pipeline, device);
}

/* LOSS, THINNED and EPOCH_END close gaps at once: they may stand behind them. */
static void apply_control(struct pipeline *pipeline, struct device *device,
                          const struct pack *pack)
{
    if (pack->kind != PACK_LOSS && pack->kind != PACK_THINNED &&
        pack->kind != PACK_EPOCH_END)
        return;
    bool is_end = pack->kind == PACK_EPOCH_END;
    /* What is lost or thinned may belong to an epoch before. */
    struct device_epoch *epoch =
        device_epoch_of(device, pack->ended != 0 ? pack->ended : pack->epoch);
    if (epoch == NULL)
        return;
    epoch->is_ended = epoch->is_ended || is_end;
    if (is_end || pack->from == 0 || pack->to < pack->from)
        return;
    enum err err = seqset_add_range(&epoch->taken, pack->from, pack->to);
    if (err != ERR_OK && err != ERR_EXISTS)
        log_warn("a loss could not be noted device=%s", device->id);
    if (pack->kind == PACK_LOSS)
        metric_add(METRIC_LOST_PACKS, (int64_t)(pack->to - pack->from + 1));
    evaluate_waiting(pipeline, device, epoch);
}

static bool note_taken(struct pipeline *pipeline, struct device *device,
                       struct device_epoch *epoch, uint64_t seq)
{
    enum err err = seqset_add(&epoch->taken, seq);
    if (err == ERR_OK)
        return true;
    if (err == ERR_EXISTS) {
        metric_add(METRIC_DUPLICATES, 1);
        acks_urge(pipeline->options.acks, device, pipeline->real_ms);
    } else {
        log_warn("too many gaps, a pack is refused device=%s", device->id);
    }
    return false;
}

/* In order at once; ahead of a gap provisionally, and again when its turn comes. */
static void take_pack(struct pipeline *pipeline, struct device *device,
                      struct device_epoch *epoch, const struct topic *topic,
                      const struct pack *pack, bool is_live)
{
    device->is_dirty = true;
    metric_add(METRIC_PACKS, 1);
    apply_control(pipeline, device, pack);
    epoch = device_epoch_of(device, topic->epoch);
    assert(epoch != NULL);
    if (topic->seq > epoch->taken.through) {
        if (is_live) {
            device_epoch_wait(epoch, topic->seq, pipeline->at);
            each_reading(pipeline, device, pack, apply_ahead);
        }
        return;
    }
    if (topic->seq > epoch->evaluated)
        epoch->evaluated = topic->seq;
    if (is_live)
        apply_readings(pipeline, device, pack);
    evaluate_waiting(pipeline, device, epoch);
}

void pipeline_take_pack(struct pipeline *pipeline, const struct record_message *message,
                        const struct topic *topic, const struct pack *pack,
                        const struct err_text *why)
{
    struct device *device = pipeline_device(pipeline, topic->org, topic->device);
    device->last_arrival_ms = pipeline->now_ms;
    device->is_dirty = true;
    struct device_epoch *epoch = device_epoch_of(device, topic->epoch);
    if (epoch == NULL) {
        pipeline_reject(pipeline, topic, message, "too many epochs of this device");
        return;
    }
    if (!note_taken(pipeline, device, epoch, topic->seq))
        return;
    acks_note(pipeline->options.acks, device, pipeline->real_ms);
    if (pack == NULL) {
        pipeline_reject(pipeline, topic, message, why->text);
        if (seqset_add(&epoch->rejected, topic->seq) != ERR_OK)
            log_warn("a rejected pack is not listed device=%s", device->id);
        evaluate_waiting(pipeline, device, epoch);
        return;
    }
    pipeline->implausible = 0;
    take_pack(pipeline, device, epoch, topic, pack, !message->is_retained);
    if (pipeline->implausible > 0)
        pipeline_quarantine(
            pipeline, topic, message, "implausible-time",
            "kept, but readings dated in the far past or future raise no alarm");
    else if (!device->is_declared)
        pipeline_quarantine(pipeline, topic, message, "undeclared-device",
                            "kept, but the device is not declared and measures no zone");
}

void pipeline_close_lost_head(struct pipeline *pipeline, struct device *device,
                              const struct hello_epoch *held)
{
    struct device_epoch *epoch = device_epoch_of(device, held->epoch);
    if (epoch == NULL || held->first <= epoch->taken.through + 1)
        return;
    uint64_t from = epoch->taken.through + 1;
    enum err err = seqset_add_range(&epoch->taken, from, held->first - 1);
    if (err != ERR_OK && err != ERR_EXISTS)
        return;
    log_warn("packs are lost device=%s from=%llu to=%llu", device->id,
             (unsigned long long)from, (unsigned long long)(held->first - 1));
    metric_add(METRIC_LOST_PACKS, (int64_t)(held->first - from));
    evaluate_waiting(pipeline, device, epoch);
}
