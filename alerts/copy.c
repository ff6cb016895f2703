// SPDX-License-Identifier: Apache-2.0
/*
 * copy - a channel in two engines: one in order, one ahead of a gap.
 */
#include <assert.h>
#include <string.h>

#include "alerts/handover.h"
#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/measure.h"
#include "alerts/room.h"
#include "base/mem.h"

static void copy_one(struct alerts *to, const struct alerts *from, const char *zone,
                     const char *device, const char *channel)
{
    const struct source *source = source_find(from, zone, device, channel);
    if (source == NULL)
        return;
    struct buf key = {0};
    struct buf data = {0};
    source_key(source, &key);
    source_save(&data, source);
    enum err err = alerts_load(to, key.data, data.data, data.len);
    assert(err == ERR_OK);
    (void)err;
    struct source *copy = source_find(to, zone, device, channel);
    if (copy != NULL)
        source_touch(to, copy);
    buf_fini(&key);
    buf_fini(&data);
}

/* The name of what the engine derives from that channel; false: nothing. */
static bool derived_of(char name[ID_SIZE], const struct source *source, size_t which)
{
    return source != NULL && derive_from(source->plan->quantity) &&
           derive_channel(name, which, source_channel(source));
}

void alerts_copy(struct alerts *to, const struct alerts *from, const char *zone,
                 const char *device, const char *channel)
{
    assert(to != from);
    room_merge(to, from, zone);
    copy_one(to, from, zone, device, channel);
    const struct source *source = source_find(from, zone, device, channel);
    char derived[ID_SIZE];
    for (size_t i = 0; i < DERIVED_COUNT; i++)
        if (derived_of(derived, source, i))
            copy_one(to, from, zone, device, derived);
}

static void keep_dismissed(struct alerts *to, struct source *source, struct rule *rule,
                           const struct watch *was)
{
    if (was == NULL || !watch_is_dismissed(was) || watch_find(source, rule) != NULL)
        return;
    struct watch *watch = watch_make(to, source, rule);
    watch->fired = was->fired;
    watch->value = was->value;
    watch->worst = was->worst;
    watch->dismissed_ms = was->dismissed_ms;
}

static void keep_sum(struct alerts *to, struct source *source, size_t index,
                     const struct source *was)
{
    struct rule *rule = source->plan->rules[index];
    const struct plan *plan = was->plan;
    if (!alert_kind_is_sum((enum alert_kind)rule->kind) || rule->window_ms != 0)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        const void *sum = gauge_find(was, i);
        if (sum == NULL || plan->rules[i]->print != rule->print)
            continue;
        bool is_new;
        total_raise(gauge_of_rule(to, source, measure_kind(rule), index, &is_new), sum);
        keep_dismissed(to, source, rule, watch_find(was, plan->rules[i]));
    }
}

static void keep_sums_of(struct alerts *to, const struct alerts *from, const char *zone,
                         const char *device, const char *channel)
{
    struct source *source = source_find(to, zone, device, channel);
    const struct source *was = source_find(from, zone, device, channel);
    for (size_t i = 0; source != NULL && was != NULL && i < source->plan->count; i++)
        keep_sum(to, source, i, was);
}

void alerts_keep_sums(struct alerts *to, const struct alerts *from, const char *zone,
                      const char *device, const char *channel)
{
    const struct source *source = source_find(from, zone, device, channel);
    char derived[ID_SIZE];
    keep_sums_of(to, from, zone, device, channel);
    for (size_t i = 0; i < DERIVED_COUNT; i++)
        if (derived_of(derived, source, i))
            keep_sums_of(to, from, zone, device, derived);
}

void alerts_copy_declared(struct alerts *to, const struct alerts *from, const char *zone)
{
    assert(to != from);
    room_merge_declared(to, from, zone);
}

void alerts_drop(struct alerts *alerts, const char *zone, const char *device,
                 const char *channel)
{
    assert(channel[0] != '\0');
    struct source *source = source_find(alerts, zone, device, channel);
    char derived[ID_SIZE];
    for (size_t i = 0; i < DERIVED_COUNT; i++) {
        struct source *other = derived_of(derived, source, i)
                                   ? source_find(alerts, zone, device, derived)
                                   : NULL;
        if (other != NULL)
            source_remove(alerts, other);
    }
    if (source != NULL)
        source_remove(alerts, source);
}

enum err alerts_adopt(struct alerts *alerts, const char *id, const struct incident *told)
{
    uint8_t old_id[ID_BYTES];
    uint8_t new_id[ID_BYTES];
    if (!incident_id_parse(old_id, id) || !incident_id_parse(new_id, told->id))
        return ERR_NOT_FOUND;
    struct watch *watch = firing_find(alerts, old_id);
    if (watch == NULL)
        return ERR_NOT_FOUND;
    const struct watch *other = firing_find(alerts, new_id);
    if (other != NULL && other != watch)
        return ERR_EXISTS;
    struct firing *firing = watch->firing;
    firing_unindex(alerts, watch);
    memcpy(firing->id, new_id, ID_BYTES);
    firing_index(alerts, watch);
    firing->revision = told->revision;
    firing->learned_ms = told->learned_ms;
    if (told->severity > (enum alert_severity)firing->severity)
        firing->severity = (uint8_t)told->severity;
    if (told->is_acknowledged && firing->acknowledged_by == NULL) {
        firing->acknowledged_by = mem_strdup(told->acknowledged_by);
        firing->acknowledged_ms = told->acknowledged_ms;
    }
    source_touch(alerts, watch->source);
    return ERR_OK;
}
