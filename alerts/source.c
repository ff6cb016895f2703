// SPDX-License-Identifier: Apache-2.0
/*
 * source - what is kept per (zone, device, channel), and its watches.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "base/mem.h"

static_assert(sizeof(struct source) <= 88, "a source is what every channel costs");

/* ---- stations ------------------------------------------------------------------ */

struct station_name {
    const char *zone;
    const char *device;
};

static uint64_t station_hash(const char *zone, const char *device)
{
    return table_hash_text(table_hash_text(0, zone), device);
}

static bool station_is(const void *entry, const void *key)
{
    const struct station *station = entry;
    const struct station_name *name = key;
    return strcmp(station->device, name->device) == 0 &&
           strcmp(station->zone->name, name->zone) == 0;
}

static struct station *station_find(const struct alerts *alerts, const char *zone,
                                    const char *device)
{
    const struct station_name name = {.zone = zone, .device = device};
    if (alerts->asked != NULL && station_is(alerts->asked, &name))
        return alerts->asked;
    return table_find(&alerts->stations, station_hash(zone, device), station_is, &name);
}

void station_enter(struct station *station, struct zone *zone)
{
    station->zone = zone;
    station->before = NULL;
    station->next = zone->stations;
    if (station->next != NULL)
        station->next->before = station;
    zone->stations = station;
}

static size_t station_size(const char *device)
{
    return offsetof(struct station, device) + strlen(device) + 1;
}

static struct station *station_make(struct alerts *alerts, const char *zone,
                                    const char *device)
{
    struct station *station = station_find(alerts, zone, device);
    if (station != NULL)
        return station;
    station = pool_take(&alerts->pool, station_size(device));
    memcpy(station->device, device, strlen(device) + 1);
    station_enter(station, zone_make(&alerts->zones, zone));
    table_add(&alerts->stations, station_hash(zone, device), station);
    return station;
}

static void station_destroy(struct alerts *alerts, struct station *station)
{
    assert(station->last == NULL && station->whole == NULL);
    if (station->next != NULL)
        station->next->before = station->before;
    if (station->before != NULL)
        station->before->next = station->next;
    else
        station->zone->stations = station->next;
    if (alerts->asked == station)
        alerts->asked = NULL;
    table_remove(&alerts->stations, station_hash(station->zone->name, station->device),
                 station);
    pool_give(&alerts->pool, station, station_size(station->device));
}

/* Channels come in the same order again and again: behind the last is the next. */
struct source *source_find(const struct alerts *alerts, const char *zone,
                           const char *device, const char *channel)
{
    struct station *station = station_find(alerts, zone, device);
    if (station == NULL || station->last == NULL)
        return NULL;
    struct source *source = station->last;
    do {
        source = source->next;
        if (strcmp(source_channel(source), channel) == 0)
            return station->last = source;
    } while (source != station->last);
    return NULL;
}

void source_add(struct alerts *alerts, struct source *source)
{
    struct station *station = source->station;
    source->next = station->last != NULL ? station->last->next : source;
    if (station->last != NULL)
        station->last->next = source;
    station->last = source;
    if (source->plan->is_device)
        station->whole = source;
    alerts->source_count++;
}

static void leave_station(struct alerts *alerts, struct source *source)
{
    struct station *station = source->station;
    struct source *before = source;
    while (before->next != source)
        before = before->next;
    before->next = source->next;
    if (station->last == source)
        station->last = before != source ? before : NULL;
    if (station->whole == source)
        station->whole = NULL;
    alerts->source_count--;
}

struct source *source_next(const struct alerts *alerts, struct source_walk *walk)
{
    if (walk->source != NULL && walk->source != walk->source->station->last)
        return walk->source = walk->source->next;
    const struct station *station = table_next(&alerts->stations, &walk->at);
    return walk->source = station != NULL ? station->last->next : NULL;
}

/* ---- sources ------------------------------------------------------------------- */

void pointers_add(struct pointers *list, void *item)
{
    mem_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = item;
}

void source_touch(struct alerts *alerts, struct source *source)
{
    if (source->is_dirty)
        return;
    assert(alerts->dirty == NULL || alerts->dirty_last->is_dirty);
    source->is_dirty = true;
    source->next_dirty = NULL;
    if (alerts->dirty == NULL)
        alerts->dirty = source;
    else
        alerts->dirty_last->next_dirty = source;
    alerts->dirty_last = source;
}

struct source *source_take_dirty(struct alerts *alerts)
{
    struct source *source = alerts->dirty;
    if (source == NULL)
        return NULL;
    assert(source->is_dirty);
    source->is_dirty = false;
    alerts->dirty = source->next_dirty;
    return source;
}

void source_sort_out(struct alerts *alerts,
                     bool (*is_out)(const struct source *source, const void *context),
                     const void *context)
{
    struct source *kept = NULL;
    for (struct source **at = &alerts->dirty; *at != NULL;) {
        struct source *source = *at;
        if (is_out(source, context)) {
            *at = source->next_dirty;
            source->is_dirty = false;
            continue;
        }
        kept = source;
        at = &source->next_dirty;
    }
    alerts->dirty_last = kept;
}

