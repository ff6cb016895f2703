// SPDX-License-Identifier: Apache-2.0
#include "collector/intake/intake.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "collector/metrics.h"
#include "collector/record.h"

#define QOS_AT_LEAST_ONCE 1
#define RETAINED_WHEN_NEW 1 /* MQTT 5, 3.8.3.1: not again at every reconnect */

struct intake {
    /* fixed after open */
    struct intake_options options;
    struct mqtt *mqtt;
    /* owned by the loop */
    bool is_paused;
};

static const char *const filters[] = {
    "coldchain/v1/+/+/readings/+/+",
    "coldchain/v1/+/+/hello",
    "coldchain/v1/+/+/status",
};

static void on_message(void *context, const struct mqtt_message *from)
{
    struct intake *intake = context;
    struct record_message message = {
        .topic = from->topic,
        .topic_len = from->topic_len,
        .content_type = from->content_type,
        .content_type_len = from->content_type_len,
        .payload = from->payload,
        .payload_len = from->payload_len,
        .qos = from->qos,
        .is_retained = from->is_retained,
        .is_duplicate = from->is_duplicate,
    };
    uint8_t head[RECORD_MESSAGE_HEAD];
    record_message_head(&message, head);
    const struct journal_piece pieces[] = {
        {head, sizeof head},
        {message.topic, message.topic_len},
        {message.content_type, message.content_type_len},
        {message.payload, message.payload_len},
    };
    const struct clock *clock = intake->options.clock;
    enum err err = journal_append(intake->options.journal, RECORD_MESSAGE,
                                  clock_wall_ms(clock), clock_boot_ms(clock), pieces,
                                  sizeof pieces / sizeof pieces[0], NULL);
    if (err == ERR_LIMIT) {
        /* The broker's packet limit is above ours: it cannot be stored, nor ever be. */
        log_error("a message is too large and is dropped bytes=%zu", from->payload_len);
        return;
    }
    if (err != ERR_OK) {
        log_error("a message cannot be stored: %s; ending before it is acknowledged",
                  err_about(err));
        _exit(EXIT_FAILURE);
    }
    committer_wake(intake->options.committer);
}

static void on_connected(void *context, bool session_present)
{
    struct intake *intake = context;
    metric_set(METRIC_BROKER_CONNECTED, 1);
    log_info("broker connected session=%s", session_present ? "resumed" : "new");
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
        if (mqtt_subscribe(intake->mqtt, filters[i], QOS_AT_LEAST_ONCE,
                           RETAINED_WHEN_NEW) != ERR_OK)
            log_warn("cannot subscribe filter=%s", filters[i]);
    if (intake->options.on_connected != NULL)
        intake->options.on_connected(intake->options.context, session_present);
}

static void on_lost(void *context, const char *why)
{
    struct intake *intake = context;
    metric_set(METRIC_BROKER_CONNECTED, 0);
    if (!intake->is_paused)
        log_warn("broker lost: %s", why);
}

static void on_delivered(void *context, uint64_t tag)
{
    const struct intake *intake = context;
    if (tag != 0 && intake->options.on_delivered != NULL)
        intake->options.on_delivered(intake->options.context, tag, NULL);
}

static void on_refused(void *context, uint64_t tag, const char *why)
{
    const struct intake *intake = context;
    if (tag != 0 && intake->options.on_delivered != NULL)
        intake->options.on_delivered(intake->options.context, tag, why);
}

enum err intake_open(struct intake **result, const struct intake_options *options,
                     struct err_text *why)
{
    struct intake *intake = mem_alloc(sizeof *intake);
    intake->options = *options;
    struct mqtt_options broker = options->broker;
    broker.context = intake;
    broker.on_message = on_message;
    broker.on_connected = on_connected;
    broker.on_lost = on_lost;
    broker.on_delivered = on_delivered;
    broker.on_refused = on_refused;
    enum err err = mqtt_open(&intake->mqtt, options->loop, &broker, why);
    if (err != ERR_OK) {
        free(intake);
        intake = NULL;
    }
    *result = intake;
    return err;
}

void intake_close(struct intake *intake)
{
    if (intake == NULL)
        return;
    mqtt_close(intake->mqtt);
    free(intake);
}

bool intake_is_connected(const struct intake *intake)
{
    return mqtt_is_connected(intake->mqtt);
}

bool intake_send(struct intake *intake, const char *topic, const void *data, size_t len)
{
    const struct mqtt_publish publish = {
        .topic = topic,
        .payload = data,
        .payload_len = len,
        .content_type = "application/json",
    };
    return mqtt_publish(intake->mqtt, &publish) == ERR_OK;
}

bool intake_retain(struct intake *intake, const char *topic, const void *data, size_t len)
{
    const struct mqtt_publish publish = {
        .topic = topic,
        .payload = data,
        .payload_len = len,
        .content_type = "application/json",
        .qos = QOS_AT_LEAST_ONCE,
        .retain = true,
    };
    return mqtt_publish(intake->mqtt, &publish) == ERR_OK;
}

enum err intake_publish(struct intake *intake, const char *topic, const void *data,
                        size_t len, uint64_t tag)
{
    const struct mqtt_publish publish = {
        .topic = topic,
        .payload = data,
        .payload_len = len,
        .content_type = "application/json",
        .qos = QOS_AT_LEAST_ONCE,
        .tag = tag,
    };
    return mqtt_publish(intake->mqtt, &publish);
}

void intake_pause(struct intake *intake, bool is_paused)
{
    if (is_paused == intake->is_paused)
        return;
    intake->is_paused = is_paused;
    if (is_paused) {
        log_error("no room for the journal: leaving the broker until there is space");
        mqtt_pause(intake->mqtt);
    } else {
        log_info("there is room for the journal again");
        mqtt_resume(intake->mqtt);
    }
}
