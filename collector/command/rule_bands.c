// SPDX-License-Identifier: Apache-2.0
/*
 * rule_bands - rules that go by their zone's band or goods: the numbers that they name,
 * and whether they can be judged when the zone changes.
 */
#include <math.h>

#include "alerts/rule.h"
#include "collector/command/internal.h"
#include "collector/pipeline/body.h"
#include "collector/pipeline/registry.h"
#include "collector/store/state_entities.h"
#include "freshness/profile_set.h"

static struct band band_of(const struct entity *zone)
{
    struct profile_set *profiles = NULL;
    const struct band declared = {body_number(zone->body, "band_low"),
                                  body_number(zone->body, "band_high")};
    struct band band =
        registry_goods_band(&profiles, declared, json_object_get(zone->body, "goods"));
    profile_set_destroy(profiles);
    return band;
}

enum err rule_resolve(struct change *change, struct alert_rule *rule,
                      struct err_text *why)
{
    struct entity zone = {0};
    if (!alert_rule_names_band(rule) && rule->kind != ALERT_LIFE_LEFT)
        return ERR_OK;
    enum err err = change_need(change, "zone", rule->zone, &zone, why);
    if (err == ERR_OK) {
        struct band band = band_of(&zone);
        alert_rule_resolve(rule, band.low, band.high);
        rule_warn_goods(change, rule, &zone);
    }
    entity_fini(&zone);
    return err;
}

struct warning {
    struct change *change;
    const struct entity *zone;
    struct band band;
};

static void warn_of(void *context, const struct state_entity *row)
{
    const struct warning *warning = context;
    struct alert_rule rule = {0};
    struct err_text why;
    json_t *body = json_loads(row->body, 0, NULL);
    bool is_rule = registry_parse_rule(&rule, row->id, body);
    json_decref(body);
    if (is_rule)
        rule_warn_goods(warning->change, &rule, warning->zone);
    if (!is_rule || !alert_rule_names_band(&rule))
        return;
    alert_rule_resolve(&rule, warning->band.low, warning->band.high);
    if (alert_rule_check(&rule, &why) != ERR_OK)
        change_warn(warning->change, "rule_without_band",
                    "rule '%s' is not judged any more until it fits the zone's band: %s",
                    "规则“%s”与库区温度带不符，在相符之前不再判断：%s", rule.id,
                    why.text);
}

enum err zone_warn_rules(struct change *change, const struct entity *zone)
{
    struct warning warning = {change, zone, band_of(zone)};
    return state_each_entity(change->state, "rule", zone->id, NULL, &warning, warn_of);
}
