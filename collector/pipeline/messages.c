// SPDX-License-Identifier: Apache-2.0
/*
 * messages - from a message to what it says of its device.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/view.h"
#include "collector/record.h"

struct device *pipeline_device(struct pipeline *pipeline, const char *org, const char *id)
{
    char key[DEVICE_KEY_SIZE];
    void **at = map_at(&pipeline->devices, device_key(key, org, id));
    if (*at == NULL) {
        struct device *device = device_create(org, id);
        device->is_declared = registry_has_device(pipeline->registry, org, id);
        *at = device;
        metric_set(METRIC_DEVICES, (int64_t)pipeline->devices.count);
        pipeline_news_status(pipeline, org, id);
    }
    return *at;
}

void pipeline_declare_devices(struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->devices.count; i++) {
        struct device *device = pipeline->devices.entries[i].value;
        device->is_declared =
            registry_has_device(pipeline->registry, device->org, device->id);
    }
}

static void apply_hello(struct pipeline *pipeline, const struct record_message *message,
                        const struct topic *topic)
{
    struct hello hello;
    struct err_text why;
    if (hello_parse(&hello, message->payload, message->payload_len, &why) != ERR_OK) {
        pipeline_reject(pipeline, topic, message, why.text);
        return;
    }
    struct device *device = pipeline_device(pipeline, topic->org, topic->device);
    device->is_dirty = true;
    device->last_arrival_ms = pipeline->now_ms;
    if (strcmp(device_version(device), hello.version) != 0)
        pipeline_news_status(pipeline, device->org, device->id);
    device_set_version(device, hello.version);
    pipeline_take_hello(pipeline, device, &hello);
}

/* What of its zones' rules it does not know. A device may say anything. */
static void apply_unknown(struct device *device, const json_t *config)
{
    struct zone_notes notes = {0};
    struct buf words = {0};
    json_int_t form = json_integer_value(json_object_get(config, "form"));
    json_int_t left_out = json_integer_value(json_object_get(config, "left_out"));
    const json_t *unknown = json_object_get(config, "unknown");
    for (size_t i = 0; i < json_array_size(unknown) && i < ZONE_NOTES_MAX; i++)
        zone_notes_take(&notes, json_string_value(json_array_get(unknown, i)));
    zone_notes_format(&notes, &words);
    device->config_form = (uint8_t)(form > 0 && form <= UINT8_MAX ? form : 0);
    device->config_left_out =
        (uint32_t)(left_out > 0 && left_out <= UINT32_MAX ? left_out : 0);
    device_set_unknown(device, words.data);
    buf_fini(&words);
}

/* A device that says nothing of it has nothing in force. */
static void apply_config(struct pipeline *pipeline, struct device *device,
                         const json_t *config)
{
    const char *version = json_string_value(json_object_get(config, "version"));
    uint64_t known = 0;
    if (version != NULL && epoch_parse(&known, version) != ERR_OK)
        known = 0;
    device->config_version = known;
    apply_unknown(device, config);
    bool is_refusing = json_is_string(json_object_get(config, "why"));
    if (is_refusing) {
        log_warn("a device refuses the rules it was sent device=%s/%s", device->org,
                 device->id);
        metric_add(METRIC_CONFIGS_REFUSED, 1);
    }
    configs_reported(pipeline->options.configs, device, is_refusing, pipeline->real_ms);
}

static void apply_status(struct pipeline *pipeline, const struct record_message *message,
                         const struct topic *topic)
{
    struct device *device = pipeline_device(pipeline, topic->org, topic->device);
    json_t *status = json_loadb(message->payload, message->payload_len, 0, NULL);
    const char *state = json_string_value(json_object_get(status, "state"));
    bool is_online = state != NULL && strcmp(state, "online") == 0;
    if (device->is_online != is_online)
        pipeline_news_status(pipeline, device->org, device->id);
    device->is_online = is_online;
    device->is_dirty = true;
    if (device->is_online)
        apply_config(pipeline, device, json_object_get(status, "config"));
    json_decref(status);
}

void pipeline_take_message(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_message message;
    struct topic topic = {0};
    const struct pack *pack;
    struct err_text why = {0};
    if (record_message_parse(&message, record->data, record->len) != ERR_OK) {
        pipeline_reject(pipeline, &topic, &message, "journal record is not a message");
        return;
    }
    metric_add(METRIC_MESSAGES, 1);
    metric_add(METRIC_MESSAGE_BYTES, (int64_t)message.payload_len);
    enum err err =
        decoder_read(pipeline->decoder, &message, record->wall_ms, &topic, &pack, &why);
    if (topic.device[0] == '\0')
        pipeline_reject(pipeline, &topic, &message, why.text);
    else if (topic.kind == TOPIC_READINGS)
        pipeline_take_pack(pipeline, &message, &topic, err == ERR_OK ? pack : NULL, &why);
    else if (topic.kind == TOPIC_HELLO)
        apply_hello(pipeline, &message, &topic);
    else if (topic.kind == TOPIC_STATUS)
        apply_status(pipeline, &message, &topic);
}
