// SPDX-License-Identifier: Apache-2.0
#include "bench/alert_watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/alerts.h"
#include "alerts/zones.h"
#include "base/mem.h"
#include "coldchainctl/backtest_rules.h"

#define ZONE      "place"
#define AGAIN_MS  (10 * WORLD_MINUTE_MS) /* a signal that does not change is told */
#define OURS_FROM 4

static const struct {
    const char *name;
    int64_t delay_ms;
} rule_sets[RULE_SETS] = {
    {"threshold", 0},
    {"threshold + 10 min", 10 * WORLD_MINUTE_MS},
    {"threshold + 30 min", 30 * WORLD_MINUTE_MS},
    {"threshold + 180 min", 180 * WORLD_MINUTE_MS},
    {"ours", 0},
    {"ours, with signals", 0},
};

static const char *const signal_names[4] = {"door", "defrost", "compressor", "mains"};

const char *rule_set_name(size_t set)
{
    return rule_sets[set].name;
}

static void must(enum err err, const char *what, const struct err_text *why)
{
    if (err == ERR_OK)
        return;
    fprintf(stderr, "alert_quality_bench: %s: %s\n", what, why->text);
    exit(EXIT_FAILURE);
}

static void fill_rule(struct alert_rule *rule, const char *id, enum alert_kind kind,
                      double level_C, int64_t delay_ms)
{
    memset(rule, 0, sizeof *rule);
    snprintf(rule->id, sizeof rule->id, "%s", id);
    snprintf(rule->zone, sizeof rule->zone, ZONE);
    snprintf(rule->quantity, sizeof rule->quantity, "air_temperature");
    rule->kind = kind;
    rule->limit = (double)NAN;
    rule->level_count = 1;
    rule->levels[0] = (struct alert_level){.severity = ALERT_CRITICAL,
                                           .level = level_C,
                                           .recovery_level = level_C,
                                           .delay_ms = delay_ms};
}

static void set_thresholds(struct watch *watch, size_t set, enum world_kind kind)
{
    const struct world_params *params = world_params_of(kind);
    struct alert_rule rules[2];
    struct err_text why = {""};
    fill_rule(&rules[0], "high", ALERT_ABOVE, params->high_C, rule_sets[set].delay_ms);
    fill_rule(&rules[1], "low", ALERT_BELOW, params->low_C, rule_sets[set].delay_ms);
    must(alerts_set_rules(watch->alerts, rules, 2, 0, &why), rule_sets[set].name, &why);
}

/* What rules/van.yaml asks its zone to say; goods as the profiles of most produce. */
static void set_place(struct watch *watch, enum world_kind kind)
{
    struct alert_room room = {.body = {10, 2.5, 10}};
    if (kind == WORLD_VAN) {
        room.body.tau_h = 6;
        room.air.door_most_ms = 26 * WORLD_MINUTE_MS;
        room.air.recovery_most_ms = 12 * WORLD_MINUTE_MS;
        room.air.defrost_most_ms = 20 * WORLD_MINUTE_MS;
    }
    alerts_set_room(watch->alerts, ZONE, &room);
}

static void set_ours(struct watch *watch, enum world_kind kind)
{
    struct backtest_rules rules = {0};
    struct buf path = {0};
    struct err_text why = {""};
    buf_format(&path, "%s/%s.yaml", COLDCHAIN_RULES_DIR, world_kind_name(kind));
    must(backtest_rules_read(&rules, path.data, &why), path.data, &why);
    must(alerts_set_rules(watch->alerts, rules.rules, rules.count, 0, &why), path.data,
         &why);
    set_place(watch, kind);
    backtest_rules_fini(&rules);
    buf_fini(&path);
}

void watch_begin(struct watch *watch, size_t set, enum world_kind kind)
{
    *watch = (struct watch){.alerts = alerts_create(),
                            .sees_signals = set > OURS_FROM,
                            .signals = {-1, -1, -1, -1}};
    if (set < OURS_FROM)
        set_thresholds(watch, set, kind);
    else
        set_ours(watch, kind);
}

