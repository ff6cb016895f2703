// SPDX-License-Identifier: Apache-2.0
/*
 * internal - what the files of this folder do for each other. Nobody else includes it.
 *
 * Rules, plans and sources: where an engine keeps what it watches, when a channel falls
 * silent, and how what is kept goes under other rules (relink). What becomes of a reading
 * is in judge.h. `sink` is called before a function returns.
 */
#ifndef COLDCHAIN_ALERTS_INTERNAL_H
#define COLDCHAIN_ALERTS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alerts/structs.h"

void pointers_add(struct pointers *list, void *item);

/* rule_make.c */
struct rule *rule_create(const struct alert_rule *from);
/* A rule that is known by its incident only. */
struct rule *rule_create_past(enum alert_kind kind, const char *id, const char *snapshot);
struct rule *rule_ref(struct rule *rule);
void rule_unref(struct rule *rule);
const char *rule_snapshot(struct rule *rule);
/* Of what its gauge depends on, levels, delays and reasons left out: gauges of rules with
 * the same id and kind, and this, are one. */
uint64_t rule_gauge_print(const struct rule *rule);
static inline bool rule_is_silence(const struct rule *rule)
{
    return alert_kind_is_silence((enum alert_kind)rule->kind);
}

static inline bool rule_heeds_device(const struct rule *rule)
{
    return (rule->unless & 1u << ALERT_REASON_DEVICE_SILENT) != 0;
}

/* What the rule looks at: of goods that are not all as warm, those of its side. */
static inline double rule_value(const struct rule *rule,
                                const struct alert_reading *reading)
{
    bool is_cold = rule->kind == ALERT_BELOW || rule->kind == ALERT_CUMULATIVE_BELOW ||
                   rule->kind == ALERT_DOSE_BELOW;
    return is_cold ? reading->value - reading->spread_K : reading->value;
}

static inline bool rule_is_above(const struct rule *rule)
{
    return alert_kind_is_above((enum alert_kind)rule->kind);
}

/* plan.c */
struct zone *zone_find(const struct table *zones, const char *name);
struct zone *zone_make(struct table *zones, const char *name);
void zone_add_rule(struct zone *zone, struct rule *rule);
void zones_fini(struct table *zones);
/* Never NULL; without rules when none match. */
struct plan *plan_get(struct zone *zone, const char *quantity, bool is_device);
struct rule *plan_find_rule(const struct plan *plan, const char *id, unsigned kind);

/* By its kind: of a door, a defrost or the cooling, by signal or by shape. */
bool rule_is_of_shapes(const struct rule *rule);
/* Air in which doors and defrosts have the shapes that alerts/air.h knows. */
bool quantity_is_air(const char *quantity);

/* source.c */
static inline const char *source_channel(const struct source *source)
{
    return source->channel != NULL ? source->channel->text : "";
}

/* That its channel is counted with; NULL. */
static inline struct source *source_device(const struct source *source)
{
    return source->is_counted ? source->station->whole : NULL;
}

struct source *source_find(const struct alerts *alerts, const char *zone,
                           const char *device, const char *channel);
/* Of a whole engine, each once, from a zeroed walk on; NULL at the end. None may come or
 * go between. */
struct source_walk {
    size_t at;
    struct source *source;
};
struct source *source_next(const struct alerts *alerts, struct source_walk *walk);
/* It is the zone's from now on; relink moves it on when zones are replaced. */
void station_enter(struct station *station, struct zone *zone);
/* Not to be found yet. */
struct source *source_create(struct alerts *alerts, const char *zone, const char *device,
                             const char *channel, const char *quantity);
void source_add(struct alerts *alerts, struct source *source);
struct source *source_make(struct alerts *alerts, const char *zone, const char *device,
                           const char *channel, const char *quantity, int64_t heard_ms);
/* A reading of it came: it is forgotten no longer. */
void source_hear_of(struct alerts *alerts, struct source *source, int64_t arrival_ms);
/* NULL when no rule watches it and nothing of it is open. */
struct source *source_of(struct alerts *alerts, const struct alert_reading *reading);
/* There from now on, if a rule watches it; as it is if it is there. */
void source_expect(struct alerts *alerts, const char *zone, const char *device,
                   const char *channel, const char *quantity, int64_t now_ms);
