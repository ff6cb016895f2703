// SPDX-License-Identifier: Apache-2.0
/*
 * ahead - judging what came ahead of a gap, and settling with what was judged in order.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/handover.h"
#include "base/log.h"
#include "base/mem.h"
#include "collector/pipeline/ahead.h"
#include "collector/pipeline/beat.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"

#define HARM "product_temperature"

/* ---- the devices of which something is late ---------------------------------------- */

void pipeline_be_late(struct pipeline *pipeline, struct device *device)
{
    if (device->late != NULL)
        return;
    assert(pipeline->late == NULL || pipeline->late->before == NULL);
    struct late *late = late_create();
    late->device = device;
    late->behind = pipeline->late;
    if (pipeline->late != NULL)
        pipeline->late->before = late;
    pipeline->late = late;
    device->late = late;
}

/* Its `late` is the caller's. */
static void be_in_order(struct pipeline *pipeline, struct device *device)
{
    struct late *late = device->late;
    assert(late != NULL && late->device == device);
    assert(late->before != NULL || pipeline->late == late);
    device->late = NULL;
    if (late->behind != NULL)
        late->behind->before = late->before;
    if (late->before != NULL)
        late->before->behind = late->behind;
    else
        pipeline->late = late->behind;
}

/* ---- the second engine ------------------------------------------------------------ */

/*
 * Harm and sums are what all readings come to, also those that are missing: they wait.
 * Silence and dates are judged by arrival, and by the first engine alone.
 */
static bool is_judged_ahead(enum alert_kind kind, const char *quantity)
{
    return !alert_kind_is_sum(kind) && !alert_kind_is_silence(kind) &&
           !alert_kind_is_date(kind) && strcmp(quantity, HARM) != 0;
}

enum err pipeline_set_ahead_rules(struct pipeline *pipeline, struct err_text *why)
{
    const struct registry *registry = pipeline->registry;
    if (pipeline->ahead == NULL)
        return ERR_OK;
    struct alert_rule *rules = mem_array(registry->rule_count, sizeof *rules);
    size_t count = 0;
    for (size_t i = 0; i < registry->rule_count; i++)
        if (is_judged_ahead(registry->rules[i].kind, registry->rules[i].quantity) &&
            registry_in_force(registry, &registry->rules[i]))
            rules[count++] = registry->rules[i];
    enum err err = alerts_change_rules(pipeline->ahead, rules, count, pipeline->now_ms,
                                       &pipeline->ahead_sink, why);
    free(rules);
    return err;
}

struct alerts *pipeline_ahead(struct pipeline *pipeline)
{
    if (pipeline->ahead != NULL)
        return pipeline->ahead;
    struct err_text why;
    pipeline->ahead = alerts_create();
    if (pipeline_set_ahead_rules(pipeline, &why) != ERR_OK)
        log_fatal("rules in force are refused: %s", why.text);
    pipeline_tell_rooms(pipeline->ahead, pipeline->registry);
    return pipeline->ahead;
}

static struct device *device_of(const struct pipeline *pipeline,
                                const struct incident *incident)
{
    const struct registry_zone *zone = registry_zone(pipeline->registry, incident->zone);
    if (zone == NULL)
        return NULL;
    char key[DEVICE_KEY_SIZE];
    return map_get(&pipeline->devices, device_key(key, zone->org, incident->device));
}

/* Held when its channel was copied: pipeline_tell_held() says whether it is told. */
static bool is_unheard_of(const struct late *late, const char *id)
{
    const struct late_incident *held = late_find(&late->held, id);
    return held != NULL && held->is_new && late_find(&late->told, id) == NULL;
}

