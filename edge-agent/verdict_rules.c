// SPDX-License-Identifier: Apache-2.0
#include "edge-agent/verdict_rules.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

static_assert(ZONE_RULES_LEVELS_MAX <= ALERT_LEVELS_MAX, "every level that is sent fits");

static enum err convert_level(struct alert_level *to, const struct zone_level *from,
                              struct err_text *why)
{
    *to = (struct alert_level){
        .level = from->level,
        .delay_ms = from->delay_ms,
        .recovery_level = from->recovery_level,
        .recovery_delay_ms = from->recovery_delay_ms,
    };
    if (!alert_severity_parse(&to->severity, from->severity))
        return err_set(why, ERR_UNSUPPORTED, "no severity '%s' is known here",
                       from->severity);
    return ERR_OK;
}

static enum err convert(struct alert_rule *to, const struct zone_rule *from,
                        const char *zone, struct err_text *why)
{
    *to = (struct alert_rule){
        .limit = from->limit,
        .window_ms = from->window_ms,
        .is_safety = from->is_safety,
        .silent_ms = from->silent_ms,
    };
    memcpy(to->id, from->id, sizeof to->id);
    memcpy(to->zone, zone, strlen(zone) + 1);
    memcpy(to->quantity, from->quantity, sizeof to->quantity);
    if (!alert_kind_parse(&to->kind, from->kind) || alert_kind_is_trouble(to->kind) ||
        alert_kind_is_date(to->kind))
        return err_set(why, ERR_UNSUPPORTED, "no kind '%s' is judged here", from->kind);
    for (size_t i = 0; i < from->level_count; i++) {
        enum err err =
            convert_level(&to->levels[to->level_count++], &from->levels[i], why);
        if (err != ERR_OK)
            return err;
    }
    if (from->silent_ms != 0 &&
        !alert_severity_parse(&to->silent_severity, from->silent_severity))
        return err_set(why, ERR_UNSUPPORTED, "no severity '%s' is known here",
                       from->silent_severity);
    for (size_t i = 0; i < from->unless_count; i++) {
        enum alert_reason reason;
        if (!alert_reason_parse(&reason, from->unless[i]))
            return err_set(why, ERR_UNSUPPORTED, "no reason '%s' is known here",
                           from->unless[i]);
        to->unless |= 1u << reason;
    }
    return alert_rule_check(to, why);
}

static bool is_ours(const struct zone_config *zone, const struct zone_rule *rule)
{
    return (zone->is_on_duty || rule->is_safety) &&
           strcmp(rule->kind, alert_kind_name(ALERT_SILENT_DEVICE)) != 0;
}

struct alert_rule *verdict_rules(const struct zone_rules *rules, size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < rules->zone_count; i++)
        most += rules->zones[i].rule_count;
    struct alert_rule *made = mem_array(most + 1, sizeof *made);
    *count = 0;
    for (size_t i = 0; i < rules->zone_count; i++) {
        const struct zone_config *zone = &rules->zones[i];
        for (size_t j = 0; j < zone->rule_count; j++) {
            struct err_text why = {""};
            if (!is_ours(zone, &zone->rules[j]))
                continue;
            if (convert(&made[*count], &zone->rules[j], zone->zone, &why) == ERR_OK)
                (*count)++;
            else
                log_warn("a rule is not judged here zone=%s rule=%s reason=\"%s\"",
                         zone->zone, zone->rules[j].id, why.text);
        }
    }
    return made;
}
