// SPDX-License-Identifier: Apache-2.0
/*
 * raise - incidents that no rule watches for: the data's own troubles.
 *
 * One incident for each device and cause, opened and told once. What comes while it is
 * open only counts; silence does not end it, and nothing else does either: a person
 * closes it, who has seen to the cause. (A channel that fails is the exception: paths.c.)
 * state.db is the only memory, so a replay raises nothing twice.
 */
#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/telling.h"
#include "collector/store/state_escalation.h"

/* Who it is about; the same bytes for the same one. */
static void format_subject(char snapshot[ALERT_SNAPSHOT_MAX], enum alert_kind kind,
                           const struct device *device)
{
    snprintf(snapshot, ALERT_SNAPSHOT_MAX, "{\"kind\":\"%s\",\"org\":\"%s\"}",
             alert_kind_name(kind), device != NULL ? device->org : "");
}

/* Where the device measures now: as a whole, or else any of its channels. */
static const char *zone_of(const struct pipeline *pipeline, const struct device *device)
{
    const struct registry *registry = pipeline->registry;
    const struct registry_placement *whole =
        registry_place(registry, device->org, device->id, "", pipeline->now_ms);
    if (whole != NULL)
        return whole->zone;
    for (size_t i = 0; i < registry->placement_count; i++) {
        const struct registry_placement *one = &registry->placements[i];
        if (strcmp(one->org, device->org) == 0 && strcmp(one->device, device->id) == 0 &&
            one->from_ms <= pipeline->now_ms &&
            (one->to_ms == 0 || one->to_ms > pipeline->now_ms))
            return one->zone;
    }
    return "";
}

/* Likewise of one channel. */
static void format_path(char snapshot[ALERT_SNAPSHOT_MAX], const char *channel)
{
    json_t *subject =
        json_pack("{s:s, s:s, s:s}", "kind", alert_kind_name(ALERT_ALARM_PATH), "org", "",
                  "channel", channel);
    char *text = json_dumps(subject, JSON_COMPACT);
    snprintf(snapshot, ALERT_SNAPSHOT_MAX, "%s", text);
    free(text);
    json_decref(subject);
}

static void make_id(char id[ALERT_ID_SIZE], const struct incident *incident, uint64_t at)
{
    struct buf text = {0};
    uint8_t digest[CRYPTO_DIGEST_BYTES];
    buf_format(&text, "%s/%s/%llu", incident->snapshot, incident->device,
               (unsigned long long)at);
    crypto_digest(digest, text.data, text.len);
    crypto_hex(id, digest, (ALERT_ID_SIZE - 1) / 2);
    buf_fini(&text);
}

static struct incident new_one(const struct pipeline *pipeline, enum alert_kind kind,
                               uint64_t count)
{
    int64_t now_ms = pipeline->now_ms;
    struct incident incident = {
        .kind = kind,
        .severity = alert_kind_severity(kind),
        .state = INCIDENT_OPEN,
        .onset_ms = now_ms,
        .opened_ms = now_ms,
        .learned_ms = now_ms,
        .changed_ms = now_ms,
        .limit = (double)NAN,
        .value = (double)count,
        .worst = (double)count,
        .revision = 1,
    };
    snprintf(incident.rule, sizeof incident.rule, "%s", alert_kind_name(kind));
    return incident;
}

static void open_one(struct pipeline *pipeline, enum alert_kind kind,
                     const struct device *device, uint64_t count)
{
    assert(pipeline->has_transaction);
    struct incident incident = new_one(pipeline, kind, count);
    format_subject(incident.snapshot, kind, device);
    if (device != NULL) {
        snprintf(incident.zone, sizeof incident.zone, "%s", zone_of(pipeline, device));
        snprintf(incident.device, sizeof incident.device, "%s", device->id);
    }
    make_id(incident.id, &incident, pipeline->at);
    pipeline_emit(pipeline, ALERT_EFFECT_OPENED, &incident);
}

void pipeline_raise(struct pipeline *pipeline, enum alert_kind kind,
                    const struct device *device, uint64_t count)
{
    assert(alert_kind_is_trouble(kind));
    if (!pipeline_begin_effects(pipeline))
        return;
    char subject[ALERT_SNAPSHOT_MAX];
    format_subject(subject, kind, device);
    bool is_open = false;
    pipeline_note(pipeline, state_count_trouble(pipeline->options.state, kind,
                                                device != NULL ? device->id : "", subject,
                                                count, &is_open));
    if (!is_open && pipeline->batch_err == ERR_OK)
        open_one(pipeline, kind, device, count);
}

void pipeline_raise_path(struct pipeline *pipeline, const char *channel,
                         char id[ALERT_ID_SIZE])
{
    struct incident incident = new_one(pipeline, ALERT_ALARM_PATH, 1);
    format_path(incident.snapshot, channel);
    snprintf(incident.channel, sizeof incident.channel, "%.*s", ID_MAX, channel);
    make_id(incident.id, &incident, pipeline->at);
    snprintf(id, ALERT_ID_SIZE, "%s", incident.id);
    pipeline_emit(pipeline, ALERT_EFFECT_OPENED, &incident);
}

/* Should they go on taking turns, that is another incident. */
static void look_for_twins_again(struct pipeline *pipeline,
                                 const struct incident *incident)
{
    char key[DEVICE_KEY_SIZE];
    json_t *subject = json_loads(incident->snapshot, 0, NULL);
    const char *org = json_string_value(json_object_get(subject, "org"));
    struct device *device =
        org != NULL ? map_get(&pipeline->devices, device_key(key, org, incident->device))
                    : NULL;
    json_decref(subject);
    if (device == NULL)
        return;
    device->delivery.is_twin = false;
    device->is_dirty = true;
}

/* Should it fail again, that is another incident. */
static void watch_path_again(struct pipeline *pipeline, const struct incident *incident)
{
    struct state *state = pipeline->options.state;
    struct state_health health = {.failures = 0};
    json_t *subject = json_loads(incident->snapshot, 0, NULL);
    const char *channel = json_string_value(json_object_get(subject, "channel"));
    if (channel != NULL)
        pipeline_note(pipeline, state_get_health(state, channel, &health));
    if (strcmp(health.incident, incident->id) == 0)
        pipeline_note(pipeline,
                      state_put_health(state, channel, &(struct state_health){0}));
    json_decref(subject);
}

enum err pipeline_close_raised(struct pipeline *pipeline, struct incident *incident)
{
    assert(alert_kind_is_trouble(incident->kind) || alert_kind_is_date(incident->kind));
    if (incident->kind == ALERT_TWINS)
        look_for_twins_again(pipeline, incident);
    if (incident->kind == ALERT_ALARM_PATH)
        watch_path_again(pipeline, incident);
    if (incident->state == INCIDENT_CLOSED)
        return ERR_EXISTS;
    incident->state = INCIDENT_CLOSED;
    incident->closed_ms = pipeline->now_ms;
    incident->changed_ms = pipeline->now_ms;
    incident->revision++;
    pipeline_emit(pipeline, ALERT_EFFECT_CLOSED, incident);
    return ERR_OK;
}
