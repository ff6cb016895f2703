// SPDX-License-Identifier: Apache-2.0
#include "collector/pipeline/beat.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/telling.h"
#include "telemetry/pack.h"
#include "telemetry/topic.h"

#define QUANTITY "air_temperature" /* any: 1 is above the level, 0 is not */
#define EPOCH    1

static void add_reading(struct pack *pack, int64_t time_ms, double value)
{
    struct reading reading = {.time_ms = time_ms, .value = value, .raw = (double)NAN};
    enum err err = pack_channel(pack, QUANTITY, &reading.channel);
    if (err == ERR_OK)
        err = pack_add(pack, &reading);
    assert(err == ERR_OK);
    (void)err;
}

void beat_format(int64_t now_ms, struct buf *out)
{
    struct pack pack = {
        .epoch = EPOCH, .seq = (uint64_t)now_ms, .clock = PACK_CLOCK_SYNCED};
    struct topic topic = {
        .org = BEAT_NAME, .kind = TOPIC_READINGS, .epoch = EPOCH, .seq = pack.seq};
    struct buf payload = {0};
    char name[TOPIC_MAX];
    uint8_t head[RECORD_MESSAGE_HEAD];
    snprintf(pack.device, sizeof pack.device, "%s", BEAT_NAME);
    snprintf(topic.device, sizeof topic.device, "%s", BEAT_NAME);
    pack.wall_ms = now_ms;
    add_reading(&pack, now_ms - 1, 1);
    add_reading(&pack, now_ms, 0);
    pack_format(&pack, &payload);
    topic_format(&topic, name);
    struct record_message message = {.topic = name, .topic_len = strlen(name), .qos = 1};
    record_message_head(&message, head);
    buf_add(out, head, sizeof head);
    buf_add(out, name, message.topic_len);
    buf_add(out, payload.data, payload.len);
    buf_fini(&payload);
    pack_fini(&pack);
}

void beat_rule(struct alert_rule *rule)
{
    *rule = (struct alert_rule){
        .id = BEAT_NAME,
        .zone = BEAT_NAME,
        .quantity = QUANTITY,
        .kind = ALERT_ABOVE,
        .levels = {{.severity = ALERT_WARNING, .level = 1, .recovery_level = 1}},
        .level_count = 1,
    };
}

bool beat_is(const struct incident *incident)
{
    return strcmp(incident->zone, BEAT_NAME) == 0;
}

/* ---- in the pipeline ------------------------------------------------------------------
 */

static void judge(struct pipeline *pipeline, const struct pack *pack)
{
    for (size_t i = 0; i < pack->reading_count; i++) {
        const struct reading *reading = &pack->readings[i];
        const struct alert_reading given = {
            .zone = BEAT_NAME,
            .device = BEAT_NAME,
            .channel = QUANTITY,
            .quantity = QUANTITY,
            .time_ms = reading->time_ms,
            .arrival_ms = pipeline->now_ms,
            .value = reading->value,
            .quality = (enum quality)reading->quality,
        };
        alerts_reading(pipeline->alerts, &given, &pipeline->sink);
    }
}

void pipeline_take_beat(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_message message;
    struct topic topic = {0};
    const struct pack *pack = NULL;
    struct err_text why;
    if (record_message_parse(&message, record->data, record->len) == ERR_OK &&
        decoder_read(pipeline->decoder, &message, record->wall_ms, &topic, &pack, &why) ==
            ERR_OK &&
        pack != NULL)
        judge(pipeline, pack);
}

/* An older one that was not delivered says nothing any more: this one takes its place. */
void pipeline_emit_beat(struct pipeline *pipeline, enum alert_effect_kind kind)
{
    if (kind != ALERT_EFFECT_CLOSED || pipeline->options.beat_channel == NULL ||
        !pipeline_begin_effects(pipeline))
        return;
    char key[64];
    char at[CLOCK_ISO_MAX];
    struct buf body = {0};
    uint32_t number = (uint32_t)(pipeline->now_ms / 1000);
    snprintf(key, sizeof key, "heartbeat-%" PRIu32, number);
    buf_format(&body, "{\"event\":\"heartbeat\",\"at\":\"%s\"}",
               clock_format_iso(at, pipeline->now_ms));
    const struct state_message message = {
        .incident = BEAT_NAME,
        .revision = number,
        .channel = pipeline->options.beat_channel,
        .key = key,
        .body = body.data,
        .created_ms = pipeline->now_ms,
        .next_attempt_ms = pipeline->now_ms,
    };
    pipeline_note(pipeline, state_replace_message(pipeline->options.state, &message));
    buf_fini(&body);
}
