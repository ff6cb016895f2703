// SPDX-License-Identifier: Apache-2.0
/*
 * trouble - damage of the journal, and records that crash whoever takes them.
 *
 * They are logged, counted, listed in the quarantine, which the API shows, and told of as
 * an incident.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "collector/metrics.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/records.h"
#include "collector/pipeline/telling.h"
#include "collector/skip.h"
#include "collector/store/state_delivery.h"

static void list(struct pipeline *pipeline, const struct state_quarantined *entry)
{
    metric_add(METRIC_QUARANTINED, 1);
    if (pipeline_begin_effects(pipeline))
        pipeline_note(pipeline, state_add_quarantined(pipeline->options.state, entry));
}

void pipeline_take_loss(struct pipeline *pipeline, const struct journal_record *record)
{
    char detail[200];
    snprintf(detail, sizeof detail,
             "the journal is damaged from %" PRIu64 " to %" PRIu64
             ": %s; what was there is lost, see: coldchainctl journal verify",
             record->loss.from, record->loss.to, journal_loss_name(record->loss.reason));
    metric_add(METRIC_JOURNAL_DAMAGE, 1);
    log_error("%s", detail);
    const struct state_quarantined entry = {
        .source = "journal",
        .position = record->loss.from,
        .org = "",
        .device = "",
        .topic = "",
        .reason = "journal-damage",
        .detail = detail,
        .data = "",
        .size = record->loss.to - record->loss.from,
        .arrived_ms = pipeline->now_ms,
    };
    list(pipeline, &entry);
    pipeline_raise(pipeline, ALERT_JOURNAL_DAMAGE, NULL, 1);
}

/* The bytes as they stand in the journal: nothing here may look inside them. */
static void list_poison(struct pipeline *pipeline, uint64_t position, const char *who,
                        unsigned crashes)
{
    struct journal_record record = {.data = "", .position = position};
    if (journal_read_at(pipeline->rereader, position, &record) != ERR_OK)
        log_warn("a skipped record cannot be read position=%" PRIu64, position);
    char detail[200];
    snprintf(detail, sizeof detail,
             "skipped by '%s' after %u crashes; please report it with these bytes", who,
             crashes);
    const struct state_quarantined entry = {
        .source = who,
        .position = position,
        .org = "",
        .device = "",
        .topic = "",
        .reason = "poison",
        .detail = detail,
        .data = record.data,
        .len = record.len,
        .size = record.len,
        .arrived_ms = record.wall_ms,
    };
    list(pipeline, &entry);
    pipeline_raise(pipeline, ALERT_POISON, NULL, 1);
}

void pipeline_take_skipped(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_skipped skipped;
    if (record_skipped_parse(&skipped, record->data, record->len) == ERR_OK)
        list_poison(pipeline, skipped.position, skipped.who, skipped.crashes);
}

/* Its name is taken, so that the agent does not send it for ever. */
static void take_name(struct pipeline *pipeline, const struct journal_record *record)
{
    struct record_message message;
    struct topic topic;
    const struct err_text why = {.text = "it crashed the collector"};
    if (record->type == RECORD_MESSAGE &&
        record_message_parse(&message, record->data, record->len) == ERR_OK &&
        topic_parse(&topic, message.topic, message.topic_len) == ERR_OK &&
        topic.kind == TOPIC_READINGS)
        pipeline_take_pack(pipeline, &message, &topic, NULL, &why);
}

void pipeline_skip(struct pipeline *pipeline, const struct journal_record *record,
                   unsigned crashes)
{
    skip_record(pipeline->options.journal, pipeline->options.guard, GUARD_PIPELINE,
                record, crashes);
    /* One crash more, and not even its name is looked at. */
    if (crashes == GUARD_CRASHES)
        take_name(pipeline, record);
}
