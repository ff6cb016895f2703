// SPDX-License-Identifier: Apache-2.0
/*
 * news - what a batch changed, for those who follow live: told once it is committed, and
 * never while records are only being read again.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "collector/pipeline/internal.h"
#include "collector/pipeline/view.h"

/* Nothing became of it: so it is. */
#define EVENT_PRESENT "present"

/* The value of what is in a set. */
static char present;

static bool wants_news(const struct pipeline *pipeline)
{
    return pipeline->options.on_news != NULL && pipeline->at > pipeline->effect_cursor;
}

static void add(struct map *set, const char *key)
{
    *map_at(set, key) = &present;
}

void pipeline_news_readings(struct pipeline *pipeline, struct device *device)
{
    struct pipeline_news *news = &pipeline->news;
    if (device->is_news || !wants_news(pipeline))
        return;
    device->is_news = true;
    mem_grow(&news->devices, &news->device_capacity, news->device_count + 1,
             sizeof(struct device *));
    news->devices[news->device_count++] = device;
}

void pipeline_news_status(struct pipeline *pipeline, const char *org, const char *id)
{
    char key[DEVICE_KEY_SIZE];
    if (!wants_news(pipeline))
        return;
    add(&pipeline->news.statuses, device_key(key, org, id));
    pipeline->news.is_urgent = true;
}

void pipeline_news_zone(struct pipeline *pipeline, const char *zone)
{
    if (wants_news(pipeline))
        add(&pipeline->news.zones, zone);
}

/* What an effect is called; who has taken an incident is told apart. */
static const char *event_of(enum alert_effect_kind kind, const struct incident *incident)
{
    bool is_taken = kind == ALERT_EFFECT_UPDATED && incident->is_acknowledged &&
                    incident->acknowledged_ms == incident->changed_ms;
    return is_taken ? "acknowledged" : alert_effect_name(kind);
}

static struct news news_of(const char *id, const char *event, bool is_over)
{
    return (struct news){
        .kind = NEWS_INCIDENT, .id = id, .event = event, .is_over = is_over};
}

static void add_incident(struct pipeline_news *news, const char *id, const char *event,
                         bool is_over)
{
    mem_grow(&news->incidents, &news->incident_capacity, news->incident_count + 1,
             sizeof *news->incidents);
    struct pipeline_incident_news *added = &news->incidents[news->incident_count++];
    *added = (struct pipeline_incident_news){.event = event, .is_over = is_over};
    memcpy(added->id, id, sizeof added->id);
}

void pipeline_news_incident(struct pipeline *pipeline, enum alert_effect_kind kind,
                            const struct incident *incident)
{
    struct pipeline_news *news = &pipeline->news;
    if (!wants_news(pipeline))
        return;
    add_incident(news, incident->id, event_of(kind, incident),
                 incident->state == INCIDENT_CLOSED || incident->withdrawn_ms != 0);
    news->is_urgent = true;
}

void pipeline_news_value(struct pipeline *pipeline, const char *incident)
{
    if (wants_news(pipeline))
        add_incident(&pipeline->news, incident, EVENT_PRESENT, false);
}

bool pipeline_has_news(const struct pipeline *pipeline)
{
    const struct pipeline_news *news = &pipeline->news;
    return news->device_count + news->incident_count + news->statuses.count +
               news->zones.count >
           0;
}

void pipeline_drop_news(struct pipeline *pipeline)
{
    struct pipeline_news *news = &pipeline->news;
    for (size_t i = 0; i < news->device_count; i++)
        news->devices[i]->is_news = false;
    news->device_count = 0;
    news->incident_count = 0;
    map_fini(&news->statuses);
    map_fini(&news->zones);
    news->statuses = (struct map){0};
    news->zones = (struct map){0};
    news->is_urgent = false;
}

void pipeline_news_fini(struct pipeline_news *news)
{
    free(news->devices);
    free(news->incidents);
    map_fini(&news->statuses);
    map_fini(&news->zones);
}

/* ---- telling ----------------------------------------------------------------------- */

struct teller {
    void *context;
    news_fn *tell;
};

