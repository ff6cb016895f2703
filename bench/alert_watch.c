// SPDX-License-Identifier: Apache-2.0
#include "bench/alert_watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static const struct {
    const char *name;
    int64_t delay_ms;
} rule_sets[RULE_SETS] = {
    {"threshold", 0},
    {"threshold + 10 min", 10 * WORLD_MINUTE_MS},
    {"threshold + 30 min", 30 * WORLD_MINUTE_MS},
    {"threshold + 180 min", 180 * WORLD_MINUTE_MS},
};

const char *rule_set_name(size_t set)
{
    return rule_sets[set].name;
}

static struct alert_rule rule_of(const char *id, enum alert_kind kind, double level_C,
                                 int64_t delay_ms)
{
    struct alert_rule rule = {.kind = kind, .level_count = 1};
    snprintf(rule.id, sizeof rule.id, "%s", id);
    snprintf(rule.zone, sizeof rule.zone, "zone");
    snprintf(rule.quantity, sizeof rule.quantity, "air_temperature");
    rule.levels[0] = (struct alert_level){.severity = ALERT_CRITICAL,
                                          .level = level_C,
                                          .recovery_level = level_C,
                                          .delay_ms = delay_ms};
    return rule;
}

void watch_begin(struct watch *watch, size_t set, double low_C, double high_C)
{
    *watch = (struct watch){.alerts = alerts_create()};
    const struct alert_rule rules[] = {
        rule_of("high", ALERT_ABOVE, high_C, rule_sets[set].delay_ms),
        rule_of("low", ALERT_BELOW, low_C, rule_sets[set].delay_ms),
    };
    struct err_text why = {""};
    if (alerts_set_rules(watch->alerts, rules, sizeof rules / sizeof rules[0], 0, &why) !=
        ERR_OK) {
        fprintf(stderr, "%s: %s\n", rule_sets[set].name, why.text);
        exit(EXIT_FAILURE);
    }
}

static void on_effect(void *context, enum alert_effect_kind kind,
                      const struct incident *incident)
{
    struct watch *watch = context;
    if (kind != ALERT_EFFECT_OPENED && kind != ALERT_EFFECT_ESCALATED)
        return;
    mem_grow(&watch->notices, &watch->capacity, watch->count + 1, sizeof(struct notice));
    watch->notices[watch->count++] =
        (struct notice){.event_ms = incident->opened_ms, .told_ms = incident->changed_ms};
}

void watch_reading(struct watch *watch, int64_t time_ms, int64_t arrival_ms, double C)
{
    const struct alert_reading reading = {.zone = "zone",
                                          .device = "device",
                                          .channel = "air_temperature",
                                          .quantity = "air_temperature",
                                          .time_ms = time_ms,
                                          .arrival_ms = arrival_ms,
                                          .value = C};
    struct alert_sink sink = {.context = watch, .effect = on_effect};
    watch->source = alerts_reading_at(watch->alerts, watch->source, &reading, &sink);
}

void watch_end(struct watch *watch)
{
    alerts_destroy(watch->alerts);
    free(watch->notices);
    *watch = (struct watch){0};
}
