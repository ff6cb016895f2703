// SPDX-License-Identifier: Apache-2.0
/*
 * config_rules - the rules of a settings file.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/config.h"

#define HOUR_MS 3600000.0
#define DAY_MS  (24 * HOUR_MS)

static const char *const severity_words[] = {"warning", "critical", NULL};
static const char *const kind_words[] = {"above", "below", "silent", "silent_device",
                                         NULL};

#define LEVEL(field) .offset = offsetof(struct config_level, field)
static const struct config_key level_keys[] = {
    {.name = "severity",
     .type = CONFIG_ENUM,
     LEVEL(severity),
     .words = severity_words,
     .fallback = "warning",
     .help = "how urgent"},
    {.name = "level",
     .type = CONFIG_DOUBLE,
     .is_required = true,
     LEVEL(level),
     .help = "fires at this value and beyond"},
    {.name = "delay",
     .type = CONFIG_DURATION,
     LEVEL(delay_ms),
     .fallback = "0",
     .least = 0,
     .most = 30 * DAY_MS,
     .help = "how long before it is an incident"},
    {.name = "recovery",
     .type = CONFIG_STRING,
     LEVEL(recovery),
     .help = "recovers when back past this value; the level itself when absent"},
    {.name = "recovery_delay",
     .type = CONFIG_DURATION,
     LEVEL(recovery_delay_ms),
     .fallback = "0",
     .least = 0,
     .most = 30 * DAY_MS,
     .help = "how long it has to stay back"},
    {.name = NULL},
};

#define RULE(field) .offset = offsetof(struct config_rule, field)
static const struct config_schema level_schema = {.keys = level_keys,
                                                  .size = sizeof(struct config_level)};
static const struct config_key rule_keys[] = {
    {.name = "id",
     .type = CONFIG_STRING,
     .is_required = true,
     RULE(id),
     .help = "identifier, unique"},
    {.name = "zone",
     .type = CONFIG_STRING,
     .is_required = true,
     RULE(zone),
     .help = "the zone it watches"},
    {.name = "kind",
     .type = CONFIG_ENUM,
     .is_required = true,
     RULE(kind),
     .words = kind_words,
     .help = "what is wrong"},
    {.name = "quantity",
     .type = CONFIG_STRING,
     RULE(quantity),
     .fallback = "air_temperature",
     .help = "what it watches; silent: \"\" for all"},
    {.name = "levels",
     .type = CONFIG_RECORDS,
     RULE(levels),
     .count_offset = offsetof(struct config_rule, level_count),
     .record = &level_schema,
     .most = ALERT_LEVELS_MAX,
     .help = "mildest first"},
    {.name = "silent_after",
     .type = CONFIG_DURATION,
     RULE(silent_ms),
     .fallback = "15m",
     .least = 1000,
     .most = 30 * DAY_MS,
     .help = "silent, silent_device: no good reading for so long"},
    {.name = "severity",
     .type = CONFIG_ENUM,
     RULE(severity),
     .words = severity_words,
     .fallback = "warning",
     .help = "silent: how urgent"},
    {.name = NULL},
};

const struct config_schema config_rule_schema = {.keys = rule_keys,
                                                 .size = sizeof(struct config_rule)};

static double number_or_nan(const char *text)
{
    char *end;
    double number = text != NULL ? strtod(text, &end) : (double)NAN;
    return text != NULL && end != text && *end == '\0' && isfinite(number) ? number
                                                                           : (double)NAN;
}

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text != NULL ? text : "");
}

void config_rule_take(struct alert_rule *rule, const struct config_rule *from)
{
    *rule = (struct alert_rule){.kind = from->kind,
                                .level_count = from->level_count,
                                .silent_ms = from->silent_ms,
                                .silent_severity = from->severity};
    copy(rule->id, sizeof rule->id, from->id);
    copy(rule->zone, sizeof rule->zone, from->zone);
    /* A rule about whole devices has none; what stands there is the fallback. */
    if (from->kind != ALERT_SILENT_DEVICE)
        copy(rule->quantity, sizeof rule->quantity, from->quantity);
    if (!alert_kind_is_silence(from->kind))
        rule->silent_ms = 0;
    for (size_t i = 0; i < from->level_count && i < ALERT_LEVELS_MAX; i++) {
        const struct config_level *level = &from->levels[i];
        rule->levels[i] = (struct alert_level){
            .severity = level->severity,
            .level = level->level,
            .delay_ms = level->delay_ms,
            .recovery_level =
                level->recovery != NULL ? number_or_nan(level->recovery) : level->level,
            .recovery_delay_ms = level->recovery_delay_ms,
        };
    }
}