void pipeline_on_ahead(void *context, enum alert_effect_kind kind,
                       const struct incident *incident)
{
    struct pipeline *pipeline = context;
    struct device *device = device_of(pipeline, incident);
    if (alert_kind_is_silence(incident->kind) || device == NULL || device->late == NULL ||
        (kind != ALERT_EFFECT_OPENED && is_unheard_of(device->late, incident->id)))
        return;
    if (!late_takes(&device->late->told, incident->id))
        return; /* it is told when the gap closes */
    late_note(&device->late->told, kind, incident);
    device->is_dirty = true;
    pipeline_emit(pipeline, kind, incident);
}

/* What a person does to what was open before is told, and what is held must not undo it.
 */
static void overtake_held(struct device *device, enum alert_effect_kind kind,
                          const struct incident *incident)
{
    struct late_incident *held = late_find(&device->late->held, incident->id);
    if (held == NULL)
        return;
    if (kind == ALERT_EFFECT_CLOSED)
        late_remove(&device->late->held, held);
    else
        held->incident = *incident;
    device->is_dirty = true;
}

void pipeline_on_alert(void *context, enum alert_effect_kind kind,
                       const struct incident *incident)
{
    struct pipeline *pipeline = context;
    if (beat_is(incident)) {
        pipeline_emit_beat(pipeline, kind);
        return;
    }
    struct device *device = pipeline->in_order;
    if (device == NULL && kind != ALERT_EFFECT_OPENED)
        device = device_of(pipeline, incident);
    bool is_late =
        device != NULL && device->late != NULL && !alert_kind_is_silence(incident->kind);
    /* Outside of its readings, only what the second engine tells of is held back. */
    if (is_late &&
        (pipeline->in_order != NULL ||
         late_find(&device->late->told, incident->id) != NULL ||
         is_unheard_of(device->late, incident->id)) &&
        late_takes(&device->late->held, incident->id)) { /* or it is told now */
        pipeline_hold_backlog(pipeline, device->late);
        late_note(&device->late->held, kind, incident);
        device->is_dirty = true;
        return;
    }
    if (is_late)
        overtake_held(device, kind, incident);
    pipeline_emit(pipeline, kind, incident);
}

void pipeline_judge_ahead(struct pipeline *pipeline, struct device *device,
                          const struct alert_reading *reading)
{
    assert(pipeline->in_order == NULL);
    struct alerts *ahead = pipeline_ahead(pipeline);
    pipeline_be_late(pipeline, device);
    bool is_first = device->late->channel_count == 0;
    if (late_add_channel(device->late, reading->zone, reading->channel)) {
        pipeline->ahead_count += is_first;
        alerts_copy(ahead, pipeline->alerts, reading->zone, reading->device,
                    reading->channel);
    }
    alerts_reading(ahead, reading, &pipeline->ahead_sink);
    alerts_heard(pipeline->alerts, reading, &pipeline->sink);
}

static bool has_copy(const struct late *late, const struct incident *incident)
{
    for (size_t i = 0; i < late->channel_count; i++)
        if (strcmp(late->channels[i].channel, incident->channel) == 0 &&
            strcmp(late->channels[i].zone, incident->zone) == 0)
            return true;
    return false;
}

/* As the second engine has it, or what was held when it has no say. NULL: not now. */
static const struct incident *seen_going_on(const struct pipeline *pipeline,
                                            const struct late *late,
                                            const struct late_incident *held, bool is_due)
{
    if ((!held->is_new && !held->is_worse) || held->incident.state == INCIDENT_CLOSED ||
        late_find(&late->told, held->incident.id) != NULL)
        return NULL;
    if (!has_copy(late, &held->incident) ||
        !is_judged_ahead(held->incident.kind, held->incident.quantity))
        return is_due ? &held->incident : NULL;
    const struct incident *now = alerts_incident(pipeline->ahead, held->incident.id);
    bool goes_on = now != NULL && now->state == INCIDENT_OPEN;
    return goes_on && (held->is_new || now->severity >= held->incident.severity) ? now
                                                                                 : NULL;
}

