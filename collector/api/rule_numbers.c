// SPDX-License-Identifier: Apache-2.0
/*
 * rule_numbers - of rules that name their zone's band: the numbers that they are judged
 * by.
 */
#include <math.h>

#include "collector/api/internal.h"
#include "collector/api/routes.h"
#include "collector/pipeline/registry.h"
#include "collector/store/state_entities.h"

static void enter(void *context, const struct state_entity *row)
{
    json_t *body = json_loads(row->body, 0, NULL);
    registry_apply(context, row->kind, row->id, row->org, NULL, body);
    json_decref(body);
}

static json_t *number_or_null(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *numbers_of(const struct alert_rule *rule)
{
    json_t *levels = json_array();
    for (size_t i = 0; i < rule->level_count; i++)
        json_array_append_new(
            levels,
            json_pack("{s:o, s:o}", "level", number_or_null(rule->levels[i].level),
                      "recovery_level", number_or_null(rule->levels[i].recovery_level)));
    json_t *numbers = json_pack("{s:o}", "levels", levels);
    if (rule->limit_from.edge != ALERT_EDGE_NONE)
        json_object_set_new(numbers, "limit", number_or_null(rule->limit));
    return numbers;
}

static void add_numbers(const struct api_call *call, struct registry *registry,
                        json_t *entry)
{
    struct alert_rule rule = {0};
    if (!registry_parse_rule(&rule, json_string_value(json_object_get(entry, "id")),
                             entry) ||
        !alert_rule_names_band(&rule))
        return;
    const struct registry_zone *zone = registry_zone(registry, rule.zone);
    if (zone == NULL && state_find_entity(call->stores->state, "zone", rule.zone,
                                          registry, enter) == ERR_OK)
        zone = registry_zone(registry, rule.zone);
    if (zone != NULL)
        alert_rule_resolve(&rule, zone->band_low, zone->band_high);
    json_object_set_new(entry, "now", numbers_of(&rule));
}

void api_add_rule_numbers(const struct api_call *call, json_t *rules)
{
    struct registry *registry = registry_create();
    size_t i;
    json_t *entry;
    json_array_foreach(rules, i, entry)
    {
        add_numbers(call, registry, entry);
    }
    registry_destroy(registry);
}
