// SPDX-License-Identifier: Apache-2.0
/*
 * config_rules - the rules of a settings file.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerts/zones.h"
#include "collector/config.h"
#include "collector/doubts.h"
#include "collector/pipeline/registry.h"

#define HOUR_MS 3600000.0
#define DAY_MS  (24 * HOUR_MS)

static const char *const severity_words[] = {"warning", "critical", NULL};

#define LEVEL(field) .offset = offsetof(struct config_level, field)
static const struct config_key level_keys[] = {
    {.name = "severity",
     .type = CONFIG_ENUM,
     LEVEL(severity),
     .words = severity_words,
     .fallback = "warning",
     .help = "how urgent"},
    {.name = "level",
     .type = CONFIG_STRING,
     .is_required = true,
     LEVEL(level),
     .help =
         "fires at this value and beyond: a number, or an end of the zone's band such "
         "as band_high or band_high+0.5"},
    {.name = "delay",
     .type = CONFIG_DURATION,
     LEVEL(delay_ms),
     .fallback = "0",
     .least = 0,
     .most = 30 * DAY_MS,
     .help = "how long before it is an incident"},
    {.name = "recovery",
     .also = "recovery_level",
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
     .words = registry_rule_kinds,
     .help = "what is wrong"},
    {.name = "quantity",
     .type = CONFIG_STRING,
     RULE(quantity),
     .help = "what it watches; absent: air_temperature, or the signal that the kind is "
             "about; \"\" for all"},
    {.name = "levels",
     .type = CONFIG_RECORDS,
     RULE(levels),
     .count_offset = offsetof(struct config_rule, level_count),
     .record = &level_schema,
     .most = ALERT_LEVELS_MAX,
     .help = "mildest first"},
    {.name = "limit",
     .type = CONFIG_STRING,
     RULE(limit),
     .help =
         "the value that cumulative_, dose_, predicted, no_recovery and goods_left refer to"},
    {.name = "window",
     .type = CONFIG_DURATION,
     RULE(window_ms),
     .fallback = "0",
     .least = 0,
     .most = 366 * DAY_MS,
     .help = "how far back it looks"},
    {.name = "unless",
     .type = CONFIG_STRINGS,
     RULE(unless),
     .count_offset = offsetof(struct config_rule, unless_count),
     .most = ALERT_UNLESS_COUNT,
     .help = "what stops its clock while it lasts: defrost, door, off_duty, "
             "planned_step, maintenance, start, device_silent"},
    {.name = "safety",
     .type = CONFIG_BOOL,
     RULE(is_safety),
     .fallback = "no",
     .help = "it rings off duty, too"},
    {.name = "silent_after",
     .also = "silent",
     .type = CONFIG_DURATION,
     RULE(silent_ms),
     .fallback = "15m",
     .least = 0,
     .most = 30 * DAY_MS,
     .help = "silent, silent_device: no good reading for so long; silent 0: learned"},
    {.name = "severity",
     .also = "silent_severity",
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

/* A number, or the end of the band that it names; NaN for what is neither. */
static double take_number(struct alert_from_band *from, const char *text)
{
    return text != NULL && alert_from_band_parse(from, text) ? (double)NAN
                                                             : number_or_nan(text);
}

static struct alert_level take_level(const struct config_level *from)
{
    struct alert_level level = {.severity = from->severity,
                                .delay_ms = from->delay_ms,
                                .recovery_delay_ms = from->recovery_delay_ms};
    level.level = take_number(&level.level_from, from->level);
    level.recovery_level = take_number(
        &level.recovery_from, from->recovery != NULL ? from->recovery : from->level);
    return level;
}

static void copy(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text != NULL ? text : "");
}