static bool is_the_same(const struct source *source, const void *context)
{
    return source == context;
}

static bool name_is(const void *entry, const void *key)
{
    return strcmp(((const struct name *)entry)->text, key) == 0;
}

static struct name *name_ref(struct alerts *alerts, const char *text)
{
    uint64_t hash = table_hash_text(0, text);
    struct name *name = table_find(&alerts->names, hash, name_is, text);
    if (name == NULL) {
        size_t size = strlen(text) + 1;
        name = mem_alloc(sizeof *name + size);
        memcpy(name->text, text, size);
        table_add(&alerts->names, hash, name);
    }
    name->refs++;
    return name;
}

static void name_unref(struct alerts *alerts, struct name *name)
{
    assert(name == NULL || name->refs > 0);
    if (name == NULL || --name->refs > 0)
        return;
    table_remove(&alerts->names, table_hash_text(0, name->text), name);
    free(name);
}

struct source *source_create(struct alerts *alerts, const char *zone, const char *device,
                             const char *channel, const char *quantity)
{
    assert(strlen(device) < ID_SIZE && strlen(channel) < ID_SIZE);
    struct station *station = station_make(alerts, zone, device);
    struct source *source = pool_take(&alerts->pool, sizeof *source);
    source->station = station;
    source->channel = channel[0] != '\0' ? name_ref(alerts, channel) : NULL;
    source->plan = plan_get(station->zone, quantity, channel[0] == '\0');
    source->is_derived = alert_channel_is_derived(channel) || device[0] == '\0';
    source->last_ms = TIME_NONE;
    source->wake_ms = TIME_NEVER;
    return source;
}

struct source *source_make(struct alerts *alerts, const char *zone, const char *device,
                           const char *channel, const char *quantity, int64_t heard_ms)
{
    struct source *source = source_create(alerts, zone, device, channel, quantity);
    source->heard_ms = heard_ms;
    source_add(alerts, source);
    source_touch(alerts, source);
    return source;
}

static bool zone_watches(const struct zone *zone, const char *quantity)
{
    for (size_t i = 0; i < zone->count; i++) {
        const struct rule *rule = zone->rules[i];
        if (rule->quantity[0] == '\0' || strcmp(rule->quantity, quantity) == 0)
            return true;
    }
    return zone->derives != 0 && derive_from(quantity);
}

static void revive(struct alerts *alerts, struct source *source, int64_t arrival_ms)
{
    source->is_forgotten = false;
    source->heard_ms = arrival_ms;
    source_link_device(alerts, source);
    silence_schedule(alerts, source);
    source_touch(alerts, source);
}

static void revive_any(struct alerts *alerts, struct source *source, int64_t now_ms)
{
    if (!source->plan->is_device) {
        revive(alerts, source, now_ms);
        return;
    }
    source->is_forgotten = false;
    source->heard_ms = now_ms;
    silence_schedule(alerts, source);
    source_touch(alerts, source);
}

void source_expect(struct alerts *alerts, const char *zone, const char *device,
                   const char *channel, const char *quantity, int64_t now_ms)
{
    bool is_device = channel[0] == '\0';
    const struct zone *watched = zone_find(&alerts->zones, zone);
    if (watched == NULL ||
        !(is_device ? watched->has_devices : zone_watches(watched, quantity)))
        return;
    struct source *source = source_find(alerts, zone, device, channel);
    if (source != NULL) {
        if (source->is_forgotten)
            revive_any(alerts, source, now_ms);
        return;
    }
    source = source_make(alerts, zone, device, channel, quantity, now_ms);
    if (!is_device)
        source_link_device(alerts, source);
    silence_schedule(alerts, source);
}

void source_hear_of(struct alerts *alerts, struct source *source, int64_t arrival_ms)
{
    if (source->is_forgotten)
        revive(alerts, source, arrival_ms);
}

struct source *source_of(struct alerts *alerts, const struct alert_reading *reading)
{
    assert(reading->channel[0] != '\0');
    struct source *source =
        source_find(alerts, reading->zone, reading->device, reading->channel);
    if (source != NULL) {
        alerts->asked = source->station;
        if (!reading->is_elsewhere)
            source_hear_of(alerts, source, reading->arrival_ms);
        return source;
    }
    const struct zone *zone = zone_find(&alerts->zones, reading->zone);
    if (zone == NULL || !zone_watches(zone, reading->quantity))
        return NULL;
    source = source_make(alerts, reading->zone, reading->device, reading->channel,
                         reading->quantity, reading->arrival_ms);
    source->is_forgotten = reading->is_elsewhere;
    source_link_device(alerts, source);
    silence_schedule(alerts, source);
    return source;
}

