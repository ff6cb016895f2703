// SPDX-License-Identifier: Apache-2.0
/*
 * effects - what a record causes in state.db, once: incidents, outbox, quarantine.
 */
#include <assert.h>
#include <stdio.h>

#include "collector/metrics.h"
#include "collector/notify/message.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"
#include "collector/pipeline/view.h"
#include "collector/store/state_delivery.h"
#include "collector/store/state_suppressions.h"

static bool wants_effects(const struct pipeline *pipeline)
{
    return pipeline->at > pipeline->effect_cursor;
}

bool pipeline_begin_effects(struct pipeline *pipeline)
{
    assert(!pipeline->has_transaction || wants_effects(pipeline));
    if (!wants_effects(pipeline) || pipeline->batch_err != ERR_OK)
        return false;
    if (!pipeline->has_transaction) {
        pipeline->batch_err = state_begin(pipeline->options.state);
        pipeline->has_transaction = pipeline->batch_err == ERR_OK;
    }
    return pipeline->has_transaction;
}

void pipeline_note(struct pipeline *pipeline, enum err err)
{
    if (pipeline->batch_err == ERR_OK && err != ERR_EXISTS)
        pipeline->batch_err = err;
}

static void format(struct pipeline *pipeline, enum alert_effect_kind kind,
                   const struct incident *incident, const struct pipeline_cause *decided,
                   struct buf *body)
{
    const struct message_cause cause = {
        .id = decided->cause.id,
        .leader = decided->has_leader ? &decided->leader : NULL,
        .is_over =
            decided->telling == CAUSE_TELL_OVER || decided->telling == CAUSE_TELL_PART,
        .is_part = decided->telling == CAUSE_TELL_PART,
        .goes_on = decided->is_other_open,
    };
    message_format(incident, kind, &cause, pipeline->registry, pipeline->now_ms, body);
}

static void count_effect(enum alert_effect_kind kind)
{
    if (kind == ALERT_EFFECT_OPENED)
        metric_add(METRIC_INCIDENTS_OPENED, 1);
    if (kind == ALERT_EFFECT_CLOSED)
        metric_add(METRIC_INCIDENTS_CLOSED, 1);
}

/* The leader never was: what it led is told in its place. */
static void tell_next(struct pipeline *pipeline, struct pipeline_cause *decided)
{
    struct incident next;
    if (!pipeline_next_of_cause(pipeline, decided, &next))
        return;
    struct buf body = {0};
    format(pipeline, ALERT_EFFECT_OPENED, &next, decided, &body);
    pipeline_tell(pipeline, ALERT_EFFECT_OPENED, &next, decided, body.data);
    pipeline_put_cause(pipeline, &next, decided);
    buf_fini(&body);
}

void pipeline_emit(struct pipeline *pipeline, enum alert_effect_kind kind,
                   const struct incident *incident)
{
    if (!pipeline_begin_effects(pipeline))
        return;
    struct buf body = {0};
    struct pipeline_cause decided;
    pipeline_decide_cause(pipeline, kind, incident, &decided);
    format(pipeline, kind, incident, &decided, &body);
    pipeline_note(pipeline, state_add_incident(pipeline->options.state, kind, incident,
                                               pipeline->now_ms, body.data));
    pipeline_tell(pipeline, kind, incident, &decided, body.data);
    pipeline_put_cause(pipeline, incident, &decided);
    tell_next(pipeline, &decided);
    count_effect(kind);
    if (kind != ALERT_EFFECT_OPENED)
        pipeline_note_handled(pipeline, incident->id);
    pipeline_news_incident(pipeline, kind, incident);
    buf_fini(&body);
}

void pipeline_on_suppressed(void *context, const struct suppression *told)
{
    struct pipeline *pipeline = context;
    if (pipeline_begin_effects(pipeline))
        pipeline_note(pipeline, state_put_suppression(pipeline->options.state, told));
}

void pipeline_quarantine(struct pipeline *pipeline, const struct topic *topic,
                         const struct record_message *message, const char *reason,
                         const char *detail)
{
    assert(reason[0] != '\0' && detail != NULL);
    if (!pipeline_begin_effects(pipeline))
        return;
    char topic_text[RECORD_TOPIC_MAX + 1];
    snprintf(topic_text, sizeof topic_text, "%.*s", (int)message->topic_len,
             message->topic != NULL ? message->topic : "");
    const struct state_quarantined entry = {
        .source = "",
        .position = pipeline->at,
        .org = topic->org,
        .device = topic->device,
        .topic = topic_text,
        .epoch = topic->epoch,
        .seq = topic->seq,
        .reason = reason,
        .detail = detail,
        .data = message->payload,
        .len = message->payload_len,
        .size = message->payload_len,
        .arrived_ms = pipeline->now_ms,
    };
    pipeline_note(pipeline, state_add_quarantined(pipeline->options.state, &entry));
}

void pipeline_reject(struct pipeline *pipeline, const struct topic *topic,
                     const struct record_message *message, const char *detail)
{
    metric_add(METRIC_QUARANTINED, 1);
    pipeline_quarantine(pipeline, topic, message, "unreadable", detail);
}
