// SPDX-License-Identifier: Apache-2.0
/*
 * metrics - the collector's counters and gauges, in one table.
 *
 * Any thread counts; /metrics reads. The values are those since the start.
 */
#ifndef COLDCHAIN_COLLECTOR_METRICS_H
#define COLDCHAIN_COLLECTOR_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

#define METRIC_LIST(X) \
    X(MESSAGES, "messages_total", "counter", "messages taken from the broker") \
    X(MESSAGE_BYTES, "message_bytes_total", "counter", "bytes of their payloads") \
    X(PACKS, "packs_total", "counter", "packs taken for the first time") \
    X(DUPLICATES, "duplicates_total", "counter", "packs that had been taken before") \
    X(READINGS, "readings_total", "counter", "readings in packs taken") \
    X(READINGS_BAD, "readings_bad_total", "counter", "readings of a failed sensor") \
    X(READINGS_IMPLAUSIBLE, "readings_implausible_time_total", "counter", \
      "readings dated in the far past or future, kept out of alarms") \
    X(READINGS_UNPLACED, "readings_unplaced_total", "counter", \
      "readings of channels that measure no zone") \
    X(QUARANTINED, "quarantined_total", "counter", "messages that could not be read") \
    X(LOST_PACKS, "lost_packs_total", "counter", "packs an agent declared lost") \
    X(ACKS, "acks_total", "counter", "acknowledgements sent") \
    X(CONFIGS, "configs_total", "counter", "zones' rules sent to devices") \
    X(CONFIGS_REFUSED, "configs_refused_total", "counter", \
      "statuses of devices that refuse the rules they were sent") \
    X(INCIDENTS_OPENED, "incidents_opened_total", "counter", "incidents opened") \
    X(INCIDENTS_CLOSED, "incidents_closed_total", "counter", "incidents closed") \
    X(NOTIFICATIONS_DELIVERED, "notifications_delivered_total", "counter", \
      "notifications that a receiver accepted") \
    X(NOTIFICATIONS_FAILED, "notification_attempts_failed_total", "counter", \
      "attempts that failed") \
    X(REPLIES_ACCEPTED, "replies_accepted_total", "counter", \
      "answers in chats and by text message that acknowledged") \
    X(REPLIES_LATE, "replies_late_total", "counter", \
      "answers to what was acknowledged before") \
    X(REPLIES_TESTED, "replies_tested_total", "counter", \
      "answers to a test of a channel") \
    X(REPLIES_REFUSED, "replies_refused_total", "counter", \
      "answers of a wrong sender, code or form, or too many") \
    X(REPLY_POLLS_FAILED, "reply_polls_failed_total", "counter", \
      "requests for answers that Telegram did not take") \
    X(JOURNAL_POSITION, "journal_synced_position", "gauge", \
      "position on stable storage") \
    X(BACKLOG_BYTES, "backlog_bytes", "gauge", \
      "of the journal, not evaluated and stored yet") \
    X(PIPELINE_POSITION, "pipeline_position", "gauge", "position evaluated") \
    X(HISTORY_POSITION, "history_position", "gauge", "position in the history") \
    X(HISTORY_READINGS, "history_readings_total", "counter", \
      "readings written to the history") \
    X(INFLUX_POSITION, "influx_position", "gauge", "position written to InfluxDB") \
    X(INFLUX_LINES, "influx_lines_total", "counter", "lines accepted by InfluxDB") \
    X(INFLUX_REJECTED, "influx_rejected_total", "counter", \
      "lines refused by InfluxDB, in quarantine") \
    X(INFLUX_ERRORS, "influx_errors_total", "counter", "requests that failed") \
    X(API_CONNECTIONS_CUT, "api_connections_cut_total", "counter", \
      "connections of the API that made room for new ones") \
    X(BROKER_CONNECTED, "broker_connected", "gauge", "1 while the broker is reached") \
    X(DEVICES, "devices", "gauge", "devices ever seen") \
    X(JOURNAL_DAMAGE, "journal_damage_total", "counter", \
      "damaged regions found in the journal") \
    X(SKIPPED, "records_skipped_total", "counter", \
      "records passed over because they crash their follower")

enum metric {
#define X(id, name, kind, help) METRIC_##id,
    METRIC_LIST(X)
#undef X
        METRIC_COUNT
};

void metric_add(enum metric metric, int64_t amount);
void metric_set(enum metric metric, int64_t value);
int64_t metric_get(enum metric metric);

/* Prometheus text exposition format 0.0.4. */
void metrics_format(struct buf *out);

#endif