void pipeline_tell_held(struct pipeline *pipeline, struct device *device, bool is_due)
{
    struct late *late = device->late;
    if (late == NULL)
        return;
    for (size_t i = 0; i < late->held.count; i++) {
        const struct late_incident *held = &late->held.items[i];
        const struct incident *now = seen_going_on(pipeline, late, held, is_due);
        if (now == NULL)
            continue;
        const struct incident told = *now;
        enum alert_effect_kind kind =
            held->is_new ? ALERT_EFFECT_OPENED : ALERT_EFFECT_ESCALATED;
        late_note(&late->told, kind, &told);
        pipeline_emit(pipeline, kind, &told);
    }
    device->is_dirty = true;
}

/* What it judges heeds the zone's other devices, which are in order, as they are now. */
void pipeline_overhear(struct pipeline *pipeline, const struct source *source,
                       const struct alert_reading *reading)
{
    if (pipeline->ahead_count > 0)
        alerts_overhear(pipeline->ahead, source, reading);
}

const struct incident *pipeline_judged(const struct pipeline *pipeline,
                                       const struct incident *incident)
{
    const struct device *device = device_of(pipeline, incident);
    const struct incident *now = NULL;
    if (device != NULL && device->late != NULL && pipeline->ahead != NULL &&
        is_judged_ahead(incident->kind, incident->quantity))
        now = alerts_incident(pipeline->ahead, incident->id);
    return now != NULL ? now : alerts_incident(pipeline->alerts, incident->id);
}

/* ---- settling --------------------------------------------------------------------- */

/* The first engine goes on under what people were told. */
static void rename_in_engine(struct pipeline *pipeline, const char *id,
                             const struct incident *told)
{
    enum err err = alerts_adopt(pipeline->alerts, id, told);
    if (err != ERR_OK)
        log_error("an incident keeps its own name id=%s told=%s: %s", id, told->id,
                  err_about(err));
}

void pipeline_settle_one(struct pipeline *pipeline, struct late_incident *held,
                         struct late_incident *told)
{
    char id[ALERT_ID_SIZE];
    memcpy(id, held->incident.id, sizeof id);
    if (told != NULL)
        told->is_matched = true;
    held->is_matched = true;
    enum alert_effect_kind kind = late_merge(held, told);
    held->incident.changed_ms = pipeline->now_ms;
    /* Over before anybody heard of it: still an opening and an end, which say so. */
    if (told == NULL && held->is_new && held->incident.state == INCIDENT_CLOSED) {
        pipeline_emit(pipeline, ALERT_EFFECT_OPENED, &held->incident);
        held->incident.revision++;
    }
    if (held->incident.state != INCIDENT_CLOSED)
        rename_in_engine(pipeline, id, &held->incident);
    pipeline_emit(pipeline, kind, &held->incident);
}

static void match_held(struct pipeline *pipeline, struct late *late, bool by_id)
{
    for (size_t i = late->held.count; i > 0; i--) {
        struct late_incident *held = &late->held.items[i - 1];
        struct late_incident *told =
            !held->is_matched ? late_match(late, &held->incident, by_id) : NULL;
        if (told != NULL)
            pipeline_settle_one(pipeline, held, told);
    }
}

/* Told, and the first engine has none of that name: closed, or part of another one. */
static void end_told(struct pipeline *pipeline, struct incident *incident, bool is_part)
{
    if (incident->state == INCIDENT_CLOSED && !is_part)
        return;
    if (incident->state != INCIDENT_CLOSED)
        incident->closed_ms = pipeline->now_ms;
    incident->state = INCIDENT_CLOSED;
    incident->changed_ms = pipeline->now_ms;
    incident->withdrawn_ms = is_part ? pipeline->now_ms : 0;
    incident->revision++;
    pipeline_emit(pipeline, is_part ? ALERT_EFFECT_WITHDRAWN : ALERT_EFFECT_CLOSED,
                  incident);
}

