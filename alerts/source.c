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

static_assert(offsetof(struct source, device_name) <= 73,
              "a source is what every channel costs");

struct source_name {
    const char *zone;
    const char *device;
    const char *channel;
};

static uint64_t name_hash(const struct source_name *name)
{
    uint64_t hash = table_hash_text(0, name->zone);
    hash = table_hash_text(hash, name->device);
    return table_hash_text(hash, name->channel);
}

static struct source_name name_of(const struct source *source)
{
    return (struct source_name){.zone = source->plan->zone,
                                .device = source->device_name,
                                .channel = source_channel(source)};
}

static uint64_t source_hash(const struct source *source)
{
    struct source_name name = name_of(source);
    return name_hash(&name);
}

static bool source_is(const void *entry, const void *key)
{
    const struct source *source = entry;
    const struct source_name *name = key;
    return strcmp(source->device_name, name->device) == 0 &&
           strcmp(source_channel(source), name->channel) == 0 &&
           strcmp(source->plan->zone, name->zone) == 0;
}

struct source *source_find(const struct alerts *alerts, const char *zone,
                           const char *device, const char *channel)
{
    struct source_name name = {.zone = zone, .device = device, .channel = channel};
    return table_find(&alerts->sources, name_hash(&name), source_is, &name);
}

void pointers_add(struct pointers *list, void *item)
{
    mem_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = item;
}

void source_touch(struct alerts *alerts, struct source *source)
{
    if (source->is_dirty)
        return;
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
    if (name == NULL || --name->refs > 0)
        return;
    table_remove(&alerts->names, table_hash_text(0, name->text), name);
    free(name);
}

static size_t source_size(const char *device)
{
    size_t size = offsetof(struct source, device_name) + strlen(device) + 1;
    return size > sizeof(struct source) ? size : sizeof(struct source);
}

struct source *source_create(struct alerts *alerts, const char *zone, const char *device,
                             const char *channel, const char *quantity)
{
    assert(strlen(device) < ID_SIZE && strlen(channel) < ID_SIZE);
    struct source *source = pool_take(&alerts->pool, source_size(device));
    memcpy(source->device_name, device, strlen(device) + 1);
    source->channel = channel[0] != '\0' ? name_ref(alerts, channel) : NULL;
    source->plan =
        plan_get(zone_make(&alerts->zones, zone), quantity, channel[0] == '\0');
    source->is_derived = alert_channel_is_derived(channel) || device[0] == '\0';
    source->last_ms = TIME_NONE;
    source->wake_ms = TIME_NEVER;
    return source;
}

void source_add(struct alerts *alerts, struct source *source)
{
    table_add(&alerts->sources, source_hash(source), source);
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
    assert(!source->plan->is_device && source->device == NULL);
    const char *zone = source->plan->zone;
    if (source->is_forgotten || source->is_derived ||
        !zone_find(&alerts->zones, zone)->has_devices)
        return;
    struct source *device = source_find(alerts, zone, source->device_name, "");
    if (device == NULL)
        device = source_make(alerts, zone, source->device_name, "", "", source->heard_ms);
    device->channels++;
    if (device->is_forgotten) {
        device->is_forgotten = false;
        device->heard_ms = source->heard_ms;
        source_touch(alerts, device);
    }
    source->device = device;
    silence_schedule(alerts, device);
}

void source_unlink_device(struct source *source)
{
    struct source *device = source_device(source);
    if (device == NULL)
        return;
    assert(source_channels(device) > 0);
    device->channels--;
    source->device = NULL;
}

void source_uncount(struct source *source)
{
    if (source->plan->is_device)
        source->channels = 0;
    else
        source->device = NULL;
}

void source_key(const struct source *source, struct buf *key)
{
    buf_clear(key);
    buf_format(key, "%s/%s/%s", source->plan->zone, source->device_name,
               source_channel(source));
}

void source_destroy(struct alerts *alerts, struct source *source)
{
    while (source->watches != NULL)
        watch_remove(alerts, source->watches);
    gauges_destroy(alerts, source);
    name_unref(alerts, source->channel);
    pool_give(&alerts->pool, source, source_size(source->device_name));
}

void source_remove_unqueued(struct alerts *alerts, struct source *source)
{
    assert(source_channels(source) == 0);
    alerts->removed++;
    source_unlink_device(source);
    table_remove(&alerts->sources, source_hash(source), source);
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
    if (!is_watched && source->watches == NULL && source_channels(source) == 0)
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
    int order = strcmp(a->plan->zone, b->plan->zone);
    if (order == 0)
        order = strcmp(a->device_name, b->device_name);
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