const char *config_usual_quantity(enum alert_kind kind)
{
    static const struct {
        enum alert_kind kind;
        const char *quantity;
    } signals[] = {
        {ALERT_SILENT_DEVICE, ""},
        {ALERT_CALIBRATION_DUE, ""},
        {ALERT_DATE_DUE, ""},
        {ALERT_DOOR_OPEN, "door"},
        {ALERT_DEFROST_LONG, "defrost"},
        {ALERT_DEFROST_OFTEN, "defrost"},
        {ALERT_DEFROST_MISSING, "defrost"},
        {ALERT_CYCLING, "compressor"},
        {ALERT_MAINS_LOST, "mains"},
        {ALERT_GOODS_LEFT, ALERT_GOODS},
        {ALERT_LIFE_LEFT, "product_temperature"},
    };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (signals[i].kind == kind)
            return signals[i].quantity;
    return "air_temperature";
}

void config_rule_take(struct alert_rule *rule, const struct config_rule *from)
{
    enum alert_kind kind = ALERT_ABOVE;
    alert_kind_parse(&kind, registry_rule_kinds[from->kind]);
    *rule = (struct alert_rule){.kind = kind,
                                .window_ms = from->window_ms,
                                .is_safety = from->is_safety,
                                .level_count = from->level_count,
                                .silent_ms = from->silent_ms,
                                .silent_severity = from->severity};
    rule->limit = take_number(&rule->limit_from, from->limit);
    copy(rule->id, sizeof rule->id, from->id);
    copy(rule->zone, sizeof rule->zone, from->zone);
    copy(rule->quantity, sizeof rule->quantity,
         from->quantity != NULL ? from->quantity : config_usual_quantity(kind));
    if (!alert_kind_is_silence(kind))
        rule->silent_ms = 0;
    for (size_t i = 0; i < from->unless_count; i++) {
        enum alert_reason reason;
        if (alert_reason_parse(&reason, from->unless[i]))
            rule->unless |= 1u << reason;
    }
    for (size_t i = 0; i < from->level_count && i < ALERT_LEVELS_MAX; i++)
        rule->levels[i] = take_level(&from->levels[i]);
}

static bool check_number(struct config *config, char *const *text)
{
    struct alert_from_band from;
    if (*text == NULL || alert_from_band_parse(&from, *text) ||
        !isnan(number_or_nan(*text)))
        return true;
    config_problem(
        config, text,
        "'%s' is not a number, nor an end of the zone's band such as band_high "
        "or band_high-0.5",
        *text);
    return false;
}

/* With what its zone is like. */
static void check_whole(struct config *config, const struct config_rule *from,
                        struct alert_rule *rule, const struct config_zone *zone,
                        struct profile_set **profiles)
{
    const struct band band = config_zone_band(zone, profiles);
    json_t *goods = config_zone_goods(zone);
    struct err_text why;
    struct doubt doubt;
    alert_rule_resolve(rule, band.low, band.high);
    if (alert_rule_check(rule, &why) != ERR_OK)
        config_problem(config, &from->id, "%s", why.text);
    else if (doubt_of_rule(rule, &doubt) || doubt_of_goods(rule, profiles, goods, &doubt))
        config_warning(config, &from->id, "%s", doubt.text);
    json_decref(goods);
}

void config_rule_check(struct config *config, const struct config_rule *from,
                       const struct config_zone *zone, struct profile_set **profiles)
{
    struct alert_rule rule;
    enum alert_reason reason;
    bool is_good = check_number(config, &from->limit);
    for (size_t i = 0; i < from->unless_count; i++)
        if (!alert_reason_parse(&reason, from->unless[i]))
            config_problem(config, &from->unless,
                           "'%s' is no reason; there are: defrost, door, off_duty, "
                           "planned_step, maintenance, start, device_silent",
                           from->unless[i]);
    for (size_t i = 0; i < from->level_count; i++) {
        is_good &= check_number(config, &from->levels[i].level);
        is_good &= check_number(config, &from->levels[i].recovery);
    }
    config_rule_take(&rule, from);
    if (!is_good)
        return;
    check_whole(config, from, &rule, zone, profiles);
}