/* Takes the entry. */
static void tell_json(const struct teller *teller, enum news_kind kind, const char *id,
                      json_t *entry)
{
    char *text = json_dumps(entry, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert(text != NULL);
    const struct news news = {.kind = kind, .id = id, .event = "", .json = text};
    teller->tell(teller->context, &news);
    free(text);
    json_decref(entry);
}

/* Of the zones in the set, or of all of them when it is NULL. */
static void tell_zones(const struct pipeline *pipeline, const struct teller *teller,
                       const struct map *only)
{
    json_t *list = pipeline_zone_list(pipeline, PIPELINE_NO_AGE, only);
    size_t i;
    json_t *zone;
    json_array_foreach(list, i, zone)
    {
        tell_json(teller, NEWS_ZONE, json_string_value(json_object_get(zone, "id")),
                  json_incref(zone));
    }
    json_decref(list);
}

static void tell_status(const struct pipeline *pipeline, const struct teller *teller,
                        const char *key)
{
    tell_json(teller, NEWS_DEVICE, key, pipeline_status_json(pipeline, key));
}

/* Zones that the devices with new readings measure, besides those that are in already. */
static void add_measured(struct pipeline *pipeline)
{
    struct pipeline_news *news = &pipeline->news;
    for (size_t i = 0; i < news->device_count; i++) {
        const struct device *device = news->devices[i];
        for (size_t k = 0; k < device->channel_count; k++) {
            const char *zone = pipeline_zone_of(pipeline, device, &device->channels[k]);
            if (zone[0] != '\0')
                add(&news->zones, zone);
        }
    }
}

void pipeline_tell_news(struct pipeline *pipeline, void *context, news_fn *tell)
{
    struct pipeline_news *news = &pipeline->news;
    const struct teller teller = {context, tell};
    add_measured(pipeline);
    if (news->zones.count > 0)
        tell_zones(pipeline, &teller, &news->zones);
    for (size_t i = 0; i < news->statuses.count; i++)
        tell_status(pipeline, &teller, news->statuses.entries[i].key);
    for (size_t i = 0; i < news->incident_count; i++) {
        const struct pipeline_incident_news *from = &news->incidents[i];
        const struct news told = news_of(from->id, from->event, from->is_over);
        tell(context, &told);
    }
    pipeline_drop_news(pipeline);
}

/* ---- everything, for a follower who knows nothing ------------------------------------
 */

struct incident_walk {
    struct teller teller;
    size_t count;
    int64_t opened_ms;
    char id[ALERT_ID_SIZE];
};

static void on_incident(void *context, const struct incident *incident)
{
    struct incident_walk *walk = context;
    const struct news news = news_of(incident->id, EVENT_PRESENT, false);
    walk->teller.tell(walk->teller.context, &news);
    walk->count++;
    walk->opened_ms = incident->opened_ms;
    memcpy(walk->id, incident->id, sizeof walk->id);
}

static enum err tell_incidents(const struct pipeline *pipeline,
                               const struct teller *teller)
{
    struct incident_walk walk = {.teller = *teller};
    struct state_incident_query query = {.states = 1u << INCIDENT_OPEN |
                                                   1u << INCIDENT_RECOVERING |
                                                   1u << INCIDENT_UNKNOWN,
                                         .limit = STATE_PAGE_MAX};
    enum err err = ERR_OK;
    do {
        walk.count = 0;
        err = state_page_incidents(pipeline->options.state, &query, &walk, on_incident);
        query.cursor_ms = walk.opened_ms;
        query.cursor = walk.id;
    } while (err == ERR_OK && walk.count == STATE_PAGE_MAX);
    return err;
}

enum err pipeline_tell_all(struct pipeline *pipeline, void *context, news_fn *tell)
{
    const struct teller teller = {context, tell};
    const struct registry *registry = pipeline->registry;
    char key[DEVICE_KEY_SIZE];
    tell_zones(pipeline, &teller, NULL);
    for (size_t i = 0; i < pipeline->devices.count; i++)
        tell_status(pipeline, &teller, pipeline->devices.entries[i].key);
    for (size_t i = 0; i < registry->device_count; i++) {
        device_key(key, registry->devices[i].org, registry->devices[i].id);
        if (map_get(&pipeline->devices, key) == NULL)
            tell_status(pipeline, &teller, key);
    }
    pipeline_drop_news(pipeline);
    return tell_incidents(pipeline, &teller);
}
