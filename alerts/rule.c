// SPDX-License-Identifier: Apache-2.0
#include "alerts/rule.h"

#include <inttypes.h>
#include <math.h>

#include "alerts/rule_kinds.h"
#include "telemetry/channel.h"
#include "telemetry/quantity.h"

static enum err check_names(const struct alert_rule *rule, struct err_text *why)
{
    if (!id_is_valid(rule->id))
        return err_set(why, ERR_INVALID,
                       "a rule has the id '%s'; use 1 to %d of A-Z a-z 0-9 _ -", rule->id,
                       ID_MAX);
    if (!id_is_valid(rule->zone))
        return err_set(why, ERR_INVALID, "rule '%s': '%s' is no id of a zone", rule->id,
                       rule->zone);
    if ((size_t)rule->kind >= ALERT_KIND_COUNT || alert_kind_is_trouble(rule->kind))
        return err_set(why, ERR_INVALID, "rule '%s': unknown kind %d", rule->id,
                       (int)rule->kind);
    if (rule->kind == ALERT_SILENT_DEVICE && rule->quantity[0] != '\0')
        return err_set(why, ERR_INVALID,
                       "rule '%s' watches whole devices, so it has no quantity; for the "
                       "silence of '%s' alone use the kind silent",
                       rule->id, rule->quantity);
    if (!alert_kind_is_silence(rule->kind) && !alert_kind_is_date(rule->kind) &&
        rule->quantity[0] == '\0')
        return err_set(why, ERR_INVALID, "rule '%s' names no quantity", rule->id);
    struct channel channel;
    if (rule->quantity[0] != '\0' && channel_parse(&channel, rule->quantity) != ERR_OK)
        return err_set(why, ERR_INVALID, "rule '%s': '%s' is no name of a quantity",
                       rule->id, rule->quantity);
    return ERR_OK;
}

static bool is_span(int64_t ms)
{
    return ms >= 0 && ms <= ALERT_DELAY_MAX_MS;
}

static enum err check_level(const struct alert_rule *rule,
                            const struct alert_level *level, struct err_text *why)
{
    bool is_above = alert_kind_is_above(rule->kind);
    if ((size_t)level->severity > ALERT_CRITICAL)
        return err_set(why, ERR_INVALID, "rule '%s': unknown severity %d", rule->id,
                       (int)level->severity);
    if (!isfinite(level->level) || !isfinite(level->recovery_level))
        return err_set(why, ERR_INVALID, "rule '%s': a level must be a finite number",
                       rule->id);
    if (is_above ? level->recovery_level > level->level
                 : level->recovery_level < level->level)
        return err_set(why, ERR_INVALID,
                       "rule '%s' would recover while it fires: %s %g needs a recovery "
                       "level %s it, not %g",
                       rule->id, alert_kind_name(rule->kind), level->level,
                       is_above ? "at or below" : "at or above", level->recovery_level);
    if (!is_span(level->delay_ms) || !is_span(level->recovery_delay_ms))
        return err_set(why, ERR_INVALID,
                       "rule '%s': delays must be between 0 and 366 days", rule->id);
    return ERR_OK;
}

/* A milder level that comes later, or is left later, is a mistake. */
static enum err check_order(const struct alert_rule *rule, size_t index,
                            struct err_text *why)
{
    const struct alert_level *mild = &rule->levels[index - 1];
    const struct alert_level *grave = &rule->levels[index];
    double sign = alert_kind_is_above(rule->kind) ? 1 : -1;
    if (sign * grave->level <= sign * mild->level)
        return err_set(why, ERR_INVALID,
                       "rule '%s': levels go from mild to grave, %g cannot follow %g %s",
                       rule->id, grave->level, mild->level, alert_kind_name(rule->kind));
    if (grave->severity < mild->severity)
        return err_set(why, ERR_INVALID,
                       "rule '%s': %g is further out than %g, but only a %s", rule->id,
                       grave->level, mild->level, alert_severity_name(grave->severity));
    if (sign * grave->recovery_level < sign * mild->recovery_level)
        return err_set(why, ERR_INVALID,
                       "rule '%s': level %g recovers at %g, after the milder one (%g)",
                       rule->id, grave->level, grave->recovery_level,
                       mild->recovery_level);
    return ERR_OK;
}

/* Beyond what the registry holds for plausible nothing is ever measured. */
static enum err check_reach(const struct alert_rule *rule,
                            const struct alert_level *level, struct err_text *why)
{
    int index = quantity_find(rule->quantity);
    if (index < 0 || !alert_kind_is_value(rule->kind))
        return ERR_OK;
    const struct quantity *quantity = quantity_at((size_t)index);
    bool is_above = alert_kind_is_above(rule->kind);
    if (is_above ? level->level > quantity->highest : level->level < quantity->lowest)
        return err_set(why, ERR_INVALID,
                       "rule '%s' could never fire: %s is between %g and %g %s", rule->id,
                       quantity->name, quantity->lowest, quantity->highest,
                       quantity->unit);
    return ERR_OK;
}

static enum err check_levels(const struct alert_rule *rule, struct err_text *why)
{
    if (rule->level_count < 1 || rule->level_count > ALERT_LEVELS_MAX)
        return err_set(why, ERR_INVALID, "rule '%s' needs 1 to %d levels, it has %zu",
                       rule->id, ALERT_LEVELS_MAX, rule->level_count);
    for (size_t i = 0; i < rule->level_count; i++) {
        enum err err = check_level(rule, &rule->levels[i], why);
        if (err == ERR_OK)
            err = check_reach(rule, &rule->levels[i], why);
        if (err == ERR_OK && i > 0)
            err = check_order(rule, i, why);
        if (err != ERR_OK)
            return err;
    }
    return rule_check_reach(rule, why);
}

static enum err check_silence(const struct alert_rule *rule, struct err_text *why)
{
    if (rule->level_count != 0)
        return err_set(why, ERR_INVALID, "rule '%s' is about silence: it has no levels",
                       rule->id);
    bool is_learned = rule->kind == ALERT_SILENT && rule->silent_ms == 0;
    if (!is_learned && (rule->silent_ms <= 0 || rule->silent_ms > ALERT_DELAY_MAX_MS))
        return err_set(why, ERR_INVALID,
                       "rule '%s': silence of %" PRId64
                       " ms; it must be more than 0 and at most 366 days",
                       rule->id, rule->silent_ms);
    if ((size_t)rule->silent_severity > ALERT_CRITICAL)
        return err_set(why, ERR_INVALID, "rule '%s': unknown severity %d", rule->id,
                       (int)rule->silent_severity);
    return ERR_OK;
}

enum err alert_rule_check(const struct alert_rule *rule, struct err_text *why)
{
    enum err err = check_names(rule, why);
    if (err == ERR_OK)
        err = rule_check_band(rule, why);
    if (err == ERR_OK)
        err = rule_check_kind(rule, why);
    if (err != ERR_OK)
        return err;
    return alert_kind_is_silence(rule->kind) ? check_silence(rule, why)
                                             : check_levels(rule, why);
}