/* A new one joins a cause that takes it, or leads its own. */
static struct watch_member *member_of(struct watch *watch,
                                      const struct incident *incident)
{
    for (size_t i = watch->member_count; i > 0; i--)
        if (strcmp(watch->members[i - 1].id, incident->id) == 0)
            return &watch->members[i - 1];
    size_t cause = watch->cause_count;
    for (size_t i = 0; i < cause; i++)
        watch->causes[i].alive_ms = 0;
    for (size_t i = 0; i < watch->member_count; i++) {
        int64_t *alive_ms = &watch->causes[watch->members[i].cause].alive_ms;
        if (watch->members[i].alive_ms > *alive_ms)
            *alive_ms = watch->members[i].alive_ms;
    }
    for (size_t i = watch->cause_count; i > 0 && cause == watch->cause_count; i--)
        if (cause_takes(&watch->causes[i - 1], incident, ""))
            cause = i - 1;
    if (cause == watch->cause_count) {
        mem_grow(&watch->causes, &watch->cause_capacity, cause + 1, sizeof(struct cause));
        cause_begin(&watch->causes[watch->cause_count++], incident, "");
    }
    mem_grow(&watch->members, &watch->member_capacity, watch->member_count + 1,
             sizeof(struct watch_member));
    struct watch_member *member = &watch->members[watch->member_count++];
    *member = (struct watch_member){.cause = cause};
    memcpy(member->id, incident->id, sizeof member->id);
    return member;
}

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct watch *watch = context;
    struct watch_member *member = member_of(watch, incident);
    struct cause_event event = {.kind = kind,
                                .incident = incident,
                                .was_told = member->was_told,
                                .now_ms = watch->now_ms};
    for (size_t i = 0; i < watch->member_count; i++) {
        const struct watch_member *other = &watch->members[i];
        if (other == member || other->cause != member->cause || !other->is_open)
            continue;
        event.is_other_open = true;
        event.is_other_told |= other->was_told;
    }
    member->alive_ms = cause_alive_ms(incident);
    member->is_open = incident->state != INCIDENT_CLOSED;
    enum cause_telling telling = cause_note(&watch->causes[member->cause], &event);
    bool is_call = kind == ALERT_EFFECT_OPENED || kind == ALERT_EFFECT_ESCALATED;
    if (telling == CAUSE_TELL_NOBODY || !is_call)
        return;
    member->was_told = true;
    mem_grow(&watch->notices, &watch->capacity, watch->count + 1, sizeof(struct notice));
    watch->notices[watch->count++] =
        (struct notice){.event_ms = incident->opened_ms,
                        .told_ms = watch->now_ms,
                        .is_silence = alert_kind_is_silence(incident->kind)};
}

/* What is heard next arrives then: until then it was silent. */
static void tick_until(struct watch *watch, int64_t arrival_ms)
{
    struct alert_sink sink = {.context = watch, .effect = on_effect};
    if (watch->tick_ms == 0)
        watch->tick_ms = arrival_ms;
    for (; watch->tick_ms < arrival_ms; watch->tick_ms += WORLD_MINUTE_MS) {
        watch->now_ms = watch->tick_ms;
        alerts_tick(watch->alerts, watch->tick_ms, &sink);
    }
}

static void tell_signal(struct watch *watch, const struct world_sample *sample,
                        size_t which, bool is_on)
{
    const struct alert_reading reading = {.zone = ZONE,
                                          .device = "device",
                                          .channel = signal_names[which],
                                          .quantity = signal_names[which],
                                          .time_ms = sample->time_ms,
                                          .arrival_ms = sample->arrival_ms,
                                          .value = is_on};
    struct alert_sink sink = {.context = watch, .effect = on_effect};
    watch->signals[which] = is_on;
    alerts_reading(watch->alerts, &reading, &sink);
}

static void tell_signals(struct watch *watch, const struct world_sample *sample)
{
    const bool now[4] = {sample->door_open, sample->defrost_on, sample->compressor_on,
                         sample->mains_on};
    bool again = sample->time_ms - watch->signals_ms >= AGAIN_MS;
    if (again)
        watch->signals_ms = sample->time_ms;
    for (size_t i = 0; i < 4; i++)
        if (again || watch->signals[i] != now[i])
            tell_signal(watch, sample, i, now[i]);
}

static void begin_duty(struct watch *watch, int64_t time_ms)
{
    watch->is_off_duty = false;
    watch->tick_ms = time_ms + WORLD_MINUTE_MS; /* not before it is heard */
    alerts_declare(watch->alerts, ZONE, ALERT_REASON_START, time_ms,
                   time_ms + WATCH_START_MS);
}

void watch_sample(struct watch *watch, const struct world_sample *sample)
{
    if (!sample->on_duty) {
        watch->is_off_duty = true;
        return;
    }
    if (watch->is_off_duty)
        begin_duty(watch, sample->time_ms);
    tick_until(watch, sample->arrival_ms);
    watch->now_ms = sample->arrival_ms;
    if (watch->sees_signals)
        tell_signals(watch, sample);
    watch_reading(watch, sample->time_ms, sample->arrival_ms, sample->reading_C);
}

void watch_reading(struct watch *watch, int64_t time_ms, int64_t arrival_ms, double C)
{
    const struct alert_reading reading = {.zone = ZONE,
                                          .device = "device",
                                          .channel = "air_temperature",
                                          .quantity = "air_temperature",
                                          .time_ms = time_ms,
                                          .arrival_ms = arrival_ms,
                                          .value = C};
    struct alert_sink sink = {.context = watch, .effect = on_effect};
    tick_until(watch, arrival_ms);
    watch->now_ms = arrival_ms;
    watch->source = alerts_reading_at(watch->alerts, watch->source, &reading, &sink);
}

void watch_end(struct watch *watch)
{
    alerts_destroy(watch->alerts);
    free(watch->notices);
    free(watch->causes);
    free(watch->members);
    *watch = (struct watch){0};
}