void source_link_device(struct alerts *alerts, struct source *source)
{
    assert(!source->plan->is_device && !source->is_counted);
    const struct station *station = source->station;
    if (source->is_forgotten || source->is_derived || !station->zone->has_devices)
        return;
    if (station->whole == NULL)
        source_make(alerts, station->zone->name, station->device, "", "",
                    source->heard_ms);
    struct source *device = station->whole;
    device->channels++;
    if (device->is_forgotten) {
        device->is_forgotten = false;
        device->heard_ms = source->heard_ms;
        source_touch(alerts, device);
    }
    source->is_counted = true;
    silence_schedule(alerts, device);
}

void source_unlink_device(struct source *source)
{
    struct source *device = source_device(source);
    if (device == NULL)
        return;
    assert(device->channels > 0);
    device->channels--;
    source->is_counted = false;
}

void source_uncount(struct source *source)
{
    source->channels = 0;
    source->is_counted = false;
}

void source_key(const struct source *source, struct buf *key)
{
    buf_clear(key);
    buf_format(key, "%s/%s/%s", source->station->zone->name, source->station->device,
               source_channel(source));
}

void source_destroy(struct alerts *alerts, struct source *source)
{
    while (source->watches != NULL)
        watch_remove(alerts, source->watches);
    gauges_destroy(alerts, source);
    name_unref(alerts, source->channel);
    if (source->station->last == NULL)
        station_destroy(alerts, source->station);
    pool_give(&alerts->pool, source, sizeof *source);
}

void sources_fini(struct alerts *alerts)
{
    struct pointers all = {0};
    struct source_walk walk = {0};
    for (struct source *source = source_next(alerts, &walk); source != NULL;
         source = source_next(alerts, &walk))
        pointers_add(&all, source);
    for (size_t i = 0; i < all.count; i++) {
        leave_station(alerts, all.items[i]);
        source_destroy(alerts, all.items[i]);
    }
    free(all.items);
    assert(alerts->source_count == 0 && alerts->stations.count == 0);
    table_free(&alerts->stations);
}

void source_remove_unqueued(struct alerts *alerts, struct source *source)
{
    assert(source->channels == 0);
    alerts->removed++;
    source_unlink_device(source);
    leave_station(alerts, source);
    struct buf key = {0};
    source_key(source, &key);
    pointers_add(&alerts->gone, buf_take(&key));
    source_destroy(alerts, source);
}

void source_remove(struct alerts *alerts, struct source *source)
{
    silence_unschedule(alerts, source);
    source_sort_out(alerts, is_the_same, source);
    source_remove_unqueued(alerts, source);
}

void source_drop_idle(struct alerts *alerts, struct source *source)
{
    const struct plan *plan = source->plan;
    bool is_watched = (plan->count > 0 || plan->derives != 0 || plan->pause_ms > 0) &&
                      !source->is_forgotten;
    if (!is_watched && source->watches == NULL && source->channels == 0)
        source_remove(alerts, source);
}

void source_forget(struct alerts *alerts, struct source *source, int64_t now_ms,
                   const struct alert_sink *sink)
{
    for (struct watch *watch = source->watches; watch != NULL;) {
        struct watch *next = watch->next;
        hold_stop(alerts, watch, SUPPRESSION_NOT_MEASURED, now_ms, now_ms, sink);
        if (watch->firing == NULL)
            watch_remove(alerts, watch);
        watch = next;
    }
    source->is_forgotten = true;
    source_touch(alerts, source);
    source_drop_idle(alerts, source);
}

int source_compare(const struct source *a, const struct source *b)
{
    int order = strcmp(a->station->zone->name, b->station->zone->name);
    if (order == 0)
        order = strcmp(a->station->device, b->station->device);
    return order != 0 ? order : strcmp(source_channel(a), source_channel(b));
}

struct watch *watch_find(const struct source *source, const struct rule *rule)
{
    struct watch *watch = source->watches;
    while (watch != NULL && watch->rule != rule)
        watch = watch->next;
    return watch;
}

struct watch *watch_make(struct alerts *alerts, struct source *source, struct rule *rule)
{
    struct watch *watch = alerts->spare;
    if (watch != NULL)
        alerts->spare = watch->next;
    else
        watch = mem_alloc(sizeof *watch);
    *watch = (struct watch){.source = source, .rule = rule, .blind_ms = TIME_NONE};
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        watch->since[i] = TIME_NONE;
    struct watch **at = &source->watches;
    while (*at != NULL)
        at = &(*at)->next;
    *at = watch;
    return watch;
}

void watch_remove(struct alerts *alerts, struct watch *watch)
{
    struct watch **at = &watch->source->watches;
    while (*at != watch) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = watch->next;
    if (watch->firing != NULL) {
        firing_unindex(alerts, watch);
        firing_destroy(watch->firing);
    }
    free(watch->hold);
    watch->hold = NULL;
    watch->next = alerts->spare;
    alerts->spare = watch;
}
