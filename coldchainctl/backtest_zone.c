// SPDX-License-Identifier: Apache-2.0
/*
 * backtest_zone - what is known of the places in which rules are tried: by the rules'
 * file, else by the collector, else nothing.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/alerts.h"
#include "coldchainctl/backtest.h"

#define HOUR_MS      3600000.0
#define TAU_LEAST_MS 60000 /* that the engine takes */
#define DERIVED_END  "-est"

static void add_zone(struct registry *registry, const char *id, const json_t *said,
                     double tau_h)
{
    json_t *body = said != NULL ? json_copy((json_t *)(uintptr_t)said) : json_object();
    json_object_set_new(body, "id", json_string(id));
    if (!isnan(tau_h))
        json_object_set_new(
            body, "tau", json_integer((json_int_t)fmax(tau_h * HOUR_MS, TAU_LEAST_MS)));
    registry_apply(registry, "zone", id, "", NULL, body);
    json_decref(body);
}

struct registry *backtest_registry(const struct backtest_rules *rules,
                                   const struct backtest_options *options)
{
    struct registry *registry = registry_create();
    for (size_t i = 0; i < rules->count; i++) {
        const char *id = rules->rules[i].zone;
        const json_t *said = json_object_get(rules->zones, id);
        if (said == NULL)
            said = json_object_get(options->zones, id);
        if (registry_zone(registry, id) == NULL)
            add_zone(registry, id, said, options->tau_h);
    }
    for (size_t i = 0; i < rules->count; i++) {
        json_t *body = registry_rule_json(&rules->rules[i]);
        registry_apply(registry, "rule", rules->rules[i].id, "", NULL, body);
        json_decref(body);
    }
    return registry;
}

bool backtest_band(const struct backtest *test, const struct backtest_options *options,
                   const char *zone, double *low, double *high)
{
    const struct registry_zone *known = registry_zone(test->registry, zone);
    *low = options->band_low;
    *high = options->band_high;
    if (isnan(*low) && isnan(*high) && known != NULL) {
        *low = known->band_low;
        *high = known->band_high;
    }
    return !isnan(*low) || !isnan(*high);
}

enum err backtest_resolve(const struct backtest *test, struct backtest_rules *rules,
                          const struct backtest_options *options, struct err_text *why)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct alert_rule *rule = &rules->rules[i];
        struct err_text said = {""};
        double low;
        double high;
        if (!alert_rule_names_band(rule))
            continue;
        backtest_band(test, options, rule->zone, &low, &high);
        alert_rule_resolve(rule, low, high);
        enum err err = alert_rule_check(rule, &said);
        if (err != ERR_OK)
            return err_set(why, err, "%s:%d: %s", rules->name, rules->lines[i],
                           said.text);
    }
    return ERR_OK;
}

void backtest_measured_channel(char text[ID_SIZE], const char *channel)
{
    const char *end = strstr(channel, DERIVED_END);
    if (!alert_channel_is_derived(channel) || end == NULL) {
        snprintf(text, ID_SIZE, "%s", channel);
        return;
    }
    const char *probe = end + strlen(DERIVED_END);
    snprintf(text, ID_SIZE, "air_temperature%s%.20s", probe[0] != '\0' ? "-" : "", probe);
}