/* Told ahead of the gap; the first engine has not said anything of it since. */
static void settle_told(struct pipeline *pipeline, const struct late *late,
                        struct late_incident *told)
{
    const struct incident *known = alerts_incident(pipeline->alerts, told->incident.id);
    if (known != NULL) { /* it was open before the gap, and is */
        struct late_incident held = {.incident = *known};
        pipeline_settle_one(pipeline, &held, told);
        return;
    }
    end_told(pipeline, &told->incident,
             told->is_new && late_is_part(&late->held, &told->incident));
}

void pipeline_settle(struct pipeline *pipeline, struct device *device)
{
    struct late *late = device->late;
    if (late == NULL)
        return;
    assert(pipeline->in_order == NULL);
    assert(late->channel_count == 0 || pipeline->ahead_count > 0);
    be_in_order(pipeline, device); /* nothing is held back from here on */
    device->is_dirty = true;
    pipeline->ahead_count -= late->channel_count > 0;
    for (size_t i = 0; i < late->channel_count; i++)
        alerts_drop(pipeline_ahead(pipeline), late->channels[i].zone, device->id,
                    late->channels[i].channel);
    match_held(pipeline, late, true);
    match_held(pipeline, late, false);
    for (size_t i = 0; i < late->held.count; i++)
        if (!late->held.items[i].is_matched)
            pipeline_settle_one(pipeline, &late->held.items[i], NULL);
    for (size_t i = 0; i < late->told.count; i++)
        if (!late->told.items[i].is_matched)
            settle_told(pipeline, late, &late->told.items[i]);
    if (late->held.count + late->told.count > 0)
        corrections_heed(pipeline->corrections, device);
    late_destroy(late);
}

/* ---- commands --------------------------------------------------------------------- */

/* By `actor`; NULL: it is taken back. */
static enum err take_it(struct pipeline *pipeline, struct late_list *list, const char *id,
                        const char *actor)
{
    struct late_incident *entry = late_find(list, id);
    if (entry == NULL)
        return ERR_NOT_FOUND;
    struct incident *incident = &entry->incident;
    if (incident->is_acknowledged == (actor != NULL))
        return ERR_EXISTS;
    incident->is_acknowledged = actor != NULL;
    snprintf(incident->acknowledged_by, sizeof incident->acknowledged_by, "%s",
             actor != NULL ? actor : "");
    incident->acknowledged_ms = actor != NULL ? pipeline->now_ms : 0;
    incident->changed_ms = pipeline->now_ms;
    incident->revision++;
    pipeline_emit(pipeline, actor != NULL ? ALERT_EFFECT_UPDATED : ALERT_EFFECT_REMINDED,
                  incident);
    return ERR_OK;
}

/* Whoever tells of it has it: open in the second engine, or closed by it. */
static enum err take_late(struct pipeline *pipeline, enum err err, const char *id,
                          const char *actor)
{
    for (struct late *late = pipeline->late; late != NULL && err == ERR_NOT_FOUND;
         late = late->behind) {
        err = take_it(pipeline, &late->told, id, actor);
        if (err == ERR_NOT_FOUND && alerts_incident(pipeline->alerts, id) == NULL)
            err = take_it(pipeline, &late->held, id, actor);
        late->device->is_dirty |= err == ERR_OK;
    }
    return err;
}

enum err pipeline_acknowledge_late(struct pipeline *pipeline, const char *id,
                                   const char *actor)
{
    enum err err = ERR_NOT_FOUND;
    if (pipeline->ahead != NULL)
        err = alerts_acknowledge(pipeline->ahead, id, actor, pipeline->now_ms,
                                 &pipeline->ahead_sink);
    return take_late(pipeline, err, id, actor);
}

enum err pipeline_remind_late(struct pipeline *pipeline, const char *id)
{
    enum err err = ERR_NOT_FOUND;
    if (pipeline->ahead != NULL)
        err = alerts_remind(pipeline->ahead, id, pipeline->now_ms, &pipeline->ahead_sink);
    return take_late(pipeline, err, id, NULL);
}
