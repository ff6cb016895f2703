// SPDX-License-Identifier: Apache-2.0
/*
 * relink - what becomes of sources and incidents when the rules are replaced.
 */
#include <assert.h>
#include <stdlib.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/room.h"
#include "base/mem.h"

/*
 * The rule in force that has the watch's id and kind takes it over: with its timers when
 * it is the same rule, with its incident only when it was changed or had gone. False
 * when nothing of the watch is left.
 */
static bool take_over(struct alerts *alerts, struct watch *watch, int64_t now_ms,
                      const struct alert_sink *sink, bool *is_changed)
{
    assert(watch->rule != NULL || watch->firing != NULL);
    const struct rule *old = watch->rule != NULL ? watch->rule : watch->firing->rule;
    struct rule *rule = plan_find_rule(watch->source->plan, old->id, old->kind);
    if (rule != NULL && watch->rule != NULL && rule->print == old->print) {
        watch->rule = rule;
        return true;
    }
    hold_stop(alerts, watch, SUPPRESSION_RULE_CHANGED, now_ms, now_ms, sink);
    bool was_orphan = watch->rule == NULL;
    watch->rule = rule;
    if (rule == NULL && was_orphan)
        return true;
    *is_changed = true;
    if (watch->firing == NULL)
        return rule != NULL && rule_is_silence(rule) && watch->fired != 0;
    if (rule == NULL)
        watch->firing->changed_ms = now_ms;
    else if (!rule_is_silence(rule))
        threshold_restart(watch);
    return true;
}

bool source_relink(struct alerts *alerts, struct source *source, struct plan *plan,
                   int64_t now_ms, const struct alert_sink *sink)
{
    const struct plan *from = source->plan;
    source->plan = plan;
    bool is_changed = gauges_relink(alerts, source, from);
    for (struct watch *watch = source->watches; watch != NULL;) {
        struct watch *next = watch->next;
        if (!take_over(alerts, watch, now_ms, sink, &is_changed))
            watch_remove(alerts, watch);
        watch = next;
    }
    return is_changed;
}

/*
 * The one heard last comes first: a device that is made for its channels was heard when
 * the last of them was, whatever the order in which the table holds them.
 */
static int compare_heard(const void *a, const void *b)
{
    const struct source *const *left = a;
    const struct source *const *right = b;
    if ((*left)->heard_ms != (*right)->heard_ms)
        return (*left)->heard_ms > (*right)->heard_ms ? -1 : 1;
    return source_compare(*left, *right);
}

static void collect(const struct alerts *alerts, struct pointers *all)
{
    struct source_walk walk = {0};
    for (struct source *source = source_next(alerts, &walk); source != NULL;
         source = source_next(alerts, &walk))
        pointers_add(all, source);
}

static bool is_idle(const struct source *source, const void *context)
{
    (void)context;
    return source->plan->count == 0 && source->watches == NULL &&
           source->plan->derives == 0 && source->plan->pause_ms == 0;
}

/* They leave the queues together: source_remove() would pass over those for each. */
static void remove_idle(struct alerts *alerts, const struct pointers *all)
{
    source_sort_out(alerts, is_idle, NULL);
    alerts->wake_count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (is_idle(all->items[i], NULL))
            source_remove_unqueued(alerts, all->items[i]);
    silence_reschedule_all(alerts);
    assert(alerts->wake_count <= alerts->source_count);
}

/* What was declared of a zone holds under its new rules, too. */
static void attach_rooms(struct alerts *alerts)
{
    size_t at = 0;
    for (const struct room *room = table_next(&alerts->rooms, &at); room != NULL;
         room = table_next(&alerts->rooms, &at))
        if (room->stretch_count > 0)
            room_attach(alerts, room);
}

/* Into the zones that are there from now on. */
static void move_stations(struct alerts *alerts)
{
    size_t at = 0;
    for (struct station *station = table_next(&alerts->stations, &at); station != NULL;
         station = table_next(&alerts->stations, &at))
        station_enter(station, zone_make(&alerts->zones, station->zone->name));
}

void alerts_relink(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink)
{
    attach_rooms(alerts);
    move_stations(alerts);
    struct pointers all = {0};
    collect(alerts, &all);
    if (all.count > 0)
        qsort(all.items, all.count, sizeof all.items[0], compare_heard);
    for (size_t i = 0; i < all.count; i++) {
        struct source *source = all.items[i];
        source_uncount(source);
        struct plan *plan = plan_get(source->station->zone, source->plan->quantity,
                                     source->plan->is_device);
        if (source_relink(alerts, source, plan, now_ms, sink))
            source_touch(alerts, source);
    }
    for (size_t i = 0; i < all.count; i++) {
        struct source *source = all.items[i];
        if (!source->plan->is_device && !is_idle(source, NULL))
            source_link_device(alerts, source);
    }
    remove_idle(alerts, &all);
    free(all.items);
}