/* Counts it with the source of its device, made if missing, if the zone watches those. */
void source_link_device(struct alerts *alerts, struct source *source);
void source_unlink_device(struct source *source);
/* Nothing is counted with it, and it with nothing, whatever was. */
void source_uncount(struct source *source);
void source_touch(struct alerts *alerts, struct source *source);
/* The first of those that were touched, which is not one any more; NULL. */
struct source *source_take_dirty(struct alerts *alerts);
/* Those for which `is_out` are no longer among them. */
void source_sort_out(struct alerts *alerts,
                     bool (*is_out)(const struct source *source, const void *context),
                     const void *context);
/* Also from the queues, which costs a pass over them; its key is reported as gone. */
void source_remove(struct alerts *alerts, struct source *source);
/* The same for one that is in no queue any more. */
void source_remove_unqueued(struct alerts *alerts, struct source *source);
/* All of them. */
void sources_fini(struct alerts *alerts);
/* With its watches, and its station if it was the last there; it must not be to be found
 * any more, and in no queue. */
void source_destroy(struct alerts *alerts, struct source *source);
/* Removes it when nothing watches it and nothing of it is open. */
void source_drop_idle(struct alerts *alerts, struct source *source);
/* Nothing can fall silent there any more, and of what was not told nothing is left. */
void source_forget(struct alerts *alerts, struct source *source, int64_t now_ms,
                   const struct alert_sink *sink);
void source_key(const struct source *source, struct buf *key);
/* state.c: what is saved of it replaces what is in `out`. */
void source_save(struct buf *out, const struct source *source);
/* By zone, device and channel. */
int source_compare(const struct source *a, const struct source *b);

struct watch *watch_find(const struct source *source, const struct rule *rule);
struct watch *watch_make(struct alerts *alerts, struct source *source, struct rule *rule);
/* Takes it out of its source, with its incident. */
void watch_remove(struct alerts *alerts, struct watch *watch);

/* gauges.c */
void gauges_destroy(struct alerts *alerts, struct source *source);
/* Gives each gauge of the plan its place. */
void gauges_plan(struct plan *plan);
/* From the plan that was; those of rules that are no more, or measure something else, go.
 * True when one did. */
bool gauges_relink(struct alerts *alerts, struct source *source, const struct plan *from);
void gauges_save(struct buf *out, const struct source *source);
/* False: damaged. Those of rules that are no more, or measure something else, are passed
 * over. */
bool gauges_load(struct alerts *alerts, struct buf_reader *in, struct source *source,
                 unsigned version);

/* cadence.c: silence that is learned */
/* Nothing is silent sooner by what was learned: pauses of a few minutes are no failure.
 */
#define CADENCE_LEAST_MS ((int64_t)10 * 60 * 1000)
/* After how long the source is silent by that rule. */
int64_t cadence_silent_ms(const struct source *source, const struct rule *rule);
/* Before source->heard_ms is moved. */
void cadence_heard(struct alerts *alerts, struct source *source, int64_t arrival_ms);

/* contact.c: of a device whose zone's rules ask whether it is heard (plan.pause_ms) */
/* Anything came of it, good or not. */
void contact_heard(struct alerts *alerts, struct source *device, int64_t arrival_ms);
/* Since when it is heard without a long pause. */
int64_t contact_since(const struct source *device);
bool contact_is_lost(const struct source *device, int64_t now_ms);
/* When one that was lost then was heard again; TIME_NEVER: not yet. */
int64_t contact_back_at(const struct source *device, int64_t lost_ms);

/* relink.c: when the rules are replaced */
/*
 * It and its watches under the rules of that plan; true when anything was changed by
 * that. `sink` may be NULL.
 */
bool source_relink(struct alerts *alerts, struct source *source, struct plan *plan,
                   int64_t now_ms, const struct alert_sink *sink);
void alerts_relink(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink);

/* silence.c */
/* Of the reasons that this rule of silence names, those that hold then. */
unsigned silence_reasons(const struct room *room, const struct source *source,
                         const struct rule *rule, int64_t now_ms);
void silence_heard(struct alerts *alerts, struct source *source, int64_t arrival_ms,
                   const struct alert_sink *sink);
/* When its incidents are unknown: long after it, or its device, was heard last. */
int64_t silence_unknown_at(const struct source *source);
/* Puts it into the queue if its time comes before it stands there. */
void silence_schedule(struct alerts *alerts, struct source *source);
void silence_unschedule(struct alerts *alerts, const struct source *source);
void silence_reschedule_all(struct alerts *alerts);
void silence_tick(struct alerts *alerts, int64_t now_ms, const struct alert_sink *sink);

#endif
