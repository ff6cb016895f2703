// SPDX-License-Identifier: Apache-2.0
/*
 * silence - channels and devices that are not heard, found without looking at the rest.
 *
 * A source stands in a heap under a time at which its silence cannot be due before. A
 * reading moves nothing in the heap: when the time comes, the source is looked at, and
 * put back under the time that its last reading gives. An entry is out of date when its
 * time is not the source's wake_ms.
 *
 * Per rule: due --> told, or held back while a reason holds; when that is over the
 * silence counts anew from there, an hour at most: who rules out ten hours of silence
 * because a tour goes through hills need not wait so long for a dead device next day.
 *
 * A channel whose rule asks whether its device is heard (contact.c) counts anew, all of
 * it, when the device is back: its readings may still be under way. While it is away the
 * channel stands in no queue.
 */
#include <assert.h>
#include <stdlib.h>

#include "alerts/internal.h"
#include "alerts/judge.h"
#include "alerts/room.h"
#include "base/mem.h"

#define ANEW_MS ((int64_t)60 * 60 * 1000)

static int64_t later(int64_t time_ms, int64_t span_ms)
{
    return span_ms == TIME_NEVER ? TIME_NEVER : time_ms + span_ms;
}

static void heap_push(struct alerts *alerts, struct wake wake)
{
    mem_grow(&alerts->wakes, &alerts->wake_capacity, alerts->wake_count + 1, sizeof wake);
    assert(wake.time_ms == wake.source->wake_ms);
    size_t i = alerts->wake_count++;
    while (i > 0 && alerts->wakes[(i - 1) / 2].time_ms > wake.time_ms) {
        alerts->wakes[i] = alerts->wakes[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    alerts->wakes[i] = wake;
}

/* Lets the entry sink from the top. */
static void heap_sift(struct alerts *alerts, size_t i, struct wake wake)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= alerts->wake_count)
            break;
        if (child + 1 < alerts->wake_count &&
            alerts->wakes[child + 1].time_ms < alerts->wakes[child].time_ms)
            child++;
        if (alerts->wakes[child].time_ms >= wake.time_ms)
            break;
        alerts->wakes[i] = alerts->wakes[child];
        i = child;
    }
    alerts->wakes[i] = wake;
}

static struct wake heap_pop(struct alerts *alerts)
{
    assert(alerts->wake_count > 0);
    struct wake first = alerts->wakes[0];
    struct wake last = alerts->wakes[--alerts->wake_count];
    if (alerts->wake_count > 0)
        heap_sift(alerts, 0, last);
    return first;
}

/* What is recorded, of no device, is known until it is recorded otherwise. */
static bool can_become_unknown(const struct watch *watch)
{
    return watch->source->station->device[0] != '\0' && watch->rule != NULL &&
           !rule_is_silence(watch->rule) && watch->firing != NULL &&
           watch->firing->state != INCIDENT_UNKNOWN;
}

/* By a rule that asks whether its device is heard. */
static bool is_silent_alone(const struct source *source)
{
    for (const struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        if (watch->rule != NULL && watch->fired != 0 && rule_heeds_device(watch->rule))
            return true;
    return false;
}

int64_t silence_unknown_at(const struct source *source)
{
    const struct source *device = source_device(source);
    if (source->is_forgotten)
        return source->heard_ms + source->plan->gone_ms;
    if (source->plan->heeds_device && is_silent_alone(source))
        return source->heard_ms + source->plan->silent_ms;
    int64_t at = source->heard_ms + source->plan->unknown_ms;
    int64_t dead = device != NULL ? later(device->heard_ms, device->plan->silent_ms) : at;
    return dead < at ? dead : at;
}

/* Since when the device is heard, if the rule asks for that. */
static int64_t device_since(const struct source *source, const struct rule *rule)
{
    const struct source *device = source_device(source);
    return device != NULL && rule_heeds_device(rule) ? contact_since(device) : TIME_NONE;
}

/* A reason that holds back lets the silence count anew when it is over. */
static int64_t counts_from(const struct source *source, const struct rule *rule,
                           const struct watch *watch)
{
    int64_t from_ms = watch != NULL && watch->since[0] != TIME_NONE ? watch->since[0]
                                                                    : source->heard_ms;
    int64_t since_ms = device_since(source, rule);
    return since_ms > from_ms ? since_ms : from_ms;
}

/* When what holds it back is over. */
static int64_t held_until(const struct alerts *alerts, const struct source *source,
                          const struct watch *watch)
{
    const struct hold *hold = watch->hold;
    if (hold->reason != ALERT_REASON_DEVICE_SILENT)
        return room_until(room_find(alerts, source->plan->zone),
                          (enum alert_reason)hold->reason, hold->from_ms);
    const struct source *device = source_device(source);
    return device != NULL ? contact_back_at(device, hold->from_ms) : TIME_NEVER;
}

/* When that rule of silence has to be looked at next. */
static int64_t rule_due_at(const struct alerts *alerts, const struct source *source,
                           const struct rule *rule)
{
    const struct watch *watch = watch_find(source, rule);
    if (watch != NULL && watch->fired != 0)
        return TIME_NEVER;
    if (watch != NULL && watch->hold != NULL)
        return held_until(alerts, source, watch);
    return counts_from(source, rule, watch) + cadence_silent_ms(source, rule);
}

/* A forgotten one of which nothing goes on: what came late is through. */
static bool is_at_rest(const struct source *source)
{
    for (const struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        if (watch->firing == NULL || can_become_unknown(watch))
            return false;
    return source->watches != NULL;
}

/* The first time at which its silence changes anything. */
static int64_t due_at(const struct alerts *alerts, const struct source *source)
{
    int64_t due = TIME_NEVER;
    const struct plan *plan = source->plan;
    if (source->is_forgotten)
        return is_at_rest(source) ? due : silence_unknown_at(source);
    if (source->watches == NULL && !source->is_derived && !plan->learns &&
        !plan->heeds_device)
        return later(source->heard_ms, plan->silent_ms);
    for (size_t i = 0; i < plan->count && !source->is_derived; i++) {
        const struct rule *rule = plan->rules[i];
        int64_t at = rule_is_silence(rule) ? rule_due_at(alerts, source, rule) : due;
        due = at < due ? at : due;
    }
    for (const struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        if (can_become_unknown(watch) && silence_unknown_at(source) < due)
            due = silence_unknown_at(source);
    return due;
}

void silence_schedule(struct alerts *alerts, struct source *source)
{
    /* The common case, without a look at the watches: it stands there early enough. */
    const struct plan *plan = source->plan;
    if (source->wake_ms <= silence_unknown_at(source) &&
        source->wake_ms <= later(source->heard_ms, plan->silent_ms))
        return;
    int64_t due = due_at(alerts, source);
    if (due >= source->wake_ms)
        return;
    source->wake_ms = due;
    heap_push(alerts, (struct wake){.time_ms = due, .source = source});
}

void silence_unschedule(struct alerts *alerts, const struct source *source)
{
    size_t kept = 0;
    for (size_t i = 0; i < alerts->wake_count; i++)
        if (alerts->wakes[i].source != source)
            alerts->wakes[kept++] = alerts->wakes[i];
    alerts->wake_count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        heap_sift(alerts, i, alerts->wakes[i]);
}

void silence_reschedule_all(struct alerts *alerts)
{
    alerts->has_new_stretches = false;
    alerts->wake_count = 0;
    struct source_walk walk = {0};
    for (struct source *source = source_next(alerts, &walk); source != NULL;
         source = source_next(alerts, &walk)) {
        source->wake_ms = TIME_NEVER;
        silence_schedule(alerts, source);
    }
}

static double seconds_between(int64_t from_ms, int64_t to_ms)
{
    return to_ms > from_ms ? (double)(to_ms - from_ms) / 1000 : 0;
}

static void end_silence(struct alerts *alerts, struct watch *watch, int64_t arrival_ms,
                        const struct alert_sink *sink)
{
    hold_stop(alerts, watch, SUPPRESSION_HEARD, arrival_ms, arrival_ms, sink);
    if (watch->firing != NULL) {
        int64_t onset_ms = watch->firing->onset_ms;
        int64_t end_ms = arrival_ms > onset_ms ? arrival_ms : onset_ms;
        watch->value = watch->worst = seconds_between(onset_ms, end_ms);
        watch->since[0] = end_ms;
        incident_close(alerts, watch, end_ms, arrival_ms, sink);
    }
    watch_remove(alerts, watch);
}

void silence_heard(struct alerts *alerts, struct source *source, int64_t arrival_ms,
                   const struct alert_sink *sink)
{
    if (source->plan->learns && !source->is_derived)
        cadence_heard(alerts, source, arrival_ms);
    source->heard_ms = arrival_ms;
    source_touch(alerts, source);
    for (struct watch *watch = source->watches; watch != NULL;) {
        struct watch *next = watch->next;
        if (watch->rule != NULL && rule_is_silence(watch->rule))
            end_silence(alerts, watch, arrival_ms, sink);
        watch = next;
    }
}

static void open_silence(struct alerts *alerts, struct watch *watch, int64_t now_ms,
                         const struct alert_sink *sink)
{
    const struct source *source = watch->source;
    const struct rule *rule = watch->rule;
    watch->fired = 1;
    watch->since[0] = TIME_NONE;
    watch->value = watch->worst = seconds_between(source->heard_ms, now_ms);
    const struct firing opening = {
        .onset_ms = source->heard_ms,
        .opened_ms = now_ms,
        .learned_ms = now_ms,
        .limit = (double)cadence_silent_ms(source, rule) / 1000,
        .severity = rule->silent_severity,
    };
    incident_open(alerts, watch, &opening, opening.onset_ms, sink);
}

unsigned silence_reasons(const struct room *room, const struct source *source,
                         const struct rule *rule, int64_t now_ms)
{
    const struct source *device = source_device(source);
    unsigned reasons = room != NULL ? room_reasons(room, now_ms) : 0;
    if (device != NULL && rule_heeds_device(rule) && contact_is_lost(device, now_ms))
        reasons |= 1u << ALERT_REASON_DEVICE_SILENT;
    return reasons & rule_unless(rule);
}

/* What held it back is over. */
static void count_anew(struct alerts *alerts, struct watch *watch, int64_t now_ms,
                       const struct alert_sink *sink)
{
    const struct source *source = watch->source;
    bool is_device = watch->hold->reason == ALERT_REASON_DEVICE_SILENT;
    int64_t over_ms = is_device ? held_until(alerts, source, watch) : now_ms;
    int64_t silent_ms = cadence_silent_ms(source, watch->rule);
    int64_t given_ms = !is_device && silent_ms > ANEW_MS ? silent_ms - ANEW_MS : 0;
    hold_stop(alerts, watch, SUPPRESSION_OVER, over_ms, now_ms, sink);
    watch->since[0] = over_ms - given_ms;
}

/* It is due. */
static void judge_silence(struct alerts *alerts, struct source *source, struct rule *rule,
                          int64_t now_ms, const struct alert_sink *sink)
{
    struct watch *watch = watch_find(source, rule);
    if (watch != NULL && watch->hold != NULL) {
        count_anew(alerts, watch, now_ms, sink);
        if (rule_due_at(alerts, source, rule) > now_ms)
            return; /* else it was over long before this tick, the first in a while */
    }
    if (watch == NULL)
        watch = watch_make(alerts, source, rule);
    unsigned reasons =
        silence_reasons(room_find(alerts, source->plan->zone), source, rule, now_ms);
    if (reasons != 0)
        hold_silence(alerts, watch, reasons, now_ms,
                     seconds_between(source->heard_ms, now_ms), sink);
    else
        open_silence(alerts, watch, now_ms, sink);
}

static void make_unknown(struct alerts *alerts, struct watch *watch, int64_t now_ms,
                         const struct alert_sink *sink)
{
    assert(!rule_is_silence(watch->rule));
    watch->firing->state = INCIDENT_UNKNOWN;
    for (size_t i = 0; i < ALERT_LEVELS_MAX; i++)
        if ((watch->fired & (1u << i)) != 0)
            watch->since[i] = TIME_NONE; /* recovery starts anew */
    incident_tell(alerts, watch, ALERT_EFFECT_UPDATED, now_ms, sink);
}

static void become_unknown(struct alerts *alerts, struct source *source, int64_t now_ms,
                           const struct alert_sink *sink)
{
    for (struct watch *watch = source->watches; watch != NULL; watch = watch->next)
        if (can_become_unknown(watch))
            make_unknown(alerts, watch, now_ms, sink);
}

static void fall_silent(struct alerts *alerts, struct source *source, int64_t now_ms,
                        const struct alert_sink *sink)
{
    const struct plan *plan = source->plan;
    for (size_t i = 0; i < plan->count && !source->is_derived; i++) {
        struct rule *rule = plan->rules[i];
        if (rule_is_silence(rule) && rule_due_at(alerts, source, rule) <= now_ms)
            judge_silence(alerts, source, rule, now_ms, sink);
    }
    if (silence_unknown_at(source) <= now_ms)
        become_unknown(alerts, source, now_ms, sink);
    silence_schedule(alerts, source);
    assert(source->wake_ms > now_ms); /* what was due is told */
}

static int compare_due(const void *a, const void *b)
{
    const struct source *const *left = a;
    const struct source *const *right = b;
    return source_compare(*left, *right);
}

/* In the order of names: that of the heap depends on what was saved and loaded when. */
void silence_tick(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink)
{
    if (alerts->has_new_stretches) /* what is held back may be over sooner */
        silence_reschedule_all(alerts);
    alerts->due.count = 0;
    while (alerts->wake_count > 0 && alerts->wakes[0].time_ms <= now_ms) {
        struct wake wake = heap_pop(alerts);
        if (wake.time_ms != wake.source->wake_ms)
            continue;
        wake.source->wake_ms = TIME_NEVER;
        if (due_at(alerts, wake.source) <= now_ms)
            pointers_add(&alerts->due, wake.source);
        else
            silence_schedule(alerts, wake.source);
    }
    if (alerts->due.count == 0)
        return;
    qsort(alerts->due.items, alerts->due.count, sizeof alerts->due.items[0], compare_due);
    for (size_t i = 0; i < alerts->due.count; i++) {
        struct source *source = alerts->due.items[i];
        if (!source->is_forgotten) {
            fall_silent(alerts, source, now_ms, sink);
            continue;
        }
        become_unknown(alerts, source, now_ms, sink);
        source_forget(alerts, source, now_ms, sink);
    }
}
